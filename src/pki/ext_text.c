/* What an extension says, in one line for people. */
#include "base/base.h"
#include "pki/ext_kinds.h"
#include "pki/str.h"

/* Control characters would break the line, or the terminal that shows it. */
static void
put_plain(struct buf *out, struct bytes s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_u8(out, s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : s.p[i]);
}

static void
put_string(struct buf *out, uint32_t tag, struct bytes s)
{
	OWN_BUF struct buf text = buf_max(LIMIT_TBS);

	string_put_utf8(&text, tag, s);
	put_plain(out, buf_bytes(&text));
}

static void
comma(struct buf *out, size_t i)
{
	if (i > 0)
		buf_str(out, ", ");
}

static void
put_gname(struct buf *out, const struct gname *g)
{
	OWN_BUF struct buf text = buf_max(LIMIT_TBS);

	gname_put_text(&text, g);
	put_plain(out, buf_bytes(&text));
}

static void
put_gnames(struct buf *out, const struct gnames *l)
{
	for (size_t i = 0; i < l->n; i++) {
		comma(out, i);
		put_gname(out, &l->v[i]);
	}
}

static void
put_oids(struct buf *out, const struct oids *l)
{
	for (size_t i = 0; i < l->n; i++) {
		comma(out, i);
		oid_put(out, l->v[i]);
	}
}

static void
put_bits(struct buf *out, uint32_t bits, const char *const *names, unsigned n)
{
	size_t k = 0;

	for (unsigned i = 0; i < n; i++) {
		if ((bits & 1u << i) == 0)
			continue;
		comma(out, k++);
		buf_str(out, names[i]);
	}
}

static void
text_key_usage(struct buf *out, const struct ext_value *v)
{
	const char *names[9];

	for (unsigned i = 0; i < 9; i++)
		names[i] = key_usage_name(i);
	put_bits(out, v->key_usage, names, 9);
}

static void
text_basic(struct buf *out, const struct ext_value *v)
{
	buf_str(out, v->basic.ca ? "CA" : "no CA");
	if (v->basic.path_len >= 0)
		buf_printf(out, ", path length %d", v->basic.path_len);
}

static void
text_aki(struct buf *out, const struct ext_value *v)
{
	hex_put(out, v->aki.key_id);
	if (v->aki.serial.p == NULL)
		return;
	buf_str(out, v->aki.key_id.n ? ", issuer " : "issuer ");
	put_gnames(out, &v->aki.issuer);
	buf_str(out, ", serial ");
	hex_put(out, v->aki.serial);
}

static const char *const reason_flags[] = { "unused",          "keyCompromise",
					    "cACompromise",    "affiliationChanged",
					    "superseded",      "cessationOfOperation",
					    "certificateHold", "privilegeWithdrawn",
					    "aACompromise" };

static void
text_points(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->points.n; i++) {
		const struct dist_point *p = &v->points.v[i];

		buf_str(out, i > 0 ? "; " : "");
		put_gnames(out, &p->full_name);
		if (p->relative.p != NULL) {
			buf_str(out, "relative #");
			hex_put(out, p->relative);
		}
		if (p->reasons != 0) {
			buf_str(out, " for ");
			put_bits(out, p->reasons, reason_flags, ARRAY_LEN(reason_flags));
		}
		if (p->crl_issuer.n > 0) {
			buf_str(out, " by ");
			put_gnames(out, &p->crl_issuer);
		}
	}
}

static void
text_issuing(struct buf *out, const struct ext_value *v)
{
	const struct issuing_point *p = &v->point;
	const struct {
		bool is;
		const char *text;
	} parts[] = { { p->only_user, "of end entities only" },
		      { p->only_ca, "of authorities only" },
		      { p->only_attribute, "of attribute certificates only" },
		      { p->indirect, "indirect" } };
	size_t k = 0;

	put_gnames(out, &p->full_name);
	k = p->full_name.n;
	if (p->relative.p != NULL) {
		buf_str(out, "relative #");
		hex_put(out, p->relative);
		k++;
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!parts[i].is)
			continue;
		comma(out, k++);
		buf_str(out, parts[i].text);
	}
	if (p->reasons != 0) {
		buf_str(out, k > 0 ? " for " : "for ");
		put_bits(out, p->reasons, reason_flags, ARRAY_LEN(reason_flags));
	}
}

