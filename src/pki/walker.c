#include "base/base.h"
#include "pki/walker.h"

#include "pki/walker_ext.h"

/* ---- the fixed fields ---- */

static void
walk_head(struct der *d, struct tbs_view *v)
{
	der_enter(d, DER_CTX_CONS(0));
	if (der_int(d, 0, 2) != 2)
		der_fail(d, CHY_TBS, "RFC 5280 4.1.2.1", "version is not 3");
	der_leave(d);
	v->serial = der_integer(d);
	if (der_ok(d) &&
	    (v->serial.n > LIMIT_SERIAL || v->serial.p[0] >= 0x80 ||
	     (v->serial.n == 1 && v->serial.p[0] == 0)))
		der_fail(d, CHY_TBS, "RFC 5280 4.1.2.2",
			 "serial number is not positive or longer than %d octets", LIMIT_SERIAL);
	v->alg_id = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d) && (d->rc = sigalg_parse(v->alg_id, &v->sigalg, d->e)) != RC_OK)
		err_field(d->e, "signature");
	if (der_ok(d) && !bytes_eq(v->alg_id, sigalg_alg_id(v->sigalg)))
		der_fail(d, CHY_TBS, "RFC 4055 5", "algorithm identifier is not in the form that we write");
}

static struct bytes
walk_name(struct der *d, const char *field)
{
	struct bytes n = der_tlv(d, DER_SEQUENCE);

	if (der_ok(d) && (d->rc = name_check(n, d->e)) != RC_OK)
		err_field(d->e, "%s", field);
	return n;
}

static void
walk_validity(struct der *d, struct tbs_view *v)
{
	der_enter(d, DER_SEQUENCE);
	v->not_before_at = der_time(d, true);
	v->not_after_at = der_time(d, true);
	der_leave(d);
	if (der_ok(d) && v->not_before_at > v->not_after_at)
		der_fail(d, CHY_TBS, "RFC 5280 4.1.2.5", "validity ends before it begins");
}

static void
walk_key(struct der *d, struct tbs_view *v)
{
	v->spki = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d) && (d->rc = pubkey_parse(v->spki, &v->key, d->e)) != RC_OK)
		err_field(d->e, "subjectPublicKeyInfo");
}

/* ---- extensions ---- */

static enum rc
note_basic(struct tbs_view *v, bool critical, struct bytes value, struct err *e)
{
	struct basic_constraints b;

	TRY(ext_basic(value, &b, e));
	v->has_basic = true;
	v->ca = b.ca;
	v->path_len = b.path_len;
	NEED(!b.ca || critical, e, CHY_TBS, "RFC 5280 4.2.1.9", "basicConstraints of a CA must be critical");
	NEED(b.ca || b.path_len < 0, e, CHY_TBS, "RFC 5280 4.2.1.9", "pathLenConstraint without cA");
	return RC_OK;
}

/* [0] of AuthorityKeyIdentifier; the rest of it has only to be DER here. */
static enum rc
note_authority_key(struct tbs_view *v, struct bytes value, struct err *e)
{
	struct der d = der_of(value, e);

	der_enter(&d, DER_SEQUENCE);
	if (der_next_is(&d, DER_CTX(0)))
		v->authority_key_id = der_take(&d, DER_CTX(0));
	while (der_more(&d))
		der_any(&d, NULL);
	der_leave(&d);
	return der_end(&d);
}

static enum rc
note_san(struct tbs_view *v, bool critical, struct bytes value, struct err *e)
{
	struct der d = der_of(value, e);
	size_t n = 0;

	der_enter(&d, DER_SEQUENCE);
	while (der_more(&d) && n++ < LIMIT_SAN) {
		struct gname g = gname_take(&d, GN_NAME);

		if (der_ok(&d))
			d.rc = gname_check(&g, GN_NAME, e);
	}
	if (der_ok(&d) && n == 0)
		der_fail(&d, CHY_TBS, "RFC 5280 4.2.1.6", "subjectAltName without a name");
	der_leave(&d);
	TRY(der_end(&d));
	NEED(critical || !name_is_empty(v->subject), e, CHY_TBS, "RFC 5280 4.2.1.6",
	     "subjectAltName must be critical when the subject is empty");
	v->san = value;
	return RC_OK;
}

