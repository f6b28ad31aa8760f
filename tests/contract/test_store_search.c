#include "base/base.h"
#include "store/core.h"
#include "store/postgres.h"
#include "store_world.h"

#include <sqlite3.h>

/*
 * The walks of the search over many rows, on both engines alike: each page is compared with what the same rows sorted here say,
 * and no question reads a whole table.
 */

enum { ROWS = 20000, PIECE = 500, VALUES = 50, STEP = 97 };

/* Certificate i, made up, so that the right answer can be computed. */
static struct certificate_row
made(int64_t i, uint8_t room[3][32])
{
	struct certificate_row row = certificate_of(i, room);

	row.not_before = 1000000 + i * 7919 % 1000 * 1000;
	row.not_after = 9000000 + i * 104729 % 5000 * 1000;
	return row;
}

static int64_t
value_of(int64_t i)
{
	return 1 + i % VALUES;
}

static void
put(struct change *c, int64_t i)
{
	uint8_t room[3][32];
	struct certificate_row row = made(i, room);
	char text[32];

	change_put_certificate(c, &row, BYTES("x"));
	change_put_begin(c, &(struct begin_row){ row.not_before, row.id });
	change_put_link(c, &(struct link_row){ value_of(i), row.id });
	change_put_link(c, &(struct link_row){ 1000 + i, row.id });
	snprintf(text, sizeof(text), "host number %lld", (long long)i);
	change_put_value(c, &(struct value_row){ 1000 + i, 1, bytes_str(text) });
}

static void
revoke(struct change *c, int64_t i)
{
	uint8_t room[3][32];
	struct certificate_row row = made(i, room);
	struct status_row status = { .id = row.id,
				     .issuer = row.issuer,
				     .serial = row.serial,
				     .state = i % 2 ? CERTIFICATE_REVOKED : CERTIFICATE_HELD,
				     .at = 5000 + i * 31 % 777,
				     .not_after = row.not_after };

	change_put_status(c, &status, 0);
}

static void
fill(struct world *w)
{
	for (int64_t i = 0; i < ROWS; i += PIECE) {
		struct change *c = change_new();

		for (int64_t k = i; k < i + PIECE; k++)
			put(c, k);
		ok(store_commit(w->s, c, &w->e));
	}
	for (int64_t i = 0; i < ROWS; i += 40 * PIECE) {
		struct change *c = change_new();

		for (int64_t k = i; k < i + 40 * PIECE && k < ROWS; k += 10)
			revoke(c, k + k / 10 % 2);
		ok(store_commit(w->s, c, &w->e));
	}
}

static bool
is_of_status(const struct search_walk *k)
{
	return k->by == WALK_STATE || k->by == WALK_CHANGED;
}

static int64_t
key_of(const struct search_walk *k, const struct found_row *r)
{
	return k->by == WALK_NOT_AFTER ? r->c.not_after
	    : k->by == WALK_NOT_BEFORE ? r->c.not_before
	    : is_of_status(k)          ? r->at
				       : 0;
}

static bool
is_changed(int64_t i)
{
	return i % 20 == 0 || i % 20 == 11;
}

static bool
is_in(const struct search_walk *k, int64_t i)
{
	uint8_t room[3][32];
	struct certificate_row row = made(i, room);
	int64_t at = 5000 + i * 31 % 777;

	switch (k->by) {
	case WALK_ALL:
		return true;
	case WALK_VALUES:
		for (size_t n = 0; n < k->values_n; n++)
			if (k->values[n] == value_of(i) || k->values[n] == 1000 + i)
				return true;
		return false;
	case WALK_NOT_AFTER:
		return row.not_after >= k->from && row.not_after < k->to;
	case WALK_NOT_BEFORE:
		return row.not_before >= k->from && row.not_before < k->to;
	case WALK_PUBLISHED:
	case WALK_ACTIVATED:
		return false;
	case WALK_CHANGED_BY_ID:
		return is_changed(i) &&
		    (k->state == 0 || k->state == (i % 2 ? CERTIFICATE_REVOKED : CERTIFICATE_HELD));
	case WALK_CHANGED:
		return is_changed(i) && at >= k->from && at < k->to;
	case WALK_STATE:
		return is_changed(i) && k->state == (i % 2 ? CERTIFICATE_REVOKED : CERTIFICATE_HELD) &&
		    at >= k->from && at < k->to;
	}
	return false;
}