static void
text_number(struct buf *out, struct bytes number)
{
	uint64_t v = 0;

	for (size_t i = 0; i < number.n && number.n <= 8; i++)
		v = v << 8 | number.p[i];
	if (number.n <= 8) {
		buf_printf(out, "%llu", (unsigned long long)v);
	} else {
		buf_str(out, "0x");
		hex_put(out, number);
	}
}

static void
text_at(struct buf *out, int64_t at)
{
	char text[32];

	buf_str(out, time_text(text, at));
}

static void
text_access(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->access.n; i++) {
		comma(out, i);
		oid_put(out, v->access.v[i].method);
		buf_u8(out, ' ');
		put_gname(out, &v->access.v[i].location);
	}
}

static void
text_qual(struct buf *out, const struct policy_qual *q)
{
	oid_put(out, q->oid);
	if (q->known == OID_QT_CPS) {
		buf_u8(out, ' ');
		put_string(out, DER_IA5, q->cps);
	}
	if (q->organization.p != NULL) {
		buf_u8(out, ' ');
		put_string(out, q->organization_tag, q->organization);
		for (size_t i = 0; i < q->numbers_n; i++)
			buf_printf(out, " %lld", (long long)q->numbers[i]);
	}
	if (q->text.p != NULL) {
		buf_str(out, " \"");
		put_string(out, q->text_tag, q->text);
		buf_u8(out, '"');
	}
}

static void
text_policies(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->policies.n; i++) {
		const struct policy_info *p = &v->policies.v[i];

		comma(out, i);
		oid_put(out, p->oid);
		for (size_t k = 0; k < p->quals_n; k++) {
			buf_str(out, k == 0 ? " (" : ", ");
			text_qual(out, &p->quals[k]);
		}
		buf_str(out, p->quals_n ? ")" : "");
	}
}

static void
text_mappings(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->mappings.n; i++) {
		comma(out, i);
		oid_put(out, v->mappings.v[i].issuer);
		buf_str(out, " = ");
		oid_put(out, v->mappings.v[i].subject);
	}
}

static void
text_policy_constraints(struct buf *out, const struct ext_value *v)
{
	const struct policy_constraints *p = &v->policy_constraints;

	if (p->require_explicit >= 0)
		buf_printf(out, "explicit policy after %lld", (long long)p->require_explicit);
	comma(out, p->require_explicit >= 0 && p->inhibit_mapping >= 0);
	if (p->inhibit_mapping >= 0)
		buf_printf(out, "no mapping after %lld", (long long)p->inhibit_mapping);
}

static void
text_constraints(struct buf *out, const struct ext_value *v)
{
	if (v->constraints.permitted.n > 0) {
		buf_str(out, "permitted ");
		put_gnames(out, &v->constraints.permitted);
	}
	if (v->constraints.excluded.n > 0) {
		buf_str(out, v->constraints.permitted.n ? "; excluded " : "excluded ");
		put_gnames(out, &v->constraints.excluded);
	}
}

static void
text_attrs(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->attrs.n; i++) {
		comma(out, i);
		oid_put(out, v->attrs.v[i].oid);
		buf_str(out, "=#");
		hex_put(out, v->attrs.v[i].values);
	}
}

static void
text_statement(struct buf *out, const struct qc_statement *s)
{
	oid_put(out, s->oid);
	buf_str(out, s->raw.p != NULL ? " " : "");
	switch (s->known) {
	case OID_QC_TYPE:
		put_oids(out, &s->types);
		break;
	case OID_QC_PDS:
		for (size_t i = 0; i < s->pds_n; i++) {
			comma(out, i);
			put_plain(out, s->pds[i].url);
			buf_printf(out, " (%.*s)", BYTES_FMT(s->pds[i].language));
		}
		break;
	case OID_QC_LIMIT:
		if (s->currency.p != NULL)
			put_plain(out, s->currency);
		else
			buf_printf(out, "%lld", (long long)s->currency_number);
		buf_printf(out, " %lld * 10^%lld", (long long)s->amount, (long long)s->exponent);
		break;
	case OID_QC_RETENTION:
		buf_printf(out, "%lld years", (long long)s->years);
		break;
	case OID_QC_LEGISLATION:
		for (size_t i = 0; i < s->countries_n; i++) {
			comma(out, i);
			put_plain(out, s->countries[i]);
		}
		break;
	case OID_PKIXQC_V1:
	case OID_PKIXQC_V2:
		if (s->semantics.p != NULL)
			oid_put(out, s->semantics);
		put_gnames(out, &s->authorities);
		break;
	default:
		hex_put(out, s->raw);
	}
}

