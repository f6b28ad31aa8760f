#include "base/base.h"
#include "factory/list_state.h"

#include "base/idgen.h"
#include "factory/cil_impl.h"
#include "factory/crl_impl.h"
#include "factory/leaf.h"
#include "factory/list_wish.h"
#include "policy/path.h"
#include "policy/rights.h"
#include "store/read.h"

enum {
	LATE_MS = 60000, /* a list that is due takes its time; after that something is wrong */
	LOOK_MS = 10000,
	ARENA = 1 << 20,
};

/* The lists of a procedure, complete or delta. */
struct state {
	int64_t n, of; /* how many are in force, and how many there are to be */
	int64_t number, this_update, next_update, entries, octets;
	int64_t first_number; /* of issuance lists: of the first segment */
	int64_t due_at;       /* 0: at once */
	bool is, wanted, late;
};

struct states {
	struct state v[2]; /* complete, delta */
	bool closed, here; /* closed: no more come; here: it is built by this server */
	bool failing;
	struct trouble trouble;
};

static void
judge(struct state *s, bool here, int64_t wish, int64_t now)
{
	if (!s->is || !here)
		return;
	s->late = (s->n > 0 && now > s->due_at + LATE_MS) || (s->wanted && now > id_at_ms(wish) + LATE_MS);
}

/* Why none is built: the last failure, or why its document cannot be used. */
static void
take_trouble(struct factory *f, struct states *x, struct doc_id id, const struct unusable *why)
{
	if (x->closed)
		return;
	x->failing = trouble_of(&f->troubles, id, &x->trouble);
	if (x->failing || why->code == CHY_NONE)
		return;
	x->failing = true;
	x->trouble = (struct trouble){ .of = id, .code = why->code };
	snprintf(x->trouble.text, sizeof(x->trouble.text), "%s", why->text);
}

/* ---- revocation lists ---- */

static struct state *
put_sum(struct states *x, const struct crl_procedure *p, const struct crl_sum_row *r)
{
	struct state *s = &x->v[r->delta != 0];

	s->n = r->n;
	s->number = r->number;
	s->this_update = r->this_update;
	s->next_update = r->next_update;
	s->entries = r->entries;
	s->octets = r->octets;
	s->due_at = duration_add(r->this_update, r->delta ? p->delta_interval : p->interval);
	return s;
}

/* Of a single list the octets of the file, of partitions those of what is signed and of the signatures. */
static MUST enum rc
whole_octets(struct factory *f, struct arena *a, const struct crl_procedure *p, bool delta, struct state *s,
	     struct err *e)
{
	struct bytes front, back;
	struct crl_row row;

	if (p->partitions > 0 || s->n == 0)
		return RC_OK;
	TRY(crl_of(f, a, p->doc->id, 0, delta, &row, e));
	TRY(crl_ends(a, &row, &front, &back, e));
	s->octets = (int64_t)(front.n + back.n) + row.entries_len;
	return RC_OK;
}

static MUST enum rc
crl_states(struct factory *f, struct arena *a, const struct crl_procedure *p, int64_t now, bool sizes,
	   struct states *ret, struct err *e)
{
	int64_t wish[2], first[2] = { 0, 0 };
	struct crl_sum_row *rows;
	size_t n;

	*ret = (struct states){ .closed = crl_is_over(p, now), .here = p->built };
	TRY(store_crl_sums(f->store, a, p->doc->id.v, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct state *s = put_sum(ret, p, &rows[i]);

		if (sizes)
			TRY(whole_octets(f, a, p, rows[i].delta != 0, s, e));
		first[rows[i].delta != 0] = rows[i].first_id;
	}
	for (int delta = 0; delta < 2; delta++) {
		struct state *s = &ret->v[delta];

		s->is = p->built && (!delta || p->has_delta);
		s->of = p->partitions > 0 ? p->partitions : 1;
		TRY(list_wish_of(f, a, KIND_CRL_PROCEDURE, p->doc->id, delta, &wish[delta], e));
		s->wanted = s->is && wish[delta] > 0 && (s->n < s->of || first[delta] < wish[delta]);
		judge(s, ret->here && !ret->closed, wish[delta], now);
	}
	take_trouble(f, ret, p->doc->id, &p->why_not);
	return RC_OK;
}

/* ---- issuance lists ---- */

static MUST enum rc
put_cil(struct factory *f, const struct cil_procedure *p, const struct cil_row *complete,
	const struct cil_row *row, bool delta, bool sizes, struct state *s, struct err *e)
{
	s->is = !delta || p->has_delta;
	s->of = 1;
	s->due_at = complete->build == 0
	    ? 0
	    : cil_due(p, row->build ? row->this_update : complete->this_update, delta);
	if (row->build == 0)
		return RC_OK;
	s->n = 1;
	s->first_number = row->number;
	s->number = row->last_number;
	s->this_update = row->this_update;
	s->next_update = row->next_update;
	s->entries = row->entries;
	return sizes ? store_cil_octets(f->store, row->build, &s->octets, e) : RC_OK;
}

static MUST enum rc
cil_states(struct factory *f, struct arena *a, const struct cil_procedure *p, int64_t now, bool sizes,
	   struct states *ret, struct err *e)
{
	struct cil_row rows[2];
	int64_t wish;

