/*
 * String types of names: characters, comparison, conversion. Inside of pki only.
 */
#ifndef PKI_STR_H
#define PKI_STR_H

#include "pki/name.h"

/* RFC 5280 7.1; values that are no strings are equal when tag and contents are. */
bool string_eq(uint32_t tag_a, struct bytes a, uint32_t tag_b, struct bytes b);
/* The string type that name_build chooses for an attribute. */
uint32_t string_tag_for(enum oid type);
/* As UTF-8; stops at a damaged character. */
void string_put_utf8(struct buf *out, uint32_t tag, struct bytes b);

#endif
