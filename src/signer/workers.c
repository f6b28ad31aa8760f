#include "base/base.h"
#include "signer/workers.h"

#include <pthread.h>
#include <unistd.h>

enum { THREADS_MAX = 32 };

struct piece {
	void *what;
	unsigned weight;
};

struct workers {
	pthread_t threads[THREADS_MAX];
	unsigned n_threads;
	void (*work)(void *what);
	pthread_mutex_t lock; /* of all below; each piece of work takes far longer than to take it */
	pthread_cond_t start, start_spare, done;
	unsigned started; /* threads that run */
	unsigned beside;  /* processors but the caller's: so many threads calculate */
	bool stop;
	struct piece pieces[WORKERS_PIECES];
	size_t n, taken, finished;
	unsigned long waiting; /* weight of all that are not taken */
};

/* One piece, where one is left. Locked before and after. */
static bool
work_one(struct workers *w)
{
	struct piece *p = &w->pieces[w->taken];

	if (w->taken == w->n)
		return false;
	w->taken++;
	w->waiting -= p->weight;
	pthread_mutex_unlock(&w->lock);
	w->work(p->what);
	pthread_mutex_lock(&w->lock);
	if (++w->finished == w->n)
		pthread_cond_signal(&w->done);
	return true;
}

/* Threads beyond the number of processors are spare ones, for pieces that wait for a device: those that are calculated would only be pushed
   aside by each other. */
static void *
worker(void *arg)
{
	struct workers *w = arg;
	pthread_cond_t *mine;

	pthread_mutex_lock(&w->lock);
	mine = w->started++ < w->beside ? &w->start : &w->start_spare;
	while (!w->stop)
		if (!work_one(w))
			pthread_cond_wait(mine, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

unsigned
workers_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 1 ? (unsigned)n : 1;
}

enum rc
workers_new(unsigned threads, void (*work)(void *what), struct workers **ret, struct err *e)
{
	struct workers *w = calloc(1, sizeof(*w));

	NEED(w != NULL, e, CHY_NO_MEMORY, NULL, "threads");
	w->work = work;
	w->beside = workers_processors() - 1;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->start, NULL);
	pthread_cond_init(&w->start_spare, NULL);
	pthread_cond_init(&w->done, NULL);
	while (w->n_threads < threads && w->n_threads < THREADS_MAX) {
		if (pthread_create(&w->threads[w->n_threads], NULL, worker, w) != 0) {
			workers_free(w);
			FAIL(e, CHY_SYSTEM, NULL, "a thread could not be started");
		}
		w->n_threads++;
	}
	*ret = w;
	return RC_OK;
}

void
workers_free(struct workers *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->start);
	pthread_cond_broadcast(&w->start_spare);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->done);
	pthread_cond_destroy(&w->start_spare);
	pthread_cond_destroy(&w->start);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void
wake_one(struct workers *w, bool waits)
{
	pthread_cond_signal(&w->start);
	if (waits)
		pthread_cond_signal(&w->start_spare);
}

void
workers_add(struct workers *w, void *what, unsigned weight, bool waits)
{
	pthread_mutex_lock(&w->lock);
	if (w->n == WORKERS_PIECES) {
		pthread_mutex_unlock(&w->lock);
		w->work(what);
		return;
	}
	w->pieces[w->n++] = (struct piece){ what, weight };
	w->waiting += weight;
	if (w->waiting >= WORKERS_WEIGHT && w->n - w->taken > 1) /* the first one is the caller's */
		wake_one(w, waits);
	pthread_mutex_unlock(&w->lock);
}

bool
workers_do_one(struct workers *w)
{
	bool done;

	pthread_mutex_lock(&w->lock);
	done = work_one(w);
	pthread_mutex_unlock(&w->lock);
	return done;
}

bool
workers_left(struct workers *w)
{
	bool left;

	pthread_mutex_lock(&w->lock);
	left = w->taken < w->n;
	pthread_mutex_unlock(&w->lock);
	return left;
}

void
workers_finish(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	while (work_one(w))
		;
	while (w->finished < w->n)
		pthread_cond_wait(&w->done, &w->lock);
	w->n = w->taken = w->finished = 0;
	pthread_mutex_unlock(&w->lock);
}
