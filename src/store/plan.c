#include "base/base.h"
#include "store/plan.h"

enum { RANKS = STMT_COUNT + 1 };

static size_t
rank(const struct plan *p, const struct op *op)
{
	return statements[op->stmt].flags & (STMT_MERGE | p->bulk) ? (size_t)op->stmt + 1 : 0;
}

/* A stable counting sort by rank. */
static void
sort_ops(const struct plan *p, struct change *list, bool one, const struct op *mark)
{
	size_t at[RANKS + 1] = { 0 };

	at[1] += mark != NULL;
	for (struct change *c = list; c != NULL; c = one ? NULL : change_next(c))
		for (const struct op *op = c->first; op != NULL; op = op->next)
			at[rank(p, op) + 1]++;
	for (size_t i = 1; i < RANKS; i++)
		at[i] += at[i - 1];
	if (mark != NULL)
		p->ops[at[0]++] = mark;
	for (struct change *c = list; c != NULL; c = one ? NULL : change_next(c))
		for (const struct op *op = c->first; op != NULL; op = op->next)
			p->ops[at[rank(p, op)]++] = op;
}

/* By statement and by all parameters but the last. */
static int
compare_keys(const void *x, const void *y)
{
	const struct op *a = *(const struct op *const *)x, *b = *(const struct op *const *)y;
	const struct stmt *s = &statements[a->stmt];
	size_t n = stmt_nparams(s) - 1;

	if (a->stmt != b->stmt)
		return a->stmt < b->stmt ? -1 : 1;
	for (size_t i = 0; i < n; i++) {
		int order = stmt_type(s, i) == 'i' ? (a->v[i].i > b->v[i].i) - (a->v[i].i < b->v[i].i)
						   : bytes_cmp(a->v[i].b, b->v[i].b);
		if (order != 0)
			return order;
	}
	return 0;
}

static struct op *
copy_op(struct arena *mem, const struct op *op, unsigned node)
{
	size_t size = sizeof(*op) + stmt_nparams(&statements[op->stmt]) * sizeof(op->v[0]);
	struct op *copy = arena_alloc(mem, size);

	if (copy == NULL)
		return NULL;
	memcpy(copy, op, size);
	if (op->stmt == Q_ADD_COUNTER)
		copy->v[1].i = node;
	return copy;
}

/* Replaces runs with the same key by their sum; returns how many are left, 0 when memory is out. */
static size_t
merge(struct arena *mem, const struct op **ops, size_t n, unsigned node)
{
	const struct op *first = NULL; /* of the run; its copy has the node in it */
	struct op *sum = NULL;
	size_t left = 0, last = 0;

	qsort(ops, n, sizeof(*ops), compare_keys);
	for (size_t i = 0; i < n; i++) {
		if (first != NULL && compare_keys(&first, &ops[i]) == 0) {
			sum->v[last].i += ops[i]->v[last].i;
			continue;
		}
		first = ops[i];
		sum = copy_op(mem, first, node);
		if (sum == NULL)
			return 0;
		last = stmt_nparams(&statements[sum->stmt]) - 1;
		ops[left++] = sum;
	}
	return left;
}

/* Sums the part of the plan that can be. */
static enum rc
merge_part(struct plan *p, unsigned node, struct err *e)
{
	size_t from = 0, to, left;

	while (from < p->n && !(statements[p->ops[from]->stmt].flags & (STMT_MERGE | p->bulk)))
		from++;
	for (to = from; to < p->n && statements[p->ops[to]->stmt].flags & STMT_MERGE; to++)
		continue;
	if (from == to)
		return RC_OK;
	left = merge(p->mem, p->ops + from, to - from, node);
	NEED(left > 0, e, CHY_NO_MEMORY, NULL, "a batch");
	memmove(p->ops + from + left, p->ops + to, (p->n - to) * sizeof(*p->ops));
	p->n -= to - from - left;
	return RC_OK;
}

enum rc
plan_make(struct plan *ret, struct change *list, bool one, const struct op *mark, unsigned node,
	  enum sql_form form, struct err *e)
{
	*ret = (struct plan){ .mem = arena_new(LIMIT_CHANGE),
			      .bulk = form == SQL_SQLITE ? STMT_BULK : STMT_BULK | STMT_PG_BULK };
	ret->n = mark != NULL;
	for (struct change *c = list; c != NULL; c = one ? NULL : change_next(c))
		ret->n += c->nops;
	ret->ops = ret->mem ? arena_array(ret->mem, ret->n + 1, sizeof(*ret->ops)) : NULL;
	NEED(ret->ops != NULL, e, CHY_NO_MEMORY, NULL, "a batch of %zu operations", ret->n);
	sort_ops(ret, list, one, mark);
	return merge_part(ret, node, e);
}

void
plan_fini(struct plan *p)
{
	arena_free(p->mem);
	p->mem = NULL;
}
