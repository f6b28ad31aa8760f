/*
 * Passwords and passphrases: scrypt (RFC 7914) to check them, and AES-256-GCM under a key made of one to keep
 * bytes at rest. Both forms carry their parameters, so that they can be raised without losing what is there.
 *
 * Memory of one call: 128 * N * r bytes, 32 MiB with today's N = 2^15, r = 8; about 80 ms. A stored form may ask
 * for what this program has ever written (today's cost is the only one), else a forged one could take the
 * machine's memory.
 */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/secret.h"

enum {
	PASSWORD_TEXT_MAX = 160, /* a stored password form with its NUL */
	SEAL_OVERHEAD = 8 + 4 + 16 + 12 + 16,
	SEAL_MAX = 1 << 20, /* what is sealed, bytes */
};

/* The stored form "$scrypt$ln=15,r=8,p=1$salt$hash" (PHC string format, base64 without padding) with a new
   random salt into text, NUL at its end. CHY_RANDOM, CHY_NO_MEMORY, CHY_CRYPTO_LIBRARY. */
MUST enum rc password_hash(const struct secret *password, char text[PASSWORD_TEXT_MAX], struct err *e);

/* RC_OK: it is the one. CHY_PASSWORD_WRONG; CHY_PASSWORD_FORM: the stored form is damaged or asks for
   another cost. Takes the same time whether or not it is right. */
MUST enum rc password_verify(const struct secret *password, struct bytes text, struct err *e);

/* May it be stored: a form of this kind that somebody else made, at exactly today's cost, with a salt of 16 bytes at least?
   Pure. CHY_PASSWORD_FORM. */
MUST enum rc password_form_check(struct bytes text, struct err *e);

/*
 * Sealed bytes: "CHYSEAL1", version 1, log2 N, r, p (one byte each), salt (16), nonce (12), AES-256-GCM
 * ciphertext, tag (16). The header and the caller's label are authenticated; the label (say "signer key 12")
 * is not stored, so that a sealed thing cannot be put in another's place.
 */
MUST enum rc seal(struct bytes plain, const struct secret *passphrase, struct bytes label, struct buf *out,
		  struct err *e);

/* *ret: owned by the caller. CHY_SEAL_FORM: not of this form; CHY_SEAL_OPEN: wrong passphrase, wrong label or
   altered, which cannot be told apart. */
MUST enum rc unseal(struct bytes sealed, const struct secret *passphrase, struct bytes label,
		    struct secret **ret, struct err *e);

#endif
