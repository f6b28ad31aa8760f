#include "base/base.h"
#include "factory/documents.h"

#include "factory/ca_list.h"
#include "factory/leaf.h"
#include "factory/page.h"
#include "factory/standing.h"
#include "model/choices.h"
#include "policy/document.h"
#include "policy/find.h"
#include "policy/path.h"
#include "policy/rights.h"
#include "store/change.h"
#include "store/read.h"

static struct json *
row_json(struct arena *a, const struct snapshot *policy, const struct document_row *row)
{
	const struct document *d = snapshot_document(policy, doc_id_of(row->id));
	const char *path = d ? path_of(policy, a, d) : NULL;
	struct json *o = json_object(a), *body;
	struct unusable why = snapshot_unusable(policy, doc_id_of(row->id));

	if (json_parse(a, row->body, &body, NULL) != RC_OK)
		return NULL;
	json_set(o, "id", json_int(a, row->id));
	json_set(o, "kind", json_str(a, row->kind));
	json_set(o, "version", json_int(a, row->version));
	json_set(o, "name", json_str(a, row->name));
	json_set(o, "path", path ? json_str(a, bytes_str(path)) : json_null(a));
	json_set(o, "state", json_str(a, row->state));
	json_set(o, "at", json_time(a, row->at));
	json_set(o, "request", row->request_id ? json_int(a, row->request_id) : json_null(a));
	json_set(o, "unusable", why.code != CHY_NONE ? json_str(a, bytes_str(why.text)) : json_null(a));
	json_set(o, "body", body);
	return o;
}

/* Why none of the officer's certificates acts: of that which is nearest to it. NULL: that cannot be told. */
static const char *
why_silent(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *o)
{
	static const char *const names[] = { "expired", "revoked", "not-yet-valid", "held" };
	int64_t now_ms = clock_now_ms();
	struct certificate_row *rows;
	struct err why = { 0 };
	size_t n, best = 0;

	if (officer_certificates(f, a, policy, o, &rows, &n, &why) != RC_OK || n == 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct certificate_row *c = &rows[i];
		size_t is = c->not_after <= now_ms     ? 0
		    : c->status == CERTIFICATE_REVOKED ? 1
		    : c->status == CERTIFICATE_HELD    ? 3
						       : 2;

		best = is > best ? is : best;
	}
	return names[best];
}

/* Of an open officer: until when one of the certificates that stand for him or her acts; null: none does, and acts_not says why. */
static enum rc
add_standing(struct factory *f, struct arena *a, const struct snapshot *policy, int64_t id, struct json *o,
	     struct err *e)
{
	const struct officer *x = snapshot_officer(policy, doc_officer(doc_id_of(id)));
	struct standing last;
	const char *why;

	if (x == NULL || !x->active || o == NULL)
		return RC_OK;
	TRY(officer_standing(f, a, policy, x, clock_now_ms(), &last, e));
	json_set(o, "acts_until",
		 last.not_after_ms > 0 && last.not_after_ms < INT64_MAX ? json_time(a, last.not_after_ms)
									: json_null(a));
	if (last.not_after_ms == 0 && (why = why_silent(f, a, policy, x)) != NULL)
		json_set(o, "acts_not", json_str(a, bytes_str(why)));
	return RC_OK;
}

static enum rc
shown(struct factory *f, struct arena *a, const struct snapshot *policy, const struct document_row *row,
      struct json **ret, struct err *e)
{
	*ret = row_json(a, policy, row);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	if (bytes_is(row->kind, kind_name(KIND_AUTHORITY)))
		json_set(*ret, "ca_certificate",
			 ca_certificate_json(a, snapshot_authority(policy, doc_id_of(row->id))));
	return bytes_is(row->kind, kind_name(KIND_OFFICER)) ? add_standing(f, a, policy, row->id, *ret, e)
							    : RC_OK;
}

static bool
sees(const struct snapshot *policy, const struct officer *who, int64_t id)
{
	const struct document *d = snapshot_document(policy, doc_id_of(id));

	return d != NULL && may_read(policy, who, d, NULL) == RC_OK;
}

