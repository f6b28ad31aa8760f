#include "base/base.h"
#include "policy/upon.h"

#include "policy/names.h"
#include "policy/rights.h"
#include "policy/rules.h"

typedef enum rc upon_fn(struct arena *a, const struct status_facts *f, roles needed, struct err *e);

static enum rc
rule_seen(struct arena *a, const struct status_facts *f, roles needed, struct err *e)
{
	NEED(may_see_certificate(f->policy, f->officer, f->authority, f->token_procedure, NULL) == RC_OK, e,
	     CHY_STATUS_UNSEEN, NULL, "the officer sees no such certificate");
	return RC_OK;
}

static enum rc
rule_domain(struct arena *a, const struct status_facts *f, roles needed, struct err *e)
{
	return may_change_certificate(f->policy, f->officer, f->authority, f->token_procedure, f->asked_from,
				      e);
}

static enum rc
rule_roles(struct arena *a, const struct status_facts *f, roles needed, struct err *e)
{
	return may_role(f->officer, needed, e);
}

static enum rc
rule_issuer(struct arena *a, const struct status_facts *f, roles needed, struct err *e)
{
	return may_issue_by(a, f->officer, f->issuer, e);
}

static enum rc
rule_names(struct arena *a, const struct status_facts *f, roles needed, struct err *e)
{
	return may_name(a, f->officer, f->subject, f->san, e);
}

#define RULES(X) \
	X("certificate-seen", rule_seen) \
	X("certificate-domain", rule_domain) \
	X("roles", rule_roles) \
	X("issuer-constraints", rule_issuer) \
	X("name-constraints", rule_names)

RULE_TABLE(upon_fn, RULES);

enum rc
may_act_upon(struct arena *a, const struct status_facts *f, roles needed, struct err *e)
{
	RULES_ASK(a, f, needed, e);
	return RC_OK;
}
