/* What is the same in every certificate of a procedure, as a template. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/crl_point.h"
#include "policy/issue_attribute.h"
#include "policy/qc.h"
#include "policy/snapshot_impl.h"

enum { CRLS_MAX = 20 };

#define ROOM(p, e) NEED((p) != NULL, e, CHY_NO_MEMORY, NULL, "template")

enum rc
specs_slot(struct specs *s, enum cert_slot slot, struct err *e)
{
	NEED(s->n < LIMIT_EXTENSIONS, e, CHY_LIMIT, NULL, "more than %d extensions", LIMIT_EXTENSIONS);
	s->v[s->n++].slot = slot;
	return RC_OK;
}

enum rc
specs_add(struct arena *a, struct specs *s, const struct ext_value *v, struct err *e)
{
	struct ext ext;

	TRY(ext_encode(a, v, &ext, e));
	TRY(specs_slot(s, SLOT_CONST, e));
	s->v[s->n - 1].ext = ext;
	return RC_OK;
}

/* ---- addresses ---- */

static struct gname
uri_name(struct bytes uri)
{
	return (struct gname){ .type = GN_URI, .value = uri };
}

/* The document's own list where it has one, else the one above it. */
static const struct json *
addresses(const struct json *body, const struct json *above, const char *name)
{
	const struct json *own = body_list(body, name);

	return own ? own : body_list(above, name);
}

static bool
is_omitted(const struct json *body, const char *what)
{
	JSON_EACH(x, body_list(body, "omit"))
	if (x->type == JSON_STR && bytes_is(x->str, what))
		return true;
	return false;
}

/* The lists of addresses that go into one extension; each list is one CRL, and none stands twice. */
struct crls {
	struct {
		const struct json *urls;
		const struct crl_procedure *of; /* NULL: of no procedure, addresses only */
	} v[CRLS_MAX];
	size_t n;
};

static enum rc
crls_add(struct crls *l, const struct json *urls, const struct crl_procedure *of, struct err *e)
{
	if (urls == NULL || urls->count == 0)
		return RC_OK;
	for (size_t i = 0; i < l->n; i++)
		if (json_eq(l->v[i].urls, urls))
			return RC_OK;
	NEED(l->n < CRLS_MAX, e, CHY_LIMIT, NULL, "more than %d CRLs", CRLS_MAX);
	l->v[l->n].urls = urls;
	l->v[l->n++].of = of;
	return RC_OK;
}

/* All addresses of one CRL stand in one distribution point: they are ways to the same list. */
static enum rc
points_of(struct arena *a, const struct crls *l, struct dist_points *ret, struct err *e)
{
	ROOM(ret->v = arena_array(a, l->n + 1, sizeof(*ret->v)), e);
	for (ret->n = 0; ret->n < l->n; ret->n++) {
		struct dist_point *p = &ret->v[ret->n];

		if (l->v[ret->n].of != NULL)
			TRY(crl_point_of(a, l->v[ret->n].of, l->v[ret->n].of->partitions > 0, p, e));
		else
			TRY(crl_addresses(a, l->v[ret->n].urls, 0, &p->full_name, e));
	}
	return RC_OK;
}

static enum rc
add_points(struct arena *a, struct specs *s, enum oid kind, const struct crls *l, struct err *e)
{
	struct ext_value v = { .kind = kind };

	TRY(points_of(a, l, &v.points, e));
	return l->n > 0 ? specs_add(a, s, &v, e) : RC_OK;
}

/* A certificate has one number of a partition, so it can stand in one only. */
static enum rc
split_points(struct snapshot *in, struct procedure *p, struct crls *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].of == NULL || l->v[i].of->partitions == 0)
			continue;
		NEED(p->split == NULL, e, CHY_FIELD_CONFLICT, NULL,
		     "two CRL procedures with partitions, \"%.*s\" and \"%.*s\"",
		     BYTES_FMT(p->split->doc->name), BYTES_FMT(l->v[i].of->doc->name));
		p->split = l->v[i].of;
		p->split_at = i;
	}
	if (p->split == NULL)
		return RC_OK;
	TRY(points_of(in->a, l, &p->points, e));
	l->n = 0;
	return RC_OK;
}

