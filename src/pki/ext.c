#include "base/base.h"
#include "pki/ext.h"

#include "pki/ext_kinds.h"

static const struct ext_kind kinds[] = {
	{ OID_CE_KEY_USAGE, read_key_usage, write_key_usage },
	{ OID_CE_EXT_KEY_USAGE, read_eku, write_eku },
	{ OID_CE_BASIC_CONSTRAINTS, read_basic, write_basic },
	{ OID_CE_SUBJECT_KEY_ID, read_key_id, write_key_id },
	{ OID_CE_AUTHORITY_KEY_ID, read_aki, write_aki },
	{ OID_CE_SUBJECT_ALT_NAME, read_names, write_names },
	{ OID_CE_ISSUER_ALT_NAME, read_names, write_names },
	{ OID_CE_CRL_POINTS, read_points, write_points },
	{ OID_CE_FRESHEST_CRL, read_points, write_points },
	{ OID_PE_AUTHORITY_INFO, read_access, write_access },
	{ OID_PE_SUBJECT_INFO, read_access, write_access },
	{ OID_CE_POLICIES, read_policies, write_policies },
	{ OID_CE_POLICY_MAPPINGS, read_mappings, write_mappings },
	{ OID_CE_POLICY_CONSTRAINTS, read_policy_constraints, write_policy_constraints },
	{ OID_CE_INHIBIT_ANY, read_inhibit, write_inhibit },
	{ OID_CE_NAME_CONSTRAINTS, read_constraints, write_constraints },
	{ OID_CE_SUBJECT_DIR_ATTRS, read_attrs, write_attrs },
	{ OID_PE_QC_STATEMENTS, read_qc, write_qc },
	{ OID_PE_TLS_FEATURE, read_tls, write_tls },
	{ OID_PE_OCSP_NOCHECK, read_null, write_null },
	{ OID_PE_AUDIT_IDENTITY, read_audit, write_audit },
	{ OID_CE_TARGETS, read_targets, write_targets },
	{ OID_CE_NO_REV_AVAIL, read_null, write_null },
	{ OID_CE_CRL_NUMBER, read_number, write_number },
	{ OID_CE_DELTA_CRL, read_number, write_number },
	{ OID_CE_REASON, read_reason, write_reason },
	{ OID_CE_INVALIDITY_DATE, read_at, write_at },
	{ OID_CE_EXPIRED_ON_CRL, read_at, write_at },
	{ OID_PE_OCSP_ARCHIVE, read_at, write_at },
	{ OID_CE_CERTIFICATE_ISSUER, read_names, write_names },
	{ OID_CE_ISSUING_POINT, read_issuing, write_issuing },
};

const struct ext_kind *
ext_kind(enum oid o)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].oid == o && o != OID_NONE)
			return &kinds[i];
	return NULL;
}

static const char *const usages[] = { "digitalSignature", "contentCommitment", "keyEncipherment",
				      "dataEncipherment", "keyAgreement",      "keyCertSign",
				      "cRLSign",          "encipherOnly",      "decipherOnly" };

const char *
key_usage_name(unsigned bit)
{
	return bit < ARRAY_LEN(usages) ? usages[bit] : "";
}

uint32_t
key_usage_by_name(struct bytes name)
{
	for (unsigned i = 0; i < ARRAY_LEN(usages); i++)
		if (ascii_case_eq(name, bytes_str(usages[i])))
			return 1u << i;
	return ascii_case_eq(name, BYTES("nonRepudiation")) ? USAGE_CONTENT_COMMITMENT : 0;
}

/* ---- one extension ---- */

static void
name_field(struct err *e, const struct ext *x)
{
	char text[OID_TEXT_MAX];

	err_field(e, "%s", x->known ? oid_name(x->known) : oid_text(text, x->oid));
}

