#include "base/base.h"
#include "store_world.h"

/* What was chosen for certificates, what waits for a request's end, and where archived keys went, on both engines alike. */

static void
chosen_once(void **state)
{
	struct world *w = *state;
	struct choice_row row;
	struct change *c = change_new();

	fails(store_choice(w->s, w->a, 7, &row, &w->e), STORE_NOT_FOUND);
	change_put_choice(c, &(struct choice_row){ 7, 0, BYTES("$scrypt$") });
	change_put_choice(c, &(struct choice_row){ 8, 1, BYTES_NONE });
	ok(store_commit(w->s, c, &w->e));
	ok(store_choice(w->s, w->a, 7, &row, &w->e));
	assert_int_equal(row.publication, 0);
	same(row.revocation_password, "$scrypt$");
	ok(store_choice(w->s, w->a, 8, &row, &w->e));
	assert_int_equal(row.publication, 1);
	assert_int_equal(row.revocation_password.n, 0);
	c = change_new();
	change_put_choice(c, &(struct choice_row){ 7, 1, BYTES_NONE });
	fails(store_commit(w->s, c, &w->e), STORE_EXISTS);
}

static void
secrets_wait_for_the_requests_end(void **state)
{
	struct world *w = *state;
	struct request_secret_row row;
	struct change *c = change_new();

	change_put_request_secret(c, &(struct request_secret_row){ 5, BYTES("$scrypt$5") });
	change_put_request_secret(c, &(struct request_secret_row){ 6, BYTES("$scrypt$6") });
	ok(store_commit(w->s, c, &w->e));
	ok(store_request_secret(w->s, w->a, 5, &row, &w->e));
	same(row.revocation_password, "$scrypt$5");
	for (int i = 0; i < 2; i++) { /* again is nothing */
		c = change_new();
		change_drop_request_secret(c, 5);
		ok(store_commit(w->s, c, &w->e));
		fails(store_request_secret(w->s, w->a, 5, &row, &w->e), STORE_NOT_FOUND);
	}
	ok(store_request_secret(w->s, w->a, 6, &row, &w->e));
}

