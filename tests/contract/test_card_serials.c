#include "base/base.h"
#include "factory/procedures.h"
#include "store_world.h"

#include <pthread.h>

/* Serial numbers of cards, on both engines alike: once, in order, never outside the range, not even with many at once, and
   given back by what is not committed. */

static const struct document doc = { .id = { 77 }, .name = BYTES("Card") },
			     other_doc = { .id = { 78 }, .name = BYTES("Other") };

static struct token_procedure
procedure(const struct document *d, int64_t from, int64_t to)
{
	return (
	    struct token_procedure){ .doc = d, .card_serials = true, .serial_from = from, .serial_to = to };
}

/* A card's change: the number and its use in one transaction. */
static enum rc
take(struct store *s, const struct token_procedure *t, int64_t *ret, struct err *e)
{
	struct change *c = change_new();
	enum rc rc = card_serial_take(s, t, 1790000000000, c, ret, e);

	if (rc != RC_OK) {
		change_free(c);
		return rc;
	}
	change_add_counter(c, "cards", 1);
	return store_commit(s, c, e);
}

static void
in_order_and_no_further(void **state)
{
	struct world *w = *state;
	struct token_procedure t = procedure(&doc, 1000, 1004);
	int64_t n, cards;

	for (int64_t want = 1000; want <= 1004; want++) {
		ok(take(w->s, &t, &n, &w->e));
		assert_int_equal(n, want);
	}
	fails(take(w->s, &t, &n, &w->e), CARD_SERIALS_EXHAUSTED);
	ok(store_counter(w->s, "cards", &cards, &w->e));
	assert_int_equal(cards, 5); /* nothing is issued without a number */
	world_reopen(w, NULL);
	fails(take(w->s, &t, &n, &w->e), CARD_SERIALS_EXHAUSTED);
}

/* A range of one; ranges at the ends of what numbers there are; the number before and behind. */
static void
edges(void **state)
{
	struct world *w = *state;
	struct token_procedure one = procedure(&doc, 0, 0),
			       last = procedure(&doc, (1LL << 53) - 1, (1LL << 53) - 1);
	int64_t n;

	ok(take(w->s, &one, &n, &w->e));
	assert_int_equal(n, 0);
	fails(take(w->s, &one, &n, &w->e), CARD_SERIALS_EXHAUSTED);
	ok(take(w->s, &last, &n, &w->e));
	assert_int_equal(n, (1LL << 53) - 1);
	fails(take(w->s, &last, &n, &w->e), CARD_SERIALS_EXHAUSTED);
}

static void
what_is_not_committed_is_not_handed_out(void **state)
{
	struct world *w = *state;
	struct token_procedure t = procedure(&doc, 10, 19);
	struct change *c = change_new();
	int64_t n;

	ok(card_serial_take(w->s, &t, 1, c, &n, &w->e));
	assert_int_equal(n, 10);
	change_check_document(c, 4711, 1); /* there is no such document: the whole change fails */
	fails(store_commit(w->s, c, &w->e), STORE_VERSION);
	ok(take(w->s, &t, &n, &w->e));
	assert_int_equal(n, 10);
}

/* A range that was another procedure's before goes on where that one ended. */
static void
a_number_is_for_ever(void **state)
{
	struct world *w = *state;
	struct token_procedure t = procedure(&doc, 10, 19), heir = procedure(&other_doc, 5, 14);
	int64_t n;

	for (int i = 0; i < 3; i++)
		ok(take(w->s, &t, &n, &w->e));
	ok(take(w->s, &heir, &n, &w->e));
	assert_int_equal(n, 13);
	ok(take(w->s, &t, &n, &w->e));
	assert_int_equal(n, 14);
	fails(take(w->s, &heir, &n, &w->e), CARD_SERIALS_EXHAUSTED);
}

/* ---- many at once ---- */

enum { THREADS = 8, EACH = 25, CARDS = THREADS * EACH };

struct clerk {
	struct store *s;
	int64_t got[EACH];
	int races;
	bool failed;
};

static void *
clerk_run(void *arg)
{
	struct token_procedure t = procedure(&doc, 1, CARDS);
	struct clerk *k = arg;

	for (int i = 0; i < EACH && !k->failed;) {
		struct err e = { 0 };

		if (take(k->s, &t, &k->got[i], &e) == RC_OK)
			i++;
		else if (e.code == CHY_CARD_SERIAL_TAKEN)
			k->races++;
		else
			k->failed = true;
	}
	return NULL;
}

static void
many_at_once_get_different_ones(void **state)
{
	struct world *w = *state;
	struct clerk clerks[THREADS] = { 0 };
	pthread_t threads[THREADS];
	bool seen[CARDS + 1] = { false };
	struct token_procedure t = procedure(&doc, 1, CARDS);
	int64_t n;

	for (int i = 0; i < THREADS; i++) {
		clerks[i].s = w->s;
		assert_int_equal(pthread_create(&threads[i], NULL, clerk_run, &clerks[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		assert_false(clerks[i].failed);
		for (int k = 0; k < EACH; k++) {
			assert_in_range(clerks[i].got[k], 1, CARDS);
			assert_false(seen[clerks[i].got[k]]);
			assert_true(k == 0 || clerks[i].got[k] > clerks[i].got[k - 1]); /* in order */
			seen[clerks[i].got[k]] = true;
		}
	}
	fails(take(w->s, &t, &n, &w->e), CARD_SERIALS_EXHAUSTED); /* and none was left out */
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "in order and no further rows=CM-T-11 CM-T-12", in_order_and_no_further },
		{ "edges", edges },
		{ "what is not committed is not handed out rows=CM-T-11",
		  what_is_not_committed_is_not_handed_out },
		{ "a number is for ever rows=CM-T-11", a_number_is_for_ever },
		{ "many at once get different ones rows=CM-T-11", many_at_once_get_different_ones },
	};

	return world_run("card serials", tests, ARRAY_LEN(tests));
}
