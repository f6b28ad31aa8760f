/* Values of the attributes that RFC 5755 4.4 names: groups, charging identities, roles, clearances. */
#include "base/base.h"
#include "pki/ac.h"
#include "pki/ext_kinds.h"

static const char *const levels[] = { "unmarked",     "unclassified", "restricted",
				      "confidential", "secret",       "topSecret" };

const char *
clearance_name(unsigned bit)
{
	return bit < ARRAY_LEN(levels) ? levels[bit] : "";
}

/* ---- reading ---- */

static struct gnames
opt_authority(struct der *d, struct arena *a)
{
	return der_next_is(d, DER_CTX_CONS(0)) ? gnames_take(d, DER_CTX_CONS(0), a) : (struct gnames){ 0 };
}

static void
take_item(struct der *d, struct ac_value *v)
{
	uint32_t tag = der_peek(d);

	if (der_ok(d) && tag != DER_UTF8 && tag != DER_OID && tag != DER_OCTET_STRING)
		der_fail(d, CHY_AC_ATTRIBUTE, "RFC 5755 4.4", "an item that is no text, OID or octets");
	else if (der_ok(d) && v->items_n > 0 && tag != v->tag)
		der_fail(d, CHY_AC_ATTRIBUTE, "RFC 5755 4.4", "items of different types");
	v->tag = tag;
	v->items[v->items_n] = tag == DER_OID ? der_oid(d) : der_take(d, tag);
	if (der_ok(d) && tag == DER_UTF8 && !utf8_ok(v->items[v->items_n]))
		der_fail(d, CHY_DER_STRING, "X.690 8.23", "text is not UTF-8");
	v->items_n++;
}

/* IetfAttrSyntax */
static void
read_ietf(struct der *d, struct arena *a, struct ac_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->authority = opt_authority(d, a);
	der_enter(d, DER_SEQUENCE);
	v->items = der_array(d, a, sizeof(*v->items), &max);
	while (der_more(d) && v->items_n < max)
		take_item(d, v);
	der_leave(d);
	der_leave(d);
}

/* RoleSyntax */
static void
read_role(struct der *d, struct arena *a, struct ac_value *v)
{
	der_enter(d, DER_SEQUENCE);
	v->authority = opt_authority(d, a);
	der_enter(d, DER_CTX_CONS(1));
	v->role = gname_take(d, GN_NAME);
	der_leave(d);
	der_leave(d);
	if (der_ok(d) && v->role.type != GN_URI)
		der_fail(d, CHY_AC_ATTRIBUTE, "RFC 5755 4.4.5", "a role's name is not a URI");
}

static struct bytes
take_categories(struct der *d)
{
	struct bytes all;

	der_enter_set_of(d);
	all = der_ok(d) ? bytes_of(d->p, (size_t)(d->end - d->p)) : BYTES_NONE;
	if (der_ok(d) && all.n == 0)
		der_fail(d, CHY_AC_ATTRIBUTE, "RFC 5755 4.4.6", "an empty set of categories");
	while (der_more(d)) {
		der_enter(d, DER_SEQUENCE);
		if (!oid_ok(der_take(d, DER_CTX(0))) && der_ok(d))
			der_fail(d, CHY_DER_OBJECT_ID, "X.690 8.19", "a category without a type");
		der_enter(d, DER_CTX_CONS(1));
		der_any_tlv(d);
		der_leave(d);
		der_leave(d);
	}
	der_leave(d);
	return all;
}

/* Clearance of RFC 5755, which is X.501's; RFC 3281 had other tags, and is not taken. */
static void
read_clearance(struct der *d, struct arena *a, struct ac_value *v)
{
	v->levels = CLEARANCE_UNCLASSIFIED;
	der_enter(d, DER_SEQUENCE);
	v->policy = der_oid(d);
	if (der_next_is(d, DER_BIT_STRING)) {
		v->levels = der_named_bits(d, DER_BIT_STRING);
		if (der_ok(d) && v->levels == CLEARANCE_UNCLASSIFIED)
			der_fail(d, CHY_DER_DEFAULT, "X.690 11.5", "the default class must be left out");
		if (der_ok(d) && (v->levels & ~(uint32_t)CLEARANCE_ALL))
			der_fail(d, CHY_AC_ATTRIBUTE, "RFC 5755 4.4.6", "a class without a meaning");
	}
	if (der_next_is(d, DER_SET))
		v->categories = take_categories(d);
	der_leave(d);
}

