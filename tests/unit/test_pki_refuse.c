/*
 * Bad input: requests, keys and to-be-signed certificates that are wrong in one point each, made by hand; name
 * constraints.
 */
#include "pki_made.h"

static void
walk_case(const struct made *m, const char *what, enum code code)
{
	struct err e = { 0 };
	struct tbs_view v;
	enum rc rc = tbs_walk(tbs_of(m), &v, &e);

	if (e.code != code || (rc == RC_OK) != (code == CHY_NONE))
		fail_msg("%s: CHY-%d %s", what, e.code, e.text);
}

static void
test_walk_fields(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made good = ordinary(a), m;

	walk_case(&good, "ordinary", CHY_NONE);
	m = good, m.version = BYTES_NONE;
	walk_case(&m, "version 1", CHY_DER_TAG);
	m = good, m.version = hexb(a, "a003020101");
	walk_case(&m, "version 2", CHY_TBS);
	m = good, m.version = hexb(a, "a003020103");
	walk_case(&m, "version 4", CHY_DER_INTEGER);
	m = good, m.serial = hexb(a, "020100");
	walk_case(&m, "serial 0", CHY_TBS);
	m = good, m.serial = hexb(a, "0201ff");
	walk_case(&m, "serial -1", CHY_TBS);
	m = good, m.serial = hexb(a, "02020001");
	walk_case(&m, "padded serial", CHY_DER_INTEGER);
	m = good, m.serial = hexb(a, "0215 010203040506070809101112131415161718192021");
	walk_case(&m, "serial of 21 octets", CHY_TBS);
	m = good, m.serial = hexb(a, "0214 0102030405060708091011121314151617181920");
	walk_case(&m, "serial of 20 octets", CHY_NONE);
	m = good, m.alg = hexb(a, "300d 06092a864886f70d010105 0500");
	walk_case(&m, "SHA-1", CHY_SIGALG);
	m = good, m.alg = hexb(a, "300b 06092a864886f70d01010b");
	walk_case(&m, "RSA without its NULL", CHY_TBS);
	m = good, m.alg = hexb(a, "300c 06082a8648ce3d040302 0500");
	walk_case(&m, "ECDSA with NULL", CHY_SIGALG);
	m = good, m.issuer = hexb(a, "3000");
	walk_case(&m, "empty issuer", CHY_TBS);
	m = good, m.subject = hexb(a, "3000");
	walk_case(&m, "empty subject without names", CHY_TBS);
	m = good,
	m.validity = hexb(a, "301e 170d 3237303130313030303030305a 170d 3236303130313030303030305a");
	walk_case(&m, "ends before it begins", CHY_TBS);
	m = good,
	m.validity = hexb(a, "3020 170d 3236303130313030303030305a 180f 32303237303130313030303030305a");
	walk_case(&m, "GeneralizedTime of 2027", CHY_DER_TIME);
	m = good,
	m.validity = hexb(a, "301e 170d 3236303130313030303030305a 170d 3237313330313030303030305a");
	walk_case(&m, "month 13", CHY_DER_TIME);
	m = good, m.uids = hexb(a, "81020001");
	walk_case(&m, "unique id", CHY_DER_TAG);
	m = good, m.spki = hexb(a, "3000");
	walk_case(&m, "no key", CHY_DER_TRUNCATED);
}

