#include "base/base.h"
#include "factory/crl_impl.h"

#include "factory/ca_keys.h"
#include "store/read.h"

enum { AHEAD_MS = 5 * 60 * 1000, WANTED_MAX = 64, ARENA = 128 << 20 };

/* ---- what is there of a procedure ---- */

struct lists {
	struct crl_row *unfinished; /* gathered only: left behind by a crash */
	struct crl_row *planned;
	struct crl_row *current[2]; /* signed: complete, delta */
	int64_t number;             /* the highest */
};

static MUST enum rc
lists_of(struct factory *f, struct arena *a, struct doc_id procedure, struct lists *ret, struct err *e)
{
	struct crl_row *v;
	size_t n;

	*ret = (struct lists){ 0 };
	TRY(store_crls(f->store, a, procedure.v, &v, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (v[i].state != CRL_GATHERED && v[i].number > ret->number)
			ret->number = v[i].number; /* what was never planned has used up none */
		if (v[i].state == CRL_GATHERED)
			ret->unfinished = &v[i];
		else if (v[i].state == CRL_PLANNED)
			ret->planned = &v[i];
		else
			ret->current[v[i].delta != 0] = &v[i];
	}
	return RC_OK;
}

/* ---- when ---- */

static void
wanted_name(char name[WANTED_MAX], struct doc_id procedure, bool delta)
{
	snprintf(name, WANTED_MAX, "crl-wanted-%lld%s", (long long)procedure.v, delta ? "-delta" : "");
}

/* An id, which tells what came first as no clock does: the list that was begun after it answers the wish. */
void
crl_want(struct factory *f, struct change *c, struct doc_id procedure, bool delta)
{
	char name[WANTED_MAX], text[24];

	wanted_name(name, procedure, delta);
	snprintf(text, sizeof(text), "%lld", (long long)factory_new_id(f));
	change_set_setting(c, name, bytes_str(text));
}

static MUST enum rc
is_wanted(struct crl_work *w, const struct crl_row *row, bool delta, bool *ret, struct err *e)
{
	char name[WANTED_MAX];
	struct bytes text;
	struct err why = { 0 };
	int64_t id = 0;

	*ret = false;
	wanted_name(name, w->p->doc->id, delta);
	if (store_setting(w->f->store, w->a, name, &text, &why) != RC_OK) {
		NEED(why.rc == RC_NOT_FOUND, e, why.code, NULL, "%s", why.text);
		return RC_OK;
	}
	TRY(int_parse(text, 0, INT64_MAX, &id, e));
	*ret = row == NULL || id > row->id;
	return RC_OK;
}

/* One from the future comes from a clock that went wrong: it says nothing of what is revoked now. */
static bool
is_due(const struct crl_row *row, struct duration every, int64_t now)
{
	return row == NULL || now >= duration_add(row->this_update, every) ||
	    row->this_update > now + AHEAD_MS;
}

/* What is to be made now; *ret false: nothing. With each complete list there is a delta list to it: who has the new one must not
   be left with one to the old one. */
static MUST enum rc
find_work(struct crl_work *w, const struct lists *l, bool *ret, struct err *e)
{
	const struct crl_row *complete = l->current[0], *delta = l->current[1];

	w->delta = false;
	TRY(is_wanted(w, complete, false, ret, e));
	*ret |= is_due(complete, w->p->interval, w->now);
	if (*ret || !w->p->has_delta)
		return RC_OK;
	w->delta = true;
	TRY(is_wanted(w, delta, true, ret, e));
	*ret |= is_due(delta, w->p->delta_interval, w->now) || delta->base != complete->number;
	return RC_OK;
}

/* ---- one procedure ---- */

static bool
is_built_here(const struct crl_procedure *p)
{
	return p != NULL && p->doc->active && p->built && p->why_not.code == CHY_NONE &&
	    p->authority != NULL && p->authority->key != NULL && p->authority->certificate.n > 0;
}

/* The signer is asked too: a restored store knows less than it. */
static MUST enum rc
next_number(struct crl_work *w, const struct lists *l, struct err *e)
{
	char label[KEY_LABEL_MAX];
	struct signer_last_crl last;
	struct ext point;

	TRY(crl_point(w, &point, e));
	TRY(signer_crl_last(w->f->signer, key_label(w->p->authority->key, label), point.value, SIGNER_WAIT_MS,
			    &last, e));
	w->number = (uint64_t)l->number > last.number ? (uint64_t)l->number : last.number;
	w->number++;
	return RC_OK;
}

static MUST enum rc
make(struct crl_work *w, const struct lists *l, struct err *e)
{
	struct lists now;
	struct err why = { 0 };
	enum rc rc;

	TRY(next_number(w, l, e));
	rc = crl_gather(w, &why);
	if (rc != RC_OK && why.code == CHY_CRL_DELTA) { /* a complete list, which a delta list will follow */
		w->delta = false;
		err_clear(&why);
		rc = crl_gather(w, &why);
	}
	NEED(rc == RC_OK, e, why.code, why.std, "%s", why.text);
	TRY(lists_of(w->f, w->a, w->p->doc->id, &now, e));
	return now.planned != NULL ? crl_sign_planned(w, now.planned, e) : RC_OK;
}

static MUST enum rc
work_on(struct factory *f, const struct crl_procedure *p, bool *ret_did, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(ARENA);
	struct crl_work w = { .f = f, .a = a, .p = p, .now = clock_now_ms() / 1000 * 1000 };
	struct lists l;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
	TRY(lists_of(f, a, p->doc->id, &l, e));
	if (l.unfinished != NULL)
		TRY(crl_forget(f, l.unfinished->id, e));
	w.complete = l.current[0];
	if (l.planned !=
	    NULL) { /* a crash came between: the very same list, so that its number is not left out */
		*ret_did = true;
		w.delta = l.planned->delta != 0;
		return crl_sign_planned(&w, l.planned, e);
	}
	TRY(find_work(&w, &l, ret_did, e));
	return *ret_did ? make(&w, &l, e) : RC_OK;
}

enum rc
crls_step(struct factory *f, bool *ret_more, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_CRL_PROCEDURE, &all);
	enum rc rc = RC_OK;

	if (!signer_is_there(f->signer) || doubt_is(&f->doubt))
		return RC_OK;
	for (size_t i = 0; i < n; i++) {
		const struct crl_procedure *p = snapshot_crl_procedure(policy, all[i]->id);
		struct err why = { 0 };
		bool did = false;

		if (!is_built_here(p))
			continue;
		if (work_on(f, p, &did, &why) != RC_OK)
			rc = err_set(e, why.code, why.std, "CRL procedure %lld: %s", (long long)all[i]->id.v,
				     why.text);
		else
			*ret_more |= did;
	}
	return rc;
}

