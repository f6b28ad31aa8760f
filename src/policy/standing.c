#include "base/base.h"
#include "policy/standing.h"

enum { DAY_MS = 86400000 };

bool
standing_acts(const struct standing *c, int64_t now_ms)
{
	return c->state == CREDENTIAL_GOOD && now_ms >= c->not_before_ms && now_ms <= c->not_after_ms;
}

const struct standing *
standing_last(const struct standing *v, size_t n, int64_t now_ms)
{
	const struct standing *last = NULL;

	for (size_t i = 0; i < n; i++)
		if (standing_acts(&v[i], now_ms) && (last == NULL || v[i].not_after_ms > last->not_after_ms))
			last = &v[i];
	return last;
}

static bool
ends_within(int64_t from_ms, int64_t to_ms, int64_t now_ms, int days)
{
	int64_t third = (to_ms - from_ms) / 3, warn_ms = (int64_t)days * DAY_MS;

	return to_ms - now_ms < (third < warn_ms ? third : warn_ms);
}

bool
standing_ends_soon(const struct standing *c, int64_t now_ms)
{
	return ends_within(c->not_before_ms, c->not_after_ms, now_ms, LIMIT_OFFICER_WARN_DAYS);
}

bool
ca_ends_soon(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms)
{
	return ends_within(not_before_ms, not_after_ms, now_ms, LIMIT_CA_WARN_DAYS);
}
