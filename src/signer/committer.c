/* Batches that are signed, on their way to the disk and back to those who asked. A sync takes as long as many signatures, so a thread
   waits for it while the next batch is gathered and signed. One batch at a time: meanwhile the journal is that thread's, and nobody
   else looks at it. */
#include "base/base.h"
#include "signer/core_impl.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct committer {
	struct signer_core *c;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct batch *batch; /* on its way; NULL: none */
	bool watched;        /* somebody polls done_fd */
	struct err failed;   /* why answers were not sent */
	bool stop;
	int done_fd;
};

/* Where an answer could not be sent, half of it may have been: the stream is of no use any more, and both ends are to see it. */
static void
commit(struct committer *k, struct batch *b)
{
	struct err e = { 0 };

	core_commit(k->c, b);
	batch_settle(k->c, b);
	if (core_write_answers(k->c, &e) == RC_OK || e.code == CHY_CONTROL_CLOSED)
		return; /* closed: the next read sees it */
	LOG(ERROR, "signer.answers-lost", LE(&e));
	k->failed = e;
	(void)shutdown(k->c->fd, SHUT_RDWR);
}

static void
tell(struct committer *k)
{
	k->batch = NULL;
	pthread_cond_broadcast(&k->changed);
	if (k->watched)
		(void)eventfd_write(k->done_fd, 1);
	k->watched = false;
}

static void *
committer_main(void *arg)
{
	struct committer *k = arg;

	pthread_mutex_lock(&k->lock);
	for (;;) {
		while (k->batch == NULL && !k->stop)
			pthread_cond_wait(&k->changed, &k->lock);
		if (k->batch == NULL)
			break;
		pthread_mutex_unlock(&k->lock);
		commit(k, k->batch);
		pthread_mutex_lock(&k->lock);
		tell(k);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

enum rc
committer_new(struct signer_core *c, struct committer **ret, struct err *e)
{
	struct committer *k = calloc(1, sizeof(*k));

	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "the signer");
	k->c = c;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->changed, NULL);
	k->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->started = k->done_fd >= 0 && pthread_create(&k->thread, NULL, committer_main, k) == 0;
	if (!k->started) {
		committer_free(k);
		FAIL(e, CHY_SYSTEM, NULL, "a thread that commits");
	}
	*ret = k;
	return RC_OK;
}

void
committer_free(struct committer *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	if (k->started)
		pthread_join(k->thread, NULL);
	if (k->done_fd >= 0)
		close(k->done_fd);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

void
committer_take(struct signer_core *c)
{
	struct committer *k = c->committer;

	pthread_mutex_lock(&k->lock);
	k->batch = c->now;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	c->now = c->now == &c->batches[0] ? &c->batches[1] : &c->batches[0];
}

void
committer_wait(struct signer_core *c)
{
	struct committer *k = c->committer;

	pthread_mutex_lock(&k->lock);
	while (k->batch != NULL)
		pthread_cond_wait(&k->changed, &k->lock);
	pthread_mutex_unlock(&k->lock);
}

bool
committer_busy(struct signer_core *c)
{
	struct committer *k = c->committer;
	bool busy;

	pthread_mutex_lock(&k->lock);
	busy = k->batch != NULL;
	pthread_mutex_unlock(&k->lock);
	return busy;
}

/* From now on the end of the batch is told to done_fd as well. False: there is none. */
static bool
watch(struct committer *k)
{
	bool busy;

	pthread_mutex_lock(&k->lock);
	busy = k->watched = k->batch != NULL;
	pthread_mutex_unlock(&k->lock);
	return busy;
}

void
committer_wait_or_input(struct signer_core *c)
{
	struct committer *k = c->committer;
	struct pollfd v[] = { { .fd = c->fd, .events = POLLIN }, { .fd = k->done_fd, .events = POLLIN } };
	eventfd_t n;

	if (!watch(k))
		return;
	while (poll(v, ARRAY_LEN(v), -1) < 0 && errno == EINTR)
		;
	(void)eventfd_read(k->done_fd, &n);
}

enum rc
committer_failed(struct signer_core *c, struct err *e)
{
	struct committer *k = c->committer;

	if (k->failed.code == CHY_NONE)
		return RC_OK;
	*e = k->failed;
	return e->rc;
}
