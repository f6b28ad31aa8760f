/*
 * `chancery rescue`: officers whose certificates have all expired get new ones (docs/formats/rescue.md). Preparing and signing need no
 * server and no store; applying is done on the machine itself, while no server runs.
 */
#ifndef PROGRAMS_RESCUE_H
#define PROGRAMS_RESCUE_H

#include "cli/command.h"

extern const struct command rescue_commands[3];

#endif
