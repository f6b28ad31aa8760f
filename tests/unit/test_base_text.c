#include "base/base.h"

#include "test.h"

static struct arena *mem;

static int
open_arena(void **state)
{
	mem = arena_new(1 << 20);
	return mem == NULL;
}

static int
close_arena(void **state)
{
	arena_free(mem);
	return 0;
}

static void
utf8_borders(void **state)
{
	static const struct {
		const char *text;
		int32_t want;
	} rows[] = {
		{ "\x01", 1 },
		{ "\x7f", 0x7f },
		{ "\xc2\x80", 0x80 },
		{ "\xdf\xbf", 0x7ff },
		{ "\xe0\xa0\x80", 0x800 },
		{ "\xed\x9f\xbf", 0xd7ff },
		{ "\xee\x80\x80", 0xe000 },
		{ "\xef\xbf\xbf", 0xffff },
		{ "\xf0\x90\x80\x80", 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 0x10ffff },
		{ "\x80", -1 },             /* continuation alone */
		{ "\xc0\x80", -1 },         /* overlong NUL */
		{ "\xc1\xbf", -1 },         /* overlong */
		{ "\xe0\x9f\xbf", -1 },     /* overlong */
		{ "\xf0\x8f\xbf\xbf", -1 }, /* overlong */
		{ "\xed\xa0\x80", -1 },     /* surrogate */
		{ "\xed\xbf\xbf", -1 },     /* surrogate */
		{ "\xf4\x90\x80\x80", -1 }, /* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", -1 },
		{ "\xff", -1 },
		{ "\xc2", -1 }, /* cut off */
		{ "\xe2\x82", -1 },
		{ "\xf0\x9f\x98", -1 },
		{ "\xe2\x28\xa1", -1 }, /* wrong continuation */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes b = bytes_str(rows[i].text), before = b;

		assert_int_equal(utf8_take(&b), rows[i].want);
		assert_int_equal(b.n, rows[i].want < 0 ? before.n : 0);
		assert_int_equal(utf8_ok(before), rows[i].want >= 0);
	}
	assert_true(utf8_ok(BYTES("a\0b")));
	assert_true(utf8_ok(BYTES_NONE));
	assert_int_equal(utf8_take(&(struct bytes){ NULL, 0 }), -1);
}

static void
hex_both_ways(void **state)
{
	OWN_BUF struct buf b = buf_max(64);
	struct err e = { 0 };
	struct bytes got;

	hex_put(&b, BYTES("\x00\x7f\xff\xa5"));
	hex_put(&b, BYTES_NONE);
	assert_text(buf_bytes(&b), "007fffa5");
	assert_ok(hex_parse(mem, BYTES("007FffA5"), &got, &e));
	assert_bytes(got, BYTES("\x00\x7f\xff\xa5"));
	assert_ok(hex_parse(mem, BYTES(""), &got, &e));
	assert_int_equal(got.n, 0);
	assert_code(hex_parse(mem, BYTES("0"), &got, &e), CHY_HEX);
	assert_code(hex_parse(mem, BYTES("0g"), &got, &e), CHY_HEX);
	assert_code(hex_parse(mem, BYTES("00 1"), &got, &e), CHY_HEX);
	assert_code(hex_parse(mem, BYTES("0x"), &got, &e), CHY_HEX);
}

static const struct {
	const char *plain, *std, *url;
} base64_rows[] = {
	/* RFC 4648 section 10 */
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/", "-_-_" },
};

static void
base64_both_ways(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
		OWN_BUF struct buf b = buf_max(64), u = buf_max(64);
		struct err e = { 0 };
		struct bytes got;

		base64_put(&b, bytes_str(base64_rows[i].plain));
		base64url_put(&u, bytes_str(base64_rows[i].plain));
		assert_text(buf_bytes(&b), base64_rows[i].std);
		assert_text(buf_bytes(&u), base64_rows[i].url);
		assert_ok(base64_parse(mem, buf_bytes(&b), &got, &e));
		assert_text(got, base64_rows[i].plain);
		assert_ok(base64url_parse(mem, buf_bytes(&u), &got, &e));
		assert_text(got, base64_rows[i].plain);
	}
}

static void
base64_takes_every_digit(void **state)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[4] = { 'A', 'A', 'A', (uint8_t)c };
		bool both = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		OWN_BUF struct buf back = buf_max(64);
		struct bytes got;

		assert_int_equal(base64_parse(mem, BYTES_OF(text), &got, NULL) == RC_OK,
				 both || c == '+' || c == '/' || c == '=');
		assert_int_equal(base64url_parse(mem, BYTES_OF(text), &got, NULL) == RC_OK,
				 both || c == '-' || c == '_');
		if (!both)
			continue;
		base64_put(&back, got);
		assert_memory_equal(back.p, text, sizeof(text));
	}
}

