/* Extensions made of names and places: RFC 5280 4.2.1.6-8, 10, 13, 15, 4.2.2. */
#include "base/base.h"
#include "pki/ext_kinds.h"

void
read_names(struct der *d, struct arena *a, struct ext_value *v)
{
	v->names = gnames_take(d, DER_SEQUENCE, a);
}

void
write_names(struct dw *w, const struct ext_value *v)
{
	dw_gnames(w, DER_SEQUENCE, &v->names);
}

/* ---- distribution points ---- */

/* An RDN without its SET header: judged as a name of one RDN. */
static struct bytes
take_relative(struct der *d)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct bytes rdn = der_take(d, DER_CTX_CONS(1));

	if (!der_ok(d))
		return BYTES_NONE;
	dw_tlv(&w, DER_SET, rdn);
	dw_wrap(&w, DER_SEQUENCE, 0);
	d->rc = dw_end(&w, d->e);
	if (der_ok(d))
		d->rc = name_check(dw_bytes(&w), d->e);
	return rdn;
}

void
take_point_name(struct der *d, struct arena *a, struct gnames *full, struct bytes *relative)
{
	der_enter(d, DER_CTX_CONS(0));
	if (der_next_is(d, DER_CTX_CONS(1)))
		*relative = take_relative(d);
	else
		*full = gnames_take(d, DER_CTX_CONS(0), a);
	der_leave(d);
}

static struct dist_point
take_point(struct der *d, struct arena *a)
{
	struct dist_point p = { 0 };

	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_CTX_CONS(0)))
		take_point_name(d, a, &p.full_name, &p.relative);
	if (der_next_is(d, DER_CTX(1))) {
		p.reasons = der_named_bits(d, DER_CTX(1));
		if (der_ok(d) && (p.reasons == 0 || p.reasons & ~0x1ffu))
			der_fail(d, CHY_EXT, "RFC 5280 4.2.1.13", "reasons without a meaning");
	}
	if (der_next_is(d, DER_CTX_CONS(2)))
		p.crl_issuer = gnames_take(d, DER_CTX_CONS(2), a);
	der_leave(d);
	if (der_ok(d) && p.full_name.n == 0 && p.relative.p == NULL && p.crl_issuer.n == 0)
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.13",
			 "distribution point with neither a name nor a CRL issuer");
	return p;
}

void
read_points(struct der *d, struct arena *a, struct ext_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->points.v = der_array(d, a, sizeof(*v->points.v), &max);
	while (der_more(d) && v->points.n < max)
		v->points.v[v->points.n++] = take_point(d, a);
	der_leave(d);
}

void
write_point_name(struct dw *w, const struct gnames *full, struct bytes relative)
{
	size_t at = dw_mark(w);

	if (relative.p != NULL)
		dw_tlv(w, DER_CTX_CONS(1), relative);
	else if (full->n > 0)
		dw_gnames(w, DER_CTX_CONS(0), full);
	if (dw_mark(w) != at)
		dw_wrap(w, DER_CTX_CONS(0), at);
}

static void
write_point(struct dw *w, const struct dist_point *p)
{
	size_t at = dw_mark(w);

	if (p->crl_issuer.n > 0)
		dw_gnames(w, DER_CTX_CONS(2), &p->crl_issuer);
	if (p->reasons != 0)
		dw_named_bits(w, DER_CTX(1), p->reasons);
	write_point_name(w, &p->full_name, p->relative);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
write_points(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->points.n; i-- > 0;)
		write_point(w, &v->points.v[i]);
	dw_wrap(w, DER_SEQUENCE, at);
}

/* ---- access ---- */

void
read_access(struct der *d, struct arena *a, struct ext_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->access.v = der_array(d, a, sizeof(*v->access.v), &max);
	while (der_more(d) && v->access.n < max) {
		struct access_desc *x = &v->access.v[v->access.n++];

		der_enter(d, DER_SEQUENCE);
		x->method = der_oid(d);
		x->location = gname_take(d, GN_NAME);
		der_leave(d);
		x->known = der_ok(d) ? oid_find(x->method) : OID_NONE;
	}
	der_leave(d);
}

void
write_access(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->access.n; i-- > 0;) {
		const struct access_desc *x = &v->access.v[i];
		size_t one = dw_mark(w);

		dw_gname(w, &x->location);
		dw_oid(w, x->method.n ? x->method : oid_der(x->known));
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}

/* ---- name constraints ---- */

static struct gnames
take_subtrees(struct der *d, struct arena *a, unsigned tag)
{
	struct gnames l = { 0 };
	size_t max;

	if (!der_next_is(d, DER_CTX_CONS(tag)))
		return l;
	der_enter(d, DER_CTX_CONS(tag));
	l.v = der_array(d, a, sizeof(*l.v), &max);
	while (der_more(d) && l.n < max) {
		der_enter(d, DER_SEQUENCE);
		l.v[l.n++] = gname_take(d, GN_CONSTRAINT);
		if (der_more(d))
			der_fail(d, CHY_EXT, "RFC 5280 4.2.1.10",
				 "minimum must be 0 (left out), maximum absent");
		der_leave(d);
	}
	der_leave(d);
	return l;
}

void
read_constraints(struct der *d, struct arena *a, struct ext_value *v)
{
	der_enter(d, DER_SEQUENCE);
	v->constraints.permitted = take_subtrees(d, a, 0);
	v->constraints.excluded = take_subtrees(d, a, 1);
	der_leave(d);
	if (der_ok(d) && v->constraints.permitted.n + v->constraints.excluded.n == 0)
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.10", "name constraints without a subtree");
}

static void
write_subtrees(struct dw *w, unsigned tag, const struct gnames *l)
{
	size_t at = dw_mark(w);

	if (l->n == 0)
		return;
	for (size_t i = l->n; i-- > 0;) {
		size_t one = dw_mark(w);

		dw_gname(w, &l->v[i]);
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_CTX_CONS(tag), at);
}

void
write_constraints(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	write_subtrees(w, 1, &v->constraints.excluded);
	write_subtrees(w, 0, &v->constraints.permitted);
	dw_wrap(w, DER_SEQUENCE, at);
}

/* ---- subject directory attributes ---- */

static struct dir_attr
take_attr(struct der *d)
{
	struct dir_attr x = { 0 };

	der_enter(d, DER_SEQUENCE);
	x.oid = der_oid(d);
	der_enter_set_of(d);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.8", "attribute without a value");
	if (der_ok(d))
		x.values = bytes_of(d->p, (size_t)(d->end - d->p));
	while (der_more(d)) {
		struct bytes tlv = der_any_tlv(d);

		if (der_ok(d))
			d->rc = der_check(tlv, d->e);
	}
	der_leave(d);
	der_leave(d);
	return x;
}

void
read_attrs(struct der *d, struct arena *a, struct ext_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->attrs.v = der_array(d, a, sizeof(*v->attrs.v), &max);
	while (der_more(d) && v->attrs.n < max)
		v->attrs.v[v->attrs.n++] = take_attr(d);
	der_leave(d);
}

void
write_attrs(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->attrs.n; i-- > 0;) {
		size_t one = dw_mark(w);

		dw_put(w, v->attrs.v[i].values);
		dw_set_of(w, one);
		dw_oid(w, v->attrs.v[i].oid);
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}
