/* Paths to a root, and the second opinion on certificates. */
#include "base/base.h"
#include "crypto/chain.h"
#include "crypto/crypto.h"
#include "crypto/judge.h"
#include "crypto_help.h"
#include "pki/cert.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/name.h"

static struct arena *mem;
static struct softkey *k[4];
static struct bytes root, middle, leaf, other_root;

static const int64_t in_2026 = 1780000000000;

static enum code
chain_code(struct bytes l, struct bytes m, struct bytes r, int64_t at_ms, const char *field)
{
	struct err e = { 0 };
	enum rc rc = chain_verify(l, &m, m.n > 0, &r, r.n > 0, at_ms, &e);

	assert_int_equal(rc, e.rc);
	if (field)
		assert_string_equal(e.field, field);
	return e.code;
}

static void
good_chains(void **state)
{
	assert_int_equal(chain_code(leaf, middle, root, in_2026, NULL), CHY_NONE);
	/* a trusted certificate need not be self-signed, and may be the leaf itself */
	assert_int_equal(chain_code(leaf, BYTES_NONE, middle, in_2026, NULL), CHY_NONE);
	assert_int_equal(chain_code(leaf, BYTES_NONE, leaf, in_2026, NULL), CHY_NONE);
	assert_int_equal(chain_code(root, BYTES_NONE, root, in_2026, NULL), CHY_NONE);
	/* any time of their life, both ends included */
	assert_int_equal(chain_code(leaf, middle, root, 1767225600000, NULL), CHY_NONE);
	assert_int_equal(chain_code(leaf, middle, root, 2082758400000 - 1000, NULL), CHY_NONE);
}

static void
bad_chains(void **state)
{
	struct bytes junk = BYTES("junk"), long_leaf = BYTES("\x30\x03\x02\x01\x01");

	assert_int_equal(chain_code(leaf, BYTES_NONE, root, in_2026, NULL), CHY_CHAIN_INCOMPLETE);
	assert_int_equal(chain_code(leaf, middle, other_root, in_2026, NULL), CHY_CHAIN_INCOMPLETE);
	assert_int_equal(chain_code(leaf, middle, BYTES_NONE, in_2026, NULL), CHY_CHAIN_INCOMPLETE);
	assert_int_equal(chain_code(other_root, middle, root, in_2026, NULL), CHY_CHAIN_INCOMPLETE);
	assert_int_equal(chain_code(leaf, middle, root, 1767225599999, "chain[2]"), CHY_CHAIN_TIME);
	assert_int_equal(chain_code(leaf, middle, root, 2082758401000, "chain[2]"), CHY_CHAIN_TIME);
	assert_int_equal(chain_code(junk, middle, root, in_2026, NULL), CHY_CHAIN_FORM);
	assert_int_equal(chain_code(leaf, junk, root, in_2026, NULL), CHY_CHAIN_FORM);
	assert_int_equal(chain_code(leaf, middle, junk, in_2026, NULL), CHY_CHAIN_FORM);
	assert_int_equal(chain_code(long_leaf, middle, root, in_2026, NULL), CHY_CHAIN_FORM);
	assert_int_equal(chain_code(BYTES_NONE, middle, root, in_2026, NULL), CHY_CHAIN_FORM);
}

