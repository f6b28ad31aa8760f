/*
 * Which signed requests are being worked on, each by one thread: the job that carries on must not do what a call is doing.
 * One request waits for no other: the work may be with a token that is slow, or hangs.
 */
#ifndef FACTORY_ACTING_H
#define FACTORY_ACTING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One request; on the stack of its thread. */
struct acting_on {
	int64_t request;
	struct acting_on *next;
};

struct acting {
	pthread_mutex_t lock;
	pthread_cond_t over;
	struct acting_on *first;
};

void acting_init(struct acting *a);
void acting_fini(struct acting *a);

/* Waits until no other thread works on the request. */
void acting_enter(struct acting *a, struct acting_on *on);
/* false: another thread works on it; nothing is to be left then. */
bool acting_try(struct acting *a, struct acting_on *on);
void acting_leave(struct acting *a, struct acting_on *on);

#endif
