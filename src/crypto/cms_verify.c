#include "base/base.h"
#include "crypto/cms_verify.h"

#include "crypto/digest.h"
#include "crypto/internal.h"
#include "crypto/verify.h"
#include "pki/cert.h"
#include "pki/oid.h"

#define RFC "RFC 5652 5"

enum { CERTS_MAX = 16, ATTRS_MAX = 32 };

/* What stands where, before any of it is believed. All views but attrs. */
struct cms_parts {
	int64_t version;
	struct bytes digests, content, certs, signers;
	/* of the one signer */
	int64_t signer_version;
	struct bytes sid, digest_alg, attrs /* as SET OF, the arena's */, signature_alg, signature;
	uint32_t sid_tag;
	enum digest digest;
	enum sigalg sigalg;
	/* values of the signed attributes, one whole value each */
	struct bytes content_type, message_digest, signing_time, signing_cert;
	struct cert cert;
};

/* How many values stand in a SET's contents. */
static size_t
count_values(struct bytes contents)
{
	struct der d = der_of(contents, NULL);
	size_t n = 0;

	for (; der_more(&d); n++)
		der_any(&d, NULL);
	return n;
}

/* ---- the envelope: RFC 5652 5.1 ---- */

/* *ret_inside = false: there is no content in it. */
static void
take_content(struct der *d, struct cms_parts *p, bool *ret_data, bool *ret_inside)
{
	der_enter(d, DER_SEQUENCE);
	*ret_data = bytes_eq(der_oid(d), oid_der(OID_CMS_DATA));
	*ret_inside = der_more(d);
	if (*ret_inside) {
		der_enter(d, DER_CTX_CONS(0));
		p->content = der_take(d, DER_OCTET_STRING);
		der_leave(d);
	}
	der_leave(d);
}

static enum rc
take_envelope(struct bytes der, struct cms_parts *p, struct err *e)
{
	struct der d = der_of(der, NULL);
	bool signed_data, data = false, inside = false;

	der_enter(&d, DER_SEQUENCE);
	signed_data = bytes_eq(der_oid(&d), oid_der(OID_CMS_SIGNED_DATA));
	NEED(der_ok(&d) && signed_data, e, CHY_CMS_TYPE, "RFC 5652 3", "not SignedData");
	der_enter(&d, DER_CTX_CONS(0));
	der_enter(&d, DER_SEQUENCE);
	p->version = der_int(&d, 0, 5);
	p->digests = der_take(&d, DER_SET);
	take_content(&d, p, &data, &inside);
	NEED(!der_ok(&d) || data, e, CHY_CMS_TYPE, "RFC 5652 4", "the content is not of type data");
	NEED(!der_ok(&d) || inside, e, CHY_CMS_DETACHED, RFC ".2", "the content is not inside");
	if (der_next_is(&d, DER_CTX_CONS(0)))
		p->certs = der_take(&d, DER_CTX_CONS(0));
	p->signers = der_take(&d, DER_SET);
	der_leave(&d);
	der_leave(&d);
	der_leave(&d);
	NEED(der_end(&d) == RC_OK, e, CHY_CMS_TYPE, RFC ".1",
	     "not of the shape of SignedData (no revocation lists inside)");
	return RC_OK;
}

/* ---- the signer: RFC 5652 5.3 ---- */

