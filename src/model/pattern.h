/*
 * Patterns of distribution rules: text with {keywords} that are filled in from a certificate. What comes from a certificate
 * is other people's text, so each value is escaped for the place where it stands, and a keyword may stand only where a
 * value may: no certificate can change the structure of what its pattern makes.
 *
 *	uid={uid|email},ou=people,o=Example	a value of the first keyword that has one
 *	{serial}.cer
 *	{{ and }} are braces
 *
 * Keywords: an attribute of the subject by its short name (cn, ou, serialNumber ...; the first of several), "issuer." and an
 * attribute of the issuer, and
 *	serial serial-decimal	serial number, lower-case hexadecimal or decimal
 *	sha256			of the whole, hexadecimal
 *	subject issuer		the whole name, RFC 4514, as one value
 *	email dns upn		the first alternative name of that kind; email also of the subject
 *	crl			of a revocation list: the last part of its address, as certificates have it
 */
#ifndef MODEL_PATTERN_H
#define MODEL_PATTERN_H

#include "base/base.h"
#include "pki/name.h"

enum {
	PATTERN_MAX = 1000,     /* octets of a pattern */
	PATTERN_PARTS = 64,     /* texts and keywords */
	PATTERN_OUT_MAX = 8192, /* octets of what it comes to */
};

/* Where the result stands. */
enum pattern_place {
	PATTERN_DN,      /* distinguished name, RFC 4514 2.4 */
	PATTERN_FILTER,  /* search filter, RFC 4515 3 */
	PATTERN_VALUE,   /* an attribute's value, as it is */
	PATTERN_PATH,    /* path of an address, RFC 3986 3.3; begins with a slash */
	PATTERN_FILE,    /* a file's name below a folder, with slashes; never outside of it */
	PATTERN_LINE,    /* a line: no control characters */
	PATTERN_MAILBOX, /* a mail address, RFC 5321 4.1.2 */
	PATTERN_PLACES
};

struct pattern_part {
	struct bytes text; /* literal, or the keywords between the braces */
	bool keyword;
};

struct pattern {
	enum pattern_place place;
	size_t n;
	struct pattern_part parts[PATTERN_PARTS];
};

/* Views into text. PATTERN (braces, structure), PATTERN_KEYWORD, LIMIT. */
MUST enum rc pattern_parse(struct bytes text, enum pattern_place place, struct pattern *ret, struct err *e);

/* What keywords stand for. */
struct pattern_facts {
	struct name subject, issuer;
	struct bytes serial; /* contents octets */
	struct bytes sha256;
	struct bytes san; /* lines as cert_put_san_lines makes them */
	struct bytes crl; /* what a revocation list is called; none: it is something else */
};

/* Appends what it comes to. PATTERN_NO_VALUE: no keyword of an alternative has a value; PATTERN_RESULT: the value cannot
   stand there; LIMIT. a is for scratch. */
MUST enum rc pattern_fill(struct arena *a, const struct pattern *p, const struct pattern_facts *f,
			  struct buf *out, struct err *e);

/* Escaping of one value, for those who put one together themselves. PATTERN_FILTER and PATTERN_DN never fail. */
MUST enum rc pattern_escape(enum pattern_place place, struct bytes value, struct buf *out, struct err *e);

#endif