/* SvceAuthInfo, without authInfo (RFC 5755 4.4.2) */
static void
read_identity(struct der *d, struct ac_value *v)
{
	der_enter(d, DER_SEQUENCE);
	v->service = gname_take(d, GN_NAME);
	v->ident = gname_take(d, GN_NAME);
	der_leave(d);
}

enum rc
ac_value_decode(struct arena *a, enum oid type, struct bytes tlv, struct ac_value *ret, struct err *e)
{
	struct ac_value v = { .kind = type };
	struct der d = der_of(tlv, e);

	TRY(der_check(tlv, e));
	switch (type) {
	case OID_ACA_GROUP:
	case OID_ACA_CHARGING_IDENTITY:
		read_ietf(&d, a, &v);
		break;
	case OID_ACA_ROLE:
		read_role(&d, a, &v);
		break;
	case OID_ACA_CLEARANCE:
		read_clearance(&d, a, &v);
		break;
	case OID_ACA_ACCESS_IDENTITY:
		read_identity(&d, &v);
		break;
	default:
		v.kind = OID_NONE;
		v.raw = der_any_tlv(&d);
	}
	TRY(der_end(&d));
	*ret = v;
	return RC_OK;
}

struct bytes
ac_value_next(struct bytes *rest)
{
	struct der d = der_of(*rest, NULL);
	struct bytes one = der_any_tlv(&d);

	if (!der_ok(&d) || one.n == 0)
		return BYTES_NONE;
	*rest = bytes_part(*rest, one.n, SIZE_MAX);
	return one;
}

/* ---- writing ---- */

static void
put_authority(struct dw *w, const struct ac_value *v)
{
	if (v->authority.n > 0)
		dw_gnames(w, DER_CTX_CONS(0), &v->authority);
}

