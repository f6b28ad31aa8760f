#include "base/base.h"
#include "factory/callers.h"

#include "crypto/digest.h"
#include "model/status.h"
#include "pki/cert.h"
#include "policy/import.h"
#include "policy/rights.h"
#include "store/read.h"

enum credential_state
credential_state_of(int64_t status)
{
	return status == CERTIFICATE_REVOKED ? CREDENTIAL_REVOKED
	    : status == CERTIFICATE_HELD     ? CREDENTIAL_HELD
					     : CREDENTIAL_GOOD;
}

enum rc
officer_certificate(const struct snapshot *policy, const struct officer *o, int64_t *ret, struct err *e)
{
	*ret = 0;
	return json_opt_int(snapshot_document(policy, officer_doc(o->id))->body, "certificate", 1,
			    JSON_INT_MAX, ret, e);
}

/* *ret_found: one of the authorities with this name has issued it. */
static enum rc
by_issuer(struct factory *f, struct arena *a, const struct snapshot *policy, const struct cert *cert,
	  struct bytes fingerprint, struct certificate_row *ret, bool *ret_found, struct err *e)
{
	const struct document *const *docs;
	size_t n = snapshot_list(policy, KIND_AUTHORITY, &docs);

	*ret_found = false;
	for (size_t i = 0; i < n && !*ret_found; i++) {
		const struct authority *x = snapshot_authority(policy, docs[i]->id);
		enum rc rc;

		if (x == NULL || authority_is_foreign(x) || !bytes_eq(x->subject_in_force, cert->issuer))
			continue;
		rc = store_certificate_by_serial(f->store, a, docs[i]->id.v, cert->serial, ret, e);
		if (rc == RC_NOT_FOUND) {
			err_clear(e);
			continue;
		}
		TRY(rc);
		*ret_found = bytes_eq(ret->fingerprint, fingerprint);
	}
	return RC_OK;
}

enum rc
certificate_issued_here(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct cert *cert, const uint8_t fingerprint[FINGERPRINT_LEN],
			struct certificate_row *ret, struct err *e)
{
	bool found;

	TRY(by_issuer(f, a, policy, cert, bytes_of(fingerprint, FINGERPRINT_LEN), ret, &found, e));
	if (found)
		return RC_OK;
	TRY(store_certificate_by_fingerprint(f->store, a, bytes_of(fingerprint, FINGERPRINT_LEN), ret, e));
	NEED(!authority_is_foreign(snapshot_authority(policy, doc_id_of(ret->issuer))), e,
	     CHY_STORE_NOT_FOUND, NULL, "a foreign CA has issued it");
	return RC_OK;
}

enum { ARCHIVED_PAGE = 100 };

/* *after: the last one of the page; 0: there is no other page. */
static enum rc
key_in_archive_page(struct factory *f, struct bytes key, int64_t *after, bool *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA); /* a key may have any number of certificates */
	struct certificate_row *rows;
	struct archived_row archived;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "certificates of a key");
	TRY(store_search(f->store, a, SEARCH_KEY, key, *after, ARCHIVED_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n && !*ret; i++) {
		enum rc rc = store_archived_key(f->store, a, rows[i].id, &archived, e);

		*ret = rc == RC_OK;
		if (rc == RC_NOT_FOUND)
			err_clear(e);
		else
			TRY(rc);
	}
	*after = n == ARCHIVED_PAGE ? rows[n - 1].id : 0;
	return RC_OK;
}

enum rc
key_in_archive(struct factory *f, struct bytes key, bool *ret, struct err *e)
{
	int64_t after = 0;

	*ret = false;
	do
		TRY(key_in_archive_page(f, key, &after, ret, e));
	while (after != 0 && !*ret);
	return RC_OK;
}

enum rc
officer_bound_state(struct factory *f, struct arena *a, const struct snapshot *policy,
		    const struct officer *o, struct credential *c, struct err *e)
{
	struct status_row row;
	int64_t id;

	TRY(officer_certificate(policy, o, &id, e));
	if (id == 0)
		return RC_OK;
	TRY(store_status(f->store, a, id, &row, e));
	c->bound = credential_state_of(row.state);
	c->bound_superseded = row.state == CERTIFICATE_REVOKED && row.reason == REASON_SUPERSEDED;
	return RC_OK;
}

/* The status of the officer's certificate: the document names it by id, so that no search is needed. */
static enum rc
status_of(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *o,
	  struct credential *c, struct err *e)
{
	struct certificate_row row;
	int64_t id;
	enum rc rc;

	c->state = CREDENTIAL_GOOD;
	TRY(officer_certificate(policy, o, &id, e));
	if (id == 0)
		return RC_OK;
	rc = store_certificate(f->store, a, id, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_OFFICER_CERTIFICATE_GONE, NULL,
		     "the certificate of officer \"%.*s\" is not in the store", BYTES_FMT(o->name));
	}
	TRY(rc);
	c->state = credential_state_of(row.status);
	return RC_OK;
}

