#include "base/base.h"
#include "base/fold.h"

#include "test.h"

/* Lines of the standard's CaseFolding.txt. */
static void
characters(void **state)
{
	static const uint32_t pairs[][2] = {
		{ 0x41, 0x61 },     { 0x5a, 0x7a },       { 0xb5, 0x3bc },      { 0xc0, 0xe0 },
		{ 0xdc, 0xfc },     { 0x100, 0x101 },     { 0x178, 0xff },      { 0x17f, 0x73 },
		{ 0x1c4, 0x1c6 },   { 0x1c5, 0x1c6 },     { 0x23a, 0x2c65 },    { 0x345, 0x3b9 },
		{ 0x391, 0x3b1 },   { 0x3a3, 0x3c3 },     { 0x3c2, 0x3c3 },     { 0x410, 0x430 },
		{ 0x531, 0x561 },   { 0x10a0, 0x2d00 },   { 0x13f8, 0x13f0 },   { 0x1e9e, 0xdf },
		{ 0x1f88, 0x1f80 }, { 0x2126, 0x3c9 },    { 0x212a, 0x6b },     { 0xab70, 0x13a0 },
		{ 0xff21, 0xff41 }, { 0x10400, 0x10428 }, { 0x1e921, 0x1e943 },
	};
	static const uint32_t same[] = { 0,     0x40,  0x5b,  0x61,  0xd7,   0xdf,   0xf7,    0x101,
					 0x130, 0x131, 0x3a2, 0x3b1, 0x4e00, 0xfffd, 0x1f600, 0x10ffff };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_int_equal(fold_char(pairs[i][0]), pairs[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_int_equal(fold_char(same[i]), same[i]);
}

/* As many as the standard has of the two sorts; and what is folded stays so. */
static void
all_of_them(void **state)
{
	size_t n = 0;

	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		uint32_t to = fold_char(c);

		n += to != c;
		assert_int_equal(fold_char(to), to);
	}
	assert_int_equal(n, 1454);
}

static void
folds_to(const char *text, const char *expected)
{
	uint8_t room[256];
	struct bytes in = bytes_str(text);
	size_t n = fold_text(room, in);

	assert_true(n <= fold_max(in.n));
	assert_memory_equal(room, expected, strlen(expected));
	assert_int_equal(n, strlen(expected));
}

static void
texts(void **state)
{
	folds_to("", "");
	folds_to("Web-01.EXAMPLE.org", "web-01.example.org");
	folds_to("BÜCHER", "bücher");
	folds_to("GRÜßE", "grüße");
	folds_to("STRA\xe1\xba\x9e"
		 "E",
		 "straße");
	folds_to("ΟΔΟΣ", "οδοσ");
	folds_to("οδος", "οδοσ");
	folds_to("ЖУРНАЛ", "журнал");
	folds_to("ȺȺȺ", "ⱥⱥⱥ");
	folds_to("\xf0\x90\x90\x80", "\xf0\x90\x90\xa8");
	folds_to("東京 Ltd", "東京 ltd");
}

/* Octets that are no UTF-8 stay, and what stands around them is folded. */
static void
what_is_no_utf8(void **state)
{
	folds_to("A\xff"
		 "B",
		 "a\xff"
		 "b");
	folds_to("\xc3", "\xc3");
	folds_to("\xe1\xba", "\xe1\xba");
	folds_to("\xc0\x80X", "\xc0\x80x");
	folds_to("\xed\xa0\x80Y", "\xed\xa0\x80y");
	folds_to("\xc3\x9c\x9c", "\xc3\xbc\x9c");
}

/* Any two octets, and any octet between two letters: never more than was promised, and never another length of what is no letter. */
static void
any_octets(void **state)
{
	for (unsigned i = 0; i < 0x10000; i++) {
		uint8_t in[4] = { 'A', (uint8_t)(i >> 8), (uint8_t)i, 'Z' }, room[8];
		size_t n = fold_text(room, BYTES_OF(in));

		assert_true(n >= 3 && n <= fold_max(sizeof(in)));
		assert_int_equal(room[0], 'a');
		assert_int_equal(room[n - 1], 'z');
	}
}

static const struct CMUnitTest tests[] = {
	CASE(characters), CASE(all_of_them), CASE(texts), CASE(what_is_no_utf8), CASE(any_octets),
};

TESTS_MAIN(tests)
