#include "base/base.h"
#include "pki/der.h"

#include "pki/oid.h"

#include <stdarg.h>

struct der
der_of(struct bytes in, struct err *e)
{
	static const uint8_t nothing;
	struct der d;

	/* not an initialiser: it would clear the 32 ends each time */
	d.p = in.p != NULL ? in.p : &nothing;
	d.end = d.p + in.n;
	d.e = e;
	d.rc = RC_OK;
	d.depth = 0;
	return d;
}

void
der_fail(struct der *d, enum code code, const char *std, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (d->rc != RC_OK)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->rc = err_set(d->e, code, std, "%s", text);
	if (d->rc == RC_OK) /* never success by a strange code */
		d->rc = RC_INTERNAL;
}

/* ---- headers ---- */

struct head {
	uint32_t tag;
	size_t head_n, n;
	enum code bad; /* CHY_NONE: all is well */
};

/* Number of a tag in several octets (X.690 8.1.2.4): at least 31, no leading zeros, below 2^21. */
static size_t
read_high_tag(const uint8_t *p, size_t left, uint32_t *tag)
{
	uint32_t v = 0;

	for (size_t i = 1; i < left && i <= 3; i++) {
		v = v << 7 | (p[i] & 0x7f);
		if (i == 1 && v == 0)
			return 0;
		if (p[i] < 0x80) {
			*tag = p[0] | v << 8;
			return v >= 31 ? i + 1 : 0;
		}
	}
	return 0;
}

/* The long form of a length (X.690 10.1: as few octets as possible); returns its octets, 0 when it is not DER. */
static size_t
read_length(const uint8_t *p, size_t left, size_t *len)
{
	size_t k = p[0] & 0x7f;

	if (k == 0 || k > 4 || k >= left || p[1] == 0)
		return 0;
	*len = 0;
	for (size_t i = 1; i <= k; i++)
		*len = *len << 8 | p[i];
	return *len >= 0x80 ? k + 1 : 0;
}

static inline struct head
read_head(const uint8_t *p, const uint8_t *end)
{
	size_t left = (size_t)(end - p), at = 1;
	struct head h = { 0 };

	if (left < 2) {
		h.bad = CHY_DER_TRUNCATED;
		return h;
	}
	h.tag = p[0];
	if ((p[0] & 0x1f) == 0x1f && (at = read_high_tag(p, left, &h.tag)) == 0) {
		h.bad = CHY_DER_TAG;
		return h;
	}
	if (at >= left) {
		h.bad = CHY_DER_TRUNCATED;
		return h;
	}
	if (p[at] < 0x80) {
		h.n = p[at];
		h.head_n = at + 1;
	} else {
		size_t k = read_length(p + at, left - at, &h.n);

		h.bad = k                                 ? CHY_NONE
		    : (size_t)(p[at] & 0x7f) >= left - at ? CHY_DER_TRUNCATED
							  : CHY_DER_LENGTH;
		h.head_n = at + k;
	}
	if (h.bad == CHY_NONE && (p[0] == 0 || h.n > left - h.head_n))
		h.bad = p[0] == 0 ? CHY_DER_TAG : CHY_DER_TRUNCATED;
	return h;
}

static void
fail_head(struct der *d, enum code bad)
{
	if (bad == CHY_DER_LENGTH)
		der_fail(d, bad, "X.690 10.1", "length is indefinite, not minimal or too large");
	else if (bad == CHY_DER_TAG)
		der_fail(d, bad, "X.690 8.1.2", "tag is not minimal or reserved");
	else
		der_fail(d, CHY_DER_TRUNCATED, "X.690 8.1.3",
			 "value ends before its length, %zu bytes are left", (size_t)(d->end - d->p));
}

uint32_t
der_peek(const struct der *d)
{
	struct head h;

	if (!der_more(d))
		return 0;
	h = read_head(d->p, d->end);
	return h.bad ? 0 : h.tag;
}

/* The header of the next value, which must have the tag; 0 is any. False: the cursor has failed. */
static bool
next(struct der *d, uint32_t tag, struct head *h)
{
	if (d->rc != RC_OK)
		return false;
	if (d->p == d->end) {
		der_fail(d, CHY_DER_TRUNCATED, "X.690 8.1.3", "value missing (tag %02x)", (unsigned)tag);
		return false;
	}
	*h = read_head(d->p, d->end);
	if (h->bad) {
		fail_head(d, h->bad);
		return false;
	}
	if (tag != 0 && h->tag != tag) {
		der_fail(d, CHY_DER_TAG, "X.690 8.1.2", "tag %02x where %02x is expected", (unsigned)h->tag,
			 (unsigned)tag);
		return false;
	}
	return true;
}

