/* Every lint by a certificate that breaks it, and the listings. */
#include "pki_made.h"

/* ---- lints ---- */

static void
lints_of(struct arena *a, const struct made *m, struct lint_verdicts *v)
{
	struct err e = { 0 };
	struct cert c;

	assert_rc(cert_parse_tbs(a, tbs_of(m), &c, &e), RC_OK, &e);
	assert_rc(lint_cert(a, &c, v, &e), RC_OK, &e);
	assert_int_equal(v->n, lint_count());
}

static enum lint_outcome
outcome(const struct lint_verdicts *v, const char *id)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->v[i].lint->id, id) == 0)
			return v->v[i].outcome;
	fail_msg("no lint %s", id);
	return LINT_NA;
}

/* Every lint has a name of its own, and there are enough of them. */
static void
test_lint_table(void **state)
{
	assert_true(lint_count() >= 80);
	for (size_t i = 0; i < lint_count(); i++) {
		assert_true(strlen(lint_at(i)->id) > 0 && strlen(lint_at(i)->text) > 0 &&
			    lint_at(i)->std[0] != 0);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(lint_at(i)->id, lint_at(k)->id);
	}
}

static void
test_lints_fail(void **state)
{
	/* an extension, a changed subject or nothing, and the lint that must fail for it */
	static const struct {
		enum oid oid;
		bool critical;
		const char *hex, *subject, *lint;
	} cases[] = {
		{ OID_NONE, false, NULL, "C=#0c024445,CN=x", "rfc5280-A.1-country-printable" },
		{ OID_NONE, false, NULL, "C=de,CN=x", "rfc5280-A.1-country-letters" },
		{ OID_NONE, false, NULL, "C=DEU,CN=x", "rfc5280-A.1-subject-bounds" },
		{ OID_NONE, false, NULL, "CN=#1e020061", "rfc5280-4.1.2.4-string-types" },
		{ OID_NONE, false, NULL, "serialNumber=#0c0131", "rfc5280-A.1-serial-number-printable" },
		{ OID_NONE, false, NULL, "DC=#0c0131", "rfc5280-A.1-dc-ia5" },
		{ OID_NONE, false, NULL, "emailAddress=#0c0131", "rfc5280-A.1-email-ia5" },
		{ OID_NONE, false, NULL, "emailAddress=a@b.example", "rfc5280-4.1.2.6-email-in-san" },
		{ OID_NONE, false, NULL, "CN=x", "rfc5280-4.2.1.1-aki-present" },
		{ OID_NONE, false, NULL, "CN=x", "rfc5280-4.2.1.2-ski-end-entity" },
		{ OID_NONE, false, NULL, "CN=x", "cabf-7.1-serial-entropy" },
		{ OID_NONE, false, NULL, "CN=x", "chancery-revocation-known" },
		{ OID_NONE, false, NULL, "", "rfc5280-4.1.2.6-subject-or-san" },
		{ OID_CE_KEY_USAGE, true, "030100", "CN=x", "rfc5280-4.2-extension-syntax" },
		{ OID_NS_COMMENT, true, "160161", "CN=x", "rfc5280-4.2-critical-known" },
		{ OID_CE_AUTHORITY_KEY_ID, true, "3003 800161", "CN=x", "rfc5280-4.2.1.1-aki-not-critical" },
		{ OID_CE_SUBJECT_KEY_ID, true, "040161", "CN=x", "rfc5280-4.2.1.2-ski-not-critical" },
		{ OID_CE_BASIC_CONSTRAINTS, true, BASIC_CA, "CN=x", "rfc5280-4.2.1.2-ski-ca" },
		{ OID_CE_BASIC_CONSTRAINTS, true, BASIC_CA, "CN=x", "rfc5280-4.2.1.3-ca-has-key-usage" },
		{ OID_CE_BASIC_CONSTRAINTS, true, BASIC_CA, "CN=x", "rfc5280-4.2.1.9-ca-keyusage" },
		{ OID_CE_BASIC_CONSTRAINTS, true, BASIC_CA, "", "rfc5280-4.1.2.6-ca-subject" },
		{ OID_CE_BASIC_CONSTRAINTS, false, BASIC_CA, "CN=x", "rfc5280-4.2.1.9-ca-critical" },
		{ OID_CE_BASIC_CONSTRAINTS, true, "3003 020100", "CN=x", "rfc5280-4.2.1.9-path-length" },
		{ OID_CE_KEY_USAGE, false, "03020780", "CN=x", "rfc5280-4.2.1.3-critical" },
		{ OID_CE_KEY_USAGE, true, USAGE_SIGN, "CN=x", "rfc5280-4.2.1.3-cert-sign-ca" },
		{ OID_CE_KEY_USAGE, true, "03020520", "CN=x", "rfc5480-3-key-usage-fits-key" },
		{ OID_CE_KEY_USAGE, true, "03020001", "CN=x", "rfc5280-4.2.1.3-encipher-only" },
		{ OID_CE_SUBJECT_ALT_NAME, false, "3003 820161", "", "rfc5280-4.2.1.6-critical-when-alone" },
		{ OID_CE_SUBJECT_ALT_NAME, true, "3003 820161", "CN=x", "rfc5280-4.2.1.6-not-critical" },
		{ OID_CE_SUBJECT_ALT_NAME, false, "3003 82012a", "CN=x", "rfc5280-4.2.1.6-syntax" },
		{ OID_CE_SUBJECT_ALT_NAME, false, "3006 820161 820141", "CN=x", "rfc5280-4.2.1.6-once" },
		{ OID_CE_ISSUER_ALT_NAME, false, "3003 82012a", "CN=x", "rfc5280-4.2.1.7-syntax" },
		{ OID_CE_ISSUER_ALT_NAME, true, "3003 820161", "CN=x", "rfc5280-4.2.1.7-not-critical" },
		{ OID_CE_SUBJECT_DIR_ATTRS, true, "300b 3009 06022a03 3103 020105", "CN=x",
		  "rfc5280-4.2.1.8-not-critical" },
		{ OID_CE_NAME_CONSTRAINTS, false, "3007 a005 3003 820161", "CN=x",
		  "rfc5280-4.2.1.10-critical" },
		{ OID_CE_NAME_CONSTRAINTS, true, "3007 a005 3003 820161", "CN=x", "rfc5280-4.2.1.10-ca" },
		{ OID_CE_POLICY_CONSTRAINTS, false, "3003 800100", "CN=x", "rfc5280-4.2.1.11-critical" },
		{ OID_CE_POLICY_CONSTRAINTS, true, "3003 800100", "CN=x", "rfc5280-4.2.1.11-ca" },
		{ OID_CE_POLICY_MAPPINGS, false, "300a 3008 06022a03 06022a04", "CN=x",
		  "rfc5280-4.2.1.5-critical" },
		{ OID_CE_POLICY_MAPPINGS, true, "300a 3008 06022a03 06022a04", "CN=x", "rfc5280-4.2.1.5-ca" },
		{ OID_CE_EXT_KEY_USAGE, true, "3006 0604551d2500", "CN=x", "rfc5280-4.2.1.12-any-critical" },
		{ OID_CE_EXT_KEY_USAGE, false, "300a 06082b06010505070308", "CN=x",
		  "rfc3161-2.3-time-stamping" },
		{ OID_CE_CRL_POINTS, true, "3009 3007 a005 a003 820161", "CN=x",
		  "rfc5280-4.2.1.13-not-critical" },
		{ OID_CE_CRL_POINTS, false, "3009 3007 a005 a003 820161", "CN=x", "rfc5280-4.2.1.13-uri" },
		{ OID_CE_INHIBIT_ANY, false, "020100", "CN=x", "rfc5280-4.2.1.14-critical" },
		{ OID_CE_INHIBIT_ANY, true, "020100", "CN=x", "rfc5280-4.2.1.14-ca" },
		{ OID_CE_FRESHEST_CRL, true, "3009 3007 a005 a003 820161", "CN=x",
		  "rfc5280-4.2.1.15-not-critical" },
		{ OID_PE_AUTHORITY_INFO, true, "300f 300d 06082b06010505073001 820161", "CN=x",
		  "rfc5280-4.2.2.1-not-critical" },
		{ OID_PE_AUTHORITY_INFO, false, "300f 300d 06082b06010505073001 820161", "CN=x",
		  "rfc5280-4.2.2.1-ocsp-uri" },
		{ OID_PE_SUBJECT_INFO, true, "3009 3007 06022a03 820161", "CN=x",
		  "rfc5280-4.2.2.2-not-critical" },
		{ OID_PE_TLS_FEATURE, true, "3003 020105", "CN=x", "rfc7633-4-not-critical" },
		{ OID_PE_OCSP_NOCHECK, false, "0500", "CN=x", "rfc6960-4.2.2.2.1-no-check" },
		{ OID_CE_POLICIES, false, "3011 300f 0604551d2000 3007 3005 06012a 0500", "CN=x",
		  "rfc5280-4.2.1.4-any-policy-qualifiers" },
		/* qualified: QcCompliance; QcType esign and eseal; QcType of an unknown type; QcSSCD; PDS by http in German */
		{ OID_PE_QC_STATEMENTS, true, "300a 3008 0606 04008e460101", "CN=x",
		  "en319412-5-4.1-not-critical" },
		{ OID_PE_QC_STATEMENTS, false, "3014 3008 0606 04008e460101 3008 0606 04008e460101", "CN=x",
		  "rfc3739-3.2.6-statement-once" },
		{ OID_PE_QC_STATEMENTS, false, "300a 3008 0606 04008e460101", "CN=x",
		  "en319412-5-4.3.4-pds-present" },
		{ OID_PE_QC_STATEMENTS, false, "300a 3008 0606 04008e460101", "CN=x",
		  "en319412-2-4.3.3-policies" },
		{ OID_PE_QC_STATEMENTS, false, "300a 3008 0606 04008e460101", "CN=x",
		  "en319412-2-4.4.1-ca-issuers" },
		{ OID_PE_QC_STATEMENTS, false, "300a 3008 0606 04008e460101", "CN=x",
		  "en319412-2-4.4.1-revocation" },
		{ OID_PE_QC_STATEMENTS, false, "300a 3008 0606 04008e460101", "CN=x",
		  "en319412-2-4.2.3-issuer" },
		{ OID_PE_QC_STATEMENTS, false, "300a 3008 0606 04008e460104", "CN=x",
		  "en319412-5-4.2.2-sscd-qualified" },
		{ OID_PE_QC_STATEMENTS, false, "3010 300e 0606 04008e460106 3004 06022a03", "CN=x",
		  "en319412-5-4.2.3-type-known" },
		{ OID_PE_QC_STATEMENTS, false,
		  "3028 3008 0606 04008e460101 301c 0606 04008e460106 3012 0607 04008e46010601 0607 "
		  "04008e46010602",
		  "CN=x", "en319412-5-4.2.3-type-one" },
		{ OID_PE_QC_STATEMENTS, false, "3015 3013 0606 04008e460106 3009 0607 04008e46010601", "CN=x",
		  "en319412-2-4.2.4-natural-subject" },
		{ OID_PE_QC_STATEMENTS, false, "3015 3013 0606 04008e460106 3009 0607 04008e46010601", "CN=x",
		  "en319412-2-4.2.4-natural-serial" },
		{ OID_PE_QC_STATEMENTS, false, "3015 3013 0606 04008e460106 3009 0607 04008e46010601", "CN=x",
		  "en319412-2-4.3.2-key-usage-kind" },
		{ OID_PE_QC_STATEMENTS, false, "3015 3013 0606 04008e460106 3009 0607 04008e46010601",
		  "GN=a,SN=b,pseudonym=c,CN=x", "en319412-2-4.2.4-pseudonym-alone" },
		{ OID_PE_QC_STATEMENTS, false, "3015 3013 0606 04008e460106 3009 0607 04008e46010602", "CN=x",
		  "en319412-3-4.2.1-legal-subject" },
		{ OID_PE_QC_STATEMENTS, false,
		  "3021 301f 0606 04008e460105 3015 3013 160d 687474703a2f2f612e622f7064 1302 6465", "CN=x",
		  "en319412-5-4.3.4-pds-https" },
		{ OID_PE_QC_STATEMENTS, false,
		  "3021 301f 0606 04008e460105 3015 3013 160d 687474703a2f2f612e622f7064 1302 6465", "CN=x",
		  "en319412-5-4.3.4-pds-english" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct made m = ordinary(a);
		struct lint_verdicts v;

		m.subject = name_of(a, cases[i].subject);
		if (cases[i].hex != NULL)
			m.exts = exts_of(a, ext_of(a, cases[i].oid, cases[i].critical, cases[i].hex),
					 BYTES_NONE, BYTES_NONE);
		lints_of(a, &m, &v);
		if (outcome(&v, cases[i].lint) != LINT_FAIL)
			fail_msg("%s does not fail for case %zu", cases[i].lint, i);
		assert_true(v.errors + v.warnings + v.notices > 0);
		assert_non_null(lint_json(a, &v, true));
	}
}

/* Fields that are not extensions. */
static void
test_lints_fields(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made good = ordinary(a), m;
	struct lint_verdicts v;

	m = good, m.version = BYTES_NONE;
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.1-version-3"), LINT_FAIL);
	m = good, m.serial = hexb(a, "0201ff");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.2-serial-positive"), LINT_FAIL);
	m = good, m.alg = hexb(a, "300d 06092a864886f70d010105 0500");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.3-known-algorithm"), LINT_FAIL);
	m = good, m.issuer = hexb(a, "3000");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.4-issuer-not-empty"), LINT_FAIL);
	m = good, m.issuer = name_of(a, "C=DEU");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-A.1-issuer-bounds"), LINT_FAIL);
	m = good,
	m.validity = hexb(a, "3020 170d 3236303130313030303030305a 180f 32303237303130313030303030305a");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.5-time-encoding"), LINT_FAIL);
	m = good,
	m.validity = hexb(a, "301e 170d 3237303130313030303030305a 170d 3236303130313030303030305a");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.5-time-order"), LINT_FAIL);
	m = good, m.uids = hexb(a, "81020001");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.8-no-unique-ids"), LINT_FAIL);
	m = good, m.spki = hexb(a, "300b 3004 06022a03 0303000102");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.1.2.7-key-syntax"), LINT_FAIL);
	m = good;
	m.spki = hexb(
	    a,
	    "3081 9d 300d 06092a864886f70d010101 0500 0381 8b 00 3081 87 0281 81 00 "
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff 020103");
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "sp800-57-rsa-size"), LINT_FAIL);
	assert_int_equal(outcome(&v, "cabf-6.1.6-rsa-exponent"), LINT_FAIL);
}

