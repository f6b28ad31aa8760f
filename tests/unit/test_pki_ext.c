/* Extensions: each kind to a struct and back, its text, and what is refused; what openssl wrote comes out the same. */
#include "pki_util.h"

#include "pki/cert.h"

#include "../vectors/pki/vectors.h"

/* ---- what openssl wrote ---- */

static void
round_trip_cert(struct bytes der)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct cert c;

	assert_rc(cert_parse(a, der, &c, &e), RC_OK, &e);
	assert_true(c.exts.n > 0);
	for (size_t i = 0; i < c.exts.n; i++) {
		struct ext_value v;
		struct ext x;

		assert_rc(ext_decode(a, &c.exts.v[i], &v, &e), RC_OK, &e);
		assert_rc(ext_encode(a, &v, &x, &e), RC_OK, &e);
		if (!bytes_eq(x.value, c.exts.v[i].value) || x.critical != c.exts.v[i].critical ||
		    !bytes_eq(x.oid, c.exts.v[i].oid))
			fail_msg("%s is built otherwise", oid_name(c.exts.v[i].known));
	}
}

static void
test_openssl_round(void **state)
{
	round_trip_cert(BYTES_OF(v_ca_cert));
	round_trip_cert(BYTES_OF(v_leaf_cert));
}

/* The values, and the lines for people. */
static const struct {
	enum oid oid;
	bool critical;
	const char *text;
} leaf_texts[] = {
	{ OID_CE_BASIC_CONSTRAINTS, true, "no CA" },
	{ OID_CE_KEY_USAGE, true, "digitalSignature" },
	{ OID_CE_EXT_KEY_USAGE, false, "serverAuth, 1.2.3.4.5" },
	{ OID_CE_SUBJECT_ALT_NAME, false, "dns:host.example, ip:192.0.2.7" },
	{ OID_CE_ISSUER_ALT_NAME, false, "uri:http://ca.example/" },
	{ OID_CE_CRL_POINTS, false,
	  "uri:http://ca.example/ca.crl for keyCompromise, cACompromise by dir:CN=directory name,C=DE" },
	{ OID_CE_FRESHEST_CRL, false, "uri:http://ca.example/delta.crl" },
	{ OID_PE_AUTHORITY_INFO, false,
	  "OCSP uri:http://ocsp.example/, caIssuers uri:http://ca.example/ca.cer" },
	{ OID_PE_SUBJECT_INFO, false, "caRepository uri:http://ca.example/repo" },
	{ OID_CE_POLICIES, false,
	  "1.3.6.1.4.1.99999.1, 1.3.6.1.4.1.99999.2 (CPS http://ca.example/cps, "
	  "userNotice Example Org 1 2 \"Bitte lesen\")" },
	{ OID_PE_TLS_FEATURE, false, "status_request" },
	{ OID_PE_OCSP_NOCHECK, false, "yes" },
	{ OID_PE_QC_STATEMENTS, false,
	  "QcCompliance; QcType qct-esign; QcPDS https://ca.example/pds.pdf (en); QcLimitValue EUR 100 * "
	  "10^3; "
	  "QcRetentionPeriod 10 years; QcCClegislation DE; qcSyntaxV2 semanticsId-Natural; QcSSCD" },
	{ OID_CE_SUBJECT_DIR_ATTRS, false, "dateOfBirth=#180f31393731313031343132303030305a" },
};

static void
test_texts(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct cert c;

	assert_rc(cert_parse(a, BYTES_OF(v_leaf_cert), &c, &e), RC_OK, &e);
	for (size_t i = 0; i < ARRAY_LEN(leaf_texts); i++) {
		OWN_BUF struct buf text = buf_max(4096);
		const struct ext *x = exts_find(&c.exts, leaf_texts[i].oid);

		assert_non_null(x);
		assert_int_equal(x->critical, leaf_texts[i].critical);
		ext_put_text(&text, x);
		assert_string_equal(buf_cstr(&text), leaf_texts[i].text);
	}
}

