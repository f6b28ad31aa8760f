#include "base/base.h"

#include <time.h>

int64_t
clock_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + fault_clock_offset_ms();
}

int64_t
clock_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

enum { DAY_MS = 86400000 };

/* Days since 1970-01-01 in the proleptic Gregorian calendar, counted from March so that leap days end a year. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct civil
civil_of(int64_t at)
{
	int64_t days = at / DAY_MS, rest = at % DAY_MS, era;
	uint32_t ms, doe, yoe, doy, mp; /* within an era and a day 32 bits do, and divide in half the time */
	struct civil c;

	if (rest < 0)
		rest += DAY_MS, days--;
	ms = (uint32_t)rest;
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = (uint32_t)(days - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	c.hour = (int)(ms / 3600000);
	c.minute = (int)(ms / 60000 % 60);
	c.second = (int)(ms / 1000 % 60);
	c.ms = (int)(ms % 1000);
	return c;
}

int64_t
civil_ms(struct civil c)
{
	return days_of(c.year, c.month, c.day) * DAY_MS + c.hour * 3600000LL + c.minute * 60000LL +
	    c.second * 1000LL + c.ms;
}

bool
civil_ok(struct civil c)
{
	static const int len[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (c.year % 4 == 0 && c.year % 100 != 0) || c.year % 400 == 0;

	if (c.month < 1 || c.month > 12 || c.year < 0 || c.year > 9999)
		return false;
	return c.day >= 1 && c.day <= len[c.month - 1] + (c.month == 2 && leap) && c.hour >= 0 &&
	    c.hour <= 23 && c.minute >= 0 && c.minute <= 59 && c.second >= 0 && c.second <= 59 && c.ms >= 0 &&
	    c.ms <= 999;
}

char *
time_text(char *dst, int64_t at)
{
	struct civil c = civil_of(at);

	if (c.ms)
		snprintf(dst, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year % 10000, c.month, c.day,
			 c.hour, c.minute, c.second, c.ms);
	else
		snprintf(dst, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year % 10000, c.month, c.day, c.hour,
			 c.minute, c.second);
	return dst;
}

/* n digits; -1 when one is not a digit. */
static int
digits(struct bytes *t, size_t n)
{
	int v = 0;

	if (t->n < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (t->p[i] < '0' || t->p[i] > '9')
			return -1;
		v = v * 10 + t->p[i] - '0';
	}
	*t = bytes_part(*t, n, SIZE_MAX);
	return v;
}

static bool
sign(struct bytes *t, char c)
{
	if (t->n == 0 || t->p[0] != (uint8_t)c)
		return false;
	*t = bytes_part(*t, 1, SIZE_MAX);
	return true;
}

/* The fraction in ms; further digits are read and dropped. -1: no digit behind the point. */
static int
fraction(struct bytes *t)
{
	int ms = 0, n = 0;

	for (; t->n > 0 && t->p[0] >= '0' && t->p[0] <= '9'; n++) {
		if (n < 3)
			ms = ms * 10 + t->p[0] - '0';
		*t = bytes_part(*t, 1, SIZE_MAX);
	}
	for (int i = n; i < 3; i++)
		ms *= 10;
	return n ? ms : -1;
}

enum rc
time_parse(struct bytes text, int64_t *ret, struct err *e)
{
	struct bytes t = text;
	struct civil c = { 0 };
	int64_t offset = 0;
	bool ok;

	c.year = digits(&t, 4);
	ok = sign(&t, '-');
	c.month = digits(&t, 2);
	ok = ok && sign(&t, '-');
	c.day = digits(&t, 2);
	ok = ok && (sign(&t, 'T') || sign(&t, 't') || sign(&t, ' '));
	c.hour = digits(&t, 2);
	ok = ok && sign(&t, ':');
	c.minute = digits(&t, 2);
	ok = ok && sign(&t, ':');
	c.second = digits(&t, 2);
	if (ok && sign(&t, '.'))
		c.ms = fraction(&t);
	if (ok && !sign(&t, 'Z') && !sign(&t, 'z')) {
		bool minus = sign(&t, '-');
		int h, m;

		ok = minus || sign(&t, '+');
		h = digits(&t, 2);
		ok = ok && sign(&t, ':');
		m = digits(&t, 2);
		ok = ok && h >= 0 && h <= 23 && m >= 0 && m <= 59;
		offset = (h * 60 + m) * (minus ? -60000LL : 60000LL);
	}
	NEED(ok && t.n == 0 && civil_ok(c), e, CHY_TIME_TEXT, "RFC 3339 5.6",
	     "\"%.*s\" is no time like 2026-11-21T12:00:00Z", text.n > 40 ? 40 : (int)text.n,
	     (const char *)text.p);
	*ret = civil_ms(c) - offset;
	return RC_OK;
}
