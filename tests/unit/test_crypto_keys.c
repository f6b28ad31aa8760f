/* Signing and verifying with every kind of key, keys at rest, PKCS#12. Judged against vectors and the openssl command. */
#include "base/base.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/p12.h"
#include "crypto/softkey.h"
#include "crypto/verify.h"
#include "crypto_help.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static const char *const kinds[] = { "rsa-2048", "p-256",     "p-384",     "p-521",    "ed25519",
				     "ed448",    "ml-dsa-44", "ml-dsa-65", "ml-dsa-87" };

static struct bytes
unhex(struct arena *a, const char *text)
{
	struct bytes b;

	assert_int_equal(hex_parse(a, bytes_str(text), &b, NULL), RC_OK);
	return b;
}

static enum code
verify_code(struct bytes spki, enum sigalg alg, struct bytes message, struct bytes sig)
{
	struct err e = { 0 };
	enum rc rc = verify_signature(spki, alg, message, sig, &e);

	assert_int_equal(rc, e.rc);
	return e.code;
}

/* ---- vectors ---- */

/* RFC 6979 A.2.5, SHA-256, message "sample"; RFC 8032 7.1 test 2 and 7.4 "1 octet" */
static const struct {
	enum sigalg alg;
	const char *spki, *message, *signature;
} vectors[] = {
	{ SIGALG_ECDSA_SHA256,
	  "3059301306072a8648ce3d020106082a8648ce3d030107034200"
	  "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
	  "73616d706c65",
	  "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
	  "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" },
	{ SIGALG_ED25519,
	  "302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ SIGALG_ED448,
	  "3043300506032b6571033a0043ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c"
	  "6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
	  "03",
	  "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f435"
	  "2541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cb"
	  "cee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f"
	  "f3348ab21aa4adafd1d234441cf807c03a00" },
};

static void
verify_vectors(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct bytes spki = unhex(a, vectors[i].spki), message = unhex(a, vectors[i].message),
			     sig = unhex(a, vectors[i].signature);
		uint8_t *p = (uint8_t *)(uintptr_t)sig.p;

		assert_int_equal(verify_code(spki, vectors[i].alg, message, sig), CHY_NONE);
		assert_int_equal(verify_code(spki, vectors[i].alg, BYTES("other"), sig), CHY_SIGNATURE_WRONG);
		assert_int_equal(verify_code(spki, vectors[i].alg, message, BYTES_NONE), CHY_SIGNATURE_WRONG);
		assert_int_equal(verify_code(spki, vectors[i].alg, message, bytes_of(sig.p, sig.n - 1)),
				 CHY_SIGNATURE_WRONG);
		for (size_t at = 0; at < sig.n; at += 3) {
			p[at] ^= 4;
			if (verify_code(spki, vectors[i].alg, message, sig) != CHY_SIGNATURE_WRONG)
				fail_msg("vector %zu with octet %zu changed", i, at);
			p[at] ^= 4;
		}
	}
}

