/*
 * Verification of the journal's export. A small journal is made here with real keys: ceremony, an act of two officers, an
 * issuing session, certificates. It verifies; then everything that can be done to it is done, and must be found:
 * to the file (by somebody without keys), and to the facts (by somebody who has the journal key and signs new heads).
 */
#include "journal_story.h"

/* ---- verifying ---- */

static struct journal_finding first;
static char first_where[64];
static bool show, quick;
static const struct journal_head *witness; /* what the signer says, if it is asked */

static void
report(void *arg, const struct journal_finding *f)
{
	if (++*(size_t *)arg == 1) {
		first = *f;
		snprintf(first_where, sizeof(first_where), "%s", f->where);
	}
	if (show)
		print_message("%s: %s %s\n", f->where, f->err.field, f->err.text);
}

/* How many things do not hold; a stop counts as one. */
static size_t
findings(struct bytes text, size_t piece, struct journal_summary *ret)
{
	OWN(journal_verifier_free)
	struct journal_verifier *v = NULL;
	struct journal_summary mine;
	struct err e = { 0 };
	size_t n = 0;
	enum rc rc = journal_verifier_new(root, 1795262400000, report, &n, &v, &e);

	assert_int_equal(rc, RC_OK);
	if (quick)
		journal_verifier_quick(v);
	if (witness != NULL)
		journal_verifier_witness(v, witness);
	for (size_t at = 0; rc == RC_OK && at < text.n; at += piece)
		rc = journal_verifier_take(v, bytes_part(text, at, piece), &e);
	if (rc == RC_OK)
		rc = journal_verifier_end(v, ret ? ret : &mine, &e);
	if (rc != RC_OK) {
		first = (struct journal_finding){ "", e };
		return 1;
	}
	return n;
}

static struct bytes
made_responder(const struct softkey *key, const char *purposes, long serial)
{
	return test_issue(mem,
			  (struct test_cert){ .cn = "Responder",
					      .key = key,
					      .issuer_cn = "Root",
					      .issuer_key = root_key,
					      .no_basic = true,
					      .eku = purposes,
					      .serial = serial });
}

static void
make_responders(void)
{
	responder = made_responder(bert_key, "OCSPSigning", 201);
	responder_other = made_responder(anna_key, "OCSPSigning", 202);
	responder_for_more = made_responder(bert_key, "OCSPSigning,serverAuth", 203);
}

static int
start(void **state)
{
	struct err e = { 0 };

	mem = arena_new((size_t)1 << 30);
	if (crypto_init(&e) != RC_OK)
		return 1;
	root_key = test_key("p-256");
	journal_key = test_key("p-256");
	anna_key = test_key("p-256");
	bert_key = test_key("p-256");
	root = test_issue(mem,
			  (struct test_cert){ .cn = "Root", .key = root_key, .ca = true, .path_len = -1 });
	journal_cert = test_issue(
	    mem,
	    (struct test_cert){
		.cn = "Journal", .key = journal_key, .issuer_cn = "Root", .issuer_key = root_key });
	anna = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Anna", .key = anna_key, .issuer_cn = "Root", .issuer_key = root_key });
	unfit = test_issue(mem,
			   (struct test_cert){ .cn = "Anna",
					       .key = anna_key,
					       .issuer_cn = "Root",
					       .issuer_key = root_key,
					       .ku = "keyEncipherment" });
	bert = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Bert", .key = bert_key, .issuer_cn = "Root", .issuer_key = root_key });
	anna_expired = test_issue(mem,
				  (struct test_cert){ .cn = "Anna",
						      .key = anna_key,
						      .issuer_cn = "Root",
						      .issuer_key = root_key,
						      .until = 1793491200 });
	bert_expired = test_issue(mem,
				  (struct test_cert){ .cn = "Bert",
						      .key = bert_key,
						      .issuer_cn = "Root",
						      .issuer_key = root_key,
						      .until = 1793491200 });
	renewed = test_issue(
	    mem,
	    (struct test_cert){ .cn = "ANNA", .key = bert_key, .issuer_cn = "Root", .issuer_key = root_key });
	for (size_t i = 0; i < ARRAY_LEN(issued); i++)
		issued[i] = test_issue(mem,
				       (struct test_cert){ .cn = "Web",
							   .key = anna_key,
							   .issuer_cn = "Root",
							   .issuer_key = root_key,
							   .serial = 100 + (long)i });
	forged = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Web", .key = anna_key, .issuer_cn = "Root", .issuer_key = anna_key });
	foreign = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Web", .key = anna_key, .issuer_cn = "Boot", .issuer_key = root_key });
	snprintf(instance, sizeof(instance), "%s", hex_sha256(root));
	make_responders();
	return 0;
}

