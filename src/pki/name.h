/*
 * Distinguished names (RFC 5280 4.1.2.4): DER, text by RFC 4514 both ways, comparison, upper bounds.
 */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include "pki/der.h"
#include "pki/oid.h"

/* One attribute of a name. */
struct ava {
	struct bytes oid;   /* contents octets */
	enum oid known;     /* OID_NONE when we do not know it */
	uint32_t tag;       /* of the value: a string type, BIT STRING or SEQUENCE */
	struct bytes value; /* contents octets as they stand in the DER */
	unsigned rdn;       /* which RDN it belongs to, from 0; ascending */
};

struct name {
	struct bytes der; /* the whole RDNSequence */
	size_t n;         /* attributes */
	size_t rdns;
	struct ava *ava; /* in the order of the DER */
};

/* Strict parse of one RDNSequence; views into der, array in the arena. Codes: DER_*, NAME (no attribute in an RDN,
   value of a wrong string type, damaged text), LIMIT (more than LIMIT_NAME_ATTRS). The empty name passes. */
MUST enum rc name_parse(struct arena *a, struct bytes der, struct name *ret, struct err *e);
/* The same judgement without memory. */
MUST enum rc name_check(struct bytes der, struct err *e);
static inline bool
name_is_empty(struct bytes der)
{
	return der.n <= 2;
}

/* Upper bounds of RFC 5280 A.1 (CN 64, C exactly 2, ...); NAME_LENGTH. */
MUST enum rc name_check_bounds(const struct name *n, struct err *e);

/* DER from attributes: ava[].oid (or known) and rdn must be set. tag 0: value is UTF-8 and its string type is chosen,
   PrintableString for C, serialNumber and dnQualifier, IA5String for emailAddress, mail and DC, else UTF8String;
   otherwise value is the contents for that tag as they are. *ret is the arena's throughout. Codes: NAME (text not
   possible in its string type), NO_MEMORY, LIMIT. */
MUST enum rc name_build(struct arena *a, const struct ava *ava, size_t n, struct name *ret, struct err *e);

/* RFC 4514 -> name: "CN=a+UID=1,OU=x\, y,2.5.4.99=#0c0161,C=DE"; the last RDN of the text is the first of the DER.
   Attribute types by short name (any known one, case does not matter) or dotted. NAME_TEXT says where. */
MUST enum rc name_from_text(struct arena *a, struct bytes text, struct name *ret, struct err *e);
/* Name -> RFC 4514: known types by short name, others dotted; values that are no string as #hex. */
void name_put_text(struct buf *out, const struct name *n);
/* The same straight from DER; "(damaged name)" when it is none. */
void name_put_der_text(struct buf *out, struct bytes der);

/* A directory string type, IA5String, NumericString or VisibleString. */
bool string_tag(uint32_t tag);
/* The text's contents are right for its string type: UTF-8, character sets, no surrogates. */
bool string_ok(uint32_t tag, struct bytes contents);
/* Takes one character off the front of contents; -1 at the end or when damaged. */
int32_t string_take(uint32_t tag, struct bytes *contents);

/* The value as UTF-8 (BMPString, UniversalString and TeletexString, taken as ISO 8859-1, are converted into the arena).
   None when the tag is no string or memory is out. */
struct bytes ava_utf8(struct arena *a, const struct ava *v);
/* The i-th (from 0) attribute of a type, in the order of the DER; NULL when there is none. */
const struct ava *name_get(const struct name *n, enum oid type, size_t i);

/* Equality by RFC 5280 7.1 as far as ASCII goes: string types do not matter, letters fold, inner blanks run together,
   outer ones go; characters beyond ASCII are compared exactly. RDNs in order, attributes of an RDN in any order.
   False for what is no name. */
bool name_eq(struct bytes der_a, struct bytes der_b);
/* name is base itself or lies below it (the RDNs of base begin it): name constraints, RFC 5280 4.2.1.10. */
bool name_within(struct bytes der_base, struct bytes der_name);

#endif