static enum rc
take_signer(struct arena *a, struct cms_parts *p, struct err *e)
{
	size_t count = count_values(p->signers);
	struct der d = der_of(p->signers, NULL);
	struct bytes attrs;
	uint8_t *set;

	NEED(count == 1, e, CHY_CMS_SIGNERS, RFC ".1", "%zu signers", count);
	der_enter(&d, DER_SEQUENCE);
	p->signer_version = der_int(&d, 0, 5);
	p->sid_tag = der_peek(&d);
	p->sid = der_any_tlv(&d);
	p->digest_alg = der_tlv(&d, DER_SEQUENCE);
	NEED(!der_ok(&d) || der_next_is(&d, DER_CTX_CONS(0)), e, CHY_CMS_ATTRIBUTE, RFC ".3",
	     "no signed attributes");
	attrs = der_tlv(&d, DER_CTX_CONS(0));
	p->signature_alg = der_tlv(&d, DER_SEQUENCE);
	p->signature = der_take(&d, DER_OCTET_STRING);
	/* nothing unsigned: whoever has the bytes could add and remove it */
	NEED(!der_ok(&d) || !der_more(&d), e, CHY_CMS_ATTRIBUTE, RFC ".3", "unsigned attributes");
	der_leave(&d);
	NEED(der_end(&d) == RC_OK, e, CHY_CMS_TYPE, RFC ".3", "not of the shape of SignerInfo");
	/* RFC 5652 5.4: signed is the encoding with the tag of a SET OF in place of [0] */
	set = arena_alloc(a, attrs.n);
	NEED(set != NULL, e, CHY_NO_MEMORY, NULL, "signed attributes");
	memcpy(set, attrs.p, attrs.n);
	set[0] = DER_SET;
	p->attrs = bytes_of(set, attrs.n);
	return RC_OK;
}

/* Versions follow from how the signer is named (RFC 5652 5.1, 5.3): 1 by issuer and serial, 3 by key identifier. */
static enum rc
check_versions(const struct cms_parts *p, struct err *e)
{
	int64_t want = p->sid_tag == DER_SEQUENCE ? 1 : 3;

	NEED(p->sid_tag == DER_SEQUENCE || p->sid_tag == DER_CTX(0), e, CHY_CMS_TYPE, RFC ".3",
	     "signer identifier");
	NEED(p->signer_version == want && p->version == want, e, CHY_CMS_TYPE, RFC ".1",
	     "versions %d and %d, not %d", (int)p->version, (int)p->signer_version, (int)want);
	return RC_OK;
}

/* ---- algorithms ---- */

/* RFC 5754 2: parameters are absent or NULL. */
static enum digest
digest_of_alg(struct bytes alg_id)
{
	struct der d = der_of(alg_id, NULL);
	enum oid oid;

	der_enter(&d, DER_SEQUENCE);
	oid = oid_find(der_oid(&d));
	if (der_more(&d))
		der_null(&d);
	der_leave(&d);
	if (der_end(&d) != RC_OK)
		return DIGEST_NONE;
	switch (oid) {
	case OID_ALG_SHA256:
		return DIGEST_SHA256;
	case OID_ALG_SHA384:
		return DIGEST_SHA384;
	case OID_ALG_SHA512:
		return DIGEST_SHA512;
	default:
		return DIGEST_NONE;
	}
}

/* RFC 3370 3.2: rsaEncryption as signature algorithm is PKCS#1 v1.5 with the digest named beside it. */
static enum sigalg
plain_rsa(struct bytes alg_id, enum digest digest)
{
	struct der d = der_of(alg_id, NULL);
	enum oid oid;

	der_enter(&d, DER_SEQUENCE);
	oid = oid_find(der_oid(&d));
	der_null(&d);
	der_leave(&d);
	if (der_end(&d) != RC_OK || oid != OID_ALG_RSA)
		return SIGALG_NONE;
	return digest == DIGEST_SHA512 ? SIGALG_RSA_PKCS1_SHA512
	    : digest == DIGEST_SHA384  ? SIGALG_RSA_PKCS1_SHA384
				       : SIGALG_RSA_PKCS1_SHA256;
}

/* Which digest of the content goes with an algorithm that takes no digest itself. */
static bool
digest_goes_with(enum sigalg alg, enum digest digest)
{
	switch (sigalg_key(alg)) {
	case KEY_ED25519: /* RFC 8419 3.1 */
		return digest == DIGEST_SHA512;
	case KEY_ED448: /* wants SHAKE256, which we do not have */
		return false;
	case KEY_ML_DSA_44: /* RFC 9882 3.3 */
	case KEY_ML_DSA_65:
	case KEY_ML_DSA_87:
		return true;
	default:
		return sigalg_digest(alg) == digest;
	}
}

