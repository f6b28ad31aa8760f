/* The inside of the stub, shared by client.c and client_calls.c only. */
#ifndef SIGNER_CLIENT_IMPL_H
#define SIGNER_CLIENT_IMPL_H

#include <pthread.h>

#include "signer/client.h"

enum {
	SLOTS = 2 * LIMIT_SIGNER_INFLIGHT, /* so that a free one is near */
	PARTS_MAX = 4,
};

/* A thread that waits for its answer. Guarded by the stub's lock. */
struct wait {
	uint64_t id;
	pthread_cond_t more;
	struct buf payload;
	struct err e;
	bool done;
};

struct slot {
	uint64_t id; /* 0: free */
	uint16_t type;
	signer_done *done;
	void *arg;
	struct wait *wait; /* in place of done */
};

struct signer {
	pthread_mutex_t lock;    /* of all below but the descriptor's use for writing */
	pthread_mutex_t writing; /* of fd while it is written to; never taken with `lock` held */
	pthread_cond_t more;     /* reader's state has changed */
	pthread_t reader;
	int fd, fd_new;  /* -1: none */
	struct buf held; /* whole messages that leave together; guarded by `writing` */
	bool there;      /* the socket is read: requests may be sent */
	bool idle;       /* the reader waits for a socket */
	bool closing, replacing;
	uint64_t begun; /* counts the sockets */
	struct slot *slots;
	size_t in_flight;
	uint64_t last_id;
	void (*lost)(void *arg);
	void *lost_arg;
};

/* Sends a request and waits for its answer's payload, which is the arena's (a NULL: it must be empty or is not wanted). */
MUST enum rc signer_ask(struct signer *s, uint16_t type, const struct bytes *parts, size_t n, int timeout_ms,
			struct arena *a, struct bytes *ret, struct err *e);
/* The same in two: what was begun must be ended, wherever *w stands until then. */
MUST enum rc signer_ask_begin(struct signer *s, struct wait *w, uint16_t type, const struct bytes *parts,
			      size_t n, struct err *e);
MUST enum rc signer_ask_end(struct signer *s, struct wait *w, int timeout_ms, struct arena *a,
			    struct bytes *ret, struct err *e);
/* Sends a request whose answer calls slot.done; hold: it leaves with signer_flush at the latest. */
MUST enum rc signer_submit(struct signer *s, struct slot slot, const struct bytes *parts, size_t n, bool hold,
			   struct err *e);
MUST enum rc signer_decode_signed(struct bytes payload, struct signed_cert *ret, struct err *e);

#endif
