/*
 * Random numbers, from the library's generator seeded by the kernel. Never used without looking at the
 * result: a serial number or key from a failed generator is worse than none.
 */
#ifndef CRYPTO_RAND_H
#define CRYPTO_RAND_H

#include <stddef.h>

#include "base/rc.h"

/* Fills n bytes. CHY_RANDOM: nothing usable was written. Fault point "crypto.random". */
MUST enum rc rand_bytes(void *to, size_t n, struct err *e);

#endif
