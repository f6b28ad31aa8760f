/* What each kind of leaf must be, given what came before it. */
#include "base/base.h"
#include "cli/journal_import.h"
#include "model/log.h"

/* ---- on whose word ---- */

struct word {
	int64_t genesis, request, session, rescue; /* the one that is not 0 */
};

static enum rc
read_word(const struct json *leaf, struct word *ret, struct err *e)
{
	struct json *by;

	*ret = (struct word){ 0 };
	TRY(json_need_object(leaf, "by", &by, e));
	TRY(json_opt_int(by, "genesis", 1, JSON_INT_MAX, &ret->genesis, e));
	TRY(json_opt_int(by, "request", 1, JSON_INT_MAX, &ret->request, e));
	TRY(json_opt_int(by, "session", 1, JSON_INT_MAX, &ret->session, e));
	TRY(json_opt_int(by, "rescue", 1, JSON_INT_MAX, &ret->rescue, e));
	NEED(!!ret->genesis + !!ret->request + !!ret->session + !!ret->rescue == 1, e, CHY_JOURNAL_FORMAT,
	     NULL, "it does not say on whose one word");
	return RC_OK;
}

/* The ceremony's own facts stand before the first signature of an officer; nothing can be put in later. */
static enum rc
by_ceremony(const struct journal_verifier *v, const struct word *w, struct err *e)
{
	NEED(w->genesis == v->genesis && v->ceremony, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "it claims the boot ceremony, which was over by then");
	return RC_OK;
}

/* The request with all its signatures. */
static enum rc
signed_request(const struct journal_verifier *v, int64_t id, struct signed_request **ret, struct err *e)
{
	struct signed_request *r = pairmap_get(&v->requests, id, 0);
	unsigned needed;

	NEED(r != NULL, e, CHY_JOURNAL_SIGNATURE, NULL, "nobody had signed request %lld", (long long)id);
	needed = act_signatures(r->act);
	NEED(r->signers_n >= needed, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "request %lld had %zu good signatures of %u", (long long)id, r->signers_n, needed);
	*ret = r;
	return RC_OK;
}

/* ---- documents ---- */

static enum rc
ref_of(const struct json *body, const char *name, int64_t *ret, struct err *e)
{
	*ret = 0;
	return json_opt_int(body, name, 1, JSON_INT_MAX, ret, e);
}

static bool
is_active(const struct json *body)
{
	const struct json *state = json_get(body, "state");

	return state == NULL || state->type != JSON_STR || !bytes_is(state->str, "closed");
}

/* The one that is kept for an id, made at first. */
#define STATE_OF(v, map, id, type) state_of((v), &(v)->map, (id), sizeof(struct type), e)

static void *
state_of(struct journal_verifier *v, struct pairmap *m, int64_t id, size_t size, struct err *e)
{
	void *x = pairmap_get(m, id, 0);

	if (x == NULL) {
		x = arena_alloc(v->mem, size);
		if (x == NULL || pairmap_put(m, id, 0, x, e) != RC_OK)
			return NULL;
	}
	return x;
}

static enum rc
know_keys(struct journal_verifier *v, struct arena *a, struct officer_state *o, const struct json *list,
	  struct err *e)
{
	OWN_BUF struct buf keys = buf_max(64 << 10);

	JSON_EACH(x, list && list->type == JSON_ARRAY ? list : NULL)
	{
		struct bytes key;

		NEED(x->type == JSON_STR, e, CHY_JOURNAL_FORMAT, NULL, "an officer's key");
		TRY(hex_parse(a, x->str, &key, e));
		NEED(key.n == SHA256_LEN, e, CHY_JOURNAL_FORMAT, NULL, "an officer's key of %zu octets",
		     key.n);
		buf_put(&keys, key);
	}
	o->keys = arena_dup(v->mem, buf_bytes(&keys));
	NEED(buf_ok(&keys), e, CHY_NO_MEMORY, NULL, "an officer");
	return RC_OK;
}