static void
a_token_that_failed_keeps_no_secrets(void **state)
{
	struct world *w = *state;
	struct token_row token = { .id = 70,
				   .officer_id = 3,
				   .state = BYTES("made"),
				   .holder = BYTES("anna"),
				   .pin = BYTES("box") };
	struct token_key_row key = { .token = 70,
				     .certificate = 71,
				     .box = BYTES("key"),
				     .envelope = BYTES("e") },
			     *keys;
	struct token_row got;
	struct change *c = change_new();
	size_t n;

	change_put_token(c, &token);
	change_put_token_key(c, &key);
	token.id = key.token = 80;
	change_put_token(c, &token);
	change_put_token_key(c, &key);
	ok(store_commit(w->s, c, &w->e));
	c = change_new();
	change_token_failed(c, 70);
	ok(store_commit(w->s, c, &w->e));
	ok(store_token(w->s, w->a, 70, &got, &w->e));
	same(got.state, "failed");
	assert_int_equal(got.pin.n, 0);
	ok(store_token_keys(w->s, w->a, 70, &keys, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_token_keys(w->s, w->a, 80, &keys, &n, &w->e));
	assert_int_equal(n, 1); /* another's stay */
	c = change_new();
	change_token_failed(c, 70);
	fails(store_commit(w->s, c, &w->e), STORE_STATE);
	c = change_new();
	change_token_ready(c, 70, BYTES("box"), BYTES("file"), 99);
	fails(store_commit(w->s, c, &w->e), STORE_STATE);
}

/* A token's certificates that were taken over wait for it, unclaimed: the file claims them, a failure leaves them to the sweeper. */
static void
what_was_taken_over_goes_with_its_token(void **state)
{
	struct world *w = *state;
	struct unclaimed_row *rows;
	struct choice_row choice;
	struct change *c = change_new();
	size_t n;

	for (int64_t id = 70; id <= 90; id += 10) {
		change_put_token(c, &(struct token_row){ .id = id, .officer_id = 3, .state = BYTES("made") });
		for (int64_t k = 1; k <= 3; k++) /* the third one is there before, and recovered */
			change_put_token_key(
			    c,
			    &(struct token_key_row){
				.token = id, .n = k, .certificate = id + k, .certificate_procedure = k < 3 });
		change_put_certificate(c,
				       &(struct certificate_row){
					   .id = id + 1, .serial = bytes_of(&id, sizeof(id)), .issuer = 4 },
				       BYTES("x"));
		for (int64_t k = 1; k <= 2; k++)
			change_put_choice(c, &(struct choice_row){ id + k, 1, BYTES("form") });
		change_put_unclaimed(c, &(struct unclaimed_row){ id + 1, 5, 6 });
		change_put_unclaimed(c, &(struct unclaimed_row){ id + 3, 5, 6 });
	}
	ok(store_commit(w->s, c, &w->e));
	ok(store_unclaimed(w->s, w->a, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 3); /* the recovered ones; the others' tokens are under way */
	assert_int_equal(rows[0].certificate, 73);
	c = change_new();
	change_token_ready(c, 70, BYTES_NONE, BYTES("file"), 99);
	change_token_failed(c, 80);
	ok(store_commit(w->s, c, &w->e));
	ok(store_unclaimed(w->s, w->a, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 4);
	assert_int_equal(rows[1].certificate, 81);
	for (int64_t id = 70; id <= 90; id += 10) {
		ok(store_choice(w->s, w->a, id + 1, &choice, &w->e));
		if (id == 80)
			fails(store_choice(w->s, w->a, id + 2, &choice, &w->e), STORE_NOT_FOUND);
		else
			ok(store_choice(w->s, w->a, id + 2, &choice, &w->e));
	}
}

static void
recoveries_by_key_and_by_certificate(void **state)
{
	struct world *w = *state;
	struct recovery_row *rows;
	struct change *c = change_new();
	size_t n;

	change_put_recovery(c, &(struct recovery_row){ .certificate = 1, .token = 21, .at = 5 });
	change_put_recovery(c, &(struct recovery_row){ .certificate = 1, .token = 20, .at = 4, .issued = 3 });
	change_put_recovery(c, &(struct recovery_row){ .certificate = 2, .token = 20, .at = 4 });
	ok(store_commit(w->s, c, &w->e));
	ok(store_recoveries(w->s, w->a, 1, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].token, 20);
	assert_int_equal(rows[1].token, 21);
	ok(store_recoveries(w->s, w->a, 1, 20, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_recoveries(w->s, w->a, 3, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].certificate, 1);
	ok(store_recoveries(w->s, w->a, 4, 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	c = change_new();
	change_put_recovery(c, &(struct recovery_row){ .certificate = 1, .token = 20, .at = 9, .issued = 3 });
	fails(store_commit(w->s, c, &w->e), STORE_EXISTS);
}

static void
archived_keys_by_certificate(void **state)
{
	struct world *w = *state;
	struct archived_row row;
	struct change *c = change_new();

	change_put_token_key(c,
			     &(struct token_key_row){ .token = 9,
						      .certificate = 30,
						      .archive = BYTES("key-archive"),
						      .holder = BYTES("anna"),
						      .spki = BYTES("spki"),
						      .envelope = BYTES("envelope") });
	change_archive_key(c, 9, 0, 30);
	ok(store_commit(w->s, c, &w->e));
	ok(store_archived_key(w->s, w->a, 30, &row, &w->e));
	same(row.archive, "key-archive");
	same(row.holder, "anna");
	assert_true(row.at > 0);
	fails(store_archived_key(w->s, w->a, 31, &row, &w->e), STORE_NOT_FOUND);
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "chosen once", chosen_once },
		{ "secrets wait for the request's end", secrets_wait_for_the_requests_end },
		{ "a token that failed keeps no secrets", a_token_that_failed_keeps_no_secrets },
		{ "what was taken over goes with its token", what_was_taken_over_goes_with_its_token },
		{ "recoveries by key and by certificate", recoveries_by_key_and_by_certificate },
		{ "archived keys by certificate", archived_keys_by_certificate },
	};

	return world_run("store of tokens", tests, ARRAY_LEN(tests));
}
