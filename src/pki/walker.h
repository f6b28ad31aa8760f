/*
 * The signer's own strict reader of a TBSCertificate. It is independent of cert.c on purpose (it shares only the DER
 * cursor and the name and general name checks): what the factory built is read again, by other code, before it is signed.
 * Memory-free; views into the bytes.
 */
#ifndef PKI_WALKER_H
#define PKI_WALKER_H

#include "pki/ext.h"
#include "pki/key.h"

struct tbs_view {
	struct bytes tbs;
	struct bytes serial; /* INTEGER contents: positive, at most LIMIT_SERIAL octets */
	struct bytes alg_id;
	enum sigalg sigalg;
	struct bytes issuer, subject;        /* Names */
	int64_t not_before_at, not_after_at; /* ms */
	struct bytes spki;
	struct pubkey key;
	struct bytes exts; /* contents of the SEQUENCE OF Extension; may be empty */
	size_t exts_n;
	bool has_basic, ca;
	int path_len; /* -1: none */
	bool has_key_usage;
	uint32_t key_usage;
	struct bytes san;              /* value of subjectAltName; p NULL: absent */
	struct bytes name_constraints; /* value; p NULL: absent */
	struct bytes key_id;           /* subjectKeyIdentifier; p NULL: absent */
	struct bytes authority_key_id; /* keyIdentifier of authorityKeyIdentifier; p NULL: absent */
};

/* Everything that must hold of any certificate that we sign: DER; version 3; serial; known algorithm; non-empty issuer;
   times by RFC 5280 4.1.2.5, in order; key of a kind we know; no unique ids; extensions not empty, none twice, each one
   whole DER value, keyUsage and basicConstraints by their rules (cA only with keyCertSign and the other way round,
   pathLenConstraint only with both, basicConstraints critical with cA); empty subject only with a critical subjectAltName.
   Codes: DER_*, NAME, GNAME, EXT*, KEY_*, SIGALG, TBS. */
MUST enum rc tbs_walk(struct bytes tbs, struct tbs_view *ret, struct err *e);

/* Name constraints of the CA (the value of its extension; none: everything may be) against subject, emailAddress in
   the subject, a common name that looks like a host where no DNS name stands, and every subjectAltName of the view (only
   subject, san and ca are read): TBS_NAME when one lies in no permitted subtree of its type or in an
   excluded one. */
MUST enum rc tbs_check_names(const struct tbs_view *v, struct bytes name_constraints, struct err *e);

/* The same for an AttributeCertificateInfo (RFC 5755), independent of ac.c. */
struct ac_view {
	struct bytes tbs;
	struct bytes base_issuer,
	    base_serial;     /* Name and INTEGER contents: every one that we sign names its base */
	struct bytes issuer; /* Name */
	struct bytes alg_id;
	enum sigalg sigalg;
	struct bytes serial;
	int64_t not_before_at, not_after_at; /* ms */
	size_t attrs_n;
	struct bytes exts;
	size_t exts_n;
	struct bytes authority_key_id; /* p NULL: absent */
	bool no_revocation;            /* noRevAvail */
};

/* Everything that must hold of any that we sign: DER; version 2; the base certificate by issuer and serial; v2Form with one
   name that is not empty; an algorithm as we write it; a positive serial; times as GeneralizedTime, in order; 1 to 64
   attributes, each type once, those of RFC 5755 4.4 by their syntax; extensions by their rules, none twice, none that says
   something of a key, no unknown critical one; noRevAvail only without a place to ask. Codes: as tbs_walk, AC_TBS for TBS. */
MUST enum rc ac_tbs_walk(struct bytes tbs, struct ac_view *ret, struct err *e);

#endif
