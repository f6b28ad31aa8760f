/* TLS over a pair of memory pipes within one process: soft and foreign keys on both sides, both versions, wrong names,
   roots and keys. */
#include "base/base.h"
#include "crypto/crypto.h"
#include "crypto/tls.h"
#include "crypto_help.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

static struct arena *mem;
static struct softkey *root_key, *keys[4]; /* p-256, p-384, rsa-2048, ed25519 */
static struct bytes root, certs[4], clients[4];
static const char *const kinds[] = { "p-256", "p-384", "rsa-2048", "ed25519" };

/* The other process, as far as a foreign key can tell. */
struct elsewhere {
	const struct softkey *key;
	unsigned ops[3];
	bool broken, silent;
};

/* in^d mod n by the library's bare operation. */
static enum rc
raw_rsa(const struct softkey *k, int padding, struct bytes in, struct buf *out)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, softkey_pkey(k), NULL);
	uint8_t sig[512];
	size_t n = sizeof(sig);

	assert_int_equal(EVP_PKEY_sign_init(c), 1);
	assert_true(EVP_PKEY_CTX_set_rsa_padding(c, padding) > 0);
	assert_int_equal(EVP_PKEY_sign(c, sig, &n, in.p, in.n), 1);
	buf_put(out, bytes_of(sig, n));
	EVP_PKEY_CTX_free(c);
	return RC_OK;
}

static enum rc
sign_elsewhere(void *context, enum foreign_op op, struct bytes in, struct buf *out, struct err *e)
{
	struct elsewhere *x = context;
	enum sigalg alg = in.n == 48 ? SIGALG_ECDSA_SHA384
	    : in.n == 64             ? SIGALG_ECDSA_SHA512
				     : SIGALG_ECDSA_SHA256;

	x->ops[op]++;
	NEED(!x->broken, e, CHY_ALGORITHM_MISSING, NULL, "the token was pulled out");
	if (x->silent)
		return RC_OK;
	if (op == FOREIGN_ECDSA)
		return softkey_sign_digest(x->key, alg, in, out, e);
	return raw_rsa(x->key, op == FOREIGN_RSA_PKCS1 ? RSA_PKCS1_PADDING : RSA_NO_PADDING, in, out);
}

/* ---- the pair ---- */

struct pair {
	SSL *server, *client;
};

static struct pair
pair_new(SSL_CTX *server, SSL_CTX *client, const char *host)
{
	struct pair p = { SSL_new(server), SSL_new(client) };
	BIO *a, *b;

	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(p.server, a, a);
	SSL_set_bio(p.client, b, b);
	SSL_set_accept_state(p.server);
	SSL_set_connect_state(p.client);
	assert_int_equal(tls_expect_host(p.client, host, NULL), RC_OK);
	return p;
}

static void
pair_free(struct pair p)
{
	SSL_free(p.server);
	SSL_free(p.client);
}

/* One step of one side: 1 done, 0 goes on, -1 failed. */
static int
step(SSL *s)
{
	int n = SSL_do_handshake(s);
	int why;

	if (n == 1)
		return 1;
	why = SSL_get_error(s, n);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* Runs the handshake; e gets the failure of the side that fails first. */
static bool
shake(struct pair p, struct err *e)
{
	for (int i = 0; i < 20; i++) {
		int c = step(p.client), s;

		if (c < 0) {
			assert_int_not_equal(tls_error(p.client, e), RC_OK);
			return false;
		}
		s = step(p.server);
		if (s < 0) {
			assert_int_not_equal(tls_error(p.server, e), RC_OK);
			return false;
		}
		if (c == 1 && s == 1)
			return true;
	}
	fail_msg("the handshake does not end");
	return false;
}

static void
say(SSL *from, SSL *to, const char *what)
{
	char got[64] = { 0 };

	assert_int_equal(SSL_write(from, what, (int)strlen(what)), (int)strlen(what));
	assert_int_equal(SSL_read(to, got, sizeof(got) - 1), (int)strlen(what));
	assert_string_equal(got, what);
}

static SSL_CTX *
soft_server(size_t i, bool ask)
{
	struct tls_identity id = { &certs[i], 1, keys[i], NULL };
	SSL_CTX *c = NULL;

	assert_int_equal(tls_server_ctx(&id, ask, &c, NULL), RC_OK);
	return c;
}

static SSL_CTX *
plain_client(void)
{
	SSL_CTX *c = NULL;

	assert_int_equal(tls_client_ctx(&root, 1, NULL, &c, NULL), RC_OK);
	return c;
}

/* ---- tests ---- */

static void
soft_keys(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		OWN(tls_ctx_free)
		SSL_CTX *server = soft_server(i, true);
		OWN(tls_ctx_free)
		SSL_CTX *client = plain_client();
		struct pair p = pair_new(server, client, "localhost");
		struct err e = { 0 };
		struct bytes cert;

		if (!shake(p, &e))
			fail_msg("%s: %s", kinds[i], e.text);
		assert_int_equal(SSL_version(p.client), TLS1_3_VERSION);
		say(p.client, p.server, "hello");
		say(p.server, p.client, "and to you");
		/* the client has shown no certificate, the server its own */
		assert_int_equal(tls_peer_cert(mem, p.server, &cert, NULL), RC_OK);
		assert_int_equal(cert.n, 0);
		assert_int_equal(tls_peer_cert(mem, p.client, &cert, NULL), RC_OK);
		assert_true(bytes_eq(cert, certs[i]));
		pair_free(p);
	}
}

