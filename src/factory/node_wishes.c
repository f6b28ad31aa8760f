/* At the issuing server: what status nodes ask for, held against the officers' documents. */
#include "base/base.h"
#include "factory/node.h"

#include "crypto/digest.h"
#include "crypto/verify.h"
#include "factory/ocsp_responder.h"
#include "model/node.h"
#include "policy/body.h"
#include "policy/ocsp.h"
#include "store/read.h"

/* A node whose signer loses its keys over and over gets no more certificates than this. */
enum { ARENA = 1 << 20, AGAIN_MS = 10000 };

struct wishes {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct document *node;
};

/* A wish is for the certificate behind the newest that the node has (before; 0: none): an old one, put back, gets nothing. */
static MUST enum rc
check_wish(const struct wishes *x, const struct node_key_row *row, int64_t before, struct err *e)
{
	const struct node_wish w = { .instance = bytes_str(x->f->instance),
				     .authority = row->authority,
				     .label = row->label,
				     .spki = row->spki };
	uint8_t hash[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1], label[KEY_LABEL_MAX];
	struct err why = { 0 };
	struct bytes text;

	sha256(row->node_spki, hash);
	NEED(bytes_is(row->node, hex_text(hex, BYTES_OF(hash))), e, CHY_NODE_WISH, NULL,
	     "the row has another key than the node \"%.*s\"", BYTES_FMT(x->node->name));
	NEED(bytes_is(row->label, responder_label(label, row->authority, before)), e, CHY_NODE_WISH, NULL,
	     "node \"%.*s\" wants another certificate than its next one", BYTES_FMT(x->node->name));
	TRY(node_wish_build(x->a, &w, &text, e));
	NEED(verify_signature(row->node_spki, SIGALG_ECDSA_SHA256, text, row->signature, &why) == RC_OK, e,
	     CHY_NODE_WISH, NULL, "node \"%.*s\": %s", BYTES_FMT(x->node->name), why.text);
	return RC_OK;
}

/* By the label: it is another one for each certificate. */
static MUST enum rc
is_fulfilled(const struct wishes *x, const struct node_key_row *row, int64_t *ret_before, bool *ret,
	     struct err *e)
{
	const struct authority *authority = snapshot_authority(x->policy, doc_id_of(row->authority));
	struct responder_row before;

	TRY(store_responder(x->f->store, x->a, row->authority, arena_str(x->a, row->node), &before, e));
	*ret_before = before.certificate;
	*ret = authority == NULL || !authority->ocsp.on || authority_is_over(authority, clock_now_ms()) ||
	    !status_node_answers(x->policy, x->node, authority) ||
	    (before.certificate != 0 && bytes_eq(before.key, row->label));
	return RC_OK;
}

static MUST enum rc
fulfil(const struct wishes *x, const struct node_key_row *row, struct err *e)
{
	struct responder_for w = { .authority = snapshot_authority(x->policy, doc_id_of(row->authority)),
				   .label = row->label,
				   .spki = row->spki,
				   .node = x->node,
				   .node_sha256 = row->node,
				   .node_spki = row->node_spki,
				   .signature = row->signature };
	int64_t before;
	bool done;

	TRY(is_fulfilled(x, row, &before, &done, e));
	if (done)
		return RC_OK;
	TRY(check_wish(x, row, before, e));
	if (before != 0 && clock_now_ms() - id_at_ms(before) < AGAIN_MS)
		return RC_OK;
	return responder_issue(x->f, x->a, x->policy, &w, e);
}

static MUST enum rc
fulfil_all(const struct wishes *x, struct err *e)
{
	struct node_key_row *rows;
	enum rc rc = RC_OK;
	size_t n;

	TRY(store_node_keys(x->f->store, x->a, body_text(x->node->body, "key_sha256"), &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct err why = { 0 };

		if (fulfil(x, &rows[i], &why) != RC_OK) /* the others all the same */
			rc = err_set(e, why.code, why.std, "authority %lld: %s", (long long)rows[i].authority,
				     why.text);
	}
	return rc;
}

enum rc
node_wishes_step(struct factory *f, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_STATUS_NODE, &all);
	enum rc rc = RC_OK;

	if (!signer_is_there(f->signer) || doubt_is(&f->doubt))
		return RC_OK;
	for (size_t i = 0; i < n; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(ARENA);
		struct err why = { 0 };

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "status nodes");
		if (all[i]->active && fulfil_all(&(struct wishes){ f, a, policy, all[i] }, &why) != RC_OK)
			rc = err_set(e, why.code, why.std, "status node \"%.*s\": %s",
				     BYTES_FMT(all[i]->name), why.text);
	}
	return rc;
}
