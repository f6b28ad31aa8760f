#include "base/base.h"
#include "policy/rescue.h"

#include "policy/approval.h"
#include "policy/person.h"
#include "policy/rights.h"
#include "policy/rules.h"

typedef enum rc rule_fn(const struct rescue_facts *, struct err *);

bool
rescue_administers(const struct officer *o)
{
	const roles needed = ROLES(ROLE_USE_AWB) | ROLES(ROLE_OFFICER_TASKS);

	return o->active && doc_id_is_none(o->domain) && (o->roles & needed) == needed;
}

static enum rc
rule_instance(const struct rescue_facts *f, struct err *e)
{
	NEED(bytes_is(f->rescue->instance, f->instance), e, CHY_RESCUE_DOCUMENT, NULL,
	     "it is a rescue of another installation");
	return RC_OK;
}

static enum rc
in_time(const struct rescue_facts *f, int64_t at_ms, const char *what, struct err *e)
{
	char text[32];

	NEED(at_ms <= f->now_ms + SIGNING_TIME_SLACK_MS &&
		 at_ms >= f->rescue->prepared_at_ms - SIGNING_TIME_SLACK_MS,
	     e, CHY_RESCUE_TIME, NULL, "%s at %s: that cannot be", what, time_text(text, at_ms));
	return RC_OK;
}

/* An old one in a drawer is nobody's will of today. */
static enum rc
rule_time(const struct rescue_facts *f, struct err *e)
{
	TRY(in_time(f, f->rescue->prepared_at_ms, "prepared", e));
	NEED(f->now_ms - f->rescue->prepared_at_ms < RESCUE_DAYS_MS, e, CHY_RESCUE_TIME, NULL,
	     "it was prepared more than thirty days ago");
	for (size_t i = 0; i < f->signers_n; i++)
		TRY(in_time(f, f->signers[i].signed_at_ms, "signed", e));
	return RC_OK;
}

static enum rc
rule_pair(const struct rescue_facts *f, struct err *e)
{
	NEED(f->left < 2, e, CHY_RESCUE_PAIR, NULL,
	     "%zu officers of Root can change officers, or could by tokens that they are bound to: they "
	     "renew the others",
	     f->left);
	return RC_OK;
}

/* As if the certificate had not ended yet: all else must be as it must be for every signature. */
static enum rc
but_for_expiry(const struct rescue_facts *f, const struct rescue_officer *x, struct err *e)
{
	int64_t end = x->credential.not_after_ms;

	TRY(may_act(x->officer, &x->credential, f->now_ms < end ? f->now_ms : end, e));
	NEED(x->is_newest, e, CHY_RESCUE_OFFICER, NULL, "officer \"%.*s\" has a newer certificate than that",
	     BYTES_FMT(x->officer->name));
	return RC_OK;
}

static enum rc
rule_signers(const struct rescue_facts *f, struct err *e)
{
	NEED(f->signers_n == RESCUE_SIGNERS, e, CHY_RESCUE_SIGNERS, NULL, "%d officers sign it",
	     RESCUE_SIGNERS);
	for (size_t i = 0; i < f->signers_n; i++) {
		TRY(but_for_expiry(f, &f->signers[i], e));
		NEED(rescue_administers(f->signers[i].officer), e, CHY_RESCUE_SIGNERS, NULL,
		     "officer \"%.*s\" is not of Root, or may not change officers",
		     BYTES_FMT(f->signers[i].officer->name));
	}
	return RC_OK;
}

static enum rc
rule_two_people(const struct rescue_facts *f, struct err *e)
{
	const struct rescue_officer *x = &f->signers[0], *y = &f->signers[1];

	NEED(!is_one_person((struct person){ x->officer, &x->credential },
			    (struct person){ y->officer, &y->credential }),
	     e, CHY_SAME_PERSON, NULL, "both signatures are of one person");
	return RC_OK;
}

static enum rc
rule_renewed(const struct rescue_facts *f, struct err *e)
{
	for (size_t i = 0; i < f->rescue->n; i++) {
		const struct rescue_officer *x = &f->renewed[i];

		TRY_AT(but_for_expiry(f, x, e), e, "officers[%zu]", i);
		NEED(f->now_ms > x->credential.not_after_ms, e, CHY_RESCUE_OFFICER, NULL,
		     "the certificate of officer \"%.*s\" has not expired: the officer renews it",
		     BYTES_FMT(x->officer->name));
		for (size_t k = 0; k < i; k++)
			NEED(f->renewed[k].officer->id.v != x->officer->id.v, e, CHY_RESCUE_OFFICER, NULL,
			     "officer \"%.*s\" stands in it twice", BYTES_FMT(x->officer->name));
	}
	return RC_OK;
}

#define RULES(X) \
	X("instance", rule_instance) \
	X("in-time", rule_time) \
	X("no-pair-left", rule_pair) \
	X("signers", rule_signers) \
	X("different-people", rule_two_people) \
	X("expired-alone", rule_renewed)

RULE_TABLE(rule_fn, RULES);

enum rc
decide_rescue(const struct rescue_facts *f, struct err *e)
{
	RULES_ASK(f, e);
	return RC_OK;
}