/* Both sides by a key that is elsewhere. */
static void
foreign_keys(int version, size_t i)
{
	struct elsewhere x = { .key = keys[i] };
	OWN(foreign_key_free)
	struct foreign_key *k = NULL;
	OWN(tls_ctx_free)
	SSL_CTX *server = NULL;
	OWN(tls_ctx_free)
	SSL_CTX *client = NULL;
	struct err e = { 0 };
	struct bytes cert;
	struct pair p;

	assert_int_equal(foreign_key_new(softkey_spki(keys[i]), sign_elsewhere, &x, &k, NULL), RC_OK);
	assert_int_equal(tls_server_ctx(&(struct tls_identity){ &certs[i], 1, NULL, k }, true, &server, &e),
			 RC_OK);
	assert_int_equal(
	    tls_client_ctx(&root, 1, &(struct tls_identity){ &clients[i], 1, NULL, k }, &client, &e), RC_OK);
	SSL_CTX_set_max_proto_version(client, version);
	p = pair_new(server, client, "127.0.0.1");
	if (!shake(p, &e))
		fail_msg("%s: %s", kinds[i], e.text);
	assert_int_equal(SSL_version(p.client), version);
	say(p.client, p.server, "hello");
	assert_int_equal(tls_peer_cert(mem, p.server, &cert, NULL), RC_OK);
	assert_true(bytes_eq(cert, clients[i]));
	assert_int_equal(x.ops[0] + x.ops[1] + x.ops[2], 2);
	/* TLS 1.3 signs by PSS only */
	if (i == 2 && version == TLS1_3_VERSION)
		assert_int_equal(x.ops[FOREIGN_RSA_RAW], 2);
	pair_free(p);
}

static void
foreign_keys_tls13(void **state)
{
	for (size_t i = 0; i < 3; i++)
		foreign_keys(TLS1_3_VERSION, i);
}

static void
foreign_keys_tls12(void **state)
{
	for (size_t i = 0; i < 3; i++)
		foreign_keys(TLS1_2_VERSION, i);
}

/* TLS 1.2 with PKCS#1: what a client without PSS asks for. */
static void
foreign_rsa_pkcs1(void **state)
{
	struct elsewhere x = { .key = keys[2] };
	OWN(foreign_key_free)
	struct foreign_key *k = NULL;
	OWN(tls_ctx_free)
	SSL_CTX *server = NULL;
	OWN(tls_ctx_free)
	SSL_CTX *client = plain_client();
	struct err e = { 0 };
	struct pair p;

	assert_int_equal(foreign_key_new(softkey_spki(keys[2]), sign_elsewhere, &x, &k, NULL), RC_OK);
	assert_int_equal(tls_server_ctx(&(struct tls_identity){ &certs[2], 1, NULL, k }, false, &server, &e),
			 RC_OK);
	SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_set1_sigalgs_list(client, (char[]){ "RSA+SHA256:ECDSA+SHA256" }), 1);
	p = pair_new(server, client, "localhost");
	if (!shake(p, &e))
		fail_msg("%s", e.text);
	assert_int_equal(x.ops[FOREIGN_RSA_PKCS1], 1);
	pair_free(p);
}

