/* The threads that sign: every piece is done once, whoever does it, and what waits for a device does not keep others from theirs. */
#include "base/base.h"
#include "signer/workers.h"

#include <pthread.h>
#include <stdatomic.h>

#include "test.h"

enum { PIECES = WORKERS_PIECES + 44, ROUNDS = 50, THREADS = 2 };

static atomic_uint done[PIECES];
static pthread_barrier_t together;

static void
note(void *what)
{
	atomic_fetch_add((atomic_uint *)what, 1);
}

static void
each_piece_is_done_once(void **state)
{
	OWN(workers_free)
	struct workers *w = NULL;

	memset(done, 0, sizeof(done));
	assert_int_equal(workers_new(THREADS, note, &w, NULL), RC_OK);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		for (size_t i = 0; i < PIECES; i++) /* more than there is room for: some are done at once */
			workers_add(w, &done[i], 1 + (unsigned)i % (2 * WORKERS_WEIGHT), i % 3 == 0);
		workers_finish(w);
		assert_false(workers_left(w));
		for (size_t i = 0; i < PIECES; i++)
			assert_int_equal(done[i], round);
	}
}

static void
caller_does_what_is_left(void **state)
{
	OWN(workers_free)
	struct workers *w = NULL;

	memset(done, 0, sizeof(done));
	assert_int_equal(workers_new(0, note, &w, NULL), RC_OK); /* nobody else */
	assert_false(workers_left(w));
	assert_false(workers_do_one(w));
	workers_add(w, &done[0], 1, false);
	assert_true(workers_left(w));
	assert_true(workers_do_one(w));
	assert_false(workers_left(w));
	assert_int_equal(done[0], 1);
	workers_add(w, &done[1], WORKERS_WEIGHT, true);
	workers_finish(w);
	assert_int_equal(done[1], 1);
}

static void
meet(void *what)
{
	pthread_barrier_wait(&together);
	note(what);
}

/* Each piece waits for all others, as for a device that answers late: without as many threads this would never end, however few
   processors there are. */
static void
what_waits_is_done_at_the_same_time(void **state)
{
	OWN(workers_free)
	struct workers *w = NULL;

	memset(done, 0, sizeof(done));
	pthread_barrier_init(&together, NULL, THREADS + 1);
	assert_int_equal(workers_new(THREADS, meet, &w, NULL), RC_OK);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		for (size_t i = 0; i < THREADS + 1; i++)
			workers_add(w, &done[i], WORKERS_WEIGHT, true);
		workers_finish(w);
		for (size_t i = 0; i < THREADS + 1; i++)
			assert_int_equal(done[i], round);
	}
	pthread_barrier_destroy(&together);
}

static const struct CMUnitTest tests[] = {
	CASE(each_piece_is_done_once),
	CASE(caller_does_what_is_left),
	CASE(what_waits_is_done_at_the_same_time),
};
TESTS_MAIN(tests)
