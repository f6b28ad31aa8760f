#include "test.h"

#include "policy/path.h"

/* Names of documents as names of files. */

static const char *
file_name(struct arena *a, struct bytes name)
{
	const char *s = path_part(a, name);

	assert_non_null(s);
	return s;
}

static void
plain_names_stay(void **state)
{
	static const char *const names[] = {
		"TLS server", "a", "A-b_c (1), +@=!", "Åsa Öberg", "日本", "x.y"
	};
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(file_name(a, bytes_str(names[i])), names[i]);
}

static void
what_has_a_meaning_is_escaped(void **state)
{
	static const char *const pairs[][2] = {
		{ "..", "%2E%2E" },
		{ ".", "%2E" },
		{ ".git", "%2Egit" },
		{ "a/b", "a%2Fb" },
		{ "../../etc", "%2E.%2F..%2Fetc" },
		{ "a\\b", "a%5Cb" },
		{ "100%", "100%25" },
		{ "a%2Fb", "a%252Fb" },
		{ "a\nb", "a%0Ab" },
		{ "end.", "end%2E" },
		{ "end ", "end%20" },
		{ "a~b", "a%7Eb" },
		{ "c:d*e?f\"g<h>i|j", "c%3Ad%2Ae%3Ff%22g%3Ch%3Ei%7Cj" },
	};
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_string_equal(file_name(a, bytes_str(pairs[i][0])), pairs[i][1]);
}

/* Two names of up to three of the worst characters never share a file. */
static void
different_names_have_different_files(void **state)
{
	static const char letters[] = { 'a', '.', '/', '%', '~', ' ', '2', 'F' };
	enum { N = 8, ALL = N + N * N + N * N * N };
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	const char *made[ALL];
	size_t n = 0;

	for (size_t len = 1; len <= 3; len++)
		for (size_t i = 0, count = len == 1 ? N : len == 2 ? N * N : N * N * N; i < count; i++) {
			char name[3] = { letters[i % N], letters[i / N % N], letters[i / N / N % N] };

			made[n++] = file_name(a, bytes_of(name, len));
		}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(made[i], made[k]);
}

static void
long_names_are_cut_between_characters(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	char name[801];

	for (size_t shift = 0; shift < 4; shift++) {
		struct bytes rest;
		const char *one, *other;

		memset(name, 'x', shift);
		for (size_t i = shift; i + 2 <= 800; i += 2)
			memcpy(name + i, "\xc3\xb6", 2);
		one = file_name(a, bytes_of(name, 600 + shift));
		other = file_name(a, bytes_of(name, 602 + shift));
		assert_string_not_equal(one, other);
		assert_in_range(strlen(one), 1, PATH_PART_MAX);
		assert_true(utf8_ok(bytes_str(one)));
		(void)text_cut(bytes_str(one), '~', &rest);
		assert_int_equal(rest.n, 16);
		memset(name, '/', 300); /* each becomes three characters: none is cut in the middle */
		one = file_name(a, bytes_of(name, 300 - shift));
		rest = text_cut(bytes_str(one), '~', &rest);
		assert_int_equal(rest.n % 3, 0);
	}
}

static void
paths_hang_together(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);

	assert_string_equal(path_join(a, "", BYTES("TLS server")), "TLS server");
	assert_string_equal(path_join(a, "Sweden", BYTES("A/B")), "Sweden/A%2FB");
}

static const struct CMUnitTest tests[] = {
	CASE(plain_names_stay),
	CASE(what_has_a_meaning_is_escaped),
	CASE(different_names_have_different_files),
	CASE(long_names_are_cut_between_characters),
	CASE(paths_hang_together),
};
TESTS_MAIN(tests)
