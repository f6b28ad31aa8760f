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

/*
 * Many certificates of one key: reading the key takes the library 100 us, all else 30. So the key is read once, and what is
 * then judged has it to the octet. Any number of threads may judge by one.
 */
struct judge_key;
/* spki: DER, copied. Codes: KEY_KIND (the library cannot read it), CRYPTO_LIBRARY, NO_MEMORY. */
MUST enum rc judge_key_new(struct bytes spki, struct judge_key **ret, struct err *e);
void judge_key_free(struct judge_key *k);
OWN_DEFINE(struct judge_key *, judge_key_free)
/* As judge_cert without an issuer; a certificate of another key is a disagreement. */
MUST enum rc judge_cert_of_key(struct arena *a, struct bytes cert, const struct judge_key *key,
			       const struct cert *ours, struct judgement *ret, struct err *e);

#endif
