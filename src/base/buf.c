#include "base/base.h"

#include <stdarg.h>

void
buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_fini(b);
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap;
	uint8_t *p;

	if (b->bad || n > b->max - b->n || fault_fails("base.alloc")) {
		b->bad = true;
		return NULL;
	}
	if (n <= cap - b->n)
		return b->n > 0 ? b->p + b->n : b->p; /* an empty one has no address to count from */
	while (cap - b->n < n)
		cap = cap == 0 ? 256 : cap > b->max / 2 ? b->max : cap * 2;
	/* not realloc: what moves must be wiped where secrets were written, and a view must never dangle silently */
	p = malloc(cap);
	if (p == NULL) {
		b->bad = true;
		return NULL;
	}
	if (b->n > 0)
		memcpy(p, b->p, b->n);
	if (b->p != NULL)
		explicit_bzero(b->p, b->n);
	free(b->p);
	b->p = p;
	b->cap = cap;
	return p + b->n;
}

void
buf_put(struct buf *b, struct bytes x)
{
	uint8_t *p = buf_room(b, x.n);

	if (p == NULL || x.n == 0)
		return;
	memcpy(p, x.p, x.n);
	b->n += x.n;
}

void
buf_str(struct buf *b, const char *s)
{
	buf_put(b, bytes_str(s));
}

/* Formats into the room that is there already, which nearly always does; false: it did not fit. */
static bool
print_in_place(struct buf *b, const char *fmt, va_list ap)
{
	size_t left = b->bad ? 0 : b->cap - b->n;
	int n = left > 0 ? vsnprintf((char *)b->p + b->n, left, fmt, ap) : -1;

	if (n < 0 || (size_t)n >= left)
		return false;
	b->n += (size_t)n;
	return true;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *p;
	bool done;
	int n;

	va_start(ap, fmt);
	done = print_in_place(b, fmt, ap);
	va_end(ap);
	if (done)
		return;
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = buf_room(b, (size_t)n + 1)) == NULL) {
		b->bad = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf((char *)p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

static void
put_be(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *p = buf_room(b, n);

	if (p == NULL)
		return;
	for (size_t i = n; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
	b->n += n;
}

void
buf_u8(struct buf *b, uint8_t v)
{
	put_be(b, v, 1);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	put_be(b, v, 2);
}

void
buf_u32(struct buf *b, uint32_t v)
{
	put_be(b, v, 4);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	put_be(b, v, 8);
}

void
buf_lv(struct buf *b, struct bytes x)
{
	if (x.n > UINT32_MAX)
		b->bad = true;
	buf_u32(b, (uint32_t)x.n);
	buf_put(b, x);
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

void
buf_drop_wipe(struct buf *b, size_t n)
{
	size_t was = b->n;

	buf_drop(b, n);
	if (was > b->n)
		explicit_bzero(b->p + b->n, was - b->n);
}

const char *
buf_cstr(struct buf *b)
{
	uint8_t *p = buf_room(b, 1);

	if (p == NULL)
		return NULL;
	*p = 0;
	return (const char *)b->p;
}
