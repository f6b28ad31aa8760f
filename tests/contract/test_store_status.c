#include "base/base.h"
#include "store_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* Who is on hold or revoked, on both engines alike. */

enum { ISSUER = 7 };

static void
issue(struct world *w, int64_t from, int64_t to)
{
	for (int64_t i = from; i < to; i++)
		ok(store_commit(w->s, issue_change(i), &w->e));
}

static struct status_row
status_of(struct world *w, int64_t id)
{
	struct status_row row;

	ok(store_status(w->s, w->a, id, &row, &w->e));
	return row;
}

static struct change *
to_state(struct status_row row, int64_t state, int64_t reason, int64_t at)
{
	struct change *c = change_new();
	int64_t was = row.seq;

	row.state = state;
	row.reason = reason;
	row.at = at;
	row.leaf = at + 1;
	change_put_status(c, &row, was);
	return c;
}

static void
revoke(struct world *w, int64_t id, int64_t reason)
{
	ok(store_commit(w->s, to_state(status_of(w, id), CERTIFICATE_REVOKED, reason, id * 10), &w->e));
}

static void
never_changed_and_never_issued(void **state)
{
	struct world *w = *state;
	struct status_row row, *rows;
	int64_t seq;
	size_t n;

	issue(w, 0, 3);
	row = status_of(w, 1001);
	assert_int_equal(row.state, CERTIFICATE_VALID);
	assert_int_equal(row.seq, 0);
	assert_int_equal(row.issuer, ISSUER);
	assert_true(row.not_after > 0);
	ok(store_status_by_serial(w->s, w->a, ISSUER, row.serial, &row, &w->e));
	assert_int_equal(row.id, 1001);
	fails(store_status_by_serial(w->s, w->a, ISSUER + 1, row.serial, &row, &w->e), STORE_NOT_FOUND);
	fails(store_status_by_serial(w->s, w->a, ISSUER, BYTES("never issued"), &row, &w->e),
	      STORE_NOT_FOUND);
	fails(store_status(w->s, w->a, 77, &row, &w->e), STORE_NOT_FOUND);
	ok(store_status_seq(w->s, ISSUER, &seq, &w->e));
	assert_int_equal(seq, 0);
	ok(store_revoked(w->s, w->a, ISSUER, BYTES_NONE, 10, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_statuses(w->s, w->a, ISSUER, BYTES_NONE, 2, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	ok(store_statuses(w->s, w->a, ISSUER, rows[1].serial, 2, &rows, &n, &w->e));
	assert_int_equal(n, 1);
}

static void
a_status_is_decided_on_what_was_read(void **state)
{
	struct world *w = *state;
	struct status_row before, row;
	struct certificate_row certificate;

	issue(w, 0, 2);
	before = status_of(w, 1001);
	ok(store_commit(w->s, to_state(before, CERTIFICATE_HELD, 6, 500), &w->e));
	row = status_of(w, 1001);
	assert_int_equal(row.state, CERTIFICATE_HELD);
	assert_int_equal(row.reason, 6);
	assert_int_equal(row.at, 500);
	assert_int_equal(row.leaf, 501);
	assert_int_equal(row.seq, 1);
	fails(store_commit(w->s, to_state(before, CERTIFICATE_REVOKED, 1, 600), &w->e), STORE_STATE);
	ok(store_commit(w->s, to_state(row, CERTIFICATE_REVOKED, 1, 700), &w->e));
	fails(store_commit(w->s, to_state(row, CERTIFICATE_VALID, 8, 800), &w->e), STORE_STATE);
	row = status_of(w, 1001);
	assert_int_equal(row.state, CERTIFICATE_REVOKED);
	assert_int_equal(row.seq, 2);
	ok(store_certificate(w->s, w->a, 1001, &certificate, &w->e));
	assert_int_equal(certificate.status, CERTIFICATE_REVOKED);
	ok(store_certificate(w->s, w->a, 1000, &certificate, &w->e));
	assert_int_equal(certificate.status, CERTIFICATE_VALID);
	row.id = 77; /* a certificate that is not there */
	row.seq = 0;
	row.serial = BYTES("none");
	fails(store_commit(w->s, to_state(row, CERTIFICATE_REVOKED, 1, 700), &w->e), STORE_NOT_FOUND);
	row = status_of(w, 1001);
	assert_int_equal(row.seq, 2);
}

static void
each_cause_is_its_own(void **state)
{
	struct world *w = *state;
	struct hold_row *holds;
	struct change *c = to_state((issue(w, 1, 2), status_of(w, 1001)), CERTIFICATE_HELD, 6, 500);
	size_t n;

	change_put_hold(c, &(struct hold_row){ 1001, BYTES("officer"), 500, 3 });
	ok(store_commit(w->s, c, &w->e));
	c = change_new();
	change_put_hold(c, &(struct hold_row){ 1001, BYTES("card"), 600, 4 });
	ok(store_commit(w->s, c, &w->e));
	c = change_new();
	change_put_hold(c, &(struct hold_row){ 1001, BYTES("card"), 700, 5 });
	fails(store_commit(w->s, c, &w->e), STORE_STATE);
	c = change_new();
	change_drop_hold(c, 1001, BYTES("officer"));
	ok(store_commit(w->s, c, &w->e));
	c = change_new();
	change_drop_hold(c, 1001, BYTES("officer"));
	fails(store_commit(w->s, c, &w->e), STORE_STATE);
	ok(store_holds(w->s, w->a, 1001, &holds, &n, &w->e));
	assert_int_equal(n, 1);
	same(holds[0].cause, "card");
	assert_int_equal(holds[0].request_id, 4);
	c = change_new();
	change_drop_holds(c, 1001);
	ok(store_commit(w->s, c, &w->e));
	ok(store_holds(w->s, w->a, 1001, &holds, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
wrong_passwords_are_counted(void **state)
{
	struct world *w = *state;
	struct password_wrong_row row;
	struct change *c;

	ok(store_password_wrong(w->s, w->a, 1001, &row, &w->e));
	assert_int_equal(row.tries, 0);
	for (int64_t i = 1; i < 4; i++) {
		c = change_new();
		change_password_wrong(c, 1001, i * 100);
		ok(store_commit(w->s, c, &w->e));
		ok(store_password_wrong(w->s, w->a, 1001, &row, &w->e));
		assert_int_equal(row.tries, i);
		assert_int_equal(row.until_at, i * 100);
	}
	c = change_new();
	change_password_right(c, 1001);
	change_password_right(c, 1002);
	ok(store_commit(w->s, c, &w->e));
	ok(store_password_wrong(w->s, w->a, 1001, &row, &w->e));
	assert_int_equal(row.tries, 0);
}

static void
lists_for_crls(void **state)
{
	struct world *w = *state;
	struct status_row *rows, *changed;
	struct bytes after = BYTES_NONE;
	size_t n, sum = 0;
	int64_t seq;

	issue(w, 0, 30);
	for (int64_t i = 29; i >= 0; i -= 2)
		revoke(w, 1000 + i, 4);
	ok(store_commit(w->s, to_state(status_of(w, 1000), CERTIFICATE_HELD, 6, 5), &w->e));
	do {
		ok(store_revoked(w->s, w->a, ISSUER, after, 4, &rows, &n, &w->e));
		for (size_t i = 0; i < n; i++) {
			assert_true(bytes_cmp(rows[i].serial, after) > 0);
			assert_true(rows[i].state != CERTIFICATE_VALID);
			after = rows[i].serial;
		}
		sum += n;
	} while (n == 4);
	assert_int_equal(sum, 16);
	ok(store_status_seq(w->s, ISSUER, &seq, &w->e));
	assert_int_equal(seq, 16);
	ok(store_commit(w->s, to_state(status_of(w, 1000), CERTIFICATE_VALID, 8, 6), &w->e));
	ok(store_revoked(w->s, w->a, ISSUER, BYTES_NONE, 100, &rows, &n, &w->e));
	assert_int_equal(n, 15);
	ok(store_status_changed(w->s, w->a, ISSUER, 14, 100, &changed, &n, &w->e));
	assert_int_equal(
	    n, 2); /* the last revocation; and, at its last change only, what was held and reinstated */
	assert_int_equal(changed[0].id, 1001);
	assert_int_equal(changed[1].id, 1000);
	assert_int_equal(changed[1].state, CERTIFICATE_VALID);
	assert_int_equal(changed[1].seq, 17);
	ok(store_status_changed(w->s, w->a, ISSUER + 1, 0, 100, &changed, &n, &w->e));
	assert_int_equal(n, 0);
}

/* Many in one change, and a change that fails leaves neither status nor number behind. */
static void
all_or_nothing(void **state)
{
	struct world *w = *state;
	struct change *c = change_new();
	int64_t seq;

	issue(w, 0, 100);
	for (int64_t i = 0; i < 100; i++) {
		struct status_row row = status_of(w, 1000 + i);

		row.state = CERTIFICATE_REVOKED;
		change_put_status(c, &row, 0);
	}
	ok(store_commit(w->s, c, &w->e));
	ok(store_status_seq(w->s, ISSUER, &seq, &w->e));
	assert_int_equal(seq, 100);
	issue(w, 100, 102);
	c = to_state(status_of(w, 1100), CERTIFICATE_REVOKED, 1, 1);
	change_drop_hold(c, 1100, BYTES("none"));
	fails(store_commit(w->s, c, &w->e), STORE_STATE);
	assert_int_equal(status_of(w, 1100).state, CERTIFICATE_VALID);
	revoke(w, 1101, 1);
	assert_int_equal(status_of(w, 1101).seq, 101);
}

/* New and known ones of two authorities in one change: each authority's numbers go on without a gap, each number once. */
static void
numbers_of_one_change(void **state)
{
	struct world *w = *state;
	bool seen[2][41] = { { false } };
	struct change *c;
	int64_t seq;

	issue(w, 0, 40);
	for (int64_t i = 0; i < 10; i++)
		ok(store_commit(w->s, to_state(status_of(w, 1000 + i), CERTIFICATE_HELD, 6, 5), &w->e));
	c = change_new();
	for (int64_t i = 0; i < 40; i++) {
		struct status_row row = status_of(w, 1000 + i);

		row.state = CERTIFICATE_REVOKED;
		row.leaf = i;
		if (i >= 20) /* as if another authority's, whose first it is */
			row.issuer = ISSUER + 1;
		change_put_status(c, &row, row.seq);
	}
	ok(store_commit(w->s, c, &w->e));
	for (int64_t i = 0; i < 40; i++) {
		struct status_row row = status_of(w, 1000 + i);

		assert_int_equal(row.state, CERTIFICATE_REVOKED);
		assert_int_equal(row.leaf, i);
		assert_in_range(row.seq, i < 20 ? 11 : 1, i < 20 ? 30 : 20);
		assert_false(seen[i >= 20][row.seq]);
		seen[i >= 20][row.seq] = true;
	}
	ok(store_status_seq(w->s, ISSUER, &seq, &w->e));
	assert_int_equal(seq, 30);
	ok(store_status_seq(w->s, ISSUER + 1, &seq, &w->e));
	assert_int_equal(seq, 20);
}

/* Of many in one change one is not what it was any more, or not there: nothing of the change is done, and its numbers are given
   again. */
static void
one_of_many_is_stale(void **state)
{
	struct world *w = *state;
	struct status_row rows[20], gone = { .id = 77, .issuer = ISSUER, .serial = BYTES("gone") };
	int64_t seq;

	issue(w, 0, 20);
	for (int64_t i = 0; i < 10; i++)
		ok(store_commit(w->s, to_state(status_of(w, 1000 + i), CERTIFICATE_HELD, 6, 5), &w->e));
	for (int64_t i = 0; i < 20; i++)
		rows[i] = status_of(w, 1000 + i);
	for (int64_t stale = 5; stale <= 15; stale += 10) {
		struct change *c = change_new();

		revoke(w, 1000 + stale, 1);
		for (int64_t i = 0; i < 20; i++)
			if (i == stale || status_of(w, 1000 + i).state != CERTIFICATE_REVOKED)
				change_put_status(c, &rows[i], rows[i].seq);
		fails(store_commit(w->s, c, &w->e), STORE_STATE);
	}
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(status_of(w, 1000 + i).state,
				 i == 5 || i == 15 ? CERTIFICATE_REVOKED
				     : i < 10      ? CERTIFICATE_HELD
						   : CERTIFICATE_VALID);
	fails(store_commit(w->s, to_state(gone, CERTIFICATE_REVOKED, 1, 1), &w->e), STORE_NOT_FOUND);
	ok(store_status_seq(w->s, ISSUER, &seq, &w->e));
	assert_int_equal(seq, 12);
}

/* Asked together: what there is of them, each once, in the order of their ids. */
static void
several_together(void **state)
{
	static const int64_t ids[] = { 1003, 77, 1001, 1003, -1 };
	struct world *w = *state;
	struct certificate_row *certificates;
	struct status_row *statuses;
	struct hold_row *holds;
	int64_t many[LIMIT_PAGE + 1] = { 0 };
	struct change *c;
	size_t n;

	issue(w, 0, 5);
	c = to_state(status_of(w, 1003), CERTIFICATE_HELD, 6, 5);
	change_put_hold(c, &(struct hold_row){ 1003, BYTES("officer"), 5, 3 });
	change_put_hold(c, &(struct hold_row){ 1003, BYTES("card"), 5, 3 });
	change_put_hold(c, &(struct hold_row){ 1002, BYTES("officer"), 5, 3 });
	ok(store_commit(w->s, c, &w->e));
	ok(store_statuses_of(w->s, w->a, ids, ARRAY_LEN(ids), &statuses, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(statuses[0].id, 1001);
	assert_int_equal(statuses[0].seq, 0);
	assert_int_equal(statuses[1].id, 1003);
	assert_int_equal(statuses[1].state, CERTIFICATE_HELD);
	assert_int_equal(statuses[1].seq, 1);
	ok(store_certificates_of(w->s, w->a, ids, ARRAY_LEN(ids), &certificates, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(certificates[0].id, 1001);
	assert_true(bytes_eq(certificates[1].serial, statuses[1].serial));
	ok(store_holds_of(w->s, w->a, ids, ARRAY_LEN(ids), &holds, &n, &w->e));
	assert_int_equal(n, 2);
	same(holds[0].cause, "card");
	same(holds[1].cause, "officer");
	ok(store_statuses_of(w->s, w->a, ids, 0, &statuses, &n, &w->e));
	assert_int_equal(n, 0);
	fails(store_statuses_of(w->s, w->a, many, ARRAY_LEN(many), &statuses, &n, &w->e), LIMIT);
}

struct racer {
	struct world *w;
	struct store *s;
	pthread_t thread;
	atomic_int *won;
};

/* Every racer wants every certificate; as one does: by what it has read. */
static void *
race(void *arg)
{
	struct racer *r = arg;

	for (int64_t i = 0; i < 50; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 16);
		struct status_row row;
		struct err e = { 0 };

		if (store_status(r->s, a, 1000 + i, &row, &e) != RC_OK || row.state != CERTIFICATE_VALID)
			continue;
		if (store_commit(r->s, to_state(row, CERTIFICATE_REVOKED, 1, 1), &e) == RC_OK)
			atomic_fetch_add(r->won, 1);
		else
			assert_int_equal(e.code, CHY_STORE_STATE);
	}
	return NULL;
}

static void
of_many_one_is_the_first(void **state)
{
	struct world *w = *state;
	struct racer racers[6];
	struct store *other = w->s;
	atomic_int won = 0;
	int64_t seq;

	issue(w, 0, 50);
	if (w->postgres) /* two processes, as good as */
		ok(store_open(w->url, &(struct store_options){ .node = 1 }, &other, &w->e));
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		racers[i] = (struct racer){ .w = w, .s = i % 2 ? other : w->s, .won = &won };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++)
		pthread_join(racers[i].thread, NULL);
	if (w->postgres)
		store_close(other);
	assert_int_equal(won, 50);
	ok(store_status_seq(w->s, ISSUER, &seq, &w->e));
	assert_int_equal(seq, 50);
}

static atomic_llong told;

static void
note_stamp(void *arg, int64_t stamp)
{
	(void)arg;
	atomic_store(&told, stamp);
}

static bool
is_told(int64_t stamp)
{
	for (int i = 0; i < 3000 && atomic_load(&told) != stamp; i++)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	return atomic_load(&told) == stamp;
}

static void
watchers_are_told(void **state)
{
	struct world *w = *state;

	issue(w, 0, 3);
	revoke(w, 1000, 1);
	atomic_store(&told, -1);
	ok(store_watch_status(w->s, note_stamp, NULL, &w->e));
	assert_true(is_told(1));
	revoke(w, 1001, 1);
	assert_true(is_told(2));
	ok(store_commit(w->s, to_state(status_of(w, 1002), CERTIFICATE_HELD, 6, 1), &w->e));
	assert_true(is_told(3));
	fails(store_watch_status(w->s, note_stamp, NULL, &w->e), INTERNAL);
}

static void
a_certificate_that_is_revoked_from_the_start(void **state)
{
	struct world *w = *state;
	uint8_t room[3][32];
	struct certificate_row row = certificate_of(1, room);
	struct status_row status = { .id = row.id,
				     .issuer = row.issuer,
				     .serial = row.serial,
				     .state = CERTIFICATE_REVOKED,
				     .at = 5,
				     .not_after = row.not_after };
	struct change *c = change_new();

	row.status = CERTIFICATE_REVOKED;
	change_put_certificate(c, &row, BYTES("der"));
	change_put_new_status(c, &status);
	ok(store_commit(w->s, c, &w->e));
	assert_int_equal(status_of(w, row.id).state, CERTIFICATE_REVOKED);
	assert_int_equal(status_of(w, row.id).seq, 1);
}

static struct imported_crl_row
list_of(const char *scope, int64_t this_update, const char *der)
{
	return (struct imported_crl_row){ .authority = ISSUER,
					  .scope = bytes_str(scope),
					  .this_update = this_update,
					  .next_update = this_update + 9,
					  .number = BYTES("\x05"),
					  .at = 77,
					  .request_id = 3,
					  .der = bytes_str(der) };
}

static struct change *
keep(const struct imported_crl_row *row)
{
	struct change *c = change_new();

	change_put_imported_crl(c, row);
	return c;
}

static void
the_newest_imported_list_of_each_scope(void **state)
{
	struct world *w = *state;
	const struct imported_crl_row first = list_of("", 10, "first"), second = list_of("", 11, "second"),
				      part = list_of("part", 5, "part");
	struct imported_crl_row *rows;
	size_t n;

	ok(store_imported_crls(w->s, w->a, ISSUER, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_commit(w->s, keep(&first), &w->e));
	ok(store_commit(w->s, keep(&part), &w->e));
	fails(store_commit(w->s, keep(&first), &w->e), STORE_STATE); /* as old as the one that is there */
	ok(store_commit(w->s, keep(&second), &w->e));
	fails(store_commit(w->s, keep(&first), &w->e), STORE_STATE);
	ok(store_imported_crls(w->s, w->a, ISSUER + 1, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_imported_crls(w->s, w->a, ISSUER, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].scope.n, 0);
	assert_int_equal(rows[0].this_update, 11);
	assert_true(bytes_is(rows[0].der, "second"));
	assert_true(bytes_is(rows[1].scope, "part") && bytes_is(rows[1].der, "part"));
}

static void
what_is_not_to_be_judged(void **state)
{
	struct world *w = *state;
	struct change *c = change_new();
	struct der_row *rows;
	size_t n;

	issue(w, 0, 2);
	ok(store_search_catch_up(w->s, 0, NULL, &w->e));
	ok(store_certificates_unjudged(w->s, w->a, 10, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	change_drop_verdict(c, rows[0].id);
	ok(store_commit(w->s, c, &w->e));
	ok(store_certificates_unjudged(w->s, w->a, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
}

static void
of_a_partition(void **state)
{
	struct world *w = *state;
	struct status_row *rows;
	struct crl_row *lists;
	struct crl_sum_row *sums;
	size_t n;

	for (int64_t i = 0; i < 6; i++) {
		struct change *c = issue_change(i);

		if (i < 5) /* the last one is on no list with partitions */
			change_put_partition(c, &(struct partition_row){ 1000 + i, 1 + i % 2 });
		ok(store_commit(w->s, c, &w->e));
		revoke(w, 1000 + i, 1);
	}
	ok(store_revoked_part(w->s, w->a, ISSUER, 1, 0, BYTES_NONE, 10, &rows, &n, &w->e));
	assert_int_equal(n, 3);
	for (size_t i = 1; i < n; i++)
		assert_true(bytes_cmp(rows[i - 1].serial, rows[i].serial) < 0);
	ok(store_revoked_part(w->s, w->a, ISSUER, 1, 0, rows[1].serial, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_revoked_part(w->s, w->a, ISSUER, 2, 0, BYTES_NONE, 1, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_revoked_part(w->s, w->a, ISSUER, 3, 0, BYTES_NONE, 10, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_revoked_part(w->s, w->a, ISSUER + 1, 1, 0, BYTES_NONE, 10, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	/* 6 changes so far; a reinstated one is no entry but a change */
	ok(store_commit(w->s, to_state(status_of(w, 1002), CERTIFICATE_VALID, 8, 9), &w->e));
	ok(store_revoked_part(w->s, w->a, ISSUER, 1, 0, BYTES_NONE, 10, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	ok(store_revoked_part(w->s, w->a, ISSUER, 1, 6, BYTES_NONE, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].id, 1002);
	assert_int_equal(rows[0].state, CERTIFICATE_VALID);
	for (int64_t i = 0; i < 4; i++) {
		struct change *c = change_new();

		change_put_crl(c,
			       &(struct crl_row){ .id = 50 + i,
						  .procedure_id = 9,
						  .part = i / 2,
						  .number = i,
						  .state = 2,
						  .sigalg = BYTES("ecdsa-sha256"),
						  .sha256 = BYTES(""),
						  .head = BYTES("head"),
						  .tail = BYTES(""),
						  .signature = BYTES("") });
		ok(store_commit(w->s, c, &w->e));
	}
	ok(store_crls(w->s, w->a, 9, 1, &lists, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(lists[1].id, 53);
	ok(store_crl_places(w->s, w->a, 9, 1, 7, &lists, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(lists[0].part, 1);
	ok(store_crl_places(w->s, w->a, 9, 0, 0, &lists, &n, &w->e));
	assert_int_equal(n, 2);
	ok(store_crl_sums(w->s, w->a, 9, &sums, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(sums[0].n, 4);
	assert_int_equal(sums[0].number, 3);
	assert_int_equal(sums[0].first_id, 50);
	assert_int_equal(sums[0].octets, 4 * strlen("head"));
	ok(store_crl_sums(w->s, w->a, 10, &sums, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
put_part(struct change *c, int64_t crl, int64_t n, int64_t made_by, int64_t made_n)
{
	change_put_crl_part(c,
			    &(struct crl_part_row){ .crl = crl,
						    .n = n,
						    .made_by = made_by,
						    .made_n = made_n,
						    .entries = 1,
						    .len = 2,
						    .until = 3,
						    .last = BYTES("serial") });
}

static void
has_pieces(struct world *w, int64_t crl, const char *const *want, size_t want_n)
{
	struct crl_piece_row *rows;
	size_t n;

	ok(store_crl_pieces(w->s, w->a, crl, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, want_n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rows[i].n, i);
		assert_true(bytes_is(rows[i].entries, want[i]));
	}
}

/* List 61 has a piece of 60 between two of its own, and keeps it when 60 goes. */
static void
pieces_are_shared(void **state)
{
	struct world *w = *state;
	struct crl_part_row *parts;
	struct change *c = change_new();
	size_t n;

	for (int64_t i = 0; i < 2; i++) {
		put_part(c, 60, i, 60, i);
		change_put_crl_piece(c, &(struct crl_piece_row){ 60, i, i ? BYTES("b") : BYTES("a") });
		put_part(c, 61, 2 * i, 61, 2 * i);
		change_put_crl_piece(c, &(struct crl_piece_row){ 61, 2 * i, i ? BYTES("d") : BYTES("c") });
	}
	put_part(c, 61, 1, 60, 1);
	ok(store_commit(w->s, c, &w->e));
	has_pieces(w, 60, (const char *const[]){ "a", "b" }, 2);
	has_pieces(w, 61, (const char *const[]){ "c", "b", "d" }, 3);
	ok(store_crl_parts(w->s, w->a, 61, 1, 10, &parts, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(parts[0].made_by, 60);
	assert_int_equal(parts[0].until, 3);
	assert_true(bytes_is(parts[0].last, "serial"));
	change_drop_crl_pieces(c = change_new(), 60);
	ok(store_commit(w->s, c, &w->e));
	has_pieces(w, 60, NULL, 0);
	has_pieces(w, 61, (const char *const[]){ "c", "b", "d" }, 3);
	put_part(c = change_new(), 62, 0, 60, 0); /* gone with 60; a row without its piece brings none */
	ok(store_commit(w->s, c, &w->e));
	has_pieces(w, 62, NULL, 0);
	change_drop_crl_pieces(c = change_new(), 61);
	put_part(c, 63, 0, 60, 1);
	ok(store_commit(w->s, c, &w->e));
	has_pieces(w, 63, NULL, 0); /* nobody had it any more */
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "never changed and never issued", never_changed_and_never_issued },
		{ "a status is decided on what was read", a_status_is_decided_on_what_was_read },
		{ "each cause is its own", each_cause_is_its_own },
		{ "wrong passwords are counted", wrong_passwords_are_counted },
		{ "lists for CRLs", lists_for_crls },
		{ "all or nothing", all_or_nothing },
		{ "numbers of one change", numbers_of_one_change },
		{ "one of many is stale", one_of_many_is_stale },
		{ "several together", several_together },
		{ "of many one is the first", of_many_one_is_the_first },
		{ "watchers are told", watchers_are_told },
		{ "of a partition", of_a_partition },
		{ "pieces are shared", pieces_are_shared },
		{ "revoked from the start", a_certificate_that_is_revoked_from_the_start },
		{ "the newest imported list of each scope", the_newest_imported_list_of_each_scope },
		{ "what is not to be judged", what_is_not_to_be_judged },
	};

	return world_run("store of statuses", tests, ARRAY_LEN(tests));
}
