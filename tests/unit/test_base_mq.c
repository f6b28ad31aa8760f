#include "base/base.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/idgen.h"
#include "base/mq.h"
#include "test.h"

struct thing {
	struct mq_item item;
	unsigned value;
};

enum { THREADS = 4, EACH = 5000 };

static struct mq q;
static struct thing things[THREADS * EACH];
static atomic_uint taken[THREADS * EACH];
static atomic_uint total;

static void
takes_in_order_and_all_that_waits(void **state)
{
	struct mq_item *list;
	unsigned n = 0;

	mq_init(&q, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_true(mq_put(&q, &things[i].item));
	assert_false(mq_put(&q, &things[10].item)); /* full */
	assert_int_equal(mq_count(&q), 10);
	list = mq_take(&q, 4, -1);
	for (; list != NULL; list = list->next)
		assert_ptr_equal(list, &things[n++].item);
	assert_int_equal(n, 4);
	assert_true(mq_put(&q, &things[10].item));
	for (list = mq_take(&q, 100, -1); list != NULL; list = list->next)
		assert_ptr_equal(list, &things[n++].item);
	assert_int_equal(n, 11);
	assert_int_equal(mq_count(&q), 0);
	assert_null(mq_take(&q, 1, 0));
	assert_true(mq_put(&q, &things[0].item)); /* after it was empty */
	assert_ptr_equal(mq_take(&q, 1, 0), &things[0].item);
	mq_fini(&q);
}

static void
waits_its_time(void **state)
{
	int64_t from = clock_mono_us();

	mq_init(&q, 10);
	assert_null(mq_take(&q, 1, 30));
	assert_true(clock_mono_us() - from >= 29000);
	mq_fini(&q);
}

static void
closed_gives_out_what_waits(void **state)
{
	mq_init(&q, 10);
	assert_true(mq_put(&q, &things[0].item));
	mq_close(&q);
	assert_true(mq_is_closed(&q));
	assert_false(mq_put(&q, &things[1].item));
	assert_ptr_equal(mq_take(&q, 10, -1), &things[0].item);
	assert_null(mq_take(&q, 10, -1));
	mq_fini(&q);
}

static void *
put_many(void *arg)
{
	struct thing *mine = arg;

	for (unsigned i = 0; i < EACH; i++)
		while (!mq_put(&q, &mine[i].item))
			sched_yield();
	return NULL;
}

/* Three at a time, so that takers leave something for each other. */
static void *
take_many(void *arg)
{
	struct mq_item *list;

	while ((list = mq_take(&q, 3, -1)) != NULL)
		for (struct mq_item *next; list != NULL; list = next) {
			next = list->next;
			atomic_fetch_add(&taken[((struct thing *)(void *)list)->value], 1);
			atomic_fetch_add(&total, 1);
		}
	return NULL;
}

static void
many_put_and_many_take(void **state)
{
	pthread_t put[THREADS], take[THREADS];

	mq_init(&q, 64);
	for (unsigned i = 0; i < THREADS * EACH; i++)
		things[i].value = i;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&take[i], NULL, take_many, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&put[i], NULL, put_many, &things[i * EACH]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(put[i], NULL);
	mq_close(&q);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(take[i], NULL);
	for (unsigned i = 0; i < THREADS * EACH; i++)
		assert_int_equal(atomic_load(&taken[i]), 1);
	mq_fini(&q);
}

static void *
hold_one(void *arg)
{
	struct mq_item *one = mq_take(&q, 1, 5000);

	if (one != NULL)
		atomic_fetch_add(&total, 1);
	while (atomic_load(&total) < 2 && one != NULL) /* busy with its item until another one works too */
		sched_yield();
	return NULL;
}

/* Two sleepers, two items in one go: both must wake, although only the first put finds the queue empty. */
static void
wakes_a_second_taker(void **state)
{
	for (int round = 0; round < 50; round++) {
		pthread_t t[2];

		atomic_store(&total, 0);
		mq_init(&q, 10);
		for (int i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&t[i], NULL, hold_one, NULL), 0);
		nanosleep(&(struct timespec){ 0, 500000 }, NULL);
		assert_true(mq_put(&q, &things[0].item));
		assert_true(mq_put(&q, &things[1].item));
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
		assert_int_equal(atomic_load(&total), 2);
		mq_fini(&q);
	}
}

static struct idgen ids;
static int64_t made[THREADS][EACH];

static void *
make_ids(void *arg)
{
	int64_t *mine = arg;

	for (unsigned i = 0; i < EACH; i++)
		mine[i] = idgen_next(&ids, 1795262400000 + i / 1000);
	return NULL;
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
ids_of_many_threads_differ(void **state)
{
	pthread_t t[THREADS];
	int64_t *all = made[0];

	idgen_init(&ids, 1, 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, make_ids, made[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	qsort(all, THREADS * EACH, sizeof(*all), by_value);
	for (unsigned i = 1; i < THREADS * EACH; i++)
		assert_true(all[i] > all[i - 1]);
}

static const struct CMUnitTest tests[] = {
	CASE(takes_in_order_and_all_that_waits),
	CASE(waits_its_time),
	CASE(closed_gives_out_what_waits),
	CASE(many_put_and_many_take),
	CASE(wakes_a_second_taker),
	CASE(ids_of_many_threads_differ),
};
TESTS_MAIN(tests)
