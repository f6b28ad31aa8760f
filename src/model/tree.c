#include "base/base.h"
#include "model/tree.h"

static struct bytes
view(const struct tree_hash *h)
{
	return bytes_of(h->b, TREE_HASH);
}

static bool
same(const struct tree_hash *a, const struct tree_hash *b)
{
	return memcmp(a->b, b->b, TREE_HASH) == 0;
}

enum rc
tree_leaf(tree_sha256_fn *sha256, struct bytes body, struct tree_hash *ret, struct err *e)
{
	struct bytes parts[] = { BYTES("\0"), body };

	return sha256(parts, ARRAY_LEN(parts), ret, e);
}

enum rc
tree_node(tree_sha256_fn *sha256, const struct tree_hash *left, const struct tree_hash *right,
	  struct tree_hash *ret, struct err *e)
{
	struct bytes parts[] = { BYTES("\1"), view(left), view(right) };
	struct tree_hash h;

	TRY(sha256(parts, ARRAY_LEN(parts), &h, e));
	*ret = h;
	return RC_OK;
}

/* ---- growing ---- */

enum rc
tree_add(tree_sha256_fn *sha256, struct tree *t, const struct tree_hash *leaf, tree_made_fn *made, void *arg,
	 struct err *e)
{
	struct tree_hash h = *leaf;
	unsigned level = 0;

	NEED(t->size < TREE_SIZE_MAX, e, CHY_LIMIT, NULL, "the journal's tree is full");
	if (made)
		TRY(made(arg, 0, t->size, &h, e));
	for (; t->size >> level & 1; level++) { /* like the carry of an addition */
		TRY(tree_node(sha256, &t->edge[level], &h, &h, e));
		if (made)
			TRY(made(arg, level + 1, t->size >> (level + 1), &h, e));
	}
	t->edge[level] = h;
	t->size++;
	return RC_OK;
}

enum rc
tree_root(tree_sha256_fn *sha256, const struct tree *t, struct tree_hash *ret, struct err *e)
{
	struct tree_hash h;
	bool any = false;

	if (t->size == 0)
		return sha256(NULL, 0, ret, e);
	for (unsigned level = 0; level <= TREE_LEVELS; level++) {
		if (!(t->size >> level & 1))
			continue;
		if (any)
			TRY(tree_node(sha256, &t->edge[level], &h, &h, e));
		else
			h = t->edge[level];
		any = true;
	}
	*ret = h;
	return RC_OK;
}

enum rc
tree_load(const struct tree_reader *from, uint64_t size, struct tree *ret, struct err *e)
{
	struct tree t = { .size = size };

	NEED(size <= TREE_SIZE_MAX, e, CHY_TREE_RANGE, NULL, "tree of %llu leaves", (unsigned long long)size);
	for (unsigned level = 0; level <= TREE_LEVELS; level++)
		if (size >> level & 1) /* the leaves before this node are those of the higher bits */
			TRY(from->node(from->arg, level, (size >> level) - 1, &t.edge[level], e));
	*ret = t;
	return RC_OK;
}

/* ---- proofs ---- */

/* The largest power of two below n, for n > 1: where RFC 9162 splits a tree. */
static uint64_t
split(uint64_t n)
{
	return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* The root over leaves [at, at + n), n > 0; at is a multiple of a power of two that is at least n, so that
   all nodes it consists of are complete ones of the whole tree. */
static enum rc
range(tree_sha256_fn *sha256, const struct tree_reader *from, uint64_t at, uint64_t n, struct tree_hash *ret,
      struct err *e)
{
	struct tree_hash h, left;
	bool any = false;

	for (unsigned level = 0; level <= TREE_LEVELS; level++) {
		if (!(n >> level & 1))
			continue;
		TRY(from->node(from->arg, level, ((at + n) >> level) - 1, &left, e));
		if (any)
			TRY(tree_node(sha256, &left, &h, &h, e));
		else
			h = left;
		any = true;
		n -= (uint64_t)1 << level;
	}
	*ret = h;
	return RC_OK;
}

static void
turn(struct tree_proof *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		struct tree_hash h = p->at[i];

		p->at[i] = p->at[p->n - 1 - i];
		p->at[p->n - 1 - i] = h;
	}
}

enum rc
tree_inclusion(tree_sha256_fn *sha256, const struct tree_reader *from, uint64_t index, uint64_t size,
	       struct tree_proof *ret, struct err *e)
{
	uint64_t at = 0;

	NEED(index < size && size <= TREE_SIZE_MAX, e, CHY_TREE_RANGE, "RFC 9162 2.1.3.1",
	     "leaf %llu of %llu", (unsigned long long)index, (unsigned long long)size);
	ret->n = 0;
	while (size > 1) { /* from the root down; the proof goes up, so it is turned round */
		uint64_t k = split(size);
		bool left = index < k;

		TRY(range(sha256, from, left ? at + k : at, left ? size - k : k, &ret->at[ret->n++], e));
		at += left ? 0 : k;
		index -= left ? 0 : k;
		size = left ? k : size - k;
	}
	turn(ret);
	return RC_OK;
}

