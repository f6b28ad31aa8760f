/*
 * Buffer: bytes that grow, up to a compulsory maximum. Failure (maximum or memory) is sticky and checked once with
 * buf_ok; a failed buffer holds no usable bytes. Numbers are written big-endian.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/rc.h"

struct buf {
	uint8_t *p;
	size_t n, cap, max;
	bool bad;
};

/* An empty buffer of at most max bytes; needs no memory yet. Ended by buf_fini. */
static inline struct buf
buf_max(size_t max)
{
	return (struct buf){ .max = max };
}

/* Gives the memory back; the buffer may be used again from empty. */
void buf_fini(struct buf *b);
/* The same, wiping what it held: for buffers that have seen secrets. */
void buf_wipe(struct buf *b);

#define OWN_BUF __attribute__((cleanup(buf_fini)))

/* Makes room for n more bytes and returns where they go (not yet counted in b->n); NULL on sticky failure. */
uint8_t *buf_room(struct buf *b, size_t n);

/* Asks for room beforehand, so that what is written next needs no growing: for hot paths. */
static inline void
buf_reserve(struct buf *b, size_t n)
{
	(void)buf_room(b, n);
}

void buf_put(struct buf *b, struct bytes x);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
/* Bytes behind their 32-bit length; rd_lv reads them. */
void buf_lv(struct buf *b, struct bytes x);

/* Drops the first n bytes (all, where there are fewer). */
void buf_drop(struct buf *b, size_t n);
/* The same, and nothing of what was there is left behind the rest: where secrets pass through. */
void buf_drop_wipe(struct buf *b, size_t n);

static inline bool
buf_ok(const struct buf *b)
{
	return !b->bad;
}

/* What it holds: a view, valid until the next write. */
static inline struct bytes
buf_bytes(const struct buf *b)
{
	return b->bad ? BYTES_NONE : (struct bytes){ b->p, b->n };
}

/* The bytes as a C string that lives as long as the buffer; NULL after failure. */
const char *buf_cstr(struct buf *b);

#endif
