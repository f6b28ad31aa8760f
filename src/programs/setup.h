/*
 * `chancery setup DIR`: an installation from nothing. Makes the configuration, the signer's folder and passphrase, and two
 * boot officers' keys, then has the signer and the factory hold the boot ceremony.
 */
#ifndef PROGRAMS_SETUP_H
#define PROGRAMS_SETUP_H

#include "cli/command.h"

/* The command, for cli_main. */
extern const struct command setup_command;

#endif
