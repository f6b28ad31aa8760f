/*
 * OCSP (RFC 6960): requests of OpenSSL are read, ours are read by OpenSSL; responses the same both ways; every rule of the parsers
 * and of the signer's walker has a case that breaks it alone.
 */
#include "pki_made.h"
#include "test.h"

#include <openssl/ocsp.h>

#include "base/clock.h"
#include "pki/ocsp.h"
#include "pki/ocsp_walker.h"

static int64_t
at(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(bytes_str(text), &ms, NULL), RC_OK);
	return ms;
}

static const uint8_t ones[64] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static const uint8_t twos[64] = { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };

static struct ocsp_id
id_of(enum ocsp_hash h, const char *serial)
{
	return (struct ocsp_id){ .hash = h,
				 .name_hash = { ones, ocsp_hash_len(h) },
				 .key_hash = { twos, ocsp_hash_len(h) },
				 .serial = bytes_str(serial) };
}

static struct bytes
id_der(struct arena *a, enum ocsp_hash h, const char *serial)
{
	OWN_DW struct dw w = dw_growing(4096);
	struct ocsp_id id = id_of(h, serial);
	struct bytes r;

	dw_ocsp_id(&w, &id);
	assert_int_equal(dw_dup(&w, a, &r, NULL), RC_OK);
	return r;
}

/* ---- requests ---- */

static struct bytes
request(struct arena *a, const struct ocsp_id *v, size_t n, struct bytes nonce)
{
	OWN_DW struct dw w = dw_growing(1 << 16);
	struct bytes r;

	dw_ocsp_request(&w, v, n, nonce);
	assert_int_equal(dw_dup(&w, a, &r, NULL), RC_OK);
	return r;
}

static void
reads_requests_of_all_hashes(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ocsp_request r;
	struct err e = { 0 };

	for (unsigned h = 0; h < OCSP_HASHES; h++) {
		struct ocsp_id v[2] = { id_of(h, "\x05"), id_of(h, "\x01\x02") };
		struct bytes der = request(a, v, 2, BYTES("0123456789abcdef"));
		const unsigned char *p = der.p;
		OCSP_REQUEST *o = d2i_OCSP_REQUEST(NULL, &p, (long)der.n);

		assert_non_null(o);
		assert_int_equal(OCSP_request_onereq_count(o), 2);
		OCSP_REQUEST_free(o);
		assert_rc(ocsp_request_parse(der, &r, &e), RC_OK, &e);
		assert_int_equal(r.n, 2);
		assert_int_equal(r.v[1].hash, h);
		assert_bytes(r.v[1].serial, BYTES("\x01\x02"));
		assert_bytes(r.v[1].name_hash, v[1].name_hash);
		assert_bytes(r.v[1].key_hash, v[1].key_hash);
		assert_bytes(r.v[1].der, id_der(a, h, "\x01\x02"));
		assert_bytes(r.nonce, BYTES("0123456789abcdef"));
		assert_false(r.is_signed);
		for (size_t n = 0; n < der.n; n++) {
			assert_int_not_equal(ocsp_request_parse(bytes_part(der, 0, n), &r, &e), RC_OK);
			err_clear(&e);
		}
	}
}

