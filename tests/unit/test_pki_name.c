/* Distinguished names and general names: text, DER, comparison, syntax, subtrees. */
#include "pki_util.h"

#include "pki/gname.h"

#include "../vectors/pki/vectors.h"

static struct name
named(struct arena *a, const char *text)
{
	struct err e = { 0 };
	struct name n;

	assert_rc(name_from_text(a, bytes_str(text), &n, &e), RC_OK, &e);
	return n;
}

/* ---- RFC 4514 ---- */

/* What is read and how it is written again. */
static const struct {
	const char *in, *out;
	size_t avas, rdns;
} texts[] = {
	{ "CN=a", NULL, 1, 1 },
	{ "", NULL, 0, 0 },
	{ "UID=jsmith,DC=example,DC=net", NULL, 3, 3 },
	{ "OU=Sales+CN=J.  Smith,DC=example,DC=net", NULL, 4, 3 },
	{ "CN=J.  Smith+OU=Sales,C=DE", "OU=Sales+CN=J.  Smith,C=DE", 3, 2 },
	{ "CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net", NULL, 3, 3 },
	{ "CN=Before\\0dAfter,DC=example", "CN=Before\\0DAfter,DC=example", 2, 2 },
	{ "1.3.6.1.4.1.1466.0=#0C024869", NULL, 1, 1 },
	{ "CN=Lu\\C4\\8Di\\C4\\87", "CN=Lu\xc4\x8di\xc4\x87", 1, 1 },
	{ "cn=a, o = b c ,C=DE", "CN=a,O=b c,C=DE", 3, 3 },
	{ "CN=\\ a\\ ", NULL, 1, 1 },
	{ "CN=\\ \\ a \\ ", "CN=\\  a \\ ", 1, 1 },
	{ "CN=\\#a#", NULL, 1, 1 },
	{ "CN=a=b", NULL, 1, 1 },
	{ "CN=", NULL, 1, 1 },
	{ "CN=\\00x", NULL, 1, 1 },
	{ "CN=\\;\\<\\>\\+\\\\", NULL, 1, 1 },
	{ "OID.2.5.4.3=a", "CN=a", 1, 1 },
	{ "2.5.4.3=a", "CN=a", 1, 1 },
	{ "2.5.4.99=a", "2.5.4.99=#0C0161", 1, 1 },
	{ "CN=#0c0161", "CN=a", 1, 1 },
	{ "CN=#1e020061", "CN=a", 1, 1 },
	{ "CN=#1c0400000061", "CN=a", 1, 1 },
	{ "CN=#1401fc", "CN=\xc3\xbc", 1, 1 },
	{ "organizationIdentifier=VATDE-1,O=b", NULL, 2, 2 },
	{ "emailAddress=a@b.example,C=DE", NULL, 2, 2 },
	{ "C=#0c02c3bc", "C=#0c02c3bc", 1, 1 },
};

static void
test_text(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		OWN_BUF struct buf out = buf_max(4096);
		struct name n = named(a, texts[i].in), again;
		const char *want = texts[i].out ? texts[i].out : texts[i].in;

		name_put_text(&out, &n);
		if (!ascii_case_eq(buf_bytes(&out), bytes_str(want)))
			fail_msg("%s gave %s", texts[i].in, buf_cstr(&out));
		assert_int_equal(n.n, texts[i].avas);
		assert_int_equal(n.rdns, texts[i].rdns);
		again = named(a, buf_cstr(&out));
		assert_true(name_eq(n.der, again.der));
	}
}

static void
test_text_refused(void **state)
{
	static const char *const bad[] = { "CN",
					   "=a",
					   "CN=a,",
					   "CN=a,,O=b",
					   "CN=a;O=b",
					   "CN=\"a\"",
					   "CN=a\\",
					   "CN=a\\x",
					   "CN=a\\4",
					   "XX=a",
					   "CN=#0",
					   "CN=#0c02",
					   "CN=#zz",
					   "CN=\xff",
					   "CN=a+",
					   "serverAuth=a",
					   "CN=<a>",
					   "CN=#0c0161 x",
					   "1.2.3.=a",
					   ",",
					   "+",
					   "CN=#020100",
					   "1.3.6.1.4.1.1466.0=#04024869",
					   "C=\xc3\xbc",
					   "emailAddress=\xc3\xbc" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		struct name n;

		if (name_from_text(a, bytes_str(bad[i]), &n, &e) != RC_MALFORMED || e.code == CHY_NONE)
			fail_msg("\"%s\" passed", bad[i]);
	}
}

