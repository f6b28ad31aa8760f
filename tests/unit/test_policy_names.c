/*
 * Name constraints of authorities against OpenSSL: what the rules let pass, OpenSSL verifies; what they refuse, it refuses.
 * Keys and signatures are real here.
 */
#include "policy_world.h"

#include "crypto/chain.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/softkey.h"
#include "policy/names.h"

enum { N_KEY = 490, N_ROOT = 590, N_SUB, N_FORMAT = 690, N_PROC = 790, N_TOKEN = 890, ROUNDS = 1500 };

static struct softkey *key[2]; /* root, subordinate */
static uint64_t seed = 20261121;

static size_t
draw(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

static const char *const constraint_pool[] = {
	"dns:example.org",    "dns:a.example.org",  "dns:example.com",
	"email:example.org",  "email:.example.org", "email:u@example.org",
	"ip:10.0.0.0/8",      "ip:192.0.2.0/24",    "ip:2001:db8::/32",
	"uri:example.org",    "uri:.example.org",   "dir:C=SE",
	"dir:O=Example,C=SE", "dir:O=Other,C=SE",   "dir:OU=Deep,O=Example,C=SE",
};
static const char *const san_pool[] = {
	"dns:example.org",
	"dns:a.example.org",
	"dns:b.a.example.org",
	"dns:xexample.org",
	"dns:EXAMPLE.com",
	"dns:*.example.org",
	"email:u@example.org",
	"email:v@example.org",
	"email:u@m.example.org",
	"email:u@example.com",
	"ip:10.1.2.3",
	"ip:192.0.2.7",
	"ip:2001:db8::5",
	"ip:2001:db9::5",
	"uri:https://example.org/",
	"uri:https://a.example.org/x",
	"uri:ldap://example.com:389/o",
};
static const char *const subject_pool[] = {
	"CN=Someone,O=Example,C=SE",       "CN=Someone,O=Other,C=SE",  "CN=Someone,C=SE",
	"CN=a.example.org,O=Example,C=SE", "CN=www.evil.example,C=SE", "CN=U,OU=Deep,O=Example,C=SE",
};

/* "[\"dns:example.org\"]" of zero to three */
static const char *
draw_list(struct world *w)
{
	OWN_BUF struct buf b = buf_max(1024);
	size_t n = draw(4), used[3];

	buf_str(&b, "[");
	for (size_t i = 0, k = 0; i < n; i++) {
		size_t x = draw(ARRAY_LEN(constraint_pool));
		bool twice = false;

		for (size_t j = 0; j < k; j++)
			twice = twice || used[j] == x;
		if (twice)
			continue;
		buf_printf(&b, "%s\"%s\"", k ? "," : "", constraint_pool[x]);
		used[k++] = x;
	}
	buf_str(&b, "]");
	return buf_cstr(&b) ? arena_str(w->a, buf_bytes(&b)) : "[]";
}

static struct bytes
finish(struct world *w, struct bytes tbs, struct softkey *by)
{
	OWN_BUF struct buf signature = buf_max(SOFTKEY_SIGNATURE_MAX);
	OWN_DW struct dw out = dw_growing(LIMIT_CERT);
	struct bytes der;

	assert_int_equal(softkey_sign(by, SIGALG_ECDSA_SHA256, tbs, &signature, NULL), RC_OK);
	assert_int_equal(cert_assemble(tbs, SIGALG_ECDSA_SHA256, buf_bytes(&signature), &out, NULL), RC_OK);
	assert_int_equal(dw_dup(&out, w->a, &der, NULL), RC_OK);
	return der;
}

static enum rc
found(struct world *w, int64_t id, size_t n, struct bytes *ret, struct err *e)
{
	struct authority_issue_facts f = { .policy = w->s,
					   .authority = doc_id_of(id),
					   .spki = softkey_spki(key[n]),
					   .now_ms = WORLD_NOW - 60000,
					   .random = { (uint8_t)n, 2, 3 } };
	struct authority_decision d;
	struct pubkey pub;
	uint8_t key_id[SHA1_LEN];

	assert_int_equal(pubkey_parse(f.spki, &pub, NULL), RC_OK);
	sha1(pub.bits_der, key_id);
	f.key_id = BYTES_OF(key_id);
	TRY(decide_authority(w->a, &f, &d, e));
	*ret = finish(w, d.tbs, key[0]);
	w->facts[n] = (struct authority_facts){ doc_id_of(id), cert_id_of(id * 1000), *ret };
	w->facts_n = n + 1;
	world_build(w);
	return RC_OK;
}

static void
put_authority(struct world *w, int64_t id, const char *more, const char *permitted, const char *excluded)
{
	world_put(w, KIND_AUTHORITY, id,
		  arena_printf(w->a,
			       "{\"name\":\"N %lld\",%s,\"format\":601,\"validity\":\"P5Y\","
			       "\"permitted_names\":%s,\"excluded_names\":%s}",
			       (long long)id, more, permitted, excluded));
}

static struct world *
names_world(void)
{
	struct world *w = world_new();
	struct err e = { 0 };

	if (crypto_init(&e) != RC_OK)
		fail_msg("%s", e.text);
	for (int i = 0; i < 2; i++) {
		if (key[i] == NULL)
			assert_int_equal(softkey_generate("p-256", &key[i], &e), RC_OK);
		world_put(w, KIND_CA_KEY, N_KEY + i,
			  arena_printf(w->a, "{\"name\":\"N key %d\",\"algorithm\":\"p-256\"}", i));
	}
	world_put(
	    w, KIND_FORMAT, N_FORMAT,
	    "{\"name\":\"Names\",\"subject\":[{\"attribute\":\"C\"},{\"attribute\":\"O\"},{\"attribute\":"
	    "\"OU\"},{\"attribute\":\"CN\"}],\"san\":[{\"type\":\"dns\"},{\"type\":\"email\"},{\"type\":"
	    "\"ip\"},{\"type\":\"uri\"},{\"type\":\"upn\"},{\"type\":\"smtp-utf8\"}]}");
	return w;
}

static void
add_procedure(struct world *w)
{
	if (snapshot_document(w->s, doc_id_of(N_PROC)) != NULL)
		return;
	world_put(w, KIND_CERTIFICATE_PROCEDURE, N_PROC,
		  arena_printf(w->a,
			       "{\"name\":\"Names\",\"authority\":%d,\"format\":%d,\"validity\":\"P30D\"}",
			       N_SUB, N_FORMAT));
	world_put(w, KIND_TOKEN_PROCEDURE, N_TOKEN,
		  arena_printf(
		      w->a,
		      "{\"name\":\"Names\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[%d]}",
		      N_PROC));
}

/* The certificate that would have been made of a refused request. */
static struct bytes
made_anyway(struct world *w, struct asking *q, struct issue_decision *d)
{
	OWN_DW struct dw out = dw_growing(LIMIT_TBS);
	struct bytes tbs;

	d->inputs.spki = q->facts.csr->key.spki;
	d->inputs.key_id = q->facts.key_id;
	d->inputs.not_before_at = WORLD_NOW - 1000;
	d->inputs.not_after_at = WORLD_NOW + 86400000;
	d->inputs.serial = BYTES("\x01\x02\x03");
	assert_int_equal(cert_tbs_build(&d->procedure->template_, &d->inputs, &out, NULL), RC_OK);
	assert_int_equal(dw_dup(&out, w->a, &tbs, NULL), RC_OK);
	return finish(w, tbs, key[1]);
}

static bool
openssl_accepts(struct bytes leaf, struct bytes sub, struct bytes root)
{
	struct err e = { 0 };
	enum rc rc = chain_verify(leaf, &sub, 1, &root, 1, WORLD_NOW, &e);

	if (rc != RC_OK && e.code != CHY_CHAIN_INVALID)
		fail_msg("%s: %s", code_name(e.code), e.text);
	return rc == RC_OK;
}

/* One leaf below both authorities; returns what the rules said, which OpenSSL must say as well. */
static enum code
try_leaf(struct world *w, const struct wish *x, struct bytes sub, struct bytes root, char text[ERR_TEXT_MAX])
{
	struct asking *q = world_ask(w, "Names", x);
	struct issue_decision d;
	struct err e = { 0 };
	struct bytes tbs, leaf;
	enum rc rc = decide_issue(w->a, &q->facts, &d, &e);

	snprintf(text, ERR_TEXT_MAX, "%s", e.text);
	if (rc == RC_OK) {
		assert_int_equal(issue_tbs(w->a, &d, &tbs, &e), RC_OK);
		leaf = finish(w, tbs, key[1]);
	} else {
		if (e.code != CHY_NAME_CONSTRAINT)
			fail_msg("%s %s", code_name(e.code), e.text);
		assert_string_equal(d.trace.v[d.trace.n - 1].rule, "name-constraints");
		leaf = made_anyway(w, q, &d);
	}
	/* stricter than OpenSSL on purpose: *.example.org stands for the excluded a.example.org too */
	if (strstr(e.text, "\"dns:*.") != NULL && strstr(e.text, "excluded") != NULL)
		return e.code;
	if (openssl_accepts(leaf, sub, root) != (rc == RC_OK))
		fail_msg("we say %s (%s), OpenSSL says otherwise: subject %s, names %s %s", code_name(e.code),
			 e.text, x->subject, x->san[0] ? x->san[0] : "-",
			 x->san[0] && x->san[1] ? x->san[1] : "-");
	return e.code;
}

static void
as_openssl_sees_it(void **state)
{
	size_t passed = 0, refused = 0, no_sub = 0;
	OWN(world_free)
	struct world *w = names_world();

	for (int i = 0; i < ROUNDS; i++) {
		struct wish x = { .key = "ed25519", .subject = subject_pool[draw(ARRAY_LEN(subject_pool))] };
		struct bytes root, sub;
		struct err e = { 0 };
		char text[ERR_TEXT_MAX];

		if (i % 50 == 0) { /* documents pile up in the arena */
			world_free(w);
			w = names_world();
		}
		w->facts_n = 0;
		put_authority(w, N_ROOT,
			      "\"type\":\"root\",\"ca_key\":490,\"subject\":\"CN=Root,O=Example,C=SE\"",
			      draw(2) ? draw_list(w) : "[]", draw(3) ? "[]" : draw_list(w));
		assert_int_equal(found(w, N_ROOT, 0, &root, &e), RC_OK);
		put_authority(
		    w, N_SUB,
		    "\"type\":\"subordinate\",\"issuing_authority\":590,\"ca_key\":491,\"subject\":\"CN=Sub,"
		    "O=Example,C=SE\"",
		    draw(2) ? draw_list(w) : "[]", draw(3) ? "[]" : draw_list(w));
		if (found(w, N_SUB, 1, &sub, &e) != RC_OK) {
			assert_int_equal(e.code, CHY_NAME_CONSTRAINT);
			no_sub++;
			continue;
		}
		add_procedure(w);
		for (size_t k = 0, n = draw(3); k < n; k++)
			x.san[k] = san_pool[draw(ARRAY_LEN(san_pool))];
		if (try_leaf(w, &x, sub, root, text) == CHY_NONE)
			passed++;
		else
			refused++;
	}
	print_message("# %zu passed, %zu refused, %zu authorities refused\n", passed, refused, no_sub);
	assert_true(passed > 200 && refused > 200 && no_sub > 20);
}

/* What stands in the message, and kinds that OpenSSL does not judge. */
static void
told_apart(void **state)
{
	static const struct {
		const char *permitted, *excluded, *subject, *san, *says; /* NULL: allowed */
	} rows[] = {
		{ "[\"dns:example.org\"]", "[]", "CN=X", "dns:evil.example", "dns:example.org" },
		{ "[]", "[\"dns:evil.example\"]", "CN=X", "dns:www.evil.example", "dns:evil.example" },
		{ "[\"dns:example.org\"]", "[]", "CN=www.evil.example", NULL, "dns:example.org" },
		{ "[\"dns:example.org\"]", "[]", "CN=www.evil.example", "dns:example.org", NULL },
		{ "[\"upn:example.org\"]", "[]", "CN=X", "upn:u@example.org", NULL },
		{ "[\"upn:example.org\"]", "[]", "CN=X", "upn:u@example.com", "upn:example.org" },
		{ "[\"email:example.org\"]", "[]", "CN=X", "smtputf8:\xc3\xbc@example.com",
		  "email:example.org" },
		{ "[\"email:example.org\"]", "[]", "CN=X", "smtputf8:\xc3\xbc@example.org", NULL },
		{ "[]", "[\"dns:a.example.org\"]", "CN=X", "dns:*.example.org", "dns:a.example.org" },
	};
	OWN(world_free)
	struct world *w = names_world();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wish x = { .key = "ed25519", .subject = rows[i].subject, .san = { rows[i].san } };
		struct issue_decision d;
		struct err e = { 0 };
		struct bytes der;

		w->facts_n = 0;
		put_authority(w, N_ROOT,
			      "\"type\":\"root\",\"ca_key\":490,\"subject\":\"CN=Root,O=Example,C=SE\"",
			      rows[i].permitted, rows[i].excluded);
		assert_int_equal(found(w, N_ROOT, 0, &der, &e), RC_OK);
		put_authority(
		    w, N_SUB,
		    "\"type\":\"subordinate\",\"issuing_authority\":590,\"ca_key\":491,\"subject\":\"CN=Sub,"
		    "O=Example,C=SE\"",
		    "[]", "[]");
		assert_int_equal(found(w, N_SUB, 1, &der, &e), RC_OK);
		add_procedure(w);
		if (decide_issue(w->a, &world_ask(w, "Names", &x)->facts, &d, &e) == RC_OK)
			assert_null(rows[i].says);
		else if (rows[i].says == NULL || e.code != CHY_NAME_CONSTRAINT ||
			 !strstr(e.text, rows[i].says) || !strstr(e.text, "N 590"))
			fail_msg("row %zu: %s %s", i, code_name(e.code), e.text);
		else
			assert_string_equal(e.field, "csr.names");
	}
}