static enum rc
decode(struct arena *a, const struct ext *x, struct ext_value *v, struct err *e)
{
	const struct ext_kind *k = ext_kind(x->known);
	struct der d = der_of(x->value, e);

	v->oid = x->oid;
	v->critical = x->critical;
	if (k == NULL) {
		v->kind = OID_NONE;
		v->raw = x->value;
		return der_check(x->value, e);
	}
	v->kind = x->known;
	k->read(&d, a, v);
	return der_end(&d);
}

enum rc
ext_decode(struct arena *a, const struct ext *x, struct ext_value *ret, struct err *e)
{
	struct ext_value v;
	enum rc rc;

	memset(&v, 0, sizeof(v));
	rc = decode(a, x, &v, e);
	if (rc != RC_OK)
		name_field(e, x);
	else
		*ret = v;
	return rc;
}

static enum rc
check_names(const struct gnames *l, enum gn_use use, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		TRY_AT(gname_check(&l->v[i], use, e), e, "name[%zu]", i);
	return RC_OK;
}

/* The syntax of names, which decoding leaves alone so that foreign certificates can be read, must be right in ours. */
static enum rc
check_built(const struct ext_value *v, struct err *e)
{
	switch (v->kind) {
	case OID_CE_ISSUING_POINT:
		return check_names(&v->point.full_name, GN_NAME, e);
	case OID_CE_SUBJECT_ALT_NAME:
	case OID_CE_ISSUER_ALT_NAME:
	case OID_CE_CERTIFICATE_ISSUER:
		return check_names(&v->names, GN_NAME, e);
	case OID_CE_NAME_CONSTRAINTS:
		TRY(check_names(&v->constraints.permitted, GN_CONSTRAINT, e));
		return check_names(&v->constraints.excluded, GN_CONSTRAINT, e);
	case OID_PE_AUTHORITY_INFO:
	case OID_PE_SUBJECT_INFO:
		for (size_t i = 0; i < v->access.n; i++)
			TRY(gname_check(&v->access.v[i].location, GN_NAME, e));
		return RC_OK;
	case OID_CE_CRL_POINTS:
	case OID_CE_FRESHEST_CRL:
		for (size_t i = 0; i < v->points.n; i++)
			TRY(check_names(&v->points.v[i].full_name, GN_NAME, e));
		return RC_OK;
	case OID_CE_TARGETS:
		for (size_t i = 0; i < v->targets.n; i++)
			TRY_AT(gname_check(&v->targets.v[i].name, GN_NAME, e), e, "target[%zu]", i);
		return RC_OK;
	default:
		return RC_OK;
	}
}

enum rc
ext_encode(struct arena *a, const struct ext_value *v, struct ext *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	const struct ext_kind *k = ext_kind(v->kind);
	struct ext x = { .known = v->kind, .critical = v->critical };
	struct ext_value again;

	NEED(k != NULL || v->kind == OID_NONE, e, CHY_EXT, NULL, "%s cannot be built", oid_name(v->kind));
	x.oid = k != NULL ? oid_der(v->kind) : arena_dup(a, v->oid);
	NEED(oid_ok(x.oid), e, CHY_EXT, NULL, "an extension without object identifier");
	if (k != NULL)
		k->write(&w, v);
	else
		dw_put(&w, v->raw);
	TRY(dw_dup(&w, a, &x.value, e));
	x.known = oid_find(x.oid);
	TRY(ext_decode(a, &x, &again, e));
	TRY_AT(check_built(&again, e), e, "%s", oid_name(x.known));
	*ret = x;
	return RC_OK;
}

/* ---- lists ---- */

size_t
der_count(const struct der *d)
{
	struct der c = der_of(bytes_of(d->p, (size_t)(d->end - d->p)), NULL);
	size_t n = 0;

	if (!der_ok(d))
		return 0;
	while (der_more(&c)) {
		der_any(&c, NULL);
		n++;
	}
	return n;
}

