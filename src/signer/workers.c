#include "base/base.h"
#include "signer/workers.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS_MAX = 32 };

struct workers {
	pthread_t threads[THREADS_MAX];
	unsigned n_threads;
	pthread_mutex_t lock;
	pthread_cond_t start, done;
	unsigned long round; /* counts the calls of workers_do */
	unsigned busy;       /* threads that have not finished this round */
	bool stop;
	size_t n;
	atomic_size_t next;
	void (*work)(void *arg, size_t i);
	void *arg;
};

static void
work_off(struct workers *w)
{
	size_t i;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->n)
		w->work(w->arg, i);
}

static void *
worker(void *arg)
{
	struct workers *w = arg;
	unsigned long seen = 0;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->stop && w->round == seen)
			pthread_cond_wait(&w->start, &w->lock);
		if (w->stop)
			break;
		seen = w->round;
		pthread_mutex_unlock(&w->lock);
		work_off(w);
		pthread_mutex_lock(&w->lock);
		if (--w->busy == 0)
			pthread_cond_signal(&w->done);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

enum rc
workers_new(unsigned threads, struct workers **ret, struct err *e)
{
	struct workers *w = calloc(1, sizeof(*w));

	NEED(w != NULL, e, CHY_NO_MEMORY, NULL, "threads");
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->start, NULL);
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
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->done);
	pthread_cond_destroy(&w->start);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void
workers_do(struct workers *w, size_t n, void (*work)(void *arg, size_t i), void *arg)
{
	pthread_mutex_lock(&w->lock);
	w->work = work;
	w->arg = arg;
	w->n = n;
	atomic_store(&w->next, 0);
	w->busy = n > 1 ? w->n_threads : 0;
	if (w->busy > 0) {
		w->round++;
		pthread_cond_broadcast(&w->start);
	}
	pthread_mutex_unlock(&w->lock);
	work_off(w);
	pthread_mutex_lock(&w->lock);
	while (w->busy > 0)
		pthread_cond_wait(&w->done, &w->lock);
	pthread_mutex_unlock(&w->lock);
}
