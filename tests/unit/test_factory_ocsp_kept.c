/* OCSP answers in memory: found again, never behind a change, never more than there is room for. */
#include "test.h"

#include "factory/ocsp_kept.h"

enum { NOW = 1000000000 };

static struct ocsp_by *
make_by(int64_t authority)
{
	struct ocsp_by *by = calloc(1, sizeof(*by));

	by->refs = 1;
	by->authority = authority;
	by->certificate = BYTES("\x30\x00");
	by->sigalg = sigalg_by_name(BYTES("ecdsa-sha256"));
	return by;
}

static struct ocsp_signed
make(struct ocsp_by *by, char data[64], int n)
{
	struct ocsp_signed s = { .by = by, .signature = BYTES("sig") };

	snprintf(data, 64, "..id-%d..", n);
	s.data = bytes_str(data);
	s.single = (struct ocsp_single){ .cert_id = bytes_part(s.data, 2, s.data.n - 4),
					 .this_update_at = NOW,
					 .next_update_at = NOW + 1000,
					 .reason = CRL_NO_REASON,
					 .archive_cutoff_at = OCSP_NO_TIME };
	return s;
}

static void
found_while_it_is_good(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct ocsp_kept *k = kept_new();
	struct ocsp_by *by = make_by(1);
	char data[64];
	struct ocsp_signed s = make(by, data, 7), got;

	assert_true(kept_put(k, kept_epoch(k), &s, false));
	assert_int_equal(by->refs, 2);
	assert_true(kept_get(k, a, BYTES("id-7"), NOW + 999, &got));
	assert_true(bytes_eq(got.data, s.data) && bytes_is(got.signature, "sig") &&
		    bytes_is(got.single.cert_id, "id-7"));
	ocsp_by_unref(got.by);
	assert_false(kept_get(k, a, BYTES("id-8"), NOW, &got));
	assert_false(kept_get(k, a, BYTES("id-7"), NOW + 1000, &got));          /* over */
	assert_false(kept_get(k, a, BYTES("id-7"), NOW - 6 * 60 * 1000, &got)); /* from the future */
	assert_int_equal(kept_state(k, BYTES("id-7"), NOW + 499), KEPT_FRESH);
	assert_int_equal(kept_state(k, BYTES("id-7"), NOW + 500), KEPT_AGING);
	assert_int_equal(kept_state(k, BYTES("id-7"), NOW + 1000), KEPT_NONE);
	kept_sweep(k, NOW + 1000);
	assert_int_equal(kept_count(k), 0);
	assert_int_equal(by->refs, 1);
	kept_free(k);
	ocsp_by_unref(by);
}

/* The status was read before it changed: the answer is not kept, and what was kept of it is gone. */
static void
never_behind_a_change(void **state)
{
	struct ocsp_kept *k = kept_new();
	struct ocsp_by *by = make_by(1);
	char data[64];
	struct ocsp_signed s = make(by, data, 1);
	int64_t epoch = kept_epoch(k);

	assert_true(kept_put(k, epoch, &s, true));
	kept_next_epoch(k);
	kept_drop(k, BYTES("id-1"));
	assert_false(kept_put(k, epoch, &s, true));
	assert_int_equal(kept_count(k), 0);
	assert_true(kept_put(k, kept_epoch(k), &s, true));
	kept_next_epoch(k);
	assert_false(kept_put(k, epoch, &s, true)); /* what is there is older still: it goes too */
	assert_int_equal(kept_count(k), 0);
	kept_free(k);
	ocsp_by_unref(by);
}

static void
one_of_each_and_by_authority(void **state)
{
	struct ocsp_kept *k = kept_new();
	struct ocsp_by *one = make_by(1), *two = make_by(2);
	char data[64];

	for (int i = 0; i < 3000; i++) {
		struct ocsp_signed s = make(i % 3 ? one : two, data, i);

		assert_true(kept_put(k, 0, &s, false));
		assert_true(kept_put(k, 0, &s, false));
	}
	assert_int_equal(kept_count(k), 3000);
	kept_drop_authority(k, 2);
	assert_int_equal(kept_count(k), 2000);
	for (int i = 0; i < 3000; i++) {
		struct ocsp_signed s = make(one, data, i);

		assert_int_equal(kept_state(k, s.single.cert_id, NOW), i % 3 ? KEPT_FRESH : KEPT_NONE);
	}
	kept_free(k);
	assert_int_equal(one->refs, 1);
	ocsp_by_unref(one);
	ocsp_by_unref(two);
}

static void
bounded(void **state)
{
	struct ocsp_kept *k = kept_new();
	struct ocsp_by *by = make_by(1);
	char data[64];
	struct ocsp_signed s;
	int n = 0;

	while (kept_count(k) < LIMIT_OCSP_KEPT && n < LIMIT_OCSP_KEPT * 2) {
		s = make(by, data, n++);
		(void)!kept_put(k, 0, &s, false);
	}
	assert_int_equal(kept_count(k), LIMIT_OCSP_KEPT);
	assert_true(kept_is_full(k));
	s = make(by, data, n);
	assert_false(kept_put(k, 0, &s, false));
	assert_true(kept_put(k, 0, &s, true)); /* in place of an older one */
	assert_int_equal(kept_count(k), LIMIT_OCSP_KEPT);
	assert_int_equal(kept_state(k, s.single.cert_id, NOW), KEPT_FRESH);
	kept_free(k);
	ocsp_by_unref(by);
}

static const struct CMUnitTest tests[] = {
	CASE(found_while_it_is_good),
	CASE(never_behind_a_change),
	CASE(one_of_each_and_by_authority),
	CASE(bounded),
};
TESTS_MAIN(tests)
