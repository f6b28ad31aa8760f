/*
 * DER (X.690 chapter 10), read strictly and written backwards.
 *
 * Reading: a `struct der` is one cursor over bytes that goes into constructed values and out again. Failure is sticky:
 * after the first one every read gives zero or nothing, and der_end says so once, with the first cause. Only DER
 * passes: definite minimal lengths, minimal tags, canonical BOOLEAN, INTEGER, BIT STRING, OID and times. What a read
 * returns is a view into the input.
 *
 *	struct der d = der_of(in, e);
 *	der_enter(&d, DER_SEQUENCE);
 *	version = der_int(&d, 0, 2);
 *	serial = der_integer(&d);
 *	der_leave(&d);
 *	return der_end(&d);
 *
 * Writing: a `struct dw` grows towards lower addresses, so that a length is known when its header is written. What
 * comes last in the encoding is written first. Failure is sticky too; dw_end says so.
 *
 *	size_t at = dw_mark(&w);
 *	dw_integer(&w, serial);
 *	dw_int(&w, 2);
 *	dw_wrap(&w, DER_SEQUENCE, at);
 */
#ifndef PKI_DER_H
#define PKI_DER_H

#include "base/base.h"

/* Tags are the identifier octet; those with a number of 31 and more are that octet | number << 8. */
enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8 = 0x0c,
	DER_NUMERIC = 0x12,
	DER_PRINTABLE = 0x13,
	DER_TELETEX = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE = 0x1a,
	DER_UNIVERSAL = 0x1c,
	DER_BMP = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
#define DER_CTX(n) (0x80u | (n))      /* [n] IMPLICIT of a primitive */
#define DER_CTX_CONS(n) (0xa0u | (n)) /* [n] EXPLICIT, or IMPLICIT of a constructed value */

struct der {
	const uint8_t *p, *end; /* end of the innermost value entered */
	struct err *e;
	enum rc rc;
	unsigned depth;
	const uint8_t *ends[LIMIT_DER_DEPTH]; /* only the first `depth` are set */
};

/* A cursor over bytes that must outlive it. e may be NULL. */
struct der der_of(struct bytes in, struct err *e);

/* Nothing failed yet and something is left in the innermost value entered. */
static inline bool
der_more(const struct der *d)
{
	return d->rc == RC_OK && d->p < d->end;
}

static inline bool
der_ok(const struct der *d)
{
	return d->rc == RC_OK;
}

/* The next value's tag without taking it; 0 at the end, after failure and before a damaged header. */
uint32_t der_peek(const struct der *d);
static inline bool
der_next_is(const struct der *d, uint32_t tag)
{
	return der_peek(d) == tag;
}

/* Fails the cursor with a cause of the caller's. */
void der_fail(struct der *d, enum code code, const char *std, const char *fmt, ...) PRINTF(4, 5);

/* Goes into the next value (DER_TAG when it has another tag; DER_DEPTH) and out of it (DER_TRAILING when something
   is left in it). */
void der_enter(struct der *d, uint32_t tag);
void der_leave(struct der *d);
/* The same for SET OF, whose tag may be IMPLICIT: the elements must stand in ascending order of their encodings (X.690 11.6, DER_SET_ORDER).
   Equal elements are refused as well, as every SET OF here is a mathematical set. */
void der_enter_set_of_as(struct der *d, uint32_t tag);
static inline void
der_enter_set_of(struct der *d)
{
	der_enter_set_of_as(d, DER_SET);
}
/* Goes into an OCTET STRING whose contents are DER. */
static inline void
der_enter_octets(struct der *d)
{
	der_enter(d, DER_OCTET_STRING);
}

/* The next value: its contents / all of it, header included. der_any takes any tag. */
struct bytes der_take(struct der *d, uint32_t tag);
struct bytes der_tlv(struct der *d, uint32_t tag);
struct bytes der_any(struct der *d, uint32_t *ret_tag); /* contents; ret_tag may be NULL */
struct bytes der_any_tlv(struct der *d);

