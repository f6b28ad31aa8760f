/*
 * A decision's table of rules, written once as a list X("name", function): the functions in their order, and their names.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

/* static const struct { name, fn } rules[], of functions of this type. */
#define RULE_TABLE(type, list) \
	static const struct { \
		const char *name; \
		type *fn; \
	} rules[] = { list(RULE_ROW) }
#define RULE_ROW(name, fn) { name, fn },

/* The function that gives the names, ended by NULL. */
#define RULE_NAMES(function, list) \
	const char *const *function(void) \
	{ \
		static const char *const names[] = { list(RULE_NAME) NULL }; \
\
		return names; \
	}
#define RULE_NAME(name, fn) name,

/* Asks each rule of the table with these arguments, the last of them e; the function returns with the first refusal, which then
   has the rule's name. */
#define RULES_ASK(...) \
	do { \
		for (size_t rule_i = 0; rule_i < ARRAY_LEN(rules); rule_i++) { \
			enum rc rule_rc = rules[rule_i].fn(__VA_ARGS__); \
\
			if (rule_rc != RC_OK) { \
				err_rule(e, rules[rule_i].name); \
				return rule_rc; \
			} \
		} \
	} while (0)

#endif
