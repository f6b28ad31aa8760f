#include "base/base.h"
#include "policy/approval.h"
#include "policy/body.h"
#include "policy/document.h"
#include "policy/last_pair.h"
#include "policy/person.h"
#include "policy/rules.h"

/* One question after the other; ret->state is set where the answer ends the request. */
typedef enum rc rule_fn(const struct signature_facts *, const struct officer *, struct signature_decision *,
			struct err *);

/* Whose certificate is renewed. */
static bool
is_own(const struct officer *o, const struct request *r)
{
	return act_begins_with_own(r->act) && body_int(r->body, "officer", 0) == o->id.v;
}

static enum rc
has_roles(const struct officer *o, const struct request *r, struct err *e)
{
	return is_own(o, r) ? RC_OK : may_role(o, act_roles(r->act), e);
}

static enum rc
rule_state(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	   struct err *e)
{
	NEED(f->request->state == REQUEST_PREPARED || f->request->state == REQUEST_WAITING, e,
	     CHY_REQUEST_STATE, NULL, "request %lld %s", (long long)f->request->id.v,
	     request_state_label(f->request->state));
	return RC_OK;
}

static enum rc
rule_time(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	  struct err *e)
{
	if (f->now_ms < request_expires_ms(f->request))
		return RC_OK;
	ret->state = REQUEST_EXPIRED;
	FAIL(e, CHY_REQUEST_EXPIRED, NULL, "request %lld lapsed", (long long)f->request->id.v);
}

static enum rc
rule_base(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	  struct err *e)
{
	const struct doc_version *base = &f->request->base;

	if (doc_id_is_none(base->id) ||
	    (doc_id_eq(base->id, f->current.id) && base->version == f->current.version))
		return RC_OK;
	ret->state = REQUEST_VOID;
	FAIL(e, CHY_REQUEST_VOID, NULL, "it changes version %lld, and version %lld is in force",
	     (long long)base->version, (long long)f->current.version);
}

static enum rc
rule_officer(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	     struct err *e)
{
	return may_act(o, &f->signer.credential, f->now_ms, e);
}

/* A time that cannot be: a clock that is wrong, or a signature made for another day. It is evidence for decades. */
static enum rc
rule_signing_time(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
		  struct err *e)
{
	int64_t at = f->signer.signed_at_ms, prepared = f->request->prepared_at_ms;
	char said[32], ours[32];

	NEED(at <= f->now_ms + SIGNING_TIME_SLACK_MS, e, CHY_SIGNING_TIME, "RFC 5652 11.3",
	     "the signature says %s, the server's clock %s: set the clock of the computer that signs and "
	     "sign again",
	     time_text(said, at), time_text(ours, f->now_ms));
	NEED(at >= prepared - SIGNING_TIME_SLACK_MS, e, CHY_SIGNING_TIME, "RFC 5652 11.3",
	     "the signature says %s, the request was prepared at %s: set the clock of the computer that "
	     "signs and "
	     "sign again",
	     time_text(said, at), time_text(ours, prepared));
	return RC_OK;
}

/* Nobody has a certificate made for an officer who does not want it. */
static enum rc
rule_own_first(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	       struct err *e)
{
	NEED(!act_begins_with_own(f->request->act) || f->before_n > 0 || is_own(o, f->request), e,
	     CHY_RENEWAL_OWN, NULL, "request %lld is first signed by the officer whom it is about",
	     (long long)f->request->id.v);
	return RC_OK;
}

static enum rc
rule_roles(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	   struct err *e)
{
	return has_roles(o, f->request, e);
}

/* Where the new version is to lie; of a domain: below which one. */
static struct doc_id
body_domain(enum kind_id kind, const struct json *body)
{
	return body_ref(body, kind == KIND_DOMAIN ? "parent" : "domain");
}

/* Both the domain that it lies in now and the one that it is to lie in. */
static enum rc
in_domains(const struct snapshot *s, const struct officer *o, struct act act, const struct document *base,
	   const struct json *body, struct err *e)
{
	if (!act_has_document(act))
		return RC_OK;
	TRY(may_change(s, o, act.kind, body_domain(act.kind, body), e));
	return base ? may_change(s, o, act.kind, base->domain, e) : RC_OK;
}