/* A two-extension case, and the openssl leaf, which breaks what its configuration says it breaks. */
static void
test_lints_together(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct made m = ordinary(a);
	struct lint_verdicts v;
	struct err e = { 0 };
	struct cert c;

	m.exts = exts_of(a, ext_of(a, OID_CE_KEY_USAGE, true, "03020640"),
			 ext_of(a, OID_CE_EXT_KEY_USAGE, false, "300a 06082b06010505070303"), BYTES_NONE);
	lints_of(a, &m, &v);
	assert_int_equal(outcome(&v, "rfc5280-4.2.1.12-fits-key-usage"), LINT_FAIL);
	assert_rc(cert_parse(a, BYTES_OF(v_ca_cert), &c, &e), RC_OK, &e);
	assert_rc(lint_cert(a, &c, &v, &e), RC_OK, &e);
	assert_int_equal(v.errors, 2); /* its configuration has all three of them not critical */
	assert_int_equal(outcome(&v, "rfc5280-4.2.1.5-critical"), LINT_FAIL);
	assert_int_equal(outcome(&v, "rfc5280-4.2.1.11-critical"), LINT_FAIL);
	assert_int_equal(outcome(&v, "rfc5280-4.2.1.14-critical"), LINT_FAIL);
	assert_rc(cert_parse(a, BYTES_OF(v_leaf_cert), &c, &e), RC_OK, &e);
	assert_rc(lint_cert(a, &c, &v, &e), RC_OK, &e);
	assert_int_equal(outcome(&v, "en319412-2-4.3.2-commitment-alone"), LINT_FAIL);
	assert_int_equal(outcome(&v, "en319412-2-4.2.4-natural-subject"), LINT_FAIL);
	assert_int_equal(outcome(&v, "en319412-5-4.3.4-pds-https"), LINT_PASS);
}

