#include "base/base.h"
#include "factory/cil_impl.h"

#include "crypto/digest.h"
#include "factory/ca_keys.h"
#include "factory/leaf.h"
#include "factory/page.h"
#include "model/kinds.h"
#include "factory/list_delivery.h"
#include "pki/cil.h"
#include "store/read.h"

enum {
	ENTRY_MAX = 200,                            /* an entry is shorter */
	PIECE = 90 << 10,                           /* entries in one message to the signer */
	SEGMENT_MAX = CIL_PER_FILE_MAX * ENTRY_MAX, /* entries of a segment */
	PIECES_MAX = SEGMENT_MAX / (PIECE - ENTRY_MAX) + 2,
	SEGMENT_ARENA = 3 * SEGMENT_MAX,
	DELTA_MAX = 50000, /* certificates in a delta list */
	DELTA_ARENA = 256 << 20,
	PLACES_AT_ONCE = 10000,
	SECOND_MS = 1000,
};

/* A list that is being built, a segment at a time. */
struct cil_making {
	struct cil_work *w;
	struct arena *a; /* of the segment */
	struct cil_row row;
	struct buf entries;
	size_t ends[PIECES_MAX]; /* of pieces */
	size_t ends_n, piece;
	unsigned in_segment, segment;
	struct change *change; /* leaves, for when it comes into force */
};

/* ---- a segment is signed ---- */

static enum rc
next_piece(void *arg, struct bytes *ret, struct err *e)
{
	struct cil_making *m = arg;
	size_t from = m->piece > 0 ? m->ends[m->piece - 1] : 0;

	*ret = BYTES_NONE;
	if (m->piece < m->ends_n)
		*ret = bytes_part(buf_bytes(&m->entries), from, m->ends[m->piece] - from);
	m->piece++;
	return RC_OK;
}

static struct bytes
integer(uint8_t room[16], int64_t v)
{
	struct dw w = dw_fixed(room, 16);

	dw_int(&w, v);
	return bytes_part(dw_bytes(&w), 2, SIZE_MAX);
}

static MUST enum rc
extensions(struct cil_making *m, struct exts *l, struct err *e)
{
	uint8_t number[16], base[16];
	const struct ext_value all[] = {
		{ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = m->w->p->authority->key_id } },
		{ .kind = OID_CE_CRL_NUMBER, .number = integer(number, m->row.last_number) },
		{ .kind = OID_CE_DELTA_CRL, .critical = true, .number = integer(base, m->row.base) },
	};

	l->v = arena_array(m->a, ARRAY_LEN(all), sizeof(*l->v));
	NEED(l->v != NULL, e, CHY_NO_MEMORY, NULL, "extensions");
	for (; l->n < (m->row.delta ? ARRAY_LEN(all) : ARRAY_LEN(all) - 1); l->n++)
		TRY(ext_encode(m->a, &all[l->n], &l->v[l->n], e));
	return RC_OK;
}

static MUST enum rc
ends(struct cil_making *m, bool last, struct sign_crl *ret, struct err *e)
{
	const struct authority *x = m->w->p->authority;
	struct crl_inputs in = { .sigalg = x->sigalg,
				 .issuer = x->subject_in_force,
				 .this_update_at = m->row.this_update,
				 .next_update_at = m->row.next_update,
				 .segment = m->segment,
				 .last = last };
	OWN_DW struct dw head = dw_growing(LIMIT_TBS), tail = dw_growing(LIMIT_TBS);

	TRY(extensions(m, &in.exts, e));
	TRY(crl_head_build(&in, m->entries.n, &head, e));
	TRY(crl_tail_build(&in, &tail, e));
	TRY(dw_dup(&head, m->a, &ret->head, e));
	TRY(dw_dup(&tail, m->a, &ret->tail, e));
	ret->alg = in.sigalg;
	return RC_OK;
}

/* The whole file, and the hash of what is signed. */
static MUST enum rc
put_together(struct cil_making *m, const struct sign_crl *c, struct bytes signature, struct cil_file_row *ret,
	     struct err *e)
{
	OWN(hasher_free)
	struct hasher *digest = hasher_new(HASH_SHA256);
	uint8_t *sum = arena_alloc(m->a, SHA256_LEN);
	OWN_DW struct dw w = dw_growing(SEGMENT_MAX + 2 * LIMIT_TBS);
	struct bytes entries = buf_bytes(&m->entries);

