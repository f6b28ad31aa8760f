/*
 * Certificates as the library's objects, for the files of this folder that judge, verify paths and set up TLS. Not for
 * hot paths: reading one costs 100 us in OpenSSL 3.0.
 */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include <openssl/x509.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"

OWN_DEFINE(X509 *, X509_free)
OWN_DEFINE(X509_STORE *, X509_STORE_free)
OWN_DEFINE(X509_STORE_CTX *, X509_STORE_CTX_free)

static inline void
x509_list_free(STACK_OF(X509) * s)
{
	sk_X509_pop_free(s, X509_free);
}
OWN_DEFINE(STACK_OF(X509) *, x509_list_free)

/* One certificate, nothing behind it; NULL when the library does not take it (its error queue is kept). Freed by the
   caller. */
X509 *x509_of(struct bytes der);

/* A list of its own certificates; NULL when one of them is not taken. */
STACK_OF(X509) * x509_list(const struct bytes *ders, size_t count);

/* A store that trusts exactly these, self-signed or not; NULL as above. */
X509_STORE *x509_store(const struct bytes *roots, size_t count);

/* DER into the arena (CHY_NO_MEMORY). */
enum rc x509_der(struct arena *a, const X509 *x, struct bytes *ret, struct err *e);

#endif