static enum rc
check_algorithms(struct cms_parts *p, struct err *e)
{
	size_t listed = count_values(p->digests);

	p->digest = digest_of_alg(p->digest_alg);
	NEED(p->digest != DIGEST_NONE, e, CHY_CMS_DIGEST, "RFC 5754 2",
	     "only SHA-256, SHA-384 and SHA-512 are allowed");
	NEED(listed == 1 && digest_of_alg(p->digests) == p->digest, e, CHY_CMS_DIGEST, RFC ".1",
	     "the list of digests is not the signer's one");
	p->sigalg = plain_rsa(p->signature_alg, p->digest);
	if (p->sigalg == SIGALG_NONE)
		NEED(sigalg_parse(p->signature_alg, &p->sigalg, NULL) == RC_OK, e, CHY_CMS_ALGORITHM,
		     RFC ".3", "unknown signature algorithm");
	NEED(digest_goes_with(p->sigalg, p->digest), e, CHY_CMS_ALGORITHM, RFC ".4",
	     "%s does not go with the digest %s", sigalg_name(p->sigalg), digest_name(p->digest));
	return RC_OK;
}

/* ---- signed attributes: RFC 5652 11, RFC 5035 ---- */

static struct bytes *
place_of(struct cms_parts *p, struct bytes type)
{
	switch (oid_find(type)) {
	case OID_CMS_CONTENT_TYPE:
		return &p->content_type;
	case OID_CMS_MESSAGE_DIGEST:
		return &p->message_digest;
	case OID_CMS_SIGNING_TIME:
		return &p->signing_time;
	case OID_CMS_SIGNING_CERT_V2:
		return &p->signing_cert;
	default:
		return NULL;
	}
}

static enum rc
take_attribute(struct cms_parts *p, struct bytes type, struct bytes values, struct err *e)
{
	struct bytes *place = place_of(p, type);

	if (place == NULL)
		return RC_OK;
	NEED(count_values(values) == 1, e, CHY_CMS_ATTRIBUTE, "RFC 5652 11", "an attribute with %zu values",
	     count_values(values));
	*place = values;
	return RC_OK;
}

static enum rc
need_attributes(const struct cms_parts *p, struct err *e)
{
	NEED(p->content_type.n > 0, e, CHY_CMS_ATTRIBUTE, "RFC 5652 11.1", "content-type is missing");
	NEED(p->message_digest.n > 0, e, CHY_CMS_ATTRIBUTE, "RFC 5652 11.2", "message-digest is missing");
	NEED(p->signing_time.n > 0, e, CHY_CMS_ATTRIBUTE, "RFC 5652 11.3", "signing-time is missing");
	NEED(p->signing_cert.n > 0, e, CHY_CMS_ATTRIBUTE, "RFC 5035 3", "signingCertificateV2 is missing");
	return RC_OK;
}

static enum rc
take_attributes(struct cms_parts *p, struct err *e)
{
	struct der d = der_of(p->attrs, NULL);
	struct bytes seen[ATTRS_MAX];
	size_t n = 0;

	der_enter_set_of(&d);
	for (; der_more(&d); n++) {
		struct bytes type, values;

		der_enter(&d, DER_SEQUENCE);
		type = der_oid(&d);
		values = der_take(&d, DER_SET);
		der_leave(&d);
		NEED(der_ok(&d) && n < ATTRS_MAX, e, CHY_CMS_ATTRIBUTE, RFC ".3", "attribute %zu", n);
		for (size_t i = 0; i < n; i++)
			NEED(!bytes_eq(seen[i], type), e, CHY_CMS_ATTRIBUTE, RFC ".3",
			     "an attribute stands twice");
		seen[n] = type;
		TRY(take_attribute(p, type, values, e));
	}
	der_leave(&d);
	NEED(der_end(&d) == RC_OK, e, CHY_CMS_ATTRIBUTE, RFC ".4", "the attributes are not a SET OF in DER");
	return need_attributes(p, e);
}