static int64_t
expected(const struct search_walk *k)
{
	int64_t n = 0;

	for (int64_t i = 0; i < ROWS; i++)
		n += is_in(k, i);
	return n;
}

/* By ids come certificates, and then their rows. */
static void
page_of(struct world *w, struct arena *a, const struct search_walk *k, int64_t key, int64_t id, bool full,
	struct found_row **rows, size_t *n)
{
	int64_t *ids;

	if (k->by != WALK_VALUES && k->by != WALK_CHANGED_BY_ID) {
		ok(store_search_walk(w->s, a, k, key, id, STEP, full, rows, n, &w->e));
		return;
	}
	ok(store_search_ids(w->s, a, k, id, STEP, &ids, n, &w->e));
	ok(store_search_of(w->s, a, ids, *n, full, rows, n, &w->e));
	for (size_t i = 0; k->descending && i < *n / 2; i++) {
		struct found_row x = (*rows)[i];

		(*rows)[i] = (*rows)[*n - 1 - i];
		(*rows)[*n - 1 - i] = x;
	}
	for (size_t i = 0; i < *n; i++)
		assert_int_equal((*rows)[i].c.id, ids[i]);
}

/* Without what other tables know it is the same rows. */
static void
slim(struct world *w, struct arena *a, const struct search_walk *k, int64_t key, int64_t id,
     const struct found_row *full, size_t full_n)
{
	struct found_row *rows;
	size_t n;

	page_of(w, a, k, key, id, false, &rows, &n);
	assert_int_equal(n, full_n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rows[i].c.id, full[i].c.id);
		assert_int_equal(rows[i].c.status, full[i].c.status);
		assert_true(bytes_eq(rows[i].c.subject, full[i].c.subject));
		assert_int_equal(rows[i].at, is_of_status(k) ? full[i].at : 0);
		assert_int_equal(rows[i].activated, 0);
		assert_int_equal(rows[i].card_serial.n, 0);
	}
}

/* Page by page: in order, each once, all of them and no others. */
static void
walk(struct world *w, const struct search_walk *k)
{
	int64_t key = k->descending ? INT64_MAX : INT64_MIN, id = key, sum = 0, count;
	struct found_row *rows;
	size_t n;

	do {
		OWN(arena_free)
		struct arena *a = arena_new(16 << 20);

		page_of(w, a, k, key, id, true, &rows, &n);
		slim(w, a, k, key, id, rows, n);
		for (size_t i = 0; i < n; i++) {
			int64_t own = key_of(k, &rows[i]);
			bool later = own > key || (own == key && rows[i].c.id > id);
			bool first = key == INT64_MAX || key == INT64_MIN;

			assert_true(first || (later != k->descending));
			assert_true(is_in(k, rows[i].c.id - 1000));
			key = own;
			id = rows[i].c.id;
		}
		sum += (int64_t)n;
	} while (n == STEP);
	assert_int_equal(sum, expected(k));
	ok(store_search_count(w->s, w->a, k, ROWS + 1, &count, &w->e));
	if (k->by != WALK_ALL && k->by != WALK_CHANGED_BY_ID)
		assert_int_equal(count, sum);
}

