/*
 * May this officer sign this request now, and what is it then? Pure and total.
 *
 * Two officers are two people: one officer twice, two officers with certificates of one subject, and two
 * officers bound to one certificate or one token are one. An officer made by the boot ceremony signs in one
 * step only: all signatures that the act needs come in one call.
 */
#ifndef POLICY_APPROVAL_H
#define POLICY_APPROVAL_H

#include "model/request.h"
#include "policy/last_pair.h"
#include "policy/rights.h"
#include "policy/snapshot.h"

enum { SIGNATURES_MAX = 4 };

/* A signature that stands (cryptographically verified, over exactly the request's bytes). */
struct signatory {
	struct officer_id officer;
	struct credential credential;
	bool boot;            /* as the officer was when it signed */
	int64_t signed_at_ms; /* the signing-time that it claims */
};

/* A signature's time may be so far before its request was prepared, or ahead of our clock: clocks differ. */
enum { SIGNING_TIME_SLACK_MS = 5 * 60 * 1000 };

struct signature_facts {
	const struct snapshot *policy;
	const struct request *request;
	struct doc_version current; /* of the base document now; id none: it has none or is gone */
	int64_t now_ms;
	const struct signatory *before; /* signatures that the request has already */
	size_t before_n;
	struct signatory signer;   /* the one to judge */
	struct officers_gone gone; /* now; asked for where officers or profiles are modified */
	size_t together;           /* how many signatures this call brings, this one included */
};

struct signature_decision {
	enum request_state
	    state;        /* what the request becomes: WAITING, SIGNED; VOID, EXPIRED with a refusal */
	const char *rule; /* the rule that decided: "base-current", "different-people", "enough" ... */
};

/*
 * RC_OK: the signature counts, *ret says what the request becomes. A refusal leaves the request as it is,
 * except that ret->state says VOID or EXPIRED where it has lapsed (codes REQUEST_VOID, REQUEST_EXPIRED):
 * store that. Codes: REQUEST_STATE, REQUEST_EXPIRED, REQUEST_VOID, OFFICER_UNKNOWN, OFFICER_CLOSED,
 * OFFICER_CERTIFICATE_*, OFFICER_OTHER_CERTIFICATE, SIGNING_TIME, RENEWAL_OWN, ROLE_MISSING, DOMAIN_FOREIGN, SAME_OFFICER, SAME_PERSON,
 * BOOT_ONE_STEP.
 */
MUST enum rc decide_signature(const struct signature_facts *f, struct signature_decision *ret, struct err *e);

/* The officers who prepare, withdraw (only who prepared it) and reject (who could sign it). */
MUST enum rc decide_prepare(const struct snapshot *s, const struct officer *o, struct act act,
			    const struct document *base, const struct json *body,
			    const struct officers_gone *gone, struct err *e);
/* Has the roles and the domain for signing it: whom it concerns. */
MUST enum rc may_sign(const struct snapshot *s, const struct officer *o, const struct request *r,
		      struct err *e);
/* Sees what he or she prepared; with audit-tasks or the act's roles (ROLE_MISSING) also others', where one of the domains that
   the request is about is the officer's own or below it (DOMAIN_HIDDEN). Root is in no list: only its officers see what is
   about Root alone. The first without the domains. */
MUST enum rc may_know_request(const struct officer *o, const struct request *r, struct err *e);
MUST enum rc may_see_request(const struct snapshot *s, const struct officer *o, const struct request *r,
			     const int64_t *domains, size_t n, struct err *e);
MUST enum rc decide_withdraw(const struct request *r, struct officer_id o, struct err *e);
MUST enum rc decide_reject(const struct snapshot *s, const struct request *r, const struct officer *o,
			   struct err *e);

#endif
