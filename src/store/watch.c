#include "base/base.h"
#include "store/core.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { POLL_MS = 1000 };

void
watcher_wake(struct watcher *w)
{
	if (w->running) /* a full pipe wakes as well */
		(void)!write(w->wake[1], "", 1);
}

/* Until something may have happened. PostgreSQL tells by notification; the connection is the watcher's own. */
static void
wait_for_news(struct watcher *w, struct db **db)
{
	struct store *s = w->store;
	struct pollfd fd = { w->wake[0], POLLIN, 0 };
	char drain[64];

	if (s->ops->listen != NULL && *db == NULL && s->ops->open(s->where, DB_READER, db, NULL) == RC_OK &&
	    (*db)->ops->script(*db, w->listen, NULL) != RC_OK)
		(*db)->lost = true;
	if (*db != NULL && !(*db)->lost)
		s->ops->listen(*db, POLL_MS, w->wake[0]);
	else
		poll(&fd, 1, POLL_MS);
	while (read(w->wake[0], drain, sizeof(drain)) > 0)
		continue;
	if (*db != NULL && (*db)->lost) {
		s->ops->close(*db);
		*db = NULL;
	}
}

static void *
watch(void *arg)
{
	struct watcher *w = arg;
	int64_t told = -1, stamp;
	struct db *db = NULL;

	while (!atomic_load(&w->stop)) {
		int64_t now_us = clock_mono_us();

		if (store_number(w->store, w->stamp, NULL, &stamp, NULL) == RC_OK) {
			if (stamp != told)
				w->fn(w->arg, stamp);
			told = stamp;
			atomic_store(&w->asked_us, now_us);
		}
		wait_for_news(w, &db);
	}
	if (db != NULL)
		db->ops->close(db);
	return NULL;
}

static enum rc
watcher_start(struct watcher *w, struct store *s, enum stmt_id stamp, const char *listen, store_watch_fn *fn,
	      void *arg, struct err *e)
{
	NEED(!w->running, e, CHY_INTERNAL, NULL, "the store has this watcher already");
	NEED(pipe2(w->wake, O_CLOEXEC | O_NONBLOCK) == 0, e, CHY_SYSTEM, NULL, "no pipe");
	w->store = s;
	w->stamp = stamp;
	w->listen = listen;
	w->fn = fn;
	w->arg = arg;
	w->running = pthread_create(&w->thread, NULL, watch, w) == 0;
	if (!w->running) {
		close(w->wake[0]);
		close(w->wake[1]);
		FAIL(e, CHY_SYSTEM, NULL, "no thread to watch the database");
	}
	return RC_OK;
}

enum rc
store_watch_documents(struct store *s, store_watch_fn *fn, void *arg, struct err *e)
{
	return watcher_start(&s->documents, s, Q_DOCUMENT_STAMP, "LISTEN chancery_document", fn, arg, e);
}

enum rc
store_watch_status(struct store *s, store_watch_fn *fn, void *arg, struct err *e)
{
	return watcher_start(&s->statuses, s, Q_STATUS_STAMP, "LISTEN chancery_status", fn, arg, e);
}

int64_t
store_status_age_ms(const struct store *s)
{
	return (clock_mono_us() - atomic_load(&s->statuses.asked_us)) / 1000;
}

void
watcher_stop(struct watcher *w)
{
	if (!w->running)
		return;
	atomic_store(&w->stop, true);
	watcher_wake(w);
	pthread_join(w->thread, NULL);
	w->running = false;
	close(w->wake[0]);
	close(w->wake[1]);
}
