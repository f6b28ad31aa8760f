/*
 * Giving rights away after start, for the factory and the distributor: each has open what it needs, and from then on starts no program,
 * makes no process, traces none, mounts nothing, changes no user and (unless the database is beyond this machine) opens no
 * connection to the internet. What is forbidden fails with EPERM.
 *
 * A list of what is forbidden, not of what is allowed: the database clients are too large for the other. The signer, where the keys
 * are, has the strict one of its own (signer/sandbox.h); the two are never linked into one program.
 */
#ifndef PROGRAMS_SANDBOX_H
#define PROGRAMS_SANDBOX_H

#include "base/base.h"

struct sandbox {
	bool may_connect;   /* a database beyond this machine, or destinations: new IP sockets stay allowed */
	bool never_listens; /* and none that waits for others */
	bool writes_apart;  /* files are written below these folders only, where the kernel has Landlock */
	const char *folders; /* separated by colons, which must be there; NULL: none */
	bool seccomp;        /* result: the filter is in effect, for all threads */
	bool landlock;       /* result: writing is confined, for this thread and those that it makes */
};

/* CHY_SANDBOX. Cannot be undone. */
MUST enum rc sandbox_enter(struct sandbox *s, struct err *e);

#endif