enum rc
tree_consistency(tree_sha256_fn *sha256, const struct tree_reader *from, uint64_t first, uint64_t second,
		 struct tree_proof *ret, struct err *e)
{
	uint64_t at = 0, m = first, n = second;
	bool whole = true; /* the subtree's root is the old tree's root, which the verifier has */

	NEED(first > 0 && first <= second && second <= TREE_SIZE_MAX, e, CHY_TREE_RANGE, "RFC 9162 2.1.4.1",
	     "from %llu to %llu leaves", (unsigned long long)first, (unsigned long long)second);
	ret->n = 0;
	while (m < n) {
		uint64_t k = split(n);
		bool left = m <= k;

		TRY(range(sha256, from, left ? at + k : at, left ? n - k : k, &ret->at[ret->n++], e));
		whole = whole && left;
		at += left ? 0 : k;
		m -= left ? 0 : k;
		n = left ? k : n - k;
	}
	if (!whole)
		TRY(range(sha256, from, at, n, &ret->at[ret->n++], e));
	turn(ret);
	return RC_OK;
}

/* ---- verification ---- */

enum rc
tree_verify_inclusion(tree_sha256_fn *sha256, const struct tree_hash *leaf, uint64_t index, uint64_t size,
		      const struct tree_proof *proof, const struct tree_hash *root, struct err *e)
{
	static const char std[] = "RFC 9162 2.1.3.2";
	uint64_t fn = index, sn = size - 1;
	struct tree_hash r = *leaf;

	NEED(index < size && size <= TREE_SIZE_MAX, e, CHY_TREE_RANGE, std, "leaf %llu of %llu",
	     (unsigned long long)index, (unsigned long long)size);
	NEED(proof->n <= TREE_PROOF_MAX, e, CHY_TREE_PROOF, std, "%zu hashes", proof->n);
	for (size_t i = 0; i < proof->n; i++) {
		NEED(sn != 0, e, CHY_TREE_PROOF, std, "the proof is too long");
		if ((fn & 1) || fn == sn) {
			TRY(tree_node(sha256, &proof->at[i], &r, &r, e));
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			TRY(tree_node(sha256, &r, &proof->at[i], &r, e));
		}
		fn >>= 1;
		sn >>= 1;
	}
	NEED(sn == 0, e, CHY_TREE_PROOF, std, "the proof is too short");
	NEED(same(&r, root), e, CHY_TREE_PROOF, std, "the proof leads to another root");
	return RC_OK;
}

/* One hash of a consistency proof, on the way up: fr becomes the old root, sr the new one. */
static enum rc
climb(tree_sha256_fn *sha256, const struct tree_hash *c, uint64_t *fn, uint64_t *sn, struct tree_hash *fr,
      struct tree_hash *sr, struct err *e)
{
	NEED(*sn != 0, e, CHY_TREE_PROOF, "RFC 9162 2.1.4.2", "the proof is too long");
	if ((*fn & 1) || *fn == *sn) {
		TRY(tree_node(sha256, c, fr, fr, e));
		TRY(tree_node(sha256, c, sr, sr, e));
		while (!(*fn & 1) && *fn != 0) {
			*fn >>= 1;
			*sn >>= 1;
		}
	} else {
		TRY(tree_node(sha256, sr, c, sr, e));
	}
	*fn >>= 1;
	*sn >>= 1;
	return RC_OK;
}

enum rc
tree_verify_consistency(tree_sha256_fn *sha256, uint64_t first, const struct tree_hash *first_root,
			uint64_t second, const struct tree_hash *second_root, const struct tree_proof *proof,
			struct err *e)
{
	static const char std[] = "RFC 9162 2.1.4.2";
	bool whole = (first & (first - 1)) == 0; /* the old root itself is a node of the new tree */
	uint64_t fn = first - 1, sn = second - 1;
	struct tree_hash fr, sr;

	NEED(first > 0 && first <= second && second <= TREE_SIZE_MAX, e, CHY_TREE_RANGE, std,
	     "from %llu to %llu leaves", (unsigned long long)first, (unsigned long long)second);
	if (first == second) {
		NEED(proof->n == 0, e, CHY_TREE_PROOF, std, "the proof is too long");
		NEED(same(first_root, second_root), e, CHY_TREE_PROOF, std, "two roots of one size");
		return RC_OK;
	}
	NEED(proof->n >= 1 && proof->n <= TREE_PROOF_MAX, e, CHY_TREE_PROOF, std, "%zu hashes", proof->n);
	fr = sr = whole ? *first_root : proof->at[0];
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	for (size_t i = whole ? 0 : 1; i < proof->n; i++)
		TRY(climb(sha256, &proof->at[i], &fn, &sn, &fr, &sr, e));
	NEED(sn == 0, e, CHY_TREE_PROOF, std, "the proof is too short");
	NEED(same(&fr, first_root), e, CHY_TREE_PROOF, std, "the proof leads to another old root");
	NEED(same(&sr, second_root), e, CHY_TREE_PROOF, std, "the proof leads to another new root");
	return RC_OK;
}
