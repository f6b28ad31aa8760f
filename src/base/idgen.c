#include "base/idgen.h"

enum { COUNTER_BITS = 8, NODE_BITS = 4, SHIFT = COUNTER_BITS + NODE_BITS };

static const int64_t epoch_ms = 1735689600000; /* 2025-01-01T00:00:00Z */

void
idgen_init(struct idgen *g, unsigned node, int64_t least)
{
	g->node = node & ((1U << NODE_BITS) - 1);
	/* the next ms: within one, the nodes' ids are not ordered by time */
	atomic_store(&g->last, least > 0 ? (((least >> SHIFT) + 1) << COUNTER_BITS) - 1 : 0);
}

int64_t
idgen_next(struct idgen *g, int64_t now_ms)
{
	int64_t floor = now_ms > epoch_ms ? (now_ms - epoch_ms) << COUNTER_BITS : 0;
	int64_t last = atomic_load_explicit(&g->last, memory_order_relaxed), next;

	do
		next = last >= floor ? last + 1 : floor;
	while (!atomic_compare_exchange_weak(&g->last, &last, next));
	return (next >> COUNTER_BITS << SHIFT) | (int64_t)g->node << COUNTER_BITS |
	    (next & ((1 << COUNTER_BITS) - 1));
}

int64_t
id_at_ms(int64_t id)
{
	return (id >> SHIFT) + epoch_ms;
}

int64_t
id_least(int64_t at_ms)
{
	return at_ms > epoch_ms ? (at_ms - epoch_ms) << SHIFT : 0;
}

bool
id_is_among(const int64_t *ids, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}