static enum rc
check_content(const struct cms_parts *p, int64_t *ret_signed_at_ms, struct err *e)
{
	struct der type = der_of(p->content_type, NULL), digest = der_of(p->message_digest, NULL),
		   when = der_of(p->signing_time, NULL);
	uint8_t hash[HASH_MAX];
	struct bytes oid = der_oid(&type), said = der_take(&digest, DER_OCTET_STRING);

	NEED(der_end(&type) == RC_OK && bytes_eq(oid, oid_der(OID_CMS_DATA)), e, CHY_CMS_ATTRIBUTE,
	     "RFC 5652 11.1", "content-type is not the content's");
	*ret_signed_at_ms = der_time(&when, true);
	NEED(der_end(&when) == RC_OK, e, CHY_CMS_ATTRIBUTE, "RFC 5652 11.3", "signing-time is not a time");
	NEED(der_end(&digest) == RC_OK, e, CHY_CMS_ATTRIBUTE, "RFC 5652 11.2", "message-digest is no digest");
	NEED(bytes_eq(hash_of(hash_for(p->digest), p->content, hash), said), e, CHY_CMS_CONTENT,
	     "RFC 5652 11.2", "message-digest is not the content's");
	return RC_OK;
}

/* ---- the signer's certificate ---- */

static bool
is_named(const struct cms_parts *p, const struct cert *c)
{
	struct der d = der_of(p->sid, NULL);
	struct bytes issuer, serial;

	if (p->sid_tag == DER_CTX(0)) {
		struct bytes key_id = der_take(&d, DER_CTX(0));

		return key_id.n > 0 && bytes_eq(key_id, cert_key_id(c));
	}
	der_enter(&d, DER_SEQUENCE);
	issuer = der_tlv(&d, DER_SEQUENCE);
	serial = der_integer(&d);
	der_leave(&d);
	return der_end(&d) == RC_OK && bytes_eq(issuer, c->issuer) && bytes_eq(serial, c->serial);
}

/* All of them must be readable, else another reader would refuse what we accept. */
static enum rc
find_cert(struct arena *a, struct cms_parts *p, struct err *e)
{
	struct der d = der_of(p->certs, NULL);
	struct bytes before = BYTES_NONE;
	bool found = false;

	for (size_t n = 0; der_more(&d); n++) {
		struct bytes der = der_tlv(&d, DER_SEQUENCE);
		struct cert c;
		struct err why = { 0 };

		NEED(der_ok(&d) && n < CERTS_MAX, e, CHY_CMS_CERTIFICATE, "RFC 5652 10.2.2",
		     "something other than certificates, or more than %d", CERTS_MAX);
		NEED(n == 0 || bytes_cmp(before, der) < 0, e, CHY_CMS_DER, "X.690 11.6",
		     "the certificates do not stand in the order of a SET OF");
		before = der;
		NEED_FOR(cert_parse(a, der, &c, &why) == RC_OK, err_exact(&why), e, CHY_CMS_CERTIFICATE,
			 "RFC 5280 4.1", "certificate %zu: %s", n, why.text);
		if (!found && is_named(p, &c)) {
			p->cert = c;
			found = true;
		}
	}
	NEED(found, e, CHY_CMS_CERTIFICATE, RFC ".1", "the signer's certificate is not inside");
	return RC_OK;
}

