#include "base/base.h"
#include "pki/crl.h"

/* ---- entries ---- */

static bool
serial_ok(struct bytes s)
{
	return s.n >= 1 && s.n <= LIMIT_SERIAL && s.p[0] < 0x80 &&
	    (s.n == 1 ? s.p[0] > 0 : s.p[0] > 0 || s.p[1] >= 0x80);
}

static void
put_issuer(struct dw *w, struct bytes name)
{
	size_t at = dw_mark(w);

	dw_tlv(w, DER_CTX_CONS(4), name);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_OCTET_STRING, at);
	dw_bool(w, true); /* RFC 5280 5.3.3: critical, and the two others never are */
	dw_oid(w, oid_der(OID_CE_CERTIFICATE_ISSUER));
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_invalidity(struct dw *w, int64_t at_ms)
{
	size_t at = dw_mark(w);

	dw_generalized_time(w, DER_GENERALIZED_TIME, at_ms);
	dw_wrap(w, DER_OCTET_STRING, at);
	dw_oid(w, oid_der(OID_CE_INVALIDITY_DATE));
	dw_wrap(w, DER_SEQUENCE, at);
}

/* The commonest by far, and always these octets but for the last. */
static void
put_reason(struct dw *w, int reason)
{
	const uint8_t x[] = { 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d,
			      0x15, 0x04, 0x03, 0x0a, 0x01, (uint8_t)reason };

	dw_put(w, BYTES_OF(x));
}

enum rc
crl_entry_build(const struct crl_entry *x, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w), exts = at;

	NEED(serial_ok(x->serial), e, CHY_CRL, "RFC 5280 4.1.2.2",
	     "serial number is not positive and minimal");
	NEED(x->reason == CRL_NO_REASON || crl_reason_name(x->reason)[0] != 0, e, CHY_CRL, "RFC 5280 5.3.1",
	     "reason %d", x->reason);
	NEED(!x->critical_unknown, e, CHY_CRL, "RFC 5280 5.3", "an entry that we could not read as a whole");
	if (x->issuer.p != NULL)
		put_issuer(w, x->issuer);
	if (x->invalidity_at != CRL_NO_TIME)
		put_invalidity(w, x->invalidity_at);
	if (x->reason > CRL_UNSPECIFIED)
		put_reason(w, x->reason);
	if (dw_mark(w) != exts)
		dw_wrap(w, DER_SEQUENCE, exts);
	dw_time(w, x->revoked_at);
	dw_tlv(w, DER_INTEGER, x->serial);
	dw_wrap(w, DER_SEQUENCE, at);
	return dw_end(w, e);
}

/* ---- around them ---- */

static enum rc
check(const struct crl_inputs *in, struct err *e)
{
	NEED(sigalg_alg_id(in->sigalg).n > 0, e, CHY_SIGALG, NULL, "no signature algorithm");
	TRY_AT(name_check(in->issuer, e), e, "issuer");
	NEED(!name_is_empty(in->issuer), e, CHY_CRL, "RFC 5280 5.1.2.3", "the issuer's name is empty");
	NEED(in->next_update_at != CRL_NO_TIME && in->this_update_at < in->next_update_at, e, CHY_CRL,
	     "RFC 5280 5.1.2.5", "the next list is not due after this one");
	for (size_t i = 0; i < in->exts.n; i++)
		for (size_t k = 0; k < i; k++)
			NEED(!bytes_eq(in->exts.v[i].oid, in->exts.v[k].oid), e, CHY_CRL, "RFC 5280 4.2",
			     "an extension stands twice");
	return RC_OK;
}

static void
put_tail(struct dw *w, const struct exts *l)
{
	size_t at = dw_mark(w);

	for (size_t i = l->n; i-- > 0;)
		dw_ext(w, &l->v[i]);
	if (l->n == 0)
		return;
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_CTX_CONS(0), at);
}

/* In front of the entries, and of `behind` bytes that follow them. */
static enum rc
put_head(const struct crl_inputs *in, size_t entries_len, size_t behind, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w);

	NEED(entries_len <= LIMIT_CRL && behind <= LIMIT_TBS, e, CHY_CRL_SIZE, NULL, "entries of %zu bytes",
	     entries_len);
	if (entries_len > 0)
		dw_head(w, DER_SEQUENCE, entries_len);
	dw_time(w, in->next_update_at);
	dw_time(w, in->this_update_at);
	dw_put(w, in->issuer);
	dw_put(w, sigalg_alg_id(in->sigalg));
	if (in->segment > 0) {
		dw_bool(w, in->last);
		dw_int(w, in->segment);
	}
	dw_int(w, 1); /* version 2 of a revocation list, version 1 of the other */
	if (in->segment > 0)
		dw_oid(w, oid_der(OID_CERT_HASH));
	dw_head(w, DER_SEQUENCE, dw_mark(w) - at + entries_len + behind);
	return dw_end(w, e);
}

enum rc
crl_tail_build(const struct crl_inputs *in, struct dw *w, struct err *e)
{
	put_tail(w, &in->exts);
	return dw_end(w, e);
}

enum rc
crl_head_build(const struct crl_inputs *in, size_t entries_len, struct dw *w, struct err *e)
{
	OWN_DW struct dw tail = dw_growing(LIMIT_TBS);

	TRY(check(in, e));
	TRY(crl_tail_build(in, &tail, e));
	return put_head(in, entries_len, dw_mark(&tail), w, e);
}

enum rc
crl_tbs_build(const struct crl_inputs *in, const struct crl_entry *v, size_t n, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w), tail, entries;

	TRY(check(in, e));
	TRY(crl_tail_build(in, w, e));
	tail = dw_mark(w) - at;
	for (size_t i = n; i-- > 0;)
		TRY_AT(crl_entry_build(&v[i], w, e), e, "revokedCertificates[%zu]", i);
	entries = dw_mark(w) - at - tail;
	return put_head(in, entries, tail, w, e);
}

enum rc
crl_close_build(enum sigalg s, struct bytes signature, struct dw *w, struct err *e)
{
	NEED(sigalg_alg_id(s).n > 0, e, CHY_SIGALG, NULL, "no signature algorithm");
	dw_bits(w, signature);
	dw_put(w, sigalg_alg_id(s));
	return dw_end(w, e);
}

enum rc
crl_open_build(size_t tbs_len, enum sigalg s, struct bytes signature, struct dw *w, struct err *e)
{
	OWN_DW struct dw close = dw_growing(LIMIT_TBS);

	TRY(crl_close_build(s, signature, &close, e));
	dw_head(w, DER_SEQUENCE, tbs_len + dw_mark(&close));
	return dw_end(w, e);
}