static int
stop(void **state)
{
	softkey_free(root_key);
	softkey_free(journal_key);
	softkey_free(anna_key);
	softkey_free(bert_key);
	arena_free(mem);
	return 0;
}

/* ---- cases ---- */

static void
good_journal_verifies(void **state)
{
	struct journal_summary s = { 0 };
	struct bytes text;

	tell(NOTHING);
	text = export();
	show = true;
	assert_int_equal(findings(text, SIZE_MAX, &s), 0);
	show = false;
	assert_int_equal(s.leaves, leaves_n);
	assert_int_equal(s.heads, (leaves_n + HEAD_EVERY - 1) / HEAD_EVERY);
	assert_int_equal(s.signatures, 4);
	assert_int_equal(s.documents, 4);
	assert_int_equal(s.certificates, 5);
	assert_int_equal(s.left_out, 3);
	assert_int_equal(s.findings, 0);
	assert_int_equal(s.head_at_ms, 1795262400000);
	for (size_t piece = 1; piece < 200; piece += 33) /* wherever the stream is cut */
		assert_int_equal(findings(text, piece, NULL), 0);
}

/* Somebody with the journal key rewrites history and signs new heads. */
static void
bad_deeds_are_found(void **state)
{
	for (enum deed bad = NOTHING + 1; bad < DEEDS; bad++) {
		size_t n;

		tell(bad);
		n = findings(export(), SIZE_MAX, NULL);
		if (n == 0)
			fail_msg("deed %d was not found", bad);
		if (getenv("CHY_SHOW"))
			print_message("%d: %s: %s\n", bad, first_where, first.err.text);
		if (first.err.code != CHY_JOURNAL_SIGNATURE && first.err.code != CHY_JOURNAL_ALTERED &&
		    first.err.code != CHY_JOURNAL_FORMAT && bad != BROKEN_CMS)
			fail_msg("deed %d gave %s: %s", bad, code_name(first.err.code), first.err.text);
	}
}

static void
what_only_looks_bad_is_not_found(void **state)
{
	for (enum deed good = DEEDS; good < GOOD_DEEDS_END; good++) {
		tell(good);
		if (findings(export(), SIZE_MAX, NULL) != 0)
			fail_msg("%d: %s: %s", good, first_where, first.err.text);
	}
}

/* What was allowed then is no finding, but whoever verifies is told how often and until when. */
static void
older_signatures_are_told(void **state)
{
	struct journal_summary s = { 0 };

	tell(RENEWED_OLDER);
	assert_int_equal(findings(export(), SIZE_MAX, &s), 0);
	assert_int_equal(s.older, 1);
	assert_int_equal(s.older_at_ms, 1795262400000);
	tell(RENEWED);
	assert_int_equal(findings(export(), SIZE_MAX, &s), 0);
	assert_int_equal(s.older, 0);
}

/* Less is looked at, but nothing else. */
static void
quick_leaves_only_signatures_of_certificates_out(void **state)
{
	quick = true;
	for (enum deed bad = NOTHING + 1; bad < DEEDS; bad++) {
		bool hidden = bad == FORGED_SIGNATURE || bad == FOREIGN_ISSUER || bad == OTHER_AUTHORITY;

		tell(bad);
		if ((findings(export(), SIZE_MAX, NULL) == 0) != hidden)
			fail_msg("deed %d", bad);
	}
	quick = false;
}

