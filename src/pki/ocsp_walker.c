#include "base/base.h"
#include "pki/ocsp_walker.h"

#include "pki/name.h"

enum { NONCE_MAX = 128, DATA_MAX = 32 << 10 };

#define BREAKS(d, std, ...) der_fail((d), CHY_OCSP_DATA, (std), __VA_ARGS__)

static int64_t
walk_time(struct der *d)
{
	if (der_ok(d) && !der_next_is(d, DER_GENERALIZED_TIME))
		BREAKS(d, "RFC 6960 4.2.2.1", "a time that is no GeneralizedTime");
	return der_time(d, false);
}

/* The one extension that may stand here, its contents of the OCTET STRING; p NULL: none. */
static struct bytes
walk_ext(struct der *d, enum oid want)
{
	struct bytes value = BYTES_NONE;

	if (!der_next_is(d, DER_CTX_CONS(1)))
		return value;
	der_enter(d, DER_CTX_CONS(1));
	der_enter(d, DER_SEQUENCE);
	der_enter(d, DER_SEQUENCE);
	if (!bytes_eq(der_oid(d), oid_der(want)) || der_next_is(d, DER_BOOLEAN))
		BREAKS(d, "RFC 6960 4.4", "an extension that is not of the profile, or is critical");
	value = der_take(d, DER_OCTET_STRING);
	der_leave(d);
	der_leave(d);
	der_leave(d);
	return value;
}

static void
walk_id(struct der *d, struct ocsp_view_one *x)
{
	static const struct {
		enum oid oid;
		size_t n;
	} hashes[] = {
		{ OID_ALG_SHA1, 20 }, { OID_ALG_SHA256, 32 }, { OID_ALG_SHA384, 48 }, { OID_ALG_SHA512, 64 }
	};
	struct bytes oid;
	uint8_t h = 0;

	der_enter(d, DER_SEQUENCE);
	der_enter(d, DER_SEQUENCE);
	oid = der_oid(d);
	if (der_more(d))
		der_null(d);
	der_leave(d);
	x->name_hash = der_take(d, DER_OCTET_STRING);
	x->key_hash = der_take(d, DER_OCTET_STRING);
	x->serial = der_integer(d);
	der_leave(d);
	while (h < ARRAY_LEN(hashes) && !bytes_eq(oid, oid_der(hashes[h].oid)))
		h++;
	x->hash = h;
	if (der_ok(d) &&
	    (h == ARRAY_LEN(hashes) || x->name_hash.n != hashes[h].n || x->key_hash.n != hashes[h].n ||
	     x->serial.n > LIMIT_SERIAL))
		BREAKS(d, "RFC 6960 4.1.1", "a certificate's identity that is none");
}

static void
walk_reason(struct der *d)
{
	struct bytes v;

	der_enter(d, DER_CTX_CONS(0));
	v = der_take(d, DER_ENUMERATED);
	der_leave(d);
	/* removeFromCRL says something of a list, not of a certificate */
	if (der_ok(d) && (v.n != 1 || v.p[0] > 10 || v.p[0] == 7 || v.p[0] == 8))
		BREAKS(d, "RFC 5280 5.3.1", "a reason that must not stand here");
}

static int64_t
walk_status(struct der *d, struct ocsp_view_one *x)
{
	uint32_t tag = der_peek(d);
	int64_t revoked_at = INT64_MIN;

	x->status = tag == DER_CTX(0) ? 0 : tag == DER_CTX_CONS(1) ? 1 : 2;
	if (x->status != 1) {
		if (der_take(d, x->status == 0 ? DER_CTX(0) : DER_CTX(2)).n > 0)
			BREAKS(d, "X.690 8.8", "a status with contents");
		return revoked_at;
	}
	der_enter(d, DER_CTX_CONS(1));
	revoked_at = walk_time(d);
	if (der_more(d))
		walk_reason(d);
	der_leave(d);
	return revoked_at;
}

