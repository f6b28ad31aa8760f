/*
 * Extensions of certificates (RFC 5280 4.2, RFC 3739, EN 319 412-5, RFC 6960, RFC 7633), of CRLs and their entries (RFC 5280
 * 5.2, 5.3; X.509 9.5.2.8): each kind to a struct and back.
 *
 * `struct ext` is what stands in the certificate: OID, criticality, value. `struct ext_value` is what it says, a tagged
 * union by the OID; ext_decode and ext_encode go between the two. An extension that we do not know stays bytes (raw).
 */
#ifndef PKI_EXT_H
#define PKI_EXT_H

#include "pki/gname.h"

struct ext {
	struct bytes oid;
	enum oid known;
	bool critical;
	struct bytes value; /* contents of the OCTET STRING: one DER value */
};

struct exts {
	size_t n;
	struct ext *v;
};

/* keyUsage: bit n of the ASN.1 is 1u << n (RFC 5280 4.2.1.3). */
enum key_usage {
	USAGE_DIGITAL_SIGNATURE = 1 << 0,
	USAGE_CONTENT_COMMITMENT = 1 << 1,
	USAGE_KEY_ENCIPHERMENT = 1 << 2,
	USAGE_DATA_ENCIPHERMENT = 1 << 3,
	USAGE_KEY_AGREEMENT = 1 << 4,
	USAGE_KEY_CERT_SIGN = 1 << 5,
	USAGE_CRL_SIGN = 1 << 6,
	USAGE_ENCIPHER_ONLY = 1 << 7,
	USAGE_DECIPHER_ONLY = 1 << 8,
	USAGE_ALL = (1 << 9) - 1,
};
/* "digitalSignature" ...; bit is 0..8. */
const char *key_usage_name(unsigned bit);
/* The bit of a name, case does not matter, "nonRepudiation" too; 0 when unknown. */
uint32_t key_usage_by_name(struct bytes name);

struct basic_constraints {
	bool ca;
	int path_len; /* -1: none */
};

struct authority_key_id {
	struct bytes key_id; /* p NULL: absent */
	struct gnames issuer;
	struct bytes serial; /* INTEGER contents; p NULL: absent */
};

/* ReasonFlags: bit n of the ASN.1 is 1u << n. */
struct dist_point {
	struct gnames full_name;
	struct bytes relative; /* nameRelativeToCRLIssuer: elements of the RDN; p NULL: absent */
	uint32_t reasons;      /* 0: absent */
	struct gnames crl_issuer;
};
struct dist_points {
	size_t n;
	struct dist_point *v;
};

struct access_desc {
	struct bytes method;
	enum oid known;
	struct gname location;
};
struct access_descs {
	size_t n;
	struct access_desc *v;
};

struct policy_qual {
	struct bytes oid;
	enum oid known;            /* OID_QT_CPS, OID_QT_UNOTICE, else raw */
	struct bytes cps;          /* URI */
	struct bytes organization; /* of the notice reference, UTF-8 as written by us; p NULL: absent */
	uint32_t organization_tag;
	size_t numbers_n;
	int64_t *numbers;
	struct bytes text; /* explicitText; p NULL: absent */
	uint32_t text_tag;
	struct bytes raw; /* the qualifier's whole value */
};
struct policy_info {
	struct bytes oid;
	size_t quals_n;
	struct policy_qual *quals;
};
struct policy_infos {
	size_t n;
	struct policy_info *v;
};

struct policy_mapping {
	struct bytes issuer, subject;
};
struct policy_mappings {
	size_t n;
	struct policy_mapping *v;
};

struct policy_constraints {
	int64_t require_explicit, inhibit_mapping; /* -1: absent */
};

/* Subtrees: minimum is always 0 and maximum absent (RFC 5280 4.2.1.10). */
struct name_constraints {
	struct gnames permitted, excluded;
};

struct dir_attr {
	struct bytes oid;
	struct bytes values; /* contents of the SET: one or more whole values */
};
struct dir_attrs {
	size_t n;
	struct dir_attr *v;
};

struct qc_pds {
	struct bytes url, language; /* "en" */
};
/* One statement; which members count depends on `known`. */
struct qc_statement {
	struct bytes oid;
	enum oid known;
	struct oids types; /* QC_TYPE */
	size_t pds_n;      /* QC_PDS */
	struct qc_pds *pds;
	struct bytes currency; /* QC_LIMIT: three letters, or p NULL and the ISO 4217 number */
	int64_t currency_number, amount, exponent;
	int64_t years;      /* QC_RETENTION */
	size_t countries_n; /* QC_LEGISLATION: ISO 3166-1 alpha-2 */
	struct bytes *countries;
	struct bytes semantics;    /* PKIXQC_V2: semantics identifier; p NULL: absent */
	struct gnames authorities; /* PKIXQC_V2: name registration authorities */
	struct bytes raw; /* statementInfo, whole value; p NULL: absent. Built as it is for unknown ones */
};
struct qc_statements {
	size_t n;
	struct qc_statement *v;
};

struct tls_features {
	size_t n;
	int64_t *v; /* 5 is status_request */
};

/* Target (RFC 5755 4.3.2): a server or a group of them by name. targetCert is not taken, as the profile forbids it. */
struct ac_target {
	bool group;
	struct gname name;
};
struct ac_targets {
	size_t n;
	struct ac_target *v;
};

