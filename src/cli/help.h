/*
 * Help, man pages and the overview, all from the command table.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

/* What `chancery help` prints: every noun with its verbs. */
void help_overview(struct buf *out, const struct commands *all);
/* A noun's verbs with their summaries; false: no such noun. */
bool help_noun(struct buf *out, const struct commands *all, const char *noun);
/* One command: usage, text, operands, options, example. */
void help_command(struct buf *out, const struct command *cmd);

/* Man pages in roff: chancery(1), and chancery-NOUN(1) with all verbs of a noun. */
void man_main(struct buf *out, const struct commands *all);
void man_noun(struct buf *out, const struct commands *all, const char *noun);
/* All of them as files of a folder: chancery.1, chancery-NOUN.1. */
MUST enum rc man_write(const struct commands *all, const char *dir, struct err *e);

/* Appends text with lines broken at blanks, at most `width` columns, each line indented. */
void text_wrap(struct buf *out, const char *text, size_t indent, size_t width);

/* Each noun once, in the table's order: the index of its first command. Returns how many; at most max. */
size_t command_nouns(const struct commands *all, const char **nouns, size_t max);

#endif
