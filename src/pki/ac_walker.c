/* The signer's own reader of an AttributeCertificateInfo; walker.h says why there is a second one. */
#include "base/base.h"
#include "pki/walker.h"

#include "pki/walker_ext.h"

enum { ATTRS_MAX = 64 };

#define BREAKS(d, std, ...) der_fail((d), CHY_AC_TBS, std, __VA_ARGS__)

/* ---- the fixed fields ---- */

static struct bytes
walk_serial(struct der *d)
{
	struct bytes n = der_integer(d);

	if (der_ok(d) && (n.n > LIMIT_SERIAL || n.p[0] >= 0x80 || (n.n == 1 && n.p[0] == 0)))
		BREAKS(d, "RFC 5755 4.2.5", "serial number is not positive or longer than %d octets",
		       LIMIT_SERIAL);
	return n;
}

/* GeneralNames with one directoryName. */
static struct bytes
walk_issuer(struct der *d, uint32_t tag)
{
	struct bytes name;

	der_enter(d, tag);
	der_enter(d, DER_CTX_CONS(4));
	name = der_tlv(d, DER_SEQUENCE);
	der_leave(d);
	der_leave(d);
	if (der_ok(d))
		d->rc = name_check(name, d->e);
	if (der_ok(d) && name_is_empty(name))
		BREAKS(d, "RFC 5755 4.2.2", "a name that is empty");
	return name;
}

static void
walk_entity(struct der *d)
{
	size_t n = 0;

	der_enter(d, DER_CTX_CONS(1));
	while (der_more(d) && n++ < LIMIT_SAN) {
		struct gname g = gname_take(d, GN_NAME);

		if (der_ok(d))
			d->rc = gname_check(&g, GN_NAME, d->e);
	}
	if (der_ok(d) && n == 0)
		BREAKS(d, "RFC 5755 4.2.2", "an entity without a name");
	der_leave(d);
}

static void
walk_holder(struct der *d, struct ac_view *v)
{
	der_enter(d, DER_SEQUENCE);
	if (der_ok(d) && !der_next_is(d, DER_CTX_CONS(0)))
		BREAKS(d, "RFC 5755 4.2.2", "the base certificate is not named");
	der_enter(d, DER_CTX_CONS(0));
	v->base_issuer = walk_issuer(d, DER_SEQUENCE);
	v->base_serial = der_integer(d);
	if (der_ok(d) && v->base_serial.n > LIMIT_SERIAL)
		BREAKS(d, "RFC 5755 4.2.2", "the base's serial number is longer than %d octets",
		       LIMIT_SERIAL);
	der_leave(d);
	if (der_next_is(d, DER_CTX_CONS(1)))
		walk_entity(d);
	der_leave(d);
	if (!der_ok(d))
		err_field(d->e, "holder");
}

static void
walk_alg(struct der *d, struct ac_view *v)
{
	v->alg_id = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d) && (d->rc = sigalg_parse(v->alg_id, &v->sigalg, d->e)) != RC_OK)
		err_field(d->e, "signature");
	if (der_ok(d) && !bytes_eq(v->alg_id, sigalg_alg_id(v->sigalg)))
		BREAKS(d, "RFC 4055 5", "algorithm identifier is not in the form that we write");
}

static int64_t
walk_time(struct der *d)
{
	if (der_ok(d) && !der_next_is(d, DER_GENERALIZED_TIME))
		BREAKS(d, "RFC 5755 4.2.6", "a time that is no GeneralizedTime");
	return der_time(d, false);
}

static void
walk_validity(struct der *d, struct ac_view *v)
{
	der_enter(d, DER_SEQUENCE);
	v->not_before_at = walk_time(d);
	v->not_after_at = walk_time(d);
	der_leave(d);
	if (der_ok(d) && v->not_before_at > v->not_after_at)
		BREAKS(d, "RFC 5755 4.2.6", "validity ends before it begins");
}

/* ---- attributes ---- */

static void
walk_authority(struct der *d)
{
	if (!der_next_is(d, DER_CTX_CONS(0)))
		return;
	der_enter(d, DER_CTX_CONS(0));
	do {
		struct gname g = gname_take(d, GN_NAME);

		if (der_ok(d))
			d->rc = gname_check(&g, GN_NAME, d->e);
	} while (der_more(d));
	der_leave(d);
}

