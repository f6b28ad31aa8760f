/* Who is refused over and over is held back; the time is an argument. */
#include "test.h"

#include "gateway/refusals.h"

static const struct refused_who anna = { REFUSED_OFFICER, 7 };

static struct refusals *
sixty(void)
{
	struct refusals *r;

	assert_int_equal(refusals_new(60, &r, NULL), RC_OK);
	return r;
}

static void
spent_and_given_back(void **state)
{
	struct refusals *r OWN(refusals_free)
	= sixty();

	for (int i = 0; i < 60; i++) {
		assert_int_equal(refusals_wait(r, anna, 1000), 0);
		refusals_add(r, anna, 1000);
	}
	assert_int_equal(refusals_wait(r, anna, 1000), 0); /* sixty are her own */
	refusals_add(r, anna, 1000);
	assert_int_equal(refusals_wait(r, anna, 1000), 1);
	assert_int_equal(refusals_wait(r, (struct refused_who){ REFUSED_OFFICER, 8 }, 1000), 0);
	assert_int_equal(refusals_wait(r, (struct refused_who){ REFUSED_SESSION, 7 }, 1000), 0);
	assert_int_equal(refusals_wait(r, anna, 1999), 1);
	assert_int_equal(refusals_wait(r, anna, 2000), 0); /* one of them is back */
	refusals_add(r, anna, 2000);
	assert_int_equal(refusals_wait(r, anna, 2000), 1);
	assert_int_equal(refusals_wait(r, anna, 63000), 0);
	for (int i = 0; i < 60; i++) /* and all of them, a minute later */
		refusals_add(r, anna, 63000);
	assert_int_equal(refusals_wait(r, anna, 63000), 0);
}

static void
what_was_done_counts(void **state)
{
	struct refusals *r OWN(refusals_free)
	= sixty();

	refusals_give_back(r, anna, 1000); /* nothing is owed: nothing is saved up */
	for (int i = 0; i < 1000; i++) {
		refusals_add(r, anna, 1000);
		assert_int_equal(refusals_wait(r, anna, 1000), 0);
		refusals_give_back(r, anna, 1000);
	}
	for (int i = 0; i < 61; i++)
		refusals_add(r, anna, 1000);
	assert_int_equal(refusals_wait(r, anna, 1000), 1);
}

static void
nobody_waits_for_long(void **state)
{
	struct refusals *r OWN(refusals_free)
	= sixty();

	for (int i = 0; i < 10000; i++)
		refusals_add(r, anna, 1000);
	assert_int_equal(refusals_wait(r, anna, 1000), 60);
	assert_int_equal(refusals_wait(r, anna, 61000), 0);
}

/* More than there are places: who owes most stays. */
static void
the_table_does_not_grow(void **state)
{
	struct refusals *r OWN(refusals_free)
	= sixty();

	for (int i = 0; i < 100; i++)
		refusals_add(r, anna, 1000);
	for (uint64_t id = 100; id < 100100; id++)
		refusals_add(r, (struct refused_who){ REFUSED_ADDRESS, id }, 1000);
	assert_int_equal(refusals_wait(r, anna, 1000), 40);
}

static void
off(void **state)
{
	struct refusals *r;

	assert_int_equal(refusals_new(0, &r, NULL), RC_OK);
	assert_null(r);
	for (int i = 0; i < 1000; i++)
		refusals_add(r, anna, 1000);
	refusals_give_back(r, anna, 1000);
	assert_int_equal(refusals_wait(r, anna, 1000), 0);
	refusals_free(r);
}

static void
addresses(void **state)
{
	assert_true(refused_address("192.0.2.1") == refused_address("192.0.2.1"));
	assert_true(refused_address("192.0.2.1") != refused_address("192.0.2.2"));
	assert_true(refused_address("2001:db8::1") == refused_address("2001:db8:0:0:ffff::2"));
	assert_true(refused_address("2001:db8::1") != refused_address("2001:db8:0:1::1"));
	assert_true(refused_address(NULL) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spent_and_given_back),
		cmocka_unit_test(what_was_done_counts),
		cmocka_unit_test(nobody_waits_for_long),
		cmocka_unit_test(the_table_does_not_grow),
		cmocka_unit_test(off),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests_name("gateway_refusals", tests, NULL, NULL);
}
