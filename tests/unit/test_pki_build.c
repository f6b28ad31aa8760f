/*
 * Building: certificates from a template, requests, officers' signatures; OpenSSL judges what we made. Also the
 * algorithm identifiers against what OpenSSL writes.
 */
#include "pki_util.h"

#include "base/clock.h"
#include "pki/cert.h"
#include "pki/cms.h"
#include "pki/csr.h"
#include "pki/lint.h"
#include "pki/walker.h"

#include "../vectors/pki/vectors.h"

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* ---- keys of OpenSSL's, only here ---- */

struct key {
	EVP_PKEY *p;
	struct bytes spki;
};

static struct key
key_of(struct arena *a, const char *alg, const char *curve)
{
	struct key k = { 0 };
	uint8_t *der = NULL;
	int n;

	if (strcmp(alg, "RSA") == 0)
		k.p = EVP_RSA_gen(2048);
	else if (curve != NULL)
		k.p = EVP_PKEY_Q_keygen(NULL, NULL, alg, curve);
	else
		k.p = EVP_PKEY_Q_keygen(NULL, NULL, alg);
	assert_non_null(k.p);
	n = i2d_PUBKEY(k.p, &der);
	assert_true(n > 0);
	k.spki = arena_dup(a, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return k;
}

static const EVP_MD *
md_of(enum sigalg s)
{
	switch (sigalg_digest(s)) {
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static bool
is_pss(enum sigalg s)
{
	return s >= SIGALG_RSA_PSS_SHA256 && s <= SIGALG_RSA_PSS_SHA512;
}

static struct bytes
sign(struct arena *a, const struct key *k, enum sigalg s, struct bytes msg)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc;
	uint8_t out[2048];
	size_t n = sizeof(out);

	assert_int_equal(EVP_DigestSignInit(c, &pc, md_of(s), NULL, k->p), 1);
	if (is_pss(s)) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(c, out, &n, msg.p, msg.n), 1);
	EVP_MD_CTX_free(c);
	return arena_dup(a, bytes_of(out, n));
}

static struct bytes
digest(struct arena *a, enum digest d, struct bytes in)
{
	uint8_t out[64];
	const EVP_MD *md = d == DIGEST_SHA256 ? EVP_sha256()
	    : d == DIGEST_SHA384              ? EVP_sha384()
					      : EVP_sha512();

	assert_int_equal(EVP_Digest(in.p, in.n, out, NULL, md, NULL), 1);
	return arena_dup(a, bytes_of(out, digest_len(d)));
}

static const struct alg_case {
	const char *alg, *curve;
	enum sigalg sigalg;
} algs[] = {
	{ "EC", "P-256", SIGALG_ECDSA_SHA256 },   { "EC", "P-384", SIGALG_ECDSA_SHA384 },
	{ "EC", "P-521", SIGALG_ECDSA_SHA512 },   { "RSA", NULL, SIGALG_RSA_PKCS1_SHA256 },
	{ "RSA", NULL, SIGALG_RSA_PKCS1_SHA384 }, { "RSA", NULL, SIGALG_RSA_PKCS1_SHA512 },
	{ "RSA", NULL, SIGALG_RSA_PSS_SHA256 },   { "RSA", NULL, SIGALG_RSA_PSS_SHA384 },
	{ "RSA", NULL, SIGALG_RSA_PSS_SHA512 },   { "ED25519", NULL, SIGALG_ED25519 },
	{ "ED448", NULL, SIGALG_ED448 },
};

/* ---- certificates ---- */

static struct ext
enc(struct arena *a, struct ext_value v)
{
	struct err e = { 0 };
	struct ext x;

	assert_rc(ext_encode(a, &v, &x, &e), RC_OK, &e);
	return x;
}

static struct bytes
name_of(struct arena *a, const char *text)
{
	struct err e = { 0 };
	struct name n;

	assert_rc(name_from_text(a, bytes_str(text), &n, &e), RC_OK, &e);
	return n.der;
}

static struct cert_template
template_of(struct arena *a, enum sigalg s, bool ca)
{
	struct bytes purposes[] = { oid_der(OID_EKU_SERVER_AUTH), oid_der(OID_EKU_CLIENT_AUTH) };
	struct gname *uri = arena_array(a, 2, sizeof(*uri));
	struct dist_point point = { .full_name = { 1, uri } };
	struct access_desc access = { .known = OID_AD_OCSP };
	struct cert_slot_spec spec[8] = { 0 };
	struct cert_template t;
	struct err e = { 0 };

	assert_rc(gname_from_text(a, BYTES("uri:http://ca.example/ca.crl"), GN_NAME, &uri[0], &e), RC_OK, &e);
	assert_rc(gname_from_text(a, BYTES("uri:http://ocsp.example/"), GN_NAME, &access.location, &e), RC_OK,
		  &e);
	spec[0].ext = enc(a,
			  (struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID,
					      .aki = { .key_id = BYTES("0123456789abcdefghij") } });
	spec[1].slot = SLOT_SKI;
	spec[2].ext = enc(a,
			  (struct ext_value){ .kind = OID_CE_KEY_USAGE,
					      .key_usage = ca ? USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN
							      : USAGE_DIGITAL_SIGNATURE,
					      .critical = true });
	spec[3].ext = enc(a,
			  (struct ext_value){ .kind = OID_CE_BASIC_CONSTRAINTS,
					      .basic = { ca, ca ? 0 : -1 },
					      .critical = true });
	spec[4].ext = enc(a, (struct ext_value){ .kind = OID_CE_EXT_KEY_USAGE, .eku = { 2, purposes } });
	spec[5].slot = SLOT_SAN;
	spec[6].ext = enc(a, (struct ext_value){ .kind = OID_CE_CRL_POINTS, .points = { 1, &point } });
	spec[7].slot = SLOT_INPUT;
	assert_rc(cert_template_build(a, s, name_of(a, "CN=Issuing CA,O=Example Org,C=DE"), spec,
				      ARRAY_LEN(spec), &t, &e),
		  RC_OK, &e);
	assert_int_equal(t.n, 6); /* neighbours are joined */
	return t;
}

static const uint8_t serial[18] = { 1, 0x93, 0x55, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static struct cert_inputs
inputs_of(struct arena *a, struct bytes spki)
{
	struct gname *san = arena_array(a, 2, sizeof(*san));
	struct err e = { 0 };

	assert_rc(gname_from_text(a, BYTES("dns:host.example"), GN_NAME, &san[0], &e), RC_OK, &e);
	assert_rc(gname_from_text(a, BYTES("ip:192.0.2.1"), GN_NAME, &san[1], &e), RC_OK, &e);
	return (struct cert_inputs){
		.serial = BYTES_OF(serial),
		.not_before_at = INT64_C(1795262400000),
		.not_after_at = INT64_C(2556144000000), /* 2051: GeneralizedTime */
		.subject = name_of(a, "CN=host.example,O=Example Org,C=DE"),
		.spki = spki,
		.key_id = BYTES("ABCDEFGHIJKLMNOPQRST"),
		.san = { 2, san },
	};
}

static X509 *
openssl_read(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	assert_non_null(x);
	assert_ptr_equal(p, der.p + der.n);
	return x;
}

/* What OpenSSL reads in it is what we put in. */
static void
openssl_judges(struct bytes der, const struct cert_inputs *in, const struct key *ca)
{
	X509 *x = openssl_read(der);
	uint8_t *again = NULL;
	int n = i2d_X509(x, &again);

	assert_int_equal(X509_verify(x, ca->p), 1);
	assert_int_equal(n, (int)der.n);
	assert_memory_equal(again, der.p, der.n);
	OPENSSL_free(again);
	assert_int_equal(X509_get_version(x), 2);
	assert_memory_equal(ASN1_STRING_get0_data(X509_get0_serialNumber(x)), in->serial.p, in->serial.n);
	assert_int_equal(X509_get_ext_count(x), 7);
	assert_int_equal(X509_check_host(x, "host.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.1", 0), 1);
	assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(x)), V_ASN1_GENERALIZEDTIME);
	assert_int_equal(X509_get_key_usage(x), 0x80);
	X509_free(x);
}