static void
test_walk_exts(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made good = ordinary(a), m;
	struct bytes basic_ca = ext_of(a, OID_CE_BASIC_CONSTRAINTS, true, BASIC_CA);
	struct bytes cert_sign = ext_of(a, OID_CE_KEY_USAGE, true, USAGE_SIGN);
	struct bytes ski = ext_of(a, OID_CE_SUBJECT_KEY_ID, false, "040101");
	struct bytes none = BYTES_NONE;

	m = good, m.exts = exts_of(a, basic_ca, cert_sign, ski);
	walk_case(&m, "a CA", CHY_NONE);
	m = good, m.exts = exts_of(a, none, none, none);
	walk_case(&m, "empty list", CHY_TBS);
	m = good, m.exts = exts_of(a, ski, cert_sign, ski);
	walk_case(&m, "an extension twice", CHY_EXT_DUPLICATE);
	m = good, m.exts = exts_of(a, basic_ca, ski, none);
	walk_case(&m, "CA without keyUsage", CHY_TBS);
	m = good, m.exts = exts_of(a, basic_ca, cert_sign, none);
	walk_case(&m, "CA without key id", CHY_TBS);
	m = good, m.exts = exts_of(a, cert_sign, ski, none);
	walk_case(&m, "keyCertSign without cA", CHY_TBS);
	m = good, m.exts = exts_of(a, ext_of(a, OID_CE_BASIC_CONSTRAINTS, false, BASIC_CA), cert_sign, ski);
	walk_case(&m, "cA not critical", CHY_TBS);
	m = good, m.exts = exts_of(a, ext_of(a, OID_CE_BASIC_CONSTRAINTS, true, "3003 020100"), none, none);
	walk_case(&m, "path length without cA", CHY_TBS);
	m = good,
	m.exts = exts_of(a, ext_of(a, OID_CE_NAME_CONSTRAINTS, true, "3007 a005 3003 820161"), none, none);
	walk_case(&m, "name constraints without cA", CHY_TBS);
	m = good, m.exts = exts_of(a, ext_of(a, OID_CE_KEY_USAGE, true, "030100"), none, none);
	walk_case(&m, "no usage", CHY_EXT);
	m = good, m.exts = exts_of(a, ext_of(a, OID_CE_EXT_KEY_USAGE, false, "3080 0000"), none, none);
	walk_case(&m, "indefinite inside", CHY_DER_LENGTH);
	m = good,
	m.exts = exts_of(a, ext_of(a, OID_CE_SUBJECT_ALT_NAME, false, "3005 8203 615f62"), none, none);
	walk_case(&m, "underscore in a DNS name", CHY_GNAME);
	m = good, m.subject = hexb(a, "3000");
	m.exts = exts_of(a, ext_of(a, OID_CE_SUBJECT_ALT_NAME, false, "3003 820161"), none, none);
	walk_case(&m, "names alone and not critical", CHY_TBS);
	m.exts = exts_of(a, ext_of(a, OID_CE_SUBJECT_ALT_NAME, true, "3003 820161"), none, none);
	walk_case(&m, "names alone and critical", CHY_NONE);
	m = good, m.exts = hexb(a, "300f 300d 0603551d13 010100 0403 300000");
	walk_case(&m, "critical FALSE", CHY_DER_DEFAULT);
}

/* Cut anywhere the walker and the parser refuse; one bit changed anywhere, they agree on what both accept. */
static void
test_walk_damage(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct cert c;
	uint8_t *copy;

	assert_rc(cert_parse(a, BYTES_OF(v_leaf_cert), &c, &e), RC_OK, &e);
	copy = arena_alloc(a, c.tbs.n);
	assert_non_null(copy);
	for (size_t n = 0; n < c.tbs.n; n++) {
		struct tbs_view v;

		assert_int_equal(tbs_walk(bytes_part(c.tbs, 0, n), &v, NULL), RC_MALFORMED);
	}
	for (size_t bit = 0; bit < 8 * c.tbs.n; bit++) {
		OWN(arena_free)
		struct arena *b = fresh();
		struct tbs_view v;
		struct cert again;

		memcpy(copy, c.tbs.p, c.tbs.n);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (tbs_walk(bytes_of(copy, c.tbs.n), &v, NULL) != RC_OK)
			continue;
		assert_rc(cert_parse_tbs(b, bytes_of(copy, c.tbs.n), &again, &e), RC_OK, &e);
		assert_true(bytes_eq(again.serial, v.serial) && bytes_eq(again.subject, v.subject));
		assert_int_equal(again.exts.n, v.exts_n);
	}
}

