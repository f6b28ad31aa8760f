/*
 * Giving rights away after start. What the kernel does not offer is skipped and said in the result.
 */
#ifndef PROGRAMS_SANDBOX_H
#define PROGRAMS_SANDBOX_H

#include "base/base.h"

struct sandbox {
	bool may_connect;         /* a database beyond this machine: outgoing TCP stays allowed */
	const char *const *write; /* folders that may be written, ends with NULL; others can be read only */
	bool landlock, seccomp;   /* result: which were put into effect */
};

/* For the factory, once all files are open and all threads but the caller not yet started (the filter goes to all threads of the
   process all the same). No exec, no ptrace, no mount, no kernel modules, no outgoing connections. CHY_SANDBOX. */
MUST enum rc sandbox_enter(struct sandbox *s, struct err *e);

#endif
