/*
 * Paths and queries of request targets (RFC 3986), pure. One spelling of each resource: no empty segments, no "." or
 * "..", encoded or not, no encoded slash, no control characters, well-formed UTF-8 after decoding.
 */
#ifndef GATEWAY_URI_H
#define GATEWAY_URI_H

#include "base/base.h"

enum { URI_SEGMENTS_MAX = 12 };

struct uri_path {
	struct bytes segments[URI_SEGMENTS_MAX]; /* decoded */
	size_t n;
};

/* target: "/a/b%20c?x=1". *ret_query is the part behind '?', as sent. Decoded text is the arena's or a view.
   "/" has no segments. CHY_URI, CHY_NO_MEMORY. */
MUST enum rc uri_path_parse(struct arena *a, struct bytes target, struct uri_path *ret,
			    struct bytes *ret_query, struct err *e);

/* application/x-www-form-urlencoded: name=value&..., '+' is a blank. Each name once. Up to max pairs in names[] and
   values[]. CHY_URI_QUERY (field = the name), CHY_NO_MEMORY. */
MUST enum rc uri_query_parse(struct arena *a, struct bytes query, struct bytes *names, struct bytes *values,
			     size_t max, size_t *ret_n, struct err *e);

/* One percent-encoded text decoded; a view when there was nothing to decode. */
MUST enum rc uri_decode(struct arena *a, struct bytes text, bool plus_is_blank, struct bytes *ret,
			struct err *e);

/* Octets as base64 in a path (RFC 6960 A.1): '+', '/' and '=' as they are or percent-encoded, for clients do both; any other
   octet may be percent-encoded too, and then base64 decides. The arena's. CHY_URI, CHY_BASE64, CHY_NO_MEMORY. */
MUST enum rc uri_base64(struct arena *a, struct bytes text, struct bytes *ret, struct err *e);

/* Encodes for one path segment or query value: all but unreserved characters. */
void uri_put(struct buf *out, struct bytes text);

#endif