	*ret = (struct states){ .closed = cil_is_over(p, now), .here = true };
	TRY(cil_load(f, a, p->doc->id, &rows[0], &rows[1], e));
	TRY(list_wish_of(f, a, KIND_CIL_PROCEDURE, p->doc->id, false, &wish, e));
	ret->v[0].wanted = wish > rows[0].build;
	for (int delta = 0; delta < 2; delta++) {
		TRY(put_cil(f, p, &rows[0], &rows[delta], delta, sizes, &ret->v[delta], e));
		judge(&ret->v[delta], !ret->closed, wish, now);
	}
	take_trouble(f, ret, p->doc->id, &p->why_not);
	return RC_OK;
}

/* ---- for officers ---- */

static struct json *
time_or_null(struct arena *a, int64_t at_ms)
{
	return at_ms > 0 ? json_time(a, at_ms) : json_null(a);
}

static const char *
word(const struct states *x, const struct state *s, int64_t now)
{
	if (x->closed)
		return "closed";
	if (!x->here)
		return "elsewhere";
	if (s->n > 0 && s->next_update <= now)
		return "ended";
	if (s->late)
		return "late";
	return s->n < s->of ? "missing" : "good";
}

static struct json *
state_json(struct arena *a, const struct states *x, const struct state *s, int64_t now)
{
	struct json *o = json_object(a);

	json_set(o, "state", json_str(a, bytes_str(word(x, s, now))));
	json_set(o, "lists", json_int(a, s->n));
	json_set(o, "number", s->n > 0 ? json_int(a, s->number) : json_null(a));
	if (s->first_number > 0)
		json_set(o, "first_number", json_int(a, s->first_number));
	json_set(o, "this_update", time_or_null(a, s->this_update));
	json_set(o, "next_update", time_or_null(a, s->next_update));
	json_set(o, "entries", json_int(a, s->entries));
	json_set(o, "octets", json_int(a, s->octets));
	json_set(o, "due_at", time_or_null(a, s->due_at));
	json_set(o, "late", json_bool(a, s->late));
	json_set(o, "wanted", json_bool(a, s->wanted));
	return o;
}

static struct json *
failure_json(struct arena *a, const struct states *x)
{
	struct json *o = json_object(a);

	if (!x->failing)
		return json_null(a);
	json_set(o, "code", json_str(a, bytes_str(arena_printf(a, "CHY-%d", (int)x->trouble.code))));
	json_set(o, "title", json_str(a, bytes_str(code_title(x->trouble.code))));
	json_set(o, "text", json_str(a, arena_dup(a, bytes_str(x->trouble.text))));
	json_set(o, "since", time_or_null(a, x->trouble.since_ms));
	return o;
}

static struct json *
issuer_json(struct arena *a, const struct authority *x)
{
	bool has_name = x != NULL && x->subject_in_force.n > 0;

	return has_name ? json_name(a, x->subject_in_force) : json_null(a);
}

static MUST enum rc
states_of(struct factory *f, struct arena *a, const struct snapshot *policy, const struct document *d,
	  int64_t now, bool sizes, struct states *ret, struct err *e)
{
	const struct crl_procedure *crl = snapshot_crl_procedure(policy, d->id);
	const struct cil_procedure *cil = snapshot_cil_procedure(policy, d->id);

	*ret = (struct states){ 0 };
	if (crl != NULL)
		return crl_states(f, a, crl, now, sizes, ret, e);
	return cil != NULL ? cil_states(f, a, cil, now, sizes, ret, e) : RC_OK;
}

static MUST enum rc
item_json(struct factory *f, struct arena *a, const struct snapshot *policy, const struct document *d,
	  struct json **ret, struct err *e)
{
	const struct crl_procedure *crl = snapshot_crl_procedure(policy, d->id);
	const struct cil_procedure *cil = snapshot_cil_procedure(policy, d->id);
	const char *path = path_of(policy, a, d);
	int64_t now = clock_now_ms();
	struct json *o = json_object(a);
	struct states x;

