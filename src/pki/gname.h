/*
 * GeneralName (RFC 5280 4.2.1.6): DER, text forms both ways, checks of their syntax.
 *
 * Text forms: email:a@b.example dns:*.b.example uri:https://... ip:192.0.2.1 ip:2001:db8::1 ip:10.0.0.0/8 (only as a
 * constraint) dir:CN=x,C=DE rid:1.2.3 upn:user@realm srv:_ldap.b.example smtputf8:ü@b.example fasc-n:HEX
 * other:1.2.3:#DERHEX x400:#HEX edi:#HEX (the contents octets of both).
 */
#ifndef PKI_GNAME_H
#define PKI_GNAME_H

#include "pki/name.h"

/* The numbers are the context tags. */
enum gn_type {
	GN_OTHER = 0,
	GN_EMAIL = 1,
	GN_DNS = 2,
	GN_X400 = 3,
	GN_DIR = 4,
	GN_EDI = 5,
	GN_URI = 6,
	GN_IP = 7,
	GN_RID = 8,
};

struct gname {
	enum gn_type type;
	struct bytes
	    value; /* text, IP octets (with mask in a constraint), OID contents; GN_DIR: the Name's DER;
	                          GN_OTHER: the whole value inside [0]; X400, EDI: contents octets */
	struct bytes other; /* GN_OTHER: type-id, contents octets */
	enum oid other_known;
};

struct gnames {
	size_t n;
	struct gname *v;
};

/* Where the name stands decides what is right: a constraint's IP has a mask and its hosts may begin with a dot. */
enum gn_use { GN_NAME, GN_CONSTRAINT };

/* Takes one GeneralName from the cursor. Structure only: character sets, lengths, the Name of a dirName. */
struct gname gname_take(struct der *d, enum gn_use use);
/* SEQUENCE SIZE (1..LIMIT_SAN) OF GeneralName, `tag` in place of SEQUENCE's; array in the arena. */
struct gnames gnames_take(struct der *d, uint32_t tag, struct arena *a);
/* The value of a SAN or issuer alternative name extension. */
MUST enum rc gnames_parse(struct arena *a, struct bytes der, struct gnames *ret, struct err *e);

/* Syntax: DNS labels (letters, digits, hyphens; at most 63 and 253; a wildcard only as the whole left-most label),
   mailbox (RFC 5321 dot-string or quoted local part, DNS name), absolute URI with a scheme, host where the scheme has
   one, IP 4 or 16 octets (8 or 32 with a contiguous mask as a constraint), SRV (_service.name), UPN. GNAME says what. */
MUST enum rc gname_check(const struct gname *g, enum gn_use use, struct err *e);

/* For otherNames UPN, SRV and SmtpUTF8Mailbox the text inside; for email, DNS and URI their text; else none. */
struct bytes gname_str(const struct gname *g);

void gname_put_text(struct buf *out, const struct gname *g);
/* Text -> name, checked by gname_check; *ret is the arena's. GNAME_TEXT or GNAME. */
MUST enum rc gname_from_text(struct arena *a, struct bytes text, enum gn_use use, struct gname *ret,
			     struct err *e);

void dw_gname(struct dw *w, const struct gname *g);
/* SEQUENCE (or `tag`) OF GeneralName. */
void dw_gnames(struct dw *w, uint32_t tag, const struct gnames *l);

/* Equal as identities: DNS and mail hosts without case, IP exactly, names by name_eq, else exact. */
bool gname_eq(const struct gname *a, const struct gname *b);
/* g lies within the subtree `base` (a GN_CONSTRAINT of the same type), RFC 5280 4.2.1.10. */
bool gname_within(const struct gname *base, const struct gname *g);

/* The host in an absolute URI; none when it has no authority part or an empty one. */
struct bytes uri_host(struct bytes uri);

/* The syntax checks singly. */
bool dns_ok(struct bytes name, bool wildcard);
bool mail_ok(struct bytes mailbox);
bool uri_ok(struct bytes uri);

#endif
