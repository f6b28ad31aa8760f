#include "base/base.h"
#include "base/file.h"
#include "cli/key.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/foreign.h"
#include "crypto/p12.h"
#include "crypto/softkey.h"
#include "pkcs11/pkcs11.h"
#include "pki/cert.h"
#include "pki/cms.h"
#include "pki/name.h"
#include "pki/pem.h"

enum { KEY_ARENA_MAX = 4 << 20, CHAIN_FILE_MAX = 1 << 20 };

struct officer_key {
	struct arena *mem;
	struct bytes chain[P12_CHAIN_MAX + 1]; /* the officer's certificate first */
	size_t chain_count;
	enum sigalg alg;
	const char *name;
	struct softkey *soft;
	struct p11 *p11;
	struct p11_token *token;
	struct p11_key *hard;
	struct foreign_key *foreign; /* the hard key for TLS */
	bool encoded;                /* the hard key is RSA's and signs what TLS 1.3 has encoded */
};

/* ---- certificates ---- */

enum rc
certs_read(struct arena *a, const char *path, struct bytes *ret, size_t max, size_t *ret_n, struct err *e)
{
	struct bytes text;
	struct pem_block block;
	struct cert parsed;

	*ret_n = 0;
	TRY(file_read(a, path, CHAIN_FILE_MAX, &text, e));
	if (!pem_is(text)) {
		TRY_AT(cert_parse(a, text, &parsed, e), e, "%s", path);
		ret[(*ret_n)++] = text;
		return RC_OK;
	}
	for (;;) {
		struct err end = { 0 };
		enum rc rc = pem_next(a, &text, &block, &end);

		if (rc == RC_NOT_FOUND)
			break;
		if (rc != RC_OK) {
			*e = end;
			err_field(e, "%s", path);
			return rc;
		}
		if (!bytes_is(block.label, "CERTIFICATE"))
			continue;
		NEED(*ret_n < max, e, CHY_CLI_FILE_TYPE, NULL, "%s: more than %zu certificates", path, max);
		ret[(*ret_n)++] = block.der;
	}
	NEED(*ret_n > 0, e, CHY_CLI_FILE_TYPE, NULL, "%s: no certificate in it", path);
	return RC_OK;
}

/* The algorithm and the officer's name, from the certificate. */
static enum rc
know_cert(struct officer_key *k, struct err *e)
{
	OWN_BUF struct buf text = buf_max(8192);
	struct key_type type;
	struct pubkey pub;
	struct cert c;

	TRY_AT(cert_parse(k->mem, k->chain[0], &c, e), e, "officer's certificate");
	TRY_AT(pubkey_parse(c.spki, &pub, e), e, "officer's certificate");
	type = pubkey_type(&pub);
	k->alg = sigalg_default(&type);
	NEED(cms_digest(k->alg) != DIGEST_NONE, e, CHY_CLI_FILE_TYPE, "RFC 5652",
	     "a key of this kind cannot sign requests; RSA, P-256, P-384, P-521 and Ed25519 can");
	name_put_der_text(&text, c.subject);
	k->name = arena_str(k->mem, buf_bytes(&text));
	NEED(k->name != NULL, e, CHY_NO_MEMORY, NULL, "officer");
	return RC_OK;
}

/* ---- PKCS#12 ---- */

static enum rc
open_file(struct officer_key *k, const char *path, const struct pin_source *pin, struct err *e)
{
	OWN(secret_free)
	struct secret *password = NULL;
	struct bytes file;
	struct p12 p12 = { 0 };
	bool locked; /* a person's account may lock little memory: not locked is no reason to stop */

	TRY(crypto_guard_keys(&locked, e));
	TRY(file_read(k->mem, path, P12_MAX, &file, e));
	TRY(pin_get(pin, &password, e));
	TRY_AT(p12_read(k->mem, file, password, &p12, e), e, "%s", path);
	k->soft = p12.key;
	k->chain[0] = p12.cert;
	k->chain_count = 1;
	/* roots need not be sent, but do no harm: the server looks at the first one only */
	for (size_t i = 0; i < p12.chain_count && i < P12_CHAIN_MAX; i++)
		k->chain[k->chain_count++] = p12.chain[i];
	return RC_OK;
}

