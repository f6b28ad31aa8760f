/*
 * The decision to issue: pure and total. A table of rules is asked in order; each may refuse with its own
 * code, naming the field and the rule; what all of them let pass is decided, with everything that the
 * certificate needs. The same facts always give the same bytes.
 */
#ifndef POLICY_ISSUE_H
#define POLICY_ISSUE_H

#include "model/issue.h"
#include "policy/snapshot.h"

/*
 * a: keeps the decision. On refusal ret->trace says how far it came, the last entry being the rule that
 * refused, and e->text begins with nothing else than the reason. Codes: 1550-1599 of codes.def, ROLE_MISSING,
 * OFFICER_*, DOMAIN_*.
 */
MUST enum rc decide_issue(struct arena *a, const struct issue_facts *f, struct issue_decision *ret,
			  struct err *e);

/* The to-be-signed certificate of a decision (cert_tbs_build with the procedure's template); *ret is the
 * arena's. */
MUST enum rc issue_tbs(struct arena *a, const struct issue_decision *d, struct bytes *ret, struct err *e);

/* What a validity that goes beyond the authority's would come to: a sentence for people, the arena's; NULL: it does not, or nothing can
 * be said. not_after_ms: what is asked for, 0: nothing is. NULL too when memory is out. */
const char *validity_beyond(struct arena *a, const struct procedure *p, int64_t now_ms, int64_t not_after_ms);

/* The rules' names in their order; ends with NULL. */
const char *const *issue_rules(void);

/* ---- an authority's own certificate ---- */

struct authority_issue_facts {
	const struct snapshot *policy; /* in which the authority's document is */
	struct doc_id authority;
	struct bytes spki;   /* of its key, DER SubjectPublicKeyInfo */
	struct bytes key_id; /* of that key, as of struct issue_facts */
	int64_t now_ms;
	uint8_t random[SERIAL_RANDOM];
};

struct authority_decision {
	const struct authority *authority;
	const struct authority *issuer; /* itself for a root */
	struct rule_trace trace;
	uint8_t serial[SERIAL_LEN];
	int64_t not_before_ms, not_after_ms;
	enum sigalg sigalg;            /* the issuer's */
	int path_len;                  /* -1: unlimited */
	struct bytes name_constraints; /* the extension's value; empty: none */
	struct bytes tbs;
};

/* Codes: AUTHORITY_*, those of issuing. */
MUST enum rc decide_authority(struct arena *a, const struct authority_issue_facts *f,
			      struct authority_decision *ret, struct err *e);

#endif
