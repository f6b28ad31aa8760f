#include "base/base.h"
#include "policy/standing.h"

bool
standing_acts(const struct standing *c, int64_t now_ms)
{
	return c->state == CREDENTIAL_GOOD && now_ms >= c->not_before_ms && now_ms <= c->not_after_ms;
}

int64_t
standing_until(const struct standing *v, size_t n, int64_t now_ms)
{
	int64_t until = 0;

	for (size_t i = 0; i < n; i++)
		if (standing_acts(&v[i], now_ms) && v[i].not_after_ms > until)
			until = v[i].not_after_ms;
	return until;
}
