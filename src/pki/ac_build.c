#include "base/base.h"
#include "pki/ac.h"

/* ---- is it complete ---- */

static enum rc
check_serial(struct bytes s, struct err *e)
{
	NEED(s.n >= 1 && s.n <= LIMIT_SERIAL && s.p[0] < 0x80 &&
		 (s.n == 1 ? s.p[0] > 0 : s.p[0] > 0 || s.p[1] >= 0x80),
	     e, CHY_AC, "RFC 5755 4.2.5", "serial number is not positive and minimal");
	return RC_OK;
}

static enum rc
check_holder(const struct ac_inputs *in, struct err *e)
{
	NEED(in->base_issuer.n > 0 || in->entity.n > 0, e, CHY_AC, "RFC 5755 4.2.2", "no holder");
	NEED((in->base_issuer.n > 0) == (in->base_serial.n > 0), e, CHY_AC, "RFC 5755 4.2.2",
	     "half of the base certificate's identity");
	if (in->base_issuer.n == 0)
		return RC_OK;
	TRY_AT(name_check(in->base_issuer, e), e, "holder");
	NEED(!name_is_empty(in->base_issuer), e, CHY_AC, "RFC 5755 4.2.2", "the base has no issuer");
	return RC_OK;
}

static enum rc
check_attrs(const struct ac_attrs *l, struct err *e)
{
	char text[OID_TEXT_MAX];

	NEED(l->n >= 1 && l->n <= LIMIT_AC_ATTRS, e, CHY_AC, "RFC 5755 4.2.7", "%zu attributes, 1 to %d",
	     l->n, LIMIT_AC_ATTRS);
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < i; k++)
			NEED(!bytes_eq(l->v[i].oid, l->v[k].oid), e, CHY_AC, "RFC 5755 4.2.7",
			     "attribute %s stands twice", oid_text(text, l->v[i].oid));
	return RC_OK;
}

static enum rc
check(const struct ac_inputs *in, struct err *e)
{
	NEED(sigalg_alg_id(in->sigalg).n > 0, e, CHY_SIGALG, NULL, "no signature algorithm");
	TRY(check_holder(in, e));
	TRY_AT(name_check(in->issuer, e), e, "issuer");
	NEED(!name_is_empty(in->issuer), e, CHY_AC, "RFC 5755 4.2.3", "the issuer's name is empty");
	TRY(check_serial(in->serial, e));
	NEED(in->not_before_at <= in->not_after_at, e, CHY_AC, "RFC 5755 4.2.6",
	     "validity ends before it begins");
	TRY(check_attrs(&in->attrs, e));
	for (size_t i = 0; i < in->exts.n; i++)
		for (size_t k = 0; k < i; k++)
			NEED(!bytes_eq(in->exts.v[i].oid, in->exts.v[k].oid), e, CHY_AC, "RFC 5280 4.2",
			     "an extension stands twice");
	return RC_OK;
}

/* ---- writing, from the end ---- */

/* GeneralNames of one distinguished name. */
static void
put_issuer(struct dw *w, struct bytes name)
{
	size_t at = dw_mark(w);

	dw_tlv(w, DER_CTX_CONS(4), name);
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_exts(struct dw *w, const struct exts *l)
{
	size_t at = dw_mark(w);

	for (size_t i = l->n; i-- > 0;)
		dw_ext(w, &l->v[i]);
	if (l->n > 0)
		dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_attrs(struct dw *w, const struct ac_attrs *l)
{
	size_t at = dw_mark(w);

	for (size_t i = l->n; i-- > 0;) {
		size_t one = dw_mark(w);

		dw_put(w, l->v[i].values);
		dw_wrap(w, DER_SET, one);
		dw_oid(w, l->v[i].oid);
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_validity(struct dw *w, const struct ac_inputs *in)
{
	size_t at = dw_mark(w);

	dw_generalized_time(w, DER_GENERALIZED_TIME, in->not_after_at);
	dw_generalized_time(w, DER_GENERALIZED_TIME, in->not_before_at);
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_form(struct dw *w, struct bytes issuer)
{
	size_t at = dw_mark(w);

	put_issuer(w, issuer);
	dw_wrap(w, DER_CTX_CONS(0), at);
}

static void
put_holder(struct dw *w, const struct ac_inputs *in)
{
	size_t at = dw_mark(w), base;

	if (in->entity.n > 0)
		dw_gnames(w, DER_CTX_CONS(1), &in->entity);
	base = dw_mark(w);
	if (in->base_issuer.n > 0) {
		dw_tlv(w, DER_INTEGER, in->base_serial);
		put_issuer(w, in->base_issuer);
		dw_wrap(w, DER_CTX_CONS(0), base);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}

enum rc
ac_tbs_build(const struct ac_inputs *in, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w);

	TRY(check(in, e));
	put_exts(w, &in->exts);
	put_attrs(w, &in->attrs);
	put_validity(w, in);
	dw_tlv(w, DER_INTEGER, in->serial);
	dw_put(w, sigalg_alg_id(in->sigalg));
	put_form(w, in->issuer);
	put_holder(w, in);
	dw_int(w, 1);
	dw_wrap(w, DER_SEQUENCE, at);
	return dw_end(w, e);
}
