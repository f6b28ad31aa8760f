#include "base/base.h"
#include "crypto/p12.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "crypto/internal.h"
#include "crypto/softkey_key.h"
#include "crypto/x509.h"

enum {
	ROUNDS = 200000,
	ROUNDS_MAX = 10 * 1000 * 1000, /* what a file may cost us */
};

OWN_DEFINE(PKCS12 *, PKCS12_free)

/* The library wants a C string; kept in a secret of its own. NULL: out of memory or a NUL within. */
static struct secret *
terminated(const struct secret *password)
{
	struct bytes b = secret_bytes(password);
	struct secret *s;

	if (b.n > 0 && memchr(b.p, 0, b.n) != NULL)
		return NULL;
	s = secret_new(b.n + 1);
	if (s != NULL && b.n > 0)
		memcpy(secret_data(s), b.p, b.n);
	return s;
}

static enum rc
check_mac(PKCS12 *file, const char *password, struct err *e)
{
	const ASN1_INTEGER *rounds = NULL;

	NEED(PKCS12_mac_present(file), e, CHY_P12_FORM, "RFC 7292 4", "it has no MAC");
	PKCS12_get0_mac(NULL, NULL, NULL, &rounds, file);
	NEED(rounds == NULL || (ASN1_INTEGER_get(rounds) > 0 && ASN1_INTEGER_get(rounds) <= ROUNDS_MAX), e,
	     CHY_P12_FORM, "RFC 7292 4", "its MAC asks for too many rounds");
	if (PKCS12_verify_mac(file, password, -1) == 1)
		return RC_OK;
	/* an empty password has two encodings, RFC 7292 B.1 leaves both open */
	if (password[0] == 0 && PKCS12_verify_mac(file, NULL, 0) == 1)
		return RC_OK;
	ossl_forget();
	FAIL(e, CHY_P12_PASSWORD, "RFC 7292 5.1",
	     "the PIN is wrong, or the file is damaged: its MAC does not fit");
}

static enum rc
parse_failure(struct err *e)
{
	unsigned long why = ERR_peek_error();

	if (ERR_GET_REASON(why) == ERR_R_UNSUPPORTED || ERR_GET_REASON(why) == EVP_R_UNSUPPORTED_ALGORITHM)
		return ossl_fail(e, CHY_ALGORITHM_MISSING, "RFC 7292", "the file's encryption");
	return ossl_fail(e, CHY_P12_FORM, "RFC 7292", "the file's contents");
}

static enum rc
take_certs(struct arena *a, const X509 *cert, const STACK_OF(X509) * others, struct p12 *ret, struct err *e)
{
	NEED(cert != NULL, e, CHY_P12_FORM, NULL, "no certificate for the key");
	NEED(sk_X509_num(others) <= P12_CHAIN_MAX, e, CHY_P12_FORM, NULL, "more than %d certificates",
	     P12_CHAIN_MAX);
	TRY(x509_der(a, cert, &ret->cert, e));
	for (int i = 0; i < sk_X509_num(others); i++)
		TRY(x509_der(a, sk_X509_value(others, i), &ret->chain[ret->chain_count++], e));
	return RC_OK;
}

enum rc
p12_read(struct arena *a, struct bytes der, const struct secret *password, struct p12 *ret, struct err *e)
{
	const uint8_t *p = der.p;
	OWN(PKCS12_free)
	PKCS12 *file = der.n > 0 && der.n <= P12_MAX ? d2i_PKCS12(NULL, &p, (long)der.n) : NULL;
	OWN(secret_free)
	struct secret *pass = terminated(password);
	OWN(EVP_PKEY_free)
	EVP_PKEY *key = NULL;
	OWN(X509_free)
	X509 *cert = NULL;
	OWN(x509_list_free)
	STACK_OF(X509) *others = NULL;

	*ret = (struct p12){ 0 };
	NEED(pass != NULL, e, CHY_P12_PASSWORD, NULL, "the password holds a NUL");
	if (file == NULL || p != der.p + der.n)
		return ossl_fail(e, CHY_P12_FORM, "RFC 7292", "not a PKCS#12 file");
	TRY(check_mac(file, (const char *)secret_data(pass), e));
	if (PKCS12_parse(file, (const char *)secret_data(pass), &key, &cert, &others) != 1)
		return parse_failure(e);
	ossl_forget(); /* it tries the empty password in both of its encodings */
	NEED(key != NULL, e, CHY_P12_FORM, NULL, "no private key");
	TRY(take_certs(a, cert, others, ret, e));
	return softkey_wrap(key, &ret->key, e);
}

static PKCS12 *
build(const struct softkey *key, X509 *cert, STACK_OF(X509) * others, const char *name, const char *password)
{
	PKCS12 *file = PKCS12_create(password, name[0] ? name : NULL, softkey_pkey(key), cert, others,
				     NID_aes_256_cbc, NID_aes_256_cbc, ROUNDS, -1 /* MAC below */, 0);

	if (file != NULL && PKCS12_set_mac(file, password, -1, NULL, 0, ROUNDS, EVP_sha256()))
		return file;
	PKCS12_free(file);
	return NULL;
}

enum rc
p12_write(const struct softkey *key, struct bytes cert, const struct bytes *chain, size_t chain_count,
	  struct bytes name, const struct secret *password, struct buf *out, struct err *e)
{
	OWN(X509_free)
	X509 *x = x509_of(cert);
	OWN(x509_list_free)
	STACK_OF(X509) *others = chain_count <= P12_CHAIN_MAX ? x509_list(chain, chain_count) : NULL;
	OWN(secret_free)
	struct secret *pass = terminated(password);
	OWN(PKCS12_free)
	PKCS12 *file = NULL;
	char text[128] = { 0 };
	uint8_t *p;
	int n;

	NEED(pass != NULL, e, CHY_P12_PASSWORD, NULL, "the password holds a NUL");
	NEED(name.n < sizeof(text), e, CHY_TOO_LONG, NULL, "friendly name of %zu bytes", name.n);
	if (x == NULL || others == NULL)
		return ossl_fail(e, CHY_P12_FORM, NULL, "a certificate");
	if (X509_check_private_key(x, softkey_pkey(key)) != 1)
		return ossl_fail(e, CHY_P12_FORM, NULL, "the certificate is not this key's");
	if (name.n > 0)
		memcpy(text, name.p, name.n);
	file = build(key, x, others, text, (const char *)secret_data(pass));
	n = file ? i2d_PKCS12(file, NULL) : -1;
	if (n <= 0)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 7292", "PKCS#12");
	p = buf_room(out, (size_t)n);
	NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "PKCS#12 of %d bytes", n);
	i2d_PKCS12(file, &p);
	out->n += (size_t)n;
	return RC_OK;
}
