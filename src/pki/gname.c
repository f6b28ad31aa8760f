#include "base/base.h"
#include "pki/gname.h"

/* The type of the other names that we know; 0 for others. */
static uint32_t
other_tag(enum oid o)
{
	switch (o) {
	case OID_ON_SRV:
		return DER_IA5;
	case OID_ON_UPN:
	case OID_ON_SMTP_UTF8:
		return DER_UTF8;
	case OID_ON_FASC_N:
		return DER_OCTET_STRING;
	default:
		return 0;
	}
}

/* What stands inside [0] of an otherName: one DER value, of the type that its OID asks for. */
static void
judge_other(struct der *d, struct gname *g)
{
	uint32_t want = other_tag(g->other_known);
	struct der in = der_of(g->value, NULL);

	if (!der_ok(d))
		return;
	d->rc = der_check(g->value, d->e);
	if (der_ok(d) && want != 0 &&
	    (der_peek(&in) != want || (want != DER_OCTET_STRING && !string_ok(want, der_any(&in, NULL)))))
		der_fail(d, CHY_GNAME, "RFC 5280 4.2.1.6", "other name %s is of a wrong type",
			 oid_name(g->other_known));
}

static void
take_other(struct der *d, struct gname *g)
{
	der_enter(d, DER_CTX_CONS(0));
	g->other = der_oid(d);
	g->other_known = oid_find(g->other);
	der_enter(d, DER_CTX_CONS(0));
	g->value = der_any_tlv(d);
	der_leave(d);
	der_leave(d);
	judge_other(d, g);
}

static void
take_dir(struct der *d, struct gname *g)
{
	der_enter(d, DER_CTX_CONS(4));
	g->value = der_tlv(d, DER_SEQUENCE);
	der_leave(d);
	if (der_ok(d))
		d->rc = name_check(g->value, d->e);
}

static void
take_text(struct der *d, struct gname *g)
{
	g->value = der_take(d, DER_CTX(g->type));
	if (der_ok(d) && !string_ok(DER_IA5, g->value))
		der_fail(d, CHY_GNAME, "RFC 5280 4.2.1.6", "name is no IA5String");
}

static void
take_ip(struct der *d, struct gname *g, enum gn_use use)
{
	size_t n;

	g->value = der_take(d, DER_CTX(7));
	n = g->value.n / (use == GN_CONSTRAINT ? 2 : 1);
	if (der_ok(d) && ((n != 4 && n != 16) || (use == GN_CONSTRAINT && g->value.n % 2 != 0)))
		der_fail(d, CHY_GNAME, "RFC 5280 4.2.1.6", "IP address of %zu octets", g->value.n);
}

static void
take_rid(struct der *d, struct gname *g)
{
	g->value = der_take(d, DER_CTX(8));
	if (der_ok(d) && !oid_ok(g->value))
		der_fail(d, CHY_DER_OBJECT_ID, "X.690 8.19", "registered id is no object identifier");
}

static void
take_opaque(struct der *d, struct gname *g)
{
	struct bytes tlv = der_tlv(d, DER_CTX_CONS(g->type));
	struct der in = der_of(tlv, NULL);

	if (der_ok(d))
		d->rc = der_check(tlv, d->e);
	g->value = der_any(&in, NULL);
}

struct gname
gname_take(struct der *d, enum gn_use use)
{
	uint32_t tag = der_peek(d);
	struct gname g = { .type = (enum gn_type)(tag & 0x1f) };

	if (!der_ok(d))
		return g;
	if ((tag & ~0x3fu) != 0x80 || g.type > GN_RID) {
		der_fail(d, tag ? CHY_GNAME : CHY_DER_TRUNCATED, "RFC 5280 4.2.1.6",
			 "no GeneralName: tag %02x", (unsigned)tag);
		g.type = GN_OTHER;
		return g;
	}
	switch (g.type) {
	case GN_OTHER:
		take_other(d, &g);
		break;
	case GN_DIR:
		take_dir(d, &g);
		break;
	case GN_IP:
		take_ip(d, &g, use);
		break;
	case GN_RID:
		take_rid(d, &g);
		break;
	case GN_X400:
	case GN_EDI:
		take_opaque(d, &g);
		break;
	default:
		take_text(d, &g);
	}
	return g;
}

static size_t
count_values(struct der d)
{
	size_t n = 0;

	d.e = NULL; /* a copy: what it finds wrong is found again */
	while (der_more(&d)) {
		der_any(&d, NULL);
		n++;
	}
	return n;
}

struct gnames
gnames_take(struct der *d, uint32_t tag, struct arena *a)
{
	struct gnames l = { 0 };
	size_t max;

	der_enter(d, tag);
	if (!der_ok(d))
		return l;
	max = count_values(*d);
	if (max == 0 || max > LIMIT_SAN) {
		der_fail(d, CHY_GNAME, "RFC 5280 4.2.1.6", "%zu names, must be 1 to %d", max, LIMIT_SAN);
		return l;
	}
	l.v = arena_array(a, max, sizeof(*l.v));
	if (l.v == NULL)
		der_fail(d, CHY_NO_MEMORY, NULL, "%zu names", max);
	while (der_more(d) && l.n < max)
		l.v[l.n++] = gname_take(d, GN_NAME);
	der_leave(d);
	return der_ok(d) ? l : (struct gnames){ 0 };
}

enum rc
gnames_parse(struct arena *a, struct bytes der, struct gnames *ret, struct err *e)
{
	struct der d = der_of(der, e);

	*ret = gnames_take(&d, DER_SEQUENCE, a);
	return der_end(&d);
}

struct bytes
gname_str(const struct gname *g)
{
	struct der d = der_of(g->value, NULL);

	if (g->type == GN_EMAIL || g->type == GN_DNS || g->type == GN_URI)
		return g->value;
	if (g->type == GN_OTHER &&
	    (g->other_known == OID_ON_UPN || g->other_known == OID_ON_SRV ||
	     g->other_known == OID_ON_SMTP_UTF8))
		return der_any(&d, NULL);
	return BYTES_NONE;
}

/* ---- writing ---- */

void
dw_gname(struct dw *w, const struct gname *g)
{
	size_t at = dw_mark(w);

	switch (g->type) {
	case GN_OTHER:
		dw_put(w, g->value);
		dw_wrap(w, DER_CTX_CONS(0), at);
		dw_oid(w, g->other);
		dw_wrap(w, DER_CTX_CONS(0), at);
		break;
	case GN_DIR:
	case GN_X400:
	case GN_EDI:
		dw_tlv(w, DER_CTX_CONS(g->type), g->value);
		break;
	default:
		dw_tlv(w, DER_CTX(g->type), g->value);
	}
}

void
dw_gnames(struct dw *w, uint32_t tag, const struct gnames *l)
{
	size_t at = dw_mark(w);

	for (size_t i = l->n; i-- > 0;)
		dw_gname(w, &l->v[i]);
	dw_wrap(w, tag, at);
}
