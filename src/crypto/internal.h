/*
 * What the files of this folder share. Not for others: the library's types stay in here.
 */
#ifndef CRYPTO_INTERNAL_H
#define CRYPTO_INTERNAL_H

#include <openssl/evp.h>

#include "base/base.h"
#include "crypto/digest.h"
#include "pki/key.h"

/* The fetched digest; never NULL (the process ends when there is none). */
const EVP_MD *crypto_md(enum hash_alg alg);

/* The hash of a signature algorithm's digest; there must be one. */
static inline enum hash_alg
hash_for(enum digest d)
{
	return d == DIGEST_SHA512 ? HASH_SHA512 : d == DIGEST_SHA384 ? HASH_SHA384 : HASH_SHA256;
}

/* The library's name of a curve, "P-256", or of a key's algorithm, "ED25519"; NULL for none. */
const char *curve_library_name(enum curve c);
const char *key_library_name(enum key_alg a);

/* Padding and digest of an RSA operation on ctx, after its init. Others need nothing. False: refused. */
bool rsa_setup(EVP_PKEY_CTX *ctx, enum sigalg alg);

/* Fails with the code and the library's own reason, and empties its error queue. */
enum rc ossl_fail(struct err *e, enum code code, const char *std, const char *what);
/* Empties the error queue where a failure was expected and judged. */
void ossl_forget(void);

/* Scope cleanup for the library's objects. */
OWN_DEFINE(EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
OWN_DEFINE(EVP_MD_CTX *, EVP_MD_CTX_free)
OWN_DEFINE(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)

#endif
