/* An officer's signature in a leaf: who made it, was it an officer then, and may such an officer do this act? */
#include "base/base.h"
#include "cli/journal_import.h"
#include "crypto/cms_verify.h"
#include "pki/cert.h"

enum { DOMAINS_DEEP = 64 };

/* What the signed bytes say. */
struct act_document {
	struct json *v, *body;
	struct act act;
	char act_text[64];
	int64_t request, base_id, base_version;
};

static enum rc
read_base(const struct json *v, struct act_document *ret, struct err *e)
{
	const struct json *base = json_get(v, "base");

	if (base == NULL || base->type == JSON_NULL)
		return RC_OK;
	TRY_AT(json_need_int(base, "id", 1, JSON_INT_MAX, &ret->base_id, e), e, "base");
	TRY_AT(json_need_int(base, "version", 1, JSON_INT_MAX, &ret->base_version, e), e, "base");
	return RC_OK;
}

static enum rc
read_act(struct journal_verifier *v, struct arena *a, struct bytes content, struct act_document *ret,
	 struct err *e)
{
	struct bytes format, act, instance;

	*ret = (struct act_document){ 0 };
	TRY(json_parse(a, content, &ret->v, e));
	TRY(json_need_str(ret->v, "format", &format, e));
	NEED(bytes_is(format, "chancery-request/1"), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "what was signed is no request");
	TRY(json_need_str(ret->v, "instance", &instance, e));
	NEED(bytes_is(instance, v->instance), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "what was signed is a request to another installation");
	TRY(json_need_str(ret->v, "act", &act, e));
	snprintf(ret->act_text, sizeof(ret->act_text), "%.*s", BYTES_FMT(act));
	ret->act = act_of(act);
	NEED(ret->act.verb != ACT_NONE, e, CHY_JOURNAL_SIGNATURE, NULL, "the act \"%s\" is not known",
	     ret->act_text);
	TRY(json_need_int(ret->v, "request", 1, JSON_INT_MAX, &ret->request, e));
	TRY(json_need_object(ret->v, "body", &ret->body, e));
	return read_base(ret->v, ret, e);
}

/* ---- the officer ---- */

bool
journal_domain_is_within(const struct journal_verifier *v, int64_t domain, int64_t home)
{
	for (int i = 0; i < DOMAINS_DEEP && domain != home; i++) {
		const struct domain_state *d = domain ? pairmap_get(&v->domains, domain, 0) : NULL;

		if (d == NULL)
			return false; /* Root, or one that is not there: above the officer's home */
		domain = d->parent;
	}
	return domain == home;
}

/* Where the document that is to be lies, or for a domain, below which one. */
static int64_t
domain_of(const struct act_document *d)
{
	const struct json *v = json_get(d->body, d->act.kind == KIND_DOMAIN ? "parent" : "domain");

	return v && v->type == JSON_INT ? v->integer : 0;
}