/* A signature has one encoding: what BER would also allow is refused, r = 0 and r = n too. */
static void
ecdsa_encodings(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct bytes spki = unhex(a, vectors[0].spki), m = BYTES("sample");
#define SIG_R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define SIG_S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
	static const char *const bad[] = {
		"3046022100" SIG_R "022100" SIG_S "00",   /* something behind it */
		"308146022100" SIG_R "022100" SIG_S,      /* length too long */
		"304702220000" SIG_R "022100" SIG_S,      /* number not minimal */
		"30450220" SIG_R "022100" SIG_S,          /* negative */
		"3080022100" SIG_R "022100" SIG_S "0000", /* indefinite */
		"3026020100022100" SIG_S,                 /* r = 0 */
		"3046022100" ORDER "022100" SIG_S,        /* r = n */
		"3006020101020101",
		SIG_R SIG_S,
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (verify_code(spki, SIGALG_ECDSA_SHA256, m, unhex(a, bad[i])) != CHY_SIGNATURE_WRONG)
			fail_msg("accepted %s", bad[i]);
}

/* ---- every kind ---- */

static enum sigalg
each_alg(const struct softkey *k, enum sigalg after)
{
	struct pubkey key;
	struct key_type type;

	assert_int_equal(pubkey_parse(softkey_spki(k), &key, NULL), RC_OK);
	type = pubkey_type(&key);
	for (enum sigalg alg = after + 1; alg < SIGALG_COUNT; alg++)
		if (sigalg_fits(alg, &type))
			return alg;
	return SIGALG_NONE;
}

/* What the library itself thinks of our signature. */
static void
judge_signature(const struct softkey *k, enum sigalg alg, struct bytes message, struct bytes sig)
{
	static const char *const mds[] = { NULL, "SHA256", "SHA384", "SHA512" };
	const uint8_t *p = softkey_spki(k).p;
	EVP_PKEY *public = d2i_PUBKEY(NULL, &p, (long)softkey_spki(k).n);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc;

	assert_int_equal(EVP_DigestVerifyInit_ex(c, &pc, mds[sigalg_digest(alg)], NULL, NULL, public, NULL),
			 1);
	if (alg >= SIGALG_RSA_PSS_SHA256 && alg <= SIGALG_RSA_PSS_SHA512) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	assert_int_equal(EVP_DigestVerify(c, sig.p, sig.n, message.p, message.n), 1);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(public);
}

static void
sign_each(const struct softkey *k, const struct softkey *other, enum sigalg alg)
{
	struct bytes message = BYTES("to be signed");
	OWN(verifier_free)
	struct verifier *v = NULL;

	assert_int_equal(verifier_new(softkey_spki(k), &v, NULL), RC_OK);
	for (int i = 0; i < 3; i++) { /* the second and third by a context that was used */
		OWN_BUF struct buf sig = buf_max(SOFTKEY_SIGNATURE_MAX);
		struct err e = { 0 };

		if (softkey_sign(k, alg, message, &sig, &e) != RC_OK)
			fail_msg("%s: %s", sigalg_name(alg), e.text);
		judge_signature(k, alg, message, buf_bytes(&sig));
		assert_int_equal(verify_code(softkey_spki(k), alg, message, buf_bytes(&sig)), CHY_NONE);
		assert_int_equal(verifier_check(v, alg, message, buf_bytes(&sig), NULL), RC_OK);
		assert_int_equal(verifier_check(v, alg, BYTES("x"), buf_bytes(&sig), &e), RC_MALFORMED);
		assert_int_equal(e.code, CHY_SIGNATURE_WRONG);
		assert_int_equal(verify_code(softkey_spki(k), alg, BYTES("x"), buf_bytes(&sig)),
				 CHY_SIGNATURE_WRONG);
		assert_int_equal(verify_code(softkey_spki(other), alg, message, buf_bytes(&sig)),
				 CHY_SIGNATURE_WRONG);
		sig.p[sig.n / 2] ^= 1;
		assert_int_equal(verify_code(softkey_spki(k), alg, message, buf_bytes(&sig)),
				 CHY_SIGNATURE_WRONG);
	}
}

static void
sign_digest(const struct softkey *k, enum sigalg alg)
{
	OWN_BUF struct buf sig = buf_max(SOFTKEY_SIGNATURE_MAX);
	uint8_t out[HASH_MAX];
	enum digest d = sigalg_digest(alg);
	enum hash_alg h = d == DIGEST_SHA512 ? HASH_SHA512 : d == DIGEST_SHA384 ? HASH_SHA384 : HASH_SHA256;
	struct bytes hash = hash_of(h, BYTES("message"), out);
	struct err e = { 0 };

	if (d == DIGEST_NONE) {
		assert_int_equal(softkey_sign_digest(k, alg, hash, &sig, &e), RC_MALFORMED);
		assert_int_equal(e.code, CHY_SIGNATURE_ALGORITHM);
		return;
	}
	assert_int_equal(softkey_sign_digest(k, alg, hash, &sig, &e), RC_OK);
	assert_int_equal(verify_code(softkey_spki(k), alg, BYTES("message"), buf_bytes(&sig)), CHY_NONE);
	assert_int_equal(softkey_sign_digest(k, alg, bytes_of(out, hash.n - 1), &sig, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_SIGNATURE_ALGORITHM);
}

static void
every_kind(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		OWN(softkey_free)
		struct softkey *k = NULL;
		OWN(softkey_free)
		struct softkey *other = NULL;
		struct err e = { 0 };
		unsigned algs = 0;

		if (softkey_generate(kinds[i], &k, &e) != RC_OK) {
			/* the only reason there may be: a library before 3.5 */
			assert_int_equal(e.code, CHY_ALGORITHM_MISSING);
			assert_true(bytes_starts(bytes_str(kinds[i]), "ml-dsa"));
			assert_true(OPENSSL_VERSION_NUMBER < 0x30500000);
			continue;
		}
		assert_int_equal(softkey_generate(kinds[i], &other, NULL), RC_OK);
		assert_string_equal(softkey_kind(k), kinds[i]);
		for (enum sigalg alg = each_alg(k, SIGALG_NONE); alg != SIGALG_NONE;
		     alg = each_alg(k, alg), algs++) {
			sign_each(k, other, alg);
			sign_digest(k, alg);
		}
		assert_true(algs >= 1 && sigalg_available(softkey_default_alg(k)));
	}
}

static void
wrong_kinds(void **state)
{
	static const char *const bad[] = { "",         "rsa",   "rsa-1024", "rsa-2047",
					   "rsa-5120", "p-192", "p-257",    "dsa" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct softkey *k = NULL;
		struct err e = { 0 };

		assert_int_equal(softkey_generate(bad[i], &k, &e), RC_MALFORMED);
		assert_int_equal(e.code, CHY_KEY_KIND);
		assert_null(k);
	}
}

static void
wrong_algorithms(void **state)
{
	OWN(softkey_free)
	struct softkey *rsa = test_key("rsa-2048");
	OWN(softkey_free)
	struct softkey *ec = test_key("p-256");
	OWN_BUF struct buf sig = buf_max(SOFTKEY_SIGNATURE_MAX);
	struct err e = { 0 };

	assert_int_equal(softkey_sign(rsa, SIGALG_ECDSA_SHA256, BYTES("x"), &sig, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_SIGNATURE_ALGORITHM);
	err_clear(&e);
	assert_int_equal(softkey_sign(ec, SIGALG_ED25519, BYTES("x"), &sig, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_SIGNATURE_ALGORITHM);
	assert_int_equal(verify_code(softkey_spki(ec), SIGALG_RSA_PKCS1_SHA256, BYTES("x"), BYTES("y")),
			 CHY_SIGNATURE_ALGORITHM);
	assert_int_equal(verify_code(softkey_spki(ec), SIGALG_NONE, BYTES("x"), BYTES("y")),
			 CHY_ALGORITHM_MISSING);
	/* PKCS#1 is not PSS, and one digest not another */
	assert_int_equal(softkey_sign(rsa, SIGALG_RSA_PKCS1_SHA256, BYTES("x"), &sig, NULL), RC_OK);
	assert_int_equal(verify_code(softkey_spki(rsa), SIGALG_RSA_PSS_SHA256, BYTES("x"), buf_bytes(&sig)),
			 CHY_SIGNATURE_WRONG);
	assert_int_equal(verify_code(softkey_spki(rsa), SIGALG_RSA_PKCS1_SHA384, BYTES("x"), buf_bytes(&sig)),
			 CHY_SIGNATURE_WRONG);
}

/* RFC 4055 3.1: our algorithm identifier says that the salt is as long as the digest. */
static void
pss_salt(void **state)
{
	OWN(softkey_free)
	struct softkey *rsa = test_key("rsa-2048");
	static const int salts[] = { 0, 20, 31, 32, 33, RSA_PSS_SALTLEN_MAX };

	for (size_t i = 0; i < ARRAY_LEN(salts); i++) {
		EVP_MD_CTX *c = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pc;
		uint8_t sig[512];
		size_t n = sizeof(sig);

		assert_int_equal(EVP_DigestSignInit(c, &pc, EVP_sha256(), NULL, softkey_pkey(rsa)), 1);
		assert_true(EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, salts[i]) > 0);
		assert_int_equal(EVP_DigestSign(c, sig, &n, (const uint8_t *)"x", 1), 1);
		assert_int_equal(
		    verify_code(softkey_spki(rsa), SIGALG_RSA_PSS_SHA256, BYTES("x"), bytes_of(sig, n)),
		    salts[i] == 32 ? CHY_NONE : CHY_SIGNATURE_WRONG);
		EVP_MD_CTX_free(c);
	}
}

struct worker {
	const struct softkey *k;
	enum sigalg alg;
	int good;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (uint8_t i = 0; i < 60; i++) {
		OWN_BUF struct buf sig = buf_max(SOFTKEY_SIGNATURE_MAX);

		w->good += softkey_sign(w->k, w->alg, bytes_of(&i, 1), &sig, NULL) == RC_OK &&
		    verify_signature(softkey_spki(w->k), w->alg, bytes_of(&i, 1), buf_bytes(&sig), NULL) ==
			RC_OK;
	}
	return NULL;
}

static void
threads_share_a_key(void **state)
{
	static const char *const some[] = { "p-256", "rsa-2048", "ed25519" };

	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		OWN(softkey_free)
		struct softkey *k = test_key(some[i]);
		struct worker w[24];
		pthread_t t[24];

		for (int n = 0; n < 24; n++) {
			w[n] = (struct worker){ k, softkey_default_alg(k), 0 };
			assert_int_equal(pthread_create(&t[n], NULL, work, &w[n]), 0);
		}
		for (int n = 0; n < 24; n++) {
			pthread_join(t[n], NULL);
			assert_int_equal(w[n].good, 60);
		}
	}
}

/* The same in guarded memory, and all of it comes back. */
static void
guarded_keys(void **state)
{
	bool locked;
	size_t before;

	assert_int_equal(crypto_guard_keys(&locked, NULL), RC_OK);
	before = CRYPTO_secure_used();
	{
		OWN(softkey_free)
		struct softkey *k = test_key("p-256");

		assert_true(softkey_spki(k).n > 0 && CRYPTO_secure_used() > before);
	}
	assert_int_equal(CRYPTO_secure_used(), before);
	every_kind(NULL);
	threads_share_a_key(NULL);
	assert_int_equal(crypto_guard_keys(&locked, NULL), RC_OK);
}

/* ---- proof of possession ---- */

static void
proof_of_possession(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 18);
	OWN(softkey_free)
	struct softkey *k = test_key("p-256");
	OWN(softkey_free)
	struct softkey *other = test_key("p-256");

	for (int mine = 0; mine < 2; mine++) {
		X509_REQ *req = X509_REQ_new();
		uint8_t *der = NULL;
		struct csr csr;
		struct err e = { 0 };
		int n;

		test_name(X509_REQ_get_subject_name(req), "request");
		assert_true(X509_REQ_set_pubkey(req, softkey_pkey(k)));
		assert_true(X509_REQ_sign(req, softkey_pkey(mine ? k : other), EVP_sha256()) > 0);
		n = i2d_X509_REQ(req, &der);
		assert_int_equal(csr_parse(a, bytes_of(der, (size_t)n), &csr, NULL), RC_OK);
		assert_int_equal(verify_csr(&csr, &e), mine ? RC_OK : RC_MALFORMED);
		assert_int_equal(e.code, mine ? CHY_NONE : CHY_SIGNATURE_WRONG);
		assert_string_equal(e.field, mine ? "" : "signature");
		OPENSSL_free(der);
		X509_REQ_free(req);
	}
}

