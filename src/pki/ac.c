#include "base/base.h"
#include "pki/ac.h"

#include "pki/ext_kinds.h"
#include "pki/signed.h"

/* ---- names ---- */

/* GeneralNames that must be one distinguished name, not empty (RFC 5755 4.2.2, 4.2.3). */
static struct bytes
take_issuer(struct der *d, const char *field)
{
	struct gname g;

	der_enter(d, DER_SEQUENCE);
	g = gname_take(d, GN_NAME);
	if (der_ok(d) && (g.type != GN_DIR || name_is_empty(g.value) || der_more(d)))
		der_fail(d, CHY_AC, "RFC 5755 4.2.2", "%s is not one distinguished name", field);
	der_leave(d);
	return g.value;
}

static struct bytes
take_serial(struct der *d)
{
	struct bytes n = der_integer(d);

	if (der_ok(d) && n.n > LIMIT_SERIAL)
		der_fail(d, CHY_AC, "RFC 5755 4.2.5", "serial number of %zu octets", n.n);
	return n;
}

static void
take_holder(struct der *d, struct arena *a, struct ac *c)
{
	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_CTX_CONS(0))) {
		der_enter(d, DER_CTX_CONS(0));
		c->base_issuer = take_issuer(d, "the base certificate's issuer");
		c->base_serial = take_serial(d);
		if (der_more(d))
			der_fail(d, CHY_AC, "RFC 5755 4.2.2", "the base certificate by a unique identifier");
		der_leave(d);
	}
	if (der_next_is(d, DER_CTX_CONS(1)))
		c->entity = gnames_take(d, DER_CTX_CONS(1), a);
	if (der_more(d))
		der_fail(d, CHY_AC, "RFC 5755 4.2.2", "a holder by the digest of an object");
	if (der_ok(d) && c->base_issuer.p == NULL && c->entity.n == 0)
		der_fail(d, CHY_AC, "RFC 5755 4.2.2", "a certificate without a holder");
	der_leave(d);
}

/* AttCertIssuer: [0] V2Form, of which issuerName alone may be there. */
static void
take_form(struct der *d, struct ac *c)
{
	der_enter(d, DER_CTX_CONS(0));
	c->issuer = take_issuer(d, "the issuer");
	if (der_more(d))
		der_fail(d, CHY_AC, "RFC 5755 4.2.3", "an issuer by more than its name");
	der_leave(d);
}

static int64_t
take_time(struct der *d)
{
	if (der_ok(d) && !der_next_is(d, DER_GENERALIZED_TIME))
		der_fail(d, CHY_AC, "RFC 5755 4.2.6", "a time that is no GeneralizedTime");
	return der_time(d, false);
}

static void
take_validity(struct der *d, struct ac *c)
{
	der_enter(d, DER_SEQUENCE);
	c->not_before_at = take_time(d);
	c->not_after_at = take_time(d);
	der_leave(d);
}

/* ---- attributes ---- */

static struct ac_attr
take_attr(struct der *d)
{
	struct ac_attr x = { 0 };

	der_enter(d, DER_SEQUENCE);
	x.oid = der_oid(d);
	der_enter_set_of(d);
	if (der_ok(d))
		x.values = bytes_of(d->p, (size_t)(d->end - d->p));
	for (; der_more(d); x.n++) {
		struct bytes tlv = der_any_tlv(d);

		if (der_ok(d))
			d->rc = der_check(tlv, d->e);
	}
	if (der_ok(d) && x.n == 0)
		der_fail(d, CHY_AC, "RFC 5755 4.2.7", "an attribute without a value");
	der_leave(d);
	der_leave(d);
	x.known = der_ok(d) ? oid_find(x.oid) : OID_NONE;
	return x;
}

static void
refuse_second(struct der *d, const struct ac_attrs *l, struct bytes oid)
{
	char text[OID_TEXT_MAX];

	for (size_t i = 0; der_ok(d) && i < l->n; i++)
		if (bytes_eq(l->v[i].oid, oid))
			der_fail(d, CHY_AC, "RFC 5755 4.2.7", "attribute %s stands twice",
				 oid_text(text, oid));
}