	NEED(digest != NULL && sum != NULL, e, CHY_NO_MEMORY, NULL, "an issuance list");
	hasher_add(digest, c->head);
	hasher_add(digest, entries);
	hasher_add(digest, c->tail);
	hasher_end(digest, sum);
	ret->sha256 = bytes_of(sum, SHA256_LEN);
	TRY(crl_close_build(c->alg, signature, &w, e));
	dw_put(&w, c->tail);
	dw_put(&w, entries);
	dw_put(&w, c->head);
	TRY(crl_open_build(c->head.n + entries.n + c->tail.n, c->alg, signature, &w, e));
	return dw_dup(&w, m->a, &ret->der, e);
}

static MUST enum rc
sign(struct cil_making *m, bool last, struct cil_file_row *ret, uint64_t *ret_position, struct err *e)
{
	char label[KEY_LABEL_MAX];
	struct signed_cert done;
	struct sign_crl c = { .key = key_label(m->w->p->authority->key, label),
			      .context = bytes_str(arena_printf(
				  m->a, "{\"cil\":%lld,\"procedure\":%lld,\"segment\":%u}",
				  (long long)m->row.build, (long long)m->row.procedure_id, m->segment)),
			      .next = m->ends_n > 0 ? next_piece : NULL,
			      .arg = m };

	TRY(ends(m, last, &c, e));
	m->piece = 0;
	TRY(signer_sign_crl(m->w->f->signer, &c, SIGNER_WAIT_MS, m->a, &done, e));
	*ret_position = done.position;
	return put_together(m, &c, done.signature, ret, e);
}

static MUST enum rc
add_leaf(struct cil_making *m, bool last, const struct cil_file_row *file, uint64_t position, struct err *e)
{
	struct arena *a = m->a;
	struct json *o = json_object(a);

	json_set(o, "procedure", json_int(a, m->row.procedure_id));
	json_set(o, "authority", json_int(a, m->w->p->authority->doc->id.v));
	json_set(o, "number", json_int(a, file->number));
	json_set(o, "segment", json_int(a, m->segment));
	json_set(o, "last", json_bool(a, last));
	if (m->row.delta)
		json_set(o, "base", json_int(a, m->row.base));
	json_set(o, "entries", json_int(a, m->in_segment));
	json_set(o, "this_update", json_time(a, m->row.this_update));
	json_set(o, "next_update", json_time(a, m->row.next_update));
	json_set(o, "sha256", json_hex(a, file->sha256));
	json_set(o, "position", json_int(a, (int64_t)position));
	return leaf_add(m->w->f, a, m->change, LEAF_CIL, 0, m->row.procedure_id, o, e);
}

static void
end_piece(struct cil_making *m)
{
	size_t was = m->ends_n > 0 ? m->ends[m->ends_n - 1] : 0;

	if (m->entries.n > was && m->ends_n < PIECES_MAX)
		m->ends[m->ends_n++] = m->entries.n;
}

static MUST enum rc
end_segment(struct cil_making *m, bool last, struct err *e)
{
	struct cil_file_row file = { .build = m->row.build,
				     .segment = ++m->segment,
				     .number = m->row.last_number + 1 };
	struct change *c;
	uint64_t position = 0;

	end_piece(m);
	NEED(buf_ok(&m->entries), e, CHY_NO_MEMORY, NULL, "an issuance list");
	m->row.last_number = file.number;
	TRY(sign(m, last, &file, &position, e));
	FAULT("cil.signed");
	TRY(add_leaf(m, last, &file, position, e));
	c = change_new();
	change_put_cil_file(c, &file);
	TRY(store_commit(m->w->f->store, c, e));
	FAULT("cil.stored");
	m->entries.n = m->ends_n = 0;
	m->row.entries += m->in_segment;
	m->in_segment = 0;
	arena_free(m->a);
	m->a = arena_new(SEGMENT_ARENA);
	NEED(m->a != NULL, e, CHY_NO_MEMORY, NULL, "an issuance list");
	return RC_OK;
}

/* ---- its entries ---- */