static enum rc
know_officer(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, int64_t id,
	     const struct json *body, struct err *e)
{
	struct officer_state *o = STATE_OF(v, officers, id, officer_state);
	struct bytes hex, fingerprint, subject = BYTES_NONE;

	NEED(o != NULL, e, CHY_NO_MEMORY, NULL, "officer");
	TRY(ref_of(body, "profile", &o->profile, e));
	TRY(ref_of(body, "domain", &o->domain, e));
	TRY(ref_of(body, "certificate", &o->certificate, e));
	if (o->active || o->closed_at_ms == 0)
		o->closed_at_ms = l->at_ms; /* holds where it is not active now */
	o->active = is_active(body);
	TRY(json_need_str(body, "certificate_sha256", &hex, e));
	TRY(hex_parse(a, hex, &fingerprint, e));
	NEED(fingerprint.n == SHA256_LEN, e, CHY_JOURNAL_FORMAT, NULL,
	     "an officer's fingerprint of %zu octets", fingerprint.n);
	memcpy(o->fingerprint, fingerprint.p, SHA256_LEN);
	TRY(json_opt_str(body, "subject", &subject, e));
	o->subject_before = o->subject;
	o->subject.text = arena_dup(v->mem, subject);
	TRY(know_keys(v, a, o, json_get(body, "keys"), e));
	return ref_of(body, "certificate_procedure", &o->subject.procedure, e);
}

static enum rc
know_profile(struct journal_verifier *v, int64_t id, const struct json *body, struct err *e)
{
	struct profile_state *p = STATE_OF(v, profiles, id, profile_state);
	struct bytes entity = BYTES_NONE;
	struct json *list;

	NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "profile");
	TRY(json_opt_str(body, "entity_type", &entity, e));
	*p = (struct profile_state){ .active = is_active(body),
				     .by_subject = bytes_is(entity, "subject"),
				     .by_token = bytes_is(entity, "dynamic-token") };
	if (json_get(body, "roles") == NULL)
		return RC_OK;
	TRY(json_need_array(body, "roles", &list, e));
	JSON_EACH(item, list)
	{
		enum role r = item->type == JSON_STR ? role_of(item->str) : ROLE_NONE;

		if (r != ROLE_NONE)
			p->roles |= ROLES(r);
	}
	return RC_OK;
}

static enum rc
know_domain(struct journal_verifier *v, int64_t id, const struct json *body, struct err *e)
{
	struct domain_state *d = STATE_OF(v, domains, id, domain_state);

	NEED(d != NULL, e, CHY_NO_MEMORY, NULL, "domain");
	return ref_of(body, "parent", &d->parent, e);
}

/* The certificate of an external authority stands in its document: a foreign CA issued it. */
static enum rc
know_imported(struct journal_verifier *v, struct arena *a, int64_t id, const struct json *body, struct err *e)
{
	struct bytes text = BYTES_NONE, der;
	struct cert c;

	TRY(json_opt_str(body, "certificate", &text, e));
	if (text.n == 0)
		return RC_OK;
	TRY(base64_parse(a, text, &der, e));
	TRY(cert_parse(a, der, &c, e));
	return journal_issuer_add(v, id, &c, e);
}

static enum rc
know_document(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, enum kind_id kind,
	      int64_t id, int64_t version, const struct json *body, struct err *e)
{
	switch (kind) {
	case KIND_OFFICER:
		return know_officer(v, a, l, id, body, e);
	case KIND_OFFICER_PROFILE:
		return know_profile(v, id, body, e);
	case KIND_DOMAIN:
		return know_domain(v, id, body, e);
	case KIND_AUTHORITY:
		return know_imported(v, a, id, body, e);
	case KIND_STATUS_NODE:
		return journal_node(v, a, l, id, version, body, e);
	default:
		return RC_OK;
	}
}

/* The row that part 3 must have. */
enum rc
journal_expect_row(struct journal_verifier *v, struct pairmap *m, int64_t a, int64_t b,
		   const uint8_t hash[SHA256_LEN], struct err *e)
{
	struct row_state *row = arena_alloc(
	    v->mem, m == &v->certificates ? sizeof(struct certificate_state) : sizeof(*row));

	NEED(pairmap_get(m, a, b) == NULL, e, CHY_JOURNAL_ALTERED, NULL, "the journal has it already");
	NEED(row != NULL, e, CHY_NO_MEMORY, NULL, "leaf");
	memcpy(row->sha256, hash, SHA256_LEN);
	return pairmap_put(m, a, b, row, e);
}