static struct json *
page(struct arena *a, struct json *items, int64_t next)
{
	struct json *o = json_object(a);

	json_set(o, "items", items);
	json_set(o, "next", next ? json_int(a, next) : json_null(a));
	return o;
}

/* Whether a document lies in the domain or below it; a domain lies in itself. */
static bool
lies_in(const struct snapshot *policy, const struct document *view, int64_t id)
{
	const struct document *d = snapshot_document(policy, doc_id_of(id));

	if (view == NULL || d == NULL)
		return view == NULL;
	return domain_is_above(policy, view->id, d->kind == KIND_DOMAIN ? d->id : d->domain);
}

enum rc
document_view(const struct snapshot *policy, const struct officer *who, struct bytes domain,
	      const struct document **ret, struct err *e)
{
	*ret = NULL;
	if (domain.n == 0)
		return RC_OK;
	TRY_AT(find_document(policy, KIND_DOMAIN, domain, who->domain, ret, e), e, "domain");
	if (!domain_is_above(policy, who->domain, (*ret)->id)) {
		err_field(e, "domain");
		FAIL(e, CHY_DOMAIN_HIDDEN, NULL, "a view is narrowed to a domain at or below one's own");
	}
	return RC_OK;
}

/* Whether a token procedure makes tokens of this kind. */
static bool
is_medium(const struct snapshot *policy, struct bytes storage, int64_t id)
{
	const struct token_procedure *t = snapshot_token_procedure(policy, doc_id_of(id));

	return storage.n == 0 || (t != NULL && bytes_is(storage, storage_profile_name(t->storage)));
}

static enum rc
check_medium(const struct document_query *q, struct err *e)
{
	if (q->storage.n == 0)
		return RC_OK;
	err_field(e, "storage_profile");
	NEED(q->kind == KIND_TOKEN_PROCEDURE, e, CHY_FIELD_UNAVAILABLE, NULL,
	     "token procedures only have one");
	NEED(choice_index(storage_choices, q->storage) >= 0, e, CHY_FIELD_CHOICE, NULL,
	     "\"%.*s\" is no storage profile", BYTES_FMT(bytes_part(q->storage, 0, 60)));
	err_clear(e);
	return RC_OK;
}

/* The one that is meant by what people call it. */
static enum rc
list_named(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   const struct document_query *q, struct json **ret, struct err *e)
{
	struct json *items = json_array(a), *o;
	const struct document *d;

	TRY_AT(find_document(policy, q->kind, q->named, who->domain, &d, e), e, "named");
	TRY(document_show(f, a, policy, who, q->kind, d->id, 0, &o, e));
	json_add(items, o);
	*ret = page(a, items, 0);
	return RC_OK;
}

