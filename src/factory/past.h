/*
 * Past requests, as what changed policy is tried on: one for each certificate that was asked for, whether or not it came.
 */
#ifndef FACTORY_PAST_H
#define FACTORY_PAST_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"

enum past_what {
	PAST_CERTIFICATE, /* by a certificate request */
	PAST_KEY,         /* of a soft token */
	PAST_ATTRIBUTE    /* an attribute certificate to a certificate that is there */
};

/* All views are the arena's. */
struct past {
	enum past_what what;
	int64_t at, id;  /* of the officers' request, or of the remembered one */
	int64_t session; /* 0: an officer's request */
	struct officer_id officer;
	struct bytes token_procedure; /* name or id */
	int64_t not_before, not_after;
	struct bytes csr;         /* PAST_CERTIFICATE */
	const struct json *input; /* ... and what was filled in with it; NULL: nothing */
	const struct json *body;  /* else: what was signed */
	struct doc_id procedure;  /* ... and by which of the token procedure's */
	struct bytes spki;        /* PAST_KEY: of the key that was made; empty: none was */
};

typedef bool past_wanted_fn(const void *arg, const struct past *p);

/* Pages that are read of each sort, so that who has little among much of others' does not read the whole store. */
enum { PAST_PAGES_MAX = 20 };

struct past_query {
	struct factory *f;
	struct arena *mem;                 /* keeps what is found */
	const struct snapshot *now, *then; /* a token's keys are those that either policy makes */
	int64_t since;
	size_t most; /* of each sort, but for what the last request has beyond that */
	past_wanted_fn
	    *wanted; /* asked of each request before it counts; what it has been given is filled in so far */
	const void *arg;
};

/* In no order. Codes of the store. */
MUST enum rc past_gather(const struct past_query *q, struct past **ret, size_t *n, struct err *e);

#endif