/* A client whose token signs by PKCS#1 only. */
static void
foreign_without_pss(void **state)
{
	struct elsewhere x = { .key = keys[2] };
	OWN(foreign_key_free)
	struct foreign_key *k = NULL;
	OWN(tls_ctx_free)
	SSL_CTX *server = NULL;
	OWN(tls_ctx_free)
	SSL_CTX *client = NULL;
	struct tls_identity id = { .chain = &clients[2], .chain_count = 1, .no_pss = true };
	struct err e = { 0 };
	struct bytes cert;
	struct pair p;

	assert_int_equal(foreign_key_new(softkey_spki(keys[2]), sign_elsewhere, &x, &k, NULL), RC_OK);
	id.foreign = k;
	assert_int_equal(tls_server_ctx(&(struct tls_identity){ &certs[0], 1, keys[0] }, true, &server, &e),
			 RC_OK);
	assert_int_equal(tls_client_ctx(&root, 1, &id, &client, &e), RC_OK);
	p = pair_new(server, client, "127.0.0.1");
	if (!shake(p, &e))
		fail_msg("%s", e.text);
	assert_int_equal(SSL_version(p.client), TLS1_2_VERSION);
	assert_int_equal(x.ops[FOREIGN_RSA_PKCS1], 1);
	assert_int_equal(x.ops[FOREIGN_RSA_RAW], 0);
	assert_int_equal(tls_peer_cert(mem, p.server, &cert, NULL), RC_OK);
	assert_true(bytes_eq(cert, clients[2]));
	pair_free(p);
}

static void
foreign_failures(void **state)
{
	for (size_t i = 0; i < 6; i++) {
		struct elsewhere x = { .key = keys[i / 2], .broken = i % 2 == 0, .silent = i % 2 == 1 };
		OWN(foreign_key_free)
		struct foreign_key *k = NULL;
		OWN(tls_ctx_free)
		SSL_CTX *server = NULL;
		OWN(tls_ctx_free)
		SSL_CTX *client = plain_client();
		struct err e = { 0 };
		struct pair p;

		assert_int_equal(foreign_key_new(softkey_spki(keys[i / 2]), sign_elsewhere, &x, &k, NULL),
				 RC_OK);
		assert_int_equal(
		    tls_server_ctx(&(struct tls_identity){ &certs[i / 2], 1, NULL, k }, false, &server, &e),
		    RC_OK);
		p = pair_new(server, client, "localhost");
		assert_false(shake(p, &e));
		assert_int_equal(e.code, x.broken ? CHY_ALGORITHM_MISSING : CHY_CRYPTO_LIBRARY);
		if (x.broken)
			assert_string_equal(e.text, "the token was pulled out");
		assert_false(foreign_last_error(&e));
		pair_free(p);
	}
}

