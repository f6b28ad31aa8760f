#include "base/base.h"
#include "store_world.h"

/* Certificates, search and the journal, on both engines alike. */

static void
certificates_are_found(void **state)
{
	struct world *w = *state;
	struct certificate_row row, want, *rows;
	struct serial_row *serials;
	struct der_row *ders;
	uint8_t room[3][32];
	struct bytes der;
	size_t n;

	for (int64_t i = 0; i < 30; i++)
		ok(store_commit(w->s, issue_change(i), &w->e));
	want = certificate_of(10, room);
	ok(store_certificate(w->s, w->a, 1010, &row, &w->e));
	assert_true(bytes_eq(row.serial, want.serial));
	assert_true(bytes_eq(row.subject, want.subject));
	assert_true(bytes_eq(row.san, want.san));
	assert_int_equal(row.not_after, want.not_after);
	ok(store_certificate_by_serial(w->s, w->a, 7, want.serial, &row, &w->e));
	assert_int_equal(row.id, 1010);
	fails(store_certificate_by_serial(w->s, w->a, 8, want.serial, &row, &w->e), STORE_NOT_FOUND);
	ok(store_certificates_by_request(w->s, w->a, 5000, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 3);
	ok(store_certificates_by_request(w->s, w->a, 0, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_certificates(w->s, w->a, 1027, 10, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	ok(store_certificates_expiring(w->s, w->a, 1003000, 1003, 1006000, 10, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].id, 1004);
	ok(store_der(w->s, w->a, 1010, &der, &w->e));
	assert_int_equal(der.n, 800);
	assert_int_equal(der.p[0], 10);
	ok(store_ders(w->s, w->a, 1025, 2, &ders, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(ders[1].id, 1027);
	ok(store_serials(w->s, w->a, 1028, 10, &serials, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(serials[0].issuer, 7);
	fails(store_commit(w->s, issue_change(10), &w->e), STORE_EXISTS);
}

static void
an_authority_has_its_own_certificate(void **state)
{
	struct world *w = *state;
	uint8_t room[3][32];
	struct certificate_row row = certificate_of(1, room), got;
	struct change *c = change_new();

	row.authority = 7;
	change_put_certificate(c, &row, BYTES("first"));
	row = certificate_of(2, room);
	row.authority = 7;
	change_put_certificate(c, &row, BYTES("renewed"));
	row = certificate_of(3, room);
	change_put_certificate(c, &row, BYTES("issued by it"));
	ok(store_commit(w->s, c, &w->e));
	ok(store_certificate_of_authority(w->s, w->a, 7, &got, &w->e));
	assert_int_equal(got.id, 1002);
	fails(store_certificate_of_authority(w->s, w->a, 8, &got, &w->e), STORE_NOT_FOUND);
	fails(store_certificate_of_authority(w->s, w->a, 0, &got, &w->e), STORE_NOT_FOUND);
}

static void
exact_search_sees_the_newest(void **state)
{
	struct world *w = *state;
	struct certificate_row row, *rows;
	uint8_t room[3][32];
	size_t n;

	for (int64_t i = 0; i < 20; i++)
		ok(store_commit(w->s, issue_change(i), &w->e));
	ok(store_search(w->s, w->a, SEARCH_SAN, BYTES("dns:WWW.h7.example.org"), 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].id, 1007);
	ok(store_search(w->s, w->a, SEARCH_SUBJECT, BYTES("cn=HOST 8,o=example"), 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_search(w->s, w->a, SEARCH_SUBJECT, BYTES("CN=host"), 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	row = certificate_of(9, room);
	ok(store_search(w->s, w->a, SEARCH_KEY, row.key_hash, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_commit(w->s, issue_change(21), &w->e));
	row = certificate_of(21, room);
	ok(store_certificate_by_fingerprint(w->s, w->a, row.fingerprint, &row, &w->e));
	assert_int_equal(row.id, 1021);
	fails(store_certificate_by_fingerprint(w->s, w->a, BYTES("no such"), &row, &w->e), STORE_NOT_FOUND);
}

/* The question is asked on event threads: it must neither fill the index for all that wait nor answer wrongly. */
static void
a_fingerprint_is_found_without_the_index(void **state)
{
	struct world *w = *state;
	struct change *c;
	struct certificate_row row;
	uint8_t room[3][32];
	size_t done;

	for (int64_t i = 0; i <= SEARCH_WAITING_MAX;) {
		c = change_new();
		for (int64_t end = i + 500; i < end && i <= SEARCH_WAITING_MAX; i++) {
			row = certificate_of(i, room);
			change_put_certificate(c, &row, BYTES("x"));
		}
		ok(store_commit(w->s, c, &w->e));
	}
	row = certificate_of(SEARCH_WAITING_MAX, room);
	ok(store_certificate_by_fingerprint(w->s, w->a, row.fingerprint, &row, &w->e));
	assert_int_equal(row.id, 1000 + SEARCH_WAITING_MAX);
	row = certificate_of(0, room); /* the oldest stands before those that are looked at */
	fails(store_certificate_by_fingerprint(w->s, w->a, row.fingerprint, &row, &w->e), STORE_BEHIND);
	ok(store_search_catch_up(w->s, 100, &done, &w->e));
	assert_int_equal(done, 100); /* nothing of the above has filled it */
	row = certificate_of(0, room);
	ok(store_certificate_by_fingerprint(w->s, w->a, row.fingerprint, &row, &w->e));
	assert_int_equal(row.id, 1000);
	fails(store_certificate_by_fingerprint(w->s, w->a, BYTES("no such"), &row, &w->e), STORE_NOT_FOUND);
	ok(store_search_catch_up(w->s, 0, &done, &w->e));
	assert_int_equal(done, SEARCH_WAITING_MAX + 1 - 100);
}

static void
search_pages_through_equal_values(void **state)
{
	struct world *w = *state;
	struct certificate_row row, *rows;
	struct change *c = change_new();
	uint8_t room[3][32];
	size_t n, done;

	for (int64_t i = 0; i < 25; i++) {
		row = certificate_of(i, room);
		row.subject = BYTES("CN=same");
		change_put_certificate(c, &row, BYTES("x"));
	}
	ok(store_commit(w->s, c, &w->e));
	ok(store_search_catch_up(w->s, 10, &done, &w->e));
	assert_int_equal(done, 10);
	ok(store_search(w->s, w->a, SEARCH_SUBJECT, BYTES("CN=same"), 0, 20, &rows, &n, &w->e));
	assert_int_equal(n, 20);
	ok(store_search(w->s, w->a, SEARCH_SUBJECT, BYTES("CN=same"), rows[19].id, 20, &rows, &n, &w->e));
	assert_int_equal(n, 5);
	assert_int_equal(rows[4].id, 1024);
}

static void
verdicts_follow(void **state)
{
	struct world *w = *state;
	struct verdict_row verdict = { 1001, 50, 0, BYTES("[\"x\"]") }, got;
	struct der_row *rows;
	struct change *c = change_new();
	size_t n;

	ok(store_commit(w->s, issue_change(1), &w->e));
	ok(store_commit(w->s, issue_change(2), &w->e));
	ok(store_search_catch_up(w->s, 0, NULL, &w->e));
	ok(store_certificates_unjudged(w->s, w->a, 10, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	change_put_verdict(c, &verdict);
	ok(store_commit(w->s, c, &w->e));
	ok(store_certificates_unjudged(w->s, w->a, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].id, 1002);
	assert_int_equal(rows[0].der.n, 800);
	ok(store_verdict(w->s, w->a, 1001, &got, &w->e));
	same(got.lints, "[\"x\"]");
	fails(store_verdict(w->s, w->a, 1002, &got, &w->e), STORE_NOT_FOUND);
}

static enum rc
put_seq(struct world *w, int64_t idx, int64_t leaf)
{
	struct seq_row row = { idx, leaf };
	struct change *c = change_new();

	change_put_seq(c, &row);
	return store_commit(w->s, c, &w->e);
}

static void
leaves_get_their_place_once(void **state)
{
	struct world *w = *state;
	struct placed_leaf_row *placed;
	struct leaf_row *rows, one;
	struct change *c;
	int64_t size;
	size_t n;

	ok(store_commit(w->s, issue_change(2), &w->e));
	ok(store_commit(w->s, issue_change(1), &w->e));
	ok(store_commit(w->s, issue_change(3), &w->e));
	ok(store_leaves_waiting(w->s, w->a, 2, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].id, 1001);
	ok(store_tree_size(w->s, &size, &w->e));
	assert_int_equal(size, 0);
	ok(put_seq(w, 0, 1002));
	fails(put_seq(w, 0, 1001), STORE_EXISTS);
	fails(put_seq(w, 1, 1002), STORE_STATE);
	fails(put_seq(w, 1, 4444), STORE_STATE);
	c = change_new(); /* several at once, one of which does not wait */
	change_put_seq(c, &(struct seq_row){ 1, 1001 });
	change_put_seq(c, &(struct seq_row){ 2, 1002 });
	fails(store_commit(w->s, c, &w->e), STORE_STATE);
	c = change_new();
	change_put_seq(c, &(struct seq_row){ 1, 1001 });
	change_put_seq(c, &(struct seq_row){ 2, 1003 });
	ok(store_commit(w->s, c, &w->e));
	ok(store_tree_size(w->s, &size, &w->e));
	assert_int_equal(size, 3);
	ok(store_leaf_index(w->s, 1001, &size, &w->e));
	assert_int_equal(size, 1);
	fails(store_leaf_index(w->s, 4444, &size, &w->e), STORE_NOT_FOUND);
	ok(store_leaves(w->s, w->a, 1, 10, &placed, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(placed[0].idx, 1);
	assert_int_equal(placed[0].id, 1001);
	same(placed[0].body, "{\"id\":1001,\"kind\":\"certificate\"}");
	ok(store_leaf(w->s, w->a, 1003, &one, &w->e));
	same(one.kind, "certificate");
	assert_int_equal(one.hash.n, 32);
	ok(store_leaves_waiting(w->s, w->a, 2, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_leaves_lost(w->s, w->a, 0, 2, &rows, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
tiles_and_heads(void **state)
{
	struct world *w = *state;
	struct tile_row tile = { 0, 5, BYTES("hashes") }, got;
	struct head_row head = { 10, BYTES("root"), 77, BYTES("sig"), BYTES("key") }, *heads, newest;
	struct change *c = change_new();
	size_t n;

	fails(store_head(w->s, w->a, &newest, &w->e), STORE_NOT_FOUND);
	change_put_tile(c, &tile);
	change_put_head(c, &head);
	head.size = 20;
	change_put_head(c, &head);
	ok(store_commit(w->s, c, &w->e));
	tile.hashes = BYTES("more hashes");
	c = change_new();
	change_put_tile(c, &tile);
	ok(store_commit(w->s, c, &w->e));
	ok(store_tile(w->s, w->a, 0, 5, &got, &w->e));
	same(got.hashes, "more hashes");
	fails(store_tile(w->s, w->a, 1, 5, &got, &w->e), STORE_NOT_FOUND);
	ok(store_head(w->s, w->a, &newest, &w->e));
	assert_int_equal(newest.size, 20);
	ok(store_heads(w->s, w->a, 10, 10, &heads, &n, &w->e));
	assert_int_equal(n, 1);
	c = change_new();
	change_put_head(c, &head);
	fails(store_commit(w->s, c, &w->e), STORE_EXISTS);
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "certificates are found", certificates_are_found },
		{ "an authority has its own certificate", an_authority_has_its_own_certificate },
		{ "exact search sees the newest", exact_search_sees_the_newest },
		{ "a fingerprint is found without the index", a_fingerprint_is_found_without_the_index },
		{ "search pages through equal values", search_pages_through_equal_values },
		{ "verdicts follow", verdicts_follow },
		{ "leaves get their place once", leaves_get_their_place_once },
		{ "tiles and heads", tiles_and_heads },
	};

	return world_run("store of certificates", tests, ARRAY_LEN(tests));
}
