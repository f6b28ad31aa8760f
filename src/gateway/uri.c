#include "base/base.h"
#include "gateway/uri.h"

static int
hex_value(uint8_t c)
{
	uint8_t low = c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* RFC 3986 2.3 */
static bool
is_unreserved(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	    c == '.' || c == '_' || c == '~';
}

/* What may stand unencoded: pchar of RFC 3986 3.3, and in a query "/" and "?" (3.4). */
static bool
is_plain(uint8_t c, bool query)
{
	return is_unreserved(c) || (c != 0 && strchr(query ? "!$&'()*+,;=:@/?" : "!$&'()*+,;=:@", c) != NULL);
}

/* Decodes into dst (text.n bytes are enough); -1 at what is no encoding. */
static ptrdiff_t
decode(struct bytes text, bool query, uint8_t *dst)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '%') {
			int hi = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
			int lo = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return -1;
			c = (uint8_t)(hi << 4 | lo);
			i += 2;
		} else if (!is_plain(c, query)) {
			return -1;
		} else if (query && c == '+') {
			c = ' ';
		}
		dst[n++] = c;
	}
	return (ptrdiff_t)n;
}

static bool
is_plain_text(struct bytes text, bool query)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_plain(text.p[i], query) || (query && text.p[i] == '+'))
			return false;
	return true;
}

static bool
has_controls(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return true;
	return false;
}

enum rc
uri_decode(struct arena *a, struct bytes text, bool plus_is_blank, struct bytes *ret, struct err *e)
{
	uint8_t *dst;
	ptrdiff_t n;

	*ret = text;
	if (is_plain_text(text, plus_is_blank))
		return RC_OK;
	dst = arena_alloc(a, text.n + 1);
	NEED(dst != NULL, e, CHY_NO_MEMORY, NULL, "no memory for a percent-encoded text");
	n = decode(text, plus_is_blank, dst);
	NEED(n >= 0, e, CHY_URI, "RFC 3986 2.1",
	     "a character that must be percent-encoded, or an encoding cut short");
	*ret = bytes_of(dst, (size_t)n);
	NEED(!has_controls(*ret), e, CHY_URI, "RFC 3986 7.3", "an encoded control character");
	NEED(utf8_ok(*ret), e, CHY_URI, "RFC 3629", "not UTF-8 after decoding");
	return RC_OK;
}

static enum rc
segment_check(struct bytes s, struct err *e)
{
	NEED(s.n > 0, e, CHY_URI, "RFC 3986 3.3", "an empty segment (two slashes, or one at the end)");
	NEED(!bytes_is(s, ".") && !bytes_is(s, ".."), e, CHY_URI, "RFC 3986 3.3", "a dot segment");
	NEED(memchr(s.p, '/', s.n) == NULL, e, CHY_URI, "RFC 3986 2.2", "an encoded slash");
	return RC_OK;
}

enum rc
uri_path_parse(struct arena *a, struct bytes target, struct uri_path *ret, struct bytes *ret_query,
	       struct err *e)
{
	struct bytes path = text_cut(target, '?', ret_query), rest;

	ret->n = 0;
	NEED(path.n > 0 && path.p[0] == '/', e, CHY_URI, "RFC 9112 3.2.1", "the path does not begin with /");
	rest = bytes_part(path, 1, path.n);
	while (path.n > 1 && rest.p != NULL) {
		struct bytes raw = text_cut(rest, '/', &rest);

		NEED(ret->n < URI_SEGMENTS_MAX, e, CHY_URI, NULL, "more than %d segments", URI_SEGMENTS_MAX);
		TRY(uri_decode(a, raw, false, &ret->segments[ret->n], e));
		TRY(segment_check(ret->segments[ret->n], e));
		ret->n++;
	}
	return RC_OK;
}

static enum rc
query_part(struct arena *a, struct bytes text, struct bytes *ret, struct err *e)
{
	struct err why = { 0 };

	if (uri_decode(a, text, true, ret, &why) == RC_OK)
		return RC_OK;
	if (why.code != CHY_NO_MEMORY)
		err_cause(e, err_exact(&why));
	FAIL(e, why.code == CHY_NO_MEMORY ? CHY_NO_MEMORY : CHY_URI_QUERY, why.std, "%s", why.text);
}

static enum rc
name_is_new(const struct bytes *names, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		NEED(!bytes_eq(names[i], names[n]), e, CHY_URI_QUERY, NULL, "the parameter stands twice");
	return RC_OK;
}

enum rc
uri_query_parse(struct arena *a, struct bytes query, struct bytes *names, struct bytes *values, size_t max,
		size_t *ret_n, struct err *e)
{
	size_t n = 0;

	*ret_n = 0;
	if (query.n == 0)
		return RC_OK;
	while (query.p != NULL) {
		struct bytes value, name, pair = text_cut(query, '&', &query);

		NEED(n < max, e, CHY_URI_QUERY, NULL, "more than %zu parameters", max);
		name = text_cut(pair, '=', &value);
		TRY(query_part(a, name, &names[n], e));
		NEED(names[n].n > 0, e, CHY_URI_QUERY, NULL, "a parameter without a name");
		TRY_AT(query_part(a, value, &values[n], e), e, "%.*s", BYTES_FMT(names[n]));
		TRY_AT(name_is_new(names, n, e), e, "%.*s", BYTES_FMT(names[n]));
		n++;
	}
	*ret_n = n;
	return RC_OK;
}

void
uri_put(struct buf *out, struct bytes text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (is_unreserved(c)) {
			buf_u8(out, c);
			continue;
		}
		buf_u8(out, '%');
		buf_u8(out, (uint8_t)digits[c >> 4]);
		buf_u8(out, (uint8_t)digits[c & 15]);
	}
}

enum rc
uri_base64(struct arena *a, struct bytes text, struct bytes *ret, struct err *e)
{
	uint8_t *dst = arena_alloc(a, text.n + 1);
	size_t n = 0;

	NEED(dst != NULL, e, CHY_NO_MEMORY, NULL, "base64 in a path");
	for (size_t i = 0; i < text.n; i++) {
		dst[n] = text.p[i];
		if (text.p[i] == '%') {
			int hi = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
			int lo = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;

			NEED(hi >= 0 && lo >= 0, e, CHY_URI, "RFC 3986 2.1", "an encoding cut short");
			dst[n] = (uint8_t)(hi << 4 | lo);
			i += 2;
		}
		n++;
	}
	return base64_parse(a, bytes_of(dst, n), ret, e);
}
