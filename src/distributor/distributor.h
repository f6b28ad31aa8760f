/*
 * The distributor: takes deliveries off the factory's socket, carries each out at its destination, and answers what became of
 * it. It keeps nothing: what was not answered is delivered again.
 */
#ifndef DISTRIBUTOR_DISTRIBUTOR_H
#define DISTRIBUTOR_DISTRIBUTOR_H

#include "distributor/secrets.h"

struct distributor_options {
	struct secrets *secrets;
	const char *folders; /* where files may go, separated by colons; NULL: nowhere */
};

enum { LANES_MAX = 64 }; /* destinations at once, each with its thread */

/* Before the sandbox and the second thread: the libraries, and whom the system trusts. */
MUST enum rc distributor_init(struct err *e);
/* Until the socket ends. CHY_DISTRIBUTOR_MESSAGE: what came was none of ours. */
MUST enum rc distributor_run(const struct distributor_options *o, int fd, struct err *e);

#endif