static void
walk_ietf(struct der *d)
{
	uint32_t first;

	der_enter(d, DER_SEQUENCE);
	walk_authority(d);
	der_enter(d, DER_SEQUENCE);
	first = der_peek(d);
	if (der_ok(d) && first != DER_UTF8 && first != DER_OID && first != DER_OCTET_STRING)
		BREAKS(d, "RFC 5755 4.4", "an item that is no text, OID or octets");
	while (der_more(d))
		der_take(d, first);
	der_leave(d);
	der_leave(d);
}

static void
walk_role(struct der *d)
{
	struct gname g;

	der_enter(d, DER_SEQUENCE);
	walk_authority(d);
	der_enter(d, DER_CTX_CONS(1));
	g = gname_take(d, GN_NAME);
	der_leave(d);
	der_leave(d);
	if (der_ok(d) && g.type != GN_URI)
		BREAKS(d, "RFC 5755 4.4.5", "a role that is no URI");
	if (der_ok(d))
		d->rc = gname_check(&g, GN_NAME, d->e);
}

static void
walk_clearance(struct der *d)
{
	uint32_t bits;

	der_enter(d, DER_SEQUENCE);
	der_oid(d);
	if (der_next_is(d, DER_BIT_STRING)) {
		bits = der_named_bits(d, DER_BIT_STRING);
		if (der_ok(d) && (bits == 2 || bits > 0x3f))
			BREAKS(d, "RFC 5755 4.4.6", "classes of a clearance");
	}
	if (der_next_is(d, DER_SET))
		der_tlv(d, DER_SET);
	der_leave(d);
}

static void
walk_identity(struct der *d)
{
	der_enter(d, DER_SEQUENCE);
	for (int i = 0; i < 2; i++) {
		struct gname g = gname_take(d, GN_NAME);

		if (der_ok(d))
			d->rc = gname_check(&g, GN_NAME, d->e);
	}
	der_leave(d);
}

static void
walk_value(struct der *d, enum oid known)
{
	struct der look = *d;
	struct bytes tlv = der_any_tlv(&look);

	if (look.rc == RC_OK)
		d->rc = der_check(tlv, d->e);
	if (!der_ok(d))
		return;
	switch (known) {
	case OID_ACA_GROUP:
	case OID_ACA_CHARGING_IDENTITY:
		walk_ietf(d);
		break;
	case OID_ACA_ROLE:
		walk_role(d);
		break;
	case OID_ACA_CLEARANCE:
		walk_clearance(d);
		break;
	case OID_ACA_ACCESS_IDENTITY:
		walk_identity(d);
		break;
	default:
		der_any_tlv(d);
	}
}

static struct bytes
walk_attr(struct der *d)
{
	struct bytes oid;
	enum oid known;
	size_t n = 0;

	der_enter(d, DER_SEQUENCE);
	oid = der_oid(d);
	known = der_ok(d) ? oid_find(oid) : OID_NONE;
	der_enter_set_of(d);
	for (; der_more(d); n++)
		walk_value(d, known);
	der_leave(d);
	der_leave(d);
	if (der_ok(d) && n == 0)
		BREAKS(d, "RFC 5755 4.2.7", "an attribute without a value");
	if (der_ok(d) && n > 1 && (known == OID_ACA_GROUP || known == OID_ACA_CHARGING_IDENTITY))
		BREAKS(d, "RFC 5755 4.4.4", "%s has more than one value", oid_name(known));
	return oid;
}

static void
walk_attrs(struct der *d, struct ac_view *v)
{
	struct bytes seen[ATTRS_MAX];

	der_enter(d, DER_SEQUENCE);
	while (der_more(d)) {
		if (v->attrs_n == ATTRS_MAX) {
			BREAKS(d, NULL, "more than %d attributes", ATTRS_MAX);
			return;
		}
		seen[v->attrs_n] = walk_attr(d);
		for (size_t i = 0; i < v->attrs_n; i++)
			if (der_ok(d) && bytes_eq(seen[i], seen[v->attrs_n]))
				BREAKS(d, "RFC 5755 4.2.7", "an attribute stands twice");
		v->attrs_n++;
	}
	if (der_ok(d) && v->attrs_n == 0)
		BREAKS(d, "RFC 5755 4.2.7", "no attributes");
	der_leave(d);
}

/* ---- extensions ---- */

