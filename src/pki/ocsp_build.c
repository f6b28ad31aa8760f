#include "base/base.h"
#include "pki/ocsp.h"

/* ---- is it complete ---- */

static enum rc
check_single(const struct ocsp_single *x, struct err *e)
{
	NEED(x->cert_id.n > 0 && x->cert_id.n <= OCSP_ID_MAX, e, CHY_OCSP_RESPONSE, "RFC 6960 4.2.1",
	     "a response about no certificate");
	NEED(x->next_update_at == OCSP_NO_TIME || x->this_update_at < x->next_update_at, e, CHY_OCSP_RESPONSE,
	     "RFC 6960 4.2.2.1", "the next update is not after this one");
	NEED(x->status != OCSP_REVOKED || x->reason == CRL_NO_REASON || crl_reason_name(x->reason)[0] != 0, e,
	     CHY_OCSP_RESPONSE, "RFC 5280 5.3.1", "reason %d", x->reason);
	return RC_OK;
}

static enum rc
check(const struct ocsp_inputs *in, struct err *e)
{
	NEED((in->name.n > 0) != (in->key_hash.n > 0) && (in->key_hash.n == 0 || in->key_hash.n == 20), e,
	     CHY_OCSP_RESPONSE, "RFC 6960 4.2.2.3", "the responder must have a name or the hash of its key");
	NEED(in->n >= 1 && in->n <= LIMIT_OCSP_IDS, e, CHY_OCSP_RESPONSE, "RFC 6960 4.2.1",
	     "%zu certificates, 1 to %d", in->n, LIMIT_OCSP_IDS);
	NEED(in->nonce.p == NULL || (in->nonce.n >= 1 && in->nonce.n <= OCSP_NONCE_MAX), e, CHY_OCSP_RESPONSE,
	     "RFC 9654 2.1", "nonce of %zu octets", in->nonce.n);
	for (size_t i = 0; i < in->n; i++)
		TRY_AT(check_single(&in->v[i], e), e, "responses[%zu]", i);
	return RC_OK;
}

/* ---- writing, from the end ---- */

static void
put_exts(struct dw *w, enum oid o, size_t at)
{
	dw_wrap(w, DER_OCTET_STRING, at);
	dw_oid(w, oid_der(o));
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_CTX_CONS(1), at);
}

static void
put_status(struct dw *w, const struct ocsp_single *x)
{
	size_t at = dw_mark(w);
	uint8_t reason = (uint8_t)x->reason;

	if (x->status != OCSP_REVOKED) {
		dw_head(w, x->status == OCSP_GOOD ? DER_CTX(0) : DER_CTX(2), 0);
		return;
	}
	if (x->reason != CRL_NO_REASON) {
		dw_tlv(w, DER_ENUMERATED, bytes_of(&reason, 1));
		dw_wrap(w, DER_CTX_CONS(0), at);
	}
	dw_generalized_time(w, DER_GENERALIZED_TIME, x->revoked_at);
	dw_wrap(w, DER_CTX_CONS(1), at);
}

static void
put_single(struct dw *w, const struct ocsp_single *x)
{
	size_t at = dw_mark(w), next;

	if (x->archive_cutoff_at != OCSP_NO_TIME) {
		dw_generalized_time(w, DER_GENERALIZED_TIME, x->archive_cutoff_at);
		put_exts(w, OID_PE_OCSP_ARCHIVE, at);
	}
	next = dw_mark(w);
	if (x->next_update_at != OCSP_NO_TIME) {
		dw_generalized_time(w, DER_GENERALIZED_TIME, x->next_update_at);
		dw_wrap(w, DER_CTX_CONS(0), next);
	}
	dw_generalized_time(w, DER_GENERALIZED_TIME, x->this_update_at);
	put_status(w, x);
	dw_put(w, x->cert_id);
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_responder(struct dw *w, const struct ocsp_inputs *in)
{
	size_t at = dw_mark(w);

	if (in->name.n > 0) {
		dw_put(w, in->name);
		dw_wrap(w, DER_CTX_CONS(1), at);
	} else {
		dw_octets(w, in->key_hash);
		dw_wrap(w, DER_CTX_CONS(2), at);
	}
}

enum rc
ocsp_data_build(const struct ocsp_inputs *in, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w), list;

	TRY(check(in, e));
	if (in->nonce.p != NULL) {
		dw_octets(w, in->nonce);
		put_exts(w, OID_PE_OCSP_NONCE, at);
	}
	list = dw_mark(w);
	for (size_t i = in->n; i-- > 0;)
		put_single(w, &in->v[i]);
	dw_wrap(w, DER_SEQUENCE, list);
	dw_generalized_time(w, DER_GENERALIZED_TIME, in->produced_at);
	put_responder(w, in);
	dw_wrap(w, DER_SEQUENCE, at);
	return dw_end(w, e);
}

enum rc
ocsp_response_build(struct bytes data, enum sigalg s, struct bytes signature, const struct bytes *certs,
		    size_t n_certs, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w);

	NEED(sigalg_alg_id(s).n > 0, e, CHY_SIGALG, NULL, "no signature algorithm");
	for (size_t i = n_certs; i-- > 0;)
		dw_put(w, certs[i]);
	if (n_certs > 0) {
		dw_wrap(w, DER_SEQUENCE, at);
		dw_wrap(w, DER_CTX_CONS(0), at);
	}
	dw_bits(w, signature);
	dw_put(w, sigalg_alg_id(s));
	dw_put(w, data);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_OCTET_STRING, at);
	dw_oid(w, oid_der(OID_PE_OCSP_BASIC));
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_CTX_CONS(0), at);
	dw_tlv(w, DER_ENUMERATED, BYTES("\0"));
	dw_wrap(w, DER_SEQUENCE, at);
	NEED(w->bad || dw_mark(w) - at <= LIMIT_OCSP_RESPONSE, e, CHY_OCSP_RESPONSE, NULL,
	     "%zu bytes, at most %d", dw_mark(w) - at, LIMIT_OCSP_RESPONSE);
	return dw_end(w, e);
}

struct bytes
ocsp_refusal(enum ocsp_result r)
{
	static const uint8_t all[][5] = {
		{ 0x30, 3, 0x0a, 1, 0 }, { 0x30, 3, 0x0a, 1, 1 }, { 0x30, 3, 0x0a, 1, 2 },
		{ 0x30, 3, 0x0a, 1, 3 }, { 0x30, 3, 0x0a, 1, 4 }, { 0x30, 3, 0x0a, 1, 5 },
		{ 0x30, 3, 0x0a, 1, 6 },
	};

	return BYTES_OF(
	    all[ocsp_result_name((int)r)[0] != 0 && r != OCSP_SUCCESSFUL ? r : OCSP_INTERNAL_ERROR]);
}
