#include "base/base.h"
#include "base/mq.h"

#include <errno.h>
#include <time.h>

void
mq_init(struct mq *q, size_t max)
{
	pthread_condattr_t attr;

	*q = (struct mq){ .max = max };
	q->last = &q->first;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->more, &attr);
	pthread_condattr_destroy(&attr);
}

void
mq_fini(struct mq *q)
{
	pthread_cond_destroy(&q->more);
	pthread_mutex_destroy(&q->lock);
}

bool
mq_put(struct mq *q, struct mq_item *item)
{
	bool ok;

	pthread_mutex_lock(&q->lock);
	ok = !q->closed && q->count < q->max;
	if (ok) {
		item->next = NULL;
		*q->last = item;
		q->last = &item->next;
		if (q->count++ == 0)
			pthread_cond_signal(&q->more);
	}
	pthread_mutex_unlock(&q->lock);
	return ok;
}

static struct timespec
after_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_nsec -= 1000000000L;
		t.tv_sec++;
	}
	return t;
}

/* With the lock held. */
static void
wait_for_one(struct mq *q, int wait_ms)
{
	struct timespec until = wait_ms > 0 ? after_ms(wait_ms) : (struct timespec){ 0 };

	while (q->count == 0 && !q->closed) {
		if (wait_ms < 0)
			pthread_cond_wait(&q->more, &q->lock);
		else if (wait_ms == 0 || pthread_cond_timedwait(&q->more, &q->lock, &until) == ETIMEDOUT)
			break;
	}
}

struct mq_item *
mq_take(struct mq *q, size_t most, int wait_ms)
{
	struct mq_item *list, *end;
	size_t n = 1;

	pthread_mutex_lock(&q->lock);
	wait_for_one(q, wait_ms);
	list = end = q->first;
	if (list != NULL) {
		while (end->next != NULL && n < most) {
			end = end->next;
			n++;
		}
		q->first = end->next;
		if (q->first == NULL)
			q->last = &q->first;
		end->next = NULL;
		q->count -= n;
		if (q->count > 0)
			pthread_cond_signal(
			    &q->more); /* another taker may sleep: a put wakes only for the first */
	}
	pthread_mutex_unlock(&q->lock);
	return list;
}

void
mq_close(struct mq *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->more);
	pthread_mutex_unlock(&q->lock);
}

bool
mq_is_closed(struct mq *q)
{
	bool closed;

	pthread_mutex_lock(&q->lock);
	closed = q->closed;
	pthread_mutex_unlock(&q->lock);
	return closed;
}

size_t
mq_count(struct mq *q)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->count;
	pthread_mutex_unlock(&q->lock);
	return n;
}