static void
test_ca_texts(void **state)
{
	static const struct {
		enum oid oid;
		const char *text;
	} texts[] = {
		{ OID_CE_BASIC_CONSTRAINTS, "CA, path length 1" },
		{ OID_CE_KEY_USAGE, "keyCertSign, cRLSign" },
		{ OID_CE_NAME_CONSTRAINTS,
		  "permitted dns:example, email:.example, ip:192.0.2.0/24; excluded dns:bad.example" },
		{ OID_CE_POLICIES, "anyPolicy" },
		{ OID_CE_POLICY_CONSTRAINTS, "explicit policy after 0, no mapping after 1" },
		{ OID_CE_INHIBIT_ANY, "no anyPolicy after 2" },
		{ OID_CE_POLICY_MAPPINGS, "1.2.3.4 = 1.2.3.5" },
	};
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct cert c;

	assert_rc(cert_parse(a, BYTES_OF(v_ca_cert), &c, &e), RC_OK, &e);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		OWN_BUF struct buf text = buf_max(4096);
		const struct ext *x = exts_find(&c.exts, texts[i].oid);

		assert_non_null(x);
		ext_put_text(&text, x);
		assert_string_equal(buf_cstr(&text), texts[i].text);
	}
}

/* ---- what openssl does not write: struct -> DER -> struct ---- */

static struct ext
encoded(struct arena *a, const struct ext_value *v, struct ext_value *again)
{
	struct err e = { 0 };
	struct ext x;

	assert_rc(ext_encode(a, v, &x, &e), RC_OK, &e);
	assert_rc(ext_decode(a, &x, again, &e), RC_OK, &e);
	return x;
}

static struct gname
gn(struct arena *a, const char *text)
{
	struct err e = { 0 };
	struct gname g;

	assert_rc(gname_from_text(a, bytes_str(text), GN_NAME, &g, &e), RC_OK, &e);
	return g;
}

static void
test_points(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct gname uri = gn(a, "uri:ldap://d.example/CN=x?crl"), dir = gn(a, "dir:CN=ca,C=DE");
	struct bytes rdn = hexb(a, "300a 0603550403 0c03616263");
	struct dist_point p[] = {
		{ .full_name = { 1, &uri } },
		{ .relative = rdn, .crl_issuer = { 1, &dir }, .reasons = 0x1fe },
		{ .crl_issuer = { 1, &dir } },
	};
	struct ext_value v = { .kind = OID_CE_CRL_POINTS, .points = { ARRAY_LEN(p), p } }, w;

	encoded(a, &v, &w);
	assert_int_equal(w.points.n, 3);
	assert_true(bytes_eq(w.points.v[1].relative, rdn));
	assert_int_equal(w.points.v[1].reasons, 0x1fe);
	assert_true(gname_eq(&w.points.v[2].crl_issuer.v[0], &dir));
}

