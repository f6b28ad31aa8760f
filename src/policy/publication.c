#include "base/base.h"
#include "policy/publication.h"

#include "policy/body.h"
#include "policy/rights.h"
#include "policy/rules.h"

static const char *const choice_names[PASSWORD_CHOICES] = { "keep", "set", "delete" };

const char *
password_choice_name(enum password_choice c)
{
	return (unsigned)c < PASSWORD_CHOICES ? choice_names[c] : "";
}

enum password_choice
password_choice_of(struct bytes name)
{
	int i = 0;

	while (i < PASSWORD_CHOICES && !bytes_is(name, choice_names[i]))
		i++;
	return (enum password_choice)i;
}

/* ---- the rules ---- */

static enum rc
rule_seen(const struct publication_facts *f, struct err *e)
{
	NEED(may_see_certificate(f->policy, f->officer, f->authority, f->token_procedure, NULL) == RC_OK, e,
	     CHY_PUBLICATION_UNKNOWN, NULL, "the officer sees no such certificate");
	return RC_OK;
}

static enum rc
rule_domain(const struct publication_facts *f, struct err *e)
{
	return may_change_certificate(f->policy, f->officer, f->authority, f->token_procedure, f->asked_from,
				      e);
}

/* For ever: no officer can make up for it later. */
static enum rc
rule_allowed(const struct publication_facts *f, struct err *e)
{
	NEED(f->allowed || f->removal, e, CHY_PUBLICATION_NOT_ALLOWED, NULL,
	     "it was issued with the choice that it is not published");
	return RC_OK;
}

static enum rc
rule_state(const struct publication_facts *f, struct err *e)
{
	NEED(f->valid || f->removal, e, CHY_PUBLICATION_STATE, NULL, "only valid certificates are published");
	return RC_OK;
}

static enum rc
rule_not_expired(const struct publication_facts *f, struct err *e)
{
	NEED(f->now_ms <= f->not_after_ms || f->removal, e, CHY_PUBLICATION_EXPIRED, NULL,
	     "its validity is over");
	return RC_OK;
}

static bool
has_both_roles(const struct officer *o)
{
	const roles both = ROLES(ROLE_PUBLISH_CERTIFICATE) | ROLES(ROLE_MANAGE_REVOCATION_PASSWORD);

	return (o->roles & both) == both;
}

/* Who manages passwords answers for it that whoever finds the certificate published can have it revoked. */
static enum rc
rule_password(const struct publication_facts *f, struct err *e)
{
	bool needed = json_get(f->procedure->body, "password_needed") == NULL ||
	    body_true(f->procedure->body, "password_needed");
	bool afterwards = f->choice == PASSWORD_SET || (f->choice == PASSWORD_KEEP && f->has_password);

	NEED(f->removal || f->choice_open || !needed || !has_both_roles(f->officer) || afterwards, e,
	     CHY_PUBLICATION_PASSWORD, NULL,
	     "it would have no revocation password: set one with it (--revocation-password-file), or let the "
	     "procedure publish without (password_needed)");
	return RC_OK;
}

#define RULES(X) \
	X("certificate-seen", rule_seen) \
	X("certificate-domain", rule_domain) \
	X("publication-allowed", rule_allowed) \
	X("certificate-valid", rule_state) \
	X("certificate-not-expired", rule_not_expired) \
	X("revocation-password", rule_password)

typedef enum rc rule_fn(const struct publication_facts *f, struct err *e);
RULE_TABLE(rule_fn, RULES);
RULE_NAMES(publication_rules, RULES)

enum rc
decide_publication(const struct publication_facts *f, struct err *e)
{
	RULES_ASK(f, e);
	return RC_OK;
}

/* ---- the procedure ---- */

static bool
leads_somewhere(const struct snapshot *s, const struct document *procedure)
{
	JSON_EACH(x, body_list(procedure->body, "distribution_rules"))
	{
		const struct document *rule = snapshot_of_kind(s, KIND_DISTRIBUTION_RULE,
							       doc_id_of(x->integer));

		if (rule != NULL && rule->active)
			return true;
	}
	return false;
}

enum rc
may_publish_by(const struct snapshot *s, const struct officer *o, const struct document *procedure,
	       struct err *e)
{
	TRY(may_role(o, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE), e));
	TRY(may_read(s, o, procedure, e));
	NEED(procedure->active, e, CHY_PUBLICATION_PROCEDURE, NULL,
	     "publication procedure \"%.*s\" is closed", BYTES_FMT(procedure->name));
	NEED(leads_somewhere(s, procedure), e, CHY_PUBLICATION_PROCEDURE, NULL,
	     "publication procedure \"%.*s\" has no open distribution rule", BYTES_FMT(procedure->name));
	return RC_OK;
}
