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
wait_for_news(struct store *s, struct db **db)
{
	struct watcher *w = &s->watcher;
	struct pollfd fd = { w->wake[0], POLLIN, 0 };
	char drain[64];

	if (s->ops->listen != NULL && *db == NULL && s->ops->open(s->where, DB_READER, db, NULL) == RC_OK &&
	    (*db)->ops->script(*db, "LISTEN chancery_document", NULL) != RC_OK)
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
	struct store *s = arg;
	struct watcher *w = &s->watcher;
	int64_t told = -1, stamp;
	struct db *db = NULL;

	while (!atomic_load(&w->stop)) {
		if (store_document_stamp(s, &stamp, NULL) == RC_OK && stamp != told) {
			w->fn(w->arg, stamp);
			told = stamp;
		}
		wait_for_news(s, &db);
	}
	if (db != NULL)
		s->ops->close(db);
	return NULL;
}

enum rc
store_watch_documents(struct store *s, store_watch_fn *fn, void *arg, struct err *e)
{
	struct watcher *w = &s->watcher;

	NEED(!w->running, e, CHY_INTERNAL, NULL, "the store has a watcher already");
	NEED(pipe2(w->wake, O_CLOEXEC | O_NONBLOCK) == 0, e, CHY_SYSTEM, NULL, "no pipe");
	w->fn = fn;
	w->arg = arg;
	w->running = pthread_create(&w->thread, NULL, watch, s) == 0;
	if (!w->running) {
		close(w->wake[0]);
		close(w->wake[1]);
		FAIL(e, CHY_SYSTEM, NULL, "no thread to watch the database");
	}
	return RC_OK;
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
