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
#include "store/read.h"

enum { DAY_MS = 86400000, LIMIT_DAYS = 36500 };

/* ---- what is prepared ---- */

static enum authority_type
type_of(const struct json *body)
{
	return (enum authority_type)body_choice(body, "type", authority_choices, AUTHORITY_ROOT);
}

/* The decision that will be made once it is signed, made now: two officers shall not sign what fails afterwards. base: the
   version that is changed, id none: a new document. *ret_spki: the key that is certified; *ret_issuer: the name of who does. */
static enum rc
try_decision(struct factory *f, struct arena *a, struct doc_version base, const struct json *body,
	     struct authority_decision *ret, struct bytes *ret_spki, struct bytes *ret_issuer, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	OWN_BUF struct buf text = buf_max(LIMIT_CMS);
	struct document d = { .id = base.id.v ? base.id : doc_id_of(factory_new_id(f)),
			      .version = base.version + 1,
			      .kind = KIND_AUTHORITY,
			      .at_ms = clock_now_ms() };

	json_put_canonical(&text, body);
	d.text = buf_bytes(&text);
	TRY(document_read(a, &d, e));
	TRY(policy_with(f, &d, &policy, e));
	TRY(ca_certificate_decide(f, a, policy, d.id, ret, ret_spki, e));
	*ret_issuer = arena_dup(a, ret->issuer->doc->name);
	ret->authority = ret->issuer = NULL; /* views into that policy */
	return RC_OK;
}

/* ---- what it comes to, for who signs ---- */

static struct bytes
until(struct arena *a, int64_t not_after_ms, const char *more)
{
	char at[32];

	return bytes_str(arena_printf(a, "until %s%s", time_text(at, not_after_ms), more));
}

/* What renewing comes to: until when, for which key, by whom. own: as it is; NULL: not in force. */
static void
tell_new(struct arena *a, const struct authority *own, const struct authority_decision *d, struct bytes spki,
	 struct bytes issuer, struct json *list)
{
	bool had = own != NULL && own->certificate.n > 0;
	const char *key = had && bytes_eq(own->spki, spki) ? "the same key" : "another key";

	act_difference(
	    a, list, "certificate", BYTES("New certificate"),
	    had ? until(a, own->not_after_ms, "") : BYTES_NONE,
	    until(a, d->not_after_ms, arena_printf(a, ", for %s, issued by %.*s", key, BYTES_FMT(issuer))));
}

/* What has been made of it. */
static enum rc
tell_made(const struct telling *t, struct json *list, struct err *e)
{
	OWN_BUF struct buf serial = buf_max(256);
	struct certificate_row *rows;
	size_t n;

	TRY(store_certificates_by_request(t->f->store, t->a, t->request->id.v, 0, 1, &rows, &n, e));
	if (n == 0)
		return RC_OK;
	hex_put(&serial, rows[0].serial);
	act_difference(t->a, list, "certificate", BYTES("New certificate"), BYTES_NONE,
		       until(t->a, rows[0].not_after,
			     arena_printf(t->a, ", serial number %.*s", BYTES_FMT(buf_bytes(&serial)))));
	return RC_OK;
}

/* As things stand now. What would be refused says so: whoever looks shall see the rest of it all the same. */
enum rc
authority_renew_tell(const struct telling *t, struct json *difference, struct err *e)
{
	const struct request *r = t->request;
	struct authority_decision d;
	struct bytes spki, issuer;
	struct err why = { 0 };

	if (request_state_is_final(r->state))
		return tell_made(t, difference, e);
	if (try_decision(t->f, t->a, r->base, r->body, &d, &spki, &issuer, &why) == RC_OK)
		tell_new(t->a, snapshot_authority(t->policy, r->base.id), &d, spki, issuer, difference);
	else
		act_difference(t->a, difference, "certificate", BYTES("New certificate"), BYTES_NONE,
			       bytes_str(arena_printf(t->a, "none as things stand: %s", why.text)));
	return RC_OK;
}

static void
tell_request(struct arena *a, const struct snapshot *policy, const struct json *body, struct json *list)
{
	const struct document *key = snapshot_of_kind(policy, KIND_CA_KEY, body_ref(body, "ca_key"));
	struct bytes subject = body_text(body, "subject"), name = key != NULL ? key->name : BYTES("gone");

	act_difference(
	    a, list, "request", BYTES("Request for a foreign CA"), BYTES_NONE,
	    bytes_str(arena_printf(a, "PKCS#10, for %.*s, by the key %.*s; the authority stays as it is",
				   BYTES_FMT(subject), BYTES_FMT(name))));
}

enum rc
authority_request_tell(const struct telling *t, struct json *difference, struct err *e)
{
	tell_request(t->a, t->policy, t->request->body, difference);
	return RC_OK;
}

enum rc
authority_act_check(struct preparation *p, struct err *e)
{
	struct authority_decision d;
	struct bytes spki, issuer;

	TRY(document_act_check(p, e));
	TRY(import_check(p->f, p->a, p->policy, p->base ? p->base->body : NULL, p->body, clock_now_ms(), e));
	return p->base == NULL && type_of(p->body) == AUTHORITY_CROSS
	    ? try_decision(p->f, p->a, (struct doc_version){ 0 }, p->body, &d, &spki, &issuer, e)
	    : RC_OK;
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
	const struct doc_version base = { p->base->id, p->base->version };
	struct authority_decision d;
	struct bytes spki, issuer;

	TRY(body_of(p, e));
	TRY(try_decision(p->f, p->a, base, p->body, &d, &spki, &issuer, e));
	if (d.not_before_ms > clock_now_ms()) {
		err_field(e, "not_before");
		FAIL(e, CHY_VALIDITY_ORDER, NULL,
		     "a renewed certificate is in force at once, so it must be valid at once");
	}
	tell_new(p->a, snapshot_authority(p->policy, base.id), &d, spki, issuer, p->difference);
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
	tell_request(p->a, p->policy, p->body, p->difference);
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
