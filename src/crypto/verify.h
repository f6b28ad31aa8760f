/*
 * Verifying signatures with somebody's public key. The hot path of issuing: P-256 with the import of the key
 * takes about 50 us. The key is read by pki/key.h and given to the library as numbers, never through its
 * decoders (d2i_PUBKEY and d2i_X509 cost 100 us each in OpenSSL 3.0, and are more code that meets hostile
 * bytes).
 *
 * What import checks: RSA 512 to 16384 bits; that an elliptic point is on its curve and not
 * infinity (a prime-order curve needs no more, SP 800-186 D.1); lengths of the Edwards and ML-DSA keys.
 * Strength is weak.h's matter.
 */
#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H

#include "base/bytes.h"
#include "base/rc.h"
#include "pki/csr.h"
#include "pki/key.h"

/* spki: DER SubjectPublicKeyInfo. signature: as it stands in X.509 (ECDSA: DER Ecdsa-Sig-Value, RFC
   3279 2.2.3; RSA: as long as the modulus). CHY_SIGNATURE_WRONG: it is not the signature of this message by
   this key. CHY_SIGNATURE_ALGORITHM: the algorithm does not fit the key. CHY_KEY_IMPORT, CHY_KEY_POINT: no
   usable key. CHY_ALGORITHM_MISSING: this libcrypto cannot do it (ML-DSA needs 3.5). */
MUST enum rc verify_signature(struct bytes spki, enum sigalg alg, struct bytes message,
			      struct bytes signature, struct err *e);

/* The same with the key parsed already. */
MUST enum rc verify_with(const struct pubkey *key, enum sigalg alg, struct bytes message,
			 struct bytes signature, struct err *e);

/* Proof of possession (RFC 2986 4.2): the request is signed with the key that it asks a certificate for. */
MUST enum rc verify_csr(const struct csr *csr, struct err *e);

/* True when this libcrypto can make and verify alg. */
bool sigalg_available(enum sigalg alg);

/* One key for many signatures: a journal's heads, for example. Read only after it is made, any number of
 * threads. */
struct verifier;
MUST enum rc verifier_new(struct bytes spki, struct verifier **ret, struct err *e);
void verifier_free(struct verifier *v);
OWN_DEFINE(struct verifier *, verifier_free)
MUST enum rc verifier_check(const struct verifier *v, enum sigalg alg, struct bytes message,
			    struct bytes signature, struct err *e);

#endif
