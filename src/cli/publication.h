/*
 * What publishing from the command line is made of, for those who publish at once and those who submit a selection.
 */
#ifndef CLI_PUBLICATION_H
#define CLI_PUBLICATION_H

#include "cli/choice.h"

#define OPTIONS_PUBLICATION_PASSWORD \
	{ "revocation-password-file", "FILE", OPT_FILE, 0, \
	  "set this revocation password for all of them; the first line" }, \
	    { "revocation-password-fd", "N", OPT_INT, 0, "the same from a descriptor" }, \
	    { "ask-revocation-password", NULL, OPT_FLAG, 0, "ask for it on the terminal, twice" }, \
	    { "delete-revocation-password", NULL, OPT_FLAG, 0, \
	      "delete the revocation password that they have" }, \
	{ \
		"keep-revocation-password", NULL, OPT_FLAG, 0, \
		    "keep the one that each has; so also without option" \
	}

/* One of Set (a password is given), Delete, Keep current. */
MUST enum rc publication_password(struct cli *c, struct json *body, const struct cli_choice *choice,
				  struct err *e);
/* A document's id where the text is a number, else its name. */
struct json *publication_named(struct cli *c, const char *text);
/* What became of each; CLI_SOME_FAILED where one was refused. */
MUST enum rc publication_tell(struct cli *c, const struct json *answer, const char *done, struct err *e);

#endif
