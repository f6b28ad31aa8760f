/* Who signs an indirect list: its certificate, found where the list says (RFC 5280 5.2.7, 6.3.3 f). */
#include "base/base.h"
#include "cli/doctor.h"

/* RFC 5280 4.2.1.3: where there is a key usage, it has cRLSign. */
static bool
signs_lists(const struct cert *x)
{
	const struct ext *usage = exts_find(&x->exts, OID_CE_KEY_USAGE);
	uint32_t bits;

	return usage == NULL ||
	    (ext_key_usage(usage->value, &bits, NULL) == RC_OK && (bits & USAGE_CRL_SIGN));
}

static bool
may_sign(struct doctor *d, const struct cert *x, const struct crl *c, const char *url)
{
	if (!name_eq(x->subject, c->issuer)) {
		doctor_say(d, FOUND_BAD, "CRL issuer", url, "publish the certificate of who signs the list",
			   "the certificate there is another CA's");
		return false;
	}
	if (!signs_lists(x)) {
		doctor_say(d, FOUND_BAD, "CRL issuer", url,
			   "let an authority sign the lists whose certificate has cRLSign",
			   "the certificate there may sign no lists (RFC 5280 4.2.1.3)");
		return false;
	}
	if (d->now_ms < x->not_before_at || d->now_ms > x->not_after_at) {
		doctor_say(d, FOUND_BAD, "CRL issuer", url,
			   "renew the CRL issuer's certificate, and publish it",
			   "the certificate there is not valid now");
		return false;
	}
	return true;
}

/* Who trusts the certificate's root need not trust another one for the list. */
static void
look_at_path(struct doctor *d, const struct cert *x, const char *url)
{
	bool near = name_eq(x->issuer, d->cert.issuer) ||
	    (d->has_issuer && name_eq(x->issuer, d->issuer.issuer));

	if (near)
		doctor_say(d, FOUND_GOOD, "CRL issuer", url, NULL, "the certificate of who signs the list");
	else
		doctor_say(d, FOUND_DOUBT, "CRL issuer", url,
			   "let an authority below the same root sign the lists",
			   "its certificate is from another CA than the certificate's and its issuer's: "
			   "whether both lead to "
			   "one root was not followed");
}

static bool
take(struct doctor *d, const char *url, const struct crl *c)
{
	static const char *const types[] = { "application/pkix-cert", NULL };
	struct err e = { 0 };
	struct bytes der;
	struct cert x;

	if (!doctor_get(d, "CRL issuer", url, LIMIT_CERT, types, &der))
		return false;
	if (cert_parse(d->a, der, &x, &e) != RC_OK) {
		doctor_say(d, FOUND_BAD, "CRL issuer", url, "publish the CRL issuer's certificate in DER",
			   "what stands there is no certificate: %.300s", e.text);
		return false;
	}
	if (!may_sign(d, &x, c, url))
		return false;
	look_at_path(d, &x, url);
	d->crl_issuer = x;
	return true;
}

const struct cert *
doctor_crl_issuer(struct doctor *d, const char *what, const char *list_url, const struct crl *c)
{
	const struct ext *aia = exts_find(&c->exts, OID_PE_AUTHORITY_INFO);
	struct ext_value v = { 0 };
	struct err e = { 0 };

	if (d->crl_issuer.der.p != NULL && name_eq(d->crl_issuer.subject, c->issuer))
		return &d->crl_issuer;
	if (aia == NULL || ext_decode(d->a, aia, &v, &e) != RC_OK) {
		doctor_say(d, FOUND_DOUBT, what, list_url, "give the CRL issuer CA certificate addresses",
			   "it is an indirect list that does not say where its issuer's certificate is (RFC "
			   "5280 5.2.7): its "
			   "signature was not checked");
		return NULL;
	}
	for (size_t i = 0; i < v.access.n; i++) {
		const char *url = v.access.v[i].known == OID_AD_CA_ISSUERS
		    ? doctor_url(d, "CRL issuer", &v.access.v[i].location)
		    : NULL;

		if (url != NULL && take(d, url, c))
			return &d->crl_issuer;
	}
	doctor_say(d, FOUND_DOUBT, what, list_url, "publish the CRL issuer's certificate where the list says",
		   "its signature was not checked: its issuer's certificate was not found");
	return NULL;
}
