/* A certificate's status as the server tells it, for people: state, holds, and how it came about. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/cli.h"

void status_show(struct cli *c, const struct json *status);

#endif
