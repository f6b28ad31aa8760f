/* Officers' signatures: what the library's own CMS code makes passes; each defect is refused by its own code. */
#include "base/base.h"
#include "crypto/cms_verify.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto_help.h"
#include "pki/cert.h"
#include "pki/cms.h"
#include "pki/der.h"
#include "pki/oid.h"

#include <openssl/cms.h>
#include <openssl/rsa.h>

static struct arena *mem;
static struct softkey *key, *rsa, *stranger;
static struct bytes cert, rsa_cert, other_cert;
static const char text[] = "{\"act\":\"domain.create\",\"body\":{\"name\":\"x\"}}";
#define TEXT bytes_of(text, sizeof(text) - 1)

static enum code
code_of(struct bytes der, struct cms_signed *ret)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct cms_signed mine;
	struct err e = { 0 };
	enum rc rc = cms_verify(a, der, ret ? ret : &mine, &e);

	assert_int_equal(rc, e.rc);
	if (rc != RC_OK)
		assert_true(e.text[0] != 0);
	return e.code;
}

/* ---- made by the library ---- */

enum { CADES_FLAGS = CMS_BINARY | CMS_CADES };

static X509 *
x509(struct bytes der)
{
	const uint8_t *p = der.p;

	return d2i_X509(NULL, &p, (long)der.n);
}