static enum rc
document_by_request(struct journal_verifier *v, const struct word *w, enum kind_id kind, int64_t id,
		    int64_t version, const uint8_t hash[SHA256_LEN], struct err *e)
{
	struct signed_request *r;

	TRY(signed_request(v, w->request, &r, e));
	NEED(!r->over, e, CHY_JOURNAL_SIGNATURE, NULL, "request %lld had taken effect or was void already",
	     (long long)w->request);
	r->over = true;
	NEED(r->act.kind == kind && (r->act.verb == ACT_CREATE) == (version == 1) &&
		 r->act.verb != ACT_CA_REQUEST,
	     e, CHY_JOURNAL_SIGNATURE, NULL, "the officers signed another act");
	NEED(version == 1 || (r->base_id == id && r->base_version == version - 1), e, CHY_JOURNAL_SIGNATURE,
	     NULL, "the officers signed a change of another version");
	NEED(memcmp(r->body_sha256, hash, SHA256_LEN) == 0, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "it is not what the officers signed");
	return RC_OK;
}

static enum rc
next_version(struct journal_verifier *v, int64_t id, int64_t version, struct err *e)
{
	int64_t *newest = state_of(v, &v->versions, id, sizeof(int64_t), e);

	NEED(newest != NULL, e, CHY_NO_MEMORY, NULL, "document");
	NEED(version == *newest + 1, e, CHY_JOURNAL_ALTERED, NULL, "version %lld comes after version %lld",
	     (long long)version, (long long)*newest);
	*newest = version;
	return RC_OK;
}

