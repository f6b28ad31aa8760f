/*
 * The search for certificates: every field and free text in any combination, sorted, page by page. An index gives candidates,
 * and everything that was asked is checked on each of them, as well as whether the officer may see it.
 */
#ifndef FACTORY_SEARCH_H
#define FACTORY_SEARCH_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"
#include "store/rows.h"

enum search_order { ORDER_ID, ORDER_NOT_AFTER, ORDER_NOT_BEFORE, ORDER_SINCE, ORDER_SUBJECT, ORDER_SERIAL };

#define SEARCH_ANY_STATE (~0u)
enum { SEARCH_TOTAL_MAX = 1000, SEARCH_PATTERNS_MAX = 16, SEARCH_ISSUERS_MAX = 64 };

/* A text with * for anything, folded. attribute: as of search_texts_of; empty: of any. */
struct search_pattern {
	struct bytes attribute, text;
	bool email; /* of the subject's emailAddress or an alternative name */
};

struct search_query {
	struct search_pattern patterns[SEARCH_PATTERNS_MAX]; /* all of them */
	size_t patterns_n;
	struct bytes serial, key_id, sha256; /* octets; empty: any */
	int64_t issuers[SEARCH_ISSUERS_MAX]; /* of any of them */
	size_t issuers_n;
	bool by_issuer;               /* issuers counts, though it may be empty */
	unsigned states, reasons;     /* 1 << state, SEARCH_ANY_STATE or even none; 1 << code, 0: any */
	int64_t since_from, since_to; /* [from, to) */
	int64_t published_from, published_to;
	int64_t activated_from, activated_to;           /* for OCSP, by an officer */
	int64_t begin_from, begin_to, end_from, end_to; /* not_before, not_after */
	int is_expired, is_not_yet_valid, publication;  /* -1: any */
	int kind; /* 0: any, 1: end entities', 2: authorities', 3: attribute certificates */
	int64_t token_procedure, certificate_procedure; /* 0: any */
	enum search_order order;
	bool descending;
	size_t limit;
	int64_t most;       /* in all, where all are asked for at once */
	struct bytes after; /* the cursor of the page before */
	int64_t now_ms;
};

/* {field: value ...}, docs/guide/searching.md. Codes: JSON_*, FIELD_*, HEX, TIME_TEXT. */
MUST enum rc search_read(struct factory *f, struct arena *a, const struct snapshot *policy,
			 const struct json *in, struct search_query *ret, struct err *e);

/* *ret: {"items", "next", "total", "more", "behind"}: total on the first page: what was counted, up to 1,000, and where candidates have to be
   looked at, as many as could be quickly when the page was full; more: there may be others; behind: certificates that are not in the index
   yet. A page may be short or empty and have a next one all the same. SEARCH_BROAD: an order that so many certificates cannot be
   shown in. */
MUST enum rc search_run(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct officer *who, const struct search_query *q, struct json **ret,
			struct err *e);

#endif
