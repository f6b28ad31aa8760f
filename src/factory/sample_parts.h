/*
 * What a procedure's sample certificate has besides its template: what the format puts into every certificate, and in place of
 * what requests bring something that is called a sample.
 */
#ifndef FACTORY_SAMPLE_PARTS_H
#define FACTORY_SAMPLE_PARTS_H

#include "policy/snapshot.h"

struct sample_parts {
	struct bytes subject;
	struct exts exts;
	struct gnames san; /* n 0: none */
};

/* All of it the arena's, the same for the same procedure. Codes: those of pki for what cannot be built. */
MUST enum rc sample_parts_of(struct arena *a, const struct procedure *p, struct sample_parts *ret,
			     struct err *e);

#endif
