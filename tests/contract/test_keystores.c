/*
 * Keys in software and in PKCS#11 tokens (SoftHSM2) behave alike: every case runs for both, through the real signer
 * process with its sandbox.
 */
#include "signer_world.h"

#include <unistd.h>

#include "base/file.h"

static const char *const places[] = { "software", "pkcs11:token=a?module-name=hsm-a" };

static void
all_kinds(void **state)
{
	static const char *const kinds[] = { "p-256", "p-384", "p-521", "rsa-2048", "rsa-3072", "ed25519" };
	struct world *w = *state;
	struct err e = { 0 };

	for (size_t p = 0; p < ARRAY_LEN(places); p++)
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			OWN(arena_free)
			struct arena *a = arena_new(1 << 20);
			struct sign_cert c = { .key = arena_printf(a, "ca.%zu.%zu", p, i),
					       .context = BYTES("test") };
			struct signer_limits l;
			struct signed_cert sc;
			struct signer_key k;

			world_ca(w, c.key, kinds[i], places[p]);
			OK(&e, signer_key_public(w->s, c.key, MS, a, &k, &e));
			assert_string_equal(k.kind, kinds[i]);
			assert_true(k.there && k.limited);
			OK(&e, signer_limits_get(w->s, c.key, MS, a, &l, &e));
			c.alg = l.algs[0];
			c.tbs = make_tbs(a, &(struct tbs_spec){ .alg = c.alg });
			OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
			assert_true(signature_ok(k.spki, c.alg, c.tbs, sc.signature));
		}
}

static void
all_algorithms_of_rsa(void **state)
{
	static const enum sigalg algs[] = { SIGALG_RSA_PKCS1_SHA256, SIGALG_RSA_PKCS1_SHA384,
					    SIGALG_RSA_PKCS1_SHA512, SIGALG_RSA_PSS_SHA256,
					    SIGALG_RSA_PSS_SHA384,   SIGALG_RSA_PSS_SHA512 };
	struct world *w = *state;
	struct err e = { 0 };

	for (size_t p = 0; p < ARRAY_LEN(places); p++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		const char *label = arena_printf(a, "rsa.%zu", p);
		struct signer_key k;

		OK(&e, signer_key_generate(w->s, label, SIGNER_CA, "rsa-2048", places[p], MS, a, &k, &e));
		for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
			struct bytes info = make_info(a, "CN=Sub CA", k.spki);
			struct signed_cert sc;

			OK(&e, signer_sign_csr(w->s, label, algs[i], info, BYTES("why"), MS, a, &sc, &e));
			assert_true(signature_ok(k.spki, algs[i], info, sc.signature));
		}
		REFUSED(&e, CHY_SIGNER_ALGORITHM,
			signer_sign_csr(w->s, label, SIGALG_ECDSA_SHA256, make_info(a, "CN=x", k.spki),
					BYTES_NONE, MS, a, &(struct signed_cert){ 0 }, &e));
	}
}

