/* PKCS#11 tokens without a signer, as the command line uses them for officers: found by URI, PIN, keys with certificates,
   signatures; many threads; a device that fails now and then. SoftHSM2. */
#include "signer_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/digest.h"
#include "pkcs11/pkcs11.h"

static struct p11 *p;

static struct secret *
pin(const char *text)
{
	return secret_of(bytes_str(text));
}

static struct p11_uri
uri(struct arena *a, const char *text)
{
	struct err e = { 0 };
	struct p11_uri u;

	OK(&e, p11_uri_parse(a, bytes_str(text), &u, &e));
	return u;
}

static int
setup(void **state)
{
	struct err e = { 0 };
	struct world *w;
	char conf[512];

	if (world_setup_stopped(state) != 0)
		return 1;
	w = *state;
	snprintf(conf, sizeof(conf),
		 "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", w->dir);
	OK(&e, file_write(world_path(w, "softhsm.conf"), bytes_str(conf), 0600, &e));
	mkdir(world_path(w, "tokens"), 0700);
	world_token(w, "officer", PIN_A);
	world_token(w, "other", PIN_B);
	setenv("SOFTHSM2_CONF", world_path(w, "softhsm.conf"), 1);
	OK(&e, p11_new(&p, &e));
	OK(&e, p11_load(p, "soft", SOFTHSM_MODULE, &e));
	return 0;
}

static int
teardown(void **state)
{
	p11_free(p);
	return world_teardown(state);
}

