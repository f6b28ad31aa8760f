#include "base/base.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store_world.h"

/* A database of each earlier schema, with a row in every table that it has, is brought up to this program's: nothing is lost
   but what a step says, and all is read as before. On both engines. */

#define B(text) "CAST('" text "' AS $BLOB)"

enum { CERTIFICATE = 1001, REQUEST = 5001, LEAF = 7001, DOCUMENT = 9001, SESSION = 8001 };

/* One row in each table, as the step that makes the table has it; a later step that makes a table adds its line. The statements
   name their columns where a later step adds some. */
static const struct filled {
	int64_t step;
	const char *table,
	    *rest; /* what follows INSERT INTO table; NULL: the step has put the row there itself */
} rows[] = {
	{ 1, "setting", "VALUES ('instance', 'here')" },
	{ 1, "document_stamp", NULL },
	{ 1, "document_current", "VALUES (9001, 1, 'domain', 0, 'North', 'active')" },
	{ 1, "document", "VALUES (9001, 1, 'domain', 'North', 'active', 0, '{}', 11, 5001, 1)" },
	{ 1, "draft",
	  "(id, kind, name, body, officer_id, at) VALUES (9002, 'domain', 'South', '{}', 3, 12)" },
	{ 1, "request",
	  "VALUES (5001, 'domain.create', 'done', 0, 0, " B("body") ", 3, " B(
	      "nonce") ", 10, 99, '{\"id\":9001}')" },
	{ 1, "request_signature", "VALUES (5001, 1, 3, " B("cms") ", 11)" },
	{ 1, "certificate",
	  "(id, serial, issuer, status, subject, not_before, not_after, token_procedure, "
	  "certificate_procedure, "
	  "authority, request_id, session_id, san, key_hash, fingerprint) VALUES (1001, " B(
	      "serial") ", 7, 0, 'CN=old', "
			"1, 2, 3, 4, 0, 5001, 0, 'dns:old.example.org', " B("key") ", " B("print") ")" },
	{ 1, "certificate_der", "VALUES (1001, " B("der") ")" },
	{ 1, "journal_leaf", "VALUES (7001, 'certificate', 1001, '{\"id\":7001}', " B("hash") ")" },
	{ 1, "journal_todo", "VALUES (7001)" },
	{ 1, "journal_seq", "VALUES (0, 7001)" },
	{ 1, "journal_tile", "VALUES (0, 0, " B("hashes") ")" },
	{ 1, "journal_head", "VALUES (1, " B("root") ", 20, " B("signature") ", " B("headkey") ")" },
	{ 1, "idempotency", "VALUES (77, " B("key") ", 3, " B("asked") ", 1001, 21)" },
	{ 1, "issuing_session", "VALUES (8001, " B("token") ", 5001, 3, '{}', 1, 10, 99, 'open')" },
	{ 1, "outbox", "VALUES (6001, 'certificate', 1001, 22, 'waiting')" },
	{ 1, "job", "VALUES ('sequencer', 5, 30, 40)" },
	{ 1, "counter", "VALUES ('issued', 1, 42)" },
	{ 1, "verdict", "VALUES (1001, 23, 1, '[]')" },
	{ 1, "commit_mark", "VALUES (1, 2, 3, 4)" },
	{ 2, "certificate_search", "VALUES (1, 123, 1001)" },
	{ 2, "certificate_todo", "SELECT 1001 WHERE NOT EXISTS (SELECT 1 FROM certificate_todo)" },
	{ 2, "verdict_todo", "VALUES (1001)" },
	{ 3, "log", "VALUES (7001, 11, 301, 0)" },
	{ 3, "log_link", "VALUES (1, 3, 7001)" },
	{ 3, "log_cursor", NULL },
	{ 3, "remembered",
	  "(id, at, session_id, token_procedure, not_before, not_after, certificate, csr) VALUES (31, 24, "
	  "8001, 'Web', 0, "
	  "0, 1001, " B("csr") ")" },
	{ 4, "card_serial", "VALUES (100, 3, 25)" },
	{ 6, "token", "VALUES (5001, 3, 3, 26, 99, 'ready', 'anna', " B("pin") ", " B("file") ")" },
	{ 6, "token_key",
	  "VALUES (5001, 0, 1001, 4, 0, 'key-archive', 'anna', " B("spki") ", " B("box") ", " B(
	      "envelope") ")" },
	{ 6, "archived_key", "VALUES (1001, 27, 'key-archive', 'anna', " B("spki") ", " B("envelope") ")" },
	{ 6, "certificate_choice", "VALUES (1001, 1, 'form')" },
	{ 7, "certificate_status",
	  "(id, issuer, serial, state, reason, at, invalid_at, not_after, leaf, seq) VALUES (1001, 7, " B(
	      "serial") ", 1, 6, 28, 0, 2, 7001, 5)" },
	{ 7, "status_seq", "VALUES (7, 5)" },
	{ 7, "certificate_hold", "VALUES (1001, 'officer', 28, 5001)" },
	{ 7, "password_wrong", "VALUES (1001, 2, 29)" },
	{ 7, "certificate_unclaimed", "VALUES (1001, 30, 7001)" },
	{ 9, "request_secret", "VALUES (5001, 'form')" },
	{ 9, "key_recovery", "VALUES (1001, 5001, 31, 0)" },
	{ 11, "outbox", /* another table of the same name */
	  "VALUES (6001, 'certificate', 1001, 3, 4, 0, 'der', 0, 22, 22, 22, 0, 'waiting', '', 22)" },
	{ 11, "publication", "VALUES (1001, 4, 32, 5001, 0)" },
	{ 12, "crl",
	  "(id, procedure_id, delta, number, base, state, this_update, next_update, status_seq, entries, "
	  "entries_len, "
	  "pieces, sigalg, sha256, head, tail, signature) VALUES (41, 4, 0, 7, 0, 2, 1, 2, 5, 1, 10, 1, "
	  "'ecdsa-sha256', " B("sha") ", " B("head") ", " B("tail") ", " B("signature") ")" },
	{ 12, "crl_piece", "VALUES (41, 0, " B("entries") ")" },
	{ 13, "search_value", "VALUES (51, 1, 'anna')" },
	{ 13, "search_link", "VALUES (51, 1001)" },
	{ 13, "search_begin", "VALUES (1, 1001)" },
	{ 13, "value_todo", "SELECT 1001 WHERE NOT EXISTS (SELECT 1 FROM value_todo)" },
	{ 14, "responder",
	  "(certificate, authority, key, not_before, not_after) VALUES (1001, 4, 'ocsp-4-0', 1, 2)" },
	{ 14, "ocsp_activation", "VALUES (1001, 32, 5001)" },
	{ 15, "imported_crl", "VALUES (7, " B("scope") ", 1, 2, " B("number") ", 22, 5001, " B("der") ")" },
	{ 16, "certificate_partition", "VALUES (1001, 3)" },
	{ 26, "crl_part",
	  "SELECT 41, 0, 41, 0, 1, 10, 2, " B("serial") " WHERE NOT EXISTS (SELECT 1 FROM crl_part)" },
	{ 20, "cil", "VALUES (4, 0, 42, 7, 8, 0, 1, 2, 3, 10, 'P1D')" },
	{ 20, "cil_file", "VALUES (42, 1, 7, " B("sha") ", " B("der") ")" },
	{ 21, "certificate_field", "VALUES (1001, 2, 'order 7')" },
	{ 22, "certificate_removed", "VALUES (999, 7, " B("serial") ", " B("print") ", 1, 5001, 8001)" },
	{ 24, "cil_list", "VALUES (77, 41, 0, 1)" },
	{ 25, "selection", "VALUES (61, 3, 'certificate.publish', '{}', 33)" },
	{ 27, "node_key",
	  "VALUES ('node', 4, 'ocsp-4-0', " B("spki") ", " B("node") ", " B("signature") ", 33)" },
	{ 29, "search_number", "($VALUE, grams) VALUES (51, '{12345}')" },
};

