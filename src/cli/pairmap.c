#include "base/base.h"
#include "cli/pairmap.h"

enum { FIRST = 256 };

void
pairmap_fini(struct pairmap *m)
{
	free(m->at);
	*m = (struct pairmap){ 0 };
}

/* Ids are time-ordered, their low bits mostly zero: mixed well before use (the finalizer of splitmix64). */
static size_t
mix(int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a * 0x9e3779b97f4a7c15u + (uint64_t)b;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (size_t)(x ^ x >> 31);
}

static struct pair_entry *
place(const struct pairmap *m, int64_t a, int64_t b)
{
	size_t i = mix(a, b) & (m->cap - 1);

	while (m->at[i].value && (m->at[i].a != a || m->at[i].b != b))
		i = (i + 1) & (m->cap - 1);
	return &m->at[i];
}

void *
pairmap_get(const struct pairmap *m, int64_t a, int64_t b)
{
	return m->cap ? place(m, a, b)->value : NULL;
}

static enum rc
grow(struct pairmap *m, struct err *e)
{
	struct pairmap more = { .cap = m->cap ? m->cap * 2 : FIRST, .n = m->n };

	more.at = calloc(more.cap, sizeof(*more.at));
	NEED(more.at != NULL, e, CHY_NO_MEMORY, NULL, "%zu entries", more.cap);
	PAIRMAP_EACH(x, m)
	*place(&more, x->a, x->b) = *x;
	free(m->at);
	*m = more;
	return RC_OK;
}

enum rc
pairmap_put(struct pairmap *m, int64_t a, int64_t b, void *value, struct err *e)
{
	struct pair_entry *x;

	if (m->n + 1 > m->cap / 4 * 3)
		TRY(grow(m, e));
	x = place(m, a, b);
	m->n += x->value == NULL;
	*x = (struct pair_entry){ a, b, value };
	return RC_OK;
}