enum rc
document_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	      const struct document_query *q, struct json **ret, struct err *e)
{
	struct json *items = json_array(a), *item;
	const struct document *view;
	struct document_row *rows;
	struct err why = { 0 };
	size_t n;

	TRY(check_medium(q, e));
	if (q->named.n > 0)
		return list_named(f, a, policy, who, q, ret, e);
	TRY(document_view(policy, who, q->domain, &view, e));
	TRY(store_documents(f->store, a, bytes_str(kind_name(q->kind)), q->state, q->name, q->after, q->limit,
			    &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (sees(policy, who, rows[i].id) && lies_in(policy, view, rows[i].id) &&
		    is_medium(policy, q->storage, rows[i].id)) {
			TRY(shown(f, a, policy, &rows[i], &item, e));
			json_add(items, item);
		}
	*ret = page(a, items, n > 0 && n == q->limit ? rows[n - 1].id : 0);
	if (may_read_kind(who, q->kind, &why) != RC_OK)
		json_set(*ret, "unseen", json_str(a, bytes_str(why.text)));
	return RC_OK;
}

enum rc
document_show(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	      enum kind_id kind, struct doc_id id, int64_t version, struct json **ret, struct err *e)
{
	struct document_row row;
	struct json *names;

	TRY(store_document(f->store, a, id.v, version, &row, e));
	NEED(bytes_is(row.kind, kind_name(kind)) && sees(policy, who, id.v), e, CHY_STORE_NOT_FOUND, NULL,
	     "no %s %lld is to be seen", kind_name(kind), (long long)id.v);
	TRY(shown(f, a, policy, &row, ret, e));
	TRY(document_names(a, policy, who, kind_of(kind), json_get(*ret, "body"), &names, e));
	json_set(*ret, "names", names);
	return RC_OK;
}

/* ---- drafts ---- */

static enum rc
may_draft(const struct snapshot *policy, const struct officer *who, enum kind_id kind,
	  const struct draft_row *row, const struct json *body, struct err *e)
{
	return may_change(policy, who, kind,
			  draft_domain(kind, body, snapshot_officer(policy, officer_id_of(row->owner))), e);
}

static struct json *
draft_json(struct arena *a, const struct draft_row *row, struct json *body)
{
	struct json *o = json_object(a);

	json_set(o, "id", json_int(a, row->id));
	json_set(o, "kind", json_str(a, row->kind));
	json_set(o, "name", json_str(a, row->name));
	json_set(o, "owner", json_int(a, row->owner));
	json_set(o, "officer", json_int(a, row->officer_id));
	json_set(o, "at", json_time(a, row->at));
	json_set(o, "body", body);
	return o;
}

enum rc
draft_load(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   enum kind_id kind, int64_t id, struct draft_row *ret, struct json **ret_body, struct err *e)
{
	TRY(may_role(who, kind_of(kind)->needed, e));
	TRY(store_draft(f->store, a, id, ret, e));
	TRY(json_parse(a, ret->body, ret_body, e));
	NEED(bytes_is(ret->kind, kind_name(kind)) &&
		 may_draft(policy, who, kind, ret, *ret_body, NULL) == RC_OK,
	     e, CHY_STORE_NOT_FOUND, NULL, "no draft %lld of this kind is to be seen", (long long)id);
	return RC_OK;
}

/* Who has read another one may not change this one: it may lie elsewhere by now. */
static enum rc
commit_draft(struct factory *f, struct change *c, int64_t id, struct err *e)
{
	enum rc rc = store_commit(f->store, c, e);

	if (rc == RC_OK || e->code != CHY_STORE_STATE)
		return rc;
	err_clear(e);
	FAIL(e, CHY_DRAFT_CHANGED, NULL, "draft %lld was changed or deleted meanwhile: look at it again",
	     (long long)id);
}

/* Both where it lies and where it is to lie. */
static enum rc
check_draft(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	    enum kind_id kind, const struct json *body, struct draft_row *row, struct json **ret,
	    struct err *e)
{
	struct document_check check = { .kind = kind_of(kind), .policy = policy, .draft = true, .who = who };
	struct json *before;

	if (row->id != 0)
		TRY(draft_load(f, a, policy, who, kind, row->id, row, &before, e));
	TRY(may_role(who, kind_of(kind)->needed, e));
	TRY(document_check(a, &check, body, ret, e));
	TRY_AT(may_draft(policy, who, kind, row, *ret, e), e, kind == KIND_DOMAIN ? "parent" : "domain");
	return RC_OK;
}

enum rc
draft_save(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   enum kind_id kind, int64_t id, const struct json *body, struct json **ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LIMIT_BODY);
	struct draft_row row = { .id = id, .owner = who->id.v };
	struct json *normal;
	struct change *c;
	int64_t was_at;

	TRY(check_draft(f, a, policy, who, kind, body, &row, &normal, e));
	was_at = row.at;
	row.name = BYTES_NONE;
	TRY(json_opt_str(normal, "name", &row.name, e));
	json_put_canonical(&text, normal);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "a draft");
	row.id = id ? id : factory_new_id(f);
	row.kind = bytes_str(kind_name(kind));
	row.body = buf_bytes(&text);
	row.officer_id = who->id.v;
	row.at = clock_now_ms() > was_at ? clock_now_ms() : was_at + 1;
	c = change_new();
	if (id == 0)
		change_put_draft(c, &row);
	else
		change_next_draft(c, &row, was_at);
	FAULT("factory.before-draft");
	TRY(commit_draft(f, c, id, e));
	*ret = draft_json(a, &row, normal);
	return RC_OK;
}

