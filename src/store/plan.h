/*
 * The operations of several changes in the order in which a batch carries them out: what compares or updates as it came;
 * then counters and session uses, summed and in the order of their keys; then plain rows, table by table.
 */
#ifndef STORE_PLAN_H
#define STORE_PLAN_H

#include "store/core.h"

struct plan {
	struct arena *mem;
	const struct op **ops;
	size_t n;
	unsigned bulk; /* flags of the statements that come last */
};

/* Of the changes of a list linked by item.next (one: only the first), behind `mark` (may be NULL), for the engine of this form.
   node: of counters. */
MUST enum rc plan_make(struct plan *ret, struct change *list, bool one, const struct op *mark, unsigned node,
		       enum sql_form form, struct err *e);
void plan_fini(struct plan *p);

static inline struct change *
change_next(struct change *c)
{
	return (struct change *)(void *)c->item.next;
}

#endif
