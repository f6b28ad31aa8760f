/*
 * The commands of document kinds, made from their descriptions: list, show, schema, where-used, create, modify, close, reopen.
 */
#ifndef CLI_KINDCMD_H
#define CLI_KINDCMD_H

#include "cli/command.h"

enum { KIND_VERBS = 8 };

/* Appends the commands of a kind; at holds KIND_VERBS. Everything is the arena's or constant. */
MUST enum rc kind_commands(struct arena *a, const struct kind *kind, const struct command **at, size_t *ret_n,
			   struct err *e);

/* How a command line calls a value of this field: "NAME|ID", "yes|no", "member=value,..." */
const char *field_value_name(const struct field *f);

/* The id of a document by its name or id; by name the server is asked. CHY_CLI_NOT_FOUND. */
MUST enum rc document_id(struct cli *c, const char *kind, const char *which, int64_t *ret, struct err *e);

/* The verbs' functions, in kindrun.c. */
enum rc kind_list(struct cli *c, struct err *e);
enum rc kind_show(struct cli *c, struct err *e);
enum rc kind_schema(struct cli *c, struct err *e);
enum rc kind_create(struct cli *c, struct err *e);
enum rc kind_modify(struct cli *c, struct err *e);
enum rc kind_renew(struct cli *c, struct err *e);
enum rc kind_close(struct cli *c, struct err *e);
enum rc kind_reopen(struct cli *c, struct err *e);
/* In cmd_procedure.c. */
enum rc kind_where_used(struct cli *c, struct err *e);

#endif