static enum rc
leaf_document(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct err *e)
{
	struct json *d, *body;
	struct bytes kind;
	struct word w;
	enum kind_id k;
	int64_t id, version;
	uint8_t hash[SHA256_LEN];
	char name[64];

	TRY(json_need_object(l->leaf, "document", &d, e));
	TRY(json_need_int(d, "id", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_int(d, "version", 1, JSON_INT_MAX, &version, e));
	TRY(json_need_str(d, "kind", &kind, e));
	TRY(json_need_object(d, "body", &body, e));
	k = kind_id_of(kind);
	NEED(k != KIND_NONE, e, CHY_JOURNAL_FORMAT, NULL, "a document of an unknown kind");
	snprintf(name, sizeof(name), "%.*s", BYTES_FMT(kind));
	TRY(journal_document_hash(name, body, hash, e));
	TRY(journal_expect_row(v, &v->documents, id, version, hash,
			       e)); /* first, so that its row is accounted for in any case */
	TRY(next_version(v, id, version, e));
	TRY(read_word(l->leaf, &w, e));
	NEED(w.session == 0, e, CHY_JOURNAL_SIGNATURE, NULL, "a session makes no documents");
	if (w.genesis)
		TRY(by_ceremony(v, &w, e));
	else
		TRY(document_by_request(v, &w, k, id, version, hash, e));
	return know_document(v, a, l, k, id, version, body,
			     e); /* what nobody signed has no effect on who is an officer */
}

/* ---- sessions and certificates ---- */

static enum rc
leaf_session(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct err *e)
{
	struct session_state *s = arena_one(v->mem, struct session_state);
	struct signed_request *r;
	struct json *body;
	struct bytes at;
	struct word w;
	int64_t id;

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "session");
	TRY(json_need_int(l->leaf, "session", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_object(l->leaf, "body", &body, e));
	TRY(read_word(l->leaf, &w, e));
	NEED(w.request != 0, e, CHY_JOURNAL_SIGNATURE, NULL, "no officer's request opened it");
	TRY(signed_request(v, w.request, &r, e));
	NEED(r->act.verb == ACT_SESSION_OPEN && !r->over, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer signed another act");
	r->over = true;
	NEED(json_eq(r->body, body), e, CHY_JOURNAL_SIGNATURE, NULL, "it is not what the officer signed");
	TRY(json_need_int(body, "certificates_max", 1, JSON_INT_MAX, &s->max, e));
	TRY(json_need_str(body, "expires_at", &at, e));
	TRY(time_parse(at, &s->expires_at_ms, e));
	s->body = r->body;
	s->officer = r->signers[0];
	return pairmap_put(&v->sessions, id, 0, s, e);
}

/* The id of [id, version]. */
static int64_t
first_int(const struct json *pair)
{
	return pair && pair->type == JSON_ARRAY && pair->first && pair->first->type == JSON_INT
	    ? pair->first->integer
	    : 0;
}

static int64_t
token_procedure_of(const struct json *leaf)
{
	return first_int(json_get(json_get(leaf, "procedures"), "token"));
}

static enum rc
certificate_by_session(struct journal_verifier *v, const struct word *w, const struct leaf_view *l,
		       struct err *e)
{
	struct session_state *s = pairmap_get(&v->sessions, w->session, 0);
	const struct officer_state *o;
	int64_t procedure = token_procedure_of(l->leaf);
	bool allowed = false;

	NEED(s != NULL, e, CHY_JOURNAL_SIGNATURE, NULL, "no officer had opened session %lld",
	     (long long)w->session);
	JSON_EACH(item, json_get(s->body, "token_procedures"))
	allowed = allowed || (item->type == JSON_INT && item->integer == procedure);
	NEED(allowed, e, CHY_JOURNAL_SIGNATURE, NULL, "session %lld was not for token procedure %lld",
	     (long long)w->session, (long long)procedure);
	NEED(l->at_ms <= s->expires_at_ms &&
		 (s->closed_at_ms == 0 || l->at_ms <= s->closed_at_ms + CLOSED_LATE_MS),
	     e, CHY_JOURNAL_SIGNATURE, NULL, "session %lld was over", (long long)w->session);
	o = pairmap_get(&v->officers, s->officer, 0);
	NEED(o != NULL && (o->active || l->at_ms <= o->closed_at_ms + CLOSED_LATE_MS), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "the officer who had opened session %lld was closed by then",
	     (long long)w->session);
	s->used++;
	NEED(s->used <= s->max, e, CHY_JOURNAL_SIGNATURE, NULL, "session %lld was for %lld certificates",
	     (long long)w->session, (long long)s->max);
	return RC_OK;
}

/* Of a soft token: its keys are as many as its procedures say; it is made once. */
static enum rc
certificate_of_token(const struct word *w, const struct leaf_view *l, struct signed_request *r, struct err *e)
{
	const struct json *token = json_get(l->leaf, "token"), *by = json_get(r->body, "token_procedure");

	NEED(token != NULL && token->type == JSON_INT && token->integer == w->request && !r->over, e,
	     CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer's request %lld made another token, or had made it already", (long long)w->request);
	NEED(by != NULL && by->type == JSON_INT && by->integer == token_procedure_of(l->leaf), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "the officer's request %lld is for another token procedure",
	     (long long)w->request);
	return RC_OK;
}

static enum rc
leaf_token(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct signed_request *r;
	struct word w;

	TRY(read_word(l->leaf, &w, e));
	NEED(w.request != 0, e, CHY_JOURNAL_SIGNATURE, NULL, "no officer's request made the token");
	TRY(signed_request(v, w.request, &r, e));
	NEED(r->act.verb == ACT_TOKEN_ISSUE && !r->over, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer signed another act, or its token was made already");
	r->over = true;
	return RC_OK;
}

static enum rc
certificate_by_request(struct journal_verifier *v, struct arena *a, const struct word *w,
		       const struct leaf_view *l, struct err *e)
{
	struct signed_request *r;
	struct bytes hex, hash;

	TRY(signed_request(v, w->request, &r, e));
	if (r->act.verb == ACT_TOKEN_ISSUE)
		return certificate_of_token(w, l, r, e);
	NEED(r->act.verb == ACT_ISSUE || r->act.verb == ACT_OFFICER_RENEW, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer signed another act");
	if (r->act.verb == ACT_OFFICER_RENEW)
		TRY(journal_is_renewal(v, r, l, e));
	TRY(json_need_str(l->leaf, "csr_sha256", &hex, e));
	TRY(hex_parse(a, hex, &hash, e));
	NEED(hash.n == SHA256_LEN, e, CHY_JOURNAL_FORMAT, NULL, "a digest of %zu octets", hash.n);
	NEED(token_procedure_of(l->leaf) == r->token_procedure, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer's request %lld is for token procedure %lld, not %lld", (long long)w->request,
	     (long long)r->token_procedure, (long long)token_procedure_of(l->leaf));
	for (size_t i = 0; i < r->csrs_n; i++)
		if (!r->issued[i] && memcmp(r->csrs + i * SHA256_LEN, hash.p, SHA256_LEN) == 0) {
			r->issued[i] = true; /* one signature, one certificate */
			return RC_OK;
		}
	FAIL(e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer's request %lld does not ask for it, or not so often", (long long)w->request);
}

/* An attribute certificate: by an officer's act for this very base, or with the certificate that it names, by the same word. */
static enum rc
attribute_by_word(struct journal_verifier *v, const struct word *w, const struct leaf_view *l, struct err *e)
{
	const struct json *with = json_get(l->leaf, "with_base");
	bool together = with != NULL && with->type == JSON_BOOL && with->boolean;
	struct certificate_state *s = pairmap_get(&v->certificates, l->id, 0);
	struct session_state *session = pairmap_get(&v->sessions, w->session, 0);
	struct signed_request *r;

	TRY(json_need_int(l->leaf, "base", 1, JSON_INT_MAX, &s->base, e));
	s->certificate_procedure = first_int(json_get(json_get(l->leaf, "procedures"), "attribute"));
	if (w->session != 0) {
		bool allowed = false;

		NEED(session != NULL && together, e, CHY_JOURNAL_SIGNATURE, NULL,
		     "no officer had opened session %lld", (long long)w->session);
		JSON_EACH(item, json_get(session->body, "token_procedures"))
		allowed = allowed || (item->type == JSON_INT && item->integer == s->token_procedure);
		NEED(allowed, e, CHY_JOURNAL_SIGNATURE, NULL, "session %lld was not for token procedure %lld",
		     (long long)w->session, (long long)s->token_procedure);
		return RC_OK;
	}
	TRY(signed_request(v, w->request, &r, e));
	NEED(r->act.verb == (together ? ACT_ISSUE : ACT_ISSUE_ATTRIBUTE), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer signed another act");
	NEED(s->token_procedure == r->token_procedure && (together || s->base == r->base), e,
	     CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer's request %lld is for another certificate or token procedure",
	     (long long)w->request);
	return RC_OK;
}

static enum rc
authority_by_request(struct journal_verifier *v, const struct word *w, const struct leaf_view *l,
		     struct err *e)
{
	struct signed_request *r;

	NEED(w->request != 0, e, CHY_JOURNAL_SIGNATURE, NULL, "a session makes no authorities");
	TRY(signed_request(v, w->request, &r, e));
	NEED(r->act.kind == KIND_AUTHORITY && (r->act.verb == ACT_CREATE || r->act.verb == ACT_RENEW), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "the officers signed another act");
	NEED(first_int(json_get(l->leaf, "authority")) ==
		 (r->act.verb == ACT_RENEW ? r->base_id : w->request),
	     e, CHY_JOURNAL_SIGNATURE, NULL, "the officers' request %lld made another authority",
	     (long long)w->request);
	NEED(!r->certified, e, CHY_JOURNAL_SIGNATURE, NULL, "request %lld had its certificate already",
	     (long long)w->request);
	r->certified = true;
	return RC_OK;
}

static enum rc
responder_by_request(struct journal_verifier *v, struct arena *a, const struct word *w,
		     const struct leaf_view *l, struct err *e)
{
	struct signed_request *r;

	NEED(w->request != 0, e, CHY_JOURNAL_SIGNATURE, NULL, "a session makes no OCSP responders");
	TRY(signed_request(v, w->request, &r, e));
	return journal_responder(v, a, w->request, r, l, e);
}

/* What its row must say, later. */
static enum rc
know_certificate(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, const struct json *c,
		 const struct word *w, struct err *e)
{
	struct certificate_state *s = pairmap_get(&v->certificates, l->id, 0);
	const struct json *procedures = json_get(l->leaf, "procedures");
	struct bytes parts[2];

	TRY(json_need_int(c, "issuer", 1, JSON_INT_MAX, &s->issuer, e));
	TRY(json_need_str(c, "serial", &parts[0], e));
	TRY(hex_parse(a, parts[0], &parts[0], e));
	TRY(json_need_str(c, "subject", &parts[1], e));
	sha256_parts(parts, 2, s->names);
	s->request = w->request;
	s->session = w->session;
	s->void_ = json_get(c, "void") != NULL;
	s->own_leaf = l->id;
	TRY(journal_choice_leaf(l->leaf, s, e));
	TRY(journal_fields_leaf(v, l->leaf, s, e));
	if (s->void_) {
		s->state = CERT_REVOKED;
		s->status_leaf = l->id;
	}
	s->authority = first_int(json_get(l->leaf, "authority"));
	s->token_procedure = first_int(json_get(procedures, "token"));
	s->certificate_procedure = first_int(json_get(procedures, "certificate"));
	/* to be found by the digest too: an officer who is bound by a subject signs with any certificate issued to it */
	return pairmap_put(&v->prints, journal_print(s->row.sha256, 0), journal_print(s->row.sha256, 1), s,
			   e);
}

static enum rc
leaf_certificate(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct bytes kind,
		 struct err *e)
{
	bool authority = bytes_is(kind, "ca-certificate"), imported = bytes_is(kind, "imported");
	struct json *c;
	struct bytes hex, hash;
	struct word w;

	TRY(json_need_object(l->leaf, "certificate", &c, e));
	TRY(json_need_str(c, "sha256", &hex, e));
	TRY(hex_parse(a, hex, &hash, e));
	NEED(hash.n == SHA256_LEN, e, CHY_JOURNAL_FORMAT, NULL, "a digest of %zu octets", hash.n);
	TRY(journal_expect_row(v, &v->certificates, l->id, 0, hash.p, e));
	TRY(read_word(l->leaf, &w, e));
	TRY(know_certificate(v, a, l, c, &w, e));
	TRY(journal_own_certificate(v, a, w.request, w.rescue, l, e));
	if (w.rescue && bytes_is(kind, "certificate"))
		return journal_rescued(v, a, w.rescue, l, e);
	if (w.genesis)
		return by_ceremony(v, &w, e);
	if (imported)
		return journal_imported(v, a, l, pairmap_get(&v->certificates, l->id, 0), e);
	if (authority)
		return authority_by_request(v, &w, l, e);
	if (json_get(l->leaf, "responder") != NULL)
		return responder_by_request(v, a, &w, l, e);
	if (json_get(l->leaf, "with_base") != NULL)
		return attribute_by_word(v, &w, l, e);
	return w.session ? certificate_by_session(v, &w, l, e) : certificate_by_request(v, a, &w, l, e);
}

/* ---- the rest ---- */

/* Forward only: what was written by the newer rules is held to them. */
static enum rc
take_form(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	int64_t form = 1;

	TRY(json_opt_int(l->leaf, "form", 1, JSON_INT_MAX, &form, e));
	v->form = v->form || form >= JOURNAL_FORM;
	return RC_OK;
}

static enum rc
leaf_genesis(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct err *e)
{
	struct bytes instance, root, certificate;

	NEED(v->tree.size == 1, e, CHY_JOURNAL_ALTERED, NULL, "a second beginning");
	TRY(json_need_str(l->leaf, "instance", &instance, e));
	TRY(json_need_str(l->leaf, "root", &root, e));
	TRY(base64_parse(a, root, &root, e));
	NEED(bytes_is(instance, v->instance) && bytes_eq(root, v->root), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the journal begins with another root than the one given");
	TRY(json_need_str(l->leaf, "journal_certificate", &certificate, e));
	TRY(base64_parse(a, certificate, &certificate, e));
	v->genesis = l->id;
	TRY(take_form(v, l, e));
	return journal_key_load(certificate, v->root, l->at_ms, &v->journal_key, &v->journal_alg,
				&v->journal_from_ms, &v->journal_to_ms, e);
}

/* Withdrawn or rejected by an act that an officer signed, with this reason. */
static enum rc
check_ending(struct journal_verifier *v, const struct leaf_view *l, int64_t ended, bool rejected,
	     struct err *e)
{
	struct signed_request *r;
	struct bytes said, signed_reason;
	struct word w;
	int64_t id;

	TRY(read_word(l->leaf, &w, e));
	NEED(w.request != 0, e, CHY_JOURNAL_SIGNATURE, NULL, "no officer's request ended it");
	TRY(signed_request(v, w.request, &r, e));
	NEED(r->act.verb == (rejected ? ACT_REJECT : ACT_WITHDRAW) && !r->over, e, CHY_JOURNAL_SIGNATURE,
	     NULL, "the officer signed another act");
	r->over = true;
	TRY(json_need_int(r->body, "request", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_str(r->body, "reason", &signed_reason, e));
	TRY(json_need_str(l->leaf, "reason", &said, e));
	NEED(id == ended && bytes_eq(said, signed_reason), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "it is not what the officer signed");
	return RC_OK;
}

static enum rc
leaf_request_state(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct signed_request *r;
	struct bytes to;
	int64_t id;

	TRY(json_need_int(l->leaf, "request", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_str(l->leaf, "to", &to, e));
	if (bytes_is(to, request_state_name(REQUEST_WITHDRAWN)) ||
	    bytes_is(to, request_state_name(REQUEST_REJECTED)))
		TRY(check_ending(v, l, id, bytes_is(to, request_state_name(REQUEST_REJECTED)), e));
	r = pairmap_get(&v->requests, id, 0);
	if (r)
		r->over = true; /* it takes no effect any more */
	return RC_OK;
}

/* Heads that the signer gave up because the operator had restored a backup. Whoever verifies is told. */
static enum rc
leaf_restart(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct json *before;
	int64_t from, to, position;

	TRY(json_need_object(l->leaf, "before", &before, e));
	TRY(json_need_int(before, "size", 1, JSON_INT_MAX, &from, e));
	TRY(json_need_int(l->leaf, "size", 0, JSON_INT_MAX, &to, e));
	TRY(json_need_int(l->leaf, "position", 1, JSON_INT_MAX, &position, e));
	v->sum.restarts++;
	v->sum.restart_from = (uint64_t)from;
	v->sum.restart_to = (uint64_t)to;
	v->sum.restart_at_ms = l->at_ms;
	return RC_OK;
}

/* What an officer activated for OCSP: by a request that names this very certificate. */
static enum rc
named_by_act(struct journal_verifier *v, const struct leaf_view *l, enum act_verb verb, int64_t *ret_id,
	     struct err *e)
{
	struct signed_request *r;
	struct bytes hash, signed_hash;
	bool listed = false;
	struct word w;
	int64_t n;

	TRY(read_word(l->leaf, &w, e));
	NEED(w.request != 0, e, CHY_JOURNAL_FORMAT, NULL, "an act without its request");
	TRY(signed_request(v, w.request, &r, e));
	TRY(json_need_int(l->leaf, "certificate", 1, JSON_INT_MAX, ret_id, e));
	TRY(json_need_str(l->leaf, "certificate_sha256", &hash, e));
	NEED(r->act.verb == verb, e, CHY_JOURNAL_SIGNATURE, NULL, "request %lld is of another act",
	     (long long)w.request);
	JSON_EACH(item, json_get(r->body, "certificates"))
	listed = listed ||
	    (json_need_int(item, "certificate", 1, JSON_INT_MAX, &n, NULL) == RC_OK && n == *ret_id &&
	     json_need_str(item, "certificate_sha256", &signed_hash, NULL) == RC_OK &&
	     bytes_eq(hash, signed_hash));
	NEED(listed, e, CHY_JOURNAL_SIGNATURE, NULL, "the officer's request %lld does not name it",
	     (long long)w.request);
	return RC_OK;
}

static enum rc
leaf_activation(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	int64_t id;

	return named_by_act(v, l, ACT_ACTIVATE_OCSP, &id, e);
}

static enum rc
leaf_removed(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	int64_t id;

	TRY(named_by_act(v, l, ACT_REMOVE, &id, e));
	return journal_removed(v, l, id, e);
}

/* What an officer had published: by a request of that act, with its signatures. */
static enum rc
leaf_publication(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct signed_request *r;
	struct word w;

	TRY(read_word(l->leaf, &w, e));
	NEED(w.request != 0, e, CHY_JOURNAL_FORMAT, NULL, "a publication without its request");
	TRY(signed_request(v, w.request, &r, e));
	NEED(r->act.verb == ACT_PUBLISH || r->act.verb == ACT_UNPUBLISH, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "request %lld is no publication", (long long)w.request);
	return journal_choice_publication(v, l, r->body, e);
}

/* What became of a delivery is the program's word; what an officer decided of it, a request's. */
static enum rc
leaf_delivery(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct signed_request *r;
	struct word w;

	if (json_get(l->leaf, "by") == NULL)
		return RC_OK;
	TRY(read_word(l->leaf, &w, e));
	TRY(signed_request(v, w.request, &r, e));
	NEED(r->act.verb == ACT_DELIVERY_RETRY || r->act.verb == ACT_DELIVERY_DROP, e, CHY_JOURNAL_SIGNATURE,
	     NULL, "request %lld does not decide on deliveries", (long long)w.request);
	return RC_OK;
}

static enum rc
judge(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct bytes kind,
      struct err *e)
{
	NEED(v->tree.size > 1 || bytes_is(kind, "genesis"), e, CHY_JOURNAL_ALTERED, NULL,
	     "the first leaf is not the boot ceremony's");
	if (bytes_is(kind, "genesis"))
		return leaf_genesis(v, a, l, e);
	if (bytes_is(kind, "signature"))
		return journal_signature(v, a, l, e);
	if (bytes_is(kind, "document"))
		return leaf_document(v, a, l, e);
	if (bytes_is(kind, "session"))
		return leaf_session(v, a, l, e);
	if (bytes_is(kind, "session-closed"))
		return journal_session_closed(v, l, e);
	if (bytes_is(kind, "certificate") || bytes_is(kind, "ca-certificate") ||
	    bytes_is(kind, "ocsp-certificate") || bytes_is(kind, "attribute-certificate") ||
	    bytes_is(kind, "imported"))
		return leaf_certificate(v, a, l, kind, e);
	if (bytes_is(kind, "imported-crl"))
		return journal_imported_crl(v, a, l, e);
	if (bytes_is(kind, "request-state"))
		return leaf_request_state(v, l, e);
	if (bytes_is(kind, "clock"))
		return journal_time_clock(v, l, e);
	if (bytes_is(kind, "adopted"))
		return journal_time_adopted(v, l, e);
	if (bytes_is(kind, "form"))
		return take_form(v, l, e);
	if (bytes_is(kind, "rescue"))
		return journal_rescue(v, a, l, e);
	if (bytes_is(kind, "certificate-state"))
		return journal_status(v, a, l, e);
	if (bytes_is(kind, "revocation-password"))
		return RC_OK;
	if (bytes_is(kind, "ocsp-activation"))
		return leaf_activation(v, l, e);
	if (bytes_is(kind, "removed"))
		return leaf_removed(v, l, e);
	if (bytes_is(kind, "token"))
		return leaf_token(v, l, e);
	if (bytes_is(kind, "token-file"))
		return RC_OK;
	if (bytes_is(kind, "restart"))
		return leaf_restart(v, l, e);
	if (bytes_is(kind, "publication"))
		return leaf_publication(v, l, e);
	if (bytes_is(kind, "delivery"))
		return leaf_delivery(v, l, e);
	NEED(bytes_is(kind, "refusal") || bytes_is(kind, "disagreement") || bytes_is(kind, "crl") ||
		 bytes_is(kind, "cil"),
	     e, CHY_JOURNAL_FORMAT, NULL, "a leaf of the unknown kind \"%.*s\"", BYTES_FMT(kind));
	return RC_OK;
}

enum rc
journal_leaf(struct journal_verifier *v, struct arena *a, const struct json *leaf, struct err *e)
{
	struct leaf_view l = { .leaf = leaf };
	struct bytes kind = BYTES_NONE, at;
	struct err why = { 0 };
	enum rc rc;

	if ((rc = json_need_str(leaf, "kind", &kind, &why)) == RC_OK &&
	    (rc = json_need_int(leaf, "id", 1, JSON_INT_MAX, &l.id, &why)) == RC_OK &&
	    (rc = json_need_str(leaf, "at", &at, &why)) == RC_OK &&
	    (rc = time_parse(at, &l.at_ms, &why)) == RC_OK) {
		size_t n = strlen(v->where);

		snprintf(v->where + n, sizeof(v->where) - n, " (%.*s)", BYTES_FMT(bytes_part(kind, 0, 24)));
		TRY(journal_found(v, journal_time_leaf(v, &l, kind, &why), &why, e));
		err_clear(&why);
		rc = judge(v, a, &l, kind, &why);
	}
	return journal_found(v, rc, &why, e);
}
