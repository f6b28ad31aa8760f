/* What two officers sign for a rescue: never a crash, always a code; what is accepted has one text and names nobody twice. */
#include "base/base.h"
#include "model/rescue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* Written again with another nonce it says the same. */
static void
round_trip(struct arena *a, const struct rescue *r)
{
	const uint8_t nonce[RESCUE_NONCE] = { 7 };
	struct rescue again;
	struct bytes text;

	if (rescue_write(a, r, BYTES_OF(nonce), &text, NULL) != RC_OK)
		return; /* a time before or behind what we write */
	check(rescue_read(a, text, &again, NULL) == RC_OK && again.n == r->n);
	check(bytes_eq(again.instance, r->instance));
	for (size_t i = 0; i < r->n; i++)
		check(memcmp(again.v[i].certificate, r->v[i].certificate, FINGERPRINT_LEN) == 0 &&
		      bytes_eq(again.v[i].csr, r->v[i].csr));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct err e = { 0 };
	struct rescue r;

	if (rescue_read(a, bytes_of(data, n), &r, &e) != RC_OK) {
		check(e.code != CHY_NONE);
		return 0;
	}
	check(r.n >= 1 && r.n <= RESCUE_OFFICERS_MAX);
	for (size_t i = 0; i < r.n; i++)
		for (size_t k = 0; k < i; k++)
			check(memcmp(r.v[i].certificate, r.v[k].certificate, FINGERPRINT_LEN) != 0);
	round_trip(a, &r);
	return 0;
}