static void
modules_and_tokens(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(4 << 20);
	OWN(secret_free)
	struct secret *right = pin(PIN_A), *wrong = pin("0000");
	struct p11_token_info *list;
	struct p11_token *t;
	struct p11_uri u;
	struct err e = { 0 };
	size_t n;

	REFUSED(&e, CHY_P11_MODULE, p11_load(p, "none", "/nowhere/lib.so", &e));
	REFUSED(&e, CHY_P11_MODULE, p11_load(p, "none", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", &e));
	OK(&e, p11_tokens(p, NULL, a, &list, &n, &e));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) { /* its own URI names just it */
		struct p11_token_info *one;
		size_t m;

		u = uri(a, arena_str(a, list[i].uri));
		OK(&e, p11_tokens(p, &u, a, &one, &m, &e));
		assert_true(m == 1 && bytes_eq(one->serial, list[i].serial));
		assert_true(list[i].login_required && list[i].pin_set && !list[i].pin_locked);
	}
	u = uri(a, "pkcs11:token=officer");
	REFUSED(&e, CHY_P11_PIN, p11_open(p, &u, wrong, &t, &e));
	OK(&e, p11_open(p, &u, right, &t, &e));
	p11_token_free(t);
	u = uri(a, "pkcs11:token=nobody");
	REFUSED(&e, CHY_P11_NO_TOKEN, p11_open(p, &u, right, &t, &e));
	u = uri(a, "pkcs11:");
	REFUSED(&e, CHY_P11_AMBIGUOUS, p11_open(p, &u, right, &t, &e));
	u = uri(a, "pkcs11:token=officer;x-new=1");
	REFUSED(&e, CHY_P11_NO_TOKEN, p11_open(p, &u, right, &t, &e));
	u = uri(a, "pkcs11:token=officer;library-manufacturer=SoftHSM;library-version=2");
	OK(&e, p11_open(p, &u, right, &t, &e));
	p11_token_free(t);
}

/* A key that another tool made, with its certificate, in the officer's token. */
static void
keys_with_certificates(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	OWN(secret_free)
	struct secret *s = pin(PIN_A);
	OWN(p11_token_free)
	struct p11_token *t = NULL;
	OWN(p11_key_free)
	struct p11_key *k = NULL;
	OWN_BUF struct buf sig = buf_max(P11_SIGNATURE_MAX);
	struct world *w = *state;
	struct p11_uri u = uri(a, "pkcs11:token=officer"), one;
	struct p11_item *items;
	uint8_t digest[32];
	struct err e = { 0 };
	size_t n;

	world_sh(w,
		 "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
		 "k.pem -out c.pem "
		 "-subj /CN=Officer -days 30 && openssl x509 -in c.pem -outform DER -out c.der && "
		 "openssl pkcs8 -topk8 -nocrypt -in k.pem -out k8.pem && "
		 "softhsm2-util --import k8.pem --token officer --label signing --id 0a0b --pin " PIN_A " && "
		 "pkcs11-tool --module " SOFTHSM_MODULE " --token-label officer --login --pin " PIN_A
		 " --write-object c.der --type cert --id 0a0b --label signing && "
		 "pkcs11-tool --module " SOFTHSM_MODULE " --token-label officer --login --pin " PIN_A
		 " --keypairgen --key-type rsa:2048 --id 0c --label second",
		 w->dir);
	OK(&e, p11_open(p, &u, s, &t, &e));
	OK(&e, p11_list(t, NULL, a, &items, &n, &e));
	assert_int_equal(n, 2);
	one = uri(a, "pkcs11:object=signing;type=cert");
	OK(&e, p11_list(t, &one, a, &items, &n, &e));
	assert_int_equal(n, 1);
	assert_true(items[0].has_private && items[0].cert.n > 200 && bytes_is(items[0].kind, "p-256"));
	/* the certificate holds the key */
	assert_non_null(memmem(items[0].cert.p, items[0].cert.n, items[0].spki.p, items[0].spki.n));
	one = uri(a, arena_str(a, items[0].uri));
	OK(&e, p11_key_open(t, &one, &k, &e));
	assert_string_equal(p11_key_kind(k), "p-256");
	sha256(BYTES("act"), digest);
	OK(&e, p11_sign(k, SIGALG_ECDSA_SHA256, BYTES_OF(digest), &sig, &e));
	assert_true(signature_ok(p11_key_spki(k), SIGALG_ECDSA_SHA256, BYTES("act"), buf_bytes(&sig)));
	REFUSED(&e, CHY_SIGNATURE_ALGORITHM,
		p11_sign(k, SIGALG_RSA_PKCS1_SHA256, BYTES_OF(digest), &sig, &e));
	REFUSED(&e, CHY_SIGNATURE_ALGORITHM, p11_sign(k, SIGALG_ECDSA_SHA256, BYTES("short"), &sig, &e));
	one = uri(a, "pkcs11:object=third");
	REFUSED(&e, CHY_P11_NO_KEY, p11_key_open(t, &one, &(struct p11_key *){ NULL }, &e));
	one = uri(a, "pkcs11:");
	REFUSED(&e, CHY_P11_AMBIGUOUS, p11_key_open(t, &one, &(struct p11_key *){ NULL }, &e));
}

/* What TLS 1.3 wants: the block comes encoded, and nothing but that is signed barely. */
static void
encoded_blocks(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	OWN(secret_free)
	struct secret *s = pin(PIN_A);
	OWN(p11_token_free)
	struct p11_token *t = NULL;
	OWN(p11_key_free)
	struct p11_key *rsa = NULL;
	OWN(p11_key_free)
	struct p11_key *ec = NULL;
	OWN_BUF struct buf sig = buf_max(P11_SIGNATURE_MAX);
	struct p11_uri u = uri(a, "pkcs11:token=officer");
	uint8_t block[256] = { 0x12, [255] = 0xbc };
	struct err e = { 0 };
	bool can = false;

	OK(&e, p11_open(p, &u, s, &t, &e));
	OK(&e, p11_key_generate(t, "rsa-2048", BYTES("\1"), BYTES("r"), &rsa, &e));
	OK(&e, p11_key_generate(t, "p-256", BYTES("\2"), BYTES("e"), &ec, &e));
	OK(&e, p11_signs_encoded(rsa, &can, &e));
	assert_true(can);
	OK(&e, p11_signs_encoded(ec, &can, &e));
	assert_false(can);
	OK(&e, p11_sign_encoded(rsa, BYTES_OF(block), &sig, &e));
	assert_int_equal(sig.n, sizeof(block));
	REFUSED(&e, CHY_SIGNATURE_ALGORITHM, p11_sign_encoded(ec, BYTES_OF(block), &sig, &e));
	REFUSED(&e, CHY_SIGNATURE_ALGORITHM, p11_sign_encoded(rsa, bytes_of(block + 1, 255), &sig, &e));
	REFUSED(&e, CHY_SIGNATURE_ALGORITHM, p11_sign_encoded(rsa, BYTES_NONE, &sig, &e));
	block[255] = 0xbd;
	REFUSED(&e, CHY_SIGNATURE_ALGORITHM, p11_sign_encoded(rsa, BYTES_OF(block), &sig, &e));
}

struct many {
	struct p11_key *k;
	atomic_uint good, away;
};

static void *
sign_many(void *arg)
{
	struct many *m = arg;
	uint8_t digest[32];

	sha256(BYTES("many"), digest);
	for (int i = 0; i < 60; i++) {
		OWN_BUF struct buf sig = buf_max(P11_SIGNATURE_MAX);
		struct err e = { 0 };

		if (p11_sign(m->k, SIGALG_ECDSA_SHA256, BYTES_OF(digest), &sig, &e) == RC_OK)
			m->good += signature_ok(p11_key_spki(m->k), SIGALG_ECDSA_SHA256, BYTES("many"),
						buf_bytes(&sig));
		else
			m->away += e.code == CHY_P11_AWAY;
	}
	return NULL;
}

enum { THREADS = 12 };

static void
from_many_threads(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	OWN(secret_free)
	struct secret *s = pin(PIN_A);
	OWN(p11_token_free)
	struct p11_token *t = NULL;
	OWN(p11_key_free)
	struct p11_key *k = NULL;
	struct p11_uri u = uri(a, "pkcs11:token=officer"),
		       gone = uri(a, "pkcs11:token=gone;library-manufacturer=SoftHSM");
	OWN(p11_token_free)
	struct p11_token *lost = NULL;
	struct many m = { 0 };
	pthread_t threads[THREADS];
	struct err e = { 0 };

	OK(&e, p11_open(p, &u, s, &t, &e));
	OK(&e, p11_key_generate(t, "p-256", BYTES("\1\2\3"), BYTES("k"), &k, &e));
	OK(&e, p11_open_lazy(p, &gone, NULL, &lost, &e));
	m.k = k;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, sign_many, &m);
	/* meanwhile the module is started anew for a token that is not there, which ends everybody's sessions */
	for (int i = 0; i < 8; i++) {
		usleep(200000);
		assert_false(p11_token_there(lost));
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(m.good + m.away, THREADS * 60);
	assert_int_equal(m.away, 0);
}

#define T(name, fn) \
	{ \
		name, fn, setup, teardown, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("modules and tokens by their URIs", modules_and_tokens),
		T("keys with certificates made by other tools", keys_with_certificates),
		T("blocks of RSA-PSS that are encoded already, and no others", encoded_blocks),
		T("from many threads, while the module is started anew", from_many_threads),
	};

	return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
