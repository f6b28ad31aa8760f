/*
 * Attribute certificates, version 2 (RFC 5755): parse, build, show. One says what its holder may do; it has no key and
 * names a public key certificate, the base. We take and make the profile only: a holder by baseCertificateID, entityName or
 * both; an issuer in v2Form with one distinguished name.
 */
#ifndef PKI_AC_H
#define PKI_AC_H

#include "base/json.h"
#include "pki/ext.h"
#include "pki/key.h"

/* One attribute: its type, and the values as they stand in the SET OF, joined. */
struct ac_attr {
	struct bytes oid;
	enum oid known; /* OID_ACA_*; OID_NONE and others: the values stay bytes */
	struct bytes values;
	size_t n;
};

struct ac_attrs {
	size_t n;
	struct ac_attr *v;
};

struct ac {
	struct bytes der;         /* the whole of it; none when parsed from the to-be-signed part alone */
	struct bytes tbs;         /* AttributeCertificateInfo: what is signed */
	struct bytes base_issuer; /* baseCertificateID: Name and INTEGER contents; p NULL: absent */
	struct bytes base_serial;
	struct gnames entity; /* entityName; n 0: absent */
	struct bytes issuer;  /* Name */
	struct bytes tbs_alg;
	struct bytes serial;
	int64_t not_before_at, not_after_at; /* ms */
	struct ac_attrs attrs;
	struct exts exts;
	struct bytes alg;
	enum sigalg sigalg;     /* SIGALG_NONE when it is none of ours */
	struct bytes signature; /* octets of the BIT STRING */
};

enum { LIMIT_AC_ATTRS = 64 }; /* in one certificate */

/* One and nothing behind it, at most LIMIT_CERT bytes. Views into der, arrays in the arena. The values of attributes and
   extensions stay bytes: ac_value_decode and ext_decode judge them. Codes: DER_*, NAME, GNAME, EXT_DUPLICATE, AC (version,
   holder, issuer, serial, attributes), AC_SIZE. */
MUST enum rc ac_parse(struct arena *a, struct bytes der, struct ac *ret, struct err *e);
/* An AttributeCertificateInfo alone: der, alg and signature stay empty. */
MUST enum rc ac_parse_tbs(struct arena *a, struct bytes tbs, struct ac *ret, struct err *e);
/* Whether the bytes look like one: the beginning of the to-be-signed part, which in a certificate would be [0]. Says nothing
   about the rest. */
bool ac_is(struct bytes der);
/* From PEM ("ATTRIBUTE CERTIFICATE", exactly one block) or DER; everything is the arena's. */
MUST enum rc ac_parse_any(struct arena *a, struct bytes in, struct ac *ret, struct err *e);

/* ---- attributes ---- */

/* classList of a clearance: bit n of the ASN.1 is 1u << n. */
enum clearance {
	CLEARANCE_UNMARKED = 1 << 0,
	CLEARANCE_UNCLASSIFIED = 1 << 1,
	CLEARANCE_RESTRICTED = 1 << 2,
	CLEARANCE_CONFIDENTIAL = 1 << 3,
	CLEARANCE_SECRET = 1 << 4,
	CLEARANCE_TOP_SECRET = 1 << 5,
	CLEARANCE_ALL = (1 << 6) - 1,
};
/* "unmarked" ... "topSecret"; "" beyond. */
const char *clearance_name(unsigned bit);

/* One value of an attribute. */
struct ac_value {
	enum oid
	    kind; /* OID_ACA_GROUP, _CHARGING_IDENTITY, _ROLE, _CLEARANCE, _ACCESS_IDENTITY; OID_NONE: raw */
	struct gnames
	    authority; /* group, charging identity: policyAuthority; role: roleAuthority; n 0: absent */
	uint32_t tag;  /* group, charging identity: of all items: DER_UTF8, DER_OID or DER_OCTET_STRING */
	size_t items_n;
	struct bytes *items;
	struct gname role;           /* role: a URI */
	struct gname service, ident; /* access identity: who is known to which service as whom */
	struct bytes policy;         /* clearance: OID */
	uint32_t levels;             /* clearance: enum clearance */
	struct bytes categories;     /* clearance: elements of securityCategories; p NULL: absent */
	struct bytes raw;            /* OID_NONE: the whole DER value */
};

/* One value (a whole DER value) of an attribute of this type. Codes: DER_*, GNAME, AC_ATTRIBUTE (RFC 5755 4.4), LIMIT. */
MUST enum rc ac_value_decode(struct arena *a, enum oid type, struct bytes tlv, struct ac_value *ret,
			     struct err *e);
/* Appends to what stands in front of the writer. */
void dw_ac_value(struct dw *w, const struct ac_value *v);
/* Takes the values of an attribute one by one: *rest begins as attr->values; none at the end. */
struct bytes ac_value_next(struct bytes *rest);

/* What people write -> an attribute: role: URIs; group and chargingIdentity: text, all items in one value as the profile has
   it; clearance: a policy's OID, a blank, and levels between commas ("1.2.3 secret,topSecret"; no levels: unclassified); accessIdentity: two general names with a blank between, the service and who the holder is there;
   any other OID: hexadecimal of a DER value. authority: role's or policy's, n 0: none. The result has been read again.
   AC_ATTRIBUTE, GNAME, OID_TEXT, HEX. */
MUST enum rc ac_attr_from_text(struct arena *a, struct bytes oid, const struct gnames *authority,
			       const struct bytes *texts, size_t n, struct ac_attr *ret, struct err *e);

/* ---- building ---- */

struct ac_inputs {
	enum sigalg sigalg;
	struct bytes base_issuer, base_serial; /* none: no baseCertificateID */
	struct gnames entity;                  /* n 0: none */
	struct bytes issuer;                   /* Name */
	struct bytes serial;                   /* as cert_inputs */
	int64_t not_before_at, not_after_at;
	struct ac_attrs attrs; /* in their order, each type once */
	struct exts exts;
};

/* The AttributeCertificateInfo. Codes: AC (one of the above is missing or stands twice), NAME, DER_ROOM. */
MUST enum rc ac_tbs_build(const struct ac_inputs *in, struct dw *w, struct err *e);
/* With its signature: the outer form is that of certificates, cert_assemble. */

/* ---- for people ---- */

/* One line of text for the values of an attribute: "uri:urn:role:clerk". Unknown or damaged: hexadecimal. */
void ac_attr_put_text(struct buf *out, const struct ac_attr *x);
/* A readable listing, ends with a new line. */
void ac_put_text(struct buf *out, const struct ac *c);
/* As members: version, serial, issuer, holder {issuer, serial, names}, not_before, not_after, signature_algorithm,
   attributes [{oid, name, text}], extensions as in cert_json. NULL when memory is out. */
struct json *ac_json(struct arena *a, const struct ac *c);

#endif