static MUST enum rc
put(struct cil_making *m, const struct certificate_row *r, struct err *e)
{
	const struct cil_entry x = { r->serial, id_at_ms(r->id) / SECOND_MS * SECOND_MS, r->fingerprint };
	uint8_t room[ENTRY_MAX];
	struct dw w = dw_fixed(room, sizeof(room));
	size_t was;

	if (!m->w->p->keep_expired && r->not_after < m->row.this_update)
		return RC_OK;
	if (m->in_segment == m->w->p->per_file) /* another comes, so this one is not the last */
		TRY(end_segment(m, false, e));
	TRY(cil_entry_build(&x, &w, e));
	was = m->ends_n > 0 ? m->ends[m->ends_n - 1] : 0;
	if (m->entries.n - was + dw_mark(&w) > PIECE)
		end_piece(m);
	buf_put(&m->entries, dw_bytes(&w));
	m->in_segment++;
	return RC_OK;
}

static MUST enum rc
gather_complete(struct cil_making *m, struct err *e)
{
	int64_t issuer = m->w->p->authority->doc->id.v;
	uint8_t after[LIMIT_SERIAL];
	struct bytes last = bytes_of(after, 0);
	size_t n = 1;

	while (n > 0) {
		OWN(arena_free)
		struct arena *a = NULL;
		struct certificate_row *rows;
		size_t limit = LIMIT_PAGE;

		TRY(PAGE_READ(a, limit, PAGE_ARENA, e,
			      store_issued(m->w->f->store, a, issuer, last, limit, &rows, &n, e)));
		for (size_t i = 0; i < n; i++)
			TRY(put(m, &rows[i], e));
		if (n == 0)
			break;
		NEED(rows[n - 1].serial.n <= sizeof(after), e, CHY_CRL, NULL, "a serial number too long");
		memcpy(after, rows[n - 1].serial.p, rows[n - 1].serial.n);
		last = bytes_of(after, rows[n - 1].serial.n);
	}
	return RC_OK;
}

static int
by_serial(const void *a, const void *b)
{
	return bytes_cmp(((const struct certificate_row *)a)->serial,
			 ((const struct certificate_row *)b)->serial);
}

/* In memory: it is of few, or it is not made. */
static MUST enum rc
gather_delta(struct cil_making *m, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(DELTA_ARENA);
	struct certificate_row *all, *rows;
	size_t total = 0, n;

	all = a != NULL ? arena_array(a, DELTA_MAX, sizeof(*all)) : NULL;
	NEED(all != NULL, e, CHY_NO_MEMORY, NULL, "a delta list");
	for (int64_t at = m->w->complete.place; at < m->row.place; at += PLACES_AT_ONCE) {
		int64_t to = at + PLACES_AT_ONCE < m->row.place ? at + PLACES_AT_ONCE : m->row.place;

		TRY(store_issued_between(m->w->f->store, a, m->w->p->authority->doc->id.v, at, to, &rows, &n,
					 e));
		NEED(total + n <= DELTA_MAX, e, CHY_CRL_DELTA, NULL,
		     "more than %d certificates since list %lld", DELTA_MAX, (long long)m->row.base);
		if (n > 0)
			memcpy(all + total, rows, n * sizeof(*all));
		total += n;
	}
	qsort(all, total, sizeof(*all), by_serial);
	for (size_t i = 0; i < total; i++)
		TRY(put(m, &all[i], e));
	return RC_OK;
}

/* ---- the whole ---- */

/* The signer is asked too: a restored store knows less than it. */
static MUST enum rc
begin(struct cil_making *m, struct err *e)
{
	struct cil_work *w = m->w;
	char label[KEY_LABEL_MAX];
	struct signer_last_crl last;
	int64_t known = w->complete.last_number > w->delta.last_number ? w->complete.last_number
								       : w->delta.last_number;

	TRY(signer_crl_last(w->f->signer, key_label(w->p->authority->key, label), oid_der(OID_CERT_HASH),
			    SIGNER_WAIT_MS, &last, e));
	if ((int64_t)last.number > known)
		known = (int64_t)last.number;
	m->row = (struct cil_row){
		.procedure_id = w->p->doc->id.v,
		.delta = w->plan.what == CIL_DELTA,
		.build = factory_new_id(w->f),
		.number = known + 1,
		.last_number = known,
		.base = w->plan.what == CIL_DELTA ? w->complete.last_number : 0,
		.this_update = w->plan.this_update_ms,
		.next_update = w->plan.next_update_ms,
		.timing = w->p->timing,
	};
	/* before the first page: what gets its place while we read stands in the next delta list too, and is never missed */
	return store_tree_size(w->f->store, &m->row.place, e);
}

