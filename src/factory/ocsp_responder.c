/* The certificates of OCSP responders: made and renewed by themselves, on the way of every certificate. */
#include "base/base.h"
#include "factory/ocsp_responder.h"

#include "crypto/digest.h"
#include "crypto/rand.h"
#include "factory/ca_keys.h"
#include "factory/leaf.h"
#include "factory/node.h"
#include "factory/ocsp_desk.h"
#include "factory/pending.h"
#include "policy/ocsp.h"
#include "store/read.h"

enum { ARENA = 4 << 20, DAY_MS = 86400000, LOOK_EVERY = 20 };

#define KEY_PREFIX "ocsp-"

/* ---- the key ---- */

char *
responder_label(char dst[KEY_LABEL_MAX], int64_t authority, int64_t before)
{
	snprintf(dst, KEY_LABEL_MAX, KEY_PREFIX "%lld-%lld", (long long)authority, (long long)before);
	return dst;
}

static MUST enum rc
find_or_make(struct factory *f, struct arena *a, const struct authority *x, const char *label,
	     struct signer_key *ret, struct err *e)
{
	const char *kind = arena_str(a, x->ocsp.key_algorithm);
	enum rc rc;

	NEED(kind != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	rc = signer_key_generate(f->signer, label, SIGNER_OCSP, kind, "software", SIGNER_WAIT_MS, a, ret, e);
	if (rc == RC_OK || e->code != CHY_SIGNER_KEY_EXISTS)
		return rc;
	err_clear(e);
	TRY(signer_key_public(f->signer, label, SIGNER_WAIT_MS, a, ret, e));
	if (ret->class == SIGNER_OCSP && strcmp(ret->kind, kind) == 0)
		return RC_OK;
	TRY(signer_key_delete(f->signer, label, SIGNER_WAIT_MS, e)); /* the algorithm was changed meanwhile */
	return signer_key_generate(f->signer, label, SIGNER_OCSP, kind, "software", SIGNER_WAIT_MS, a, ret,
				   e);
}

/* What the key may ever sign: answers about certificates of this issuer, good for no longer than its own certificate. */
static MUST enum rc
limit_key(struct factory *f, const struct authority *x, struct bytes spki, const char *label, struct err *e)
{
	struct signer_limits l = {
		.issuer = x->subject_in_force,
		.validity_max_days = (uint32_t)(duration_add(0, x->ocsp.certificate_) / DAY_MS + 2),
		.path_len_max = -1,
		.issuer_key = x->spki,
	};
	struct pubkey key;
	struct key_type type;
	enum rc rc;

	TRY(pubkey_parse(spki, &key, e));
	type = pubkey_type(&key);
	for (int s = 1; s < SIGALG_COUNT; s++)
		if (sigalg_fits((enum sigalg)s, &type))
			l.algs[l.n_algs++] = (enum sigalg)s;
	rc = signer_limits_set(f->signer, label, &l, SIGNER_WAIT_MS, e);
	if (rc != RC_OK && e->code == CHY_SIGNER_LIMITS_WIDER) {
		err_clear(e);
		return RC_OK;
	}
	return rc;
}

enum rc
responder_key(struct factory *f, struct arena *a, const struct authority *x, const char *label,
	      struct signer_key *ret, struct err *e)
{
	TRY(find_or_make(f, a, x, label, ret, e));
	return limit_key(f, x, ret->spki, label, e);
}

/* ---- the certificate ---- */

static MUST enum rc
decide(struct arena *a, const struct snapshot *policy, const struct responder_for *w,
       struct responder_decision *ret, struct err *e)
{
	struct responder_facts facts = { .policy = policy,
					 .authority = w->authority->doc->id,
					 .node = w->node,
					 .spki = w->spki,
					 .now_ms = clock_now_ms() };
	uint8_t key_id[SHA1_LEN];
	struct pubkey key;