static void
test_string_choice(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct name n = named(a,
			      "emailAddress=a@b.example,UID=u,CN=c,serialNumber=1,dnQualifier=q,DC=d,C=DE");
	static const uint32_t tags[] = { DER_PRINTABLE, DER_IA5,  DER_PRINTABLE, DER_PRINTABLE,
					 DER_UTF8,      DER_UTF8, DER_IA5 };

	assert_int_equal(n.n, ARRAY_LEN(tags));
	for (size_t i = 0; i < n.n; i++)
		assert_int_equal(n.ava[i].tag, tags[i]);
	assert_true(bytes_is(name_get(&n, OID_AT_CN, 0)->value, "c"));
	assert_null(name_get(&n, OID_AT_CN, 1));
}

/* The order of the text is the other way round, and openssl's multi-valued RDN reads as one. */
static void
test_openssl_multi(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	OWN_BUF struct buf out = buf_max(1000);
	struct der d = der_of(BYTES_OF(v_multi_csr), NULL);
	struct bytes subject;

	der_enter(&d, DER_SEQUENCE);
	der_enter(&d, DER_SEQUENCE);
	der_int(&d, 0, 0);
	subject = der_tlv(&d, DER_SEQUENCE);
	name_put_der_text(&out, subject);
	assert_string_equal(buf_cstr(&out), "CN=multi,OU=one+OU=two,C=DE");
	assert_true(bytes_eq(subject, named(a, "CN=multi,OU=two+OU=one,C=DE").der));
}

static void
test_damaged(void **state)
{
	static const struct {
		const char *what, *hex;
		enum code code;
	} cases[] = {
		{ "empty name", "3000", CHY_NONE },
		{ "RDN without attribute", "3002 3100", CHY_NAME },
		{ "attribute without value", "3009 3107 3005 0603550403", CHY_DER_TRUNCATED },
		{ "number as CN", "300c 310a 3008 0603550403 020101", CHY_NAME },
		{ "number of unknown type", "300c 310a 3008 0603550463 020101", CHY_NAME },
		{ "VisibleString", "300c 310a 3008 0603550403 1a0161", CHY_NAME },
		{ "bits of unknown type", "300d 310b 3009 0603550463 03020780", CHY_NONE },
		{ "sequence of unknown type", "300b 3109 3007 0603550463 3000", CHY_NONE },
		{ "damaged bits of unknown type", "300d 310b 3009 0603550463 03020701", CHY_DER_BITS },
		{ "PrintableString with @", "300c 310a 3008 0603550403 130140", CHY_NAME },
		{ "damaged UTF-8", "300c 310a 3008 0603550403 0c01ff", CHY_NAME },
		{ "odd BMPString", "300c 310a 3008 0603550403 1e0141", CHY_NAME },
		{ "surrogate", "300d 310b 3009 0603550403 1e02d800", CHY_NAME },
		{ "IA5String beyond ASCII", "300c 310a 3008 0603550403 160180", CHY_NAME },
		{ "same attribute twice in an RDN", "3016 3114 3008 0603550403 0c0161 3008 0603550403 0c0161",
		  CHY_DER_SET_ORDER },
		{ "RDN out of order", "3016 3114 3008 0603550403 0c0162 3008 0603550403 0c0161",
		  CHY_DER_SET_ORDER },
		{ "trailing", "3000 00", CHY_DER_TRAILING },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 }, f = { 0 };
		struct bytes der = hexb(a, cases[i].hex);
		struct name n;
		enum rc rc = name_parse(a, der, &n, &e);

		if (e.code != cases[i].code || (rc == RC_OK) != (e.code == CHY_NONE))
			fail_msg("%s: CHY-%d %s", cases[i].what, e.code, e.text);
		assert_int_equal(name_check(der, &f), rc);
		assert_int_equal(f.code, e.code);
	}
}