/* The name by which deliveries know a segment; a new one, the first time. */
static MUST enum rc
list_name(struct cil_making *m, struct change *c, unsigned segment, int64_t *ret, struct err *e)
{
	struct cil_list_row row;
	struct err why = { 0 };

	if (store_cil_list_of(m->w->f->store, m->a, m->row.procedure_id, m->row.delta, segment, &row, &why) !=
	    RC_OK) {
		NEED(why.code == CHY_STORE_NOT_FOUND, e, why.code, NULL, "%s", why.text);
		row = (struct cil_list_row){ factory_new_id(m->w->f), m->row.procedure_id, m->row.delta,
					     segment };
		change_put_cil_list(c, &row);
	}
	*ret = row.id;
	return RC_OK;
}

static MUST enum rc
deliver(struct cil_making *m, struct change *c, struct outbox_row **ret, struct err *e)
{
	const struct cil_procedure *p = m->w->p;
	struct list_delivery how = { "cil", 0, p->doc->id.v, BYTES("der"), p->rules, p->rules_n };
	struct outbox_row *rows;

	*ret = arena_array(m->a, m->segment * p->rules_n, sizeof(**ret));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "deliveries");
	for (unsigned i = 0; i < m->segment && p->rules_n > 0; i++) {
		TRY(list_name(m, c, i + 1, &how.object, e));
		TRY(list_deliver(m->w->f, m->a, c, &how, &rows, e));
		memcpy(*ret + i * p->rules_n, rows, p->rules_n * sizeof(*rows));
	}
	return RC_OK;
}

static MUST enum rc
enforce(struct cil_making *m, struct err *e)
{
	struct cil_work *w = m->w;
	struct change *c = m->change;
	struct outbox_row *deliveries;

	TRY(deliver(m, c, &deliveries, e));
	m->change = NULL;
	if (!m->row.delta && w->complete.build != 0)
		change_drop_cil(c, m->row.procedure_id, false, w->complete.build);
	if (w->delta.build != 0) /* to the complete list that goes, or the one before */
		change_drop_cil(c, m->row.procedure_id, true, w->delta.build);
	change_put_cil(c, &m->row);
	TRY(store_commit(w->f->store, c, e));
	list_coalesce(w->f, m->a, deliveries, m->segment * w->p->rules_n);
	LOG(INFO, "cil.built", LI("procedure", m->row.procedure_id), LI("number", m->row.number),
	    LI("delta", m->row.delta), LI("entries", m->row.entries), LI("segments", m->segment));
	FAULT("cil.in-force");
	return RC_OK;
}

static MUST enum rc
make(struct cil_making *m, struct err *e)
{
	struct change *tidy = change_new();

	change_tidy_cil_files(tidy, m->row.build);
	TRY(store_commit(m->w->f->store, tidy, e)); /* what a crash left */
	TRY(m->row.delta ? gather_delta(m, e) : gather_complete(m, e));
	TRY(end_segment(m, true, e)); /* also of a list without a certificate: it says that there is none */
	return enforce(m, e);
}

enum rc
cil_build(struct cil_work *w, struct err *e)
{
	struct cil_making *m = calloc(1, sizeof(*m));
	enum rc rc;

	NEED(m != NULL, e, CHY_NO_MEMORY, NULL, "an issuance list");
	m->w = w;
	m->a = arena_new(SEGMENT_ARENA);
	m->entries = buf_max(SEGMENT_MAX);
	m->change = change_new();
	rc = m->a != NULL ? begin(m, e) : err_set(e, CHY_NO_MEMORY, NULL, "an issuance list");
	if (rc == RC_OK)
		rc = make(m, e);
	change_free(m->change);
	buf_fini(&m->entries);
	arena_free(m->a);
	free(m);
	return rc;
}
