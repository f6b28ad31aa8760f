/*
 * Lists of the server: pages behind a cursor, shown as one table; with --json one array of all items.
 */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include "cli/cli.h"

struct list {
	const char *path; /* a query of the command itself may be in it */
	/* Options that become query parameters of the same name, or of another one ("by=officer"); a flag becomes "true".
	   Ends with NULL. */
	const char *const *filters;
	const char *const *heads; /* ends with NULL */
	void (*row)(struct cli *c, struct out_table *t, const struct json *item);
	bool by_domain; /* narrowed by the domain view */
	bool whole;     /* comes as one page, which takes neither limit nor cursor */
};

/* Follows the cursors until --limit items, or all of them. */
MUST enum rc list_run(struct cli *c, const struct list *l, struct err *e);

#endif