/* IssuingDistributionPoint: what a CRL is about (RFC 5280 5.2.5). */
struct issuing_point {
	struct gnames full_name;
	struct bytes relative; /* as in dist_point */
	bool only_user, only_ca, indirect, only_attribute;
	uint32_t reasons; /* 0: absent, all of them */
};

struct ext_value {
	enum oid kind;    /* OID_CE_*, OID_PE_*; OID_NONE: raw */
	struct bytes oid; /* set by ext_decode; ext_encode needs it only for OID_NONE */
	bool critical;
	union {
		uint32_t key_usage;             /* CE_KEY_USAGE */
		struct oids eku;                /* CE_EXT_KEY_USAGE */
		struct basic_constraints basic; /* CE_BASIC_CONSTRAINTS */
		struct bytes key_id;            /* CE_SUBJECT_KEY_ID */
		struct authority_key_id aki;    /* CE_AUTHORITY_KEY_ID */
		struct gnames names; /* CE_SUBJECT_ALT_NAME, CE_ISSUER_ALT_NAME, CE_CERTIFICATE_ISSUER */
		struct dist_points points;                    /* CE_CRL_POINTS, CE_FRESHEST_CRL */
		struct access_descs access;                   /* PE_AUTHORITY_INFO, PE_SUBJECT_INFO */
		struct policy_infos policies;                 /* CE_POLICIES */
		struct policy_mappings mappings;              /* CE_POLICY_MAPPINGS */
		struct policy_constraints policy_constraints; /* CE_POLICY_CONSTRAINTS */
		int64_t inhibit_any;                          /* CE_INHIBIT_ANY */
		struct name_constraints constraints;          /* CE_NAME_CONSTRAINTS */
		struct dir_attrs attrs;                       /* CE_SUBJECT_DIR_ATTRS */
		struct qc_statements qc;                      /* PE_QC_STATEMENTS */
		struct tls_features tls;                      /* PE_TLS_FEATURE */
		struct bytes audit;                           /* PE_AUDIT_IDENTITY: 1 to 20 octets */
		struct ac_targets targets;                    /* CE_TARGETS */
		struct bytes number;        /* CE_CRL_NUMBER, CE_DELTA_CRL: INTEGER contents */
		int reason;                 /* CE_REASON: CRLReason */
		int64_t at;                 /* CE_INVALIDITY_DATE, CE_EXPIRED_ON_CRL, PE_OCSP_ARCHIVE */
		struct issuing_point point; /* CE_ISSUING_POINT */
		struct bytes raw;           /* OID_NONE: the whole DER value */
	};                                  /* PE_OCSP_NOCHECK, CE_NO_REV_AVAIL: nothing */
};

/* What an extension says; arrays in the arena, views into e->value. Codes: DER_*, NAME, GNAME, EXT (a rule of the
   extension's own syntax), LIMIT, NO_MEMORY; the field is the extension's name. An unknown one must be one whole DER
   value. */
MUST enum rc ext_decode(struct arena *a, const struct ext *x, struct ext_value *ret, struct err *e);
/* Its DER; *ret is the arena's (views into nothing of v but static OIDs). The result is decoded again, so what could not
   be read is never built: same codes. */
MUST enum rc ext_encode(struct arena *a, const struct ext_value *v, struct ext *ret, struct err *e);
/* What it says, in one line of text: "digitalSignature, keyEncipherment". Unknown or damaged: hexadecimal. */
void ext_put_text(struct buf *out, const struct ext *x);

/* SEQUENCE SIZE (1..LIMIT_EXTENSIONS) OF Extension: unique OIDs (EXT_DUPLICATE), DEFAULT FALSE left out (DER). */
MUST enum rc exts_parse(struct arena *a, struct bytes der, struct exts *ret, struct err *e);
/* One Extension in front of what is written. */
void dw_ext(struct dw *w, const struct ext *x);
/* NULL when it is not there. */
const struct ext *exts_find(const struct exts *l, enum oid known);
const struct ext *exts_find_oid(const struct exts *l, struct bytes oid);

/* CRLReason (RFC 5280 5.3.1); 7 has no meaning. */
enum crl_reason {
	CRL_NO_REASON = -1,
	CRL_UNSPECIFIED = 0,
	CRL_KEY_COMPROMISE = 1,
	CRL_CA_COMPROMISE = 2,
	CRL_AFFILIATION = 3,
	CRL_SUPERSEDED = 4,
	CRL_CESSATION = 5,
	CRL_HOLD = 6,
	CRL_REMOVE = 8,
	CRL_PRIVILEGE = 9,
	CRL_AA_COMPROMISE = 10,
};
/* "keyCompromise"; "" for what is none. */
const char *crl_reason_name(int reason);
/* CRL_NO_REASON when unknown. */
int crl_reason_by_name(struct bytes name);

/* The three that everybody asks about, without memory. */
MUST enum rc ext_key_usage(struct bytes value, uint32_t *ret, struct err *e);
MUST enum rc ext_basic(struct bytes value, struct basic_constraints *ret, struct err *e);
MUST enum rc ext_key_id(struct bytes value, struct bytes *ret, struct err *e);

#endif