static void
counts_and_nonces_have_bounds(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ocsp_id v[LIMIT_OCSP_IDS + 1];
	struct ocsp_request r;
	struct err e = { 0 };
	uint8_t nonce[OCSP_NONCE_MAX + 1] = { 1 };

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = id_of(OCSP_SHA1, "\x01");
	assert_rc(ocsp_request_parse(request(a, v, LIMIT_OCSP_IDS, BYTES_NONE), &r, &e), RC_OK, &e);
	assert_null(r.nonce.p);
	assert_code(ocsp_request_parse(request(a, v, LIMIT_OCSP_IDS + 1, BYTES_NONE), &r, &e),
		    CHY_OCSP_REQUEST);
	assert_code(ocsp_request_parse(request(a, v, 0, BYTES_NONE), &r, &e), CHY_OCSP_REQUEST);
	assert_code(ocsp_request_parse(request(a, v, 1, bytes_of(nonce, 0)), &r, &e), CHY_OCSP_REQUEST);
	assert_rc(ocsp_request_parse(request(a, v, 1, bytes_of(nonce, 1)), &r, &e), RC_OK, &e);
	assert_rc(ocsp_request_parse(request(a, v, 1, bytes_of(nonce, OCSP_NONCE_MAX)), &r, &e), RC_OK, &e);
	assert_code(ocsp_request_parse(request(a, v, 1, BYTES_OF(nonce)), &r, &e), CHY_OCSP_REQUEST);
	v[0].name_hash.n = 19;
	assert_code(ocsp_request_parse(request(a, v, 1, BYTES_NONE), &r, &e), CHY_OCSP_REQUEST);
	v[0].name_hash.n = 20;
	v[0].serial = BYTES("\x01"
			    "12345678901234567890");
	assert_code(ocsp_request_parse(request(a, v, 1, BYTES_NONE), &r, &e), CHY_OCSP_REQUEST);
}

#define ID \
	"303a 3009 0605 2b0e03021a 0500 0414 0101010101010101010101010101010101010101 0414 " \
	"0202020202020202020202020202020202020202 020105"

static void
refuses_requests(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	static const struct {
		const char *hex;
		enum code want;
	} t[] = {
		{ "3042 3040 303e 303c " ID, CHY_NONE },
		{ "3042 3040 303e 303c " ID " 00", CHY_DER_TRAILING },
		{ "3047 3045 a003020100 303e 303c " ID, CHY_NONE }, /* version 1 written out: some do */
		{ "3047 3045 a003020101 303e 303c " ID, CHY_OCSP_REQUEST },
		{ "3049 3047 a105 8203 612e62 303e 303c " ID, CHY_NONE }, /* requestorName */
		{ "3058 3056 303e 303c " ID " a214 3012 3010 0609 2b0601050507300109 0403 020101", CHY_NONE },
		{ "305b 3059 303e 303c " ID " a217 3015 3013 0609 2b0601050507300109 0101ff 0403 020101",
		  CHY_OCSP_REQUEST },
		{ "305f 305d 303e 303c " ID
		  " a21b 3019 3017 0609 2b0601050507300102 0101ff 0407 0405 0102030405",
		  CHY_NONE },
		{ "3058 3056 303e 303c " ID " a214 3012 3010 0609 2b0601050507300102 0403 040500",
		  CHY_DER_TRUNCATED },
		{ "3044 3042 3040 303e " ID " 0500", CHY_DER_TRAILING },
		{ "3046 3040 303e 303c " ID " a0023000", CHY_NONE }, /* signed: not looked at, but DER */
		{ "3046 3040 303e 303c " ID " a0023001", CHY_DER_TRUNCATED },
		{ "3004 3002 3000", CHY_OCSP_REQUEST },
		{ "3006 3004 3002 3000", CHY_DER_TRUNCATED },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct ocsp_request r;
		struct err e = { 0 };

		assert_int_equal(ocsp_request_parse(hexb(a, t[i].hex), &r, &e) == RC_OK,
				 t[i].want == CHY_NONE);
		if (e.code != t[i].want)
			fail_msg("%zu: CHY-%d %s, not CHY-%d", i, e.code, e.text, t[i].want);
		if (t[i].want == CHY_NONE)
			assert_bytes(r.v[0].serial, BYTES("\x05"));
	}
}

