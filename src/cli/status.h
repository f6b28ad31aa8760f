/* A certificate's status as the server tells it, for people: state, holds, and how it came about. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/cli.h"

void status_show(struct cli *c, const struct json *status);

#define OPTIONS_VERIFICATION \
	{ "password-file", "FILE", OPT_FILE, 0, "the certificates' revocation password, the first line" }, \
	    { "password-fd", "N", OPT_INT, 0, "the same from a descriptor" }, \
	    { "ask-password", NULL, OPT_FLAG, 0, "ask for it on the terminal" }, \
	{ \
		"checked", "TEXT", OPT_TEXT, 0, \
		    "how you have checked who asks; it is signed with the request" \
	}

/* A check of who asks, or the certificates' revocation password, which goes beside what is signed. */
MUST enum rc status_verification(struct cli *c, struct json *body, struct json *secrets, struct err *e);
/* What became of each; CLI_SOME_FAILED where one was refused. */
MUST enum rc status_outcome(struct cli *c, const struct json *answer, struct err *e);

#endif
