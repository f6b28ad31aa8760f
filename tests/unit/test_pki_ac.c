/*
 * Attribute certificates (RFC 5755): read what another writer has made, make our own and read them again, refuse what breaks
 * the profile. Every rule of the signer's walker has a case that breaks it alone.
 */
#include "pki_made.h"

#include "base/clock.h"
#include "base/file.h"
#include "pki/ac.h"

static int64_t
at(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(bytes_str(text), &ms, NULL), RC_OK);
	return ms;
}

/* ---- made by another ---- */

static struct ac
foreign(struct arena *a, const char *file)
{
	struct err e = { 0 };
	struct bytes der;
	struct ac c;

	assert_rc(
	    file_read(a, arena_printf(a, "%s/tests/fuzz/corpus/ac/%s.der", getenv("CHANCERY_SOURCE"), file),
		      LIMIT_CERT, &der, &e),
	    RC_OK, &e);
	assert_rc(ac_parse(a, der, &c, &e), RC_OK, &e);
	return c;
}

static struct bytes
text_of_attr(struct arena *a, const struct ac_attr *x)
{
	OWN_BUF struct buf b = buf_max(4096);

	ac_attr_put_text(&b, x);
	return arena_dup(a, buf_bytes(&b));
}

static void
reads_what_another_wrote(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ac c = foreign(a, "both");

	assert_true(name_eq(c.base_issuer, name_of(a, "CN=CA,O=Example,C=SE")));
	assert_true(bytes_eq(c.base_serial, BYTES("\x12\x67")));
	assert_int_equal(c.entity.n, 1);
	assert_true(name_eq(c.entity.v[0].value, name_of(a, "CN=Holder,O=Example,C=SE")));
	assert_true(name_eq(c.issuer, name_of(a, "CN=Attributes,O=Example,C=SE")));
	assert_int_equal(c.not_before_at, at("2026-01-01T00:00:00Z"));
	assert_int_equal(c.attrs.n, 4);
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[1]), "staff, night by uri:https://groups.example/"));
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[2]), "0102"));
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[3]), "1.2.3.4 secret,topSecret"));
	assert_non_null(exts_find(&c.exts, OID_CE_NO_REV_AVAIL));
	assert_true(ac_is(c.der));
}

/* ---- our own ---- */

static struct ac_attr
attr(struct arena *a, const char *oid, const char *one, const char *two)
{
	const struct bytes texts[] = { bytes_str(one), two ? bytes_str(two) : BYTES_NONE };
	struct err e = { 0 };
	struct ac_attr x;
	struct bytes der;

	assert_rc(oid_parse(a, bytes_str(oid), &der, &e), RC_OK, &e);
	assert_rc(ac_attr_from_text(a, der, NULL, texts, two ? 2 : 1, &x, &e), RC_OK, &e);
	return x;
}

static struct ext
ext(struct arena *a, const struct ext_value *v)
{
	struct err e = { 0 };
	struct ext x;

	assert_rc(ext_encode(a, v, &x, &e), RC_OK, &e);
	return x;
}

static struct ac_inputs
inputs(struct arena *a)
{
	static struct gname holder;
	static struct ac_attr attrs[5];
	static struct ext exts[3];
	static struct ac_target target = { .name = { .type = GN_DNS,
						     .value = { (const uint8_t *)"a.example", 9 } } };

	holder = (struct gname){ .type = GN_DIR, .value = name_of(a, "CN=Holder") };
	attrs[0] = attr(a, "role", "urn:role:clerk", "urn:role:auditor");
	attrs[1] = attr(a, "group", "staff", "night");
	attrs[2] = attr(a, "clearance", "1.2.3 secret", NULL);
	attrs[4] = attr(a, "accessIdentity", "uri:https://a.example email:clerk@a.example", NULL);
	attrs[3] = attr(a, "1.2.3.99", "0c0161", "020105");
	exts[0] = ext(
	    a,
	    &(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = BYTES("12345678") } });
	exts[1] = ext(
	    a, &(struct ext_value){ .kind = OID_CE_TARGETS, .critical = true, .targets = { 1, &target } });
	exts[2] = ext(a, &(struct ext_value){ .kind = OID_CE_NO_REV_AVAIL });
	return (struct ac_inputs){
		.sigalg = SIGALG_ECDSA_SHA256,
		.base_issuer = name_of(a, "CN=CA"),
		.base_serial = BYTES("\x12\x67"),
		.entity = { 1, &holder },
		.issuer = name_of(a, "CN=Attributes"),
		.serial = BYTES("\x01\x02"),
		.not_before_at = at("2026-01-01T00:00:00Z"),
		.not_after_at = at("2060-01-01T00:00:00Z"),
		.attrs = { 5, attrs },
		.exts = { 3, exts },
	};
}

