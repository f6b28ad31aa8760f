#include "base/base.h"
#include "crypto/foreign.h"

/*
 * RSA_METHOD and EC_KEY_METHOD are deprecated since OpenSSL 3.0, which offers whole providers in their place: ten times
 * this file, to the same end. All 3.x versions support them; a key with a method of its own is never exported to a provider,
 * so that every private operation comes here.
 */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "crypto/foreign_key.h"
#include "crypto/internal.h"

enum { OUT_MAX = 2048 }; /* an RSA-16384 signature */

struct foreign_key {
	foreign_fn *fn;
	void *context;
	EVP_PKEY *pkey;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int rsa_index = -1, ec_index = -1;
static RSA_METHOD *rsa_method;
static EC_KEY_METHOD *ec_method;

static __thread struct err last;

bool
foreign_last_error(struct err *e)
{
	if (last.code == CHY_NONE)
		return false;
	*e = last;
	last = (struct err){ 0 };
	return true;
}

/* Runs the operation; false after a failure, which is kept for foreign_last_error. */
static bool
run(const struct foreign_key *k, enum foreign_op op, struct bytes in, struct buf *out)
{
	struct err e = { 0 };

	if (k == NULL)
		return false;
	if (k->fn(k->context, op, in, out, &e) == RC_OK && buf_ok(out) && out->n > 0)
		return true;
	if (e.code == CHY_NONE)
		err_set(&e, CHY_CRYPTO_LIBRARY, NULL, "a foreign key gave no signature");
	if (last.code == CHY_NONE)
		last = e;
	return false;
}

static int
rsa_private_encrypt(int n, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	OWN_BUF struct buf out = buf_max(OUT_MAX);
	enum foreign_op op = padding == RSA_PKCS1_PADDING ? FOREIGN_RSA_PKCS1 : FOREIGN_RSA_RAW;

	if (n < 0 || (padding != RSA_PKCS1_PADDING && padding != RSA_NO_PADDING) ||
	    !run(RSA_get_ex_data(rsa, rsa_index), op, bytes_of(from, (size_t)n), &out) ||
	    out.n != (size_t)RSA_size(rsa))
		return -1;
	memcpy(to, out.p, out.n);
	return (int)out.n;
}

/* No TLS cipher of ours decrypts with RSA: not offered, so that nobody gets an oracle. */
static int
rsa_private_decrypt(int n, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	return -1;
}

static int
ec_sign(int type, const unsigned char *digest, int n, unsigned char *sig, unsigned int *ret_n,
	const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
	OWN_BUF struct buf out = buf_max(OUT_MAX);

	if (n < 0 ||
	    !run(EC_KEY_get_ex_data(ec, ec_index), FOREIGN_ECDSA, bytes_of(digest, (size_t)n), &out) ||
	    out.n > (size_t)ECDSA_size(ec))
		return 0;
	memcpy(sig, out.p, out.n);
	*ret_n = (unsigned)out.n;
	return 1;
}

/* The other way in: as two numbers. */
static ECDSA_SIG *
ec_sign_sig(const unsigned char *digest, int n, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
	uint8_t der[256];
	const uint8_t *p = der;
	unsigned len = 0;

	if (ECDSA_size(ec) > (int)sizeof(der) || !ec_sign(0, digest, n, der, &len, NULL, NULL, ec))
		return NULL;
	return d2i_ECDSA_SIG(NULL, &p, (long)len);
}

static void
make_methods(void)
{
	rsa_index = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	ec_index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	if (rsa_index < 0 || ec_index < 0 || rsa_method == NULL || ec_method == NULL ||
	    !RSA_meth_set1_name(rsa_method, "foreign") ||
	    !RSA_meth_set_priv_enc(rsa_method, rsa_private_encrypt) ||
	    !RSA_meth_set_priv_dec(rsa_method, rsa_private_decrypt) ||
	    !RSA_meth_set_flags(rsa_method, RSA_FLAG_EXT_PKEY | RSA_METHOD_FLAG_NO_CHECK)) {
		RSA_meth_free(rsa_method);
		rsa_method = NULL;
		return;
	}
	EC_KEY_METHOD_set_sign(ec_method, ec_sign, NULL, ec_sign_sig);
}

/* The library's own public key of the same numbers, with our method put in. */
static bool
make_rsa(struct foreign_key *k, EVP_PKEY *public)
{
	RSA *rsa = EVP_PKEY_get1_RSA(public);

	if (rsa == NULL)
		return false;
	if (RSA_set_method(rsa, rsa_method) && RSA_set_ex_data(rsa, rsa_index, k) &&
	    (k->pkey = EVP_PKEY_new()) != NULL && EVP_PKEY_assign_RSA(k->pkey, rsa))
		return true;
	RSA_free(rsa);
	return false;
}

static bool
make_ec(struct foreign_key *k, EVP_PKEY *public)
{
	EC_KEY *ec = EVP_PKEY_get1_EC_KEY(public);

	if (ec == NULL)
		return false;
	if (EC_KEY_set_method(ec, ec_method) && EC_KEY_set_ex_data(ec, ec_index, k) &&
	    (k->pkey = EVP_PKEY_new()) != NULL && EVP_PKEY_assign_EC_KEY(k->pkey, ec))
		return true;
	EC_KEY_free(ec);
	return false;
}

enum rc
foreign_key_new(struct bytes spki, foreign_fn *fn, void *context, struct foreign_key **ret, struct err *e)
{
	const uint8_t *p = spki.p;
	OWN(EVP_PKEY_free)
	EVP_PKEY *public = spki.n <= INT32_MAX ? d2i_PUBKEY(NULL, &p, (long)spki.n) : NULL;
	struct foreign_key *k;
	int kind;

	pthread_once(&once, make_methods);
	NEED(rsa_method != NULL, e, CHY_NO_MEMORY, NULL, "methods of foreign keys");
	if (public == NULL || p != spki.p + spki.n)
		return ossl_fail(e, CHY_KEY_IMPORT, "RFC 5280 4.1.2.7", "public key of a foreign key");
	kind = EVP_PKEY_get_base_id(public);
	NEED(kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC, e, CHY_KEY_UNKNOWN, NULL,
	     "only RSA and elliptic keys can be foreign");
	k = calloc(1, sizeof(*k));
	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "a foreign key");
	k->fn = fn;
	k->context = context;
	if (!(kind == EVP_PKEY_RSA ? make_rsa(k, public) : make_ec(k, public))) {
		foreign_key_free(k);
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, NULL, "foreign key");
	}
	*ret = k;
	return RC_OK;
}

void
foreign_key_free(struct foreign_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

EVP_PKEY *
foreign_pkey(const struct foreign_key *k)
{
	return k->pkey;
}
