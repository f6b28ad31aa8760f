/* Whether a certificate may be removed from the store. Its journal stays, so what it was remains provable; what it is must not be
   asked for any more. Pure. */
#ifndef POLICY_REMOVAL_H
#define POLICY_REMOVAL_H

#include "policy/revoke.h"
#include "policy/snapshot.h"

/* What else needs it; bits. */
enum removal_use {
	REMOVAL_ARCHIVED = 1,  /* its key is in the archive, or was recovered */
	REMOVAL_TOKEN = 2,     /* a token has it */
	REMOVAL_RESPONDER = 4, /* it is an OCSP responder's */
	REMOVAL_BASE = 8,      /* attribute certificates name it */
	REMOVAL_PUBLISHED = 16,
	REMOVAL_DELIVERY = 32 /* a delivery of it, or of its removal, waits or is dead */
};

struct removal_facts {
	struct status_facts status;        /* the wish is not looked at */
	const struct authority *authority; /* NULL: it is gone */
	bool officers;                     /* an officer is bound to it */
	unsigned uses;
	int64_t not_after_ms;
};

/* When nobody asks any more whether a certificate of ours is revoked: a day after its end; where it was revoked or held, when each
   list of its authority that is built here had to come once more (RFC 5280 3.3); and when the time has passed for which OCSP says that
   it knows of it (RFC 6960 4.4.4). INT64_MAX: never, a list keeps what has expired. */
int64_t removable_from(const struct snapshot *s, const struct authority *x, enum cert_state state,
		       int64_t not_after_ms);

/* May this officer have it removed? What a foreign CA has issued at any time, what is ours when nobody asks for its status any
   more. Codes: STATUS_UNSEEN, DOMAIN_FOREIGN, ROLE_MISSING, ISSUER_CONSTRAINT, REMOVAL_USED, REMOVAL_EARLY. a is for scratch. */
MUST enum rc decide_removal(struct arena *a, const struct removal_facts *f, struct err *e);

#endif
