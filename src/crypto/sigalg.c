#include "base/base.h"
#include "crypto/internal.h"
#include "crypto/verify.h"

#include <openssl/rsa.h>
#include <pthread.h>

const char *
curve_library_name(enum curve c)
{
	switch (c) {
	case CURVE_P256:
		return "P-256";
	case CURVE_P384:
		return "P-384";
	case CURVE_P521:
		return "P-521";
	default:
		return NULL;
	}
}

const char *
key_library_name(enum key_alg a)
{
	switch (a) {
	case KEY_RSA:
		return "RSA";
	case KEY_EC:
		return "EC";
	case KEY_ED25519:
		return "ED25519";
	case KEY_ED448:
		return "ED448";
	case KEY_ML_DSA_44:
		return "ML-DSA-44";
	case KEY_ML_DSA_65:
		return "ML-DSA-65";
	case KEY_ML_DSA_87:
		return "ML-DSA-87";
	default:
		return NULL;
	}
}

static bool
is_pss(enum sigalg alg)
{
	return alg == SIGALG_RSA_PSS_SHA256 || alg == SIGALG_RSA_PSS_SHA384 || alg == SIGALG_RSA_PSS_SHA512;
}

bool
rsa_setup(EVP_PKEY_CTX *ctx, enum sigalg alg)
{
	if (sigalg_key(alg) != KEY_RSA)
		return true;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, is_pss(alg) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, crypto_md(hash_for(sigalg_digest(alg)))) <= 0)
		return false;
	/* RFC 4055 3.1: MGF1 takes the same digest by itself; the salt is as long as the digest, no other length passes */
	return !is_pss(alg) || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static bool has[SIGALG_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
look(void)
{
	for (enum sigalg alg = SIGALG_NONE + 1; alg < SIGALG_COUNT; alg++) {
		enum key_alg key = sigalg_key(alg);
		const char *name = key == KEY_EC ? "ECDSA" : key_library_name(key);
		EVP_SIGNATURE *s = name ? EVP_SIGNATURE_fetch(NULL, name, NULL) : NULL;

		has[alg] = s != NULL;
		EVP_SIGNATURE_free(s);
	}
	ossl_forget();
}

bool
sigalg_available(enum sigalg alg)
{
	pthread_once(&once, look);
	return alg > SIGALG_NONE && alg < SIGALG_COUNT && has[alg];
}