static void
test_qc(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes types[] = { oid_der(OID_QC_TYPE_ESEAL), oid_der(OID_QC_TYPE_WEB) };
	struct bytes countries[] = { BYTES("DE"), BYTES("FR") };
	struct qc_pds pds[] = { { BYTES("https://a.example/en"), BYTES("en") },
				{ BYTES("https://a.example/de"), BYTES("de") } };
	struct gname authority = gn(a, "uri:https://register.example/");
	struct qc_statement s[] = {
		{ .known = OID_QC_COMPLIANCE },
		{ .known = OID_QC_SSCD },
		{ .known = OID_QC_TYPE, .types = { 2, types } },
		{ .known = OID_QC_PDS, .pds_n = 2, .pds = pds },
		{ .known = OID_QC_LIMIT, .currency_number = 978, .amount = 5, .exponent = -2 },
		{ .known = OID_QC_RETENTION, .years = 0 },
		{ .known = OID_QC_LEGISLATION, .countries_n = 2, .countries = countries },
		{ .known = OID_PKIXQC_V2,
		  .semantics = oid_der(OID_QC_SEM_LEGAL),
		  .authorities = { 1, &authority } },
		{ .known = OID_PKIXQC_V1 },
		{ .oid = hexb(a, "2a03"), .raw = hexb(a, "020105") },
		{ .oid = hexb(a, "2a04") },
	};
	struct ext_value v = { .kind = OID_PE_QC_STATEMENTS, .qc = { ARRAY_LEN(s), s } }, w;

	encoded(a, &v, &w);
	assert_int_equal(w.qc.n, ARRAY_LEN(s));
	assert_int_equal(w.qc.v[2].types.n, 2);
	assert_true(bytes_is(w.qc.v[3].pds[1].language, "de"));
	assert_true(w.qc.v[4].currency_number == 978 && w.qc.v[4].amount == 5 && w.qc.v[4].exponent == -2);
	assert_true(bytes_is(w.qc.v[6].countries[1], "FR"));
	assert_true(bytes_eq(w.qc.v[7].semantics, s[7].semantics));
	assert_true(gname_eq(&w.qc.v[7].authorities.v[0], &authority));
	assert_true(bytes_eq(w.qc.v[9].raw, s[9].raw));
	assert_null(w.qc.v[10].raw.p);
}

static void
test_aki(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct gname dir = gn(a, "dir:CN=ca");
	struct ext_value v = { .kind = OID_CE_AUTHORITY_KEY_ID,
			       .aki = { .key_id = BYTES("12345678901234567890"),
					.issuer = { 1, &dir },
					.serial = BYTES("\x00\x80") } };
	struct ext_value w;

	encoded(a, &v, &w);
	assert_true(bytes_eq(w.aki.serial, v.aki.serial) && bytes_eq(w.aki.key_id, v.aki.key_id));
	assert_int_equal(w.aki.issuer.n, 1);
}

static void
test_key_usages(void **state)
{
	for (uint32_t bits = 1; bits <= USAGE_ALL; bits++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct ext_value v = { .kind = OID_CE_KEY_USAGE, .key_usage = bits, .critical = true }, w;
		struct ext x = encoded(a, &v, &w);
		uint32_t direct;

		assert_int_equal(w.key_usage, bits);
		assert_true(x.critical);
		assert_int_equal(ext_key_usage(x.value, &direct, NULL), RC_OK);
		assert_int_equal(direct, bits);
	}
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(key_usage_by_name(bytes_str(key_usage_name(i))), 1u << i);
	assert_int_equal(key_usage_by_name(BYTES("nonrepudiation")), USAGE_CONTENT_COMMITMENT);
	assert_int_equal(key_usage_by_name(BYTES("x")), 0);
}

