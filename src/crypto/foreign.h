/*
 * A key whose private operation happens elsewhere, in the signer process or a PKCS#11 module, made so that
 * the library's TLS can use it (tls.h). Elliptic (P-256, P-384, P-521) and RSA keys; Edwards keys cannot be
 * given away in this manner by OpenSSL 3.0.
 */
#ifndef CRYPTO_FOREIGN_H
#define CRYPTO_FOREIGN_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"

enum foreign_op {
	FOREIGN_ECDSA,     /* in: digest; out: DER Ecdsa-Sig-Value (RFC 3279 2.2.3) */
	FOREIGN_RSA_PKCS1, /* in: DER DigestInfo (RFC 8017 9.2); out: the signature, as long as the modulus */
	FOREIGN_RSA_RAW, /* in: a block as long as the modulus, padded already (PSS of TLS 1.3); out: in^d mod
			    n, as long */
};

/* Makes one signature; called by whichever thread runs the handshake, several at once. May wait. in is a
   view, out is empty with a sufficient maximum. A failure fails the handshake and is found again by
   foreign_last_error. */
typedef enum rc foreign_fn(void *context, enum foreign_op op, struct bytes in, struct buf *out,
			   struct err *e);

struct foreign_key;

/* spki: DER of the public part. context is the caller's and must outlive the key and all that was made of it.
   CHY_KEY_CURVE, CHY_KEY_UNKNOWN: a kind of key that cannot be foreign. Owned by the caller. */
MUST enum rc foreign_key_new(struct bytes spki, foreign_fn *fn, void *context, struct foreign_key **ret,
			     struct err *e);
void foreign_key_free(struct foreign_key *k);
OWN_DEFINE(struct foreign_key *, foreign_key_free)

/* Takes the first failure of an operation that this thread ran since the last call; false: none. For a good
   message when a handshake fails. */
bool foreign_last_error(struct err *e);

#endif
