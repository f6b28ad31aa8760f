#include "base/base.h"
#include "crypto/x509.h"

#include "crypto/internal.h"

X509 *
x509_of(struct bytes der)
{
	const uint8_t *p = der.p;
	X509 *x = der.n > 0 && der.n <= LIMIT_CERT ? d2i_X509(NULL, &p, (long)der.n) : NULL;

	if (x == NULL || p == der.p + der.n)
		return x;
	X509_free(x);
	return NULL;
}

STACK_OF(X509) * x509_list(const struct bytes *ders, size_t count)
{
	STACK_OF(X509) *s = sk_X509_new_null();

	for (size_t i = 0; s != NULL && i < count; i++) {
		X509 *x = x509_of(ders[i]);

		if (x == NULL || !sk_X509_push(s, x)) {
			X509_free(x);
			x509_list_free(s);
			return NULL;
		}
	}
	return s;
}

X509_STORE *
x509_store(const struct bytes *roots, size_t count)
{
	OWN(X509_STORE_free)
	X509_STORE *s = X509_STORE_new();
	X509_STORE *done;

	/* a trusted certificate ends the path wherever it stands in a hierarchy */
	if (s == NULL || !X509_STORE_set_flags(s, X509_V_FLAG_PARTIAL_CHAIN))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		OWN(X509_free)
		X509 *x = x509_of(roots[i]);

		if (x == NULL || !X509_STORE_add_cert(s, x))
			return NULL;
	}
	done = s;
	s = NULL;
	return done;
}

enum rc
x509_der(struct arena *a, const X509 *x, struct bytes *ret, struct err *e)
{
	int n = i2d_X509(x, NULL);
	uint8_t *to = n > 0 ? arena_alloc(a, (size_t)n) : NULL;
	uint8_t *p = to;

	if (to == NULL || i2d_X509(x, &p) != n)
		return ossl_fail(e, CHY_NO_MEMORY, NULL, "a certificate");
	*ret = bytes_of(to, (size_t)n);
	return RC_OK;
}
