/*
 * The factory's way to the distributor: a stub that puts deliveries on a socket and gives back what became of them.
 *
 * When the distributor dies, `lost` is called: what was on its way is not known to have arrived, and is delivered once more
 * (deliveries are idempotent). New ones fail with DISTRIBUTOR_AWAY until distributor_attach gives the stub the next socket.
 */
#ifndef DISTRIBUTOR_LINK_H
#define DISTRIBUTOR_LINK_H

#include "distributor/delivery.h"

struct distributor_link;

struct distributor_calls {
	/* In the stub's own thread; must not call the stub. why->code CHY_NONE: it was delivered. */
	void (*done)(void *arg, int64_t id, const struct err *why);
	void (*lost)(void *arg);
	void *arg;
};

MUST enum rc distributor_link_new(const struct distributor_calls *calls, struct distributor_link **ret,
				  struct err *e);
/* Closes the socket and ends the thread; no call comes afterwards. */
void distributor_link_free(struct distributor_link *l);
/* Takes over fd, a connected stream socket, in place of the one before. */
void distributor_attach(struct distributor_link *l, int fd);
bool distributor_is_there(struct distributor_link *l);
/* Any thread; waits for room in the socket, some seconds at most. DISTRIBUTOR_AWAY, LIMIT. */
MUST enum rc distributor_send(struct distributor_link *l, const struct delivery *d, struct err *e);

#endif
