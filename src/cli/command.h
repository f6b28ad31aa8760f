/*
 * The command table: every noun and verb of `chancery`, once. From it come parsing, help, man pages and shell
 * completion; nothing else says what a command looks like.
 *
 *	chancery [GLOBAL OPTIONS] NOUN [VERB] [OPTIONS] [OPERANDS]
 *
 * A group of commands is a constant array that ends with a noun of NULL. The commands of document kinds are made at
 * start from the kinds' descriptions (kindcmd.h).
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/base.h"
#include "model/field.h"

struct cli;

enum opt_type {
	OPT_FLAG, /* takes no value */
	OPT_TEXT,
	OPT_INT,    /* 0 to 2^53 - 1 */
	OPT_YESNO,  /* yes, no; the bare option means yes */
	OPT_CHOICE, /* one of choices */
	OPT_FILE,   /* path of a file that is read or written */
	OPT_DIR,
	OPT_TIME,     /* RFC 3339, or a date alone: its beginning in UTC */
	OPT_DURATION, /* ISO 8601, P90D */
};

enum opt_flags {
	OPT_MUST = 1, /* the command cannot do without */
	OPT_MANY = 2, /* may be given more than once */
};

struct opt {
	const char *name;  /* without the hyphens */
	const char *value; /* what its value is called in help: "FILE"; NULL for OPT_FLAG */
	enum opt_type type;
	unsigned flags;
	const char *help;           /* a clause without a full stop */
	const char *const *choices; /* OPT_CHOICE; ends with NULL */
	const struct field *field;  /* of options made from a kind's field; else NULL */
};

/* What stands behind the options. The last one may be OPT_MANY. */
struct operand {
	const char *name; /* "CERTIFICATE" */
	enum opt_type type;
	unsigned flags;
	const char *help;
	const char *const *choices;
};

struct command {
	const char *noun, *verb;        /* verb NULL: the noun is the whole command */
	const char *summary;            /* a clause in the imperative, no full stop */
	const char *text;               /* paragraphs for help and man page; may be NULL */
	const struct opt *options;      /* ends with name NULL; NULL: none */
	const struct operand *operands; /* ends with name NULL; NULL: none */
	const char *example;            /* one or more lines without a prompt; may be NULL */
	enum rc (*run)(struct cli *c, struct err *e);
	const struct kind *kind; /* of commands made from a kind */
	bool quiet;              /* not listed in the overview */
};

/* The options that every command takes; ends with name NULL. */
extern const struct opt global_options[];

/* All commands there are, in the order of help. */
struct commands {
	const struct command **list;
	size_t n;
};

/* The command of these words; verb may be NULL. NULL: none. */
const struct command *command_find(const struct commands *all, const char *noun, const char *verb);
/* Is there a command with this noun? */
bool command_has_noun(const struct commands *all, const char *noun);
/* "token-procedure create"; dst at least 96 characters. Returns dst. */
char *command_name(char *dst, const struct command *cmd);
/* Of the command itself or a global one; NULL: unknown. */
const struct opt *command_option(const struct command *cmd, const char *name, size_t len);

#endif
