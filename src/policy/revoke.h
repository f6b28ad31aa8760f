/*
 * Revoking, holding, reinstating: may this officer do it with this certificate, and what is it then? Pure; every answer
 * names its rule.
 *
 * Three levels of security, by the roles that the officer has (of attribute certificates their own two):
 * with-password alone: the certificate's revocation password is needed; both roles: the password, or a check of who asks that
 * the officer confirms; revoke alone: nothing is asked.
 */
#ifndef POLICY_REVOKE_H
#define POLICY_REVOKE_H

#include "model/status.h"
#include "pki/gname.h"
#include "policy/duration.h"
#include "policy/snapshot.h"

/* What holds for certificates of authorities in a domain: its revocation policy, the nearest one above, or the defaults. */
struct revocation_policy {
	unsigned reasons; /* 1 << code of those that are enabled */
	struct duration unclaimed_after;
};
struct revocation_policy revocation_policy_of(const struct snapshot *s, struct doc_id domain);

struct status_wish {
	enum status_verb verb;
	enum reason reason;    /* STATUS_REVOKE */
	int64_t invalid_at_ms; /* since when the key may have been out; 0: not said */
	struct bytes cause;    /* of a hold or its end */
	bool cause_named;      /* else it is HOLD_CAUSE_OFFICER */
	enum verification verified;
};

struct status_facts {
	const struct snapshot *policy;
	const struct officer *officer;
	struct status_wish wish;
	int64_t now_ms;
	const struct document *authority, *token_procedure; /* NULL: there is none (any more) */
	struct doc_id asked_from;                           /* as of certificate_domain */
	bool is_authority;                                  /* it is an authority's own certificate */
	bool is_attribute;
	bool verification_open;       /* it is selected only: who asks is verified when it is submitted */
	struct bytes issuer, subject; /* Names in DER */
	const struct gnames *san;     /* NULL: none */
	enum cert_state state;
	int64_t since_ms;           /* of a hold */
	const struct bytes *causes; /* that it is on hold for */
	size_t causes_n;
};

struct status_decision {
	enum cert_state to;
	enum reason reason; /* as the row will have it */
	int64_t at_ms;
	const char *rule;
};

/* Codes: STATUS_UNSEEN, DOMAIN_FOREIGN, STATUS_AUTHORITY, ROLE_MISSING, ISSUER_CONSTRAINT, OFFICER_NAMES, STATUS_VERIFICATION,
   REVOCATION_PASSWORD_NEEDED, STATUS_REASON, STATUS_INVALID_AT, STATUS_NOT_CANDIDATE, STATUS_HOLD_CAUSE. a is for scratch. */
MUST enum rc decide_status(struct arena *a, const struct status_facts *f, struct status_decision *ret,
			   struct err *e);

/* Whatever the revocation policy enables: may a certificate, or an authority's own, be revoked for it? STATUS_REASON. */
MUST enum rc reason_revokes(enum reason r, bool is_authority, struct err *e);

/* Without an officer, of what nobody has claimed: only the state is asked. */
MUST enum rc decide_unclaimed(enum cert_state state, int64_t since_ms, int64_t now_ms,
			      struct status_decision *ret, struct err *e);

#endif
