#include "base/base.h"
#include "factory/doubt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
what_was_seen_is_settled(void **state)
{
	struct doubt d = { 0 };
	uint64_t seen;

	assert_false(doubt_is(&d));
	doubt_raise(&d);
	doubt_raise(&d);
	assert_true(doubt_is(&d));
	seen = doubt_seen(&d);
	assert_true(doubt_is(&d));
	doubt_settle(&d, seen);
	assert_false(doubt_is(&d));
}

/* A failure while the journal is being read is not part of what was read. */
static void
what_was_raised_meanwhile_stays(void **state)
{
	struct doubt d = { 0 };
	uint64_t seen;

	doubt_raise(&d);
	seen = doubt_seen(&d);
	doubt_raise(&d);
	doubt_settle(&d, seen);
	assert_true(doubt_is(&d));
	doubt_settle(&d, doubt_seen(&d));
	assert_false(doubt_is(&d));
}

static void
a_late_repair_takes_nothing_back(void **state)
{
	struct doubt d = { 0 };
	uint64_t early, late;

	doubt_raise(&d);
	early = doubt_seen(&d);
	doubt_raise(&d);
	late = doubt_seen(&d);
	doubt_settle(&d, late);
	doubt_settle(&d, early);
	assert_false(doubt_is(&d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen_is_settled),
		cmocka_unit_test(what_was_raised_meanwhile_stays),
		cmocka_unit_test(a_late_repair_takes_nothing_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