static void
walks_are_whole_and_in_order(void **state)
{
	struct world *w = *state;
	const int64_t one[] = { 7 }, none[] = { 999 };
	struct search_walk walks[] = {
		{ .by = WALK_ALL },
		{ .by = WALK_VALUES, .values = one, .values_n = 1 },
		{ .by = WALK_VALUES, .values = none, .values_n = 1 },
		{ .by = WALK_NOT_AFTER, .from = 9000000, .to = 9400000 },
		{ .by = WALK_NOT_AFTER, .from = 0, .to = INT64_MAX },
		{ .by = WALK_NOT_BEFORE, .from = 1100000, .to = 1150000 },
		{ .by = WALK_STATE, .state = CERTIFICATE_REVOKED, .from = 0, .to = INT64_MAX },
		{ .by = WALK_STATE, .state = CERTIFICATE_HELD, .from = 5100, .to = 5200 },
		{ .by = WALK_CHANGED, .from = 0, .to = INT64_MAX },
		{ .by = WALK_CHANGED, .from = 5100, .to = 5200 },
		{ .by = WALK_CHANGED_BY_ID },
		{ .by = WALK_CHANGED_BY_ID, .state = CERTIFICATE_HELD },
	};

	fill(w);
	for (size_t i = 0; i < ARRAY_LEN(walks); i++)
		for (int down = 0; down < 2; down++) {
			walks[i].descending = down;
			walk(w, &walks[i]);
		}
}