static struct bytes
built(struct arena *a, const struct ac_inputs *in)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct err e = { 0 };
	struct bytes r;

	assert_rc(ac_tbs_build(in, &w, &e), RC_OK, &e);
	assert_rc(dw_dup(&w, a, &r, &e), RC_OK, &e);
	return r;
}

static void
builds_what_it_reads(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	OWN_BUF struct buf text = buf_max(1 << 16);
	struct ac_inputs in = inputs(a);
	struct bytes tbs = built(a, &in);
	struct err e = { 0 };
	struct ac_view v;
	struct ac c;

	assert_rc(ac_parse_tbs(a, tbs, &c, &e), RC_OK, &e);
	assert_rc(ac_tbs_walk(tbs, &v, &e), RC_OK, &e);
	assert_true(bytes_eq(v.base_issuer, in.base_issuer) && bytes_eq(v.base_serial, in.base_serial));
	assert_true(bytes_eq(v.issuer, in.issuer) && v.no_revocation && v.attrs_n == 5 && v.exts_n == 3);
	assert_int_equal(v.not_after_at, in.not_after_at);
	assert_true(bytes_eq(c.entity.v[0].value, name_of(a, "CN=Holder")));
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[0]), "uri:urn:role:clerk, uri:urn:role:auditor"));
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[1]), "staff, night"));
	assert_int_equal(c.attrs.v[1].n, 1);
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[2]), "1.2.3 secret"));
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[3]), "#020105, #0c0161"));
	assert_true(bytes_is(text_of_attr(a, &c.attrs.v[4]), "uri:https://a.example email:clerk@a.example"));
	ac_put_text(&text, &c);
	assert_non_null(memmem(text.p, text.n, "targetInformation (critical): dns:a.example", 43));
	assert_non_null(ac_json(a, &c));
}

