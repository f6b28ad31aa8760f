/*
 * Shell completion from the command table: scripts that know nouns, verbs, options, choices and where a file belongs.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/command.h"

/* Each prints a whole script. */
void complete_bash(struct buf *out, const struct commands *all);
void complete_zsh(struct buf *out, const struct commands *all);
void complete_fish(struct buf *out, const struct commands *all);

#endif
