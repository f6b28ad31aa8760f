#include "base/base.h"
#include "crypto/verify.h"

#include "crypto/import.h"
#include "crypto/internal.h"

struct verifier {
	EVP_PKEY *pkey;
	struct key_type type;
};

static enum rc
check_fit(const struct key_type *type, enum sigalg alg, struct err *e)
{
	NEED(sigalg_available(alg), e, CHY_ALGORITHM_MISSING, NULL, "%s is not in %s", sigalg_name(alg),
	     OpenSSL_version(OPENSSL_VERSION));
	NEED(sigalg_fits(alg, type), e, CHY_SIGNATURE_ALGORITHM, NULL, "%s is not for %s keys",
	     sigalg_name(alg), key_alg_name(type->alg));
	return RC_OK;
}

static bool
verify_digest(EVP_PKEY *pkey, enum sigalg alg, struct bytes message, struct bytes signature)
{
	OWN(EVP_PKEY_CTX_free)
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	uint8_t out[HASH_MAX];
	struct bytes d = hash_of(hash_for(sigalg_digest(alg)), message, out);

	return c != NULL && EVP_PKEY_verify_init(c) == 1 && rsa_setup(c, alg) &&
	    EVP_PKEY_verify(c, signature.p, signature.n, d.p, d.n) == 1;
}

static bool
verify_message(EVP_PKEY *pkey, struct bytes message, struct bytes signature)
{
	OWN(EVP_MD_CTX_free)
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	return c != NULL && EVP_DigestVerifyInit_ex(c, NULL, NULL, NULL, NULL, pkey, NULL) == 1 &&
	    EVP_DigestVerify(c, signature.p, signature.n, message.p, message.n) == 1;
}

static enum rc
verify_pkey(EVP_PKEY *pkey, enum sigalg alg, struct bytes message, struct bytes signature, struct err *e)
{
	bool good = sigalg_digest(alg) == DIGEST_NONE ? verify_message(pkey, message, signature)
						      : verify_digest(pkey, alg, message, signature);

	if (good)
		return RC_OK;
	ossl_forget();
	FAIL(e, CHY_SIGNATURE_WRONG, NULL, "the %s signature is not this key's over these bytes",
	     sigalg_name(alg));
}

enum rc
verify_with(const struct pubkey *key, enum sigalg alg, struct bytes message, struct bytes signature,
	    struct err *e)
{
	struct key_type type = pubkey_type(key);
	OWN(EVP_PKEY_free)
	EVP_PKEY *pkey = NULL;

	TRY(check_fit(&type, alg, e));
	TRY(key_import(key, &pkey, e));
	return verify_pkey(pkey, alg, message, signature, e);
}

enum rc
verify_signature(struct bytes spki, enum sigalg alg, struct bytes message, struct bytes signature,
		 struct err *e)
{
	struct pubkey key;

	TRY(pubkey_parse(spki, &key, e));
	return verify_with(&key, alg, message, signature, e);
}

enum rc
verify_csr(const struct csr *csr, struct err *e)
{
	TRY_AT(verify_with(&csr->key, csr->sigalg, csr->tbs, csr->signature, e), e, "signature");
	return RC_OK;
}

enum rc
verifier_new(struct bytes spki, struct verifier **ret, struct err *e)
{
	OWN(EVP_PKEY_free)
	EVP_PKEY *pkey = NULL;
	struct pubkey key;
	struct verifier *v;

	TRY(pubkey_parse(spki, &key, e));
	TRY(key_import(&key, &pkey, e));
	v = calloc(1, sizeof(*v));
	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "a verifier");
	*v = (struct verifier){ pkey, pubkey_type(&key) };
	pkey = NULL;
	*ret = v;
	return RC_OK;
}

void
verifier_free(struct verifier *v)
{
	if (v == NULL)
		return;
	EVP_PKEY_free(v->pkey);
	free(v);
}

enum rc
verifier_check(const struct verifier *v, enum sigalg alg, struct bytes message, struct bytes signature,
	       struct err *e)
{
	TRY(check_fit(&v->type, alg, e));
	return verify_pkey(v->pkey, alg, message, signature, e);
}
