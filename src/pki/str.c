/* The string types of names, and RFC 5280 7.1's comparison of them. */
#include "base/base.h"
#include "pki/str.h"

bool
string_tag(uint32_t tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_TELETEX || tag == DER_IA5 ||
	    tag == DER_BMP || tag == DER_UNIVERSAL || tag == DER_NUMERIC || tag == DER_VISIBLE;
}

/* Big-endian units of 2 or 4 octets (BMPString, UniversalString). */
static int32_t
take_unit(struct bytes *b, size_t n)
{
	uint32_t v = 0;

	if (b->n < n)
		return -1;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | b->p[i];
	*b = bytes_part(*b, n, SIZE_MAX);
	return v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff) ? -1 : (int32_t)v;
}

int32_t
string_take(uint32_t tag, struct bytes *b)
{
	if (b->n == 0)
		return -1;
	if (tag == DER_UTF8)
		return utf8_take(b);
	if (tag == DER_BMP || tag == DER_UNIVERSAL)
		return take_unit(b, tag == DER_BMP ? 2 : 4);
	return take_unit(b, 1);
}

static bool
char_ok(uint32_t tag, int32_t c)
{
	bool digit = c >= '0' && c <= '9';

	switch (tag) {
	case DER_PRINTABLE: /* X.680 table 10 */
		return digit || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c > 0 && c < 0x80 && strchr(" '()+,-./:=?", c) != NULL);
	case DER_NUMERIC:
		return digit || c == ' ';
	case DER_IA5:
		return c < 0x80;
	case DER_VISIBLE:
		return c >= 0x20 && c < 0x7f;
	default:
		return true;
	}
}

bool
string_ok(uint32_t tag, struct bytes b)
{
	while (b.n > 0) {
		int32_t c = string_take(tag, &b);

		if (c < 0 || !char_ok(tag, c))
			return false;
	}
	return string_tag(tag);
}

/* A value as a stream of folded characters: no outer blanks, one blank for a run of them, ASCII letters small. */
struct fold {
	uint32_t tag;
	struct bytes left;
	bool started;
	int32_t held; /* a character behind a blank that was given already; -1: none */
};

static int32_t
fold_char(int32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool
is_space(int32_t c)
{
	return c == ' ' || (c >= 9 && c <= 13);
}

static int32_t
fold_take(struct fold *f)
{
	bool blank = false;
	int32_t c;

	if (f->held >= 0) {
		c = f->held;
		f->held = -1;
		return c;
	}
	while ((c = string_take(f->tag, &f->left)) >= 0 && is_space(c))
		blank = true;
	if (c < 0)
		return -1;
	c = fold_char(c);
	if (blank && f->started) {
		f->held = c;
		return ' ';
	}
	f->started = true;
	return c;
}

bool
string_eq(uint32_t tag_a, struct bytes a, uint32_t tag_b, struct bytes b)
{
	struct fold x = { .tag = tag_a, .left = a, .held = -1 }, y = { .tag = tag_b, .left = b, .held = -1 };
	int32_t c, d;

	if (!string_tag(tag_a) || !string_tag(tag_b))
		return tag_a == tag_b && bytes_eq(a, b);
	do {
		c = fold_take(&x);
		d = fold_take(&y);
	} while (c == d && c >= 0);
	return c == d;
}

static void
put_utf8(struct buf *out, int32_t c)
{
	if (c < 0x80) {
		buf_u8(out, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(out, (uint8_t)(0xc0 | c >> 6));
		buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_u8(out, (uint8_t)(0xe0 | c >> 12));
		buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(out, (uint8_t)(0xf0 | c >> 18));
		buf_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

void
string_put_utf8(struct buf *out, uint32_t tag, struct bytes b)
{
	while (b.n > 0) {
		int32_t c = string_take(tag, &b);

		if (c < 0)
			return;
		put_utf8(out, c);
	}
}
