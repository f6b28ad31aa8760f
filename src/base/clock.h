/*
 * Time. Wall-clock times are milliseconds since 1970-01-01T00:00:00Z in an int64_t named *_at or *_ms; durations
 * say their unit. Only programs, factory and signer ask for the time; pki and policy get it as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/bytes.h"
#include "base/rc.h"

/* Wall clock, ms. A test may shift it: CHANCERY_CLOCK_OFFSET_MS in builds with fault points. */
int64_t clock_now_ms(void);

/* Monotonic, for intervals only, us. */
int64_t clock_mono_us(void);

/* A time in UTC by its parts. */
struct civil {
	int year, month, day, hour, minute, second, ms; /* month and day from 1 */
};

struct civil civil_of(int64_t at_ms);
/* The ms of a civil time; parts must be in range (civil_ok). */
int64_t civil_ms(struct civil c);
bool civil_ok(struct civil c);

/* RFC 3339 in UTC, "2026-11-21T12:00:00Z" (".123" behind the seconds only where ms is not 0); dst holds at least
   32 characters. Returns dst. */
char *time_text(char *dst, int64_t at_ms);
/* RFC 3339 with Z or an offset, seconds compulsory, fraction optional (CHY_TIME_TEXT). */
MUST enum rc time_parse(struct bytes text, int64_t *ret_at_ms, struct err *e);

#endif
