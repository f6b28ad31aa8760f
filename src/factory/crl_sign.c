#include "base/base.h"
#include "factory/crl_impl.h"

#include "factory/ca_keys.h"
#include "factory/leaf.h"
#include "factory/list_delivery.h"
#include "policy/body.h"
#include "store/read.h"

enum { PIECES_AT_ONCE = 2 }; /* the signer has work for as long as it takes to read so many */

/* A planned list on its way to the signer. */
struct sending {
	struct crl_work *w;
	const struct crl_row *row;
	struct arena *page; /* keeps the pieces */
	struct crl_piece_row *v;
	size_t n, at;
	int64_t next;
};

static enum rc
next_piece(void *arg, struct bytes *ret, struct err *e)
{
	struct sending *s = arg;

	*ret = BYTES_NONE;
	if (s->at == s->n && s->next < s->row->pieces) {
		arena_free(s->page);
		s->page = arena_new(64 << 20);
		NEED(s->page != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
		TRY(store_crl_pieces(s->w->f->store, s->page, s->row->id, s->next, PIECES_AT_ONCE, &s->v,
				     &s->n, e));
		NEED(s->n > 0, e, CHY_STORE_NOT_FOUND, NULL, "piece %lld of a revocation list",
		     (long long)s->next);
		s->at = 0;
	}
	if (s->at == s->n)
		return RC_OK;
	*ret = s->v[s->at].entries;
	s->next = s->v[s->at++].n + 1;
	return RC_OK;
}

/* What the signer has signed as this list: it has hashed all of it, and remembers. */
static MUST enum rc
digest_of(struct crl_work *w, const char *label, const struct crl_row *row, struct bytes *ret, struct err *e)
{
	struct signer_last_crl last;
	struct ext point;

	TRY(crl_point(w, &point, e));
	TRY(signer_crl_last(w->f->signer, label, point.value, SIGNER_WAIT_MS, &last, e));
	NEED(last.number == (uint64_t)row->number && (row->delta ? last.delta : last.complete), e,
	     CHY_SIGNER_ANSWER, NULL, "the list %lld is not the last one that the signer knows of",
	     (long long)row->number);
	*ret = arena_dup(w->a, BYTES_OF(last.digest[row->delta != 0]));
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
	return RC_OK;
}

static MUST enum rc
sign(struct crl_work *w, struct crl_row *row, uint64_t *ret_position, struct err *e)
{
	struct sending s = { .w = w, .row = row };
	char label[KEY_LABEL_MAX];
	struct sign_crl c = { .key = key_label(w->p->signer->key, label),
			      .alg = sigalg_by_name(row->sigalg),
			      .head = row->head,
			      .tail = row->tail,
			      .context = bytes_str(arena_printf(w->a, "{\"crl\":%lld,\"procedure\":%lld}",
								(long long)row->id,
								(long long)row->procedure_id)),
			      .next = row->pieces > 0 ? next_piece : NULL,
			      .arg = &s };
	struct signed_cert done;
	enum rc rc;

	rc = signer_sign_crl(w->f->signer, &c, SIGNER_WAIT_MS, w->a, &done, e);
	arena_free(s.page);
	TRY(rc);
	TRY(digest_of(w, c.key, row, &row->sha256, e));
	row->signature = done.signature;
	*ret_position = done.position;
	return RC_OK;
}

/* ---- into force ---- */

static MUST enum rc
add_leaf(struct crl_work *w, struct change *c, const struct crl_row *row, uint64_t position, struct err *e)
{
	struct json *m = json_object(w->a);

	json_set(m, "procedure", json_int(w->a, row->procedure_id));
	json_set(m, "authority", json_int(w->a, w->p->authority->doc->id.v));
	if (w->p->indirect)
		json_set(m, "crl_issuer", json_int(w->a, w->p->signer->doc->id.v));
	if (row->part != 0)
		json_set(m, "partition", json_int(w->a, row->part));
	json_set(m, "number", json_int(w->a, row->number));
	if (row->delta)
		json_set(m, "base", json_int(w->a, row->base));
	json_set(m, "entries", json_int(w->a, row->entries));
	json_set(m, "this_update", json_time(w->a, row->this_update));
	json_set(m, "next_update", json_time(w->a, row->next_update));
	json_set(m, "sha256", json_hex(w->a, row->sha256));
	json_set(m, "position", json_int(w->a, (int64_t)position));
	return leaf_add(w->f, w->a, c, LEAF_CRL, 0, row->procedure_id, m, e);
}

static MUST enum rc
enforce(struct crl_work *w, const struct crl_row *row, uint64_t position, struct outbox_row **ret,
	struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct change *ready;
	const struct list_delivery how = { "crl",           row->list,
					   w->p->doc->id.v, body_text(w->p->doc->body, "format"),
					   w->p->rules,     w->p->rules_n };
	struct crl_row *old;
	size_t n;

	TRY(store_crls(w->f->store, w->a, row->procedure_id, row->part, &old, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (old[i].id == row->id || old[i].delta != row->delta || old[i].state != CRL_SIGNED)
			continue;
		change_drop_crl(c, old[i].id);
		change_drop_crl_pieces(c, old[i].id);
	}
	change_drop_crl(c, row->id);
	change_put_crl(c, row);
	TRY(list_deliver(w->f, w->a, c, &how, ret, e));
	TRY(add_leaf(w, c, row, position, e));
	ready = c;
	c = NULL;
	return store_commit(w->f->store, ready, e);
}

/* What the signer will not sign now, it will not sign later: its time has passed, the limits were tightened, or a number is
   taken. A new plan is made. */
static bool
is_spent(enum rc rc)
{
	return rc == RC_DENIED || rc == RC_CONFLICT || rc == RC_MALFORMED;
}

/* A piece that is damaged or not there: were the next list to share it again, none would ever be signed. */
static bool
has_bad_piece(enum rc rc, const struct err *e)
{
	return rc == RC_MALFORMED || e->code == CHY_STORE_NOT_FOUND;
}

/* The plan goes. After a bad piece the next one shares none with the list in force. */
static MUST enum rc
give_up(struct crl_work *w, const struct crl_row *planned, bool bad_piece)
{
	struct change *c = change_new();
	struct crl_row complete;

	change_drop_crl(c, planned->id);
	change_drop_crl_pieces(c, planned->id);
	if (bad_piece && w->complete != NULL && !planned->delta) {
		complete = *w->complete;
		complete.shape = 0;
		change_drop_crl(c, complete.id);
		change_put_crl(c, &complete);
	}
	return store_commit(w->f->store, c, NULL);
}

enum rc
crl_sign_planned(struct crl_work *w, const struct crl_row *planned, struct err *e)
{
	struct crl_row row = *planned;
	struct outbox_row *deliveries;
	uint64_t position = 0;
	enum rc rc = sign(w, &row, &position, e);

	if (rc != RC_OK && (is_spent(rc) || has_bad_piece(rc, e)) &&
	    give_up(w, planned, has_bad_piece(rc, e)) != RC_OK)
		LOG(WARNING, "crl.left-behind", LI("id", row.id));
	TRY(rc);
	FAULT("crl.signed");
	row.state = CRL_SIGNED;
	TRY(enforce(w, &row, position, &deliveries, e));
	list_coalesce(w->f, w->a, deliveries, w->p->rules_n);
	LOG(INFO, "crl.built", LI("procedure", row.procedure_id), LI("partition", row.part),
	    LI("number", row.number), LI("delta", row.delta), LI("entries", row.entries),
	    LI("pieces", row.pieces), LI("shared", w->shared),
	    LI("ms", (clock_mono_us() - w->begun_us) / 1000));
	FAULT("crl.in-force");
	return RC_OK;
}

enum rc
crl_forget(struct factory *f, int64_t id, struct err *e)
{
	struct change *c = change_new();

	change_drop_crl(c, id);
	change_drop_crl_pieces(c, id);
	return store_commit(f->store, c, e);
}
