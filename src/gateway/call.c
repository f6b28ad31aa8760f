/*
 * Calls: giving the answer, from whatever thread. The head and body of a whole answer are written into the connection's output
 * buffer right where http_answer is called: nobody else touches it while the call is out. The event thread only sends it.
 */
#include "base/base.h"
#include "gateway/conn.h"
#include "gateway/problem.h"

#include <time.h>

struct call *
call_new(struct conn *c)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct call *k = a ? arena_raw(a, sizeof(struct call)) : NULL;

	if (k == NULL) {
		arena_free(a);
		return NULL;
	}
	memset(k, 0, offsetof(struct call, pub.query));
	memset(&k->pub.head, 0, offsetof(struct http_head, headers));
	k->conn = c;
	k->pub.arena = a;
	k->pub.remote = c->remote;
	k->pub.tls = c->ssl != NULL;
	k->pub.peer_cert = c->peer_cert;
	k->pub.began_us = c->began_us ? c->began_us : c->loop->now_us;
	k->pub.number = atomic_fetch_add_explicit(&c->loop->h->numbers, 1, memory_order_relaxed);
	k->pieces = buf_max(2 * STREAM_HIGH);
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->room, NULL);
	atomic_fetch_add(&c->loop->h->ncalls, 1);
	return k;
}

void
call_free(struct call *k)
{
	struct httpd *h = k->conn->loop->h;

	buf_fini(&k->pieces);
	pthread_cond_destroy(&k->room);
	pthread_mutex_destroy(&k->lock);
	arena_free(k->pub.arena);
	atomic_fetch_sub(&h->ncalls, 1);
}

void
call_run_job(struct mq_item *item)
{
	struct call *k = (struct call *)(void *)((char *)item - offsetof(struct call, job));
	struct httpd *h = k->conn->loop->h;

	h->app.run(h->app.ctx, &k->pub);
}

bool
http_to_worker(struct http_call *c)
{
	struct call *k = call_of(c);

	c->inline_run = false;
	return mq_put(&k->conn->loop->h->jobs, &k->job);
}