static void
reads_what_openssl_asks(void **state)
{
	OCSP_REQUEST *o = OCSP_REQUEST_new();
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	X509_NAME *name = X509_NAME_new();
	ASN1_BIT_STRING *key = ASN1_BIT_STRING_new();
	unsigned char *der = NULL;
	struct ocsp_request r;
	struct err e = { 0 };
	int len;

	assert_true(ASN1_INTEGER_set(n, 0x1234) && ASN1_BIT_STRING_set(key, (unsigned char[]){ 1, 2, 3 }, 3));
	assert_non_null(OCSP_request_add0_id(o, OCSP_cert_id_new(EVP_sha256(), name, key, n)));
	assert_true(OCSP_request_add1_nonce(o, NULL, 20));
	len = i2d_OCSP_REQUEST(o, &der);
	assert_true(len > 0);
	assert_rc(ocsp_request_parse(bytes_of(der, (size_t)len), &r, &e), RC_OK, &e);
	assert_int_equal(r.v[0].hash, OCSP_SHA256);
	assert_bytes(r.v[0].serial, BYTES("\x12\x34"));
	assert_int_equal(r.nonce.n, 20);
	OPENSSL_free(der);
	OCSP_REQUEST_free(o);
	ASN1_INTEGER_free(n);
	X509_NAME_free(name);
	ASN1_BIT_STRING_free(key);
}

/* ---- responses ---- */

struct made_response {
	struct ocsp_single v[3];
	struct ocsp_inputs in;
};

static void
usual(struct arena *a, struct made_response *m)
{
	const struct ocsp_single one = { .reason = CRL_NO_REASON,
					 .this_update_at = at("2026-01-01T00:00:00Z"),
					 .next_update_at = at("2026-01-08T00:00:00Z"),
					 .archive_cutoff_at = OCSP_NO_TIME };

	for (size_t i = 0; i < 3; i++) {
		m->v[i] = one;
		m->v[i].status = (enum ocsp_status)i;
		m->v[i].cert_id = id_der(a, OCSP_SHA1, i == 0 ? "\x05" : i == 1 ? "\x06" : "\x07");
	}
	m->v[0].archive_cutoff_at = at("2020-01-01T00:00:00Z");
	m->v[1].reason = CRL_SUPERSEDED;
	m->v[1].revoked_at = at("2025-12-01T00:00:00Z");
	m->v[2].next_update_at = OCSP_NO_TIME;
	m->in = (struct ocsp_inputs){
		.key_hash = { twos, 20 },
		.produced_at = at("2026-01-01T00:00:01Z"),
		.v = m->v,
		.n = 3,
		.nonce = BYTES("0123456789abcdef"),
	};
}

static struct bytes
data_of(struct arena *a, const struct ocsp_inputs *in)
{
	OWN_DW struct dw w = dw_growing(1 << 16);
	struct err e = { 0 };
	struct bytes r;

	assert_rc(ocsp_data_build(in, &w, &e), RC_OK, &e);
	assert_rc(dw_dup(&w, a, &r, &e), RC_OK, &e);
	return r;
}

static struct bytes
response_of(struct arena *a, struct bytes data)
{
	OWN_DW struct dw w = dw_growing(1 << 16);
	struct bytes certs[2] = { hexb(a, "3003020101"), hexb(a, "3003020102") }, r;
	struct err e = { 0 };

	assert_rc(ocsp_response_build(data, SIGALG_ECDSA_SHA256, BYTES("\x30\x06\x02\x01\x01\x02\x01\x01"),
				      certs, 2, &w, &e),
		  RC_OK, &e);
	assert_rc(dw_dup(&w, a, &r, &e), RC_OK, &e);
	return r;
}

