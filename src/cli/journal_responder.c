/* Certificates of OCSP responders, at the issuing server and at status nodes. */
#include "base/base.h"
#include "cli/journal_state.h"

#include "crypto/digest.h"
#include "crypto/verify.h"
#include "model/node.h"

/* A version of a status node's document. */
struct node_state {
	uint8_t key[SHA256_LEN];
	bool active;
	int64_t at_ms; /* of its leaf */
};

/* What a status node signed, until the row shows the key that it is about. */
struct node_wished {
	struct bytes label, key, signature;
};

static int64_t
number_of(const struct json *pair, bool second)
{
	const struct json *v = pair != NULL && pair->type == JSON_ARRAY ? second ? pair->last : pair->first
									: NULL;

	return v != NULL && v->type == JSON_INT ? v->integer : 0;
}

enum rc
journal_node(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, int64_t id,
	     int64_t version, const struct json *body, struct err *e)
{
	struct node_state *n = arena_one(v->mem, struct node_state);
	struct bytes text, key, state = BYTES_NONE;

	NEED(n != NULL, e, CHY_NO_MEMORY, NULL, "status node");
	TRY(json_need_str(body, "key_sha256", &text, e));
	TRY(hex_parse(a, text, &key, e));
	NEED(key.n == SHA256_LEN, e, CHY_JOURNAL_FORMAT, NULL, "a node's fingerprint of %zu octets", key.n);
	TRY(json_opt_str(body, "state", &state, e));
	memcpy(n->key, key.p, SHA256_LEN);
	n->active = !bytes_is(state, "closed");
	n->at_ms = l->at_ms;
	return pairmap_put(&v->nodes, id, version, n, e);
}

static enum rc
base64_of(struct journal_verifier *v, const struct json *o, const char *name, struct bytes *ret,
	  struct err *e)
{
	struct bytes text;

	TRY(json_need_str(o, name, &text, e));
	return base64_parse(v->mem, text, ret, e);
}

/* The version that was in force, but for the moment that a newer one needs to come into force. */
static const struct node_state *
version_of(const struct journal_verifier *v, const struct leaf_view *l, const struct json *pair)
{
	int64_t id = number_of(pair, false), version = number_of(pair, true);
	const struct node_state *next = pairmap_get(&v->nodes, id, version + 1);

	if (next != NULL && l->at_ms > next->at_ms + CLOSED_LATE_MS)
		return NULL;
	return pairmap_get(&v->nodes, id, version);
}

/* Officers had admitted the key that signed. */
static enum rc
node_of(struct journal_verifier *v, const struct leaf_view *l, const struct json *o,
	struct certificate_state *s, struct err *e)
{
	const struct node_state *n = version_of(v, l, json_get(o, "document"));
	struct node_wished *w = s->node = arena_one(v->mem, struct node_wished);
	uint8_t hash[SHA256_LEN];
	struct bytes label;

	NEED(w != NULL, e, CHY_NO_MEMORY, NULL, "status node");
	TRY(json_need_str(l->leaf, "key", &label, e));
	w->label = arena_dup(v->mem, label);
	TRY(base64_of(v, o, "key", &w->key, e));
	TRY(base64_of(v, o, "signature", &w->signature, e));
	sha256(w->key, hash);
	NEED(n != NULL && n->active && memcmp(hash, n->key, SHA256_LEN) == 0, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "no officers had admitted the status node's key");
	return RC_OK;
}

/* Made by itself, again and again, as long as the officers' document says so. */
enum rc
journal_responder(struct journal_verifier *v, struct arena *a, int64_t request,
		  const struct signed_request *r, const struct leaf_view *l, struct err *e)
{
	struct certificate_state *s = pairmap_get(&v->certificates, l->id, 0);
	const struct json *pair = json_get(l->leaf, "responder");
	int64_t version = number_of(pair, true);
	struct json *node;

	NEED(r->act.kind == KIND_AUTHORITY && act_has_document(r->act) && r->act.verb != ACT_CA_REQUEST &&
		 r->ocsp,
	     e, CHY_JOURNAL_SIGNATURE, NULL, "the officers did not sign that the authority answers OCSP");
	NEED(number_of(pair, false) == s->issuer &&
		 s->issuer == (r->act.verb == ACT_CREATE ? request : r->base_id) &&
		 version == (r->act.verb == ACT_CREATE ? 1 : r->base_version + 1),
	     e, CHY_JOURNAL_SIGNATURE, NULL, "the officers' request %lld is about another authority",
	     (long long)request);
	s->responder = true;
	if (json_get(l->leaf, "node") == NULL)
		return RC_OK;
	TRY(json_need_object(l->leaf, "node", &node, e));
	return node_of(v, l, node, s, e);
}

static enum rc
is_wished(struct journal_verifier *v, struct arena *a, const struct certificate_state *s, struct bytes spki,
	  struct err *e)
{
	const struct node_wish w = { .instance = bytes_str(v->instance),
				     .authority = s->issuer,
				     .label = s->node->label,
				     .spki = spki };
	struct bytes text;

	TRY(node_wish_build(a, &w, &text, e));
	NEED(verify_signature(s->node->key, SIGALG_ECDSA_SHA256, text, s->node->signature, NULL) == RC_OK, e,
	     CHY_JOURNAL_SIGNATURE, NULL, "the status node did not ask for a certificate for this key");
	return RC_OK;
}

/* What makes itself may sign answers and nothing else. */
enum rc
journal_responder_row(struct journal_verifier *v, struct arena *a, const struct certificate_state *s,
		      const struct cert *c, struct err *e)
{
	const struct ext *extended = exts_find(&c->exts, OID_CE_EXT_KEY_USAGE),
			 *basic = exts_find(&c->exts, OID_CE_BASIC_CONSTRAINTS);
	struct ext_value x = { .kind = OID_NONE };

	if (extended != NULL)
		TRY(ext_decode(a, extended, &x, e));
	NEED(basic == NULL && extended != NULL && x.eku.n == 1 &&
		 oid_find(x.eku.v[0]) == OID_EKU_OCSP_SIGNING,
	     e, CHY_JOURNAL_SIGNATURE, NULL,
	     "it is for more than signing OCSP answers, which no officer asked for");
	return s->node != NULL ? is_wished(v, a, s, c->spki, e) : RC_OK;
}
