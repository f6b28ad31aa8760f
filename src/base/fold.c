#include "base/base.h"
#include "base/fold.h"

#include <stdlib.h>

/* Every step-th character from first to last has its folded one delta behind it. */
struct range {
	uint32_t first, last, step;
	int32_t delta;
};

static const struct range ranges[] = {
#define RANGE(first, last, step, delta) { first, last, step, delta },
#include "base/fold.def"
#undef RANGE
};

static int
by_place(const void *key, const void *element)
{
	const uint32_t *c = key;
	const struct range *r = element;

	return *c < r->first ? -1 : *c > r->last;
}

uint32_t
fold_char(uint32_t c)
{
	const struct range *r = bsearch(&c, ranges, ARRAY_LEN(ranges), sizeof(*ranges), by_place);

	return r != NULL && (c - r->first) % r->step == 0 ? c + (uint32_t)r->delta : c;
}

size_t
fold_max(size_t n)
{
	return n + n / 2;
}

static size_t
put_utf8(uint8_t *dst, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i > 1; c >>= 6)
		dst[--i] = (uint8_t)(0x80 | (c & 0x3f));
	dst[0] = (uint8_t)(marks[n] | c);
	return n;
}

size_t
fold_text(uint8_t *dst, struct bytes text)
{
	size_t n = 0;

	while (text.n > 0) {
		uint8_t b = text.p[0];
		int32_t c;

		if (b < 0x80) { /* nearly all */
			dst[n++] = b >= 'A' && b <= 'Z' ? (uint8_t)(b + 32) : b;
			text = bytes_part(text, 1, SIZE_MAX);
		} else if ((c = utf8_take(&text)) >= 0) {
			n += put_utf8(dst + n, fold_char((uint32_t)c));
		} else {
			dst[n++] = b;
			text = bytes_part(text, 1, SIZE_MAX);
		}
	}
	return n;
}