static void
our_readers(struct arena *a, struct bytes der, struct bytes tbs)
{
	struct err e = { 0 };
	struct lint_verdicts v;
	struct tbs_view walked;
	struct cert c;

	assert_rc(tbs_walk(tbs, &walked, &e), RC_OK, &e);
	assert_true(bytes_is(walked.key_id, "ABCDEFGHIJKLMNOPQRST"));
	assert_true(bytes_is(walked.authority_key_id, "0123456789abcdefghij"));
	assert_rc(cert_parse(a, der, &c, &e), RC_OK, &e);
	assert_true(bytes_eq(c.tbs, tbs));
	assert_rc(lint_cert(a, &c, &v, &e), RC_OK, &e);
	for (size_t i = 0; i < v.n; i++)
		if (v.v[i].outcome == LINT_FAIL)
			fail_msg("%s: %s", v.v[i].lint->id, v.v[i].lint->text);
}

static void
test_issue(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct key ca = key_of(a, algs[i].alg, algs[i].curve), subject = key_of(a, "EC", "P-256");
		struct cert_template t = template_of(a, algs[i].sigalg, false);
		struct cert_inputs in = inputs_of(a, subject.spki);
		OWN_DW struct dw tbs = dw_growing(LIMIT_TBS), der = dw_growing(LIMIT_CERT);
		struct err e = { 0 };

		assert_rc(cert_tbs_build(&t, &in, &tbs, &e), RC_OK, &e);
		assert_rc(cert_assemble(dw_bytes(&tbs), algs[i].sigalg,
					sign(a, &ca, algs[i].sigalg, dw_bytes(&tbs)), &der, &e),
			  RC_OK, &e);
		openssl_judges(dw_bytes(&der), &in, &ca);
		our_readers(a, dw_bytes(&der), dw_bytes(&tbs));
		EVP_PKEY_free(ca.p);
		EVP_PKEY_free(subject.p);
	}
}

