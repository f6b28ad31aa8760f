/*
 * Message queue between threads: many put, one takes all that waits. A taker that never finds more than one item has
 * nothing to batch; a busy one finds what queued meanwhile. That is all there is to group commit: no timers.
 */
#ifndef BASE_MQ_H
#define BASE_MQ_H

#include <pthread.h>

#include "base/rc.h"

struct mq_item {
	struct mq_item *next; /* embedded in what is queued */
};

struct mq {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct mq_item *first, **last;
	size_t count, max;
	bool closed;
};

/* At most max items wait. */
void mq_init(struct mq *q, size_t max);
void mq_fini(struct mq *q);

/* Puts an item, which belongs to the queue until it is taken. False: full or closed, the item stays the caller's. */
bool mq_put(struct mq *q, struct mq_item *item);

/* Takes up to most items as a list in the order of arrival; waits for the first one up to wait_ms (-1: for ever).
   NULL: none came, or closed and empty. */
struct mq_item *mq_take(struct mq *q, size_t most, int wait_ms);

/* No more puts; what waits can still be taken. Wakes the taker. */
void mq_close(struct mq *q);
bool mq_is_closed(struct mq *q);
size_t mq_count(struct mq *q);

#endif
