/*
 * Parsing of the command line against the command table. Options may stand anywhere behind the program's name;
 * "--" ends them. Names are never abbreviated, so that scripts keep their meaning when an option is added.
 *
 * A wrong usage is CHY_CLI_USAGE with a text that says what was expected, and what was probably meant.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/command.h"

struct arg {
	const struct opt *opt;         /* NULL for operands */
	const struct operand *operand; /* NULL for options */
	const char *value;             /* "" for flags */
	struct arg *next;
};

struct args {
	const struct command *command; /* NULL: none was named (help, version) */
	struct arg *first, *last;
	bool help, version;
	const char *noun; /* the words as typed, for help on a noun alone; may be NULL */
};

/* argv as of main, with argv[0]. Values are views into argv,
   but that a date given for a time is its beginning (UTC). Checks names, values' types, mandatory options and the
   number of operands; with --help or --version nothing but names. */
MUST enum rc args_parse(struct arena *a, const struct commands *all, int argc, char *const *argv,
			struct args *ret, struct err *e);

/* The last value of an option or operand by name; NULL: not given. */
const char *args_text(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);
/* OPT_YESNO. */
bool args_yes(const struct args *args, const char *name, bool absent);
int64_t args_int(const struct args *args, const char *name, int64_t absent);
/* The next value of this name behind `after` (NULL: the first); NULL: no more. For repeated ones. */
const struct arg *args_next(const struct args *args, const char *name, const struct arg *after);
size_t args_count(const struct args *args, const char *name);

/* What is wrong with a noun, or the verb behind it, that is no command: with a hint where one is near. CHY_CLI_USAGE. */
MUST enum rc command_unknown(const struct commands *all, const char *noun, const char *verb, struct err *e);

/* The word of the list that is most like this one, NULL when none is near: for hints. */
const char *nearest_word(const char *typed, size_t len, const char *const *words, size_t n);

#endif
