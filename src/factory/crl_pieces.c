#include "base/base.h"
#include "factory/crl_impl.h"

#include "crypto/digest.h"
#include "factory/page.h"
#include "store/read.h"

enum {
	PIECE = 90 << 10,     /* entries in one row, and in one message to the signer */
	COMMIT = 32 * PIECE,  /* of pieces at once */
	CHANGES_MAX = 100000, /* in a delta list; after more of them all pieces are made anew */
	PIECES_TOO_MANY = 16, /* more than twice as many as needed, and all are made anew */
	SECOND_MS = 1000,
};

/* Entries on their way into the store. */
struct pieces {
	struct crl_work *w;
	struct crl_row *row;
	bool begun; /* the row is in the store: short lists come there at once, whole */
	struct buf piece;
	struct crl_part_row part; /* of the piece that is being filled */
	uint8_t last[LIMIT_SERIAL];
	struct change *change;
	size_t in_change;
	int64_t n, entries, bytes, shared;
};

static void
new_part(struct pieces *s)
{
	s->piece.n = 0;
	s->part = (struct crl_part_row){ .crl = s->row->id, .made_by = s->row->id, .until = INT64_MAX };
}

/* The list has it, whoever has made it. */
static void
put_part(struct pieces *s, struct crl_part_row part)
{
	if (s->change == NULL)
		s->change = change_new();
	part.crl = s->row->id;
	part.n = s->n++;
	change_put_crl_part(s->change, &part);
	s->entries += part.entries;
	s->bytes += part.len;
}

static MUST enum rc
put_piece(struct pieces *s, struct err *e)
{
	NEED(buf_ok(&s->piece), e, CHY_NO_MEMORY, NULL, "a piece of a revocation list");
	if (s->piece.n == 0)
		return RC_OK;
	s->part.made_n = s->n;
	s->part.len = (int64_t)s->piece.n;
	put_part(s, s->part);
	change_put_crl_piece(s->change,
			     &(struct crl_piece_row){
				 .crl = s->row->id, .n = s->part.made_n, .entries = buf_bytes(&s->piece) });
	s->in_change += s->piece.n;
	new_part(s);
	return RC_OK;
}

/* The row first, so that what a crash leaves of it is found. */
static MUST enum rc
flush(struct pieces *s, struct err *e)
{
	struct change *c = s->change;

	s->change = NULL;
	s->in_change = 0;
	if (c != NULL && !s->begun)
		change_put_crl(c, s->row);
	s->begun = s->begun || c != NULL;
	return c != NULL ? store_commit(s->w->f->store, c, e) : RC_OK;
}

static MUST enum rc
put_entry(struct pieces *s, const struct crl_entry *x, int64_t until, struct err *e)
{
	uint8_t room[LIMIT_CRL_ENTRY];
	struct dw w = dw_fixed(room, sizeof(room));

	TRY(crl_entry_build(x, &w, e));
	if (s->piece.n + dw_mark(&w) > PIECE)
		TRY(put_piece(s, e));
	if (s->in_change >= COMMIT)
		TRY(flush(s, e));
	buf_put(&s->piece, dw_bytes(&w));
	memcpy(s->last, x->serial.p, x->serial.n);
	s->part.last = bytes_of(s->last, x->serial.n);
	s->part.entries++;
	if (until < s->part.until)
		s->part.until = until;
	return RC_OK;
}

/* ---- what stands in a list ---- */

/* When the list before was made; one from a clock that ran ahead takes nobody's end before its time. */
static int64_t
left_at(const struct crl_work *w)
{
	int64_t before = w->complete != NULL ? w->complete->this_update : 0;

	return before < w->now ? before : w->now;
}

/* Who is expired leaves the lists, but not before it has stood in one that was made after its end (RFC 5280 3.3). */
static bool
has_left(const struct crl_work *w, const struct status_row *r)
{
	return !w->p->keep_expired && r->not_after < left_at(w);
}

