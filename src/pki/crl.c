#include "base/base.h"
#include "pki/crl.h"

#include "pki/ext_kinds.h"
#include "pki/signed.h"

/* ---- entries ---- */

/* The name among the GeneralNames of certificateIssuer (RFC 5280 5.3.3). */
static struct bytes
issuer_name(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);
	struct bytes name = BYTES_NONE;

	der_enter(&in, DER_SEQUENCE);
	while (der_more(&in)) {
		struct gname g = gname_take(&in, GN_NAME);

		if (g.type == GN_DIR && name.p == NULL)
			name = g.value;
	}
	der_leave(&in);
	d->rc = der_end(&in);
	if (der_ok(d) && (name.p == NULL || name_is_empty(name)))
		der_fail(d, CHY_CRL, "RFC 5280 5.3.3", "certificateIssuer without a distinguished name");
	return name;
}

static void
note(struct der *d, enum oid known, bool critical, struct bytes value, struct crl_entry *x)
{
	struct der in = der_of(value, d->e);
	struct ext_value v = { 0 };

	switch (known) {
	case OID_CE_REASON:
		read_reason(&in, NULL, &v);
		x->reason = v.reason;
		d->rc = der_end(&in);
		break;
	case OID_CE_INVALIDITY_DATE:
		read_at(&in, NULL, &v);
		x->invalidity_at = v.at;
		d->rc = der_end(&in);
		break;
	case OID_CE_CERTIFICATE_ISSUER:
		x->issuer = issuer_name(d, value);
		break;
	default:
		d->rc = der_check(value, d->e);
		x->critical_unknown |= critical;
	}
}

static void
take_entry_exts(struct der *d, struct crl_entry *x)
{
	struct bytes seen[LIMIT_EXTENSIONS];
	size_t n = 0;

	der_enter(d, DER_SEQUENCE);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_CRL, "RFC 5280 5.3", "an empty list of extensions");
	while (der_more(d)) {
		bool critical = false;
		struct bytes value;

		if (n == LIMIT_EXTENSIONS) {
			der_fail(d, CHY_CRL, NULL, "more than %d extensions", LIMIT_EXTENSIONS);
			return;
		}
		der_enter(d, DER_SEQUENCE);
		seen[n] = der_oid(d);
		if (der_next_is(d, DER_BOOLEAN)) {
			critical = der_bool(d);
			if (der_ok(d) && !critical)
				der_fail(d, CHY_DER_DEFAULT, "X.690 11.5", "critical FALSE must be left out");
		}
		value = der_take(d, DER_OCTET_STRING);
		der_leave(d);
		for (size_t i = 0; i < n && der_ok(d); i++)
			if (bytes_eq(seen[i], seen[n]))
				der_fail(d, CHY_EXT_DUPLICATE, "RFC 5280 4.2", "an extension stands twice");
		if (der_ok(d))
			note(d, oid_find(seen[n]), critical, value, x);
		n++;
	}
	der_leave(d);
}

static struct crl_entry
take_entry(struct der *d)
{
	struct crl_entry x = { .reason = CRL_NO_REASON, .invalidity_at = CRL_NO_TIME };

	der_enter(d, DER_SEQUENCE);
	x.serial = der_integer(d);
	if (der_ok(d) && x.serial.n > LIMIT_SERIAL)
		der_fail(d, CHY_CRL, "RFC 5280 4.1.2.2", "serial number of %zu octets", x.serial.n);
	x.revoked_at = der_time(d, true);
	if (der_more(d))
		take_entry_exts(d, &x);
	der_leave(d);
	return x;
}

bool
crl_next(struct bytes *rest, struct crl_entry *ret)
{
	struct der d = der_of(*rest, NULL);

	if (rest->n == 0)
		return false;
	*ret = take_entry(&d);
	if (!der_ok(&d))
		return false;
	*rest = bytes_of(d.p, (size_t)(d.end - d.p));
	return true;
}

/* ---- the whole ---- */

static void
take_entries(struct der *d, struct crl *c)
{
	der_enter(d, DER_SEQUENCE);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_CRL, "RFC 5280 5.1.2.6", "an empty list of revoked certificates");
	if (der_ok(d))
		c->entries = bytes_of(d->p, (size_t)(d->end - d->p));
	while (der_more(d)) {
		const uint8_t *at = d->p;
		struct crl_entry x = take_entry(d);

		c->critical_unknown |= x.critical_unknown;
		if (der_ok(d) && c->version == 1 && (x.reason != CRL_NO_REASON || x.issuer.p != NULL))
			der_fail(d, CHY_CRL, "RFC 5280 5.1.2.1", "extensions of an entry in version 1");
		if (!der_ok(d))
			err_field(d->e, "revokedCertificates[%zu]", c->n);
		else if ((size_t)(d->p - at) > LIMIT_CRL_ENTRY)
			der_fail(d, CHY_CRL, NULL, "an entry of more than %d bytes", LIMIT_CRL_ENTRY);
		c->n++;
	}
	der_leave(d);
}

