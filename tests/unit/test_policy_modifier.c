/*
 * Modifiers: each word with and without its argument, what each does to values, and several in order.
 */
#include "test.h"

#include "model/choices.h"
#include "policy/modifier.h"

static struct arena *a;

static int
setup(void **state)
{
	a = arena_new(64 << 20);
	assert_non_null(a);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(a);
	return 0;
}

static void
every_word_and_its_argument(void **state)
{
	static const struct {
		const char *text;
		enum code code;
	} rows[] = {
		{ "trim", CHY_NONE },
		{ "trim:", CHY_FIELD_VALUE },
		{ "trim:x", CHY_FIELD_VALUE },
		{ "collapse", CHY_NONE },
		{ "collapse:x", CHY_FIELD_VALUE },
		{ "lower-case", CHY_NONE },
		{ "lower-case:x", CHY_FIELD_VALUE },
		{ "upper-case", CHY_NONE },
		{ "upper-case:x", CHY_FIELD_VALUE },
		{ "prefix:x", CHY_NONE },
		{ "prefix::", CHY_NONE },
		{ "prefix", CHY_FIELD_VALUE },
		{ "prefix:", CHY_FIELD_VALUE },
		{ "suffix: GmbH", CHY_NONE },
		{ "suffix", CHY_FIELD_VALUE },
		{ "suffix:", CHY_FIELD_VALUE },
		{ "truncate:1", CHY_NONE },
		{ "truncate:32768", CHY_NONE },
		{ "truncate:0", CHY_FIELD_VALUE },
		{ "truncate:32769", CHY_FIELD_VALUE },
		{ "truncate:-1", CHY_FIELD_VALUE },
		{ "truncate:07", CHY_FIELD_VALUE },
		{ "truncate:x", CHY_FIELD_VALUE },
		{ "truncate", CHY_FIELD_VALUE },
		{ "before:@", CHY_NONE },
		{ "before", CHY_FIELD_VALUE },
		{ "after:@", CHY_NONE },
		{ "after:", CHY_FIELD_VALUE },
		{ "replace:/a/b", CHY_NONE },
		{ "replace:/a/b/", CHY_NONE },
		{ "replace:/a/", CHY_NONE },
		{ "replace:|a|b", CHY_NONE },
		{ "replace:/a", CHY_FIELD_VALUE },
		{ "replace://b", CHY_FIELD_VALUE },
		{ "replace:/a/b/c", CHY_FIELD_VALUE },
		{ "replace:/a/b//", CHY_FIELD_VALUE },
		{ "replace:/", CHY_FIELD_VALUE },
		{ "replace: a b", CHY_FIELD_VALUE },
		{ "replace:", CHY_FIELD_VALUE },
		{ "replace", CHY_FIELD_VALUE },
		{ "match:*", CHY_NONE },
		{ "match", CHY_FIELD_VALUE },
		{ "only:a-z", CHY_NONE },
		{ "only:-", CHY_NONE },
		{ "only:z-a", CHY_FIELD_VALUE },
		{ "only:\xc3\xa9", CHY_FIELD_VALUE },
		{ "only", CHY_FIELD_VALUE },
		{ "Trim", CHY_FIELD_CHOICE },
		{ "reverse", CHY_FIELD_CHOICE },
		{ "", CHY_FIELD_CHOICE },
		{ ":x", CHY_FIELD_CHOICE },
	};
	bool met[MODIFIER_COUNT] = { false };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct modifier m;
		struct err e = { 0 };
		enum rc rc = modifier_parse(bytes_str(rows[i].text), &m, &e);

		if (e.code != rows[i].code || (rc == RC_OK) != (rows[i].code == CHY_NONE))
			fail_msg("%s: %s, not %s", rows[i].text, code_name(e.code), code_name(rows[i].code));
		if (rc == RC_OK)
			met[m.kind] = true;
	}
	for (int k = 0; k < MODIFIER_COUNT; k++)
		if (!met[k])
			fail_msg("%s is not in the table", modifier_choices[k].name);
	assert_null(modifier_choices[MODIFIER_COUNT].name);
}

