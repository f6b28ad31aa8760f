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
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t nheaders;
	/* What the headers say of the message itself. */
	bool close; /* the connection ends behind the answer */
	bool chunked;
	bool has_length;
	bool expect_continue;
	uint64_t length; /* Content-Length, 0 without */
};

/* "GET"; never NULL. */
const char *http_method_name(enum http_method m);

/* Reads the head of a request from the front of `in`. *ret_n: bytes of it, the empty line included; 0: not whole
   yet (then more than max bytes are CHY_HTTP_HEADERS_TOO_LARGE). The views point into `in`.
   CHY_HTTP_SYNTAX, CHY_HTTP_METHOD, CHY_HTTP_VERSION, CHY_HTTP_TARGET, CHY_HTTP_FRAMING, CHY_HTTP_HEADERS_TOO_LARGE, CHY_HTTP_EXPECT. */
MUST enum rc http_head_parse(struct bytes in, size_t max, struct http_head *ret, size_t *ret_n,
			     struct err *e);

/* The value of the only header of this name (any case); empty when there is none. *ret_count: how many there are, may
   be NULL; with several the first one's value is given. */
struct bytes http_header_get(const struct http_head *h, const char *name, size_t *ret_count);

/* Takes chunked coding apart (RFC 9112 7.1), moving the data together in place. Begin with all zero. */
struct http_chunks {
	uint64_t left; /* data bytes missing of the current chunk */
	unsigned state;
	bool done;
};
/* buf[0..*len) is coded input; afterwards buf[0..*ret_data) is data, and buf[*ret_data..*len) what was not understood
   yet or, once done, what follows the message. No chunk extensions of more than 256 bytes, no trailer fields are
   accepted. CHY_HTTP_FRAMING; CHY_HTTP_BODY_TOO_LARGE: data would pass max (a chunk's size counts at once). */
MUST enum rc http_chunks_take(struct http_chunks *k, uint8_t *buf, size_t *len, size_t had, uint64_t max,
			      size_t *ret_data, struct err *e);

/* The standard phrase, "Not Found"; "Unknown" for others. */
const char *http_status_text(int status);

#endif
