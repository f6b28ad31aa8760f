/*
 * May a certificate be published, or taken back, by a procedure? Pure; the rules stand in one table, each refusal names its own.
 */
#ifndef POLICY_PUBLICATION_H
#define POLICY_PUBLICATION_H

#include "model/officer.h"
#include "policy/snapshot.h"

/* What an officer who manages revocation passwords chooses when something is published. */
enum password_choice { PASSWORD_KEEP, PASSWORD_SET, PASSWORD_DELETE, PASSWORD_CHOICES };

const char *password_choice_name(enum password_choice c);
/* "keep", "set", "delete"; PASSWORD_CHOICES for another word. */
enum password_choice password_choice_of(struct bytes name);

struct publication_facts {
	const struct snapshot *policy;
	const struct officer *officer;
	const struct document *procedure;
	bool removal; /* it is taken back */
	int64_t now_ms;
	/* of the certificate */
	bool allowed; /* when it was issued */
	bool valid;   /* neither revoked nor on hold */
	int64_t not_after_ms;
	bool has_password;
	enum password_choice choice;
	bool choice_open;                 /* it is selected only: the choice is made when it is submitted */
	const struct document *authority; /* that issued it; NULL: it is gone */
	const struct document *token_procedure; /* that made it; NULL: none */
	struct doc_id asked_from;               /* as of certificate_domain */
};

/* Codes: PUBLICATION_UNKNOWN (not to be seen), DOMAIN_FOREIGN, PUBLICATION_NOT_ALLOWED, PUBLICATION_STATE, PUBLICATION_EXPIRED,
   PUBLICATION_PASSWORD. What is revoked or expired can be taken back. */
MUST enum rc decide_publication(const struct publication_facts *f, struct err *e);

/* The procedure itself: it is there, to be seen, open, and leads somewhere. PUBLICATION_PROCEDURE, DOMAIN_HIDDEN, ROLE_MISSING. */
MUST enum rc may_publish_by(const struct snapshot *s, const struct officer *o,
			    const struct document *procedure, struct err *e);

/* The rules' names in their order; ends with NULL. */
const char *const *publication_rules(void);

#endif
