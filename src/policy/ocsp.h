/*
 * OCSP: for which certificates which status is told, and the certificate that a responder signs with. Pure; every answer
 * names its rule.
 */
#ifndef POLICY_OCSP_H
#define POLICY_OCSP_H

#include "model/issue.h"
#include "model/status.h"
#include "pki/ocsp.h"
#include "policy/revoke.h"
#include "policy/snapshot.h"

/* From an authority's body. Times that cannot be read are the defaults'. */
struct ocsp_settings ocsp_settings_of(const struct json *body);

/* ---- one certificate ---- */

struct ocsp_facts {
	bool issued; /* the store has a record of it: by this authority, with this serial number */
	enum cert_state state;
	int64_t reason;  /* RFC 5280 5.3.1 */
	int64_t at_ms;   /* of revocation or hold */
	bool by_officer; /* the authority's certificates are activated one by one */
	bool activated;  /* this one is */
};

struct ocsp_word {
	enum ocsp_status status;
	int64_t revoked_at;
	int reason; /* CRL_NO_REASON: none */
	const char *rule;
};

/*
 * What is told of it; the first row that fits:
 *
 *	not-issued	unknown		whatever else: never good for what was not issued here (RFC 6960 2.2)
 *	revoked		revoked		its time and reason; no reason for "unspecified" (RFC 5280 5.3.1)
 *	on-hold		revoked		certificateHold
 *	not-activated	unknown		where an officer activates each one
 *	good		good
 */
struct ocsp_word decide_ocsp(const struct ocsp_facts *f);

/* ---- an officer's act ---- */

struct activation_facts {
	struct status_facts status; /* the wish is not looked at */
	bool activated;
};
/* May this officer activate it? Codes: STATUS_UNSEEN, DOMAIN_FOREIGN, ROLE_MISSING, ISSUER_CONSTRAINT, OFFICER_NAMES, OCSP_OFF,
   STATUS_NOT_CANDIDATE (it is revoked), OCSP_ACTIVATED. a is for scratch. */
MUST enum rc decide_activation(struct arena *a, const struct activation_facts *f, struct err *e);

/* ---- the responder's certificate ---- */

struct responder_facts {
	const struct snapshot *policy;
	struct doc_id authority;
	const struct document *node; /* the status node that it is for; NULL: for this server itself */
	struct bytes spki;           /* of its key, DER SubjectPublicKeyInfo */
	struct bytes key_id;         /* RFC 5280 4.2.1.2 */
	int64_t now_ms;
	uint8_t random[SERIAL_RANDOM];
};

struct responder_decision {
	const struct authority *authority;
	struct rule_trace trace;
	uint8_t serial[SERIAL_LEN];
	int64_t not_before_ms, not_after_ms;
	enum sigalg sigalg; /* the authority's */
	struct bytes subject;
	struct bytes tbs;
};

/* Issued by the authority itself, for OCSP signing and nothing else, with ocsp-nocheck (RFC 6960 4.2.2.2.1). Codes: OCSP_OFF,
   NODE_FOREIGN, those of issuing. */
MUST enum rc decide_responder(struct arena *a, const struct responder_facts *f,
			      struct responder_decision *ret, struct err *e);

/* The open status node with this key; key_sha256: hex. NULL: officers have admitted none. */
const struct document *status_node_of(const struct snapshot *policy, struct bytes key_sha256);
/* A node answers for the authorities of its own domain and those below. */
bool status_node_answers(const struct snapshot *policy, const struct document *node,
			 const struct authority *authority);

/* Whether a responder's certificate is to be replaced: two thirds of it are over, or it lies in the future (a clock went
   wrong). */
bool responder_is_due(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms);

#endif