/* CM-C-21: nothing of a key is in it, and without a base certificate nothing is signed. */
static void
names_its_base_and_holds_no_key(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ac_inputs in = inputs(a);
	struct ac_view v;
	struct err e = { 0 };

	in.base_issuer = in.base_serial = BYTES_NONE;
	assert_int_equal(ac_tbs_walk(built(a, &in), &v, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_AC_TBS);
	in = inputs(a);
	in.exts.v[2] = ext(a,
			   &(struct ext_value){ .kind = OID_CE_SUBJECT_KEY_ID, .key_id = BYTES("12345678") });
	err_clear(&e);
	assert_int_equal(ac_tbs_walk(built(a, &in), &v, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_AC_TBS);
}

static void
refuses_wrong_texts(void **state)
{
	static const struct {
		const char *oid, *text;
		enum code code;
	} cases[] = {
		{ "role", "clerk", CHY_GNAME },
		{ "group", "", CHY_AC_ATTRIBUTE },
		{ "clearance", "secret", CHY_OID_TEXT },
		{ "clearance", "1.2.3 cosmic", CHY_AC_ATTRIBUTE },
		{ "accessIdentity", "uri:https://a.example", CHY_AC_ATTRIBUTE },
		{ "accessIdentity", "uri:https://a.example who", CHY_GNAME_TEXT },
		{ "1.2.3.99", "0c02", CHY_DER_TRUNCATED },
		{ "1.2.3.99", "zz", CHY_HEX },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct bytes oid, text = bytes_str(cases[i].text);
		struct err e = { 0 };
		struct ac_attr x;

		assert_rc(oid_parse(a, bytes_str(cases[i].oid), &oid, &e), RC_OK, &e);
		assert_int_not_equal(ac_attr_from_text(a, oid, NULL, &text, 1, &x, &e), RC_OK);
		if (e.code != cases[i].code)
			fail_msg("%s %s: CHY-%d %s", cases[i].oid, cases[i].text, e.code, e.text);
	}
}

static void
refuses_a_value_twice(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	const struct bytes twice[] = { BYTES("urn:a"), BYTES("urn:a") };
	struct err e = { 0 };
	struct ac_attr x;

	assert_int_not_equal(ac_attr_from_text(a, oid_der(OID_ACA_ROLE), NULL, twice, 2, &x, &e), RC_OK);
	assert_int_equal(e.code, CHY_AC_ATTRIBUTE);
}

/* ---- what the walker refuses, one thing at a time ---- */

/* The parts as hexadecimal; a case replaces some of them. */
struct parts {
	const char *version, *holder, *issuer, *alg, *serial, *validity, *attrs, *exts;
};

#define CN_CA "300d 310b 3009 0603550403 0c026361"
#define DIR_CA "a40f " CN_CA
#define NAMES_CA "3011 " DIR_CA
#define VALID "3022 180f 32303236303130313030303030305a 180f 32303237303130313030303030305a"
#define GROUP "3014 0608 2b060105 05070a04 3108 3006 3004 0c02 6161"
static const struct parts good = {
	"020101",         "3018 a016 " NAMES_CA " 020105",
	"a013 " NAMES_CA, "300a 0608 2a8648ce3d040302",
	"020101",         VALID,
	"3016 " GROUP,    NULL,
};

static struct bytes
made(struct arena *a, struct parts p)
{
	const struct bytes parts[] = { hexb(a, p.version ? p.version : good.version),
				       hexb(a, p.holder ? p.holder : good.holder),
				       hexb(a, p.issuer ? p.issuer : good.issuer),
				       hexb(a, p.alg ? p.alg : good.alg),
				       hexb(a, p.serial ? p.serial : good.serial),
				       hexb(a, p.validity ? p.validity : good.validity),
				       hexb(a, p.attrs ? p.attrs : good.attrs),
				       hexb(a, p.exts ? p.exts : "") };

	return cat(a, parts, ARRAY_LEN(parts), DER_SEQUENCE);
}

static const struct {
	const char *what;
	struct parts p;
	enum code code; /* CHY_NONE: passes */
} walks[] = {
	{ "nothing wrong", { 0 }, CHY_NONE },
	{ "version 1", { .version = "020100" }, CHY_AC_TBS },
	{ "no holder", { .holder = "3000" }, CHY_AC_TBS },
	{ "an entity alone", { .holder = "3013 a111 " DIR_CA }, CHY_AC_TBS },
	{ "a base serial of 21 octets",
	  { .holder = "302c a02a " NAMES_CA " 0215 010203040506070809101112131415161718192021" },
	  CHY_AC_TBS },
	{ "v1Form", { .issuer = NAMES_CA }, CHY_DER_TAG },
	{ "no issuer's name", { .issuer = "a006 3004 a402 3000" }, CHY_AC_TBS },
	{ "two issuers' names", { .issuer = "a024 3022 " DIR_CA DIR_CA }, CHY_DER_TRAILING },
	{ "an algorithm unknown", { .alg = "3005 0603 2a0304" }, CHY_SIGALG },
	{ "serial 0", { .serial = "020100" }, CHY_AC_TBS },
	{ "a negative serial", { .serial = "020180" }, CHY_AC_TBS },
	{ "UTCTime",
	  { .validity = "3020 170d 3236303130313030303030305a 180f 32303237303130313030303030305a" },
	  CHY_AC_TBS },
	{ "over before it begins",
	  { .validity = "3022 180f 32303237303130313030303030305a 180f 32303236303130313030303030305a" },
	  CHY_AC_TBS },
	{ "no attributes", { .attrs = "3000" }, CHY_AC_TBS },
	{ "an attribute without values", { .attrs = "300c 300a 0606 2b0601050507 3100" }, CHY_AC_TBS },
	{ "an attribute twice", { .attrs = "302c " GROUP GROUP }, CHY_AC_TBS },
	{ "a group with two values",
	  { .attrs = "301e 301c 0608 2b060105 05070a04 3110 3006 3004 0c02 6161 3006 3004 0c02 6162" },
	  CHY_AC_TBS },
	{ "a group of different items",
	  { .attrs = "301a 3018 0608 2b060105 05070a04 310c 300a 3008 0c02 6161 0402 6161" },
	  CHY_DER_TAG },
	{ "a role that is no URI", { .attrs = "3010 300e 0603 550448 3107 3005 a103 8201 61" }, CHY_AC_TBS },
	{ "the default class written",
	  { .attrs = "3012 3010 0603 550437 3109 3007 0601 2a 0302 0640" },
	  CHY_AC_TBS },
	{ "noRevAvail", { .exts = "300b 3009 0603 551d38 0402 0500" }, CHY_NONE },
	{ "noRevAvail critical", { .exts = "300e 300c 0603 551d38 0101ff 0402 0500" }, CHY_AC_TBS },
	{ "no extensions in their list", { .exts = "3000" }, CHY_AC_TBS },
	{ "an extension twice",
	  { .exts = "3016 3009 0603 551d38 0402 0500 3009 0603 551d38 0402 0500" },
	  CHY_EXT_DUPLICATE },
	{ "auditIdentity not critical",
	  { .exts = "3011 300f 0608 2b06010505070104 0403 0401 01" },
	  CHY_AC_TBS },
	{ "keyUsage", { .exts = "300d 300b 0603 551d0f 0404 0302 0780" }, CHY_AC_TBS },
	{ "critical and unknown", { .exts = "300e 300c 0603 2a0304 0101ff 0402 0500" }, CHY_AC_TBS },
	{ "unknown and not critical", { .exts = "300b 3009 0603 2a0304 0402 0500" }, CHY_NONE },
	{ "an extension that is no DER", { .exts = "300b 3009 0603 2a0304 0402 0501" }, CHY_DER_TRUNCATED },
};

static void
walks_by_every_rule(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		struct ac_view v;
		enum rc rc = ac_tbs_walk(made(a, walks[i].p), &v, &e);

		if (e.code != walks[i].code || (rc == RC_OK) != (walks[i].code == CHY_NONE))
			fail_msg("%s: CHY-%d %s: %s", walks[i].what, e.code, e.field, e.text);
	}
}

static void
refuses_every_beginning(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ac_inputs in = inputs(a);
	struct bytes tbs = built(a, &in);
	struct ac_view v;

	for (size_t n = 0; n < tbs.n; n++)
		assert_int_not_equal(ac_tbs_walk(bytes_part(tbs, 0, n), &v, NULL), RC_OK);
}

static const struct CMUnitTest tests[] = {
	{ "reads what another wrote", reads_what_another_wrote, NULL, NULL, NULL },
	{ "builds what it reads", builds_what_it_reads, NULL, NULL, NULL },
	{ "names its base and holds no key rows=CM-C-21", names_its_base_and_holds_no_key, NULL, NULL, NULL },
	{ "refuses wrong texts", refuses_wrong_texts, NULL, NULL, NULL },
	{ "refuses a value twice", refuses_a_value_twice, NULL, NULL, NULL },
	{ "walks by every rule", walks_by_every_rule, NULL, NULL, NULL },
	{ "refuses every beginning", refuses_every_beginning, NULL, NULL, NULL },
};

int
main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
