/* Revocation lists and deltas, as a relying party meets them (RFC 5280 5, 6.3). */
#include "base/base.h"
#include "cli/doctor.h"

#include "crypto/verify.h"
#include "model/status.h"

enum { CRL_MAX = 64 << 20 };

/* Is the list, or the delta, one that this certificate can be looked up in? */
static bool
is_readable(struct doctor *d, const char *what, const char *url, struct bytes der, bool delta, struct crl *c)
{
	struct err e = { 0 };

	if (bytes_starts(der, "-----BEGIN")) {
		doctor_say(d, FOUND_BAD, what, url, "publish it in DER", "it is PEM (RFC 5280 4.2.1.13)");
		return false;
	}
	if (crl_parse(d->a, der, c, &e) != RC_OK) {
		doctor_say(d, FOUND_BAD, what, url, "publish the revocation list in DER",
			   "what stands there is no revocation list: %.300s", e.text);
		return false;
	}
	if (!name_eq(c->issuer, d->list_issuer)) {
		doctor_say(d, FOUND_BAD, what, url,
			   "publish the list of the issuer that the certificate names",
			   "the list there is another CA's");
		return false;
	}
	if (delta != (c->base.p != NULL)) {
		doctor_say(d, FOUND_BAD, what, url, "publish each list at its own address",
			   delta ? "a complete list stands where a delta should"
				 : "a delta stands where the complete list should");
		return false;
	}
	return true;
}

/* Whose key the list is to be signed with; NULL: a finding says why it is not known. */
static const struct cert *
signer_of(struct doctor *d, const char *what, const char *url, const struct crl *c)
{
	if (!name_eq(d->list_issuer, d->cert.issuer))
		return doctor_crl_issuer(d, what, url, c);
	if (d->has_issuer)
		return &d->issuer;
	doctor_say(d, FOUND_DOUBT, what, url, "give the issuer's certificate with --issuer",
		   "its signature cannot be checked: the issuer's certificate is not known");
	return NULL;
}

static bool
is_signed(struct doctor *d, const char *what, const char *url, const struct crl *c)
{
	const struct cert *signer = signer_of(d, what, url, c);
	struct err e = { 0 };

	if (signer == NULL || verify_signature(signer->spki, c->sigalg, c->tbs, c->signature, &e) == RC_OK)
		return true;
	doctor_say(d, FOUND_BAD, what, url, "build the list anew with the key of the CA",
		   "its signature is not that of the CA: %.200s", e.text);
	return false;
}

static bool
is_fresh(struct doctor *d, const char *what, const char *url, const struct crl *c)
{
	int64_t span = c->next_update_at - c->this_update_at;
	char at[32];

	if (c->this_update_at > d->now_ms + 300000) {
		doctor_say(d, FOUND_BAD, what, url, "set the clock of the CA",
			   "it was made in the future, %s", time_text(at, c->this_update_at));
		return false;
	}
	if (c->next_update_at == CRL_NO_TIME) {
		doctor_say(d, FOUND_BAD, what, url, "let the lists say when the next one comes",
			   "it does not say when the next one comes (RFC 5280 5.1.2.5)");
		return true;
	}
	if (c->next_update_at < d->now_ms) {
		doctor_say(d, FOUND_BAD, what, url, "see that lists are built in time, and published",
			   "it is over since %s", time_text(at, c->next_update_at));
		return false;
	}
	if (c->next_update_at - d->now_ms < span / 20)
		doctor_say(d, FOUND_DOUBT, what, url, "let lists overlap",
			   "it is over at %s, and no newer one stands there",
			   time_text(at, c->next_update_at));
	return true;
}

/* RFC 5280 6.3.3 (b): whose certificates the list is of. */
static bool
is_for_it(struct doctor *d, const char *what, const char *url, const struct crl *c)
{
	struct issuing_point p;
	bool ca = cert_is_ca(&d->cert), named = false;

	if (c->critical_unknown) {
		doctor_say(d, FOUND_BAD, what, url, "leave such extensions out",
			   "it has a critical extension that relying parties do not know");
		return false;
	}
	if (!crl_issuing_point(d->a, c, &p))
		return true;
	for (size_t i = 0; i < p.full_name.n; i++)
		named = named ||
		    (p.full_name.v[i].type == GN_URI && bytes_eq(p.full_name.v[i].value, bytes_str(url)));
	if (p.full_name.n > 0 && !named) {
		doctor_say(d, FOUND_BAD, what, url,
			   "let certificates and lists name the same address, letter for letter",
			   "the list says that it is for another distribution point (RFC 5280 6.3.3 b)");
		return false;
	}
	if ((p.only_user && ca) || (p.only_ca && !ca) || p.only_attribute) {
		doctor_say(d, FOUND_BAD, what, url, "publish the list for this kind of certificates",
			   "it is a list of other kinds of certificates");
		return false;
	}
	return true;
}

static enum said
look_up(const struct doctor *d, const struct crl *c)
{
	struct bytes rest = c->entries,
		     of = c->issuer; /* whose certificates the entries are, RFC 5280 5.3.3 */
	struct crl_entry x;

	while (crl_next(&rest, &x)) {
		if (x.issuer.p != NULL)
			of = x.issuer;
		if (bytes_eq(x.serial, d->cert.serial) && name_eq(of, d->cert.issuer))
			return x.reason == CRL_HOLD  ? SAID_HELD
			    : x.reason == CRL_REMOVE ? SAID_GOOD
						     : SAID_REVOKED;
	}
	return SAID_NOTHING;
}

