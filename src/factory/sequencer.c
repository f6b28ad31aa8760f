#include "base/base.h"
#include "factory/sequencer.h"

#include "base/idgen.h"
#include "factory/leaf.h"
#include "factory/page.h"
#include "factory/tiles.h"
#include "store/read.h"

/*
 * Whoever verifies wants to see that a leaf's time is near its head's. So no head is signed amid a backlog, whose next
 * leaves would be older than it; and where the clock was set back, a leaf says so before others do.
 */
enum { LEASE_MS = 3000, BACKLOG_MS = 300000, CLOCK_BACK_MS = 300000 };

/* What a step works with. The tree is read again each time: a few rows, and no state to go stale when the lease has
   been elsewhere. */
struct step {
	struct factory *f;
	struct arena *a;
	struct tree tree;
	uint64_t signed_size;
	int64_t signed_at_ms;
	struct tiles_edge *edge;
};

/* The newest signed head must be a head of the stored tree: places are durable before a head over them is signed, so
   a crash leaves a tree that is longer than its head, never another tree. */
static enum rc
check_head(struct step *s, struct tiles_reader *reader, struct err *e)
{
	struct tree_hash root;
	struct tree signed_tree;
	struct head_row head;
	enum rc rc = store_head(s->f->store, s->a, &head, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	s->signed_size = (uint64_t)head.size;
	s->signed_at_ms = head.at;
	NEED(s->signed_size <= s->tree.size, e, CHY_JOURNAL_HEAD, NULL,
	     "a head over %lld leaves is signed, %llu are there", (long long)head.size,
	     (unsigned long long)s->tree.size);
	TRY(tree_load(&reader->reader, s->signed_size, &signed_tree, e));
	TRY(tree_root(tiles_sha256, &signed_tree, &root, e));
	NEED(bytes_eq(head.root, BYTES_OF(root.b)), e, CHY_JOURNAL_HEAD, NULL,
	     "the first %lld leaves do not have the root that was signed", (long long)head.size);
	return RC_OK;
}

static enum rc
load_tree(struct step *s, struct err *e)
{
	struct tiles_reader reader;
	int64_t size;

	TRY(store_tree_size(s->f->store, &size, e));
	tiles_reader_init(&reader, s->f->store);
	TRY(tree_load(&reader.reader, (uint64_t)size, &s->tree, e));
	TRY(tiles_load(s->edge, s->f->store, (uint64_t)size, e));
	return check_head(s, &reader, e);
}

static enum rc
place(struct step *s, const struct leaf_row *leaves, size_t n, struct change *c, struct err *e)
{
	struct tiles_target target = { s->edge, c };

	for (size_t i = 0; i < n; i++) {
		struct tree_hash hash;
		int64_t idx = (int64_t)s->tree.size;

		/* from the body, not from the stored hash: what is signed is what is there */
		TRY(tree_leaf(tiles_sha256, leaves[i].body, &hash, e));
		TRY(tree_add(tiles_sha256, &s->tree, &hash, tiles_made, &target, e));
		change_put_seq(c, &(struct seq_row){ .idx = idx, .leaf_id = leaves[i].id });
	}
	tiles_flush(s->edge, c);
	change_job_cursor(c, "sequencer", s->f->owner, (int64_t)s->tree.size);
	return RC_OK;
}

static enum rc
place_and_store(struct step *s, const struct leaf_row *leaves, size_t n, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct change *ready;

	TRY(place(s, leaves, n, c, e));
	ready = c;
	c = NULL;
	return store_commit(s->f->store, ready, e);
}

static enum rc
place_waiting(struct step *s, size_t *ret_placed, bool *ret_backlog, struct err *e)
{
	OWN(arena_free)
	struct arena *a = NULL;
	struct leaf_row *leaves;
	size_t n, most = LIMIT_PAGE;

	TRY(PAGE_READ(a, most, PAGE_ARENA, e, store_leaves_waiting(s->f->store, a, most, &leaves, &n, e)));
	*ret_backlog = n > 0 && n == most && id_at_ms(leaves[n - 1].id) < clock_now_ms() - BACKLOG_MS;
	if (n > 0)
		TRY(place_and_store(s, leaves, n, e));
	*ret_placed = n;
	return RC_OK;
}

/* ---- the signer's word ---- */

static const char restart_setting[] = "journal-restart", clock_setting[] = "journal-clock";

/* Has the leaf about this restart, or this clock, been written? */
static enum rc
is_told(struct step *s, const char *setting, const char *what, bool *ret, struct err *e)
{
	struct bytes text;
	enum rc rc = store_setting(s->f->store, s->a, setting, &text, e);

	*ret = rc == RC_OK && bytes_is(text, what);
	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(e);
	return RC_OK;
}

/* After a restore the operator had the signer give its last head up: a leaf names what was cut, before there is a head. */
static enum rc
tell_restart(struct step *s, const struct signer_last_head *last, struct err *e)
{
	struct json *m = json_object(s->a), *before = json_object(s->a);
	struct change *c;
	char position[24];
	bool told;
	enum rc rc;

	snprintf(position, sizeof(position), "%llu", (unsigned long long)last->restart);
	TRY(is_told(s, restart_setting, position, &told, e));
	if (told)
		return RC_OK;
	json_set(before, "size", json_int(s->a, (int64_t)last->head.size));
	json_set(before, "root", json_base64(s->a, BYTES_OF(last->head.root)));
	json_set(before, "at", json_time(s->a, last->head.at_ms));
	json_set(m, "before", before);
	json_set(m, "position", json_int(s->a, (int64_t)last->restart));
	json_set(m, "size", json_int(s->a, (int64_t)s->tree.size));
	c = change_new();
	rc = leaf_add(s->f, s->a, c, LEAF_RESTART, 0, 0, m, e);
	if (rc != RC_OK) {
		change_free(c);
		return rc;
	}
	change_set_setting(c, restart_setting, bytes_str(position));
	LOG(WARNING, "journal.restart", LI("given_up", (int64_t)last->head.size),
	    LI("size", (int64_t)s->tree.size));
	return store_commit(s->f->store, c, e);
}

/* The clock stands before the last head: the leaf that says so gets its place before all that wait. */
static enum rc
tell_clock(struct step *s, struct err *e)
{
	struct json *m = json_object(s->a);
	struct leaf_row row;
	struct change *c;
	char was[24];
	int64_t id;
	bool told;
	enum rc rc;

	snprintf(was, sizeof(was), "%lld", (long long)s->signed_at_ms);
	TRY(is_told(s, clock_setting, was, &told, e));
	if (told)
		return RC_OK;
	json_set(m, "was", json_time(s->a, s->signed_at_ms));
	c = change_new();
	id = factory_new_id(s->f);
	rc = leaf_add(s->f, s->a, c, LEAF_CLOCK, id, 0, m, e);
	if (rc != RC_OK) {
		change_free(c);
		return rc;
	}
	change_set_setting(c, clock_setting, bytes_str(was));
	LOG(WARNING, "journal.clock-set-back", LI("was", s->signed_at_ms));
	TRY(store_commit(s->f->store, c, e));
	TRY(store_leaf(s->f->store, s->a, id, &row, e));
	return place_and_store(s, &row, 1, e);
}

/* The signer would refuse; here it is known before anything is placed behind a journal that is not the signed one. */
static enum rc
check_last(struct step *s, const struct signer_last_head *last, struct err *e)
{
	struct tiles_reader reader;
	struct tree signed_tree;
	struct tree_hash root;

	if (last->head.size == 0 || last->restart != 0)
		return RC_OK;
	NEED(last->head.size <= s->tree.size, e, CHY_SIGNER_HEAD_BACK, "RFC 9162 2.1.4",
	     "the signer has signed a head over %llu leaves, the store has %llu: the end of the journal is "
	     "missing. Keep a copy of the database and find out why; after a restore: stop, chancery journal "
	     "restart --after-restore, start",
	     (unsigned long long)last->head.size, (unsigned long long)s->tree.size);
	tiles_reader_init(&reader, s->f->store);
	TRY(tree_load(&reader.reader, last->head.size, &signed_tree, e));
	TRY(tree_root(tiles_sha256, &signed_tree, &root, e));
	NEED(memcmp(root.b, last->head.root, TREE_HASH) == 0, e, CHY_SIGNER_HEAD_OTHER, "RFC 9162 2.1.4",
	     "the first %llu leaves are not those over which the signer has signed a head: leaves were "
	     "exchanged. Keep a copy of the database and find out why; after a restore: stop, chancery "
	     "journal "
	     "restart --after-restore, start",
	     (unsigned long long)last->head.size);
	return RC_OK;
}

/* That the tree continues the head that the signer has signed last; by then its places are in the store. */
static enum rc
prove(struct step *s, const struct signer_last_head *last, struct tree_proof *ret, struct err *e)
{
	struct tiles_reader reader;

	ret->n = 0;
	if (last->head.size == 0 || last->restart != 0 || last->head.size >= s->tree.size)
		return RC_OK; /* nothing to prove, or the signer's to refuse */
	tiles_reader_init(&reader, s->f->store);
	return tree_consistency(tiles_sha256, &reader.reader, last->head.size, s->tree.size, ret, e);
}

static enum rc
sign_head(struct step *s, const struct signer_last_head *last, struct err *e)
{
	int64_t now_ms = clock_now_ms();
	/* a head is never older than the one before it, even where the clock was set back (RFC 9162 4.10) */
	struct signer_head head = { .size = s->tree.size,
				    .at_ms = now_ms > s->signed_at_ms ? now_ms : s->signed_at_ms };
	struct change *c;
	struct signed_cert sig;
	struct tree_proof proof;
	struct tree_hash root;

	/* nor than one that was signed and did not come into the store */
	if (last->restart == 0 && last->head.at_ms > head.at_ms)
		head.at_ms = last->head.at_ms;
	TRY(prove(s, last, &proof, e));
	TRY(tree_root(tiles_sha256, &s->tree, &root, e));
	memcpy(head.root, root.b, sizeof(head.root));
	TRY(signer_sign_head(s->f->signer, KEY_JOURNAL, &head, &proof, SIGNER_WAIT_MS, s->a, &sig, e));
	FAULT("factory.before-head");
	c = change_new();
	change_put_head(c,
			&(struct head_row){ .size = (int64_t)head.size,
					    .root = BYTES_OF(head.root),
					    .at = head.at_ms,
					    .signature = sig.signature,
					    .key = BYTES(KEY_JOURNAL) });
	change_job_cursor(c, "sequencer", s->f->owner, (int64_t)s->tree.size);
	return store_commit(s->f->store, c, e);
}

/* The sequencer of this process is whoever holds f->sequencing: a job, or an export that cannot wait for the job. */
static enum rc
step(struct factory *f, size_t *ret_placed, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(PAGE_ARENA);
	struct step s = { .f = f, .a = a };
	struct signer_last_head last;
	bool backlog;
	enum rc rc;

	NEED(a != NULL && (s.edge = arena_one(a, struct tiles_edge)) != NULL, e, CHY_NO_MEMORY, NULL,
	     "the sequencer");
	rc = store_job_take(f->store, "sequencer", f->owner, LEASE_MS, NULL, e);
	if (rc != RC_OK && e->code == CHY_STORE_LEASE) { /* another factory does it */
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	TRY(load_tree(&s, e));
	TRY(signer_head_last(f->signer, KEY_JOURNAL, SIGNER_WAIT_MS, a, &last, e));
	TRY(check_last(&s, &last, e));
	if (last.restart != 0)
		TRY(tell_restart(&s, &last, e));
	if (clock_now_ms() < s.signed_at_ms - CLOCK_BACK_MS)
		TRY(tell_clock(&s, e));
	TRY(place_waiting(&s, ret_placed, &backlog, e));
	return s.tree.size > s.signed_size && !backlog ? sign_head(&s, &last, e) : RC_OK;
}

enum rc
sequencer_step(struct factory *f, size_t *ret_placed, struct err *e)
{
	enum rc rc;

	*ret_placed = 0;
	pthread_mutex_lock(&f->sequencing);
	rc = step(f, ret_placed, e);
	pthread_mutex_unlock(&f->sequencing);
	return rc;
}

enum rc
sequencer_drain(struct factory *f, struct err *e)
{
	size_t placed;

	do
		TRY(sequencer_step(f, &placed, e));
	while (placed > 0);
	return RC_OK;
}
