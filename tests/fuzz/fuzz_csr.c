/* Certificate requests: never a crash, always a code; what is accepted is built again from its parts and is the same. */
#include "base/base.h"
#include "pki/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static bool
inside(struct bytes part, struct bytes whole)
{
	return part.p == NULL || part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

/* Every extension that could be read can be written, and says the same then. */
static void
round_trip(struct arena *a, const struct exts *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct ext_value v;
		struct ext x;

		check(ext_decode(a, &l->v[i], &v, NULL) == RC_OK);
		if (ext_encode(a, &v, &x, NULL) == RC_OK)
			check(bytes_eq(x.value, l->v[i].value) && x.critical == l->v[i].critical);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	struct bytes in = bytes_of(data, n);
	struct err e = { 0 };
	struct csr r;

	if (a == NULL)
		return 0;
	if (csr_parse_any(a, in, &r, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	check(inside(r.tbs, r.der) && inside(r.subject, r.der) && inside(r.key.spki, r.der));
	check(inside(r.signature, r.der) && inside(r.key.point, r.der) && inside(r.key.modulus, r.der));
	round_trip(a, &r.exts);
	return 0;
}