void
der_enter(struct der *d, uint32_t tag)
{
	struct head h;

	if (!next(d, tag, &h))
		return;
	if (d->depth == LIMIT_DER_DEPTH) {
		der_fail(d, CHY_DER_DEPTH, NULL, "nested more than %d deep", LIMIT_DER_DEPTH);
		return;
	}
	d->ends[d->depth++] = d->end;
	d->p += h.head_n;
	d->end = d->p + h.n;
}

void
der_leave(struct der *d)
{
	if (d->rc != RC_OK)
		return;
	if (d->depth == 0) {
		der_fail(d, CHY_INTERNAL, NULL, "left more DER values than entered");
		return;
	}
	if (d->p != d->end) {
		der_fail(d, CHY_DER_TRAILING, NULL, "%zu bytes too many in a value", (size_t)(d->end - d->p));
		return;
	}
	d->end = d->ends[--d->depth];
}

static void
check_set_order(struct der *d)
{
	const uint8_t *at = d->p;
	struct bytes last = BYTES_NONE;

	while (d->rc == RC_OK && d->p < d->end) {
		struct bytes v = der_any_tlv(d);

		if (d->rc == RC_OK && last.n > 0 && bytes_cmp(last, v) >= 0)
			der_fail(d, CHY_DER_SET_ORDER, "X.690 11.6", "elements are not in ascending order");
		last = v;
	}
	d->p = at;
}

void
der_enter_set_of_as(struct der *d, uint32_t tag)
{
	der_enter(d, tag);
	if (d->rc == RC_OK)
		check_set_order(d);
}

struct bytes
der_take(struct der *d, uint32_t tag)
{
	struct head h;
	struct bytes b;

	if (!next(d, tag, &h))
		return BYTES_NONE;
	b = bytes_of(d->p + h.head_n, h.n);
	d->p += h.head_n + h.n;
	return b;
}

struct bytes
der_tlv(struct der *d, uint32_t tag)
{
	const uint8_t *at = d->p;
	struct head h;

	if (!next(d, tag, &h))
		return BYTES_NONE;
	d->p += h.head_n + h.n;
	return bytes_of(at, h.head_n + h.n);
}

struct bytes
der_any(struct der *d, uint32_t *ret_tag)
{
	if (ret_tag != NULL)
		*ret_tag = der_peek(d);
	return der_take(d, 0);
}

struct bytes
der_any_tlv(struct der *d)
{
	return der_tlv(d, 0);
}

/* ---- primitives ---- */

static bool
bool_ok(struct bytes b)
{
	return b.n == 1 && (b.p[0] == 0 || b.p[0] == 0xff);
}

static bool
integer_ok(struct bytes b)
{
	if (b.n == 0)
		return false;
	return b.n == 1 || !((b.p[0] == 0 && b.p[1] < 0x80) || (b.p[0] == 0xff && b.p[1] >= 0x80));
}

static bool
bits_ok(struct bytes b)
{
	if (b.n == 0 || b.p[0] > 7)
		return false;
	return b.p[0] == 0 || (b.n > 1 && (b.p[b.n - 1] & ((1u << b.p[0]) - 1)) == 0);
}

bool
der_bool(struct der *d)
{
	struct bytes b = der_take(d, DER_BOOLEAN);

	if (d->rc == RC_OK && !bool_ok(b))
		der_fail(d, CHY_DER_BOOLEAN, "X.690 11.1", "BOOLEAN must be one octet 00 or ff");
	return d->rc == RC_OK && b.p[0] != 0;
}

static struct bytes
take_integer(struct der *d, uint32_t tag)
{
	struct bytes b = der_take(d, tag);

	if (d->rc == RC_OK && !integer_ok(b)) {
		der_fail(d, CHY_DER_INTEGER, "X.690 8.3.2", "INTEGER is empty or has a needless first octet");
		return BYTES_NONE;
	}
	return b;
}

struct bytes
der_integer(struct der *d)
{
	return take_integer(d, DER_INTEGER);
}

