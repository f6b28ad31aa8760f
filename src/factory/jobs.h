/*
 * Jobs: what the factory does by itself, each on its own beat in a few threads: sequencer, reconcile, search follower,
 * auditor, requests that expire or were interrupted, idempotency keys that age.
 */
#ifndef FACTORY_JOBS_H
#define FACTORY_JOBS_H

#include "factory/factory.h"

struct jobs;
MUST enum rc jobs_start(struct factory *f, struct jobs **ret, struct err *e);
/* Ends after what is being done. */
void jobs_stop(struct jobs *j);

#endif
