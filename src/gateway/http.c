#include "base/base.h"
#include "gateway/http.h"

static const char *const methods[HTTP_METHODS] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS" };

const char *
http_method_name(enum http_method m)
{
	return (unsigned)m < HTTP_METHODS ? methods[m] : "?";
}

/* RFC 9110 5.6.2 */
static bool
is_tchar(uint8_t c)
{
	static const uint32_t set[8] = { 0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff };

	return set[c >> 5] >> (c & 31) & 1;
}

static bool
is_token(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!is_tchar(b.p[i]))
			return false;
	return b.n > 0;
}

enum rc
http_head_find(struct bytes in, size_t max, size_t *ret_skip, size_t *ret_n, struct err *e)
{
	const uint8_t *end;

	*ret_n = 0;
	*ret_skip = bytes_starts(in, "\r\n") ? 2 : 0;
	in = bytes_part(in, *ret_skip, in.n);
	if (in.n == 0 || (in.n == 1 && *ret_skip == 0 && in.p[0] == '\r'))
		return RC_OK;
	NEED(is_tchar(in.p[0]), e, CHY_HTTP_SYNTAX, "RFC 9112 3", "the request begins with byte 0x%02x",
	     in.p[0]);
	end = memmem(in.p, in.n, "\r\n\r\n", 4);
	if (end != NULL)
		*ret_n = (size_t)(end - in.p) + 4;
	NEED((end ? *ret_n : in.n) <= max, e, CHY_HTTP_HEADERS_TOO_LARGE, "RFC 6585 5",
	     "more than %zu bytes of headers", max);
	return RC_OK;
}

/* Takes a line off the front of *rest. Bare CR and LF have no place in a head: the caller has checked. */
static struct bytes
take_line(struct bytes *rest)
{
	const uint8_t *lf = memchr(rest->p, '\n', rest->n);
	size_t n = lf ? (size_t)(lf - rest->p) : rest->n;
	struct bytes line = bytes_of(rest->p, n > 0 ? n - 1 : 0);

	*rest = bytes_part(*rest, n + 1, rest->n);
	return line;
}

/* Each LF behind a CR, each CR before an LF, no NUL or other control characters but tab. */
static bool
lines_clean(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = b.p[i];

		if (c >= 0x20 ? c == 0x7f : c != '\t' && c != '\r' && c != '\n')
			return false;
		if (c == '\r' && (i + 1 == b.n || b.p[i + 1] != '\n'))
			return false;
		if (c == '\n' && (i == 0 || b.p[i - 1] != '\r'))
			return false;
	}
	return true;
}

static enum rc
method_parse(struct bytes word, enum http_method *ret, struct err *e)
{
	NEED(is_token(word), e, CHY_HTTP_SYNTAX, "RFC 9112 3.1", "the method is not a token");
	for (unsigned i = 0; i < HTTP_METHODS; i++) {
		if (bytes_is(word, methods[i])) {
			*ret = (enum http_method)i;
			return RC_OK;
		}
	}
	FAIL(e, CHY_HTTP_METHOD, "RFC 9110 9.1", "method %.*s", (int)(word.n < 32 ? word.n : 32),
	     (const char *)word.p);
}

static enum rc
version_parse(struct bytes word, unsigned *ret_minor, struct err *e)
{
	NEED(word.n == 8 && bytes_starts(word, "HTTP/") && word.p[6] == '.', e, CHY_HTTP_SYNTAX,
	     "RFC 9112 2.3", "no HTTP version at the end of the request line");
	NEED(word.p[5] == '1' && (word.p[7] == '0' || word.p[7] == '1'), e, CHY_HTTP_VERSION, "RFC 9112 2.3",
	     "version %.*s", BYTES_FMT(word));
	*ret_minor = word.p[7] - '0';
	return RC_OK;
}

/* "http://host/path" means what "/path" means. */
static struct bytes
cut_absolute(struct bytes t)
{
	size_t at = bytes_starts(t, "http://") ? 7 : bytes_starts(t, "https://") ? 8 : 0;

	if (at == 0)
		return t;
	while (at < t.n && t.p[at] != '/' && t.p[at] != '?' && t.p[at] != '#')
		at++;
	return at == t.n ? BYTES("/") : bytes_part(t, at, t.n);
}

