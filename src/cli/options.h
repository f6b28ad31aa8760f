/*
 * Options that several commands share, so that they mean the same everywhere.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/command.h"

/* For single-step signing: both officers at one desk. */
#define OPTIONS_CO_OFFICER \
	{ "co-officer", "FILE|URI", OPT_TEXT, 0, "sign as this second officer too, in the same step" }, \
	    { "co-pin-file", "FILE", OPT_FILE, 0, "the second officer's PIN or password" }, \
	{ \
		"co-pin-fd", "N", OPT_INT, 0, "descriptor with the second officer's PIN or password" \
	}

#define OPTIONS_PAGE \
	{ "after", "CURSOR", OPT_TEXT, 0, "go on behind this cursor of an earlier page" }, \
	{ \
		"limit", "N", OPT_INT, 0, "at most so many; without it all are shown" \
	}

extern const char *const document_states[]; /* active, closed */

#endif
