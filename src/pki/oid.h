/*
 * Object identifiers. An OID is its DER contents octets in struct bytes; those we know also have an enum oid.
 * All known ones stand in oid.def, one line each, sorted by their DER so that oid_find is a binary search.
 */
#ifndef PKI_OID_H
#define PKI_OID_H

#include "base/base.h"

enum oid_kind {
	OIDK_ATTR,   /* attribute of a name */
	OIDK_EKU,    /* extended key usage */
	OIDK_EXT,    /* extension of a certificate or CRL */
	OIDK_ALG,    /* algorithm or curve */
	OIDK_QC,     /* QC statement, or value in one */
	OIDK_NAME,   /* otherName */
	OIDK_AD,     /* access method */
	OIDK_POLICY, /* policy, or qualifier of one */
	OIDK_ACA,    /* attribute of an attribute certificate */
	OIDK_CMS,    /* content type or attribute of PKCS#7, #9, #10 and CMS */
};

enum oid {
	OID_NONE = 0,
#define OID(name, dotted, der, text, kind, title) OID_##name,
#include "pki/oid.def"
#undef OID
	OID_COUNT,
};

enum {
	OID_TEXT_MAX = 256, /* dotted text, NUL included */
	OID_DER_MAX = 64,   /* contents octets that we accept in text -> DER */
};

/* OID_NONE for one that we do not know. */
enum oid oid_find(struct bytes der);
/* By short name ("CN", "serverAuth"; case does not matter) or dotted text; OID_NONE when unknown. */
enum oid oid_by_text(struct bytes text);

struct bytes oid_der(enum oid o);   /* contents octets; none for OID_NONE */
const char *oid_name(enum oid o);   /* short name, "CN"; "" for OID_NONE */
const char *oid_title(enum oid o);  /* for people, "common name"; never NULL */
const char *oid_dotted(enum oid o); /* "2.5.4.3" */
enum oid_kind oid_kind(enum oid o);

/* Well-formed contents octets: arcs minimal and complete, at most OID_TEXT_MAX characters as text. */
bool oid_ok(struct bytes der);
/* Dotted text, NUL at the end; dst holds OID_TEXT_MAX. "" for contents that are not oid_ok. Returns dst. */
char *oid_text(char *dst, struct bytes der);
/* As people read it: the name that we know, else dotted; the arena's, NULL when memory is out. */
const char *oid_label(struct arena *a, struct bytes der);
/* The short name where there is one, else dotted text. */
void oid_put(struct buf *out, struct bytes der);
/* Dotted text or known short name -> contents octets, the arena's (CHY_OID_TEXT). Arcs below 2^63. */
MUST enum rc oid_parse(struct arena *a, struct bytes text, struct bytes *ret, struct err *e);

/* A list, in the arena of whoever made it. */
struct oids {
	size_t n;
	struct bytes *v;
};
bool oids_have(const struct oids *l, enum oid o);

#endif
