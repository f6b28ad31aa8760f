#include "base/base.h"
#include "factory/selections.h"

#include "factory/acts.h"
#include "factory/search.h"
#include "policy/body.h"
#include "policy/rights.h"
#include "store/read.h"

enum {
	KEPT_MS = 86400000,       /* behind the last change */
	LOOKED_MOST = LIMIT_PAGE, /* found certificates that one call looks at */
	AT_ONCE = LIMIT_BULK,     /* judged in one arena */
};

struct selection {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	struct selection_row row;
	const struct act_row *of;
	struct act act;
	struct json *body; /* the act's, without certificates */
	int64_t *ids;      /* room for of->selects */
	size_t n;
};

/* ---- as it is kept ---- */

static enum rc
find_act(struct selection *s, struct bytes name, struct err *e)
{
	s->act = act_of(name);
	s->of = s->act.verb == ACT_NONE ? NULL : act_row_of(s->act);
	if (s->of == NULL || s->of->selects == 0) {
		err_field(e, "act");
		FAIL(e, s->of == NULL ? CHY_ACT_UNKNOWN : CHY_SELECTION_ACT, NULL,
		     s->of == NULL ? "\"%.*s\" is no act" : "no certificates are selected for \"%.*s\"",
		     BYTES_FMT(bytes_part(name, 0, 80)));
	}
	s->ids = arena_array(s->a, s->of->selects, sizeof(*s->ids));
	NEED(s->ids != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	return RC_OK;
}

static enum rc
load(struct selection *s, int64_t id, struct err *e)
{
	struct json *kept, *list;
	enum rc rc;

	rc = store_selection(s->f->store, s->a, id, &s->row, e);
	if (rc == RC_NOT_FOUND)
		err_clear(e); /* told as another officer's is */
	else
		TRY(rc);
	NEED(rc == RC_OK && s->row.officer_id == s->who->id.v && s->row.at >= clock_now_ms() - KEPT_MS, e,
	     CHY_STORE_NOT_FOUND, NULL, "the officer has no selection %lld", (long long)id);
	TRY(find_act(s, s->row.act, e));
	TRY(json_parse(s->a, s->row.body, &kept, e));
	TRY(json_need_object(kept, "body", &s->body, e));
	TRY(json_need_array(kept, "certificates", &list, e));
	JSON_EACH(x, list)
	if (s->n < s->of->selects)
		s->ids[s->n++] = x->integer;
	return RC_OK;
}

static struct json *
ids_json(struct arena *a, const int64_t *ids, size_t n)
{
	struct json *list = json_array(a);

	for (size_t i = 0; i < n; i++)
		json_add(list, json_int(a, ids[i]));
	return list;
}

static enum rc
commit(struct selection *s, struct change *c, bool is_new, struct err *e)
{
	enum rc rc = store_commit(s->f->store, c, e);

	if (rc == RC_OK || e->code != CHY_STORE_STATE)
		return rc;
	err_clear(e);
	if (is_new)
		FAIL(e, CHY_LIMIT, NULL, "the officer has %d selections already: submit or drop one",
		     LIMIT_SELECTIONS);
	FAIL(e, CHY_SELECTION_CHANGED, NULL, "selection %lld was changed or submitted meanwhile",
	     (long long)s->row.id);
}

static enum rc
keep(struct selection *s, bool is_new, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LIMIT_BODY);
	struct json *kept = json_object(s->a);
	int64_t was_at = s->row.at, now = clock_now_ms();
	struct change *c;

	json_set(kept, "body", json_copy(s->a, s->body));
	json_set(kept, "certificates", ids_json(s->a, s->ids, s->n));
	json_put_canonical(&text, kept);
	NEED(kept != NULL && buf_ok(&text), e, CHY_TOO_LONG, NULL, "a selection");
	s->row.body = buf_bytes(&text);
	s->row.at = now > was_at ? now : was_at + 1;
	c = change_new();
	if (is_new)
		change_put_selection(c, &s->row, LIMIT_SELECTIONS);
	else
		change_next_selection(c, &s->row, was_at);
	FAULT("factory.before-selection");
	return commit(s, c, is_new, e);
}

/* ---- who is taken ---- */

static bool
has(const struct selection *s, int64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->ids[i] == id)
			return true;
	return false;
}

/* What a call has done. */
struct tally {
	struct json *refused;
	int64_t added, removed, already, searched;
	struct json *next; /* of a search: where it goes on; NULL: there was none */
	bool full;
};

static void
refuse(struct selection *s, struct tally *t, const struct act_verdict *v)
{
	struct json *o = json_object(s->a);

	json_set(o, "certificate", json_int(s->a, v->certificate));
	json_set(o, "problem", problem_json(s->a, &v->why));
	json_add(t->refused, o);
}

