/*
 * crl.import: a foreign authority's revocation list. It sets the state of the certificates of that authority that are here, and
 * is kept for those that come later. A list that holds no longer what it held before reinstates it; what it revoked stays so.
 */
#include "base/base.h"
#include "factory/import.h"

#include "crypto/digest.h"
#include "policy/body.h"
#include "store/read.h"

enum { ENTRY_ARENA = 256 << 10 };

static enum rc
read_list(struct arena *a, const struct json *body, const struct authority *x, struct crl *ret, struct err *e)
{
	struct bytes text, der;

	TRY(json_need_str(body, "crl", &text, e));
	TRY_AT(base64_parse(a, text, &der, e), e, "crl");
	TRY_AT(import_crl_read(a, x, der, clock_now_ms(), ret, e), e, "crl");
	return RC_OK;
}

static const char *
number_text(struct arena *a, const struct crl *c)
{
	OWN_BUF struct buf b = buf_max(4 * LIMIT_SERIAL);

	hex_put(&b, c->number);
	return c->number.n > 0 ? arena_str(a, buf_bytes(&b)) : "none";
}

enum rc
import_crl_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "authority", "crl", NULL };
	const struct authority *authority;
	struct crl crl;
	char at[32];

	TRY(json_only(p->in, names, e));
	TRY(import_authority(p, &authority, e));
	TRY(read_list(p->a, p->in, authority, &crl, e));
	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	json_set(p->body, "authority", json_int(p->a, authority->doc->id.v));
	act_difference(p->a, p->difference, "crl", BYTES("Revocation list"), BYTES_NONE,
		       bytes_str(arena_printf(
			   p->a, "of \"%.*s\", %s, number %s, %zu entries", BYTES_FMT(authority->doc->name),
			   time_text(at, crl.this_update_at), number_text(p->a, &crl), crl.n)));
	return RC_OK;
}

/* ---- taking effect ---- */

struct listing {
	struct effect *x;
	struct change *c;
	const struct authority *authority;
	struct crl crl;
	char cause[IMPORT_CAUSE_MAX];
	struct json *outcomes;
	int64_t *met; /* certificates that the list names, in its order */
	size_t met_n, changed;
};

