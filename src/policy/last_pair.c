#include "base/base.h"
#include "policy/last_pair.h"

#include "policy/body.h"

enum { PAIR = 2 };

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

/* The officer as it would be. */
static struct officer
officer_after(const struct snapshot *s, const struct officer *now, const struct change_of *c)
{
	struct officer o = *now;
	const struct document *profile;

	if (c->kind == KIND_OFFICER_PROFILE && doc_id_eq(o.profile, c->id)) {
		o.roles = body_roles(c->body);
		o.active = o.active && is_active(c->body);
	}
	if (c->kind == KIND_OFFICER && doc_id_eq(officer_doc(o.id), c->id)) {
		profile = snapshot_of_kind(s, KIND_OFFICER_PROFILE, body_ref(c->body, "profile"));
		o.active = is_active(c->body) && profile != NULL && profile->active;
		o.roles = profile ? body_roles(profile->body) : 0;
		o.domain = body_ref(c->body, "domain");
	}
	return o;
}

static bool
is_same_person(const struct officer *x, const struct officer *y)
{
	return memcmp(x->fingerprint, y->fingerprint, FINGERPRINT_LEN) == 0 ||
	    (x->token.n > 0 && bytes_eq(x->token, y->token));
}

static bool
is_gone(const struct officers_gone *gone, struct officer_id id)
{
	for (size_t i = 0; i < gone->n; i++)
		if (gone->v[i].v == id.v)
			return true;
	return false;
}

/* Whether two different people of Root have the role. */
static bool
has_pair(const struct snapshot *s, enum role role, const struct change_of *c,
	 const struct officers_gone *gone)
{
	const roles all = ROLES(ROLE_USE_AWB) | ROLES(role);
	const struct document *const *docs;
	size_t n = snapshot_list(s, KIND_OFFICER, &docs), found = 0;
	struct officer people[PAIR];

	for (size_t i = 0; i < n && found < PAIR; i++) {
		const struct officer *now = snapshot_officer(s, doc_officer(docs[i]->id));
		struct officer o;

		if (now == NULL || is_gone(gone, now->id))
			continue;
		o = officer_after(s, now, c);
		if (o.active && (o.roles & all) == all && doc_id_is_none(o.domain) &&
		    (found == 0 || !is_same_person(&people[0], &o)))
			people[found++] = o;
	}
	return found == PAIR;
}

/* Before and after; what was missing before is not taken away. */
struct view {
	const struct change_of *c;
	const struct officers_gone *gone;
};

static enum rc
pairs_stay(const struct snapshot *s, struct view now, struct view then, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		NEED(!has_pair(s, needed[i], now.c, now.gone) || has_pair(s, needed[i], then.c, then.gone), e,
		     CHY_LAST_PAIR, NULL,
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
