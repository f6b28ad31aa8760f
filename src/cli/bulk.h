/*
 * Acts over many certificates: those of the command line and of a list in a file, as many requests as they take, and what became of
 * each.
 */
#ifndef CLI_BULK_H
#define CLI_BULK_H

#include "cli/cli.h"
#include "cli/command.h"

enum { BULK_MOST = 100000 };

struct bulk {
	const char *act;
	const struct json *body;    /* but for its certificates */
	const struct json *secrets; /* NULL: none */
	const char *question;       /* asked once, before the first is signed; NULL: nothing is asked */
	size_t most;                /* certificates in one request */
	bool objects;               /* named by {"certificate": id}, else by the id alone */
};

struct bulk_done {
	struct json *answers; /* of the requests, in turn */
	struct json *
	    outcomes; /* of certificates: as the server tells them, and {"certificate", "problem"} of those left out */
	size_t untried; /* after a request that could not be done */
	struct err why; /* that one's; CHY_NONE: there was none */
};

/* Finds the certificates, asks, signs request by request. What one request comes to is shown as it goes; of several, a line each.
   CHY_CLI_USAGE without any certificate. RC_OK where some were refused, and where one request of several could not be done: that
   and the outcomes tell. */
MUST enum rc bulk_run(struct cli *c, const struct bulk *b, struct bulk_done *ret, struct err *e);

/* The same of a request that was made otherwise. */
MUST enum rc bulk_of_one(struct cli *c, const struct json *answer, struct bulk_done *ret, struct err *e);

/* With --json the answer: of one request its own, of several {"requests", "outcomes"}. */
void bulk_json(struct cli *c, const struct bulk_done *done);

/* CHY_CLI_SOME_FAILED where one was refused; what kept the rest from being done. */
MUST enum rc bulk_end(const struct bulk_done *done, struct err *e);

#define OPTIONS_BULK \
	{ "from", "FILE", OPT_FILE, 0, \
	  "also those in this file, - for standard input: ids, serial numbers or SHA-256 fingerprints, one " \
	  "a line, # before " \
	  "remarks; or PEM certificates" }, \
	{ \
		"skip-refused", NULL, OPT_FLAG, 0, \
		    "go on with those that are not refused; without it one that is refused keeps its " \
		    "request from being signed" \
	}

#endif
