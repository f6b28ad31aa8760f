/*
 * What the files of this folder share. Not for others: the library's types stay in here.
 */
#ifndef CRYPTO_INTERNAL_H
#define CRYPTO_INTERNAL_H

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "crypto/digest.h"

/* The fetched digest; never NULL (the process ends when there is none). */
const EVP_MD *crypto_md(enum hash_alg alg);

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