static void
builds_what_it_reads(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made_response m;
	struct ocsp_response r;
	struct ocsp_single x;
	struct err e = { 0 };
	struct bytes data, rest, cert;

	usual(a, &m);
	for (int named = 0; named < 2; named++) {
		if (named) {
			m.in.key_hash = BYTES_NONE;
			m.in.name = name_of(a, "CN=Responder");
		}
		data = data_of(a, &m.in);
		assert_rc(ocsp_response_parse(response_of(a, data), &r, &e), RC_OK, &e);
		assert_int_equal(r.result, OCSP_SUCCESSFUL);
		assert_bytes(r.data, data);
		assert_bytes(r.name, m.in.name);
		assert_bytes(r.key_hash, m.in.key_hash);
		assert_true(r.produced_at == m.in.produced_at);
		assert_bytes(r.nonce, m.in.nonce);
		assert_int_equal(r.sigalg, SIGALG_ECDSA_SHA256);
		assert_int_equal(r.certs_n, 2);
		rest = r.certs;
		assert_true(ocsp_cert_next(&rest, &cert) && ocsp_cert_next(&rest, &cert) &&
			    !ocsp_cert_next(&rest, &cert));
		assert_int_equal(r.n, 3);
		rest = r.singles;
		for (size_t i = 0; i < 3; i++) {
			assert_true(ocsp_single_next(&rest, &x));
			assert_bytes(x.cert_id, m.v[i].cert_id);
			assert_int_equal(x.status, m.v[i].status);
			assert_true(x.this_update_at == m.v[i].this_update_at &&
				    x.next_update_at == m.v[i].next_update_at &&
				    x.archive_cutoff_at == m.v[i].archive_cutoff_at);
			assert_true(x.status != OCSP_REVOKED ||
				    (x.revoked_at == m.v[i].revoked_at && x.reason == m.v[i].reason));
		}
		assert_false(ocsp_single_next(&rest, &x));
	}
}

static void
openssl_reads_ours(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	static const int statuses[] = { V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
					V_OCSP_CERTSTATUS_UNKNOWN };
	struct made_response m;
	struct bytes der;
	const unsigned char *p;
	OCSP_RESPONSE *o;
	OCSP_BASICRESP *b;

	usual(a, &m);
	der = response_of(a, data_of(a, &m.in));
	p = der.p;
	o = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);
	assert_non_null(o);
	assert_int_equal(OCSP_response_status(o), OCSP_RESPONSE_STATUS_SUCCESSFUL);
	/* the two certificates are none: only without them does the library read it */
	OCSP_RESPONSE_free(o);
	{
		OWN_DW struct dw w = dw_growing(1 << 16);
		struct err e = { 0 };

		assert_rc(ocsp_response_build(data_of(a, &m.in), SIGALG_ECDSA_SHA256,
					      BYTES("\x30\x06\x02\x01\x01\x02\x01\x01"), NULL, 0, &w, &e),
			  RC_OK, &e);
		p = dw_bytes(&w).p;
		o = d2i_OCSP_RESPONSE(NULL, &p, (long)dw_bytes(&w).n);
	}
	b = OCSP_response_get1_basic(o);
	assert_non_null(b);
	assert_int_equal(OCSP_resp_count(b), 3);
	for (int i = 0; i < 3; i++) {
		int reason = -1;

		assert_int_equal(OCSP_single_get0_status(OCSP_resp_get0(b, i), &reason, NULL, NULL, NULL),
				 statuses[i]);
		assert_int_equal(reason, i == 1 ? 4 : -1);
	}
	assert_true(OCSP_BASICRESP_get_ext_by_NID(b, NID_id_pkix_OCSP_Nonce, -1) >= 0);
	assert_true(
	    OCSP_SINGLERESP_get_ext_by_NID(OCSP_resp_get0(b, 0), NID_id_pkix_OCSP_archiveCutoff, -1) >= 0);
	OCSP_BASICRESP_free(b);
	OCSP_RESPONSE_free(o);
}

static void
refusals_are_five_octets(void **state)
{
	static const int all[] = { OCSP_MALFORMED_REQUEST, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER,
				   OCSP_SIG_REQUIRED, OCSP_UNAUTHORIZED };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct bytes der = ocsp_refusal(all[i]);
		const unsigned char *p = der.p;
		OCSP_RESPONSE *o = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);
		struct ocsp_response r;
		struct err e = { 0 };

		assert_int_equal(OCSP_response_status(o), all[i]);
		OCSP_RESPONSE_free(o);
		assert_rc(ocsp_response_parse(der, &r, &e), RC_OK, &e);
		assert_int_equal(r.result, all[i]);
	}
	assert_bytes(ocsp_refusal(OCSP_SUCCESSFUL), ocsp_refusal(OCSP_INTERNAL_ERROR));
	assert_bytes(ocsp_refusal(4), ocsp_refusal(OCSP_INTERNAL_ERROR));
}

