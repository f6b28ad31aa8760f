/*
 * For the tests of src/crypto: certificates made by the library's own X509_* calls, so that another hand than ours has
 * written what our code reads. Everything asserts; memory is the arena's.
 */
#ifndef TESTS_CRYPTO_HELP_H
#define TESTS_CRYPTO_HELP_H

#include "base/base.h"
#include "crypto/softkey.h"
#include "crypto/softkey_key.h"

/* first: the library has macros of the same names */
#include "pki/cert.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct test_cert {
	const char *cn;
	const struct softkey *key; /* the subject's */
	const char *issuer_cn;     /* NULL: self-signed */
	const struct softkey *issuer_key;
	bool ca, no_basic;   /* no_basic: without basicConstraints */
	int64_t from, until; /* seconds; 0: the year 2026 and ten more */
	const char *san;     /* "DNS:localhost,IP:127.0.0.1" */
	const char *eku, *ku;
	int path_len;     /* of a CA: -1 none */
	const EVP_MD *md; /* NULL: SHA-256, or what the key wants */
	long serial;
};

static inline struct softkey *
test_key(const char *kind)
{
	struct softkey *k = NULL;
	struct err e = { 0 };

	if (softkey_generate(kind, &k, &e) != RC_OK)
		fail_msg("%s: %s", kind, e.text);
	return k;
}

static inline void
test_ext(X509 *x, X509 *issuer, int nid, const char *text)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	if (text == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static inline void
test_name(X509_NAME *n, const char *cn)
{
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(n, "O", MBSTRING_UTF8, (const uint8_t *)"Chancery test", -1, -1, 0),
	    1);
	assert_int_equal(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0),
			 1);
}

static inline struct bytes
test_issue(struct arena *a, struct test_cert t)
{
	X509 *x = X509_new(), *issuer = X509_new();
	const struct softkey *by = t.issuer_key ? t.issuer_key : t.key;
	bool pure = softkey_default_alg(by) == SIGALG_ED25519 || softkey_default_alg(by) == SIGALG_ED448;
	uint8_t *der = NULL;
	char basic[64];
	struct bytes ret;
	int n;

	assert_true(X509_set_version(x, 2) &&
		    ASN1_INTEGER_set(X509_get_serialNumber(x), t.serial ? t.serial : 4711));
	test_name(X509_get_subject_name(x), t.cn);
	test_name(X509_get_subject_name(issuer), t.issuer_cn ? t.issuer_cn : t.cn);
	assert_true(X509_set_issuer_name(x, X509_get_subject_name(issuer)));
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), t.from ? t.from : 1767225600));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), t.until ? t.until : 2082758400));
	assert_true(X509_set_pubkey(x, softkey_pkey(t.key)) && X509_set_pubkey(issuer, softkey_pkey(by)));
	test_ext(issuer, issuer, NID_subject_key_identifier, "hash");
	if (t.ca && t.path_len >= 0 && t.path_len < 100)
		snprintf(basic, sizeof(basic), "critical,CA:TRUE,pathlen:%d", t.path_len);
	else
		snprintf(basic, sizeof(basic), "critical,CA:%s", t.ca ? "TRUE" : "FALSE");
	if (!t.no_basic)
		test_ext(x, issuer, NID_basic_constraints, basic);
	test_ext(x, issuer, NID_key_usage,
		 t.ku       ? t.ku
		     : t.ca ? "critical,keyCertSign,cRLSign"
			    : "critical,digitalSignature");
	test_ext(x, issuer, NID_subject_key_identifier, "hash");
	test_ext(x, issuer, NID_authority_key_identifier, "keyid:always");
	test_ext(x, issuer, NID_subject_alt_name, t.san);
	test_ext(x, issuer, NID_ext_key_usage, t.eku);
	assert_true(X509_sign(x, softkey_pkey(by), t.md ? t.md : pure ? NULL : EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	ret = arena_dup(a, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	X509_free(x);
	X509_free(issuer);
	return ret;
}

#endif
