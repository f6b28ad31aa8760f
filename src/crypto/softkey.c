#include "base/base.h"
#include "crypto/softkey.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "crypto/crypto.h"
#include "crypto/internal.h"
#include "crypto/softkey_key.h"
#include "crypto/verify.h"

enum { IDLE_MAX = 16, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096 };

/* Signing contexts that are set up and wait for work: EVP_PKEY_CTX for algorithms with a digest, else EVP_MD_CTX. They
   belong to the key rather than to a thread, so that they, and the private key they hold, go when it goes. */
struct idle {
	void *ctx[IDLE_MAX];
	unsigned n;
};

struct softkey {
	EVP_PKEY *pkey;
	struct key_type type;
	char kind[KEY_NAME_MAX];
	struct bytes spki; /* of our own memory */
	pthread_mutex_t lock;
	struct idle idle[SIGALG_COUNT];
};

static bool
takes_digest(enum sigalg alg)
{
	return sigalg_digest(alg) != DIGEST_NONE;
}

static void
ctx_free(enum sigalg alg, void *ctx)
{
	if (takes_digest(alg))
		EVP_PKEY_CTX_free(ctx);
	else
		EVP_MD_CTX_free(ctx);
}

/* ---- life ---- */

static struct bytes
spki_of(EVP_PKEY *pkey)
{
	uint8_t *p = NULL;
	int n = i2d_PUBKEY(pkey, &p);

	return n > 0 ? bytes_of(p, (size_t)n) : BYTES_NONE;
}

enum rc
softkey_wrap(EVP_PKEY *pkey, struct softkey **ret, struct err *e)
{
	OWN(softkey_free)
	struct softkey *k = calloc(1, sizeof(*k));
	struct pubkey public;

	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	pthread_mutex_init(&k->lock, NULL);
	k->spki = spki_of(pkey);
	if (k->spki.n == 0)
		return ossl_fail(e, CHY_KEY_KIND, NULL, "public part of a key");
	TRY(pubkey_parse(k->spki, &public, e));
	k->type = pubkey_type(&public);
	key_type_text(k->kind, k->type);
	if (EVP_PKEY_up_ref(pkey) != 1)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, NULL, "key");
	k->pkey = pkey;
	*ret = k;
	k = NULL;
	return RC_OK;
}

void
softkey_free(struct softkey *k)
{
	if (k == NULL)
		return;
	for (enum sigalg alg = 0; alg < SIGALG_COUNT; alg++)
		while (k->idle[alg].n > 0)
			ctx_free(alg, k->idle[alg].ctx[--k->idle[alg].n]);
	/* the library wipes the private numbers */
	EVP_PKEY_free(k->pkey);
	OPENSSL_free((void *)(uintptr_t)k->spki.p);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static EVP_PKEY *
make(const struct key_type *type)
{
	switch (type->alg) {
	case KEY_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)type->bits);
	case KEY_EC:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve_library_name(type->curve));
	default:
		return EVP_PKEY_Q_keygen(NULL, NULL, key_library_name(type->alg));
	}
}

enum rc
softkey_generate(const char *kind, struct softkey **ret, struct err *e)
{
	OWN(EVP_PKEY_free)
	EVP_PKEY *pkey = NULL;
	struct key_type type;
	struct err why = { 0 };

	NEED(key_type_parse(bytes_str(kind), &type, &why) == RC_OK, e, CHY_KEY_KIND, NULL, "%s", why.text);
	NEED(type.alg != KEY_RSA || (type.bits >= RSA_BITS_MIN && type.bits <= RSA_BITS_MAX), e, CHY_KEY_KIND,
	     NULL, "RSA keys of %d to %d bits are made, not of %u", RSA_BITS_MIN, RSA_BITS_MAX, type.bits);
	NEED(sigalg_available(sigalg_default(&type)), e, CHY_ALGORITHM_MISSING, NULL, "%s is not in %s", kind,
	     crypto_library());
	pkey = make(&type);
	if (pkey == NULL)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, NULL, "making a key");
	return softkey_wrap(pkey, ret, e);
}

const char *
softkey_kind(const struct softkey *k)
{
	return k->kind;
}

struct bytes
softkey_spki(const struct softkey *k)
{
	return k->spki;
}

