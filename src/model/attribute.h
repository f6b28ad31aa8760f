/*
 * Attribute certificates, as nouns: what is asked, what is known of the base certificate, what was concluded.
 */
#ifndef MODEL_ATTRIBUTE_H
#define MODEL_ATTRIBUTE_H

#include "model/issue.h"
#include "pki/ac.h"

struct ac_procedure;

enum { AUDIT_KEY = 32, AUDIT_IDENTITY = 20 };

/* HMAC-SHA-256 (RFC 2104), an argument because decisions link no cryptography. */
typedef void hmac_fn(struct bytes key, struct bytes in, uint8_t out[32]);

/* The public key certificate whose holder the attribute certificate is about. */
struct ac_base {
	int64_t id;                    /* 0: it is being issued together with it */
	struct doc_id authority;       /* that issued it; none: not known here */
	struct doc_id token_procedure; /* that made it; none: not known here */
	bool is_ca, is_ac; /* an authority's own; an attribute certificate, which cannot be a base */
	bool held, revoked;
	struct bytes issuer, serial; /* Name; INTEGER contents */
	struct bytes subject;        /* RFC 4514, for people */
	int64_t not_before_ms, not_after_ms;
	uint16_t
	    key_usage; /* bit n of RFC 5280 4.2.1.3 is 1 << n; 0: it says nothing, which is all of them */
};

/* What we know. Views live as long as the decision is used. */
struct ac_facts {
	const struct snapshot *policy;
	struct officer_id officer;           /* who signed it, or opened the session */
	const struct credential *credential; /* as in issue_facts */
	struct bytes token_procedure;        /* name or decimal id; empty when `with` is there */
	const struct token_procedure
	    *with;    /* that makes the base certificate as well; NULL: the base is there already */
	size_t which; /* of the token procedure's attribute certificate procedures */
	const struct ac_base *base;
	const struct json *attributes;       /* asked for: [{type, values}]; NULL: none */
	int64_t not_before_ms, not_after_ms; /* asked; 0: not given */
	int64_t now_ms;
	uint8_t random[SERIAL_RANDOM];
	uint8_t audit_key[AUDIT_KEY]; /* this installation's; see ac_audit_identity */
	hmac_fn *hmac;
};

/* What was concluded. All of it is the arena's or the snapshot's. */
struct ac_decision {
	const struct token_procedure *token_procedure;
	const struct ac_procedure *procedure;
	const struct authority *authority;
	struct rule_trace trace; /* on a refusal too: the last one failed */
	struct doc_version token_version, procedure_version, format_version, authority_version;
	uint8_t serial[SERIAL_LEN];
	int64_t not_before_ms, not_after_ms;
	struct ac_inputs inputs; /* all that ac_tbs_build needs */
};

#endif
