/* Qualified certificate statements: RFC 3739 3.2.6, EN 319 412-5 4. */
#include "base/base.h"
#include "pki/ext_kinds.h"

static void
take_types(struct der *d, struct arena *a, struct qc_statement *s)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	s->types.v = der_array(d, a, sizeof(*s->types.v), &max);
	while (der_more(d) && s->types.n < max)
		s->types.v[s->types.n++] = der_oid(d);
	der_leave(d);
}

static bool
small_letters(struct bytes b, size_t n, uint8_t from)
{
	if (b.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (b.p[i] < from || b.p[i] > from + 25)
			return false;
	return true;
}

static void
take_pds(struct der *d, struct arena *a, struct qc_statement *s)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	s->pds = der_array(d, a, sizeof(*s->pds), &max);
	while (der_more(d) && s->pds_n < max) {
		struct qc_pds *p = &s->pds[s->pds_n++];

		der_enter(d, DER_SEQUENCE);
		p->url = der_take(d, DER_IA5);
		p->language = der_take(d, DER_PRINTABLE);
		der_leave(d);
		if (der_ok(d) && (!uri_ok(p->url) || !small_letters(p->language, 2, 'a')))
			der_fail(d, CHY_EXT, "EN 319 412-5 4.3.4",
				 "PDS location needs a URL and a language of two small letters");
	}
	der_leave(d);
}

/* MonetaryValue; amount * 10^exponent. */
static void
take_limit(struct der *d, struct arena *a, struct qc_statement *s)
{
	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_PRINTABLE)) {
		s->currency = der_take(d, DER_PRINTABLE);
		if (der_ok(d) && !small_letters(s->currency, 3, 'A'))
			der_fail(d, CHY_EXT, "EN 319 412-5 4.3.2", "currency is no code of ISO 4217");
	} else {
		s->currency_number = der_int(d, 1, 999);
	}
	s->amount = der_int(d, 0, INT64_MAX);
	s->exponent = der_int(d, -1000, 1000);
	der_leave(d);
}

static void
take_countries(struct der *d, struct arena *a, struct qc_statement *s)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	s->countries = der_array(d, a, sizeof(*s->countries), &max);
	while (der_more(d) && s->countries_n < max) {
		struct bytes c = der_take(d, DER_PRINTABLE);

		if (der_ok(d) && !small_letters(c, 2, 'A'))
			der_fail(d, CHY_EXT, "EN 319 412-5 4.2.4", "country is no code of ISO 3166-1");
		s->countries[s->countries_n++] = c;
	}
	der_leave(d);
}

static void
take_semantics(struct der *d, struct arena *a, struct qc_statement *s)
{
	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_OID))
		s->semantics = der_oid(d);
	if (der_more(d))
		s->authorities = gnames_take(d, DER_SEQUENCE, a);
	der_leave(d);
	if (der_ok(d) && s->semantics.p == NULL && s->authorities.n == 0)
		der_fail(d, CHY_EXT, "RFC 3739 3.2.6.1", "semantics information says nothing");
}

static void
take_years(struct der *d, struct arena *a, struct qc_statement *s)
{
	s->years = der_int(d, 0, 1000);
}

/* Which statements carry information, and how it is read; `none` ones must not carry any. */
static const struct qc_kind {
	enum oid oid;
	void (*take)(struct der *d, struct arena *a, struct qc_statement *s);
	bool optional;
} kinds[] = {
	{ OID_QC_COMPLIANCE, NULL, false },
	{ OID_QC_SSCD, NULL, false },
	{ OID_QC_TYPE, take_types, false },
	{ OID_QC_PDS, take_pds, false },
	{ OID_QC_LIMIT, take_limit, false },
	{ OID_QC_RETENTION, take_years, false },
	{ OID_QC_LEGISLATION, take_countries, false },
	{ OID_PKIXQC_V1, take_semantics, true },
	{ OID_PKIXQC_V2, take_semantics, true },
};

static const struct qc_kind *
qc_kind(enum oid o)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].oid == o)
			return &kinds[i];
	return NULL;
}

static void
judge_info(struct der *d, struct arena *a, struct qc_statement *s)
{
	const struct qc_kind *k = qc_kind(s->known);
	struct der in;

	if (k == NULL) {
		if (s->raw.p != NULL)
			d->rc = der_check(s->raw, d->e);
		return;
	}
	if (s->raw.p == NULL ? k->take != NULL && !k->optional : k->take == NULL) {
		der_fail(d, CHY_EXT, "EN 319 412-5 4", "statement %s %s information", oid_name(s->known),
			 k->take ? "lacks its" : "takes no");
		return;
	}
	if (s->raw.p == NULL)
		return;
	in = der_of(s->raw, d->e);
	k->take(&in, a, s);
	d->rc = der_end(&in);
}

void
read_qc(struct der *d, struct arena *a, struct ext_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->qc.v = der_array(d, a, sizeof(*v->qc.v), &max);
	while (der_more(d) && v->qc.n < max) {
		struct qc_statement *s = &v->qc.v[v->qc.n++];

		der_enter(d, DER_SEQUENCE);
		s->oid = der_oid(d);
		if (der_more(d))
			s->raw = der_any_tlv(d);
		der_leave(d);
		if (!der_ok(d))
			return;
		s->known = oid_find(s->oid);
		judge_info(d, a, s);
	}
	der_leave(d);
}

/* ---- writing ---- */

static void
write_info(struct dw *w, const struct qc_statement *s)
{
	size_t at = dw_mark(w), one;

	switch (s->known) {
	case OID_QC_TYPE:
		for (size_t i = s->types.n; i-- > 0;)
			dw_oid(w, s->types.v[i]);
		break;
	case OID_QC_PDS:
		for (size_t i = s->pds_n; i-- > 0;) {
			one = dw_mark(w);
			dw_tlv(w, DER_PRINTABLE, s->pds[i].language);
			dw_tlv(w, DER_IA5, s->pds[i].url);
			dw_wrap(w, DER_SEQUENCE, one);
		}
		break;
	case OID_QC_LIMIT:
		dw_int(w, s->exponent);
		dw_int(w, s->amount);
		if (s->currency.p != NULL)
			dw_tlv(w, DER_PRINTABLE, s->currency);
		else
			dw_int(w, s->currency_number);
		break;
	case OID_QC_LEGISLATION:
		for (size_t i = s->countries_n; i-- > 0;)
			dw_tlv(w, DER_PRINTABLE, s->countries[i]);
		break;
	case OID_PKIXQC_V1:
	case OID_PKIXQC_V2:
		if (s->semantics.p == NULL && s->authorities.n == 0)
			return;
		if (s->authorities.n > 0)
			dw_gnames(w, DER_SEQUENCE, &s->authorities);
		if (s->semantics.p != NULL)
			dw_oid(w, s->semantics);
		break;
	case OID_QC_RETENTION:
		dw_int(w, s->years);
		return;
	case OID_QC_COMPLIANCE:
	case OID_QC_SSCD:
		return;
	default:
		dw_put(w, s->raw);
		return;
	}
	dw_wrap(w, DER_SEQUENCE, at);
}

void
write_qc(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->qc.n; i-- > 0;) {
		const struct qc_statement *s = &v->qc.v[i];
		size_t one = dw_mark(w);

		write_info(w, s);
		dw_oid(w, s->known ? oid_der(s->known) : s->oid);
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_SEQUENCE, at);
}