/* ---- at rest ---- */

static char folder[64];

static void
in_folder(char *path, size_t n, const char *name)
{
	if (folder[0] == 0) {
		snprintf(folder, sizeof(folder), "/tmp/chy-crypto-XXXXXX");
		assert_non_null(mkdtemp(folder));
	}
	snprintf(path, n, "%s/%s", folder, name);
}

/* Runs a command in the scratch folder; its exit status. */
static int
run(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && (%s) >out 2>err", folder, command);
	return system(line);
}

static enum code
load_code(struct bytes saved, const char *passphrase, const struct softkey *expect)
{
	OWN(secret_free)
	struct secret *s = secret_of(bytes_str(passphrase));
	OWN(softkey_free)
	struct softkey *k = NULL;
	struct err e = { 0 };

	if (softkey_load(saved, s, &k, &e) == RC_OK)
		assert_true(bytes_eq(softkey_spki(k), softkey_spki(expect)));
	return e.code;
}

static void
keys_at_rest(void **state)
{
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("correct horse"));
	char path[128];

	in_folder(path, sizeof(path), "key.der");
	for (size_t i = 0; i < 6; i++) {
		OWN(softkey_free)
		struct softkey *k = test_key(kinds[i]);
		OWN_BUF struct buf saved = buf_max(SOFTKEY_SAVED_MAX);

		assert_int_equal(softkey_save(k, s, &saved, NULL), RC_OK);
		assert_int_equal(load_code(buf_bytes(&saved), "correct horse", k), CHY_NONE);
		assert_int_equal(load_code(bytes_of(saved.p, saved.n - 1), "correct horse", k),
				 CHY_SOFTKEY_FORM);
		assert_int_equal(load_code(BYTES_NONE, "correct horse", k), CHY_SOFTKEY_FORM);
		/* 1 in 256 wrong passphrases give good padding and then nonsense: either code says no */
		assert_int_not_equal(load_code(buf_bytes(&saved), "correct horsf", k), CHY_NONE);
		assert_int_not_equal(load_code(buf_bytes(&saved), "", k), CHY_NONE);
		assert_int_equal(file_write(path, buf_bytes(&saved), 0600, NULL), RC_OK);
		assert_int_equal(
		    run("openssl pkey -inform DER -in key.der -passin 'pass:correct horse' -noout"), 0);
		assert_int_not_equal(run("openssl pkey -inform DER -in key.der -passin pass:wrong -noout"),
				     0);
	}
}

