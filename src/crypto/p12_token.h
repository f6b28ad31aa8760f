/*
 * PKCS#12 files (RFC 7292) with several keys: what a soft token is. The reader and writer of one key are in p12.h.
 */
#ifndef CRYPTO_P12_TOKEN_H
#define CRYPTO_P12_TOKEN_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/secret.h"
#include "crypto/softkey.h"

enum {
	/* PBKDF2-HMAC-SHA-256, of each part that is encrypted, and of the MAC: what guessing a PIN costs (OWASP 2023) */
	P12_ROUNDS = 600000,
	P12_ROUNDS_LEGACY = 10000, /* old software counts slowly, and stronger it is not made by counting */
	P12_KEYS_MAX = 32,
	P12_ISSUERS_MAX = 32,
	P12_NAME_MAX = 127, /* a friendly name, bytes */
};

/*
 * P12_MODERN: AES-256-CBC by PBES2, MAC with SHA-256. Read by OpenSSL 1.1 and 3, NSS, GnuTLS, Java 8u301 and newer,
 * Windows 10 1709 and newer.
 * P12_LEGACY: pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 C), MAC with SHA-1: for software and cards' tools that know
 * nothing else. Whoever gets hold of such a file guesses a short PIN soon.
 */
enum p12_style { P12_MODERN, P12_LEGACY };

struct p12_entry {
	const struct softkey *key;
	struct bytes certificate; /* DER, the key's */
	struct bytes name;        /* friendly name; may be empty */
};

/* certificates of issuers go in once each, whatever the list says. P12_FORM: a certificate is not its key's, or is none;
   P12_TOO_MUCH; P12_PASSWORD: a NUL in it; TOO_LONG: a name. */
MUST enum rc p12_token(enum p12_style style, const struct p12_entry *entries, size_t n,
		       const struct bytes *issuers, size_t issuers_n, const struct secret *pin,
		       struct buf *out, struct err *e);

#endif
