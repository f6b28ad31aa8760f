/*
 * PINs and passwords: from a file, from a descriptor, or asked on the terminal without echo. Never from the command
 * line, where every process of the machine could read them, and never from the environment.
 */
#ifndef CLI_PIN_H
#define CLI_PIN_H

#include "base/base.h"

/* Where a PIN comes from; the first that is given counts. */
struct pin_source {
	const char *file;   /* NULL: none */
	int fd;             /* -1: none */
	const char *prompt; /* asked on /dev/tty otherwise: "PIN of anna.p12" */
};

/* *ret: owned by the caller. CHY_CLI_PIN: none of them, or nothing was typed. */
MUST enum rc pin_get(const struct pin_source *from, struct secret **ret, struct err *e);
/* A new one: asked twice on the terminal, both must be equal (CHY_CLI_PIN). */
MUST enum rc pin_new(const struct pin_source *from, struct secret **ret, struct err *e);

#endif
