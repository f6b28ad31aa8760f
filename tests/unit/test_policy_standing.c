/*
 * With which of their certificates officers can still act: every state at, before and behind both ends.
 */
#include "test.h"

#include "policy/standing.h"

enum { NOW = 1000000, LATER = 2000000 };

static void
only_good_ones_within_their_time_act(void **state)
{
	static const struct {
		struct standing c;
		bool acts;
	} tries[] = {
		{ { CREDENTIAL_GOOD, 0, LATER }, true },        { { CREDENTIAL_GOOD, NOW, NOW }, true },
		{ { CREDENTIAL_GOOD, NOW + 1, LATER }, false }, { { CREDENTIAL_GOOD, 0, NOW - 1 }, false },
		{ { CREDENTIAL_HELD, 0, LATER }, false },       { { CREDENTIAL_REVOKED, 0, LATER }, false },
		{ { CREDENTIAL_REVOKED, 0, NOW - 1 }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		assert_int_equal(standing_acts(&tries[i].c, NOW), tries[i].acts);
		assert_ptr_equal(standing_last(&tries[i].c, 1, NOW), tries[i].acts ? &tries[i].c : NULL);
	}
	assert_null(standing_last(NULL, 0, NOW));
}

/* A renewed certificate carries on where the bound one ends; a revoked one carries nothing, however long it would last. */
static void
the_last_that_acts_counts(void **state)
{
	const struct standing v[] = { { CREDENTIAL_GOOD, 0, NOW - 1 },
				      { CREDENTIAL_GOOD, 0, NOW + 5 },
				      { CREDENTIAL_GOOD, 0, NOW + 3 },
				      { CREDENTIAL_REVOKED, 0, LATER } };

	assert_ptr_equal(standing_last(v, ARRAY_LEN(v), NOW), &v[1]);
	assert_ptr_equal(standing_last(v, ARRAY_LEN(v), NOW + 4), &v[1]);
	assert_null(standing_last(v, ARRAY_LEN(v), NOW + 6));
}

#define DAY ((int64_t)86400000)

/* Ninety days before the end; of a certificate for thirty days, as the boot officers', ten. */
static void
the_end_is_told_in_time(void **state)
{
	const struct standing years = { CREDENTIAL_GOOD, 0, 1095 * DAY },
			      month = { CREDENTIAL_GOOD, 0, 30 * DAY };

	assert_false(standing_ends_soon(&years, 1005 * DAY));
	assert_true(standing_ends_soon(&years, 1005 * DAY + 1));
	assert_false(standing_ends_soon(&month, 20 * DAY));
	assert_true(standing_ends_soon(&month, 20 * DAY + 1));
	assert_true(standing_ends_soon(&month, 31 * DAY));
	assert_false(ca_ends_soon(0, 3650 * DAY, (3650 - 180) * DAY));
	assert_true(ca_ends_soon(0, 3650 * DAY, (3650 - 180) * DAY + 1));
	assert_false(ca_ends_soon(0, 30 * DAY, 20 * DAY));
	assert_true(ca_ends_soon(0, 30 * DAY, 20 * DAY + 1));
}

static const struct CMUnitTest tests[] = {
	ROWS(only_good_ones_within_their_time_act, "CM-O-29"),
	ROWS(the_last_that_acts_counts, "CM-O-29"),
	CASE(the_end_is_told_in_time),
};

TESTS_MAIN(tests)
