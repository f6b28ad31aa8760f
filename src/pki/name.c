#include "base/base.h"
#include "pki/str.h"

/* X.520 has names of attributes that are a BIT STRING (uniqueIdentifier) or a SEQUENCE (postalAddress). RFC 5280 would
   allow any value, but other readers refuse the rest, VisibleString too, and such a name would serve nobody. */
static bool
may_stand(const struct ava *v)
{
	bool text = v->known != OID_NONE && oid_kind(v->known) == OIDK_ATTR && v->known != OID_AT_UNIQUE_ID &&
	    v->known != OID_AT_POSTAL_ADDRESS;

	if (string_tag(v->tag))
		return v->tag != DER_VISIBLE;
	return !text && (v->tag == DER_BIT_STRING || v->tag == DER_SEQUENCE);
}

static void
judge_value(struct der *d, const struct ava *v, struct bytes tlv)
{
	char text[OID_TEXT_MAX];

	if (!may_stand(v))
		der_fail(d, CHY_NAME, "RFC 5280 A.1", "attribute %s has a value of type %02x",
			 oid_text(text, v->oid), (unsigned)v->tag);
	else if (string_tag(v->tag) && !string_ok(v->tag, v->value))
		der_fail(d, CHY_NAME, "RFC 5280 4.1.2.4",
			 "attribute %s holds characters that its string type lacks", oid_text(text, v->oid));
	else
		d->rc = der_check(tlv, d->e);
}

/* One AttributeTypeAndValue. */
static struct ava
take_ava(struct der *d)
{
	struct ava v = { 0 };
	struct bytes tlv;

	der_enter(d, DER_SEQUENCE);
	v.oid = der_oid(d);
	v.tag = der_peek(d);
	tlv = der_any_tlv(d);
	der_leave(d);
	if (d->rc == RC_OK) {
		struct der inner = der_of(tlv, NULL);

		v.value = der_any(&inner, NULL);
		v.known = oid_find(v.oid);
		judge_value(d, &v, tlv);
	}
	return v;
}

/* All attributes in order; those beyond max are judged and counted but not kept. */
static void
take_name(struct der *d, struct ava *avas, size_t max, struct name *ret)
{
	der_enter(d, DER_SEQUENCE);
	while (der_more(d)) {
		der_enter_set_of(d);
		if (d->rc == RC_OK && !der_more(d))
			der_fail(d, CHY_NAME, "RFC 5280 4.1.2.4",
				 "relative distinguished name without an attribute");
		while (der_more(d)) {
			struct ava v = take_ava(d);

			v.rdn = (unsigned)ret->rdns;
			if (ret->n < max)
				avas[ret->n] = v;
			if (++ret->n > LIMIT_NAME_ATTRS)
				der_fail(d, CHY_NAME, NULL, "more than %d attributes in a name",
					 LIMIT_NAME_ATTRS);
		}
		der_leave(d);
		ret->rdns++;
	}
	der_leave(d);
}

enum rc
name_check(struct bytes der, struct err *e)
{
	struct der d = der_of(der, e);
	struct name n = { 0 };

	take_name(&d, NULL, 0, &n);
	return der_end(&d);
}

enum rc
name_parse(struct arena *a, struct bytes der, struct name *ret, struct err *e)
{
	struct der d = der_of(der, e);
	struct name n = { .der = der };
	size_t max;

	take_name(&d, NULL, 0, &n);
	TRY(der_end(&d));
	max = n.n;
	n = (struct name){ .der = der, .ava = arena_array(a, max, sizeof(*n.ava)) };
	NEED(n.ava != NULL, e, CHY_NO_MEMORY, NULL, "name of %zu attributes", max);
	d = der_of(der, e);
	take_name(&d, n.ava, max, &n);
	*ret = n;
	return der_end(&d);
}

/* ---- bounds ---- */

/* RFC 5280 A.1; those of X.520 annex C where RFC 5280 names none. In characters. */
static const struct bound {
	enum oid type;
	size_t min, max;
} bounds[] = {
	{ OID_AT_CN, 1, 64 },
	{ OID_AT_COUNTRY, 2, 2 },
	{ OID_AT_JURIS_C, 2, 2 },
	{ OID_AT_LOCALITY, 1, 128 },
	{ OID_AT_STATE, 1, 128 },
	{ OID_AT_STREET, 1, 128 },
	{ OID_AT_ORGANIZATION, 1, 64 },
	{ OID_AT_ORG_UNIT, 1, 64 },
	{ OID_AT_TITLE, 1, 64 },
	{ OID_AT_SERIAL_NUMBER, 1, 64 },
	{ OID_AT_PSEUDONYM, 1, 128 },
	{ OID_AT_EMAIL, 1, 255 },
	{ OID_AT_DESCRIPTION, 1, 1024 },
	{ OID_AT_BUSINESS_CATEGORY, 1, 128 },
	{ OID_AT_POSTAL_CODE, 1, 40 },
	{ OID_AT_TELEPHONE, 1, 32 },
	{ OID_AT_UID, 1, 256 },
};

static struct bound
bound_of(enum oid type)
{
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (bounds[i].type == type)
			return bounds[i];
	return (struct bound){ type, 1, 32768 };
}

