/*
 * The library's view of a software key. Inside this folder only.
 */
#ifndef CRYPTO_SOFTKEY_KEY_H
#define CRYPTO_SOFTKEY_KEY_H

#include <openssl/types.h>

#include "crypto/softkey.h"

/* Borrowed from k. */
EVP_PKEY *softkey_pkey(const struct softkey *k);

/* A softkey of the library's private key, which is not used up (CHY_KEY_KIND: of a kind that we do not have). */
enum rc softkey_wrap(EVP_PKEY *pkey, struct softkey **ret, struct err *e);

#endif
