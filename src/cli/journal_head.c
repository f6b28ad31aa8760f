/* Signed heads, the journal key, and the proof of a single leaf. */
#include "base/base.h"
#include "cli/journal_state.h"
#include "crypto/chain.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "policy/names.h"

enum { HEAD_BYTES = 32 + 8 + 8 + 32 };

enum rc
journal_sha256(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e)
{
	sha256_parts(parts, count, ret->b);
	return RC_OK;
}

static void
put_u64(uint8_t *to, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		to[i] = (uint8_t)v;
}

enum rc
journal_head_signed(const struct verifier *key, enum sigalg alg, const struct journal_head *h, struct err *e)
{
	static const struct bytes title = BYTES("Chancery journal head, version 1");
	uint8_t bytes[HEAD_BYTES];
	struct err why = { 0 };

	memcpy(bytes, title.p, title.n);
	put_u64(bytes + 32, h->size);
	put_u64(bytes + 40, (uint64_t)h->at_ms);
	memcpy(bytes + 48, h->root, 32);
	NEED(verifier_check(key, alg, BYTES_OF(bytes), h->signature, &why) == RC_OK, e, CHY_JOURNAL_SIGNATURE,
	     NULL, "the head over %llu leaves is not signed by the journal key: %s",
	     (unsigned long long)h->size, why.text);
	return RC_OK;
}

enum rc
journal_key_load(struct bytes certificate, struct bytes root, int64_t at_ms, struct verifier **ret,
		 enum sigalg *ret_alg, int64_t *ret_from_ms, int64_t *ret_to_ms, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct pubkey key;
	struct cert c;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "journal key");
	TRY_AT(cert_parse(a, certificate, &c, e), e, "journal key's certificate");
	TRY_AT(pubkey_parse(c.spki, &key, e), e, "journal key's certificate");
	NEED(is_journal_name(a, c.subject) && !cert_is_ca(&c), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the certificate of the key that signs the heads is not the journal's");
	TRY_AT(chain_verify(certificate, NULL, 0, &root, 1, at_ms, e), e, "journal key's certificate");
	switch (key.alg) {
	case KEY_RSA:
		*ret_alg = SIGALG_RSA_PKCS1_SHA256;
		break;
	case KEY_EC:
		*ret_alg = SIGALG_ECDSA_SHA256;
		break;
	case KEY_ED25519:
		*ret_alg = SIGALG_ED25519;
		break;
	default:
		FAIL(e, CHY_JOURNAL_SIGNATURE, NULL, "a journal key of a kind that signs no heads");
	}
	*ret_from_ms = c.not_before_at;
	*ret_to_ms = c.not_after_at;
	return verifier_new(c.spki, ret, e);
}

enum rc
journal_head_read(struct arena *a, const struct json *in, struct journal_head *ret, struct err *e)
{
	struct bytes root, at, signature;
	int64_t size;

	TRY(json_need_int(in, "size", 1, JSON_INT_MAX, &size, e));
	TRY(json_need_str(in, "root", &root, e));
	TRY_AT(base64_parse(a, root, &root, e), e, "root");
	NEED(root.n == sizeof(ret->root), e, CHY_JOURNAL_FORMAT, NULL, "a root of %zu octets", root.n);
	TRY(json_need_str(in, "at", &at, e));
	TRY_AT(time_parse(at, &ret->at_ms, e), e, "at");
	TRY(json_need_str(in, "signature", &signature, e));
	TRY_AT(base64_parse(a, signature, &ret->signature, e), e, "signature");
	ret->size = (uint64_t)size;
	memcpy(ret->root, root.p, root.n);
	return RC_OK;
}

enum rc
journal_head_check(const struct journal_head *h, struct bytes certificate, struct bytes root, struct err *e)
{
	OWN(verifier_free)
	struct verifier *key = NULL;
	enum sigalg alg;
	int64_t from, to;

	TRY(journal_key_load(certificate, root, h->at_ms, &key, &alg, &from, &to, e));
	return journal_head_signed(key, alg, h, e);
}

/* ---- one leaf ---- */

static enum rc
read_path(struct arena *a, const struct json *path, struct tree_proof *ret, struct err *e)
{
	ret->n = 0;
	NEED(path->count <= TREE_PROOF_MAX, e, CHY_TREE_PROOF, "RFC 9162 2.1.3", "%zu hashes", path->count);
	JSON_EACH(item, path)
	{
		struct bytes hash;

		NEED(item->type == JSON_STR, e, CHY_JOURNAL_FORMAT, NULL, "path[%zu] is no text", ret->n);
		TRY_AT(base64_parse(a, item->str, &hash, e), e, "path[%zu]", ret->n);
		NEED(hash.n == TREE_HASH, e, CHY_JOURNAL_FORMAT, NULL, "path[%zu] has %zu octets", ret->n,
		     hash.n);
		memcpy(ret->at[ret->n++].b, hash.p, TREE_HASH);
	}
	return RC_OK;
}

/* The leaf says that it is this certificate's. */
static enum rc
read_leaf(struct arena *a, struct bytes body, int64_t id, struct proven *ret, struct err *e)
{
	struct json *leaf, *cert;
	int64_t leaf_id;

	TRY_AT(json_parse(a, body, &leaf, e), e, "leaf");
	TRY(json_need_int(leaf, "id", 1, JSON_INT_MAX, &leaf_id, e));
	NEED(leaf_id == id, e, CHY_TREE_PROOF, NULL, "the leaf is of %lld, not of %lld", (long long)leaf_id,
	     (long long)id);
	TRY(json_need_object(leaf, "certificate", &cert, e));
	TRY(json_need_str(cert, "sha256", &ret->sha256, e));
	return json_need_str(cert, "serial", &ret->serial, e);
}

enum rc
journal_check_proof(struct arena *a, const struct json *proof, struct bytes root, int64_t id,
		    struct proven *ret, struct err *e)
{
	struct json *head, *list;
	struct bytes body, certificate;
	struct journal_head h;
	struct tree_proof path;
	struct tree_hash leaf, top;
	int64_t index;

	TRY(json_need_str(proof, "leaf", &body, e));
	TRY(json_need_int(proof, "index", 0, JSON_INT_MAX, &index, e));
	TRY(json_need_object(proof, "head", &head, e));
	TRY(json_need_array(proof, "path", &list, e));
	TRY(read_path(a, list, &path, e));
	TRY_AT(journal_head_read(a, head, &h, e), e, "head");
	TRY_AT(json_need_str(head, "certificate", &certificate, e), e, "head");
	TRY_AT(base64_parse(a, certificate, &certificate, e), e, "head.certificate");
	TRY(journal_head_check(&h, certificate, root, e));
	TRY(tree_leaf(journal_sha256, body, &leaf, e));
	memcpy(top.b, h.root, TREE_HASH);
	TRY(tree_verify_inclusion(journal_sha256, &leaf, (uint64_t)index, h.size, &path, &top, e));
	*ret = (struct proven){ .index = (uint64_t)index, .size = h.size, .at_ms = h.at_ms };
	return read_leaf(a, body, id, ret, e);
}
