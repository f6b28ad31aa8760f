/*
 * The status of a certificate: its states, the reasons of revocation, and which change leads from where to where.
 */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include "base/bytes.h"

/* The numbers stand in the store. X(enum, name, label) */
#define CERT_STATES(X) \
	X(VALID, "valid", "valid") \
	X(HELD, "held", "on hold") \
	X(REVOKED, "revoked", "revoked")

enum cert_state {
#define X(e, name, label) CERT_##e,
	CERT_STATES(X)
#undef X
	    CERT_STATE_COUNT
};

/* "" for what is no state. */
const char *cert_state_name(int64_t state);
const char *cert_state_label(int64_t state);

/* RFC 5280 5.3.1, those that officers give; the number is the code in CRLs and OCSP. X(enum, code, name, label, help) */
#define REASONS(X) \
	X(UNSPECIFIED, 0, "unspecified", "No reason", "Revoked without saying why.") \
	X(KEY_COMPROMISE, 1, "key-compromise", "Key compromise", \
	  "The private key is known or feared to be out.") \
	X(CA_COMPROMISE, 2, "ca-compromise", "CA compromise", "The same of an authority's key.") \
	X(AFFILIATION, 3, "affiliation-changed", "Affiliation changed", \
	  "What the certificate says of its subject has changed; the key is fine.") \
	X(SUPERSEDED, 4, "superseded", "Superseded", "Another certificate has taken its place.") \
	X(CESSATION, 5, "cessation-of-operation", "Cessation of operation", "It is no longer needed.") \
	X(HOLD, 6, "certificate-hold", "Certificate hold", "For a while; it may be reinstated.") \
	X(PRIVILEGE, 9, "privilege-withdrawn", "Privilege withdrawn", \
	  "A right that the certificate states was taken back.")

enum reason {
#define X(e, code, name, label, help) REASON_##e = code,
	REASONS(X)
#undef X
	    REASON_REMOVED = 8, /* removeFromCRL: of what was reinstated */
	REASON_NONE = -1
};

/* REASON_NONE for what is none of the names. */
enum reason reason_of(struct bytes name);
/* Of any number; "" for what has none. REASON_REMOVED: "remove-from-crl". */
const char *reason_name(int64_t reason);
const char *reason_label(int64_t reason);

/* How it was made sure that whoever asked for a revocation may. */
enum verification { VERIFIED_NOT, VERIFIED_PASSWORD, VERIFIED_MANUALLY, VERIFICATION_NONE = -1 };
enum verification verification_of(struct bytes name); /* "", "password", "manual" */
const char *verification_name(enum verification v);

/* The cause of a hold that names none. */
#define HOLD_CAUSE_OFFICER "officer"
/* The cause of what an officer imports as being on hold, and with what that of revocation lists begins. */
#define HOLD_CAUSE_IMPORT "import"
#define HOLD_CAUSE_CRL "crl"
enum { HOLD_CAUSE_MAX = 100, HOLD_CAUSES_MAX = 32 };

enum status_verb { STATUS_REVOKE, STATUS_HOLD, STATUS_REINSTATE };
const char *status_verb_name(enum status_verb v); /* "revoke" */

/* The state machine. held_for: how many causes there will be. Whether the verb may be carried out at all in a state. */
bool status_may(enum cert_state from, enum status_verb v);
enum cert_state status_after(enum cert_state from, enum status_verb v, size_t held_for);

#endif