static void
too_many(void **state)
{
	struct bytes many[CHAIN_MAX + 1];
	struct err e = { 0 };

	for (size_t i = 0; i <= CHAIN_MAX; i++)
		many[i] = middle;
	assert_int_equal(chain_verify(leaf, many, CHAIN_MAX + 1, &root, 1, in_2026, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_CHAIN_FORM);
	assert_int_equal(chain_verify(leaf, many, CHAIN_MAX, &root, 1, in_2026, NULL), RC_OK);
}

/* Each rule of RFC 5280 6 that one certificate in the middle breaks */
static void
broken_rules(void **state)
{
	struct test_cert m = { .cn = "middle",
			       .key = k[1],
			       .issuer_cn = "root",
			       .issuer_key = k[0],
			       .ca = true,
			       .path_len = -1 };
	struct test_cert l = { .cn = "leaf", .key = k[2], .issuer_cn = "middle", .issuer_key = k[1] };
	struct test_cert t;
	struct bytes altered;

	t = m;
	t.ca = false;
	assert_int_equal(chain_code(leaf, test_issue(mem, t), root, in_2026, NULL), CHY_CHAIN_INVALID);
	t = m; /* no basicConstraints, but keyCertSign: the library alone would take it */
	t.no_basic = true;
	assert_int_equal(chain_code(leaf, test_issue(mem, t), root, in_2026, "chain[1]"), CHY_CHAIN_INVALID);
	t = m;
	t.ku = "critical,digitalSignature";
	assert_int_equal(chain_code(leaf, test_issue(mem, t), root, in_2026, NULL), CHY_CHAIN_INVALID);
	t = m; /* expired, alone */
	t.until = 1779999999;
	assert_int_equal(chain_code(leaf, test_issue(mem, t), root, in_2026, "chain[1]"), CHY_CHAIN_TIME);
	t = l;
	t.md = EVP_sha1();
	assert_int_equal(chain_code(test_issue(mem, t), middle, root, in_2026, NULL), CHY_CHAIN_INVALID);
	altered = arena_dup(mem, leaf);
	((uint8_t *)(uintptr_t)altered.p)[leaf.n - 1] ^= 1;
	assert_int_equal(chain_code(altered, middle, root, in_2026, NULL), CHY_CHAIN_INVALID);
}

static void
path_length(void **state)
{
	struct test_cert top = { .cn = "top", .key = k[0], .ca = true, .path_len = 0 };
	struct bytes r = test_issue(mem, top), m[2];
	struct err e = { 0 };

	m[0] = test_issue(
	    mem,
	    (struct test_cert){
		.cn = "a", .key = k[1], .issuer_cn = "top", .issuer_key = k[0], .ca = true, .path_len = -1 });
	m[1] = test_issue(
	    mem,
	    (struct test_cert){
		.cn = "b", .key = k[3], .issuer_cn = "a", .issuer_key = k[1], .ca = true, .path_len = -1 });
	assert_int_equal(chain_verify(m[0], NULL, 0, &r, 1, in_2026, NULL), RC_OK);
	assert_int_equal(
	    chain_verify(
		test_issue(
		    mem, (struct test_cert){ .cn = "c", .key = k[2], .issuer_cn = "b", .issuer_key = k[3] }),
		m, 2, &r, 1, in_2026, &e),
	    RC_DENIED);
	assert_int_equal(e.code, CHY_CHAIN_INVALID);
}

/* ---- the judge ---- */

static bool
judged(const struct judgement *j, const char *field)
{
	for (const struct disagreement *d = j->first; d != NULL; d = d->next)
		if (strcmp(d->field, field) == 0)
			return true;
	return false;
}

static void
show(const struct judgement *j)
{
	for (const struct disagreement *d = j->first; d != NULL; d = d->next)
		print_message("%s: %s\n", d->field, d->text);
}

/* By a key that was read before: the same verdict, but for the issuer. */
static void
judge_by_key(struct bytes cert, struct bytes spki, const struct cert *ours, struct judgement *j)
{
	OWN(judge_key_free)
	struct judge_key *key = NULL;

	assert_int_equal(judge_key_new(spki, &key, NULL), RC_OK);
	assert_int_equal(judge_cert_of_key(mem, cert, key, ours, j, NULL), RC_OK);
}

static void
agrees(struct bytes cert, struct bytes issuer)
{
	struct judgement j;
	struct cert c;

	assert_int_equal(cert_parse(mem, cert, &c, NULL), RC_OK);
	judge_by_key(cert, c.spki, NULL, &j);
	if (j.count != 0) {
		show(&j);
		fail_msg("%zu disagreements by a key that was read before", j.count);
	}

	assert_int_equal(judge_cert(mem, cert, issuer, NULL, &j, NULL), RC_OK);
	if (j.count != 0) {
		show(&j);
		fail_msg("%zu disagreements", j.count);
	}
	assert_null(j.first);
}

static void
judge_good(void **state)
{
	static const char *const kinds[] = { "p-384", "p-521", "rsa-2048", "ed25519", "ed448" };

	agrees(root, root);
	agrees(middle, root);
	agrees(leaf, middle);
	agrees(leaf, BYTES_NONE);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		OWN(softkey_free)
		struct softkey *x = test_key(kinds[i]);

		agrees(
		    test_issue(mem,
			       (struct test_cert){
				   .cn = kinds[i],
				   .key = x,
				   .issuer_cn = "root",
				   .issuer_key = k[0],
				   .san = "DNS:a.test,email:a@b.test,URI:http://x.test/,IP:10.0.0.1,IP:::1,"
					  "RID:1.2.3.4",
				   .eku = "serverAuth,clientAuth",
				   .until = 2600000000 }),
		    root);
	}
}