/* ---- handing out ---- */

enum rc
crl_by_procedure(struct factory *f, struct arena *a, struct doc_id procedure, bool delta, struct crl_row *ret,
		 struct err *e)
{
	struct lists l;

	TRY(lists_of(f, a, procedure, &l, e));
	NEED(l.current[delta] != NULL, e, CHY_CRL_NONE, NULL, "no %s list of procedure %lld",
	     delta ? "delta" : "complete", (long long)procedure.v);
	*ret = *l.current[delta];
	return RC_OK;
}

/* "http://host/crl/NAME": does it end so? */
static bool
ends_with(struct bytes address, const char *folder, struct bytes name)
{
	size_t n = strlen(folder);

	return address.n > name.n + n && bytes_eq(bytes_part(address, address.n - name.n, SIZE_MAX), name) &&
	    bytes_eq(bytes_part(address, address.n - name.n - n, n), bytes_str(folder));
}

static bool
has_address(const struct json *list, const char *folder, struct bytes name)
{
	JSON_EACH(address, list)
	{
		if (address->type == JSON_STR && ends_with(address->str, folder, name))
			return true;
	}
	return false;
}

enum rc
crl_by_name(struct factory *f, struct arena *a, struct bytes name, struct crl_row *ret, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_CRL_PROCEDURE, &all);

	for (size_t i = 0; i < n; i++) {
		const struct crl_procedure *p = snapshot_crl_procedure(policy, all[i]->id);

		if (p == NULL || !p->built)
			continue;
		if (has_address(p->points, "/crl/", name))
			return crl_by_procedure(f, a, p->doc->id, false, ret, e);
		if (has_address(p->delta_points, "/crl/", name))
			return crl_by_procedure(f, a, p->doc->id, true, ret, e);
	}
	FAIL(e, CHY_CRL_NONE, NULL, "no CRL procedure has an address that ends with /crl/%.*s",
	     BYTES_FMT(name));
}

enum rc
crl_ends(struct arena *a, const struct crl_row *row, struct bytes *ret_front, struct bytes *ret_back,
	 struct err *e)
{
	enum sigalg s = sigalg_by_name(row->sigalg);
	OWN_DW struct dw front = dw_growing(LIMIT_TBS), back = dw_growing(LIMIT_TBS);

	dw_put(&front, row->head);
	TRY(crl_open_build(row->head.n + (size_t)row->entries_len + row->tail.n, s, row->signature, &front,
			   e));
	TRY(crl_close_build(s, row->signature, &back, e));
	dw_put(&back, row->tail);
	TRY(dw_dup(&front, a, ret_front, e));
	return dw_dup(&back, a, ret_back, e);
}

enum rc
ca_certificate_by_name(struct factory *f, struct arena *a, struct bytes name, struct bytes *ret,
		       struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_AUTHORITY, &all);

	for (size_t i = 0; i < n; i++) {
		const struct authority *x = snapshot_authority(policy, all[i]->id);

		if (x == NULL || x->certificate.n == 0 ||
		    !has_address(json_get(x->doc->body, "ca_issuers_urls"), "/ca/", name))
			continue;
		*ret = arena_dup(a, x->certificate);
		NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
		return RC_OK;
	}
	FAIL(e, CHY_CRL_NONE, NULL, "no authority has an address that ends with /ca/%.*s", BYTES_FMT(name));
}
