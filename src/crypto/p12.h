/*
 * PKCS#12 files (RFC 7292): a private key, its certificate and the certificates above it, under a password.
 */
#ifndef CRYPTO_P12_H
#define CRYPTO_P12_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/secret.h"
#include "crypto/softkey.h"

enum {
	P12_MAX = 256 << 10, /* a whole file */
	P12_CHAIN_MAX = 16,
};

struct p12 {
	struct softkey *key; /* owned: softkey_free */
	struct bytes cert;   /* DER, the one that belongs to the key; the arena's */
	struct bytes chain[P12_CHAIN_MAX];
	size_t chain_count; /* the others, in the file's order */
};

/* CHY_P12_FORM: not PKCS#12, no key or no certificate for it, more than the limits. CHY_P12_PASSWORD: wrong
   password or altered. CHY_ALGORITHM_MISSING: protected by RC2 or the like, which needs the library's legacy
   provider. */
MUST enum rc p12_read(struct arena *a, struct bytes file, const struct secret *password, struct p12 *ret,
		      struct err *e);

/* AES-256-CBC by PBES2 with PBKDF2-HMAC-SHA-256, 200,000 rounds, and a SHA-256 MAC: read by OpenSSL, NSS,
   GnuTLS, Java 8u301 and newer, Windows 10 1709 and newer. name (may be empty): the friendly name. cert must
   belong to key (CHY_P12_FORM). */
MUST enum rc p12_write(const struct softkey *key, struct bytes cert, const struct bytes *chain,
		       size_t chain_count, struct bytes name, const struct secret *password, struct buf *out,
		       struct err *e);

#endif
