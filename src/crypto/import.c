#include "base/base.h"
#include "crypto/import.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "crypto/internal.h"
#include "crypto/verify.h"

enum { RSA_OCTETS_MAX = 16384 / 8 };

/* The import contexts of a thread: making one costs as much as the import itself. */
struct importers {
	EVP_PKEY_CTX *rsa, *ec;
	EVP_PKEY *curves[CURVE_P521 + 1]; /* a key of each curve seen, to be copied */
};

static __thread struct importers *mine;
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
importers_free(void *arg)
{
	struct importers *i = arg;

	EVP_PKEY_CTX_free(i->rsa);
	EVP_PKEY_CTX_free(i->ec);
	for (size_t c = 0; c < ARRAY_LEN(i->curves); c++)
		EVP_PKEY_free(i->curves[c]);
	free(i);
	mine = NULL;
}

static void
make_key(void)
{
	if (pthread_key_create(&at_exit, importers_free) != 0)
		abort();
}

static EVP_PKEY_CTX *
importer_new(const char *name)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);

	if (c != NULL && EVP_PKEY_fromdata_init(c) == 1)
		return c;
	EVP_PKEY_CTX_free(c);
	return NULL;
}

/* NULL: out of memory. */
static struct importers *
importers(void)
{
	struct importers *i;

	if (mine != NULL)
		return mine;
	pthread_once(&once, make_key);
	i = calloc(1, sizeof(*i));
	if (i == NULL)
		return NULL;
	i->rsa = importer_new("RSA");
	i->ec = importer_new("EC");
	if (i->rsa == NULL || i->ec == NULL || pthread_setspecific(at_exit, i) != 0) {
		importers_free(i);
		return NULL;
	}
	mine = i;
	return i;
}

static void
reversed(uint8_t *to, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		to[i] = b.p[b.n - 1 - i];
}

static enum rc
import_rsa(const struct pubkey *key, struct importers *i, EVP_PKEY **ret, struct err *e)
{
	/* the library takes numbers in the machine's own order */
	uint8_t n[RSA_OCTETS_MAX], x[RSA_OCTETS_MAX];
	OSSL_PARAM params[3];

	NEED(key->modulus.n <= sizeof(n) && key->exponent.n <= sizeof(x), e, CHY_KEY_IMPORT, NULL,
	     "RSA key too long");
	reversed(n, key->modulus);
	reversed(x, key->exponent);
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, key->modulus.n);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, x, key->exponent.n);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(i->rsa, ret, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return ossl_fail(e, CHY_KEY_IMPORT, "RFC 8017 3.1", "RSA key");
	return RC_OK;
}

/* The first key of a curve: the library makes the curve from its name, which takes 10 us. */
static EVP_PKEY *
first_of_curve(const struct pubkey *key, const char *name, struct importers *i)
{
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM params[3];

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)name, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						      (void *)(uintptr_t)key->point.p, key->point.n);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(i->ec, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	i->curves[key->curve] = EVP_PKEY_dup(pkey); /* NULL: the next one tries again */
	return pkey;
}

/* Later ones: a copy of a key of the same curve with another point, 4 us. */
static EVP_PKEY *
next_of_curve(const struct pubkey *key, EVP_PKEY *like)
{
	EVP_PKEY *pkey = EVP_PKEY_dup(like);

	if (pkey != NULL && EVP_PKEY_set1_encoded_public_key(pkey, key->point.p, key->point.n) == 1)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

/* The library checks, either way, that the point lies on the curve; infinity would pass it. */
static enum rc
import_ec(const struct pubkey *key, struct importers *i, EVP_PKEY **ret, struct err *e)
{
	const char *name = curve_library_name(key->curve);
	EVP_PKEY *like = name ? i->curves[key->curve] : NULL;

	NEED(name != NULL, e, CHY_KEY_CURVE, "RFC 5480 2.1.1", "unknown curve");
	NEED(key->point.n > 1, e, CHY_KEY_POINT, "SP 800-186 D.1", "the point at infinity");
	*ret = like ? next_of_curve(key, like) : first_of_curve(key, name, i);
	if (*ret == NULL)
		return ossl_fail(e, CHY_KEY_POINT, "SP 800-186 D.1", "the point is not on the curve");
	return RC_OK;
}

static enum rc
import_raw(const struct pubkey *key, EVP_PKEY **ret, struct err *e)
{
	const char *name = key_library_name(key->alg);
	struct key_type type = pubkey_type(key);

	NEED(name != NULL, e, CHY_KEY_UNKNOWN, NULL, "unknown kind of key");
	NEED(sigalg_available(sigalg_default(&type)), e, CHY_ALGORITHM_MISSING, NULL, "%s is not in %s", name,
	     OpenSSL_version(OPENSSL_VERSION));
	*ret = EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, key->point.p, key->point.n);
	if (*ret == NULL)
		return ossl_fail(e, CHY_KEY_IMPORT, NULL, "public key");
	return RC_OK;
}

enum rc
key_import(const struct pubkey *key, EVP_PKEY **ret, struct err *e)
{
	struct importers *i = importers();

	NEED(i != NULL, e, CHY_NO_MEMORY, NULL, "importing a key");
	*ret = NULL;
	switch (key->alg) {
	case KEY_RSA:
		return import_rsa(key, i, ret, e);
	case KEY_EC:
		return import_ec(key, i, ret, e);
	default:
		return import_raw(key, ret, e);
	}
}