static void
access_to(struct access_descs *l, enum oid method, const struct json *urls)
{
	JSON_EACH(x, urls)
	l->v[l->n++] = (struct access_desc){ oid_der(method), method, uri_name(x->str) };
}

static enum rc
add_all(struct arena *a, struct specs *s, const struct json *body, const struct json *above,
	const struct crls *crls, struct err *e)
{
	const struct json *ocsp = is_omitted(body, "ocsp") ? NULL : addresses(body, above, "ocsp_urls");
	const struct json *ca = is_omitted(body, "ca-issuers") ? NULL
							       : addresses(body, above, "ca_issuers_urls");
	struct ext_value v = { .kind = OID_PE_AUTHORITY_INFO };
	struct crls fresh = { .n = 0 };

	TRY(crls_add(&fresh, body_list(body, "freshest_crl_urls"), NULL, e));
	TRY(add_points(a, s, OID_CE_CRL_POINTS, crls, e));
	TRY(add_points(a, s, OID_CE_FRESHEST_CRL, &fresh, e));
	ROOM(
	    v.access.v = arena_array(a, (ocsp ? ocsp->count : 0) + (ca ? ca->count : 0), sizeof(*v.access.v)),
	    e);
	access_to(&v.access, OID_AD_OCSP, ocsp);
	access_to(&v.access, OID_AD_CA_ISSUERS, ca);
	return v.access.n > 0 ? specs_add(a, s, &v, e) : RC_OK;
}

enum rc
specs_addresses(struct arena *a, struct specs *s, const struct json *body, const struct json *above,
		struct err *e)
{
	struct crls crls = { .n = 0 };

	TRY(crls_add(&crls, addresses(body, above, "crl_urls"), NULL, e));
	return add_all(a, s, body, above, &crls, e);
}

/* A list that has no certificates of this sort says nothing of one. */
static bool
speaks_of(const struct crl_procedure *x, enum crl_covers sort)
{
	if (x->partitions > 0 && sort != COVERS_END_ENTITIES)
		return false;
	return x->covers == COVERS_ALL || x->covers == sort;
}

/* The CRL procedure that it names, alone; else its own addresses, alone; else its authority's addresses and all
   CRL procedures of the authority that are to be included and can be seen from its domain. */
static enum rc
crls_of(struct snapshot *in, const struct procedure *p, struct crls *l, struct err *e)
{
	const struct json *body = p->doc->body, *own = body_list(body, "crl_urls");

	if (is_omitted(body, "crl"))
		return RC_OK;
	if (p->crl != NULL)
		return crls_add(l, p->crl->points, p->crl, e);
	if (own != NULL && own->count > 0)
		return crls_add(l, own, NULL, e);
	TRY(crls_add(l, body_list(p->authority->doc->body, "crl_urls"), NULL, e));
	for (size_t i = 0; i < p->authority->crls_n; i++)
		if (speaks_of(p->authority->crls[i], COVERS_END_ENTITIES) &&
		    document_is_visible(in, p->authority->crls[i]->doc, p->doc->domain))
			TRY(crls_add(l, p->authority->crls[i]->points, p->authority->crls[i], e));
	return RC_OK;
}

enum rc
specs_procedure_addresses(struct snapshot *in, struct specs *s, struct procedure *p, struct err *e)
{
	struct crls crls = { .n = 0 };

	TRY(crls_of(in, p, &crls, e));
	TRY(split_points(in, p, &crls, e));
	return add_all(in->a, s, p->doc->body, p->authority->doc->body, &crls, e);
}

/* ---- the others ---- */

static enum rc
add_policies(struct arena *a, struct specs *s, const struct json *list, struct err *e)
{
	struct ext_value v = { .kind = OID_CE_POLICIES };

	if (list == NULL || list->count == 0)
		return RC_OK;
	ROOM(v.policies.v = arena_array(a, list->count, sizeof(*v.policies.v)), e);
	JSON_EACH(x, list)
	{
		struct policy_info *p = &v.policies.v[v.policies.n++];
		struct bytes cps = body_text(x, "cps"), notice = body_text(x, "notice");

		TRY(oid_parse(a, body_text(x, "policy"), &p->oid, e));
		ROOM(p->quals = arena_array(a, 2, sizeof(*p->quals)), e);
		if (cps.n > 0)
			p->quals[p->quals_n++] = (struct policy_qual){ .oid = oid_der(OID_QT_CPS),
								       .known = OID_QT_CPS,
								       .cps = cps };
		if (notice.n > 0)
			p->quals[p->quals_n++] = (struct policy_qual){ .oid = oid_der(OID_QT_UNOTICE),
								       .known = OID_QT_UNOTICE,
								       .text = notice,
								       .text_tag = DER_UTF8 };
	}
	return specs_add(a, s, &v, e);
}

