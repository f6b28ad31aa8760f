#include "base/base.h"
#include "factory/reconcile.h"

#include "factory/leaf.h"
#include "factory/pending.h"
#include "signer/journal.h"
#include "store/read.h"

static const char cursor_name[] = "signer-journal.taken-over";

enum { READ_ARENA = 8 << 20 };

static enum rc
load_cursor(struct factory *f, uint64_t *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 10);
	struct bytes text;
	int64_t v = 0;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "reconciling");
	rc = store_setting(f->store, a, cursor_name, &text, e);
	if (rc == RC_NOT_FOUND)
		err_clear(e);
	else
		TRY(rc);
	if (rc == RC_OK)
		TRY(int_parse(text, 0, INT64_MAX, &v, e));
	*ret = (uint64_t)v;
	return RC_OK;
}

static enum rc
save_cursor(struct factory *f, uint64_t position, struct err *e)
{
	struct change *c = change_new();
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)position);
	change_set_setting(c, cursor_name, bytes_str(text));
	TRY(store_commit(f->store, c, e));
	return signer_journal_ack(f->signer, position, SIGNER_WAIT_MS, e);
}

/* ---- which of a batch the store has ---- */

struct ids {
	int64_t *v;
	size_t n, max;
};

static int
by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* All ids of certificates from first to last. */
static enum rc
ids_between(struct factory *f, struct arena *a, int64_t first, int64_t last, struct ids *ret, struct err *e)
{
	struct serial_row *rows;
	int64_t after = first - 1;
	size_t n;

	do {
		TRY(store_serials(f->store, a, after, LIMIT_PAGE, &rows, &n, e));
		for (size_t i = 0; i < n && rows[i].id <= last; i++) {
			if (ret->n == ret->max) {
				int64_t *more = arena_array(a, ret->max ? ret->max * 2 : 256, sizeof(*more));

				NEED(more != NULL, e, CHY_NO_MEMORY, NULL, "reconciling");
				if (ret->n > 0)
					memcpy(more, ret->v, ret->n * sizeof(*more));
				ret->v = more;
				ret->max = ret->max ? ret->max * 2 : 256;
			}
			ret->v[ret->n++] = rows[i].id;
		}
		after = n > 0 ? rows[n - 1].id : last;
	} while (n == LIMIT_PAGE && after < last);
	return RC_OK;
}

static bool
has(const struct ids *ids, int64_t id)
{
	return ids->n > 0 && bsearch(&id, ids->v, ids->n, sizeof(id), by_id) != NULL;
}

/* ---- attribute certificates that wait for their base ----
 *
 * They were signed before it, so its record comes later in the signer's journal. What is still without a base when the
 * journal has been read was interrupted. What was signed before this process began can have no base under way any more, the rest
 * stays where it is for a while; then it is adopted as revoked, so that both or neither are valid. */

enum { WAITING_ARENA = 64 << 20, VOID_AFTER_MS = 120000 };

struct waiting {
	struct waiting *next;
	struct sj_record record;
	struct pending pending;
	bool done;
};

struct waiters {
	struct arena *a;
	struct waiting *first, **last;
};

static enum rc
wait_for_base(struct waiters *w, const struct sj_record *r, struct err *e)
{
	struct waiting *x = arena_one(w->a, struct waiting);

	NEED(x != NULL, e, CHY_NO_MEMORY, NULL, "reconciling");
	x->record = *r;
	x->record.tbs = arena_dup(w->a, r->tbs);
	x->record.signature = arena_dup(w->a, r->signature);
	x->record.context = arena_dup(w->a, r->context);
	NEED(x->record.tbs.p && x->record.signature.p && x->record.context.p, e, CHY_NO_MEMORY, NULL,
	     "reconciling");
	TRY(pending_get(x->record.context, &x->pending, e));
	*w->last = x;
	w->last = &x->next;
	return RC_OK;
}

/* ---- adopting ---- */

