/*
 * The library's view of a foreign key. Inside this folder only.
 */
#ifndef CRYPTO_FOREIGN_KEY_H
#define CRYPTO_FOREIGN_KEY_H

#include <openssl/types.h>

#include "crypto/foreign.h"

/* Borrowed from k. */
EVP_PKEY *foreign_pkey(const struct foreign_key *k);

#endif
