/* Patterns: what may stand where, and that no value of a certificate changes what its pattern makes. */
#include "test.h"

#include "model/pattern.h"

struct made {
	struct arena *a;
	struct pattern_facts facts;
	struct buf out;
};

static void
world(struct made *m, const char *subject, const char *san)
{
	struct err e = { 0 };

	*m = (struct made){ .a = arena_new(1 << 20), .out = buf_max(64 << 10) };
	assert_ok(name_from_text(m->a, bytes_str(subject), &m->facts.subject, &e));
	assert_ok(name_from_text(m->a, BYTES("CN=Issuing CA,O=Test"), &m->facts.issuer, &e));
	m->facts.serial = bytes_of("\x01\x00\x00\x00\xff", 5);
	m->facts.sha256 = BYTES("\xab\xcd");
	m->facts.san = bytes_str(san);
}

static void
leave(struct made *m)
{
	buf_fini(&m->out);
	arena_free(m->a);
}

static enum rc
fill(struct made *m, enum pattern_place place, const char *text, struct err *e)
{
	struct pattern p;

	buf_fini(&m->out);
	TRY(pattern_parse(bytes_str(text), place, &p, e));
	return pattern_fill(m->a, &p, &m->facts, &m->out, e);
}

#define COMES_TO(place, text, want) \
	do { \
		assert_ok(fill(&m, place, text, &e)); \
		assert_string_equal(buf_cstr(&m.out), want); \
	} while (0)

static void
keywords_are_filled_in(void **state)
{
	struct err e = { 0 };
	struct made m;

	(void)state;
	world(&m, "CN=Alice,OU=Sales,OU=Europe,O=Example",
	      "dns:a.example\nemail:alice@example.org\nupn:al@x");
	COMES_TO(PATTERN_DN, "cn={cn},ou={OU},o=Example", "cn=Alice,ou=Europe,o=Example");
	COMES_TO(PATTERN_FILE, "{serial}.cer", "01000000ff.cer");
	COMES_TO(PATTERN_LINE, "{serial-decimal} {sha256}", "4294967551 abcd");
	COMES_TO(PATTERN_LINE, "{email} {dns} {upn} {issuer.cn}",
		 "alice@example.org a.example al@x Issuing CA");
	COMES_TO(PATTERN_LINE, "{uid|cn}", "Alice");
	COMES_TO(PATTERN_LINE, "{{{cn}}}", "{Alice}");
	COMES_TO(PATTERN_VALUE, "{issuer}", "CN=Issuing CA,O=Test");
	COMES_TO(PATTERN_PATH, "/certs/{cn}.cer?x={o}", "/certs/Alice.cer?x=Example");
	COMES_TO(PATTERN_MAILBOX, "{email}", "alice@example.org");
	COMES_TO(PATTERN_FILTER, "(&(objectClass=person)(mail={email}))",
		 "(&(objectClass=person)(mail=alice@example.org))");
	assert_code(fill(&m, PATTERN_DN, "uid={uid|mail},o=x", &e), CHY_PATTERN_NO_VALUE);
	assert_code(fill(&m, PATTERN_FILE, "{crl}", &e), CHY_PATTERN_NO_VALUE); /* a certificate is no list */
	m.facts.crl = BYTES("issuing-3.crl");
	COMES_TO(PATTERN_FILE, "lists/{crl}", "lists/issuing-3.crl");
	COMES_TO(PATTERN_PATH, "/{crl|serial}", "/issuing-3.crl");
	leave(&m);
}

/* Each with what an attacker would like the structure to become. */
static void
values_stay_values(void **state)
{
	struct err e = { 0 };
	struct made m;

	(void)state;
	world(&m, "CN=x\\,ou\\=admins\\+cn\\=root\\\\\\\"\\;\\<\\>,OU=\\ \\#a\\ ,O=#0c022361", "");
	COMES_TO(PATTERN_DN, "cn={cn},o=Example",
		 "cn=x\\,ou\\3Dadmins\\+cn\\3Droot\\\\\\\"\\;\\<\\>,o=Example");
	COMES_TO(PATTERN_DN, "ou={ou},o=Example", "ou=\\ #a\\ ,o=Example");
	COMES_TO(PATTERN_DN, "o={o}", "o=\\#a");
	leave(&m);

	world(&m, "CN=*)(uid\\=*))(|(a\\=\\\\,OU=\xc3\xa9", "");
	COMES_TO(PATTERN_FILTER, "(cn={cn})", "(cn=\\2a\\29\\28uid=\\2a\\29\\29\\28|\\28a=\\5c)");
	COMES_TO(PATTERN_FILTER, "(ou={ou})", "(ou=\\c3\\a9)");
	leave(&m);

	world(&m, "CN=../../etc/passwd,OU=..,O=a b%?&", "");
	COMES_TO(PATTERN_FILE, "certs/{cn}.cer", "certs/%2E.%2F..%2Fetc%2Fpasswd.cer");
	COMES_TO(PATTERN_FILE, "{ou}", "%2E.");
	assert_code(fill(&m, PATTERN_PATH, "/{cn}", &e), CHY_PATTERN_RESULT);
	assert_code(fill(&m, PATTERN_PATH, "/{ou}", &e), CHY_PATTERN_RESULT);
	COMES_TO(PATTERN_PATH, "/{o}", "/a%20b%25%3F%26");
	leave(&m);

	world(&m, "CN=a\\0d\\0aBcc: b@x,OU=a@b\\, c@d,O=a\\00b", "");
	assert_code(fill(&m, PATTERN_LINE, "For {cn}", &e), CHY_PATTERN_RESULT);
	assert_code(fill(&m, PATTERN_MAILBOX, "{ou}", &e), CHY_PATTERN_RESULT);
	assert_code(fill(&m, PATTERN_MAILBOX, "{cn}@example.org", &e), CHY_PATTERN_RESULT);
	COMES_TO(PATTERN_DN, "cn={cn}", "cn=a\\0D\\0ABcc: b@x");
	leave(&m);
}

