/*
 * The idempotency keys of calls that are on their way. The store refuses a key that comes a second time, but only after the
 * signer has signed; so two calls with one key must not be on their way together.
 */
#ifndef FACTORY_IN_FLIGHT_H
#define FACTORY_IN_FLIGHT_H

#include "base/base.h"

/* Lives in the call that it stands for. Zeroed at first. */
struct in_flight_key {
	uint8_t key[32];
	bool is_in;
	struct in_flight_key *next;
};

struct in_flight;
struct in_flight *in_flight_new(void); /* NULL: memory is out */
void in_flight_free(struct in_flight *f);

/* False: a call with this key is on its way. Otherwise it counts until in_flight_leave. Threads: any. */
bool in_flight_enter(struct in_flight *f, struct in_flight_key *k);
/* Nothing, if it is not in. */
void in_flight_leave(struct in_flight *f, struct in_flight_key *k);

#endif
