/*
 * Reading HTTP/1.1 requests (RFC 9112), pure: bytes in, struct out. Strict where readers are known to disagree, so that
 * no proxy before us can see other requests than we do: lines end with CRLF only, no folded headers, no blank before the
 * colon, Host exactly once, Content-Length at most once and digits only, never together with Transfer-Encoding, and
 * that only "chunked". RFC 9112 5.1, 5.2, 6.1, 6.3, 11.2.
 */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "base/base.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHODS };

enum { HTTP_HEADERS_MAX = 64, HTTP_TARGET_MAX = 4096 };

struct http_header {
	struct bytes name, value; /* value without blanks at its ends */
};

struct http_head {
	enum http_method method;
	struct bytes target; /* as sent, origin-form: "/a/b?c=d" */
	unsigned minor;      /* HTTP/1.minor: 0 or 1 */
	size_t nheaders;
	/* What the headers say of the message itself. */
	bool close; /* the connection ends behind the answer */
	bool chunked;
	bool has_length;
	bool expect_continue;
	uint64_t length;                              /* Content-Length, 0 without */
	struct http_header headers[HTTP_HEADERS_MAX]; /* last: only the first nheaders are ever written */
};

/* "GET"; never NULL. */
const char *http_method_name(enum http_method m);

/* Where the head of a request ends: *ret_n is its length, the empty line included, or 0 while it is not whole.
   *ret_skip: an empty line before it that is to be passed over (RFC 9112 2.2). CHY_HTTP_SYNTAX when it cannot become one;
   CHY_HTTP_HEADERS_TOO_LARGE: more than max bytes. */
MUST enum rc http_head_find(struct bytes in, size_t max, size_t *ret_skip, size_t *ret_n, struct err *e);

/* Reads a whole head as http_head_find cut it. The views point into it. An absolute-form target is cut down to its path
   (RFC 9112 3.2.2). CHY_HTTP_SYNTAX, CHY_HTTP_METHOD, CHY_HTTP_VERSION, CHY_HTTP_TARGET, CHY_HTTP_FRAMING,
   CHY_HTTP_HEADERS_TOO_LARGE, CHY_HTTP_EXPECT, CHY_HTTP_HEADER. */
MUST enum rc http_head_parse(struct bytes whole, struct http_head *ret, struct err *e);

/* The value of the only header of this name (any case); empty when there is none. *ret_count: how many there are, may
   be NULL; with several the first one's value is given. */
struct bytes http_header_get(const struct http_head *h, const char *name, size_t *ret_count);

/* Takes chunked coding apart (RFC 9112 7.1), moving the data together in place. Begin with all zero. */
struct http_chunks {
	uint64_t left;  /* data bytes missing of the current chunk */
	unsigned state; /* http.c's */
	bool done;
};
/* body[0..*data) is data already, body[*data..*end) coded input. Moves both on: afterwards body[*data..*end) is
   what was not understood yet or, once done, what follows the message. Chunk extensions up to 256 bytes are passed
   over, trailer fields are refused. CHY_HTTP_FRAMING; CHY_HTTP_BODY_TOO_LARGE: data would pass max (a chunk's announced size
   counts at once). */
MUST enum rc http_chunks_take(struct http_chunks *k, uint8_t *body, size_t *data, size_t *end, uint64_t max,
			      struct err *e);

/* The standard phrase, "Not Found"; "Unknown" for others. */
const char *http_status_text(int status);

enum { HTTP_DATE = 29 };
/* A moment as IMF-fixdate (RFC 9110 5.6.7), HTTP_DATE characters; at_ms: milliseconds since 1970, at the earliest. */
void http_date(char dst[32], int64_t at_ms);

#endif