	TRY(pubkey_parse(w->spki, &key, e));
	sha1(key.bits_der, key_id);
	facts.key_id = BYTES_OF(key_id);
	TRY(rand_bytes(facts.random, sizeof(facts.random), e));
	return decide_responder(a, &facts, ret, e);
}

/* On whose word: the request that made the authority's document say so. */
static MUST enum rc
word_of(struct factory *f, struct arena *a, const struct document *d, int64_t *ret, struct err *e)
{
	struct document_row row;

	TRY(store_document(f->store, a, d->id.v, d->version, &row, e));
	*ret = row.request_id;
	return RC_OK;
}

/* What the node signed, so that a verifier need not believe the issuing server. */
static void
set_node(struct arena *a, struct json *m, const struct responder_for *w)
{
	struct json *o = json_object(a);

	json_set(o, "document", json_version(a, doc_version_of(w->node)));
	json_set(o, "key", json_base64(a, w->node_spki));
	json_set(o, "signature", json_base64(a, w->signature));
	json_set(m, "node", o);
}

static MUST enum rc
leaf_body(struct arena *a, const struct responder_for *w, const struct responder_decision *d,
	  const struct pending *p, int64_t now_ms, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LIMIT_CONTEXT);
	struct json *m = json_object(a), *rules = json_array(a);

	for (size_t i = 0; i < d->trace.n; i++)
		json_add(rules, json_str(a, bytes_str(d->trace.v[i].rule)));
	json_set(m, "at", json_time(a, now_ms));
	json_set(m, "by", by_request(a, request_id_of(p->request)));
	json_set(m, "certificate", json_null(a));
	json_set(m, "id", json_int(a, p->id));
	json_set(m, "key", json_str(a, p->responder_key));
	json_set(m, "kind", json_str(a, bytes_str(leaf_kind_name(LEAF_OCSP_CERTIFICATE))));
	if (w->node != NULL)
		set_node(a, m, w);
	json_set(m, "responder", json_version(a, doc_version_of(d->authority->doc)));
	json_set(m, "rules", rules);
	json_put_canonical(&text, m);
	*ret = arena_dup(a, buf_bytes(&text));
	NEED(buf_ok(&text) && ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a leaf of the journal");
	return RC_OK;
}

static MUST enum rc
sign(struct factory *f, struct arena *a, const struct responder_decision *d, const struct pending *p,
     struct err *e)
{
	OWN_BUF struct buf context = buf_max(LIMIT_CONTEXT);
	struct signed_cert signature;
	char label[KEY_LABEL_MAX];
	struct finished done = { 0 };
	enum rc rc;

	TRY(pending_put(&context, p, e));
	FAULT("ocsp.before-sign-responder");
	rc = signer_sign_cert_sync(f->signer,
				   &(struct sign_cert){ .key = key_label(d->authority->key, label),
							.alg = d->sigalg,
							.tbs = d->tbs,
							.context = buf_bytes(&context) },
				   SIGNER_WAIT_MS, a, &signature, e);
	if (rc != RC_OK && (e->code == CHY_SIGNER_LOST || e->code == CHY_SIGNER_TIMEOUT))
		doubt_raise(&f->doubt); /* it may have been signed all the same */
	TRY(rc);
	FAULT("ocsp.after-sign-responder");
	TRY(pending_finish(a, p, d->tbs, signature.signature, &done, e));
	rc = store_commit(f->store, done.change, e);
	if (rc != RC_OK && e->code == CHY_STORE_EXISTS) { /* reconcile was faster */
		err_clear(e);
		return RC_OK;
	}
	if (rc != RC_OK)
		doubt_raise(&f->doubt);
	return rc;
}

enum rc
responder_issue(struct factory *f, struct arena *a, const struct snapshot *policy,
		const struct responder_for *w, struct err *e)
{
	int64_t authority = w->authority->doc->id.v;
	struct pending p = { .id = factory_new_id(f),
			     .issuer = authority,
			     .responder = authority,
			     .responder_key = w->label,
			     .node = w->node != NULL ? w->node_sha256 : BYTES_NONE };
	struct responder_decision d;

	TRY(word_of(f, a, w->authority->doc, &p.request, e));
	NEED(p.request != 0, e, CHY_OCSP_OFF, NULL, "no officer has signed that it answers OCSP");
	TRY(decide(a, policy, w, &d, e));
	p.sigalg = d.sigalg;
	TRY(leaf_body(a, w, &d, &p, clock_now_ms(), &p.leaf, e));
	TRY(sign(f, a, &d, &p, e));
	LOG(INFO, "ocsp.responder", LI("authority", authority), LI("certificate", p.id),
	    LI("node", w->node != NULL ? w->node->id.v : 0));
	return RC_OK;
}

/* The label is the same until there is a newer certificate: a try that was interrupted is carried on with. */
static MUST enum rc
make(struct factory *f, struct arena *a, const struct snapshot *policy, const struct authority *x,
     struct err *e)
{
	struct responder_row before;
	char label[KEY_LABEL_MAX];
	struct signer_key key;