static void
substrings_find_values(void **state)
{
	struct world *w = *state;
	struct found_row row;
	struct change *c = change_new();
	int64_t *ids;
	size_t n;

	fill(w);
	ok(store_search_values(w->s, w->a, BYTES("number 1999"), 1000, &ids, &n, &w->e));
	assert_int_equal(n, 11); /* 1999 and 19990 to 19999 */
	for (size_t i = 0; i < n; i++)
		assert_true(ids[i] == 1000 + 1999 || (ids[i] >= 1000 + 19990 && ids[i] <= 1000 + 19999));
	ok(store_search_values(w->s, w->a, BYTES("no such"), 1000, &ids, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_search_values(w->s, w->a, BYTES("host"), 7, &ids, &n, &w->e));
	assert_int_equal(n, 7);
	/* a value that is there already is entered once */
	change_put_value(c, &(struct value_row){ 1000 + 1999, 1, BYTES("host number 1999") });
	ok(store_commit(w->s, c, &w->e));
	ok(store_search_values(w->s, w->a, BYTES("number 1999"), 1000, &ids, &n, &w->e));
	assert_int_equal(n, 11);
	ok(store_search_one(w->s, w->a, 1020, &row, &w->e));
	assert_int_equal(row.c.status, CERTIFICATE_HELD);
	assert_int_equal(row.publication, -1);
	fails(store_search_one(w->s, w->a, 5, &row, &w->e), STORE_NOT_FOUND);
}

/* Not of SQL, nor of FTS5's language: what is asked is a text. */
static void
texts_are_no_language(void **state)
{
	static const char *const texts[] = { "a\"b AND c", "(near)^*:-", "'); drop",
					     "\xc3\xbc \xe6\x9d\xb1\xe4\xba\xac" };
	struct world *w = *state;
	struct change *c = change_new();
	int64_t *ids;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		change_put_value(c, &(struct value_row){ 1 + (int64_t)i, 1, bytes_str(texts[i]) });
	ok(store_commit(w->s, c, &w->e));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ok(store_search_values(w->s, w->a, bytes_str(texts[i]), 10, &ids, &n, &w->e));
		assert_true(n == 1 && ids[0] == 1 + (int64_t)i);
	}
	ok(store_search_values(w->s, w->a, BYTES("\"b AND d"), 10, &ids, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
numbers_find_values(void **state)
{
	static const struct {
		const char *text;
		int64_t first;
		size_t n;
	} asked[] = {
		{ "h12345", 1, 3 }, { "1234567", 2, 1 },  { "*234567*890123*", 2, 1 },
		{ "99999", 0, 0 },  { "00012345", 3, 1 },
	};
	static const char *const values[] = { "h12345", "h1234567.890123", "00012345", "1234 5678",
					      "h-99 999" };
	struct world *w = *state;
	int64_t *ids;
	size_t n;

	for (size_t twice = 0; twice < 2; twice++) {
		struct change *c = change_new();

		for (size_t i = 0; i < ARRAY_LEN(values); i++)
			change_put_value(c, &(struct value_row){ 1 + (int64_t)i, 1, bytes_str(values[i]) });
		ok(store_commit(w->s, c, &w->e));
	}
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		assert_true(store_search_has_number(bytes_str(asked[i].text)));
		ok(store_search_numbers(w->s, w->a, bytes_str(asked[i].text), 10, &ids, &n, &w->e));
		assert_int_equal(n, asked[i].n);
		if (n == 1)
			assert_int_equal(ids[0], asked[i].first);
	}
	assert_false(store_search_has_number(BYTES("1234")) ||
		     store_search_has_number(BYTES("123-45 6789x0")) || store_search_has_number(BYTES("")));
}

static void
values_together(void **state)
{
	struct world *w = *state;
	int64_t *ids, *both;
	size_t n, links, both_n, expected = 0;

	fill(w);
	ok(store_search_certificates(w->s, w->a, (const int64_t[]){ 7, 8, 999999, 1000 + 6 }, 4, 1000, &ids,
				     &n, &links, &w->e));
	assert_in_range(n, 100, 999);
	assert_in_range(links, n + 1, 999); /* number 6 has two of them */
	for (size_t i = 0; i < n; i++) {
		int64_t number = ids[i] - 1000;

		assert_true(value_of(number) == 7 || value_of(number) == 8);
		assert_true(i == 0 || ids[i] > ids[i - 1]);
		expected += value_of(number) == 8;
	}
	ok(store_search_having(w->s, w->a, 8, ids, n, &both, &both_n, &w->e));
	assert_int_equal(both_n, expected);
	for (size_t i = 0; i < both_n; i++)
		assert_true(value_of(both[i] - 1000) == 8 && (i == 0 || both[i] > both[i - 1]));
	ok(store_search_having(w->s, w->a, 9, ids, n, &both, &both_n, &w->e));
	assert_int_equal(both_n, 0);
	ok(store_search_certificates(w->s, w->a, (const int64_t[]){ 7 }, 1, 3, &ids, &n, &links, &w->e));
	assert_int_equal(n, 3);
	assert_int_equal(links, 3);
	ok(store_search_certificates(w->s, w->a, (const int64_t[]){ 999999 }, 1, 3, &ids, &n, &links, &w->e));
	assert_int_equal(n + links, 0);
}

static void
changed_ones(void **state)
{
	struct world *w = *state;
	int64_t ids[300], *changed;
	size_t n, expected = 0;

	fill(w);
	for (int64_t i = 0; i < 300; i++) {
		ids[i] = 1000 + 3 * i;
		expected += is_changed(3 * i);
	}
	ok(store_search_changed(w->s, w->a, ids, 300, &changed, &n, &w->e));
	assert_int_equal(n, expected);
	assert_in_range(n, 20, 40);
	for (size_t i = 0; i < n; i++)
		assert_true(is_changed(changed[i] - 1000) && changed[i] % 3 == 1000 % 3 &&
			    (i == 0 || changed[i] > changed[i - 1]));
	ok(store_search_changed(w->s, w->a, ids + 1, 1, &changed, &n, &w->e));
	assert_int_equal(n, is_changed(3));
}

static void
those_within_times(void **state)
{
	static const struct search_times some = { 9100000, 12000000, 0, INT64_MAX },
					 begun = { 9100000, 12000000, 1100000, 1200000 };
	struct world *w = *state;
	int64_t ids[300], *within;
	size_t n, expected = 0, narrower;

	fill(w);
	for (int64_t i = 0; i < 300; i++) {
		ids[i] = 1000 + 7 * i;
		expected += is_in(
		    &(struct search_walk){ .by = WALK_NOT_AFTER, .from = 9100000, .to = 12000000 }, 7 * i);
	}
	ok(store_search_within(w->s, w->a, &some, ids, 300, &within, &n, &w->e));
	assert_int_equal(n, expected);
	assert_in_range(n, 20, 280);
	for (size_t i = 1; i < n; i++)
		assert_true(within[i] > within[i - 1]);
	ok(store_search_within(w->s, w->a, &begun, ids, 300, &within, &narrower, &w->e));
	assert_in_range(narrower, 1, n - 1);
	for (size_t i = 0; i < narrower; i++)
		assert_true(
		    is_in(&(struct search_walk){ .by = WALK_NOT_BEFORE, .from = 1100000, .to = 1200000 },
			  within[i] - 1000));
}

static void
by_activation(void **state)
{
	struct world *w = *state;
	const struct search_walk some = { .by = WALK_ACTIVATED, .from = 100, .to = 103 },
				 down = { .by = WALK_ACTIVATED, .descending = true, .to = INT64_MAX };
	struct change *c = change_new();
	struct found_row *rows, one;
	int64_t count;
	size_t n;

	for (int64_t i = 0; i < 6; i++)
		ok(store_commit(w->s, issue_change(i), &w->e));
	for (int64_t i = 0; i < 5; i++)
		change_put_activation(c, &(struct activation_row){ 1000 + i, 100 + i, 3 });
	change_put_field(c, &(struct field_row){ 1001, 6, BYTES("no card") });
	change_put_field(c, &(struct field_row){ 1001, 7, BYTES("4711") });
	ok(store_commit(w->s, c, &w->e));
	ok(store_search_count(w->s, w->a, &some, 10, &count, &w->e));
	assert_int_equal(count, 3);
	ok(store_search_walk(w->s, w->a, &some, INT64_MIN, INT64_MIN, 2, true, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	assert_true(rows[0].c.id == 1000 && rows[1].c.id == 1001 && rows[1].activated == 101);
	ok(store_search_walk(w->s, w->a, &some, 0, 1001, 10, true, &rows, &n, &w->e));
	assert_true(n == 1 && rows[0].c.id == 1002);
	ok(store_search_walk(w->s, w->a, &down, INT64_MAX, INT64_MAX, 10, true, &rows, &n, &w->e));
	assert_true(n == 5 && rows[0].c.id == 1004);
	ok(store_search_one(w->s, w->a, 1005, &one, &w->e));
	assert_int_equal(one.activated, 0);
	ok(store_search_of(w->s, w->a, (const int64_t[]){ 1004, 77, 1001 }, 3, true, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	assert_true(rows[0].c.id == 1001 && rows[0].activated == 101 && rows[1].activated == 104);
	same(rows[0].card_serial, "4711");
	assert_int_equal(rows[1].card_serial.n, 0);
}

static void
the_queue_of_values(void **state)
{
	struct world *w = *state;
	struct certificate_row *rows;
	struct change *c = change_new();
	int64_t behind;
	size_t n;

	for (int64_t i = 0; i < 10; i++)
		ok(store_commit(w->s, issue_change(i), &w->e));
	ok(store_values_waiting(w->s, w->a, 100, &rows, &n, &w->e));
	assert_int_equal(n, 0); /* behind the follower of exact search */
	ok(store_search_catch_up(w->s, 0, NULL, &w->e));
	ok(store_values_waiting(w->s, w->a, 100, &rows, &n, &w->e));
	assert_int_equal(n, 10);
	for (size_t i = 0; i < 6; i++)
		change_drop_value_todo(c, rows[i].id);
	ok(store_commit(w->s, c, &w->e));
	ok(store_values_behind(w->s, 100, &behind, &w->e));
	assert_int_equal(behind, 4);
}

/* Values with ids as digests are: spread over all numbers. Every other one has the word, one of 4,000 the other. */
static void
common_texts_are_known_by_a_sample(void **state)
{
	struct world *w = *state;

	ok(store_search_sample(w->s, &w->e));
	assert_false(store_search_is_common(w->s, BYTES("word"), 1000)); /* of none */
	for (int64_t i = 0; i < 24; i++) {
		struct change *c = change_new();

		for (int64_t k = i * 1000; k < (i + 1) * 1000; k++) {
			char text[64];

			snprintf(text, sizeof(text), "%s %lld%s", k % 2 ? "common word" : "another",
				 (long long)k, k % 4000 == 7 ? " seldom" : "");
			change_put_value(
			    c, &(struct value_row){ (k + 1) * (INT64_MAX / 24001), 1, bytes_str(text) });
		}
		ok(store_commit(w->s, c, &w->e));
	}
	ok(store_search_sample(w->s, &w->e)); /* of none: what it has looked at it keeps for some time */
	assert_false(store_search_is_common(w->s, BYTES("mon wor"), 1000));
	world_reopen(w, NULL);
	assert_false(store_search_is_common(w->s, BYTES("mon wor"), 1000)); /* there is no sample */
	ok(store_search_sample(w->s, &w->e));
	assert_true(store_search_is_common(w->s, BYTES("mon wor"), 1000));
	assert_false(store_search_is_common(w->s, BYTES("mon wor"), 2000)); /* 12,000 are not surely more */
	assert_false(store_search_is_common(w->s, BYTES("seldom"), 1));
	assert_false(store_search_is_common(w->s, BYTES("no such"), 0));
}

/* By an index of the first 64 characters, of which no more than 60 are asked: a superset where values are longer. */
static void
beginnings_find_values(void **state)
{
	struct world *w = *state;
	struct change *c = change_new();
	char text[201], like[201];
	struct value_row *rows;
	size_t n;

	fill(w);
	ok(store_search_beginnings(w->s, w->a, BYTES("host number 1999"), 1000, &rows, &n, &w->e));
	assert_int_equal(n, 11);
	ok(store_search_beginnings(w->s, w->a, BYTES("number 1999"), 1000, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_search_beginnings(w->s, w->a, BYTES("host"), 7, &rows, &n, &w->e));
	assert_int_equal(n, 7);
	snprintf(text, sizeof(text), "%0200d", 7);
	snprintf(like, sizeof(like), "%0100d", 0);
	change_put_value(c, &(struct value_row){ 1, 1, bytes_str(text) });
	change_put_value(c, &(struct value_row){ 2, 1, BYTES("\xc3\xa4hre") });
	change_put_value(c, &(struct value_row){ 3, 1, BYTES("\xf4\x8f\xbf\xbfx") });
	ok(store_commit(w->s, c, &w->e));
	ok(store_search_beginnings(w->s, w->a, bytes_str(like), 1000, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].id, 1);
	assert_int_equal(rows[0].value.n, SEARCH_BEGINNING);
	ok(store_search_beginnings(w->s, w->a, BYTES("\xc3\xa4"), 1000, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].id, 2);
	same(rows[0].value, "\xc3\xa4hre");
	ok(store_search_beginnings(w->s, w->a, BYTES("\xf4\x8f\xbf\xbf"), 1000, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].id, 3);
}

/* ---- the plans ---- */

static const enum stmt_id questions[] = {
	Q_FOUND_ONE,
	Q_FOUND_OF,
	Q_FOUND_ALL_DOWN,
	Q_FOUND_ALL_UP,
	Q_SEARCH_LINKS_DOWN,
	Q_SEARCH_LINKS_UP,
	Q_SEARCH_CHANGED_DOWN,
	Q_SEARCH_CHANGED_UP,
	Q_FOUND_NOT_AFTER_DOWN,
	Q_FOUND_NOT_AFTER_UP,
	Q_FOUND_NOT_BEFORE_DOWN,
	Q_FOUND_NOT_BEFORE_UP,
	Q_FOUND_STATE_DOWN,
	Q_FOUND_STATE_UP,
	Q_FOUND_CHANGED_DOWN,
	Q_FOUND_CHANGED_UP,
	Q_SEARCH_VALUES,
	Q_SEARCH_NUMBERS,
	Q_SEARCH_CERTIFICATES,
	Q_SEARCH_HAVING,
	Q_SEARCH_CHANGED,
	Q_SEARCH_WITHIN,
	Q_SEARCH_BEGINNINGS,
	Q_COUNT_VALUES,
	Q_COUNT_NOT_AFTER,
	Q_COUNT_NOT_BEFORE,
	Q_COUNT_STATE,
	Q_COUNT_CHANGED,
	Q_REVOKED,
	Q_STATUS_CHANGED,
	Q_STATUS,
	Q_FOUND_PUBLISHED_DOWN,
	Q_FOUND_PUBLISHED_UP,
	Q_COUNT_PUBLISHED,
	Q_FOUND_ACTIVATED_DOWN,
	Q_FOUND_ACTIVATED_UP,
	Q_COUNT_ACTIVATED,
	Q_STATUS_BY_SERIAL,
	Q_STATUSES,
	Q_HOLDS,
	Q_STATUSES_OF,
	Q_CERTIFICATES_OF,
	Q_HOLDS_OF,
	Q_DERS_OF,
	Q_VALUES_OF,
	Q_VALUES_FIRST,
};

enum { PLAN_DETAIL = 3 };

static void
plan_of(sqlite3 *db, enum stmt_id id, struct buf *out)
{
	OWN_BUF struct buf sql = buf_max(8192);
	sqlite3_stmt *st;

	buf_str(&sql, "EXPLAIN QUERY PLAN ");
	sql_of_stmt(&sql, &statements[id], SQL_SQLITE);
	assert_int_equal(sqlite3_prepare_v2(db, buf_cstr(&sql), -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		buf_printf(out, "%s\n", (const char *)sqlite3_column_text(st, PLAN_DETAIL));
	sqlite3_finalize(st);
}

/* Pages, or little more. */
static bool
may_sort(enum stmt_id id)
{
	return id == Q_FOUND_PUBLISHED_DOWN || id == Q_FOUND_PUBLISHED_UP || id == Q_FOUND_ACTIVATED_DOWN ||
	    id == Q_FOUND_ACTIVATED_UP || id == Q_FOUND_CHANGED_DOWN || id == Q_FOUND_CHANGED_UP;
}

/* "SCAN x" is a table read whole. Those of a list that the question itself makes are none; the walk along all certificates and
   the first values are meant to be one, ended by their LIMIT. */
static void
no_question_reads_a_whole_table(void **state)
{
	struct world *w = *state;
	static const char *const tables[] = { "SCAN c",           "SCAN s\n",          "SCAN b",
					      "SCAN search_link", "SCAN search_value", "SCAN v" };
	sqlite3 *db;

	fill(w);
	assert_int_equal(sqlite3_open_v2(strchr(w->url, ':') + 1, &db, SQLITE_OPEN_READONLY, NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		OWN_BUF struct buf plan = buf_max(1 << 16);

		plan_of(db, questions[i], &plan);
		assert_true(plan.n > 0);
		if (questions[i] == Q_FOUND_ALL_DOWN || questions[i] == Q_FOUND_ALL_UP ||
		    questions[i] == Q_VALUES_FIRST)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(tables); k++)
			if (strstr(buf_cstr(&plan), tables[k]) != NULL)
				fail_msg("question %d: %s", (int)questions[i], buf_cstr(&plan));
		if (strstr(buf_cstr(&plan), "TEMP B-TREE FOR ORDER") != NULL && !may_sort(questions[i]))
			fail_msg("question %d sorts: %s", (int)questions[i], buf_cstr(&plan));
	}
	sqlite3_close(db);
}

static PGresult *
done(PGconn *c, const char *sql)
{
	PGresult *r = PQexec(c, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(c));
	return r;
}

/* The plan that a statement of its own name keeps for whatever it is asked. */
static void
postgres_plan_of(PGconn *c, enum stmt_id id, struct buf *out)
{
	static const char *const types[] = { ['i'] = "bigint", ['t'] = "text", ['b'] = "bytea" };
	static const char *const samples[] = { ['i'] = "1", ['t'] = "'1'", ['b'] = "'1'" };
	OWN_BUF struct buf prepare = buf_max(8192), explain = buf_max(8192);
	size_t n = stmt_nparams(&statements[id]);
	PGresult *r;

	buf_printf(&prepare, "PREPARE s%d%s", (int)id, n ? "(" : "");
	buf_printf(&explain, "EXPLAIN EXECUTE s%d%s", (int)id, n ? "(" : "");
	for (size_t i = 0; i < n; i++) {
		char type = stmt_type(&statements[id], i);

		buf_printf(&prepare, "%s%s", types[(uint8_t)type], i + 1 < n ? ", " : ")");
		buf_printf(&explain, "%s%s", samples[(uint8_t)type], i + 1 < n ? ", " : ")");
	}
	buf_str(&prepare, " AS ");
	sql_of_stmt(&prepare, &statements[id], SQL_POSTGRES);
	PQclear(done(c, buf_cstr(&prepare)));
	r = done(c, buf_cstr(&explain));
	for (int i = 0; i < PQntuples(r); i++)
		buf_printf(out, "%s\n", PQgetvalue(r, i, 0));
	PQclear(r);
}

/* With the settings of our own connections, whatever the statistics. Walks along an index come in its order, but for those that end
   or begin in the same millisecond. */
static void
no_question_scans_in_postgresql(void **state)
{
	struct world *w = *state;
	PGconn *c;

	fill(w);
	c = PQconnectdb(w->url);
	assert_int_equal(PQstatus(c), CONNECTION_OK);
	PQclear(done(c, "ANALYZE"));
	PQclear(done(c, postgres_reader_settings));
	PQclear(done(c, "SET plan_cache_mode = force_generic_plan"));
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		OWN_BUF struct buf plan = buf_max(1 << 16);

		postgres_plan_of(c, questions[i], &plan);
		assert_true(plan.n > 0);
		if (strstr(buf_cstr(&plan), "Seq Scan") != NULL)
			fail_msg("question %d: %s", (int)questions[i], buf_cstr(&plan));
		if (statements[questions[i]].flags & STMT_PLAN_ANEW && !may_sort(questions[i]) &&
		    strstr(buf_cstr(&plan), "->  Sort") != NULL)
			fail_msg("question %d sorts: %s", (int)questions[i], buf_cstr(&plan));
	}
	PQfinish(c);
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "walks are whole and in order", walks_are_whole_and_in_order },
		{ "substrings find values", substrings_find_values },
		{ "beginnings find values", beginnings_find_values },
		{ "those on hold or revoked among some", changed_ones },
		{ "those of a time among some", those_within_times },
		{ "by activation", by_activation },
		{ "texts are no language", texts_are_no_language },
		{ "numbers find values", numbers_find_values },
		{ "values together", values_together },
		{ "common texts are known by a sample", common_texts_are_known_by_a_sample },
		{ "the queue of values", the_queue_of_values },
		{ "no question reads a whole table", no_question_reads_a_whole_table, ONLY_SQLITE },
		{ "no question scans in PostgreSQL", no_question_scans_in_postgresql, ONLY_POSTGRES },
	};

	return world_run("store of the search", tests, ARRAY_LEN(tests));
}