static enum rc
check_rights(const struct journal_verifier *v, const struct officer_state *o, int64_t officer,
	     const struct act_document *d, struct err *e)
{
	const struct profile_state *p = pairmap_get(&v->profiles, o->profile, 0);
	int64_t renews = journal_renews(d->act, d->body);
	roles needed = renews == officer ? 0 : act_roles(d->act);

	NEED(o->active, e, CHY_JOURNAL_SIGNATURE, NULL, "the officer was closed when it signed");
	NEED(p != NULL && p->active, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer's profile was closed when it signed");
	for (int r = 0; r < ROLE_COUNT; r++)
		NEED(!(needed & ROLES(r)) || (p->roles & ROLES(r)), e, CHY_JOURNAL_SIGNATURE, NULL,
		     "the officer had not the role %s, which %s needs", role_name((enum role)r), d->act_text);
	if (d->act.kind != KIND_NONE)
		NEED(journal_domain_is_within(v, domain_of(d), o->domain), e, CHY_JOURNAL_SIGNATURE, NULL,
		     "the officer's domain is not that of what it changed");
	if (!act_begins_with_own(d->act))
		return RC_OK;
	return journal_renewal_right(v, o, officer, renews, pairmap_get(&v->requests, d->request, 0) == NULL,
				     e);
}

static enum rc
in_its_time(struct arena *a, struct bytes signer, int64_t at_ms, struct err *e)
{
	struct cert c;

	TRY(cert_parse(a, signer, &c, e));
	NEED(at_ms >= c.not_before_at && at_ms <= c.not_after_at, e, CHY_JOURNAL_SIGNATURE, "RFC 5280 6.1.3",
	     "the officer's certificate was not valid when it signed");
	return RC_OK;
}

/* As the server asks it: a key that only decrypts is nobody's word. */
static enum rc
for_signatures(struct arena *a, struct bytes signer, struct err *e)
{
	const struct ext *usage;
	struct cert c;
	uint32_t bits;

	TRY(cert_parse(a, signer, &c, e));
	usage = exts_find(&c.exts, OID_CE_KEY_USAGE);
	if (usage == NULL)
		return RC_OK;
	TRY(ext_key_usage(usage->value, &bits, e));
	NEED(bits & (USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT), e, CHY_JOURNAL_SIGNATURE,
	     "RFC 5280 4.2.1.3", "the officer's certificate is not for signatures");
	return RC_OK;
}

static bool
has_key(const struct officer_state *o, struct bytes spki)
{
	uint8_t key[SHA256_LEN];

	sha256(spki, key);
	for (size_t i = 0; i + SHA256_LEN <= o->keys.n; i += SHA256_LEN)
		if (memcmp(o->keys.p + i, key, SHA256_LEN) == 0)
			return true;
	return false;
}

bool
journal_is_bound(struct arena *a, const struct by_subject *s, struct bytes subject, int64_t procedure)
{
	struct name is, asked;

	return s->procedure != 0 && s->procedure == procedure &&
	    name_from_text(a, s->text, &is, NULL) == RC_OK &&
	    name_from_text(a, subject, &asked, NULL) == RC_OK && name_eq(is.der, asked.der);
}

/* Another certificate than the bound one counts for an officer who is bound by the subject: issued here after that one, to
   the same subject, by the same certificate procedure, and asked for by that officer; and for one who is bound to a token: for a key in
   it. */
static enum rc
check_subject(struct journal_verifier *v, const struct officer_state *o, int64_t officer, struct bytes signer,
	      const uint8_t hash[SHA256_LEN], struct err *e)
{
	const struct certificate_state *row = pairmap_get(&v->prints, journal_print(hash, 0),
							  journal_print(hash, 1));
	const struct profile_state *p = pairmap_get(&v->profiles, o->profile, 0);
	OWN_BUF struct buf subject = buf_max(LIMIT_CMS);
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct cert cert;
	bool bound;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	TRY(cert_parse(a, signer, &cert, e));
	name_put_der_text(&subject, cert.subject);
	NEED(row == NULL || !row->imported, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "it was made with a certificate that a foreign CA has issued");
	if (p != NULL && p->by_token && row != NULL && memcmp(row->row.sha256, hash, SHA256_LEN) == 0 &&
	    has_key(o, cert.spki))
		return RC_OK;
	bound = p != NULL && p->by_subject && row != NULL && memcmp(row->row.sha256, hash, SHA256_LEN) == 0 &&
	    journal_is_bound(a, &o->subject, buf_bytes(&subject), row->certificate_procedure);
	if (bound && !v->form) { /* as the rule was then; the summary tells of it */
		v->sum.older++;
		return RC_OK;
	}
	NEED(bound && row->stands_for == officer && row->own_leaf > o->certificate, e, CHY_JOURNAL_SIGNATURE,
	     NULL, "it was made with another certificate than that of officer %lld", (long long)officer);
	return RC_OK;
}

static enum rc
check_officer(struct journal_verifier *v, int64_t officer, struct bytes signer,
	      const struct officer_state **ret, struct err *e)
{
	const struct officer_state *o = pairmap_get(&v->officers, officer, 0);
	const struct row_state *certificate;
	uint8_t hash[SHA256_LEN];

	NEED(o != NULL, e, CHY_JOURNAL_SIGNATURE, NULL, "nobody was officer %lld", (long long)officer);
	sha256(signer, hash);
	*ret = o;
	if (memcmp(hash, o->fingerprint, SHA256_LEN) != 0)
		return check_subject(v, o, officer, signer, hash, e);
	certificate = o->certificate ? pairmap_get(&v->certificates, o->certificate, 0) : NULL;
	NEED(certificate != NULL && memcmp(certificate->sha256, hash, SHA256_LEN) == 0, e,
	     CHY_JOURNAL_SIGNATURE, NULL, "the officer's certificate was not issued here before that");
	return RC_OK;
}

enum rc
journal_signer(struct journal_verifier *v, struct arena *a, int64_t officer, struct bytes signer,
	       const struct officer_state **ret, struct err *e)
{
	TRY(check_officer(v, officer, signer, ret, e));
	return for_signatures(a, signer, e);
}

/* ---- the request ---- */

static enum rc
read_csrs(struct journal_verifier *v, struct arena *a, const struct json *body, struct signed_request *r,
	  struct err *e)
{
	struct json *list;

	TRY(json_need_array(body, "requests", &list, e));
	TRY(json_need_int(body, "token_procedure", 1, JSON_INT_MAX, &r->token_procedure, e));
	r->csrs = arena_array(v->mem, list->count ? list->count : 1, SHA256_LEN);
	r->issued = arena_array(v->mem, list->count ? list->count : 1, sizeof(*r->issued));
	NEED(r->csrs != NULL && r->issued != NULL, e, CHY_NO_MEMORY, NULL, "requests");
	JSON_EACH(item, list)
	{
		struct bytes text, der;

		TRY(json_need_str(item, "csr", &text, e));
		TRY(base64_parse(a, text, &der, e));
		sha256(der, r->csrs + r->csrs_n++ * SHA256_LEN);
	}
	return RC_OK;
}

static enum rc
read_ac_base(const struct json *body, struct signed_request *r, struct err *e)
{
	struct json *base;

	TRY(json_need_int(body, "token_procedure", 1, JSON_INT_MAX, &r->token_procedure, e));
	TRY(json_need_object(body, "base", &base, e));
	return json_need_int(base, "certificate", 1, JSON_INT_MAX, &r->base, e);
}

/* The first signature makes the request known. */
static enum rc
request_new(struct journal_verifier *v, struct arena *a, const struct act_document *d,
	    const uint8_t hash[SHA256_LEN], struct signed_request **ret, struct err *e)
{
	struct signed_request *r = arena_one(v->mem, struct signed_request);

	NEED(r != NULL, e, CHY_NO_MEMORY, NULL, "request");
	r->act = d->act;
	r->base_id = d->base_id;
	r->base_version = d->base_version;
	memcpy(r->bytes_sha256, hash, SHA256_LEN);
	if (d->act.kind == KIND_AUTHORITY)
		TRY(json_opt_bool(d->body, "ocsp", &r->ocsp, e));
	if (d->act.kind != KIND_NONE)
		TRY(journal_document_hash(kind_name(d->act.kind), d->body, r->body_sha256, e));
	else if (d->act.verb == ACT_ISSUE)
		TRY(read_csrs(v, a, d->body, r, e));
	else if (d->act.verb == ACT_OFFICER_RENEW)
		TRY(journal_read_renewal(v, a, d->body, r, e));
	else if (d->act.verb == ACT_ISSUE_ATTRIBUTE)
		TRY(read_ac_base(d->body, r, e));
	else if (d->act.verb == ACT_IMPORT || d->act.verb == ACT_IMPORT_CRL)
		TRY(journal_import_request(v, a, d->body, r, e));
	else
		r->body = json_copy(v->mem, d->body);
	*ret = r;
	return pairmap_put(&v->requests, d->request, 0, r, e);
}

static enum rc
add_signer(struct signed_request *r, int64_t officer, const struct journal_verifier *v, struct err *e)
{
	const struct officer_state *o = pairmap_get(&v->officers, officer, 0);

	NEED(r->signers_n < SIGNERS_MAX, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "more signatures than any act needs");
	for (size_t i = 0; i < r->signers_n; i++) {
		const struct officer_state *x = pairmap_get(&v->officers, r->signers[i], 0);

		NEED(r->signers[i] != officer, e, CHY_JOURNAL_SIGNATURE, NULL, "officer %lld signed twice",
		     (long long)officer);
		NEED(!x || !o || memcmp(x->fingerprint, o->fingerprint, SHA256_LEN) != 0, e,
		     CHY_JOURNAL_SIGNATURE, NULL, "two officers with one certificate signed");
	}
	r->signers[r->signers_n++] = officer;
	return RC_OK;
}

enum rc
journal_signature(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct err *e)
{
	const struct officer_state *o = NULL;
	struct signed_request *r;
	struct act_document d;
	struct cms_signed cms;
	struct bytes text, der;
	uint8_t hash[SHA256_LEN];
	int64_t request, officer;
	uint64_t older;

	v->ceremony = false;
	TRY(json_need_int(l->leaf, "request", 1, JSON_INT_MAX, &request, e));
	TRY(json_need_int(l->leaf, "officer", 1, JSON_INT_MAX, &officer, e));
	TRY(json_need_str(l->leaf, "cms", &text, e));
	TRY(base64_parse(a, text, &der, e));
	v->sum.signatures++;
	sha256(der, hash);
	TRY(journal_expect_row(v, &v->signatures, request, officer, hash, e));
	TRY(cms_verify(a, der, &cms, e));
	TRY(read_act(v, a, cms.content, &d, e));
	NEED(d.request == request, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "what was signed is request %lld, not %lld", (long long)d.request, (long long)request);
	older = v->sum.older;
	TRY(journal_signer(v, a, officer, cms.signer, &o, e));
	if (v->sum.older > older)
		v->sum.older_at_ms = l->at_ms;
	TRY(in_its_time(a, cms.signer, l->at_ms, e));
	TRY(check_rights(v, o, officer, &d, e));
	sha256(cms.content, hash);
	r = pairmap_get(&v->requests, request, 0);
	if (r == NULL)
		TRY(request_new(v, a, &d, hash, &r, e));
	NEED(memcmp(r->bytes_sha256, hash, SHA256_LEN) == 0, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "it is over other bytes than the request's first signature");
	return add_signer(r, officer, v, e);
}
