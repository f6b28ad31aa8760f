/*
 * Between the files of the decision to issue: issue.c has the table of rules, the others a few rules each. Not for
 * others.
 */
#ifndef POLICY_ISSUE_IMPL_H
#define POLICY_ISSUE_IMPL_H

#include "policy/issue.h"
#include "policy/rights.h"
#include "policy/select.h"

/* A decision under way. */
struct issuing {
	struct arena *a;
	const struct issue_facts *f;
	struct issue_decision *d;
	const struct officer *officer;
	struct exts exts; /* inputs: key usage, extended key usage, what the request brings */
	const char *note; /* of the rule at work */
	struct err *e;
};

/* A rule: RC_OK or the refusal; i->note is what people should know though it passed. */
typedef enum rc issue_rule_fn(struct issuing *i);

issue_rule_fn rule_subject, rule_names, rule_key_usage, rule_extended_key_usage, rule_extensions,
    rule_validity, rule_basic_constraints;

/* Adds to the note of the rule at work. */
void issue_note(struct issuing *i, const char *fmt, ...) PRINTF(2, 3);
/* One more extension of the certificate. */
MUST enum rc issue_extension(struct issuing *i, const struct ext_value *v);

/* Positive and minimal: six octets of now, then the random ones. ISSUE_SERIAL. */
MUST enum rc serial_make(uint8_t ret[SERIAL_LEN], int64_t now_ms, const uint8_t random[SERIAL_RANDOM],
			 struct err *e);

/* What each rule came to, one after the other: rc with note where it passed, with e where it refused, which gets the
   rule's name. Returns rc. */
MUST enum rc trace_start(struct arena *a, struct rule_trace *t, size_t max, struct err *e);
MUST enum rc trace_rule(struct arena *a, struct rule_trace *t, const char *rule, enum rc rc, const char *note,
			struct err *e);

#define REFUSE(i, where, code, std, ...) \
	do { \
		err_field((i)->e, "%s", (where)); \
		FAIL((i)->e, (code), (std), __VA_ARGS__); \
	} while (0)
#define REFUSE_IF(cond, i, where, code, std, ...) \
	do { \
		if (cond) \
			REFUSE(i, where, code, std, __VA_ARGS__); \
	} while (0)
/* ... that wraps a finding whose code is `exact`. */
#define REFUSE_FOR(cond, exact, i, where, code, std, ...) \
	do { \
		if (cond) { \
			err_cause((i)->e, (exact)); \
			REFUSE(i, where, code, std, __VA_ARGS__); \
		} \
	} while (0)
/* Out of memory. */
#define ROOM(p, i) NEED((p) != NULL, (i)->e, CHY_NO_MEMORY, NULL, "decision to issue")

#endif