static void
test_too_many(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ava v[LIMIT_NAME_ATTRS + 1];
	struct err e = { 0 };
	struct name n;

	for (unsigned i = 0; i < ARRAY_LEN(v); i++)
		v[i] = (struct ava){ .known = OID_AT_CN, .value = BYTES("a"), .rdn = i };
	assert_rc(name_build(a, v, LIMIT_NAME_ATTRS, &n, &e), RC_OK, &e);
	assert_int_equal(name_build(a, v, LIMIT_NAME_ATTRS + 1, &n, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_NAME);
}

static void
test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool eq;
	} cases[] = {
		{ "CN=a", "CN=A", true },
		{ "CN=a  b", "CN= a b ", true },
		{ "CN=\\ a\\ ", "CN=a", true },
		{ "CN=a", "CN=#130161", true },
		{ "CN=a", "CN=#1e020061", true },
		{ "CN=a", "CN=b", false },
		{ "CN=a", "O=a", false },
		{ "CN=a,C=DE", "C=DE,CN=a", false },
		{ "CN=a+O=b", "O=b+CN=A", true },
		{ "CN=a+O=b", "CN=a", false },
		{ "CN=a", "CN=a,C=DE", false },
		{ "CN=\xc3\xbc", "CN=\xc3\x9c", false }, /* beyond ASCII exactly */
		{ "CN=a b", "CN=ab", false },
		{ "CN=", "CN=\\ ", true },
		{ "2.5.4.99=#03020780", "2.5.4.99=#03020640", false },
		{ "2.5.4.99=#03020780", "2.5.4.99=#03020780", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct name x = named(a, cases[i].a), y = named(a, cases[i].b);

		if (name_eq(x.der, y.der) != cases[i].eq || name_eq(y.der, x.der) != cases[i].eq)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
	assert_false(name_eq(BYTES("x"), BYTES("x")));
}

static void
test_bounds(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	char cn[80];
	struct err e = { 0 };
	struct name n;

	memset(cn, 'x', sizeof(cn));
	memcpy(cn, "CN=", 3);
	cn[3 + 64] = 0;
	n = named(a, cn);
	assert_rc(name_check_bounds(&n, &e), RC_OK, &e);
	cn[3 + 64] = 'x';
	cn[3 + 65] = 0;
	n = named(a, cn);
	assert_int_equal(name_check_bounds(&n, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_NAME_LENGTH);
	assert_string_equal(e.field, "CN");
	n = named(a, "C=DEU");
	assert_int_equal(name_check_bounds(&n, NULL), RC_MALFORMED);
	n = named(a, "CN=");
	assert_int_equal(name_check_bounds(&n, NULL), RC_MALFORMED);
	{
		OWN_BUF struct buf text = buf_max(300);

		buf_str(&text, "CN=");
		for (int i = 0; i < 64; i++)
			buf_str(&text, "\xc3\xbc");
		n = named(a, buf_cstr(&text));
		assert_rc(name_check_bounds(&n, NULL), RC_OK, &e);
	}
}

/* ---- general names ---- */

static const struct {
	const char *text;
	enum gn_use use;
	bool ok;
	const char *again; /* NULL: as it was */
} gnames[] = {
	{ "dns:a.example", GN_NAME, true, NULL },
	{ "dns:*.a.example", GN_NAME, true, NULL },
	{ "dns:a", GN_NAME, true, NULL },
	{ "dns:xn--bcher-kva.example", GN_NAME, true, NULL },
	{ "dns:", GN_NAME, false, NULL },
	{ "dns:*", GN_NAME, false, NULL },
	{ "dns:a.*.example", GN_NAME, false, NULL },
	{ "dns:a*.example", GN_NAME, false, NULL },
	{ "dns:*.*.example", GN_NAME, false, NULL },
	{ "dns:a..example", GN_NAME, false, NULL },
	{ "dns:.a.example", GN_NAME, false, NULL },
	{ "dns:.a.example", GN_CONSTRAINT, true, NULL },
	{ "dns:", GN_CONSTRAINT, true, NULL },
	{ "dns:a.example.", GN_NAME, false, NULL },
	{ "dns:-a.example", GN_NAME, false, NULL },
	{ "dns:a-.example", GN_NAME, false, NULL },
	{ "dns:a_b.example", GN_NAME, false, NULL },
	{ "dns:192.0.2.1", GN_NAME, false, NULL },
	{ "dns:a b.example", GN_NAME, false, NULL },
	{ "dns:b\xc3\xbc.example", GN_NAME, false, NULL },
	{ "dns:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", GN_NAME, true,
	  NULL },
	{ "dns:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", GN_NAME, false,
	  NULL },
	{ "email:a@b.example", GN_NAME, true, NULL },
	{ "email:a.b+c@b.example", GN_NAME, true, NULL },
	{ "email:\"a b\"@b.example", GN_NAME, true, NULL },
	{ "email:a", GN_NAME, false, NULL },
	{ "email:@b.example", GN_NAME, false, NULL },
	{ "email:a@", GN_NAME, false, NULL },
	{ "email:a..b@c.example", GN_NAME, false, NULL },
	{ "email:a@b@c.example", GN_NAME, false, NULL },
	{ "email:b.example", GN_CONSTRAINT, true, NULL },
	{ "email:.b.example", GN_CONSTRAINT, true, NULL },
	{ "uri:https://a.example/x", GN_NAME, true, NULL },
	{ "uri:https://u@a.example:8443/x?y#z", GN_NAME, true, NULL },
	{ "uri:https://192.0.2.1/", GN_NAME, true, NULL },
	{ "uri:https://[2001:db8::1]/", GN_NAME, true, NULL },
	{ "uri:urn:uuid:f81d4fae", GN_NAME, true, NULL },
	{ "uri:ldap:///CN=x?certificateRevocationList", GN_NAME, true, NULL },
	{ "uri:/relative", GN_NAME, false, NULL },
	{ "uri:https:", GN_NAME, false, NULL },
	{ "uri:https:///x", GN_NAME, false, NULL },
	{ "uri:http:x", GN_NAME, false, NULL },
	{ "uri:https://a.example/%zz", GN_NAME, false, NULL },
	{ "uri:https://a.example/a b", GN_NAME, false, NULL },
	{ "uri:https://a.example:99999/", GN_NAME, false, NULL },
	{ "uri:https://a_b.example/", GN_NAME, false, NULL },
	{ "uri:.a.example", GN_CONSTRAINT, true, NULL },
	{ "ip:192.0.2.1", GN_NAME, true, NULL },
	{ "ip:2001:0db8:0:0::1", GN_NAME, true, "ip:2001:db8::1" },
	{ "ip:192.0.2.256", GN_NAME, false, NULL },
	{ "ip:192.0.2", GN_NAME, false, NULL },
	{ "ip:192.0.2.0/24", GN_NAME, false, NULL },
	{ "ip:192.0.2.0/24", GN_CONSTRAINT, true, NULL },
	{ "ip:2001:db8::/32", GN_CONSTRAINT, true, NULL },
	{ "ip:0.0.0.0/0", GN_CONSTRAINT, true, NULL },
	{ "ip:192.0.2.0/33", GN_CONSTRAINT, false, NULL },
	{ "ip:192.0.2.0", GN_CONSTRAINT, false, NULL },
	{ "dir:CN=x,C=DE", GN_NAME, true, NULL },
	{ "dir:", GN_NAME, false, NULL },
	{ "dir:nonsense", GN_NAME, false, NULL },
	{ "rid:1.2.3", GN_NAME, true, NULL },
	{ "rid:x", GN_NAME, false, NULL },
	{ "upn:user@realm.example", GN_NAME, true, NULL },
	{ "upn:\xc3\xbcser@realm", GN_NAME, true, NULL },
	{ "upn:user", GN_NAME, false, NULL },
	{ "upn:a@b@c", GN_NAME, false, NULL },
	{ "upn:a b@c", GN_NAME, false, NULL },
	{ "srv:_ldap.b.example", GN_NAME, true, NULL },
	{ "srv:ldap.b.example", GN_NAME, false, NULL },
	{ "srv:_ldap", GN_NAME, false, NULL },
	{ "smtputf8:\xc3\xbc@b.example", GN_NAME, true, NULL },
	{ "smtputf8:a@b.example", GN_NAME, false, NULL }, /* that is email: */
	{ "other:1.2.3:#0c0161", GN_NAME, true, NULL },
	{ "other:1.2.3:#0c02", GN_NAME, false, NULL },
	{ "other:1.2.3:x", GN_NAME, false, NULL },
	{ "other:upn:#0c03614062", GN_NAME, true, "upn:a@b" },
	{ "fasc-n:d4e739d821086c1084210d8360d8210842108421804210c3f3", GN_NAME, true, NULL },
	{ "fasc-n:d4e739d821086c1084210d8360d8210842108421804210c3", GN_NAME, false, NULL },
	{ "other:fasc-n:#0c03614062", GN_NAME, false, NULL },
	{ "other:1.3.6.1.4.1.311.20.2.3:#1603614062", GN_NAME, false, NULL }, /* IA5String */
	{ "edi:#810161", GN_NAME, true, NULL },
	{ "x400:#3000", GN_NAME, true, NULL },
	{ "foo:bar", GN_NAME, false, NULL },
	{ "a.example", GN_NAME, false, NULL },
	{ "", GN_NAME, false, NULL },
};

static void
test_gname_text(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(gnames); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		OWN_BUF struct buf text = buf_max(4096);
		OWN_DW struct dw w = dw_growing(4096);
		struct err e = { 0 };
		struct gname g, again;
		struct der d;
		enum rc rc = gname_from_text(a, bytes_str(gnames[i].text), gnames[i].use, &g, &e);

		if ((rc == RC_OK) != gnames[i].ok)
			fail_msg("%s: %s", gnames[i].text, e.text);
		if (rc != RC_OK) {
			assert_int_equal(rc, RC_MALFORMED);
			assert_int_not_equal(e.code, CHY_NONE);
			continue;
		}
		gname_put_text(&text, &g);
		assert_string_equal(buf_cstr(&text), gnames[i].again ? gnames[i].again : gnames[i].text);
		dw_gname(&w, &g);
		d = der_of(dw_bytes(&w), &e);
		again = gname_take(&d, gnames[i].use);
		assert_rc(der_end(&d), RC_OK, &e);
		assert_true(gname_eq(&g, &again));
	}
}

static void
test_within(void **state)
{
	static const struct {
		const char *base, *name;
		bool within;
	} cases[] = {
		{ "dns:b.example", "dns:b.example", true },
		{ "dns:b.example", "dns:A.B.Example", true },
		{ "dns:b.example", "dns:ab.example", false },
		{ "dns:b.example", "dns:example", false },
		{ "dns:.b.example", "dns:a.b.example", true },
		{ "dns:.b.example", "dns:b.example", false },
		{ "dns:", "dns:anything", true },
		{ "dns:b.example", "dns:*.b.example", true },
		{ "email:b.example", "email:a@b.example", true },
		{ "email:b.example", "email:a@c.b.example", false },
		{ "email:.b.example", "email:a@c.b.example", true },
		{ "email:.b.example", "email:a@b.example", false },
		{ "email:a@b.example", "email:a@B.example", true },
		{ "email:a@b.example", "email:A@b.example", false },
		{ "uri:b.example", "uri:https://b.example:1/x", true },
		{ "uri:b.example", "uri:https://a.b.example/", false },
		{ "uri:.b.example", "uri:https://u@a.b.example/", true },
		{ "uri:b.example", "uri:urn:b.example", false },
		{ "ip:192.0.2.0/24", "ip:192.0.2.255", true },
		{ "ip:192.0.2.0/24", "ip:192.0.3.0", false },
		{ "ip:192.0.2.0/24", "ip:2001:db8::1", false },
		{ "ip:2001:db8::/33", "ip:2001:db8:7fff::1", true },
		{ "ip:2001:db8::/33", "ip:2001:db8:8000::1", false },
		{ "dir:O=x,C=DE", "dir:CN=a,O=X,C=de", true },
		{ "dir:O=x,C=DE", "dir:C=DE", false },
		{ "dir:", "dir:C=DE", true },
		{ "upn:realm.example", "upn:a@realm.example", true },
		{ "upn:realm.example", "upn:a@other.example", false },
		{ "srv:b.example", "srv:_ldap.a.b.example", true },
		{ "srv:_ldap.b.example", "srv:_sip.b.example", false },
		{ "dns:b.example", "email:a@b.example", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		struct gname base, g;

		assert_rc(gname_from_text(a, bytes_str(cases[i].base), GN_CONSTRAINT, &base, &e), RC_OK, &e);
		assert_rc(gname_from_text(a, bytes_str(cases[i].name), GN_NAME, &g, &e), RC_OK, &e);
		if (gname_within(&base, &g) != cases[i].within)
			fail_msg("%s within %s", cases[i].name, cases[i].base);
	}
}

static void
test_gname_damaged(void **state)
{
	static const struct {
		const char *what, *hex;
		enum code code;
	} cases[] = {
		{ "no names", "3000", CHY_GNAME },
		{ "tag 9", "3003 890161", CHY_GNAME },
		{ "universal", "3003 0c0161", CHY_GNAME },
		{ "constructed dns", "3003 a20161", CHY_DER_TAG },
		{ "dns beyond ASCII", "3003 8201ff", CHY_GNAME },
		{ "ip of 5 octets", "3007 87050102030405", CHY_GNAME },
		{ "ip with mask", "300a 8708 0102030400000000", CHY_GNAME },
		{ "rid", "3003 880180", CHY_DER_OBJECT_ID },
		{ "dirName without name", "3002 a400", CHY_DER_TRUNCATED },
		{ "otherName without value", "3006 a004 06022a03", CHY_DER_TRUNCATED },
		{ "upn as number", "3013 a011 060a2b060104018237140203 a003 020101", CHY_GNAME },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		struct gnames l;

		assert_int_equal(gnames_parse(a, hexb(a, cases[i].hex), &l, &e), RC_MALFORMED);
		if (e.code != cases[i].code)
			fail_msg("%s: CHY-%d %s", cases[i].what, e.code, e.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),          cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_string_choice), cmocka_unit_test(test_openssl_multi),
		cmocka_unit_test(test_damaged),       cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_equal),         cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_gname_text),    cmocka_unit_test(test_within),
		cmocka_unit_test(test_gname_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
