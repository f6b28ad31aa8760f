/* How it stands with the lists of CRL and CIL procedures, as the server tells it. */
#ifndef CLI_LISTSTATE_H
#define CLI_LISTSTATE_H

#include "cli/cli.h"

/* `crl list`, `cil list`: kind is "crl" or "cil". */
MUST enum rc lists_run(struct cli *c, const char *kind, struct err *e);

/* Before an officer's wish for a list is signed: is --wait one that is taken? CHY_CLI_USAGE. */
MUST enum rc lists_wait_check(struct cli *c, struct err *e);
/* After an officer's wish for a list was signed: waits until it is built, at most --wait seconds, and shows it; into the answer, too,
   as "list". CHY_CLI_NOT_BUILT: what keeps it from being built. A request that is not done yet is shown as it is. */
MUST enum rc lists_built(struct cli *c, const char *kind, int64_t procedure, bool delta, struct json *answer,
			 struct err *e);

/* A line for each list of a procedure, as part of its document; nothing where the server does not tell. */
void lists_show(struct cli *c, const char *kind, int64_t procedure);

#define OPTIONS_WAIT \
	{ \
		"wait", "SECONDS", OPT_INT, 0, \
		    "how long to wait until it is there, to show it; 60 if not given, 0: not at all" \
	}

#endif
