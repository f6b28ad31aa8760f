/* Certificate policies and mappings: RFC 5280 4.2.1.4-5. */
#include "base/base.h"
#include "pki/ext_kinds.h"

/* DisplayText: at most 200 characters; IA5, Visible, BMP or UTF-8. */
static struct bytes
take_display(struct der *d, uint32_t *ret_tag)
{
	struct bytes b = der_any(d, ret_tag), left = b;
	size_t n = 0;

	if (!der_ok(d))
		return BYTES_NONE;
	if ((*ret_tag != DER_IA5 && *ret_tag != DER_VISIBLE && *ret_tag != DER_BMP && *ret_tag != DER_UTF8) ||
	    !string_ok(*ret_tag, b)) {
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.4", "notice text of a wrong string type");
		return BYTES_NONE;
	}
	while (string_take(*ret_tag, &left) >= 0)
		n++;
	if (n < 1 || n > 200)
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.4", "notice text of %zu characters, must be 1 to 200",
			 n);
	return b;
}

static void
take_notice(struct der *d, struct arena *a, struct policy_qual *q)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_SEQUENCE)) {
		der_enter(d, DER_SEQUENCE);
		q->organization = take_display(d, &q->organization_tag);
		der_enter(d, DER_SEQUENCE);
		q->numbers = der_array(d, a, sizeof(*q->numbers), &max);
		while (der_more(d) && q->numbers_n < max)
			q->numbers[q->numbers_n++] = der_int(d, INT64_MIN, INT64_MAX);
		der_leave(d);
		der_leave(d);
	}
	if (der_more(d))
		q->text = take_display(d, &q->text_tag);
	der_leave(d);
}

static void
take_qual(struct der *d, struct arena *a, struct policy_qual *q)
{
	struct der in;

	der_enter(d, DER_SEQUENCE);
	q->oid = der_oid(d);
	q->raw = der_any_tlv(d);
	der_leave(d);
	if (!der_ok(d))
		return;
	q->known = oid_find(q->oid);
	in = der_of(q->raw, d->e);
	if (q->known == OID_QT_CPS) {
		q->cps = der_take(&in, DER_IA5);
		if (der_ok(&in) && (q->cps.n == 0 || !string_ok(DER_IA5, q->cps)))
			der_fail(&in, CHY_EXT, "RFC 5280 4.2.1.4", "CPS pointer is no URI");
	} else if (q->known == OID_QT_UNOTICE) {
		take_notice(&in, a, q);
	} else {
		d->rc = der_check(q->raw, d->e);
		return;
	}
	d->rc = der_end(&in);
}

static void
take_policy(struct der *d, struct arena *a, struct policy_info *p)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	p->oid = der_oid(d);
	if (der_more(d)) {
		der_enter(d, DER_SEQUENCE);
		p->quals = der_array(d, a, sizeof(*p->quals), &max);
		while (der_more(d) && p->quals_n < max)
			take_qual(d, a, &p->quals[p->quals_n++]);
		der_leave(d);
	}
	der_leave(d);
}

void
read_policies(struct der *d, struct arena *a, struct ext_value *v)
{
	struct policy_infos *l = &v->policies;
	size_t max;

	der_enter(d, DER_SEQUENCE);
	l->v = der_array(d, a, sizeof(*l->v), &max);
	while (der_more(d) && l->n < max) {
		take_policy(d, a, &l->v[l->n]);
		for (size_t i = 0; i < l->n; i++)
			if (der_ok(d) && bytes_eq(l->v[i].oid, l->v[l->n].oid))
				der_fail(d, CHY_EXT, "RFC 5280 4.2.1.4", "a policy stands twice");
		l->n++;
	}
	der_leave(d);
}

static void
write_notice(struct dw *w, const struct policy_qual *q)
{
	size_t at = dw_mark(w);

	if (q->text.p != NULL)
		dw_tlv(w, q->text_tag ? q->text_tag : DER_UTF8, q->text);
	if (q->organization.p != NULL) {
		size_t ref = dw_mark(w);

		for (size_t i = q->numbers_n; i-- > 0;)
			dw_int(w, q->numbers[i]);
		dw_wrap(w, DER_SEQUENCE, ref);
		dw_tlv(w, q->organization_tag ? q->organization_tag : DER_UTF8, q->organization);
		dw_wrap(w, DER_SEQUENCE, ref);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
write_qual(struct dw *w, const struct policy_qual *q)
{
	size_t at = dw_mark(w);

	if (q->known == OID_QT_CPS)
		dw_tlv(w, DER_IA5, q->cps);
	else if (q->known == OID_QT_UNOTICE)
		write_notice(w, q);
	else
		dw_put(w, q->raw);
	dw_oid(w, q->known ? oid_der(q->known) : q->oid);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
write_policies(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->policies.n; i-- > 0;) {
		const struct policy_info *p = &v->policies.v[i];
		size_t one = dw_mark(w);

		for (size_t k = p->quals_n; k-- > 0;)
			write_qual(w, &p->quals[k]);
		if (p->quals_n > 0)
			dw_wrap(w, DER_SEQUENCE, one);
		dw_oid(w, p->oid);
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}

void
read_mappings(struct der *d, struct arena *a, struct ext_value *v)
{
	struct bytes any = oid_der(OID_POLICY_ANY);
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->mappings.v = der_array(d, a, sizeof(*v->mappings.v), &max);
	while (der_more(d) && v->mappings.n < max) {
		struct policy_mapping *m = &v->mappings.v[v->mappings.n++];

		der_enter(d, DER_SEQUENCE);
		m->issuer = der_oid(d);
		m->subject = der_oid(d);
		der_leave(d);
		if (der_ok(d) && (bytes_eq(m->issuer, any) || bytes_eq(m->subject, any)))
			der_fail(d, CHY_EXT, "RFC 5280 4.2.1.5", "anyPolicy must not be mapped");
	}
	der_leave(d);
}

void
write_mappings(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->mappings.n; i-- > 0;) {
		size_t one = dw_mark(w);

		dw_oid(w, v->mappings.v[i].subject);
		dw_oid(w, v->mappings.v[i].issuer);
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}
