/*
 * The library decodes the public key whenever it reads a certificate, and spends three quarters of the time on finding the
 * decoder. In a context of its own that has digests and nothing else it finds none at once and leaves the key as it is.
 */
#include "base/base.h"
#include "crypto/judge_key.h"

#include <openssl/core_dispatch.h>

#include "crypto/crypto.h"
#include "crypto/judge.h"

/* ---- the default provider's digests, by themselves (OpenSSL's provider(7)) ---- */

static const OSSL_ALGORITHM *
digests_query(void *ctx, int operation, int *no_store)
{
	OSSL_PROVIDER *whole;

	(void)ctx;
	*no_store = 0;
	if (operation != OSSL_OP_DIGEST)
		return NULL;
	/* not unloaded: what it answers with is its own, and the process uses it anyway */
	whole = OSSL_PROVIDER_load(NULL, "default");
	return whole ? OSSL_PROVIDER_query_operation(whole, operation, no_store) : NULL;
}

static int
digests_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **ctx)
{
	static const OSSL_DISPATCH own[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))digests_query },
		{ 0, NULL },
	};
	OSSL_PROVIDER *whole = OSSL_PROVIDER_load(NULL, "default");

	(void)handle;
	(void)in;
	if (whole == NULL)
		return 0;
	*ctx = OSSL_PROVIDER_get0_provider_ctx(whole); /* the digests are given this one */
	*out = own;
	return 1;
}

static bool
open_context(struct judge_key *k)
{
	k->ctx = OSSL_LIB_CTX_new();
	if (k->ctx == NULL || OSSL_PROVIDER_add_builtin(k->ctx, "digests", digests_init) != 1)
		return false;
	k->digests = OSSL_PROVIDER_load(k->ctx, "digests");
	return k->digests != NULL;
}

/* ---- the key ---- */

static EVP_PKEY *
read_key(struct bytes spki)
{
	const uint8_t *p = spki.p;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.n);

	if (pkey == NULL || p == spki.p + spki.n)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

enum rc
judge_key_new(struct bytes spki, struct judge_key **ret, struct err *e)
{
	OWN(judge_key_free)
	struct judge_key *k = calloc(1, sizeof(*k));
	uint8_t *copy;

	NEED(spki.n > 0 && spki.n <= LIMIT_CERT, e, CHY_KEY_KIND, NULL, "a public key of %zu bytes", spki.n);
	NEED(k != NULL && (copy = malloc(spki.n)) != NULL, e, CHY_NO_MEMORY, NULL, "a key to judge by");
	k->spki = bytes_of(memcpy(copy, spki.p, spki.n), spki.n);
	TRY(crypto_init(e));
	if ((k->pkey = read_key(spki)) == NULL)
		return ossl_fail(e, CHY_KEY_KIND, NULL, "reading a public key");
	if (!open_context(k))
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, NULL, "a context with digests only");
	*ret = k;
	k = NULL;
	return RC_OK;
}

void
judge_key_free(struct judge_key *k)
{
	if (k == NULL)
		return;
	if (k->digests != NULL)
		OSSL_PROVIDER_unload(k->digests);
	OSSL_LIB_CTX_free(k->ctx);
	EVP_PKEY_free(k->pkey);
	free((void *)(uintptr_t)k->spki.p);
	free(k);
}

X509 *
judge_key_cert(const struct judge_key *k, struct bytes der)
{
	const uint8_t *p = der.p;
	X509 *x = der.n > 0 && der.n <= LIMIT_CERT ? X509_new_ex(k->ctx, NULL) : NULL;

	/* on failure it frees what it was given */
	if (x == NULL || d2i_X509(&x, &p, (long)der.n) == NULL)
		return NULL;
	if (p == der.p + der.n)
		return x;
	X509_free(x);
	return NULL;
}
