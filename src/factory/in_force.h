/*
 * The policy in force: loaded from the store as one snapshot, judged, and swapped whole.
 */
#ifndef FACTORY_IN_FORCE_H
#define FACTORY_IN_FORCE_H

#include "factory/factory.h"

/* Loads all documents, has one sample certificate of every procedure judged (OpenSSL and our lints), condemns the
   procedures whose sample is bad, and puts the snapshot in force. When nothing has changed since the last load, nothing
   happens. On failure the old snapshot stays in force. Any thread; loads run one at a time. */
MUST enum rc policy_load(struct factory *f, struct err *e);

/* A snapshot of the documents in the store and one more (NULL: none), or another version of one, not put in force: for acts
   that need the policy as it will be. */
MUST enum rc policy_with(struct factory *f, const struct document *extra, struct snapshot **ret,
			 struct err *e);

/* The DER of an authority's newest certificate, into the arena. CHY_AUTHORITY_NO_CERTIFICATE. */
MUST enum rc authority_certificate(struct factory *f, struct arena *a, struct doc_id authority,
				   struct bytes *ret, struct err *e);

/* The same though no document has changed: what else it is made of has. */
MUST enum rc policy_load_again(struct factory *f, struct err *e);

/* A setting that condemns a procedure until somebody changes it: the auditor found a certificate of it that OpenSSL
   or a lint does not accept. */
MUST enum rc policy_condemn(struct factory *f, struct doc_id procedure, int64_t version, const char *why,
			    struct err *e);

#endif