static bool
is_field_text(const char *s)
{
	for (; *s != 0; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

void
http_set(struct http_call *c, const char *name, const char *value)
{
	struct call *k = call_of(c);
	char *copy;

	if (k->nextras == HTTP_EXTRA_MAX || !is_field_text(value))
		return;
	copy = arena_str(c->arena, bytes_str(value));
	if (copy != NULL)
		k->extras[k->nextras++] = (struct extra){ name, copy };
}

/* RFC 9110 5.6.7, made once a second and thread. */
static struct bytes
date_now(void)
{
	static __thread char text[32];
	static __thread int64_t made;
	int64_t now = clock_now_ms() / 1000;

	if (now != made)
		http_date(text, 1000 * now);
	made = now;
	return bytes_of(text, HTTP_DATE);
}

static void
put_number(struct buf *out, size_t v)
{
	char text[24];
	size_t at = sizeof(text);

	do
		text[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	buf_put(out, bytes_of(text + at, sizeof(text) - at));
}

static bool
has_extra(const struct call *k, const char *name)
{
	for (size_t i = 0; i < k->nextras; i++)
		if (strcmp(k->extras[i].name, name) == 0)
			return true;
	return false;
}

static void
put_extras(struct buf *out, const struct call *k)
{
	for (size_t i = 0; i < k->nextras; i++) {
		buf_str(out, k->extras[i].name);
		buf_put(out, BYTES(": "));
		buf_str(out, k->extras[i].value);
		buf_put(out, BYTES("\r\n"));
	}
	if (!has_extra(k, "Cache-Control"))
		buf_put(out, BYTES("Cache-Control: no-store\r\n"));
}

/* All of the head but the field that says the length, and the empty line. */
static void
put_head(struct buf *out, struct call *k, int status, const char *type)
{
	k->status = status;
	k->close = k->conn->close_after ||
	    atomic_load_explicit(&k->conn->loop->h->draining, memory_order_relaxed);
	buf_put(out, BYTES("HTTP/1.1 "));
	put_number(out, (size_t)status);
	buf_put(out, BYTES(" "));
	buf_str(out, http_status_text(status));
	buf_put(out, BYTES("\r\nDate: "));
	buf_put(out, date_now());
	buf_put(out, BYTES("\r\nX-Content-Type-Options: nosniff\r\n"));
	if (type != NULL) {
		buf_put(out, BYTES("Content-Type: "));
		buf_str(out, type);
		buf_put(out, BYTES("\r\n"));
	}
	put_extras(out, k);
	if (k->close)
		buf_put(out, BYTES("Connection: close\r\n"));
	else if (k->pub.head.minor == 0)
		buf_put(out, BYTES("Connection: keep-alive\r\n"));
}

static void
give_back(struct call *k)
{
	struct conn *c = k->conn;

	if (c->loop == this_loop && c->dispatching && c->call == k) {
		k->answered = true;
		return;
	}
	k->post.kind = POST_ANSWERED;
	loop_post(c->loop, &k->post);
}

/* RFC 9110 6.4.1: these have no body, and no field that says its length. */
static bool
status_without_body(int status)
{
	return status == 204 || status == 304;
}

void
http_answer(struct http_call *c, int status, const char *type, struct bytes body)
{
	struct call *k = call_of(c);
	struct buf *out = &k->conn->out;
	bool silent = status_without_body(status);

	put_head(out, k, status, silent ? NULL : type);
	if (!silent) {
		buf_put(out, BYTES("Content-Length: "));
		put_number(out, body.n);
		buf_put(out, BYTES("\r\n"));
	}
	buf_put(out, BYTES("\r\n"));
	if (!silent && c->head.method != HTTP_HEAD) {
		buf_put(out, body);
		k->sent = body.n;
	}
	if (!buf_ok(out)) /* memory is out: nothing whole can be said any more */
		k->close = true;
	give_back(k);
}

void
http_problem(struct http_call *c, const struct err *e)
{
	http_problem_of_each(c, e, NULL);
}

void
http_problem_of_each(struct http_call *c, const struct err *e, const struct json *refused)
{
	struct buf OWN_BUF doc = buf_max(refused != NULL ? 4 * LIMIT_CMS : 8192);
	int status = problem_status(e);

	if (e->rc == RC_INTERNAL || e->code == CHY_NONE)
		LOG(ERROR, "http.internal-error", LI("call", (int64_t)c->number), LE(e));
	problem_put(&doc, e, refused, c->number);
	if (status == 401)
		http_set(c, "WWW-Authenticate", "Bearer realm=\"chancery\"");
	if (status == 503)
		http_set(c, "Retry-After", "1");
	http_answer(c, status, PROBLEM_TYPE, buf_bytes(&doc));
}

/* Streams. */

/* With the lock held. */
static void
post_stream(struct call *k)
{
	if (k->posted)
		return;
	k->posted = true;
	k->post.kind = POST_STREAM;
	loop_post(k->conn->loop, &k->post);
}

void
http_stream_begin(struct http_call *c, int status, const char *type)
{
	struct call *k = call_of(c);

	k->chunked = c->head.minor == 1;
	k->no_body = c->head.method == HTTP_HEAD;
	pthread_mutex_lock(&k->lock);
	if (!k->chunked)
		k->conn->close_after = true; /* the connection's end is the answer's */
	put_head(&k->pieces, k, status, type);
	if (k->chunked)
		buf_put(&k->pieces, BYTES("Transfer-Encoding: chunked\r\n"));
	buf_put(&k->pieces, BYTES("\r\n"));
	post_stream(k);
	pthread_mutex_unlock(&k->lock);
}

static struct timespec
from_now(unsigned seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += seconds;
	return t;
}

/* With the lock held: waits until the client has taken enough. */
static bool
wait_for_room(struct call *k)
{
	struct timespec until = from_now(k->conn->loop->h->o.idle_seconds);

	while (!k->gone && k->waiting + k->pieces.n >= STREAM_HIGH)
		if (pthread_cond_timedwait(&k->room, &k->lock, &until) != 0)
			return false;
	return !k->gone;
}

static void
put_chunk(struct call *k, struct bytes piece)
{
	if (k->chunked)
		buf_printf(&k->pieces, "%zx\r\n", piece.n);
	buf_put(&k->pieces, piece);
	if (k->chunked)
		buf_put(&k->pieces, BYTES("\r\n"));
	k->sent += piece.n;
}

enum rc
http_stream_put(struct http_call *c, struct bytes piece, struct err *e)
{
	struct call *k = call_of(c);
	bool room = true;

	while (piece.n > 0 && room && !k->no_body) {
		struct bytes now = bytes_part(piece, 0, STREAM_HIGH / 2);

		pthread_mutex_lock(&k->lock);
		room = wait_for_room(k);
		if (room) {
			put_chunk(k, now);
			post_stream(k);
		}
		pthread_mutex_unlock(&k->lock);
		piece = bytes_part(piece, now.n, piece.n);
	}
	NEED(room, e, CHY_CLIENT_GONE, NULL, "the client is gone or takes nothing any more");
	return RC_OK;
}

void
http_stream_end(struct http_call *c, bool ok)
{
	struct call *k = call_of(c);

	pthread_mutex_lock(&k->lock);
	if (ok && k->chunked && !k->no_body)
		buf_put(&k->pieces, BYTES("0\r\n\r\n"));
	k->failed = !ok;
	k->ended = true;
	post_stream(k);
	pthread_mutex_unlock(&k->lock);
}