static void
test_raw(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ext_value v = { .oid = hexb(a, "2a0304"), .raw = hexb(a, "3003 020105"), .critical = true }, w;
	struct ext x = encoded(a, &v, &w);
	struct err e = { 0 };

	assert_int_equal(w.kind, OID_NONE);
	assert_true(bytes_eq(w.raw, v.raw) && w.critical);
	assert_true(bytes_eq(x.oid, v.oid));
	v.raw = hexb(a, "3003 020105 00");
	assert_int_equal(ext_encode(a, &v, &x, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_DER_TRAILING);
}

/* ---- refused ---- */

static const struct {
	const char *what;
	enum oid oid;
	const char *hex;
	enum code code;
} bad[] = {
	{ "no usage", OID_CE_KEY_USAGE, "030100", CHY_EXT },
	{ "usage with trailing zero bits", OID_CE_KEY_USAGE, "03020080", CHY_DER_BITS },
	{ "usage bit 9", OID_CE_KEY_USAGE, "0303060040", CHY_EXT },
	{ "usage and more", OID_CE_KEY_USAGE, "03020780 00", CHY_DER_TRAILING },
	{ "no purpose", OID_CE_EXT_KEY_USAGE, "3000", CHY_EXT },
	{ "purpose twice", OID_CE_EXT_KEY_USAGE, "3008 06022a03 06022a03", CHY_EXT },
	{ "cA FALSE written", OID_CE_BASIC_CONSTRAINTS, "3003 010100", CHY_DER_DEFAULT },
	{ "negative path length", OID_CE_BASIC_CONSTRAINTS, "3006 0101ff 0201ff", CHY_DER_INTEGER },
	{ "three members", OID_CE_BASIC_CONSTRAINTS, "3009 0101ff 020100 020100", CHY_DER_TRAILING },
	{ "empty key id", OID_CE_SUBJECT_KEY_ID, "0400", CHY_EXT },
	{ "issuer without serial", OID_CE_AUTHORITY_KEY_ID, "3005 a103 820161", CHY_EXT },
	{ "serial without issuer", OID_CE_AUTHORITY_KEY_ID, "3003 820105", CHY_EXT },
	{ "padded serial", OID_CE_AUTHORITY_KEY_ID, "3009 a103 820161 82020005", CHY_DER_INTEGER },
	{ "point of reasons alone", OID_CE_CRL_POINTS, "3006 3004 81020640", CHY_EXT },
	{ "empty point", OID_CE_CRL_POINTS, "3002 3000", CHY_EXT },
	{ "no point", OID_CE_FRESHEST_CRL, "3000", CHY_EXT },
	{ "access without place", OID_PE_AUTHORITY_INFO, "3006 3004 06022a03", CHY_DER_TRUNCATED },
	{ "policy twice", OID_CE_POLICIES, "300c 3004 06022a03 3004 06022a03", CHY_EXT },
	{ "empty qualifiers", OID_CE_POLICIES, "3008 3006 06022a03 3000", CHY_EXT },
	{ "CPS as UTF8String", OID_CE_POLICIES, "3017 3015 06022a03 300f 300d 06082b06010505070201 0c0161",
	  CHY_DER_TAG },
	{ "mapping of anyPolicy", OID_CE_POLICY_MAPPINGS, "300c 300a 0604551d2000 06022a03", CHY_EXT },
	{ "no policy constraint", OID_CE_POLICY_CONSTRAINTS, "3000", CHY_EXT },
	{ "policy constraint of -1", OID_CE_POLICY_CONSTRAINTS, "3003 8001ff", CHY_DER_INTEGER },
	{ "inhibit of -1", OID_CE_INHIBIT_ANY, "0201ff", CHY_DER_INTEGER },
	{ "no subtree", OID_CE_NAME_CONSTRAINTS, "3000", CHY_EXT },
	{ "empty permitted", OID_CE_NAME_CONSTRAINTS, "3002 a000", CHY_EXT },
	{ "minimum written", OID_CE_NAME_CONSTRAINTS, "300a a008 3006 820161 800100", CHY_EXT },
	{ "minimum 1", OID_CE_NAME_CONSTRAINTS, "300a a008 3006 820161 800101", CHY_EXT },
	{ "directory attribute without value", OID_CE_SUBJECT_DIR_ATTRS, "3008 3006 06022a03 3100", CHY_EXT },
	{ "compliance with information", OID_PE_QC_STATEMENTS, "300c 300a 0606 04008e460101 0500", CHY_EXT },
	{ "type without information", OID_PE_QC_STATEMENTS, "300a 3008 0606 04008e460106", CHY_EXT },
	{ "currency of two letters", OID_PE_QC_STATEMENTS,
	  "3016 3014 0606 04008e460102 300a 1302 4555 020101 020101", CHY_EXT },
	{ "language of three letters", OID_PE_QC_STATEMENTS,
	  "301c 301a 0606 04008e460105 3010 300e 1607 68747470733a61 1303 656e67", CHY_EXT },
	{ "country in small letters", OID_PE_QC_STATEMENTS, "3010 300e 0606 04008e460107 3004 1302 6465",
	  CHY_EXT },
	{ "no check with contents", OID_PE_OCSP_NOCHECK, "0501 00", CHY_DER_NULL },
	{ "TLS feature 65536", OID_PE_TLS_FEATURE, "3005 0203010000", CHY_DER_INTEGER },
	{ "no TLS feature", OID_PE_TLS_FEATURE, "3000", CHY_EXT },
	{ "no SAN", OID_CE_SUBJECT_ALT_NAME, "3000", CHY_GNAME },
	{ "nothing at all", OID_CE_SUBJECT_ALT_NAME, "", CHY_DER_TRUNCATED },
	{ "not DER", OID_NONE, "3080 0000", CHY_DER_LENGTH },
};

static void
test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct ext x = { .oid = oid_der(bad[i].oid), .known = bad[i].oid };
		struct ext_value v;
		struct err e = { 0 };

		if (bad[i].oid == OID_NONE)
			x.oid = hexb(a, "2a03");
		x.value = hexb(a, bad[i].hex);
		if (ext_decode(a, &x, &v, &e) != RC_MALFORMED || e.code != bad[i].code)
			fail_msg("%s: CHY-%d %s", bad[i].what, e.code, e.text);
		assert_true(e.field[0] != 0);
	}
}

