/*
 * The choice of the certificate procedure: the rules of the token procedure one by one, and then every list of up to
 * four procedures of every sort against every request, compared with the rules written down a second time.
 */
#include "test.h"

#include "policy/select.h"

enum { DS = 1, NR = 2, KE = 4, DE = 8, KA = 16 };

static struct arena *mem;

static struct selection
choose(const uint16_t *list, size_t n, bool has, uint16_t usages)
{
	struct selection s;
	struct err e = { 0 };
	enum rc rc = select_procedure(mem, list, n, has, usages, "key 1", &s, &e);

	assert_int_equal(rc == RC_OK, s.chosen >= 0);
	return s;
}

static int
setup(void **state)
{
	mem = arena_new(1 << 30);
	return mem == NULL;
}

static int
teardown(void **state)
{
	arena_free(mem);
	return 0;
}

static void
no_usage_in_the_request_takes_the_first(void **state)
{
	const uint16_t list[] = { DS, 0, KE };
	struct selection s = choose(list, 3, false, 0);

	assert_int_equal(s.chosen, 0);
	assert_string_equal(select_reason_name(s.reasons[0]), "first-in-list");
	assert_string_equal(select_reason_name(s.reasons[1]), "not-first");
	assert_int_equal(choose(list, 3, true, 0).chosen, 0); /* an empty one counts as none */
}

static void
a_usage_takes_the_first_that_matches(void **state)
{
	const uint16_t list[] = { DS, KE, KE | DS };

	assert_int_equal(choose(list, 3, true, KE).chosen, 1);
	assert_int_equal(choose(list, 3, true, DS).chosen, 0);
	assert_int_equal(choose(list, 3, true, KE | DS).chosen, 2);
	assert_string_equal(select_reason_name(choose(list, 3, true, KE).reasons[2]), "behind-chosen");
}

static void
without_usages_matches_all(void **state)
{
	const uint16_t list[] = { 0 };

	for (uint16_t u = 1; u <= KEY_USAGE_ALL; u++)
		assert_int_equal(choose(list, 1, true, u).reasons[0], SELECT_NO_USAGE);
}

static void
with_all_usages_matches_all(void **state)
{
	const uint16_t list[] = { KEY_USAGE_ALL };

	for (uint16_t u = 1; u <= KEY_USAGE_ALL; u++)
		assert_int_equal(choose(list, 1, true, u).reasons[0], SELECT_ALL_USAGES);
}

static void
encipher_takes_the_one_without_usages_before_encipher(void **state)
{
	const uint16_t list[] = { DS, 0, KE };
	struct selection s = choose(list, 3, true, KE);

	assert_int_equal(s.chosen, 1);
	assert_int_equal(s.reasons[0], SELECT_LACKS);
	assert_int_equal(s.lacks[0], KE);
	assert_int_equal(s.reasons[2], SELECT_NOT_ASKED);
}

static void
no_match_names_key_and_usage(void **state)
{
	const uint16_t list[] = { DS, KE };
	struct selection s;
	struct err e = { 0 };

	assert_int_equal(select_procedure(mem, list, 2, true, DS | KE | KA, "key 2", &s, &e), RC_DENIED);
	assert_int_equal(e.code, CHY_SELECT_NONE);
	assert_non_null(strstr(e.text, "key 2"));
	assert_non_null(strstr(e.text, "digitalSignature, keyEncipherment, keyAgreement"));
	assert_int_equal(s.lacks[0], KE | KA);
	assert_int_equal(s.lacks[1], DS | KA);
}

static void
an_empty_list_is_refused(void **state)
{
	struct selection s;
	struct err e = { 0 };

	assert_code(select_procedure(mem, NULL, 0, true, DS, "key 1", &s, &e), CHY_SELECT_EMPTY);
}

/* One token, three keys: each is asked for by itself. */
static void
each_key_is_selected_by_itself(void **state)
{
	const uint16_t list[] = { DS, NR, KE | DE };

	assert_int_equal(choose(list, 3, true, NR).chosen, 1);
	assert_int_equal(choose(list, 3, true, KE).chosen, 2);
	assert_int_equal(choose(list, 3, true, DS).chosen, 0);
	assert_int_equal(choose(list, 3, false, 0).chosen, 0);
}

/* The rules once more, as the requirements word them. */
static int
by_the_book(const uint16_t *list, size_t n, uint16_t usages)
{
	if (usages == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		bool none = list[i] == 0, all = true, has_asked = true;

		for (int bit = 0; bit < 9; bit++) {
			bool set = list[i] >> bit & 1, asked = usages >> bit & 1;

			all = all && set;
			has_asked = has_asked && (set || !asked);
		}
		if (none || all || has_asked)
			return (int)i;
	}
	return -1;
}

static void
every_list_and_every_request(void **state)
{
	static const uint16_t sorts[] = { 0, KEY_USAGE_ALL, DS, NR, KE, DS | KE, DS | NR, KA | 0x100, 0x1fe };
	enum { N = ARRAY_LEN(sorts) };
	uint16_t list[4];

	for (int len = 1; len <= 4; len++) {
		int lists = 1;

		for (int i = 0; i < len; i++)
			lists *= N;
		for (int l = 0; l < lists; l++) {
			static const uint16_t asked[] = { 0,       DS, NR,         KE,    DE,    DS | KE,
							  DS | NR, KA, KA | 0x100, 0x100, 0x1ff, 0x1fe };
			OWN(arena_free)
			struct arena *own = arena_new(1 << 20), *kept = mem;

			for (int i = 0, rest = l; i < len; i++, rest /= N)
				list[i] = sorts[rest % N];
			mem = own;
			for (size_t u = 0; u < ARRAY_LEN(asked); u++) {
				struct selection s = choose(list, (size_t)len, asked[u] != 0, asked[u]);

				assert_int_equal(s.chosen, by_the_book(list, (size_t)len, asked[u]));
				for (int i = 0; i < len; i++)
					assert_int_equal(s.reasons[i] <= SELECT_SUBSET, i == s.chosen);
			}
			mem = kept;
			kept = NULL;
		}
	}
}

static void
names_of_usages_go_both_ways(void **state)
{
	char text[KEY_USAGE_TEXT_MAX];

	assert_string_equal(key_usage_text(text, 0), "");
	assert_string_equal(
	    key_usage_text(text, KEY_USAGE_ALL),
	    "digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyAgreement, keyCertSign, "
	    "cRLSign, encipherOnly, decipherOnly");
	for (int bit = 0; bit < 9; bit++)
		assert_int_equal(key_usage_bit(bytes_str(key_usage_text(text, (uint16_t)(1 << bit)))), bit);
	assert_int_equal(key_usage_bit(BYTES("signing")), -1);
}

static const struct CMUnitTest tests[] = {
	ROWS(no_usage_in_the_request_takes_the_first, "CM-T-25"),
	ROWS(a_usage_takes_the_first_that_matches, "CM-T-26"),
	ROWS(without_usages_matches_all, "CM-T-27"),
	ROWS(with_all_usages_matches_all, "CM-T-28"),
	ROWS(encipher_takes_the_one_without_usages_before_encipher, "CM-T-29"),
	ROWS(no_match_names_key_and_usage, "CM-T-30"),
	ROWS(each_key_is_selected_by_itself, "CM-T-31"),
	ROWS(every_list_and_every_request, "CM-T-25 CM-T-26 CM-T-27 CM-T-28 CM-T-29 CM-T-30"),
	CASE(an_empty_list_is_refused),
	CASE(names_of_usages_go_both_ways),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, setup, teardown);
}
