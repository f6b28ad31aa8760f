#include "base/base.h"
#include "factory/issue_repeated.h"

#include "base/json.h"
#include "crypto/digest.h"
#include "factory/unclaimed.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "store/read.h"

/* ---- the same request? ---- */

static void
hash_request(struct issue_call *c, const int64_t validity[2], uint8_t ret[SHA256_LEN])
{
	OWN_BUF struct buf more = buf_max(2 * LIMIT_BODY);
	struct bytes request[4] = { c->request.token_procedure, bytes_of(validity, 2 * sizeof(*validity)),
				    c->request.spki.n > 0 ? c->request.spki : c->request.csr_der };

	if (c->request.attributes != NULL)
		json_put_canonical(&more, c->request.attributes);
	/* that there is a password, not which: each try salts it anew */
	if (c->request.publication_said || c->request.revocation_password.n > 0)
		buf_printf(&more, " publication %d %d, password %d", c->request.publication_said,
			   c->request.publication, c->request.revocation_password.n > 0);
	if (c->request.input != NULL) { /* a list before, an object here: none can pass for the other */
		buf_u8(&more, '\n');
		json_put_canonical(&more, c->request.input);
	}
	if (c->request.card_serial.n > 0) { /* no control character stands in what is before */
		buf_u8(&more, '\r');
		buf_put(&more, c->request.card_serial);
	}
	request[3] = buf_bytes(&more);
	sha256_parts(request, more.n > 0 ? 4 : 3, ret);
}

static void
hash_both(struct issue_call *c)
{
	int64_t caller = c->session ? c->session->facts.id.v : c->request.officer.v;
	const struct bytes key[2] = { bytes_of(&caller, sizeof(caller)), c->request.idempotency_key };
	const int64_t validity[2] = { c->request.not_before_ms, c->request.not_after_ms };

	sha256_parts(key, 2, c->idempotency.key);
	hash_request(c, validity, c->idempotency_request);
}

/* ---- another request: in what? ---- */

static struct bytes
key_of(struct issue_call *c)
{
	struct csr csr;

	if (c->request.spki.n > 0)
		return c->request.spki;
	return csr_parse_any(c->arena, c->request.csr_der, &csr, NULL) == RC_OK ? csr.key.spki : BYTES_NONE;
}

/* Only the validity that was asked for: none, or what the certificate got. */
static bool
is_other_validity(struct issue_call *c, const struct cert *made, const struct idempotency_row *row)
{
	for (int i = 0; i < 4; i++) {
		const int64_t asked[2] = { i & 1 ? made->not_before_at : 0, i & 2 ? made->not_after_at : 0 };
		uint8_t hash[SHA256_LEN];

		hash_request(c, asked, hash);
		if (bytes_eq(row->request_hash, BYTES_OF(hash)))
			return true;
	}
	return false;
}

static const char *
other_what(struct issue_call *c, const struct idempotency_row *row)
{
	struct bytes der;
	struct cert made;

	if (store_der(c->f->store, c->arena, row->result, &der, NULL) != RC_OK ||
	    cert_parse(c->arena, der, &made, NULL) != RC_OK)
		return "another request";
	if (!bytes_eq(made.spki, key_of(c)))
		return "a request for another key";
	if (is_other_validity(c, &made, row))
		return "the same request with another validity";
	return "a request for the same key that asked for something else besides";
}

/* ---- what came of it ---- */

/* The attribute certificates that were made with it: those of the same word. */
static enum rc
look_up_attributes(struct issue_call *c, const struct certificate_row *own)
{
	struct certificate_row *rows;
	size_t n;

	TRY(store_certificates_by_base(c->f->store, c->arena, c->id, 0, LIMIT_PAGE, &rows, &n, &c->err));
	c->acs = arena_array(c->arena, n, sizeof(*c->acs));
	NEED(c->acs != NULL, &c->err, CHY_NO_MEMORY, NULL, "attribute certificates");
	for (size_t i = 0; i < n; i++) {
		if (rows[i].request_id != own->request_id || rows[i].session_id != own->session_id)
			continue;
		c->acs[c->acs_n].pending.id = rows[i].id;
		TRY(store_der(c->f->store, c->arena, rows[i].id, &c->acs[c->acs_n].done.der, &c->err));
		c->acs_n++;
	}
	return RC_OK;
}

/* Nobody who asks for a certificate is to be handed one that is good for nothing as if it were new; and nobody who only
   tries again is to get another in place of one that was taken from him. */
static enum rc
is_good(struct issue_call *c, const struct certificate_row *row)
{
	const char *what = row->status == CERTIFICATE_REVOKED ? "is revoked"
	    : row->status == CERTIFICATE_HELD                 ? "is on hold"
	    : row->not_after < clock_now_ms()                 ? "has expired"
							      : NULL;

	NEED(what == NULL, &c->err, CHY_IDEMPOTENCY_ENDED, NULL,
	     "certificate %lld, which came of this request before, %s; another Idempotency-Key asks for a "
	     "new one",
	     (long long)row->id, what);
	return RC_OK;
}

static enum rc
take_repeated(struct issue_call *c, const struct idempotency_row *row)
{
	struct certificate_row own;

	NEED(bytes_eq(row->request_hash, BYTES_OF(c->idempotency_request)), &c->err, CHY_IDEMPOTENCY_OTHER,
	     NULL, "this Idempotency-Key was used for %s; certificate %lld came of it", other_what(c, row),
	     (long long)row->result);
	c->id = row->result;
	TRY(unclaimed_claim(c->f, c->arena, c->id, &c->err));
	TRY(store_certificate(c->f->store, c->arena, c->id, &own, &c->err));
	TRY(is_good(c, &own));
	TRY(store_der(c->f->store, c->arena, c->id, &c->certificate, &c->err));
	return look_up_attributes(c, &own);
}

enum rc
issue_no_doubt(struct issue_call *c)
{
	NEED(!doubt_is(&c->f->doubt), &c->err, CHY_REPAIRING, NULL,
	     "what was interrupted is being put right: try again");
	return RC_OK;
}

enum rc
issue_repeated(struct issue_call *c, bool *ret_found)
{
	struct idempotency_row row;
	enum rc rc;

	*ret_found = false;
	if (c->request.idempotency_key.n == 0)
		return RC_OK;
	hash_both(c);
	NEED(in_flight_enter(c->f->in_flight, &c->idempotency), &c->err, CHY_IDEMPOTENCY_BUSY, NULL,
	     "a request with this Idempotency-Key is being carried out: try again");
	TRY(issue_no_doubt(
	    c)); /* the one before it may have failed since, and have left a certificate that is not in the store */
	rc = store_idempotency(c->f->store, c->arena, BYTES_OF(c->idempotency.key), &row, &c->err);
	if (rc == RC_NOT_FOUND) {
		err_clear(&c->err);
		return RC_OK;
	}
	TRY(rc);
	TRY(take_repeated(c, &row));
	c->repeated = *ret_found = true;
	return RC_OK;
}
