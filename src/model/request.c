#include "base/base.h"
#include "model/request.h"

static const struct {
	const char *name, *label;
	bool final;
} states[] = {
#define X(e, name, final, label) { name, label, final },
	REQUEST_STATES(X)
#undef X
};

#define TO(s) (1u << REQUEST_##s)

/* Where a request may go from each state; nowhere from a final one. */
static const unsigned next[REQUEST_STATE_COUNT] = {
	[REQUEST_PREPARED] = TO(WAITING) | TO(SIGNED) | TO(VOID) | TO(EXPIRED) | TO(WITHDRAWN),
	[REQUEST_WAITING] = TO(SIGNED) | TO(VOID) | TO(EXPIRED) | TO(REJECTED) | TO(WITHDRAWN),
	[REQUEST_SIGNED] = TO(DONE) | TO(VOID) | TO(FAILED),
};

static bool
is_state(enum request_state s)
{
	return s >= 0 && s < REQUEST_STATE_COUNT;
}

const char *
request_state_name(enum request_state s)
{
	return is_state(s) ? states[s].name : "";
}

const char *
request_state_label(enum request_state s)
{
	return is_state(s) ? states[s].label : "";
}

enum request_state
request_state_of(struct bytes name)
{
	for (int i = 0; i < REQUEST_STATE_COUNT; i++)
		if (bytes_is(name, states[i].name))
			return (enum request_state)i;
	return REQUEST_STATE_NONE;
}

bool
request_state_is_final(enum request_state s)
{
	return is_state(s) && states[s].final;
}

bool
request_may_become(enum request_state from, enum request_state to)
{
	return is_state(from) && is_state(to) && (next[from] & 1u << to) != 0;
}

int64_t
request_expires_ms(const struct request *r)
{
	if (r->state == REQUEST_PREPARED)
		return r->prepared_at_ms + REQUEST_PREPARED_MS;
	if (r->state == REQUEST_WAITING)
		return r->waiting_at_ms + REQUEST_WAITING_MS;
	return INT64_MAX;
}

/* ---- acts ---- */

static const struct {
	const char *name;
	enum act_verb verb;
	enum kind_id kind;
	roles needed;
	unsigned signatures;
} acts[] = {
	{ "certificate.issue", ACT_ISSUE, KIND_NONE, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_CERTIFICATE),
	  1 },
	{ "attribute-certificate.issue", ACT_ISSUE_ATTRIBUTE, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_ATTRIBUTE_CERTIFICATE), 1 },
	{ "issuing-session.open", ACT_SESSION_OPEN, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_CERTIFICATE), 1 },
	/* issue-certificate and recover-key as its procedure wants them: act_token.c */
	{ "token.issue", ACT_TOKEN_ISSUE, KIND_NONE, ROLES(ROLE_USE_CLIENTS), 1 },
	/* revoke-certificate and the like as each certificate's kind wants them: policy/revoke.c */
	{ "certificate.revoke", ACT_REVOKE, KIND_NONE, ROLES(ROLE_USE_CLIENTS), 1 },
	{ "certificate.hold", ACT_HOLD, KIND_NONE, ROLES(ROLE_USE_CLIENTS), 1 },
	{ "certificate.reinstate", ACT_REINSTATE, KIND_NONE, ROLES(ROLE_USE_CLIENTS), 1 },
	{ "certificate.activate-ocsp", ACT_ACTIVATE_OCSP, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ACTIVATE_OCSP), 1 },
	{ "authority.revoke", ACT_CA_REVOKE, KIND_NONE, ROLES(ROLE_USE_AWB) | ROLES(ROLE_CA_AND_KEY_TASKS),
	  2 },
	/* manage-revocation-password where a password is set or deleted: act_publish.c */
	{ "certificate.publish", ACT_PUBLISH, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE), 1 },
	{ "certificate.unpublish", ACT_UNPUBLISH, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE), 1 },
	{ "delivery.retry", ACT_DELIVERY_RETRY, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE), 1 },
	{ "delivery.drop", ACT_DELIVERY_DROP, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE), 1 },
	{ "crl.build", ACT_CRL_BUILD, KIND_NONE, ROLES(ROLE_USE_AWB) | ROLES(ROLE_MANUAL_BUILD), 1 },
	{ "cil.build", ACT_CIL_BUILD, KIND_NONE, ROLES(ROLE_USE_AWB) | ROLES(ROLE_MANUAL_BUILD), 1 },
	{ "certificate.remove", ACT_REMOVE, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_REVOKE_CERTIFICATE), 2 },
	{ "certificate.import", ACT_IMPORT, KIND_NONE,
	  ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_IMPORT_CERTIFICATES), 1 },
	{ "crl.import", ACT_IMPORT_CRL, KIND_NONE, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_IMPORT_CERTIFICATES),
	  1 },
	{ "officer.renew", ACT_OFFICER_RENEW, KIND_NONE, ROLES(ROLE_USE_AWB) | ROLES(ROLE_OFFICER_TASKS), 2 },
	{ "issuing-session.close", ACT_SESSION_CLOSE, KIND_NONE, 0, 1 },
	{ "request.withdraw", ACT_WITHDRAW, KIND_NONE, 0, 1 },
	{ "request.reject", ACT_REJECT, KIND_NONE, 0, 1 },
	{ "authority.renew", ACT_RENEW, KIND_AUTHORITY, ROLES(ROLE_USE_AWB) | ROLES(ROLE_CA_AND_KEY_TASKS),
	  2 },
	{ "authority.request", ACT_CA_REQUEST, KIND_AUTHORITY,
	  ROLES(ROLE_USE_AWB) | ROLES(ROLE_CA_AND_KEY_TASKS), 2 },
};

bool
act_has_base(struct act a)
{
	return a.verb == ACT_MODIFY || a.verb == ACT_RENEW || a.verb == ACT_CA_REQUEST;
}

bool
act_has_document(struct act a)
{
	return a.verb == ACT_CREATE || act_has_base(a);
}

struct act
act_of(struct bytes name)
{
	struct act none = { ACT_NONE, KIND_NONE };
	struct bytes verb, noun = text_cut(name, '.', &verb);
	const struct kind *k = kind_named(noun);

	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (bytes_is(name, acts[i].name))
			return (struct act){ acts[i].verb, acts[i].kind };
	if (k == NULL)
		return none;
	if (bytes_is(verb, "create"))
		return (struct act){ ACT_CREATE, k->id };
	if (bytes_is(verb, "modify"))
		return (struct act){ ACT_MODIFY, k->id };
	return none;
}

char *
act_name(char *dst, struct act a)
{
	dst[0] = 0;
	if (a.verb == ACT_CREATE || a.verb == ACT_MODIFY)
		snprintf(dst, 64, "%s.%s", kind_name(a.kind), a.verb == ACT_CREATE ? "create" : "modify");
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (acts[i].verb == a.verb)
			snprintf(dst, 64, "%s", acts[i].name);
	return dst;
}

/* An act that stands in no table would be free for all: it gets more than anybody has. */
roles
act_roles(struct act a)
{
	const struct kind *k = a.verb == ACT_CREATE || a.verb == ACT_MODIFY ? kind_of(a.kind) : NULL;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (acts[i].verb == a.verb)
			return acts[i].needed;
	return k ? k->needed : ~(roles)0;
}

unsigned
act_signatures(struct act a)
{
	const struct kind *k = a.verb == ACT_CREATE || a.verb == ACT_MODIFY ? kind_of(a.kind) : NULL;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (acts[i].verb == a.verb)
			return acts[i].signatures;
	return k ? k->signatures : 2;
}
