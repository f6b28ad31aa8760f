#include "base/base.h"

#include <time.h>

#include "base/idgen.h"
#include "test.h"

static void
text_is(int64_t at, const char *want)
{
	char got[32];

	assert_string_equal(time_text(got, at), want);
}

static void
writes_times(void **state)
{
	text_is(0, "1970-01-01T00:00:00Z");
	text_is(-1, "1969-12-31T23:59:59.999Z");
	text_is(951782400000, "2000-02-29T00:00:00Z");
	text_is(1795262400123, "2026-11-21T12:00:00.123Z");
	text_is(2461449599000, "2047-12-31T23:59:59Z");
	text_is(253402300799000, "9999-12-31T23:59:59Z");
	text_is(-62167219200000, "0000-01-01T00:00:00Z");
}

static void
agrees_with_libc_on_every_day(void **state)
{
	for (int64_t day = -719000; day < 2900000; day += 7) {
		int64_t at = day * 86400000 + (day & 0xffff) * 1000 + 5;
		time_t secs = (time_t)(at >= 0 ? at / 1000 : (at - 999) / 1000);
		struct civil c = civil_of(at);
		struct tm tm;

		assert_non_null(gmtime_r(&secs, &tm));
		assert_true(c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday);
		assert_true(c.hour == tm.tm_hour && c.minute == tm.tm_min && c.second == tm.tm_sec &&
			    c.ms == 5);
		assert_true(civil_ms(c) == at);
	}
}

static void
reads_times(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
		{ "2026-11-21T12:00:00Z", 1795262400000 },
		{ "2026-11-21t12:00:00z", 1795262400000 },
		{ "2026-11-21 12:00:00Z", 1795262400000 },
		{ "2026-11-21T12:00:00.5Z", 1795262400500 },
		{ "2026-11-21T12:00:00.1239999Z", 1795262400123 },
		{ "2026-11-21T13:30:00+01:30", 1795262400000 },
		{ "2026-11-21T11:59:00-00:01", 1795262400000 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "0000-01-01T00:00:00Z", -62167219200000 },
	};
	struct err e = { 0 };
	int64_t at;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(time_parse(bytes_str(rows[i].text), &at, &e));
		assert_true(at == rows[i].want);
	}
}

static void
refuses_what_is_no_time(void **state)
{
	static const char *const rows[] = {
		"",
		"2026-11-21",
		"2026-11-21T12:00Z",
		"2026-11-21T12:00:00",
		"2026-11-21T12:00:00.Z",
		"2026-11-21T12:00:00,5Z",
		"2026-11-21T12:00:00+0100",
		"2026-11-21T12:00:00+24:00",
		"2026-11-21T12:00:00+01:60",
		"2026-11-21T12:00:00Zx",
		" 2026-11-21T12:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"26-11-21T12:00:00Z",
		"-026-11-21T12:00:00Z",
		"20261121T120000Z",
		"2026-11-21X12:00:00Z",
	};
	struct err e = { 0 };
	int64_t at;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_code(time_parse(bytes_str(rows[i]), &at, &e), CHY_TIME_TEXT);
}

static void
text_and_back(void **state)
{
	struct err e = { 0 };
	char text[32];
	int64_t at, x = 1;

	for (int i = 0; i < 2000; i++) {
		x = (int64_t)((uint64_t)x * 6364136223846793005U + 1442695040888963407U);
		int64_t want = (int64_t)((uint64_t)x % 253402300799999U);

		assert_ok(time_parse(bytes_str(time_text(text, want)), &at, &e));
		assert_true(at == want);
	}
}

static void
clocks_go_on(void **state)
{
	int64_t a = clock_mono_us(), wall = clock_now_ms();

	assert_true(clock_mono_us() >= a);
	assert_true(wall > 1735689600000);
}

static void
ids_are_ordered_and_fit_json(void **state)
{
	struct idgen g;
	int64_t last = 0;

	idgen_init(&g, 3, 0);
	for (int i = 0; i < 2000; i++) {
		int64_t id = idgen_next(&g, 1795262400000);

		assert_true(id > last);
		assert_int_equal(id >> 8 & 15, 3);
		last = id;
	}
	assert_true(id_at_ms(last) == 1795262400000 + 7); /* 2000 ids of 256 to the ms */
	assert_true(idgen_next(&g, INT64_C(1735689600000) + (INT64_C(1) << 41) - 1) < INT64_C(1) << 53);
}

static void
ids_never_step_back(void **state)
{
	struct idgen g;
	int64_t first, later;

	idgen_init(&g, 0, 0);
	first = idgen_next(&g, 1795262400000);
	later = idgen_next(&g, 1795262400000 - 3600000);
	assert_true(later > first);
	assert_true(idgen_next(&g, 1795262400001) > later);
	assert_true(id_least(1795262400000) <= first && first < id_least(1795262400001));
}

/* A generator that starts on a store goes on above the highest id there, whichever node made it. */
static void
ids_start_above_the_store(void **state)
{
	for (unsigned node = 0; node < 16; node++) {
		struct idgen g, h;
		int64_t least;

		idgen_init(&g, 15 - node, 0);
		least = idgen_next(&g, 1795262400000);
		idgen_init(&h, node, least);
		assert_true(idgen_next(&h, 0) > least);
	}
}

static const struct CMUnitTest tests[] = {
	CASE(writes_times),
	CASE(agrees_with_libc_on_every_day),
	CASE(reads_times),
	CASE(refuses_what_is_no_time),
	CASE(text_and_back),
	CASE(clocks_go_on),
	CASE(ids_are_ordered_and_fit_json),
	CASE(ids_never_step_back),
	CASE(ids_start_above_the_store),
};
TESTS_MAIN(tests)
