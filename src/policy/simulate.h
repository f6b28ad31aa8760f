/*
 * A request decided twice: by the policy in force and by a changed one. Pure: the same facts, the same time and random
 * numbers for both, so whatever differs comes of the change.
 */
#ifndef POLICY_SIMULATE_H
#define POLICY_SIMULATE_H

#include "base/json.h"
#include "policy/issue.h"

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

/* facts->policy is not looked at. *ret: {"outcome", "now": side, "then": side, "difference": [{"field", "label", "old",
   "new"}]}; a side is {"issued": true, "procedure"} or {"issued": false, "code", "rule", "field", "detail"}. Differences in
   words: procedure, subject, validity, key, algorithms, each extension. Codes: NO_MEMORY, and what parsing our own
   to-be-signed certificate gives. */
MUST enum rc simulate(struct arena *a, const struct snapshot *now, const struct snapshot *then,
		      const struct issue_facts *facts, enum simulated *ret_outcome, struct json **ret,
		      struct err *e);

#endif
