#include "base/base.h"

int32_t
utf8_take(struct bytes *b)
{
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c;
	size_t len;
	int32_t v;

	if (b->n == 0)
		return -1;
	c = b->p[0];
	if (c < 0x80)
		len = 1, v = c;
	else if (c >= 0xc2 && c <= 0xdf)
		len = 2, v = c & 0x1f;
	else if ((c & 0xf0) == 0xe0)
		len = 3, v = c & 0x0f;
	else if (c >= 0xf0 && c <= 0xf4)
		len = 4, v = c & 0x07;
	else
		return -1;
	if (len > b->n)
		return -1;
	for (size_t i = 1; i < len; i++) {
		if ((b->p[i] & 0xc0) != 0x80)
			return -1;
		v = v << 6 | (b->p[i] & 0x3f);
	}
	if ((len > 1 && v < least[len]) || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return -1;
	b->p += len;
	b->n -= len;
	return v;
}

bool
utf8_ok(struct bytes b)
{
	while (b.n > 0)
		if (utf8_take(&b) < 0)
			return false;
	return true;
}

char *
hex_text(char *dst, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < b.n; i++) {
		dst[2 * i] = digits[b.p[i] >> 4];
		dst[2 * i + 1] = digits[b.p[i] & 15];
	}
	dst[2 * b.n] = 0;
	return dst;
}

void
hex_put(struct buf *out, struct bytes b)
{
	uint8_t *p = b.n < SIZE_MAX / 4 ? buf_room(out, 2 * b.n + 1) : NULL;

	if (p == NULL)
		return;
	hex_text((char *)p, b);
	out->n += 2 * b.n;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum rc
hex_parse(struct arena *a, struct bytes text, struct bytes *ret, struct err *e)
{
	uint8_t *p = arena_alloc(a, text.n / 2 + 1);

	NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "hexadecimal of %zu characters", text.n);
	NEED(text.n % 2 == 0, e, CHY_HEX, NULL, "an odd number of digits (%zu)", text.n);
	for (size_t i = 0; i < text.n / 2; i++) {
		int hi = hex_digit(text.p[2 * i]), lo = hex_digit(text.p[2 * i + 1]);

		NEED(hi >= 0 && lo >= 0, e, CHY_HEX, NULL, "no hexadecimal digit at character %zu",
		     2 * i + 1);
		p[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret = bytes_of(p, text.n / 2);
	return RC_OK;
}

static const char std_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put64(struct buf *out, struct bytes b, const char *digits, bool pad)
{
	uint8_t *q = b.n < SIZE_MAX / 2 ? buf_room(out, (b.n + 2) / 3 * 4) : NULL;
	uint8_t *start = q;
	size_t i = 0;

	if (q == NULL)
		return;
	for (; i + 2 < b.n; i += 3) {
		uint32_t v = (uint32_t)b.p[i] << 16 | (uint32_t)b.p[i + 1] << 8 | b.p[i + 2];

		*q++ = (uint8_t)digits[v >> 18];
		*q++ = (uint8_t)digits[v >> 12 & 63];
		*q++ = (uint8_t)digits[v >> 6 & 63];
		*q++ = (uint8_t)digits[v & 63];
	}
	if (i < b.n) {
		uint32_t v = (uint32_t)b.p[i] << 16 | (i + 1 < b.n ? (uint32_t)b.p[i + 1] << 8 : 0);

		*q++ = (uint8_t)digits[v >> 18];
		*q++ = (uint8_t)digits[v >> 12 & 63];
		if (i + 1 < b.n)
			*q++ = (uint8_t)digits[v >> 6 & 63];
		else if (pad)
			*q++ = '=';
		if (pad)
			*q++ = '=';
	}
	out->n += (size_t)(q - start);
}

void
base64_put(struct buf *out, struct bytes b)
{
	put64(out, b, std_digits, true);
}

void
base64url_put(struct buf *out, struct bytes b)
{
	put64(out, b, url_digits, false);
}

/* The value of each digit plus one; 0 is none. The last two are the alphabet's own. */
static inline unsigned
value64(uint8_t c, const char *digits)
{
	static const uint8_t values[256] = {
		/* clang-format off */
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 0, 0, 0, 0, 0, 0,
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 0, 0, 0, 0, 0,
		0, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41,
		42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 0, 0, 0, 0, 0,
		/* clang-format on */
	};

	if (values[c] != 0)
		return values[c];
	return c == (uint8_t)digits[62] ? 63 : c == (uint8_t)digits[63] ? 64 : 0;
}

static enum rc
parse64(struct arena *a, struct bytes t, const char *digits, struct bytes *ret, struct err *e)
{
	uint8_t *p, *q;
	uint32_t v = 0;
	unsigned bits = 0;

	p = q = arena_alloc(a, t.n / 4 * 3 + 4);
	NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "base64 of %zu characters", t.n);
	NEED(t.n % 4 != 1, e, CHY_BASE64, "RFC 4648 4", "length %zu is impossible", t.n);
	for (size_t i = 0; i < t.n; i++) {
		unsigned digit = value64(t.p[i], digits);

		NEED(digit > 0, e, CHY_BASE64, "RFC 4648 3.3", "not in the alphabet: character %zu", i + 1);
		v = v << 6 | (digit - 1);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*q++ = (uint8_t)(v >> bits);
		}
	}
	NEED((v & ((1U << bits) - 1)) == 0, e, CHY_BASE64, "RFC 4648 3.5",
	     "unused bits at the end are not zero");
	*ret = bytes_of(p, (size_t)(q - p));
	return RC_OK;
}

