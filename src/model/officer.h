/*
 * Officers as decisions see them: who they are by policy, and what is known of the certificate they showed or
 * signed with.
 */
#ifndef MODEL_OFFICER_H
#define MODEL_OFFICER_H

#include "base/json.h"
#include "model/id.h"
#include "model/role.h"

enum { FINGERPRINT_LEN = 32 };

/* How an officer is bound to a certificate; names in choices.c. */
enum entity_type { ENTITY_SUBJECT, ENTITY_DYNAMIC_TOKEN, ENTITY_STATIC_TOKEN };

/* An officer in a policy snapshot, and valid as long as that. */
struct officer {
	struct officer_id id;
	int64_t version;
	struct bytes name;
	struct doc_id domain; /* where the officer's rights begin; none: Root */
	struct doc_id profile;
	int64_t profile_version;
	struct bytes profile_name;
	enum entity_type entity;
	roles roles;
	bool boot;                            /* made by the boot ceremony: signs in one step only */
	bool active;                          /* the officer's state and the profile's */
	const char *why_not;                  /* "officer closed", "profile closed"; NULL when active */
	uint8_t fingerprint[FINGERPRINT_LEN]; /* SHA-256 of the DER of the bound certificate */
	struct bytes subject;                 /* of that certificate, RFC 4514 text; may be empty */
	struct bytes subject_der;             /* the same; empty: it cannot be told */
	int64_t certificate;                  /* its id; by the subject only later ones count beside it */
	int64_t certificate_procedure;        /* that issued it; 0: none */
	struct bytes token; /* serial number of the token that holds the key; may be empty */
	const uint8_t (*keys)[FINGERPRINT_LEN]; /* SHA-256 of each SubjectPublicKeyInfo in the token */
	size_t keys_n;
	size_t
	    binding_n; /* the first of them, which are in the token alone; the others are in the archive, too */
	struct bytes
	    name_constraints; /* of the profile, an extension's value (RFC 5280 4.2.1.10); empty: none */
	const struct json *issuer_constraints; /* rules of the profile; NULL or empty: none */
};

enum credential_state { CREDENTIAL_GOOD, CREDENTIAL_HELD, CREDENTIAL_REVOKED };

/* What is known of the certificate with which an officer logs in or signs. */
struct credential {
	uint8_t fingerprint[FINGERPRINT_LEN];
	struct bytes subject;         /* DER of the Name */
	struct bytes token;           /* as of struct officer */
	uint8_t key[FINGERPRINT_LEN]; /* SHA-256 of the SubjectPublicKeyInfo; all 0: not looked at */
	bool by_subject;              /* stands for the officer by its subject and procedure ... */
	bool by_token; /* ... or by its key, which is in the officer's token; not by its fingerprint */
	bool archived; /* the key is in the archive: whoever may recover it has it, too */
	uint16_t
	    key_usage; /* bit n of RFC 5280 4.2.1.3 is 1 << n; 0: it says nothing, which is all of them */
	int64_t not_before_ms, not_after_ms;
	enum credential_state state;
	/* of the certificate that the officer's document names, where another one stands for the officer */
	enum credential_state bound;
	bool bound_superseded; /* it is revoked because a newer one takes its place */
};

#endif