/* What we build ourselves, judged by the library: the way in which the judge is used. */
static void
judge_ours(void **state)
{
	OWN_DW struct dw tbs = dw_growing(LIMIT_TBS);
	OWN_DW struct dw whole = dw_growing(LIMIT_CERT);
	OWN_BUF struct buf sig = buf_max(SOFTKEY_SIGNATURE_MAX);
	struct cert r;
	struct name subject;
	struct ext_value ku = { .kind = OID_CE_KEY_USAGE, .critical = true, .key_usage = 1 };
	struct cert_slot_spec specs[3] = { { .slot = SLOT_CONST },
					   { .slot = SLOT_SKI },
					   { .slot = SLOT_CONST } };
	struct ext_value aki = { .kind = OID_CE_AUTHORITY_KEY_ID };
	struct cert_template t;
	struct err e = { 0 };

	assert_int_equal(cert_parse(mem, root, &r, NULL), RC_OK);
	aki.aki.key_id = cert_key_id(&r);
	assert_int_equal(ext_encode(mem, &ku, &specs[0].ext, &e), RC_OK);
	assert_int_equal(ext_encode(mem, &aki, &specs[2].ext, &e), RC_OK);
	assert_int_equal(name_from_text(mem, BYTES("CN=M\xc3\xbcller+UID=1,O=Chancery,C=DE"), &subject, &e),
			 RC_OK);
	assert_int_equal(cert_template_build(mem, SIGALG_ECDSA_SHA256, r.subject, specs, 3, &t, &e), RC_OK);
	assert_int_equal(cert_tbs_build(&t,
					&(struct cert_inputs){ .serial = BYTES("\x01\x02\x03"),
							       .not_before_at = in_2026,
							       .not_after_at = in_2026 + 86400000,
							       .subject = subject.der,
							       .spki = softkey_spki(k[2]),
							       .key_id = BYTES("0123456789abcdefghij") },
					&tbs, &e),
			 RC_OK);
	assert_int_equal(softkey_sign(k[0], SIGALG_ECDSA_SHA256, dw_bytes(&tbs), &sig, &e), RC_OK);
	assert_int_equal(cert_assemble(dw_bytes(&tbs), SIGALG_ECDSA_SHA256, buf_bytes(&sig), &whole, &e),
			 RC_OK);
	agrees(dw_bytes(&whole), root);
}

