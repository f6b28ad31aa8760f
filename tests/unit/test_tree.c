/*
 * The hash tree against the recursive definition of RFC 9162 2.1, for every size from 0 to 70: roots, nodes,
 * every inclusion proof, every consistency proof, and that no proof fits anything else.
 */
#include "base/base.h"
#include "model/tree.h"

#include <openssl/sha.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MOST = 70 };

static struct tree_hash leaves[MOST];
static int fail_after = -1;

static enum rc
sha256(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e)
{
	uint8_t all[2 * TREE_HASH + 1];
	size_t n = 0;

	NEED(fail_after != 0, e, CHY_NO_MEMORY, NULL, "hash");
	if (fail_after > 0)
		fail_after--;
	for (size_t i = 0; i < count; i++) {
		assert_true(n + parts[i].n <= sizeof(all));
		if (parts[i].n > 0)
			memcpy(all + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	SHA256(all, n, ret->b);
	return RC_OK;
}

/* MTH(D[at:at+n]) and the proofs word for word as the standard defines them */

static struct tree_hash
naive_root(size_t at, size_t n)
{
	struct tree_hash l, r, h;
	size_t k = 1;
	uint8_t both[1 + 2 * TREE_HASH] = { 1 };

	if (n == 0)
		SHA256((const uint8_t *)"", 0, h.b);
	else if (n == 1)
		h = leaves[at];
	else {
		while (k * 2 < n)
			k *= 2;
		l = naive_root(at, k);
		r = naive_root(at + k, n - k);
		memcpy(both + 1, l.b, TREE_HASH);
		memcpy(both + 1 + TREE_HASH, r.b, TREE_HASH);
		SHA256(both, sizeof(both), h.b);
	}
	return h;
}

static void
naive_path(size_t m, size_t at, size_t n, struct tree_proof *p)
{
	size_t k = 1;

	if (n == 1)
		return;
	while (k * 2 < n)
		k *= 2;
	if (m < k) {
		naive_path(m, at, k, p);
		p->at[p->n++] = naive_root(at + k, n - k);
	} else {
		naive_path(m - k, at + k, n - k, p);
		p->at[p->n++] = naive_root(at, k);
	}
}

static void
naive_subproof(size_t m, size_t at, size_t n, bool whole, struct tree_proof *p)
{
	size_t k = 1;

	if (m == n) {
		if (!whole)
			p->at[p->n++] = naive_root(at, n);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	if (m <= k) {
		naive_subproof(m, at, k, whole, p);
		p->at[p->n++] = naive_root(at + k, n - k);
	} else {
		naive_subproof(m - k, at + k, n - k, false, p);
		p->at[p->n++] = naive_root(at, k);
	}
}

/* what has been stored: arg is the number of leaves, and only nodes complete by then may be asked for */
static enum rc
node_of(void *arg, unsigned level, uint64_t index, struct tree_hash *ret, struct err *e)
{
	uint64_t size = *(const uint64_t *)arg;

	assert_true(level < 8);
	assert_true((index + 1) << level <= size);
	*ret = naive_root(index << level, (size_t)1 << level);
	return RC_OK;
}

static struct tree_reader
reader(uint64_t *size)
{
	return (struct tree_reader){ node_of, size };
}

static enum rc
check_made(void *arg, unsigned level, uint64_t index, const struct tree_hash *hash, struct err *e)
{
	struct tree_hash want = naive_root(index << level, (size_t)1 << level);

	assert_memory_equal(hash->b, want.b, TREE_HASH);
	++*(size_t *)arg;
	return RC_OK;
}

static int
set_up(void **state)
{
	struct err e = { 0 };

	for (uint8_t i = 0; i < (uint8_t)MOST; i++)
		assert_int_equal(tree_leaf(sha256, bytes_of(&i, 1), &leaves[i], &e), RC_OK);
	return 0;
}

static void
hashes_as_the_standard(void **state)
{
	/* of the empty string with the prefixes of RFC 9162 2.1.1 */
	static const uint8_t leaf_of_nothing[] = { 0x6e, 0x34, 0x0b, 0x9c, 0xff, 0xb3, 0x7a, 0x98 };
	static const uint8_t empty_tree[] = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14 };
	struct tree_hash h;
	struct err e = { 0 };

	assert_int_equal(tree_leaf(sha256, BYTES_NONE, &h, &e), RC_OK);
	assert_memory_equal(h.b, leaf_of_nothing, sizeof(leaf_of_nothing));
	assert_int_equal(tree_root(sha256, &(struct tree){ 0 }, &h, &e), RC_OK);
	assert_memory_equal(h.b, empty_tree, sizeof(empty_tree));
}

static void
grows_like_the_definition(void **state)
{
	struct tree t = { 0 };
	struct tree_hash root, want;
	struct err e = { 0 };
	size_t made = 0;

	for (size_t n = 0; n < MOST; n++) {
		assert_int_equal(tree_root(sha256, &t, &root, &e), RC_OK);
		want = naive_root(0, n);
		assert_memory_equal(root.b, want.b, TREE_HASH);
		assert_int_equal(tree_add(sha256, &t, &leaves[n], check_made, &made, &e), RC_OK);
		assert_int_equal(t.size, n + 1);
	}
	assert_int_equal(made, 2 * MOST - __builtin_popcount(MOST)); /* complete nodes of a tree */
}

static void
goes_on_from_stored_nodes(void **state)
{
	struct err e = { 0 };

	for (uint64_t n = 0; n <= MOST; n++) {
		struct tree_reader from = reader(&n);
		struct tree_hash root, want = naive_root(0, n);
		struct tree t;

		assert_int_equal(tree_load(&from, n, &t, &e), RC_OK);
		assert_int_equal(tree_root(sha256, &t, &root, &e), RC_OK);
		assert_memory_equal(root.b, want.b, TREE_HASH);
	}
}

static void
full_tree_takes_no_more(void **state)
{
	struct tree t = { .size = TREE_SIZE_MAX };
	struct err e = { 0 };

	assert_int_equal(tree_add(sha256, &t, &leaves[0], NULL, NULL, &e), RC_NOMEM);
	assert_int_equal(e.code, CHY_LIMIT);
}

static void
failed_add_changes_nothing(void **state)
{
	struct tree t = { 0 }, before;
	struct err e = { 0 };

	for (size_t n = 0; n < 7; n++)
		assert_int_equal(tree_add(sha256, &t, &leaves[n], NULL, NULL, &e), RC_OK);
	before = t;
	for (fail_after = 0; fail_after < 3;) { /* the eighth leaf needs three hashes */
		int n = fail_after;

		err_clear(&e);
		assert_int_equal(tree_add(sha256, &t, &leaves[7], NULL, NULL, &e), RC_NOMEM);
		assert_memory_equal(&t, &before, sizeof(t));
		fail_after = n + 1;
	}
	fail_after = -1;
	assert_int_equal(tree_add(sha256, &t, &leaves[7], NULL, NULL, &e), RC_OK);
}

static void
same_proof(const struct tree_proof *a, const struct tree_proof *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->at, b->at, a->n * sizeof(a->at[0]));
}

/* every way to spoil a proof that holds */
static void
no_other_inclusion(uint64_t m, uint64_t n, const struct tree_proof *p, const struct tree_hash *root)
{
	struct tree_proof bad = *p;
	struct err e = { 0 };

	assert_int_not_equal(tree_verify_inclusion(sha256, &leaves[(m + 1) % MOST], m, n, p, root, &e),
			     RC_OK);
	assert_int_equal(e.code, CHY_TREE_PROOF);
	for (uint64_t other = 0; other < n; other++)
		if (other != m)
			assert_int_not_equal(
			    tree_verify_inclusion(sha256, &leaves[m], other, n, p, root, NULL), RC_OK);
	for (size_t i = 0; i < p->n; i++) {
		bad.at[i].b[i % TREE_HASH] ^= 0x40;
		assert_int_not_equal(tree_verify_inclusion(sha256, &leaves[m], m, n, &bad, root, NULL),
				     RC_OK);
		bad.at[i] = p->at[i];
	}
	bad.n = p->n + 1;
	bad.at[p->n] = leaves[0];
	assert_int_not_equal(tree_verify_inclusion(sha256, &leaves[m], m, n, &bad, root, NULL), RC_OK);
	if (p->n > 0) {
		bad.n = p->n - 1;
		assert_int_not_equal(tree_verify_inclusion(sha256, &leaves[m], m, n, &bad, root, NULL),
				     RC_OK);
	}
}

static void
every_inclusion(void **state)
{
	struct err e = { 0 };

	for (uint64_t n = 1; n <= MOST; n++) {
		struct tree_hash root = naive_root(0, n);
		struct tree_reader from = reader(&n);

		for (uint64_t m = 0; m < n; m++) {
			struct tree_proof p, want = { 0 };

			naive_path(m, 0, n, &want);
			assert_int_equal(tree_inclusion(sha256, &from, m, n, &p, &e), RC_OK);
			same_proof(&p, &want);
			assert_int_equal(tree_verify_inclusion(sha256, &leaves[m], m, n, &p, &root, &e),
					 RC_OK);
			if (n <= 20 || n == MOST)
				no_other_inclusion(m, n, &p, &root);
		}
	}
}

static void
no_other_consistency(uint64_t m, uint64_t n, const struct tree_proof *p, const struct tree_hash *old,
		     const struct tree_hash *new)
{
	struct tree_proof bad = *p;
	struct err e = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		bad.at[i].b[i % TREE_HASH] ^= 0x40;
		assert_int_not_equal(tree_verify_consistency(sha256, m, old, n, new, &bad, NULL), RC_OK);
		bad.at[i] = p->at[i];
	}
	assert_int_not_equal(tree_verify_consistency(sha256, m, &leaves[3], n, new, p, &e), RC_OK);
	assert_int_equal(e.code, CHY_TREE_PROOF);
	assert_int_not_equal(tree_verify_consistency(sha256, m, old, n, &leaves[3], p, NULL), RC_OK);
	bad.n = p->n + 1;
	bad.at[p->n] = leaves[0];
	assert_int_not_equal(tree_verify_consistency(sha256, m, old, n, new, &bad, NULL), RC_OK);
	if (p->n > 0) {
		bad.n = p->n - 1;
		assert_int_not_equal(tree_verify_consistency(sha256, m, old, n, new, &bad, NULL), RC_OK);
	}
}

