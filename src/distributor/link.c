#include "base/base.h"
#include "distributor/link.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/frame.h"

enum { SEND_SECONDS = 10, READ_OCTETS = 64 << 10 };

struct distributor_link {
	struct distributor_calls calls;
	pthread_t thread;
	pthread_mutex_t lock;    /* of what follows */
	pthread_mutex_t sending; /* of what is written to fd; taken before `lock` */
	pthread_cond_t more;
	int fd, next; /* -1: none */
	bool closing;
};

/* ---- outcomes ---- */

static bool
take_all(struct distributor_link *l, struct buf *in)
{
	struct bytes rest = buf_bytes(in);
	struct frame f;
	bool whole;

	while (frame_take(&rest, &f, &whole, NULL) == RC_OK) {
		struct err why;

		if (!whole) {
			buf_drop(in, in->n - rest.n);
			return true;
		}
		if (f.type != DELIVERY_OUTCOME || outcome_get(f.payload, &why, NULL) != RC_OK)
			return false;
		l->calls.done(l->calls.arg, (int64_t)f.id, &why);
	}
	return false; /* damaged: the stream is of no use any more */
}

static void
read_socket(struct distributor_link *l, int fd)
{
	OWN_BUF struct buf in = buf_max(2 * LIMIT_FRAME + READ_OCTETS);

	for (;;) {
		uint8_t *room = buf_room(&in, READ_OCTETS);
		ssize_t n = room ? recv(fd, room, READ_OCTETS, 0) : -1;

		if (n < 0 && room != NULL && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		in.n += (size_t)n;
		if (!take_all(l, &in))
			return;
	}
}

static int
next_socket(struct distributor_link *l)
{
	int fd;

	pthread_mutex_lock(&l->lock);
	while (!l->closing && l->next < 0)
		pthread_cond_wait(&l->more, &l->lock);
	fd = l->closing ? -1 : l->next;
	l->next = -1;
	l->fd = fd;
	pthread_mutex_unlock(&l->lock);
	return fd;
}

static void
leave_socket(struct distributor_link *l, int fd)
{
	pthread_mutex_lock(&l->lock);
	l->fd = -1;
	pthread_mutex_unlock(&l->lock);
	shutdown(fd, SHUT_RDWR); /* whoever writes ends */
	pthread_mutex_lock(&l->sending);
	close(fd);
	pthread_mutex_unlock(&l->sending);
}

static void *
reader(void *arg)
{
	struct distributor_link *l = arg;
	int fd;

	pthread_setname_np(pthread_self(), "distributor");
	while ((fd = next_socket(l)) >= 0) {
		read_socket(l, fd);
		leave_socket(l, fd);
		l->calls.lost(l->calls.arg);
	}
	return NULL;
}

/* ---- deliveries ---- */

static enum rc
send_blob(int fd, int64_t id, struct bytes blob, struct err *e)
{
	OWN_BUF struct buf out = buf_max(LIMIT_FRAME);

	for (size_t at = 0; at < blob.n || at == 0;) {
		struct bytes piece = bytes_part(blob, at, DELIVERY_PIECE);
		bool last = at + piece.n >= blob.n;

		frame_put(&out, (struct frame){ last ? DELIVERY_LAST : DELIVERY_PART, (uint64_t)id, piece });
		NEED(buf_ok(&out), e, CHY_NO_MEMORY, NULL, "a delivery");
		TRY(fd_write_all(fd, buf_bytes(&out), e));
		buf_drop(&out, out.n);
		at += piece.n;
		if (last)
			break;
	}
	return RC_OK;
}

enum rc
distributor_send(struct distributor_link *l, const struct delivery *d, struct err *e)
{
	OWN_BUF struct buf blob = buf_max(LIMIT_DELIVERY);
	struct err why = { 0 };
	enum rc rc;
	int fd;

	delivery_put(&blob, d);
	NEED(buf_ok(&blob), e, CHY_LIMIT, NULL, "a delivery of more than %d octets", LIMIT_DELIVERY);
	pthread_mutex_lock(&l->sending);
	pthread_mutex_lock(&l->lock);
	fd = l->fd;
	pthread_mutex_unlock(&l->lock);
	rc = fd < 0 ? RC_AGAIN : send_blob(fd, d->id, buf_bytes(&blob), &why);
	if (fd >= 0 && rc != RC_OK)
		shutdown(fd, SHUT_RDWR); /* half a delivery: the next one would not be understood */
	pthread_mutex_unlock(&l->sending);
	NEED(rc == RC_OK, e, CHY_DISTRIBUTOR_AWAY, NULL, "%s",
	     why.text[0] ? why.text : "it is being started");
	return RC_OK;
}

/* ---- the stub ---- */

enum rc
distributor_link_new(const struct distributor_calls *calls, struct distributor_link **ret, struct err *e)
{
	struct distributor_link *l = calloc(1, sizeof(*l));

	NEED(l != NULL, e, CHY_NO_MEMORY, NULL, "the distributor's link");
	l->calls = *calls;
	l->fd = l->next = -1;
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->sending, NULL);
	pthread_cond_init(&l->more, NULL);
	if (pthread_create(&l->thread, NULL, reader, l) != 0) {
		free(l);
		FAIL(e, CHY_SYSTEM, NULL, "a thread for the distributor's link");
	}
	*ret = l;
	return RC_OK;
}

void
distributor_link_free(struct distributor_link *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->closing = true;
	if (l->fd >= 0)
		shutdown(l->fd, SHUT_RDWR);
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	if (l->next >= 0)
		close(l->next);
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->sending);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void
distributor_attach(struct distributor_link *l, int fd)
{
	const struct timeval patience = { SEND_SECONDS, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	pthread_mutex_lock(&l->lock);
	if (l->fd >= 0)
		shutdown(l->fd, SHUT_RDWR);
	if (l->next >= 0)
		close(l->next);
	l->next = fd;
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
}

bool
distributor_is_there(struct distributor_link *l)
{
	bool there;

	pthread_mutex_lock(&l->lock);
	there = l->fd >= 0;
	pthread_mutex_unlock(&l->lock);
	return there;
}
