#include "base/base.h"
#include "pki/ocsp.h"

static const struct {
	enum oid oid;
	size_t len;
} hashes[OCSP_HASHES] = {
	[OCSP_SHA1] = { OID_ALG_SHA1, 20 },
	[OCSP_SHA256] = { OID_ALG_SHA256, 32 },
	[OCSP_SHA384] = { OID_ALG_SHA384, 48 },
	[OCSP_SHA512] = { OID_ALG_SHA512, 64 },
};

size_t
ocsp_hash_len(enum ocsp_hash h)
{
	return (unsigned)h < OCSP_HASHES ? hashes[h].len : 0;
}

/* ---- CertID ---- */

static enum ocsp_hash
take_hash(struct der *d)
{
	enum ocsp_hash h = OCSP_OTHER_HASH;
	enum oid known;
	struct bytes oid;

	der_enter(d, DER_SEQUENCE);
	oid = der_oid(d);
	known = der_ok(d) ? oid_find(oid) : OID_NONE;
	for (unsigned i = 0; i < OCSP_HASHES; i++)
		if (hashes[i].oid == known)
			h = (enum ocsp_hash)i;
	if (der_more(d) && h != OCSP_OTHER_HASH)
		der_null(d);
	else if (der_more(d))
		der_any(d, NULL);
	der_leave(d);
	return h;
}

static struct ocsp_id
take_id(struct der *d, enum code bad)
{
	const uint8_t *at = d->p;
	struct ocsp_id id = { 0 };

	der_enter(d, DER_SEQUENCE);
	id.hash = take_hash(d);
	id.name_hash = der_take(d, DER_OCTET_STRING);
	id.key_hash = der_take(d, DER_OCTET_STRING);
	id.serial = der_integer(d);
	der_leave(d);
	if (!der_ok(d))
		return id;
	id.der = bytes_of(at, (size_t)(d->p - at));
	if (id.hash != OCSP_OTHER_HASH &&
	    (id.name_hash.n != hashes[id.hash].len || id.key_hash.n != hashes[id.hash].len))
		der_fail(d, bad, "RFC 6960 4.1.1", "a hash is not as long as its algorithm makes it");
	if (id.serial.n > LIMIT_SERIAL)
		der_fail(d, bad, "RFC 5280 4.1.2.2", "serial number of %zu octets", id.serial.n);
	if (id.der.n > OCSP_ID_MAX)
		der_fail(d, bad, NULL, "a certificate's identity of %zu octets", id.der.n);
	return id;
}

enum rc
ocsp_id_parse(struct bytes der, struct ocsp_id *ret, struct err *e)
{
	struct der d = der_of(der, e);
	struct ocsp_id id = take_id(&d, CHY_OCSP_RESPONSE);

	TRY(der_end(&d));
	*ret = id;
	return RC_OK;
}

void
dw_ocsp_id(struct dw *w, const struct ocsp_id *id)
{
	size_t at = dw_mark(w), alg;

	dw_tlv(w, DER_INTEGER, id->serial);
	dw_octets(w, id->key_hash);
	dw_octets(w, id->name_hash);
	alg = dw_mark(w);
	dw_null(w);
	dw_oid(w, oid_der(hashes[id->hash < OCSP_HASHES ? id->hash : OCSP_SHA1].oid));
	dw_wrap(w, DER_SEQUENCE, alg);
	dw_wrap(w, DER_SEQUENCE, at);
}

/* ---- extensions ---- */

/* The nonce is an OCTET STRING inside of the extension's (RFC 9654 2.1). */
static struct bytes
take_nonce(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);
	struct bytes nonce = der_take(&in, DER_OCTET_STRING);

	d->rc = der_end(&in);
	if (der_ok(d) && (nonce.n == 0 || nonce.n > OCSP_NONCE_MAX))
		der_fail(d, CHY_OCSP_REQUEST, "RFC 9654 2.1", "nonce of %zu octets, 1 to %d", nonce.n,
			 OCSP_NONCE_MAX);
	return nonce;
}