static enum rc
add_issuer_names(struct arena *a, struct specs *s, const struct json *list, struct err *e)
{
	struct ext_value v = { .kind = OID_CE_ISSUER_ALT_NAME };

	if (list == NULL || list->count == 0)
		return RC_OK;
	ROOM(v.names.v = arena_array(a, list->count, sizeof(*v.names.v)), e);
	JSON_EACH(x, list)
	TRY(gname_from_text(a, x->str, GN_NAME, &v.names.v[v.names.n++], e));
	return specs_add(a, s, &v, e);
}

static enum rc
add_features(struct arena *a, struct specs *s, const struct json *list, struct err *e)
{
	struct ext_value v = { .kind = OID_PE_TLS_FEATURE };

	if (list == NULL || list->count == 0)
		return RC_OK;
	ROOM(v.tls.v = arena_array(a, list->count, sizeof(*v.tls.v)), e);
	JSON_EACH(x, list)
	v.tls.v[v.tls.n++] = x->integer;
	return specs_add(a, s, &v, e);
}

static enum rc
add_others(struct arena *a, struct specs *s, const struct json *list, struct err *e)
{
	JSON_EACH(x, list)
	{
		struct ext_value v = { .kind = OID_NONE, .critical = body_true(x, "critical") };

		TRY(oid_parse(a, body_text(x, "oid"), &v.oid, e));
		TRY(hex_parse(a, body_text(x, "value"), &v.raw, e));
		TRY(specs_add(a, s, &v, e));
	}
	return RC_OK;
}

static enum rc
add_extended(struct arena *a, struct specs *s, const struct procedure *p, struct err *e)
{
	struct ext_value v = { .kind = OID_CE_EXT_KEY_USAGE,
			       .critical = p->extended_critical,
			       .eku = p->extended_key_usage };

	if (p->format->extended_key_usage != USAGE_PROCEDURE || p->extended_key_usage.n == 0)
		return RC_OK; /* else it is an input */
	return specs_add(a, s, &v, e);
}

/* Extensions in the order in which they stand in the certificate. */
static enum rc
specs_of(struct snapshot *in, struct procedure *p, struct specs *s, struct err *e)
{
	struct arena *a = in->a;
	const struct json *body = p->doc->body;
	struct ext_value aki = { .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = p->authority->key_id } };
	struct ext_value basic = { .kind = OID_CE_BASIC_CONSTRAINTS,
				   .critical = true,
				   .basic = { false, -1 } };
	struct ext_value no_check = { .kind = OID_PE_OCSP_NOCHECK };

	TRY(specs_add(a, s, &aki, e));
	if (p->format->subject_key_id)
		TRY(specs_slot(s, SLOT_SKI, e));
	if (p->format->basic_constraints)
		TRY(specs_add(a, s, &basic, e));
	TRY(add_extended(a, s, p, e));
	TRY(add_policies(a, s, body_list(body, "certificate_policies"), e));
	TRY(specs_slot(s, SLOT_SAN, e));
	TRY(add_issuer_names(a, s, body_list(body, "issuer_alternative_names"), e));
	TRY(specs_procedure_addresses(in, s, p, e));
	if (!p->format->takes_qc) /* else they are an input, with those of the request */
		TRY(specs_qc(a, s, json_get(body, "qc_statements"), e));
	TRY(add_features(a, s, body_list(body, "tls_feature"), e));
	if (body_true(body, "ocsp_no_check"))
		TRY(specs_add(a, s, &no_check, e));
	TRY(add_others(a, s, body_list(body, "extensions"), e));
	return specs_slot(s, SLOT_INPUT, e);
}