bool der_bool(struct der *d);
/* INTEGER: contents octets, minimal, any sign. */
struct bytes der_integer(struct der *d);
/* INTEGER that must not be negative: magnitude without leading zeros (0 is one octet 00). */
struct bytes der_unsigned(struct der *d);
/* INTEGER within bounds (DER_INTEGER outside of them). */
int64_t der_int(struct der *d, int64_t min, int64_t max);
/* BIT STRING: octets, and how many bits of the last one are unused (these must be zero). */
struct bytes der_bits(struct der *d, unsigned *ret_unused);
/* BIT STRING of whole octets. */
struct bytes der_bit_octets(struct der *d);
/* NamedBitList (X.690 11.2.2: no trailing zero bits) of at most 32 bits; bit n of the ASN.1 is 1u << n. */
uint32_t der_named_bits(struct der *d, uint32_t tag);
/* OBJECT IDENTIFIER: contents octets, each arc minimal. */
struct bytes der_oid(struct der *d);
void der_null(struct der *d);
/* UTCTime (years 1950-2049) or GeneralizedTime, both with seconds and Z (RFC 5280 4.1.2.5), as ms. Where rfc5280,
   a GeneralizedTime before 2050 is refused. */
int64_t der_time(struct der *d, bool rfc5280);

/* The outcome; DER_TRAILING when something is left over. Must be asked once at the end. */
MUST enum rc der_end(struct der *d);

/* One whole value, nothing behind it, DER throughout: every universal primitive inside it is canonical. SET order is
   not judged (SET and SET OF look alike). For values whose type is unknown. */
MUST enum rc der_check(struct bytes tlv, struct err *e);

/* ---- writing ---- */

struct dw {
	uint8_t *mem, *p, *end; /* written: [p, end) */
	size_t max;             /* of a growing one; 0: fixed memory of the caller's */
	bool bad;
};

/* Into the caller's memory, from its end. */
struct dw dw_fixed(void *mem, size_t n);
/* Into memory of its own, at most max bytes; ended by dw_fini. */
struct dw dw_growing(size_t max);
void dw_fini(struct dw *w);
#define OWN_DW __attribute__((cleanup(dw_fini)))

/* How much is written: a mark for dw_wrap. */
static inline size_t
dw_mark(const struct dw *w)
{
	return (size_t)(w->end - w->p);
}

/* What is written: a view, valid until the next write; nothing after failure. */
static inline struct bytes
dw_bytes(const struct dw *w)
{
	return w->bad ? BYTES_NONE : (struct bytes){ w->p, (size_t)(w->end - w->p) };
}

/* Room for n bytes in front of what is written, counted as written at once; NULL on sticky failure. */
uint8_t *dw_room(struct dw *w, size_t n);
/* Header of a value whose contents are all that was written since the mark. */
void dw_wrap(struct dw *w, uint32_t tag, size_t mark);
/* Header alone, of a value whose n bytes of contents are kept elsewhere. */
void dw_head(struct dw *w, uint32_t tag, size_t n);
/* Turns what was written since the mark, whole values, into a SET OF in canonical order. At most 256 elements. */
void dw_set_of(struct dw *w, size_t mark);

void dw_put(struct dw *w, struct bytes b); /* as they are */
void dw_tlv(struct dw *w, uint32_t tag, struct bytes contents);
void dw_bool(struct dw *w, bool v);
void dw_int(struct dw *w, int64_t v);
void dw_unsigned(struct dw *w,
		 struct bytes magnitude); /* INTEGER from big-endian octets, leading zeros allowed */
void dw_oid(struct dw *w, struct bytes contents);
void dw_null(struct dw *w);
void dw_octets(struct dw *w, struct bytes b);
void dw_bits(struct dw *w, struct bytes octets); /* no unused bits */
void dw_named_bits(struct dw *w, uint32_t tag, uint32_t bits);
/* Time by RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 (and before 1950). ms are dropped. */
void dw_time(struct dw *w, int64_t at_ms);
void dw_generalized_time(struct dw *w, uint32_t tag, int64_t at_ms);

/* CHY_DER_ROOM when the memory did not suffice. */
MUST enum rc dw_end(const struct dw *w, struct err *e);
/* What is written, as the arena's (CHY_DER_ROOM, CHY_NO_MEMORY). */
MUST enum rc dw_dup(const struct dw *w, struct arena *a, struct bytes *ret, struct err *e);

#endif
