/*
 * A request decided twice: by the policy in force and by a changed one. Pure: the same facts, the same time and random
 * numbers for both, so whatever differs comes of the change.
 */
#ifndef POLICY_SIMULATE_H
#define POLICY_SIMULATE_H

#include "base/json.h"
#include "policy/issue.h"
#include "policy/issue_attribute.h"

/* X(enum, "name") */
#define SIMULATED(X) \
	X(SAME, "same") \
	X(DIFFERENT, "different") /* both issue, but not the same certificate, or by another procedure */ \
	X(REFUSED, "refused")     /* is issued now, would be refused */ \
	X(ACCEPTED, "accepted")   /* is refused now, would be issued */ \
	X(OTHERWISE, "refused-otherwise")

enum simulated {
#define X(e, name) SIMULATED_##e,
	SIMULATED(X)
#undef X
	    SIMULATED_COUNT
};

const char *simulated_name(enum simulated s);

/* What one of the two policies makes of it. */
struct simulated_side {
	bool issued;
	struct err why;         /* where it is refused */
	const char *rule;       /* that refused; NULL: none */
	struct bytes procedure; /* its name, where it is issued */
	struct json *cert;      /* what would be issued, as JSON */
};

/* Decided by this policy; facts->policy is not looked at. Codes: NO_MEMORY, and what parsing our own to-be-signed
   certificate gives: a refusal is an answer. */
MUST enum rc simulate_certificate(struct arena *a, const struct snapshot *policy,
				  const struct issue_facts *facts, struct simulated_side *ret, struct err *e);
MUST enum rc simulate_attribute_certificate(struct arena *a, const struct snapshot *policy,
					    const struct ac_facts *facts, struct simulated_side *ret,
					    struct err *e);

/* *ret: {"outcome", "now": side, "then": side, "difference": [{"field", "label", "old", "new"}]}; a side is {"issued": true,
   "procedure"} or {"issued": false, "code", "rule", "field", "detail"}. Differences in words: procedure, subject, validity,
   key, algorithms, attributes, each extension. NO_MEMORY. */
MUST enum rc simulate_compare(struct arena *a, const struct simulated_side *now,
			      const struct simulated_side *then, enum simulated *ret_outcome,
			      struct json **ret, struct err *e);

#endif