/* A key that was altered on its medium is not taken, wherever it was altered. */
static void
altered_at_rest(void **state)
{
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("correct horse"));
	OWN(softkey_free)
	struct softkey *k = test_key("p-256");
	OWN_BUF struct buf saved = buf_max(SOFTKEY_SAVED_MAX);

	assert_int_equal(softkey_save(k, s, &saved, NULL), RC_OK);
	for (size_t at = 0; at < saved.n; at += 7) {
		OWN(softkey_free)
		struct softkey *got = NULL;

		/* the cost of scrypt, which a forger could raise or leave out */
		if (saved.p[at] == 0x02)
			continue;
		saved.p[at] ^= 0x10;
		if (softkey_load(buf_bytes(&saved), s, &got, NULL) == RC_OK &&
		    !bytes_eq(softkey_spki(got), softkey_spki(k)))
			fail_msg("another key after a change at %zu", at);
		saved.p[at] ^= 0x10;
	}
}

static void
bare_pkcs8(void **state)
{
	OWN(softkey_free)
	struct softkey *k = test_key("p-256");
	OWN(softkey_free)
	struct softkey *got = NULL;
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(softkey_pkey(k));
	uint8_t *der = NULL;
	int n = i2d_PKCS8_PRIV_KEY_INFO(plain, &der);
	struct err e = { 0 };

	assert_int_equal(softkey_from_pkcs8(bytes_of(der, (size_t)n), &got, NULL), RC_OK);
	assert_true(bytes_eq(softkey_spki(got), softkey_spki(k)));
	softkey_free(got);
	got = NULL;
	/* the private number no longer fits the public point that is beside it */
	der[40] ^= 1;
	assert_int_equal(softkey_from_pkcs8(bytes_of(der, (size_t)n), &got, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_SOFTKEY_FORM);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(plain);
}

/* ---- PKCS#12 ---- */

static enum code
p12_code(struct arena *a, struct bytes file, const char *password)
{
	OWN(secret_free)
	struct secret *s = secret_of(bytes_str(password));
	struct p12 got;
	struct err e = { 0 };

	if (p12_read(a, file, s, &got, &e) == RC_OK)
		softkey_free(got.key);
	else
		assert_null(got.key);
	return e.code;
}

static void
p12_round_trip(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("p\xc3\xa4ss"));
	OWN(softkey_free)
	struct softkey *root = test_key("p-256");
	struct bytes top = test_issue(
	    a, (struct test_cert){ .cn = "root", .key = root, .ca = true, .path_len = -1 });
	char path[128];

	in_folder(path, sizeof(path), "token.p12");
	for (size_t i = 0; i < 6; i++) {
		OWN(softkey_free)
		struct softkey *k = test_key(kinds[i]);
		OWN(softkey_free)
		struct softkey *back = NULL;
		OWN_BUF struct buf file = buf_max(P12_MAX);
		struct bytes cert = test_issue(
		    a,
		    (struct test_cert){ .cn = kinds[i], .key = k, .issuer_cn = "root", .issuer_key = root });
		struct p12 got;
		struct err e = { 0 };

		assert_int_equal(p12_write(k, cert, &top, 1, BYTES("officer"), s, &file, &e), RC_OK);
		assert_int_equal(p12_read(a, buf_bytes(&file), s, &got, &e), RC_OK);
		back = got.key;
		assert_true(bytes_eq(softkey_spki(back), softkey_spki(k)));
		assert_true(bytes_eq(got.cert, cert));
		assert_int_equal(got.chain_count, 1);
		assert_true(bytes_eq(got.chain[0], top));
		assert_int_equal(p12_code(a, buf_bytes(&file), "p\xc3\xa4st"), CHY_P12_PASSWORD);
		assert_int_equal(p12_code(a, buf_bytes(&file), ""), CHY_P12_PASSWORD);
		assert_int_equal(p12_code(a, bytes_of(file.p, file.n - 1), "p\xc3\xa4ss"), CHY_P12_FORM);
		assert_int_equal(file_write(path, buf_bytes(&file), 0600, NULL), RC_OK);
		assert_int_equal(run("openssl pkcs12 -in token.p12 -passin 'pass:p\xc3\xa4ss' -nodes"), 0);
		file.p[file.n / 2] ^= 1;
		assert_int_not_equal(p12_code(a, buf_bytes(&file), "p\xc3\xa4ss"), CHY_NONE);
		/* a certificate of another key */
		assert_int_equal(p12_write(k, top, NULL, 0, BYTES_NONE, s, &file, &e), RC_MALFORMED);
		assert_int_equal(e.code, CHY_P12_FORM);
	}
}