static struct crl_entry
entry_of(const struct crl_work *w, const struct status_row *r)
{
	int64_t at = r->at / SECOND_MS * SECOND_MS;

	return (struct crl_entry){
		.serial = r->serial,
		.revoked_at = at < w->now ? at : w->now,
		.reason = r->state == CERTIFICATE_VALID ? CRL_REMOVE
		    : r->reason == 0                    ? CRL_NO_REASON
							: (int)r->reason,
		.invalidity_at = r->invalid_at != 0 ? r->invalid_at / SECOND_MS * SECOND_MS : CRL_NO_TIME,
	};
}

/* The first entry of an indirect list says whose certificates it and all behind it are (RFC 5280 5.3.3). */
static MUST enum rc
put_status(struct pieces *s, const struct status_row *r, struct err *e)
{
	struct crl_entry x = entry_of(s->w, r);

	if (has_left(s->w, r))
		return RC_OK;
	if (s->w->p->indirect && s->entries + s->part.entries == 0)
		x.issuer = s->w->p->authority->subject_in_force;
	/* a time that lies ahead is another one in the next list */
	return put_entry(s, &x, r->at > s->w->now ? 0 : r->not_after, e);
}

static enum status_sort
sort_of(const struct crl_work *w)
{
	static const enum status_sort sorts[] = {
		[COVERS_ALL] = STATUS_OF_ALL,
		[COVERS_END_ENTITIES] = STATUS_OF_END_ENTITIES,
		[COVERS_AUTHORITIES] = STATUS_OF_AUTHORITIES,
		[COVERS_ATTRIBUTE_CERTIFICATES] = STATUS_OF_ATTRIBUTE_CERTIFICATES
	};

	return sorts[w->p->covers];
}

/* One page of what stands in a list that is gathered in the order of serial numbers. */
static MUST enum rc
next_page(struct crl_work *w, struct arena *a, struct bytes after, size_t limit, struct status_row **ret,
	  size_t *n, struct err *e)
{
	struct store *s = w->f->store;
	int64_t issuer = w->p->authority->doc->id.v;

	if (w->partition > 0)
		return store_revoked_part(s, a, issuer, w->partition, w->delta ? w->complete->status_seq : 0,
					  after, limit, ret, n, e);
	return store_revoked_of(s, a, issuer, sort_of(w), after, limit, ret, n, e);
}

/* Those behind one serial number, up to another; none: to the end. */
static MUST enum rc
gather_range(struct pieces *s, struct bytes from, struct bytes to, struct err *e)
{
	uint8_t after[LIMIT_SERIAL];
	struct bytes last = bytes_of(after, from.n);
	size_t n = 1;

	NEED(from.n <= sizeof(after), e, CHY_CRL, NULL, "a serial number too long");
	if (from.n > 0)
		memcpy(after, from.p, from.n);
	while (n > 0) {
		OWN(arena_free)
		struct arena *a = NULL;
		struct status_row *rows;
		size_t limit = LIMIT_PAGE;

		TRY(PAGE_READ(a, limit, PAGE_ARENA, e, next_page(s->w, a, last, limit, &rows, &n, e)));
		for (size_t i = 0; i < n; i++) {
			if (to.n > 0 && bytes_cmp(rows[i].serial, to) > 0)
				return RC_OK;
			TRY(put_status(s, &rows[i], e));
		}
		if (n > 0) {
			NEED(rows[n - 1].serial.n <= sizeof(after), e, CHY_CRL, NULL,
			     "a serial number too long");
			memcpy(after, rows[n - 1].serial.p, rows[n - 1].serial.n);
			last.n = rows[n - 1].serial.n;
		}
	}
	return RC_OK;
}

static int
by_serial(const void *a, const void *b)
{
	const struct status_row *x = a, *y = b;
	int cmp = bytes_cmp(x->serial, y->serial);

	return cmp != 0 ? cmp : (x->seq > y->seq) - (x->seq < y->seq);
}

struct changes {
	struct status_row *v;
	size_t n, room;
	size_t at; /* the first that stands behind the parts so far */
};

static MUST enum rc
add_changes(struct arena *a, struct changes *c, const struct status_row *rows, size_t n, struct err *e)
{
	if (c->n + n > c->room) {
		size_t room = 2 * c->room + n;
		struct status_row *v = arena_array(a, room, sizeof(*v));

		NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "changes since a revocation list");
		if (c->n > 0)
			memcpy(v, c->v, c->n * sizeof(*v));
		c->v = v;
		c->room = room;
	}
	for (size_t i = 0; i < n; i++)
		c->v[c->n++] = rows[i];
	return RC_OK;
}

