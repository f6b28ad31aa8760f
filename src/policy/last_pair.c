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

/* Whether two different people of Root have the role. */
static bool
has_pair(const struct snapshot *s, enum role role, const struct change_of *c)
{
	const roles all = ROLES(ROLE_USE_AWB) | ROLES(role);
	const struct document *const *docs;
	size_t n = snapshot_list(s, KIND_OFFICER, &docs), found = 0;
	struct officer people[PAIR];

	for (size_t i = 0; i < n && found < PAIR; i++) {
		const struct officer *now = snapshot_officer(s, doc_officer(docs[i]->id));
		struct officer o;

		if (now == NULL)
			continue;
		o = officer_after(s, now, c);
		if (o.active && (o.roles & all) == all && doc_id_is_none(o.domain) &&
		    (found == 0 || !is_same_person(&people[0], &o)))
			people[found++] = o;
	}
	return found == PAIR;
}

enum rc
last_pair_stays(const struct snapshot *s, enum kind_id kind, struct doc_id changed, const struct json *body,
		struct err *e)
{
	static const struct change_of nothing = { .kind = KIND_NONE };
	const struct change_of c = { kind, changed, body };

	if ((kind != KIND_OFFICER && kind != KIND_OFFICER_PROFILE) || doc_id_is_none(changed))
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		NEED(!has_pair(s, needed[i], &nothing) || has_pair(s, needed[i], &c), e, CHY_LAST_PAIR, NULL,
		     "fewer than two people of Root would have the role \"%s\": make another officer first",
		     role_label(needed[i]));
	return RC_OK;
}
