/*
 * A connection: one state at a time, moved on by what comes, by answers and by time. While a call is with its handler its body
 * is a view into the input buffer, so nothing is read then; that also is what holds a pipelining client back.
 */
#include "base/base.h"
#include "gateway/conn.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a step leaves: go on with the next one, wait for the world, or there is no connection any more. */
enum next { NEXT_STEP, NEXT_WAIT, NEXT_GONE };

enum { STEPS_MAX = 256 };

static int64_t
in_ms(const struct conn *c, int64_t ms)
{
	return c->loop->now_us + ms * 1000;
}

static bool
out_waits(const struct conn *c)
{
	return c->out_off < c->out.n;
}

/* Making and ending. */

static SSL *
ssl_for(SSL_CTX *tls, int fd)
{
	SSL *ssl = SSL_new(tls);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	SSL_set_read_ahead(ssl, 1);
	SSL_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT); /* PINs and passwords come through it */
	SSL_set_mode(ssl,
		     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			 SSL_MODE_RELEASE_BUFFERS);
	return ssl;
}

struct conn *
conn_new(struct httpd *h, int fd, SSL_CTX *tls, const char *remote)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->post.kind = POST_CONN;
	c->fd = fd;
	c->out = buf_max(256 << 20);
	snprintf(c->remote, sizeof(c->remote), "%s", remote);
	if (tls != NULL && (c->ssl = ssl_for(tls, fd)) == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
conn_free(struct conn *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	if (c->in.p != NULL) /* a call may have been under way */
		explicit_bzero(c->in.p, c->in.cap);
	free(c->in.p);
	buf_wipe(&c->out);
	OPENSSL_free((void *)(uintptr_t)c->peer_cert.p);
	free(c);
}

static void
leave_loop(struct conn *c)
{
	struct loop *l = c->loop;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	atomic_fetch_sub(&l->nconns, 1);
	atomic_fetch_sub(&l->h->nconns, 1);
}

/* The producer of a streamed answer learns that nobody listens any more. */
static void
tell_gone(struct call *k)
{
	pthread_mutex_lock(&k->lock);
	k->gone = true;
	pthread_cond_signal(&k->room);
	pthread_mutex_unlock(&k->lock);
}

void
conn_close(struct conn *c)
{
	event_del(&c->ev_read);
	event_del(&c->ev_write);
	if (c->ssl != NULL && c->state != CONN_HANDSHAKE && c->state != CONN_LINGER)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	c->fd = -1;
	leave_loop(c);
	if (c->call != NULL && c->state != CONN_BUSY) { /* its handler has not seen it yet */
		call_free(c->call);
		c->call = NULL;
	}
	c->state = CONN_CLOSED;
	if (c->call == NULL)
		conn_free(c);
	else
		tell_gone(c->call);
}

static enum next
gone(struct conn *c)
{
	conn_close(c);
	return NEXT_GONE;
}

/* Reading. */

static enum next
fill(struct conn *c, size_t most)
{
	if (c->drained)
		return NEXT_WAIT;
	switch (wire_read(c, most)) {
	case WIRE_OK:
		return NEXT_STEP;
	case WIRE_WAIT:
		c->drained = true;
		return NEXT_WAIT;
	default:
		return gone(c);
	}
}

/* The next request may begin. */
static void
await_head(struct conn *c)
{
	c->state = CONN_HEAD;
	c->began_us = 0;
	c->deadline_us = in_ms(c, c->loop->h->o.idle_seconds * 1000LL);
}

/* From the first byte on the whole of a request has so long to come, however it trickles. */
static void
note_begin(struct conn *c)
{
	if (c->began_us != 0 || wire_bytes(&c->in).n == 0)
		return;
	c->began_us = c->loop->now_us;
	c->deadline_us = in_ms(c, c->loop->h->o.body_seconds * 1000LL);
}

/* Answering. */

static void
drop_body(struct conn *c, const struct call *k)
{
	c->wipes = c->wipes || k->pub.secrets;
	if (k->pub.secrets)
		wire_wipe(&c->in, k->pub.body.n);
	if (k->pub.body.n > 0)
		wire_drop(&c->in, k->pub.body.n);
}

static void
count(const struct conn *c, const struct call *k)
{
	const struct http_app *app = &c->loop->h->app;

	if (app->done != NULL)
		app->done(app->ctx, &k->pub, k->status, k->sent, clock_mono_us() - k->pub.began_us);
}

/* The answer is in c->out, whole: the call is over. */
static enum next
finish(struct conn *c)
{
	struct call *k = c->call;

	count(c, k);
	c->close_after = c->close_after || k->close;
	c->streaming = false;
	drop_body(c, k);
	c->call = NULL;
	call_free(k);
	c->state = CONN_FLUSH;
	c->deadline_us = in_ms(c, c->loop->h->o.idle_seconds * 1000LL);
	return NEXT_STEP;
}

/* Answers a request that we will not hand on, and ends the connection behind it. */
static enum next
refuse(struct conn *c, const struct err *e)
{
	if (c->call == NULL && (c->call = call_new(c)) == NULL)
		return gone(c);
	c->close_after = true;
	c->dispatching = true;
	http_problem(&c->call->pub, e);
	c->dispatching = false;
	return finish(c);
}

static enum next
refuse_code(struct conn *c, enum code code, const char *std, const char *text)
{
	struct err e = { 0 };

	(void)!err_set(&e, code, std, "%s", text);
	return refuse(c, &e);
}

/* States. */

/* Something has come: a shaker takes the next step. */
static enum next
step_handshake(struct conn *c)
{
	struct httpd *h = c->loop->h;

	if (c->shaking)
		return NEXT_WAIT;
	if (atomic_load(&h->killing))
		return gone(c);
	c->shaking = true;
	atomic_fetch_add(&h->nshaking, 1);
	if (mq_put(&h->shakes, &c->shake))
		return NEXT_WAIT;
	c->shaking = false;
	atomic_fetch_sub(&h->nshaking, 1);
	return gone(c);
}

void
conn_shake(struct mq_item *item)
{
	struct conn *c = (struct conn *)(void *)((char *)item - offsetof(struct conn, shake));

	c->shaken = wire_handshake(c);
	c->post.kind = POST_SHAKEN;
	loop_post(c->loop, &c->post);
}

static enum next
run(struct conn *c)
{
	struct httpd *h = c->loop->h;
	struct call *k = c->call;

	if (out_waits(c) && wire_write(c) != WIRE_OK)
		return NEXT_WAIT; /* a "100 Continue" that the client does not take */
	c->state = CONN_BUSY;
	if (!k->pub.inline_run) {
		if (mq_put(&h->jobs, &k->job))
			return NEXT_WAIT;
		return refuse_code(c, CHY_QUEUE_FULL, NULL, "all workers are busy and the queue is full");
	}
	c->dispatching = true;
	h->app.run(h->app.ctx, &k->pub);
	c->dispatching = false;
	return k->answered ? finish(c) : NEXT_WAIT;
}

static bool
has_body(const struct http_head *h)
{
	return h->chunked || h->length > 0;
}

static void
say_continue(struct conn *c)
{
	if (!c->call->pub.head.expect_continue || wire_bytes(&c->in).n > 0)
		return;
	buf_str(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	(void)!wire_write(c);
}

/* The head is there and understood: what does the application say to it? */
static enum next
ask_head(struct conn *c)
{
	struct call *k = c->call;
	struct httpd *h = c->loop->h;

	c->dispatching = true;
	h->app.head(h->app.ctx, &k->pub);
	c->dispatching = false;
	if (k->answered) {
		c->close_after = c->close_after || has_body(&k->pub.head);
		return finish(c);
	}
	if (!has_body(&k->pub.head))
		return run(c);
	if (k->pub.head.length > k->pub.body_max)
		return refuse_code(c, CHY_HTTP_BODY_TOO_LARGE, "RFC 9110 15.5.14",
				   "Content-Length is over the limit of this address");
	c->state = CONN_BODY;
	c->chunks = (struct http_chunks){ 0 };
	c->body_n = 0;
	say_continue(c);
	return NEXT_STEP;
}

/* The head is copied: the body will move in the input buffer as this grows. */
static enum next
take_head(struct conn *c, size_t skip, size_t n)
{
	struct err e = { 0 };
	struct bytes head;
	struct call *k;

	k = c->call = call_new(c);
	if (k == NULL)
		return gone(c);
	head = arena_dup(k->pub.arena, bytes_part(wire_bytes(&c->in), skip, n));
	wire_drop(&c->in, skip + n);
	if (head.p == NULL)
		return refuse_code(c, CHY_NO_MEMORY, NULL, "no memory for the request's headers");
	if (http_head_parse(head, &k->pub.head, &e) != RC_OK)
		return refuse(c, &e);
	c->close_after = k->pub.head.close;
	if (c->overflow)
		return refuse_code(c, CHY_TOO_MANY_CONNECTIONS, NULL, "come back in a moment");
	return ask_head(c);
}

static enum next
step_head(struct conn *c)
{
	size_t skip, n, max = c->loop->h->o.headers_max;
	struct err e = { 0 };

	note_begin(c);
	if (http_head_find(wire_bytes(&c->in), max, &skip, &n, &e) != RC_OK)
		return refuse(c, &e);
	return n > 0 ? take_head(c, skip, n) : fill(c, max + 3);
}

static enum next
step_chunks(struct conn *c)
{
	struct call *k = c->call;
	size_t end = c->in.n - c->in.off;
	struct err e = { 0 };

	if (end > c->body_n) {
		enum rc rc = http_chunks_take(&c->chunks, c->in.p + c->in.off, &c->body_n, &end,
					      k->pub.body_max, &e);

		c->in.n = c->in.off + end;
		if (rc != RC_OK)
			return refuse(c, &e);
	}
	if (!c->chunks.done)
		return fill(c, CONN_IN_KEEP);
	k->pub.body = bytes_of(c->in.p + c->in.off, c->body_n);
	return run(c);
}

static enum next
step_body(struct conn *c)
{
	struct call *k = c->call;
	size_t have = wire_bytes(&c->in).n, want = (size_t)k->pub.head.length;

	if (k->pub.head.chunked)
		return step_chunks(c);
	if (have < want)
		return fill(c, want - have);
	k->pub.body = bytes_part(wire_bytes(&c->in), 0, want);
	return run(c);
}

/* Bytes that the client still sends would make the kernel answer with a reset that destroys our answer on its way. */
static enum next
begin_linger(struct conn *c)
{
	if (c->ssl != NULL)
		SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
	c->state = CONN_LINGER;
	c->drained = false;
	c->deadline_us = in_ms(c, CONN_LINGER_MS);
	return NEXT_STEP;
}

static enum next
step_flush(struct conn *c)
{
	switch (wire_write(c)) {
	case WIRE_WAIT:
		return NEXT_WAIT;
	case WIRE_OK:
		break;
	default:
		return gone(c);
	}
	if (c->close_after)
		return begin_linger(c);
	await_head(c);
	return NEXT_STEP;
}

static enum next
step_linger(struct conn *c)
{
	uint8_t junk[16 << 10];
	ssize_t n = recv(c->fd, junk, sizeof(junk), MSG_DONTWAIT); /* past TLS: nobody looks at it */

	return n > 0 || (n < 0 && errno == EAGAIN) ? NEXT_WAIT : gone(c);
}

static void
note_written(struct conn *c, struct call *k, size_t before)
{
	size_t now = c->out.n - c->out_off;

	if (now < before)
		c->deadline_us = in_ms(c, c->loop->h->o.idle_seconds * 1000LL);
	pthread_mutex_lock(&k->lock);
	k->waiting = now;
	pthread_cond_signal(&k->room);
	pthread_mutex_unlock(&k->lock);
}

/* Takes over what the producer has made, and writes what the client takes. */
static enum next
step_stream(struct conn *c)
{
	struct call *k = c->call;
	bool ended, failed;
	size_t before;
	enum wire w;

	if (!out_waits(c))
		c->deadline_us = in_ms(c, c->loop->h->o.idle_seconds * 1000LL);
	pthread_mutex_lock(&k->lock);
	buf_put(&c->out, buf_bytes(&k->pieces));
	k->pieces.n = 0;
	ended = k->ended && !k->posted; /* while it is posted it will come to us once more */
	failed = k->failed || !buf_ok(&c->out) || !buf_ok(&k->pieces);
	pthread_mutex_unlock(&k->lock);
	before = c->out.n - c->out_off;
	w = wire_write(c);
	note_written(c, k, before);
	if (w == WIRE_ERROR || (failed && ended)) {
		conn_close(c);
		if (ended)
			conn_answered(k);
		return NEXT_GONE;
	}
	return ended ? finish(c) : NEXT_WAIT;
}

static enum next
step(struct conn *c)
{
	switch (c->state) {
	case CONN_HANDSHAKE:
		return step_handshake(c);
	case CONN_HEAD:
		return step_head(c);
	case CONN_BODY:
		return step_body(c);
	case CONN_BUSY:
		return c->streaming ? step_stream(c) : NEXT_WAIT;
	case CONN_FLUSH:
		return step_flush(c);
	case CONN_LINGER:
		return step_linger(c);
	default:
		return NEXT_GONE;
	}
}

/* Which events we want now. Reading is only switched off when something comes while we do not want it (on_event): for the
   usual client, who waits for his answer, that spares two system calls a request. */
static void
arrange(struct conn *c)
{
	bool wants_read = c->state != CONN_BUSY && c->state != CONN_FLUSH;
	bool wants_write;

	if (c->shaking)
		return;
	wants_write = c->tls_wants_write ||
	    (c->state == CONN_BUSY ? c->streaming && out_waits(c) : out_waits(c));

	if (wants_read && !c->reading) {
		event_add(&c->ev_read, NULL);
		c->reading = true;
	}
	if (wants_write && !c->writing) {
		event_add(&c->ev_write, NULL);
		c->writing = true;
	}
}

void
conn_ready(struct conn *c)
{
	enum next next = NEXT_STEP;

	for (int i = 0; next == NEXT_STEP && i < STEPS_MAX; i++)
		next = step(c);
	if (next == NEXT_GONE)
		return;
	arrange(c);
	if (next == NEXT_STEP)
		event_active(&c->ev_read, EV_READ, 0); /* others' turn first */
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	c->loop->now_us = clock_mono_us();
	if (what & EV_WRITE)
		c->writing = false;
	if (what & EV_READ) {
		c->drained = false;
		if (c->state == CONN_BUSY || c->state == CONN_FLUSH || c->shaking) {
			event_del(&c->ev_read);
			c->reading = false;
			if (!(what & EV_WRITE) && c->state == CONN_BUSY)
				return;
		}
	}
	conn_ready(c);
}

void
conn_begin(struct conn *c)
{
	struct loop *l = c->loop;

	c->prev = NULL;
	c->next = l->conns;
	if (c->next != NULL)
		c->next->prev = c;
	l->conns = c;
	event_assign(&c->ev_read, l->base, c->fd, EV_READ | EV_PERSIST, on_event, c);
	event_assign(&c->ev_write, l->base, c->fd, EV_WRITE, on_event, c);
	await_head(c);
	if (c->ssl == NULL) {
		conn_ready(c);
		return;
	}
	c->state = CONN_HANDSHAKE;
	c->deadline_us = in_ms(c, CONN_HANDSHAKE_MS);
	arrange(c);
}

void
conn_shaken(struct conn *c)
{
	c->shaking = false;
	atomic_fetch_sub(&c->loop->h->nshaking, 1);
	if (c->shaken == WIRE_OK) {
		await_head(c);
		c->drained = false;
		conn_ready(c);
	} else if (c->shaken == WIRE_WAIT) {
		arrange(c);
	} else {
		conn_close(c);
	}
}

void
conn_answered(struct call *k)
{
	struct conn *c = k->conn;

	if (c->state == CONN_CLOSED) {
		count(c, k);
		c->call = NULL;
		call_free(k);
		conn_free(c);
		return;
	}
	finish(c);
	conn_ready(c);
}

void
conn_streamed(struct call *k)
{
	struct conn *c = k->conn;
	bool ended;

	pthread_mutex_lock(&k->lock);
	k->posted = false;
	ended = k->ended;
	pthread_mutex_unlock(&k->lock);
	if (c->state == CONN_CLOSED) {
		if (ended)
			conn_answered(k);
		return;
	}
	c->streaming = true;
	conn_ready(c);
}

void
conn_tick(struct conn *c, int64_t now_us)
{
	struct httpd *h = c->loop->h;
	bool idle = c->state == CONN_HEAD && c->began_us == 0;
	bool lingered = c->state == CONN_LINGER && c->deadline_us - now_us < (CONN_LINGER_MS - 300) * 1000LL;
	bool free_of_time = c->state == CONN_BUSY && !(c->streaming && out_waits(c));

	if (c->shaking)
		return;
	if (atomic_load(&h->killing) || ((idle || lingered) && atomic_load(&h->draining))) {
		conn_close(c);
		return;
	}
	if (now_us < c->deadline_us || free_of_time)
		return;
	if ((c->state == CONN_HEAD && !idle) || c->state == CONN_BODY) {
		if (refuse_code(c, CHY_HTTP_TIMEOUT, "RFC 9110 15.5.9",
				"the request did not come whole in time") == NEXT_STEP)
			conn_ready(c);
	} else {
		conn_close(c);
	}
}
