/*
 * The decision to issue an attribute certificate: pure and total, a table of named rules as in issue.h.
 */
#ifndef POLICY_ISSUE_ATTRIBUTE_H
#define POLICY_ISSUE_ATTRIBUTE_H

#include "model/attribute.h"
#include "policy/snapshot.h"

/* a: keeps the decision. On refusal ret->trace says how far it came. Codes: AC_*, ISSUE_*, VALIDITY_*, ROLE_MISSING,
   OFFICER_*, DOMAIN_*, ISSUER_CONSTRAINT. */
MUST enum rc decide_attribute_certificate(struct arena *a, const struct ac_facts *f, struct ac_decision *ret,
					  struct err *e);

/* The AttributeCertificateInfo of a decision; *ret is the arena's. */
MUST enum rc ac_decision_tbs(struct arena *a, const struct ac_decision *d, struct bytes *ret, struct err *e);

/* The token procedure by name or id, as the officer sees it, when it may be used for attribute certificates alone; how many
   it makes is ret->acs_n. AC_TOKEN, ISSUE_TOKEN_*, ISSUE_UNUSABLE, ROLE_MISSING, DOMAIN_HIDDEN. */
MUST enum rc ac_token_procedure(const struct snapshot *s, const struct officer *o, struct bytes name,
				const struct token_procedure **ret, struct err *e);

/* The audit identity of a holder (RFC 5755 4.3.1), by the subject of the base in RFC 4514 text: a pseudonym that lasts, is
   different with each authority, and cannot be led back to the holder without the key. */
void ac_audit_identity(hmac_fn *hmac, const uint8_t key[AUDIT_KEY], struct doc_id authority,
		       struct bytes holder, uint8_t ret[AUDIT_IDENTITY]);

/* {type, values} of a document or a request. FIELD_CHOICE, JSON_*, and those of ac_attr_from_text. */
MUST enum rc ac_attr_of_json(struct arena *a, const struct json *x, struct ac_attr *ret, struct err *e);

/* Names of the rules in their order, ended by NULL. */
const char *const *ac_rules(void);

#endif
