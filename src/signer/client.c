#include "base/base.h"
#include "signer/client_impl.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/frame.h"

enum { HELLO_MS = 10000, READ_BYTES = 128 << 10, SIGNATURE_ROOM = 6 << 10, HELD_MAX = 64 << 10 };

/* ---- requests on their way ---- */

static struct slot *
slot_of(struct signer *s, uint64_t id)
{
	struct slot *slot = &s->slots[id % SLOTS];

	return slot->id == id ? slot : NULL;
}

/* With the lock held: a free slot and an id that leads to it. The ids go up; one whose slot is taken is passed over. */
static struct slot *
slot_take(struct signer *s)
{
	if (s->in_flight >= LIMIT_SIGNER_INFLIGHT)
		return NULL;
	for (;;) {
		uint64_t id = ++s->last_id;
		struct slot *slot = &s->slots[id % SLOTS];

		if (slot->id != 0)
			continue;
		slot->id = id;
		s->in_flight++;
		return slot;
	}
}

/* With the lock held. */
static struct slot
slot_give(struct signer *s, struct slot *slot)
{
	struct slot was = *slot;

	*slot = (struct slot){ 0 };
	s->in_flight--;
	return was;
}

static void
lost_error(struct err *e)
{
	(void)err_set(e, CHY_SIGNER_LOST, NULL, "signer lost; outcome unknown until reconciled");
}

/* ---- answers ---- */

static enum rc
decode_error(struct bytes payload, struct err *e)
{
	struct rd r = rd_of(payload);
	uint32_t code = rd_u32(&r);
	struct bytes field = rd_lv(&r), std = rd_lv(&r), text = rd_lv(&r);
	char std_text[ERR_STD_MAX];
	enum rc rc;

	NEED(rd_done(&r) && code != 0, e, CHY_SIGNER_ANSWER, NULL, "an error's form");
	snprintf(std_text, sizeof(std_text), "%.*s", BYTES_FMT(std));
	rc = err_set(e, (enum code)code, std_text, "%.*s", BYTES_FMT(text));
	if (field.n > 0)
		err_field(e, "%.*s", BYTES_FMT(field));
	return rc;
}

enum rc
signer_decode_signed(struct bytes payload, struct signed_cert *ret, struct err *e)
{
	struct rd r = rd_of(payload);

	ret->position = rd_u64(&r);
	ret->signature = rd_lv(&r);
	NEED(rd_done(&r) && ret->signature.n > 0, e, CHY_SIGNER_ANSWER, NULL, "a signature's form");
	return RC_OK;
}

/* The answer about one OCSP response in the form of SIGNED: without the number of signatures, which must be 1. */
static struct bytes
only_one(struct bytes payload, uint8_t room[SIGNATURE_ROOM])
{
	if (payload.n < 10 || payload.n - 2 > SIGNATURE_ROOM || payload.p[8] != 0 || payload.p[9] != 1)
		return BYTES_NONE;
	memcpy(room, payload.p, 8);
	memcpy(room + 8, payload.p + 10, payload.n - 10);
	return bytes_of(room, payload.n - 2);
}

static void
call_async(const struct slot *slot, struct bytes payload, struct err *e)
{
	uint8_t room[SIGNATURE_ROOM];
	struct signed_cert sc;

	if (slot->type == SIGNER_SIGN_OCSP && e->code == CHY_NONE)
		payload = only_one(payload, room);
	if (e->code == CHY_NONE && signer_decode_signed(payload, &sc, e) == RC_OK)
		slot->done(slot->arg, &sc, NULL);
	else
		slot->done(slot->arg, NULL, e);
}

/* The waiting thread owns the wait: it goes away as soon as `done` is seen. */
static void
call_wait(struct signer *s, struct wait *w, struct bytes payload, const struct err *e)
{
	pthread_mutex_lock(&s->lock);
	w->e = *e;
	if (e->code == CHY_NONE)
		buf_put(&w->payload, payload);
	w->done = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&s->lock);
}

static void
complete(struct signer *s, const struct slot *slot, struct bytes payload, struct err *e)
{
	if (slot->wait != NULL)
		call_wait(s, slot->wait, payload, e);
	else
		call_async(slot, payload, e);
}

