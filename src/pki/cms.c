#include "base/base.h"
#include "pki/cms.h"

enum digest
cms_digest(enum sigalg s)
{
	if (s == SIGALG_ED25519)
		return DIGEST_SHA512;
	return sigalg_digest(s);
}

static enum rc
check(const struct cms_inputs *in, struct err *e)
{
	enum digest d = cms_digest(in->sigalg);

	NEED(d != DIGEST_NONE, e, CHY_CMS_ALG, "RFC 5652 5.3", "%s cannot sign here",
	     sigalg_name(in->sigalg));
	NEED(in->content_digest.n == digest_len(d), e, CHY_CMS, "RFC 5652 5.4",
	     "digest of %zu octets, %s has %zu", in->content_digest.n, digest_name(d), digest_len(d));
	NEED(in->cert_sha256.n == digest_len(DIGEST_SHA256), e, CHY_CMS, "RFC 5035 3",
	     "digest of the certificate has %zu octets", in->cert_sha256.n);
	return RC_OK;
}

/* Attribute ::= SEQUENCE { type, SET { value } } around what was written since the mark. */
static void
put_attr(struct dw *w, enum oid type, size_t mark)
{
	dw_wrap(w, DER_SET, mark);
	dw_oid(w, oid_der(type));
	dw_wrap(w, DER_SEQUENCE, mark);
}

/* SigningCertificateV2 with one ESSCertIDv2: the hash algorithm is SHA-256 by default and so left out (RFC 5035 3, 4). */
static void
put_signing_cert(struct dw *w, const struct cms_inputs *in, const struct cert *c)
{
	size_t at = dw_mark(w);
	struct gname dir = { .type = GN_DIR, .value = c->issuer };
	struct gnames issuer = { 1, &dir };

	dw_tlv(w, DER_INTEGER, c->serial);
	dw_gnames(w, DER_SEQUENCE, &issuer);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_octets(w, in->cert_sha256);
	dw_wrap(w, DER_SEQUENCE, at); /* ESSCertIDv2 */
	dw_wrap(w, DER_SEQUENCE, at); /* SEQUENCE OF */
	dw_wrap(w, DER_SEQUENCE, at); /* SigningCertificateV2 */
	put_attr(w, OID_CMS_SIGNING_CERT_V2, at);
}

enum rc
cms_signed_attrs(struct arena *a, const struct cms_inputs *in, struct bytes *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_CMS);
	struct cert c;
	size_t at;

	TRY(check(in, e));
	TRY_AT(cert_parse(a, in->cert, &c, e), e, "certificate");
	put_signing_cert(&w, in, &c);
	at = dw_mark(&w);
	dw_time(&w, in->signing_at);
	put_attr(&w, OID_CMS_SIGNING_TIME, at);
	at = dw_mark(&w);
	dw_octets(&w, in->content_digest);
	put_attr(&w, OID_CMS_MESSAGE_DIGEST, at);
	at = dw_mark(&w);
	dw_oid(&w, oid_der(OID_CMS_DATA));
	put_attr(&w, OID_CMS_CONTENT_TYPE, at);
	dw_set_of(&w, 0);
	return dw_dup(&w, a, ret, e);
}

/* The SET OF one SignerInfo. RFC 5754 3.2 lets PKCS#1 v1.5 be named with its digest or as rsaEncryption; the former says
   what was signed. */
static void
put_signer(struct dw *w, const struct cms_inputs *in, const struct cert *c, struct bytes attrs,
	   struct bytes signature)
{
	size_t at = dw_mark(w), sid;

	dw_octets(w, signature);
	dw_put(w, sigalg_alg_id(in->sigalg));
	dw_tlv(w, DER_CTX_CONS(0), attrs);
	dw_put(w, digest_alg_id(cms_digest(in->sigalg)));
	sid = dw_mark(w);
	dw_tlv(w, DER_INTEGER, c->serial);
	dw_put(w, c->issuer);
	dw_wrap(w, DER_SEQUENCE, sid);
	dw_int(w, 1); /* issuerAndSerialNumber: version 1 */
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_SET, at);
}

static void
put_content(struct dw *w, struct bytes content)
{
	size_t at = dw_mark(w);

	dw_octets(w, content);
	dw_wrap(w, DER_CTX_CONS(0), at);
	dw_oid(w, oid_der(OID_CMS_DATA));
	dw_wrap(w, DER_SEQUENCE, at);
}

enum rc
cms_assemble(struct arena *a, const struct cms_inputs *in, struct bytes attrs, struct bytes signature,
	     struct bytes *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_CMS);
	struct der d = der_of(attrs, e);
	struct bytes inner = der_take(&d, DER_SET);
	struct cert c;
	size_t at;

	TRY(der_end(&d));
	TRY(check(in, e));
	TRY_AT(cert_parse(a, in->cert, &c, e), e, "certificate");
	put_signer(&w, in, &c, inner, signature);
	dw_tlv(&w, DER_CTX_CONS(0), in->cert);
	put_content(&w, in->content);
	at = dw_mark(&w);
	dw_put(&w, digest_alg_id(cms_digest(in->sigalg)));
	dw_wrap(&w, DER_SET, at);
	dw_int(&w, 1); /* RFC 5652 5.1: data, and only certificates */
	dw_wrap(&w, DER_SEQUENCE, 0);
	dw_wrap(&w, DER_CTX_CONS(0), 0);
	dw_oid(&w, oid_der(OID_CMS_SIGNED_DATA));
	dw_wrap(&w, DER_SEQUENCE, 0);
	NEED(!w.bad, e, CHY_CMS_SIZE, NULL, "signed data of more than %d bytes", LIMIT_CMS);
	return dw_dup(&w, a, ret, e);
}