/* Without subject the alternative names are critical; without names, key id and inputs their places stay empty. */
static void
test_slots(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct pubkey k;
	struct err e = { 0 };
	struct cert_template t = template_of(a, SIGALG_ECDSA_SHA256, false);
	struct csr r;
	struct cert_inputs in;
	struct cert c;

	assert_rc(csr_parse(a, BYTES_OF(v_p256_csr), &r, &e), RC_OK, &e);
	assert_rc(pubkey_parse(r.key.spki, &k, &e), RC_OK, &e);
	in = inputs_of(a, r.key.spki);
	in.subject = BYTES_NONE;
	{
		OWN_DW struct dw w = dw_growing(LIMIT_TBS);

		assert_rc(cert_tbs_build(&t, &in, &w, &e), RC_OK, &e);
		assert_rc(cert_parse_tbs(a, dw_bytes(&w), &c, &e), RC_OK, &e);
		assert_true(exts_find(&c.exts, OID_CE_SUBJECT_ALT_NAME)->critical);
		assert_int_equal(c.exts.n, 7);
	}
	in = inputs_of(a, r.key.spki);
	in.san = (struct gnames){ 0 };
	in.key_id = BYTES_NONE;
	{
		OWN_DW struct dw w = dw_growing(LIMIT_TBS);

		assert_rc(cert_tbs_build(&t, &in, &w, &e), RC_OK, &e);
		assert_rc(cert_parse_tbs(a, dw_bytes(&w), &c, &e), RC_OK, &e);
		assert_null(exts_find(&c.exts, OID_CE_SUBJECT_ALT_NAME));
		assert_null(exts_find(&c.exts, OID_CE_SUBJECT_KEY_ID));
		assert_int_equal(c.exts.n, 5);
	}
}

static void
refused(struct arena *a, const struct cert_template *t, const struct cert_inputs *in, const char *what)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct err e = { 0 };

	if (cert_tbs_build(t, in, &w, &e) != RC_MALFORMED || e.code != CHY_CERT)
		fail_msg("%s: CHY-%d %s", what, e.code, e.text);
}

