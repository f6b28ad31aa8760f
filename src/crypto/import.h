/*
 * Public keys from numbers to the library's objects, without its decoders. Inside this folder only.
 */
#ifndef CRYPTO_IMPORT_H
#define CRYPTO_IMPORT_H

#include <openssl/types.h>

#include "base/rc.h"
#include "pki/key.h"

/* *ret is the caller's: EVP_PKEY_free. CHY_KEY_POINT: not on its curve; CHY_KEY_IMPORT, CHY_ALGORITHM_MISSING. */
enum rc key_import(const struct pubkey *key, EVP_PKEY **ret, struct err *e);

#endif
