#include "base/base.h"
#include "cli/doctor.h"

#include "crypto/verify.h"

#include <stdarg.h>

enum { TEXT_MAX_LEN = 600, CERTIFICATE_MAX = LIMIT_CERT, CLOCK_SLACK_S = 300 };

void
doctor_say(struct doctor *d, enum finding_level level, const char *what, const char *url, const char *mend,
	   const char *fmt, ...)
{
	struct finding *f = arena_one(d->a, struct finding);
	char text[TEXT_MAX_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->bad += level == FOUND_BAD;
	d->doubts += level == FOUND_DOUBT;
	if (f == NULL)
		return;
	*f = (struct finding){ NULL, level, what, url ? url : "", arena_str(d->a, bytes_str(text)), mend };
	*d->last = f;
	d->last = &f->next;
}

const char *
doctor_url(struct doctor *d, const char *what, const struct gname *g)
{
	const char *url;

	if (g->type != GN_URI) {
		doctor_say(d, FOUND_DOUBT, what, NULL, "name an http address",
			   "it is named by something else than an address");
		return NULL;
	}
	url = arena_str(d->a, g->value);
	if (url == NULL || strlen(url) != g->value.n)
		return NULL;
	if (bytes_starts(g->value, "http://"))
		return url;
	if (!bytes_starts(g->value, "https://")) {
		doctor_say(d, FOUND_DOUBT, what, url, "name an http address as well",
			   "not every relying party can fetch such an address, and it was not looked at");
		return NULL;
	}
	doctor_say(
	    d, FOUND_DOUBT, what, url, "name an http address: what is there is signed anyway",
	    "to check the TLS certificate of this address, what stands there may be needed (RFC 5280 8)");
	return url;
}

void
doctor_clock(struct doctor *d, const char *url, const struct fetched *got)
{
	int64_t ahead_s = (got->date_ms - d->now_ms) / 1000;

	if (d->clock_told || got->date_ms == 0 || (ahead_s < CLOCK_SLACK_S && ahead_s > -CLOCK_SLACK_S))
		return;
	d->clock_told = true;
	doctor_say(d, FOUND_DOUBT, "clock", url, "set both clocks by a time server",
		   "the clock of this server is %lld s %s that of this computer, by which all is judged",
		   (long long)(ahead_s < 0 ? -ahead_s : ahead_s), ahead_s < 0 ? "behind" : "ahead of");
}

bool
doctor_get(struct doctor *d, const char *what, const char *url, size_t max, const char *const *types,
	   struct bytes *ret)
{
	struct fetched got;
	struct err e = { 0 };

	if (fetch_do(d->a, &(struct fetch){ .url = url, .max = max, .timeout_ms = d->timeout_ms }, &got,
		     &e) != RC_OK) {
		doctor_say(d, FOUND_BAD, what, url, "see that the address is served to everybody", "%s",
			   e.text);
		return false;
	}
	doctor_clock(d, url, &got);
	if (got.status != 200) {
		doctor_say(d, FOUND_BAD, what, url, "see that it is published at this address",
			   "the server answers with status %ld", got.status);
		return false;
	}
	*ret = got.body;
	for (const char *const *t = types; *t != NULL; t++)
		if (ascii_case_eq(bytes_str(got.type), bytes_str(*t)))
			return true;
	doctor_say(d, FOUND_DOUBT, what, url, "set the web server's media type",
		   "its media type is \"%.60s\" in place of %s", got.type, types[0]);
	return true;
}

/* ---- the issuer ---- */

static bool
is_issuer(struct doctor *d, const struct cert *c, struct err *e)
{
	NEED(name_eq(c->subject, d->cert.issuer), e, CHY_CHAIN_INVALID, NULL, "it is another CA's");
	NEED(cert_is_ca(c), e, CHY_CHAIN_INVALID, "RFC 5280 4.2.1.9", "it is no CA's certificate");
	return verify_signature(c->spki, d->cert.sigalg, d->cert.tbs, d->cert.signature, e);
}

static void
look_at_issuer(struct doctor *d, const char *url, struct bytes der)
{
	struct err e = { 0 };
	struct cert c;

	if (bytes_starts(der, "-----BEGIN")) {
		doctor_say(d, FOUND_BAD, "caIssuers", url, "publish it in DER",
			   "it is PEM (RFC 5280 4.2.2.1)");
		return;
	}
	if (cert_parse(d->a, der, &c, &e) != RC_OK) {
		doctor_say(d, FOUND_BAD, "caIssuers", url, "publish the issuer's certificate in DER",
			   "what stands there is no certificate: %.300s", e.text);
		return;
	}
	if (is_issuer(d, &c, &e) != RC_OK) {
		doctor_say(d, FOUND_BAD, "caIssuers", url,
			   "publish the certificate of the CA that issued it, of the key that signed it",
			   "the certificate there has not issued this one: %.300s", e.text);
		return;
	}
	if (d->now_ms < c.not_before_at || d->now_ms > c.not_after_at)
		doctor_say(d, FOUND_BAD, "caIssuers", url, "renew the CA's certificate, and publish it",
			   "the CA's certificate there is not valid now");
	else
		doctor_say(d, FOUND_GOOD, "caIssuers", url, NULL, "the issuer's certificate");
	if (!d->has_issuer)
		d->issuer = c;
	d->has_issuer = true;
}

void
doctor_issuers(struct doctor *d, const struct access_descs *access)
{
	static const char *const types[] = { "application/pkix-cert", NULL };
	size_t found = 0;

	for (size_t i = 0; i < access->n; i++) {
		const char *url;
		struct bytes der;

		if (access->v[i].known != OID_AD_CA_ISSUERS)
			continue;
		found++;
		url = doctor_url(d, "caIssuers", &access->v[i].location);
		if (url != NULL && doctor_get(d, "caIssuers", url, CERTIFICATE_MAX, types, &der))
			look_at_issuer(d, url, der);
	}
	if (found == 0 && !d->is_root)
		doctor_say(
		    d, FOUND_DOUBT, "caIssuers", NULL, "let the authority's certificates name it",
		    "the certificate does not say where its issuer's certificate is (RFC 5280 4.2.2.1)");
}

/* ---- list and responder ---- */

const char *
said_name(enum said s)
{
	static const char *const names[] = { "", "valid", "held", "revoked", "unknown" };

	return names[s];
}

void
doctor_compare(struct doctor *d)
{
	if (d->by_crl == SAID_NOTHING || d->by_ocsp == SAID_NOTHING)
		return;
	if (d->by_crl == d->by_ocsp)
		doctor_say(d, FOUND_GOOD, "certificate", NULL, NULL, "list and responder say the same: %s",
			   said_name(d->by_crl));
	else if (d->by_ocsp != SAID_UNKNOWN && d->by_crl == SAID_GOOD && d->revoked_at_ms > d->crl_at_ms)
		doctor_say(d, FOUND_DOUBT, "certificate", NULL, "build a new list if it is urgent",
			   "the responder says %s, since after the list was made", said_name(d->by_ocsp));
	else
		doctor_say(d, FOUND_BAD, "certificate", NULL,
			   "see that list and responder have the same source",
			   "the list says %s and the responder says %s", said_name(d->by_crl),
			   said_name(d->by_ocsp));
}