struct bytes
der_unsigned(struct der *d)
{
	struct bytes b = der_integer(d);

	if (d->rc == RC_OK && b.p[0] >= 0x80) {
		der_fail(d, CHY_DER_INTEGER, NULL, "negative INTEGER");
		return BYTES_NONE;
	}
	return b.n > 1 && b.p[0] == 0 ? bytes_part(b, 1, SIZE_MAX) : b;
}

int64_t
der_int(struct der *d, int64_t min, int64_t max)
{
	struct bytes b = der_integer(d);
	uint64_t v;

	if (d->rc != RC_OK)
		return 0;
	v = b.p[0] >= 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < b.n && i < 8; i++)
		v = v << 8 | b.p[i];
	if (b.n > 8 || (int64_t)v < min || (int64_t)v > max) {
		der_fail(d, CHY_DER_INTEGER, NULL, "INTEGER is not within %lld to %lld", (long long)min,
			 (long long)max);
		return 0;
	}
	return (int64_t)v;
}

static struct bytes
take_bits(struct der *d, uint32_t tag, unsigned *ret_unused)
{
	struct bytes b = der_take(d, tag);

	*ret_unused = 0;
	if (d->rc == RC_OK && !bits_ok(b))
		der_fail(d, CHY_DER_BITS, "X.690 11.2.1",
			 "BIT STRING with a wrong count of unused bits, or some not zero");
	if (d->rc != RC_OK)
		return BYTES_NONE;
	*ret_unused = b.p[0];
	return bytes_part(b, 1, SIZE_MAX);
}

struct bytes
der_bits(struct der *d, unsigned *ret_unused)
{
	return take_bits(d, DER_BIT_STRING, ret_unused);
}

struct bytes
der_bit_octets(struct der *d)
{
	unsigned unused;
	struct bytes b = take_bits(d, DER_BIT_STRING, &unused);

	if (d->rc == RC_OK && unused != 0) {
		der_fail(d, CHY_DER_BITS, NULL, "BIT STRING is not of whole octets");
		return BYTES_NONE;
	}
	return b;
}

uint32_t
der_named_bits(struct der *d, uint32_t tag)
{
	unsigned unused;
	struct bytes b = take_bits(d, tag, &unused);
	uint32_t v = 0;

	if (d->rc != RC_OK)
		return 0;
	if (b.n > 4 || (b.n > 0 && (b.p[b.n - 1] >> unused & 1) == 0)) {
		der_fail(d, CHY_DER_BITS, "X.690 11.2.2",
			 "named bits have trailing zero bits or more than 32 bits");
		return 0;
	}
	for (size_t i = 0; i < 8 * b.n; i++)
		if (b.p[i / 8] & 0x80 >> i % 8)
			v |= 1u << i;
	return v;
}

struct bytes
der_oid(struct der *d)
{
	struct bytes b = der_take(d, DER_OID);

	if (d->rc == RC_OK && !oid_ok(b)) {
		der_fail(d, CHY_DER_OBJECT_ID, "X.690 8.19",
			 "OBJECT IDENTIFIER is empty, cut, not minimal or too long");
		return BYTES_NONE;
	}
	return b;
}

void
der_null(struct der *d)
{
	struct bytes b = der_take(d, DER_NULL);

	if (d->rc == RC_OK && b.n != 0)
		der_fail(d, CHY_DER_NULL, "X.690 8.8", "NULL with contents");
}

/* ---- times ---- */

