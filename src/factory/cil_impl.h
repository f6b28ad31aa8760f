/* Between cil.c and cil_build.c. */
#ifndef FACTORY_CIL_IMPL_H
#define FACTORY_CIL_IMPL_H

#include "factory/cil.h"
#include "policy/cil.h"

/* One list that is to be made. */
struct cil_work {
	struct factory *f;
	const struct cil_procedure *p;
	struct cil_plan plan;
	struct cil_row complete, delta; /* in force; build 0: there is none */
};

bool cil_is_built_here(const struct cil_procedure *p, int64_t now_ms);
/* What is in force; build 0: there is none. */
MUST enum rc cil_load(struct factory *f, struct arena *a, struct doc_id procedure, struct cil_row *complete,
		      struct cil_row *delta, struct err *e);
/* Gathers, has signed, puts into force. CHY_CRL_DELTA: so much was issued that a complete list is the better one. */
MUST enum rc cil_build(struct cil_work *w, struct err *e);

#endif
