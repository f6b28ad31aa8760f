#include "base/base.h"
#include "policy/duration.h"

enum { YEARS_MAX = 100 };

/* A number of at most seven digits off the front; -1 when there is none. */
static int64_t
number(struct bytes *t)
{
	int64_t v = 0;
	size_t n = 0;

	while (n < t->n && n < 8 && t->p[n] >= '0' && t->p[n] <= '9')
		v = v * 10 + (t->p[n++] - '0');
	*t = bytes_part(*t, n, SIZE_MAX);
	return n >= 1 && n <= 7 ? v : -1;
}

/* Adds number and unit to d; false for a unit that does not follow the one before. */
static bool
part(struct duration *d, int64_t v, char unit, bool time, size_t *order)
{
	static const char date_units[] = "YMWD", time_units[] = "HMS";
	const char *units = time ? time_units : date_units;
	const char *at = unit ? strchr(units + *order, unit) : NULL;

	if (at == NULL)
		return false;
	*order = (size_t)(at - units) + 1;
	if (time)
		d->seconds += v * (unit == 'H' ? 3600 : unit == 'M' ? 60 : 1);
	else if (unit == 'Y')
		d->years = (int32_t)v;
	else if (unit == 'M')
		d->months = (int32_t)v;
	else
		d->days += (int32_t)(unit == 'W' ? v * 7 : v);
	return true;
}

static bool
parse(struct bytes t, struct duration *d)
{
	bool time = false;
	size_t order = 0, parts = 0, in_time = 0;

	if (t.n == 0 || t.p[0] != 'P')
		return false;
	t = bytes_part(t, 1, SIZE_MAX);
	while (t.n > 0) {
		int64_t v;

		if (!time && t.p[0] == 'T') {
			time = true;
			order = 0;
			t = bytes_part(t, 1, SIZE_MAX);
			continue;
		}
		v = number(&t);
		if (v < 0 || t.n == 0 || !part(d, v, (char)t.p[0], time, &order))
			return false;
		t = bytes_part(t, 1, SIZE_MAX);
		parts++;
		in_time += time;
	}
	return parts > 0 && (!time || in_time > 0);
}

static bool
within(struct duration d)
{
	int64_t days = d.years * 366LL + d.months * 31LL + d.days + d.seconds / 86400;

	return days <= YEARS_MAX * 366LL;
}

enum rc
duration_parse(struct bytes text, struct duration *ret, struct err *e)
{
	struct duration d = { 0 };

	NEED(parse(text, &d), e, CHY_FIELD_DURATION, "ISO 8601 5.5.2",
	     "\"%.*s\" is no duration like P1Y, P90D or PT8H", BYTES_FMT(bytes_part(text, 0, 40)));
	NEED(within(d), e, CHY_FIELD_DURATION, NULL, "a duration of more than %d years", YEARS_MAX);
	*ret = d;
	return RC_OK;
}

bool
duration_is_zero(struct duration d)
{
	return d.years == 0 && d.months == 0 && d.days == 0 && d.seconds == 0;
}

/* The same time of day some months away, on the month's last day where it has no such day. */
static int64_t
add_months(int64_t at, int64_t months)
{
	struct civil c = civil_of(at);
	int64_t m = (int64_t)c.year * 12 + c.month - 1 + months;

	c.year = (int)(m / 12);
	c.month = (int)(m % 12) + 1;
	while (c.day > 28 && !civil_ok(c))
		c.day--;
	return civil_ms(c);
}

int64_t
duration_add(int64_t at, struct duration d)
{
	return add_months(at, d.years * 12LL + d.months) + d.days * 86400000LL + d.seconds * 1000;
}

int64_t
duration_sub(int64_t at, struct duration d)
{
	return add_months(at, -(d.years * 12LL + d.months)) - d.days * 86400000LL - d.seconds * 1000;
}
