#include "base/base.h"
#include "factory/acts.h"

#include "factory/ca_certificate.h"
#include "factory/ca_import.h"
#include "factory/ca_keys.h"
#include "factory/in_force.h"
#include "model/choices.h"
#include "pki/csr.h"
#include "policy/body.h"
#include "policy/issue.h"
#include "policy/names.h"

enum { DAY_MS = 86400000, LIMIT_DAYS = 36500 };

/* ---- what is prepared ---- */

static enum authority_type
type_of(const struct json *body)
{
	return (enum authority_type)body_choice(body, "type", authority_choices, AUTHORITY_ROOT);
}

/* The decision that will be made once it is signed, made now: two officers shall not sign what fails afterwards. */
static enum rc
try_decision(struct preparation *p, struct authority_decision *ret, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	OWN_BUF struct buf text = buf_max(LIMIT_CMS);
	struct document d = { .id = p->base ? p->base->id : doc_id_of(factory_new_id(p->f)),
			      .version = p->base ? p->base->version + 1 : 1,
			      .kind = KIND_AUTHORITY,
			      .at_ms = clock_now_ms() };
	struct bytes spki;

	json_put_canonical(&text, p->body);
	d.text = buf_bytes(&text);
	TRY(document_read(p->a, &d, e));
	TRY(policy_with(p->f, &d, &policy, e));
	TRY(ca_certificate_decide(p->f, p->a, policy, d.id, ret, &spki, e));
	ret->authority = ret->issuer = NULL; /* views into that policy */
	return RC_OK;
}

enum rc
authority_act_check(struct preparation *p, struct err *e)
{
	struct authority_decision d;

	TRY(document_act_check(p, e));
	TRY(import_check(p->f, p->a, p->policy, p->base ? p->base->body : NULL, p->body, clock_now_ms(), e));
	return p->base == NULL && type_of(p->body) == AUTHORITY_CROSS ? try_decision(p, &d, e) : RC_OK;
}

/* Body and difference of an act on a document that may stay as it is. */
static enum rc
body_of(struct preparation *p, struct err *e)
{
	struct document_check check = { .kind = kind_of(KIND_AUTHORITY),
					.policy = p->policy,
					.before = p->base->body,
					.self = p->base->id };

	TRY(document_check(p->a, &check, p->in, &p->body, e));
	TRY(import_check(p->f, p->a, p->policy, p->base->body, p->body, clock_now_ms(), e));
	return document_difference(p->a, check.kind, p->policy, p->base->body, p->body, &p->difference, e);
}

/* What the signer holds the key to cannot be widened, for anybody. */
static enum rc
within_limits(struct preparation *p, const struct authority_decision *d, struct err *e)
{
	const struct document *key = snapshot_of_kind(p->policy, KIND_CA_KEY, body_ref(p->body, "ca_key"));
	struct signer_limits l;
	char label[KEY_LABEL_MAX];

	if (key == NULL)
		return RC_OK;
	TRY(signer_limits_get(p->f->signer, key_label(key, label), SIGNER_WAIT_MS, p->a, &l, e));
	if (d->not_after_ms - d->not_before_ms > (int64_t)l.validity_max_days * DAY_MS) {
		err_field(e, "not_after");
		FAIL(e, CHY_AUTHORITY_LIMITS, NULL, "its certificates may be valid for %u days at most",
		     l.validity_max_days);
	}
	if (l.name_constraints.n > 0 && !bytes_eq(l.name_constraints, d->name_constraints)) {
		err_field(e, "permitted_names");
		FAIL(e, CHY_AUTHORITY_LIMITS, "RFC 5280 4.2.1.10",
		     "its name constraints were fixed with its first certificate");
	}
	return RC_OK;
}

enum rc
authority_renew_check(struct preparation *p, struct err *e)
{
	struct authority_decision d;

	TRY(body_of(p, e));
	TRY(try_decision(p, &d, e));
	if (d.not_before_ms > clock_now_ms()) {
		err_field(e, "not_before");
		FAIL(e, CHY_VALIDITY_ORDER, NULL,
		     "a renewed certificate is in force at once, so it must be valid at once");
	}
	return within_limits(p, &d, e);
}

enum rc
authority_request_check(struct preparation *p, struct err *e)
{
	TRY(body_of(p, e));
	NEED(authority_has_key(type_of(p->body)), e, CHY_AUTHORITY_NO_REQUEST, NULL,
	     "the key of \"%.*s\" is not here", BYTES_FMT(p->base->name));
	NEED(json_eq(p->base->body, p->body), e, CHY_FIELD_CONFLICT, NULL,
	     "a request is for the authority as it stands; modify it first");
	return RC_OK;
}

/* ---- what is done ---- */

