/*
 * The request log: the journal's leaves, found by category, failure, officer, time and object. A follower behind the path
 * of issuing reads the leaves in the order of the tree; questions let it catch up first.
 */
#ifndef FACTORY_LOG_H
#define FACTORY_LOG_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/log.h"
#include "model/officer.h"
#include "store/read.h"

enum { LOG_WHO_MAX = 4, LOG_DOMAINS_MAX = 128 };

/* What the log knows of one leaf. */
struct log_view {
	int64_t at;
	enum log_category category;
	bool failed;
	int64_t officers[LOG_WHO_MAX];
	size_t officers_n;
	int64_t objects[LOG_OBJECTS_MAX]; /* documents, certificates, requests, sessions */
	size_t objects_n;
	/* Where what it is about lies, and where those act from who asked for it; without Root. With these alone, or with all
	   those above them (log_domains_above). */
	int64_t domains[LOG_DOMAINS_MAX];
	size_t domains_n;
	int64_t request;  /* 0: none */
	struct bytes act; /* empty: none */
	struct json *body;
};

/* What the request of the leaf before came to, and who signed it, for leaves that were read together and are looked at one behind
   the other by one policy. Zeroed at first. */
struct log_memo {
	struct arena *mem;
	int64_t request; /* 0: nothing */
	struct log_view view;
	struct bytes ends;
	int64_t signed_request; /* 0: nothing */
	int64_t signers[LOG_WHO_MAX];
	size_t signers_n;
	const struct certificate_row *certificates; /* read ahead, by id; the caller's */
	size_t certificates_n;
};
void log_memo_fini(struct log_memo *memo);
#define OWN_LOG_MEMO __attribute__((cleanup(log_memo_fini)))

/* Looks again at what the leaf names: the request's act and signers, the session's officer. A leaf that cannot be read
   is a view of category LOG_SYSTEM. Views into a and body. policy: for where things lie. */
MUST enum rc log_view_of(struct factory *f, struct arena *a, const struct snapshot *policy, struct bytes kind,
			 int64_t object, struct bytes body, struct log_memo *memo, struct log_view *ret,
			 struct err *e);

/* The domains that a request is about: where what its bytes name lies, and its officer. ret: its domains alone. */
struct request_row;
MUST enum rc log_domains_of_request(struct factory *f, struct arena *a, const struct snapshot *policy,
				    const struct request_row *row, struct log_view *ret, struct err *e);

/* Adds to the view's domains those above them, as they stand now. */
MUST enum rc log_domains_above(struct factory *f, struct arena *a, const struct snapshot *policy,
			       struct log_view *v, struct err *e);

/* Reads leaves that were not read yet, page by page until `most` or more are; *done (may be NULL): how many. The follower job calls it. */
MUST enum rc log_catch_up(struct factory *f, size_t most, size_t *done, struct err *e);

/* The same with what waits for its place in the tree, so that a question sees what was done a moment ago. */
MUST enum rc log_read_all(struct factory *f, size_t most, struct err *e);

/* What happened, in a line: "certificate revoke, valid -> revoked, reason superseded: CN=web". */
MUST enum rc log_put_event(struct factory *f, struct arena *a, struct bytes kind, const struct log_view *v,
			   struct buf *out, struct err *e);
/* done, refused, failed; of a request what it became (rejected, withdrawn, void, expired, failed), of a delivery its own word. */
struct bytes log_outcome(struct bytes kind, const struct log_view *v);
/* The number of what it is about: a certificate, a document, else the leaf's object or the request; 0: nothing. */
int64_t log_subject(int64_t object, const struct log_view *v);

struct log_filter {
	struct bytes category; /* a group's or category's name; empty: any */
	bool failed;           /* only failures */
	struct bytes officer;  /* name or id; empty: any */
	struct bytes
	    domain; /* name or id, of the officer's domain or below: only that and below; empty: the officer's */
	int64_t object;         /* a document, certificate, request or session; 0: any */
	int64_t from_at, to_at; /* [from, to); 0: open */
	int64_t after;          /* the last id of the page before */
	size_t limit;
};

/* {"items": [...], "next": id | null}, newest first. Needs Audit tasks: a refusal is journaled. An officer of a domain gets
   what is about that domain and those below it. Codes: ROLE_MISSING, LOG_FILTER, REF_*, DOMAIN_HIDDEN. */
MUST enum rc log_list(struct factory *f, struct arena *a, const struct snapshot *policy,
		      const struct officer *who, const struct log_filter *q, struct json **ret,
		      struct err *e);

#endif
