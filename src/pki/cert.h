/*
 * Certificates, X.509 v3 (RFC 5280 4.1): parse, and build through a template that is compiled once.
 */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include "base/json.h"
#include "pki/ext.h"
#include "pki/key.h"

struct cert {
	struct bytes der;     /* the whole certificate; none when parsed from a TBSCertificate alone */
	struct bytes tbs;     /* TBSCertificate: what is signed */
	int version;          /* 1, 2 or 3, as people count */
	struct bytes serial;  /* INTEGER contents */
	struct bytes tbs_alg; /* AlgorithmIdentifier inside the TBSCertificate */
	struct bytes issuer, subject; /* Names */
	struct bytes validity_der;
	int64_t not_before_at, not_after_at;                /* ms */
	bool not_before_generalized, not_after_generalized; /* how each time was written */
	struct bytes spki;
	struct bytes issuer_uid, subject_uid; /* p NULL: absent */
	struct exts exts;
	struct bytes alg; /* outer AlgorithmIdentifier */
	enum sigalg
	    sigalg; /* SIGALG_NONE when it is none of ours (foreign certificates parse all the same) */
	struct bytes signature; /* octets of the BIT STRING */
};

/* One certificate and nothing behind it, at most LIMIT_CERT bytes. Views into der, array of extensions in the arena.
   The key stays bytes: pubkey_parse judges it. Codes: DER_*, NAME, EXT_DUPLICATE, CERT (version, serial, inner and outer
   algorithm differ, extensions in v1, unique ids in v1), CERT_SIZE. */
MUST enum rc cert_parse(struct arena *a, struct bytes der, struct cert *ret, struct err *e);
/* A TBSCertificate alone: der, alg, sigalg and signature stay empty (sigalg is of the inner algorithm). */
MUST enum rc cert_parse_tbs(struct arena *a, struct bytes tbs, struct cert *ret, struct err *e);
/* From PEM ("CERTIFICATE", exactly one block) or DER; everything is the arena's. */
MUST enum rc cert_parse_any(struct arena *a, struct bytes in, struct cert *ret, struct err *e);

/* Issuer and subject are the same name. */
bool cert_is_self_issued(const struct cert *c);
/* basicConstraints says CA (false when absent or damaged). */
bool cert_is_ca(const struct cert *c);
/* The value of subjectKeyIdentifier / of keyIdentifier in authorityKeyIdentifier; none when absent or damaged. */
struct bytes cert_key_id(const struct cert *c);
struct bytes cert_authority_key_id(struct arena *a, const struct cert *c);

/* The subjectAltName's names, one a line ("dns:www.example.org"); nothing when it is absent or damaged. */
void cert_put_san_lines(struct buf *out, struct arena *a, const struct cert *c);

/* ---- building ---- */

/* What fills a place in the list of extensions. */
enum cert_slot {
	SLOT_CONST, /* an extension that every certificate of the template has */
	SLOT_SKI,   /* subjectKeyIdentifier, from inputs.key_id */
	SLOT_SAN, /* subjectAltName, from inputs.san, or inputs.san_der; critical when the subject is empty */
	SLOT_INPUT, /* inputs.exts, in their order */
};

struct cert_slot_spec {
	enum cert_slot slot;
	struct ext ext; /* of SLOT_CONST */
};

/* Immutable once compiled; may be used by many threads at once. */
struct cert_template {
	enum sigalg sigalg;
	struct bytes issuer;
	size_t n;
	struct cert_part {
		enum cert_slot slot;
		struct bytes der; /* SLOT_CONST: whole Extensions, neighbours joined */
	} * parts;
	struct oids consts; /* OIDs of the constant ones, to refuse a second of the kind */
	bool has_ski, has_san, has_input;
};

/* Compiles; everything is copied into the arena, which must outlive the template. Codes: NAME, CERT (no issuer, a slot or
   OID twice), SIGALG, NO_MEMORY. */
MUST enum rc cert_template_build(struct arena *a, enum sigalg s, struct bytes issuer,
				 const struct cert_slot_spec *specs, size_t n, struct cert_template *ret,
				 struct err *e);

struct cert_inputs {
	struct bytes serial; /* positive, minimal INTEGER contents, at most LIMIT_SERIAL octets */
	int64_t not_before_at, not_after_at;
	struct bytes subject; /* Name's DER; BYTES_NONE: the empty name */
	struct bytes spki;
	struct bytes key_id;     /* none: no subjectKeyIdentifier */
	struct gnames san;       /* n 0: none */
	struct bytes san_der;    /* in place of san: the extension's whole value; p NULL: none */
	const struct exts *exts; /* may be NULL */
};

/* The TBSCertificate, into the caller's writer (dw_fixed with LIMIT_TBS bytes will do); a microsecond. The inputs are
   expected to be well-formed (they come from our parsers); the signer's walker reads all of it again. Codes: CERT (serial,
   times, an input without its slot, an extension twice), DER_ROOM. */
MUST enum rc cert_tbs_build(const struct cert_template *t, const struct cert_inputs *in, struct dw *w,
			    struct err *e);
/* Certificate = SEQUENCE { tbs, sigalg, BIT STRING signature }. */
MUST enum rc cert_assemble(struct bytes tbs, enum sigalg s, struct bytes signature, struct dw *w,
			   struct err *e);

/* ---- for people ---- */

/* A readable listing, ends with a new line. */
void cert_put_text(struct buf *out, const struct cert *c);
/* The same as members: subject, issuer, serial (hex), not_before, not_after, key, signature_algorithm,
   extensions [{oid, name, critical, text}]. NULL when memory is out. */
struct json *cert_json(struct arena *a, const struct cert *c);

#endif
