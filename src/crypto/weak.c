#include "base/base.h"
#include "crypto/weak.h"

#include <openssl/bn.h>

#include "crypto/import.h"
#include "crypto/internal.h"
#include "crypto/weak_rsa.h"

const struct key_limits key_limits_default = { .rsa_min_bits = 2048,
					       .rsa_max_bits = 8192,
					       .rsa_exponent_min = 65537 };

/*
 * The Edwards curves a x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 5.1, 5.2). A key is y, little-endian, and one bit of x. It is
 * usable when y < p, x^2 = (1 - y^2) / (a - d y^2) has a root, and the point's order is not a small one (then a signature
 * could fit many messages). Numbers are big-endian here, as BN_hex2bn reads them.
 */
struct edwards {
	const char *p, *d;
	bool minus; /* a = -1; else 1 */
	size_t octets;
	const char *small_order[3]; /* y, besides 0, 1 and -1 */
};

static const struct edwards curve25519 = {
	.p = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
	.d = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3",
	.minus = true,
	.octets = 32,
	.small_order = { "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
			 "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826" },
};

static const struct edwards curve448 = {
	.p = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
	     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	.d = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
	     "ffffffffffffffffffffffffffffffffffffffffffffffffffff6756",
	.octets = 57,
};

struct edwards_work {
	BN_CTX *ctx;
	BIGNUM *p, *d, *y, *num, *den, *t;
};

static bool
small_order(const struct edwards *c, struct edwards_work *w)
{
	if (BN_is_zero(w->y) || BN_is_one(w->y))
		return true;
	if (BN_copy(w->t, w->p) == NULL || !BN_sub_word(w->t, 1) || BN_cmp(w->t, w->y) == 0)
		return true;
	for (size_t i = 0; c->small_order[i] != NULL; i++)
		if (!BN_hex2bn(&w->t, c->small_order[i]) || BN_cmp(w->t, w->y) == 0)
			return true;
	return false;
}

/* x^2 exists: num * den is a square modulo p, for num = 1 - y^2 and den = a - d y^2. */
static bool
on_edwards(const struct edwards *c, struct edwards_work *w)
{
	return BN_mod_sqr(w->t, w->y, w->p, w->ctx) && BN_one(w->num) &&
	    BN_mod_sub(w->num, w->num, w->t, w->p, w->ctx) && BN_mod_mul(w->t, w->t, w->d, w->p, w->ctx) &&
	    BN_one(w->den) && (BN_set_negative(w->den, c->minus), true) &&
	    BN_mod_sub(w->den, w->den, w->t, w->p, w->ctx) &&
	    BN_mod_mul(w->t, w->num, w->den, w->p, w->ctx) && BN_kronecker(w->t, w->p, w->ctx) == 1;
}

/* NULL: good. */
static const char *
edwards_judge(const struct edwards *c, struct bytes key, struct edwards_work *w)
{
	uint8_t y[57];

	memcpy(y, key.p, key.n);
	y[key.n - 1] &= 0x7f;
	if (w->t == NULL || !BN_hex2bn(&w->p, c->p) || !BN_hex2bn(&w->d, c->d) ||
	    BN_lebin2bn(y, (int)key.n, w->y) == NULL)
		return "it cannot be judged";
	if (BN_cmp(w->y, w->p) >= 0)
		return "its coordinate is not reduced";
	if (small_order(c, w))
		return "the point is of small order";
	return on_edwards(c, w) ? NULL : "the point is not on the curve";
}

static enum rc
edwards_check(const struct edwards *c, struct bytes key, struct err *e)
{
	struct edwards_work w = { 0 };
	const char *why = "it cannot be judged";

	NEED(key.n == c->octets, e, CHY_KEY_POINT, "RFC 8032", "%zu octets", key.n);
	w.ctx = BN_CTX_new();
	if (w.ctx != NULL) {
		BN_CTX_start(w.ctx);
		w.p = BN_CTX_get(w.ctx);
		w.d = BN_CTX_get(w.ctx);
		w.y = BN_CTX_get(w.ctx);
		w.num = BN_CTX_get(w.ctx);
		w.den = BN_CTX_get(w.ctx);
		w.t = BN_CTX_get(w.ctx);
		why = edwards_judge(c, key, &w);
		BN_CTX_end(w.ctx);
		BN_CTX_free(w.ctx);
	}
	ossl_forget();
	NEED(why == NULL, e, CHY_KEY_POINT, "RFC 8032 5", "%s", why);
	return RC_OK;
}

/* Import is the check: a known curve, and a point on it other than infinity. */
static enum rc
ec_check(const struct pubkey *key, struct err *e)
{
	OWN(EVP_PKEY_free)
	EVP_PKEY *pkey = NULL;

	return key_import(key, &pkey, e);
}

enum rc
key_check(const struct pubkey *key, const struct key_limits *limits, struct err *e)
{
	switch (key->alg) {
	case KEY_RSA:
		return rsa_check(key->modulus, key->exponent, limits ? limits : &key_limits_default, e);
	case KEY_EC:
		return ec_check(key, e);
	case KEY_ED25519:
		return edwards_check(&curve25519, key->point, e);
	case KEY_ED448:
		return edwards_check(&curve448, key->point, e);
	case KEY_ML_DSA_44:
	case KEY_ML_DSA_65:
	case KEY_ML_DSA_87:
		return RC_OK; /* every string of the right length is a key; pki has measured it */
	default:
		FAIL(e, CHY_KEY_UNKNOWN, NULL, "unknown kind of key");
	}
}
