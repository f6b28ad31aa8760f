/*
 * Text encodings: UTF-8 checks, hexadecimal, base64, numbers. Strict: one encoding of each value is accepted.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"

/* Well-formed UTF-8 (RFC 3629: shortest form, no surrogates). */
bool utf8_ok(struct bytes b);

/* Takes one code point off the front of *b; -1 and no progress when what stands there is not UTF-8 or *b is empty. */
int32_t utf8_take(struct bytes *b);

/* Lower-case hexadecimal without separators. */
void hex_put(struct buf *out, struct bytes b);
/* The same into a fixed array of at least 2 * b.n + 1 characters, NUL at the end; returns dst. */
char *hex_text(char *dst, struct bytes b);
/* Upper or lower case, even length, nothing else (CHY_HEX). *ret is the arena's. */
MUST enum rc hex_parse(struct arena *a, struct bytes text, struct bytes *ret, struct err *e);

/* RFC 4648 section 4, with padding, no line breaks. */
void base64_put(struct buf *out, struct bytes b);
/* Strict: padding compulsory, unused bits zero, nothing but the alphabet (CHY_BASE64). *ret is the arena's. */
MUST enum rc base64_parse(struct arena *a, struct bytes text, struct bytes *ret, struct err *e);
/* RFC 4648 section 5 without padding, for tokens in headers and addresses. */
void base64url_put(struct buf *out, struct bytes b);
MUST enum rc base64url_parse(struct arena *a, struct bytes text, struct bytes *ret, struct err *e);

/* Decimal, optional minus, no plus, no leading zeros, within [min, max] (CHY_NUMBER_TEXT). */
MUST enum rc int_parse(struct bytes text, int64_t min, int64_t max, int64_t *ret, struct err *e);

/* ASCII only: equal but for case. */
bool ascii_case_eq(struct bytes a, struct bytes b);

/* Without blanks, tabs, CR and LF at both ends. */
struct bytes text_trim(struct bytes b);

/* A control character, C0, DEL or C1, in UTF-8: text that could end before its end, or move a terminal's cursor. */
bool text_has_control(struct bytes utf8);

/* Cuts at the first `sep`: returns what stands before it, *rest what stands behind (empty, p = NULL: none found). */
struct bytes text_cut(struct bytes b, char sep, struct bytes *rest);

#endif
