#include "base/base.h"
#include "pki/walker_ext.h"

static void
walk_one(struct der *d, struct walked_ext *ret)
{
	*ret = (struct walked_ext){ .critical = false };
	der_enter(d, DER_SEQUENCE);
	ret->oid = der_oid(d);
	if (der_next_is(d, DER_BOOLEAN)) {
		ret->critical = der_bool(d);
		if (der_ok(d) && !ret->critical)
			der_fail(d, CHY_DER_DEFAULT, "X.690 11.5", "critical FALSE must be left out");
	}
	ret->value = der_take(d, DER_OCTET_STRING);
	der_leave(d);
	if (der_ok(d))
		ret->known = oid_find(ret->oid);
}

static struct bytes
judge_one(struct der *d, walked_ext_fn *fn, void *view)
{
	char text[OID_TEXT_MAX];
	struct walked_ext x;

	walk_one(d, &x);
	if (!der_ok(d))
		return x.oid;
	fn(d, &x, view);
	if (!der_ok(d))
		err_field(d->e, "%s", x.known ? oid_name(x.known) : oid_text(text, x.oid));
	return x.oid;
}

void
walk_ext_list(struct der *d, enum code code, walked_ext_fn *fn, void *view, struct bytes *ret_contents,
	      size_t *ret_n)
{
	struct bytes seen[LIMIT_EXTENSIONS];
	size_t n = 0;

	der_enter(d, DER_SEQUENCE);
	if (der_ok(d))
		*ret_contents = bytes_of(d->p, (size_t)(d->end - d->p));
	if (der_ok(d) && !der_more(d))
		der_fail(d, code, "RFC 5280 4.1.2.9", "an empty list of extensions");
	while (der_more(d)) {
		if (n == LIMIT_EXTENSIONS) {
			der_fail(d, code, NULL, "more than %d extensions", LIMIT_EXTENSIONS);
			return;
		}
		seen[n] = judge_one(d, fn, view);
		for (size_t i = 0; i < n; i++)
			if (der_ok(d) && bytes_eq(seen[i], seen[n]))
				der_fail(d, CHY_EXT_DUPLICATE, "RFC 5280 4.2", "an extension stands twice");
		*ret_n = ++n;
	}
	der_leave(d);
}
