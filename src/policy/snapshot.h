/*
 * The policy in force: one immutable, indexed picture of all documents, compiled so that issuing reads
 * nothing else. It is built from the newest version of every document, closed ones too (so that a use of one
 * is refused by its own name), and swapped whole when a version is committed. Reference counted; any number
 * of threads may read.
 *
 * A document that cannot be used (its format is closed, its authority has no certificate, ...) does not stop
 * the rest: it is there, says why, and refuses what needs it.
 */
#ifndef POLICY_SNAPSHOT_H
#define POLICY_SNAPSHOT_H

#include "base/base.h"
#include "model/document.h"
#include "model/officer.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "pki/gname.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ext.h"
#include "policy/duration.h"
#include "policy/modifier.h"

struct snapshot;

enum { SNAPSHOT_ARENA_MAX = 1 << 30 }; /* bytes; 10,000 procedures take about 100 MB at most */

/* What the store and the signer know of an authority and no document says. Views need to live during the call
 * only. */
struct authority_facts {
	struct doc_id authority;
	struct cert_id certificate_id; /* of its own certificate; none: not issued yet */
	struct bytes certificate;      /* DER; empty: none yet */
	bool revoked;                  /* it is, or on hold */
};

struct snapshot_input {
	const struct document *documents; /* newest versions, in any order; body may be NULL */
	size_t documents_n;
	const struct authority_facts *authorities;
	size_t authorities_n;
};

/* A snapshot with one reference. Fails only for lack of memory or for text that is no document (JSON_*): a
   broken document in the store is a fault to be seen, a document that policy cannot use is not. */
MUST enum rc snapshot_build(const struct snapshot_input *in, struct snapshot **ret, struct err *e);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);
OWN_DEFINE(struct snapshot *, snapshot_unref)

/* Bytes that it takes. */
size_t snapshot_size(const struct snapshot *s);

/* ---- documents ---- */

/* NULL: no such document (of this kind). */
const struct document *snapshot_document(const struct snapshot *s, struct doc_id id);
const struct document *snapshot_of_kind(const struct snapshot *s, enum kind_id kind, struct doc_id id);
/* All of a kind by ascending id; returns how many. */
size_t snapshot_list(const struct snapshot *s, enum kind_id kind, const struct document *const **ret);

/* By name in exactly this domain; NULL: none. */
const struct document *snapshot_in_domain(const struct snapshot *s, enum kind_id kind, struct bytes name,
					  struct doc_id domain);
/* a is b or lies above it; none is Root, above all. Unknown domains are above and below nothing. */
bool domain_is_above(const struct snapshot *s, struct doc_id a, struct doc_id b);
/* A document may be referred to from a domain: it lies there, or in Root, or above and is visible in
 * subdomains. */
bool document_is_visible(const struct snapshot *s, const struct document *d, struct doc_id from);

/* Why a document cannot be used, CHY_NONE where it can; text lives as long as the snapshot, "" for none. */
struct unusable {
	enum code code;
	const char *text;
};
struct unusable snapshot_unusable(const struct snapshot *s, struct doc_id id);
/* Marks one, before the snapshot is shared: for whoever judges sample certificates. The first reason stays.
 */
MUST enum rc snapshot_condemn(struct snapshot *s, struct doc_id id, enum code code, const char *text,
			      struct err *e);

/* An officer of the boot ceremony who may still act: there is no production before there is none (NULL). */
const struct document *snapshot_boot_officer(const struct snapshot *s);

/* ---- compiled documents; all views live as long as the snapshot ---- */

enum authority_type {
	AUTHORITY_ROOT,
	AUTHORITY_SUBORDINATE,
	AUTHORITY_EXTERNAL_SUBORDINATE,
	AUTHORITY_EXTERNAL_ROOT,
	AUTHORITY_CROSS
};

enum { AUTHORITY_CHAIN_MAX = 24 }; /* certificates from an authority up to its root */

struct crl_procedure;

/* How an authority's certificates are answered for by OCSP. */
struct ocsp_settings {
	bool on;
	bool by_officer;              /* unknown until an officer activates it */
	struct duration answer;       /* how long an answer is good */
	struct duration certificate_; /* how long a responder's certificate is valid */
	struct bytes key_algorithm;   /* of its key: "p-256" */
	bool has_archive;
	struct duration archive;
};

