/*
 * The hash tree of RFC 9162 section 2.1 (Merkle tree over the journal's leaves), pure: the hash function and,
 * for proofs, the access to stored nodes are arguments. A node (level, index) is the root over the 2^level
 * leaves that begin at leaf index * 2^level; it is complete when all of them are there, and then never
 * changes again.
 *
 * A proof is an array of hashes in the order of RFC 9162, at most TREE_PROOF_MAX of them.
 * Sizes go up to TREE_SIZE_MAX leaves.
 */
#ifndef MODEL_TREE_H
#define MODEL_TREE_H

#include "base/bytes.h"
#include "base/rc.h"

enum { TREE_HASH = 32, TREE_LEVELS = 53, TREE_PROOF_MAX = 64 };

/* Leaf numbers travel in JSON, so they stay below 2^53 (RFC 7493 2.2). */
#define TREE_SIZE_MAX ((uint64_t)1 << TREE_LEVELS)

struct tree_hash {
	uint8_t b[TREE_HASH];
};

struct tree_proof {
	size_t n;
	struct tree_hash at[TREE_PROOF_MAX];
};

/* SHA-256 over the parts, one behind the other. */
typedef enum rc tree_sha256_fn(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e);

/* The hash of a complete node, from wherever it is kept. */
struct tree_reader {
	enum rc (*node)(void *arg, unsigned level, uint64_t index, struct tree_hash *ret, struct err *e);
	void *arg;
};

/* What is needed to add leaves: for each bit of size that is set, the complete node of that level. */
struct tree {
	uint64_t size;
	struct tree_hash edge[TREE_LEVELS + 1];
};

/* SHA-256(0x00 || body) and SHA-256(0x01 || left || right): RFC 9162 2.1.1. */
MUST enum rc tree_leaf(tree_sha256_fn *sha256, struct bytes body, struct tree_hash *ret, struct err *e);
MUST enum rc tree_node(tree_sha256_fn *sha256, const struct tree_hash *left, const struct tree_hash *right,
		       struct tree_hash *ret, struct err *e);

/* A node that became complete, for those who keep nodes. */
typedef enum rc tree_made_fn(void *arg, unsigned level, uint64_t index, const struct tree_hash *hash,
			     struct err *e);

/* Adds a leaf (its hash). made may be NULL; else it is called for each node that becomes complete, the leaf
   itself (level 0) first. After a failure *t is as it was before. CHY_LIMIT when the tree is full. */
MUST enum rc tree_add(tree_sha256_fn *sha256, struct tree *t, const struct tree_hash *leaf,
		      tree_made_fn *made, void *arg, struct err *e);

/* The root hash; of an empty tree SHA-256 of nothing. */
MUST enum rc tree_root(tree_sha256_fn *sha256, const struct tree *t, struct tree_hash *ret, struct err *e);

/* The tree of the first `size` leaves, from stored nodes: to go on after a restart. */
MUST enum rc tree_load(const struct tree_reader *from, uint64_t size, struct tree *ret, struct err *e);

/* PATH(index, D[size]) of RFC 9162 2.1.3.1. CHY_TREE_RANGE unless index < size. */
MUST enum rc tree_inclusion(tree_sha256_fn *sha256, const struct tree_reader *from, uint64_t index,
			    uint64_t size, struct tree_proof *ret, struct err *e);
/* PROOF(first, D[second]) of RFC 9162 2.1.4.1; empty for first = second. CHY_TREE_RANGE unless
   0 < first <= second. */
MUST enum rc tree_consistency(tree_sha256_fn *sha256, const struct tree_reader *from, uint64_t first,
			      uint64_t second, struct tree_proof *ret, struct err *e);

/* RFC 9162 2.1.3.2 and 2.1.4.2. RC_OK only when the proof holds; CHY_TREE_PROOF when it does not,
   CHY_TREE_RANGE for impossible sizes. */
MUST enum rc tree_verify_inclusion(tree_sha256_fn *sha256, const struct tree_hash *leaf, uint64_t index,
				   uint64_t size, const struct tree_proof *proof,
				   const struct tree_hash *root, struct err *e);
MUST enum rc tree_verify_consistency(tree_sha256_fn *sha256, uint64_t first,
				     const struct tree_hash *first_root, uint64_t second,
				     const struct tree_hash *second_root, const struct tree_proof *proof,
				     struct err *e);

#endif
