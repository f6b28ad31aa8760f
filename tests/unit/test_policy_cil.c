/* Issuance lists: one open procedure an authority, when a list is built, and which time it bears. */
#include "policy_world.h"

#include "base/clock.h"
#include "policy/cil.h"

enum { CIL = 3001, OTHER = 3002 };

static struct world *w;

static int
setup(void **state)
{
	w = world_new();
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

static int64_t
at(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(bytes_str(text), &ms, NULL), RC_OK);
	return ms;
}

static const char *
body(const char *name, int authority, const char *served, const char *more)
{
	return arena_printf(w->a,
			    "{\"name\":\"%s\",\"state\":\"active\",\"authority\":%d,\"served_as\":\"%s\",%s}",
			    name, authority, served, more);
}

static const struct cil_procedure *
with(const char *more)
{
	world_put(w, KIND_CIL_PROCEDURE, CIL, body("One", ROOT_CA, "one", more));
	return snapshot_cil_procedure(w->s, doc_id_of(CIL));
}

static enum code
refusal(const char *text)
{
	struct err e = { 0 };

	return world_check(w, KIND_CIL_PROCEDURE, OTHER, false, text, NULL, &e) == RC_OK ? CHY_NONE : e.code;
}

static void
one_open_procedure_an_authority(void **state)
{
	(void)with("\"interval\":\"P1D\"");
	assert_int_equal(refusal(body("Two", ROOT_CA, "two", "\"interval\":\"P1D\"")), CHY_CIL_TWICE);
	assert_int_equal(refusal(body("Two", 502, "two", "\"interval\":\"P1D\"")), CHY_NONE);
	assert_int_equal(refusal(body("Two", 502, "one", "\"interval\":\"P1D\"")), CHY_FIELD_CONFLICT);
	assert_int_equal(
	    refusal("{\"name\":\"Two\",\"state\":\"closed\",\"authority\":501,\"served_as\":\"two\","
		    "\"interval\":\"P1D\"}"),
	    CHY_NONE);
	(void)with("\"interval\":\"PT1H\""); /* itself is no second one */
}