/* Emptied on purpose by a later step: it is filled again from what stays, or was never written to. */
static const struct {
	int64_t step;
	const char *table;
} emptied[] = { { 8, "log" }, { 8, "log_link" }, { 11, "outbox" } };

static const struct db_ops *
engine(const struct world *w)
{
	return w->postgres ? &postgres_ops : &sqlite_ops;
}

static const char *
where(const char *url)
{
	return bytes_starts(bytes_str(url), "sqlite:") ? url + strlen("sqlite:") : url;
}

static void
run(struct world *w, struct db *db, const char *fmt, ...)
{
	OWN_BUF struct buf sql = buf_max(16 << 10);
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	assert_in_range(vsnprintf(text, sizeof(text), fmt, ap), 1, sizeof(text) - 1);
	va_end(ap);
	sql_expand(&sql, text, NULL, db->ops->form);
	ok(db->ops->script(db, buf_cstr(&sql), &w->e));
}

/* Is there a line for the table as a later step has made it anew? */
static bool
is_replaced(const struct filled *r, int64_t step)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].step > r->step && rows[i].step <= step && strcmp(rows[i].table, r->table) == 0)
			return true;
	return false;
}

static void
fill(struct world *w, struct db *db, int64_t step)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].step <= step && rows[i].rest != NULL && !is_replaced(&rows[i], step))
			run(w, db, "INSERT INTO %s %s", rows[i].table, rows[i].rest);
	run(w, db, "UPDATE document_stamp SET value = 1");
	if (step >= 3)
		run(w, db, "UPDATE log_cursor SET value = 1");
}