void *
der_array(struct der *d, struct arena *a, size_t size, size_t *ret_n)
{
	size_t n = der_count(d);
	void *p = n > 0 && der_ok(d) ? arena_array(a, n, size) : NULL;

	*ret_n = 0;
	if (der_ok(d) && n == 0)
		der_fail(d, CHY_EXT, NULL, "an empty list");
	else if (der_ok(d) && p == NULL)
		der_fail(d, CHY_NO_MEMORY, NULL, "list of %zu values", n);
	else
		*ret_n = n;
	return p;
}

static struct ext
take_ext(struct der *d)
{
	struct ext x = { 0 };

	der_enter(d, DER_SEQUENCE);
	x.oid = der_oid(d);
	if (der_next_is(d, DER_BOOLEAN)) {
		x.critical = der_bool(d);
		if (der_ok(d) && !x.critical)
			der_fail(d, CHY_DER_DEFAULT, "X.690 11.5", "critical FALSE must be left out");
	}
	x.value = der_take(d, DER_OCTET_STRING);
	der_leave(d);
	x.known = der_ok(d) ? oid_find(x.oid) : OID_NONE;
	return x;
}

static void
refuse_second(struct der *d, const struct exts *l, const struct ext *x)
{
	char text[OID_TEXT_MAX];

	if (der_ok(d) && exts_find_oid(l, x->oid) != NULL)
		der_fail(d, CHY_EXT_DUPLICATE, "RFC 5280 4.2", "extension %s stands twice",
			 x->known ? oid_name(x->known) : oid_text(text, x->oid));
}

enum rc
exts_parse(struct arena *a, struct bytes der, struct exts *ret, struct err *e)
{
	struct der d = der_of(der, e);
	struct exts l = { 0 };
	size_t max;

	der_enter(&d, DER_SEQUENCE);
	l.v = der_array(&d, a, sizeof(*l.v), &max);
	if (max > LIMIT_EXTENSIONS)
		der_fail(&d, CHY_EXT, NULL, "more than %d extensions", LIMIT_EXTENSIONS);
	while (der_more(&d) && l.n < max) {
		struct ext x = take_ext(&d);

		refuse_second(&d, &l, &x);
		l.v[l.n++] = x;
	}
	der_leave(&d);
	TRY(der_end(&d));
	*ret = l;
	return RC_OK;
}

void
dw_ext(struct dw *w, const struct ext *x)
{
	size_t at = dw_mark(w);

	dw_octets(w, x->value);
	if (x->critical)
		dw_bool(w, true);
	dw_oid(w, x->oid.n ? x->oid : oid_der(x->known));
	dw_wrap(w, DER_SEQUENCE, at);
}

const struct ext *
exts_find_oid(const struct exts *l, struct bytes oid)
{
	for (size_t i = 0; i < l->n; i++)
		if (bytes_eq(l->v[i].oid, oid))
			return &l->v[i];
	return NULL;
}

const struct ext *
exts_find(const struct exts *l, enum oid known)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].known == known)
			return &l->v[i];
	return NULL;
}

/* ---- the three without memory ---- */

enum rc
ext_key_usage(struct bytes value, uint32_t *ret, struct err *e)
{
	struct der d = der_of(value, e);
	struct ext_value v;

	read_key_usage(&d, NULL, &v);
	TRY_AT(der_end(&d), e, "keyUsage");
	*ret = v.key_usage;
	return RC_OK;
}

enum rc
ext_basic(struct bytes value, struct basic_constraints *ret, struct err *e)
{
	struct der d = der_of(value, e);
	struct ext_value v;

	read_basic(&d, NULL, &v);
	TRY_AT(der_end(&d), e, "basicConstraints");
	*ret = v.basic;
	return RC_OK;
}

enum rc
ext_key_id(struct bytes value, struct bytes *ret, struct err *e)
{
	struct der d = der_of(value, e);
	struct ext_value v;

	read_key_id(&d, NULL, &v);
	TRY_AT(der_end(&d), e, "subjectKeyIdentifier");
	*ret = v.key_id;
	return RC_OK;
}
