/*
 * Acts over a list of certificates that are each decided on by themselves, when the request is prepared and again when it takes
 * effect, with an outcome each: the frame of certificate.activate-ocsp and certificate.remove.
 */
#ifndef FACTORY_ACT_EACH_H
#define FACTORY_ACT_EACH_H

#include "factory/acts.h"
#include "factory/status.h"

struct each_act {
	/* The body's list, its other members checked; how many is the frame's to ask, of the row in acts.c. */
	enum rc (*list)(const struct json *body, struct json **ret, struct err *e);
	/* Loads the certificate and decides. */
	enum rc (*judge)(struct factory *f, struct arena *a, const struct snapshot *policy,
			 const struct officer *who, int64_t id, struct status_subject *ret, struct err *e);
	/* Puts what it comes to into the change, its members into the leaf and the outcome; adds the leaf. */
	enum rc (*put)(struct effect *x, struct change *c, const struct status_subject *s, struct json *leaf,
		       struct json *outcome, struct err *e);
	const char *before, *after; /* for whoever signs */
};

/* Of the i-th certificate of a list what kept it from being prepared: with skip_refused it is left out, and told beside what is to be
   signed; else, and where not it is at fault, all is refused. */
MUST enum rc each_refused(struct preparation *p, const struct json *item, size_t i, const struct err *why,
			  struct err *e);
/* Is something left? Else the first refusal. */
MUST enum rc each_some_left(const struct preparation *p, size_t left, struct err *e);

/* The act's check. FIELD_TWICE, LIMIT and what judge says, at the certificate's place in the list. */
MUST enum rc each_check(struct preparation *p, const struct each_act *act, struct err *e);

/* The act's effect; the refusal of the first where none of them could be done. */
MUST enum rc each_apply(struct effect *x, struct change *c, const struct each_act *act, struct err *e);

#endif