static enum rc
target_parse(struct bytes word, struct bytes *ret, struct err *e)
{
	NEED(word.n <= HTTP_TARGET_MAX, e, CHY_HTTP_TARGET, "RFC 9110 15.5.15",
	     "target of %zu bytes, at most %d", word.n, HTTP_TARGET_MAX);
	for (size_t i = 0; i < word.n; i++)
		NEED(word.p[i] > 0x20 && word.p[i] < 0x7f, e, CHY_HTTP_TARGET, "RFC 3986 2",
		     "the target holds byte 0x%02x", word.p[i]);
	*ret = cut_absolute(word);
	NEED(ret->n > 0 && ret->p[0] == '/', e, CHY_HTTP_TARGET, "RFC 9112 3.2.1",
	     "the target must begin with /");
	return RC_OK;
}

static enum rc
request_line(struct bytes line, struct http_head *h, struct err *e)
{
	struct bytes rest, target, version;
	struct bytes method = text_cut(line, ' ', &rest);

	NEED(rest.p != NULL, e, CHY_HTTP_SYNTAX, "RFC 9112 3", "the request line has no target");
	target = text_cut(rest, ' ', &version);
	NEED(version.p != NULL, e, CHY_HTTP_SYNTAX, "RFC 9112 3", "the request line has no version");
	TRY(method_parse(method, &h->method, e));
	TRY(version_parse(version, &h->minor, e));
	return target_parse(target, &h->target, e);
}

static struct bytes
trim_blanks(struct bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = bytes_part(b, 1, b.n);
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return b;
}

static enum rc
header_line(struct bytes line, struct http_head *h, struct err *e)
{
	struct http_header *f;
	struct bytes value, name = text_cut(line, ':', &value);

	NEED(value.p != NULL && is_token(name), e, CHY_HTTP_SYNTAX, "RFC 9112 5.1",
	     "header line %zu is not a name, a colon and a value", h->nheaders + 1);
	NEED(h->nheaders < HTTP_HEADERS_MAX, e, CHY_HTTP_HEADERS_TOO_LARGE, "RFC 6585 5",
	     "more than %d headers", HTTP_HEADERS_MAX);
	f = &h->headers[h->nheaders++];
	f->name = name;
	f->value = trim_blanks(value);
	return RC_OK;
}

struct bytes
http_header_get(const struct http_head *h, const char *name, size_t *ret_count)
{
	struct bytes want = bytes_str(name), found = BYTES_NONE;
	size_t count = 0;

	for (size_t i = 0; i < h->nheaders; i++)
		if (h->headers[i].name.n == want.n && ascii_case_eq(h->headers[i].name, want) && count++ == 0)
			found = h->headers[i].value;
	if (ret_count != NULL)
		*ret_count = count;
	return found;
}

static enum rc
check_host(const struct http_head *h, struct err *e)
{
	size_t n;
	struct bytes host = http_header_get(h, "host", &n);

	NEED(n == 1 || (n == 0 && h->minor == 0), e, CHY_HTTP_SYNTAX, "RFC 9112 3.2", "%zu Host headers", n);
	for (size_t i = 0; i < host.n; i++)
		NEED(strchr("/?#@\\\" \t", host.p[i]) == NULL, e, CHY_HTTP_HEADER, "RFC 9110 7.2",
		     "Host is not a name or address");
	return RC_OK;
}

