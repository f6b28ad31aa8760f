#include "base/base.h"
#include "policy/removal.h"

#include "policy/import.h"
#include "policy/rights.h"
#include "policy/rules.h"

enum { DAY_MS = 86400000 };

int64_t
removable_from(const struct snapshot *s, const struct authority *x, enum cert_state state,
	       int64_t not_after_ms)
{
	const struct document *const *all;
	size_t n = snapshot_list(s, KIND_CRL_PROCEDURE, &all);
	int64_t from = not_after_ms + DAY_MS;

	for (size_t i = 0; i < n && state != CERT_VALID; i++) {
		const struct crl_procedure *p = snapshot_crl_procedure(s, all[i]->id);
		int64_t listed;

		if (p == NULL || p->authority != x || !p->built)
			continue;
		if (p->keep_expired)
			return INT64_MAX;
		listed = duration_add(duration_add(not_after_ms, p->interval), p->overlap);
		from = listed > from ? listed : from;
	}
	return from;
}

typedef enum rc removal_fn(struct arena *a, const struct removal_facts *f, struct err *e);

static enum rc
rule_seen(struct arena *a, const struct removal_facts *f, struct err *e)
{
	const struct status_facts *s = &f->status;

	NEED(s->authority != NULL &&
		 may_see_certificate(s->policy, s->officer, s->authority, s->token_procedure, NULL) == RC_OK,
	     e, CHY_STATUS_UNSEEN, NULL, "the officer sees no such certificate");
	return RC_OK;
}

static enum rc
rule_domain(struct arena *a, const struct removal_facts *f, struct err *e)
{
	const struct status_facts *s = &f->status;

	return may_change_certificate(s->policy, s->officer, s->authority, s->token_procedure, s->asked_from,
				      e);
}

static enum rc
rule_roles(struct arena *a, const struct removal_facts *f, struct err *e)
{
	return may_role(f->status.officer, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_REVOKE_CERTIFICATE), e);
}

static enum rc
rule_issuer(struct arena *a, const struct removal_facts *f, struct err *e)
{
	return may_issue_by(a, f->status.officer, f->status.issuer, e);
}

static enum rc
rule_names(struct arena *a, const struct removal_facts *f, struct err *e)
{
	return may_name(a, f->status.officer, f->status.subject, f->status.san, e);
}

static enum rc
rule_used(struct arena *a, const struct removal_facts *f, struct err *e)
{
	static const struct {
		enum removal_use use;
		const char *text;
	} uses[] = { { REMOVAL_ARCHIVED, "its key is in the archive, or was recovered" },
		     { REMOVAL_TOKEN, "a token has it" },
		     { REMOVAL_RESPONDER, "it is an OCSP responder's" },
		     { REMOVAL_BASE, "attribute certificates name it" },
		     { REMOVAL_PUBLISHED, "it is published" } };

	NEED(!f->status.is_authority, e, CHY_REMOVAL_USED, NULL, "it is an authority's");
	NEED(!f->officers, e, CHY_REMOVAL_USED, NULL, "an officer is bound to it");
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		NEED((f->uses & uses[i].use) == 0, e, CHY_REMOVAL_USED, NULL, "%s", uses[i].text);
	return RC_OK;
}

static enum rc
rule_over(struct arena *a, const struct removal_facts *f, struct err *e)
{
	const struct status_facts *s = &f->status;
	int64_t from = removable_from(s->policy, f->authority, s->state, f->not_after_ms);
	char at[32];

	if (authority_is_foreign(f->authority))
		return RC_OK;
	NEED(from != INT64_MAX, e, CHY_REMOVAL_EARLY, "X.509 9.5.2.8",
	     "a revocation list of its authority keeps what has expired");
	NEED(s->now_ms >= from, e, CHY_REMOVAL_EARLY, "RFC 5280 3.3", "until %s its status may be asked for",
	     time_text(at, from));
	return RC_OK;
}

#define RULES(X) \
	X("certificate-seen", rule_seen) \
	X("certificate-domain", rule_domain) \
	X("roles", rule_roles) \
	X("issuer-constraints", rule_issuer) \
	X("name-constraints", rule_names) \
	X("not-used", rule_used) \
	X("nobody-asks", rule_over)

RULE_TABLE(removal_fn, RULES);

enum rc
decide_removal(struct arena *a, const struct removal_facts *f, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		enum rc rc = rules[i].fn(a, f, e);

		if (rc != RC_OK) {
			err_rule(e, rules[i].name);
			return rc;
		}
	}
	return RC_OK;
}
