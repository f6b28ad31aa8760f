/*
 * The signer as the witness of the store's journal: heads only ever continue the last one, also after it was killed, with
 * its journal archived, and when the operator has said that a backup was restored.
 */
#include "signer_world.h"

#include <unistd.h>

#include "crypto/digest.h"
#include "model/tree.h"

static enum rc
plain_sha256(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e)
{
	sha256_parts(parts, count, ret->b);
	return RC_OK;
}

/* A journal whose leaf i is "N i"; from `other` on the leaves are others. */
struct story {
	uint64_t other;
};

static enum rc
story_node(void *arg, unsigned level, uint64_t index, struct tree_hash *ret, struct err *e)
{
	const struct story *s = arg;
	struct tree t = { 0 };
	struct tree_hash h;
	char text[32];

	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		snprintf(text, sizeof(text), "%s %llu", i >= s->other ? "other" : "leaf",
			 (unsigned long long)i);
		TRY(tree_leaf(plain_sha256, bytes_str(text), &h, e));
		TRY(tree_add(plain_sha256, &t, &h, NULL, NULL, e));
	}
	return tree_root(plain_sha256, &t, ret, e);
}

static int64_t story_at_ms = 7; /* the time of the heads */

/* What the factory does: asks for the last head, proves that this one continues it, has it signed. */
static enum rc
sign_story(struct world *w, uint64_t size, uint64_t other, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct story s = { other };
	struct tree_reader from = { story_node, &s };
	struct tree_proof proof = { .n = 0 };
	struct signer_last_head last;
	struct signer_head h = { .size = size, .at_ms = story_at_ms };
	struct signed_cert sc;
	struct tree_hash root;
	struct tree t;

	TRY(signer_head_last(w->s, "j", MS, a, &last, e));
	if (last.head.size > 0 && last.head.size < size)
		TRY(tree_consistency(plain_sha256, &from, last.head.size, size, &proof, e));
	TRY(tree_load(&from, size, &t, e));
	TRY(tree_root(plain_sha256, &t, &root, e));
	memcpy(h.root, root.b, sizeof(h.root));
	return signer_sign_head(w->s, "j", &h, &proof, MS, a, &sc, e);
}

enum { NEVER = 1 << 20 };

static uint64_t
last_size(struct world *w, bool *ret_given_up)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct signer_last_head last;
	struct err e = { 0 };

	OK(&e, signer_head_last(w->s, "j", MS, a, &last, &e));
	if (ret_given_up != NULL)
		*ret_given_up = last.restart != 0;
	return last.head.size;
}

static void
make_journal_key(struct world *w)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct signer_key k;
	struct err e = { 0 };

	OK(&e, signer_key_generate(w->s, "j", SIGNER_JOURNAL, "p-256", "software", MS, a, &k, &e));
}

static void
heads_never_go_back(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct world *w = *state;
	struct tree_proof none = { .n = 0 };
	struct signer_head h = { .size = 30, .at_ms = 7 };
	struct signed_cert sc;
	struct err e = { 0 };

	make_journal_key(w);
	assert_int_equal(last_size(w, NULL), 0);
	OK(&e, sign_story(w, 5, NEVER, &e));
	OK(&e, sign_story(w, 5, NEVER, &e));      /* the answer had been lost */
	for (int again = 0; again < 2; again++) { /* the second time it knows it from its journal only */
		OK(&e, sign_story(w, again ? 20 : 12, NEVER, &e));
		assert_int_equal(last_size(w, NULL), again ? 20 : 12);
		REFUSED(&e, CHY_SIGNER_HEAD_BACK, sign_story(w, 11, NEVER, &e));
		REFUSED(&e, CHY_SIGNER_HEAD_OTHER, sign_story(w, again ? 20 : 12, 11, &e));
		REFUSED(&e, CHY_SIGNER_HEAD_OTHER, sign_story(w, 25, 11, &e)); /* cut off, and grown again */
		REFUSED(&e, CHY_SIGNER_HEAD_OTHER,
			signer_sign_head(w->s, "j", &h, &none, MS, a, &sc, &e)); /* unproven */
		story_at_ms = 6; /* its time does not go back either */
		REFUSED(&e, CHY_SIGNER_HEAD_BACK, sign_story(w, 22, NEVER, &e));
		REFUSED(&e, CHY_SIGNER_HEAD_BACK, sign_story(w, again ? 20 : 12, NEVER, &e));
		story_at_ms = 7;
		world_kill(w);
		world_start(w);
	}
	OK(&e, sign_story(w, 21, 20, &e));
}

