/*
 * Reader: takes typed values off the front of bytes. Failure is sticky: after the first one every read gives
 * zero or nothing, and rd_ok / rd_done say so once at the end. Numbers are big-endian.
 */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "base/bytes.h"

struct rd {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct rd
rd_of(struct bytes b)
{
	return (struct rd){ b.p, b.p + b.n, false };
}

static inline size_t
rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

/* The next n bytes, a view into the input; none and sticky failure when there are fewer. */
static inline struct bytes
rd_take(struct rd *r, size_t n)
{
	struct bytes b = { r->p, n };

	if (r->bad || n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return BYTES_NONE;
	}
	r->p += n;
	return b;
}

static inline uint64_t
rd_be(struct rd *r, size_t n)
{
	struct bytes b = rd_take(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

static inline uint8_t
rd_u8(struct rd *r)
{
	return (uint8_t)rd_be(r, 1);
}

static inline uint16_t
rd_u16(struct rd *r)
{
	return (uint16_t)rd_be(r, 2);
}

static inline uint32_t
rd_u32(struct rd *r)
{
	return (uint32_t)rd_be(r, 4);
}

static inline uint64_t
rd_u64(struct rd *r)
{
	return rd_be(r, 8);
}

/* Bytes behind a 32-bit length. */
static inline struct bytes
rd_lv(struct rd *r)
{
	return rd_take(r, rd_u32(r));
}

static inline bool
rd_ok(const struct rd *r)
{
	return !r->bad;
}

/* No failure and nothing left over. */
static inline bool
rd_done(const struct rd *r)
{
	return !r->bad && r->p == r->end;
}

#endif