/* RFC 9112 6.3: anything that two readers could measure differently is refused. */
static enum rc
check_framing(struct http_head *h, struct err *e)
{
	size_t nlength, ncoding;
	struct bytes length = http_header_get(h, "content-length", &nlength);
	struct bytes coding = http_header_get(h, "transfer-encoding", &ncoding);
	int64_t n = 0;

	NEED(nlength <= 1 && ncoding <= 1 && nlength + ncoding <= 1, e, CHY_HTTP_FRAMING, "RFC 9112 6.3",
	     "%zu Content-Length and %zu Transfer-Encoding headers", nlength, ncoding);
	if (ncoding == 1) {
		NEED(h->minor == 1 && ascii_case_eq(coding, BYTES("chunked")), e, CHY_HTTP_FRAMING,
		     "RFC 9112 6.1", "the transfer coding is not just chunked");
		h->chunked = true;
	}
	if (nlength == 1) {
		NEED(int_parse(length, 0, INT64_MAX, &n, NULL) == RC_OK, e, CHY_HTTP_FRAMING, "RFC 9110 8.6",
		     "Content-Length is not a number");
		h->has_length = true;
		h->length = (uint64_t)n;
	}
	return RC_OK;
}

/* Is `word` one of the comma-separated members of all Connection headers? */
static bool
connection_has(const struct http_head *h, struct bytes word)
{
	for (size_t i = 0; i < h->nheaders; i++) {
		struct bytes rest = h->headers[i].value;

		if (!ascii_case_eq(h->headers[i].name, BYTES("connection")))
			continue;
		while (rest.p != NULL && rest.n > 0)
			if (ascii_case_eq(trim_blanks(text_cut(rest, ',', &rest)), word))
				return true;
	}
	return false;
}

static enum rc
check_rest(struct http_head *h, struct err *e)
{
	size_t n;
	struct bytes expect = http_header_get(h, "expect", &n);

	NEED(n == 0 || (n == 1 && ascii_case_eq(expect, BYTES("100-continue"))), e, CHY_HTTP_EXPECT,
	     "RFC 9110 10.1.1", "only 100-continue can be expected");
	h->expect_continue = n == 1 && h->minor == 1;
	h->close = connection_has(h, BYTES("close")) ||
	    (h->minor == 0 && !connection_has(h, BYTES("keep-alive")));
	return RC_OK;
}

enum rc
http_head_parse(struct bytes whole, struct http_head *ret, struct err *e)
{
	struct bytes rest = whole;

	memset(ret, 0, offsetof(struct http_head, headers));
	ret->close = true;
	NEED(lines_clean(whole), e, CHY_HTTP_SYNTAX, "RFC 9112 2.2",
	     "control characters or bare line ends in the headers");
	TRY(request_line(take_line(&rest), ret, e));
	for (;;) {
		struct bytes line = take_line(&rest);

		if (line.n == 0)
			break;
		TRY(header_line(line, ret, e));
	}
	NEED(rest.n == 0, e, CHY_HTTP_SYNTAX, "RFC 9112 2.1", "bytes behind the headers");
	TRY(check_host(ret, e));
	TRY(check_framing(ret, e));
	return check_rest(ret, e);
}

/* Chunked coding. */

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_LAST, CHUNK_LINE_MAX = 256 + 20 };

/* "1f;extension" without its CRLF. */
static enum rc
chunk_size(struct bytes line, uint64_t *ret, struct err *e)
{
	struct bytes ext, hex = text_cut(line, ';', &ext);
	uint64_t v = 0;

	NEED(hex.n > 0 && hex.n <= 15, e, CHY_HTTP_FRAMING, "RFC 9112 7.1", "a chunk has no size");
	for (size_t i = 0; i < hex.n; i++) {
		uint8_t c = hex.p[i], low = c | 0x20;
		bool digit = c >= '0' && c <= '9';

		NEED(digit || (low >= 'a' && low <= 'f'), e, CHY_HTTP_FRAMING, "RFC 9112 7.1",
		     "a chunk's size is not hexadecimal");
		v = v << 4 | (uint64_t)(digit ? c - '0' : low - 'a' + 10);
	}
	for (size_t i = 0; i < ext.n; i++)
		NEED(ext.p[i] >= 0x20 || ext.p[i] == '\t', e, CHY_HTTP_FRAMING, "RFC 9112 7.1.1",
		     "control characters in a chunk's extension");
	*ret = v;
	return RC_OK;
}