enum rc
template_of(struct snapshot *in, struct procedure *p, struct cert_template *ret, struct err *e)
{
	struct specs s = { .n = 0 };

	if (p->format->takes_qc)
		TRY(qc_of(in->a, json_get(p->doc->body, "qc_statements"), &p->qc, e));
	TRY(specs_of(in, p, &s, e));
	return cert_template_build(in->a, p->sigalg, p->authority->subject_in_force, s.v, s.n, ret, e);
}

/* ---- attribute certificates ---- */

/* Where its revocation is told: the authority's own addresses, and its CRL procedures that can be seen from there. */
static enum rc
ac_crls(struct snapshot *in, const struct ac_procedure *p, struct crls *l, struct err *e)
{
	TRY(crls_add(l, body_list(p->authority->doc->body, "crl_urls"), NULL, e));
	for (size_t i = 0; i < p->authority->crls_n; i++)
		if (speaks_of(p->authority->crls[i], COVERS_ATTRIBUTE_CERTIFICATES) &&
		    document_is_visible(in, p->authority->crls[i]->doc, p->doc->domain))
			TRY(crls_add(l, p->authority->crls[i]->points, p->authority->crls[i], e));
	return RC_OK;
}

static enum rc
targets_add(struct arena *a, struct ac_targets *l, const struct json *names, bool group, struct err *e)
{
	JSON_EACH(x, names)
	{
		struct ac_target *t = &l->v[l->n++];

		t->group = group;
		TRY_AT(gname_from_text(a, x->str, GN_NAME, &t->name, e), e, "%s[%zu]",
		       group ? "target_groups" : "targets", l->n - 1);
	}
	return RC_OK;
}

/* Critical, so that a server that does not know of targets refuses it (RFC 5755 4.3.2). */
static enum rc
add_targets(struct arena *a, struct specs *s, const struct json *body, struct err *e)
{
	struct ext_value v = { .kind = OID_CE_TARGETS, .critical = true };
	size_t most = body_count(body, "targets") + body_count(body, "target_groups");

	if (most == 0)
		return RC_OK;
	ROOM(v.targets.v = arena_array(a, most, sizeof(*v.targets.v)), e);
	TRY(targets_add(a, &v.targets, body_list(body, "targets"), false, e));
	TRY(targets_add(a, &v.targets, body_list(body, "target_groups"), true, e));
	return specs_add(a, s, &v, e);
}

/* Whoever finds no place to ask must be told that there is none (RFC 5755 4.3.6). */
static enum rc
ac_specs(struct snapshot *in, const struct ac_procedure *p, struct specs *s, struct err *e)
{
	const struct json *body = p->doc->body, *above = p->authority->doc->body,
			  *ocsp = addresses(body, above, "ocsp_urls");
	struct ext_value aki = { .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = p->authority->key_id } },
			 none = { .kind = OID_CE_NO_REV_AVAIL };
	struct crls crls = { .n = 0 };

	TRY(specs_add(in->a, s, &aki, e));
	TRY(add_policies(in->a, s, body_list(body, "certificate_policies"), e));
	TRY(add_targets(in->a, s, body, e));
	TRY(ac_crls(in, p, &crls, e));
	TRY(add_all(in->a, s, body, above, &crls, e));
	return crls.n == 0 && (ocsp == NULL || ocsp->count == 0) ? specs_add(in->a, s, &none, e) : RC_OK;
}

static enum rc
ac_always(struct snapshot *in, struct ac_procedure *p, struct err *e)
{
	const struct json *list = body_list(p->doc->body, "attributes");

	ROOM(p->always = arena_one(in->a, struct ac_attrs), e);
	ROOM(p->always->v = arena_array(in->a, list ? list->count : 0, sizeof(*p->always->v)), e);
	JSON_EACH(x, list)
	{
		TRY_AT(ac_attr_of_json(in->a, x, &p->always->v[p->always->n], e), e, "attributes[%zu]",
		       p->always->n);
		p->always->n++;
	}
	return RC_OK;
}

enum rc
ac_template_of(struct snapshot *in, struct ac_procedure *p, struct err *e)
{
	struct specs s = { .n = 0 };

	TRY(ac_specs(in, p, &s, e));
	ROOM(p->exts.v = arena_array(in->a, s.n, sizeof(*p->exts.v)), e);
	for (size_t i = 0; i < s.n; i++)
		p->exts.v[p->exts.n++] = s.v[i].ext;
	return ac_always(in, p, e);
}
