#include "base/base.h"

#include <pthread.h>

#include "test.h"

static bool
all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void
arena_gives_zeroed_aligned_memory(void **state)
{
	for (int round = 0; round < 20; round++) { /* the spare chunks of the round before are dirty */
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);

		assert_non_null(a);
		for (size_t n = 0; n < 300; n++) {
			uint8_t *p = arena_alloc(a, n);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 16, 0);
			assert_true(all_zero(p, n));
			memset(p, 0xa5, n);
		}
	}
}

static void
arena_stops_at_its_ceiling(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(100000);
	size_t given = 0;

	assert_false(arena_failed(a));
	while (arena_alloc(a, 1000) != NULL)
		given += 1000;
	assert_non_null(
	    arena_alloc(a, 16)); /* what still fits is given, and does not make good what was refused */
	assert_true(arena_failed(a));
	assert_true(given >= 98000 && given <= 100000);
	assert_true(arena_used(a) <= 100000);
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 15));
	assert_null(arena_array(a, SIZE_MAX / 8, 16));
	assert_null(arena_array(a, SIZE_MAX, 2));
	assert_null(arena_dup(a, (struct bytes){ (const uint8_t *)"x", SIZE_MAX }).p);
}

/* How much of a pattern is still there in memory that an arena has given back and another one of this thread has got. */
static size_t
left_of_a_secret(bool wipes)
{
	enum { N = 64 };
	struct arena *a = arena_new(1 << 20), *next;
	uint8_t *secret = arena_alloc(a, N);
	size_t left = 0;

	memset(secret, 0xa5, N);
	if (wipes)
		arena_wipes(a);
	arena_free(a);
	next = arena_new(1 << 20); /* the same chunk, of which it has used less yet */
	for (size_t i = 0; i < N; i++)
		left += secret[i] == 0xa5;
	arena_free(next);
	return left;
}

static void
an_arena_that_wipes_leaves_nothing(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	skip(); /* nothing is used again there */
#endif
	assert_true(left_of_a_secret(false) > 0); /* this sees what is left */
	assert_int_equal(left_of_a_secret(true), 0);
}

static void
arena_without_a_ceiling_still_refuses_the_impossible(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(SIZE_MAX);

	assert_null(arena_alloc(a, SIZE_MAX - 64));
	assert_null(arena_alloc(a, SIZE_MAX / 2));
	assert_non_null(arena_alloc(a, 1 << 20));
}

static void
arena_copies(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct bytes b = arena_dup(a, BYTES("a\0b"));

	assert_bytes(b, BYTES("a\0b"));
	assert_int_equal(b.p[3], 0);
	assert_string_equal(arena_str(a, BYTES("text")), "text");
	assert_string_equal(arena_str(a, BYTES_NONE), "");
	assert_string_equal(arena_printf(a, "%d-%s", 5, "x"), "5-x");
	assert_int_equal(strlen(arena_printf(a, "%0*d", 40000, 1)), 40000);
	arena_free(NULL);
}

static void
buf_grows_to_its_maximum(void **state)
{
	for (size_t max = 0; max < 1030; max += 103) {
		OWN_BUF struct buf b = buf_max(max);

		for (size_t i = 0; i < max; i++)
			buf_u8(&b, (uint8_t)i);
		assert_true(buf_ok(&b));
		assert_int_equal(buf_bytes(&b).n, max);
		for (size_t i = 0; i < max; i++)
			assert_int_equal(b.p[i], (uint8_t)i);
		buf_u8(&b, 1);
		assert_false(buf_ok(&b));
		assert_int_equal(buf_bytes(&b).n, 0);
		buf_fini(&b);
		assert_true(buf_ok(&b));
	}
}

static void
buf_failure_is_sticky(void **state)
{
	OWN_BUF struct buf b = buf_max(4);

	buf_str(&b, "12345");
	assert_false(buf_ok(&b));
	buf_str(&b, "1");
	assert_false(buf_ok(&b));
	assert_null(buf_cstr(&b));
	assert_null(buf_room(&b, 0));
}

