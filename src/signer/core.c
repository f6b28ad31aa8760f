#include "base/base.h"
#include "signer/core_impl.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"

enum {
	READ_BYTES = 256 << 10,
	IN_MAX = 2 * (LIMIT_FRAME + FRAME_HEAD) + 2 * READ_BYTES,
	OUT_MAX = 2 * LIMIT_SIGNER_BATCH * (LIMIT_FRAME + FRAME_HEAD), /* of both batches */
	GATHER_MAX = 64, /* while the disk is idle a batch is ended at so many; one read may bring more */
};

/* ---- a batch ---- */

/* Signs what has been gathered, writes it down and puts all answers into the output; where others wait as well, the next batch is
   begun meanwhile. One alone is committed here, for to wake a thread costs it more. */
static void
finish(struct signer_core *c)
{
	struct batch *b = c->now;
	bool busy = committer_busy(c);

	if (b->signs && core_sign_all(c)) {
		if (batch_is_movable(b) && c->fd >= 0 && (b->n > 1 || busy)) {
			committer_take(c);
			return;
		}
		core_commit(c, b);
	}
	batch_settle(c, b);
}

static void
take(struct signer_core *c, struct frame f)
{
	if (core_is_act(f.type))
		finish(c); /* a key must not go, nor its limits change, under what is being signed */
	if (!core_is_beside(f.type))
		committer_wait(c);
	core_handle(c, batch_add(c->now, f));
	batch_checked(c->now);
	if (core_is_act(f.type))
		finish(c);
}

/* ---- reading ---- */

/* One read, or none that waits. *ret_n = 0: nothing (any more). */
static MUST enum rc
read_some(struct signer_core *c, int fd, int flags, size_t *ret_n, bool *ret_end, struct err *e)
{
	uint8_t *room = buf_room(&c->in, READ_BYTES);
	ssize_t n;

	NEED(room != NULL, e, CHY_NO_MEMORY, NULL, "the signer's input");
	do
		n = recv(fd, room, READ_BYTES, flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		*ret_n = 0;
		return RC_OK;
	}
	*ret_end = n == 0 || (n < 0 && errno == ECONNRESET);
	NEED(n >= 0 || *ret_end, e, CHY_SYSTEM, NULL, "recv: %s", strerror(errno));
	*ret_n = n > 0 ? (size_t)n : 0;
	c->in.n += *ret_n;
	return RC_OK;
}

/* Everything that is whole in *rest, as far as the batch has room. */
static MUST enum rc
take_whole(struct signer_core *c, struct bytes *rest, struct err *e)
{
	struct frame f;
	bool whole = true;

	while (c->now->n < LIMIT_SIGNER_BATCH) {
		TRY(frame_take(rest, &f, &whole, e));
		if (!whole)
			break;
		take(c, f);
	}
	return RC_OK;
}

/* May more come into this batch? Not behind one whose signing takes long: those before it wait for it as it is. */
static bool
may_gather(struct signer_core *c)
{
	const struct batch *b = c->now;

	return b->signs && !b->slow && c->fd >= 0 && c->in.cap - c->in.n >= READ_BYTES &&
	    b->n < (committer_busy(c) ? LIMIT_SIGNER_BATCH : GATHER_MAX);
}

/* What has come meanwhile. It is behind what is there already, which stays where it is: the requests point into it. *ret_end: nothing will
   come any more, or something is wrong with the socket, which the next read says again. */
static bool
read_more(struct signer_core *c, struct bytes *rest, size_t *total, bool *ret_end)
{
	size_t n = 0;

	if (read_some(c, c->fd, MSG_DONTWAIT, &n, ret_end, NULL) != RC_OK)
		*ret_end = true;
	*rest = bytes_part(buf_bytes(&c->in), c->in.n - n - rest->n, SIZE_MAX);
	*total += n;
	return n > 0;
}

/* Signs what is there, and looks what has come meanwhile, as long as one is left that nobody signs yet or the batch before is on its way to
   the disk: one sync for both costs half. One alone does not pay for that look. */
static bool
gather(struct signer_core *c, struct bytes *rest, size_t *total)
{
	bool end = false;

	if (!may_gather(c) || (c->now->n == 1 && !committer_busy(c)) || !core_sign_ahead(c))
		return false;
	while (!end && (workers_left(c->workers) || committer_busy(c))) {
		if (read_more(c, rest, total, &end))
			return true;
		if (!workers_do_one(c->workers)) {
			if (!end)
				committer_wait_or_input(c);
		} else if (committer_busy(c)) {
			FAULT("signer.signed-ahead");
		}
	}
	return false;
}