/* Fails where the table has another number of rows. */
static void
has(struct world *w, struct db *db, const char *table, int n)
{
	run(w, db, "DELETE FROM counted");
	run(w, db, "INSERT INTO counted SELECT '%s', count(*), %d FROM %s", table, n, table);
}

/* Each table that a step up to this one makes, by the steps' own text, has its line above. */
static void
no_table_is_forgotten(int64_t step)
{
	static const char make[] = "CREATE TABLE ";

	for (int64_t s = 0; s < step; s++)
		for (const char *at = schema_steps[s].sql; (at = strstr(at, make)) != NULL;) {
			size_t n = strcspn(at += strlen(make), " (\n"), i = 0;

			while (i < ARRAY_LEN(rows) &&
			       (strlen(rows[i].table) != n || memcmp(rows[i].table, at, n) != 0))
				i++;
			if (i == ARRAY_LEN(rows))
				fail_msg("no row for the table %.*s of step %s", (int)n, at,
					 schema_steps[s].name);
		}
}

static bool
is_emptied(const struct filled *r, int64_t from)
{
	for (size_t i = 0; i < ARRAY_LEN(emptied); i++)
		if (strcmp(emptied[i].table, r->table) == 0 && from < emptied[i].step)
			return true;
	return false;
}

static void
nothing_is_lost(struct world *w, struct db *db, int64_t from)
{
	run(w, db,
	    "CREATE TABLE counted (name $TEXT NOT NULL, n $INT NOT NULL, want $INT NOT NULL, CHECK (n = "
	    "want))");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct filled *r = &rows[i];
		bool there = r->step <= from || r->rest == NULL ||
		    (strcmp(r->table, "crl_part") == 0 && from >= 12) || /* as the list has pieces */
		    strcmp(r->table, "certificate_todo") == 0 || strcmp(r->table, "value_todo") == 0;

		has(w, db, r->table, there && !is_emptied(r, from));
	}
	run(w, db, "DROP TABLE counted");
}

/* ---- what is read of it ---- */

static void
read_people(struct world *w, int64_t from)
{
	struct document_row d;
	struct draft_row draft;
	struct request_row r;
	struct signature_row *s;
	struct session_row session;
	struct bytes value;
	size_t n;

	ok(store_document(w->s, w->a, DOCUMENT, 1, &d, &w->e));
	same(d.name, "North");
	same(d.body, "{}");
	ok(store_draft(w->s, w->a, DOCUMENT + 1, &draft, &w->e));
	same(draft.name, "South");
	assert_int_equal(draft.owner, from < 18 ? 3 : 0); /* who wrote it last, where nobody else is known */
	ok(store_request(w->s, w->a, REQUEST, &r, &w->e));
	same(r.act, "domain.create");
	same(r.body, "body");
	ok(store_signatures(w->s, w->a, REQUEST, &s, &n, &w->e));
	assert_int_equal(n, 1);
	same(s[0].cms, "cms");
	ok(store_session(w->s, w->a, SESSION, &session, &w->e));
	assert_int_equal(session.used, 1);
	ok(store_setting(w->s, w->a, "instance", &value, &w->e));
	same(value, "here");
}