static void
refuses_to_build(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	OWN_DW struct dw w = dw_growing(1 << 16);
	struct made_response m;
	struct err e = { 0 };

	usual(a, &m);
	m.in.name = name_of(a, "CN=x");
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	m.in.key_hash = m.in.name = BYTES_NONE;
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	m.in.key_hash = bytes_of(twos, 32);
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	usual(a, &m);
	m.in.n = 0;
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	m.in.n = LIMIT_OCSP_IDS + 1;
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	usual(a, &m);
	m.v[0].next_update_at = m.v[0].this_update_at;
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	usual(a, &m);
	m.v[1].reason = 7;
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	usual(a, &m);
	m.v[1].cert_id = BYTES_NONE;
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	usual(a, &m);
	m.in.nonce = bytes_of(ones, 0);
	assert_code(ocsp_data_build(&m.in, &w, &e), CHY_OCSP_RESPONSE);
	assert_code(ocsp_response_build(BYTES("0"), SIGALG_NONE, BYTES_NONE, NULL, 0, &w, &e), CHY_SIGALG);
}

static void
refuses_to_read(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made_response m;
	struct bytes der;
	struct ocsp_response r;
	struct err e = { 0 };
	static const struct {
		const char *from, *to;
		enum code want;
	} t[] = {
		{ "0a0100a0", "0a0104a0", CHY_OCSP_RESPONSE },
		{ "2b0601050507300101", "2b0601050507300109", CHY_OCSP_RESPONSE },
		{ "180f32303236303130313030303030315a", "180f32303236303130313030303030315b", CHY_DER_TIME },
		{ "8000", "8100", CHY_DER_TAG },
		{ "0a0104", "0a0107", CHY_OCSP_RESPONSE },
		{ "a2160414", "a3160414", CHY_DER_TAG },
		{ "2b0601050507300106", "2b0601050507300107", CHY_NONE }, /* not critical: passed over */
	};

	usual(a, &m);
	der = response_of(a, data_of(a, &m.in));
	for (size_t n = 0; n < der.n; n++) {
		assert_int_not_equal(ocsp_response_parse(bytes_part(der, 0, n), &r, &e), RC_OK);
		err_clear(&e);
	}
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct bytes from = hexb(a, t[i].from), to = hexb(a, t[i].to), copy = arena_dup(a, der);
		uint8_t *p = memmem(copy.p, copy.n, from.p, from.n);

		assert_non_null(p);
		memcpy(p, to.p, to.n);
		assert_int_equal(ocsp_response_parse(copy, &r, &e) == RC_OK, t[i].want == CHY_NONE);
		if (e.code != t[i].want)
			fail_msg("%zu: CHY-%d %s, not CHY-%d", i, e.code, e.text, t[i].want);
		err_clear(&e);
	}
}

/* ---- the walker ---- */

static void
walks(struct bytes data, enum code want)
{
	struct ocsp_view v;
	struct err e = { 0 };

	assert_int_equal(ocsp_data_walk(data, &v, &e) == RC_OK, want == CHY_NONE);
	if (e.code != want)
		fail_msg("CHY-%d %s, not CHY-%d", e.code, e.text, want);
}

