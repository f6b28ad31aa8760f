#include "base/base.h"
#include "policy/last_pair.h"

#include "policy/body.h"
#include "policy/person.h"
#include "policy/snapshot_impl.h"

enum { PEOPLE_ARENA = 64 << 20 };

/* With these everything else can be given back. */
static const enum role needed[] = { ROLE_OFFICER_TASKS, ROLE_PROFILE_TASKS, ROLE_POLICY_TASKS };

/* What is changed; id none: nothing, as it is now. */
struct change_of {
	enum kind_id kind;
	struct doc_id id;
	const struct json *body;
};

static bool
is_active(const struct json *body)
{
	return !bytes_is(body_text(body, "state"), "closed");
}

/* The officer as it would be: with what the new version says of roles, domain, certificate and token. */
static enum rc
officer_after(struct arena *a, const struct snapshot *s, const struct officer *now, const struct change_of *c,
	      struct officer *ret, struct err *e)
{
	struct officer o = *now;
	const struct document *profile;
	bool bound;

	if (c->kind == KIND_OFFICER_PROFILE && doc_id_eq(o.profile, c->id)) {
		o.roles = body_roles(c->body);
		o.active = o.active && is_active(c->body);
	}
	if (c->kind == KIND_OFFICER && doc_id_eq(officer_doc(o.id), c->id)) {
		profile = snapshot_of_kind(s, KIND_OFFICER_PROFILE, body_ref(c->body, "profile"));
		o.active = is_active(c->body) && profile != NULL && profile->active;
		o.roles = profile ? body_roles(profile->body) : 0;
		o.domain = body_ref(c->body, "domain");
		TRY(officer_take_binding(a, c->body, &o, &bound, e));
		o.active = o.active && bound;
	}
	*ret = o;
	return RC_OK;
}

static bool
is_gone(const struct officers_gone *gone, struct officer_id id)
{
	for (size_t i = 0; i < gone->n; i++)
		if (gone->v[i].v == id.v)
			return true;
	return false;
}

/* Before and after; what was missing before is not taken away. */
struct view {
	const struct change_of *c;
	const struct officers_gone *gone;
};

struct people {
	struct officer *v;
	size_t n;
};

/* The officers of Root that a view has. */
static enum rc
people_of(struct arena *a, const struct snapshot *s, struct view view, struct people *ret, struct err *e)
{
	const struct document *const *docs;
	size_t n = snapshot_list(s, KIND_OFFICER, &docs);

	*ret = (struct people){ arena_array(a, n + 1, sizeof(*ret->v)), 0 };
	NEED(ret->v != NULL, e, CHY_NO_MEMORY, NULL, "officers");
	for (size_t i = 0; i < n; i++) {
		const struct officer *now = snapshot_officer(s, doc_officer(docs[i]->id));
		struct officer *o = &ret->v[ret->n];

		if (now == NULL || is_gone(view.gone, now->id))
			continue;
		TRY(officer_after(a, s, now, view.c, o, e));
		ret->n += o->active && doc_id_is_none(o->domain);
	}
	return RC_OK;
}

/* Whether two of them who are different people have the role. */
static bool
has_pair(const struct people *p, enum role role)
{
	const roles all = ROLES(ROLE_USE_AWB) | ROLES(role);

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < i && (p->v[i].roles & all) == all; k++)
			if ((p->v[k].roles & all) == all &&
			    !is_one_person((struct person){ &p->v[i], NULL },
					   (struct person){ &p->v[k], NULL }))
				return true;
	return false;
}

static enum rc
pairs_stay(const struct snapshot *s, struct view now, struct view then, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(PEOPLE_ARENA);
	struct people before, after;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "officers");
	TRY(people_of(a, s, now, &before, e));
	TRY(people_of(a, s, then, &after, e));
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		NEED(!has_pair(&before, needed[i]) || has_pair(&after, needed[i]), e, CHY_LAST_PAIR, NULL,
		     "fewer than two people of Root would have the role \"%s\": make another officer first",
		     role_label(needed[i]));
	return RC_OK;
}

static const struct change_of nothing = { .kind = KIND_NONE };

enum rc
last_pair_stays(const struct snapshot *s, enum kind_id kind, struct doc_id changed, const struct json *body,
		const struct officers_gone *gone, struct err *e)
{
	const struct change_of c = { kind, changed, body };

	if ((kind != KIND_OFFICER && kind != KIND_OFFICER_PROFILE) || doc_id_is_none(changed))
		return RC_OK;
	return pairs_stay(s, (struct view){ &nothing, gone }, (struct view){ &c, gone }, e);
}

enum rc
last_pair_stays_without(const struct snapshot *s, const struct officers_gone *now,
			const struct officers_gone *then, struct err *e)
{
	return pairs_stay(s, (struct view){ &nothing, now }, (struct view){ &nothing, then }, e);
}

/* ---- until when ---- */

struct lasting {
	struct officer o;
	int64_t until_ms;
};

static int
later_first(const void *x, const void *y)
{
	const struct lasting *a = x, *b = y;

	return a->until_ms < b->until_ms ? 1 : a->until_ms > b->until_ms ? -1 : 0;
}

/* Of Root, with the role, longest first. */
static size_t
lasting_of(const struct snapshot *s, enum role role, const struct officer_end *ends, size_t n,
	   struct lasting *ret)
{
	const roles all = ROLES(ROLE_USE_AWB) | ROLES(role);
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		const struct officer *o = snapshot_officer(s, ends[i].officer);

		if (o != NULL && ends[i].until_ms > 0 && o->active && doc_id_is_none(o->domain) &&
		    (o->roles & all) == all)
			ret[found++] = (struct lasting){ *o, ends[i].until_ms };
	}
	qsort(ret, found, sizeof(*ret), later_first);
	return found;
}

enum rc
last_pair_until(const struct snapshot *s, enum role role, const struct officer_end *ends, size_t n,
		int64_t *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(PEOPLE_ARENA);
	struct lasting *v = a ? arena_array(a, n + 1, sizeof(*v)) : NULL;
	size_t found;

	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "officers");
	*ret = 0;
	found = lasting_of(s, role, ends, n, v);
	for (size_t i = 1; i < found; i++)
		for (size_t k = 0; k < i; k++)
			if (!is_one_person((struct person){ &v[i].o, NULL },
					   (struct person){ &v[k].o, NULL })) {
				*ret = v[i].until_ms; /* who comes later lasts no longer */
				return RC_OK;
			}
	return RC_OK;
}

enum rc
last_pairs_until(const struct snapshot *s, const struct officer_end *ends, size_t n, int64_t *ret,
		 enum role *ret_role, struct err *e)
{
	*ret = INT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		int64_t until;

		TRY(last_pair_until(s, needed[i], ends, n, &until, e));
		if (until >= *ret)
			continue;
		*ret = until;
		*ret_role = needed[i];
	}
	return RC_OK;
}