enum rc
draft_show(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   enum kind_id kind, int64_t id, struct json **ret, struct err *e)
{
	struct draft_row row;
	struct json *body;

	TRY(draft_load(f, a, policy, who, kind, id, &row, &body, e));
	*ret = draft_json(a, &row, body);
	return RC_OK;
}

/* Pages of drafts, whoever's, until one is full of those that the officer sees: the cursor is one of these, and tells nothing of
   the others. */
struct draft_walk {
	struct factory *f;
	struct arena *a; /* of the answer */
	const struct snapshot *policy;
	const struct officer *who;
	enum kind_id kind; /* KIND_NONE: all */
	struct json *items;
	size_t limit;
	int64_t after; /* the last one that was looked at */
	size_t n;      /* of the last page */
};

enum { DRAFTS_AT_ONCE = 100, DRAFTS_WALKED_MAX = 10000 };

static enum rc
draft_walk_one(struct draft_walk *w, struct arena *scratch, const struct draft_row *row, struct err *e)
{
	const struct kind *k = kind_named(row->kind);
	struct json *body;

	if (k == NULL || may_role(w->who, k->needed, NULL) != RC_OK)
		return RC_OK;
	TRY(json_parse(scratch, row->body, &body, e));
	if (may_draft(w->policy, w->who, k->id, row, body, NULL) == RC_OK)
		json_add(w->items, json_copy(w->a, draft_json(scratch, row, body)));
	return RC_OK;
}

/* What did not fit is read again from where it came to. */
static enum rc
draft_walk_page(struct draft_walk *w, struct arena *scratch, size_t most, struct err *e)
{
	struct bytes kind = w->kind == KIND_NONE ? BYTES_NONE : bytes_str(kind_name(w->kind));
	struct draft_row *rows;

	TRY(store_drafts(w->f->store, scratch, kind, w->after, most, &rows, &w->n, e));
	for (size_t i = 0; i < w->n && w->items->count < w->limit; i++) {
		TRY(draft_walk_one(w, scratch, &rows[i], e));
		w->after = rows[i].id;
	}
	return RC_OK;
}

static enum rc
draft_walk(struct draft_walk *w, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = NULL;
	size_t most = DRAFTS_AT_ONCE;

	for (size_t walked = 0; walked < DRAFTS_WALKED_MAX && w->items->count < w->limit; walked += w->n) {
		TRY(PAGE_READ(scratch, most, PAGE_ARENA, e, draft_walk_page(w, scratch, most, e)));
		if (w->n < most) {
			w->after = w->items->count < w->limit ? 0 : w->after;
			break;
		}
	}
	return RC_OK;
}

enum rc
draft_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   enum kind_id kind, int64_t after, size_t limit, struct json **ret, struct err *e)
{
	struct draft_walk w = { f, a, policy, who, kind, json_array(a), limit, after, 0 };

	if (kind != KIND_NONE)
		TRY(may_role(who, kind_of(kind)->needed, e));
	NEED(w.items != NULL, e, CHY_NO_MEMORY, NULL, "drafts");
	TRY(draft_walk(&w, e));
	*ret = page(a, w.items, w.after);
	return RC_OK;
}

enum rc
draft_drop(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   enum kind_id kind, int64_t id, struct err *e)
{
	struct draft_row row;
	struct json *body;
	struct change *c;

	TRY(draft_load(f, a, policy, who, kind, id, &row, &body, e));
	c = change_new();
	change_drop_draft(c, id, row.at);
	return commit_draft(f, c, id, e);
}
