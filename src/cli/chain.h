/*
 * The certificates above one: its authority's and those above that, as the server has them now.
 */
#ifndef CLI_CHAIN_H
#define CLI_CHAIN_H

#include "cli/cli.h"

/* As PEM, from the authority upwards; the arena's. Needs an officer. */
MUST enum rc chain_fetch(struct cli *c, int64_t certificate, struct bytes *ret, struct err *e);

#endif