/* Documents say no constraint that cannot be judged or written. */
static void
constraints_in_documents(void **state)
{
	static const char *const bad[] = { "example.org", "rid:1.2.3",      "dns:-",
					   "ip:10.0.0.0", "ip:10.0.0.1/33", "other:1.2.3:#0500",
					   "email:",      "dir:nonsense",   "uri:https://example.org/" };
	OWN(world_free)
	struct world *w = names_world();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };

		assert_int_not_equal(
		    world_check(
			w, KIND_AUTHORITY, 0, false,
			arena_printf(
			    w->a,
			    "{\"name\":\"B\",\"type\":\"root\",\"ca_key\":490,\"subject\":\"CN=B\","
			    "\"format\":601,\"validity\":\"P1Y\",\"excluded_names\":[\"dns:a.example\","
			    "\"%s\"]}",
			    bad[i]),
			NULL, &e),
		    RC_OK);
		assert_int_equal(e.code, CHY_FIELD_VALUE);
		assert_string_equal(e.field, "excluded_names[1]");
	}
}

/* An installation whose boot officers may still act produces nothing but by the system's own authority. */
static void
no_production_by_boot_officers(void **state)
{
	OWN(world_free)
	struct world *w = world_new();
	struct wish x = { .subject = "CN=a.example.org", .san = { "dns:a.example.org" } };
	struct issue_decision d;
	struct err e = { 0 };

	world_put(w, KIND_OFFICER, 399,
		  "{\"name\":\"Boot\",\"profile\":\"Admin\",\"boot\":true,\"certificate_sha256\":" PRINT(
		      "eeeeeeee") "}");
	assert_int_not_equal(decide_issue(w->a, &world_ask(w, "Server", &x)->facts, &d, &e), RC_OK);
	assert_int_equal(e.code, CHY_ISSUE_BOOT);
	assert_string_equal(d.trace.v[d.trace.n - 1].rule, "production");
	world_put(w, KIND_OFFICER, 399,
		  "{\"name\":\"Boot\",\"profile\":\"Admin\",\"boot\":true,\"state\":\"closed\",\"certificate_"
		  "sha256\":" PRINT("eeeeeeee") "}");
	err_clear(&e);
	if (decide_issue(w->a, &world_ask(w, "Server", &x)->facts, &d, &e) != RC_OK)
		fail_msg("%s", e.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "issued names verify with OpenSSL, refused ones do not", as_openssl_sees_it, NULL, NULL,
		  NULL },
		{ "a refusal names authority, name and subtree", told_apart, NULL, NULL, NULL },
		{ "constraints in documents", constraints_in_documents, NULL, NULL, NULL },
		{ "no production while boot officers are active rows=CM-A-17", no_production_by_boot_officers,
		  NULL, NULL, NULL },
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	softkey_free(key[0]);
	softkey_free(key[1]);
	return failed;
}
