#include "base/base.h"
#include "crypto/rand.h"

#include <openssl/rand.h>

#include "crypto/internal.h"

enum rc
rand_bytes(void *to, size_t n, struct err *e)
{
	NEED(!fault_fails("crypto.random"), e, CHY_RANDOM, NULL, "the generator failed (fault point)");
	NEED(n <= INT32_MAX, e, CHY_LIMIT, NULL, "%zu random bytes at once", n);
	if (RAND_bytes(to, (int)n) != 1)
		return ossl_fail(e, CHY_RANDOM, "SP 800-90A", "the generator failed");
	return RC_OK;
}
