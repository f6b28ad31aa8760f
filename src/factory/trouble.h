/*
 * What keeps a job's objects from being done, while it lasts: for those who look, beside the log. Bounded: what does not fit
 * any more is in the log only.
 */
#ifndef FACTORY_TROUBLE_H
#define FACTORY_TROUBLE_H

#include <pthread.h>

#include "base/rc.h"
#include "model/id.h"

enum { TROUBLES_MAX = 64 };

struct trouble {
	struct doc_id of;
	enum code code;
	char text[ERR_TEXT_MAX];
	int64_t since_ms; /* of the first failure with this code */
};

struct troubles {
	pthread_mutex_t lock;
	struct trouble v[TROUBLES_MAX];
	size_t n;
};

void troubles_init(struct troubles *t);
void trouble_note(struct troubles *t, struct doc_id of, const struct err *why);
void trouble_over(struct troubles *t, struct doc_id of);
/* False: there is none. */
bool trouble_of(struct troubles *t, struct doc_id of, struct trouble *ret);

#endif