/* The document that the request makes, so far without a version in the store. */
static enum rc
new_document(struct effect *x, struct document *ret, struct err *e)
{
	const struct request *r = x->request;

	*ret = (struct document){ .id = r->base.id.v ? r->base.id : doc_id_of(r->id.v),
				  .version = r->base.version + 1,
				  .kind = x->request->act.kind,
				  .at_ms = clock_now_ms(),
				  .body = x->request->body };
	return document_read(x->a, ret, e);
}

enum rc
ca_key_act_work(struct effect *x, struct err *e)
{
	struct document key;

	TRY(new_document(x, &key, e));
	return key_make(x->f, x->a, &key, e);
}

/* A key whose certificate a foreign CA will issue: what that will say is not known, what the document says holds. */
static enum rc
limit_external(struct effect *x, const struct authority *own, struct err *e)
{
	struct ca_bounds b = { .key = own->key,
			       .subject = own->subject,
			       .days = LIMIT_DAYS,
			       .attribute_certificates = body_true(own->doc->body, "attribute_certificates"),
			       .path_len = (int)body_int(own->doc->body, "path_length", -1) };

	NEED(own->key != NULL, e, CHY_AUTHORITY_NO_KEY, NULL, "the authority's key is not there");
	TRY(names_value(x->a, own->doc->body, &b.name_constraints, e));
	TRY(key_public(x->f, x->a, own->key, &b.spki, e));
	return ca_limits_set(x->f, &b, e);
}

enum rc
authority_act_work(struct effect *x, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct authority *own;
	struct document authority;

	TRY(new_document(x, &authority, e));
	TRY(policy_with(x->f, &authority, &policy, e));
	own = snapshot_authority(policy, authority.id);
	NEED(own != NULL, e, CHY_AUTHORITY_NO_KEY, NULL, "the authority is not there");
	if (own->type == AUTHORITY_EXTERNAL_ROOT)
		return RC_OK;
	if (own->type == AUTHORITY_EXTERNAL_SUBORDINATE)
		return limit_external(x, own, e);
	return ca_certificate_make(x->f, x->a, policy, authority.id, by_request(x->a, x->request->id),
				   x->request->id, e);
}

/* ---- a request for a foreign CA ---- */

static enum rc
request_extensions(struct effect *x, const struct authority *own, struct exts *ret, struct err *e)
{
	struct ext_value basic = { .kind = OID_CE_BASIC_CONSTRAINTS,
				   .critical = true,
				   .basic = { true, (int)body_int(own->doc->body, "path_length", -1) } };
	struct ext_value usage = { .kind = OID_CE_KEY_USAGE,
				   .critical = true,
				   .key_usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN };
	struct bytes names;

	NEED((ret->v = arena_array(x->a, 3, sizeof(*ret->v))) != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(ext_encode(x->a, &basic, &ret->v[ret->n++], e));
	TRY(ext_encode(x->a, &usage, &ret->v[ret->n++], e));
	TRY(names_value(x->a, own->doc->body, &names, e));
	if (names.n > 0)
		ret->v[ret->n++] = (struct ext){ .oid = oid_der(OID_CE_NAME_CONSTRAINTS),
						 .known = OID_CE_NAME_CONSTRAINTS,
						 .critical = true,
						 .value = names };
	return RC_OK;
}

static enum rc
signed_request(struct effect *x, const struct authority *own, struct bytes *ret, struct err *e)
{
	struct exts exts = { 0 };
	struct signed_cert signature;
	struct bytes spki, tbs;
	char label[KEY_LABEL_MAX], why[64];

	snprintf(why, sizeof(why), "request=%lld", (long long)x->request->id.v);
	TRY(key_public(x->f, x->a, own->key, &spki, e));
	TRY(request_extensions(x, own, &exts, e));
	TRY(csr_tbs_build(x->a, own->subject, spki, &exts, &tbs, e));
	TRY(signer_sign_csr(x->f->signer, key_label(own->key, label), own->sigalg, tbs, bytes_str(why),
			    SIGNER_WAIT_MS, x->a, &signature, e));
	FAULT("factory.after-sign-request");
	return csr_assemble(x->a, tbs, own->sigalg, signature.signature, ret, e);
}

/* Interrupted, it is signed once more: nobody has seen the first one. */
enum rc
authority_request_work(struct effect *x, struct err *e)
{
	const struct authority *own = snapshot_authority(x->policy, x->request->base.id);
	struct bytes der;

	NEED(own != NULL && own->key != NULL, e, CHY_AUTHORITY_NO_KEY, NULL,
	     "the authority's key is not there");
	TRY(signed_request(x, own, &der, e));
	json_set(x->result, "id", json_int(x->a, own->doc->id.v));
	json_set(x->result, "request", json_base64(x->a, der));
	return RC_OK;
}

enum rc
authority_request_apply(struct effect *x, struct change *c, struct err *e)
{
	change_check_document(c, x->request->base.id.v, x->request->base.version);
	return RC_OK;
}