static void
walks_what_we_build(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made_response m;
	struct ocsp_view v;
	struct err e = { 0 };
	struct bytes data;

	usual(a, &m);
	data = data_of(a, &m.in);
	assert_rc(ocsp_data_walk(data, &v, &e), RC_OK, &e);
	assert_bytes(v.key_hash, m.in.key_hash);
	assert_true(v.has_nonce && v.n == 3 && v.produced_at == m.in.produced_at);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(v.v[i].status, i);
		assert_int_equal(v.v[i].hash, OCSP_SHA1);
		assert_true(v.v[i].this_update_at == m.v[i].this_update_at);
		assert_true(v.v[i].next_update_at == (i == 2 ? INT64_MAX : m.v[i].next_update_at));
		assert_bytes(v.v[i].name_hash, bytes_of(ones, 20));
		assert_bytes(v.v[i].key_hash, bytes_of(twos, 20));
	}
	for (size_t n = 0; n < data.n; n++) {
		assert_int_not_equal(ocsp_data_walk(bytes_part(data, 0, n), &v, &e), RC_OK);
		err_clear(&e);
	}
	m.in.nonce = BYTES_NONE;
	m.in.key_hash = BYTES_NONE;
	m.in.name = name_of(a, "CN=Responder");
	assert_rc(ocsp_data_walk(data_of(a, &m.in), &v, &e), RC_OK, &e);
	assert_true(!v.has_nonce && bytes_eq(v.name, m.in.name));
}

static void
walks_by_every_rule(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made_response m;
	struct bytes data;
	static const struct {
		const char *from, *to;
		enum code want;
	} t[] = {
		{ "2b0601050507300106", "2b0601050507300107",
		  CHY_OCSP_DATA }, /* an extension of another kind */
		{ "2b0601050507300102", "2b0601050507300107", CHY_OCSP_DATA },
		{ "0a0104", "0a0108", CHY_OCSP_DATA },
		{ "0a0104", "0a0107", CHY_OCSP_DATA },
		{ "06052b0e03021a", "06052b0e03021b", CHY_OCSP_DATA },
		{ "0500041401", "0501041401", CHY_DER_NULL },
		{ "a2160414", "a3160414", CHY_DER_TAG },
	};

	usual(a, &m);
	data = data_of(a, &m.in);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct bytes from = hexb(a, t[i].from), to = hexb(a, t[i].to), copy = arena_dup(a, data);
		uint8_t *p = memmem(copy.p, copy.n, from.p, from.n);

		assert_non_null(p);
		memcpy(p, to.p, to.n);
		if (i == 5) { /* NULL with contents, that takes them from what follows */
			struct ocsp_view v;
			struct err e = { 0 };

			assert_int_not_equal(ocsp_data_walk(copy, &v, &e), RC_OK);
			continue;
		}
		walks(copy, t[i].want);
	}
	m.v[0].this_update_at = m.in.produced_at + 1000;
	walks(data_of(a, &m.in), CHY_OCSP_DATA);
	usual(a, &m);
	m.v[1].revoked_at = m.v[1].this_update_at + 1000;
	walks(data_of(a, &m.in), CHY_OCSP_DATA);
	usual(a, &m);
	m.v[0].archive_cutoff_at = m.in.produced_at + 1000;
	walks(data_of(a, &m.in), CHY_OCSP_DATA);
	usual(a, &m);
	m.in.key_hash = BYTES_NONE;
	m.in.name = BYTES("\x30\x00");
	walks(data_of(a, &m.in), CHY_OCSP_DATA);
	m.in.name = BYTES("\x30\x02\x05\x00");
	walks(data_of(a, &m.in), CHY_DER_TAG);
	walks(hexb(a, "3000"), CHY_DER_TRUNCATED);
}

static void
shows_itself(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	OWN_BUF struct buf text = buf_max(1 << 16), js = buf_max(1 << 16);
	struct made_response m;
	struct ocsp_response r;
	struct err e = { 0 };

	usual(a, &m);
	assert_rc(ocsp_response_parse(response_of(a, data_of(a, &m.in)), &r, &e), RC_OK, &e);
	ocsp_response_put_text(&text, &r);
	assert_non_null(
	    strstr(buf_cstr(&text),
		   "  05 good, known at 2026-01-01T00:00:00Z, next at 2026-01-08T00:00:00Z, "
		   "archived since 2020-01-01T00:00:00Z\n  06 revoked 2025-12-01T00:00:00Z superseded,"));
	json_put(&js, ocsp_response_json(a, &r));
	assert_non_null(
	    strstr(buf_cstr(&js),
		   "\"serial\":\"06\",\"status\":\"revoked\",\"revoked\":\"2025-12-01T00:00:00Z\","
		   "\"reason\":\"superseded\""));
	assert_rc(ocsp_response_parse(ocsp_refusal(OCSP_TRY_LATER), &r, &e), RC_OK, &e);
	buf_fini(&js);
	json_put(&js, ocsp_response_json(a, &r));
	assert_text(buf_bytes(&js), "{\"result\":\"tryLater\"}");
}