/* Where lists say different things, relying parties believe one or the other: the worse counts here. */
static void
hear(struct doctor *d, const char *url, enum said said, int64_t at_ms)
{
	if (d->by_crl != SAID_NOTHING && d->by_crl != said)
		doctor_say(d, FOUND_DOUBT, "CRL", url,
			   "build all lists of the authority when one of them is built",
			   "the lists say different things: by another one the certificate is %s",
			   said_name(d->by_crl));
	if (said < d->by_crl)
		return;
	d->by_crl = said;
	d->crl_at_ms = at_ms;
}

static void
take_complete(struct doctor *d, const char *url, const struct crl *c)
{
	const struct ext *fresh = exts_find(&c->exts, OID_CE_FRESHEST_CRL);
	enum said said = look_up(d, c);

	if (c->number.p == NULL)
		doctor_say(d, FOUND_DOUBT, "CRL", url, "number the lists",
			   "it has no number (RFC 5280 5.2.3)");
	else if (!crl_number(c->number, &d->crl_number))
		d->crl_number = 0;
	d->crl_fresh = fresh != NULL ? fresh->value : BYTES_NONE;
	said = said == SAID_NOTHING ? SAID_GOOD : said;
	doctor_say(d, FOUND_GOOD, "CRL", url, NULL, "a list of %zu entries, by which the certificate is %s",
		   c->n, said_name(said));
	hear(d, url, said, c->this_update_at);
}

static void
look_at_list(struct doctor *d, const char *url)
{
	static const char *const types[] = { "application/pkix-crl", NULL };
	struct bytes der;
	struct crl c;

	if (doctor_get(d, "CRL", url, CRL_MAX, types, &der) && is_readable(d, "CRL", url, der, false, &c) &&
	    is_signed(d, "CRL", url, &c) && is_for_it(d, "CRL", url, &c) && is_fresh(d, "CRL", url, &c))
		take_complete(d, url, &c);
}

static void
look_at_delta(struct doctor *d, const char *url)
{
	static const char *const types[] = { "application/pkix-crl", NULL };
	struct bytes der;
	uint64_t base = 0;
	enum said said;
	struct crl c;

	if (!doctor_get(d, "delta CRL", url, CRL_MAX, types, &der) ||
	    !is_readable(d, "delta CRL", url, der, true, &c) || !is_signed(d, "delta CRL", url, &c) ||
	    !is_fresh(d, "delta CRL", url, &c))
		return;
	if (d->crl_number != 0 && (!crl_number(c.base, &base) || base > d->crl_number)) {
		doctor_say(d, FOUND_BAD, "delta CRL", url,
			   "publish the complete list before the deltas on it",
			   "it builds on list %llu, and the complete one that is published is %llu",
			   (unsigned long long)base, (unsigned long long)d->crl_number);
		return;
	}
	said = look_up(d, &c);
	if (said != SAID_NOTHING) {
		d->by_crl = said;
		d->crl_at_ms = c.this_update_at;
	}
	doctor_say(d, FOUND_GOOD, "delta CRL", url, NULL, "a delta of %zu entries", c.n);
}

/* Who makes the list: the certificate's issuer, unless the point names another one (RFC 5280 4.2.1.13). */
static struct bytes
list_issuer(const struct doctor *d, const struct dist_point *p)
{
	for (size_t i = 0; i < p->crl_issuer.n; i++)
		if (p->crl_issuer.v[i].type == GN_DIR)
			return p->crl_issuer.v[i].value;
	return d->cert.issuer;
}

static size_t
each_point(struct doctor *d, const char *what, const struct ext *x,
	   void (*look)(struct doctor *, const char *))
{
	struct ext_value v = { 0 };
	struct err e = { 0 };

	if (ext_decode(d->a, x, &v, &e) != RC_OK) {
		doctor_say(d, FOUND_BAD, what, NULL, "issue the certificate anew",
			   "the addresses cannot be read: %.200s", e.text);
		return 1;
	}
	for (size_t i = 0; i < v.points.n; i++) {
		const struct dist_point *p = &v.points.v[i];

		d->list_issuer = list_issuer(d, p);
		for (size_t k = 0; k < p->full_name.n; k++) {
			const char *url = doctor_url(d, what, &p->full_name.v[k]);

			if (url != NULL)
				look(d, url);
		}
	}
	return v.points.n;
}

void
doctor_crls(struct doctor *d)
{
	const struct ext *points = exts_find(&d->cert.exts, OID_CE_CRL_POINTS),
			 *fresh = exts_find(&d->cert.exts, OID_CE_FRESHEST_CRL);
	struct ext own = { .oid = oid_der(OID_CE_FRESHEST_CRL), .known = OID_CE_FRESHEST_CRL };

	if (points == NULL) {
		if (!d->is_root)
			doctor_say(d, FOUND_DOUBT, "CRL", NULL,
				   "let the CRL procedure's address go into certificates",
				   "the certificate does not say where its revocation list is");
		return;
	}
	each_point(d, "CRL", points, look_at_list);
	own.value = d->crl_fresh;
	if (fresh != NULL)
		each_point(d, "delta CRL", fresh, look_at_delta);
	else if (own.value.n > 0)
		each_point(d, "delta CRL", &own, look_at_delta);
}
