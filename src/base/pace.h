/*
 * How much to do at once so that one step takes about as long as others can wait: a step that was quick is followed by a
 * larger one, a slow one by a smaller.
 *
 *	struct pace p = { .n = 64, .least = 64, .most = 4096 };
 *	int64_t begun = clock_mono_us();
 *	TRY(step(p.n));
 *	pace_took(&p, clock_mono_us() - begun);
 */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include <stddef.h>
#include <stdint.h>

enum { PACE_QUICK_US = 8000, PACE_SLOW_US = 25000 };

struct pace {
	size_t n, least, most;
};

static inline void
pace_took(struct pace *p, int64_t us)
{
	if (us < PACE_QUICK_US && p->n <= p->most / 2)
		p->n *= 2;
	else if (us > PACE_SLOW_US && p->n >= 2 * p->least)
		p->n /= 2;
}

#endif