static void
p12_of_others(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	static const struct {
		const char *options;
		enum code code;
	} cases[] = {
		{ "", CHY_NONE },
		{ "-macalg sha1 -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES", CHY_NONE },
		{ "-keypbe NONE -certpbe NONE", CHY_NONE },
		{ "-nomac", CHY_P12_FORM },
		{ "-nokeys", CHY_P12_FORM },
		{ "-legacy", CHY_ALGORITHM_MISSING },
	};
	char path[128];

	in_folder(path, sizeof(path), "o.p12");
	assert_int_equal(run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
			     "k.pem -out c.pem "
			     "-days 2 -subj /CN=x"),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char command[256];
		struct bytes file;

		snprintf(command, sizeof(command),
			 "openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass:pw -out o.p12 %s",
			 cases[i].options);
		assert_int_equal(run(command), 0);
		assert_int_equal(file_read(a, path, P12_MAX, &file, NULL), RC_OK);
		if (p12_code(a, file, "pw") != cases[i].code)
			fail_msg("openssl pkcs12 %s: %d", cases[i].options, (int)p12_code(a, file, "pw"));
	}
	assert_int_equal(p12_code(a, BYTES("no PKCS#12"), "pw"), CHY_P12_FORM);
	assert_int_equal(p12_code(a, BYTES_NONE, "pw"), CHY_P12_FORM);
}