/* ---- name constraints ---- */

static struct bytes
constraints_of(struct arena *a, const char *permitted, const char *excluded)
{
	struct gname p, x;
	struct ext_value v = { .kind = OID_CE_NAME_CONSTRAINTS, .critical = true };
	struct err e = { 0 };
	struct ext ext;

	if (permitted != NULL) {
		assert_rc(gname_from_text(a, bytes_str(permitted), GN_CONSTRAINT, &p, &e), RC_OK, &e);
		v.constraints.permitted = (struct gnames){ 1, &p };
	}
	if (excluded != NULL) {
		assert_rc(gname_from_text(a, bytes_str(excluded), GN_CONSTRAINT, &x, &e), RC_OK, &e);
		v.constraints.excluded = (struct gnames){ 1, &x };
	}
	assert_rc(ext_encode(a, &v, &ext, &e), RC_OK, &e);
	return ext.value;
}

static struct bytes
san_of(struct arena *a, const char *name)
{
	struct gname g;
	struct gnames l = { 1, &g };
	struct err e = { 0 };
	struct ext x;

	assert_rc(gname_from_text(a, bytes_str(name), GN_NAME, &g, &e), RC_OK, &e);
	assert_rc(ext_encode(a, &(struct ext_value){ .kind = OID_CE_SUBJECT_ALT_NAME, .names = l }, &x, &e),
		  RC_OK, &e);
	return x.value;
}