static void
walk_cutoff(struct der *d, struct bytes value, int64_t produced_at)
{
	struct der in = der_of(value, d->e);
	int64_t at;

	if (value.p == NULL)
		return;
	at = walk_time(&in);
	if (der_ok(&in) && at > produced_at)
		BREAKS(&in, "RFC 6960 4.4.4", "an archive that begins in the future");
	d->rc = der_end(&in);
}

static void
walk_one(struct der *d, struct ocsp_view *v, struct ocsp_view_one *x)
{
	int64_t revoked_at;

	x->next_update_at = INT64_MAX;
	der_enter(d, DER_SEQUENCE);
	walk_id(d, x);
	revoked_at = walk_status(d, x);
	x->this_update_at = walk_time(d);
	if (der_next_is(d, DER_CTX_CONS(0))) {
		der_enter(d, DER_CTX_CONS(0));
		x->next_update_at = walk_time(d);
		der_leave(d);
	}
	walk_cutoff(d, walk_ext(d, OID_PE_OCSP_ARCHIVE), v->produced_at);
	der_leave(d);
	if (der_ok(d) &&
	    (x->this_update_at > v->produced_at || x->this_update_at >= x->next_update_at ||
	     revoked_at > x->this_update_at))
		BREAKS(d, "RFC 6960 4.2.2.1", "times that are not in their order");
}

static void
walk_responder(struct der *d, struct ocsp_view *v)
{
	if (!der_next_is(d, DER_CTX_CONS(1))) {
		der_enter(d, DER_CTX_CONS(2));
		v->key_hash = der_take(d, DER_OCTET_STRING);
		der_leave(d);
		if (der_ok(d) && v->key_hash.n != 20)
			BREAKS(d, "RFC 6960 4.2.1", "the hash of the responder's key has %zu octets",
			       v->key_hash.n);
		return;
	}
	der_enter(d, DER_CTX_CONS(1));
	v->name = der_tlv(d, DER_SEQUENCE);
	der_leave(d);
	if (der_ok(d))
		d->rc = name_check(v->name, d->e);
	if (der_ok(d) && name_is_empty(v->name))
		BREAKS(d, "RFC 6960 4.2.1", "a responder without a name");
}

static void
walk_nonce(struct der *d, struct ocsp_view *v)
{
	struct bytes value = walk_ext(d, OID_PE_OCSP_NONCE), nonce;
	struct der in = der_of(value, d->e);

	if (value.p == NULL)
		return;
	nonce = der_take(&in, DER_OCTET_STRING);
	d->rc = der_end(&in);
	if (der_ok(d) && (nonce.n == 0 || nonce.n > NONCE_MAX))
		BREAKS(d, "RFC 9654 2.1", "nonce of %zu octets", nonce.n);
	v->has_nonce = true;
}

enum rc
ocsp_data_walk(struct bytes data, struct ocsp_view *ret, struct err *e)
{
	struct der d = der_of(data, e);
	struct ocsp_view *v = ret;

	v->name = v->key_hash = BYTES_NONE;
	v->has_nonce = false;
	v->n = 0;
	NEED(data.n <= DATA_MAX, e, CHY_OCSP_DATA, NULL, "%zu bytes, at most %d are signed", data.n,
	     DATA_MAX);
	der_enter(&d, DER_SEQUENCE);
	walk_responder(&d, v);
	v->produced_at = walk_time(&d);
	der_enter(&d, DER_SEQUENCE);
	if (der_ok(&d) && !der_more(&d))
		BREAKS(&d, "RFC 6960 4.2.1", "a response about no certificate");
	while (der_more(&d) && v->n < LIMIT_OCSP_IDS)
		walk_one(&d, v, &v->v[v->n++]);
	der_leave(&d);
	walk_nonce(&d, v);
	der_leave(&d);
	return der_end(&d);
}