enum rc
base64_parse(struct arena *a, struct bytes t, struct bytes *ret, struct err *e)
{
	size_t pad = 0;

	NEED(t.n % 4 == 0, e, CHY_BASE64, "RFC 4648 3.2", "length %zu is no multiple of 4", t.n);
	while (pad < 2 && pad < t.n && t.p[t.n - 1 - pad] == '=')
		pad++;
	t.n -= pad;
	return parse64(a, t, std_digits, ret, e);
}

enum rc
base64url_parse(struct arena *a, struct bytes t, struct bytes *ret, struct err *e)
{
	return parse64(a, t, url_digits, ret, e);
}

enum rc
int_parse(struct bytes t, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	bool minus = t.n > 0 && t.p[0] == '-';
	struct bytes d = bytes_part(t, minus ? 1 : 0, SIZE_MAX);
	int64_t v = 0;

	NEED(d.n >= 1 && d.n <= 19, e, CHY_NUMBER_TEXT, NULL, "\"%.*s\" is no whole number",
	     t.n > 40 ? 40 : (int)t.n, (const char *)t.p);
	NEED(d.p[0] != '0' || (d.n == 1 && !minus), e, CHY_NUMBER_TEXT, NULL, "leading zero");
	for (size_t i = 0; i < d.n; i++) {
		NEED(d.p[i] >= '0' && d.p[i] <= '9', e, CHY_NUMBER_TEXT, NULL, "\"%.*s\" is no whole number",
		     BYTES_FMT(t));
		NEED(!__builtin_mul_overflow(v, (int64_t)10, &v) &&
			 !__builtin_sub_overflow(v, (int64_t)(d.p[i] - '0'), &v),
		     e, CHY_NUMBER_TEXT, NULL,
		     "number too large"); /* kept negative: its range is the larger */
	}
	NEED(minus || v != INT64_MIN, e, CHY_NUMBER_TEXT, NULL, "number too large");
	v = minus ? v : -v;
	NEED(v >= min && v <= max, e, CHY_NUMBER_TEXT, NULL, "%lld is not within %lld to %lld", (long long)v,
	     (long long)min, (long long)max);
	*ret = v;
	return RC_OK;
}

bool
ascii_case_eq(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		uint8_t x = a.p[i], y = b.p[i];

		x = x >= 'A' && x <= 'Z' ? (uint8_t)(x + 32) : x;
		y = y >= 'A' && y <= 'Z' ? (uint8_t)(y + 32) : y;
		if (x != y)
			return false;
	}
	return true;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
text_has_control(struct bytes s)
{
	for (size_t k = 0; k < s.n; k++)
		if (s.p[k] < 0x20 || s.p[k] == 0x7f || (s.p[k] == 0xc2 && k + 1 < s.n && s.p[k + 1] < 0xa0))
			return true;
	return false;
}

struct bytes
text_trim(struct bytes b)
{
	while (b.n > 0 && is_blank(b.p[0]))
		b.p++, b.n--;
	while (b.n > 0 && is_blank(b.p[b.n - 1]))
		b.n--;
	return b;
}

struct bytes
text_cut(struct bytes b, char sep, struct bytes *rest)
{
	const uint8_t *at = b.n ? memchr(b.p, sep, b.n) : NULL;

	if (at == NULL) {
		*rest = BYTES_NONE;
		return b;
	}
	*rest = bytes_of(at + 1, b.n - (size_t)(at - b.p) - 1);
	return bytes_of(b.p, (size_t)(at - b.p));
}