static int
two(const uint8_t *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + p[1] - '0';
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ. A leap second cannot be said in DER of X.509 and is refused. */
static bool
time_of(struct bytes b, bool utc, struct civil *c)
{
	const uint8_t *p = b.p;
	int century, year;

	if (b.n != (utc ? 13u : 15u) || p[b.n - 1] != 'Z')
		return false;
	century = utc ? 0 : two(p);
	p += utc ? 0 : 2;
	year = two(p);
	if (century < 0 || year < 0)
		return false;
	c->year = utc ? year + (year < 50 ? 2000 : 1900) : century * 100 + year;
	c->month = two(p + 2);
	c->day = two(p + 4);
	c->hour = two(p + 6);
	c->minute = two(p + 8);
	c->second = two(p + 10);
	c->ms = 0;
	return civil_ok(*c);
}

/* X.690 11.7: fraction allowed, without trailing zeros. */
static bool
general_time_ok(struct bytes b)
{
	uint8_t whole[15];
	struct civil c;

	if (b.n < 15)
		return false;
	memcpy(whole, b.p, 14);
	whole[14] = 'Z';
	if (!time_of(bytes_of(whole, 15), false, &c) || b.p[b.n - 1] != 'Z')
		return false;
	if (b.n == 15)
		return true;
	for (size_t i = 15; i < b.n - 1; i++)
		if (b.p[i] < '0' || b.p[i] > '9')
			return false;
	return b.p[14] == '.' && b.n > 16 && b.p[b.n - 2] != '0';
}

int64_t
der_time(struct der *d, bool rfc5280)
{
	bool utc = der_next_is(d, DER_UTC_TIME);
	struct bytes b = der_take(d, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME);
	struct civil c;

	if (d->rc != RC_OK)
		return 0;
	if (!time_of(b, utc, &c)) {
		der_fail(d, CHY_DER_TIME, "RFC 5280 4.1.2.5", "not a time of the form %s",
			 utc ? "YYMMDDHHMMSSZ" : "YYYYMMDDHHMMSSZ");
		return 0;
	}
	if (rfc5280 && !utc && c.year < 2050) {
		der_fail(d, CHY_DER_TIME, "RFC 5280 4.1.2.5", "year %d must be a UTCTime", c.year);
		return 0;
	}
	return civil_ms(c);
}

enum rc
der_end(struct der *d)
{
	if (d->rc == RC_OK && d->depth != 0)
		der_fail(d, CHY_INTERNAL, NULL, "DER values entered and not left");
	if (d->rc == RC_OK && d->p != d->end)
		der_fail(d, CHY_DER_TRAILING, NULL, "%zu bytes behind the value", (size_t)(d->end - d->p));
	return d->rc;
}

/* ---- any value ---- */

static bool
numeric_ok(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] != ' ' && (b.p[i] < '0' || b.p[i] > '9'))
			return false;
	return true;
}

static enum code
judge_primitive(uint32_t tag, struct bytes b)
{
	struct civil c;

	switch (tag) {
	case DER_BOOLEAN:
		return bool_ok(b) ? CHY_NONE : CHY_DER_BOOLEAN;
	case DER_INTEGER:
	case DER_ENUMERATED:
		return integer_ok(b) ? CHY_NONE : CHY_DER_INTEGER;
	case DER_BIT_STRING:
		return bits_ok(b) ? CHY_NONE : CHY_DER_BITS;
	case DER_NULL:
		return b.n == 0 ? CHY_NONE : CHY_DER_NULL;
	case DER_OID:
		return oid_ok(b) ? CHY_NONE : CHY_DER_OBJECT_ID;
	case DER_UTF8:
		return utf8_ok(b) ? CHY_NONE : CHY_DER_STRING;
	case DER_NUMERIC:
		return numeric_ok(b) ? CHY_NONE : CHY_DER_STRING;
	case DER_UTC_TIME:
		return time_of(b, true, &c) ? CHY_NONE : CHY_DER_TIME;
	case DER_GENERALIZED_TIME:
		return general_time_ok(b) ? CHY_NONE : CHY_DER_TIME;
	default:
		return CHY_NONE;
	}
}

/* Universal SEQUENCE and SET are constructed, all other universal types primitive (X.690 10.2). */
static bool
form_ok(uint32_t tag)
{
	uint32_t number = tag & 0x1f;

	if ((tag & 0xc0) != 0)
		return true;
	if (number == 16 || number == 17 || number == 8 || number == 11 || number == 29)
		return (tag & 0x20) != 0;
	return (tag & 0x20) == 0;
}

static void
check_one(struct der *d)
{
	uint32_t tag = der_peek(d);
	struct bytes b;
	enum code bad;

	if (tag != 0 && !form_ok(tag)) {
		der_fail(d, CHY_DER_TAG, "X.690 10.2",
			 "tag %02x is primitive or constructed where it must not", (unsigned)tag);
		return;
	}
	if (tag & 0x20) {
		der_enter(d, tag);
		return;
	}
	b = der_take(d, 0);
	bad = d->rc == RC_OK ? judge_primitive(tag, b) : CHY_NONE;
	if (bad)
		der_fail(d, bad, "X.690 11", "value of tag %02x is not canonical", (unsigned)tag);
}

enum rc
der_check(struct bytes tlv, struct err *e)
{
	struct der d = der_of(tlv, e);

	check_one(&d);
	while (d.rc == RC_OK && d.depth > 0) {
		if (d.p == d.end)
			der_leave(&d);
		else
			check_one(&d);
	}
	return der_end(&d);
}
