#include "base/base.h"
#include "factory/acts.h"

#include "factory/callers.h"
#include "factory/leaf.h"
#include "factory/status.h"
#include "policy/body.h"
#include "policy/import.h"
#include "policy/rights.h"
#include "store/read.h"

/* The keys of the token that the certificate is in, those that the archive has apart. */
struct token_keys {
	struct preparation *p;
	struct json *own, *archived;
};

static bool
has_key(const struct json *list, const struct json *key)
{
	JSON_EACH(x, list)
	if (json_eq(x, key))
		return true;
	return false;
}

static enum rc
add_key(struct token_keys *k, struct bytes hash, struct err *e)
{
	struct json *key = json_hex(k->p->a, hash);
	bool archived;

	NEED(key != NULL, e, CHY_NO_MEMORY, NULL, "an officer");
	if (has_key(k->own, key) || has_key(k->archived, key))
		return RC_OK;
	TRY(key_in_archive(k->p->f, hash, &archived, e));
	json_add(archived ? k->archived : k->own, key);
	return RC_OK;
}

/* Keys that came out of the archive with the certificates that they had are in none of the token's own certificates. */
static enum rc
add_recovered(struct token_keys *k, int64_t token, struct err *e)
{
	struct request_row request;
	struct json *result;

	TRY(store_request(k->p->f->store, k->p->a, token, &request, e));
	if (request.result.n == 0)
		return RC_OK;
	TRY(json_parse(k->p->a, request.result, &result, e));
	JSON_EACH(x, body_list(result, "recovered"))
	{
		struct certificate_row row;

		TRY(store_certificate(k->p->f->store, k->p->a, x->integer, &row, e));
		TRY(add_key(k, row.key_hash, e));
	}
	return RC_OK;
}

/* Those of all certificates of the soft token, else its own alone. */
static enum rc
token_keys(struct token_keys *k, const struct certificate_row *row, struct err *e)
{
	struct certificate_row *all;
	struct token_row token;
	size_t n;
	enum rc rc;

	TRY(add_key(k, row->key_hash, e));
	rc = row->request_id ? store_token(k->p->f->store, k->p->a, row->request_id, &token, e)
			     : err_set(e, CHY_STORE_NOT_FOUND, NULL, "no token");
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	TRY(store_certificates_by_request(k->p->f->store, k->p->a, row->request_id, 0, LIMIT_PAGE, &all, &n,
					  e));
	for (size_t i = 0; i < n; i++)
		if (all[i].base == 0)
			TRY(add_key(k, all[i].key_hash, e));
	return add_recovered(k, token.id, e);
}

/* Whoever may recover the key could be the officer. */
static enum rc
own_key(struct token_keys *k, const struct certificate_row *row, struct err *e)
{
	if (!has_key(k->archived, json_hex(k->p->a, row->key_hash)))
		return RC_OK;
	err_field(e, "certificate_sha256");
	FAIL(e, CHY_OFFICER_KEY_ARCHIVED, NULL,
	     "the key of certificate %lld is in the archive: others could sign with it", (long long)row->id);
}

/* Whoever binds a certificate stops others by it: its subject and its keys are an officer's from then on. So it is one that a procedure
   has issued (no authority's or responder's, nor the server's own) and that the officers who bind it may change; the one that is bound already stays. */
static enum rc
may_be_bound(const struct preparation *p, const struct certificate_row *row, struct err *e)
{
	struct doc_id asked_from;

	if (p->base != NULL && body_int(p->base->body, "certificate", 0) == row->id)
		return RC_OK;
	NEED(row->certificate_procedure != 0 && row->authority == 0 && row->base == 0, e,
	     CHY_OFFICER_CERTIFICATE_GONE, NULL,
	     "it is not a person's: an authority's, a responder's, the server's own or an attribute "
	     "certificate");
	TRY(certificate_asked_from(p->f, p->a, p->who, row, &asked_from, e));
	return may_change_certificate(
	    p->policy, p->who, snapshot_of_kind(p->policy, KIND_AUTHORITY, doc_id_of(row->issuer)),
	    snapshot_of_kind(p->policy, KIND_TOKEN_PROCEDURE, doc_id_of(row->token_procedure)), asked_from,
	    e);
}

/* An officer's certificate must have been issued here (so that its status is known): by the fingerprint, or by the id
   of the certificate alone. The body that is signed names both, and what binds an officer by the subject. */
static enum rc
bind_certificate(struct preparation *p, struct json *body, struct err *e)
{
	struct bytes hex = BYTES_NONE, fingerprint;
	struct certificate_row row;
	struct token_keys keys = { p, json_array(p->a), json_array(p->a) };
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
	if (rc == RC_NOT_FOUND ||
	    (rc == RC_OK &&
	     ((id != 0 && row.id != id) ||
	      authority_is_foreign(snapshot_authority(p->policy, doc_id_of(row.issuer)))))) {
		err_clear(e);
		err_field(e, hex.n > 0 ? "certificate_sha256" : "certificate");
		FAIL(e, CHY_OFFICER_CERTIFICATE_GONE, NULL,
		     "an officer's certificate must have been issued here");
	}
	TRY(rc);
	TRY_AT(may_be_bound(p, &row, e), e, "certificate");
	NEED(keys.own != NULL && keys.archived != NULL, e, CHY_NO_MEMORY, NULL, "an officer");
	TRY(token_keys(&keys, &row, e));
	TRY(own_key(&keys, &row, e));
	json_set(body, "archived_keys", keys.archived->count > 0 ? keys.archived : json_null(p->a));
	json_set(body, "keys", keys.own);
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
	bool boot = false;

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "an officer");
	TRY(json_opt_bool(body, "boot", &boot, e));
	err_field(e, "boot");
	NEED(!boot || p->base != NULL, e, CHY_FIELD_UNAVAILABLE, NULL,
	     "boot officers are made by the ceremony only");
	err_clear(e);
	TRY(bind_certificate(p, body, e));
	p->in = body;
	return document_act_check(p, e);
}