/* What was made with a certificate comes into the store with it. */
static enum rc
add_waiting(struct arena *a, struct waiters *w, int64_t base, struct change *c, struct err *e)
{
	for (struct waiting *x = w->first; x != NULL; x = x->next) {
		struct finished done = { 0 };

		if (x->done || x->pending.base != base)
			continue;
		TRY(pending_add(a, &x->pending, x->record.tbs, x->record.signature, c, &done, e));
	}
	return RC_OK;
}

/* A signed request is carried on and finds by itself what it has issued; a session's client must ask again. A soft token that
   comes to nothing has no key any more for what was signed for it. */
static bool
may_be_unclaimed(const struct pending *p)
{
	return p->base == 0 && p->authority == 0 && (p->session != 0 || p->token != 0 || p->unclaimed);
}

static enum rc
adopt_as(struct factory *f, struct waiters *w, const struct sj_record *r, const struct pending *p,
	 struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	int64_t leaf = factory_new_id(f);
	struct finished done = { 0 };
	struct json *m;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "adopting a certificate");
	TRY(pending_finish(a, p, r->tbs, r->signature, &done, e));
	m = json_object(a);
	json_set(m, "certificate", json_int(a, p->id));
	json_set(m, "claimed", json_bool(a, !p->unclaimed));
	json_set(m, "position", json_int(a, (int64_t)r->position));
	if (may_be_unclaimed(p))
		change_put_unclaimed(done.change, &(struct unclaimed_row){ p->id, clock_now_ms(), leaf });
	rc = leaf_add(f, a, done.change, LEAF_ADOPTED, leaf, p->id, m, e);
	if (rc == RC_OK && p->base == 0)
		rc = add_waiting(a, w, p->id, done.change, e);
	if (rc != RC_OK) {
		change_free(done.change);
		return rc;
	}
	return store_commit(f->store, done.change, e);
}