static struct bytes
encoded(CMS_ContentInfo *c)
{
	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(c, &der);
	struct bytes b;

	assert_true(n > 0);
	b = arena_dup(mem, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	CMS_ContentInfo_free(c);
	return b;
}

/* by: whose certificate and key; second: another signer or NULL */
static struct bytes
made(struct bytes by, const struct softkey *k, const struct softkey *second, const EVP_MD *md, unsigned flags)
{
	X509 *x = x509(by), *y = x509(other_cert);
	BIO *data = BIO_new_mem_buf(text, sizeof(text) - 1);
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, data,
				      (flags & CMS_DETACHED) | CMS_PARTIAL | CMS_BINARY);
	CMS_SignerInfo *si = CMS_add1_signer(c, x, softkey_pkey(k), md, flags | CMS_PARTIAL);

	assert_non_null(si);
	if (flags & CMS_KEY_PARAM) {
		EVP_PKEY_CTX *pc = CMS_SignerInfo_get0_pkey_ctx(si);

		assert_true(EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	if (second)
		assert_non_null(CMS_add1_signer(c, y, softkey_pkey(second), md, flags | CMS_PARTIAL));
	assert_int_equal(CMS_final(c, data, NULL, flags), 1);
	BIO_free(data);
	X509_free(x);
	X509_free(y);
	return encoded(c);
}

static void
passes(struct bytes der, struct bytes by)
{
	struct cms_signed s = { 0 };
	int64_t now = clock_now_ms();

	if (code_of(der, &s) != CHY_NONE) {
		struct err e = { 0 };

		(void)!cms_verify(mem, der, &s, &e);
		fail_msg("%d %s", (int)e.code, e.text);
	}
	assert_true(bytes_eq(s.content, TEXT));
	assert_true(bytes_eq(s.signer, by));
	assert_true(s.signed_at_ms <= now && s.signed_at_ms > now - 60000);
}

static void
of_the_library(void **state)
{
	static const char *const kinds[] = { "p-256", "p-384", "p-521", "rsa-3072" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		OWN(softkey_free)
		struct softkey *k = test_key(kinds[i]);
		struct bytes by = test_issue(mem, (struct test_cert){ .cn = kinds[i], .key = k });

		passes(made(by, k, NULL, EVP_sha256(), CADES_FLAGS), by);
		passes(made(by, k, NULL, EVP_sha384(), CADES_FLAGS | CMS_NOSMIMECAP), by);
		passes(made(by, k, NULL, EVP_sha512(), CADES_FLAGS), by);
		passes(made(by, k, NULL, EVP_sha256(), CADES_FLAGS | CMS_USE_KEYID), by);
	}
	passes(made(rsa_cert, rsa, NULL, EVP_sha256(), CADES_FLAGS | CMS_KEY_PARAM), rsa_cert);
}

static void
refused_of_the_library(void **state)
{
	const struct {
		const char *what;
		struct bytes der;
		enum code code;
	} cases[] = {
		{ "two signers", made(cert, key, stranger, EVP_sha256(), CADES_FLAGS), CHY_CMS_SIGNERS },
		{ "detached", made(cert, key, NULL, EVP_sha256(), CADES_FLAGS | CMS_DETACHED),
		  CHY_CMS_DETACHED },
		{ "no attributes", made(cert, key, NULL, EVP_sha256(), CMS_BINARY | CMS_NOATTR),
		  CHY_CMS_ATTRIBUTE },
		{ "no signingCertificateV2", made(cert, key, NULL, EVP_sha256(), CMS_BINARY),
		  CHY_CMS_ATTRIBUTE },
		{ "no certificate", made(cert, key, NULL, EVP_sha256(), CADES_FLAGS | CMS_NOCERTS),
		  CHY_CMS_CERTIFICATE },
		{ "SHA-1", made(rsa_cert, rsa, NULL, EVP_sha1(), CADES_FLAGS), CHY_CMS_DIGEST },
		{ "SHA-224", made(rsa_cert, rsa, NULL, EVP_sha224(), CADES_FLAGS), CHY_CMS_DIGEST },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (code_of(cases[i].der, NULL) != cases[i].code)
			fail_msg("%s: %d", cases[i].what, (int)code_of(cases[i].der, NULL));
}

static void
other_types(void **state)
{
	BIO *data = BIO_new_mem_buf(text, sizeof(text) - 1);
	X509 *x = x509(cert);
	CMS_ContentInfo *c = CMS_data_create(data, CMS_BINARY);
	BIO *streamed = BIO_new(BIO_s_mem());
	uint8_t *p;
	long n;

	assert_int_equal(code_of(encoded(c), NULL), CHY_CMS_TYPE);
	/* a time stamp's content type within */
	c = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
	assert_non_null(CMS_add1_signer(c, x, softkey_pkey(key), EVP_sha256(), CADES_FLAGS | CMS_PARTIAL));
	assert_int_equal(CMS_set1_eContentType(c, OBJ_nid2obj(NID_id_smime_ct_TSTInfo)), 1);
	data = (BIO_free(data), BIO_new_mem_buf(text, sizeof(text) - 1));
	assert_int_equal(CMS_final(c, data, NULL, CADES_FLAGS), 1);
	assert_int_equal(code_of(encoded(c), NULL), CHY_CMS_TYPE);
	/* indefinite lengths */
	data = (BIO_free(data), BIO_new_mem_buf(text, sizeof(text) - 1));
	c = CMS_sign(x, softkey_pkey(key), NULL, data, CADES_FLAGS | CMS_STREAM);
	assert_int_equal(i2d_CMS_bio_stream(streamed, c, data, CADES_FLAGS | CMS_STREAM), 1);
	n = BIO_get_mem_data(streamed, &p);
	assert_int_equal(code_of(bytes_of(p, (size_t)n), NULL), CHY_CMS_DER);
	CMS_ContentInfo_free(c);
	BIO_free(streamed);
	BIO_free(data);
	X509_free(x);
}

static void
extra_parts(void **state)
{
	X509 *x = x509(cert), *y = x509(other_cert);
	BIO *data = BIO_new_mem_buf(text, sizeof(text) - 1);
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, data, CMS_PARTIAL | CMS_BINARY);
	CMS_SignerInfo *si = CMS_add1_signer(c, x, softkey_pkey(key), EVP_sha256(),
					     CADES_FLAGS | CMS_PARTIAL);

	assert_int_equal(CMS_add1_cert(c, y), 1);
	assert_int_equal(CMS_final(c, data, NULL, CADES_FLAGS), 1);
	{
		uint8_t *der = NULL;
		int n = i2d_CMS_ContentInfo(c, &der);

		passes(bytes_of(der, (size_t)n), cert);
		OPENSSL_free(der);
	}
	/* something that everybody could add afterwards */
	assert_int_equal(
	    CMS_unsigned_add1_attr_by_NID(si, NID_pkcs9_unstructuredName, V_ASN1_UTF8STRING, "x", 1), 1);
	assert_int_equal(code_of(encoded(c), NULL), CHY_CMS_ATTRIBUTE);
	BIO_free(data);
	X509_free(x);
	X509_free(y);
}

/* ---- made by our own builder ---- */

static void
of_our_builder(void **state)
{
	static const struct {
		const char *kind;
		enum sigalg alg;
	} cases[] = {
		{ "p-256", SIGALG_ECDSA_SHA256 },      { "p-384", SIGALG_ECDSA_SHA384 },
		{ "p-521", SIGALG_ECDSA_SHA512 },      { "rsa-2048", SIGALG_RSA_PKCS1_SHA256 },
		{ "rsa-2048", SIGALG_RSA_PSS_SHA384 }, { "ed25519", SIGALG_ED25519 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(softkey_free)
		struct softkey *k = test_key(cases[i].kind);
		OWN_BUF struct buf sig = buf_max(SOFTKEY_SIGNATURE_MAX);
		struct bytes by = test_issue(mem, (struct test_cert){ .cn = cases[i].kind, .key = k });
		uint8_t digest[HASH_MAX], hash[SHA256_LEN];
		enum digest d = cms_digest(cases[i].alg);
		struct cms_inputs in = {
			.sigalg = cases[i].alg, .content = TEXT, .cert = by, .signing_at = 1795262400000
		};
		struct bytes attrs, der;
		struct cms_signed s = { 0 };
		struct err e = { 0 };

		in.content_digest = hash_of(d == DIGEST_SHA512       ? HASH_SHA512
						: d == DIGEST_SHA384 ? HASH_SHA384
								     : HASH_SHA256,
					    TEXT, digest);
		sha256(by, hash);
		in.cert_sha256 = BYTES_OF(hash);
		assert_int_equal(cms_signed_attrs(mem, &in, &attrs, &e), RC_OK);
		assert_int_equal(softkey_sign(k, in.sigalg, attrs, &sig, &e), RC_OK);
		assert_int_equal(cms_assemble(mem, &in, attrs, buf_bytes(&sig), &der, &e), RC_OK);
		assert_int_equal(code_of(der, &s), CHY_NONE);
		assert_true(bytes_eq(s.content, TEXT) && bytes_eq(s.signer, by));
		assert_int_equal(s.signed_at_ms, in.signing_at);
	}
}

/* ---- altered ---- */

static uint8_t *
find(uint8_t *in, size_t n, struct bytes what)
{
	uint8_t *p = memmem(in, n, what.p, what.n);

	assert_non_null(p);
	return p;
}

static void
altered_places(void **state)
{
	struct bytes der = made(cert, key, NULL, EVP_sha256(), CADES_FLAGS);
	uint8_t *p = (uint8_t *)(uintptr_t)der.p, *at;

	at = find(p, der.n, BYTES("domain"));
	at[0] = 'D';
	assert_int_equal(code_of(der, NULL), CHY_CMS_CONTENT);
	at[0] = 'd';
	/* the signer's own word about the time */
	at = find(p, der.n, oid_der(OID_CMS_SIGNING_TIME)) + 9 + 4 + 11;
	at[0] ^= 1;
	assert_int_equal(code_of(der, NULL), CHY_CMS_SIGNATURE);
	at[0] ^= 1;
	p[der.n - 1] ^= 1;
	assert_int_equal(code_of(der, NULL), CHY_CMS_SIGNATURE);
	p[der.n - 1] ^= 1;
	assert_int_equal(code_of(der, NULL), CHY_NONE);
}

/* Whatever is changed, nothing passes: every octet, several ways. And no beginning of it, nor it with something behind. */
static void
altered_anywhere(void **state)
{
	struct bytes ders[] = { made(cert, key, NULL, EVP_sha256(), CADES_FLAGS),
				made(rsa_cert, rsa, NULL, EVP_sha256(), CADES_FLAGS | CMS_USE_KEYID) };
	static const uint8_t flips[] = { 0x01, 0x20, 0x80, 0xff };

	for (size_t d = 0; d < ARRAY_LEN(ders); d++) {
		struct bytes der = ders[d];
		uint8_t *p = arena_alloc(mem, der.n + 1);

		memcpy(p, der.p, der.n);
		for (size_t at = 0; at < der.n; at++)
			for (size_t f = 0; f < ARRAY_LEN(flips); f++) {
				p[at] ^= flips[f];
				if (code_of(bytes_of(p, der.n), NULL) == CHY_NONE)
					fail_msg("passes with octet %zu of %zu changed by %02x", at, der.n,
						 flips[f]);
				p[at] ^= flips[f];
			}
		for (size_t n = 0; n < der.n; n++)
			assert_int_equal(code_of(bytes_of(p, n), NULL), CHY_CMS_DER);
		assert_int_equal(code_of(bytes_of(p, der.n + 1), NULL), CHY_CMS_DER);
		assert_int_equal(code_of(bytes_of(p, der.n), NULL), CHY_NONE);
	}
}

static void
too_large(void **state)
{
	uint8_t *p = calloc(1, LIMIT_CMS + 1);

	assert_int_equal(code_of(bytes_of(p, LIMIT_CMS + 1), NULL), CHY_CMS_LARGE);
	assert_int_equal(code_of(bytes_of(p, LIMIT_CMS), NULL), CHY_CMS_DER);
	free(p);
}

/* ---- forged by hand, one defect each ---- */

enum defect {
	NOTHING,
	NO_TYPE,
	NO_DIGEST,
	NO_TIME,
	NO_CERT_ATTR, /* a signed attribute is missing */
	TWICE,
	TWO_VALUES,
	NO_VALUE,
	ORDER, /* attributes not as they must be */
	TYPE_WRONG,
	TIME_WRONG,
	DIGEST_NOT_OCTETS,
	HASH_WRONG,
	SERIAL_WRONG,
	ISSUER_WRONG, /* signingCertificateV2 */
	SIGNED_BY_OTHER,
	CERT_OTHER, /* another certificate of the same issuer and serial */
	ALG_MIXED,
	ALG_SHA1,
	ALG_OTHER_KEY,
	DIGESTS_TWO,
	DIGESTS_OTHER,
	SIGNER_TWICE,
	SIGNER_NONE,
	VERSION,
	SIGNER_VERSION,
	CERTS_ORDER,
	CERTS_NOT,
};

static void
put_attr(struct dw *w, enum oid type, size_t mark_value)
{
	dw_wrap(w, DER_SET, mark_value);
	dw_oid(w, oid_der(type));
	dw_wrap(w, DER_SEQUENCE, mark_value);
}

static void
put_hash_alg(struct dw *w, enum oid alg)
{
	size_t at = dw_mark(w);

	dw_oid(w, oid_der(alg));
	dw_wrap(w, DER_SEQUENCE, at);
}

/* ESSCertIDv2 with issuerSerial */
static void
put_signing_cert(struct dw *w, enum defect d, const struct cert *c)
{
	size_t at = dw_mark(w), name;
	uint8_t hash[SHA256_LEN], one = 1;

	sha256(d == HASH_WRONG ? other_cert : c->der, hash);
	dw_tlv(w, DER_INTEGER, d == SERIAL_WRONG ? bytes_of(&one, 1) : c->serial);
	name = dw_mark(w);
	dw_put(w, c->issuer);
	if (d == ISSUER_WRONG)
		w->p[dw_mark(w) - name - 1] ^= 1; /* its last letter */
	dw_wrap(w, DER_CTX_CONS(4), name);
	dw_wrap(w, DER_SEQUENCE, name);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_octets(w, BYTES_OF(hash));
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_SEQUENCE, at);
	put_attr(w, OID_CMS_SIGNING_CERT_V2, at);
}

static void
put_attrs(struct dw *w, enum defect d, const struct cert *c)
{
	size_t all = dw_mark(w), at;
	uint8_t hash[SHA256_LEN];

	sha256(TEXT, hash);
	if (d != NO_TYPE) {
		at = dw_mark(w);
		dw_oid(w, oid_der(d == TYPE_WRONG ? OID_CMS_SIGNED_DATA : OID_CMS_DATA));
		put_attr(w, OID_CMS_CONTENT_TYPE, at);
	}
	for (int i = 0; i < (d == NO_TIME ? 0 : d == TWICE ? 2 : 1); i++) {
		at = dw_mark(w);
		if (d == TIME_WRONG)
			dw_tlv(w, DER_UTC_TIME, BYTES("2611211200Z"));
		else
			dw_time(w, 1795262400000 + i * 1000);
		put_attr(w, OID_CMS_SIGNING_TIME, at);
	}
	if (d != NO_CERT_ATTR)
		put_signing_cert(w, d, c);
	if (d != NO_DIGEST) {
		at = dw_mark(w);
		if (d == DIGEST_NOT_OCTETS)
			dw_bits(w, BYTES_OF(hash));
		else if (d != NO_VALUE)
			dw_octets(w, BYTES_OF(hash));
		if (d == TWO_VALUES)
			dw_octets(w, BYTES("another"));
		put_attr(w, OID_CMS_MESSAGE_DIGEST, at);
	}
	if (d == ORDER) /* they stand here by length, longest first */
		dw_wrap(w, DER_SET, all);
	else
		dw_set_of(w, all);
}

static enum sigalg
claimed(enum defect d)
{
	return d == ALG_MIXED    ? SIGALG_ECDSA_SHA384
	    : d == ALG_OTHER_KEY ? SIGALG_RSA_PKCS1_SHA256
				 : SIGALG_ECDSA_SHA256;
}

static void
put_signer(struct dw *w, enum defect d, const struct cert *c)
{
	OWN_DW struct dw attrs = dw_growing(4096);
	OWN_BUF struct buf sig = buf_max(512);
	size_t all = dw_mark(w), at;
	struct bytes set;

	put_attrs(&attrs, d, c);
	set = dw_bytes(&attrs);
	assert_int_equal(softkey_sign(d == SIGNED_BY_OTHER ? stranger : key,
				      d == ALG_MIXED ? SIGALG_ECDSA_SHA384 : SIGALG_ECDSA_SHA256, set, &sig,
				      NULL),
			 RC_OK);
	dw_octets(w, buf_bytes(&sig));
	if (d == ALG_SHA1)
		put_hash_alg(w, OID_ALG_ECDSA_SHA1);
	else
		dw_put(w, sigalg_alg_id(claimed(d)));
	dw_put(w, set);
	w->p[0] = 0xa0;
	put_hash_alg(w, OID_ALG_SHA256);
	at = dw_mark(w);
	dw_tlv(w, DER_INTEGER, c->serial);
	dw_put(w, c->issuer);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_int(w, d == SIGNER_VERSION ? 3 : 1);
	dw_wrap(w, DER_SEQUENCE, all);
	if (d == SIGNER_TWICE)
		dw_put(w, arena_dup(mem, dw_bytes(w)));
	dw_wrap(w, DER_SET, all);
	if (d == SIGNER_NONE) {
		w->p = w->end;
		dw_wrap(w, DER_SET, 0);
	}
}

static void
put_certs(struct dw *w, enum defect d)
{
	struct bytes first = bytes_cmp(cert, other_cert) < 0 ? cert : other_cert;
	struct bytes second = bytes_eq(first, cert) ? other_cert : cert;
	size_t at = dw_mark(w);

	if (d == CERT_OTHER) {
		/* same names and serial, another key: the hash must tell */
		dw_put(w, test_issue(mem, (struct test_cert){ .cn = "officer", .key = stranger }));
	} else {
		dw_put(w, d == CERTS_ORDER ? first : second);
		dw_put(w, d == CERTS_ORDER ? second : first);
	}
	if (d == CERTS_NOT)
		dw_tlv(w, DER_CTX_CONS(3), BYTES("\x06\x01\x2a"));
	dw_wrap(w, DER_CTX_CONS(0), at);
}

static struct bytes
forged(enum defect d)
{
	OWN_DW struct dw w = dw_growing(16 << 10);
	struct bytes ret;
	struct cert c;
	size_t at;

	assert_int_equal(cert_parse(mem, cert, &c, NULL), RC_OK);
	put_signer(&w, d, &c);
	put_certs(&w, d);
	at = dw_mark(&w);
	dw_octets(&w, TEXT);
	dw_wrap(&w, DER_CTX_CONS(0), at);
	dw_oid(&w, oid_der(OID_CMS_DATA));
	dw_wrap(&w, DER_SEQUENCE, at);
	at = dw_mark(&w);
	put_hash_alg(&w, d == DIGESTS_OTHER ? OID_ALG_SHA384 : OID_ALG_SHA256);
	if (d == DIGESTS_TWO)
		put_hash_alg(&w, OID_ALG_SHA384);
	dw_set_of(&w, at);
	dw_int(&w, d == VERSION ? 3 : 1);
	dw_wrap(&w, DER_SEQUENCE, 0);
	dw_wrap(&w, DER_CTX_CONS(0), 0);
	dw_oid(&w, oid_der(OID_CMS_SIGNED_DATA));
	dw_wrap(&w, DER_SEQUENCE, 0);
	assert_int_equal(dw_dup(&w, mem, &ret, NULL), RC_OK);
	return ret;
}

static void
forgeries(void **state)
{
	static const struct {
		enum defect d;
		enum code code;
	} cases[] = {
		{ NOTHING, CHY_NONE },
		{ NO_TYPE, CHY_CMS_ATTRIBUTE },
		{ NO_DIGEST, CHY_CMS_ATTRIBUTE },
		{ NO_TIME, CHY_CMS_ATTRIBUTE },
		{ NO_CERT_ATTR, CHY_CMS_ATTRIBUTE },
		{ TWICE, CHY_CMS_ATTRIBUTE },
		{ TWO_VALUES, CHY_CMS_ATTRIBUTE },
		{ NO_VALUE, CHY_CMS_ATTRIBUTE },
		{ ORDER, CHY_CMS_ATTRIBUTE },
		{ TYPE_WRONG, CHY_CMS_ATTRIBUTE },
		{ TIME_WRONG, CHY_CMS_DER },
		{ DIGEST_NOT_OCTETS, CHY_CMS_ATTRIBUTE },
		{ HASH_WRONG, CHY_CMS_CERTIFICATE },
		{ SERIAL_WRONG, CHY_CMS_CERTIFICATE },
		{ ISSUER_WRONG, CHY_CMS_CERTIFICATE },
		{ SIGNED_BY_OTHER, CHY_CMS_SIGNATURE },
		{ CERT_OTHER, CHY_CMS_CERTIFICATE },
		{ ALG_MIXED, CHY_CMS_ALGORITHM },
		{ ALG_SHA1, CHY_CMS_ALGORITHM },
		{ ALG_OTHER_KEY, CHY_CMS_ALGORITHM },
		{ DIGESTS_TWO, CHY_CMS_DIGEST },
		{ DIGESTS_OTHER, CHY_CMS_DIGEST },
		{ SIGNER_TWICE, CHY_CMS_SIGNERS },
		{ SIGNER_NONE, CHY_CMS_SIGNERS },
		{ VERSION, CHY_CMS_TYPE },
		{ SIGNER_VERSION, CHY_CMS_TYPE },
		{ CERTS_ORDER, CHY_CMS_DER },
		{ CERTS_NOT, CHY_CMS_CERTIFICATE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes der = forged(cases[i].d);
		enum code code = code_of(der, NULL);

		if (code != cases[i].code)
			fail_msg("defect %d: %d %s", (int)cases[i].d, (int)code, code_name(code));
	}
}

/* The forger's good work is good for the library too: else the defects would show nothing. */
static void
forger_is_right(void **state)
{
	struct bytes der = forged(NOTHING);
	const uint8_t *p = der.p;
	CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
	struct cms_signed s;

	assert_non_null(c);
	assert_int_equal(CMS_verify(c, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
	CMS_ContentInfo_free(c);
	assert_int_equal(code_of(der, &s), CHY_NONE);
	assert_int_equal(s.signed_at_ms, 1795262400000);
}

static void
small_nonsense(void **state)
{
	static const struct bytes bad[] = {
		BYTES_NONE,
		BYTES("x"),
		BYTES("\x30\x00"),
		BYTES("\x05\x00"),
		BYTES("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
		BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x00"),
		BYTES("\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x02\x30\x00"),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		enum code c = code_of(bad[i], NULL);

		assert_true(c == CHY_CMS_DER || c == CHY_CMS_TYPE);
	}
}

static int
set_up(void **state)
{
	mem = arena_new(8 << 20);
	key = test_key("p-256");
	rsa = test_key("rsa-2048");
	stranger = test_key("p-256");
	cert = test_issue(mem, (struct test_cert){ .cn = "officer", .key = key });
	rsa_cert = test_issue(mem, (struct test_cert){ .cn = "officer with rsa", .key = rsa });
	other_cert = test_issue(mem, (struct test_cert){ .cn = "stranger", .key = stranger });
	return 0;
}

static int
tear_down(void **state)
{
	softkey_free(key);
	softkey_free(rsa);
	softkey_free(stranger);
	arena_free(mem);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "signatures of the library's CMS code pass", of_the_library, NULL, NULL, NULL },
		{ "signatures of our own builder pass", of_our_builder, NULL, NULL, NULL },
		{ "two signers, detached, parts missing, weak digests", refused_of_the_library, NULL, NULL,
		  NULL },
		{ "other types and indefinite lengths", other_types, NULL, NULL, NULL },
		{ "more certificates pass, unsigned attributes do not", extra_parts, NULL, NULL, NULL },
		{ "altered content, attributes, signature", altered_places, NULL, NULL, NULL },
		{ "nothing passes that was altered anywhere", altered_anywhere, NULL, NULL, NULL },
		{ "size limit", too_large, NULL, NULL, NULL },
		{ "forgeries, one defect each", forgeries, NULL, NULL, NULL },
		{ "the forger's work without a defect", forger_is_right, NULL, NULL, NULL },
		{ "small nonsense", small_nonsense, NULL, NULL, NULL },
	};

	assert_int_equal(crypto_init(NULL), RC_OK);
	return cmocka_run_group_tests_name("crypto_cms", tests, set_up, tear_down);
}
