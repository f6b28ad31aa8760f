/*
 * A few threads that work off an array together with their caller: for signatures that take long or wait for a device.
 */
#ifndef SIGNER_WORKERS_H
#define SIGNER_WORKERS_H

#include "base/rc.h"

struct workers;

MUST enum rc workers_new(unsigned threads, struct workers **ret, struct err *e);
void workers_free(struct workers *w);
OWN_DEFINE(struct workers *, workers_free)

/* Calls work(arg, i) for every i below n, in any order, by the threads and by the caller; returns when all are done.
   One caller at a time. */
void workers_do(struct workers *w, size_t n, void (*work)(void *arg, size_t i), void *arg);

#endif