/* Cut anywhere, or one bit changed anywhere, in any extension: a code, or another value, never more. */
static void
test_damage(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct cert c;

	assert_rc(cert_parse(a, BYTES_OF(v_leaf_cert), &c, &e), RC_OK, &e);
	for (size_t i = 0; i < c.exts.n; i++) {
		struct ext x = c.exts.v[i];
		uint8_t *copy = malloc(x.value.n);

		assert_non_null(copy);
		for (size_t bit = 0; bit < 8 * x.value.n; bit++) {
			OWN(arena_free)
			struct arena *b = fresh();
			struct ext_value v;
			struct err why = { 0 };

			memcpy(copy, x.value.p, x.value.n);
			copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
			x.value.p = copy;
			if (ext_decode(b, &x, &v, &why) != RC_OK)
				assert_int_not_equal(why.code, CHY_NONE);
			x.value.p = c.exts.v[i].value.p;
		}
		for (size_t n = 0; n < c.exts.v[i].value.n; n++) {
			struct ext_value v;

			x.value.n = n;
			assert_int_equal(ext_decode(a, &x, &v, NULL), RC_MALFORMED);
		}
		free(copy);
	}
}

static void
test_list(void **state)
{
	static const struct {
		const char *what, *hex;
		enum code code;
	} cases[] = {
		{ "one", "300a 3008 06022a03 04020500", CHY_NONE },
		{ "empty", "3000", CHY_EXT },
		{ "twice", "3014 3008 06022a03 04020500 3008 06022a03 04020500", CHY_EXT_DUPLICATE },
		{ "critical FALSE written", "300d 300b 06022a03 010100 04020500", CHY_DER_DEFAULT },
		{ "critical 01", "300d 300b 06022a03 010101 04020500", CHY_DER_BOOLEAN },
		{ "without value", "3006 3004 06022a03", CHY_DER_TRUNCATED },
		{ "with a tail", "300c 300a 06022a03 04020500 0500", CHY_DER_TRAILING },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		struct exts l;
		enum rc rc = exts_parse(a, hexb(a, cases[i].hex), &l, &e);

		if (e.code != cases[i].code || (rc == RC_OK) != (e.code == CHY_NONE))
			fail_msg("%s: CHY-%d %s", cases[i].what, e.code, e.text);
	}
}

static void
test_bad_names_not_built(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct gname g = { .type = GN_DNS, .value = BYTES("a_b.example") };
	struct ext_value v = { .kind = OID_CE_SUBJECT_ALT_NAME, .names = { 1, &g } };
	struct ext x;
	struct err e = { 0 };

	assert_int_equal(ext_encode(a, &v, &x, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_GNAME);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_round),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_ca_texts),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_qc),
		cmocka_unit_test(test_aki),
		cmocka_unit_test(test_key_usages),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_bad_names_not_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