static enum rc
not_older(struct listing *l, struct err *e)
{
	struct imported_crl_row *rows;
	struct bytes scope = import_crl_scope(&l->crl);
	size_t n;

	TRY(store_imported_crls(l->x->f->store, l->x->a, l->authority->doc->id.v, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (bytes_eq(rows[i].scope, scope) && rows[i].this_update >= l->crl.this_update_at) {
			char at[32];

			err_field(e, "crl");
			FAIL(e, CHY_IMPORT_OLDER, NULL, "the one of %s", time_text(at, rows[i].this_update));
		}
	return RC_OK;
}

static bool
has_met(const struct listing *l, int64_t id)
{
	for (size_t i = 0; i < l->met_n; i++)
		if (l->met[i] == id)
			return true;
	return false;
}

/* entry NULL: the list does not name it. */
static enum rc
set_state(struct listing *l, int64_t id, const struct crl_entry *entry, struct err *e)
{
	OWN(arena_free)
	struct arena *own = arena_new(ENTRY_ARENA);
	struct import_wish wish = import_crl_wish(entry, bytes_str(l->cause), clock_now_ms());
	struct json *o = json_object(l->x->a);
	struct err why = { 0 };
	struct status_subject s;
	bool any = false;
	enum rc rc;

	NEED(own != NULL && o != NULL, e, CHY_NO_MEMORY, NULL, "an entry of the list");
	TRY(status_load(l->x->f, own, l->x->policy, id, false, &s, e));
	json_set(o, "certificate", json_int(l->x->a, id));
	json_set(o, "serial", json_hex(l->x->a, s.row.serial));
	rc = import_put(l->x, l->c, own, &s, &wish, l->x->request->id, o, &any, &why);
	if (rc != RC_OK && !is_refusal(rc)) {
		*e = why;
		return rc;
	}
	if (rc != RC_OK)
		json_set(o, "problem", problem_json(l->x->a, &why));
	if (rc != RC_OK || any)
		json_add(l->outcomes, o);
	l->changed += any;
	return RC_OK;
}

static enum rc
take_entry(struct listing *l, const struct crl_entry *entry, struct err *e)
{
	OWN(arena_free)
	struct arena *own = arena_new(ENTRY_ARENA);
	struct certificate_row row;
	enum rc rc;

	NEED(own != NULL, e, CHY_NO_MEMORY, NULL, "an entry of the list");
	rc = store_certificate_by_serial(l->x->f->store, own, l->authority->doc->id.v, entry->serial, &row,
					 e);
	if (rc == RC_NOT_FOUND) { /* it is kept with the list, should it come */
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	if (has_met(l, row.id))
		return RC_OK;
	l->met[l->met_n++] = row.id;
	return set_state(l, row.id, entry, e);
}

static enum rc
take_entries(struct listing *l, struct err *e)
{
	struct bytes rest = l->crl.entries;
	struct crl_entry entry;

	l->met = arena_array(l->x->a, l->crl.n + 1, sizeof(*l->met));
	NEED(l->met != NULL, e, CHY_NO_MEMORY, NULL, "the list");
	while (crl_next(&rest, &entry))
		TRY(take_entry(l, &entry, e));
	return RC_OK;
}

/* What a list of this scope held before and names no longer. */
static enum rc
lift_holds(struct listing *l, struct err *e)
{
	struct bytes after = BYTES_NONE;
	size_t n;

	do {
		OWN(arena_free)
		struct arena *own = arena_new(4 << 20);
		struct status_row *rows;

		NEED(own != NULL, e, CHY_NO_MEMORY, NULL, "the list");
		TRY(store_revoked(l->x->f->store, own, l->authority->doc->id.v, after, LIMIT_PAGE, &rows, &n,
				  e));
		for (size_t i = 0; i < n; i++)
			if (rows[i].state == CERTIFICATE_HELD && !has_met(l, rows[i].id))
				TRY(set_state(l, rows[i].id, NULL, e));
		after = n > 0 ? arena_dup(l->x->a, rows[n - 1].serial) : BYTES_NONE;
	} while (n == LIMIT_PAGE);
	return RC_OK;
}

static enum rc
keep_list(struct listing *l, struct err *e)
{
	struct arena *a = l->x->a;
	struct json *m = json_object(a);
	uint8_t sha[SHA256_LEN];
	bool ends = l->crl.next_update_at != CRL_NO_TIME;

	sha256(l->crl.der, sha);
	change_put_imported_crl(l->c,
				&(struct imported_crl_row){ .authority = l->authority->doc->id.v,
							    .scope = import_crl_scope(&l->crl),
							    .this_update = l->crl.this_update_at,
							    .next_update = ends ? l->crl.next_update_at : 0,
							    .number = l->crl.number,
							    .at = clock_now_ms(),
							    .request_id = l->x->request->id.v,
							    .der = l->crl.der });
	json_set(m, "authority", json_int(a, l->authority->doc->id.v));
	json_set(m, "crl_sha256", json_hex(a, BYTES_OF(sha)));
	json_set(m, "this_update", json_time(a, l->crl.this_update_at));
	json_set(m, "entries", json_int(a, (int64_t)l->crl.n));
	json_set(m, "changed", json_int(a, (int64_t)l->changed));
	json_set(m, "by", by_request(a, l->x->request->id));
	return leaf_add(l->x->f, a, l->c, LEAF_IMPORTED_CRL, 0, l->authority->doc->id.v, m, e);
}

static void
put_result(struct listing *l)
{
	struct arena *a = l->x->a;
	struct json *r = l->x->result;
	bool ends = l->crl.next_update_at != CRL_NO_TIME;

	json_set(r, "this_update", json_time(a, l->crl.this_update_at));
	json_set(r, "next_update", ends ? json_time(a, l->crl.next_update_at) : json_null(a));
	json_set(r, "number", l->crl.number.n > 0 ? json_hex(a, l->crl.number) : json_null(a));
	json_set(r, "entries", json_int(a, (int64_t)l->crl.n));
	json_set(r, "here", json_int(a, (int64_t)l->met_n));
	json_set(r, "changed", json_int(a, (int64_t)l->changed));
	json_set(r, "certificates", l->outcomes);
}

enum rc
import_crl_act_apply(struct effect *x, struct change *c, struct err *e)
{
	struct listing l = { .x = x, .c = c, .outcomes = json_array(x->a) };

	NEED(l.outcomes != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(import_authority_signed(x, &l.authority, e));
	TRY(read_list(x->a, x->request->body, l.authority, &l.crl, e));
	import_crl_cause(l.cause, import_crl_scope(&l.crl));
	TRY(not_older(&l, e));
	TRY(take_entries(&l, e));
	TRY(lift_holds(&l, e));
	TRY(keep_list(&l, e));
	put_result(&l);
	FAULT("factory.before-import");
	return RC_OK;
}