static size_t
characters(const struct ava *v)
{
	struct bytes left = v->value;
	size_t n = 0;

	while (string_take(v->tag, &left) >= 0)
		n++;
	return n;
}

enum rc
name_check_bounds(const struct name *n, struct err *e)
{
	for (size_t i = 0; i < n->n; i++) {
		const struct ava *v = &n->ava[i];
		struct bound b = bound_of(v->known);
		size_t len = string_tag(v->tag) ? characters(v) : b.min;

		if (len < b.min || len > b.max) {
			char text[OID_TEXT_MAX];

			err_field(e, "%s", v->known ? oid_name(v->known) : oid_text(text, v->oid));
			FAIL(e, CHY_NAME_LENGTH, "RFC 5280 A.1", "%zu characters, must be %zu to %zu", len,
			     b.min, b.max);
		}
	}
	return RC_OK;
}

/* ---- building ---- */

uint32_t
string_tag_for(enum oid type)
{
	switch (type) {
	case OID_AT_COUNTRY:
	case OID_AT_JURIS_C:
	case OID_AT_SERIAL_NUMBER:
	case OID_AT_DN_QUALIFIER:
		return DER_PRINTABLE;
	case OID_AT_EMAIL:
	case OID_AT_MAIL:
	case OID_AT_DC:
		return DER_IA5;
	default:
		return DER_UTF8;
	}
}

static void
put_ava(struct dw *w, const struct ava *v)
{
	size_t at = dw_mark(w);
	enum oid known = v->known ? v->known : oid_find(v->oid);

	dw_tlv(w, v->tag ? v->tag : string_tag_for(known), v->value);
	dw_oid(w, v->oid.n ? v->oid : oid_der(known));
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_name(struct dw *w, const struct ava *ava, size_t n)
{
	size_t at = dw_mark(w);

	for (size_t end = n; end > 0;) {
		size_t from = end - 1, set = dw_mark(w);

		while (from > 0 && ava[from - 1].rdn == ava[end - 1].rdn)
			from--;
		for (size_t i = end; i-- > from;)
			put_ava(w, &ava[i]);
		dw_set_of(w, set);
		end = from;
	}
	dw_wrap(w, DER_SEQUENCE, at);
}

enum rc
name_build(struct arena *a, const struct ava *ava, size_t n, struct name *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct bytes der;

	NEED(n <= LIMIT_NAME_ATTRS, e, CHY_NAME, NULL, "more than %d attributes in a name", LIMIT_NAME_ATTRS);
	put_name(&w, ava, n);
	TRY(dw_dup(&w, a, &der, e));
	return name_parse(a, der, ret, e);
}

/* ---- asking ---- */

struct bytes
ava_utf8(struct arena *a, const struct ava *v)
{
	OWN_BUF struct buf out = buf_max(LIMIT_TBS);

	if (!string_tag(v->tag))
		return BYTES_NONE;
	if (v->tag != DER_BMP && v->tag != DER_UNIVERSAL && v->tag != DER_TELETEX)
		return v->value;
	string_put_utf8(&out, v->tag, v->value);
	return arena_dup(a, buf_bytes(&out));
}

const struct ava *
name_get(const struct name *n, enum oid type, size_t i)
{
	for (size_t k = 0; k < n->n; k++)
		if (n->ava[k].known == type && i-- == 0)
			return &n->ava[k];
	return NULL;
}

static bool
ava_eq(const struct ava *a, const struct ava *b)
{
	return bytes_eq(a->oid, b->oid) && string_eq(a->tag, a->value, b->tag, b->value);
}

/* Every attribute of the RDN a (whole SET) stands in b. */
static bool
rdn_in(struct bytes a, struct bytes b)
{
	struct der d = der_of(a, NULL);

	der_enter(&d, DER_SET);
	while (der_more(&d)) {
		struct ava x = take_ava(&d);
		struct der s = der_of(b, NULL);
		bool found = false;

		der_enter(&s, DER_SET);
		while (der_more(&s) && !found) {
			struct ava y = take_ava(&s);

			found = der_ok(&s) && ava_eq(&x, &y);
		}
		if (!found)
			return false;
	}
	der_leave(&d);
	return der_end(&d) == RC_OK;
}

static bool
rdn_eq(struct bytes a, struct bytes b)
{
	return bytes_eq(a, b) || (rdn_in(a, b) && rdn_in(b, a));
}

/* The RDNs of base begin name; and there are no more of them, where whole. */
static bool
begins(struct bytes base, struct bytes name, bool whole)
{
	struct der b = der_of(base, NULL), n = der_of(name, NULL);

	der_enter(&b, DER_SEQUENCE);
	der_enter(&n, DER_SEQUENCE);
	while (der_more(&b)) {
		struct bytes x = der_tlv(&b, DER_SET), y = der_tlv(&n, DER_SET);

		if (!der_ok(&b) || !der_ok(&n) || !rdn_eq(x, y))
			return false;
	}
	der_leave(&b);
	if (whole)
		der_leave(&n);
	return der_end(&b) == RC_OK && der_ok(&n);
}

bool
name_eq(struct bytes a, struct bytes b)
{
	if (bytes_eq(a, b))
		return name_check(a, NULL) == RC_OK;
	return begins(a, b, true);
}

bool
name_within(struct bytes base, struct bytes name)
{
	return begins(base, name, false);
}