/* At most AT_ONCE; what they would come to is judged in memory of its own. */
static enum rc
take_some(struct selection *s, const int64_t *ids, size_t n, struct tally *t, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = arena_new(LIMIT_REQUEST_ARENA);
	struct act_verdicts v;

	NEED(scratch != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	TRY(request_judge(s->f, scratch, s->policy, s->who, s->act, s->body, ids, n, &v, e));
	for (size_t i = 0; i < v.n; i++) {
		if (v.v[i].why.code != CHY_NONE) {
			refuse(s, t, &v.v[i]);
		} else if (s->n < s->of->selects) {
			s->ids[s->n++] = v.v[i].certificate;
			t->added++;
		} else {
			t->full = true;
		}
	}
	return RC_OK;
}

/* Those that are not there yet; each once. */
static enum rc
take(struct selection *s, const int64_t *ids, size_t n, struct tally *t, struct err *e)
{
	for (size_t i = 0; i < n;) {
		int64_t some[AT_ONCE];
		size_t k = 0;

		for (; i < n && k < AT_ONCE; i++) {
			bool twice = has(s, ids[i]);

			for (size_t j = 0; j < k; j++)
				twice |= some[j] == ids[i];
			t->already += twice;
			if (!twice)
				some[k++] = ids[i];
		}
		if (k > 0)
			TRY(take_some(s, some, k, t, e));
	}
	return RC_OK;
}

static enum rc
read_ids(struct selection *s, const struct json *list, const char *member, int64_t **ret, struct err *e)
{
	size_t n = 0;

	NEED(list->count <= s->of->selects, e, CHY_LIMIT, NULL, "at most %zu certificates", s->of->selects);
	*ret = arena_array(s->a, list->count + 1, sizeof(**ret));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	JSON_EACH(x, list)
	{
		if (x->type != JSON_INT || x->integer < 1) {
			err_field(e, "%s[%zu]", member, n);
			FAIL(e, CHY_JSON_TYPE, NULL, "a certificate's id");
		}
		(*ret)[n++] = x->integer;
	}
	return RC_OK;
}

static enum rc
add(struct selection *s, const struct json *in, const char *member, struct tally *t, struct err *e)
{
	const struct json *list = json_get(in, member);
	int64_t *ids;

	if (list == NULL || list->type == JSON_NULL)
		return RC_OK;
	NEED(list->type == JSON_ARRAY, e, CHY_JSON_TYPE, NULL, "a list of certificates' ids");
	TRY_AT(read_ids(s, list, member, &ids, e), e, "%s", member);
	TRY(take(s, ids, list->count, t, e));
	if (t->full) {
		err_field(e, "%s", member);
		FAIL(e, CHY_LIMIT, NULL, "a selection for it has at most %zu certificates", s->of->selects);
	}
	return RC_OK;
}

/* One that is not selected is no error: it is out. */
static enum rc
take_out(struct selection *s, const struct json *in, struct tally *t, struct err *e)
{
	const struct json *list = json_get(in, "remove");
	int64_t *ids;

	if (list == NULL || list->type == JSON_NULL)
		return RC_OK;
	NEED(list->type == JSON_ARRAY, e, CHY_JSON_TYPE, NULL, "a list of certificates' ids");
	TRY_AT(read_ids(s, list, "remove", &ids, e), e, "remove");
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < s->n; j++)
			if (s->ids[j] == ids[i]) {
				memmove(&s->ids[j], &s->ids[j + 1], (s->n - j - 1) * sizeof(*s->ids));
				s->n--;
				t->removed++;
				break;
			}
	return RC_OK;
}

/* ---- found ones ---- */