static void
text_qc(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->qc.n; i++) {
		buf_str(out, i > 0 ? "; " : "");
		text_statement(out, &v->qc.v[i]);
	}
}

static void
text_tls(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->tls.n; i++) {
		comma(out, i);
		if (v->tls.v[i] == 5)
			buf_str(out, "status_request");
		else
			buf_printf(out, "%lld", (long long)v->tls.v[i]);
	}
}

static void
text_targets(struct buf *out, const struct ext_value *v)
{
	for (size_t i = 0; i < v->targets.n; i++) {
		comma(out, i);
		buf_str(out, v->targets.v[i].group ? "group " : "");
		gname_put_text(out, &v->targets.v[i].name);
	}
}

static void
put_value(struct buf *out, const struct ext_value *v)
{
	switch (v->kind) {
	case OID_CE_KEY_USAGE:
		text_key_usage(out, v);
		break;
	case OID_CE_EXT_KEY_USAGE:
		put_oids(out, &v->eku);
		break;
	case OID_CE_BASIC_CONSTRAINTS:
		text_basic(out, v);
		break;
	case OID_CE_SUBJECT_KEY_ID:
		hex_put(out, v->key_id);
		break;
	case OID_CE_AUTHORITY_KEY_ID:
		text_aki(out, v);
		break;
	case OID_CE_CRL_NUMBER:
	case OID_CE_DELTA_CRL:
		text_number(out, v->number);
		break;
	case OID_CE_REASON:
		buf_str(out, crl_reason_name(v->reason));
		break;
	case OID_CE_INVALIDITY_DATE:
	case OID_CE_EXPIRED_ON_CRL:
	case OID_PE_OCSP_ARCHIVE:
		text_at(out, v->at);
		break;
	case OID_CE_ISSUING_POINT:
		text_issuing(out, v);
		break;
	case OID_CE_SUBJECT_ALT_NAME:
	case OID_CE_ISSUER_ALT_NAME:
	case OID_CE_CERTIFICATE_ISSUER:
		put_gnames(out, &v->names);
		break;
	case OID_CE_CRL_POINTS:
	case OID_CE_FRESHEST_CRL:
		text_points(out, v);
		break;
	case OID_PE_AUTHORITY_INFO:
	case OID_PE_SUBJECT_INFO:
		text_access(out, v);
		break;
	case OID_CE_POLICIES:
		text_policies(out, v);
		break;
	case OID_CE_POLICY_MAPPINGS:
		text_mappings(out, v);
		break;
	case OID_CE_POLICY_CONSTRAINTS:
		text_policy_constraints(out, v);
		break;
	case OID_CE_INHIBIT_ANY:
		buf_printf(out, "no anyPolicy after %lld", (long long)v->inhibit_any);
		break;
	case OID_CE_NAME_CONSTRAINTS:
		text_constraints(out, v);
		break;
	case OID_CE_SUBJECT_DIR_ATTRS:
		text_attrs(out, v);
		break;
	case OID_PE_QC_STATEMENTS:
		text_qc(out, v);
		break;
	case OID_PE_TLS_FEATURE:
		text_tls(out, v);
		break;
	case OID_PE_AUDIT_IDENTITY:
		hex_put(out, v->audit);
		break;
	case OID_CE_TARGETS:
		text_targets(out, v);
		break;
	case OID_CE_NO_REV_AVAIL:
	case OID_PE_OCSP_NOCHECK:
		buf_str(out, "yes");
		break;
	default:
		buf_u8(out, '#');
		hex_put(out, v->raw);
	}
}

void
ext_put_text(struct buf *out, const struct ext *x)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct ext_value v;

	if (a != NULL && ext_decode(a, x, &v, NULL) == RC_OK) {
		put_value(out, &v);
	} else {
		buf_str(out, "damaged #");
		hex_put(out, x->value);
	}
}
