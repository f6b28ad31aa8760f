#include "base/base.h"
#include "policy/revoke.h"

#include "policy/body.h"
#include "policy/names.h"
#include "policy/rights.h"
#include "policy/rules.h"

enum { INVALID_AT_SLACK_MS = 300000 }; /* a clock may be ahead of ours */

static const struct revocation_policy defaults = {
	.reasons = ~0u,
	.unclaimed_after = { .days = 7 },
};

static struct revocation_policy
read_policy(const struct json *body)
{
	struct revocation_policy p = { .unclaimed_after = defaults.unclaimed_after };

	JSON_EACH(x, body_list(body, "reasons"))
	if (x->type == JSON_STR && reason_of(x->str) != REASON_NONE)
		p.reasons |= 1u << reason_of(x->str);
	(void)!duration_parse(body_text(body, "unclaimed_after"), &p.unclaimed_after, NULL);
	return p;
}

struct revocation_policy
revocation_policy_of(const struct snapshot *s, struct doc_id domain)
{
	const struct document *const *docs, *best = NULL;
	size_t n = snapshot_list(s, KIND_REVOCATION_POLICY, &docs);

	for (size_t i = 0; i < n; i++)
		if (docs[i]->active && domain_is_above(s, docs[i]->domain, domain) &&
		    (best == NULL || domain_is_above(s, best->domain, docs[i]->domain)))
			best = docs[i];
	return best != NULL ? read_policy(best->body) : defaults;
}

/* ---- the rules ---- */

typedef enum rc rule_fn(struct arena *a, const struct status_facts *f, struct status_decision *ret,
			struct err *e);

static enum rc
rule_seen(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	NEED(may_see_certificate(f->policy, f->officer, f->authority, f->token_procedure, NULL) == RC_OK, e,
	     CHY_STATUS_UNSEEN, NULL, "the officer sees no such certificate");
	return RC_OK;
}

static bool
has(const struct status_facts *f, enum role r)
{
	return (f->officer->roles & ROLES(r)) != 0;
}

static enum role
free_role(const struct status_facts *f)
{
	return f->is_attribute ? ROLE_REVOKE_ATTRIBUTE_CERTIFICATE : ROLE_REVOKE_CERTIFICATE;
}

static enum role
password_role(const struct status_facts *f)
{
	return f->is_attribute ? ROLE_REVOKE_ATTRIBUTE_CERTIFICATE_WITH_PASSWORD
			       : ROLE_REVOKE_CERTIFICATE_WITH_PASSWORD;
}

/* An authority's own certificate lies where the authority does: that is asked with the roles. */
static enum rc
rule_domain(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	return f->is_authority ? RC_OK
			       : may_change_certificate(f->policy, f->officer, f->authority,
							f->token_procedure, f->asked_from, e);
}

/* An authority's is an act of its own: two officers with CA and key tasks, in the authority's domain. */
static enum rc
rule_roles(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	if (f->is_authority) {
		TRY(may_role(f->officer, ROLES(ROLE_USE_AWB) | ROLES(ROLE_CA_AND_KEY_TASKS), e));
		return may_change(f->policy, f->officer, KIND_AUTHORITY, f->authority->domain, e);
	}
	TRY(may_role(f->officer, ROLES(ROLE_USE_CLIENTS), e));
	return has(f, password_role(f)) ? RC_OK : may_role(f->officer, ROLES(free_role(f)), e);
}

static enum rc
rule_issuer(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	return may_issue_by(a, f->officer, f->issuer, e);
}

static enum rc
rule_names(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	return may_name(a, f->officer, f->subject, f->san, e);
}

static enum rc
rule_verification(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	enum verification v = f->wish.verified;

	if (f->is_authority || f->verification_open)
		return RC_OK;
	if (!has(f, password_role(f))) {
		NEED(v != VERIFIED_PASSWORD, e, CHY_STATUS_VERIFICATION, NULL,
		     "officer \"%.*s\" has not the role \"%s\": no password is asked",
		     BYTES_FMT(f->officer->name), role_label(password_role(f)));
		return RC_OK;
	}
	if (!has(f, free_role(f)))
		NEED(v == VERIFIED_PASSWORD, e, CHY_REVOCATION_PASSWORD_NEEDED, NULL,
		     "officer \"%.*s\" does it only with the certificate's revocation password",
		     BYTES_FMT(f->officer->name));
	NEED(v != VERIFIED_NOT, e, CHY_STATUS_VERIFICATION, NULL,
	     "give the revocation password, or confirm that you have checked who asks");
	return RC_OK;
}

enum rc
reason_revokes(enum reason r, bool is_authority, struct err *e)
{
	NEED(r != REASON_HOLD, e, CHY_STATUS_REASON, "RFC 5280 5.3.1",
	     "what is on hold is not revoked: certificate.hold");
	NEED(r != REASON_CA_COMPROMISE || is_authority, e, CHY_STATUS_REASON, "RFC 5280 5.3.1",
	     "\"%s\" is of authorities", reason_name(r));
	return RC_OK;
}