/* A batch of what is whole in `in`, the front of c->in, and of what comes while it is signed. *ret_used: bytes of it. */
static MUST enum rc
take_batch(struct signer_core *c, struct bytes in, size_t *ret_used, struct err *e)
{
	struct bytes rest = in;
	size_t total = in.n;
	enum rc rc;

	pthread_mutex_lock(&c->changing);
	do
		rc = take_whole(c, &rest, e);
	while (rc == RC_OK && gather(c, &rest, &total));
	finish(c); /* what came before a damaged message is answered */
	pthread_mutex_unlock(&c->changing);
	*ret_used = total - rest.n;
	return rc;
}

/* ---- the loop ---- */

static bool
has_whole(const struct signer_core *c)
{
	struct bytes in = buf_bytes(&c->in);
	struct frame f;
	bool whole = false;

	return frame_take(&in, &f, &whole, NULL) != RC_OK || whole;
}

/* Waits for a whole message; a read takes all that is there already. */
static MUST enum rc
read_batch(struct signer_core *c, int fd, bool *ret_end, struct err *e)
{
	size_t n;

	/* left over from the last read: look what has come meanwhile, so that batches do not get small */
	if (has_whole(c) && c->in.n < READ_BYTES && !*ret_end)
		TRY(read_some(c, fd, MSG_DONTWAIT, &n, ret_end, e));
	while (!has_whole(c) && !*ret_end)
		TRY(read_some(c, fd, 0, &n, ret_end, e));
	FAULT("signer.after-read");
	return RC_OK;
}

enum rc
core_write_answers(struct signer_core *c, struct err *e)
{
	enum rc rc = RC_OK;
	bool any;

	pthread_mutex_lock(&c->writing);
	any = c->out.n > 0;
	if (!buf_ok(&c->out))
		rc = err_set(e, CHY_NO_MEMORY, NULL, "the signer's output");
	else if (any)
		rc = fd_write_all(c->fd, buf_bytes(&c->out), e);
	buf_drop_wipe(&c->out, c->out.n);
	pthread_mutex_unlock(&c->writing);
	if (any)
		FAULT("signer.after-answer");
	return rc;
}

/* Who does not read any more has died with its requests: the end of the work, and no failure of ours. */
static MUST enum rc
write_answers(struct signer_core *c, bool *ret_end, struct err *e)
{
	enum rc rc = core_write_answers(c, e);

	if (rc == RC_OK || e->code != CHY_CONTROL_CLOSED)
		return rc;
	*ret_end = true; /* whoever asked has died, and takes the requests along: no failure of ours */
	err_clear(e);
	return RC_OK;
}

void
core_answer_later(struct signer_core *c, uint16_t type, uint64_t id, struct bytes payload,
		  const struct err *e)
{
	OWN_BUF struct buf frame = buf_max(LIMIT_FRAME + FRAME_HEAD);
	struct err why = *e;

	if (why.code == CHY_NONE && payload.n > LIMIT_FRAME - 16)
		(void)err_set(&why, CHY_P12_TOO_MUCH, NULL, "an answer of %zu bytes", payload.n);
	answer_put(&frame, (struct frame){ .type = type, .id = id }, payload, &why);
	pthread_mutex_lock(&c->writing);
	/* a socket that is gone takes its requests with it */
	if (c->fd >= 0 && buf_ok(&frame) && fd_write_all(c->fd, buf_bytes(&frame), &why) != RC_OK)
		LOG(WARNING, "signer.answer-lost", LE(&why));
	pthread_mutex_unlock(&c->writing);
}

static void
set_fd(struct signer_core *c, int fd)
{
	pthread_mutex_lock(&c->writing);
	c->fd = fd;
	pthread_mutex_unlock(&c->writing);
}

static enum rc
work(struct signer_core *c, int fd, struct err *e)
{
	bool end = false;
	size_t used;
	enum rc rc;

	while (!end || has_whole(c)) {
		TRY(read_batch(c, fd, &end, e));
		rc = take_batch(c, buf_bytes(&c->in), &used, e);
		buf_drop_wipe(&c->in, used); /* PINs come by here too */
		TRY(write_answers(c, &end, e));
		TRY(rc);
	}
	return RC_OK;
}

enum rc
signer_core_run(struct signer_core *c, int fd, struct err *e)
{
	enum rc rc;

	c->in.n = 0;
	set_fd(c, fd);
	rc = work(c, fd, e);
	committer_wait(c);
	if (rc == RC_OK)
		rc = committer_failed(c, e);
	buf_drop_wipe(&c->in, c->in.n);
	crl_jobs_end(c->crl_jobs);
	set_fd(c, -1);
	return rc;
}

enum rc
signer_core_one(struct signer_core *c, struct bytes frame, struct buf *out, struct err *e)
{
	size_t used;
	enum rc rc = take_batch(c, frame, &used, e);

	buf_put(out, buf_bytes(&c->out));
	buf_drop_wipe(&c->out, c->out.n);
	return rc;
}

