/*
 * What is chosen for certificates when they are issued, from the command line: --publication-allowed and the revocation
 * password. The password stays here: its scrypt form goes to the server beside what is signed, the form's digest into it
 * (docs/design/choices.md).
 */
#ifndef CLI_CHOICE_H
#define CLI_CHOICE_H

#include "cli/cli.h"
#include "crypto/kdf.h"

#define OPTIONS_CHOICE \
	{ "publication-allowed", "yes|no", OPT_YESNO, 0, \
	  "whether the certificate may be published; for good" }, \
	    { "revocation-password-file", "FILE", OPT_FILE, 0, \
	      "the password with which its holder can have it revoked; the first line" }, \
	    { "revocation-password-fd", "N", OPT_INT, 0, "the same from a descriptor" }, \
	{ \
		"ask-revocation-password", NULL, OPT_FLAG, 0, "ask for it on the terminal, twice" \
	}

struct cli_choice {
	struct json *publication; /* NULL: nothing said */
	struct json *form;        /* of the password; NULL: none */
	struct json *sha256;      /* of the form, hex */
};

/* All of it is the run's arena's. REVOCATION_PASSWORD: too short or too long; CLI_PIN. */
MUST enum rc cli_choice(struct cli *c, struct cli_choice *ret, struct err *e);

#endif