static void
read_certificates(struct world *w)
{
	struct certificate_row c, *found;
	struct verdict_row v;
	struct bytes der;
	size_t n;

	ok(store_certificate(w->s, w->a, CERTIFICATE, &c, &w->e));
	same(c.subject, "CN=old");
	assert_int_equal(c.base, 0); /* what was issued before there were attribute certificates is none */
	ok(store_certificate_by_serial(w->s, w->a, 7, BYTES("serial"), &c, &w->e));
	assert_int_equal(c.id, CERTIFICATE);
	ok(store_der(w->s, w->a, CERTIFICATE, &der, &w->e));
	same(der, "der");
	ok(store_verdict(w->s, w->a, CERTIFICATE, &v, &w->e));
	assert_int_equal(v.ok, 1);
	ok(store_search(w->s, w->a, SEARCH_SAN, BYTES("dns:old.example.org"), 0, 10, &found, &n, &w->e));
	assert_int_equal(n, 1); /* what was there before there was a search is found as well */
	ok(store_attribute_certificates(w->s, w->a, 0, 10, &found, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
read_journal(struct world *w, int64_t from)
{
	struct placed_leaf_row *leaves;
	struct log_entry_row *entries;
	struct remembered_row *kept;
	struct head_row head;
	int64_t cursor;
	size_t n;

	ok(store_leaves(w->s, w->a, 0, 10, &leaves, &n, &w->e));
	assert_int_equal(n, 1);
	same(leaves[0].body, "{\"id\":7001}");
	ok(store_head(w->s, w->a, &head, &w->e));
	same(head.root, "root");
	/* a log without domains is read again from the first leaf; one that has them goes on */
	ok(store_log_cursor(w->s, &cursor, &w->e));
	assert_int_equal(cursor, from >= 8);
	ok(store_log(w->s, w->a, &(struct log_query){ .officer = 3, .limit = 10 }, &entries, &n, &w->e));
	assert_int_equal(n, from >= 8);
	ok(store_remembered(w->s, w->a, 0, 0, 10, &kept, &n, &w->e));
	assert_int_equal(n, from >= 3);
	if (n == 1)
		same(kept[0].csr, "csr");
	if (n == 1)
		same(kept[0].input, "");
}

static void
read_tokens(struct world *w, int64_t from)
{
	struct token_row t;
	struct token_key_row *keys;
	struct archived_row *archived;
	struct choice_row choice;
	struct recovery_row *recovered;
	int64_t next;
	size_t n;

	ok(store_card_serial_next(w->s, 100, 200, &next, &w->e));
	assert_int_equal(next, from >= 4 ? 101 : 100);
	if (from < 6)
		return;
	ok(store_token(w->s, w->a, REQUEST, &t, &w->e));
	same(t.file, "file");
	ok(store_token_keys(w->s, w->a, REQUEST, &keys, &n, &w->e));
	assert_int_equal(n, 1);
	same(keys[0].box, "box");
	ok(store_archived(w->s, w->a, BYTES("anna"), INT64_MAX, 10, &archived, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_choice(w->s, w->a, CERTIFICATE, &choice, &w->e));
	same(choice.revocation_password, "form");
	ok(store_recoveries(w->s, w->a, CERTIFICATE, 0, 10, &recovered, &n, &w->e));
	assert_int_equal(n, from >= 9);
}

static void
read_status(struct world *w, int64_t from)
{
	struct status_row s;
	struct hold_row *holds;
	int64_t seq;
	size_t n;

	ok(store_status_seq(w->s, 7, &seq, &w->e));
	assert_int_equal(seq, from >= 7 ? 5 : 0);
	ok(store_holds(w->s, w->a, CERTIFICATE, &holds, &n, &w->e));
	assert_int_equal(n, from >= 7);
	if (from < 7)
		return;
	ok(store_status(w->s, w->a, CERTIFICATE, &s, &w->e));
	assert_int_equal(s.reason, 6);
}

static void
each_earlier_schema_is_brought_up(void **state)
{
	struct world *w = *state;

	for (int64_t from = 1; from <= (int64_t)schema_nsteps; from++) {
		struct store_options o = { 0 };
		char url[512];
		struct db *db;
		int64_t version;

		world_url(url, sizeof(url), w->postgres);
		ok(engine(w)->open(where(url), DB_WRITER, &db, &w->e));
		ok(migrate_up(db, from, &w->e));
		ok(migrate_version(db, &version, &w->e));
		assert_int_equal(version, from);
		no_table_is_forgotten(from);
		fill(w, db, from);
		ok(migrate_up(db, (int64_t)schema_nsteps, &w->e));
		nothing_is_lost(w, db, from);
		engine(w)->close(db);
		snprintf(w->url, sizeof(w->url), "%s", url);
		world_reopen(w, &o);
		ok(store_schema_version(w->s, &version, &w->e));
		assert_int_equal(version, store_schema_known());
		read_people(w, from);
		read_certificates(w);
		read_journal(w, from);
		read_tokens(w, from);
		read_status(w, from);
	}
}

/* ---- soft tokens that had failed before step 23 ---- */

enum {
	FAILED = 6001,
	UNDER_WAY = 6002,
	ADOPTED = 6101,
	NEVER_MADE = 6102,
	TO_COME = 6103,
	ADOPTED_LEAF = 6301
};

static void
put_failed_tokens(struct world *w, struct db *db)
{
	static const struct {
		int64_t request, certificate;
		const char *state;
		int n;
	} keys[] = { { FAILED, ADOPTED, "failed", 0 },
		     { FAILED, NEVER_MADE, "failed", 1 },
		     { UNDER_WAY, TO_COME, "signed", 0 } };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		long long request = keys[i].request, certificate = keys[i].certificate;

		if (keys[i].n == 0)
			run(w, db,
			    "INSERT INTO request VALUES (%lld, 'token.issue', '%s', 0, 0, " B("b") ", 3, " B(
				"n") ", 10, 99, '')",
			    request, keys[i].state);
		if (keys[i].n == 0)
			run(w, db,
			    "INSERT INTO token VALUES (%lld, 3, 3, 26, 0, 'made', 'anna', " B("pin") ", " B(
				"") ")",
			    request);
		run(w, db,
		    "INSERT INTO token_key VALUES (%lld, %d, %lld, 4, 0, '', 'anna', " B("spki") ", " B(
			"box") ", " B("") ")",
		    request, keys[i].n, certificate);
		run(w, db, "INSERT INTO certificate_choice VALUES (%lld, 1, 'form')", certificate);
	}
	run(w, db,
	    "INSERT INTO certificate (id, serial, issuer, status, subject, not_before, not_after, "
	    "token_procedure, certificate_procedure, authority, request_id, session_id, san, key_hash, "
	    "fingerprint) VALUES (%d, " B("one") ", 7, 0, 'CN=one', 1, 2, 3, 4, 0, %d, 0, '', " B("k") ", " B(
		"f") ")",
	    ADOPTED, FAILED);
	run(w, db, "INSERT INTO journal_leaf VALUES (%d, 'adopted', %d, '{}', " B("h") ")", ADOPTED_LEAF,
	    ADOPTED);
}

/* The secrets of those that had failed go, their certificates become such that nobody claims, and a token under way stays. */
static void
failed_tokens_are_cleared(void **state)
{
	struct world *w = *state;
	struct store_options o = { 0 };
	char url[512];
	struct db *db;
	struct token_row t;
	struct token_key_row *keys;
	struct choice_row choice;
	struct unclaimed_row *found;
	size_t n;

	world_url(url, sizeof(url), w->postgres);
	ok(engine(w)->open(where(url), DB_WRITER, &db, &w->e));
	ok(migrate_up(db, 22, &w->e));
	put_failed_tokens(w, db);
	ok(migrate_up(db, (int64_t)schema_nsteps, &w->e));
	engine(w)->close(db);
	snprintf(w->url, sizeof(w->url), "%s", url);
	world_reopen(w, &o);
	ok(store_token(w->s, w->a, FAILED, &t, &w->e));
	same(t.state, "failed");
	assert_int_equal(t.pin.n, 0);
	ok(store_token_keys(w->s, w->a, FAILED, &keys, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_choice(w->s, w->a, ADOPTED, &choice, &w->e)); /* the certificate is there */
	fails(store_choice(w->s, w->a, NEVER_MADE, &choice, &w->e), STORE_NOT_FOUND);
	ok(store_unclaimed(w->s, w->a, 0, 10, &found, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(found[0].certificate, ADOPTED);
	assert_int_equal(found[0].leaf, ADOPTED_LEAF);
	assert_in_range(found[0].at, 1000000000000, INT64_MAX);
	ok(store_token(w->s, w->a, UNDER_WAY, &t, &w->e));
	same(t.state, "made");
	same(t.pin, "pin");
	ok(store_token_keys(w->s, w->a, UNDER_WAY, &keys, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_choice(w->s, w->a, TO_COME, &choice, &w->e));
}

/* ---- values that were entered before step 28 ---- */

/* Certificates with letters beyond ASCII in subject, alternative names or fields are entered anew, and no others. */
static void
letters_and_numbers_are_entered_anew(void **state)
{
	static const struct {
		int id;
		const char *subject, *san, *field;
	} put[] = {
		{ 1101, "CN=PLAIN, ~\x7f", "dns:a.example\ndns:b.example", "plain" },
		{ 1102,
		  "CN=\xc3\x9c"
		  "BER",
		  "", NULL },
		{ 1103, "CN=x", "email:\xc3\x96@example", NULL },
		{ 1104, "CN=x", "", "\xd0\x96" },
		{ 1105, "", "", NULL },
		{ 1106, "CN=\xe6\x9d\xb1", "", NULL },
		{ 1107, "CN=host 1234 5678", "dns:h-123-45.example", "4711" },
		{ 1108, "CN=x", "dns:h12345.example", NULL },
		{ 1109, "CN=y", "", "00123456" },
	};
	static const int64_t anew[] = { 1102, 1103, 1104, 1106, 1108, 1109 };
	struct world *w = *state;
	struct store_options o = { 0 };
	struct certificate_row *waiting;
	char url[512];
	struct db *db;
	size_t n;

	world_url(url, sizeof(url), w->postgres);
	ok(engine(w)->open(where(url), DB_WRITER, &db, &w->e));
	ok(migrate_up(db, 27, &w->e));
	for (size_t i = 0; i < ARRAY_LEN(put); i++) {
		run(w, db,
		    "INSERT INTO certificate (id, serial, issuer, status, subject, not_before, not_after, "
		    "token_procedure, certificate_procedure, authority, request_id, session_id, san, "
		    "key_hash, "
		    "fingerprint) VALUES (%d, " B("%d") ", 7, 0, '%s', 1, 2, 3, 4, 0, 1, 0, '%s', " B(
			"k") ", " B("f") ")",
		    put[i].id, put[i].id, put[i].subject, put[i].san);
		if (put[i].field != NULL)
			run(w, db, "INSERT INTO certificate_field VALUES (%d, 1, '%s')", put[i].id,
			    put[i].field);
	}
	run(w, db, "INSERT INTO value_todo VALUES (1102)"); /* it waits already */
	ok(migrate_up(db, (int64_t)schema_nsteps, &w->e));
	engine(w)->close(db);
	snprintf(w->url, sizeof(w->url), "%s", url);
	world_reopen(w, &o);
	ok(store_values_waiting(w->s, w->a, 10, &waiting, &n, &w->e));
	assert_int_equal(n, ARRAY_LEN(anew));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(waiting[i].id, anew[i]);
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "each_earlier_schema_is_brought_up", each_earlier_schema_is_brought_up, BOTH },
		{ "failed_tokens_are_cleared", failed_tokens_are_cleared, BOTH },
		{ "letters_and_numbers_are_entered_anew", letters_and_numbers_are_entered_anew, BOTH },
	};

	return world_run("store_migrate", tests, ARRAY_LEN(tests));
}