static void
test_inputs_refused(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct cert_template t = template_of(a, SIGALG_ECDSA_SHA256, false), bare;
	struct cert_inputs good = inputs_of(a, BYTES("\x30\x00")), in;
	struct ext eku = enc(a,
			     (struct ext_value){ .kind = OID_NONE,
						 .oid = oid_der(OID_CE_EXT_KEY_USAGE),
						 .raw = BYTES("\x30\x04\x06\x02\x2a\x03") });
	struct ext other = enc(a, (struct ext_value){ .oid = BYTES("\x2a\x03"), .raw = BYTES("\x05\x00") });
	struct exts again = { 1, &eku };
	struct ext two[] = { other, other };
	struct exts twice = { 2, two };
	uint8_t mem[100];
	struct dw small = dw_fixed(mem, sizeof(mem));
	struct err e = { 0 };

	in = good, in.serial = BYTES_NONE;
	refused(a, &t, &in, "no serial");
	in = good, in.serial = BYTES("\x80");
	refused(a, &t, &in, "negative serial");
	in = good, in.serial = BYTES("\x00");
	refused(a, &t, &in, "serial 0");
	in = good, in.serial = BYTES("\x00\x01");
	refused(a, &t, &in, "padded serial");
	in = good, in.serial = BYTES("123456789012345678901");
	refused(a, &t, &in, "serial of 21 octets");
	in = good, in.not_after_at = in.not_before_at - 1;
	refused(a, &t, &in, "ends before it begins");
	in = good, in.exts = &again;
	refused(a, &t, &in, "an extension of the template");
	in = good, in.exts = &twice;
	refused(a, &t, &in, "an extension twice");
	assert_rc(cert_template_build(a, SIGALG_ED25519, name_of(a, "CN=x"), NULL, 0, &bare, &e), RC_OK, &e);
	refused(a, &bare, &good, "no place");
	assert_int_equal(cert_tbs_build(&t, &good, &small, &e), RC_NOMEM);
	assert_int_equal(e.code, CHY_DER_ROOM);
}

static void
test_template_refused(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct cert_slot_spec ski[] = { { .slot = SLOT_SKI }, { .slot = SLOT_SKI } };
	struct cert_slot_spec mixed[] = {
		{ .slot = SLOT_CONST,
		  .ext = enc(a, (struct ext_value){ .kind = OID_CE_SUBJECT_KEY_ID, .key_id = BYTES("x") }) },
		{ .slot = SLOT_SKI },
	};
	struct cert_template t;

	assert_int_equal(cert_template_build(a, SIGALG_ED25519, name_of(a, "CN=x"), ski, 2, &t, NULL),
			 RC_MALFORMED);
	assert_int_equal(cert_template_build(a, SIGALG_ED25519, name_of(a, "CN=x"), mixed, 2, &t, NULL),
			 RC_MALFORMED);
	assert_int_equal(cert_template_build(a, SIGALG_ED25519, name_of(a, ""), NULL, 0, &t, NULL),
			 RC_MALFORMED);
	assert_int_equal(cert_template_build(a, SIGALG_NONE, name_of(a, "CN=x"), NULL, 0, &t, NULL),
			 RC_MALFORMED);
	assert_int_equal(cert_template_build(a, SIGALG_ED25519, BYTES("x"), NULL, 0, &t, NULL), RC_MALFORMED);
}

/* ---- requests ---- */

static void
test_request(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct key k = key_of(a, algs[i].alg, algs[i].curve);
		struct cert_inputs in = inputs_of(a, k.spki);
		struct ext x[] = {
			enc(a, (struct ext_value){ .kind = OID_CE_SUBJECT_ALT_NAME, .names = in.san }),
			enc(a,
			    (struct ext_value){ .kind = OID_CE_KEY_USAGE,
						.key_usage = USAGE_DIGITAL_SIGNATURE }),
		};
		struct exts exts = { i % 2 ? ARRAY_LEN(x) : 0, x };
		struct bytes tbs, der;
		struct err e = { 0 };
		struct csr r;
		const unsigned char *p;
		X509_REQ *req;

		assert_rc(csr_tbs_build(a, in.subject, k.spki, &exts, &tbs, &e), RC_OK, &e);
		assert_rc(csr_assemble(a, tbs, algs[i].sigalg, sign(a, &k, algs[i].sigalg, tbs), &der, &e),
			  RC_OK, &e);
		assert_rc(csr_parse(a, der, &r, &e), RC_OK, &e);
		assert_int_equal(r.san.n, i % 2 ? 2 : 0);
		assert_int_equal(r.exts.n, exts.n);
		p = der.p;
		req = d2i_X509_REQ(NULL, &p, (long)der.n);
		assert_non_null(req);
		assert_int_equal(X509_REQ_verify(req, k.p), 1);
		X509_REQ_free(req);
		EVP_PKEY_free(k.p);
	}
}

