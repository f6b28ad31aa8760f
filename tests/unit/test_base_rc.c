#include "base/base.h"

#include "test.h"

static enum rc
inner(bool fail, struct err *e)
{
	NEED(!fail, e, CHY_HEX, "RFC 0 1.2", "value %d", 7);
	return RC_OK;
}

static enum rc
outer(bool fail, struct err *e)
{
	TRY_AT(inner(fail, e), e, "list[%d]", 3);
	TRY(inner(false, e));
	FAIL(e, CHY_BASE64, NULL, "second");
}

static void
keeps_the_first_cause(void **state)
{
	struct err e = { 0 };

	assert_int_equal(outer(true, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_HEX);
	assert_string_equal(e.text, "value 7");
	assert_string_equal(e.std, "RFC 0 1.2");
	assert_string_equal(e.field, "list[3]");
	assert_int_equal(err_set(&e, CHY_SYSTEM, NULL, "later"), RC_MALFORMED);
	err_field(&e, "other");
	assert_string_equal(e.text, "value 7");
	assert_string_equal(e.field, "list[3]");
	err_clear(&e);
	assert_int_equal(outer(false, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_BASE64);
	assert_string_equal(e.std, "");
	assert_string_equal(e.field, "");
}

static void
works_without_a_place_for_it(void **state)
{
	assert_int_equal(outer(true, NULL), RC_MALFORMED);
	err_field(NULL, "x");
}

static void
cuts_long_texts_at_a_character(void **state)
{
	char longer[2 * ERR_TEXT_MAX + 1];

	for (size_t shift = 0; shift < 4; shift++) {
		struct err e = { 0 };

		memset(longer, 'x', shift);
		for (size_t i = shift; i + 3 <= sizeof(longer); i += 3)
			memcpy(longer + i, "\xe2\x82\xac", 3);
		longer[2 * ERR_TEXT_MAX - 4] = 0;
		(void)!err_set(
		    &e, CHY_HEX,
		    "a standard whose name is longer than anybody would write it in this project ever", "%s",
		    longer);
		err_field(&e, "%s", longer);
		assert_true(utf8_ok(bytes_str(e.text)) && utf8_ok(bytes_str(e.field)));
		assert_true(strlen(e.text) > ERR_TEXT_MAX - 8 && strlen(e.field) > ERR_FIELD_MAX - 8);
		assert_int_equal(strlen(e.std), ERR_STD_MAX - 1);
	}
}

/* A number is given once; each code has a name, a title and an rc that is not OK. */
static void
codes_are_told_apart(void **state)
{
	const enum code *all;
	size_t n = code_list(&all);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++)
			if (all[i] == all[j])
				fail_msg("CHY-%d is given twice", (int)all[i]);
		assert_int_not_equal(code_rc(all[i]), RC_OK);
		assert_true(strlen(code_title(all[i])) > 5);
		assert_true(all[i] >= 1000 && all[i] < 2000);
	}
}

static void
codes_stand_in_order(void **state)
{
	const enum code *all;
	size_t n = code_list(&all);

	for (size_t i = 1; i < n; i++)
		if (all[i] <= all[i - 1])
			fail_msg("CHY-%d stands behind CHY-%d", (int)all[i], (int)all[i - 1]);
}

static void
unknown_codes_are_internal(void **state)
{
	assert_int_equal(code_rc((enum code)9999), RC_INTERNAL);
	assert_int_equal(code_rc(CHY_NONE), RC_INTERNAL);
	assert_string_equal(code_name((enum code)9999), "UNKNOWN");
	assert_non_null(code_title((enum code)9999));
	assert_string_equal(rc_name(RC_NOT_FOUND), "not-found");
	assert_string_equal(rc_name((enum rc)77), "internal");
}

static const struct CMUnitTest tests[] = {
	CASE(keeps_the_first_cause), CASE(works_without_a_place_for_it), CASE(cuts_long_texts_at_a_character),
	CASE(codes_are_told_apart),  CASE(codes_stand_in_order),         CASE(unknown_codes_are_internal),
};
TESTS_MAIN(tests)
