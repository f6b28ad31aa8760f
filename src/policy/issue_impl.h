/*
 * Between the files of the decision to issue: issue.c has the table of rules, the others a few rules each. Not for
 * others.
 */
#ifndef POLICY_ISSUE_IMPL_H
#define POLICY_ISSUE_IMPL_H

#include "policy/issue.h"
#include "policy/rights.h"
#include "policy/select.h"

/* An input that is filled in, one of input_choices, with its values. */
struct given {
	const struct choice *input;
	struct bytes *v;
	size_t n;
};

/* A decision under way. */
struct issuing {
	struct arena *a;
	const struct issue_facts *f;
	struct issue_decision *d;
	const struct officer *officer;
	struct exts exts; /* inputs: key usage, extended key usage, what the request brings */
	/* what is asked: of the request, with what is filled in in place of it (issue_input.c) */
	struct given *given;
	size_t given_n;
	struct name asked; /* the subject, see issue_asked */
	struct gnames san;
	struct qc_statements qc; /* filled in */
	int64_t not_before_ms, not_after_ms;
	const char *note; /* of the rule at work */
	struct err *e;
};

/* A rule: RC_OK or the refusal; i->note is what people should know though it passed. */
typedef enum rc issue_rule_fn(struct issuing *i);

issue_rule_fn rule_input, rule_subject, rule_names, rule_key_usage, rule_extended_key_usage, rule_extensions,
    rule_validity, rule_basic_constraints;

/* Adds to the note of the rule at work. */
void issue_note(struct issuing *i, const char *fmt, ...) PRINTF(2, 3);
bool issue_has_oid(const struct oids *l, struct bytes oid);
/* An OID as people read it. */
const char *issue_oid(struct issuing *i, struct bytes oid);
/* One more extension of the certificate. */
MUST enum rc issue_extension(struct issuing *i, const struct ext_value *v);

/* The subject that is asked; read when it is first needed. */
MUST enum rc issue_asked(struct issuing *i, const struct name **ret);
/* What an input says: what is filled in, else what the request has of that name. */
MUST enum rc issue_values(struct issuing *i, const struct choice *input, struct bytes **ret, size_t *n);
/* What is filled in to be searched by, into the decision: nothing of it goes into the certificate. */
MUST enum rc issue_fields(struct issuing *i);
/* Text without control characters, else a refusal of this field with this code. */
MUST enum rc issue_text(struct issuing *i, struct bytes s, const char *where, enum code code);

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