static enum rc
rule_reason(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	struct revocation_policy p = revocation_policy_of(f->policy, f->authority->domain);
	enum reason r = f->wish.verb == STATUS_REVOKE ? f->wish.reason : REASON_HOLD;

	if (f->wish.verb == STATUS_REINSTATE)
		return RC_OK;
	NEED(p.reasons & 1u << r, e, CHY_STATUS_REASON, NULL,
	     "\"%s\" is not enabled by the revocation policy", reason_name(r));
	return f->wish.verb == STATUS_REVOKE ? reason_revokes(r, f->is_authority, e) : RC_OK;
}

static enum rc
rule_invalid_at(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	NEED(f->wish.invalid_at_ms <= f->now_ms + INVALID_AT_SLACK_MS, e, CHY_STATUS_INVALID_AT,
	     "RFC 5280 5.3.2", "it lies in the future");
	return RC_OK;
}

static bool
is_held_for(const struct status_facts *f, struct bytes cause)
{
	for (size_t i = 0; i < f->causes_n; i++)
		if (bytes_eq(f->causes[i], cause))
			return true;
	return false;
}

/* Who names no cause holds what is valid and reinstates what is on hold for this cause. */
static enum rc
rule_state(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	enum status_verb v = f->wish.verb;

	NEED(status_may(f->state, v), e, CHY_STATUS_NOT_CANDIDATE, NULL, "it is %s",
	     cert_state_label(f->state));
	NEED(v != STATUS_HOLD || f->wish.cause_named || f->state == CERT_VALID, e, CHY_STATUS_NOT_CANDIDATE,
	     NULL, "it is on hold already; another cause is to be named");
	return RC_OK;
}

static enum rc
rule_cause(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	size_t will = f->causes_n;

	if (f->wish.verb == STATUS_HOLD) {
		NEED(!is_held_for(f, f->wish.cause), e, CHY_STATUS_HOLD_CAUSE, NULL,
		     "it is on hold for \"%.*s\" already", BYTES_FMT(f->wish.cause));
		NEED(f->causes_n < HOLD_CAUSES_MAX, e, CHY_STATUS_HOLD_CAUSE, NULL,
		     "it has %d causes already", HOLD_CAUSES_MAX);
		will++;
	}
	if (f->wish.verb == STATUS_REINSTATE) {
		NEED(is_held_for(f, f->wish.cause), e, CHY_STATUS_HOLD_CAUSE, NULL,
		     "it is not on hold for \"%.*s\", but for \"%.*s\"", BYTES_FMT(f->wish.cause),
		     BYTES_FMT(f->causes_n > 0 ? f->causes[0] : BYTES_NONE));
		will--;
	}
	ret->to = status_after(f->state, f->wish.verb, will);
	return RC_OK;
}

#define RULES(X) \
	X("certificate-seen", rule_seen) \
	X("certificate-domain", rule_domain) \
	X("roles", rule_roles) \
	X("issuer-constraints", rule_issuer) \
	X("name-constraints", rule_names) \
	X("verification", rule_verification) \
	X("reason-enabled", rule_reason) \
	X("invalidity-date", rule_invalid_at) \
	X("state", rule_state) \
	X("hold-cause", rule_cause)

RULE_TABLE(rule_fn, RULES);

/* X.509, hold instruction code: what is revoked while on hold is so since it was put on hold. */
static void
complete(enum cert_state from, int64_t since_ms, enum reason reason, int64_t now_ms,
	 struct status_decision *ret)
{
	ret->at_ms = from == CERT_HELD && ret->to != CERT_VALID ? since_ms : now_ms;
	ret->reason = ret->to == CERT_REVOKED ? reason : ret->to == CERT_HELD ? REASON_HOLD : REASON_REMOVED;
}

enum rc
decide_status(struct arena *a, const struct status_facts *f, struct status_decision *ret, struct err *e)
{
	*ret = (struct status_decision){ .to = f->state };
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		enum rc rc;

		ret->rule = rules[i].name;
		rc = rules[i].fn(a, f, ret, e);
		if (rc != RC_OK) {
			err_rule(e, rules[i].name);
			return rc;
		}
	}
	complete(f->state, f->since_ms, f->wish.reason, f->now_ms, ret);
	return RC_OK;
}

enum rc
decide_unclaimed(enum cert_state state, int64_t since_ms, int64_t now_ms, struct status_decision *ret,
		 struct err *e)
{
	*ret = (struct status_decision){ .to = state, .rule = "unclaimed" };
	NEED(status_may(state, STATUS_REVOKE), e, CHY_STATUS_NOT_CANDIDATE, NULL, "it is %s",
	     cert_state_label(state));
	ret->to = CERT_REVOKED;
	complete(state, since_ms, REASON_CESSATION, now_ms, ret);
	return RC_OK;
}