static void
keys_and_limits_outlive_the_process(void **state)
{
	struct world *w = *state;
	struct err e = { 0 };

	for (size_t p = 0; p < ARRAY_LEN(places); p++)
		world_ca(w, p ? "hard" : "soft", "p-256", places[p]);
	assert_int_equal(world_stop(w), 0);
	world_start(w);
	for (size_t p = 0; p < ARRAY_LEN(places); p++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct sign_cert c = { p ? "hard" : "soft", SIGALG_ECDSA_SHA256,
				       make_tbs(a, &(struct tbs_spec){ 0 }), BYTES_NONE };
		struct signer_key *list, k;
		struct signed_cert sc;
		size_t n;

		OK(&e, signer_key_list(w->s, MS, a, &list, &n, &e));
		assert_int_equal(n, 2);
		OK(&e, signer_key_public(w->s, c.key, MS, a, &k, &e));
		OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
		assert_true(signature_ok(k.spki, c.alg, c.tbs, sc.signature));
		c.tbs = make_tbs(a, &(struct tbs_spec){ .days = 500 });
		REFUSED(&e, CHY_SIGNER_VALIDITY, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	}
}

static void
deleted_is_gone(void **state)
{
	struct world *w = *state;
	struct err e = { 0 };

	for (size_t p = 0; p < ARRAY_LEN(places); p++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct signer_key k;

		world_ca(w, "ca", "p-256", places[p]);
		REFUSED(&e, CHY_SIGNER_KEY_EXISTS,
			signer_key_generate(w->s, "ca", SIGNER_TLS, "p-256", places[p], MS, a, &k, &e));
		OK(&e, signer_key_delete(w->s, "ca", MS, &e));
		REFUSED(&e, CHY_SIGNER_NO_KEY, signer_key_delete(w->s, "ca", MS, &e));
		REFUSED(&e, CHY_SIGNER_NO_KEY, signer_key_public(w->s, "ca", MS, a, &k, &e));
		REFUSED(&e, p ? CHY_KEY_ALG : CHY_KEY_KIND,
			signer_key_generate(w->s, "ca", SIGNER_CA, "dsa-1024", places[p], MS, a, &k, &e));
	}
	world_sh(w,
		 "! pkcs11-tool --module " SOFTHSM_MODULE " --token-label a --login --pin " PIN_A
		 " --list-objects | grep -q Private");
}

static void
two_tokens_at_once(void **state)
{
	struct world *w = *state;
	struct err e = { 0 };

	world_ca(w, "in-a", "p-256", "pkcs11:token=a?module-name=hsm-a");
	world_ca(w, "in-b", "p-384", "pkcs11:token=b?module-name=hsm-b");
	for (int i = 0; i < 20; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		enum sigalg alg = i % 2 ? SIGALG_ECDSA_SHA384 : SIGALG_ECDSA_SHA256;
		struct sign_cert c = { i % 2 ? "in-b" : "in-a", alg,
				       make_tbs(a, &(struct tbs_spec){ .alg = alg }), BYTES_NONE };
		struct signed_cert sc;
		struct signer_key k;

		OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
		OK(&e, signer_key_public(w->s, c.key, MS, a, &k, &e));
		assert_true(signature_ok(k.spki, alg, c.tbs, sc.signature));
	}
	world_sh(w,
		 "pkcs11-tool --module " SOFTHSM_MODULE " --token-label b --login --pin " PIN_B
		 " --list-objects --type privkey | grep -q in-b");
}

static void
ambiguous_and_unknown_tokens(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct err e = { 0 };
	struct signer_key k;

	REFUSED(
	    &e, CHY_P11_AMBIGUOUS,
	    signer_key_generate(w->s, "x", SIGNER_CA, "p-256", "pkcs11:model=SoftHSM%20v2", MS, a, &k, &e));
	REFUSED(&e, CHY_P11_AWAY,
		signer_key_generate(w->s, "x", SIGNER_CA, "p-256", "pkcs11:token=c?module-name=hsm-a", MS, a,
				    &k, &e));
	REFUSED(&e, CHY_P11_URI_PIN,
		signer_key_generate(w->s, "x", SIGNER_CA, "p-256", "pkcs11:token=a?pin-value=1234", MS, a, &k,
				    &e));
	REFUSED(&e, CHY_P11_URI,
		signer_key_generate(w->s, "x", SIGNER_CA, "p-256", "nowhere", MS, a, &k, &e));
	/* token b with the PIN of a: once, and never again, so that it does not get locked */
	for (int i = 0; i < 12; i++)
		REFUSED(&e, CHY_P11_PIN,
			signer_key_generate(w->s, "x", SIGNER_CA, "p-256", "pkcs11:token=b?module-name=hsm-a",
					    MS, a, &k, &e));
	world_ca(w, "still", "p-256", "pkcs11:token=b?module-name=hsm-b");
}

static void
token_removed_and_back(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct err e = { 0 };
	struct signer_status st;
	struct signed_cert sc;
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ 0 }), BYTES_NONE };
	struct sign_cert soft = c;
	bool back = false;

	world_ca(w, "ca", "p-256", places[1]);
	world_ca(w, "soft", "p-256", places[0]);
	soft.key = "soft";
	OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	world_sh(w, "mv %s %s", world_path(w, "tokens"), world_path(w, "away"));
	world_sh(w, "mkdir %s", world_path(w, "tokens"));
	REFUSED(&e, CHY_P11_AWAY, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	OK(&e, signer_sign_cert_sync(w->s, &soft, MS, a, &sc, &e)); /* others do not suffer */
	OK(&e, signer_status(w->s, MS, &st, &e));
	assert_int_equal(st.keys_away, 1);
	world_sh(w, "rmdir %s && mv %s %s", world_path(w, "tokens"), world_path(w, "away"),
		 world_path(w, "tokens"));
	for (int i = 0; i < 50 && !back; i++) {
		err_clear(&e);
		back = signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e) == RC_OK;
		if (!back) {
			assert_int_equal(e.code, CHY_P11_AWAY);
			usleep(100000);
		}
	}
	assert_true(back);
}

