#include "base/base.h"
#include "pki/key.h"

#include "pki/oid.h"

static const struct curve_row {
	const char *name;
	enum oid oid;
	size_t field_len;
	unsigned bits;
} curves[] = {
	[CURVE_NONE] = { "", OID_NONE, 0, 0 },
	[CURVE_P256] = { "p-256", OID_ALG_P256, 32, 256 },
	[CURVE_P384] = { "p-384", OID_ALG_P384, 48, 384 },
	[CURVE_P521] = { "p-521", OID_ALG_P521, 66, 521 },
};

/* Keys that are so many raw octets and take no parameters (RFC 8410, RFC 9881). */
static const struct raw_row {
	enum key_alg alg;
	const char *name;
	enum oid oid;
	size_t len;
	unsigned bits;
} raws[] = {
	{ KEY_ED25519, "ed25519", OID_ALG_ED25519, 32, 256 },
	{ KEY_ED448, "ed448", OID_ALG_ED448, 57, 456 },
	{ KEY_ML_DSA_44, "ml-dsa-44", OID_ALG_ML_DSA_44, 1312, 10496 },
	{ KEY_ML_DSA_65, "ml-dsa-65", OID_ALG_ML_DSA_65, 1952, 15616 },
	{ KEY_ML_DSA_87, "ml-dsa-87", OID_ALG_ML_DSA_87, 2592, 20736 },
};

static const struct curve_row *
curve_row(enum curve c)
{
	return &curves[(unsigned)c < ARRAY_LEN(curves) ? c : CURVE_NONE];
}

static const struct raw_row *
raw_row(enum key_alg a)
{
	for (size_t i = 0; i < ARRAY_LEN(raws); i++)
		if (raws[i].alg == a)
			return &raws[i];
	return NULL;
}

const char *
curve_name(enum curve c)
{
	return curve_row(c)->name;
}

struct bytes
curve_oid(enum curve c)
{
	return oid_der(curve_row(c)->oid);
}

size_t
curve_field_len(enum curve c)
{
	return curve_row(c)->field_len;
}

const char *
key_alg_name(enum key_alg a)
{
	const struct raw_row *r = raw_row(a);

	return r ? r->name : a == KEY_RSA ? "rsa" : a == KEY_EC ? "ec" : "";
}

/* ---- reading ---- */

static unsigned
bit_length(struct bytes b)
{
	unsigned n = (unsigned)b.n * 8;

	for (uint8_t top = 0x80; n > 0 && top != 0 && (b.p[0] & top) == 0; top >>= 1)
		n--;
	return n;
}

/* RFC 3279 2.3.1. */
static void
read_rsa(struct der *d, struct pubkey *k)
{
	struct der in;

	der_null(d);
	der_leave(d);
	k->bits_der = der_bit_octets(d);
	if (!der_ok(d))
		return;
	in = der_of(k->bits_der, d->e);
	der_enter(&in, DER_SEQUENCE);
	k->modulus = der_unsigned(&in);
	k->exponent = der_unsigned(&in);
	der_leave(&in);
	d->rc = der_end(&in);
	if (!der_ok(d))
		return;
	k->alg = KEY_RSA;
	k->bits = bit_length(k->modulus);
	if (k->bits < 1024 || k->bits > 16384)
		der_fail(d, CHY_KEY_SIZE, NULL, "RSA modulus of %u bits", k->bits);
	else if ((k->exponent.p[k->exponent.n - 1] & 1) == 0 || (k->exponent.n == 1 && k->exponent.p[0] < 3))
		der_fail(d, CHY_KEY_EXPONENT, "SP 800-89 5.3.3", "RSA exponent must be odd and at least 3");
	else if (k->exponent.n > k->modulus.n ||
		 (k->exponent.n == k->modulus.n && bytes_cmp(k->exponent, k->modulus) >= 0))
		der_fail(d, CHY_KEY_EXPONENT, "RFC 8017 3.1", "RSA exponent must be less than the modulus");
}

static enum curve
curve_of(struct bytes oid)
{
	for (unsigned i = 1; i < ARRAY_LEN(curves); i++)
		if (bytes_eq(oid, oid_der(curves[i].oid)))
			return (enum curve)i;
	return CURVE_NONE;
}

static void
read_point(struct der *d, struct pubkey *k)
{
	size_t f = curve_field_len(k->curve);
	uint8_t form;

	k->point = k->bits_der = der_bit_octets(d);
	if (!der_ok(d))
		return;
	form = k->point.n ? k->point.p[0] : 0;
	if (form != 2 && form != 3 && form != 4)
		der_fail(d, CHY_KEY_FORM, "RFC 5480 2.2", "point is neither uncompressed nor compressed");
	else if (k->point.n != (form == 4 ? 2 * f + 1 : f + 1))
		der_fail(d, CHY_KEY_SIZE, "SEC 1 2.3.3", "point of %zu octets on %s", k->point.n,
			 curve_name(k->curve));
}

