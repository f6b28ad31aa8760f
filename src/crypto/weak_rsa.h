/*
 * The RSA part of weak.h. Inside this folder only.
 */
#ifndef CRYPTO_WEAK_RSA_H
#define CRYPTO_WEAK_RSA_H

#include "crypto/weak.h"

/* n and exponent: big-endian magnitudes without leading zeros. */
enum rc rsa_check(struct bytes n, struct bytes exponent, const struct key_limits *limits, struct err *e);

#endif