/* The other officer may change the one whose certificate is renewed. */
static enum rc
may_renew(const struct snapshot *s, const struct officer *o, const struct request *r, struct err *e)
{
	const struct document *d = snapshot_of_kind(s, KIND_OFFICER, body_ref(r->body, "officer"));

	NEED(d != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer of the renewal is gone");
	return is_own(o, r) ? RC_OK : may_change(s, o, KIND_OFFICER, d->domain, e);
}

/* Revoking an authority's certificate changes what lies where the authority that issued it does. */
static enum rc
concerns(const struct snapshot *s, const struct officer *o, const struct request *r, struct err *e)
{
	const struct document *authority;

	if (act_begins_with_own(r->act))
		return may_renew(s, o, r, e);
	if (r->act.verb != ACT_CA_REVOKE)
		return in_domains(s, o, r->act, snapshot_document(s, r->base.id), r->body, e);
	authority = snapshot_of_kind(s, KIND_AUTHORITY, r->authority);
	NEED(authority != NULL, e, CHY_STATUS_UNSEEN, NULL, "the certificate's authority is not to be seen");
	return may_change(s, o, KIND_AUTHORITY, authority->domain, e);
}

static enum rc
rule_domain(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	    struct err *e)
{
	return concerns(f->policy, o, f->request, e);
}

static enum rc
rule_different_officers(const struct signature_facts *f, const struct officer *o,
			struct signature_decision *ret, struct err *e)
{
	for (size_t i = 0; i < f->before_n; i++)
		NEED(f->before[i].officer.v != f->signer.officer.v, e, CHY_SAME_OFFICER, NULL,
		     "officer \"%.*s\" has signed it", BYTES_FMT(o->name));
	return RC_OK;
}

/* Who was closed or lost the role since signing takes back what was only half signed: that is what closing is for. */
static enum rc
rule_others_still(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
		  struct err *e)
{
	for (size_t i = 0; i < f->before_n; i++) {
		const struct officer *x = snapshot_officer(f->policy, f->before[i].officer);

		TRY(may_act(x, NULL, 0, e));
		NEED(f->before[i].credential.state == CREDENTIAL_GOOD, e,
		     f->before[i].credential.state == CREDENTIAL_HELD ? CHY_OFFICER_CERTIFICATE_HELD
								      : CHY_OFFICER_CERTIFICATE_REVOKED,
		     NULL, "the certificate of officer \"%.*s\", who signed before, is %s",
		     BYTES_FMT(x->name),
		     f->before[i].credential.state == CREDENTIAL_HELD ? "on hold" : "revoked");
		TRY(has_roles(x, f->request, e));
	}
	return RC_OK;
}

static struct person
person_of(const struct snapshot *s, const struct signatory *x)
{
	return (struct person){ snapshot_officer(s, x->officer), &x->credential };
}

static enum rc
rule_different_people(const struct signature_facts *f, const struct officer *o,
		      struct signature_decision *ret, struct err *e)
{
	for (size_t i = 0; i < f->before_n; i++)
		NEED(!is_one_person(person_of(f->policy, &f->before[i]), person_of(f->policy, &f->signer)), e,
		     CHY_SAME_PERSON, NULL,
		     "officer \"%.*s\" has the certificate, subject or token of the one who signed it",
		     BYTES_FMT(o->name));
	return RC_OK;
}

/* What was right when it was prepared may have become wrong: a name taken, a range used, a reference closed. */
static enum rc
rule_body(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	  struct err *e)
{
	const struct request *r = f->request;
	const struct document *base = snapshot_document(f->policy, r->base.id);
	struct document_check c = { .kind = kind_of(r->act.kind), .policy = f->policy, .self = r->base.id };
	OWN(arena_free)
	struct arena *scratch = NULL;
	struct json *normal;

	if (!act_has_document(r->act))
		return RC_OK;
	c.before = base ? base->body : NULL;
	NEED((scratch = arena_new(LIMIT_REQUEST_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "approval");
	return document_check(scratch, &c, r->body, &normal, e);
}

/* Signatures that come one by one are two steps, whichever of the officers is of the boot ceremony. */
static enum rc
rule_boot(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	  struct err *e)
{
	unsigned needed = act_signatures(f->request->act);
	bool boot = o->boot || f->signer.boot;

	for (size_t i = 0; i < f->before_n; i++)
		boot = boot || f->before[i].boot;
	NEED(!boot || f->together >= needed, e, CHY_BOOT_ONE_STEP, NULL,
	     "all %u signatures must come at once", needed);
	return RC_OK;
}

static enum rc
rule_count(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	   struct err *e)
{
	unsigned needed = act_signatures(f->request->act);

	NEED(f->before_n < needed, e, CHY_TOO_MANY_SIGNATURES, NULL, "it needs %u", needed);
	return RC_OK;
}

/* Also asked when it is prepared; the pair that was there then may be gone. */
static enum rc
rule_last_pair(const struct signature_facts *f, const struct officer *o, struct signature_decision *ret,
	       struct err *e)
{
	const struct request *r = f->request;

	if (r->act.verb != ACT_MODIFY)
		return RC_OK;
	return last_pair_stays(f->policy, r->act.kind, r->base.id, r->body, &f->gone, e);
}

#define RULES(X) \
	X("request-open", rule_state) \
	X("in-time", rule_time) \
	X("base-current", rule_base) \
	X("officer-active", rule_officer) \
	X("signing-time", rule_signing_time) \
	X("own-signature-first", rule_own_first) \
	X("roles", rule_roles) \
	X("domain", rule_domain) \
	X("signatures-wanted", rule_count) \
	X("different-officers", rule_different_officers) \
	X("different-people", rule_different_people) \
	X("others-still-officers", rule_others_still) \
	X("boot-in-one-step", rule_boot) \
	X("body-holds", rule_body) \
	X("last-pair-stays", rule_last_pair)

RULE_TABLE(rule_fn, RULES);

enum rc
decide_signature(const struct signature_facts *f, struct signature_decision *ret, struct err *e)
{
	const struct officer *o = snapshot_officer(f->policy, f->signer.officer);
	enum rc rc;

	*ret = (struct signature_decision){ .state = f->request->state };
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		ret->rule = rules[i].name;
		if (o == NULL && rules[i].fn != rule_state && rules[i].fn != rule_time &&
		    rules[i].fn != rule_base)
			FAIL(e, CHY_OFFICER_UNKNOWN, NULL, "there is no officer %lld",
			     (long long)f->signer.officer.v);
		rc = rules[i].fn(f, o, ret, e);
		if (rc != RC_OK) {
			err_rule(e, rules[i].name);
			return rc;
		}
	}
	ret->rule = "enough";
	ret->state = f->before_n + 1 >= act_signatures(f->request->act) ? REQUEST_SIGNED : REQUEST_WAITING;
	if (ret->state == REQUEST_WAITING)
		ret->rule = "second-officer-needed";
	return RC_OK;
}

enum rc
decide_prepare(const struct snapshot *s, const struct officer *o, struct act act, const struct document *base,
	       const struct json *body, const struct officers_gone *gone, struct err *e)
{
	NEED(act.verb != ACT_NONE, e, CHY_ACT_UNKNOWN, NULL, "no such act");
	TRY(may_act(o, NULL, 0, e));
	if (!act_begins_with_own(act))
		TRY(may_role(o, act_roles(act), e));
	TRY(in_domains(s, o, act, base, body, e));
	return act.verb == ACT_MODIFY && base ? last_pair_stays(s, act.kind, base->id, body, gone, e) : RC_OK;
}

/* The act's roles and domains; whether the act itself could still take effect is another question. */
enum rc
may_sign(const struct snapshot *s, const struct officer *o, const struct request *r, struct err *e)
{
	TRY(may_act(o, NULL, 0, e));
	TRY(has_roles(o, r, e));
	return concerns(s, o, r, e);
}

enum rc
may_know_request(const struct officer *o, const struct request *r, struct err *e)
{
	if (r->prepared_by.v == o->id.v || (o->roles & ROLES(ROLE_AUDIT_TASKS)))
		return RC_OK;
	return may_role(o, act_roles(r->act), e);
}

enum rc
may_see_request(const struct snapshot *s, const struct officer *o, const struct request *r,
		const int64_t *domains, size_t n, struct err *e)
{
	TRY(may_know_request(o, r, e));
	if (r->prepared_by.v == o->id.v || doc_id_is_none(o->domain))
		return RC_OK;
	for (size_t i = 0; i < n; i++)
		if (domain_is_above(s, o->domain, doc_id_of(domains[i])))
			return RC_OK;
	FAIL(e, CHY_DOMAIN_HIDDEN, NULL, "request %lld is not visible from the officer's domain",
	     (long long)r->id.v);
}

enum rc
decide_withdraw(const struct request *r, struct officer_id o, struct err *e)
{
	NEED(r->prepared_by.v == o.v, e, CHY_REQUEST_OTHERS, NULL, "only who prepared it may withdraw it");
	NEED(request_may_become(r->state, REQUEST_WITHDRAWN), e, CHY_REQUEST_STATE, NULL, "the request %s",
	     request_state_label(r->state));
	return RC_OK;
}

enum rc
decide_reject(const struct snapshot *s, const struct request *r, const struct officer *o, struct err *e)
{
	TRY(may_sign(s, o, r, e));
	NEED(request_may_become(r->state, REQUEST_REJECTED), e, CHY_REQUEST_STATE, NULL, "the request %s",
	     request_state_label(r->state));
	return RC_OK;
}
