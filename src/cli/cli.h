/*
 * The command line: one run of it, what a command's function is given, and the entry point for main().
 *
 * Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/args.h"
#include "cli/out.h"
#include "cli/settings.h"

enum { CLI_ARENA_MAX = 512 << 20, CLI_EXIT_DONE = 0, CLI_EXIT_FAILED = 1, CLI_EXIT_USAGE = 2 };

struct rest;
struct officer_key;

struct cli {
	struct arena *a; /* for the whole run */
	const struct commands *all;
	struct args args;
	struct settings set;
	struct out out;
	struct rest *rest;              /* once cli_rest has made it */
	struct officer_key *officer;    /* once cli_officer has opened it */
	struct officer_key *co_officer; /* the same of cli_co_officer */
	struct json *authorities;       /* once a serial number was looked for; certid.c */
	bool left;                      /* nobody reads the output any more */
	int failed; /* exit code of a failure, where a command has its own; 0: as of cli_exit_code */
};

/* Runs one command line and returns the exit code. more: further commands of the program (serve, setup ...), ends with a
   noun of NULL; may be NULL. Prints errors itself. */
int cli_main(int argc, char *const *argv, const struct command *more);

/* All commands: those of this folder, `more`, and those made of the kinds. In the arena. */
MUST enum rc cli_commands(struct arena *a, const struct command *more, struct commands *ret, struct err *e);

/* The connection to the server, made at the first call: with the officer's key for TLS where one is given.
   CHY_CLI_USAGE without a server. */
MUST enum rc cli_rest(struct cli *c, struct rest **ret, struct err *e);
/* The officer's key, opened at the first call. CHY_CLI_USAGE without --officer. */
MUST enum rc cli_officer(struct cli *c, struct officer_key **ret, struct err *e);

/* The key of --co-officer, opened at the first call; NULL without the option. */
MUST enum rc cli_co_officer(struct cli *c, struct officer_key **ret, struct err *e);

/* Asks a yes-or-no question on the terminal. CHY_CLI_CANCELLED: the answer was no; CHY_CLI_USAGE: nobody to ask, and
   --yes was not given. With --yes it is RC_OK at once. */
MUST enum rc cli_confirm(struct cli *c, const char *question, struct err *e);

/* The same of what goes on unasked where there is nobody to ask: a script has said what it wants. */
MUST enum rc cli_confirm_here(struct cli *c, const char *question, struct err *e);

/* "chancery: refused (CHY-1612) field: text — standard" to stderr, or JSON. */
void cli_print_error(const struct out *o, const struct err *e);
/* The exit code of an error. */
int cli_exit_code(enum rc rc, const struct err *e);

#endif