static void
take_answer(struct signer *s, struct frame f)
{
	struct slot slot = { 0 }, *at;
	struct err e = { 0 };

	pthread_mutex_lock(&s->lock);
	at = slot_of(s, f.id);
	if (at != NULL && f.id != 0)
		slot = slot_give(s, at);
	pthread_mutex_unlock(&s->lock);
	if (slot.id == 0)
		return; /* given up meanwhile */
	if (f.type == SIGNER_ERROR)
		(void)decode_error(f.payload, &e);
	else if (f.type != (slot.type | SIGNER_ANSWER))
		(void)err_set(&e, CHY_SIGNER_ANSWER, NULL, "answer of type %u to %u", f.type, slot.type);
	complete(s, &slot, f.payload, &e);
}

/* Everything that waits ends; not with the lock held. */
static void
lose_all(struct signer *s)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot slot = { 0 };
		struct err e = { 0 };

		pthread_mutex_lock(&s->lock);
		if (s->slots[i].id != 0)
			slot = slot_give(s, &s->slots[i]);
		pthread_mutex_unlock(&s->lock);
		if (slot.id == 0)
			continue;
		lost_error(&e);
		complete(s, &slot, BYTES_NONE, &e);
	}
}

/* ---- the reader's thread ---- */

/* Reads one socket until it ends. */
static void
read_socket(struct signer *s, int fd)
{
	struct buf in = buf_max(4 * LIMIT_FRAME + READ_BYTES);

	for (;;) {
		uint8_t *room = buf_room(&in, READ_BYTES);
		ssize_t n = room ? recv(fd, room, READ_BYTES, 0) : -1;
		struct bytes rest;
		struct frame f;
		bool whole = true;

		if (n < 0 && room != NULL && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		in.n += (size_t)n;
		rest = buf_bytes(&in);
		while (frame_take(&rest, &f, &whole, NULL) == RC_OK && whole)
			take_answer(s, f);
		if (whole) /* damaged: the stream is of no use any more */
			break;
		buf_drop_wipe(&in, in.n - rest.n); /* answers may be PINs */
	}
	buf_wipe(&in);
}

/* Waits for a socket; -1 when the stub is closed. */
static int
next_socket(struct signer *s)
{
	int fd;

	pthread_mutex_lock(&s->lock);
	while (!s->closing && s->fd_new < 0)
		pthread_cond_wait(&s->more, &s->lock);
	fd = s->fd_new;
	s->fd_new = -1;
	pthread_mutex_unlock(&s->lock);
	return fd;
}

static void
begin_socket(struct signer *s, int fd)
{
	pthread_mutex_lock(&s->writing);
	s->fd = fd;
	pthread_mutex_unlock(&s->writing);
	pthread_mutex_lock(&s->lock);
	s->there = true;
	s->begun++;
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
}

/* Returns whether somebody of ours has ended it. */
static bool
finish_socket(struct signer *s, int fd)
{
	bool ours;

	shutdown(fd, SHUT_RDWR); /* wakes whoever is writing */
	pthread_mutex_lock(&s->lock);
	s->there = false;
	ours = s->closing || s->replacing;
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_lock(&s->writing); /* nobody writes to it any more */
	close(fd);
	s->fd = -1;
	s->held.n = 0; /* lose_all tells those who wait */
	pthread_mutex_unlock(&s->writing);
	return ours;
}

static void *
reader(void *arg)
{
	struct signer *s = arg;
	int fd;

	pthread_setname_np(pthread_self(), "signer-answers");
	while ((fd = next_socket(s)) >= 0) {
		bool ours;

		begin_socket(s, fd);
		read_socket(s, fd);
		ours = finish_socket(s, fd);
		lose_all(s);
		if (!ours && s->lost != NULL)
			s->lost(s->lost_arg);
		pthread_mutex_lock(&s->lock);
		s->idle = true;
		pthread_cond_broadcast(&s->more);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* ---- sending ---- */

static MUST enum rc
send_all(int fd, struct iovec *v, size_t n, struct err *e)
{
	struct msghdr m = { .msg_iov = v, .msg_iovlen = n };

	while (m.msg_iovlen > 0) {
		ssize_t did = sendmsg(fd, &m, MSG_NOSIGNAL);

		if (did < 0 && errno == EINTR)
			continue;
		/* not sent as a whole, so it cannot have been signed */
		NEED(did >= 0, e, CHY_SIGNER_AWAY, NULL, "send: %s", strerror(errno));
		while (m.msg_iovlen > 0 && (size_t)did >= m.msg_iov->iov_len) {
			did -= (ssize_t)m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (m.msg_iovlen > 0) {
			m.msg_iov->iov_base = (uint8_t *)m.msg_iov->iov_base + did;
			m.msg_iov->iov_len -= (size_t)did;
		}
	}
	return RC_OK;
}

static struct iovec
iov_of(struct bytes b)
{
	union {
		const uint8_t *in;
		void *out;
	} u = { .in = b.p };

	return (struct iovec){ u.out, b.n };
}

/* With `writing` held. What has left in part only has made the socket useless: the reader ends it, and so tells all who wait. */
static void
send_held(struct signer *s)
{
	struct iovec v = iov_of(buf_bytes(&s->held));

	if (s->held.n > 0 && s->fd >= 0 && send_all(s->fd, &v, 1, NULL) != RC_OK)
		shutdown(s->fd, SHUT_RDWR);
	s->held.n = 0;
}

/* With `writing` held. */
static MUST enum rc
hold_parts(struct signer *s, const struct iovec *v, size_t n, size_t total, struct err *e)
{
	if (s->held.n + total > HELD_MAX)
		send_held(s);
	if (buf_room(&s->held, total) == NULL) {
		s->held.bad = false; /* the next one may fit */
		FAIL(e, CHY_NO_MEMORY, NULL, "a request to the signer");
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].iov_len > 0)
			memcpy(s->held.p + s->held.n, v[i].iov_base, v[i].iov_len);
		s->held.n += v[i].iov_len;
	}
	return RC_OK;
}

void
signer_flush(struct signer *s)
{
	pthread_mutex_lock(&s->writing);
	send_held(s);
	pthread_mutex_unlock(&s->writing);
}

/* A message: head of the frame, then the parts. Whoever holds `writing` has the socket for himself. */
static MUST enum rc
send_frame(struct signer *s, uint64_t id, uint16_t type, const struct bytes *parts, size_t n, bool hold,
	   struct err *e)
{
	struct iovec v[1 + PARTS_MAX];
	uint8_t head[FRAME_HEAD];
	struct buf b = { .p = head, .cap = sizeof(head), .max = sizeof(head) };
	size_t total = 0;
	enum rc rc;

	for (size_t i = 0; i < n; i++) {
		v[i + 1] = iov_of(parts[i]);
		total += parts[i].n;
	}
	NEED(total <= LIMIT_FRAME, e, CHY_TOO_LONG, NULL, "a message of %zu bytes to the signer", total);
	buf_u32(&b, (uint32_t)(FRAME_HEAD - 4 + total));
	buf_u16(&b, type);
	buf_u64(&b, id);
	v[0] = iov_of(BYTES_OF(head));
	pthread_mutex_lock(&s->writing);
	if (s->fd < 0)
		rc = err_set(e, CHY_SIGNER_AWAY, NULL, "the signer is not running");
	else if (hold)
		rc = hold_parts(s, v, n + 1, FRAME_HEAD + total, e);
	else
		rc = send_all(s->fd, v, n + 1, e);
	pthread_mutex_unlock(&s->writing);
	return rc;
}

/* Takes a slot for the request and sends it, or holds it until signer_flush. When this fails nothing will be called. */
static MUST enum rc
submit(struct signer *s, struct slot what, const struct bytes *parts, size_t n, bool hold, uint64_t *ret_id,
       struct err *e)
{
	struct slot *slot = NULL;
	struct err own = { 0 };
	bool there;
	uint64_t id = 0;

	pthread_mutex_lock(&s->lock);
	there = s->there;
	if (there && (slot = slot_take(s)) != NULL) {
		id = what.id = slot->id;
		*slot = what;
	}
	pthread_mutex_unlock(&s->lock);
	NEED(there, e, CHY_SIGNER_AWAY, NULL, "the signer is not running");
	NEED(slot != NULL, e, CHY_SIGNER_BUSY, NULL, "%d requests are on their way", LIMIT_SIGNER_INFLIGHT);
	if (ret_id != NULL)
		*ret_id = id;
	if (send_frame(s, id, what.type, parts, n, hold, &own) == RC_OK)
		return RC_OK;
	pthread_mutex_lock(&s->lock);
	slot = slot_of(s, id);
	if (slot != NULL)
		(void)slot_give(s, slot);
	pthread_mutex_unlock(&s->lock);
	/* the reader was quicker: it has called what waits for this one, or does so just now, so it counts as submitted */
	NEED(slot == NULL, e, own.code, NULL, "%s", own.text);
	return RC_OK;
}

static MUST enum rc
check_cert(const struct sign_cert *c, struct err *e)
{
	NEED(signer_label_ok(bytes_str(c->key)), e, CHY_SIGNER_LABEL, NULL, "the CA key's label");
	NEED(c->tbs.n <= LIMIT_TBS && c->context.n <= LIMIT_CONTEXT, e, CHY_TOO_LONG, NULL,
	     "to be signed %zu bytes, context %zu", c->tbs.n, c->context.n);
	return RC_OK;
}

static uint16_t
type_of(const struct sign_cert *c)
{
	return c->ac ? SIGNER_SIGN_AC : SIGNER_SIGN_CERT;
}

/* The parts of SIGN_CERT and SIGN_AC; head and mid hold the small ones. */
static MUST enum rc
cert_parts(const struct sign_cert *c, struct buf *head, struct buf *mid, struct bytes parts[4], struct err *e)
{
	buf_lv(head, bytes_str(c->key));
	buf_lv(head, bytes_str(sigalg_name(c->alg)));
	buf_u32(head, (uint32_t)c->tbs.n);
	buf_u32(mid, (uint32_t)c->context.n);
	NEED(buf_ok(head) && buf_ok(mid), e, CHY_NO_MEMORY, NULL, "a request to the signer");
	parts[0] = buf_bytes(head);
	parts[1] = c->tbs;
	parts[2] = buf_bytes(mid);
	parts[3] = c->context;
	return RC_OK;
}

/* A buffer over an array of the caller's: no memory to get or to give back. */
#define BUF_OVER(array) ((struct buf){ .p = (array), .cap = sizeof(array), .max = sizeof(array) })

enum rc
signer_sign_cert(struct signer *s, const struct sign_cert *c, signer_done *cb, void *arg, struct err *e)
{
	uint8_t head_room[2 * SIGNER_LABEL_MAX + 64], mid_room[8];
	struct buf head = BUF_OVER(head_room), mid = BUF_OVER(mid_room);
	struct slot slot = { .type = type_of(c), .done = cb, .arg = arg };
	struct bytes parts[4];

	TRY(check_cert(c, e));
	TRY(cert_parts(c, &head, &mid, parts, e));
	return submit(s, slot, parts, ARRAY_LEN(parts), false, NULL, e);
}

/* ---- waiting ---- */

static void
wait_until(struct signer *s, struct wait *w, uint64_t id, int timeout_ms)
{
	struct timespec until;
	struct slot *slot;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	while (!w->done && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&w->more, &s->lock, &until);
	if (w->done)
		return;
	slot = slot_of(s, id);
	if (slot != NULL && slot->wait == w) {
		(void)slot_give(s, slot);
		(void)err_set(&w->e, CHY_SIGNER_TIMEOUT, NULL, "no answer in %d ms", timeout_ms);
		return;
	}
	while (!w->done) /* the reader has it in hand */
		pthread_cond_wait(&w->more, &s->lock);
}

static void
wait_init(struct wait *w)
{
	pthread_condattr_t attr;

	*w = (struct wait){ .payload = buf_max(LIMIT_FRAME) };
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &attr);
	pthread_condattr_destroy(&attr);
}

static void
wait_fini(struct wait *w)
{
	pthread_cond_destroy(&w->more);
	buf_wipe(&w->payload);
}

enum rc
signer_submit(struct signer *s, struct slot slot, const struct bytes *parts, size_t n, bool hold,
	      struct err *e)
{
	return submit(s, slot, parts, n, hold, NULL, e);
}

enum rc
signer_ask_begin(struct signer *s, struct wait *w, uint16_t type, const struct bytes *parts, size_t n,
		 struct err *e)
{
	enum rc rc;

	wait_init(w);
	rc = submit(s, (struct slot){ .type = type, .wait = w }, parts, n, false, &w->id, e);
	if (rc != RC_OK)
		wait_fini(w);
	return rc;
}

enum rc
signer_ask_end(struct signer *s, struct wait *w, int timeout_ms, struct arena *a, struct bytes *ret,
	       struct err *e)
{
	enum rc rc = RC_OK;

	if (ret != NULL)
		*ret = BYTES_NONE;
	pthread_mutex_lock(&s->lock);
	wait_until(s, w, w->id, timeout_ms);
	pthread_mutex_unlock(&s->lock);
	if (w->e.code != CHY_NONE) {
		rc = w->e.rc;
		if (e != NULL && e->code == CHY_NONE)
			*e = w->e;
	} else if (!buf_ok(&w->payload) ||
		   (a != NULL && (*ret = arena_dup(a, buf_bytes(&w->payload))).p == NULL)) {
		rc = err_set(e, CHY_NO_MEMORY, NULL, "an answer of the signer");
	}
	wait_fini(w);
	return rc;
}

enum rc
signer_ask(struct signer *s, uint16_t type, const struct bytes *parts, size_t n, int timeout_ms,
	   struct arena *a, struct bytes *ret, struct err *e)
{
	struct wait w;

	if (ret != NULL)
		*ret = BYTES_NONE;
	TRY(signer_ask_begin(s, &w, type, parts, n, e));
	return signer_ask_end(s, &w, timeout_ms, a, ret, e);
}

enum rc
signer_sign_cert_sync(struct signer *s, const struct sign_cert *c, int timeout_ms, struct arena *a,
		      struct signed_cert *ret, struct err *e)
{
	uint8_t head_room[2 * SIGNER_LABEL_MAX + 64], mid_room[8];
	struct buf head = BUF_OVER(head_room), mid = BUF_OVER(mid_room);
	struct bytes parts[4], payload;

	TRY(check_cert(c, e));
	TRY(cert_parts(c, &head, &mid, parts, e));
	TRY(signer_ask(s, type_of(c), parts, ARRAY_LEN(parts), timeout_ms, a, &payload, e));
	return signer_decode_signed(payload, ret, e);
}

/* ---- opening and closing ---- */

static MUST enum rc
hello(struct signer *s, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 10);
	static const uint8_t version[2] = { SIGNER_VERSION >> 8, SIGNER_VERSION & 0xff };
	struct bytes parts[] = { BYTES_OF(version) }, answer;
	struct rd r;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the signer's stub");
	TRY(signer_ask(s, SIGNER_HELLO, parts, 1, HELLO_MS, a, &answer, e));
	r = rd_of(answer);
	NEED(rd_u16(&r) == SIGNER_VERSION, e, CHY_SIGNER_PROTOCOL, NULL, "the signer speaks another version");
	return RC_OK;
}

