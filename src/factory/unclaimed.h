/*
 * Certificates that were found in the signer's journal after a failure: signed, but nobody has had them. Whoever asks again
 * with the same idempotency key claims one; what nobody claims is revoked when the time of the revocation policy is over.
 */
#ifndef FACTORY_UNCLAIMED_H
#define FACTORY_UNCLAIMED_H

#include "factory/factory.h"

/* Somebody gets it: it is not revoked any more. Durable when this returns. */
MUST enum rc unclaimed_claim(struct factory *f, struct arena *a, int64_t certificate, struct err *e);
/* Revokes what is due. A job. */
MUST enum rc unclaimed_revoke(struct factory *f, struct err *e);

#endif
