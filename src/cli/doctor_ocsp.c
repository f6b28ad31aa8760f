/* OCSP as a relying party asks: by POST and by GET, with and without a nonce (RFC 6960, RFC 5019, RFC 9654). */
#include "base/base.h"
#include "cli/doctor.h"

#include "crypto/digest.h"
#include "crypto/rand.h"
#include "crypto/verify.h"

enum { NONCE_LEN = 32, SLACK_MS = 300000 };

struct asking {
	struct doctor *d;
	const char *url, *how; /* "POST", "GET" */
	struct bytes request, id, nonce;
	struct ocsp_response r;
};

static void
bad(struct asking *x, const char *mend, const char *text)
{
	doctor_say(x->d, FOUND_BAD, "OCSP", x->url, mend, "%s: %s", x->how, text);
}

/* ---- who has signed it ---- */

static bool
may_respond(struct asking *x, const struct cert *c)
{
	const struct ext *eku = exts_find(&c->exts, OID_CE_EXT_KEY_USAGE);
	struct ext_value v = { 0 };
	struct err e = { 0 };

	if (verify_signature(x->d->issuer.spki, c->sigalg, c->tbs, c->signature, &e) != RC_OK) {
		bad(x, "have the CA itself certify the responder's key",
		    "the responder's certificate is not by the CA that issued the certificate (RFC 6960 "
		    "4.2.2.2)");
		return false;
	}
	if (eku == NULL || ext_decode(x->d->a, eku, &v, &e) != RC_OK ||
	    !oids_have(&v.eku, OID_EKU_OCSP_SIGNING)) {
		bad(x, "issue a certificate with this usage for the responder",
		    "the responder's certificate is not for OCSP signing (RFC 6960 4.2.2.2)");
		return false;
	}
	if (x->d->now_ms < c->not_before_at || x->d->now_ms > c->not_after_at) {
		bad(x, "renew the responder's certificate", "the responder's certificate is not valid now");
		return false;
	}
	return true;
}

static bool
is_signed(struct asking *x)
{
	struct bytes rest = x->r.certs, der;
	struct err e = { 0 };
	struct cert c;

	if (!x->d->has_issuer) {
		doctor_say(x->d, FOUND_DOUBT, "OCSP", x->url, "give the issuer's certificate with --issuer",
			   "%s: the signature cannot be checked: the issuer's certificate is not known",
			   x->how);
		return true;
	}
	if (verify_signature(x->d->issuer.spki, x->r.sigalg, x->r.data, x->r.signature, &e) == RC_OK)
		return true;
	while (ocsp_cert_next(&rest, &der)) {
		err_clear(&e);
		if (cert_parse(x->d->a, der, &c, &e) == RC_OK &&
		    verify_signature(c.spki, x->r.sigalg, x->r.data, x->r.signature, &e) == RC_OK)
			return may_respond(x, &c);
	}
	bad(x, "see that the responder has the right key, and sends its certificate",
	    "the signature is neither that of the CA nor of a certificate that came with the answer");
	return false;
}

/* ---- what it says ---- */

static bool
find_single(struct asking *x, struct ocsp_single *ret)
{
	struct bytes rest = x->r.singles;
	struct ocsp_id want, got;
	struct err e = { 0 };

	if (ocsp_id_parse(x->id, &want, &e) != RC_OK)
		return false;
	while (ocsp_single_next(&rest, ret))
		if (ocsp_id_parse(ret->cert_id, &got, &e) == RC_OK && got.hash == want.hash &&
		    bytes_eq(got.name_hash, want.name_hash) && bytes_eq(got.key_hash, want.key_hash) &&
		    bytes_eq(got.serial, want.serial))
			return true;
	bad(x, "see what the responder is set up for", "it answers for another certificate");
	return false;
}

static bool
is_fresh(struct asking *x, const struct ocsp_single *s)
{
	if (s->this_update_at > x->d->now_ms + SLACK_MS) {
		bad(x, "set the clock of the responder", "the answer is of the future");
		return false;
	}
	if (s->next_update_at != OCSP_NO_TIME && s->next_update_at < x->d->now_ms) {
		bad(x, "see that answers are signed anew in time", "the answer is over");
		return false;
	}
	return true;
}

static void
take(struct asking *x, const struct ocsp_single *s)
{
	static const enum said said[] = {
		[OCSP_GOOD] = SAID_GOOD, [OCSP_REVOKED] = SAID_REVOKED, [OCSP_UNKNOWN] = SAID_UNKNOWN
	};
	enum said now = s->status == OCSP_REVOKED && s->reason == CRL_HOLD ? SAID_HELD : said[s->status];

	if (x->d->by_ocsp != SAID_NOTHING && x->d->by_ocsp != now)
		bad(x, "see what stands between responder and world", "another answer than the one before");
	x->d->by_ocsp = now;
	if (s->status == OCSP_REVOKED)
		x->d->revoked_at_ms = s->revoked_at;
	if (now == SAID_UNKNOWN)
		bad(x, "let the responder know what the CA has issued",
		    "the responder does not know the certificate");
	else
		doctor_say(x->d, FOUND_GOOD, "OCSP", x->url, NULL, "%s: the certificate is %s", x->how,
			   said_name(now));
}