/* What was met twice has changed in between: its last state counts. */
static void
keep_last(struct changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (i + 1 == c->n || !bytes_eq(c->v[i].serial, c->v[i + 1].serial))
			c->v[n++] = c->v[i];
	c->n = n;
}

/* What has changed since the complete list, by serial number, each once; ret->n more than CHANGES_MAX: too much. To the end, not to
   where the changes stood at the beginning: who has changed since the complete list and changes again while they are read is to
   be found by its later change only. */
static MUST enum rc
load_changes(struct crl_work *w, struct changes *ret, struct err *e)
{
	int64_t after = w->complete->status_seq;
	struct status_row *rows;
	size_t n = LIMIT_PAGE;

	FAULT("crl.changes");
	while (n == LIMIT_PAGE && ret->n <= CHANGES_MAX) {
		TRY(store_status_changed_of(w->f->store, w->a, w->p->authority->doc->id.v, sort_of(w), after,
					    LIMIT_PAGE, &rows, &n, e));
		TRY(add_changes(w->a, ret, rows, n, e));
		after = n > 0 ? rows[n - 1].seq : after;
	}
	if (ret->n == 0 || ret->n > CHANGES_MAX)
		return RC_OK;
	qsort(ret->v, ret->n, sizeof(*ret->v), by_serial);
	keep_last(ret);
	return RC_OK;
}

/* Changes come in the order in which they happened; a list has them by serial number. */
static MUST enum rc
gather_delta(struct pieces *s, struct err *e)
{
	struct crl_work *w = s->w;
	struct changes c = { 0 };

	TRY(load_changes(w, &c, e));
	NEED(c.n <= CHANGES_MAX, e, CHY_CRL_DELTA, "RFC 5280 5.2.4",
	     "more than %d changes since the list %lld", CHANGES_MAX, (long long)w->complete->number);
	for (size_t i = 0; i < c.n; i++)
		TRY(put_status(s, &c.v[i], e));
	return RC_OK;
}

/* ---- a complete list out of the one before ---- */

/*
 * A piece of the last list stands for all certificates whose serial numbers lie behind those of the piece before it, up to its own
 * last one; the last piece for all behind. Where none of them has changed since that list and none leaves this one, its octets are
 * what would be built again, so the new list has the same piece: a list of a million entries is made anew in the few
 * pieces in which something has happened. All else that entries depend on is in the list's shape.
 */

/* The first number is of how entries are built. */
static int64_t
shape_of(const struct crl_work *w)
{
	const struct authority *x = w->p->authority;
	uint8_t sum[SHA256_LEN];
	char text[64];
	int64_t shape = 1;

	snprintf(text, sizeof(text), "1 %lld %d %d", (long long)x->doc->id.v, (int)w->p->covers,
		 w->p->indirect);
	sha256_parts((struct bytes[]){ bytes_str(text), x->subject_in_force }, 2, sum);
	for (int i = 0; i < 7; i++)
		shape = shape << 8 | sum[i];
	return shape;
}

static MUST enum rc
load_parts(struct crl_work *w, struct crl_part_row **ret, size_t *ret_n, struct err *e)
{
	size_t most = (size_t)w->complete->pieces, n = 1;
	struct crl_part_row *all = arena_array(w->a, most + 1, sizeof(*all)), *rows;

	NEED(all != NULL, e, CHY_NO_MEMORY, NULL, "pieces of a revocation list");
	for (*ret_n = 0; *ret_n < most && n > 0; *ret_n += n) {
		TRY(store_crl_parts(w->f->store, w->a, w->complete->id, (int64_t)*ret_n, LIMIT_PAGE, &rows,
				    &n, e));
		NEED(n <= most - *ret_n, e, CHY_CRL, NULL, "more pieces than the list has");
		memcpy(all + *ret_n, rows, n * sizeof(*all));
	}
	NEED(*ret_n == most, e, CHY_STORE_NOT_FOUND, NULL, "piece %zu of a revocation list", *ret_n);
	*ret = all;
	return RC_OK;
}

