/*
 * What the files of the second call share: a request with its signatures, on its way to its effect.
 */
#ifndef FACTORY_REQUEST_IMPL_H
#define FACTORY_REQUEST_IMPL_H

#include "factory/acts.h"
#include "model/officer.h"
#include "policy/approval.h"
#include "store/rows.h"

struct signing {
	struct factory *f;
	struct arena *a;
	struct snapshot *policy; /* with a reference */
	struct request_row row;
	struct request request;
	struct signatory signatures[SIGNATURES_MAX]; /* those it has, then the new ones */
	struct bytes cms[SIGNATURES_MAX];
	size_t before, n;
	enum request_state state; /* what it becomes */
	const struct json *secrets;
	struct password_verdicts passwords;
};

/* A state's name, static. */
struct bytes state_text(enum request_state s);

/* request_sign.c: the request with the signatures that it has. */
MUST enum rc load_signing(struct signing *s, struct request_id id, struct err *e);

/* request_effect.c: a request that ends without effect, in the store and in the journal; why: the cause, with its code. */
MUST enum rc end_request(struct factory *f, struct arena *a, const struct request_row *row,
			 enum request_state to, const struct err *why, struct err *e);

/* What an act's own functions work with. */
struct effect effect_of(struct signing *s);

/* The effect's own part of the change and the state that it ends in. */
MUST enum rc put_effect(struct signing *s, struct effect *x, struct change *c, struct err *e);

/* What is committed has happened, whether or not the policy can be read just now: its job tries again each second. */
void bring_into_force(struct signing *s);

/* A request that has its signatures takes effect, or fails for good; what is only late stays and is tried again. One thread
   a request, which the others wait for. */
MUST enum rc carry_out(struct signing *s, struct err *e);

/* The same for the job that carries on: what a call is doing already is left to it, and *ret_done is false. */
MUST enum rc carry_on(struct signing *s, bool *ret_done, struct err *e);

#endif