static void
what_a_procedure_may_say(void **state)
{
	static const struct {
		const char *served, *more;
		enum code code;
	} rows[] = {
		{ "a-1.cil", "\"interval\":\"P1D\",\"build_at\":\"23:59\",\"per_file\":50000", CHY_NONE },
		{ "A", "\"interval\":\"P1D\"", CHY_FIELD_VALUE },
		{ "a/b", "\"interval\":\"P1D\"", CHY_FIELD_VALUE },
		{ ".a", "\"interval\":\"P1D\"", CHY_FIELD_VALUE },
		{ "a", "\"interval\":\"P1D\",\"build_at\":\"24:00\"", CHY_FIELD_VALUE },
		{ "a", "\"interval\":\"P1D\",\"build_at\":\"2:300\"", CHY_FIELD_VALUE },
		{ "a", "\"interval\":\"P1M\",\"build_at\":\"02:30\"", CHY_FIELD_CONFLICT },
		{ "a", "\"interval\":\"P1M\"", CHY_NONE },
		{ "a", "\"interval\":\"PT0S\"", CHY_FIELD_RANGE },
		{ "a", "\"interval\":\"P1D\",\"per_file\":50001", CHY_FIELD_RANGE },
		{ "a", "\"interval\":\"P1D\",\"per_file\":0", CHY_FIELD_RANGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (refusal(body("Two", 502, rows[i].served, rows[i].more)) != rows[i].code)
			fail_msg("row %zu: CHY-%d", i,
				 (int)refusal(body("Two", 502, rows[i].served, rows[i].more)));
}

static struct cil_state
state_of(const struct cil_procedure *p, const char *complete, const char *delta)
{
	return (struct cil_state){
		.complete = complete != NULL,
		.delta = delta != NULL,
		.this_update_ms = complete ? at(complete) : 0,
		.delta_this_update_ms = delta ? at(delta) : 0,
		.timing = p->timing,
	};
}

static void
plan_is(const struct cil_procedure *p, struct cil_state s, bool wanted, const char *now, enum cil_what what,
	const char *this_update, const char *next_update)
{
	struct cil_plan plan = decide_cil(p, &s, wanted, at(now));

	assert_int_equal(plan.what, what);
	if (what == CIL_NOTHING)
		return;
	assert_int_equal(plan.this_update_ms, at(this_update));
	assert_int_equal(plan.next_update_ms, at(next_update));
}

static void
from_list_to_list(void **state)
{
	const struct cil_procedure *p = with(
	    "\"interval\":\"PT6H\",\"margin\":\"PT1H\",\"delta_interval\":\"PT1H\"");
	struct cil_state s;

	plan_is(p, state_of(p, NULL, NULL), false, "2026-05-04T10:20:30Z", CIL_COMPLETE,
		"2026-05-04T10:20:30Z", "2026-05-04T17:20:30Z");
	s = state_of(p, "2026-05-04T10:00:00Z", NULL);
	plan_is(p, s, false, "2026-05-04T10:59:59Z", CIL_NOTHING, NULL, NULL);
	plan_is(p, s, false, "2026-05-04T11:00:00Z", CIL_DELTA, "2026-05-04T11:00:00Z",
		"2026-05-04T13:00:00Z");
	plan_is(p, s, false, "2026-05-04T16:00:00Z", CIL_COMPLETE, "2026-05-04T16:00:00Z",
		"2026-05-04T23:00:00Z");
	plan_is(p, s, true, "2026-05-04T10:30:00Z", CIL_COMPLETE, "2026-05-04T10:30:00Z",
		"2026-05-04T17:30:00Z");
	s = state_of(p, "2026-05-04T10:00:00Z", "2026-05-04T11:00:00Z");
	plan_is(p, s, false, "2026-05-04T11:59:59Z", CIL_NOTHING, NULL, NULL);
	plan_is(p, s, false, "2026-05-04T12:00:00Z", CIL_DELTA, "2026-05-04T12:00:00Z",
		"2026-05-04T14:00:00Z");
	/* a clock that went wrong */
	s = state_of(p, "2027-05-04T10:00:00Z", NULL);
	plan_is(p, s, false, "2026-05-04T10:00:00Z", CIL_COMPLETE, "2026-05-04T10:00:00Z",
		"2026-05-04T17:00:00Z");
}

static void
at_a_time_of_day(void **state)
{
	const struct cil_procedure *p = with(
	    "\"interval\":\"P1D\",\"margin\":\"PT2H\",\"build_at\":\"02:30\"");
	struct cil_state s = state_of(p, "2026-05-04T02:30:00Z", NULL);

	plan_is(p, state_of(p, NULL, NULL), false, "2026-05-04T02:29:59Z", CIL_COMPLETE,
		"2026-05-03T02:30:00Z", "2026-05-04T04:30:00Z");
	plan_is(p, s, false, "2026-05-04T23:00:00Z", CIL_NOTHING, NULL, NULL);
	plan_is(p, s, false, "2026-05-05T02:30:00Z", CIL_COMPLETE, "2026-05-05T02:30:00Z",
		"2026-05-06T04:30:00Z");
	/* built in between it bears the last regular time, and the next one comes as it would have */
	plan_is(p, s, true, "2026-05-04T15:00:00Z", CIL_COMPLETE, "2026-05-04T02:30:00Z",
		"2026-05-05T04:30:00Z");
	/* also when the server slept over some */
	plan_is(p, s, false, "2026-05-09T12:00:00Z", CIL_COMPLETE, "2026-05-09T02:30:00Z",
		"2026-05-10T04:30:00Z");
	p = with("\"interval\":\"PT8H\",\"margin\":\"PT1H\",\"build_at\":\"02:30\"");
	assert_int_equal(cil_regular(p, at("2026-05-04T18:31:00Z")), at("2026-05-04T18:30:00Z"));
	assert_int_equal(cil_regular(p, at("2026-05-04T02:29:00Z")), at("2026-05-03T18:30:00Z"));
}

static void
a_changed_setting_builds_anew(void **state)
{
	static const char *const changed[] = {
		"\"interval\":\"PT7H\",\"margin\":\"PT1H\",\"per_file\":10",
		"\"interval\":\"PT6H\",\"margin\":\"PT2H\",\"per_file\":10",
		"\"interval\":\"PT6H\",\"margin\":\"PT1H\",\"per_file\":11",
		"\"interval\":\"PT6H\",\"margin\":\"PT1H\",\"per_file\":10,\"delta_interval\":\"PT1H\"",
		"\"interval\":\"PT6H\",\"margin\":\"PT1H\",\"per_file\":10,\"build_at\":\"02:30\"",
		"\"interval\":\"PT6H\",\"margin\":\"PT1H\",\"per_file\":10,\"keep_expired\":true",
	};
	const struct cil_procedure *p = with("\"interval\":\"PT6H\",\"margin\":\"PT1H\",\"per_file\":10");
	struct cil_state s = state_of(p, "2026-05-04T10:00:00Z", NULL);

	s.timing = arena_dup(w->a, s.timing); /* what a list was built by outlives the snapshot */
	assert_int_equal(decide_cil(p, &s, false, at("2026-05-04T10:01:00Z")).what, CIL_NOTHING);
	for (size_t i = 0; i < ARRAY_LEN(changed); i++) {
		p = with(changed[i]);
		assert_int_equal(decide_cil(p, &s, false, at("2026-05-04T10:01:00Z")).what, CIL_COMPLETE);
	}
	/* its name and description are no such setting */
	world_put(
	    w, KIND_CIL_PROCEDURE, CIL,
	    body("Renamed", ROOT_CA, "one", "\"interval\":\"PT6H\",\"margin\":\"PT1H\",\"per_file\":10"));
	p = snapshot_cil_procedure(w->s, doc_id_of(CIL));
	assert_int_equal(decide_cil(p, &s, false, at("2026-05-04T10:01:00Z")).what, CIL_NOTHING);
}

static const struct CMUnitTest tests[] = {
	ROWS(one_open_procedure_an_authority, "CM-A-11"),
	CASE(what_a_procedure_may_say),
	CASE(from_list_to_list),
	ROWS(at_a_time_of_day, "CM-A-12"),
	ROWS(a_changed_setting_builds_anew, "CM-A-12"),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, setup, teardown);
}
