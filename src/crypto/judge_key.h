/*
 * A key that the library has read once, and certificates of it in which it shall not be read again (judge.h). For the judge.
 */
#ifndef CRYPTO_JUDGE_KEY_H
#define CRYPTO_JUDGE_KEY_H

#include <openssl/provider.h>
#include <openssl/x509.h>

#include "crypto/internal.h"

struct judge_key {
	OSSL_LIB_CTX *ctx;
	OSSL_PROVIDER *digests;
	EVP_PKEY *pkey;
	struct bytes spki; /* of our own memory */
};

/* NULL: the library cannot read it, or bytes stand behind it. X509_free. */
X509 *judge_key_cert(const struct judge_key *k, struct bytes der);

#endif
