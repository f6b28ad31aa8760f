/*
 * Private keys in software: the signer's own, soft tokens of officers, keys of tests. The private part never
 * leaves but encrypted (softkey_save). Freed keys are wiped.
 *
 * A key may be used by any number of threads at once: each takes a signing context of the key's pool, so that
 * nothing of the library's that changes is shared, and no context is set up twice (P-256: 16 us a signature).
 */
#ifndef CRYPTO_SOFTKEY_H
#define CRYPTO_SOFTKEY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/secret.h"
#include "pki/key.h"

enum {
	SOFTKEY_SIGNATURE_MAX = 5 << 10, /* ML-DSA-87 makes 4627 bytes */
	SOFTKEY_SPKI_MAX = 4 << 10,
	SOFTKEY_SAVED_MAX = 16 << 10,
};

struct softkey;

/* kind: "rsa-2048" "rsa-3072" "rsa-4096" "p-256" "p-384" "p-521" "ed25519" "ed448" "ml-dsa-44" "ml-dsa-65"
   "ml-dsa-87". CHY_KEY_KIND: another word. CHY_ALGORITHM_MISSING: not in this libcrypto. Owned by the caller.
 */
MUST enum rc softkey_generate(const char *kind, struct softkey **ret, struct err *e);
void softkey_free(struct softkey *k);
OWN_DEFINE(struct softkey *, softkey_free)

/* The kind, as one of the words above; "rsa-N" for other lengths that were loaded. Lives as long as the key.
 */
const char *softkey_kind(const struct softkey *k);
/* Its DER SubjectPublicKeyInfo; lives as long as the key. */
struct bytes softkey_spki(const struct softkey *k);
/* The usual algorithm of this key: SHA-256 with RSA (PKCS#1) and P-256, SHA-384 with P-384, SHA-512 with
 * P-521, ... */
enum sigalg softkey_default_alg(const struct softkey *k);

/* Appends the signature in its X.509 form to out (buf_max(SOFTKEY_SIGNATURE_MAX) is enough).
   CHY_SIGNATURE_ALGORITHM: does not fit the key. Fault point "softkey.sign". */
MUST enum rc softkey_sign(const struct softkey *k, enum sigalg alg, struct bytes message, struct buf *out,
			  struct err *e);

/* The same over a digest made already with the algorithm's own hash; not for Edwards and ML-DSA keys, which
   sign the message itself (CHY_SIGNATURE_ALGORITHM). */
MUST enum rc softkey_sign_digest(const struct softkey *k, enum sigalg alg, struct bytes digest,
				 struct buf *out, struct err *e);

/* Encrypted PKCS#8 (RFC 5958), PBES2 with scrypt (RFC 7914 7) and AES-256-CBC: `openssl pkey` reads it. */
MUST enum rc softkey_save(const struct softkey *k, const struct secret *passphrase, struct buf *out,
			  struct err *e);
/* Also takes PBES2 with PBKDF2, as others write it. CHY_SEAL_OPEN: wrong passphrase; CHY_SOFTKEY_FORM: not an
   encrypted PKCS#8 key of a kind that we know, DER. */
MUST enum rc softkey_load(struct bytes saved, const struct secret *passphrase, struct softkey **ret,
			  struct err *e);

/* A key from bare PKCS#8 in memory (an archive's, a test's). */
MUST enum rc softkey_from_pkcs8(struct bytes der, struct softkey **ret, struct err *e);

#endif