/* Somebody who writes to the store's columns: the journal is as it was. */
static void
every_column_is_checked(void **state)
{
	static const char *const columns_bad[][2] = {
		{ "\"authority\":0", "\"authority\":40" },
		{ "\"certificate_procedure\":0", "\"certificate_procedure\":80" },
		{ "\"base\":0", "\"base\":80" },
		{ "\"issuer\":40", "\"issuer\":41" },
		{ "\"not_after\":", "\"not_after\":1" },
		{ "\"not_before\":", "\"not_before\":1" },
		{ "\"request\":0", "\"request\":200" },
		{ "\"session\":0", "\"session\":210" },
		{ "\"status\":0", "\"status\":2" },
		{ "\"token_procedure\":80", "\"token_procedure\":81" },
		{ "\"fingerprint\":\"", "\"fingerprint\":\"00\"" },
		{ "\"key_hash\":\"", "\"key_hash\":\"00\"" },
		{ "\"san\":\"", "\"san\":\"dns:other.example\"" },
		{ "\"subject\":\"CN=Web", "\"subject\":\"CN=Deb\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(columns_bad); i++) {
		column = columns_bad[i][0];
		column_bad = columns_bad[i][1];
		tell(NOTHING);
		assert_null(column);
		if (findings(export(), SIZE_MAX, NULL) != 1 || first.err.code != CHY_JOURNAL_ACCOUNT)
			fail_msg("%s: %s", columns_bad[i][1], first.err.text);
	}
}

/* The signer has signed a head over more leaves than are there, or over others. */
static void
the_signers_last_head(void **state)
{
	struct journal_head whole = { .size = leaves_n };
	struct tree t = { 0 };
	struct tree_hash h;
	struct err e = { 0 };

	tell(NOTHING);
	for (size_t i = 0; i < leaves_n; i++) {
		assert_int_equal(tree_leaf(journal_sha256, bytes_str(leaves[i]), &h, &e), RC_OK);
		assert_int_equal(tree_add(journal_sha256, &t, &h, NULL, NULL, &e), RC_OK);
	}
	assert_int_equal(tree_root(journal_sha256, &t, &h, &e), RC_OK);
	memcpy(whole.root, h.b, TREE_HASH);
	whole.size = leaves_n;
	witness = &whole;
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 0);
	whole.root[3] ^= 1;
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 1);
	assert_int_equal(first.err.code, CHY_JOURNAL_ALTERED);
	whole.root[3] ^= 1;
	leaves_n--; /* the refusal, which nothing else knows; heads and all are made anew */
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 1);
	assert_int_equal(first.err.code, CHY_JOURNAL_ALTERED);
	witness = NULL;
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 0); /* without the signer nobody could know */
}

/* ---- to the file ---- */

struct lines {
	struct bytes at[3 * LEAVES_MAX];
	size_t n;
};

static struct lines
lines_of(struct bytes text)
{
	struct lines l = { .n = 0 };

	for (struct bytes rest = text; rest.n > 0; l.n++)
		l.at[l.n] = text_cut(rest, '\n', &rest);
	return l;
}

static struct bytes
joined(const struct lines *l)
{
	OWN_BUF struct buf b = buf_max(8 << 20);

	for (size_t i = 0; i < l->n; i++) {
		buf_put(&b, l->at[i]);
		buf_str(&b, "\n");
	}
	return arena_dup(mem, buf_bytes(&b));
}

static void
must_find(const struct lines *l, const char *what, size_t i)
{
	if (findings(joined(l), SIZE_MAX, NULL) == 0)
		fail_msg("%s line %zu was not found", what, i + 1);
}

static void
every_removed_line_is_found(void **state)
{
	struct lines all, l;

	tell(NOTHING);
	all = lines_of(export());
	for (size_t i = 0; i < all.n; i++) {
		/* a head between others may be left out: a later one covers the same leaves */
		if (bytes_starts(all.at[i], "{\"type\":\"head\"") &&
		    bytes_starts(all.at[i + 1], "{\"type\":\"leaf\""))
			continue;
		l = all;
		memmove(&l.at[i], &l.at[i + 1], (l.n - i - 1) * sizeof(l.at[0]));
		l.n--;
		must_find(&l, "removed", i);
	}
}

