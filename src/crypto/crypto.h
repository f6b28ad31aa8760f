/*
 * What every user of this folder needs once. src/crypto wraps OpenSSL (3.0 or newer): what is bytes to the
 * rest of the program is a key, a signature or a certificate of the library here. No type of the library
 * leaves it but in tls.h.
 *
 * Threads: all functions of the folder may be called by any thread at any time after crypto_init. Contexts
 * that the library changes while it works are kept one per thread; what threads share is read only.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/bytes.h"
#include "base/rc.h"

/* Fetches the algorithms once. Call at start, before other threads and before any sandbox (the library reads
   its configuration file). Again is free. CHY_CRYPTO_LIBRARY: the library lacks something that the program
   cannot do without. */
MUST enum rc crypto_init(struct err *e);

/* Gives the library memory for private keys that is locked, guarded and kept out of core dumps. For processes
   that hold keys: before the first key and the second thread. Holds about 800 RSA-4096 keys; making one more
   fails. CHY_CRYPTO_LIBRARY when there is no such memory; where the system refuses only to lock it, it is used
   unlocked and *ret_locked is false. */
MUST enum rc crypto_guard_keys(bool *ret_locked, struct err *e);

/* Octets of that memory that are in use; 0 before crypto_guard_keys. */
size_t crypto_guarded(void);

/* The library's own version, "OpenSSL 3.0.22 25 Aug 2026"; static. */
const char *crypto_library(void);

/* Wipes n bytes in a way that the compiler keeps. */
void crypto_wipe(void *p, size_t n);

#endif