/* ---- lints ---- */

static bool
fails(struct arena *a, const struct made_response *m, const char *id)
{
	struct lint_verdicts v;
	struct ocsp_response r;
	struct err e = { 0 };

	assert_rc(ocsp_response_parse(response_of(a, data_of(a, &m->in)), &r, &e), RC_OK, &e);
	assert_rc(lint_ocsp(a, &r, &v, &e), RC_OK, &e);
	for (size_t i = 0; i < v.n; i++)
		if (strcmp(v.v[i].lint->id, id) == 0)
			return v.v[i].outcome == LINT_FAIL;
	fail_msg("no lint %s", id);
	return false;
}

static void
lints_judge_responses(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made_response m;
	struct lint_verdicts v;
	struct ocsp_response r;
	struct err e = { 0 };
	size_t n;

	usual(a, &m);
	m.in.n = 2; /* the third has no next update */
	assert_rc(ocsp_response_parse(response_of(a, data_of(a, &m.in)), &r, &e), RC_OK, &e);
	assert_rc(lint_ocsp(a, &r, &v, &e), RC_OK, &e);
	assert_int_equal(v.errors + v.warnings + v.notices, 0);
	(void)lint_ocsp_list(&n);
	assert_int_equal(v.n, n);
	m.in.n = 3;
	assert_true(fails(a, &m, "rfc5019-2.2.4-next-update"));
	m.in.n = 2;
	m.v[0].this_update_at = m.in.produced_at + 1000;
	assert_true(fails(a, &m, "rfc6960-4.2.2.1-this-update"));
	usual(a, &m);
	m.v[1].revoked_at = m.v[1].this_update_at + 1000;
	assert_true(fails(a, &m, "rfc6960-4.2.2.1-revoked-before"));
	usual(a, &m);
	m.v[1].reason = CRL_REMOVE;
	assert_true(fails(a, &m, "rfc5280-5.3.1-ocsp-reason"));
	usual(a, &m);
	m.v[0].archive_cutoff_at = m.in.produced_at + 1000;
	assert_true(fails(a, &m, "rfc6960-4.4.4-archive-cutoff"));
	usual(a, &m);
	m.v[0].next_update_at = m.v[0].this_update_at + 3600000;
	assert_true(fails(a, &m, "cabf-4.9.10-ocsp-interval"));
	usual(a, &m);
	m.in.nonce = BYTES_NONE;
	assert_true(fails(a, &m, "rfc5019-2.2.1-one-certificate"));
	m.in.key_hash = BYTES_NONE;
	m.in.name = name_of(a, "CN=x");
	assert_true(fails(a, &m, "rfc5019-2.2.2-by-key"));
	assert_rc(ocsp_response_parse(ocsp_refusal(OCSP_TRY_LATER), &r, &e), RC_OK, &e);
	assert_rc(lint_ocsp(a, &r, &v, &e), RC_OK, &e);
	assert_int_equal(v.errors + v.warnings + v.notices, 0);
}

static const struct CMUnitTest tests[] = {
	CASE(lints_judge_responses), CASE(reads_requests_of_all_hashes), CASE(counts_and_nonces_have_bounds),
	CASE(refuses_requests),      CASE(reads_what_openssl_asks),      CASE(builds_what_it_reads),
	CASE(openssl_reads_ours),    CASE(refusals_are_five_octets),     CASE(refuses_to_build),
	CASE(refuses_to_read),       CASE(walks_what_we_build),          CASE(walks_by_every_rule),
	CASE(shows_itself),
};

TESTS_MAIN(tests)