struct authority {
	const struct document *doc;
	enum authority_type type;
	const struct authority *issuer; /* NULL: root, or its document is gone */
	const struct document *key;     /* the ca-key document; NULL: the key is not here */
	struct key_type key_type;
	struct bytes subject; /* DER */
	enum sigalg
	    sigalg; /* with which certificates below it are signed unless a procedure says otherwise */
	/* of its own certificate; der empty: none yet */
	struct cert_id certificate_id;
	struct bytes certificate, key_id, spki;
	struct bytes subject_in_force; /* the subject in the certificate: the issuer of what it issues */
	int64_t not_before_ms, not_after_ms;
	int path_len;        /* by it and, of an external one, those above it; -1: unlimited */
	bool boot;           /* the system's own, of the boot ceremony */
	struct bytes *chain; /* foreign certificates above its own, upwards */
	size_t chain_n;
	/* Values of name constraints that hold for what it issues: of its certificate, its document, the foreign chain. Those
	   of its issuer hold too and stand there. */
	struct bytes *constraints;
	size_t constraints_n;
	const struct crl_procedure **crls; /* its open ones that certificates point to, by id */
	size_t crls_n;
	struct ocsp_settings ocsp;
	const struct doc_id *rules; /* open distribution rules that its own certificates are delivered by */
	size_t rules_n;
	struct unusable why_not; /* for issuing */
};

/* SOURCE_INPUT: as request, but what another input of input_choices gives. */
enum format_source { SOURCE_REQUEST, SOURCE_FIXED, SOURCE_NONE, SOURCE_INPUT };
enum unknown_action { UNKNOWN_REFUSE, UNKNOWN_DROP, UNKNOWN_KEEP };
enum format_purpose { PURPOSE_END_ENTITY, PURPOSE_CA, PURPOSE_ATTRIBUTE_CERTIFICATE };
enum usage_source { USAGE_REQUEST_ELSE_PROCEDURE, USAGE_PROCEDURE, USAGE_NONE };

/* How one attribute of the subject comes about. */
struct format_attribute {
	struct bytes oid;
	const char *name; /* short name or dotted */
	enum format_source source;
	bool mandatory, many;
	size_t max_len;             /* characters; 0: the bound of RFC 5280 alone */
	struct bytes value;         /* SOURCE_FIXED */
	const struct choice *input; /* which fills it; NULL: its own, and none is called so */
	struct bytes otherwise;     /* where nothing is given; p NULL: nothing */
	struct modifiers modifiers;
};

struct format_san {
	enum gn_type type;
	enum oid other;   /* GN_OTHER: which; OID_NONE otherwise */
	const char *name; /* as in the document: "dns" */
	enum format_source source;
	bool mandatory;
	size_t max_count;    /* 0: LIMIT_SAN */
	struct bytes begins; /* how each name of a request must begin; empty: anyhow */
	struct gname *fixed;
	size_t fixed_n;
	const struct choice *input;    /* which fills it */
	const struct gname *otherwise; /* where nothing is given, already modified; NULL: nothing */
	struct modifiers modifiers;
};

enum text_form { TEXT_UTF8, TEXT_PRINTABLE, TEXT_IA5 };

/* An extension whose value is a text that is filled in. */
struct format_extension {
	struct bytes oid;
	bool critical, mandatory;
	enum text_form form;
	const struct choice *input;
	struct bytes otherwise;
	struct modifiers modifiers;
};

struct format {
	const struct document *doc;
	enum format_purpose purpose;
	struct format_attribute *attributes;
	size_t attributes_n;
	enum unknown_action unknown_attributes, unknown_san, unknown_extensions;
	struct format_san *san;
	size_t san_n;
	uint32_t key_families; /* bits 1 << position in key_family_choices */
	unsigned rsa_bits_min, rsa_bits_max;
	enum usage_source key_usage, extended_key_usage;
	struct oids from_request; /* other extensions that are taken over from the request */
	bool *must_extension;     /* which of them are mandatory */
	size_t must_n;
	struct format_extension *input_extensions;
	size_t input_extensions_n;
	bool takes_qc; /* QC statements of a request are added to the procedure's */
	bool empty_subject, subject_key_id, basic_constraints;
	bool common_name_in_san;
	bool qc_mandatory; /* nothing is issued without QC statements */
	struct unusable why_not;
};

/* bit 1 << n: the six controls of a transport certificate, in the order of transport_choices */
enum transport_control {
	TRANSPORT_ISSUER = 1,
	TRANSPORT_VALIDITY = 2,
	TRANSPORT_REVOCATION = 4,
	TRANSPORT_KEY = 8,
	TRANSPORT_CARD_SERIAL = 16,
	TRANSPORT_UNUSED = 32
};

enum crl_covers { COVERS_ALL, COVERS_END_ENTITIES, COVERS_AUTHORITIES, COVERS_ATTRIBUTE_CERTIFICATES };