enum sigalg
softkey_default_alg(const struct softkey *k)
{
	return sigalg_default(&k->type);
}

EVP_PKEY *
softkey_pkey(const struct softkey *k)
{
	return k->pkey;
}

/* ---- signing ---- */

static void *
ctx_new(const struct softkey *k, enum sigalg alg)
{
	EVP_PKEY_CTX *c;

	if (!takes_digest(alg))
		return EVP_MD_CTX_new();
	c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (c != NULL && EVP_PKEY_sign_init(c) == 1 && rsa_setup(c, alg))
		return c;
	EVP_PKEY_CTX_free(c);
	return NULL;
}

/* The pool is bookkeeping: a key stays const to who signs with it. */
static struct softkey *
pool_of(const struct softkey *k)
{
	return (struct softkey *)(uintptr_t)k;
}

static void *
ctx_take(const struct softkey *key, enum sigalg alg)
{
	struct softkey *k = pool_of(key);
	void *ctx = NULL;

	pthread_mutex_lock(&k->lock);
	if (k->idle[alg].n > 0)
		ctx = k->idle[alg].ctx[--k->idle[alg].n];
	pthread_mutex_unlock(&k->lock);
	return ctx ? ctx : ctx_new(k, alg);
}

/* One that has failed is not used again. */
static void
ctx_give(const struct softkey *key, enum sigalg alg, void *ctx, bool good)
{
	struct softkey *k = pool_of(key);
	bool kept = false;

	pthread_mutex_lock(&k->lock);
	if (good && k->idle[alg].n < IDLE_MAX) {
		k->idle[alg].ctx[k->idle[alg].n++] = ctx;
		kept = true;
	}
	pthread_mutex_unlock(&k->lock);
	if (!kept)
		ctx_free(alg, ctx);
}

/* One signature of what the algorithm takes: its digest, or the message. */
static bool
sign_once(const struct softkey *k, enum sigalg alg, void *ctx, struct bytes in, uint8_t *to, size_t *n)
{
	if (takes_digest(alg))
		return EVP_PKEY_sign(ctx, to, n, in.p, in.n) == 1;
	return EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) == 1 &&
	    EVP_DigestSign(ctx, to, n, in.p, in.n) == 1;
}

static enum rc
sign_into(const struct softkey *k, enum sigalg alg, struct bytes in, struct buf *out, struct err *e)
{
	size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
	uint8_t *to = buf_room(out, n);
	void *ctx;
	bool good;

	NEED(!fault_fails("softkey.sign"), e, CHY_CRYPTO_LIBRARY, NULL, "signing failed (fault point)");
	NEED(to != NULL, e, CHY_NO_MEMORY, NULL, "a signature of %zu bytes", n);
	ctx = ctx_take(k, alg);
	if (ctx == NULL)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, NULL, "signing");
	good = sign_once(k, alg, ctx, in, to, &n);
	ctx_give(k, alg, ctx, good);
	if (!good)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, NULL, "signing");
	out->n += n;
	return RC_OK;
}

static enum rc
check_fit(const struct softkey *k, enum sigalg alg, struct err *e)
{
	NEED(sigalg_fits(alg, &k->type), e, CHY_SIGNATURE_ALGORITHM, NULL, "%s is not for %s keys",
	     sigalg_name(alg), k->kind);
	return RC_OK;
}

enum rc
softkey_sign(const struct softkey *k, enum sigalg alg, struct bytes message, struct buf *out, struct err *e)
{
	uint8_t hash[HASH_MAX];

	TRY(check_fit(k, alg, e));
	if (takes_digest(alg))
		message = hash_of(hash_for(sigalg_digest(alg)), message, hash);
	return sign_into(k, alg, message, out, e);
}

enum rc
softkey_sign_digest(const struct softkey *k, enum sigalg alg, struct bytes digest, struct buf *out,
		    struct err *e)
{
	TRY(check_fit(k, alg, e));
	NEED(takes_digest(alg) && digest.n == hash_len(hash_for(sigalg_digest(alg))), e,
	     CHY_SIGNATURE_ALGORITHM, NULL, "%s does not sign a digest of %zu bytes", sigalg_name(alg),
	     digest.n);
	return sign_into(k, alg, digest, out, e);
}