static void
test_constraints(void **state)
{
	static const struct {
		const char *permitted, *excluded, *subject, *san;
		bool ok;
	} cases[] = {
		{ "dns:b.example", NULL, "CN=x", "dns:a.b.example", true },
		{ "dns:b.example", NULL, "CN=x", "dns:c.example", false },
		{ "dns:b.example", NULL, "CN=x", "email:a@c.example", true }, /* another kind */
		{ NULL, "dns:b.example", "CN=x", "dns:a.b.example", false },
		{ NULL, "dns:b.example", "CN=x", "dns:a.c.example", true },
		{ "dns:example", "dns:bad.example", "CN=x", "dns:bad.example", false },
		{ "dns:example", "dns:bad.example", "CN=x", "dns:*.example",
		  false }, /* stands for bad.example too */
		{ "dns:example", "dns:a.bad.example", "CN=x", "dns:*.example", true },
		{ "email:b.example", NULL, "emailAddress=a@b.example,CN=x", NULL, true },
		{ "email:b.example", NULL, "emailAddress=a@c.example,CN=x", NULL, false },
		{ "dir:O=x,C=DE", NULL, "CN=a,O=X,C=de", NULL, true },
		{ "dir:O=x,C=DE", NULL, "CN=a,O=y,C=DE", NULL, false },
		{ NULL, "dir:O=x,C=DE", "CN=a,O=x,C=DE", NULL, false },
		{ "dir:O=x,C=DE", NULL, "CN=a,O=x,C=DE", "dir:C=FR", false },
		{ "ip:10.0.0.0/8", NULL, "CN=x", "ip:10.1.2.3", true },
		{ "ip:10.0.0.0/8", NULL, "CN=x", "ip:11.0.0.0", false },
		{ "ip:10.0.0.0/8", NULL, "CN=x", "ip:2001:db8::1", false },
		{ "uri:.b.example", NULL, "CN=x", "uri:https://a.b.example/", true },
		{ "uri:.b.example", NULL, "CN=x", "uri:https://192.0.2.1/", false }, /* not to be judged */
		{ NULL, "uri:.b.example", "CN=x", "uri:urn:x:y", false },            /* the same */
		{ "upn:realm.example", NULL, "CN=x", "upn:a@realm.example", true },
		{ "upn:realm.example", NULL, "CN=x", "upn:a@b.example", false },
		{ "rid:1.2.3", NULL, "CN=x", "rid:1.2.3", false },
		{ "other:1.2.3:#0500", NULL, "CN=x", "other:1.2.3:#0500", false },
		{ "other:1.2.3:#0500", NULL, "CN=x", "other:1.2.4:#0500", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct tbs_view v = { .subject = name_of(a, cases[i].subject) };
		struct bytes nc = constraints_of(a, cases[i].permitted, cases[i].excluded);
		struct err e = { 0 };
		enum rc rc;

		if (cases[i].san != NULL)
			v.san = san_of(a, cases[i].san);
		rc = tbs_check_names(&v, nc, &e);
		if ((rc == RC_OK) != cases[i].ok)
			fail_msg("%s %s in %s, not %s: %s", cases[i].subject, cases[i].san,
				 cases[i].permitted, cases[i].excluded, e.text);
		assert_int_equal(e.code, cases[i].ok ? CHY_NONE : CHY_TBS_NAME);
	}
}

static void
test_constraints_damaged(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct tbs_view v = { .subject = name_of(a, "CN=x"), .san = san_of(a, "dns:a.example") };

	assert_int_equal(tbs_check_names(&v, BYTES_NONE, NULL), RC_OK);
	assert_int_equal(tbs_check_names(&v, hexb(a, "3000"), NULL), RC_MALFORMED);
	assert_int_equal(tbs_check_names(&v, hexb(a, "3004 a002 3000"), NULL), RC_MALFORMED);
	assert_int_equal(tbs_check_names(&v, hexb(a, "3009 a007 3005 870301020300"), NULL), RC_MALFORMED);
}

/* ---- requests ---- */

static void
csr_case(struct arena *a, struct bytes version, struct bytes attributes, const char *what, enum code code)
{
	struct made m = ordinary(a);
	struct bytes info[] = { version, m.subject, m.spki, attributes };
	struct bytes parts[] = { cat(a, info, 4, DER_SEQUENCE), m.alg, hexb(a, "030100") };
	struct err e = { 0 };
	struct csr r;
	enum rc rc = csr_parse(a, cat(a, parts, 3, DER_SEQUENCE), &r, &e);

	if (e.code != code || (rc == RC_OK) != (code == CHY_NONE))
		fail_msg("%s: CHY-%d %s", what, e.code, e.text);
}

#define PASSWORD(v) "3012 06092a864886f70d010907 3105 0c03" v

static void
test_csr_refused(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes v1 = hexb(a, "020100"), none = hexb(a, "a000");

	csr_case(a, v1, none, "ordinary", CHY_NONE);
	csr_case(a, v1, BYTES_NONE, "without attributes", CHY_NONE);
	csr_case(a, hexb(a, "020101"), none, "version 2", CHY_CSR);
	csr_case(a, hexb(a, "0201ff"), none, "version 0", CHY_CSR);
	csr_case(a, v1, hexb(a, "a014" PASSWORD("616263")), "password", CHY_NONE);
	csr_case(a, v1, hexb(a, "a028" PASSWORD("616263") PASSWORD("616264")), "password twice", CHY_CSR);
	csr_case(a, v1, hexb(a, "a028" PASSWORD("616263") PASSWORD("616263")), "equal attributes",
		 CHY_DER_SET_ORDER);
	csr_case(a, v1, hexb(a, "a017 3015 06092a864886f70d010907 3108 0c0161 0c03616263"), "two values",
		 CHY_CSR);
	csr_case(a, v1, hexb(a, "a00f 300d 06092a864886f70d010907 3100"), "no value", CHY_CSR);
	csr_case(a, v1, hexb(a, "a012 3010 06092a864886f70d010907 3103 020105"), "a number as password",
		 CHY_CSR);
	csr_case(a, v1, hexb(a, "a011 300f 06092a864886f70d01090e 3102 3000"), "no extension requested",
		 CHY_EXT);
	csr_case(a, v1, hexb(a, "a01e 301c 06092a864886f70d01090e 310f 300d 300b 0603551d0f 0404 030200 80"),
		 "damaged usage requested", CHY_DER_BITS);
	csr_case(a, v1,
		 hexb(a, "a01f 301d 06092a864886f70d01090e 3110 300e 300c 0603551d11 0405 3003 82012a"),
		 "wildcard alone requested", CHY_GNAME);
	csr_case(a, v1, hexb(a, "a000 0500"), "something behind", CHY_DER_TRAILING);
	csr_case(a, v1, hexb(a, "3000"), "attributes with another tag", CHY_DER_TAG);
}

static void
test_sizes(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	uint8_t *big = arena_alloc(a, LIMIT_CSR + 1);
	struct err e = { 0 };
	struct csr r;
	struct cert c;

	memset(big, 0x30, LIMIT_CSR + 1);
	assert_int_equal(csr_parse(a, bytes_of(big, LIMIT_CSR + 1), &r, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_CSR_SIZE);
	err_clear(&e);
	assert_int_equal(cert_parse(a, bytes_of(big, LIMIT_CERT + 1), &c, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_CERT_SIZE);
	err_clear(&e);
	assert_int_equal(csr_parse(a, BYTES_NONE, &r, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_DER_TRUNCATED);
}

/* No memory at all is an answer, not a crash, at every allocation. */
static void
test_small_arenas(void **state)
{
	for (size_t max = 0; max < 3000; max += 16) {
		OWN(arena_free)
		struct arena *a = arena_new(max);
		struct err e = { 0 };
		struct csr r;
		struct cert c;
		enum rc rc;

		assert_non_null(a);
		rc = csr_parse(a, BYTES_OF(v_full_csr), &r, &e);
		assert_true(rc == RC_OK || rc == RC_NOMEM);
		err_clear(&e);
		rc = cert_parse(a, BYTES_OF(v_leaf_cert), &c, &e);
		assert_true(rc == RC_OK || rc == RC_NOMEM);
	}
}

/* ---- keys ---- */

static void
test_keys(void **state)
{
	static const struct {
		const char *what, *hex;
		enum code code;
	} cases[] = {
		{ "unknown algorithm", "300a 3004 06022a03 03020000", CHY_KEY_ALG },
		{ "EC without curve", "300f 3009 06072a8648ce3d0201 03020004", CHY_DER_TRUNCATED },
		{ "implicit curve", "3011 300b 06072a8648ce3d0201 0500 03020004", CHY_KEY_EXPLICIT },
		{ "explicit curve", "3011 300b 06072a8648ce3d0201 3000 03020004", CHY_KEY_EXPLICIT },
		{ "short point", "301a 3013 06072a8648ce3d0201 06082a8648ce3d030107 0303 000401",
		  CHY_KEY_SIZE },
		{ "point at infinity", "3019 3013 06072a8648ce3d0201 06082a8648ce3d030107 0302 0000",
		  CHY_KEY_FORM },
		{ "hybrid point", "301a 3013 06072a8648ce3d0201 06082a8648ce3d030107 0303 000601",
		  CHY_KEY_FORM },
		{ "unused bits in a point", "301a 3013 06072a8648ce3d0201 06082a8648ce3d030107 0303 010400",
		  CHY_DER_BITS },
		{ "Ed25519 with NULL", "300b 3007 06032b6570 0500 030000", CHY_KEY_FORM },
		{ "Ed25519 of 1 octet", "300b 3005 06032b6570 03020001", CHY_KEY_SIZE },
		{ "RSA without NULL", "3011 300b 06092a864886f70d010101 03020000", CHY_DER_TRUNCATED },
		{ "RSA of 8 bits", "301a 300d 06092a864886f70d010101 0500 0309 00 3006 020141 020103",
		  CHY_KEY_SIZE },
		{ "negative modulus", "301a 300d 06092a864886f70d010101 0500 0309 00 3006 020181 020103",
		  CHY_DER_INTEGER },
		{ "P-192", "3018 3013 06072a8648ce3d0201 06082a8648ce3d030101 0301 00", CHY_KEY_ALG },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		struct pubkey k;

		if (pubkey_parse(hexb(a, cases[i].hex), &k, &e) != RC_MALFORMED || e.code != cases[i].code)
			fail_msg("%s: CHY-%d %s", cases[i].what, e.code, e.text);
	}
}

static void
exponent_case(const char *hex, enum code code)
{
	OWN(arena_free)
	struct arena *a = fresh();
	uint8_t modulus[256];
	OWN_DW struct dw w = dw_growing(4096);
	struct err e = { 0 };
	struct pubkey k;

	memset(modulus, 0xa5, sizeof(modulus));
	dw_spki_rsa(&w, BYTES_OF(modulus), hexb(a, hex));
	assert_int_equal(pubkey_parse(dw_bytes(&w), &k, &e), code ? RC_MALFORMED : RC_OK);
	assert_int_equal(e.code, code);
}

static void
test_exponents(void **state)
{
	exponent_case("010001", CHY_NONE);
	exponent_case("03", CHY_NONE);
	exponent_case("01", CHY_KEY_EXPONENT);
	exponent_case("02", CHY_KEY_EXPONENT);
	exponent_case("00", CHY_KEY_EXPONENT);
	exponent_case("010000", CHY_KEY_EXPONENT);
}

static void
test_key_names(void **state)
{
	static const char *const good[] = { "rsa-2048", "rsa-4096", "p-256",     "p-384",     "p-521",
					    "ed25519",  "ed448",    "ml-dsa-44", "ml-dsa-65", "ml-dsa-87" };
	static const char *const bad[] = { "",          "rsa",   "rsa-", "rsa-2049", "rsa-512",
					   "rsa-99999", "p-192", "ec",   "dsa" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct key_type t;
		char text[KEY_NAME_MAX];

		assert_int_equal(key_type_parse(bytes_str(good[i]), &t, NULL), RC_OK);
		assert_string_equal(key_type_text(text, t), good[i]);
		assert_int_not_equal(sigalg_default(&t), SIGALG_NONE);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct key_type t;

		assert_int_equal(key_type_parse(bytes_str(bad[i]), &t, NULL), RC_MALFORMED);
	}
}

static void
test_ecdsa_values(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	uint8_t rs[64];
	OWN_DW struct dw w = dw_growing(200);

	assert_int_equal(ecdsa_from_der(hexb(a, "3007 020105 02020080"), 32, rs, NULL), RC_OK);
	assert_int_equal(rs[31], 5);
	assert_int_equal(rs[63], 0x80);
	dw_ecdsa(&w, BYTES_OF(rs));
	assert_true(bytes_eq(dw_bytes(&w), hexb(a, "3007 020105 02020080")));
	assert_int_equal(ecdsa_from_der(hexb(a, "3007 020105 02020005"), 32, rs, NULL), RC_MALFORMED);
	assert_int_equal(ecdsa_from_der(hexb(a, "3006 020105 0201ff"), 32, rs, NULL), RC_MALFORMED);
	assert_int_equal(ecdsa_from_der(hexb(a, "3007 020105 02020100"), 1, rs, NULL), RC_MALFORMED);
	assert_int_equal(ecdsa_from_der(hexb(a, "3003 020105"), 32, rs, NULL), RC_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk_fields),
		cmocka_unit_test(test_walk_exts),
		cmocka_unit_test(test_walk_damage),
		cmocka_unit_test(test_constraints),
		cmocka_unit_test(test_constraints_damaged),
		cmocka_unit_test(test_csr_refused),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_small_arenas),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_exponents),
		cmocka_unit_test(test_key_names),
		cmocka_unit_test(test_ecdsa_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