/* Gives the reader a socket and waits until it reads it. */
static void
hand_over(struct signer *s, int fd)
{
	uint64_t begun;

	pthread_mutex_lock(&s->lock);
	while (!s->idle)
		pthread_cond_wait(&s->more, &s->lock);
	s->idle = false;
	s->replacing = false;
	s->fd_new = fd;
	begun = s->begun;
	pthread_cond_broadcast(&s->more);
	while (s->begun == begun)
		pthread_cond_wait(&s->more, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

enum rc
signer_open(int fd, struct signer **ret, struct err *e)
{
	struct signer *s = calloc(1, sizeof(*s));
	enum rc rc;

	if (s == NULL || (s->slots = calloc(SLOTS, sizeof(*s->slots))) == NULL) {
		free(s);
		close(fd);
		FAIL(e, CHY_NO_MEMORY, NULL, "the signer's stub");
	}
	s->fd = s->fd_new = -1;
	s->held = buf_max(HELD_MAX + LIMIT_FRAME + FRAME_HEAD);
	s->idle = true;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->writing, NULL);
	pthread_cond_init(&s->more, NULL);
	if (pthread_create(&s->reader, NULL, reader, s) != 0) {
		free(s->slots);
		free(s);
		close(fd);
		FAIL(e, CHY_SYSTEM, NULL, "a thread could not be started");
	}
	hand_over(s, fd);
	rc = hello(s, e);
	if (rc != RC_OK) {
		signer_close(s);
		return rc;
	}
	*ret = s;
	return RC_OK;
}

/* The reader ends with the socket. */
static void
end_socket(struct signer *s)
{
	if (s->there)
		shutdown(s->fd, SHUT_RDWR);
}

enum rc
signer_attach(struct signer *s, int fd, struct err *e)
{
	pthread_mutex_lock(&s->lock);
	s->replacing = true;
	end_socket(s);
	pthread_mutex_unlock(&s->lock);
	hand_over(s, fd);
	return hello(s, e);
}

void
signer_close(struct signer *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	end_socket(s);
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->reader, NULL);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->writing);
	pthread_mutex_destroy(&s->lock);
	buf_fini(&s->held);
	free(s->slots);
	free(s);
}

void
signer_on_lost(struct signer *s, void (*lost)(void *arg), void *arg)
{
	s->lost = lost;
	s->lost_arg = arg;
}

bool
signer_is_there(struct signer *s)
{
	bool there;

	pthread_mutex_lock(&s->lock);
	there = s->there;
	pthread_mutex_unlock(&s->lock);
	return there;
}