/* The last head stands in a segment that has been archived long since. */
static void
head_in_the_archive(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	struct world *w = *state;
	static const uint8_t filler[4000];
	struct signer_status st;
	struct signed_cert sc;
	struct err e = { 0 };

	snprintf(w->segment_bytes, sizeof(w->segment_bytes), "262144");
	world_start(w);
	make_journal_key(w);
	OK(&e, sign_story(w, 9, NEVER, &e));
	world_ca(w, "ca", "p-256", "software");
	do {
		struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ 0 }),
				       arena_dup(a, bytes_of(filler, sizeof(filler))) };

		for (int i = 0; i < 100; i++)
			OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
		OK(&e, signer_status(w->s, MS, &st, &e));
	} while (st.segments < 3);
	OK(&e, signer_journal_ack(w->s, st.synced, MS, &e));
	world_kill(w);
	world_start(w);
	assert_int_equal(last_size(w, NULL), 9);
	REFUSED(&e, CHY_SIGNER_HEAD_BACK, sign_story(w, 8, NEVER, &e));
	OK(&e, sign_story(w, 10, NEVER, &e));
}

static void
restart_by_the_operator(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct sj_record *list, *found = NULL;
	struct err e = { 0 };
	bool given_up;
	size_t n;

	make_journal_key(w);
	OK(&e, sign_story(w, 12, NEVER, &e));
	REFUSED(&e, CHY_SIGNER_HEAD_BACK, sign_story(w, 7, NEVER, &e));
	for (int i = 0; i < 2; i++) { /* the second start finds it written down already */
		world_kill(w);
		world_sh(w, "echo restored > %s/signer/journal/restart", w->dir);
		world_start(w);
		assert_int_not_equal(access(world_path(w, "signer/journal/restart"), F_OK), 0);
	}
	assert_int_equal(last_size(w, &given_up), 12);
	assert_true(given_up);
	OK(&e, signer_journal_read(w->s, 1, MS, a, &list, &n, &e));
	for (size_t i = 0; i < n; i++)
		if (list[i].type == SJ_RESTART) {
			assert_null(found);
			found = &list[i];
		}
	assert_non_null(found);
	assert_true(bytes_is(found->context, "restored\n"));
	assert_int_equal(found->tbs.n, SIGNER_HEAD_BYTES);
	OK(&e, sign_story(w, 7, 6, &e)); /* once */
	assert_int_equal(last_size(w, &given_up), 7);
	assert_false(given_up);
	REFUSED(&e, CHY_SIGNER_HEAD_BACK, sign_story(w, 6, NEVER, &e));
	world_kill(w);
	world_start(w);
	REFUSED(&e, CHY_SIGNER_HEAD_OTHER, sign_story(w, 12, NEVER, &e));
	OK(&e, sign_story(w, 8, 6, &e));
}

/* Killed at each point of a head's signature: the same head is signed afterwards, and the next one. */
static void
killed_while_signing_a_head(void **state)
{
	static const char *const points[] = { "signer.after-read", "signer.after-sign", "signer.after-append",
					      "signer.after-sync", "signer.after-answer" };
	struct world *w = *state;
	struct err e = { 0 };
	uint64_t size = 4;
	char fault[64];

	make_journal_key(w);
	OK(&e, sign_story(w, size, NEVER, &e));
	for (size_t i = 0; i < ARRAY_LEN(points); i++, size += 3) {
		world_kill(w);
		/* the start's hello and the question for the last head are read and answered before */
		snprintf(fault, sizeof(fault), "%s@%d=kill", points[i],
			 strcmp(points[i], "signer.after-read") == 0         ? 3
			     : strcmp(points[i], "signer.after-answer") == 0 ? 3
									     : 1);
		w->fault = fault;
		world_start(w);
		if (sign_story(w, size + 3, NEVER, &e) == RC_OK)
			(void)!sign_story(w, size + 3, NEVER, &e);
		world_wait(w);
		w->fault = NULL;
		world_start(w);
		OK(&e, sign_story(w, size + 3, NEVER, &e));
		OK(&e, sign_story(w, size + 4, NEVER, &e));
		REFUSED(&e, CHY_SIGNER_HEAD_BACK, sign_story(w, size + 2, NEVER, &e));
		size += 1;
	}
}

int
main(void)
{
#define T(name, fn) \
	{ \
		name, fn, world_setup, world_teardown, NULL \
	}
	const struct CMUnitTest tests[] = {
		T("heads never go back, nor to another journal", heads_never_go_back),
		{ "the last head is found in the archive", head_in_the_archive, world_setup_stopped,
		  world_teardown, NULL },
		T("a restart by the operator, once", restart_by_the_operator),
		T("killed while signing a head", killed_while_signing_a_head),
	};

	return cmocka_run_group_tests_name("signer_witness", tests, NULL, NULL);
}