static void
foreign_kinds(void **state)
{
	struct foreign_key *k = NULL;
	struct err e = { 0 };

	assert_int_equal(foreign_key_new(softkey_spki(keys[3]), sign_elsewhere, NULL, &k, &e), RC_DENIED);
	assert_int_equal(e.code, CHY_KEY_UNKNOWN);
	err_clear(&e);
	assert_int_equal(foreign_key_new(BYTES("nonsense"), sign_elsewhere, NULL, &k, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_KEY_IMPORT);
}

static void
client_is_known_by_its_key(void **state)
{
	struct tls_identity id = { &clients[0], 1, keys[0], NULL };
	OWN(tls_ctx_free)
	SSL_CTX *server = soft_server(1, true);
	OWN(tls_ctx_free)
	SSL_CTX *client = NULL;
	OWN(softkey_free)
	struct softkey *stranger = test_key("p-256");
	struct bytes own = test_issue(mem,
				      (struct test_cert){ .cn = "self-signed stranger", .key = stranger });
	struct err e = { 0 };
	struct bytes cert;

	assert_int_equal(tls_client_ctx(&root, 1, &id, &client, NULL), RC_OK);
	/* the second time resumed by a ticket: the certificate is known all the same */
	for (int resumed = 0; resumed < 2; resumed++) {
		static SSL_SESSION *session;
		struct pair p = pair_new(server, client, "localhost");

		if (resumed)
			assert_int_equal(SSL_set_session(p.client, session), 1);
		assert_true(shake(p, &e));
		say(p.server, p.client, "tickets come with the first data");
		assert_int_equal(SSL_session_reused(p.client), resumed);
		assert_int_equal(tls_peer_cert(mem, p.server, &cert, NULL), RC_OK);
		assert_true(bytes_eq(cert, clients[0]));
		SSL_SESSION_free(session);
		session = resumed ? NULL : SSL_get1_session(p.client);
		SSL_shutdown(p.client);
		pair_free(p);
	}
	/* nobody's certificate passes the handshake too: the caller finds no officer for it */
	tls_ctx_free(client);
	client = NULL;
	assert_int_equal(
	    tls_client_ctx(&root, 1, &(struct tls_identity){ &own, 1, stranger, NULL }, &client, NULL),
	    RC_OK);
	{
		struct pair p = pair_new(server, client, "localhost");

		assert_true(shake(p, &e));
		assert_int_equal(tls_peer_cert(mem, p.server, &cert, NULL), RC_OK);
		assert_true(bytes_eq(cert, own));
		pair_free(p);
	}
}

static void
server_is_judged(void **state)
{
	OWN(softkey_free)
	struct softkey *other = test_key("p-256");
	struct bytes other_root = test_issue(
	    mem, (struct test_cert){ .cn = "root", .key = other, .ca = true, .path_len = -1 });
	static const struct {
		const char *host;
		bool other_root, good;
	} cases[] = {
		{ "localhost", false, true },   { "127.0.0.1", false, true },
		{ "::1", false, true },         { "example.org", false, false },
		{ "127.0.0.2", false, false },  { "localhost", true, false },
		{ "x.wild.test", false, true }, { "x.y.wild.test", false, false },
		{ "LOCALHOST", false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(tls_ctx_free)
		SSL_CTX *server = soft_server(0, false);
		OWN(tls_ctx_free)
		SSL_CTX *client = NULL;
		struct err e = { 0 };
		struct pair p;

		assert_int_equal(
		    tls_client_ctx(cases[i].other_root ? &other_root : &root, 1, NULL, &client, NULL), RC_OK);
		p = pair_new(server, client, cases[i].host);
		if (shake(p, &e) != cases[i].good)
			fail_msg("%s: %s", cases[i].host, e.text);
		if (!cases[i].good)
			assert_int_equal(e.code, CHY_TLS_PEER_CERT);
		pair_free(p);
	}
}

/* Of the right root and name, but not for servers: what policy counts on where the system's own authority issues. */
static void
only_servers_are_servers(void **state)
{
	static const struct {
		const char *extended;
		bool good;
	} cases[] = { { "serverAuth", true },
		      { "clientAuth", false },
		      { "clientAuth,emailProtection", false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes cert = test_issue(mem,
					       (struct test_cert){ .cn = "localhost",
								   .key = keys[0],
								   .issuer_cn = "root",
								   .issuer_key = root_key,
								   .san = "DNS:localhost",
								   .eku = cases[i].extended });
		const struct tls_identity id = { &cert, 1, keys[0], NULL };
		OWN(tls_ctx_free)
		SSL_CTX *server = NULL;
		OWN(tls_ctx_free)
		SSL_CTX *client = NULL;
		struct err e = { 0 };
		struct pair p;

		assert_int_equal(tls_server_ctx(&id, false, &server, NULL), RC_OK);
		assert_int_equal(tls_client_ctx(&root, 1, NULL, &client, NULL), RC_OK);
		p = pair_new(server, client, "localhost");
		if (shake(p, &e) != cases[i].good)
			fail_msg("%s: %s", cases[i].extended, e.text);
		if (!cases[i].good)
			assert_int_equal(e.code, CHY_TLS_PEER_CERT);
		pair_free(p);
	}
}

static void
old_versions_and_ciphers(void **state)
{
	OWN(tls_ctx_free)
	SSL_CTX *server = soft_server(2, false);
	OWN(tls_ctx_free)
	SSL_CTX *old = plain_client();
	OWN(tls_ctx_free)
	SSL_CTX *weak = plain_client();
	struct err e = { 0 };
	struct pair p;

	SSL_CTX_set_security_level(old, 0);
	SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
	p = pair_new(server, old, "localhost");
	assert_false(shake(p, &e));
	assert_int_equal(e.code, CHY_TLS);
	pair_free(p);
	err_clear(&e);
	SSL_CTX_set_max_proto_version(weak, TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_set_cipher_list(weak, "AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA256"), 1);
	p = pair_new(server, weak, "localhost");
	assert_false(shake(p, &e));
	assert_int_equal(e.code, CHY_TLS);
	pair_free(p);
}

static void
wrong_identities(void **state)
{
	SSL_CTX *c = NULL;
	struct bytes junk = BYTES("junk"), chain[] = { certs[0], junk };
	const struct tls_identity bad[] = {
		{ &certs[0], 1, keys[1], NULL }, { &certs[0], 0, keys[0], NULL },
		{ &certs[0], 1, NULL, NULL },    { &junk, 1, keys[0], NULL },
		{ chain, 2, keys[0], NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };

		assert_int_equal(tls_server_ctx(&bad[i], false, &c, &e), RC_MALFORMED);
		assert_int_equal(e.code, CHY_TLS_SETUP);
		assert_null(c);
		err_clear(&e);
		assert_int_equal(tls_client_ctx(&root, 1, &bad[i], &c, &e), RC_MALFORMED);
		assert_int_equal(e.code, CHY_TLS_SETUP);
	}
	assert_int_equal(tls_client_ctx(&junk, 1, NULL, &c, NULL), RC_MALFORMED);
	/* a client that trusts nobody is a mistake, not a wish */
	assert_int_equal(tls_client_ctx(NULL, 0, NULL, &c, NULL), RC_MALFORMED);
	assert_null(c);
}

static int
set_up(void **state)
{
	mem = arena_new(1 << 20);
	root_key = test_key("p-256");
	root = test_issue(mem,
			  (struct test_cert){ .cn = "root", .key = root_key, .ca = true, .path_len = -1 });
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		keys[i] = test_key(kinds[i]);
		certs[i] = test_issue(
		    mem,
		    (struct test_cert){ .cn = "server",
					.key = keys[i],
					.issuer_cn = "root",
					.issuer_key = root_key,
					.san = "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:*.wild.test",
					.eku = "serverAuth" });
		clients[i] = test_issue(
		    mem,
		    (struct test_cert){
			.cn = "officer", .key = keys[i], .issuer_cn = "root", .issuer_key = root_key });
	}
	return 0;
}

static int
tear_down(void **state)
{
	softkey_free(root_key);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		softkey_free(keys[i]);
	arena_free(mem);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "soft keys of every kind", soft_keys, NULL, NULL, NULL },
		{ "foreign keys on both sides by TLS 1.3", foreign_keys_tls13, NULL, NULL, NULL },
		{ "foreign keys on both sides by TLS 1.2", foreign_keys_tls12, NULL, NULL, NULL },
		{ "a foreign RSA key by PKCS#1", foreign_rsa_pkcs1, NULL, NULL, NULL },
		{ "a client's foreign RSA key without PSS goes down to TLS 1.2", foreign_without_pss, NULL,
		  NULL, NULL },
		{ "a foreign key that fails says why", foreign_failures, NULL, NULL, NULL },
		{ "keys that cannot be foreign", foreign_kinds, NULL, NULL, NULL },
		{ "any client certificate passes, resumed too", client_is_known_by_its_key, NULL, NULL,
		  NULL },
		{ "a server of another root or name is refused", server_is_judged, NULL, NULL, NULL },
		{ "a certificate that is not for servers is none of a server", only_servers_are_servers, NULL,
		  NULL, NULL },
		{ "old versions and ciphers are refused", old_versions_and_ciphers, NULL, NULL, NULL },
		{ "identities that do not fit together", wrong_identities, NULL, NULL, NULL },
	};

	assert_int_equal(crypto_init(NULL), RC_OK);
	return cmocka_run_group_tests_name("crypto_tls", tests, set_up, tear_down);
}