/* Where the CRL of an authority is found, and how it is built. */
struct crl_procedure {
	const struct document *doc;
	const struct authority *authority; /* whose certificates it is about */
	const struct authority *signer;    /* the same, or of an indirect list another */
	bool indirect;
	unsigned partitions; /* 0: one list */
	bool partial, include;
	const struct json *points; /* addresses, an array of texts; crl_point.h */
	enum crl_covers covers;    /* all: a complete list */
	bool built;                /* here: it has an interval */
	struct duration interval, overlap;
	bool has_after_change;
	struct duration after_change; /* of the newest list, when a status has changed since */
	bool has_delta;
	struct duration delta_interval;
	const struct json *delta_points; /* of the delta lists */
	const struct doc_id *rules;      /* open distribution rules that each new list is delivered by */
	size_t rules_n;
	bool keep_expired;
	struct unusable why_not;
};

/* How the issuance list of an authority is built. */
struct cil_procedure {
	const struct document *doc;
	const struct authority *authority;
	struct bytes served_as;
	struct duration interval, margin;
	int64_t build_at_ms; /* since midnight; -1: none */
	bool has_delta;
	struct duration delta_interval;
	unsigned per_file;          /* certificates in a segment */
	const struct doc_id *rules; /* distribution rules that are open */
	size_t rules_n;
	bool keep_expired;
	struct bytes timing; /* all of these as a text: lists that were built by another one are built anew */
	struct unusable why_not;
};

struct procedure {
	const struct document *doc;
	const struct authority *authority;
	const struct format *format;
	const struct authority *
	    *chain; /* from the issuing one upwards; chain_n 0: as they issued each other */
	size_t chain_n;
	struct key_type key_type;        /* of keys that the server makes */
	const struct crl_procedure *crl; /* NULL: the authority's */
	/* Where one of its lists has partitions, its distribution points; else they stand in the template. That of split
	   is at [split_at], and is made for each certificate. */
	const struct crl_procedure *split; /* NULL: none has */
	struct dist_points points;
	size_t split_at;
	const struct doc_id *rules; /* open distribution rules that it is delivered by when it is issued */
	size_t rules_n;
	unsigned transport_controls; /* bits of enum transport_control; 0: none are set up */
	const struct authority **transport_issuers;
	size_t transport_issuers_n;
	uint16_t key_usage; /* bit n of RFC 5280 4.2.1.3 is 1 << n; 0: none set */
	struct oids extended_key_usage;
	bool extended_critical;
	struct duration validity, backdate;
	bool cut;                /* at the CA's end; else refuse */
	bool requested_validity; /* a request may ask for a shorter one */
	enum sigalg sigalg;
	struct qc_statements qc; /* its own, where format->takes_qc; else they stand in the template */
	struct cert_template
	    template_; /* everything that is the same in each certificate; usable only where why_not is not */
	struct unusable why_not;
};

enum storage_profile {
	STORAGE_SMART_CARD,
	STORAGE_PKCS12,
	STORAGE_PKCS10,
	STORAGE_ATTRIBUTE_CERTIFICATE_FILE
};
enum issuer_certificates { ISSUERS_ALL, ISSUERS_NONE, ISSUERS_ROOT, ISSUERS_ISSUING };

enum key_action { KEY_ARCHIVE, KEY_RECOVER };

struct key_procedure {
	const struct document *doc;
	enum key_action action;
	const struct procedure **procedures; /* KEY_ARCHIVE: whose keys; none: see key_procedure_archives */
	size_t procedures_n;
	bool reuse;                    /* KEY_RECOVER: the key's old certificate, else a new one */
	bool all;                      /* KEY_RECOVER: every key, else the latest */
	const struct procedure *renew; /* KEY_RECOVER and not reuse: makes the new certificate */
	struct unusable why_not;
};

enum pin_method { PIN_SHOWN, PIN_ENTERED };
enum pin_characters { PIN_DIGITS, PIN_LETTERS_AND_DIGITS };

struct pin_procedure {
	const struct document *doc;
	enum pin_method method;
	enum pin_characters characters;
	unsigned length_min, length_max, generated_length;
	struct unusable why_not;
};

/* What an attribute certificate is made by; the body has the rest. */
struct ac_procedure {
	const struct document *doc;
	const struct authority *authority;
	const struct format *format;
	const struct authority **chain;
	size_t chain_n;
	uint16_t key_usage; /* of the base certificate; 0: any */
	struct duration validity;
	enum sigalg sigalg;
	const struct doc_id *rules; /* open distribution rules that it is delivered by */
	size_t rules_n;
	struct exts exts;        /* of every attribute certificate */
	struct ac_attrs *always; /* its own attributes; NULL: none */
	struct unusable why_not;
};

enum view_purpose { VIEW_ISSUE, VIEW_PREREGISTRATION };

struct view_field {
	const struct choice *input; /* of input_choices */
	const char *label;          /* "Common name" */
	bool mandatory;
	struct bytes value; /* its default; empty: none */
	struct modifiers modifiers;
	const struct json *modifiers_text; /* as the document has them; NULL: none */
};

