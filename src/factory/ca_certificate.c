#include "base/base.h"
#include "factory/ca_certificate.h"

#include "crypto/digest.h"
#include "crypto/rand.h"
#include "factory/ca_keys.h"
#include "factory/leaf.h"
#include "factory/pending.h"
#include "policy/body.h"
#include "policy/issue.h"
#include "policy/names.h"
#include "store/read.h"

enum { DAY_MS = 86400000 };

/* A renewal for as many years may be a day or two longer. */
enum { LEAP_DAYS = 2, DAYS_MAX = 36500 };

static uint32_t
days_of(int64_t from_ms, int64_t to_ms)
{
	int64_t days = (to_ms - from_ms + DAY_MS - 1) / DAY_MS + LEAP_DAYS;

	return (uint32_t)(days < DAYS_MAX ? days : DAYS_MAX);
}

enum rc
ca_limits_set(struct factory *f, const struct ca_bounds *b, struct err *e)
{
	struct signer_limits l = { .issuer = b->subject,
				   .validity_max_days = b->days,
				   .ca_allowed = b->path_len != 0,
				   .path_len_max = b->path_len > 0 ? b->path_len - 1 : -1,
				   .name_constraints = b->name_constraints,
				   .acs_allowed = b->attribute_certificates };
	char label[KEY_LABEL_MAX];
	struct pubkey key;
	struct key_type type;
	enum rc rc;

	TRY(pubkey_parse(b->spki, &key, e));
	type = pubkey_type(&key);
	for (int s = 1; s < SIGALG_COUNT; s++)
		if (sigalg_fits((enum sigalg)s, &type))
			l.algs[l.n_algs++] = (enum sigalg)s;
	rc = signer_limits_set(f->signer, key_label(b->key, label), &l, SIGNER_WAIT_MS, e);
	if (rc != RC_OK &&
	    e->code == CHY_SIGNER_LIMITS_WIDER) { /* set by an interrupted try, or earlier: they stay */
		err_clear(e);
		return RC_OK;
	}
	return rc;
}

/* What the key may ever sign, fixed in the signer before its first signature: its own name as issuer, algorithms of its
   kind, nothing that outlives it, further authorities only where the path length allows one, names within its constraints.
   A foreign CA's key is not here. */
static enum rc
limit_key(struct factory *f, const struct authority_decision *d, struct bytes spki, struct err *e)
{
	if (d->authority->key == NULL)
		return RC_OK;
	return ca_limits_set(f,
			     &(struct ca_bounds){ .key = d->authority->key,
						  .subject = d->authority->subject,
						  .spki = spki,
						  .days = days_of(d->not_before_ms, d->not_after_ms),
						  .path_len = d->path_len,
						  .name_constraints = d->name_constraints,
						  .attribute_certificates = body_true(
						      d->authority->doc->body, "attribute_certificates") },
			     e);
}

/* The leaf's body with a hole for what only the finished certificate can tell. */
static enum rc
leaf_body(struct arena *a, const struct authority_decision *d, int64_t id, struct json *by, int64_t now_ms,
	  struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LIMIT_CONTEXT);
	struct json *m = json_object(a), *rules = json_array(a);

	for (size_t i = 0; i < d->trace.n; i++)
		json_add(rules, json_str(a, bytes_str(d->trace.v[i].rule)));
	json_set(m, "at", json_time(a, now_ms));
	json_set(m, "authority", json_version(a, doc_version_of(d->authority->doc)));
	json_set(m, "by", by);
	json_set(m, "certificate", json_null(a));
	json_set(m, "id", json_int(a, id));
	json_set(m, "issuer", json_version(a, doc_version_of(d->issuer->doc)));
	json_set(m, "key",
		 d->authority->key ? json_version(a, doc_version_of(d->authority->key)) : json_null(a));
	json_set(m, "kind", json_str(a, BYTES("ca-certificate")));
	json_set(m, "rules", rules);
	json_put_canonical(&text, m);
	*ret = arena_dup(a, buf_bytes(&text));
	NEED(buf_ok(&text) && ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a leaf of the journal");
	return RC_OK;
}

static enum rc
sign(struct factory *f, struct arena *a, const struct authority_decision *d, const struct pending *p,
     struct change *change, struct bytes *ret_der, struct err *e)
{
	OWN_BUF struct buf context = buf_max(LIMIT_CONTEXT);
	struct signed_cert signature;
	char label[KEY_LABEL_MAX];
	struct finished done = { 0 };
	enum rc rc;

