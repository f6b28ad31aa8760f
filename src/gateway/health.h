/*
 * Health: /healthz says that the process answers; /readyz asks each registered check and answers 200 or 503 with their results:
 * {"ready":false,"checks":[{"name":"signer","ok":false,"detail":"..."}]}.
 */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include "base/base.h"

struct health;

struct health *health_new(void);
void health_free(struct health *h);
OWN_DEFINE(struct health *, health_free)

/* check: any thread, must answer within a second; a failure's text is shown. name is a literal. Before httpd_start. CHY_LIMIT beyond 32. */
MUST enum rc health_check(struct health *h, const char *name, enum rc (*check)(void *ctx, struct err *e),
			  void *ctx, struct err *e);

/* Not ready from now on: the program is stopping. */
void health_stopping(struct health *h);

/* Writes the document; true: ready. */
bool health_put(struct health *h, struct buf *out);

#endif
