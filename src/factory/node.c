#include "base/base.h"
#include "factory/node.h"

#include "crypto/digest.h"
#include "factory/in_force.h"
#include "factory/ocsp_desk.h"
#include "factory/ocsp_responder.h"
#include "model/node.h"
#include "policy/ocsp.h"
#include "store/change.h"
#include "store/read.h"

#define KEY_NODE "node"

enum { ARENA = 1 << 20, LOOK_EVERY = 20, STALE_MS = 3000, SKEW_MOST_MS = 60000, GONE_OFTEN_MS = 600000 };

/* ---- who it is ---- */

static MUST enum rc
own_key(struct factory *f, struct arena *a, struct signer_key *ret, struct err *e)
{
	struct signer_key *keys;
	size_t n;

	TRY(signer_key_list(f->signer, SIGNER_WAIT_MS, a, &keys, &n, e));
	for (size_t i = 0; i < n; i++)
		if (bytes_is(keys[i].label, KEY_NODE)) {
			*ret = keys[i];
			return RC_OK;
		}
	return signer_key_generate(f->signer, KEY_NODE, SIGNER_TLS, "p-256", "software", SIGNER_WAIT_MS, a,
				   ret, e);
}

enum rc
node_open(struct factory *f, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct signer_key key;

	TRY(own_key(f, f->identity, &key, e));
	f->node.spki = arena_dup(f->identity, key.spki);
	NEED(f->node.spki.p != NULL, e, CHY_NO_MEMORY, NULL, "the node's key");
	sha256(key.spki, hash);
	hex_text(f->node.sha256, BYTES_OF(hash));
	LOG(INFO, "node.key", LS("sha256", f->node.sha256));
	return RC_OK;
}

void
node_policy_changed(void *factory, int64_t stamp)
{
	struct err e = { 0 };

	if (policy_load(factory, &e) != RC_OK)
		LOG(WARNING, "node.policy-not-loaded", LE(&e));
}

/* ---- what it may say ---- */

static MUST enum rc
check_clock(const struct factory *f, struct err *e)
{
	int64_t skew = atomic_load(&f->node.skew_ms);

	NEED(skew != NODE_SKEW_UNKNOWN, e, CHY_NODE_CLOCK, NULL, "the database's clock is not known yet");
	NEED(skew >= -SKEW_MOST_MS && skew <= SKEW_MOST_MS, e, CHY_NODE_CLOCK, NULL,
	     "the database's clock is %lld s ahead of this one: nothing is signed", (long long)(skew / 1000));
	return RC_OK;
}

/* The answer that takes long tells nothing of the clock. */
static MUST enum rc
measure_clock(struct factory *f, struct err *e)
{
	int64_t begun_us = clock_mono_us(), before = clock_now_ms(), there;

	TRY(store_clock_ms(f->store, &there, e));
	if (clock_mono_us() - begun_us < 1000000)
		atomic_store(&f->node.skew_ms, there - before);
	return check_clock(f, e);
}

bool
node_may_say(const struct factory *f)
{
	return !factory_is_node(f) ||
	    (check_clock(f, NULL) == RC_OK && !atomic_load(&f->node.twin) &&
	     store_status_age_ms(f->store) <= STALE_MS);
}

void
node_key_found(struct factory *f, bool is_its)
{
	if (!is_its)
		atomic_store(&f->node.twin, true);
}

/* A signer loses a key now and then, not thrice in ten minutes. */
void
node_key_gone(struct factory *f)
{
	int64_t now = clock_mono_us() / 1000;

	f->node.gone[2] = f->node.gone[1];
	f->node.gone[1] = f->node.gone[0];
	f->node.gone[0] = now;
	if (f->node.gone[2] != 0 && now - f->node.gone[2] < GONE_OFTEN_MS)
		atomic_store(&f->node.twin, true);
}

/* ---- what it asks for ---- */

static MUST enum rc
sign_wish(struct factory *f, struct arena *a, const struct node_wish *w, struct bytes *ret, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct signed_cert s;
	struct bytes text;

	TRY(node_wish_build(a, w, &text, e));
	sha256(text, hash);
	TRY(signer_sign_tls(f->signer, KEY_NODE, SIGALG_ECDSA_SHA256, BYTES_OF(hash), SIGNER_WAIT_MS, a, &s,
			    e));
	*ret = s.signature;
	return RC_OK;
}