/* ---- listings ---- */

static void
test_listing(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	OWN_BUF struct buf text = buf_max(65536);
	struct err e = { 0 };
	struct json *j;
	struct cert c;

	assert_rc(cert_parse(a, BYTES_OF(v_ca_cert), &c, &e), RC_OK, &e);
	cert_put_text(&text, &c);
	assert_non_null(strstr(buf_cstr(&text),
			       "Subject     CN=host.example,OU=Unit\\, with comma,O=Example Org,C=DE\n"));
	assert_non_null(strstr(buf_cstr(&text), "Key         p-384\n"));
	assert_non_null(strstr(buf_cstr(&text), "Signed by   ecdsa-sha384\n"));
	assert_non_null(strstr(buf_cstr(&text), "  basicConstraints (critical): CA, path length 1\n"));
	j = cert_json(a, &c);
	assert_non_null(j);
	assert_true(bytes_is(json_get(j, "key")->str, "p-384"));
	assert_int_equal(json_get(j, "extensions")->count, c.exts.n);
	assert_true(bytes_is(json_get(json_get(j, "extensions")->first, "name")->str, "basicConstraints"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lint_table),   cmocka_unit_test(test_lints_fail),
		cmocka_unit_test(test_lints_fields), cmocka_unit_test(test_lints_together),
		cmocka_unit_test(test_listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
