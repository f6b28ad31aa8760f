/* Responses read again: our own before they are trusted, others' in checks. */
#include "base/base.h"
#include "pki/ocsp.h"

const char *
ocsp_result_name(int r)
{
	static const char *const names[] = {
		[OCSP_SUCCESSFUL] = "successful",        [OCSP_MALFORMED_REQUEST] = "malformedRequest",
		[OCSP_INTERNAL_ERROR] = "internalError", [OCSP_TRY_LATER] = "tryLater",
		[OCSP_SIG_REQUIRED] = "sigRequired",     [OCSP_UNAUTHORIZED] = "unauthorized",
	};

	return r >= 0 && r < (int)ARRAY_LEN(names) && names[r] != NULL ? names[r] : "";
}

const char *
ocsp_status_name(enum ocsp_status s)
{
	static const char *const names[] = { "good", "revoked", "unknown" };

	return (unsigned)s < ARRAY_LEN(names) ? names[s] : "";
}

static int64_t
take_time(struct der *d)
{
	if (der_ok(d) && !der_next_is(d, DER_GENERALIZED_TIME))
		der_fail(d, CHY_OCSP_RESPONSE, "RFC 6960 4.2.2.1", "a time that is no GeneralizedTime");
	return der_time(d, false);
}

static int
take_enumerated(struct der *d)
{
	struct bytes b = der_take(d, DER_ENUMERATED);

	if (der_ok(d) && (b.n != 1 || b.p[0] >= 0x80))
		der_fail(d, CHY_OCSP_RESPONSE, NULL, "an ENUMERATED of %zu octets", b.n);
	return der_ok(d) ? b.p[0] : -1;
}

/* ---- extensions ---- */

/* Those that we know; others must not be critical. */
static void
take_ext(struct der *d, enum oid want, struct bytes *ret)
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
	if (oid_find(oid) == want && ret->p == NULL)
		*ret = value;
	else if (oid_find(oid) == want || critical)
		der_fail(d, CHY_OCSP_RESPONSE, "RFC 6960 4.4",
			 "an extension twice, or a critical one that is not known");
}

static struct bytes
take_exts(struct der *d, enum oid want)
{
	struct bytes found = BYTES_NONE;

	if (!der_next_is(d, DER_CTX_CONS(1)))
		return found;
	der_enter(d, DER_CTX_CONS(1));
	der_enter(d, DER_SEQUENCE);
	while (der_more(d))
		take_ext(d, want, &found);
	der_leave(d);
	der_leave(d);
	return found;
}

/* ---- one certificate's ---- */

static void
take_revoked(struct der *d, struct ocsp_single *x)
{
	x->status = OCSP_REVOKED;
	der_enter(d, DER_CTX_CONS(1));
	x->revoked_at = take_time(d);
	if (der_next_is(d, DER_CTX_CONS(0))) {
		der_enter(d, DER_CTX_CONS(0));
		x->reason = take_enumerated(d);
		der_leave(d);
		if (der_ok(d) && crl_reason_name(x->reason)[0] == 0)
			der_fail(d, CHY_OCSP_RESPONSE, "RFC 5280 5.3.1", "reason %d", x->reason);
	}
	der_leave(d);
}

static void
take_status(struct der *d, struct ocsp_single *x)
{
	uint32_t tag = der_peek(d);

	if (tag == DER_CTX_CONS(1)) {
		take_revoked(d, x);
		return;
	}
	x->status = tag == DER_CTX(0) ? OCSP_GOOD : OCSP_UNKNOWN;
	if (der_take(d, tag == DER_CTX(0) ? DER_CTX(0) : DER_CTX(2)).n > 0)
		der_fail(d, CHY_DER_NULL, "X.690 8.8", "a status with contents");
}

static int64_t
cutoff_of(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);
	int64_t at;

	if (value.p == NULL)
		return OCSP_NO_TIME;
	at = take_time(&in);
	d->rc = der_end(&in);
	return at;
}

static struct ocsp_single
take_single(struct der *d)
{
	struct ocsp_single x = { .reason = CRL_NO_REASON, .next_update_at = OCSP_NO_TIME };
	struct ocsp_id id;

	der_enter(d, DER_SEQUENCE);
	x.cert_id = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d))
		d->rc = ocsp_id_parse(x.cert_id, &id, d->e);
	take_status(d, &x);
	x.this_update_at = take_time(d);
	if (der_next_is(d, DER_CTX_CONS(0))) {
		der_enter(d, DER_CTX_CONS(0));
		x.next_update_at = take_time(d);
		der_leave(d);
	}
	x.archive_cutoff_at = cutoff_of(d, take_exts(d, OID_PE_OCSP_ARCHIVE));
	der_leave(d);
	return x;
}

bool
ocsp_single_next(struct bytes *rest, struct ocsp_single *ret)
{
	struct der d = der_of(*rest, NULL);

	if (rest->n == 0)
		return false;
	*ret = take_single(&d);
	if (!der_ok(&d))
		return false;
	*rest = bytes_of(d.p, (size_t)(d.end - d.p));
	return true;
}