/* Modifiers, a value, what becomes of it; NULL: it is refused. */
static const struct {
	const char *modifiers[4], *value, *becomes;
} rows[] = {
	{ { NULL }, "as it is", "as it is" },
	{ { "trim" }, "  a b ", "a b" },
	{ { "trim" }, "   ", "" },
	{ { "collapse" }, "a   b  c", "a b c" },
	{ { "collapse" }, "  a", " a" },
	{ { "lower-case" }, "AbZ\xc3\x89", "abz\xc3\x89" }, /* letters of ASCII only */
	{ { "upper-case" }, "aBz[", "ABZ[" },
	{ { "prefix:srv-" }, "one", "srv-one" },
	{ { "prefix::" }, "one", ":one" },
	{ { "prefix:x" }, "", "x" },
	{ { "suffix: AB" }, "Example", "Example AB" },
	{ { "suffix:.example.org" }, "www", "www.example.org" },
	{ { "truncate:3" }, "abcd", "abc" },
	{ { "truncate:3" }, "abc", "abc" },
	{ { "truncate:3" }, "ab", "ab" },
	{ { "truncate:2" },
	  "\xc3\xa9\xc3\xa9\xc3\xa9",
	  "\xc3\xa9\xc3\xa9" }, /* characters, never half of one */
	{ { "before:@" }, "anna@example.org", "anna" },
	{ { "before:@" }, "anna", "anna" },
	{ { "before:@" }, "@example.org", "" },
	{ { "before:." }, "a.b.c", "a" },
	{ { "after:@" }, "anna@example.org", "example.org" },
	{ { "after:@" }, "anna", "anna" },
	{ { "after:@" }, "anna@", "" },
	{ { "after:--" }, "a--b--c", "b--c" },
	{ { "replace:/_/-/" }, "a_b_c", "a-b-c" },
	{ { "replace:/_/" }, "a_b_c", "abc" },
	{ { "replace:/aa/a/" }, "aaaa", "aa" }, /* from left to right, what was put is not looked at again */
	{ { "replace:/a/aa/" }, "aa", "aaaa" },
	{ { "replace:|/|:|" }, "a/b", "a:b" },
	{ { "replace:/x/y/" }, "abc", "abc" },
	{ { "replace:/abc/y/" }, "ab", "ab" },
	{ { "match:*.example.org" }, "www.example.org", "www.example.org" },
	{ { "match:*.example.org" }, ".example.org", ".example.org" },
	{ { "match:*.example.org" }, "www.example.com", NULL },
	{ { "match:*.example.org" }, "www.example.org.", NULL },
	{ { "match:E#####" }, "E12345", "E12345" },
	{ { "match:E#####" }, "E1234", NULL },
	{ { "match:E#####" }, "E123456", NULL },
	{ { "match:E#####" }, "E1234x", NULL },
	{ { "match:?b" },
	  "\xc3\xa9"
	  "b",
	  "\xc3\xa9"
	  "b" },
	{ { "match:?b" }, "b", NULL },
	{ { "match:*" }, "", "" },
	{ { "match:?" }, "", NULL },
	{ { "match:a*b*c" }, "axxbxxbxxc", "axxbxxbxxc" },
	{ { "match:a*b*c" }, "axxbxxbxx", NULL },
	{ { "match:**a" }, "bba", "bba" },
	{ { "match:abc" }, "abc", "abc" },
	{ { "match:abc" }, "ABC", NULL },
	{ { "only:0-9" }, "0189", "0189" },
	{ { "only:0-9" }, "01a", NULL },
	{ { "only:a-z0-9-" }, "srv-01", "srv-01" },
	{ { "only:a-z0-9-" }, "Srv", NULL },
	{ { "only:-a" }, "-a", "-a" },
	{ { "only:a-c" }, "-", NULL }, /* the sign of a range is no member of it, but below */
	{ { "only:0-9" }, "", "" },
	{ { "only:a" }, "\xc3\xa9", NULL },
	/* in order */
	{ { "prefix:a", "upper-case" }, "b", "AB" },
	{ { "upper-case", "prefix:a" }, "b", "aB" },
	{ { "trim", "truncate:3", "suffix:!" }, "  abcd", "abc!" },
	{ { "truncate:3", "trim", "suffix:!" }, "  abcd", "a!" },
	{ { "before:@", "replace:/./ /", "match:* *" }, "anna.berg@example.org", "anna berg" },
	{ { "lower-case", "match:a" }, "A", "a" },
	{ { "match:a", "lower-case" }, "A", NULL },
};