enum rc
certificate_stands_for(struct factory *f, struct arena *a, int64_t certificate, struct officer_id *ret,
		       struct err *e)
{
	struct leaf_row leaf;
	struct json *body;
	enum rc rc = store_leaf(f->store, a, certificate, &leaf, e);

	*ret = officer_id_of(0);
	if (rc == RC_NOT_FOUND) { /* an external authority's own */
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	TRY(json_parse(a, leaf.body, &body, e));
	return json_opt_int(body, "stands_for", 1, JSON_INT_MAX, &ret->v, e);
}

/* A renewed certificate of an officer who is bound by the subject: issued here after the bound one, by the same procedure, and the
   officer asked for it. Only where somebody is bound by this subject the store is asked. */
static enum rc
by_subject(struct factory *f, struct arena *a, const struct snapshot *policy, const struct cert *cert,
	   struct credential *c, const struct officer **ret, struct err *e)
{
	struct certificate_row row;
	const struct officer *o;
	struct officer_id asked;
	enum rc rc;

	if (!snapshot_binds_subject(policy, cert->subject))
		return RC_OK;
	rc = certificate_issued_here(f, a, policy, cert, c->fingerprint, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	TRY(certificate_stands_for(f, a, row.id, &asked, e));
	o = snapshot_officer_of_subject(policy, cert->subject, row.certificate_procedure, asked);
	if (o == NULL || o->id.v != asked.v || row.id < o->certificate)
		return RC_OK;
	*ret = o;
	c->by_subject = true;
	c->state = credential_state_of(row.status);
	return key_in_archive(f, row.key_hash, &c->archived, e);
}

/* A further certificate for a key in the token of an officer who is bound to that: issued here, by whatever procedure. Keys that
   the archive has, too, bind nobody. */
static enum rc
by_token(struct factory *f, struct arena *a, const struct snapshot *policy, const struct cert *cert,
	 struct credential *c, const struct officer **ret, struct err *e)
{
	const struct officer *o = snapshot_officer_by_token(policy, c->key);
	struct certificate_row row;
	enum rc rc;

	if (o == NULL)
		return RC_OK;
	rc = certificate_issued_here(f, a, policy, cert, c->fingerprint, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	c->by_token = row.base == 0;
	*ret = c->by_token ? o : NULL;
	c->state = credential_state_of(row.status);
	return officer_bound_state(f, a, policy, o, c, e);
}

enum rc
credential_of(struct factory *f, struct arena *a, const struct snapshot *policy, struct bytes der,
	      struct credential *ret, const struct officer **ret_officer, struct err *e)
{
	const struct ext *usage;
	struct cert cert;
	uint32_t bits = 0;

	TRY(cert_parse(a, der, &cert, e));
	usage = exts_find(&cert.exts, OID_CE_KEY_USAGE);
	if (usage != NULL)
		TRY(ext_key_usage(usage->value, &bits, e));
	*ret = (struct credential){ .subject = cert.subject,
				    .key_usage = (uint16_t)bits,
				    .not_before_ms = cert.not_before_at,
				    .not_after_ms = cert.not_after_at };
	sha256(der, ret->fingerprint);
	sha256(cert.spki, ret->key);
	*ret_officer = snapshot_officer_by_fingerprint(policy, ret->fingerprint);
	if (*ret_officer != NULL)
		return status_of(f, a, policy, *ret_officer, ret, e);
	TRY(by_subject(f, a, policy, &cert, ret, ret_officer, e));
	return *ret_officer == NULL ? by_token(f, a, policy, &cert, ret, ret_officer, e) : RC_OK;
}

enum rc
credential_look_up(struct factory *f, struct arena *a, const struct snapshot *policy, struct bytes der,
		   struct credential *c, struct err *e)
{
	struct certificate_row row;
	struct cert cert;
	enum rc rc;

	TRY(cert_parse(a, der, &cert, e));
	rc = certificate_issued_here(f, a, policy, &cert, c->fingerprint, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	c->state = credential_state_of(row.status);
	return RC_OK;
}

enum rc
caller_officer(struct factory *f, struct arena *a, const struct snapshot *policy, struct bytes der,
	       const struct officer **ret, struct err *e)
{
	const struct officer *o;
	struct credential c;

	TRY(credential_of(f, a, policy, der, &c, &o, e));
	NEED(o != NULL, e, CHY_NOT_OFFICER, NULL, "no officer is bound to this certificate");
	TRY(may_log_in(o, &c, clock_now_ms(), e));
	*ret = o;
	return RC_OK;
}