static void
every_consistency(void **state)
{
	struct err e = { 0 };

	for (uint64_t n = 1; n <= MOST; n++) {
		struct tree_hash new = naive_root(0, n);
		struct tree_reader from = reader(&n);

		for (uint64_t m = 1; m <= n; m++) {
			struct tree_hash old = naive_root(0, m);
			struct tree_proof p, want = { 0 };

			naive_subproof(m, 0, n, true, &want);
			assert_int_equal(tree_consistency(sha256, &from, m, n, &p, &e), RC_OK);
			same_proof(&p, &want);
			assert_int_equal(tree_verify_consistency(sha256, m, &old, n, &new, &p, &e), RC_OK);
			if (n > 4) /* below, leaf 3 can be a root */
				no_other_consistency(m, n, &p, &old, &new);
		}
	}
}

static void
impossible_ranges(void **state)
{
	uint64_t size = MOST;
	struct tree_reader from = reader(&size);
	struct tree_proof p = { 0 };
	struct err e = { 0 };

	assert_int_equal(tree_inclusion(sha256, &from, 5, 5, &p, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_TREE_RANGE);
	assert_int_equal(tree_inclusion(sha256, &from, 0, 0, &p, NULL), RC_MALFORMED);
	assert_int_equal(tree_consistency(sha256, &from, 0, 5, &p, NULL), RC_MALFORMED);
	assert_int_equal(tree_consistency(sha256, &from, 6, 5, &p, NULL), RC_MALFORMED);
	assert_int_equal(tree_verify_inclusion(sha256, leaves, 0, 0, &p, leaves, NULL), RC_MALFORMED);
	assert_int_equal(tree_verify_inclusion(sha256, leaves, 0, UINT64_MAX, &p, leaves, NULL),
			 RC_MALFORMED);
	assert_int_equal(tree_verify_consistency(sha256, 0, leaves, 1, leaves, &p, NULL), RC_MALFORMED);
	assert_int_equal(tree_verify_consistency(sha256, 2, leaves, 1, leaves, &p, NULL), RC_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_the_standard),     cmocka_unit_test(grows_like_the_definition),
		cmocka_unit_test(goes_on_from_stored_nodes),  cmocka_unit_test(full_tree_takes_no_more),
		cmocka_unit_test(failed_add_changes_nothing), cmocka_unit_test(every_inclusion),
		cmocka_unit_test(every_consistency),          cmocka_unit_test(impossible_ranges),
	};

	return cmocka_run_group_tests_name("tree", tests, set_up, NULL);
}
