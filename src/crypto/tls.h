/*
 * TLS contexts for the listener and for clients. The one header of this folder with a type of the library's:
 * event loops and HTTP code need the SSL_CTX itself.
 *
 * Our policy: TLS 1.2 and 1.3; ECDHE with AEAD only; X25519, P-256, P-384; no compression, no renegotiation;
 * session tickets on. A client's certificate is asked for but its chain is not judged in the handshake (the
 * handshake proves possession of its key); the caller maps the certificate to an officer or to nobody.
 */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "crypto/foreign.h"
#include "crypto/softkey.h"

/* Who we are in a handshake: one of soft and foreign, and the certificate chain, ours first. The keys must
   outlive the context. */
struct tls_identity {
	const struct bytes *chain; /* DER */
	size_t chain_count;
	const struct softkey *soft;
	const struct foreign_key *foreign;
	bool
	    no_pss; /* a client's RSA key that signs by PKCS#1 only: TLS 1.2, for TLS 1.3 knows PSS only (RFC 8446 4.2.3) */
};

/* Any thread may use the context. ask_client: request a client certificate, optional for the client. Freed by
   tls_ctx_free. CHY_TLS_SETUP: key and certificate do not belong together, or the library refuses them. */
MUST enum rc tls_server_ctx(const struct tls_identity *id, bool ask_client, SSL_CTX **ret, struct err *e);

/* A client that trusts the given roots and nothing else. id may be NULL: no certificate of ours. */
MUST enum rc tls_client_ctx(const struct bytes *roots, size_t roots_count, const struct tls_identity *id,
			    SSL_CTX **ret, struct err *e);

/* Makes such a client of a context that another library made (libcurl's); roots_count 0: whom it trusts stays as it is. */
MUST enum rc tls_client_setup(SSL_CTX *c, const struct bytes *roots, size_t roots_count,
			      const struct tls_identity *id, struct err *e);

void tls_ctx_free(SSL_CTX *ctx);
OWN_DEFINE(SSL_CTX *, tls_ctx_free)

/* Names the server that a client connection must reach: server name indication, and the name (RFC 6125, no
   partial wildcards) or IP address that its certificate must carry. */
MUST enum rc tls_expect_host(SSL *ssl, const char *host, struct err *e);

/* DER of the certificate with which the other side proved itself, resumed sessions included; empty: it has
   shown none. *ret is the arena's. */
MUST enum rc tls_peer_cert(struct arena *a, const SSL *ssl, struct bytes *ret, struct err *e);

/* Why a handshake or call failed, as an error: CHY_TLS_PEER_CERT for a server's certificate that is not
   trusted or does not bear the name, else CHY_TLS. Takes the thread's error queue of the library. */
enum rc tls_error(const SSL *ssl, struct err *e);

#endif
