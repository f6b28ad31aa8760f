#include "base/base.h"
#include "factory/acting.h"

void
acting_init(struct acting *a)
{
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->over, NULL);
	a->first = NULL;
}

void
acting_fini(struct acting *a)
{
	pthread_cond_destroy(&a->over);
	pthread_mutex_destroy(&a->lock);
}

/* With the lock held. */
static bool
is_busy(const struct acting *a, int64_t request)
{
	for (const struct acting_on *on = a->first; on != NULL; on = on->next)
		if (on->request == request)
			return true;
	return false;
}

static bool
enter(struct acting *a, struct acting_on *on, bool waits)
{
	bool free;

	pthread_mutex_lock(&a->lock);
	while (!(free = !is_busy(a, on->request)) && waits)
		pthread_cond_wait(&a->over, &a->lock);
	if (free) {
		on->next = a->first;
		a->first = on;
	}
	pthread_mutex_unlock(&a->lock);
	return free;
}

void
acting_enter(struct acting *a, struct acting_on *on)
{
	(void)enter(a, on, true);
}

bool
acting_try(struct acting *a, struct acting_on *on)
{
	return enter(a, on, false);
}

void
acting_leave(struct acting *a, struct acting_on *on)
{
	struct acting_on **at = &a->first;

	pthread_mutex_lock(&a->lock);
	while (*at != on)
		at = &(*at)->next;
	*at = on->next;
	pthread_cond_broadcast(&a->over); /* each that waits may wait for another request */
	pthread_mutex_unlock(&a->lock);
}