static enum rc
adopt(struct factory *f, struct waiters *w, const struct sj_record *r, const struct pending *p, struct err *e)
{
	struct pending as = *p;
	enum rc rc = adopt_as(f, w, r, &as, e);

	if (rc != RC_OK && (e->code == CHY_STORE_KEY_USED || e->code == CHY_STORE_SESSION)) {
		err_clear(e);
		as.unclaimed = true;
		rc = adopt_as(f, w, r, &as, e);
	}
	if (rc != RC_OK && e->code == CHY_STORE_EXISTS) { /* its own commit was faster */
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	atomic_fetch_add(&f->figures.adopted, 1);
	LOG(WARNING, "reconcile.adopted", LI("certificate", p->id), LI("position", (int64_t)r->position),
	    LI("claimed", !as.unclaimed));
	return RC_OK;
}

static void
settled(struct waiters *w, int64_t base)
{
	for (struct waiting *x = w->first; x != NULL; x = x->next)
		x->done = x->done || x->pending.base == base;
}

/* *ret_position: not beyond what still waits. */
static enum rc
end_waiting(struct factory *f, struct waiters *w, uint64_t *ret_position, size_t *ret_adopted, struct err *e)
{
	int64_t now = clock_now_ms();

	for (struct waiting *x = w->first; x != NULL; x = x->next) {
		if (x->done)
			continue;
		if (x->record.at_ms >= f->began_ms && now - x->record.at_ms < VOID_AFTER_MS) {
			if (*ret_position >= x->record.position)
				*ret_position = x->record.position - 1;
			return RC_OK;
		}
		x->pending.revoked = x->pending.unclaimed = true;
		TRY(adopt(f, w, &x->record, &x->pending, e));
		*ret_adopted += 1;
	}
	return RC_OK;
}

struct batch {
	struct factory *f;
	struct waiters *waiters;
	struct arena *a;
	struct sj_record *records;
	size_t n;
	struct pending *pending; /* one a record; id 0: no certificate */
	struct ids there;
};

static enum rc
read_batch(struct batch *b, struct err *e)
{
	int64_t first = INT64_MAX, last = 0;

	b->pending = arena_array(b->a, b->n, sizeof(*b->pending));
	NEED(b->pending != NULL, e, CHY_NO_MEMORY, NULL, "reconciling");
	for (size_t i = 0; i < b->n; i++) {
		if ((b->records[i].type != SJ_CERT && b->records[i].type != SJ_AC) ||
		    b->records[i].context.n == 0) /* none: of a boot ceremony */
			continue;
		TRY(pending_get(b->records[i].context, &b->pending[i], e));
		first = b->pending[i].id < first ? b->pending[i].id : first;
		last = b->pending[i].id > last ? b->pending[i].id : last;
	}
	return last == 0 ? RC_OK : ids_between(b->f, b->a, first, last, &b->there, e);
}

/* *ret_position: how far it came; *ret_more: whether it makes sense to read on. */
static enum rc
take_over(struct batch *b, int64_t not_after_ms, uint64_t *ret_position, size_t *ret_adopted, bool *ret_more,
	  struct err *e)
{
	TRY(read_batch(b, e));
	for (size_t i = 0; i < b->n; i++) {
		const struct pending *p = &b->pending[i];

		if (b->records[i].at_ms > not_after_ms) {
			*ret_more = false;
			return RC_OK;
		}
		if (p->id != 0 && !has(&b->there, p->id)) {
			if (p->with_base) {
				TRY(wait_for_base(b->waiters, &b->records[i], e));
			} else {
				TRY(adopt(b->f, b->waiters, &b->records[i], p, e));
				*ret_adopted += 1;
			}
		}
		if (p->id != 0 && p->base == 0)
			settled(b->waiters, p->id);
		*ret_position = b->records[i].position;
	}
	*ret_more = b->n > 0;
	return RC_OK;
}

enum rc
reconcile(struct factory *f, int64_t grace_ms, size_t *ret_adopted, struct err *e)
{
	int64_t not_after_ms = grace_ms > 0 ? clock_now_ms() - grace_ms : INT64_MAX;
	uint64_t position, began;
	size_t adopted = 0;
	bool more = true;
	OWN(arena_free)
	struct arena *kept = arena_new(WAITING_ARENA);
	struct waiters waiters = { .a = kept };

	NEED(kept != NULL, e, CHY_NO_MEMORY, NULL, "reconciling");
	waiters.last = &waiters.first;
	TRY(load_cursor(f, &position, e));
	began = position;
	while (more) {
		OWN(arena_free)
		struct arena *a = arena_new(READ_ARENA);
		struct batch b = { .f = f, .a = a, .waiters = &waiters };

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "reconciling");
		TRY(signer_journal_read(f->signer, position + 1, SIGNER_WAIT_MS, a, &b.records, &b.n, e));
		TRY(take_over(&b, not_after_ms, &position, &adopted, &more, e));
	}
	TRY(end_waiting(f, &waiters, &position, &adopted, e));
	if (ret_adopted != NULL)
		*ret_adopted = adopted;
	return position > began ? save_cursor(f, position, e) : RC_OK;
}

enum rc
reconcile_check(struct factory *f, struct reconciliation *ret, struct err *e)
{
	struct signer_status status;
	uint64_t position;

	*ret = (struct reconciliation){ 0 };
	TRY(signer_status(f->signer, SIGNER_WAIT_MS, &status, e));
	ret->position_to = status.synced;
	for (position = 0; position < status.synced;) {
		OWN(arena_free)
		struct arena *a = arena_new(READ_ARENA);
		struct batch b = { .f = f, .a = a };

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "reconciling");
		TRY(signer_journal_read(f->signer, position + 1, SIGNER_WAIT_MS, a, &b.records, &b.n, e));
		if (b.n == 0)
			break;
		TRY(read_batch(&b, e));
		for (size_t i = 0; i < b.n && b.records[i].position <= status.synced; i++) {
			ret->records++;
			ret->certificates += b.pending[i].id != 0;
			ret->missing_in_store += b.pending[i].id != 0 && !has(&b.there, b.pending[i].id);
		}
		position = b.records[b.n - 1].position;
	}
	return RC_OK;
}
