#include "base/base.h"
#include "pki/oid.h"

static const struct row {
	const char *der;
	size_t n;
	const char *dotted, *name, *title;
	enum oid_kind kind;
	uint8_t dotted_n, name_n; /* octets: names are read a thousand times for one search */
} rows[OID_COUNT] = {
	[OID_NONE] = { "", 0, "", "", "unknown", OIDK_ATTR, 0, 0 },
#define OID(name, dotted, der, text, kind, title) \
	[OID_##name] = { \
		der, sizeof(der) - 1, dotted, text, title, kind, sizeof(dotted) - 1, sizeof(text) - 1 \
	},
#include "pki/oid.def"
#undef OID
};

static const struct row *
row_of(enum oid o)
{
	return &rows[(unsigned)o < OID_COUNT ? o : OID_NONE];
}

enum oid
oid_find(struct bytes der)
{
	unsigned lo = 1, hi = OID_COUNT;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int c = bytes_cmp(der, bytes_of(rows[mid].der, rows[mid].n));

		if (c == 0)
			return (enum oid)mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return OID_NONE;
}

enum oid
oid_by_text(struct bytes text)
{
	for (unsigned i = 1; i < OID_COUNT; i++) {
		const struct row *r = &rows[i];

		if ((text.n == r->name_n && ascii_case_eq(text, bytes_of(r->name, r->name_n))) ||
		    (text.n == r->dotted_n && memcmp(text.p, r->dotted, text.n) == 0))
			return (enum oid)i;
	}
	return OID_NONE;
}

struct bytes
oid_der(enum oid o)
{
	const struct row *r = row_of(o);

	return r->n ? bytes_of(r->der, r->n) : BYTES_NONE;
}

const char *
oid_name(enum oid o)
{
	return row_of(o)->name;
}

const char *
oid_title(enum oid o)
{
	return row_of(o)->title;
}

const char *
oid_dotted(enum oid o)
{
	return row_of(o)->dotted;
}

enum oid_kind
oid_kind(enum oid o)
{
	return row_of(o)->kind;
}

/* One arc off the front: base 128, most significant first, no leading 0x80 (X.690 8.19.2). */
static bool
take_arc(struct bytes *b, uint64_t *ret)
{
	uint64_t v = 0;

	if (b->n == 0 || b->p[0] == 0x80)
		return false;
	for (size_t i = 0; i < b->n; i++) {
		if (v > (uint64_t)INT64_MAX >> 7)
			return false;
		v = v << 7 | (b->p[i] & 0x7f);
		if (b->p[i] < 0x80) {
			*b = bytes_part(*b, i + 1, SIZE_MAX);
			*ret = v;
			return true;
		}
	}
	return false;
}

char *
oid_text(char *dst, struct bytes der)
{
	uint64_t v;
	size_t at = 0;
	bool first = true;

	dst[0] = 0;
	while (der.n > 0) {
		unsigned top;
		int n;

		if (!take_arc(&der, &v)) {
			dst[0] = 0;
			return dst;
		}
		top = v < 40 ? 0 : v < 80 ? 1 : 2;
		if (first)
			n = snprintf(dst + at, OID_TEXT_MAX - at, "%u.%llu", top,
				     (unsigned long long)(v - 40 * top));
		else
			n = snprintf(dst + at, OID_TEXT_MAX - at, ".%llu", (unsigned long long)v);
		first = false;
		if (n < 0 || (size_t)n >= OID_TEXT_MAX - at) {
			dst[0] = 0;
			return dst;
		}
		at += (size_t)n;
	}
	return dst;
}

bool
oid_ok(struct bytes der)
{
	uint64_t v;
	size_t room = OID_TEXT_MAX - 2; /* the first arc costs two digits and a dot at least */

	if (der.n == 0)
		return false;
	while (der.n > 0) {
		size_t digits = 2;

		if (!take_arc(&der, &v))
			return false;
		for (; v >= 10; v /= 10)
			digits++;
		if (digits > room)
			return false;
		room -= digits;
	}
	return true;
}

void
oid_put(struct buf *out, struct bytes der)
{
	enum oid o = oid_find(der);
	char text[OID_TEXT_MAX];

	if (o != OID_NONE)
		buf_str(out, oid_name(o));
	else
		buf_str(out, oid_text(text, der)[0] ? text : "?");
}

static bool
put_arc(struct buf *out, uint64_t v)
{
	uint8_t tmp[10];
	size_t n = 0;

	do {
		tmp[n] = (uint8_t)((v & 0x7f) | (n ? 0x80 : 0));
		n++;
	} while ((v >>= 7) != 0);
	while (n-- > 0)
		buf_u8(out, tmp[n]);
	return buf_ok(out);
}

/* The dotted text's arcs into out; the first two share one (X.690 8.19.4). */
static enum rc
put_dotted(struct buf *out, struct bytes text, struct err *e)
{
	struct bytes rest = text;
	int64_t top = 0, v;
	unsigned n = 0;

	do {
		struct bytes arc = text_cut(rest, '.', &rest);
		int64_t max = n == 0 ? 2 : n == 1 && top < 2 ? 39 : INT64_MAX - 80;

		NEED(arc.n > 0 && int_parse(arc, 0, max, &v, NULL) == RC_OK, e, CHY_OID_TEXT, "X.660",
		     "\"%.*s\": arc %u must be a number from 0 to %lld", BYTES_FMT(bytes_part(text, 0, 80)),
		     n + 1, (long long)max);
		if (n == 0)
			top = v;
		else
			NEED(put_arc(out, (uint64_t)(n == 1 ? top * 40 + v : v)), e, CHY_OID_TEXT, "X.660",
			     "object identifier longer than %d octets", OID_DER_MAX);
		n++;
	} while (rest.p != NULL);
	NEED(n >= 2, e, CHY_OID_TEXT, "X.660", "\"%.*s\" is neither dotted nor a name known here",
	     BYTES_FMT(bytes_part(text, 0, 80)));
	return RC_OK;
}

enum rc
oid_parse(struct arena *a, struct bytes text, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf out = buf_max(OID_DER_MAX);
	enum oid known = oid_by_text(text);

	if (known != OID_NONE) {
		*ret = oid_der(known);
		return RC_OK;
	}
	NEED(text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9', e, CHY_OID_TEXT, "X.660",
	     "\"%.*s\" is neither dotted nor a name known here", BYTES_FMT(bytes_part(text, 0, 80)));
	TRY(put_dotted(&out, text, e));
	*ret = arena_dup(a, buf_bytes(&out));
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "object identifier");
	return RC_OK;
}

bool
oids_have(const struct oids *l, enum oid o)
{
	for (size_t i = 0; i < l->n; i++)
		if (bytes_eq(l->v[i], oid_der(o)))
			return true;
	return false;
}

const char *
oid_label(struct arena *a, struct bytes der)
{
	enum oid known = oid_find(der);
	char dotted[OID_TEXT_MAX];

	return known != OID_NONE ? oid_name(known) : arena_str(a, bytes_str(oid_text(dotted, der)));
}
