/* Extensions about the key and the place in the path: RFC 5280 4.2.1.1-3, 9-12, RFC 6960, RFC 7633. */
#include "base/base.h"
#include "pki/ext_kinds.h"

void
read_key_usage(struct der *d, struct arena *a, struct ext_value *v)
{
	v->key_usage = der_named_bits(d, DER_BIT_STRING);
	if (der_ok(d) && (v->key_usage == 0 || v->key_usage & ~(uint32_t)USAGE_ALL))
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.3",
			 "key usage has no bit set, or one that has no meaning");
}

void
write_key_usage(struct dw *w, const struct ext_value *v)
{
	dw_named_bits(w, DER_BIT_STRING, v->key_usage);
}

void
read_eku(struct der *d, struct arena *a, struct ext_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->eku.v = der_array(d, a, sizeof(*v->eku.v), &max);
	while (der_more(d) && v->eku.n < max) {
		struct bytes oid = der_oid(d);

		for (size_t i = 0; i < v->eku.n; i++)
			if (der_ok(d) && bytes_eq(oid, v->eku.v[i]))
				der_fail(d, CHY_EXT, "RFC 5280 4.2.1.12", "a purpose stands twice");
		v->eku.v[v->eku.n++] = oid;
	}
	der_leave(d);
}

void
write_eku(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->eku.n; i-- > 0;)
		dw_oid(w, v->eku.v[i]);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
read_basic(struct der *d, struct arena *a, struct ext_value *v)
{
	v->basic = (struct basic_constraints){ .path_len = -1 };
	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_BOOLEAN)) {
		v->basic.ca = der_bool(d);
		if (der_ok(d) && !v->basic.ca)
			der_fail(d, CHY_DER_DEFAULT, "X.690 11.5", "cA FALSE must be left out");
	}
	if (der_more(d))
		v->basic.path_len = (int)der_int(d, 0, 1000);
	der_leave(d);
}

void
write_basic(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	if (v->basic.path_len >= 0)
		dw_int(w, v->basic.path_len);
	if (v->basic.ca)
		dw_bool(w, true);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
read_key_id(struct der *d, struct arena *a, struct ext_value *v)
{
	v->key_id = der_take(d, DER_OCTET_STRING);
	if (der_ok(d) && v->key_id.n == 0)
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.2", "empty key identifier");
}

void
write_key_id(struct dw *w, const struct ext_value *v)
{
	dw_octets(w, v->key_id);
}

void
read_aki(struct der *d, struct arena *a, struct ext_value *v)
{
	struct authority_key_id *k = &v->aki;

	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_CTX(0)))
		k->key_id = der_take(d, DER_CTX(0));
	if (der_next_is(d, DER_CTX_CONS(1)))
		k->issuer = gnames_take(d, DER_CTX_CONS(1), a);
	if (der_next_is(d, DER_CTX(2))) {
		k->serial = der_take(d, DER_CTX(2));
		if (k->serial.n == 0 ||
		    (k->serial.n > 1 &&
		     ((k->serial.p[0] == 0 && k->serial.p[1] < 0x80) ||
		      (k->serial.p[0] == 0xff && k->serial.p[1] >= 0x80))))
			der_fail(d, CHY_DER_INTEGER, "X.690 8.3.2", "serial number is not canonical");
	}
	der_leave(d);
	if (der_ok(d) && (k->issuer.n > 0) != (k->serial.p != NULL))
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.1", "issuer and serial number must stand together");
}

void
write_aki(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	if (v->aki.serial.p != NULL)
		dw_tlv(w, DER_CTX(2), v->aki.serial);
	if (v->aki.issuer.n > 0)
		dw_gnames(w, DER_CTX_CONS(1), &v->aki.issuer);
	if (v->aki.key_id.p != NULL)
		dw_tlv(w, DER_CTX(0), v->aki.key_id);
	dw_wrap(w, DER_SEQUENCE, at);
}

static int64_t
opt_skip_certs(struct der *d, unsigned tag)
{
	struct bytes b;

	if (!der_next_is(d, DER_CTX(tag)))
		return -1;
	b = der_take(d, DER_CTX(tag));
	if (b.n == 0 || b.n > 2 || b.p[0] >= 0x80 || (b.n == 2 && b.p[0] == 0 && b.p[1] < 0x80)) {
		der_fail(d, CHY_DER_INTEGER, "RFC 5280 4.2.1.11",
			 "count of certificates is not canonical or too large");
		return -1;
	}
	return b.n == 1 ? b.p[0] : b.p[0] << 8 | b.p[1];
}

static void
write_skip_certs(struct dw *w, unsigned tag, int64_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	if (v > 0x7fff)
		w->bad = true;
	if (v >= 0)
		dw_tlv(w, DER_CTX(tag), bytes_part(BYTES_OF(b), v < 0x80 ? 1 : 0, 2));
}

void
read_policy_constraints(struct der *d, struct arena *a, struct ext_value *v)
{
	der_enter(d, DER_SEQUENCE);
	v->policy_constraints.require_explicit = opt_skip_certs(d, 0);
	v->policy_constraints.inhibit_mapping = opt_skip_certs(d, 1);
	der_leave(d);
	if (der_ok(d) && v->policy_constraints.require_explicit < 0 &&
	    v->policy_constraints.inhibit_mapping < 0)
		der_fail(d, CHY_EXT, "RFC 5280 4.2.1.11", "policy constraints without a constraint");
}

void
write_policy_constraints(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	write_skip_certs(w, 1, v->policy_constraints.inhibit_mapping);
	write_skip_certs(w, 0, v->policy_constraints.require_explicit);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
read_inhibit(struct der *d, struct arena *a, struct ext_value *v)
{
	v->inhibit_any = der_int(d, 0, 0x7fff);
}

void
write_inhibit(struct dw *w, const struct ext_value *v)
{
	dw_int(w, v->inhibit_any);
}

void
read_tls(struct der *d, struct arena *a, struct ext_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	v->tls.v = der_array(d, a, sizeof(*v->tls.v), &max);
	while (der_more(d) && v->tls.n < max)
		v->tls.v[v->tls.n++] = der_int(d, 0, 65535);
	der_leave(d);
}

void
write_tls(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->tls.n; i-- > 0;)
		dw_int(w, v->tls.v[i]);
	dw_wrap(w, DER_SEQUENCE, at);
}

void
read_null(struct der *d, struct arena *a, struct ext_value *v)
{
	der_null(d);
}

void
write_null(struct dw *w, const struct ext_value *v)
{
	dw_null(w);
}