/* ---- officers' signatures ---- */

static struct bytes
officer_cert(struct arena *a, const struct key *k, enum sigalg s)
{
	struct cert_template t;
	struct cert_inputs in = { .serial = BYTES_OF(serial),
				  .not_before_at = INT64_C(1577836800000),
				  .not_after_at = INT64_C(4102444800000),
				  .subject = name_of(a, "CN=officer"),
				  .spki = k->spki };
	OWN_DW struct dw tbs = dw_growing(LIMIT_TBS), der = dw_growing(LIMIT_CERT);
	struct err e = { 0 };

	assert_rc(cert_template_build(a, s, in.subject, NULL, 0, &t, &e), RC_OK, &e);
	assert_rc(cert_tbs_build(&t, &in, &tbs, &e), RC_OK, &e);
	assert_rc(cert_assemble(dw_bytes(&tbs), s, sign(a, k, s, dw_bytes(&tbs)), &der, &e), RC_OK, &e);
	return arena_dup(a, dw_bytes(&der));
}

static bool
openssl_cms_verifies(struct bytes der, struct bytes content)
{
	const unsigned char *p = der.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
	BIO *out = BIO_new(BIO_s_mem());
	char *data;
	bool ok;
	long n;

	assert_non_null(cms);
	assert_ptr_equal(p, der.p + der.n);
	ok = CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
	n = BIO_get_mem_data(out, &data);
	ok = ok && bytes_eq(bytes_of(data, (size_t)n), content);
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	return ok;
}

static bool
edwards_verifies(const struct key *k, struct bytes msg, struct bytes signature)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = EVP_DigestVerifyInit(c, NULL, NULL, NULL, k->p) == 1 &&
	    EVP_DigestVerify(c, signature.p, signature.n, msg.p, msg.n) == 1;

	EVP_MD_CTX_free(c);
	return ok;
}

static void
test_cms(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct key k = key_of(a, algs[i].alg, algs[i].curve);
		struct cms_inputs in = { .sigalg = algs[i].sigalg,
					 .content = BYTES("{\"act\":\"certificate.issue\"}"),
					 .signing_at = INT64_C(1795262400123) };
		struct bytes attrs, der;
		struct err e = { 0 };
		uint8_t *changed;

		if (cms_digest(in.sigalg) == DIGEST_NONE) {
			assert_int_equal(cms_signed_attrs(a, &in, &attrs, &e), RC_MALFORMED);
			assert_int_equal(e.code, CHY_CMS_ALG);
			EVP_PKEY_free(k.p);
			continue;
		}
		in.cert = officer_cert(a, &k, in.sigalg);
		in.cert_sha256 = digest(a, DIGEST_SHA256, in.cert);
		in.content_digest = digest(a, cms_digest(in.sigalg), in.content);
		assert_rc(cms_signed_attrs(a, &in, &attrs, &e), RC_OK, &e);
		assert_int_equal(attrs.p[0], DER_SET);
		assert_rc(cms_assemble(a, &in, attrs, sign(a, &k, in.sigalg, attrs), &der, &e), RC_OK, &e);
		assert_rc(der_check(der, &e), RC_OK, &e);
		if (in.sigalg == SIGALG_ED25519) { /* OpenSSL 3.0's CMS knows no Edwards keys */
			assert_true(edwards_verifies(&k, attrs, sign(a, &k, in.sigalg, attrs)));
			EVP_PKEY_free(k.p);
			continue;
		}
		if (!openssl_cms_verifies(der, in.content))
			fail_msg("%s does not verify", sigalg_name(in.sigalg));
		changed = arena_alloc(a, der.n);
		assert_non_null(changed);
		memcpy(changed, der.p, der.n);
		*(uint8_t *)memmem(changed, der.n, "issue", 5) = 'I';
		assert_false(openssl_cms_verifies(bytes_of(changed, der.n), in.content));
		EVP_PKEY_free(k.p);
	}
}

