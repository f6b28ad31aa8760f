/*
 * `chancery serve`: the parent that starts, watches and restarts the other programs, and ends them in order.
 */
#ifndef PROGRAMS_SERVE_H
#define PROGRAMS_SERVE_H

#include "programs/config.h"

struct serve_options {
	const char *config_path; /* as of --config, NULL: the default */
	bool quiet;
};

/* Runs until SIGTERM or SIGINT, then drains and ends the children. Returns the program's exit code: 0 after an orderly
   end, 1 when start failed or a child would not run. The children are found in $CHANCERY_LIBEXEC, else beside our own
   executable, else in ../libexec/chancery of it. */
int serve_main(const struct serve_options *o);

#endif
