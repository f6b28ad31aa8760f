/*
 * Requests of issuing sessions, remembered in a bounded number so that changed policy can be tried on them. Requests that
 * officers signed are kept anyway; of what a machine asked by a session the journal has only the hash. No evidence:
 * on time of their own, a few a second, the newest REMEMBERED_MAX; a crash loses the last second's.
 */
#ifndef FACTORY_REMEMBER_H
#define FACTORY_REMEMBER_H

#include "factory/issue.h"

enum {
	REMEMBERED_MAX = 10000,
	REMEMBERED_WAITING = 128,
	REMEMBERED_CSR_MAX = 8 << 10,
	REMEMBERED_NAME_MAX = 1000,
	REMEMBERED_INPUT_MAX = 16 << 10
};

struct remembered *remembered_new(void); /* NULL: memory is out */
void remembered_free(struct remembered *r);

/* At the end of a session's call, whatever its outcome. Never waits: what there is no room for is left out, and
   requests that carry a challenge password. */
void remember(struct factory *f, const struct issue_call *c, enum rc rc);

/* What has been remembered since goes to the store. A job. */
MUST enum rc remembered_store(struct factory *f, struct err *e);

#endif
