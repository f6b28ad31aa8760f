/*
 * Public keys that must not be certified (CA/Browser Forum Baseline Requirements 6.1.1.3 and 6.1.6, SP
 * 800-89 5.3.3, SP 800-56A 5.6.2.3). Each reason has its own code. Cheap enough for every request: an
 * RSA-2048 key takes about 20 us (bench: tests/unit/test_crypto_weak.c prints it with CHY_TIMING=1).
 *
 * Not looked for: the Debian generator's keys of 2006-2008 and keys known to be compromised (a list's
 * matter), and shared factors between two keys.
 */
#ifndef CRYPTO_WEAK_H
#define CRYPTO_WEAK_H

#include "base/bytes.h"
#include "base/rc.h"
#include "pki/key.h"

/* What a policy allows. */
struct key_limits {
	unsigned rsa_min_bits, rsa_max_bits; /* of the modulus, both inclusive */
	uint64_t rsa_exponent_min;           /* the least public exponent; never below 3 */
};

/* 2048 to 8192 bits, exponent 65537 or more. */
extern const struct key_limits key_limits_default;

/* RC_OK, or the first of: CHY_RSA_SHORT, CHY_RSA_LONG, CHY_RSA_EXPONENT (even, 1, below the limit, over 256
   bits), CHY_RSA_EVEN, CHY_RSA_SMALL_FACTOR (a prime up to 751), CHY_RSA_ROCA (CVE-2017-15361),
   CHY_RSA_CLOSE_PRIMES (found by 100 rounds of Fermat's method, a square too), CHY_KEY_CURVE (not P-256,
   P-384, P-521), CHY_KEY_POINT (not on the curve, infinity, or a small-order Edwards point), CHY_KEY_UNKNOWN.
   limits NULL: the default. */
MUST enum rc key_check(const struct pubkey *key, const struct key_limits *limits, struct err *e);

#endif