static bool
is_time(const struct der *d)
{
	return der_next_is(d, DER_UTC_TIME) || der_next_is(d, DER_GENERALIZED_TIME);
}

static enum rc
note_exts(struct arena *a, struct crl *c, struct err *e)
{
	for (size_t i = 0; i < c->exts.n; i++) {
		const struct ext *x = &c->exts.v[i];
		struct ext_value v;

		TRY(ext_decode(a, x, &v, e));
		if (x->known == OID_CE_CRL_NUMBER)
			c->number = v.number;
		else if (x->known == OID_CE_DELTA_CRL)
			c->base = v.number;
		else if (x->known != OID_CE_ISSUING_POINT && x->critical)
			c->critical_unknown = true;
	}
	return RC_OK;
}

static void
take_exts(struct der *d, struct arena *a, struct crl *c)
{
	struct bytes tlv;

	if (!der_more(d))
		return;
	der_enter(d, DER_CTX_CONS(0));
	tlv = der_tlv(d, DER_SEQUENCE);
	der_leave(d);
	if (der_ok(d) && c->version == 1)
		der_fail(d, CHY_CRL, "RFC 5280 5.1.2.1", "extensions in version 1");
	if (der_ok(d))
		d->rc = exts_parse(a, tlv, &c->exts, d->e);
	if (der_ok(d))
		d->rc = note_exts(a, c, d->e);
}

static enum rc
parse_tbs(struct arena *a, struct crl *c, struct err *e)
{
	struct der d = der_of(c->tbs, e);

	c->version = 1;
	der_enter(&d, DER_SEQUENCE);
	if (der_next_is(&d, DER_INTEGER)) {
		c->version = 2;
		if (der_int(&d, 0, INT32_MAX) != 1)
			der_fail(&d, CHY_CRL, "RFC 5280 5.1.2.1", "version is neither 1, left out, nor 2");
	}
	c->tbs_alg = der_tlv(&d, DER_SEQUENCE);
	c->issuer = der_tlv(&d, DER_SEQUENCE);
	if (der_ok(&d) && (d.rc = name_check(c->issuer, e)) != RC_OK)
		err_field(e, "issuer");
	if (der_ok(&d) && name_is_empty(c->issuer))
		der_fail(&d, CHY_CRL, "RFC 5280 5.1.2.3", "the issuer's name is empty");
	c->this_update_at = der_time(&d, true);
	c->next_update_at = is_time(&d) ? der_time(&d, true) : CRL_NO_TIME;
	if (der_next_is(&d, DER_SEQUENCE))
		take_entries(&d, c);
	take_exts(&d, a, c);
	der_leave(&d);
	return der_end(&d);
}

enum rc
crl_parse(struct arena *a, struct bytes der, struct crl *ret, struct err *e)
{
	struct crl c = { .der = der };
	struct signed_parts p;

	TRY(signed_parse(der, LIMIT_CRL, CHY_CRL_SIZE, &p, e));
	c.tbs = p.tbs;
	c.alg = p.alg;
	c.signature = p.signature;
	TRY(parse_tbs(a, &c, e));
	NEED(bytes_eq(c.alg, c.tbs_alg), e, CHY_CRL, "RFC 5280 5.1.1.2",
	     "signature algorithm differs from the signed one");
	TRY(signed_alg(c.alg, &c.sigalg, e));
	*ret = c;
	return RC_OK;
}

enum rc
crl_parse_any(struct arena *a, struct bytes in, struct crl *ret, struct err *e)
{
	struct bytes der;

	TRY(signed_text(a, in, LIMIT_CRL, CHY_CRL_SIZE, "X509 CRL", &der, e));
	return crl_parse(a, der, ret, e);
}

bool
crl_issuing_point(struct arena *a, const struct crl *c, struct issuing_point *ret)
{
	const struct ext *x = exts_find(&c->exts, OID_CE_ISSUING_POINT);
	struct ext_value v;

	if (x == NULL || ext_decode(a, x, &v, NULL) != RC_OK)
		return false;
	*ret = v.point;
	return true;
}

bool
crl_number(struct bytes number, uint64_t *ret)
{
	if (number.n == 0 || number.n > 8 || number.p[0] >= 0x80)
		return false;
	*ret = 0;
	for (size_t i = 0; i < number.n; i++)
		*ret = *ret << 8 | number.p[i];
	return true;
}
