#include "base/base.h"
#include "factory/session_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 4, NOW = 1000, LATER = 2000 };

static struct session
session_of(uint8_t number, int64_t expires_at_ms)
{
	struct session x = { .facts = { .expires_at_ms = expires_at_ms, .certificates_made = number } };

	x.token_hash[0] = 7; /* all in one bucket but for the odd ones */
	x.token_hash[1] = number & 1;
	x.token_hash[2] = number;
	return x;
}

static enum rc
keep(struct sessions *s, uint8_t number, int64_t expires_at_ms)
{
	struct session x = session_of(number, expires_at_ms);
	struct err e = { 0 };
	enum rc rc = sessions_keep(s, &x, NOW, &e);

	assert_int_equal(e.code, rc == RC_OK ? CHY_NONE : CHY_LIMIT);
	return rc;
}

static bool
is_kept(struct sessions *s, uint8_t number)
{
	struct session x = session_of(number, 0), got;

	return sessions_find(s, x.token_hash, &got);
}

/* A token more than are kept is not refused: whoever was not asked for the longest is read again when needed. */
static void
the_least_recently_used_goes(void **state)
{
	struct sessions *s = sessions_new(MOST);

	for (uint8_t i = 1; i <= MOST; i++) {
		assert_int_equal(keep(s, i, LATER), RC_OK);
		usleep(100);
	}
	assert_true(is_kept(s, 1));
	usleep(100);
	assert_int_equal(keep(s, 9, LATER), RC_OK);
	assert_int_equal(sessions_count(s), MOST);
	assert_false(is_kept(s, 2));
	assert_true(is_kept(s, 1) && is_kept(s, 3) && is_kept(s, 4) && is_kept(s, 9));
	for (int i = 10; i < 200; i++)
		assert_int_equal(keep(s, (uint8_t)i, LATER), RC_OK);
	assert_int_equal(sessions_count(s), MOST);
	sessions_free(s);
}

static void
what_has_ended_goes_first(void **state)
{
	struct sessions *s = sessions_new(MOST);

	for (uint8_t i = 1; i <= MOST; i++)
		assert_int_equal(keep(s, i, i == 1 || i == MOST ? LATER : NOW), RC_OK);
	assert_int_equal(keep(s, 9, LATER), RC_OK);
	assert_int_equal(sessions_count(s), 3);
	assert_true(is_kept(s, 1) && is_kept(s, MOST) && is_kept(s, 9));
	sessions_free(s);
}

/* What is on its way is counted here only. */
static void
what_is_in_use_stays(void **state)
{
	struct sessions *s = sessions_new(MOST);
	struct kept_session *held[MOST];
	struct session x;
	int64_t before;

	for (uint8_t i = 0; i < MOST; i++) {
		x = session_of(i + 1, NOW);
		assert_int_equal(keep(s, i + 1, NOW), RC_OK);
		held[i] = sessions_take(s, x.token_hash, &before);
		assert_int_equal(before, i + 1);
	}
	assert_int_equal(keep(s, 9, LATER), RC_NOMEM);
	assert_int_equal(sessions_count(s), MOST);
	sessions_give(held[2], false);
	assert_int_equal(keep(s, 9, LATER), RC_OK);
	assert_false(is_kept(s, 3));
	x = session_of(1, NOW);
	sessions_give(sessions_take(s, x.token_hash, &before), true);
	assert_int_equal(before, 2);
	sessions_give(held[0], false); /* gives its certificate back */
	held[0] = sessions_take(s, x.token_hash, &before);
	assert_int_equal(before, 2);
	x = session_of(3, NOW);
	assert_null(sessions_take(s, x.token_hash, &before));
	sessions_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_recently_used_goes),
		cmocka_unit_test(what_has_ended_goes_first),
		cmocka_unit_test(what_is_in_use_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