	TRY(pending_put(&context, p, e));
	rc = signer_sign_cert_sync(
	    f->signer,
	    &(struct sign_cert){ .key = key_label(d->issuer->key, label),
				 .alg = d->sigalg,
				 .tbs = d->tbs,
				 .context = p->request ? buf_bytes(&context) : BYTES_NONE },
	    SIGNER_WAIT_MS, a, &signature, e);
	if (rc != RC_OK && (e->code == CHY_SIGNER_LOST || e->code == CHY_SIGNER_TIMEOUT))
		doubt_raise(&f->doubt); /* it may have been signed all the same */
	TRY(rc);
	FAULT("factory.after-sign-authority");
	TRY(pending_add(a, p, d->tbs, signature.signature, change, &done, e));
	*ret_der = done.der;
	return RC_OK;
}

/* The key that is to be certified: one of the signer's, or the foreign CA's. */
static enum rc
subject_key(struct factory *f, struct arena *a, const struct authority *own, struct bytes *ret, struct err *e)
{
	struct foreign_ca ca;

	if (own->type == AUTHORITY_CROSS) {
		TRY(foreign_ca_read(a, body_text(own->doc->body, "request"), &ca, e));
		*ret = ca.spki;
		return RC_OK;
	}
	NEED(own->key != NULL, e, CHY_AUTHORITY_NO_KEY, NULL, "the authority's key is not there");
	return key_public(f, a, own->key, ret, e);
}

enum rc
ca_certificate_decide(struct factory *f, struct arena *a, const struct snapshot *policy,
		      struct doc_id authority, struct authority_decision *ret, struct bytes *ret_spki,
		      struct err *e)
{
	struct authority_issue_facts facts = { .policy = policy,
					       .authority = authority,
					       .now_ms = clock_now_ms() };
	const struct authority *own = snapshot_authority(policy, authority);
	uint8_t key_id[SHA1_LEN];
	struct pubkey key;

	NEED(own != NULL, e, CHY_AUTHORITY_NO_KEY, NULL, "the authority is not there");
	TRY(subject_key(f, a, own, &facts.spki, e));
	TRY(pubkey_parse(facts.spki, &key, e));
	sha1(key.bits_der, key_id);
	facts.key_id = BYTES_OF(key_id);
	TRY(rand_bytes(facts.random, sizeof(facts.random), e));
	*ret_spki = facts.spki;
	return decide_authority(a, &facts, ret, e);
}

static MUST enum rc
deliver(struct factory *f, struct arena *a, const struct snapshot *policy, struct doc_id authority,
	struct pending *p, struct err *e)
{
	const struct authority *x = snapshot_authority(policy, authority);

	return x != NULL && x->rules_n > 0 ? pending_deliver(f, a, x->rules, x->rules_n, p, e) : RC_OK;
}

enum rc
ca_certificate_add(struct factory *f, struct arena *a, const struct snapshot *policy, struct doc_id authority,
		   struct json *by, struct request_id request, struct change *change, int64_t *ret_id,
		   struct bytes *ret_der, struct err *e)
{
	struct authority_decision d = { 0 };
	int64_t now_ms = clock_now_ms();
	struct bytes spki;
	struct pending p;

	TRY(ca_certificate_decide(f, a, policy, authority, &d, &spki, e));
	TRY(limit_key(f, &d, spki, e));
	p = (struct pending){ .id = factory_new_id(f),
			      .issuer = d.issuer->doc->id.v,
			      .authority = authority.v,
			      .request = request.v,
			      .sigalg = d.sigalg };
	*ret_id = p.id;
	TRY(deliver(f, a, policy, authority, &p, e));
	TRY(leaf_body(a, &d, p.id, by, now_ms, &p.leaf, e));
	return sign(f, a, &d, &p, change, ret_der, e);
}

enum rc
ca_certificate_make(struct factory *f, struct arena *a, const struct snapshot *policy,
		    struct doc_id authority, struct json *by, struct request_id request, struct err *e)
{
	OWN(change_free)
	struct change *change = change_new();
	struct certificate_row *rows;
	struct change *ready;
	struct bytes der;
	int64_t id;
	enum rc rc;
	size_t n;

	/* What an earlier try has had signed may not be in the store yet: a second certificate would be signed. */
	NEED(!doubt_is(&f->doubt), e, CHY_REPAIRING, NULL,
	     "what was interrupted is being put right; the request is carried on with by itself");
	TRY(store_certificates_by_request(f->store, a, request.v, 0, 1, &rows, &n, e));
	if (n > 0)
		return RC_OK;
	TRY(ca_certificate_add(f, a, policy, authority, by, request, change, &id, &der, e));
	ready = change;
	change = NULL;
	rc = store_commit(f->store, ready, e);
	if (rc != RC_OK && e->code == CHY_STORE_EXISTS) { /* reconcile was faster: it is in the store */
		err_clear(e);
		return RC_OK;
	}
	if (rc != RC_OK)
		doubt_raise(&f->doubt);
	return rc;
}