static void
buf_and_reader_agree(void **state)
{
	OWN_BUF struct buf b = buf_max(100);
	struct rd r;

	buf_u8(&b, 0xfe);
	buf_u16(&b, 0xfedc);
	buf_u32(&b, 0xfedcba98);
	buf_u64(&b, 0xfedcba9876543210);
	buf_lv(&b, BYTES("text"));
	buf_lv(&b, BYTES_NONE);
	assert_bytes(bytes_part(buf_bytes(&b), 0, 7), BYTES("\xfe\xfe\xdc\xfe\xdc\xba\x98"));
	r = rd_of(buf_bytes(&b));
	assert_int_equal(rd_u8(&r), 0xfe);
	assert_int_equal(rd_u16(&r), 0xfedc);
	assert_true(rd_u32(&r) == 0xfedcba98);
	assert_true(rd_u64(&r) == 0xfedcba9876543210);
	assert_text(rd_lv(&r), "text");
	assert_false(rd_done(&r));
	assert_int_equal(rd_lv(&r).n, 0);
	assert_true(rd_done(&r));
}

static void
reader_failure_is_sticky(void **state)
{
	struct rd r = rd_of(BYTES("\x00\x00\x00\x05"
				  "abcd"));

	assert_int_equal(rd_left(&r), 8);
	assert_int_equal(rd_lv(&r).n, 0);
	assert_false(rd_ok(&r));
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_int_equal(rd_take(&r, 0).n, 0);
	assert_false(rd_done(&r));
	r = rd_of(BYTES("\xff\xff\xff\xff"));
	rd_lv(&r);
	assert_false(rd_ok(&r));
	r = rd_of(BYTES_NONE);
	assert_true(rd_done(&r));
	rd_u8(&r);
	assert_false(rd_ok(&r));
}

static void
buf_prints_drops_and_ends(void **state)
{
	OWN_BUF struct buf b = buf_max(1000);

	buf_printf(&b, "%s %05d", "x", 42);
	assert_text(buf_bytes(&b), "x 00042");
	buf_printf(&b, "%0*d", 600, 7);
	assert_int_equal(b.n, 607);
	assert_int_equal(strlen(buf_cstr(&b)), 607);
	buf_drop(&b, 2);
	assert_true(bytes_starts(buf_bytes(&b), "00042"));
	buf_drop_wipe(&b, 600); /* five are left, at the front alone */
	assert_int_equal(b.n, 5);
	assert_int_equal(b.p[5] | b.p[600] | b.p[604], 0);
	buf_drop(&b, SIZE_MAX);
	assert_int_equal(b.n, 0);
	buf_printf(&b, "%0*d", 1000, 7);
	assert_false(buf_ok(&b));
	buf_wipe(&b);
	assert_null(b.p);
}

static void
secrets_are_kept_and_cut(void **state)
{
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("password")), *none = secret_of(BYTES_NONE);

	assert_text(secret_bytes(s), "password");
	secret_cut(s, 4);
	assert_text(secret_bytes(s), "pass");
	assert_true(all_zero(secret_data(s) + 4, 4));
	secret_cut(s, 100);
	assert_int_equal(secret_len(s), 4);
	assert_int_equal(secret_len(none), 0);
	assert_null(secret_new(SIZE_MAX));
	assert_null(secret_new(SIZE_MAX - 4096));
	secret_free(NULL);
}

static void *
make_arenas(void *arg)
{
	for (int i = 0; i < 200; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20);

		if (!a || !b || !arena_alloc(a, 20000) || !arena_alloc(b, 100))
			return NULL;
	}
	return arg;
}

/* The sanitizers' builds see here what a thread leaves behind. */
static void
arenas_of_many_threads(void **state)
{
	pthread_t t[8];
	void *done;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, make_arenas, t), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(pthread_join(t[i], &done), 0);
		assert_ptr_equal(done, t);
	}
}

static const struct CMUnitTest tests[] = {
	CASE(arena_gives_zeroed_aligned_memory),
	CASE(arena_stops_at_its_ceiling),
	CASE(an_arena_that_wipes_leaves_nothing),
	CASE(arena_without_a_ceiling_still_refuses_the_impossible),
	CASE(arena_copies),
	CASE(buf_grows_to_its_maximum),
	CASE(buf_failure_is_sticky),
	CASE(buf_and_reader_agree),
	CASE(reader_failure_is_sticky),
	CASE(buf_prints_drops_and_ends),
	CASE(secrets_are_kept_and_cut),
	CASE(arenas_of_many_threads),
};
TESTS_MAIN(tests)
