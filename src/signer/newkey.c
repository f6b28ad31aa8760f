#include "base/base.h"
#include "signer/newkey.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* The library's names; rsa and bits, or the curve, where it has any. */
static const struct {
	const char *kind, *type, *curve;
	size_t bits;
} kinds[] = {
	{ "rsa-2048", "RSA", NULL, 2048 },     { "rsa-3072", "RSA", NULL, 3072 },
	{ "rsa-4096", "RSA", NULL, 4096 },     { "p-256", "EC", "P-256", 0 },
	{ "p-384", "EC", "P-384", 0 },         { "p-521", "EC", "P-521", 0 },
	{ "ed25519", "ED25519", NULL, 0 },     { "ed448", "ED448", NULL, 0 },
	{ "ml-dsa-44", "ML-DSA-44", NULL, 0 }, { "ml-dsa-65", "ML-DSA-65", NULL, 0 },
	{ "ml-dsa-87", "ML-DSA-87", NULL, 0 },
};

static EVP_PKEY *
generate(size_t i)
{
	if (kinds[i].bits > 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type, kinds[i].bits);
	if (kinds[i].curve != NULL)
		return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type, kinds[i].curve);
	return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type);
}

static struct secret *
encode(EVP_PKEY *key)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int n = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, &der) : -1;
	struct secret *s = n > 0 ? secret_of(bytes_of(der, (size_t)n)) : NULL;

	PKCS8_PRIV_KEY_INFO_free(p8);
	if (n > 0)
		OPENSSL_clear_free(der, (size_t)n);
	return s;
}

enum rc
newkey_pkcs8(const char *kind, struct secret **ret, struct err *e)
{
	EVP_PKEY *key;
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && strcmp(kinds[i].kind, kind) != 0)
		i++;
	NEED(i < ARRAY_LEN(kinds), e, CHY_KEY_KIND, NULL, "%s", kind);
	key = generate(i);
	if (key == NULL && strncmp(kind, "ml-dsa", 6) == 0) {
		ERR_clear_error();
		FAIL(e, CHY_ALGORITHM_MISSING, NULL, "%s", kind);
	}
	NEED(key != NULL, e, CHY_CRYPTO_LIBRARY, NULL, "generating a key of kind %s", kind);
	*ret = encode(key);
	EVP_PKEY_free(key);
	NEED(*ret != NULL, e, CHY_CRYPTO_LIBRARY, NULL, "encoding a key of kind %s", kind);
	return RC_OK;
}
