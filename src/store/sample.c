#include "base/base.h"
#include "store/core.h"

/*
 * How common a text is among the values of the search, by a sample that is kept in memory, and read by those who enter values, so that
 * nobody who searches waits for it. The ids of values are digests, so those
 * with the lowest ids are a fair sample, and how far they reach tells what part of all they are. Only a guess, for what comes of
 * it: an index is not asked.
 */

enum {
	SAMPLE = 10000,         /* values */
	SAMPLE_ARENA = 8 << 20, /* with it not much more is kept: of longer values not all */
	SAMPLE_TEXT = 256,      /* octets of one that are kept */
	PART = 8,               /* octets of a text that an index is asked for */
	PART_BRIEF = 5,
	MUCH = 4,         /* times */
	SAMPLE_LEAST = 5, /* of them must have a text */
	GRAMS = 1 << 16,
	SAMPLE_SURELY = 10, /* times what was asked for is surely more than that */
};

static const int64_t sample_lasts_us = 300000000, small_lasts_us = 30000000;

static size_t
gram_of(const uint8_t *p)
{
	return ((size_t)p[0] * 2654435761u ^ (size_t)p[1] * 40503u ^ (size_t)p[2] * 211u) % GRAMS;
}

static void
count_grams(struct sample *s, struct bytes text)
{
	for (size_t i = 0; i + 3 <= text.n; i++) {
		uint16_t *n = &s->grams[gram_of(text.p + i)];

		*n += *n < UINT16_MAX;
	}
}

static enum rc
take_value(void *arg, const union value *cols, struct err *e)
{
	struct sample *s = arg;
	struct value_row row;

	row_view(&table_value, cols, &row);
	if (row.id <= s->reach) { /* asked again, after the connection was lost */
		s->n = 0;
		memset(s->grams, 0, GRAMS * sizeof(*s->grams));
	}
	if (s->n == SAMPLE)
		return RC_OK;
	s->reach = row.id;
	s->texts[s->n] = arena_dup(s->mem, bytes_part(row.value, 0, SAMPLE_TEXT));
	NEED(s->texts[s->n].p != NULL, e, CHY_NO_MEMORY, NULL, "a sample of values");
	count_grams(s, s->texts[s->n]);
	s->n++;
	return RC_OK;
}

/* The caller frees x->mem, whatever came of it. */
static enum rc
sample_read(struct store *s, struct sample *x, struct err *e)
{
	*x = (struct sample){ .mem = arena_new(SAMPLE_ARENA) };
	x->texts = x->mem != NULL ? arena_array(x->mem, SAMPLE, sizeof(*x->texts)) : NULL;
	x->grams = x->texts != NULL ? arena_array(x->mem, GRAMS, sizeof(*x->grams)) : NULL;
	NEED(x->grams != NULL, e, CHY_NO_MEMORY, NULL, "a sample of values");
	TRY(store_query(s, Q_VALUES_FIRST, &INT_VALUE(SAMPLE), take_value, x, e));
	x->read_at_us = clock_mono_us();
	return RC_OK;
}

/* Of few values more may be all others soon. */
static bool
is_old(struct store *s)
{
	const struct sample *x = &s->sample;
	int64_t lasts_us = x->n < SAMPLE ? small_lasts_us : sample_lasts_us;
	bool old;

	pthread_mutex_lock(&s->sampling);
	old = x->read_at_us == 0 || clock_mono_us() - x->read_at_us > lasts_us;
	pthread_mutex_unlock(&s->sampling);
	return old;
}

enum rc
store_search_sample(struct store *s, struct err *e)
{
	struct sample fresh, was;
	enum rc rc;

	if (!is_old(s))
		return RC_OK;
	rc = sample_read(s, &fresh, e);
	if (rc != RC_OK) {
		arena_free(fresh.mem);
		return rc;
	}
	pthread_mutex_lock(&s->sampling);
	was = s->sample;
	s->sample = fresh;
	pthread_mutex_unlock(&s->sampling);
	arena_free(was.mem);
	return RC_OK;
}

/* What an index of three-octet pieces has to go through for the text: all lists of its pieces. */
static unsigned
cost(const struct sample *x, struct bytes text)
{
	unsigned n = 0;

	for (size_t i = 0; i + 3 <= text.n; i++)
		n += x->grams[gram_of(text.p + i)];
	return n;
}

static struct bytes
cheapest(const struct sample *x, struct bytes text, size_t len, unsigned *ret_cost)
{
	struct bytes best = bytes_part(text, 0, len);

	*ret_cost = cost(x, best);
	for (size_t i = 1; i + len <= text.n; i++) {
		unsigned n = cost(x, bytes_part(text, i, len));

		if (n < *ret_cost) {
			*ret_cost = n;
			best = bytes_part(text, i, len);
		}
	}
	return best;
}

/* A short one brings more values that are none of the text's: only where the long ones cost much more. */
struct bytes
store_search_part(struct store *s, struct bytes text)
{
	struct bytes part, brief;
	unsigned of_part, of_brief;

	if (text.n <= PART_BRIEF)
		return text;
	pthread_mutex_lock(&s->sampling);
	if (s->sample.grams != NULL) {
		part = cheapest(&s->sample, text, text.n < PART ? text.n : PART, &of_part);
		brief = cheapest(&s->sample, text, PART_BRIEF, &of_brief);
		text = of_brief < of_part / MUCH ? brief : part;
	}
	pthread_mutex_unlock(&s->sampling);
	return text;
}

/* How many values have the text, about; 0: few. */
static double
guess(const struct sample *x, struct bytes text)
{
	int64_t n = 0;

	for (size_t i = 0; x->grams != NULL && i + 3 <= text.n; i++)
		if (x->grams[gram_of(text.p + i)] < SAMPLE_LEAST)
			return 0;
	for (size_t i = 0; i < x->n; i++)
		n += memmem(x->texts[i].p, x->texts[i].n, text.p, text.n) != NULL;
	if (x->n < SAMPLE || n < SAMPLE_LEAST || x->reach <= 0)
		return 0;
	return (double)n * (double)INT64_MAX / (double)x->reach;
}

bool
store_search_is_common(struct store *s, struct bytes text, size_t most)
{
	bool is;

	pthread_mutex_lock(&s->sampling);
	is = guess(&s->sample, text) > (double)most * SAMPLE_SURELY;
	pthread_mutex_unlock(&s->sampling);
	return is;
}
