#include "base/base.h"
#include "factory/acts.h"

#include "factory/leaf.h"
#include "store/read.h"

/* The keys of the token that the certificate is in: those of all certificates of the soft token, else its own. */
static enum rc
token_keys(struct preparation *p, const struct certificate_row *row, struct json **ret, struct err *e)
{
	struct certificate_row *all = NULL;
	struct token_row token;
	size_t n = 0;
	enum rc rc = row->request_id ? store_token(p->f->store, p->a, row->request_id, &token, e)
				     : err_set(e, CHY_STORE_NOT_FOUND, NULL, "no token");

	if (rc == RC_OK)
		TRY(store_certificates_by_request(p->f->store, p->a, row->request_id, 0, LIMIT_PAGE, &all, &n,
						  e));
	else if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(e);
	*ret = json_array(p->a);
	json_add(*ret, json_hex(p->a, row->key_hash));
	for (size_t i = 0; i < n; i++)
		if (all[i].base == 0 && !bytes_eq(all[i].key_hash, row->key_hash))
			json_add(*ret, json_hex(p->a, all[i].key_hash));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "an officer");
	return RC_OK;
}

/* An officer's certificate must have been issued here (so that its status is known): by the fingerprint, or by the id
   of the certificate alone. The body that is signed names both, and what binds an officer by the subject. */
static enum rc
bind_certificate(struct preparation *p, struct json *body, struct err *e)
{
	struct bytes hex = BYTES_NONE, fingerprint;
	struct certificate_row row;
	struct json *keys;
	int64_t id = 0;
	enum rc rc;

	TRY(json_opt_str(body, "certificate_sha256", &hex, e));
	TRY(json_opt_int(body, "certificate", 1, JSON_INT_MAX, &id, e));
	if (hex.n == 0 && id == 0)
		return RC_OK; /* the check of the fields says what is missing */
	if (hex.n > 0) {
		TRY_AT(hex_parse(p->a, hex, &fingerprint, e), e, "certificate_sha256");
		rc = store_certificate_by_fingerprint(p->f->store, p->a, fingerprint, &row, e);
	} else {
		rc = store_certificate(p->f->store, p->a, id, &row, e);
	}
	if (rc == RC_NOT_FOUND || (rc == RC_OK && id != 0 && row.id != id)) {
		err_clear(e);
		err_field(e, hex.n > 0 ? "certificate_sha256" : "certificate");
		FAIL(e, CHY_OFFICER_CERTIFICATE_GONE, NULL,
		     "an officer's certificate must have been issued here");
	}
	TRY(rc);
	TRY(token_keys(p, &row, &keys, e));
	json_set(body, "keys", keys);
	json_set(body, "certificate", json_int(p->a, row.id));
	json_set(body, "certificate_sha256", json_hex(p->a, row.fingerprint));
	json_set(body, "subject", row.subject.n > 0 ? json_str(p->a, row.subject) : json_null(p->a));
	json_set(body, "certificate_procedure",
		 row.certificate_procedure ? json_int(p->a, row.certificate_procedure) : json_null(p->a));
	return RC_OK;
}

enum rc
officer_act_check(struct preparation *p, struct err *e)
{
	struct json *body = json_copy(p->a, p->in);

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "an officer");
	TRY(bind_certificate(p, body, e));
	p->in = body;
	return document_act_check(p, e);
}