/* Time that this thread has used: neighbours on the machine do not count. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Printed where asked for; the machine is shared, so nothing is promised here. */
static void
cost(void **state)
{
	OWN(softkey_free)
	struct softkey *k = test_key("p-256");
	OWN_BUF struct buf sig = buf_max(1 << 20);
	enum { N = 2000 };
	int64_t start;

	if (getenv("CHY_TIMING") == NULL)
		return;
	assert_int_equal(softkey_sign(k, SIGALG_ECDSA_SHA256, BYTES("x"), &sig, NULL), RC_OK);
	start = cpu_us();
	for (int i = 0; i < N; i++)
		assert_int_equal(
		    verify_signature(softkey_spki(k), SIGALG_ECDSA_SHA256, BYTES("x"), buf_bytes(&sig), NULL),
		    RC_OK);
	fprintf(stderr, "verify p-256 with import: %.1f us\n", (double)(cpu_us() - start) / N);
	start = cpu_us();
	for (int i = 0; i < N; i++)
		assert_int_equal(softkey_sign(k, SIGALG_ECDSA_SHA256, BYTES("x"), &sig, NULL), RC_OK);
	fprintf(stderr, "sign p-256: %.1f us\n", (double)(cpu_us() - start) / N);
}

static int
clean(void **state)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -rf %s", folder);
	return folder[0] == 0 ? 0 : system(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "vectors of RFC 6979 and RFC 8032 verify, altered ones do not", verify_vectors, NULL, NULL,
		  NULL },
		{ "an ECDSA signature has one encoding", ecdsa_encodings, NULL, NULL, NULL },
		{ "every kind of key signs with all its algorithms", every_kind, NULL, NULL, NULL },
		{ "unknown kinds of keys are not made", wrong_kinds, NULL, NULL, NULL },
		{ "algorithms that do not fit the key are refused", wrong_algorithms, NULL, NULL, NULL },
		{ "PSS salts of another length are refused", pss_salt, NULL, NULL, NULL },
		{ "many threads sign with one key", threads_share_a_key, NULL, NULL, NULL },
		{ "a request signed by another key is refused", proof_of_possession, NULL, NULL, NULL },
		{ "keys at rest open with their passphrase only", keys_at_rest, NULL, NULL, NULL },
		{ "keys altered at rest are not taken for others", altered_at_rest, NULL, NULL, NULL },
		{ "bare keys whose parts do not fit are refused", bare_pkcs8, NULL, NULL, NULL },
		{ "PKCS#12 written and read again", p12_round_trip, NULL, NULL, NULL },
		{ "PKCS#12 of the openssl command", p12_of_others, NULL, NULL, NULL },
		{ "keys in guarded memory", guarded_keys, NULL, NULL, NULL },
		{ "the cost of signing and verifying", cost, NULL, NULL, NULL },
	};

	assert_int_equal(crypto_init(NULL), RC_OK);
	return cmocka_run_group_tests_name("crypto_keys", tests, NULL, clean);
}
