#include "base/base.h"
#include "pki/der.h"

struct dw
dw_fixed(void *mem, size_t n)
{
	uint8_t *m = mem;

	return (struct dw){ .mem = m, .p = m + n, .end = m + n };
}

struct dw
dw_growing(size_t max)
{
	return (struct dw){ .max = max };
}

void
dw_fini(struct dw *w)
{
	if (w->max > 0)
		free(w->mem);
	*w = (struct dw){ .max = w->max };
}

/* What is written moves to the end of the larger memory. */
static bool
grow(struct dw *w, size_t n)
{
	size_t used = (size_t)(w->end - w->p), cap = (size_t)(w->end - w->mem);
	uint8_t *m;

	if (w->max == 0 || n > w->max - used || fault_fails("base.alloc"))
		return false;
	while (cap - used < n)
		cap = cap == 0 ? 512 : cap > w->max / 2 ? w->max : cap * 2;
	m = malloc(cap);
	if (m == NULL)
		return false;
	if (used > 0)
		memcpy(m + cap - used, w->p, used);
	free(w->mem);
	w->mem = m;
	w->end = m + cap;
	w->p = w->end - used;
	return true;
}

/* What nearly every call comes to is inlined: lists have a million entries of ten values each. */
static inline uint8_t *
room(struct dw *w, size_t n)
{
	if (w->bad)
		return NULL;
	if (n > (size_t)(w->p - w->mem) && !grow(w, n)) {
		w->bad = true;
		return NULL;
	}
	if (n > 0) /* nothing written yet: no address to count from */
		w->p -= n;
	return w->p;
}

uint8_t *
dw_room(struct dw *w, size_t n)
{
	return room(w, n);
}

void
dw_put(struct dw *w, struct bytes b)
{
	uint8_t *p = room(w, b.n);

	if (p != NULL && b.n > 0)
		memcpy(p, b.p, b.n);
}

static inline void
put_u8(struct dw *w, uint8_t v)
{
	uint8_t *p = room(w, 1);

	if (p != NULL)
		*p = v;
}

static void
put_tag(struct dw *w, uint32_t tag)
{
	uint32_t number = tag >> 8;

	for (bool last = true; number != 0; number >>= 7, last = false)
		put_u8(w, (uint8_t)((number & 0x7f) | (last ? 0 : 0x80)));
	put_u8(w, (uint8_t)tag);
}

void
dw_head(struct dw *w, uint32_t tag, size_t n)
{
	uint8_t count = 0;

	if (n < 0x80) {
		put_u8(w, (uint8_t)n);
	} else {
		for (; n != 0; n >>= 8, count++)
			put_u8(w, (uint8_t)n);
		put_u8(w, (uint8_t)(0x80 | count));
	}
	put_tag(w, tag);
}

void
dw_wrap(struct dw *w, uint32_t tag, size_t mark)
{
	dw_head(w, tag, dw_mark(w) - mark);
}

void
dw_tlv(struct dw *w, uint32_t tag, struct bytes contents)
{
	dw_put(w, contents);
	dw_head(w, tag, contents.n);
}

static int
by_encoding(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;

	return bytes_cmp(*x, *y);
}

/* The values in [p, p + n); 0 when there are too many or they are no DER. */
static size_t
split(struct bytes in, struct bytes *v, size_t max)
{
	struct der d = der_of(in, NULL);
	size_t n = 0;

	while (der_more(&d) && n < max)
		v[n++] = der_any_tlv(&d);
	return der_end(&d) == RC_OK ? n : 0;
}

void
dw_set_of(struct dw *w, size_t mark)
{
	enum { MAX = 256 };
	struct bytes all = bytes_of(w->p, dw_mark(w) - mark), v[MAX];
	size_t n;
	uint8_t *copy, *to;

	if (w->bad)
		return;
	if (all.n == 0) {
		dw_head(w, DER_SET, 0);
		return;
	}
	n = split(all, v, MAX);
	copy = n ? malloc(all.n) : NULL;
	if (copy == NULL) {
		w->bad = true;
		return;
	}
	qsort(v, n, sizeof(*v), by_encoding);
	to = copy;
	for (size_t i = 0; i < n; to += v[i].n, i++)
		memcpy(to, v[i].p, v[i].n);
	memcpy(w->p, copy, all.n);
	free(copy);
	dw_head(w, DER_SET, all.n);
}