/* ---- PKCS#11 ---- */

static enum rc
load_module(struct officer_key *k, const struct p11_uri *uri, const char *module, struct err *e)
{
	struct bytes path = uri->attr[P11_MODULE_PATH], name = uri->attr[P11_MODULE_NAME];
	const char *file = path.p ? arena_str(k->mem, path) : module ? module : "p11-kit-proxy.so";
	const char *called = name.p ? arena_str(k->mem, name) : "officer";

	NEED(file && called, e, CHY_NO_MEMORY, NULL, "module");
	TRY(p11_new(&k->p11, e));
	return p11_load(k->p11, called, file, e);
}

static enum rc
token_pin(struct officer_key *k, const struct p11_uri *uri, struct pin_source pin, struct secret **ret,
	  struct err *e)
{
	struct bytes source = uri->attr[P11_PIN_SOURCE];

	if (!pin.file && pin.fd < 0 && source.p) {
		if (bytes_starts(source, "file:"))
			source = bytes_part(source, 5, SIZE_MAX);
		pin.file = arena_str(k->mem, source);
	}
	return pin_get(&pin, ret, e);
}

/* The certificate that has the key's CKA_ID. */
static enum rc
token_cert(struct officer_key *k, const struct p11_uri *uri, struct err *e)
{
	struct p11_uri key_uri, by_id = { 0 };
	struct p11_item *items;
	size_t n;

	TRY(p11_uri_parse(k->mem, bytes_str(p11_key_uri(k->hard)), &key_uri, e));
	by_id.attr[P11_ID] = key_uri.attr[P11_ID];
	TRY(p11_list(k->token, &by_id, k->mem, &items, &n, e));
	for (size_t i = 0; i < n; i++)
		if (items[i].cert.n > 0) {
			k->chain[0] = items[i].cert;
			k->chain_count = 1;
			return RC_OK;
		}
	FAIL(e, CHY_CLI_FILE_TYPE, NULL,
	     "the token has no certificate with the key's id; put the officer's certificate there");
}

/* The algorithm of a digest's length; ecdsa: of that kind, else RSA by PKCS#1. */
static enum sigalg
alg_of_digest(size_t n, bool ecdsa)
{
	switch (n) {
	case 32:
		return ecdsa ? SIGALG_ECDSA_SHA256 : SIGALG_RSA_PKCS1_SHA256;
	case 48:
		return ecdsa ? SIGALG_ECDSA_SHA384 : SIGALG_RSA_PKCS1_SHA384;
	case 64:
		return ecdsa ? SIGALG_ECDSA_SHA512 : SIGALG_RSA_PKCS1_SHA512;
	default:
		return SIGALG_NONE;
	}
}

/* TLS asks for a signature over what it has hashed itself, and by PSS over what it has encoded itself. */
static enum rc
sign_for_tls(void *context, enum foreign_op op, struct bytes in, struct buf *out, struct err *e)
{
	enum { DIGEST_INFO_HEAD = 19 }; /* the token makes it again from the digest (RFC 8017 9.2) */
	struct officer_key *k = context;
	enum sigalg alg;

	if (op == FOREIGN_RSA_RAW)
		return p11_sign_encoded(k->hard, in, out, e);
	if (op == FOREIGN_RSA_PKCS1)
		in = bytes_part(in, DIGEST_INFO_HEAD, SIZE_MAX);
	alg = alg_of_digest(in.n, op == FOREIGN_ECDSA);
	NEED(alg != SIGALG_NONE, e, CHY_CLI_FILE_TYPE, "RFC 8446 4.2.3",
	     "TLS asks for a digest that is none of SHA-256, 384, 512");
	return p11_sign(k->hard, alg, in, out, e);
}

static enum rc
open_token(struct officer_key *k, const char *spec, const char *module, const struct pin_source *pin,
	   struct err *e)
{
	OWN(secret_free)
	struct secret *secret = NULL;
	struct p11_uri uri;