struct input_view {
	const struct document *doc;
	enum view_purpose purpose;
	struct view_field *fields; /* in the order in which they are shown */
	size_t fields_n;
	struct unusable why_not;
};

struct token_procedure {
	const struct document *doc;
	enum storage_profile storage;
	enum issuer_certificates issuers;
	bool issuers_of_recovered;           /* "CAs for recovered certificates" */
	const struct procedure **procedures; /* in the document's order; never NULL inside */
	size_t procedures_n;
	const struct key_procedure **keys; /* never NULL inside */
	size_t keys_n;
	const struct ac_procedure **acs; /* never NULL inside */
	size_t acs_n;
	const struct pin_procedure *pin; /* NULL: this kind of token has none */
	const struct input_view *view;   /* NULL: the default view */
	bool card_serials;               /* cards get numbers from serial_from to serial_to */
	int64_t serial_from, serial_to;
	struct unusable why_not; /* the document itself; each procedure has its own */
};

/* NULL: no such document. Closed and unusable ones are given too: look at doc->active and why_not. */
const struct authority *snapshot_authority(const struct snapshot *s, struct doc_id id);
/* Its certificate and those above it up to the root, as far as they are here: views. Returns how many; 0: it has none. */
size_t authority_chain(const struct authority *x, struct bytes ret[AUTHORITY_CHAIN_MAX]);
/* Whether its certificates are made by its key here, and it can have any. */
bool authority_has_key(enum authority_type t);
/* A closed one issues nothing, and goes on telling the status of what it has issued as long as its certificate is good: then
   it is over. An open one never is. */
bool authority_is_over(const struct authority *x, int64_t now_ms);
/* Whether no list comes of it any more: it is closed, or its authority is over, or who signs its lists. */
bool crl_is_over(const struct crl_procedure *p, int64_t now_ms);
bool cil_is_over(const struct cil_procedure *p, int64_t now_ms);
/* Whether a format puts this input (its name) into a certificate; *demands stays true only where nothing is issued without it. */
bool format_takes(const struct format *f, const char *input, bool *demands);
const struct format *snapshot_format(const struct snapshot *s, struct doc_id id);
const struct procedure *snapshot_procedure(const struct snapshot *s, struct doc_id id);
const struct token_procedure *snapshot_token_procedure(const struct snapshot *s, struct doc_id id);
const struct key_procedure *snapshot_key_procedure(const struct snapshot *s, struct doc_id id);
const struct pin_procedure *snapshot_pin_procedure(const struct snapshot *s, struct doc_id id);
const struct ac_procedure *snapshot_ac_procedure(const struct snapshot *s, struct doc_id id);
const struct crl_procedure *snapshot_crl_procedure(const struct snapshot *s, struct doc_id id);
const struct cil_procedure *snapshot_cil_procedure(const struct snapshot *s, struct doc_id id);
const struct input_view *snapshot_input_view(const struct snapshot *s, struct doc_id id);

/* Whether a key procedure archives the keys of a certificate procedure: those that it names; where it names none,
   those with a usage for encryption, and those without usage. */
bool key_procedure_archives(const struct key_procedure *k, const struct procedure *p);

const struct officer *snapshot_officer(const struct snapshot *s, struct officer_id id);
/* The officer that a certificate (SHA-256 of its DER) is bound to; NULL: none. Closed ones are given too. */
const struct officer *snapshot_officer_by_fingerprint(const struct snapshot *s,
						      const uint8_t fingerprint[FINGERPRINT_LEN]);

/* The one open officer of the entity type dynamic token in whose token alone the key is; NULL: none, or several. */
const struct officer *snapshot_officer_by_token(const struct snapshot *s, const uint8_t key[FINGERPRINT_LEN]);
/* An open officer of the entity type static token in whose token the key is; NULL: none. */
const struct officer *snapshot_static_officer(const struct snapshot *s, const uint8_t key[FINGERPRINT_LEN]);
/* Is an open officer of the entity type subject bound to this name (a Name's DER, compared as name_eq does), whatever the
   procedure? */
bool snapshot_binds_subject(const struct snapshot *s, struct bytes subject);
/* Is anybody bound by names in certificates of this procedure? */
bool snapshot_binds_procedure(const struct snapshot *s, int64_t certificate_procedure);
/* The one who is bound to this name by certificates of this procedure; of several `first`, where it is among them. NULL: none. */
const struct officer *snapshot_officer_of_subject(const struct snapshot *s, struct bytes subject,
						  int64_t certificate_procedure, struct officer_id first);

/* "smart-card", ... as in the document. */
const char *storage_profile_name(enum storage_profile p);

#endif
