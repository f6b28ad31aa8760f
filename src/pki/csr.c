#include "base/base.h"
#include "pki/csr.h"

#include "pki/pem.h"
#include "pki/signed.h"

enum { ATTRIBUTES_MAX = 16 };

static enum rc
judge_san(struct arena *a, const struct ext *x, struct csr *r, struct err *e)
{
	TRY_AT(gnames_parse(a, x->value, &r->san, e), e, "subjectAltName");
	for (size_t i = 0; i < r->san.n; i++)
		TRY_AT(gname_check(&r->san.v[i], GN_NAME, e), e, "subjectAltName[%zu]", i);
	return RC_OK;
}

/* The requested extensions that issuing asks about; all of them must be what they say they are. */
static enum rc
judge_exts(struct arena *a, struct csr *r, struct err *e)
{
	for (size_t i = 0; i < r->exts.n; i++) {
		struct ext_value v;

		TRY(ext_decode(a, &r->exts.v[i], &v, e));
		if (v.kind == OID_CE_SUBJECT_ALT_NAME)
			TRY(judge_san(a, &r->exts.v[i], r, e));
		else if (v.kind == OID_CE_KEY_USAGE)
			r->key_usage = v.key_usage;
		else if (v.kind == OID_CE_EXT_KEY_USAGE)
			r->eku = v.eku;
	}
	return RC_OK;
}

static void
take_exts(struct der *d, struct arena *a, struct csr *r)
{
	struct bytes tlv = der_tlv(d, DER_SEQUENCE);

	if (!der_ok(d))
		return;
	if (r->exts.n > 0) {
		der_fail(d, CHY_CSR, "RFC 2985 5.4.2", "extensions are requested twice");
		return;
	}
	d->rc = exts_parse(a, tlv, &r->exts, d->e);
	if (der_ok(d))
		d->rc = judge_exts(a, r, d->e);
}

static void
take_password(struct der *d, struct csr *r)
{
	uint32_t tag;

	r->challenge_password = der_any(d, &tag);
	if (der_ok(d) && !string_ok(tag, r->challenge_password))
		der_fail(d, CHY_CSR, "RFC 2985 5.4.1", "challenge password is no text");
}

static void
take_value(struct der *d, struct arena *a, struct csr *r, enum oid known)
{
	struct bytes tlv;

	if (known == OID_P9_EXTENSION_REQUEST || known == OID_MS_CERT_EXTENSIONS) {
		take_exts(d, a, r);
	} else if (known == OID_P9_CHALLENGE_PASSWORD) {
		take_password(d, r);
	} else {
		while (der_more(d)) {
			tlv = der_any_tlv(d);
			if (der_ok(d))
				d->rc = der_check(tlv, d->e);
		}
	}
}

static struct bytes
take_attribute(struct der *d, struct arena *a, struct csr *r)
{
	struct bytes oid;

	der_enter(d, DER_SEQUENCE);
	oid = der_oid(d);
	der_enter_set_of(d);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_CSR, "RFC 2986 4.1", "attribute without a value");
	if (der_ok(d))
		take_value(d, a, r, oid_find(oid));
	if (der_more(d))
		der_fail(d, CHY_CSR, "RFC 2985 5.4", "attribute with more than one value");
	der_leave(d);
	der_leave(d);
	return oid;
}

/* RFC 2986 4.1 wants the [0] even when it is empty; requests without it are seen and harmless. */
static void
take_attributes(struct der *d, struct arena *a, struct csr *r)
{
	struct bytes seen[ATTRIBUTES_MAX];
	size_t n = 0;

	if (!der_more(d))
		return;
	der_enter_set_of_as(d, DER_CTX_CONS(0));
	if (der_ok(d))
		r->attributes = bytes_of(d->p, (size_t)(d->end - d->p));
	while (der_more(d)) {
		if (n == ATTRIBUTES_MAX) {
			der_fail(d, CHY_CSR, NULL, "more than %d attributes", ATTRIBUTES_MAX);
			return;
		}
		seen[n] = take_attribute(d, a, r);
		for (size_t i = 0; i < n; i++)
			if (der_ok(d) && bytes_eq(seen[i], seen[n]))
				der_fail(d, CHY_CSR, "RFC 2986 4.1", "an attribute stands twice");
		n++;
	}
	der_leave(d);
}