	TRY(p11_uri_parse(k->mem, bytes_str(spec), &uri, e));
	TRY(load_module(k, &uri, module, e));
	TRY(token_pin(k, &uri, *pin, &secret, e));
	TRY(p11_open(k->p11, &uri, secret, &k->token, e));
	TRY(p11_key_open(k->token, &uri, &k->hard, e));
	TRY(token_cert(k, &uri, e));
	TRY(p11_signs_encoded(k->hard, &k->encoded, e));
	return foreign_key_new(p11_key_spki(k->hard), sign_for_tls, k, &k->foreign, e);
}

/* ---- the key ---- */

static enum rc
open_key(struct officer_key *k, const char *spec, const char *module, struct pin_source pin, struct err *e)
{
	bool token = p11_uri_is(bytes_str(spec));
	char prompt[256];

	k->mem = arena_new(KEY_ARENA_MAX);
	NEED(k->mem != NULL, e, CHY_NO_MEMORY, NULL, "officer's key");
	if (pin.prompt == NULL) {
		snprintf(prompt, sizeof(prompt), "%s for %.180s", token ? "PIN" : "Password", spec);
		pin.prompt = prompt;
	}
	if (token)
		TRY(open_token(k, spec, module, &pin, e));
	else
		TRY(open_file(k, spec, &pin, e));
	return know_cert(k, e);
}

enum rc
officer_key_open(const char *spec, const char *module, struct pin_source pin, struct officer_key **ret,
		 struct err *e)
{
	struct officer_key *k = calloc(1, sizeof(*k));
	enum rc rc;

	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "officer's key");
	rc = open_key(k, spec, module, pin, e);
	if (rc != RC_OK) {
		officer_key_free(k);
		return rc;
	}
	*ret = k;
	return RC_OK;
}

void
officer_key_free(struct officer_key *k)
{
	if (k == NULL)
		return;
	if (k->foreign)
		foreign_key_free(k->foreign);
	if (k->hard)
		p11_key_free(k->hard);
	if (k->token)
		p11_token_free(k->token);
	if (k->p11)
		p11_free(k->p11);
	if (k->soft)
		softkey_free(k->soft);
	arena_free(k->mem);
	free(k);
}

struct bytes
officer_key_cert(const struct officer_key *k)
{
	return k->chain[0];
}

const char *
officer_key_name(const struct officer_key *k)
{
	return k->name;
}

struct tls_identity
officer_key_identity(const struct officer_key *k)
{
	return (struct tls_identity){
		.chain = k->chain,
		.chain_count = k->chain_count,
		.soft = k->soft,
		.foreign = k->foreign,
		.no_pss = k->hard && sigalg_key(k->alg) == KEY_RSA && !k->encoded,
	};
}

/* ---- signing ---- */

static struct bytes
digest_by(enum digest d, struct bytes in, uint8_t *out)
{
	return hash_of(d == DIGEST_SHA384       ? HASH_SHA384
			   : d == DIGEST_SHA512 ? HASH_SHA512
						: HASH_SHA256,
		       in, out);
}

/* The one place where the two kinds of keys differ: a token signs a digest, where the algorithm has one. */
static enum rc
sign_bytes(struct officer_key *k, struct bytes message, struct buf *out, struct err *e)
{
	enum digest d = sigalg_digest(k->alg);
	uint8_t digest[HASH_MAX];

	if (k->soft)
		return softkey_sign(k->soft, k->alg, message, out, e);
	if (d != DIGEST_NONE)
		message = digest_by(d, message, digest);
	return p11_sign(k->hard, k->alg, message, out, e);
}

enum rc
officer_key_sign(struct officer_key *k, struct arena *a, struct bytes content, int64_t now_ms,
		 struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf signature = buf_max(SOFTKEY_SIGNATURE_MAX);
	uint8_t content_digest[HASH_MAX], fingerprint[SHA256_LEN];
	struct cms_inputs in = {
		.sigalg = k->alg, .content = content, .cert = k->chain[0], .signing_at = now_ms
	};
	struct bytes attrs;

	in.content_digest = digest_by(cms_digest(k->alg), content, content_digest);
	sha256(in.cert, fingerprint);
	in.cert_sha256 = BYTES_OF(fingerprint);
	TRY(cms_signed_attrs(a, &in, &attrs, e));
	TRY(sign_bytes(k, attrs, &signature, e));
	return cms_assemble(a, &in, attrs, buf_bytes(&signature), ret, e);
}
