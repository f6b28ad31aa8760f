/* Between the two files of the decision about attribute certificates. Not for others. */
#ifndef POLICY_ISSUE_ATTRIBUTE_IMPL_H
#define POLICY_ISSUE_ATTRIBUTE_IMPL_H

#include "policy/issue_attribute.h"
#include "policy/issue_impl.h"

/* A decision under way. */
struct attributing {
	struct arena *a;
	const struct ac_facts *f;
	struct ac_decision *d;
	const struct officer *officer;
	const char *note; /* of the rule at work */
	struct err *e;
};

typedef enum rc attributing_fn(struct attributing *i);

attributing_fn rule_base_visible, rule_base_kind, rule_base_state, rule_base_usage, rule_ac_attributes,
    rule_ac_audit_identity, rule_ac_validity, rule_ac_serial;

#endif