static void
every_doubled_line_is_found(void **state)
{
	struct lines all, l;

	tell(NOTHING);
	all = lines_of(export());
	for (size_t i = 0; i < all.n; i++) {
		l = all;
		memmove(&l.at[i + 1], &l.at[i], (l.n - i) * sizeof(l.at[0]));
		l.n++;
		must_find(&l, "doubled", i);
	}
}

static void
every_pair_of_leaves_changed_round_is_found(void **state)
{
	struct lines all, l;

	tell(NOTHING);
	all = lines_of(export());
	for (size_t i = 0; i < all.n; i++)
		for (size_t j = i + 1; j < all.n; j++) {
			if (!bytes_starts(all.at[i], "{\"type\":\"leaf\"") ||
			    !bytes_starts(all.at[j], "{\"type\":\"leaf\""))
				continue;
			l = all;
			l.at[i] = all.at[j];
			l.at[j] = all.at[i];
			must_find(&l, "changed", i);
		}
}

/* Leaves changed round together with their indexes: only the tree tells. */
static void
reordered_and_renumbered_is_found(void **state)
{
	struct lines l;
	struct bytes bodies[2];
	size_t at[2] = { 0 }, n = 0;

	tell(NOTHING);
	l = lines_of(export());
	for (size_t i = 0; i < l.n && n < 2; i++)
		if (bytes_starts(l.at[i], "{\"type\":\"leaf\",\"index\":1,") ||
		    bytes_starts(l.at[i], "{\"type\":\"leaf\",\"index\":2,"))
			at[n++] = i;
	assert_int_equal(n, 2);
	for (size_t i = 0; i < 2; i++)
		bodies[i] = bytes_part(l.at[at[i]], 25, SIZE_MAX);
	for (size_t i = 0; i < 2; i++)
		l.at[at[i]] = bytes_str(arena_printf(mem, "{\"type\":\"leaf\",\"index\":%zu,%.*s", i + 1,
						     BYTES_FMT(bodies[1 - i])));
	must_find(&l, "renumbered", at[0]);
}

/* A bit in (nearly) every place. */
static void
every_altered_byte_is_found(void **state)
{
	struct bytes text;
	uint8_t *p;

	tell(NOTHING);
	text = export();
	p = arena_alloc(mem, text.n);
	memcpy(p, text.p, text.n);
	for (size_t i = 0; i < text.n; i += 13) {
		if (p[i] == '\n' || i == text.n - 3) /* how many were left out is a remark, nobody's claim */
			continue;
		p[i] ^= 1;
		if (findings(bytes_of(p, text.n), SIZE_MAX, NULL) == 0)
			fail_msg("byte %zu: %.*s", i, 60, (const char *)p + (i > 30 ? i - 30 : 0));
		p[i] ^= 1;
	}
}

static void
every_cut_is_found(void **state)
{
	struct bytes text;

	tell(NOTHING);
	text = export();
	for (size_t n = 0; n < text.n - 1; n += 97)
		if (findings(bytes_part(text, 0, n), SIZE_MAX, NULL) == 0)
			fail_msg("cut after %zu bytes", n);
}

static void
another_root_is_found(void **state)
{
	struct bytes mine = root, text;

	tell(NOTHING);
	text = export();
	root = anna;
	assert_int_equal(findings(text, SIZE_MAX, NULL), 1);
	assert_int_equal(first.err.code, CHY_JOURNAL_FORMAT);
	root = mine;
}

static void
stranger_with_the_journal_is_found(void **state)
{
	struct softkey *real = journal_key;
	struct bytes text;

	tell(NOTHING);
	journal_key = bert_key; /* signs the heads */
	text = export();
	journal_key = real;
	assert_true(findings(text, SIZE_MAX, NULL) > 0);
	assert_int_equal(first.err.code, CHY_JOURNAL_SIGNATURE);
}

/* ---- one proof ---- */