/* A line with its CRLF at the front of in; *ret_n = 0: not whole yet. */
static enum rc
chunk_line(struct bytes in, struct bytes *ret, size_t *ret_n, struct err *e)
{
	const uint8_t *lf = in.n ? memchr(in.p, '\n', in.n < CHUNK_LINE_MAX ? in.n : CHUNK_LINE_MAX) : NULL;

	*ret_n = 0;
	if (lf == NULL) {
		NEED(in.n < CHUNK_LINE_MAX, e, CHY_HTTP_FRAMING, "RFC 9112 7.1.1",
		     "a chunk's line is too long");
		return RC_OK;
	}
	NEED(lf > in.p && lf[-1] == '\r', e, CHY_HTTP_FRAMING, "RFC 9112 7.1",
	     "a chunk's line does not end with CRLF");
	*ret_n = (size_t)(lf - in.p) + 1;
	*ret = bytes_of(in.p, *ret_n - 2);
	return RC_OK;
}

/* One step: *used bytes of `in` understood, of which the data, if any, are all. */
static enum rc
chunk_step(struct http_chunks *k, struct bytes in, uint64_t room, size_t *used, bool *is_data, struct err *e)
{
	struct bytes line = BYTES_NONE;

	*is_data = k->state == CHUNK_DATA;
	if (*is_data) {
		*used = in.n < k->left ? in.n : (size_t)k->left;
		k->left -= *used;
		if (k->left == 0)
			k->state = CHUNK_DATA_END;
		return RC_OK;
	}
	TRY(chunk_line(in, &line, used, e));
	if (*used == 0)
		return RC_OK;
	if (k->state == CHUNK_SIZE) {
		TRY(chunk_size(line, &k->left, e));
		NEED(k->left <= room, e, CHY_HTTP_BODY_TOO_LARGE, "RFC 9110 15.5.14", "a chunk of %llu bytes",
		     (unsigned long long)k->left);
		k->state = k->left ? CHUNK_DATA : CHUNK_LAST;
		return RC_OK;
	}
	NEED(line.n == 0, e, CHY_HTTP_FRAMING, "RFC 9112 7.1", "%s",
	     k->state == CHUNK_LAST ? "trailer fields are not taken" : "a chunk is longer than its size");
	k->done = k->state == CHUNK_LAST;
	k->state = CHUNK_SIZE;
	return RC_OK;
}

enum rc
http_chunks_take(struct http_chunks *k, uint8_t *body, size_t *data, size_t *end, uint64_t max, struct err *e)
{
	size_t from = *data, used = 1;
	enum rc rc = RC_OK;
	bool is_data;

	while (!k->done && from < *end && used > 0) {
		rc = chunk_step(k, bytes_of(body + from, *end - from), max - *data, &used, &is_data, e);
		if (rc != RC_OK)
			break;
		if (is_data) {
			memmove(body + *data, body + from, used);
			*data += used;
		}
		from += used;
	}
	memmove(body + *data, body + from, *end - from);
	*end -= from - *data;
	return rc;
}

const char *
http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} rows[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].status == status)
			return rows[i].text;
	return "Unknown";
}

static char *
put_digits(char *p, int v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

/* By hand: strftime is a tenth of what an answer with three dates costs. */
void
http_date(char dst[32], int64_t at_ms)
{
	static const char days[] = "ThuFriSatSunMonTueWed", /* 1970 began with a Thursday */
	    months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil c = civil_of(at_ms > 0 ? at_ms : 0);
	char *p = dst;

	memcpy(p, days + 3 * ((at_ms > 0 ? at_ms : 0) / 86400000 % 7), 3);
	memcpy(p + 3, ", ", 2);
	p = put_digits(p + 5, c.day, 2);
	*p++ = ' ';
	memcpy(p, months + 3 * (c.month - 1), 3);
	p[3] = ' ';
	p = put_digits(p + 4, c.year, 4);
	*p++ = ' ';
	p = put_digits(p, c.hour, 2);
	*p++ = ':';
	p = put_digits(p, c.minute, 2);
	*p++ = ':';
	p = put_digits(p, c.second, 2);
	memcpy(p, " GMT", 5);
}
