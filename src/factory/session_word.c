#include "base/base.h"
#include "factory/sessions.h"

#include "base/json.h"
#include "crypto/cms_verify.h"
#include "crypto/digest.h"
#include "factory/callers.h"
#include "pki/cert.h"
#include "store/read.h"

/* The certificate with which the session was opened. */
struct signer_cert {
	char hex[2 * SHA256_LEN + 1]; /* its SHA-256 */
	bool here;                    /* it was issued here: row is its row */
	struct certificate_row row;
	struct bytes subject; /* DER */
	bool asked;           /* by the session's officer, who was bound by this subject then */
};

/* Were the officers of this profile ever of this entity type? */
static enum rc
was_entity(struct factory *f, struct arena *a, int64_t profile, const char *type, bool *ret, struct err *e)
{
	struct document_row *rows;
	int64_t after = 0;
	size_t n;

	*ret = false;
	do {
		TRY(store_document_versions(f->store, a, profile, after, LIMIT_PAGE, &rows, &n, e));
		for (size_t i = 0; i < n && !*ret; i++) {
			struct bytes entity = BYTES_NONE;
			struct json *body;

			after = rows[i].version;
			TRY(json_parse(a, rows[i].body, &body, e));
			TRY(json_opt_str(body, "entity_type", &entity, e));
			*ret = bytes_is(rows[i].kind, "officer-profile") && bytes_is(entity, type);
		}
	} while (n == LIMIT_PAGE && !*ret);
	return RC_OK;
}

static bool
has_key(const struct json *body, struct bytes key)
{
	const struct json *list = json_get(body, "keys");
	char hex[2 * SHA256_LEN + 1];

	hex_text(hex, key);
	JSON_EACH(x, list && list->type == JSON_ARRAY ? list : NULL)
	if (x->type == JSON_STR && bytes_is(x->str, hex))
		return true;
	return false;
}

static bool
is_name(struct arena *a, struct bytes text, struct bytes der)
{
	struct name n;

	return name_from_text(a, text, &n, NULL) == RC_OK && name_eq(n.der, der);
}

/* Does this version name the certificate, its subject and procedure, or the token with its key? *ret_id: the certificate's, 0 where nobody knows it. */
static enum rc
version_binds(struct factory *f, struct arena *a, const struct json *body, const struct signer_cert *c,
	      bool *ret, int64_t *ret_id, struct err *e)
{
	struct bytes hex = BYTES_NONE, subject = BYTES_NONE;
	int64_t procedure = 0, profile = 0, bound = 0;

	*ret_id = 0;
	TRY(json_opt_str(body, "certificate_sha256", &hex, e));
	*ret = bytes_is(hex, c->hex);
	if (*ret)
		return json_opt_int(body, "certificate", 1, JSON_INT_MAX, ret_id, e);
	TRY(json_opt_str(body, "subject", &subject, e));
	TRY(json_opt_int(body, "certificate_procedure", 1, JSON_INT_MAX, &procedure, e));
	TRY(json_opt_int(body, "profile", 1, JSON_INT_MAX, &profile, e));
	if (!c->here || profile == 0)
		return RC_OK;
	*ret_id = c->row.id;
	if (has_key(body, c->row.key_hash))
		TRY(was_entity(f, a, profile, "dynamic-token", ret, e));
	TRY(json_opt_int(body, "certificate", 1, JSON_INT_MAX, &bound, e));
	if (*ret || !c->asked || c->row.id < bound || procedure == 0 ||
	    procedure != c->row.certificate_procedure || !is_name(a, subject, c->subject))
		return RC_OK;
	return was_entity(f, a, profile, "subject", ret, e);
}

/* Does some version of the officer's document name this certificate? It may have been renewed since: then some version names its
   subject, where that is what binds. */
static enum rc
was_bound(struct factory *f, struct arena *a, int64_t officer, const struct signer_cert *c, int64_t *ret,
	  struct err *e)
{
	struct document_row *rows;
	int64_t after = 0;
	size_t n;

	do {
		TRY(store_document_versions(f->store, a, officer, after, LIMIT_PAGE, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			struct json *body;
			bool bound;

			after = rows[i].version;
			if (!bytes_is(rows[i].kind, "officer"))
				continue;
			TRY(json_parse(a, rows[i].body, &body, e));
			TRY(version_binds(f, a, body, c, &bound, ret, e));
			if (bound)
				return RC_OK;
		}
	} while (n == LIMIT_PAGE);
	FAIL(e, CHY_SESSION_TOKEN, NULL, "the officer of the issuing session did not sign for it");
}

static enum rc
find_signer(struct factory *f, struct arena *a, int64_t officer, struct bytes der, struct signer_cert *ret,
	    struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	uint8_t hash[SHA256_LEN];
	struct officer_id asked;
	struct cert cert;
	enum rc rc;

	sha256(der, hash);
	hex_text(ret->hex, BYTES_OF(hash));
	TRY(cert_parse(a, der, &cert, e));
	rc = certificate_issued_here(f, a, policy, &cert, hash, &ret->row, e);
	ret->here = rc == RC_OK;
	ret->asked = false;
	ret->subject = cert.subject;
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	TRY(certificate_stands_for(f, a, ret->row.id, &asked, e));
	ret->asked = asked.v == officer;
	return RC_OK;
}

static enum rc
read_signed(struct factory *f, struct arena *a, const struct session_row *row, struct bytes content,
	    const struct json *stored, struct err *e)
{
	struct bytes act, instance;
	struct json *v, *body;
	int64_t request;

	TRY(json_parse(a, content, &v, e));
	TRY(json_need_str(v, "act", &act, e));
	TRY(json_need_str(v, "instance", &instance, e));
	TRY(json_need_int(v, "request", 1, JSON_INT_MAX, &request, e));
	TRY(json_need_object(v, "body", &body, e));
	NEED(bytes_is(act, "issuing-session.open") && bytes_is(instance, f->instance) &&
		 request == row->request_id && row->id == row->request_id && json_eq(body, stored),
	     e, CHY_SESSION_TOKEN, NULL, "the issuing session is not what its officer signed");
	return RC_OK;
}

enum rc
session_check_signed(struct factory *f, struct arena *a, const struct session_row *row,
		     const struct json *body, int64_t *ret_signed_by, struct err *e)
{
	struct signature_row *rows;
	struct cms_signed cms;
	struct signer_cert signer;
	size_t n;

	TRY(store_signatures(f->store, a, row->request_id, &rows, &n, e));
	NEED(n == 1 && rows[0].officer_id == row->officer_id, e, CHY_SESSION_TOKEN, NULL,
	     "no officer signed for the issuing session");
	TRY(cms_verify(a, rows[0].cms, &cms, e));
	TRY(read_signed(f, a, row, cms.content, body, e));
	TRY(find_signer(f, a, row->officer_id, cms.signer, &signer, e));
	return was_bound(f, a, row->officer_id, &signer, ret_signed_by, e);
}
