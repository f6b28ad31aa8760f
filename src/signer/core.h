/*
 * The key-holding process: takes typed requests from one stream socket, in batches of all that waits; checks all, signs
 * all, writes all to its journal with one sync, then answers all in one write; meanwhile it signs the next batch. Not a
 * signing oracle: what it is asked to sign is read again by the strict walker and held against the key's class and hard limits.
 *
 * Libraries do not log, but this is a process: refusals and failures go to the log.
 */
#ifndef SIGNER_CORE_H
#define SIGNER_CORE_H

#include "signer/journal.h"
#include "signer/keystore.h"

struct signer_core;

struct signer_core_options {
	struct keystore *keys; /* stays the caller's, for longer than the core */
	struct sj *journal;    /* the same */
	const char *journal_dir;
	unsigned threads; /* that sign beside the main one; 0: as many as there are processors, at least 2 */
	bool sandboxed;   /* told in STATUS */
};

/* Starts the worker threads. Owned by the caller. */
MUST enum rc signer_core_new(const struct signer_core_options *o, struct signer_core **ret, struct err *e);
void signer_core_free(struct signer_core *c);
OWN_DEFINE(struct signer_core *, signer_core_free)

/* Works until the socket's other end is closed (RC_OK). CHY_FRAME: the peer sent no message of ours; CHY_SYSTEM. The
   descriptor stays the caller's. Fault points: signer.after-read, signed-ahead, after-sign, after-append, after-sync,
   after-answer. */
MUST enum rc signer_core_run(struct signer_core *c, int fd, struct err *e);

/* One request, as if it had come alone; the answer's frame goes to out. For fuzzing and tests without a socket. */
MUST enum rc signer_core_one(struct signer_core *c, struct bytes frame, struct buf *out, struct err *e);

#endif