static void
take_attrs(struct der *d, struct arena *a, struct ac *c)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_AC, "RFC 5755 4.2.7", "no attributes");
	c->attrs.v = der_array(d, a, sizeof(*c->attrs.v), &max);
	if (der_ok(d) && max > LIMIT_AC_ATTRS)
		der_fail(d, CHY_LIMIT, NULL, "%zu attributes, at most %d", max, LIMIT_AC_ATTRS);
	while (der_more(d) && c->attrs.n < max) {
		struct ac_attr x = take_attr(d);

		refuse_second(d, &c->attrs, x.oid);
		c->attrs.v[c->attrs.n++] = x;
	}
	der_leave(d);
}

static void
take_exts(struct der *d, struct arena *a, struct ac *c)
{
	struct bytes tlv;

	if (!der_next_is(d, DER_SEQUENCE))
		return;
	tlv = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d))
		d->rc = exts_parse(a, tlv, &c->exts, d->e);
}

/* ---- the whole ---- */

static enum rc
parse_tbs(struct arena *a, struct ac *c, struct err *e)
{
	struct der d = der_of(c->tbs, e);

	der_enter(&d, DER_SEQUENCE);
	if (der_int(&d, 0, 2) != 1)
		der_fail(&d, CHY_AC, "RFC 5755 4.1", "version is not 2");
	take_holder(&d, a, c);
	take_form(&d, c);
	c->tbs_alg = der_tlv(&d, DER_SEQUENCE);
	c->serial = take_serial(&d);
	take_validity(&d, c);
	take_attrs(&d, a, c);
	if (der_next_is(&d, DER_BIT_STRING))
		der_fail(&d, CHY_AC, "RFC 5755 4.2.8", "an issuer's unique identifier");
	take_exts(&d, a, c);
	der_leave(&d);
	return der_end(&d);
}

enum rc
ac_parse(struct arena *a, struct bytes der, struct ac *ret, struct err *e)
{
	struct ac c = { .der = der };
	struct signed_parts p;

	TRY(signed_parse(der, LIMIT_CERT, CHY_AC_SIZE, &p, e));
	c.tbs = p.tbs;
	c.alg = p.alg;
	c.signature = p.signature;
	TRY(parse_tbs(a, &c, e));
	NEED(bytes_eq(c.alg, c.tbs_alg), e, CHY_AC, "RFC 5755 4.2.4",
	     "signature algorithm differs from the signed one");
	TRY(signed_alg(c.alg, &c.sigalg, e));
	*ret = c;
	return RC_OK;
}

enum rc
ac_parse_tbs(struct arena *a, struct bytes tbs, struct ac *ret, struct err *e)
{
	struct ac c = { .tbs = tbs };

	NEED(tbs.n <= LIMIT_TBS, e, CHY_AC_SIZE, NULL, "%zu bytes, at most %d are taken", tbs.n, LIMIT_TBS);
	TRY(parse_tbs(a, &c, e));
	TRY(signed_alg(c.tbs_alg, &c.sigalg, e));
	*ret = c;
	return RC_OK;
}

enum rc
ac_parse_any(struct arena *a, struct bytes in, struct ac *ret, struct err *e)
{
	struct bytes der;

	TRY(signed_text(a, in, LIMIT_CERT, CHY_AC_SIZE, "ATTRIBUTE CERTIFICATE", &der, e));
	return ac_parse(a, der, ret, e);
}

/* A certificate of version 1 may have the serial number 1 too, but then an AlgorithmIdentifier follows. */
bool
ac_is(struct bytes der)
{
	struct der d = der_of(der, NULL);
	uint32_t tag;

	der_enter(&d, DER_SEQUENCE);
	der_enter(&d, DER_SEQUENCE);
	if (!der_next_is(&d, DER_INTEGER) || der_int(&d, 0, 2) != 1)
		return false;
	der_enter(&d, DER_SEQUENCE);
	tag = der_peek(&d);
	return der_ok(&d) && (tag == DER_CTX_CONS(0) || tag == DER_CTX_CONS(1) || tag == DER_CTX_CONS(2));
}