/* One page of what is found. *ret_more: another one follows, from q->after on. */
static enum rc
take_page(struct selection *s, struct search_query *q, struct tally *t, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = arena_new(LIMIT_REQUEST_ARENA);
	struct json *page;
	const struct json *next;
	int64_t ids[AT_ONCE];
	size_t n = 0;

	NEED(scratch != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	TRY(search_run(s->f, scratch, s->policy, s->who, q, &page, e));
	JSON_EACH(x, json_get(page, "items"))
	if (n < AT_ONCE)
		ids[n++] = body_int(x, "id", 0);
	TRY(take(s, ids, n, t, e));
	t->searched += (int64_t)n;
	next = json_get(page, "next");
	*ret_more = next != NULL && next->type == JSON_STR;
	t->next = t->full ? json_null(s->a)
			  : json_copy(s->a, next); /* who is full has left some of this page */
	NEED(t->next != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	q->after = t->next->str;
	return RC_OK;
}

static enum rc
add_found(struct selection *s, const struct json *in, struct tally *t, struct err *e)
{
	const struct json *wanted = json_get(in, "search");
	struct search_query q;
	bool more = true;

	if (wanted == NULL || wanted->type == JSON_NULL)
		return RC_OK;
	NEED(wanted->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL, "a search: an object");
	TRY_AT(search_read(s->f, s->a, s->policy, wanted, &q, e), e, "search");
	q.limit = AT_ONCE;
	for (size_t pages = 0; more && !t->full && pages < LOOKED_MOST / AT_ONCE; pages++)
		TRY(take_page(s, &q, t, &more, e));
	return RC_OK;
}

/* ---- the calls ---- */

static struct json *
head_json(const struct selection *s)
{
	struct json *o = json_object(s->a);

	json_set(o, "id", json_int(s->a, s->row.id));
	json_set(o, "act", json_str(s->a, s->row.act));
	json_set(o, "body", json_copy(s->a, s->body));
	json_set(o, "at", json_time(s->a, s->row.at));
	json_set(o, "expires_at", json_time(s->a, s->row.at + KEPT_MS));
	json_set(o, "selected", json_int(s->a, (int64_t)s->n));
	return o;
}

static struct json *
tally_json(const struct selection *s, const struct tally *t)
{
	struct json *o = head_json(s);

	json_set(o, "added", json_int(s->a, t->added));
	json_set(o, "removed", json_int(s->a, t->removed));
	json_set(o, "already", json_int(s->a, t->already));
	json_set(o, "refused", t->refused);
	if (t->next != NULL) {
		json_set(o, "searched", json_int(s->a, t->searched));
		json_set(o, "next", t->next);
		json_set(o, "full", json_bool(s->a, t->full));
	}
	return o;
}

static enum rc
change(struct selection *s, const struct json *in, const char *added, bool is_new, struct json **ret,
       struct err *e)
{
	struct tally t = { .refused = json_array(s->a) };

	TRY_AT(take_out(s, in, &t, e), e, "remove");
	TRY(add(s, in, added, &t, e));
	TRY(add_found(s, in, &t, e));
	TRY(keep(s, is_new, e));
	*ret = tally_json(s, &t);
	NEED(*ret != NULL && t.refused != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	return RC_OK;
}

enum rc
selection_create(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		 const struct json *in, struct json **ret, struct err *e)
{
	static const char *const names[] = { "act", "body", "certificates", "search", NULL };
	struct selection s = { .f = f, .a = a, .policy = policy, .who = who, .body = json_object(a) };
	struct act_verdicts none;
	struct bytes act;

	TRY(json_only(in, names, e));
	TRY(json_need_str(in, "act", &act, e));
	TRY(find_act(&s, act, e));
	if (json_get(in, "body") != NULL)
		TRY(json_need_object(in, "body", &s.body, e));
	if (json_get(s.body, "certificates") != NULL) {
		err_field(e, "body.certificates");
		FAIL(e, CHY_JSON_UNKNOWN, NULL, "they are added to the selection");
	}
	TRY_AT(request_judge(f, a, policy, who, s.act, s.body, NULL, 0, &none, e), e, "body");
	s.row = (struct selection_row){ .id = factory_new_id(f), .officer_id = who->id.v, .act = act };
	return change(&s, in, "certificates", true, ret, e);
}

enum rc
selection_change(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		 int64_t id, const struct json *in, struct json **ret, struct err *e)
{
	static const char *const names[] = { "add", "remove", "search", NULL };
	struct selection s = { .f = f, .a = a, .policy = policy, .who = who };

	TRY(json_only(in, names, e));
	TRY(load(&s, id, e));
	return change(&s, in, "add", false, ret, e);
}

/* ---- looking ---- */

/* What the officer may not see any more is shown by its number alone. */
static struct json *
one_json(struct selection *s, const struct act_verdict *v, const struct certificate_row *rows, size_t n)
{
	struct json *o = json_object(s->a);

	json_set(o, "id", json_int(s->a, v->certificate));
	for (size_t i = 0; i < n && v->why.rc != RC_NOT_FOUND; i++)
		if (rows[i].id == v->certificate) {
			json_set(o, "serial", json_hex(s->a, rows[i].serial));
			json_set(o, "subject", json_str(s->a, rows[i].subject));
			json_set(o, "not_after", json_time(s->a, rows[i].not_after));
		}
	if (v->why.code != CHY_NONE)
		json_set(o, "problem", problem_json(s->a, &v->why));
	return o;
}

static enum rc
show_some(struct selection *s, const int64_t *ids, size_t n, struct json *list, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = arena_new(LIMIT_REQUEST_ARENA);
	struct certificate_row *rows;
	struct act_verdicts v;
	size_t rows_n;

	NEED(scratch != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	TRY(request_judge(s->f, scratch, s->policy, s->who, s->act, s->body, ids, n, &v, e));
	TRY(store_certificates_of(s->f->store, scratch, ids, n, &rows, &rows_n, e));
	for (size_t i = 0; i < v.n; i++)
		json_add(list, one_json(s, &v.v[i], rows, rows_n));
	return RC_OK;
}

/* Where the act itself cannot be done any more (its procedure is closed, a role is gone) the certificates are told by number. */
enum rc
selection_show(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	       int64_t id, struct json **ret, struct err *e)
{
	struct selection s = { .f = f, .a = a, .policy = policy, .who = who };
	struct json *list = json_array(a);
	struct err why = { 0 };
	enum rc rc = RC_OK;

	TRY(load(&s, id, e));
	*ret = head_json(&s);
	for (size_t i = 0; rc == RC_OK && i < s.n; i += AT_ONCE)
		rc = show_some(&s, s.ids + i, s.n - i < AT_ONCE ? s.n - i : AT_ONCE, list, &why);
	if (rc != RC_OK && !is_refusal(rc)) {
		*e = why;
		return rc;
	}
	if (rc != RC_OK) {
		json_set(*ret, "problem", problem_json(a, &why));
		list = json_array(a);
		for (size_t i = 0; i < s.n; i++)
			json_add(list,
				 one_json(&s, &(struct act_verdict){ .certificate = s.ids[i] }, NULL, 0));
	}
	json_set(*ret, "certificates", list);
	NEED(*ret != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	return RC_OK;
}

enum rc
selection_list(struct factory *f, struct arena *a, const struct officer *who, int64_t after, size_t limit,
	       struct json **ret, struct err *e)
{
	struct json *items = json_array(a);
	struct selection_row *rows;
	size_t n;

	TRY(store_selections(f->store, a, who->id.v, clock_now_ms() - KEPT_MS, after, limit, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct json *kept;
		struct selection s = { .f = f, .a = a, .who = who, .row = rows[i] };

		TRY(json_parse(a, rows[i].body, &kept, e));
		TRY(json_need_object(kept, "body", &s.body, e));
		s.n = body_list(kept, "certificates") ? body_list(kept, "certificates")->count : 0;
		json_add(items, head_json(&s));
	}
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", n == limit ? json_int(a, rows[n - 1].id) : json_null(a));
	NEED(*ret != NULL && items != NULL, e, CHY_NO_MEMORY, NULL, "selections");
	return RC_OK;
}

/* ---- the end ---- */

enum rc
selection_drop(struct factory *f, struct arena *a, const struct officer *who, int64_t id, struct err *e)
{
	struct selection s = { .f = f, .a = a, .who = who };
	struct change *c;

	TRY(load(&s, id, e));
	c = change_new();
	change_drop_selection(c, id, s.row.at);
	return commit(&s, c, false, e);
}

/* What was selected by stays as it was selected by. */
static enum rc
complete(struct selection *s, const struct json *more, struct err *e)
{
	JSON_EACH(m, more)
	{
		const char *name = arena_str(s->a, m->name);

		NEED(name != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
		if (json_get(s->body, name) != NULL || strcmp(name, "certificates") == 0) {
			err_field(e, "body.%s", name);
			FAIL(e, CHY_FIELD_CONFLICT, NULL, "the selection says it already");
		}
		json_set(s->body, name, json_copy(s->a, m));
	}
	json_set(s->body, "certificates", ids_json(s->a, s->ids, s->n));
	return RC_OK;
}

enum rc
selection_submit(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		 int64_t id, const struct json *in, struct json **ret, struct err *e)
{
	static const char *const names[] = { "body", NULL };
	struct selection s = { .f = f, .a = a, .policy = policy, .who = who };
	struct json *call = json_object(a), *more = NULL;

	TRY(json_only(in, names, e));
	if (json_get(in, "body") != NULL)
		TRY(json_need_object(in, "body", &more, e));
	TRY(load(&s, id, e));
	TRY(complete(&s, more, e));
	json_set(call, "act", json_str(a, s.row.act));
	json_set(call, "body", s.body);
	NEED(call != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	return request_prepare_selected(f, a, policy, who, call, &s.row, ret, e);
}

enum rc
selections_forget(struct factory *f, struct err *e)
{
	return store_selections_forget(f->store, clock_now_ms() - KEPT_MS, e);
}