/* ---- making ---- */

static unsigned
threads_of(unsigned asked)
{
	unsigned n = asked ? asked : workers_processors();

	return n < 2 ? 2 : n > 32 ? 32 : n;
}

/* The operator's word that the store was restored, if there is one: into the journal first, then it is used up. */
static MUST enum rc
take_restart(struct signer_core *c, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 10);
	char path[PATH_MAX];
	struct bytes text;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the journal's restart");
	NEED(snprintf(path, sizeof(path), "%s/" WITNESS_RESTART_NAME, c->o.journal_dir) < (int)sizeof(path),
	     e, CHY_SIGNER_RESTART, NULL, "path too long");
	if (access(path, F_OK) != 0)
		return RC_OK;
	TRY(file_read(a, path, WITNESS_RESTART_MAX, &text, e));
	for (size_t i = 0; i < keystore_count(c->o.keys); i++) {
		struct skey *k = keystore_at(c->o.keys, i);
		uint8_t head[SIGNER_HEAD_BYTES];

		if (k->class != SIGNER_JOURNAL || k->witness.head.size == 0 || k->witness.restart != 0)
			continue; /* written down already, by a start that did not come further */
		signer_head_put(head, &k->witness.head);
		TRY(core_record(c, SJ_RESTART, k, BYTES_OF(head), text, e));
		k->witness.restart = k->witness.position = sj_synced(c->o.journal);
		k->witness.signature_n = 0;
		LOG(WARNING, "signer.journal-restart", LS("key", k->label),
		    LI("given_up", (int64_t)k->witness.head.size),
		    LI("position", (int64_t)k->witness.restart));
	}
	NEED(unlink(path) == 0, e, CHY_SIGNER_RESTART, NULL, "%s: %s", path, strerror(errno));
	return RC_OK;
}

/* What the journal keys have signed last. */
static MUST enum rc
load_witness(struct signer_core *c, struct err *e)
{
	const char *labels[SIGNER_KEYS_MAX];
	struct witness *w[SIGNER_KEYS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < keystore_count(c->o.keys) && n < SIGNER_KEYS_MAX; i++) {
		struct skey *k = keystore_at(c->o.keys, i);

		if (k->class != SIGNER_JOURNAL)
			continue;
		labels[n] = k->label;
		w[n++] = &k->witness;
	}
	if (n > 0)
		TRY(witness_load(c->o.journal_dir, labels, w, n, e));
	return take_restart(c, e);
}

static MUST enum rc
begin(struct signer_core *c, const struct signer_core_options *o, struct err *e)
{
	c->o = *o;
	c->started_at = clock_now_ms();
	c->in = buf_max(IN_MAX);
	c->out = buf_max(OUT_MAX);
	NEED(buf_room(&c->in, IN_MAX) != NULL, e, CHY_NO_MEMORY, NULL,
	     "the signer's input"); /* it never moves: gather() */
	c->now = &c->batches[0];
	TRY(batch_init(&c->batches[0], e));
	TRY(batch_init(&c->batches[1], e));
	TRY(committer_new(c, &c->committer, e));
	TRY(load_witness(c, e));
	TRY(crl_jobs_new(&c->crl_jobs, e));
	TRY(crl_seen_new(&c->crl_seen, e));
	TRY(crl_seen_load(c->crl_seen, o->journal_dir, sj_synced(o->journal), e));
	TRY(token_shop_new(c, &c->shop, e));
	return workers_new(threads_of(o->threads), core_sign_item, &c->workers, e);
}

enum rc
signer_core_new(const struct signer_core_options *o, struct signer_core **ret, struct err *e)
{
	struct signer_core *c = calloc(1, sizeof(*c));
	enum rc rc;

	NEED(c != NULL, e, CHY_NO_MEMORY, NULL, "the signer");
	pthread_mutex_init(&c->changing, NULL);
	pthread_mutex_init(&c->writing, NULL);
	c->fd = -1;
	rc = begin(c, o, e);
	if (rc != RC_OK) {
		signer_core_free(c);
		return rc;
	}
	*ret = c;
	return RC_OK;
}

void
signer_core_free(struct signer_core *c)
{
	if (c == NULL)
		return;
	making_end(c);
	committer_free(c->committer);
	crl_seen_keep(c);
	crl_seen_free(c->crl_seen);
	crl_jobs_free(c->crl_jobs);
	token_shop_free(c->shop);
	workers_free(c->workers);
	sj_reader_free(c->reader);
	batch_fini(&c->batches[0]);
	batch_fini(&c->batches[1]);
	buf_wipe(&c->in);
	buf_wipe(&c->out);
	pthread_mutex_destroy(&c->writing);
	pthread_mutex_destroy(&c->changing);
	free(c);
}
