#include "base/base.h"
#include "crypto/chain.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "crypto/internal.h"
#include "crypto/x509.h"

static enum rc
chain_refuse(X509_STORE_CTX *ctx, struct err *e)
{
	int why = X509_STORE_CTX_get_error(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	const char *text = X509_verify_cert_error_string(why);

	ossl_forget();
	err_field(e, "chain[%d]", depth);
	switch (why) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		FAIL(e, CHY_CHAIN_TIME, "RFC 5280 6.1.3", "%s", text);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		FAIL(e, CHY_CHAIN_INCOMPLETE, "RFC 5280 6.1", "%s", text);
	case X509_V_ERR_OUT_OF_MEM:
		FAIL(e, CHY_NO_MEMORY, NULL, "a path");
	default:
		FAIL(e, CHY_CHAIN_INVALID, "RFC 5280 6.1", "%s", text);
	}
}

/* The library takes old forms of CA certificates between leaf and root; RFC 5280 6.1.4 (k) wants basicConstraints. */
static enum rc
chain_need_cas(X509_STORE_CTX *ctx, struct err *e)
{
	STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);

	for (int i = 1; i < sk_X509_num(path) - 1; i++)
		if (X509_check_ca(sk_X509_value(path, i)) != 1) {
			err_field(e, "chain[%d]", i);
			FAIL(e, CHY_CHAIN_INVALID, "RFC 5280 6.1.4",
			     "a certificate that is no CA issued another");
		}
	return RC_OK;
}

static enum rc
chain_run(X509_STORE_CTX *ctx, X509_STORE *store, X509 *leaf, STACK_OF(X509) * between, int64_t at_ms,
	  struct err *e)
{
	X509_VERIFY_PARAM *param;

	if (!X509_STORE_CTX_init(ctx, store, leaf, between))
		return ossl_fail(e, CHY_NO_MEMORY, NULL, "path validation");
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)(at_ms / 1000 - (at_ms % 1000 < 0)));
	X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
	/* 112 bits: no SHA-1, no RSA under 2048, whatever the machine's own configuration says */
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	if (X509_verify_cert(ctx) != 1)
		return chain_refuse(ctx, e);
	ossl_forget(); /* of paths that were tried on the way */
	return chain_need_cas(ctx, e);
}

enum rc
chain_verify(struct bytes leaf, const struct bytes *intermediates, size_t intermediates_count,
	     const struct bytes *roots, size_t roots_count, int64_t at_ms, struct err *e)
{
	OWN(X509_free)
	X509 *x = NULL;
	OWN(x509_list_free)
	STACK_OF(X509) *between = NULL;
	OWN(X509_STORE_free)
	X509_STORE *store = NULL;
	OWN(X509_STORE_CTX_free)
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	NEED(ctx != NULL, e, CHY_NO_MEMORY, NULL, "path validation");
	NEED(intermediates_count <= CHAIN_MAX && roots_count <= CHAIN_MAX, e, CHY_CHAIN_FORM, NULL,
	     "more than %d certificates", CHAIN_MAX);
	x = x509_of(leaf);
	if (x == NULL)
		return ossl_fail(e, CHY_CHAIN_FORM, "RFC 5280 4.1", "the certificate");
	between = x509_list(intermediates, intermediates_count);
	if (between == NULL)
		return ossl_fail(e, CHY_CHAIN_FORM, "RFC 5280 4.1", "an intermediate certificate");
	store = x509_store(roots, roots_count);
	if (store == NULL)
		return ossl_fail(e, CHY_CHAIN_FORM, "RFC 5280 4.1", "a root certificate");
	return chain_run(ctx, store, x, between, at_ms, e);
}