/* One encoding of each value: padding that is missing, extra or misplaced, unused bits, blanks, the other alphabet. */
static void
base64_refuses(void **state)
{
	static const char *const std[] = { "Zg",     "Zg=",  "Zg===", "Zh==",     "Zm9=",
					   "Z===",   "====", "=",     "Zm9v=",    "Zm 9v",
					   "Zm9v\n", "Z=g=", "-_-_",  "Zg==Zg==", "Zm9vZg==Zm9v" };
	static const char *const url[] = { "Z", "Zg==", "Zh", "Zm9", "+/+/", "Zm9vY", "Zm9v " };
	struct err e = { 0 };
	struct bytes got;

	for (size_t i = 0; i < ARRAY_LEN(std); i++)
		assert_code(base64_parse(mem, bytes_str(std[i]), &got, &e), CHY_BASE64);
	for (size_t i = 0; i < ARRAY_LEN(url); i++)
		assert_code(base64url_parse(mem, bytes_str(url[i]), &got, &e), CHY_BASE64);
}

static void
base64_every_length(void **state)
{
	uint8_t all[300];
	struct err e = { 0 };
	struct bytes got;

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(all); n++) {
		OWN_BUF struct buf b = buf_max(512);

		base64_put(&b, bytes_of(all, n));
		assert_int_equal(b.n, (n + 2) / 3 * 4);
		assert_ok(base64_parse(mem, buf_bytes(&b), &got, &e));
		assert_bytes(got, bytes_of(all, n));
	}
}

static void
integers(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} good[] = { { "0", 0 },
		     { "7", 7 },
		     { "-1", -1 },
		     { "9223372036854775807", INT64_MAX },
		     { "-9223372036854775808", INT64_MIN } };
	static const char *const bad[] = { "",
					   "-",
					   "+1",
					   "01",
					   "-0",
					   "00",
					   " 1",
					   "1 ",
					   "0x1",
					   "1.0",
					   "1e3",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "99999999999999999999",
					   "12345678901234567890123456789012345678901234567890" };
	struct err e = { 0 };
	int64_t v;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(int_parse(bytes_str(good[i].text), INT64_MIN, INT64_MAX, &v, &e));
		assert_true(v == good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_code(int_parse(bytes_str(bad[i]), INT64_MIN, INT64_MAX, &v, &e), CHY_NUMBER_TEXT);
	assert_ok(int_parse(BYTES("10"), 10, 10, &v, &e));
	assert_code(int_parse(BYTES("9"), 10, 10, &v, &e), CHY_NUMBER_TEXT);
	assert_code(int_parse(BYTES("11"), 10, 10, &v, &e), CHY_NUMBER_TEXT);
}

static void
trims_and_cuts(void **state)
{
	struct bytes rest;

	assert_text(text_trim(BYTES(" \t a b\r\n")), "a b");
	assert_text(text_trim(BYTES(" \r\n\t ")), "");
	assert_text(text_trim(BYTES_NONE), "");
	assert_text(text_cut(BYTES("a=b=c"), '=', &rest), "a");
	assert_text(rest, "b=c");
	assert_text(text_cut(BYTES("a="), '=', &rest), "a");
	assert_true(rest.p != NULL && rest.n == 0);
	assert_text(text_cut(BYTES("abc"), '=', &rest), "abc");
	assert_null(rest.p);
	assert_text(text_cut(BYTES_NONE, '=', &rest), "");
	assert_null(rest.p);
	assert_true(ascii_case_eq(BYTES("Host-1_[z"), BYTES("hOST-1_[Z")));
	assert_false(ascii_case_eq(BYTES("[@"), BYTES("{`"))); /* beside the letters: not letters */
	assert_false(ascii_case_eq(BYTES("ab"), BYTES("a")));
	assert_false(ascii_case_eq(BYTES("\xc3\x84"), BYTES("\xc3\xa4")));
}

/* Every character of two octets at most: C0, DEL and C1, and nothing else. */
static void
control_characters(void **state)
{
	for (int c = 0; c < 0x800; c++) {
		uint8_t text[4] = { 'a', (uint8_t)c, 'b' };
		size_t n = 3;

		if (c >= 0x80) {
			text[1] = (uint8_t)(0xc0 | c >> 6);
			text[2] = (uint8_t)(0x80 | (c & 0x3f));
		}
		if (text_has_control(bytes_of(text, n)) != (c < 0x20 || (c >= 0x7f && c < 0xa0)))
			fail_msg("U+%04X", (unsigned)c);
	}
	assert_false(text_has_control(BYTES_NONE));
	assert_false(text_has_control(BYTES("\xc2"))); /* damaged is another question */
}

static const struct CMUnitTest tests[] = {
	CASE(utf8_borders),       CASE(hex_both_ways),
	CASE(base64_both_ways),   CASE(base64_takes_every_digit),
	CASE(base64_refuses),     CASE(base64_every_length),
	CASE(integers),           CASE(trims_and_cuts),
	CASE(control_characters),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
