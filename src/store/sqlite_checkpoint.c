#include "base/base.h"
#include "store/sqlite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/*
 * PASSIVE checkpoints often; they disturb nobody but never empty the log under steady load, because a writer is always
 * ahead of them. When the log passes RESTART_PAGES the writer is held between two transactions, for the few pages that are
 * left, and the log starts again from its beginning. A reader that stays (a backup) would make that wait in vain: then it is
 * not tried again for a while and the log grows.
 */
enum { PAUSE_MS = 100, RESTART_PAGES = 8000, RESTART_BUSY_MS = 100, RESTART_AGAIN_US = 5000000 };

struct checkpointer {
	sqlite3 *c;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, busy, wanted; /* busy: the writer is in a transaction; wanted: it must not begin another */
	bool work;               /* something was committed since the last checkpoint */
	bool idle;               /* the thread waits for that */
	int64_t not_before_us;   /* when emptying the log may be tried again */
	atomic_ullong pages;
};

void
checkpointer_enter(struct checkpointer *k)
{
	pthread_mutex_lock(&k->lock);
	while (k->wanted)
		pthread_cond_wait(&k->changed, &k->lock);
	k->busy = true;
	pthread_mutex_unlock(&k->lock);
}

void
checkpointer_leave(struct checkpointer *k)
{
	pthread_mutex_lock(&k->lock);
	k->busy = false;
	if (k->wanted || (k->work && k->idle))
		pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

uint64_t
checkpointer_pages(const struct checkpointer *k)
{
	return k ? atomic_load(&k->pages) : 0;
}

/* SQLite calls it behind each commit with the log's length. */
static int
committed(void *arg, sqlite3 *c, const char *name, int pages)
{
	struct checkpointer *k = arg;

	(void)c;
	(void)name;
	atomic_store(&k->pages, (unsigned)pages);
	pthread_mutex_lock(&k->lock);
	k->work = true;
	pthread_mutex_unlock(&k->lock);
	return SQLITE_OK;
}

static void
restart(struct checkpointer *k)
{
	int rc;

	pthread_mutex_lock(&k->lock);
	k->wanted = true;
	while (k->busy)
		pthread_cond_wait(&k->changed, &k->lock);
	pthread_mutex_unlock(&k->lock);
	rc = sqlite3_wal_checkpoint_v2(k->c, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	pthread_mutex_lock(&k->lock);
	k->wanted = false;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	if (rc != SQLITE_OK)
		k->not_before_us = clock_mono_us() + RESTART_AGAIN_US;
}

/* False: to be stopped. */
static bool
wait_for_work(struct checkpointer *k)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += PAUSE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&k->lock);
	while (!k->stop && pthread_cond_timedwait(&k->changed, &k->lock, &until) == 0)
		continue;
	k->idle = true;
	while (!k->stop && !k->work)
		pthread_cond_wait(&k->changed, &k->lock);
	k->idle = false;
	k->work = false;
	stop = k->stop;
	pthread_mutex_unlock(&k->lock);
	return !stop;
}

static void *
checkpoint(void *arg)
{
	struct checkpointer *k = arg;
	int pages = 0;

	pthread_setname_np(pthread_self(), "checkpoint");
	while (wait_for_work(k)) {
		sqlite3_wal_checkpoint_v2(k->c, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, NULL);
		if (pages > RESTART_PAGES && clock_mono_us() >= k->not_before_us)
			restart(k);
	}
	return NULL;
}

enum rc
checkpointer_start(const char *path, sqlite3 *writer, struct checkpointer **ret, struct err *e)
{
	struct checkpointer *k = calloc(1, sizeof(*k));
	enum rc rc;

	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "checkpoints");
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->changed, NULL);
	rc = sqlite_connect(path, SQLITE_OPEN_READWRITE, &k->c, e);
	/* a connection that has read nothing does not know of the log, and checkpoints nothing without a word */
	if (rc == RC_OK &&
	    sqlite3_exec(k->c, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
		rc = sqlite_fail(k->c, NULL, e);
	if (rc == RC_OK)
		sqlite3_busy_timeout(k->c, RESTART_BUSY_MS);
	if (rc == RC_OK && pthread_create(&k->thread, NULL, checkpoint, k) != 0)
		rc = err_set(e, CHY_SYSTEM, NULL, "no thread for checkpoints");
	if (rc != RC_OK) {
		sqlite3_close(k->c);
		free(k);
		return rc;
	}
	sqlite3_wal_hook(writer, committed, k); /* replaces the automatic checkpoint */
	*ret = k;
	return RC_OK;
}

void
checkpointer_stop(struct checkpointer *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	sqlite3_close(k->c);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k);
}