static void
parse_field(struct der *d, enum rc rc, const char *field)
{
	if (der_ok(d) && rc != RC_OK) {
		d->rc = rc;
		err_field(d->e, "%s", field);
	}
}

static void
take_info(struct der *d, struct arena *a, struct csr *r)
{
	struct bytes spki;

	der_enter(d, DER_SEQUENCE);
	if (der_int(d, INT64_MIN, INT64_MAX) != 0)
		der_fail(d, CHY_CSR, "RFC 2986 4.1", "version must be v1 (0)");
	r->subject = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d))
		parse_field(d, name_check(r->subject, d->e), "subject");
	spki = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d))
		parse_field(d, pubkey_parse(spki, &r->key, d->e), "key");
	take_attributes(d, a, r);
	der_leave(d);
}

enum rc
csr_parse(struct arena *a, struct bytes der, struct csr *ret, struct err *e)
{
	struct csr r = { .der = der };
	struct signed_parts p;
	struct der in;
	struct key_type t;

	TRY(signed_parse(der, LIMIT_CSR, CHY_CSR_SIZE, &p, e));
	r.tbs = p.tbs;
	r.signature = p.signature;
	TRY_AT(sigalg_parse(p.alg, &r.sigalg, e), e, "signatureAlgorithm");
	in = der_of(r.tbs, e);
	take_info(&in, a, &r);
	TRY(der_end(&in));
	t = pubkey_type(&r.key);
	NEED(sigalg_fits(r.sigalg, &t), e, CHY_CSR, "RFC 2986 4.2",
	     "signed by %s, which is no algorithm of its key", sigalg_name(r.sigalg));
	*ret = r;
	return RC_OK;
}

enum rc
csr_parse_any(struct arena *a, struct bytes in, struct csr *ret, struct err *e)
{
	struct pem_block b;

	if (!pem_is(in))
		return csr_parse(a, in, ret, e);
	NEED(in.n <= 2 * LIMIT_CSR, e, CHY_CSR_SIZE, NULL, "%zu bytes, at most %d are taken", in.n,
	     2 * LIMIT_CSR);
	TRY(pem_next(a, &in, &b, e));
	NEED(bytes_is(b.label, "CERTIFICATE REQUEST") || bytes_is(b.label, "NEW CERTIFICATE REQUEST"), e,
	     CHY_PEM_LABEL, "RFC 7468 7", "\"%.*s\" where a certificate request is expected",
	     BYTES_FMT(bytes_part(b.label, 0, 40)));
	NEED(!pem_is(in), e, CHY_PEM_LABEL, NULL, "more than one PEM block");
	return csr_parse(a, b.der, ret, e);
}

/* ---- building ---- */

static void
put_request(struct dw *w, const struct exts *exts)
{
	size_t at = dw_mark(w);

	for (size_t i = exts->n; i-- > 0;)
		dw_ext(w, &exts->v[i]);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_SET, at);
	dw_oid(w, oid_der(OID_P9_EXTENSION_REQUEST));
	dw_wrap(w, DER_SEQUENCE, at);
}

enum rc
csr_tbs_build(struct arena *a, struct bytes subject, struct bytes spki, const struct exts *exts,
	      struct bytes *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_CSR);

	TRY_AT(name_check(subject, e), e, "subject");
	if (exts != NULL && exts->n > 0)
		put_request(&w, exts);
	dw_wrap(&w, DER_CTX_CONS(0), 0);
	dw_put(&w, spki);
	dw_put(&w, subject);
	dw_int(&w, 0);
	dw_wrap(&w, DER_SEQUENCE, 0);
	return dw_dup(&w, a, ret, e);
}

enum rc
csr_assemble(struct arena *a, struct bytes tbs, enum sigalg s, struct bytes signature, struct bytes *ret,
	     struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_CSR);
	struct csr again;

	dw_bits(&w, signature);
	dw_put(&w, sigalg_alg_id(s));
	dw_put(&w, tbs);
	dw_wrap(&w, DER_SEQUENCE, 0);
	TRY(dw_dup(&w, a, ret, e));
	return csr_parse(a, *ret, &again, e);
}
