#include "base/base.h"
#include "policy/standing.h"

#define WARN_MS ((int64_t)LIMIT_OFFICER_WARN_DAYS * 86400000)

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

bool
standing_ends_soon(const struct standing *c, int64_t now_ms)
{
	int64_t third = (c->not_after_ms - c->not_before_ms) / 3;

	return c->not_after_ms - now_ms < (third < WARN_MS ? third : WARN_MS);
}