static MUST enum rc
put_wish(struct factory *f, struct arena *a, const struct node_wish *w, struct err *e)
{
	struct node_key_row row = { .node = bytes_str(f->node.sha256),
				    .authority = w->authority,
				    .label = w->label,
				    .spki = w->spki,
				    .node_spki = f->node.spki,
				    .at = clock_now_ms() };
	struct change *c;

	TRY(sign_wish(f, a, w, &row.signature, e));
	FAULT("node.before-wish");
	c = change_new();
	change_put_node_key(c, &row);
	TRY(store_commit(f->store, c, e));
	FAULT("node.after-wish");
	LOG(INFO, "node.asks", LI("authority", w->authority), LS("key", arena_str(a, w->label)));
	return RC_OK;
}

/* Until the certificate comes, the same key is asked for: once, unless the signer has lost it. */
static MUST enum rc
ask(struct factory *f, struct arena *a, const struct snapshot *policy, const struct authority *x,
    struct err *e)
{
	int64_t authority = x->doc->id.v;
	struct node_wish w = { .instance = bytes_str(f->instance), .authority = authority };
	struct responder_row before;
	struct node_key_row there;
	char label[KEY_LABEL_MAX];
	struct signer_key key;

	TRY(store_responder(f->store, a, authority, f->node.sha256, &before, e));
	TRY(store_node_key(f->store, a, f->node.sha256, authority, &there, e));
	w.label = bytes_str(responder_label(label, authority, before.certificate));
	TRY(responder_key(f, a, x, label, &key, e));
	if (bytes_eq(there.label, w.label) && bytes_eq(there.spki, key.spki))
		return RC_OK;
	w.spki = key.spki;
	return put_wish(f, a, &w, e);
}

static MUST enum rc
step(struct factory *f, struct err *e)
{
	static _Atomic unsigned steps;
	OWN(arena_free)
	struct arena *a = arena_new(4 * ARENA);
	bool waits = false, look = atomic_fetch_add(&steps, 1) % LOOK_EVERY == 0;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "OCSP responders");
	TRY(measure_clock(f, e));
	TRY(desk_renew(f, e));
	if (desk_row_count(f->ocsp) == 0 || !signer_is_there(f->signer))
		return RC_OK;
	NEED(!atomic_load(&f->node.twin), e, CHY_NODE_TWIN, NULL,
	     "certificates are made for keys that are not in this signer: nothing is asked for until a new "
	     "start");
	TRY(responders_care(f, a, look, ask, &waits, e));
	return look && !waits ? responder_tidy_keys(f, a, e) : RC_OK;
}

enum rc
node_step(struct factory *f, struct err *e)
{
	enum rc rc = step(f, e);

	if (rc == RC_OK)
		trouble_over(&f->troubles, doc_id_of(0));
	else
		trouble_note(&f->troubles, doc_id_of(0), e);
	return rc;
}

/* ---- readiness ---- */

enum rc
node_hears(const struct factory *f, struct err *e)
{
	int64_t age = factory_is_node(f) ? store_status_age_ms(f->store) : 0;

	NEED(age <= STALE_MS, e, CHY_STORE_DOWN, NULL, "nothing was heard of the database for %lld ms",
	     (long long)age);
	return RC_OK;
}

enum rc
node_check(struct factory *f, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	struct trouble t;

	TRY(node_hears(f, e));
	TRY(check_clock(f, e));
	NEED(status_node_of(policy, bytes_str(f->node.sha256)) != NULL, e, CHY_NODE_NOT_ADMITTED, NULL,
	     "officers admit it by \"chancery status-node create\", or open it again, with the key %s",
	     f->node.sha256);
	NEED(!atomic_load(&f->node.twin), e, CHY_NODE_TWIN, NULL,
	     "keys of its certificates are not in its signer: was the signer's folder copied? Start it again "
	     "when "
	     "there is one of them");
	if (!desk_is_complete(f) && trouble_of(&f->troubles, doc_id_of(0), &t))
		FAIL(e, t.code, NULL, "%s", t.text);
	NEED(desk_is_complete(f), e, CHY_OCSP_NO_RESPONDER, NULL,
	     "the issuing server has not certified all keys yet");
	return RC_OK;
}
