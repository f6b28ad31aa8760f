/*
 * What is done while no server runs: a signer and a factory of its own, for one ceremony, then they end.
 */
#ifndef PROGRAMS_OFFLINE_H
#define PROGRAMS_OFFLINE_H

#include "base/json.h"

/* Runs the factory with this option ("--setup") over `in`, handed over and answered in files of the folder, which are removed again.
   *ret: its answer; NULL: it gave none, and its log on standard error says why. CHY_FILE_*, CHY_SYSTEM. */
MUST enum rc offline_run(struct arena *a, const char *config, const char *dir, const char *option,
			 const struct json *in, struct json **ret, struct err *e);

#endif
