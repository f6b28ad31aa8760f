#include "base/base.h"
#include "policy/removal.h"

#include "policy/import.h"
#include "policy/rules.h"
#include "policy/upon.h"

enum { DAY_MS = 86400000 };

int64_t
removable_from(const struct snapshot *s, const struct authority *x, enum cert_state state,
	       int64_t not_after_ms)
{
	const struct document *const *all;
	size_t n = snapshot_list(s, KIND_CRL_PROCEDURE, &all);
	int64_t from = not_after_ms + DAY_MS;

	if (x != NULL && x->ocsp.on && x->ocsp.has_archive) {
		int64_t answered = duration_add(not_after_ms, x->ocsp.archive);

		from = answered > from ? answered : from;
	}
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
rule_used(struct arena *a, const struct removal_facts *f, struct err *e)
{
	static const struct {
		enum removal_use use;
		const char *text;
	} uses[] = { { REMOVAL_ARCHIVED, "its key is in the archive, or was recovered" },
		     { REMOVAL_TOKEN, "a token has it" },
		     { REMOVAL_RESPONDER, "it is an OCSP responder's" },
		     { REMOVAL_BASE, "attribute certificates name it" },
		     { REMOVAL_PUBLISHED, "it is published" },
		     { REMOVAL_DELIVERY, "a delivery of it waits, or is dead" } };

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
	X("not-used", rule_used) \
	X("nobody-asks", rule_over)

RULE_TABLE(removal_fn, RULES);

enum rc
decide_removal(struct arena *a, const struct removal_facts *f, struct err *e)
{
	TRY(may_act_upon(a, &f->status, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_REVOKE_CERTIFICATE), e));
	RULES_ASK(a, f, e);
	return RC_OK;
}
