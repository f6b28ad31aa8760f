#include "base/base.h"

#include "test.h"

static void
compares(void **state)
{
	assert_true(bytes_eq(BYTES("abc"), bytes_str("abc")));
	assert_false(bytes_eq(BYTES("abc"), BYTES("ab")));
	assert_true(bytes_eq(BYTES_NONE, BYTES("")));
	assert_true(bytes_is(BYTES(""), NULL));
	assert_true(bytes_cmp(BYTES("a"), BYTES("ab")) < 0);
	assert_true(bytes_cmp(BYTES("b"), BYTES("ab")) > 0);
	assert_true(bytes_cmp(BYTES("\x80"), BYTES("\x7f")) > 0);
	assert_int_equal(bytes_cmp(BYTES_NONE, BYTES("")), 0);
	assert_true(bytes_cmp(BYTES_NONE, BYTES("a")) < 0);
}

static void
starts(void **state)
{
	assert_true(bytes_starts(BYTES("pkcs11:token"), "pkcs11:"));
	assert_true(bytes_starts(BYTES("pkcs11:"), "pkcs11:"));
	assert_false(bytes_starts(BYTES("pkcs11"), "pkcs11:"));
	assert_true(bytes_starts(BYTES_NONE, ""));
}

static void
compares_secrets(void **state)
{
	assert_true(bytes_eq_secret(BYTES("secret"), BYTES("secret")));
	assert_false(bytes_eq_secret(BYTES("secret"), BYTES("secreT")));
	assert_false(bytes_eq_secret(BYTES("secret"), BYTES("Secret")));
	assert_false(bytes_eq_secret(BYTES("secret"), BYTES("secre")));
	assert_true(bytes_eq_secret(BYTES_NONE, BYTES("")));
}

static void
cuts_parts(void **state)
{
	struct bytes b = BYTES("abcdef");

	assert_text(bytes_part(b, 2, 3), "cde");
	assert_text(bytes_part(b, 4, SIZE_MAX), "ef");
	assert_text(bytes_part(b, 0, 0), "");
	assert_text(bytes_part(b, 6, 1), "");
	assert_text(bytes_part(b, SIZE_MAX, SIZE_MAX), "");
	assert_text(bytes_part(BYTES_NONE, 0, 4), "");
}

static const struct CMUnitTest tests[] = {
	CASE(compares),
	CASE(starts),
	CASE(compares_secrets),
	CASE(cuts_parts),
};
TESTS_MAIN(tests)
