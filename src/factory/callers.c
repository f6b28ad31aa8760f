#include "base/base.h"
#include "factory/callers.h"

#include "crypto/digest.h"
#include "pki/cert.h"
#include "policy/rights.h"
#include "store/read.h"

/* The status of the officer's certificate: the document names it by id, so that no search is needed. */
static enum rc
status_of(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *o,
	  struct credential *c, struct err *e)
{
	struct certificate_row row;
	int64_t id = 0;
	enum rc rc;

	c->state = CREDENTIAL_GOOD;
	if (o == NULL)
		return RC_OK;
	TRY(json_opt_int(snapshot_document(policy, officer_doc(o->id))->body, "certificate", 1, JSON_INT_MAX,
			 &id, e));
	if (id == 0)
		return RC_OK;
	rc = store_certificate(f->store, a, id, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_OFFICER_CERTIFICATE_GONE, NULL,
		     "the certificate of officer \"%.*s\" is not in the store", BYTES_FMT(o->name));
	}
	TRY(rc);
	if (row.status == CERTIFICATE_REVOKED)
		c->state = CREDENTIAL_REVOKED;
	else if (row.status == CERTIFICATE_HELD)
		c->state = CREDENTIAL_HELD;
	return RC_OK;
}

enum rc
credential_of(struct factory *f, struct arena *a, const struct snapshot *policy, struct bytes der,
	      struct credential *ret, struct err *e)
{
	struct cert cert;

	TRY(cert_parse(a, der, &cert, e));
	sha256(der, ret->fingerprint);
	ret->subject = cert.subject;
	ret->token = BYTES_NONE;
	ret->not_before_ms = cert.not_before_at;
	ret->not_after_ms = cert.not_after_at;
	return status_of(f, a, policy, snapshot_officer_by_fingerprint(policy, ret->fingerprint), ret, e);
}

enum rc
caller_officer(struct factory *f, struct arena *a, const struct snapshot *policy, struct bytes der,
	       const struct officer **ret, struct err *e)
{
	struct credential c = { 0 };
	const struct officer *o;

	TRY(credential_of(f, a, policy, der, &c, e));
	o = snapshot_officer_by_fingerprint(policy, c.fingerprint);
	NEED(o != NULL, e, CHY_NOT_OFFICER, NULL, "no officer is bound to this certificate");
	TRY(may_log_in(o, &c, clock_now_ms(), e));
	*ret = o;
	return RC_OK;
}