/* What each that we know must be; others may be there when they are not critical. */
static const struct {
	enum oid oid;
	enum { MUST_NOT_STAND, CRITICAL, NOT_CRITICAL } rule;
	const char *std;
} rules[] = {
	{ OID_PE_AUDIT_IDENTITY, CRITICAL, "RFC 5755 4.3.1" },
	{ OID_CE_TARGETS, CRITICAL, "RFC 5755 4.3.2" },
	{ OID_CE_AUTHORITY_KEY_ID, NOT_CRITICAL, "RFC 5755 4.3.3" },
	{ OID_PE_AUTHORITY_INFO, NOT_CRITICAL, "RFC 5755 4.3.4" },
	{ OID_CE_CRL_POINTS, NOT_CRITICAL, "RFC 5755 4.3.5" },
	{ OID_CE_NO_REV_AVAIL, NOT_CRITICAL, "RFC 5755 4.3.6" },
	{ OID_CE_POLICIES, NOT_CRITICAL, "RFC 5755 4.3" },
	{ OID_CE_SUBJECT_KEY_ID, MUST_NOT_STAND, "RFC 5755 4.3" },
	{ OID_CE_KEY_USAGE, MUST_NOT_STAND, "RFC 5755 4.3" },
	{ OID_CE_EXT_KEY_USAGE, MUST_NOT_STAND, "RFC 5755 4.3" },
	{ OID_CE_BASIC_CONSTRAINTS, MUST_NOT_STAND, "RFC 5755 4.3" },
	{ OID_CE_NAME_CONSTRAINTS, MUST_NOT_STAND, "RFC 5755 4.3" },
	{ OID_CE_SUBJECT_ALT_NAME, MUST_NOT_STAND, "RFC 5755 4.3" },
};

static void
judge_critical(struct der *d, enum oid known, bool critical)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].oid != known || known == OID_NONE)
			continue;
		if (rules[i].rule == MUST_NOT_STAND)
			BREAKS(d, rules[i].std, "an extension about a key, or a certificate's name");
		else if (critical != (rules[i].rule == CRITICAL))
			BREAKS(d, rules[i].std, critical ? "must not be critical" : "must be critical");
		return;
	}
	if (critical)
		BREAKS(d, "RFC 5755 4.3", "critical and not of the profile");
}

static void
note(struct der *d, struct ac_view *v, enum oid known, struct bytes value, bool *ret_asks)
{
	struct der in = der_of(value, d->e);

	if (known == OID_CE_NO_REV_AVAIL) {
		v->no_revocation = true;
		der_null(&in);
		d->rc = der_end(&in);
	}
	if (known == OID_CE_CRL_POINTS)
		*ret_asks = true;
	if (known != OID_CE_AUTHORITY_KEY_ID)
		return;
	der_enter(&in, DER_SEQUENCE);
	if (der_next_is(&in, DER_CTX(0)))
		v->authority_key_id = der_take(&in, DER_CTX(0));
	while (der_more(&in))
		der_any(&in, NULL);
	der_leave(&in);
	d->rc = der_end(&in);
}

struct noting {
	struct ac_view *v;
	bool asks; /* a place where revocation is told */
};

static void
note_ext(struct der *d, const struct walked_ext *x, void *view)
{
	struct noting *n = view;

	d->rc = der_check(x->value, d->e);
	if (der_ok(d))
		judge_critical(d, x->known, x->critical);
	if (der_ok(d))
		note(d, n->v, x->known, x->value, &n->asks);
}

static void
walk_exts(struct der *d, struct ac_view *v)
{
	struct noting n = { .v = v };

	if (!der_more(d))
		return;
	walk_ext_list(d, CHY_AC_TBS, note_ext, &n, &v->exts, &v->exts_n);
	if (der_ok(d) && v->no_revocation && n.asks)
		BREAKS(d, "RFC 5755 4.3.6", "noRevAvail beside a distribution point");
}

enum rc
ac_tbs_walk(struct bytes tbs, struct ac_view *ret, struct err *e)
{
	struct der d = der_of(tbs, e);
	struct ac_view v = { .tbs = tbs };

	NEED(tbs.n <= LIMIT_TBS, e, CHY_AC_TBS, NULL, "%zu bytes, at most %d are signed", tbs.n, LIMIT_TBS);
	der_enter(&d, DER_SEQUENCE);
	if (der_int(&d, 0, 2) != 1)
		BREAKS(&d, "RFC 5755 4.1", "version is not 2");
	walk_holder(&d, &v);
	der_enter(&d, DER_CTX_CONS(0)); /* v2Form */
	v.issuer = walk_issuer(&d, DER_SEQUENCE);
	der_leave(&d);
	walk_alg(&d, &v);
	v.serial = walk_serial(&d);
	walk_validity(&d, &v);
	walk_attrs(&d, &v);
	walk_exts(&d, &v);
	der_leave(&d);
	TRY(der_end(&d));
	*ret = v;
	return RC_OK;
}
