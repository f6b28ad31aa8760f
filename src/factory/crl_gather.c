#include "base/base.h"
#include "factory/crl_impl.h"

#include "factory/page.h"
#include "policy/body.h"
#include "policy/crl_point.h"
#include "store/read.h"

enum {
	PIECE = 90 << 10,    /* entries in one row, and in one message to the signer */
	COMMIT = 32 * PIECE, /* of pieces at once */
	DELTA_MAX = 100000,  /* changes in a delta list */
	SECOND_MS = 1000,
};

/* Entries on their way into the store. */
struct pieces {
	struct crl_work *w;
	const struct crl_row *row;
	bool begun; /* the row is in the store: short lists come there at once, whole */
	struct buf piece;
	struct change *change;
	size_t in_change;
	int64_t n, entries, bytes;
};

static MUST enum rc
put_piece(struct pieces *s, struct err *e)
{
	NEED(buf_ok(&s->piece), e, CHY_NO_MEMORY, NULL, "a piece of a revocation list");
	if (s->piece.n == 0)
		return RC_OK;
	if (s->change == NULL)
		s->change = change_new();
	change_put_crl_piece(
	    s->change,
	    &(struct crl_piece_row){ .crl = s->row->id, .n = s->n++, .entries = buf_bytes(&s->piece) });
	s->in_change += s->piece.n;
	s->piece.n = 0;
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
put_entry(struct pieces *s, const struct crl_entry *x, struct err *e)
{
	uint8_t room[LIMIT_CRL_ENTRY];
	struct dw w = dw_fixed(room, sizeof(room));

	TRY(crl_entry_build(x, &w, e));
	if (s->piece.n + dw_mark(&w) > PIECE)
		TRY(put_piece(s, e));
	if (s->in_change >= COMMIT)
		TRY(flush(s, e));
	buf_put(&s->piece, dw_bytes(&w));
	s->entries++;
	s->bytes += (int64_t)dw_mark(&w);
	return RC_OK;
}

/* ---- what stands in a list ---- */

/* Who is expired leaves the lists, but not before it has stood in one that was made after its end (RFC 5280 3.3). */
static bool
has_left(const struct crl_work *w, const struct status_row *r)
{
	return !w->p->keep_expired && w->complete != NULL && r->not_after < w->complete->this_update;
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
	if (s->w->p->indirect && s->entries == 0)
		x.issuer = s->w->p->authority->subject_in_force;
	return put_entry(s, &x, e);
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

static MUST enum rc
gather_by_serial(struct pieces *s, struct err *e)
{
	uint8_t after[LIMIT_SERIAL];
	struct bytes last = bytes_of(after, 0);
	size_t n = 1;

	while (n > 0) {
		OWN(arena_free)
		struct arena *a = NULL;
		struct status_row *rows;
		size_t limit = LIMIT_PAGE;

		TRY(PAGE_READ(a, limit, PAGE_ARENA, e, next_page(s->w, a, last, limit, &rows, &n, e)));
		for (size_t i = 0; i < n; i++)
			TRY(put_status(s, &rows[i], e));
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

	return bytes_cmp(x->serial, y->serial);
}

/* Changes come in the order in which they happened; a list has them by serial number. */
static MUST enum rc
gather_delta(struct pieces *s, struct err *e)
{
	struct crl_work *w = s->w;
	struct status_row *all = arena_array(w->a, DELTA_MAX, sizeof(*all)), *rows;
	int64_t after = w->complete->status_seq;
	size_t n = 1, total = 0;

	NEED(all != NULL, e, CHY_NO_MEMORY, NULL, "a delta list");
	while (n > 0) {
		TRY(store_status_changed_of(w->f->store, w->a, w->p->authority->doc->id.v, sort_of(w), after,
					    LIMIT_PAGE, &rows, &n, e));
		NEED(total + n <= DELTA_MAX, e, CHY_CRL_DELTA, "RFC 5280 5.2.4",
		     "more than %d changes since the list %lld", DELTA_MAX, (long long)w->complete->number);
		if (n == 0)
			break;
		memcpy(all + total, rows, n * sizeof(*all));
		total += n;
		after = rows[n - 1].seq;
	}
	qsort(all, total, sizeof(*all), by_serial);
	for (size_t i = 0; i < total; i++)
		TRY(put_status(s, &all[i], e));
	return RC_OK;
}

/* ---- what stands around the entries ---- */

static struct bytes
integer(uint8_t room[16], uint64_t v)
{
	struct dw w = dw_fixed(room, 16);

	dw_int(&w, (int64_t)v);
	return bytes_part(dw_bytes(&w), 2, SIZE_MAX);
}

static MUST enum rc
add(struct arena *a, struct exts *l, const struct ext_value *v, struct err *e)
{
	return ext_encode(a, v, &l->v[l->n++], e);
}

static MUST enum rc
add_freshest(struct crl_work *w, struct exts *l, struct err *e)
{
	struct dist_point point = { .reasons = 0 };

	TRY(crl_addresses(w->a, w->p->delta_points, w->partition, &point.full_name, e));
	return add(w->a, l, &(struct ext_value){ .kind = OID_CE_FRESHEST_CRL, .points = { 1, &point } }, e);
}

/* A partial list says which certificates it is about, and that it is the one that they point to: else an attacker could put one
   in the place of another (RFC 5280 5.2.5, 6.3.3). Its delta lists say the same. */
enum rc
crl_point(struct crl_work *w, struct ext *ret, struct err *e)
{
	struct ext_value v = { .kind = OID_CE_ISSUING_POINT,
			       .critical = true,
			       .point = { .indirect = w->p->indirect,
					  .only_user = w->p->covers == COVERS_END_ENTITIES,
					  .only_ca = w->p->covers == COVERS_AUTHORITIES,
					  .only_attribute = w->p->covers == COVERS_ATTRIBUTE_CERTIFICATES } };

	*ret = (struct ext){ .value = BYTES_NONE };
	if (w->p->covers == COVERS_ALL && w->partition == 0 && !w->p->indirect)
		return RC_OK;
	TRY(crl_addresses(w->a, w->p->points, w->partition, &v.point.full_name, e));
	return ext_encode(w->a, &v, ret, e);
}

/* Certificates name their own issuer's certificate; where another authority's is found, an indirect list has to say (RFC 5280 5.2.7). */
static MUST enum rc
add_signer(struct crl_work *w, struct exts *l, struct err *e)
{
	const struct json *urls = body_list(w->p->signer->doc->body, "ca_issuers_urls");
	struct ext_value v = { .kind = OID_PE_AUTHORITY_INFO };

	if (!w->p->indirect || urls == NULL || urls->count == 0)
		return RC_OK;
	v.access.v = arena_array(w->a, urls->count, sizeof(*v.access.v));
	NEED(v.access.v != NULL, e, CHY_NO_MEMORY, NULL, "extensions");
	JSON_EACH(x, urls)
	v.access.v[v.access.n++] = (struct access_desc){ oid_der(OID_AD_CA_ISSUERS),
							 OID_AD_CA_ISSUERS,
							 { .type = GN_URI, .value = x->str } };
	return add(w->a, l, &v, e);
}

static MUST enum rc
extensions(struct crl_work *w, struct exts *l, struct err *e)
{
	const struct authority *x = w->p->authority, *signer = w->p->signer;
	uint8_t number[16], base[16];

	l->v = arena_array(w->a, 7, sizeof(*l->v));
	NEED(l->v != NULL, e, CHY_NO_MEMORY, NULL, "extensions");
	TRY(add(w->a, l,
		&(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = signer->key_id } },
		e));
	TRY(add(w->a, l,
		&(struct ext_value){ .kind = OID_CE_CRL_NUMBER, .number = integer(number, w->number) }, e));
	if (w->delta)
		TRY(add(w->a, l,
			&(struct ext_value){ .kind = OID_CE_DELTA_CRL,
					     .critical = true,
					     .number = integer(base, (uint64_t)w->complete->number) },
			e));
	else if (w->p->has_delta)
		TRY(add_freshest(w, l, e));
	TRY(crl_point(w, &l->v[l->n], e));
	l->n += l->v[l->n].value.p != NULL;
	TRY(add_signer(w, l, e));
	if (w->p->keep_expired) /* all that the authority ever revoked stay */
		TRY(add(w->a, l, &(struct ext_value){ .kind = OID_CE_EXPIRED_ON_CRL, .at = x->not_before_ms },
			e));
	return RC_OK;
}

static MUST enum rc
ends(struct crl_work *w, struct crl_row *row, struct err *e)
{
	struct crl_inputs in = { .sigalg = w->p->signer->sigalg,
				 .issuer = w->p->signer->subject_in_force,
				 .this_update_at = row->this_update,
				 .next_update_at = row->next_update };
	OWN_DW struct dw head = dw_growing(LIMIT_TBS), tail = dw_growing(LIMIT_TBS);

	TRY(extensions(w, &in.exts, e));
	TRY(crl_head_build(&in, (size_t)row->entries_len, &head, e));
	TRY(crl_tail_build(&in, &tail, e));
	TRY(dw_dup(&head, w->a, &row->head, e));
	TRY(dw_dup(&tail, w->a, &row->tail, e));
	row->sigalg = bytes_str(sigalg_name(in.sigalg));
	return RC_OK;
}

/* ---- the whole ---- */

static struct crl_row
begin(const struct crl_work *w)
{
	struct duration every = w->delta ? w->p->delta_interval : w->p->interval;

	int64_t id = factory_new_id(w->f), list = w->lists[w->delta];

	return (struct crl_row){
		.id = id,
		.procedure_id = w->p->doc->id.v,
		.list = list != 0 ? list : id,
		.part = w->partition,
		.delta = w->delta,
		.number = (int64_t)w->number,
		.base = w->delta ? w->complete->number : 0,
		.state = CRL_GATHERED,
		.this_update = w->now,
		.next_update = duration_add(duration_add(w->now, every), w->p->overlap),
		.sigalg = BYTES(""),
		.sha256 = BYTES(""),
		.head = BYTES(""),
		.tail = BYTES(""),
		.signature = BYTES(""),
	};
}

static MUST enum rc
gather(struct crl_work *w, struct pieces *s, struct crl_row *row, struct err *e)
{
	/* before the first page: a change while we read stands in the next delta list too, and is never missed */
	TRY(store_status_seq(w->f->store, w->p->authority->doc->id.v, &row->status_seq, e));
	TRY(w->delta && w->partition == 0 ? gather_delta(s, e) : gather_by_serial(s, e));
	TRY(put_piece(s, e));
	if (s->in_change >= COMMIT)
		TRY(flush(s, e));
	row->pieces = s->n;
	row->entries = s->entries;
	row->entries_len = s->bytes;
	return ends(w, row, e);
}

/* The last pieces and the plan, at once. */
static MUST enum rc
plan(struct pieces *s, const struct crl_row *row, struct err *e)
{
	struct change *c = s->change != NULL ? s->change : change_new();

	s->change = NULL;
	if (s->begun)
		change_drop_crl(c, row->id);
	change_put_crl(c, row);
	return store_commit(s->w->f->store, c, e);
}

enum rc
crl_gather(struct crl_work *w, struct err *e)
{
	struct crl_row row = begin(w), planned;
	struct pieces s = { .w = w, .row = &row, .piece = buf_max(PIECE + LIMIT_CRL_ENTRY) };
	enum rc rc;

	planned = row;
	rc = gather(w, &s, &planned, e);
	buf_fini(&s.piece);
	FAULT("crl.gathered");
	planned.state = CRL_PLANNED;
	if (rc == RC_OK)
		rc = plan(&s, &planned, e);
	change_free(s.change);
	if (rc != RC_OK && crl_forget(w->f, row.id, NULL) != RC_OK)
		LOG(WARNING, "crl.left-behind", LI("id", row.id)); /* the next step finds it */
	FAULT("crl.planned");
	return rc;
}
