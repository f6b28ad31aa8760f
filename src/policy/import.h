/*
 * What foreign CAs have issued: whether a certificate or a revocation list can be imported under an authority, and what the
 * state of a certificate becomes by what is imported. Pure.
 */
#ifndef POLICY_IMPORT_H
#define POLICY_IMPORT_H

#include "model/status.h"
#include "pki/crl.h"
#include "policy/snapshot.h"

/* Is what this authority issues issued elsewhere? Its certificates come here by import only, and no others do. */
bool authority_is_foreign(const struct authority *x);

/* An officer sees the authority, and it is a foreign one whose certificate is here. Codes: STATUS_UNSEEN, IMPORT_AUTHORITY,
   ROLE_MISSING, ISSUER_CONSTRAINT. */
MUST enum rc may_import(struct arena *a, const struct snapshot *s, const struct officer *o,
			const struct authority *x, struct err *e);

/* The names fit: what is imported says that this authority has issued it. Its signature is the caller's to verify. Codes:
   IMPORT_ISSUER, IMPORT_WEAK. */
MUST enum rc import_certificate_fits(struct arena *a, const struct authority *x, const struct cert *c,
				     struct err *e);

/* The list is by the authority itself, whole, and of a time that has come. Codes: IMPORT_ISSUER, IMPORT_WEAK, IMPORT_LIST,
   IMPORT_TIME. */
MUST enum rc import_crl_fits(struct arena *a, const struct authority *x, const struct crl *c, int64_t now_ms,
			     struct err *e);
/* The list's issuing distribution point, as it stands there: lists with the same one follow each other. None: the list of all. */
struct bytes import_crl_scope(const struct crl *c);

/* ---- what becomes of one certificate ---- */

struct import_wish {
	enum cert_state state;
	enum reason reason;    /* CERT_REVOKED */
	int64_t at_ms;         /* since when; CERT_VALID: when the holds of this cause end */
	int64_t invalid_at_ms; /* CERT_REVOKED; 0: not said */
	struct bytes cause;    /* of the holds that this source puts and lifts */
};

struct import_now {
	enum cert_state state;
	int64_t since_ms;
	const struct bytes *causes; /* that it is on hold for */
	size_t causes_n;
};

struct import_change {
	bool any; /* else it stays as it is */
	enum status_verb verb;
	enum cert_state to;
	enum reason reason;
	int64_t at_ms, invalid_at_ms;
};

/* Revoked is final, whoever says what; a source lifts its own holds only. RC_OK with any false: it is so already, or (quiet) the
   source has no say in it. Codes: IMPORT_STATE, where the source says what cannot be. */
MUST enum rc decide_import(const struct import_now *now, const struct import_wish *wish,
			   struct import_change *ret, struct err *e);

/* What a list says of a serial number: an entry's state, or CERT_VALID where it has none. NULL: none. */
struct import_wish import_crl_wish(const struct crl_entry *entry, struct bytes cause, int64_t now_ms);

#endif