/* Does it have so many small pieces that it is better to join them? */
static bool
is_in_tatters(const struct crl_row *row)
{
	return row->pieces > 2 * (row->entries_len / PIECE) + PIECES_TOO_MANY;
}

/* Those who are revoked and expired may leave the store, which no change tells: their lists are gathered as a whole. */
static bool
may_share(const struct pieces *s)
{
	const struct crl_work *w = s->w;

	return w->complete != NULL && !w->delta && w->partition == 0 && !w->p->keep_expired &&
	    w->complete->shape == s->row->shape && w->complete->left_at <= s->row->left_at &&
	    !is_in_tatters(w->complete);
}

static bool
takes_change(struct changes *c, const struct crl_part_row *part, bool is_last)
{
	bool any = false;

	for (; c->at < c->n && (is_last || bytes_cmp(c->v[c->at].serial, part->last) <= 0); c->at++)
		any = true;
	return any;
}

/* One that is begun is ended before another's piece follows. */
static MUST enum rc
share(struct pieces *s, const struct crl_part_row *part, struct err *e)
{
	TRY(put_piece(s, e));
	put_part(s, *part);
	s->shared++;
	return RC_OK;
}

static MUST enum rc
gather_shared(struct pieces *s, struct changes *c, const struct crl_part_row *parts, size_t n, struct err *e)
{
	struct bytes from = BYTES_NONE;

	for (size_t i = 0; i < n; from = parts[i++].last) {
		bool is_last = i + 1 == n, changed = takes_change(c, &parts[i], is_last);
		/* of an indirect list the first entry says whose they are */
		bool first = s->w->p->indirect && i > 0 && s->entries + s->part.entries == 0;

		if (changed || first || parts[i].until < s->row->left_at || parts[i].last.n == 0)
			TRY(gather_range(s, from, is_last ? BYTES_NONE : parts[i].last, e));
		else
			TRY(share(s, &parts[i], e));
	}
	return n > 0 ? RC_OK : gather_range(s, from, BYTES_NONE, e);
}

static MUST enum rc
gather_complete(struct pieces *s, struct err *e)
{
	struct crl_part_row *parts;
	struct changes c = { 0 };
	size_t n;

	s->row->shape = shape_of(s->w);
	s->row->left_at = s->w->p->keep_expired ? 0 : left_at(s->w);
	if (may_share(s)) {
		TRY(load_changes(s->w, &c, e));
		if (c.n <= CHANGES_MAX) {
			TRY(load_parts(s->w, &parts, &n, e));
			return gather_shared(s, &c, parts, n, e);
		}
	}
	return gather_range(s, BYTES_NONE, BYTES_NONE, e);
}

/* ---- the whole ---- */

static MUST enum rc
gather(struct pieces *s, struct err *e)
{
	struct crl_work *w = s->w;

	/* before the first page: a change while we read stands in the next delta list too, and is never missed */
	TRY(store_status_seq(w->f->store, w->p->authority->doc->id.v, &s->row->status_seq, e));
	TRY(w->delta && w->partition == 0 ? gather_delta(s, e) : gather_complete(s, e));
	TRY(put_piece(s, e));
	if (s->in_change >= COMMIT)
		TRY(flush(s, e));
	s->row->pieces = s->n;
	s->row->entries = s->entries;
	s->row->entries_len = s->bytes;
	s->w->shared = s->shared;
	return RC_OK;
}

enum rc
crl_pieces(struct crl_work *w, struct crl_row *row, struct change **ret, struct err *e)
{
	struct pieces s = { .w = w, .row = row, .piece = buf_max(PIECE + LIMIT_CRL_ENTRY) };
	enum rc rc;

	new_part(&s);
	rc = gather(&s, e);
	buf_fini(&s.piece);
	if (rc == RC_OK && s.change == NULL)
		s.change = change_new();
	if (rc == RC_OK && s.begun)
		change_drop_crl(s.change, row->id);
	*ret = rc == RC_OK ? s.change : NULL;
	if (rc != RC_OK)
		change_free(s.change);
	return rc;
}