static struct json *
proof(size_t index, const char *path)
{
	OWN_BUF struct buf head = buf_max(1 << 16), leaf_text = buf_max(1 << 20);
	struct tree t = { 0 };
	struct tree_hash h;
	struct json *v;
	struct err e = { 0 };
	const char *text;

	for (size_t i = 0; i < leaves_n; i++) {
		assert_int_equal(tree_leaf(journal_sha256, bytes_str(leaves[i]), &h, &e), RC_OK);
		assert_int_equal(tree_add(journal_sha256, &t, &h, NULL, NULL, &e), RC_OK);
	}
	put_head(&head, &t);
	json_put_str(&leaf_text, bytes_str(leaves[index]));
	text = arena_printf(
	    mem, "{\"leaf\":%s,\"index\":%zu,\"path\":%s,\"head\":%.*s,\"certificate\":\"%s\"}}",
	    buf_cstr(&leaf_text), index, path, (int)head.n - 2, (const char *)head.p, b64(journal_cert));
	if (json_parse(mem, bytes_str(text), &v, &e) != RC_OK)
		fail_msg("%s", e.text);
	return v;
}

static enum rc
stored(void *arg, unsigned level, uint64_t index, struct tree_hash *ret, struct err *e)
{
	struct tree t = { 0 };
	struct tree_hash h;

	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		TRY(tree_leaf(journal_sha256, bytes_str(leaves[i]), &h, e));
		TRY(tree_add(journal_sha256, &t, &h, NULL, NULL, e));
	}
	return tree_root(journal_sha256, &t, ret, e);
}

static const char *
path_of(size_t index)
{
	OWN_BUF struct buf b = buf_max(1 << 16);
	struct tree_reader from = { stored, NULL };
	struct tree_proof p;
	struct err e = { 0 };

	assert_int_equal(tree_inclusion(journal_sha256, &from, index, leaves_n, &p, &e), RC_OK);
	for (size_t i = 0; i < p.n; i++)
		buf_printf(&b, "%s\"%s\"", i ? "," : "", b64(BYTES_OF(p.at[i].b)));
	return arena_printf(mem, "[%.*s]", BYTES_FMT(buf_bytes(&b)));
}

static void
proof_of_one_certificate(void **state)
{
	struct proven p;
	struct err e = { 0 };

	tell(NOTHING);
	if (journal_check_proof(mem, proof(2, path_of(2)), root, ANNA_CERT, &p, &e) != RC_OK)
		fail_msg("%s: %s", e.field, e.text);
	assert_int_equal(p.index, 2);
	assert_int_equal(p.size, leaves_n);
	assert_true(bytes_is(p.sha256, hex_sha256(anna)));

	assert_int_not_equal(journal_check_proof(mem, proof(2, path_of(2)), root, BERT_CERT, &p, &e), RC_OK);
	assert_int_equal(e.code, CHY_TREE_PROOF);
	err_clear(&e);
	assert_int_not_equal(journal_check_proof(mem, proof(2, path_of(3)), root, ANNA_CERT, &p, &e), RC_OK);
	assert_int_equal(e.code, CHY_TREE_PROOF);
	err_clear(&e);
	assert_int_not_equal(journal_check_proof(mem, proof(2, path_of(2)), anna, ANNA_CERT, &p, &e), RC_OK);
	assert_int_equal(e.code, CHY_CHAIN_INCOMPLETE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_journal_verifies),
		cmocka_unit_test(bad_deeds_are_found),
		cmocka_unit_test(older_signatures_are_told),
		cmocka_unit_test(quick_leaves_only_signatures_of_certificates_out),
		cmocka_unit_test(what_only_looks_bad_is_not_found),
		cmocka_unit_test(every_column_is_checked),
		cmocka_unit_test(the_signers_last_head),
		cmocka_unit_test(every_removed_line_is_found),
		cmocka_unit_test(every_doubled_line_is_found),
		cmocka_unit_test(every_pair_of_leaves_changed_round_is_found),
		cmocka_unit_test(reordered_and_renumbered_is_found),
		cmocka_unit_test(every_altered_byte_is_found),
		cmocka_unit_test(every_cut_is_found),
		cmocka_unit_test(another_root_is_found),
		cmocka_unit_test(stranger_with_the_journal_is_found),
		cmocka_unit_test(proof_of_one_certificate),
	};

	return cmocka_run_group_tests_name("cli_journal", tests, start, stop);
}