static void
structure_is_checked_when_it_is_written(void **state)
{
	static const struct {
		enum pattern_place place;
		const char *text;
		enum code code;
	} bad[] = {
		{ PATTERN_DN, "", CHY_PATTERN },
		{ PATTERN_DN, "{cn}=x,o=Example", CHY_PATTERN },
		{ PATTERN_DN, "cn={cn},{ou}", CHY_PATTERN },
		{ PATTERN_DN, "cn", CHY_PATTERN },
		{ PATTERN_DN, "cn={cn},", CHY_PATTERN },
		{ PATTERN_DN, "cn={cn}\\", CHY_PATTERN },
		{ PATTERN_DN, "cn=x\\{cn}", CHY_PATTERN },
		{ PATTERN_DN, "=x", CHY_PATTERN },
		{ PATTERN_DN, "cn=a;b", CHY_PATTERN },
		{ PATTERN_DN, "cn={nosuch}", CHY_PATTERN_KEYWORD },
		{ PATTERN_DN, "cn={cn|}", CHY_PATTERN_KEYWORD },
		{ PATTERN_DN, "cn={}", CHY_PATTERN_KEYWORD },
		{ PATTERN_DN, "cn={cn", CHY_PATTERN },
		{ PATTERN_DN, "cn=cn}", CHY_PATTERN },
		{ PATTERN_DN, "cn={issuer.nosuch}", CHY_PATTERN_KEYWORD },
		{ PATTERN_FILTER, "cn={cn}", CHY_PATTERN },
		{ PATTERN_FILTER, "(cn={cn}", CHY_PATTERN },
		{ PATTERN_FILTER, "(cn={cn}))", CHY_PATTERN },
		{ PATTERN_FILTER, "({cn}=x)", CHY_PATTERN },
		{ PATTERN_FILTER, "(&{cn})", CHY_PATTERN },
		{ PATTERN_FILTER, "(a=b)(c=d)", CHY_PATTERN },
		{ PATTERN_FILE, "/etc/{cn}", CHY_PATTERN },
		{ PATTERN_FILE, "../{cn}", CHY_PATTERN },
		{ PATTERN_FILE, "a/./{cn}", CHY_PATTERN },
		{ PATTERN_FILE, "a//{cn}", CHY_PATTERN },
		{ PATTERN_FILE, "a/", CHY_PATTERN },
		{ PATTERN_FILE, "a\\{cn}", CHY_PATTERN },
		{ PATTERN_PATH, "certs/{cn}", CHY_PATTERN },
		{ PATTERN_PATH, "/a/../{cn}", CHY_PATTERN },
		{ PATTERN_PATH, "/a b", CHY_PATTERN },
		{ PATTERN_LINE, "a\nb", CHY_PATTERN },
		{ PATTERN_MAILBOX, "\xff", CHY_PATTERN },
	};
	struct pattern p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		enum rc rc = pattern_parse(bytes_str(bad[i].text), bad[i].place, &p, &e);

		if (rc == RC_OK || e.code != bad[i].code)
			fail_msg("\"%s\" gave %s, not %s", bad[i].text, code_name(e.code),
				 code_name(bad[i].code));
	}
}

static void
there_are_limits(void **state)
{
	char text[PATTERN_MAX + 2], wide[3000];
	struct err e = { 0 };
	struct pattern p;
	struct made m;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_code(pattern_parse(bytes_str(text), PATTERN_LINE, &p, &e), CHY_PATTERN);
	text[PATTERN_MAX] = 0;
	assert_ok(pattern_parse(bytes_str(text), PATTERN_LINE, &p, &e));
	text[0] = 0;
	for (int i = 0; i < PATTERN_PARTS + 1; i++)
		memcpy(text + 4 * (size_t)i, "{cn}", 5);
	assert_code(pattern_parse(bytes_str(text), PATTERN_LINE, &p, &e), CHY_LIMIT);
	memcpy(wide, "CN=", 3);
	memset(wide + 3, 'x', sizeof(wide) - 4);
	wide[sizeof(wide) - 1] = 0;
	world(&m, wide, "");
	assert_code(fill(&m, PATTERN_LINE, "{cn}{cn}{cn}", &e), CHY_LIMIT);
	leave(&m);
}

static const struct CMUnitTest tests[] = {
	ROWS(keywords_are_filled_in, "CM-P-17"),
	ROWS(values_stay_values, "CM-P-17"),
	CASE(structure_is_checked_when_it_is_written),
	CASE(there_are_limits),
};
TESTS_MAIN(tests)