/* ---- algorithm identifiers ---- */

/* The identifiers as OpenSSL writes them into a certificate that it signs itself. */
static void
test_alg_ids(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct key k = key_of(a, algs[i].alg, algs[i].curve);
		EVP_MD_CTX *c = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pc;
		X509 *x = openssl_read(officer_cert(a, &k, algs[i].sigalg));
		const X509_ALGOR *alg;
		uint8_t *der = NULL;
		enum sigalg parsed;
		int n;

		assert_int_equal(EVP_DigestSignInit(c, &pc, md_of(algs[i].sigalg), NULL, k.p), 1);
		if (is_pss(algs[i].sigalg)) {
			EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING);
			EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, RSA_PSS_SALTLEN_DIGEST);
		}
		assert_true(X509_sign_ctx(x, c) > 0);
		X509_get0_signature(NULL, &alg, x);
		n = i2d_X509_ALGOR(alg, &der);
		assert_true(n > 0);
		assert_true(bytes_eq(bytes_of(der, (size_t)n), sigalg_alg_id(algs[i].sigalg)));
		assert_int_equal(sigalg_parse(bytes_of(der, (size_t)n), &parsed, NULL), RC_OK);
		assert_int_equal(parsed, algs[i].sigalg);
		assert_int_equal(sigalg_by_name(bytes_str(sigalg_name(parsed))), parsed);
		OPENSSL_free(der);
		X509_free(x);
		EVP_MD_CTX_free(c);
		EVP_PKEY_free(k.p);
	}
}

/* SPKI built from parts is what OpenSSL has. */
static void
test_spki(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct key k = key_of(a, algs[i].alg, algs[i].curve);
		OWN_DW struct dw w = dw_growing(4096);
		struct err e = { 0 };
		struct pubkey p;
		char text[KEY_NAME_MAX];
		struct key_type t;

		assert_rc(pubkey_parse(k.spki, &p, &e), RC_OK, &e);
		if (p.alg == KEY_RSA)
			dw_spki_rsa(&w, p.modulus, p.exponent);
		else
			dw_spki(&w, pubkey_type(&p), p.point);
		assert_true(bytes_eq(dw_bytes(&w), k.spki));
		assert_rc(key_type_parse(bytes_str(key_type_text(text, pubkey_type(&p))), &t, &e), RC_OK, &e);
		assert_true(t.alg == p.alg && t.bits == p.bits && t.curve == p.curve);
		assert_true(sigalg_fits(sigalg_default(&t), &t) && sigalg_fits(algs[i].sigalg, &t));
		EVP_PKEY_free(k.p);
	}
}

/* Time that this thread has used: neighbours on the machine do not count. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Not a benchmark, but a bound that a change of kind would break; CHY_TIMING=1 prints the figure. */
static void
test_speed(void **state)
{
	enum { ROUNDS = 20000 };
	static uint8_t mem[4096];
	OWN(arena_free)
	struct arena *a = fresh();
	struct cert_template t = template_of(a, SIGALG_ECDSA_SHA256, false);
	struct err e = { 0 };
	struct csr r;
	struct cert_inputs in;
	int64_t from, us;
	size_t n = 0;

	assert_rc(csr_parse(a, BYTES_OF(v_p256_csr), &r, &e), RC_OK, &e);
	in = inputs_of(a, r.key.spki);
	from = cpu_us();
	for (int i = 0; i < ROUNDS; i++) {
		struct dw w = dw_fixed(mem, sizeof(mem));

		if (cert_tbs_build(&t, &in, &w, &e) == RC_OK)
			n += dw_mark(&w);
	}
	us = cpu_us() - from;
	if (getenv("CHY_TIMING"))
		print_message("# TBSCertificate of %zu octets: %.2f us\n", n / ROUNDS, (double)us / ROUNDS);
	assert_true(us < 50 * INT64_C(20000)); /* 50 us each: sanitizers and slow machines included */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_issue),          cmocka_unit_test(test_slots),
		cmocka_unit_test(test_inputs_refused), cmocka_unit_test(test_template_refused),
		cmocka_unit_test(test_request),        cmocka_unit_test(test_cms),
		cmocka_unit_test(test_alg_ids),        cmocka_unit_test(test_spki),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