static enum rc
note(struct tbs_view *v, enum oid known, bool critical, struct bytes value, struct err *e)
{
	TRY(der_check(value, e));
	switch (known) {
	case OID_CE_BASIC_CONSTRAINTS:
		return note_basic(v, critical, value, e);
	case OID_CE_KEY_USAGE:
		v->has_key_usage = true;
		return ext_key_usage(value, &v->key_usage, e);
	case OID_CE_SUBJECT_KEY_ID:
		return ext_key_id(value, &v->key_id, e);
	case OID_CE_AUTHORITY_KEY_ID:
		return note_authority_key(v, value, e);
	case OID_CE_SUBJECT_ALT_NAME:
		return note_san(v, critical, value, e);
	case OID_CE_NAME_CONSTRAINTS:
		v->name_constraints = value;
		NEED(critical, e, CHY_TBS, "RFC 5280 4.2.1.10", "nameConstraints must be critical");
		return RC_OK;
	default:
		return RC_OK;
	}
}

static void
note_ext(struct der *d, const struct walked_ext *x, void *view)
{
	d->rc = note(view, x->known, x->critical, x->value, d->e);
}

static void
walk_exts(struct der *d, struct tbs_view *v)
{
	if (!der_more(d))
		return;
	der_enter(d, DER_CTX_CONS(3));
	walk_ext_list(d, CHY_TBS, note_ext, v, &v->exts, &v->exts_n);
	der_leave(d);
}

/* What the fields must say together. */
static enum rc
check_together(const struct tbs_view *v, struct err *e)
{
	bool signs = v->has_key_usage && (v->key_usage & USAGE_KEY_CERT_SIGN);

	NEED(!name_is_empty(v->issuer), e, CHY_TBS, "RFC 5280 4.1.2.4", "the issuer's name is empty");
	NEED(v->san.p != NULL || !name_is_empty(v->subject), e, CHY_TBS, "RFC 5280 4.1.2.6",
	     "neither a subject nor an alternative name");
	NEED(!v->ca || !name_is_empty(v->subject), e, CHY_TBS, "RFC 5280 4.1.2.6", "a CA without a name");
	NEED(!v->ca || signs, e, CHY_TBS, "RFC 5280 4.2.1.9", "a CA without keyCertSign");
	NEED(v->ca || !signs, e, CHY_TBS, "RFC 5280 4.2.1.3", "keyCertSign without being a CA");
	NEED(v->ca || v->name_constraints.p == NULL, e, CHY_TBS, "RFC 5280 4.2.1.10",
	     "nameConstraints without being a CA");
	NEED(!v->ca || v->key_id.p != NULL, e, CHY_TBS, "RFC 5280 4.2.1.2",
	     "a CA without subjectKeyIdentifier");
	return RC_OK;
}

enum rc
tbs_walk(struct bytes tbs, struct tbs_view *ret, struct err *e)
{
	struct der d = der_of(tbs, e);
	struct tbs_view v = { .tbs = tbs, .path_len = -1 };

	NEED(tbs.n <= LIMIT_TBS, e, CHY_TBS, NULL, "%zu bytes, at most %d are signed", tbs.n, LIMIT_TBS);
	der_enter(&d, DER_SEQUENCE);
	walk_head(&d, &v);
	v.issuer = walk_name(&d, "issuer");
	walk_validity(&d, &v);
	v.subject = walk_name(&d, "subject");
	walk_key(&d, &v);
	walk_exts(&d, &v);
	der_leave(&d);
	TRY(der_end(&d));
	TRY(check_together(&v, e));
	*ret = v;
	return RC_OK;
}
