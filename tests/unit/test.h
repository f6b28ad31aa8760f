/*
 * What the unit tests share: cmocka with the headers it needs, and assertions for this project's own types.
 *
 *	static const struct CMUnitTest tests[] = {
 *		CASE(parses_an_empty_object),
 *		ROWS(picks_the_first_without_usage, "CM-T-25"),
 *	};
 *	TESTS_MAIN(tests)
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CASE(fn) \
	{ \
#fn, fn, NULL, NULL, NULL \
	}
/* The same, naming the requirement rows that it shows; they reach the results and `./dev rows`. */
#define ROWS(fn, ids) \
	{ \
#fn " rows=" ids, fn, NULL, NULL, NULL \
	}

#define TESTS_MAIN(tests) \
	int main(void) \
	{ \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

#define assert_ok(call) \
	do { \
		if ((call) != RC_OK) \
			fail_msg("%s failed", #call); \
	} while (0)

/* The call fails with just this code; wants a struct err e in scope, which is empty before and after. */
#define assert_code(call, want) \
	do { \
		enum rc rc_ = (call); \
\
		if (e.code != (want) || rc_ != code_rc(want)) \
			fail_msg("%s gave %s (%s), not %s: %s", #call, code_name(e.code), rc_name(rc_), \
				 code_name(want), e.text); \
		err_clear(&e); \
	} while (0)

#define assert_bytes(got, want) \
	do { \
		struct bytes got_ = (got), want_ = (want); \
\
		assert_int_equal(got_.n, want_.n); \
		if (want_.n > 0) \
			assert_memory_equal(got_.p, want_.p, want_.n); \
	} while (0)

#define assert_text(got, want) assert_bytes((got), bytes_str(want))

#endif
