/*
 * Nobody's word is taken for our own output: the library reads a certificate that pki made, and what it finds
 * is compared with what pki says is in it. Used when a policy is loaded (one certificate of each procedure)
 * and by the auditor's job on stored ones; too dear (some 400 us) for the hot path.
 */
#ifndef CRYPTO_JUDGE_H
#define CRYPTO_JUDGE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "pki/cert.h"

/* One point in which two readers disagree, or that the library does not accept. */
struct disagreement {
	const char *field; /* "serial", "extension 2.5.29.19", "signature" ... */
	const char *text;
	struct disagreement *next;
};

struct judgement {
	struct disagreement *first;
	size_t count;
};

/* cert: DER. issuer: DER of the issuer's certificate; the certificate itself when self-signed; empty: its
   signature and the path are not judged. ours: what pki read in it, NULL: this function parses it. *ret is
   the arena's; count 0 is the good verdict. Fails only for lack of memory; a certificate that cannot be read
   is a disagreement. */
MUST enum rc judge_cert(struct arena *a, struct bytes cert, struct bytes issuer, const struct cert *ours,
			struct judgement *ret, struct err *e);

#endif