static void
started_while_the_token_is_away(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct err e = { 0 };
	struct signed_cert sc;
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ 0 }), BYTES_NONE };
	bool back = false;

	world_ca(w, "ca", "p-256", places[1]);
	world_stop(w);
	world_sh(w, "mv %s %s", world_path(w, "tokens"), world_path(w, "away"));
	world_sh(w, "mkdir %s", world_path(w, "tokens"));
	world_start(w);
	REFUSED(&e, CHY_P11_AWAY, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	world_sh(w, "rmdir %s && mv %s %s", world_path(w, "tokens"), world_path(w, "away"),
		 world_path(w, "tokens"));
	for (int i = 0; i < 50 && !back; i++) {
		err_clear(&e);
		back = signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e) == RC_OK;
		if (!back)
			usleep(100000);
	}
	assert_true(back);
}

/* Octets of keys in guarded memory, as the process said when it started last. */
static int64_t
guarded(const struct world *w)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	static const char word[] = "guarded_octets=";
	struct bytes log;
	struct err e = { 0 };
	int64_t n = -1;

	OK(&e, file_read(a, world_path(w, "log"), 1 << 18, &log, &e));
	for (size_t i = 0; i + sizeof(word) < log.n; i++)
		if (bytes_starts(bytes_part(log, i, SIZE_MAX), word))
			n = strtoll((const char *)log.p + i + sizeof(word) - 1, NULL, 10);
	return n;
}

static void
software_keys_lie_in_guarded_memory(void **state)
{
	struct world *w = *state;
	int64_t none = guarded(w), one, three;

	world_ca(w, "one", "p-256", places[0]);
	assert_int_equal(world_stop(w), 0);
	world_start(w);
	one = guarded(w);
	world_ca(w, "two", "rsa-2048", places[0]);
	world_ca(w, "three", "ed25519", places[0]);
	assert_int_equal(world_stop(w), 0);
	world_start(w);
	three = guarded(w);
	assert_true(none >= 0); /* the random generator's state is there too */
	assert_true(one >= none + 32);
	/* d, p, q and the rest of an RSA key */
	assert_true(three >= one + 256 + 3 * 128);
}

#define T(name, fn) \
	{ \
		name, fn, world_setup_softhsm, world_teardown, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("all kinds of keys, made and used", all_kinds),
		T("PKCS#1 and PSS with all digests", all_algorithms_of_rsa),
		T("keys and limits outlive the process", keys_and_limits_outlive_the_process),
		T("a deleted key is gone", deleted_is_gone),
		T("several tokens with their own PINs at once rows=CM-A-16", two_tokens_at_once),
		T("ambiguous, unknown and locked tokens", ambiguous_and_unknown_tokens),
		T("a token that is removed gives a clear error and comes back", token_removed_and_back),
		T("software keys lie in guarded memory", software_keys_lie_in_guarded_memory),
		T("started while the token is away", started_while_the_token_is_away),
	};

	return cmocka_run_group_tests_name("keystores", tests, NULL, NULL);
}
