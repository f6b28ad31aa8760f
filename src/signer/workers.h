/*
 * A few threads that do pieces of work together with the one that gives it to them: signatures, which take long or wait for a
 * device, while it goes on reading.
 */
#ifndef SIGNER_WORKERS_H
#define SIGNER_WORKERS_H

#include "base/rc.h"

struct workers;

enum {
	WORKERS_PIECES = 256, /* between two calls of workers_finish; more are done by the caller at once */
	WORKERS_WEIGHT = 8,   /* what waits must weigh as much before a thread is woken for it */
};

/* Processors of this machine, at least 1. */
unsigned workers_processors(void);

/* work: done for each piece, by any thread. */
MUST enum rc workers_new(unsigned threads, void (*work)(void *what), struct workers **ret, struct err *e);
void workers_free(struct workers *w);
OWN_DEFINE(struct workers *, workers_free)

/* All the rest: one caller at a time. */

/* Pieces are begun in the order in which they come. waits: for a device; more threads than there are processors do such. */
void workers_add(struct workers *w, void *what, unsigned weight, bool waits);
/* The caller does one. False: all are begun. */
bool workers_do_one(struct workers *w);
/* Is there one that nobody has begun? */
bool workers_left(struct workers *w);
/* The caller does what is left, and waits for all. */
void workers_finish(struct workers *w);

#endif