static void
take_ext(struct der *d, struct bytes *nonce)
{
	bool critical = false;
	struct bytes oid, value;

	der_enter(d, DER_SEQUENCE);
	oid = der_oid(d);
	if (der_next_is(d, DER_BOOLEAN))
		critical = der_bool(d);
	value = der_take(d, DER_OCTET_STRING);
	der_leave(d);
	if (!der_ok(d))
		return;
	if (nonce != NULL && oid_find(oid) == OID_PE_OCSP_NONCE) {
		if (nonce->p != NULL)
			der_fail(d, CHY_OCSP_REQUEST, "RFC 5280 4.2", "the nonce stands twice");
		else
			*nonce = take_nonce(d, value);
	} else if (critical) {
		der_fail(d, CHY_OCSP_REQUEST, "RFC 6960 4.1.2",
			 "a critical extension that is not known here");
	}
}

static void
take_exts(struct der *d, unsigned tag, struct bytes *nonce)
{
	size_t n = 0;

	if (!der_next_is(d, DER_CTX_CONS(tag)))
		return;
	der_enter(d, DER_CTX_CONS(tag));
	der_enter(d, DER_SEQUENCE);
	for (; der_more(d); n++) {
		if (n == LIMIT_EXTENSIONS)
			der_fail(d, CHY_OCSP_REQUEST, NULL, "more than %d extensions", LIMIT_EXTENSIONS);
		take_ext(d, nonce);
	}
	der_leave(d);
	der_leave(d);
}

/* ---- the request ---- */

static void
take_list(struct der *d, struct ocsp_request *r)
{
	der_enter(d, DER_SEQUENCE);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_OCSP_REQUEST, "RFC 6960 4.1.1", "asks about no certificate");
	while (der_more(d)) {
		if (r->n == LIMIT_OCSP_IDS) {
			der_fail(d, CHY_OCSP_REQUEST, NULL, "more than %d certificates", LIMIT_OCSP_IDS);
			return;
		}
		der_enter(d, DER_SEQUENCE);
		r->v[r->n] = take_id(d, CHY_OCSP_REQUEST);
		take_exts(d, 0, NULL);
		der_leave(d);
		if (!der_ok(d))
			err_field(d->e, "requestList[%zu]", r->n);
		r->n++;
	}
	der_leave(d);
}

static void
take_tbs(struct der *d, struct ocsp_request *r)
{
	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_CTX_CONS(0))) {
		der_enter(d, DER_CTX_CONS(0));
		if (der_int(d, 0, INT32_MAX) != 0)
			der_fail(d, CHY_OCSP_REQUEST, "RFC 6960 4.1.1", "version is not 1");
		der_leave(d);
	}
	if (der_next_is(d, DER_CTX_CONS(1))) {
		der_enter(d, DER_CTX_CONS(1));
		gname_take(d, GN_NAME);
		der_leave(d);
	}
	take_list(d, r);
	take_exts(d, 2, &r->nonce);
	der_leave(d);
}

enum rc
ocsp_request_parse(struct bytes der, struct ocsp_request *ret, struct err *e)
{
	struct der d = der_of(der, e);

	ret->n = 0;
	ret->nonce = BYTES_NONE;
	ret->is_signed = false;
	NEED(der.n <= LIMIT_OCSP_REQUEST, e, CHY_OCSP_REQUEST, NULL, "%zu bytes, at most %d are taken", der.n,
	     LIMIT_OCSP_REQUEST);
	der_enter(&d, DER_SEQUENCE);
	take_tbs(&d, ret);
	if (der_next_is(&d, DER_CTX_CONS(0))) {
		struct bytes signature = der_tlv(&d, DER_CTX_CONS(0));

		ret->is_signed = true;
		if (der_ok(&d))
			d.rc = der_check(signature, e);
	}
	der_leave(&d);
	return der_end(&d);
}

void
dw_ocsp_request(struct dw *w, const struct ocsp_id *v, size_t n, struct bytes nonce)
{
	size_t at = dw_mark(w), list;

	if (nonce.p != NULL) {
		dw_octets(w, nonce);
		dw_wrap(w, DER_OCTET_STRING, at);
		dw_oid(w, oid_der(OID_PE_OCSP_NONCE));
		dw_wrap(w, DER_SEQUENCE, at);
		dw_wrap(w, DER_SEQUENCE, at);
		dw_wrap(w, DER_CTX_CONS(2), at);
	}
	list = dw_mark(w);
	for (size_t i = n; i-- > 0;) {
		size_t one = dw_mark(w);

		dw_ocsp_id(w, &v[i]);
		dw_wrap(w, DER_SEQUENCE, one);
	}
	dw_wrap(w, DER_SEQUENCE, list);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_SEQUENCE, at);
}
