#include "base/base.h"
#include "factory/trouble.h"

void
troubles_init(struct troubles *t)
{
	pthread_mutex_init(&t->lock, NULL);
	t->n = 0;
}

/* n: it has none. */
static size_t
find(const struct troubles *t, struct doc_id of)
{
	size_t i = 0;

	while (i < t->n && t->v[i].of.v != of.v)
		i++;
	return i;
}

void
trouble_note(struct troubles *t, struct doc_id of, const struct err *why)
{
	struct trouble *x;
	size_t i;

	pthread_mutex_lock(&t->lock);
	i = find(t, of);
	if (i < TROUBLES_MAX) {
		x = &t->v[i];
		if (i == t->n || x->code != why->code)
			x->since_ms = clock_now_ms();
		t->n += i == t->n;
		x->of = of;
		x->code = why->code;
		snprintf(x->text, sizeof(x->text), "%s", why->text);
	}
	pthread_mutex_unlock(&t->lock);
}

void
trouble_over(struct troubles *t, struct doc_id of)
{
	size_t i;

	pthread_mutex_lock(&t->lock);
	i = find(t, of);
	if (i < t->n)
		t->v[i] = t->v[--t->n];
	pthread_mutex_unlock(&t->lock);
}

bool
trouble_of(struct troubles *t, struct doc_id of, struct trouble *ret)
{
	size_t i;
	bool has;

	pthread_mutex_lock(&t->lock);
	i = find(t, of);
	has = i < t->n;
	if (has)
		*ret = t->v[i];
	pthread_mutex_unlock(&t->lock);
	return has;
}