static void
write_ietf(struct dw *w, const struct ac_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->items_n; i-- > 0;)
		dw_tlv(w, v->tag, v->items[i]);
	dw_wrap(w, DER_SEQUENCE, at);
	put_authority(w, v);
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
write_role(struct dw *w, const struct ac_value *v)
{
	size_t at = dw_mark(w);

	dw_gname(w, &v->role);
	dw_wrap(w, DER_CTX_CONS(1), at);
	put_authority(w, v);
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
write_clearance(struct dw *w, const struct ac_value *v)
{
	size_t at = dw_mark(w);

	if (v->categories.n > 0)
		dw_tlv(w, DER_SET, v->categories);
	if (v->levels != CLEARANCE_UNCLASSIFIED)
		dw_named_bits(w, DER_BIT_STRING, v->levels);
	dw_oid(w, v->policy);
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
write_identity(struct dw *w, const struct ac_value *v)
{
	size_t at = dw_mark(w);

	dw_gname(w, &v->ident);
	dw_gname(w, &v->service);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
dw_ac_value(struct dw *w, const struct ac_value *v)
{
	switch (v->kind) {
	case OID_ACA_GROUP:
	case OID_ACA_CHARGING_IDENTITY:
		write_ietf(w, v);
		break;
	case OID_ACA_ROLE:
		write_role(w, v);
		break;
	case OID_ACA_CLEARANCE:
		write_clearance(w, v);
		break;
	case OID_ACA_ACCESS_IDENTITY:
		write_identity(w, v);
		break;
	default:
		dw_put(w, v->raw);
	}
}

/* ---- what people write ---- */

static enum rc
role_of_text(struct arena *a, struct bytes text, struct ac_value *v, struct err *e)
{
	if (bytes_starts(text, "uri:"))
		text = bytes_part(text, 4, SIZE_MAX);
	v->role = (struct gname){ .type = GN_URI, .value = text };
	return gname_check(&v->role, GN_NAME, e);
}

static enum rc
level_of(struct bytes text, uint32_t *ret, struct err *e)
{
	for (unsigned i = 0; i < ARRAY_LEN(levels); i++)
		if (ascii_case_eq(text_trim(text), bytes_str(levels[i]))) {
			*ret |= 1u << i;
			return RC_OK;
		}
	FAIL(e, CHY_AC_ATTRIBUTE, "RFC 5755 4.4.6", "\"%.*s\" is no class of a clearance", BYTES_FMT(text));
}

static enum rc
clearance_of_text(struct arena *a, struct bytes text, struct ac_value *v, struct err *e)
{
	struct bytes rest, classes;

	TRY(oid_parse(a, text_cut(text, ' ', &classes), &v->policy, e));
	if (classes.p == NULL)
		v->levels = CLEARANCE_UNCLASSIFIED;
	for (; classes.p != NULL; classes = rest)
		TRY(level_of(text_cut(classes, ',', &rest), &v->levels, e));
	return RC_OK;
}

static enum rc
identity_of_text(struct arena *a, struct bytes text, struct ac_value *v, struct err *e)
{
	struct bytes ident, service = text_cut(text, ' ', &ident);

	NEED(ident.n > 0, e, CHY_AC_ATTRIBUTE, "RFC 5755 4.4.2",
	     "an access identity is a service and a name, with a blank between");
	TRY(gname_from_text(a, service, GN_NAME, &v->service, e));
	return gname_from_text(a, text_trim(ident), GN_NAME, &v->ident, e);
}

static enum rc
one_of_text(struct arena *a, struct bytes text, struct ac_value *v, struct err *e)
{
	if (v->kind == OID_ACA_ROLE)
		return role_of_text(a, text, v, e);
	if (v->kind == OID_ACA_CLEARANCE)
		return clearance_of_text(a, text, v, e);
	if (v->kind == OID_ACA_ACCESS_IDENTITY)
		return identity_of_text(a, text, v, e);
	v->kind = OID_NONE;
	TRY(hex_parse(a, text, &v->raw, e));
	return der_check(v->raw, e);
}

static enum rc
put_values(struct arena *a, struct dw *w, enum oid type, const struct gnames *authority,
	   const struct bytes *texts, size_t n, struct err *e)
{
	for (size_t i = n; i-- > 0;) {
		struct ac_value v = { .kind = type };

		if (type == OID_ACA_ROLE && authority != NULL)
			v.authority = *authority;
		TRY_AT(one_of_text(a, texts[i], &v, e), e, "values[%zu]", i);
		dw_ac_value(w, &v);
	}
	return RC_OK;
}

/* The profile allows one value of these, with all items in it. */
static enum rc
put_items(struct arena *a, struct dw *w, enum oid type, const struct gnames *authority,
	  const struct bytes *texts, size_t n, struct err *e)
{
	struct ac_value v = { .kind = type, .tag = DER_UTF8, .items_n = n };

	v.items = arena_array(a, n, sizeof(*v.items));
	NEED(v.items != NULL, e, CHY_NO_MEMORY, NULL, "attribute");
	for (size_t i = 0; i < n; i++) {
		NEED(texts[i].n > 0, e, CHY_AC_ATTRIBUTE, "RFC 5755 4.4", "an empty text");
		v.items[i] = texts[i];
	}
	if (authority != NULL)
		v.authority = *authority;
	dw_ac_value(w, &v);
	return RC_OK;
}

static enum rc
read_again(struct arena *a, const struct ac_attr *x, struct err *e)
{
	struct bytes rest = x->values, one;
	struct ac_value v;
	size_t n = 0;

	while ((one = ac_value_next(&rest)).n > 0) {
		TRY(ac_value_decode(a, x->known, one, &v, e));
		for (size_t i = 0; i < v.authority.n; i++)
			TRY_AT(gname_check(&v.authority.v[i], GN_NAME, e), e, "authority[%zu]", i);
		n++;
	}
	NEED(n == x->n && rest.n == 0, e, CHY_AC_ATTRIBUTE, NULL, "values that are no DER");
	return RC_OK;
}

/* A SET OF has no two equal elements. */
static bool
is_twice(const struct bytes *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (bytes_eq(texts[i], texts[k]))
				return true;
	return false;
}

enum rc
ac_attr_from_text(struct arena *a, struct bytes oid, const struct gnames *authority,
		  const struct bytes *texts, size_t n, struct ac_attr *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct ac_attr x = { .oid = arena_dup(a, oid), .known = oid_find(oid), .n = n };
	bool one = x.known == OID_ACA_GROUP || x.known == OID_ACA_CHARGING_IDENTITY;
	struct bytes set;

	NEED(oid_ok(x.oid), e, CHY_AC_ATTRIBUTE, NULL, "an attribute without object identifier");
	NEED(n >= 1 && n <= 256, e, CHY_AC_ATTRIBUTE, "RFC 5755 4.2.7", "%zu values, 1 to 256", n);
	NEED(!is_twice(texts, n), e, CHY_AC_ATTRIBUTE, "X.690 11.6", "a value stands twice");
	TRY(one ? put_items(a, &w, x.known, authority, texts, n, e)
		: put_values(a, &w, x.known, authority, texts, n, e));
	x.n = one ? 1 : n;
	dw_set_of(&w, 0);
	TRY(dw_dup(&w, a, &set, e));
	{
		struct der d = der_of(set, e);

		x.values = der_any(&d, NULL);
		TRY(der_end(&d));
	}
	TRY(read_again(a, &x, e));
	*ret = x;
	return RC_OK;
}
