#include "base/base.h"
#include "crypto/softkey.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "crypto/internal.h"
#include "crypto/rand.h"
#include "crypto/softkey_key.h"
#include "crypto/verify.h"

enum {
	/* 16 MiB and two passes: as much as the library's reader takes without being asked */
	SCRYPT_N = 1 << 14,
	SCRYPT_R = 8,
	SCRYPT_P = 2,
	SALT = 16,
};

OWN_DEFINE(PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free)
OWN_DEFINE(X509_SIG *, X509_SIG_free)

static X509_SIG *
encrypt(PKCS8_PRIV_KEY_INFO *plain, struct bytes passphrase, uint8_t salt[SALT])
{
	X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, SALT, NULL, SCRYPT_N, SCRYPT_R,
						SCRYPT_P);
	X509_SIG *sig = how ? PKCS8_set0_pbe((const char *)passphrase.p, (int)passphrase.n, plain, how)
			    : NULL;

	if (sig == NULL)
		X509_ALGOR_free(how);
	return sig;
}

enum rc
softkey_save(const struct softkey *k, const struct secret *passphrase, struct buf *out, struct err *e)
{
	OWN(PKCS8_PRIV_KEY_INFO_free)
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(softkey_pkey(k));
	OWN(X509_SIG_free)
	X509_SIG *sig = NULL;
	uint8_t salt[SALT], *to;
	int n;

	if (plain == NULL)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 5958", "a private key's form");
	TRY(rand_bytes(salt, sizeof(salt), e));
	sig = encrypt(plain, secret_bytes(passphrase), salt);
	n = sig ? i2d_X509_SIG(sig, NULL) : -1;
	if (n <= 0)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 5958", "encrypting a private key");
	to = buf_room(out, (size_t)n);
	NEED(to != NULL, e, CHY_NO_MEMORY, NULL, "a private key of %d bytes", n);
	i2d_X509_SIG(sig, &to);
	out->n += (size_t)n;
	return RC_OK;
}

/* The encryption has no integrity of its own: a key that was altered on its medium must not sign anything. */
static enum rc
prove(const struct softkey *k, struct err *e)
{
	OWN_BUF struct buf sig = buf_max(SOFTKEY_SIGNATURE_MAX);
	struct bytes text = BYTES("chancery: is this private key the public one's?");
	enum sigalg alg = softkey_default_alg(k);

	NEED(softkey_sign(k, alg, text, &sig, NULL) == RC_OK &&
		 verify_signature(softkey_spki(k), alg, text, buf_bytes(&sig), NULL) == RC_OK,
	     e, CHY_SOFTKEY_FORM, NULL, "its private and public parts do not belong together");
	return RC_OK;
}

static enum rc
from_pkcs8(const PKCS8_PRIV_KEY_INFO *plain, struct softkey **ret, struct err *e)
{
	OWN(EVP_PKEY_free)
	EVP_PKEY *pkey = EVP_PKCS82PKEY(plain);
	OWN(softkey_free)
	struct softkey *k = NULL;
	struct err why = { 0 };

	if (pkey == NULL)
		return ossl_fail(e, CHY_SOFTKEY_FORM, "RFC 5958", "not a private key that the library knows");
	NEED(softkey_wrap(pkey, &k, &why) == RC_OK, e, CHY_SOFTKEY_FORM, NULL, "%s", why.text);
	TRY(prove(k, e));
	*ret = k;
	k = NULL;
	return RC_OK;
}

enum rc
softkey_from_pkcs8(struct bytes der, struct softkey **ret, struct err *e)
{
	const uint8_t *p = der.p;
	OWN(PKCS8_PRIV_KEY_INFO_free)
	PKCS8_PRIV_KEY_INFO *plain = der.n > 0 && der.n <= SOFTKEY_SAVED_MAX
	    ? d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n)
	    : NULL;

	if (plain == NULL || p != der.p + der.n)
		return ossl_fail(e, CHY_SOFTKEY_FORM, "RFC 5958", "not PKCS#8");
	return from_pkcs8(plain, ret, e);
}

enum rc
softkey_load(struct bytes saved, const struct secret *passphrase, struct softkey **ret, struct err *e)
{
	const uint8_t *p = saved.p;
	struct bytes pass = secret_bytes(passphrase);
	OWN(X509_SIG_free)
	X509_SIG *sig = saved.n > 0 && saved.n <= SOFTKEY_SAVED_MAX ? d2i_X509_SIG(NULL, &p, (long)saved.n)
								    : NULL;
	OWN(PKCS8_PRIV_KEY_INFO_free)
	PKCS8_PRIV_KEY_INFO *plain = NULL;

	if (sig == NULL || p != saved.p + saved.n)
		return ossl_fail(e, CHY_SOFTKEY_FORM, "RFC 5958", "not encrypted PKCS#8");
	plain = PKCS8_decrypt(sig, (const char *)pass.p, (int)pass.n);
	if (plain == NULL) {
		ossl_forget();
		FAIL(e, CHY_SEAL_OPEN, "RFC 8018 6.2", "wrong passphrase, or the key was altered");
	}
	return from_pkcs8(plain, ret, e);
}