/* RFC 5480 2.1.1. */
static void
read_ec(struct der *d, struct pubkey *k)
{
	char text[OID_TEXT_MAX];
	struct bytes oid;

	if (der_next_is(d, DER_SEQUENCE) || der_next_is(d, DER_NULL)) {
		der_fail(d, CHY_KEY_EXPLICIT, "RFC 5480 2.1.1", "only named curves may be used");
		return;
	}
	oid = der_oid(d);
	der_leave(d);
	if (!der_ok(d))
		return;
	k->alg = KEY_EC;
	k->curve = curve_of(oid);
	k->bits = curve_row(k->curve)->bits;
	if (k->curve == CURVE_NONE)
		der_fail(d, CHY_KEY_ALG, "RFC 5480 2.1.1.1", "curve %s is not P-256, P-384 or P-521",
			 oid_text(text, oid));
	else
		read_point(d, k);
}

static void
read_raw(struct der *d, struct pubkey *k, const struct raw_row *r)
{
	if (der_more(d)) {
		der_fail(d, CHY_KEY_FORM, "RFC 8410 3", "%s takes no parameters", r->name);
		return;
	}
	der_leave(d);
	k->point = k->bits_der = der_bit_octets(d);
	k->alg = r->alg;
	k->bits = r->bits;
	if (der_ok(d) && k->point.n != r->len)
		der_fail(d, CHY_KEY_SIZE, "RFC 8410 4", "%s key of %zu octets instead of %zu", r->name,
			 k->point.n, r->len);
}

static void
read_by_alg(struct der *d, struct pubkey *k)
{
	char text[OID_TEXT_MAX];
	struct bytes oid = der_oid(d);
	enum oid known = oid_find(oid);

	if (!der_ok(d))
		return;
	if (known == OID_ALG_RSA) {
		read_rsa(d, k);
		return;
	}
	if (known == OID_ALG_EC) {
		read_ec(d, k);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
		if (raws[i].oid == known) {
			read_raw(d, k, &raws[i]);
			return;
		}
	}
	der_fail(d, CHY_KEY_ALG, NULL, "public key algorithm %s is not supported", oid_text(text, oid));
}

enum rc
pubkey_parse(struct bytes der, struct pubkey *ret, struct err *e)
{
	struct der d = der_of(der, e);
	struct pubkey k = { .spki = der };

	der_enter(&d, DER_SEQUENCE);
	der_enter(&d, DER_SEQUENCE);
	read_by_alg(&d, &k);
	der_leave(&d);
	TRY(der_end(&d));
	*ret = k;
	return RC_OK;
}

/* ---- kinds ---- */

struct key_type
pubkey_type(const struct pubkey *k)
{
	return (struct key_type){ k->alg, k->curve, k->bits };
}

char *
key_type_text(char *dst, struct key_type t)
{
	if (t.alg == KEY_RSA)
		snprintf(dst, KEY_NAME_MAX, "rsa-%u", t.bits);
	else
		snprintf(dst, KEY_NAME_MAX, "%s",
			 t.alg == KEY_EC ? curve_name(t.curve) : key_alg_name(t.alg));
	return dst;
}

enum rc
key_type_parse(struct bytes text, struct key_type *ret, struct err *e)
{
	int64_t bits;

	for (unsigned i = 1; i < ARRAY_LEN(curves); i++) {
		if (ascii_case_eq(text, bytes_str(curves[i].name))) {
			*ret = (struct key_type){ KEY_EC, (enum curve)i, curves[i].bits };
			return RC_OK;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
		if (ascii_case_eq(text, bytes_str(raws[i].name))) {
			*ret = (struct key_type){ raws[i].alg, CURVE_NONE, raws[i].bits };
			return RC_OK;
		}
	}
	NEED(text.n > 4 && ascii_case_eq(bytes_part(text, 0, 4), BYTES("rsa-")) &&
		 int_parse(bytes_part(text, 4, SIZE_MAX), 1024, 16384, &bits, NULL) == RC_OK && bits % 8 == 0,
	     e, CHY_KEY_ALG, NULL,
	     "\"%.*s\" is no kind of key; rsa-3072, p-256, p-384, p-521, ed25519, ed448, ml-dsa-44, -65 and "
	     "-87 are",
	     BYTES_FMT(bytes_part(text, 0, 40)));
	*ret = (struct key_type){ KEY_RSA, CURVE_NONE, (unsigned)bits };
	return RC_OK;
}

/* ---- writing ---- */

void
dw_spki_rsa(struct dw *w, struct bytes modulus, struct bytes exponent)
{
	size_t at = dw_mark(w), alg;
	uint8_t *p;

	dw_unsigned(w, exponent);
	dw_unsigned(w, modulus);
	dw_wrap(w, DER_SEQUENCE, at);
	p = dw_room(w, 1);
	if (p != NULL)
		*p = 0;
	dw_wrap(w, DER_BIT_STRING, at);
	alg = dw_mark(w);
	dw_null(w);
	dw_oid(w, oid_der(OID_ALG_RSA));
	dw_wrap(w, DER_SEQUENCE, alg);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
dw_spki(struct dw *w, struct key_type t, struct bytes raw)
{
	const struct raw_row *r = raw_row(t.alg);
	size_t at = dw_mark(w), alg;

	dw_bits(w, raw);
	alg = dw_mark(w);
	if (t.alg == KEY_EC && t.curve != CURVE_NONE) {
		dw_oid(w, curve_oid(t.curve));
		dw_oid(w, oid_der(OID_ALG_EC));
	} else if (r != NULL) {
		dw_oid(w, oid_der(r->oid));
	} else {
		w->bad = true;
	}
	dw_wrap(w, DER_SEQUENCE, alg);
	dw_wrap(w, DER_SEQUENCE, at);
}
