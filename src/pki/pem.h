/*
 * PEM (RFC 7468), strict form: one base64 line length, matching labels. Text around the blocks is allowed where the
 * caller says so (tools write explanatory text in front of certificates).
 */
#ifndef PKI_PEM_H
#define PKI_PEM_H

#include "base/base.h"

struct pem_block {
	struct bytes label; /* "CERTIFICATE"; a view into the text */
	struct bytes der;   /* the arena's */
};

/* Looks like PEM: has "-----BEGIN " at the start of a line. A DER SEQUENCE of 128 bytes and more never does. */
bool pem_is(struct bytes text);

/* Takes the next block off *text and moves *text behind it. RC_NOT_FOUND (PEM_NONE) when there is none left. What stands
   before a block is skipped. Lines may end with LF or CRLF and have up to 76 characters; all but the last are equally
   long. Headers inside (RFC 1421) are refused. Codes: PEM, BASE64. */
MUST enum rc pem_next(struct arena *a, struct bytes *text, struct pem_block *ret, struct err *e);
/* Exactly one block with that label (PEM_LABEL otherwise). */
MUST enum rc pem_one(struct arena *a, struct bytes text, const char *label, struct bytes *ret_der,
		     struct err *e);

/* Lines of 64 characters, LF. */
void pem_put(struct buf *out, const char *label, struct bytes der);

#endif