/* RFC 5035 4: GeneralNames with the one directory name, and the serial. */
static bool
issuer_serial_fits(struct der *d, const struct cert *c)
{
	struct bytes issuer, serial;

	der_enter(d, DER_SEQUENCE);
	der_enter(d, DER_SEQUENCE);
	der_enter(d, DER_CTX_CONS(4));
	issuer = der_tlv(d, DER_SEQUENCE);
	der_leave(d);
	der_leave(d);
	serial = der_integer(d);
	der_leave(d);
	return der_ok(d) && bytes_eq(issuer, c->issuer) && bytes_eq(serial, c->serial);
}

/* The first ESSCertIDv2 names the signer's certificate (RFC 5035 3); more may follow. */
static enum rc
check_signing_cert(const struct cms_parts *p, struct err *e)
{
	struct der d = der_of(p->signing_cert, NULL);
	enum digest digest = DIGEST_SHA256;
	uint8_t hash[HASH_MAX];
	struct bytes said;
	bool fits = true;

	der_enter(&d, DER_SEQUENCE);
	der_enter(&d, DER_SEQUENCE);
	der_enter(&d, DER_SEQUENCE);
	if (der_next_is(&d, DER_SEQUENCE))
		digest = digest_of_alg(der_tlv(&d, DER_SEQUENCE));
	said = der_take(&d, DER_OCTET_STRING);
	NEED(der_ok(&d), e, CHY_CMS_ATTRIBUTE, "RFC 5035 4", "signingCertificateV2 is malformed");
	NEED(digest != DIGEST_NONE, e, CHY_CMS_DIGEST, "RFC 5035 4",
	     "signingCertificateV2 has a digest that is not allowed");
	if (der_more(&d))
		fits = issuer_serial_fits(&d, &p->cert);
	der_leave(&d);
	NEED(der_ok(&d), e, CHY_CMS_ATTRIBUTE, "RFC 5035 4", "signingCertificateV2 is malformed");
	NEED(fits && bytes_eq(hash_of(hash_for(digest), p->cert.der, hash), said), e, CHY_CMS_CERTIFICATE,
	     "RFC 5035 3", "signingCertificateV2 names another certificate");
	return RC_OK;
}

static enum rc
check_signature(const struct cms_parts *p, struct err *e)
{
	struct err why = { 0 };

	if (verify_signature(p->cert.spki, p->sigalg, p->attrs, p->signature, &why) == RC_OK)
		return RC_OK;
	if (why.code != CHY_NO_MEMORY && why.code != CHY_SIGNATURE_WRONG)
		err_cause(e, err_exact(&why));
	switch (why.code) {
	case CHY_NO_MEMORY:
		FAIL(e, CHY_NO_MEMORY, NULL, "%s", why.text);
	case CHY_SIGNATURE_WRONG:
		FAIL(e, CHY_CMS_SIGNATURE, RFC ".6", "%s", why.text);
	default: /* the key cannot be used, or not with this algorithm */
		FAIL(e, CHY_CMS_ALGORITHM, RFC ".6", "%s", why.text);
	}
}

enum rc
cms_verify(struct arena *a, struct bytes der, struct cms_signed *ret, struct err *e)
{
	struct cms_parts p = { 0 };
	struct err why = { 0 };

	NEED(der.n <= LIMIT_CMS, e, CHY_CMS_LARGE, NULL, "%zu bytes, at most %d", der.n, LIMIT_CMS);
	NEED_FOR(der_check(der, &why) == RC_OK, err_exact(&why), e, CHY_CMS_DER, "X.690 10", "%s", why.text);
	TRY(take_envelope(der, &p, e));
	TRY(take_signer(a, &p, e));
	TRY(check_versions(&p, e));
	TRY(check_algorithms(&p, e));
	TRY(take_attributes(&p, e));
	TRY(find_cert(a, &p, e));
	TRY(check_signing_cert(&p, e));
	TRY(check_content(&p, &ret->signed_at_ms, e));
	TRY(check_signature(&p, e));
	ret->content = p.content;
	ret->signer = p.cert.der;
	return RC_OK;
}
