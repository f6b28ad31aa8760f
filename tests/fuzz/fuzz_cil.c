/* Issuance lists: what parses is built again to the same octets, entry by entry, and is shown; it never parses as a revocation list. */
#include "base/base.h"
#include "pki/cil.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
rebuild(const struct cil *c)
{
	struct bytes rest = c->entries, was = rest;
	struct cil_entry x;
	size_t count = 0;

	for (; cil_next(&rest, &x); was = rest, count++) {
		OWN_DW struct dw one = dw_growing(1 << 12);

		check(cil_entry_build(&x, &one, NULL) == RC_OK);
		check(bytes_eq(dw_bytes(&one), bytes_of(was.p, was.n - rest.n)));
	}
	check(rest.n == 0 && count == c->n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	OWN_BUF struct buf text = buf_max(4 << 20);
	struct err e = { 0 };
	struct crl crl;
	struct cil c;

	if (a == NULL)
		return 0;
	if (cil_parse(bytes_of(data, n), &c, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	check(crl_parse(a, bytes_of(data, n), &crl, &e) != RC_OK);
	rebuild(&c);
	check(c.segment >= 1 && c.this_update_at < c.next_update_at && (!c.delta || c.base < c.number));
	cil_put_text(&text, &c, 10);
	check(cil_json(a, &c, 10) != NULL);
	return 0;
}