	NEED(path != NULL && o != NULL, e, CHY_NO_MEMORY, NULL, "lists");
	TRY(states_of(f, a, policy, d, now, true, &x, e));
	json_set(o, "procedure", json_int(a, d->id.v));
	json_set(o, "path", json_str(a, bytes_str(path)));
	json_set(o, "issuer", issuer_json(a, crl ? crl->signer : cil ? cil->authority : NULL));
	if (crl != NULL) {
		json_set(o, "indirect", json_bool(a, crl->indirect));
		json_set(o, "partitions", crl->partitions ? json_int(a, crl->partitions) : json_null(a));
	}
	json_set(o, "complete", state_json(a, &x, &x.v[0], now));
	json_set(o, "delta", x.v[1].is ? state_json(a, &x, &x.v[1], now) : json_null(a));
	json_set(o, "failure", failure_json(a, &x));
	*ret = o;
	return RC_OK;
}

enum rc
lists_ask(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	  const struct list_query *q, struct json **ret, struct err *e)
{
	struct json *items = json_array(a), *item;
	const struct document *const *all;
	size_t n = snapshot_list(policy, q->kind, &all), i = 0;
	struct err why = { 0 };

	for (; i < n && items != NULL && items->count < q->limit; i++) {
		if (all[i]->id.v <= q->after || (q->procedure && all[i]->id.v != q->procedure) ||
		    may_read(policy, who, all[i], NULL) != RC_OK)
			continue;
		TRY(item_json(f, a, policy, all[i], &item, e));
		json_add(items, item);
	}
	*ret = json_object(a);
	NEED(items != NULL && *ret != NULL, e, CHY_NO_MEMORY, NULL, "lists");
	json_set(*ret, "items", items);
	json_set(*ret, "next", i > 0 && i < n ? json_int(a, all[i - 1]->id.v) : json_null(a));
	if (may_read_kind(who, q->kind, &why) != RC_OK)
		json_set(*ret, "unseen", json_str(a, arena_dup(a, bytes_str(why.text))));
	return RC_OK;
}

/* ---- figures ---- */

static MUST enum rc
count(struct factory *f, const struct snapshot *policy, enum kind_id kind, int64_t *late, int64_t *failing,
      struct err *e)
{
	const struct document *const *all;
	size_t n = snapshot_list(policy, kind, &all);

	for (size_t i = 0; i < n; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(ARENA);
		struct states x;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "lists");
		TRY(states_of(f, a, policy, all[i], clock_now_ms(), false, &x, e));
		*late += x.v[0].late || x.v[1].late;
		*failing += x.failing;
	}
	return RC_OK;
}

enum rc
lists_look(struct factory *f, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	struct list_figures *g = &f->lists;
	int64_t crls[2] = { 0, 0 }, cils[2] = { 0, 0 }, mono_ms = clock_mono_us() / 1000;

	if (g->looked_ms != 0 && mono_ms - g->looked_ms < LOOK_MS)
		return RC_OK;
	policy = factory_policy(f);
	TRY(count(f, policy, KIND_CRL_PROCEDURE, &crls[0], &crls[1], e));
	TRY(count(f, policy, KIND_CIL_PROCEDURE, &cils[0], &cils[1], e));
	atomic_store(&g->crls_late, crls[0]);
	atomic_store(&g->crls_failing, crls[1]);
	atomic_store(&g->cils_late, cils[0]);
	atomic_store(&g->cils_failing, cils[1]);
	g->looked_ms = mono_ms;
	return RC_OK;
}

struct json *
lists_json(struct factory *f, struct arena *a, enum kind_id kind)
{
	const struct list_figures *g = &f->lists;
	bool crls = kind == KIND_CRL_PROCEDURE;
	struct json *o = json_object(a);

	json_set(o, "late", json_int(a, atomic_load(crls ? &g->crls_late : &g->cils_late)));
	json_set(o, "failing", json_int(a, atomic_load(crls ? &g->crls_failing : &g->cils_failing)));
	return o;
}
