#include "base/base.h"
#include "store/core.h"

/*
 * How common a text is among the values of the search, by a sample that is kept in memory. The ids of values are digests, so those
 * with the lowest ids are a fair sample, and how far they reach tells what part of all they are. Only a guess, for what comes of
 * it: an index is not asked.
 */

enum {
	SAMPLE = 10000,         /* values */
	SAMPLE_ARENA = 8 << 20, /* with it not much more is kept: of longer values not all */
	SAMPLE_TEXT = 256,      /* octets of one that are kept */
	SAMPLE_LEAST = 5,       /* of them must have a text */
	SAMPLE_SURELY = 10,     /* times what was asked for is surely more than that */
};

static const int64_t sample_lasts_us = 300000000;

static enum rc
take_value(void *arg, const union value *cols, struct err *e)
{
	struct sample *s = arg;
	struct value_row row;

	row_view(&table_value, cols, &row);
	if (row.id <= s->reach) /* asked again, after the connection was lost */
		s->n = 0;
	if (s->n == SAMPLE)
		return RC_OK;
	s->reach = row.id;
	s->texts[s->n] = arena_dup(s->mem, bytes_part(row.value, 0, SAMPLE_TEXT));
	NEED(s->texts[s->n].p != NULL, e, CHY_NO_MEMORY, NULL, "a sample of values");
	s->n++;
	return RC_OK;
}

static enum rc
sample_read(struct store *s, struct err *e)
{
	struct sample *x = &s->sample;

	arena_free(x->mem);
	*x = (struct sample){ .mem = arena_new(SAMPLE_ARENA) };
	x->texts = x->mem != NULL ? arena_array(x->mem, SAMPLE, sizeof(*x->texts)) : NULL;
	NEED(x->texts != NULL, e, CHY_NO_MEMORY, NULL, "a sample of values");
	TRY(store_query(s, Q_VALUES_FIRST, &INT_VALUE(SAMPLE), take_value, x, e));
	x->read_at_us = clock_mono_us();
	return RC_OK;
}

/* How many values have the text, about; 0: few. */
static double
guess(const struct sample *x, struct bytes text)
{
	int64_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		n += memmem(x->texts[i].p, x->texts[i].n, text.p, text.n) != NULL;
	if (x->n < SAMPLE || n < SAMPLE_LEAST || x->reach <= 0)
		return 0;
	return (double)n * (double)INT64_MAX / (double)x->reach;
}

enum rc
store_search_is_common(struct store *s, struct bytes text, size_t most, bool *ret, struct err *e)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&s->sampling);
	if (s->sample.read_at_us == 0 || clock_mono_us() - s->sample.read_at_us > sample_lasts_us)
		rc = sample_read(s, e);
	*ret = rc == RC_OK && guess(&s->sample, text) > (double)most * SAMPLE_SURELY;
	pthread_mutex_unlock(&s->sampling);
	return rc;
}
