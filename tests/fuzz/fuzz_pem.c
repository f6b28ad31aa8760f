/* PEM: never a crash; what is accepted and written again reads as the same block. */
#include "base/base.h"
#include "pki/pem.h"

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
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	struct bytes text = bytes_of(data, n);
	struct pem_block b, again;
	struct err e = { 0 };

	if (a == NULL || n > 1 << 16)
		return 0;
	while (pem_next(a, &text, &b, &e) == RC_OK) {
		OWN_BUF struct buf out = buf_max(1 << 20);
		struct bytes left;

		pem_put(&out, arena_str(a, b.label), b.der);
		left = buf_bytes(&out);
		if (b.der.n > 0)
			check(pem_next(a, &left, &again, &e) == RC_OK && bytes_eq(again.der, b.der) &&
			      bytes_eq(again.label, b.label));
	}
	check(e.code != CHY_NONE);
	return 0;
}
