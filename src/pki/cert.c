#include "base/base.h"
#include "pki/cert.h"

#include "pki/signed.h"

static void
take_version(struct der *d, struct cert *c)
{
	c->version = 1;
	if (!der_next_is(d, DER_CTX_CONS(0)))
		return;
	der_enter(d, DER_CTX_CONS(0));
	c->version = (int)der_int(d, 0, 2) + 1;
	der_leave(d);
	if (der_ok(d) && c->version == 1)
		der_fail(d, CHY_DER_DEFAULT, "X.690 11.5", "version v1 must be left out");
}

/* Foreign certificates may have a serial number of zero or below; more than 20 octets nobody may. */
static void
take_serial(struct der *d, struct cert *c)
{
	c->serial = der_integer(d);
	if (der_ok(d) && c->serial.n > LIMIT_SERIAL)
		der_fail(d, CHY_CERT, "RFC 5280 4.1.2.2", "serial number of %zu octets", c->serial.n);
}

static struct bytes
take_name(struct der *d, const char *field)
{
	struct bytes n = der_tlv(d, DER_SEQUENCE);

	if (der_ok(d) && (d->rc = name_check(n, d->e)) != RC_OK)
		err_field(d->e, "%s", field);
	return n;
}

static void
take_validity(struct der *d, struct cert *c)
{
	const uint8_t *at = d->p;

	der_enter(d, DER_SEQUENCE);
	c->not_before_generalized = der_next_is(d, DER_GENERALIZED_TIME);
	c->not_before_at = der_time(d, false);
	c->not_after_generalized = der_next_is(d, DER_GENERALIZED_TIME);
	c->not_after_at = der_time(d, false);
	der_leave(d);
	if (der_ok(d))
		c->validity_der = bytes_of(at, (size_t)(d->p - at));
}

static struct bytes
take_uid(struct der *d, unsigned tag, const struct cert *c)
{
	struct bytes b;

	if (!der_next_is(d, DER_CTX(tag)))
		return BYTES_NONE;
	b = der_take(d, DER_CTX(tag));
	if (c->version < 2)
		der_fail(d, CHY_CERT, "RFC 5280 4.1.2.8", "unique identifier in a version 1 certificate");
	return b;
}

static void
take_exts(struct der *d, struct arena *a, struct cert *c)
{
	struct bytes tlv;

	if (!der_next_is(d, DER_CTX_CONS(3)))
		return;
	der_enter(d, DER_CTX_CONS(3));
	tlv = der_tlv(d, DER_SEQUENCE);
	der_leave(d);
	if (der_ok(d) && c->version != 3)
		der_fail(d, CHY_CERT, "RFC 5280 4.1.2.9", "extensions in a version %d certificate",
			 c->version);
	if (der_ok(d))
		d->rc = exts_parse(a, tlv, &c->exts, d->e);
}

/* The outer form of a key that we may not know. */
static enum rc
check_spki(struct bytes spki, struct err *e)
{
	struct der d = der_of(spki, e);

	der_enter(&d, DER_SEQUENCE);
	signed_take_alg(&d);
	der_bit_octets(&d);
	der_leave(&d);
	TRY(der_end(&d));
	return der_check(spki, e);
}

static enum rc
parse_tbs(struct arena *a, struct cert *c, struct err *e)
{
	struct der d = der_of(c->tbs, e);

	der_enter(&d, DER_SEQUENCE);
	take_version(&d, c);
	take_serial(&d, c);
	c->tbs_alg = der_tlv(&d, DER_SEQUENCE);
	c->issuer = take_name(&d, "issuer");
	take_validity(&d, c);
	c->subject = take_name(&d, "subject");
	c->spki = der_tlv(&d, DER_SEQUENCE);
	c->issuer_uid = take_uid(&d, 1, c);
	c->subject_uid = take_uid(&d, 2, c);
	take_exts(&d, a, c);
	der_leave(&d);
	TRY(der_end(&d));
	TRY_AT(check_spki(c->spki, e), e, "subjectPublicKeyInfo");
	return RC_OK;
}

enum rc
cert_parse(struct arena *a, struct bytes der, struct cert *ret, struct err *e)
{
	struct cert c = { .der = der };
	struct signed_parts p;

	TRY(signed_parse(der, LIMIT_CERT, CHY_CERT_SIZE, &p, e));
	c.tbs = p.tbs;
	c.alg = p.alg;
	c.signature = p.signature;
	TRY(parse_tbs(a, &c, e));
	NEED(bytes_eq(c.alg, c.tbs_alg), e, CHY_CERT, "RFC 5280 4.1.1.2",
	     "signature algorithm differs from the signed one");
	TRY(signed_alg(c.alg, &c.sigalg, e));
	*ret = c;
	return RC_OK;
}

enum rc
cert_parse_tbs(struct arena *a, struct bytes tbs, struct cert *ret, struct err *e)
{
	struct cert c = { .tbs = tbs };

	NEED(tbs.n <= LIMIT_TBS, e, CHY_CERT_SIZE, NULL, "%zu bytes, at most %d are taken", tbs.n, LIMIT_TBS);
	TRY(parse_tbs(a, &c, e));
	TRY(signed_alg(c.tbs_alg, &c.sigalg, e));
	*ret = c;
	return RC_OK;
}

enum rc
cert_parse_any(struct arena *a, struct bytes in, struct cert *ret, struct err *e)
{
	struct bytes der;

	TRY(signed_text(a, in, LIMIT_CERT, CHY_CERT_SIZE, "CERTIFICATE", &der, e));
	return cert_parse(a, der, ret, e);
}

/* ---- asking ---- */

bool
cert_is_self_issued(const struct cert *c)
{
	return name_eq(c->issuer, c->subject);
}

bool
cert_is_ca(const struct cert *c)
{
	const struct ext *x = exts_find(&c->exts, OID_CE_BASIC_CONSTRAINTS);
	struct basic_constraints b;

	return x != NULL && ext_basic(x->value, &b, NULL) == RC_OK && b.ca;
}

struct bytes
cert_key_id(const struct cert *c)
{
	const struct ext *x = exts_find(&c->exts, OID_CE_SUBJECT_KEY_ID);
	struct bytes id;

	return x != NULL && ext_key_id(x->value, &id, NULL) == RC_OK ? id : BYTES_NONE;
}

struct bytes
cert_authority_key_id(struct arena *a, const struct cert *c)
{
	const struct ext *x = exts_find(&c->exts, OID_CE_AUTHORITY_KEY_ID);
	struct ext_value v;

	return x != NULL && ext_decode(a, x, &v, NULL) == RC_OK ? v.aki.key_id : BYTES_NONE;
}

void
cert_put_san_lines(struct buf *out, struct arena *a, const struct cert *c)
{
	const struct ext *x = exts_find(&c->exts, OID_CE_SUBJECT_ALT_NAME);
	struct ext_value v;

	if (x == NULL || ext_decode(a, x, &v, NULL) != RC_OK)
		return;
	for (size_t i = 0; i < v.names.n; i++) {
		if (i > 0)
			buf_u8(out, '\n');
		gname_put_text(out, &v.names.v[i]);
	}
}
