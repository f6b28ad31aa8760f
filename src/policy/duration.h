/*
 * Durations of ISO 8601 as policy uses them: P1Y, P2Y6M, P90D, P4W, PT8H, PT30M, P1DT12H. Whole numbers, at
 * least one part, none of them twice, order Y M W D T H M S. Years and months are calendar time: they are
 * added to a date, the day cut to the month's last one (31 January and a month is 28 or 29 February).
 */
#ifndef POLICY_DURATION_H
#define POLICY_DURATION_H

#include "base/base.h"

struct duration {
	int32_t years, months, days; /* weeks are days */
	int64_t seconds;
};

/* CHY_FIELD_DURATION. At most 100 years in sum. */
MUST enum rc duration_parse(struct bytes text, struct duration *ret, struct err *e);
/* at + d, in UTC. */
int64_t duration_add(int64_t at_ms, struct duration d);
int64_t duration_sub(int64_t at_ms, struct duration d);
bool duration_is_zero(struct duration d);

#endif
