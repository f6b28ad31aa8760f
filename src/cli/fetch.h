/*
 * Fetching what certificates point to, as a stranger would: no credentials, no cookies, few redirects, at most so many bytes
 * and so long. What comes is anybody's.
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/arena.h"
#include "base/base.h"

struct fetch {
	const char *url;
	struct bytes post;     /* p NULL: GET */
	const char *post_type; /* media type of what is posted */
	size_t max;            /* bytes of the answer */
	long timeout_ms;       /* of the whole */
};

struct fetched {
	long status;
	char type[128];  /* media type without parameters; "" where none is said */
	int64_t date_ms; /* the server's clock; 0: it does not say */
	struct bytes body;
};

/* CHY_FETCH: not reached, too slow, too long, redirected too often or elsewhere; an answer of any status is one. */
MUST enum rc fetch_do(struct arena *a, const struct fetch *f, struct fetched *ret, struct err *e);

#endif