static void
judge_by_other_key(void **state)
{
	struct judge_key *none = NULL;
	struct judgement j;
	struct err e = { 0 };

	judge_by_key(leaf, softkey_spki(k[0]), NULL, &j);
	assert_true(judged(&j, "spki"));
	judge_by_key(BYTES("junk"), softkey_spki(k[0]), NULL, &j);
	assert_true(judged(&j, "certificate"));
	assert_int_equal(judge_key_new(BYTES("junk"), &none, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_KEY_KIND);
}

/* Each field of ours in turn says something else than the certificate. */
static void
judge_differences(void **state)
{
	static const uint8_t other[] = { 7 };
	struct cert good, c;
	struct judgement j;

	assert_int_equal(cert_parse(mem, leaf, &good, NULL), RC_OK);
#define CHANGED(field, change) \
	do { \
		c = good; \
		change; \
		assert_int_equal(judge_cert(mem, leaf, BYTES_NONE, &c, &j, NULL), RC_OK); \
		if (!judged(&j, field)) \
			fail_msg("no word about %s", field); \
		judge_by_key(leaf, good.spki, &c, &j); \
		if (!judged(&j, field)) \
			fail_msg("no word about %s by a key that was read before", field); \
	} while (0)
	CHANGED("version", c.version = 1);
	CHANGED("serial", c.serial = BYTES_OF(other));
	CHANGED("issuer", c.issuer = good.subject);
	CHANGED("subject", c.subject = good.issuer);
	CHANGED("notBefore", c.not_before_at += 1000);
	CHANGED("notAfter", c.not_after_at -= 1000);
	CHANGED("notBefore", c.not_before_generalized = true);
	CHANGED("spki", c.spki = softkey_spki(k[0]));
	CHANGED("signature algorithm", c.alg = sigalg_alg_id(SIGALG_ED25519));
	CHANGED("signature algorithm inside", c.tbs_alg = sigalg_alg_id(SIGALG_ED25519));
	CHANGED("signature", c.signature.n--);
	CHANGED("tbs", c.tbs.n--);
	CHANGED("extensions", c.exts.n--);
	for (size_t i = 0; i < good.exts.n; i++) {
		struct ext *copy = arena_array(mem, good.exts.n, sizeof(*copy));
		char dotted[OID_TEXT_MAX], field[OID_TEXT_MAX + 16];

		memcpy(copy, good.exts.v, good.exts.n * sizeof(*copy));
		snprintf(field, sizeof(field), "extension %s", oid_text(dotted, copy[i].oid));
		copy[i].critical = !copy[i].critical;
		CHANGED(field, c.exts.v = copy);
		copy[i].critical = !copy[i].critical;
		copy[i].value.n--;
		CHANGED(field, c.exts.v = copy);
	}
}

static void
judge_bad(void **state)
{
	struct judgement j;
	uint8_t *p = arena_alloc(mem, leaf.n + 1);

	memcpy(p, leaf.p, leaf.n);
	/* nobody reads it */
	assert_int_equal(judge_cert(mem, BYTES("junk"), root, NULL, &j, NULL), RC_OK);
	assert_true(j.count == 2 && judged(&j, "certificate"));
	assert_int_equal(judge_cert(mem, bytes_of(p, leaf.n + 1), root, NULL, &j, NULL), RC_OK);
	assert_true(judged(&j, "certificate"));
	/* another issuer, another issuer of the same name, an altered signature */
	assert_int_equal(judge_cert(mem, leaf, root, NULL, &j, NULL), RC_OK);
	assert_true(judged(&j, "issuer") && judged(&j, "signature") && judged(&j, "path"));
	assert_int_equal(judge_cert(mem, root, other_root, NULL, &j, NULL), RC_OK);
	assert_true(judged(&j, "signature"));
	p[leaf.n - 1] ^= 1;
	assert_int_equal(judge_cert(mem, bytes_of(p, leaf.n), middle, NULL, &j, NULL), RC_OK);
	assert_true(judged(&j, "signature"));
	/* an issuer that is no CA */
	assert_int_equal(
	    judge_cert(mem,
		       test_issue(mem,
				  (struct test_cert){
				      .cn = "x", .key = k[3], .issuer_cn = "leaf", .issuer_key = k[2] }),
		       leaf, NULL, &j, NULL),
	    RC_OK);
	assert_true(judged(&j, "path") || judged(&j, "issuer"));
	/* an issuer that says CA and may not sign certificates: an issuer's fault, not a reader's */
	{
		struct bytes odd = test_issue(
		    mem,
		    (struct test_cert){
			.cn = "odd", .key = k[3], .ca = true, .path_len = -1, .ku = "digitalSignature" });

		assert_int_equal(judge_cert(mem, odd, odd, NULL, &j, NULL), RC_OK);
		assert_true(judged(&j, "issuer") && !judged(&j, "basicConstraints"));
	}
	/* a promise that the key usage does not keep */
	assert_int_equal(judge_cert(mem,
				    test_issue(mem,
					       (struct test_cert){ .cn = "x",
								   .key = k[3],
								   .issuer_cn = "root",
								   .issuer_key = k[0],
								   .ku = "critical,cRLSign",
								   .eku = "serverAuth" }),
				    root, NULL, &j, NULL),
			 RC_OK);
	assert_true(judged(&j, "extKeyUsage"));
}

static int
set_up(void **state)
{
	mem = arena_new(8 << 20);
	for (size_t i = 0; i < 4; i++)
		k[i] = test_key("p-256");
	root = test_issue(mem, (struct test_cert){ .cn = "root", .key = k[0], .ca = true, .path_len = -1 });
	other_root = test_issue(mem,
				(struct test_cert){ .cn = "root", .key = k[3], .ca = true, .path_len = -1 });
	middle = test_issue(mem,
			    (struct test_cert){ .cn = "middle",
						.key = k[1],
						.issuer_cn = "root",
						.issuer_key = k[0],
						.ca = true,
						.path_len = 0 });
	leaf = test_issue(mem,
			  (struct test_cert){ .cn = "leaf",
					      .key = k[2],
					      .issuer_cn = "middle",
					      .issuer_key = k[1],
					      .san = "DNS:leaf.test",
					      .eku = "clientAuth" });
	return 0;
}

static int
tear_down(void **state)
{
	for (size_t i = 0; i < 4; i++)
		softkey_free(k[i]);
	arena_free(mem);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "paths that hold", good_chains, NULL, NULL, NULL },
		{ "paths that do not: incomplete, out of time, unreadable", bad_chains, NULL, NULL, NULL },
		{ "more certificates than allowed", too_many, NULL, NULL, NULL },
		{ "a certificate in the middle breaks a rule", broken_rules, NULL, NULL, NULL },
		{ "path length", path_length, NULL, NULL, NULL },
		{ "the judge agrees with good certificates", judge_good, NULL, NULL, NULL },
		{ "the judge agrees with what we build", judge_ours, NULL, NULL, NULL },
		{ "a certificate of another key than was read", judge_by_other_key, NULL, NULL, NULL },
		{ "the judge finds each field that differs", judge_differences, NULL, NULL, NULL },
		{ "the judge finds what is wrong", judge_bad, NULL, NULL, NULL },
	};

	assert_int_equal(crypto_init(NULL), RC_OK);
	return cmocka_run_group_tests_name("crypto_chain", tests, set_up, tear_down);
}
