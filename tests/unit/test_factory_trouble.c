#include "base/base.h"
#include "factory/trouble.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
note(struct troubles *t, int64_t of, enum code code, const char *text)
{
	struct err e = { 0 };

	err_set(&e, code, NULL, "%s", text);
	trouble_note(t, (struct doc_id){ of }, &e);
}

/* The newest text, since the first failure with this code; until it is over. */
static void
the_last_failure_while_it_lasts(void **state)
{
	struct troubles t;
	struct trouble x;
	int64_t since;

	troubles_init(&t);
	assert_false(trouble_of(&t, (struct doc_id){ 7 }, &x));
	note(&t, 7, CHY_CRL, "one");
	note(&t, 8, CHY_CRL, "another's");
	assert_true(trouble_of(&t, (struct doc_id){ 7 }, &x));
	since = x.since_ms;
	t.v[0].since_ms = since - 1000;
	note(&t, 7, CHY_CRL, "two");
	assert_true(trouble_of(&t, (struct doc_id){ 7 }, &x));
	assert_string_equal(x.text, "two");
	assert_int_equal(x.since_ms, since - 1000);
	note(&t, 7, CHY_CIL, "of another sort");
	assert_true(trouble_of(&t, (struct doc_id){ 7 }, &x));
	assert_true(x.since_ms >= since);
	trouble_over(&t, (struct doc_id){ 7 });
	trouble_over(&t, (struct doc_id){ 7 });
	assert_false(trouble_of(&t, (struct doc_id){ 7 }, &x));
	assert_true(trouble_of(&t, (struct doc_id){ 8 }, &x));
	assert_string_equal(x.text, "another's");
}

static void
what_does_not_fit_is_left_out(void **state)
{
	struct troubles t;
	struct trouble x;

	troubles_init(&t);
	for (int64_t i = 1; i <= TROUBLES_MAX + 1; i++)
		note(&t, i, CHY_CRL, "text");
	assert_true(trouble_of(&t, (struct doc_id){ TROUBLES_MAX }, &x));
	assert_false(trouble_of(&t, (struct doc_id){ TROUBLES_MAX + 1 }, &x));
	trouble_over(&t, (struct doc_id){ 1 });
	note(&t, TROUBLES_MAX + 1, CHY_CRL, "text");
	assert_true(trouble_of(&t, (struct doc_id){ TROUBLES_MAX + 1 }, &x));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_failure_while_it_lasts),
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