static void
what_becomes_of_values(void **state)
{
	bool met[MODIFIER_COUNT] = { false };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct modifier v[4];
		struct modifiers m = { v, 0 };
		struct err e = { 0 };
		struct bytes got;
		enum rc rc;

		for (; m.n < 4 && rows[i].modifiers[m.n] != NULL; m.n++) {
			assert_ok(modifier_parse(bytes_str(rows[i].modifiers[m.n]), &v[m.n], &e));
			met[v[m.n].kind] = true;
		}
		rc = modifiers_apply(a, &m, bytes_str(rows[i].value), &got, &e);
		if ((rc == RC_OK) != (rows[i].becomes != NULL))
			fail_msg("row %zu, \"%s\": %s", i, rows[i].value, code_name(e.code));
		if (rc != RC_OK)
			assert_int_equal(e.code, CHY_VALUE_PATTERN);
		else
			assert_text(got, rows[i].becomes);
	}
	for (int k = 0; k < MODIFIER_COUNT; k++)
		assert_true(met[k]);
}

/* Nothing grows without end, and octets that are no text are no way out of a buffer. */
static void
bounds(void **state)
{
	static uint8_t many[MODIFIED_MAX];
	struct modifier v[MODIFIERS_MAX];
	struct modifiers m = { v, 1 };
	struct err e = { 0 };
	struct bytes got;

	memset(many, 'a', sizeof(many));
	assert_ok(modifier_parse(BYTES("replace:/a/bb/"), &v[0], &e));
	assert_code(modifiers_apply(a, &m, BYTES_OF(many), &got, &e), CHY_LIMIT);
	assert_ok(modifier_parse(BYTES("suffix:x"), &v[0], &e));
	assert_code(modifiers_apply(a, &m, BYTES_OF(many), &got, &e), CHY_LIMIT);
	assert_ok(modifiers_apply(a, &m, bytes_of("a\0b", 3), &got, &e));
	assert_bytes(got, bytes_of("a\0bx", 4));
	assert_ok(modifier_parse(BYTES("match:*b"), &v[0], &e));
	assert_ok(modifiers_apply(a, &m, bytes_of("a\0b", 3), &got, &e));
	assert_code(modifiers_apply(a, &m, BYTES("\xff\xfe"), &got, &e), CHY_VALUE_PATTERN);
	assert_ok(modifier_parse(BYTES("match:a"), &v[0], &e));
	assert_code(modifiers_apply(a, &m, BYTES("a\xff"), &got, &e), CHY_VALUE_PATTERN);
	/* the worst that a pattern can do: quadratic, not more */
	assert_ok(modifier_parse(BYTES("match:*a*a*a*a*a*a*a*a*a*b"), &v[0], &e));
	assert_code(modifiers_apply(a, &m, bytes_of(many, 4096), &got, &e), CHY_VALUE_PATTERN);
}

#define EACH(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	EACH(every_word_and_its_argument),
	EACH(what_becomes_of_values),
	EACH(bounds),
};

TESTS_MAIN(tests)
