/*
 * What the client wants to get: Accept (RFC 9110 12.5.1), and media types (8.3). Pure.
 */
#ifndef GATEWAY_CONNEG_H
#define GATEWAY_CONNEG_H

#include "base/base.h"

/* Chooses among offers ("application/json"), a list that ends with NULL, by an Accept header's value; *ret its index.
   An empty value takes everything: index 0. The higher quality wins, the earlier offer among equals. CHY_NOT_ACCEPTABLE when the
   client wants none of them; CHY_HTTP_HEADER when the header is not well-formed. */
MUST enum rc accept_choose(struct bytes accept, const char *const *offers, unsigned *ret, struct err *e);

/* The type/subtype of a Content-Type without parameters; empty when it is not well-formed. charset, where given, must
   be utf-8, else empty too. */
struct bytes media_type(struct bytes content_type);

/* The token of "Authorization: Bearer TOKEN" (RFC 6750 2.1), at most 512 characters of the b64token alphabet.
   CHY_BEARER. */
MUST enum rc bearer_token(struct bytes authorization, struct bytes *ret, struct err *e);

#endif
