/*
 * May this officer take this key out of the archive, for the person who is named? Pure; every refusal names its rule.
 */
#ifndef POLICY_RECOVERY_H
#define POLICY_RECOVERY_H

#include "pki/gname.h"
#include "policy/snapshot.h"

struct recovery_facts {
	const struct snapshot *policy;
	const struct officer *officer;
	struct bytes asked; /* the holder's Name as it was filled in, DER */
	struct bytes meant; /* the holder's whole subject, DER; empty: not said */
	/* of the archived key's certificate */
	const struct document *authority, *token_procedure; /* NULL: there is none (any more) */
	struct doc_id asked_from;                           /* as of certificate_domain */
	struct bytes issuer, subject;                       /* Names in DER */
	const struct gnames *san;                           /* NULL: none */
};

/* Codes: STORE_NOT_FOUND where the officer does not see the certificate, or it is somebody else's: then it is not there;
   DOMAIN_FOREIGN, ISSUER_CONSTRAINT, OFFICER_NAMES. a is for scratch. */
MUST enum rc decide_recovery(struct arena *a, const struct recovery_facts *f, struct err *e);

/* Whose keys they are, where those of all these subjects (DER, n > 0, each another one) could be recovered for the name that was filled
   in: the only one, or the one that has no other attributes than were filled in. RECOVERY_AMBIGUOUS names them. */
MUST enum rc decide_holder(struct arena *a, const struct bytes *subjects, size_t n, struct bytes asked,
			   struct bytes *ret, struct err *e);

/* The rules' names in their order; ends with NULL. */
const char *const *recovery_rules(void);

#endif
