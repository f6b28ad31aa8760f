#include "base/base.h"
#include "crypto/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "crypto/crypto.h"
#include "crypto/foreign_key.h"
#include "crypto/internal.h"
#include "crypto/softkey_key.h"
#include "crypto/x509.h"

/* TLS 1.2: ephemeral keys and AEAD only (RFC 9325 4.2). The names of TLS 1.3 are all good. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char groups[] = "X25519:P-256:P-384";

/* The library's macros cast const away by themselves, which the compiler does not like to see. */
static char *
unconst(const char *text)
{
	return (char *)(uintptr_t)text;
}

static enum rc
tls_policy(SSL_CTX *c, struct err *e)
{
	SSL_CTX_set_options(c,
			    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(c,
			 SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ENABLE_PARTIAL_WRITE |
			     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (!SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) ||
	    !SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) || !SSL_CTX_set_cipher_list(c, ciphers) ||
	    !SSL_CTX_set1_groups_list(c, unconst(groups)))
		return ossl_fail(e, CHY_TLS_SETUP, NULL, "protocol versions and ciphers");
	return RC_OK;
}

static enum rc
tls_identify(SSL_CTX *c, const struct tls_identity *id, struct err *e)
{
	EVP_PKEY *key = id->soft ? softkey_pkey(id->soft) : id->foreign ? foreign_pkey(id->foreign) : NULL;

	NEED(key != NULL && id->chain_count > 0, e, CHY_TLS_SETUP, NULL,
	     "a key and its certificate are needed");
	for (size_t i = 0; i < id->chain_count; i++) {
		OWN(X509_free)
		X509 *x = x509_of(id->chain[i]);

		if (x == NULL || !(i == 0 ? SSL_CTX_use_certificate(c, x) : SSL_CTX_add1_chain_cert(c, x))) {
			err_field(e, "chain[%zu]", i);
			return ossl_fail(e, CHY_TLS_SETUP, NULL, "certificate");
		}
	}
	if (!SSL_CTX_use_PrivateKey(c, key) || !SSL_CTX_check_private_key(c))
		return ossl_fail(e, CHY_TLS_SETUP, NULL, "key and certificate");
	return RC_OK;
}

/* The handshake proves that the client holds its certificate's key. Who that is, and whether we know it, is asked of the
   officers' register, not of a list of CAs. */
static int
accept_any_chain(X509_STORE_CTX *ctx, void *arg)
{
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

/* Sessions of one listener are not resumed at another (RFC 5246 7.4.1.2 leaves it to us). */
static enum rc
name_sessions(SSL_CTX *c, struct bytes cert, struct err *e)
{
	uint8_t name[SHA256_LEN];

	sha256(cert, name);
	if (!SSL_CTX_set_session_id_context(c, name, sizeof(name)))
		return ossl_fail(e, CHY_TLS_SETUP, NULL, "session context");
	return RC_OK;
}

enum rc
tls_server_ctx(const struct tls_identity *id, bool ask_client, SSL_CTX **ret, struct err *e)
{
	OWN(tls_ctx_free)
	SSL_CTX *c = NULL;

	TRY(crypto_init(e));
	c = SSL_CTX_new(TLS_server_method());
	if (c == NULL)
		return ossl_fail(e, CHY_NO_MEMORY, NULL, "a TLS context");
	TRY(tls_policy(c, e));
	TRY(tls_identify(c, id, e));
	TRY(name_sessions(c, id->chain[0], e));
	if (ask_client) {
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, NULL);
		SSL_CTX_set_cert_verify_callback(c, accept_any_chain, NULL);
	}
	*ret = c;
	c = NULL;
	return RC_OK;
}

/* The same list says what we accept of the server, so it has the other kinds of keys too. */
static enum rc
tls_without_pss(SSL_CTX *c, struct err *e)
{
	static const char list[] =
	    "RSA+SHA256:RSA+SHA384:RSA+SHA512:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519";

	if (!SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION) || !SSL_CTX_set1_sigalgs_list(c, unconst(list)))
		return ossl_fail(e, CHY_TLS_SETUP, "RFC 5246 7.4.1.4.1", "signature algorithms");
	return RC_OK;
}

enum rc
tls_client_setup(SSL_CTX *c, const struct bytes *roots, size_t roots_count, const struct tls_identity *id,
		 struct err *e)
{
	X509_STORE *store;

	TRY(tls_policy(c, e));
	if (id != NULL)
		TRY(tls_identify(c, id, e));
	if (id != NULL && id->no_pss)
		TRY(tls_without_pss(c, e));
	if (roots_count == 0)
		return RC_OK;
	store = x509_store(roots, roots_count);
	if (store == NULL)
		return ossl_fail(e, CHY_TLS_SETUP, NULL, "a trusted root");
	SSL_CTX_set_cert_store(c, store);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	return RC_OK;
}

enum rc
tls_client_ctx(const struct bytes *roots, size_t roots_count, const struct tls_identity *id, SSL_CTX **ret,
	       struct err *e)
{
	OWN(tls_ctx_free)
	SSL_CTX *c = NULL;

	TRY(crypto_init(e));
	NEED(roots_count > 0, e, CHY_TLS_SETUP, NULL, "a client trusts somebody");
	c = SSL_CTX_new(TLS_client_method());
	if (c == NULL)
		return ossl_fail(e, CHY_NO_MEMORY, NULL, "a TLS context");
	TRY(tls_client_setup(c, roots, roots_count, id, e));
	*ret = c;
	c = NULL;
	return RC_OK;
}

void
tls_ctx_free(SSL_CTX *ctx)
{
	SSL_CTX_free(ctx);
}

enum rc
tls_expect_host(SSL *ssl, const char *host, struct err *e)
{
	uint8_t address[sizeof(struct in6_addr)];
	bool is_ip = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;

	/* without a name the library would accept every certificate of the root's */
	NEED(host[0] != 0, e, CHY_TLS_SETUP, "RFC 6125", "the server's name is empty");
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_ip ? !X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
		  : !SSL_set1_host(ssl, host) || !SSL_set_tlsext_host_name(ssl, unconst(host)))
		return ossl_fail(e, CHY_TLS_SETUP, "RFC 6125", "the server's name");
	return RC_OK;
}

enum rc
tls_peer_cert(struct arena *a, const SSL *ssl, struct bytes *ret, struct err *e)
{
	const X509 *x = SSL_get0_peer_certificate(ssl);

	*ret = BYTES_NONE;
	return x == NULL ? RC_OK : x509_der(a, x, ret, e);
}

enum rc
tls_error(const SSL *ssl, struct err *e)
{
	long why = SSL_get_verify_result(ssl);
	struct err key = { 0 };

	if (foreign_last_error(&key)) {
		ossl_forget();
		return err_set(e, key.code, key.std, "%s", key.text);
	}
	if (why != X509_V_OK) {
		ossl_forget();
		return err_set(e, CHY_TLS_PEER_CERT, "RFC 5280 6.1", "%s",
			       X509_verify_cert_error_string(why));
	}
	if (ERR_peek_last_error() == 0)
		return err_set(e, CHY_TLS, "RFC 8446", "the other side closed the connection");
	return ossl_fail(e, CHY_TLS, "RFC 8446", "the handshake or connection failed");
}