void
dw_bool(struct dw *w, bool v)
{
	put_u8(w, v ? 0xff : 0);
	dw_head(w, DER_BOOLEAN, 1);
}

void
dw_int(struct dw *w, int64_t v)
{
	size_t at = dw_mark(w);
	uint8_t octet;

	do {
		octet = (uint8_t)v;
		put_u8(w, octet);
		v >>= 8; /* arithmetic, as every compiler of this project has it */
	} while (!((v == 0 && octet < 0x80) || (v == -1 && octet >= 0x80)));
	dw_head(w, DER_INTEGER, dw_mark(w) - at);
}

void
dw_unsigned(struct dw *w, struct bytes magnitude)
{
	size_t at = dw_mark(w);

	while (magnitude.n > 0 && magnitude.p[0] == 0)
		magnitude = bytes_part(magnitude, 1, SIZE_MAX);
	dw_put(w, magnitude);
	if (magnitude.n == 0 || magnitude.p[0] >= 0x80)
		put_u8(w, 0);
	dw_head(w, DER_INTEGER, dw_mark(w) - at);
}

void
dw_oid(struct dw *w, struct bytes contents)
{
	dw_tlv(w, DER_OID, contents);
}

void
dw_null(struct dw *w)
{
	dw_head(w, DER_NULL, 0);
}

void
dw_octets(struct dw *w, struct bytes b)
{
	dw_tlv(w, DER_OCTET_STRING, b);
}

void
dw_bits(struct dw *w, struct bytes octets)
{
	dw_put(w, octets);
	put_u8(w, 0);
	dw_head(w, DER_BIT_STRING, octets.n + 1);
}

void
dw_named_bits(struct dw *w, uint32_t tag, uint32_t bits)
{
	size_t at = dw_mark(w), octets = 0;
	unsigned top = 0;

	for (unsigned i = 0; i < 32; i++)
		if (bits & 1u << i)
			top = i + 1;
	octets = (top + 7) / 8;
	for (size_t k = octets; k-- > 0;) {
		uint8_t v = 0;

		for (unsigned i = 0; i < 8; i++)
			if (bits & 1u << (8 * k + i))
				v |= (uint8_t)(0x80 >> i);
		put_u8(w, v);
	}
	put_u8(w, (uint8_t)(8 * octets - top));
	dw_head(w, tag, dw_mark(w) - at);
}

/* v below 100. */
static inline uint8_t *
put2(uint8_t *p, int v)
{
	unsigned tens = (unsigned)v / 10;

	p[0] = (uint8_t)('0' + tens);
	p[1] = (uint8_t)('0' + ((unsigned)v - 10 * tens));
	return p + 2;
}

static inline void
put_time(struct dw *w, uint32_t tag, const struct civil *c, bool utc)
{
	size_t n = utc ? 13 : 15;
	uint8_t *p = room(w, n);

	if (p == NULL)
		return;
	if (!utc)
		p = put2(p, c->year / 100);
	p = put2(put2(put2(p, c->year % 100), c->month), c->day);
	p = put2(put2(put2(p, c->hour), c->minute), c->second);
	*p = 'Z';
	dw_head(w, tag, n);
}

void
dw_time(struct dw *w, int64_t at_ms)
{
	struct civil c = civil_of(at_ms);
	bool utc = c.year >= 1950 && c.year < 2050;

	if (c.year < 0 || c.year > 9999)
		w->bad = true;
	put_time(w, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, &c, utc);
}

void
dw_generalized_time(struct dw *w, uint32_t tag, int64_t at_ms)
{
	struct civil c = civil_of(at_ms);

	if (c.year < 0 || c.year > 9999)
		w->bad = true;
	put_time(w, tag, &c, false);
}

enum rc
dw_end(const struct dw *w, struct err *e)
{
	NEED(!w->bad, e, CHY_DER_ROOM, NULL, "what is built does not fit into its memory");
	return RC_OK;
}

enum rc
dw_dup(const struct dw *w, struct arena *a, struct bytes *ret, struct err *e)
{
	TRY(dw_end(w, e));
	*ret = arena_dup(a, dw_bytes(w));
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "DER of %zu bytes", dw_mark(w));
	return RC_OK;
}