static void
judge(struct asking *x, struct bytes der)
{
	struct ocsp_single s;
	struct err e = { 0 };

	if (ocsp_response_parse(der, &x->r, &e) != RC_OK) {
		bad(x, "see that an OCSP responder listens at this address",
		    arena_printf(x->d->a, "what comes is no OCSP response: %.300s", e.text));
		return;
	}
	if (x->r.result != OCSP_SUCCESSFUL) {
		bad(x, "see the responder's log",
		    arena_printf(x->d->a, "the responder refuses: %s", ocsp_result_name((int)x->r.result)));
		return;
	}
	if (!is_signed(x) || !find_single(x, &s) || !is_fresh(x, &s))
		return;
	if (x->r.nonce.p != NULL && !bytes_eq(x->r.nonce, x->nonce)) {
		bad(x, "answer with the nonce that was asked, or with none",
		    "the answer has another nonce (RFC 9654)");
		return;
	}
	take(x, &s);
}

/* ---- asking ---- */

static void
ask(struct asking *x, const char *url, bool post)
{
	struct fetch f = { .url = url, .max = LIMIT_OCSP_RESPONSE, .timeout_ms = x->d->timeout_ms };
	struct fetched got;
	struct err e = { 0 };

	if (post) {
		f.post = x->request;
		f.post_type = "application/ocsp-request";
	}
	if (fetch_do(x->d->a, &f, &got, &e) != RC_OK)
		bad(x, "see that the address is served to everybody", arena_printf(x->d->a, "%s", e.text));
	else if (doctor_clock(x->d, url, &got), got.status != 200)
		bad(x, "see that an OCSP responder listens at this address",
		    arena_printf(x->d->a, "the server answers with status %ld", got.status));
	else {
		if (!ascii_case_eq(bytes_str(got.type), BYTES("application/ocsp-response")))
			doctor_say(x->d, FOUND_DOUBT, "OCSP", x->url, "set the media type",
				   "%s: its media type is \"%.60s\" in place of application/ocsp-response",
				   x->how, got.type);
		judge(x, got.body);
	}
}

static bool
make_request(struct asking *x, bool with_nonce)
{
	OWN_DW struct dw id = dw_growing(OCSP_ID_MAX), all = dw_growing(LIMIT_OCSP_REQUEST);
	uint8_t name[SHA1_LEN], key[SHA1_LEN], *nonce = arena_alloc(x->d->a, NONCE_LEN);
	struct err e = { 0 };
	struct ocsp_id v;
	struct pubkey k;

	if (nonce == NULL || pubkey_parse(x->d->issuer.spki, &k, &e) != RC_OK ||
	    rand_bytes(nonce, NONCE_LEN, &e) != RC_OK)
		return false;
	sha1(x->d->issuer.subject, name);
	sha1(k.bits_der, key);
	v = (struct ocsp_id){ .hash = OCSP_SHA1,
			      .name_hash = BYTES_OF(name),
			      .key_hash = BYTES_OF(key),
			      .serial = x->d->cert.serial };
	x->nonce = with_nonce ? bytes_of(nonce, NONCE_LEN) : BYTES_NONE;
	dw_ocsp_id(&id, &v);
	dw_ocsp_request(&all, &v, 1, x->nonce);
	return dw_dup(&id, x->d->a, &x->id, &e) == RC_OK && dw_dup(&all, x->d->a, &x->request, &e) == RC_OK;
}

/* RFC 6960 A.1: base64 of the request behind the address, with what an address cannot hold escaped. */
static const char *
get_url(struct asking *x)
{
	OWN_BUF struct buf b64 = buf_max(2 * LIMIT_OCSP_REQUEST), url = buf_max(8 * LIMIT_OCSP_REQUEST);
	size_t n = strlen(x->url);

	base64_put(&b64, x->request);
	buf_str(&url, x->url);
	if (n == 0 || x->url[n - 1] != '/')
		buf_u8(&url, '/');
	for (size_t i = 0; i < b64.n; i++)
		switch (b64.p[i]) {
		case '+':
			buf_str(&url, "%2B");
			break;
		case '/':
			buf_str(&url, "%2F");
			break;
		case '=':
			buf_str(&url, "%3D");
			break;
		default:
			buf_u8(&url, b64.p[i]);
		}
	return buf_ok(&url) ? arena_str(x->d->a, buf_bytes(&url)) : NULL;
}

static void
look_at(struct doctor *d, const char *url)
{
	struct asking x = { .d = d, .url = url };
	const char *get;

	if (!d->has_issuer) {
		doctor_say(d, FOUND_DOUBT, "OCSP", url, "give the issuer's certificate with --issuer",
			   "it cannot be asked: the issuer's certificate is not known");
		return;
	}
	x.how = "POST with a nonce";
	if (!make_request(&x, true))
		return;
	ask(&x, url, true);
	x.how = "GET";
	if (make_request(&x, false) && (get = get_url(&x)) != NULL)
		ask(&x, get, false);
}

void
doctor_ocsp(struct doctor *d, const struct access_descs *access)
{
	for (size_t i = 0; i < access->n; i++) {
		const char *url;

		if (access->v[i].known != OID_AD_OCSP)
			continue;
		url = doctor_url(d, "OCSP", &access->v[i].location);
		if (url != NULL)
			look_at(d, url);
	}
}
