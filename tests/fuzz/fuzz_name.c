/*
 * Names: the input is taken as DER, as the text of RFC 4514 and as the text of a general name. What is accepted comes
 * back the same through the other form.
 */
#include "base/base.h"
#include "pki/gname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* The text of a name is a name again, equal to it but for string types. */
static void
back_from_text(struct arena *a, const struct name *n)
{
	OWN_BUF struct buf text = buf_max(1 << 20), twice = buf_max(1 << 20);
	struct name again;

	name_put_text(&text, n);
	if (n->n !=
	    n->rdns) /* with our choice of string types a set may be in another order, or hold equal elements */
		return;
	check(buf_ok(&text) && name_from_text(a, buf_bytes(&text), &again, NULL) == RC_OK);
	check(again.n == n->n && again.rdns == n->rdns && name_eq(again.der, n->der));
	name_put_text(&twice, &again);
	check(bytes_eq(buf_bytes(&text), buf_bytes(&twice)));
}

static void
as_der(struct arena *a, struct bytes in)
{
	struct err e = { 0 };
	struct name n;

	if (name_parse(a, in, &n, &e) != RC_OK) {
		check(e.code != CHY_NONE && name_check(in, NULL) != RC_OK);
		return;
	}
	check(name_check(in, NULL) == RC_OK);
	check(name_eq(in, in) && name_within(in, in));
	for (size_t i = 0; i < n.n; i++)
		ava_utf8(a, &n.ava[i]);
	back_from_text(a, &n);
}

static void
as_text(struct arena *a, struct bytes in)
{
	OWN_BUF struct buf text = buf_max(1 << 20);
	struct err e = { 0 };
	struct name n, again;

	if (name_from_text(a, in, &n, &e) != RC_OK) {
		check(e.code != CHY_NONE);
		return;
	}
	name_put_text(&text, &n);
	check(name_from_text(a, buf_bytes(&text), &again, &e) == RC_OK);
	check(name_eq(n.der, again.der));
}

static void
as_general_name(struct arena *a, struct bytes in, enum gn_use use)
{
	OWN_BUF struct buf text = buf_max(1 << 20);
	struct err e = { 0 };
	struct gname g, again;

	if (gname_from_text(a, in, use, &g, &e) != RC_OK) {
		check(e.code != CHY_NONE);
		return;
	}
	gname_put_text(&text, &g);
	check(gname_from_text(a, buf_bytes(&text), use, &again, &e) == RC_OK);
	check(use == GN_CONSTRAINT || gname_eq(&g, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	struct bytes in = bytes_of(data, n);

	if (a == NULL || n > 4096)
		return 0;
	as_der(a, in);
	as_text(a, in);
	as_general_name(a, in, GN_NAME);
	as_general_name(a, in, GN_CONSTRAINT);
	return 0;
}