	TRY(store_responder(f->store, a, x->doc->id.v, f->node.sha256, &before, e));
	responder_label(label, x->doc->id.v, before.certificate);
	TRY(responder_key(f, a, x, label, &key, e));
	return responder_issue(
	    f, a, policy,
	    &(struct responder_for){ .authority = x, .label = bytes_str(label), .spki = key.spki }, e);
}

/* ---- keys that nobody needs ---- */

enum rc
responder_tidy_keys(struct factory *f, struct arena *a, struct err *e)
{
	size_t n, prefix = strlen(KEY_PREFIX);
	struct signer_key *keys;

	TRY(signer_key_list(f->signer, SIGNER_WAIT_MS, a, &keys, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (keys[i].class != SIGNER_OCSP || keys[i].label.n <= prefix ||
		    memcmp(keys[i].label.p, KEY_PREFIX, prefix) != 0 || desk_has_key(f->ocsp, keys[i].label))
			continue;
		TRY(signer_key_delete(f->signer, arena_str(a, keys[i].label), SIGNER_WAIT_MS, e));
	}
	return RC_OK;
}

/* ---- the job ---- */

static bool
is_key_of(const struct signer_key *key, const struct ocsp_by *by)
{
	struct pubkey p;
	uint8_t hash[SHA1_LEN];

	if (pubkey_parse(key->spki, &p, NULL) != RC_OK)
		return false;
	sha1(p.bits_der, hash);
	return memcmp(hash, by->key_hash, SHA1_LEN) == 0;
}

/* The signer has lost a key: found before anybody asks. */
static void
look_for_key(struct factory *f, struct arena *a, const struct ocsp_by *by)
{
	struct signer_key key;
	struct err e = { 0 };

	if (by->certificate_id == 0)
		return;
	if (signer_key_public(f->signer, by->label, SIGNER_WAIT_MS, a, &key, &e) == RC_OK) {
		if (factory_is_node(f))
			node_key_found(f, is_key_of(&key, by));
	} else if (e.code == CHY_SIGNER_NO_KEY) {
		if (factory_is_node(f))
			node_key_gone(f);
		desk_key_gone(f->ocsp, by->certificate_id);
	}
}

static MUST enum rc
care_for(struct factory *f, struct arena *a, const struct ocsp_by *by, responder_fn *fn, bool *ret_any,
	 struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct authority *x = snapshot_authority(policy, doc_id_of(by->authority));

	if (by->certificate_id != 0 && !responder_is_due(by->not_before_at, by->not_after_at, clock_now_ms()))
		return RC_OK;
	if (x == NULL || !x->ocsp.on)
		return RC_OK;
	TRY(fn(f, a, policy, x, e));
	*ret_any = true;
	return RC_OK;
}

enum rc
responders_care(struct factory *f, struct arena *a, bool keys, responder_fn *fn, bool *ret_any, struct err *e)
{
	struct ocsp_by *by;
	enum rc rc = RC_OK;

	for (size_t i = 0; (by = desk_row(f->ocsp, i)) != NULL; i++) {
		struct err why = { 0 };

		if (keys)
			look_for_key(f, a, by);
		if (care_for(f, a, by, fn, ret_any, &why) != RC_OK) /* the others all the same */
			rc = err_set(e, why.code, why.std, "OCSP of authority %lld: %s",
				     (long long)by->authority, why.text);
		ocsp_by_unref(by);
	}
	return rc;
}

enum rc
responders_step(struct factory *f, struct err *e)
{
	static _Atomic unsigned steps;
	OWN(arena_free)
	struct arena *a = arena_new(ARENA);
	bool made = false, look = atomic_fetch_add(&steps, 1) % LOOK_EVERY == 0;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "OCSP responders");
	TRY(desk_renew(f, e));
	if (desk_row_count(f->ocsp) == 0 || !signer_is_there(f->signer) || doubt_is(&f->doubt))
		return RC_OK;
	rc = responders_care(f, a, look, make, &made, e);
	if (made)
		TRY(desk_renew(f, e));
	if (rc == RC_OK && (made || look))
		TRY(responder_tidy_keys(f, a, e));
	return rc;
}
