/*
 * Requests and certificates against OpenSSL: what our strict readers accept the library must accept as well, and read the
 * same in it. (The other way round it is more lenient, by BER.)
 */
#include "base/base.h"
#include "pki/cert.h"
#include "pki/csr.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
same_name(const X509_NAME *theirs, struct bytes ours)
{
	const unsigned char *der;
	size_t n;

	check(X509_NAME_get0_der(theirs, &der, &n) == 1 && bytes_eq(bytes_of(der, n), ours));
}

static void
same_serial(const ASN1_INTEGER *theirs, struct bytes ours)
{
	unsigned char *der = NULL;
	int n = i2d_ASN1_INTEGER(theirs, &der);

	check(n > 2 && bytes_eq(bytes_of(der + 2, (size_t)n - 2), ours));
	OPENSSL_free(der);
}

static void
same_time(const ASN1_TIME *theirs, int64_t ours)
{
	struct tm tm;
	struct civil c = civil_of(ours);

	check(ASN1_TIME_to_tm(theirs, &tm) == 1);
	check(tm.tm_year + 1900 == c.year && tm.tm_mon + 1 == c.month && tm.tm_mday == c.day);
	check(tm.tm_hour == c.hour && tm.tm_min == c.minute && tm.tm_sec == c.second);
}

static void
same_exts(const X509 *x, const struct exts *l)
{
	check(X509_get_ext_count(x) == (int)l->n);
	for (size_t i = 0; i < l->n; i++) {
		X509_EXTENSION *e = X509_get_ext(x, (int)i);
		const ASN1_OCTET_STRING *v = X509_EXTENSION_get_data(e);

		check((X509_EXTENSION_get_critical(e) == 1) == l->v[i].critical);
		check(bytes_eq(bytes_of(ASN1_STRING_get0_data(v), (size_t)ASN1_STRING_length(v)),
			       l->v[i].value));
	}
}

static void
certificate(struct arena *a, struct bytes in)
{
	const unsigned char *p = in.p;
	unsigned char *again = NULL;
	struct cert c;
	X509 *x;
	int n;

	if (cert_parse(a, in, &c, NULL) != RC_OK)
		return;
	x = d2i_X509(NULL, &p, (long)in.n);
	check(x != NULL && p == in.p + in.n);
	n = i2d_X509(x, &again);
	check(n > 0 && bytes_eq(bytes_of(again, (size_t)n), in));
	OPENSSL_free(again);
	check(X509_get_version(x) + 1 == c.version);
	same_name(X509_get_issuer_name(x), c.issuer);
	same_name(X509_get_subject_name(x), c.subject);
	same_serial(X509_get0_serialNumber(x), c.serial);
	same_time(X509_get0_notBefore(x), c.not_before_at);
	same_time(X509_get0_notAfter(x), c.not_after_at);
	same_exts(x, &c.exts);
	X509_free(x);
}

static void
request(struct arena *a, struct bytes in)
{
	const unsigned char *p = in.p;
	struct csr r;
	X509_REQ *x;

	if (csr_parse(a, in, &r, NULL) != RC_OK)
		return;
	x = d2i_X509_REQ(NULL, &p, (long)in.n);
	check(x != NULL && p == in.p + in.n);
	same_name(X509_REQ_get_subject_name(x), r.subject);
	if (r.exts.n > 0) {
		STACK_OF(X509_EXTENSION) *l = X509_REQ_get_extensions(x);

		check(sk_X509_EXTENSION_num(l) == (int)r.exts.n);
		sk_X509_EXTENSION_pop_free(l, X509_EXTENSION_free);
	}
	X509_REQ_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);

	if (a == NULL)
		return 0;
	certificate(a, bytes_of(data, n));
	request(a, bytes_of(data, n));
	return 0;
}
