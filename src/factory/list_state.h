/*
 * How it stands with revocation and issuance lists: what is in force, when the next one is due, whether it is late and what keeps
 * it from being built. For officers, and as figures for /metrics and the status.
 */
#ifndef FACTORY_LIST_STATE_H
#define FACTORY_LIST_STATE_H

#include "base/json.h"
#include "factory/factory.h"

struct list_query {
	enum kind_id kind; /* KIND_CRL_PROCEDURE, KIND_CIL_PROCEDURE */
	int64_t procedure; /* 0: all */
	int64_t after;
	size_t limit;
};

/* A page of procedures that the officer sees, each with its lists. */
MUST enum rc lists_ask(struct factory *f, struct arena *a, const struct snapshot *policy,
		       const struct officer *who, const struct list_query *q, struct json **ret,
		       struct err *e);

/* Counts those that are late or fail, every ten seconds. A job. */
MUST enum rc lists_look(struct factory *f, struct err *e);

/* {"late": n, "failing": n}, as of the job's last look. */
struct json *lists_json(struct factory *f, struct arena *a, enum kind_id kind);

#endif
