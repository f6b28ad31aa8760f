/* Messages between factory and distributor: what is understood is written as the same octets again. */
#include "base/base.h"

#include "distributor/delivery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN_BUF struct buf b = buf_max(LIMIT_DELIVERY);
	struct bytes in = bytes_of(data, n);
	struct err e = { 0 }, why;
	struct delivery d;

	if (delivery_get(in, &d, &e) == RC_OK) {
		delivery_put(&b, &d);
		check(b.n == n);
		/* the octet of removal is 1 or anything else */
		check(n < 19 || memcmp(b.p, data, 18) == 0);
		check(n < 20 || memcmp(b.p + 19, data + 19, n - 19) == 0);
	} else {
		check(e.code != CHY_NONE);
	}
	err_clear(&e);
	check(outcome_get(in, &why, &e) == RC_OK || e.code != CHY_NONE);
	return 0;
}