bool
ocsp_cert_next(struct bytes *rest, struct bytes *ret)
{
	struct der d = der_of(*rest, NULL);

	if (rest->n == 0)
		return false;
	*ret = der_tlv(&d, DER_SEQUENCE);
	if (!der_ok(&d))
		return false;
	*rest = bytes_of(d.p, (size_t)(d.end - d.p));
	return true;
}

/* ---- the whole ---- */

static void
take_responder(struct der *d, struct ocsp_response *r)
{
	if (der_next_is(d, DER_CTX_CONS(1))) {
		der_enter(d, DER_CTX_CONS(1));
		r->name = der_tlv(d, DER_SEQUENCE);
		der_leave(d);
		if (der_ok(d))
			d->rc = name_check(r->name, d->e);
		return;
	}
	der_enter(d, DER_CTX_CONS(2));
	r->key_hash = der_take(d, DER_OCTET_STRING);
	der_leave(d);
	if (der_ok(d) && r->key_hash.n != 20)
		der_fail(d, CHY_OCSP_RESPONSE, "RFC 6960 4.2.1",
			 "the hash of the responder's key has %zu octets", r->key_hash.n);
}

static struct bytes
inner_nonce(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);
	struct bytes nonce;

	if (value.p == NULL)
		return BYTES_NONE;
	nonce = der_take(&in, DER_OCTET_STRING);
	d->rc = der_end(&in);
	return nonce;
}

static void
take_data(struct der *d, struct ocsp_response *r)
{
	const uint8_t *at = d->p;

	der_enter(d, DER_SEQUENCE);
	if (der_next_is(d, DER_CTX_CONS(0)))
		der_fail(d, CHY_OCSP_RESPONSE, "X.690 11.5", "version is not 1, or is written out");
	take_responder(d, r);
	r->produced_at = take_time(d);
	der_enter(d, DER_SEQUENCE);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_OCSP_RESPONSE, "RFC 6960 4.2.1", "a response about no certificate");
	if (der_ok(d))
		r->singles = bytes_of(d->p, (size_t)(d->end - d->p));
	for (; der_more(d); r->n++)
		(void)take_single(d);
	der_leave(d);
	r->nonce = inner_nonce(d, take_exts(d, OID_PE_OCSP_NONCE));
	der_leave(d);
	if (der_ok(d))
		r->data = bytes_of(at, (size_t)(d->p - at));
}

static void
take_certs(struct der *d, struct ocsp_response *r)
{
	if (!der_next_is(d, DER_CTX_CONS(0)))
		return;
	der_enter(d, DER_CTX_CONS(0));
	der_enter(d, DER_SEQUENCE);
	if (der_ok(d))
		r->certs = bytes_of(d->p, (size_t)(d->end - d->p));
	for (; der_more(d); r->certs_n++)
		der_tlv(d, DER_SEQUENCE);
	der_leave(d);
	der_leave(d);
}

static void
take_basic(struct der *d, struct ocsp_response *r)
{
	der_enter(d, DER_SEQUENCE);
	take_data(d, r);
	r->alg = der_tlv(d, DER_SEQUENCE);
	r->signature = der_bit_octets(d);
	take_certs(d, r);
	der_leave(d);
	if (!der_ok(d) || sigalg_parse(r->alg, &r->sigalg, NULL) == RC_OK)
		return;
	r->sigalg = SIGALG_NONE;
	d->rc = der_check(r->alg, d->e);
}

enum rc
ocsp_response_parse(struct bytes der, struct ocsp_response *ret, struct err *e)
{
	struct der d = der_of(der, e);
	struct ocsp_response r = { 0 };
	int result;

	NEED(der.n <= LIMIT_OCSP_RESPONSE, e, CHY_OCSP_RESPONSE, NULL, "%zu bytes, at most %d are taken",
	     der.n, LIMIT_OCSP_RESPONSE);
	der_enter(&d, DER_SEQUENCE);
	result = take_enumerated(&d);
	if (der_ok(&d) && ocsp_result_name(result)[0] == 0)
		der_fail(&d, CHY_OCSP_RESPONSE, "RFC 6960 4.2.1", "response status %d", result);
	r.result = (enum ocsp_result)result;
	if (result == OCSP_SUCCESSFUL) {
		der_enter(&d, DER_CTX_CONS(0));
		der_enter(&d, DER_SEQUENCE);
		if (oid_find(der_oid(&d)) != OID_PE_OCSP_BASIC)
			der_fail(&d, CHY_OCSP_RESPONSE, "RFC 6960 4.2.1", "not a basic response");
		der_enter_octets(&d);
		take_basic(&d, &r);
		der_leave(&d);
		der_leave(&d);
		der_leave(&d);
	}
	der_leave(&d);
	TRY(der_end(&d));
	*ret = r;
	return RC_OK;
}
