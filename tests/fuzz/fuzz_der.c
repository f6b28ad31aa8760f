/*
 * DER: what der_check accepts is read again value by value by the cursor, written anew by the writer, and gives the same
 * bytes: there is one encoding of each value.
 */
#include "base/base.h"
#include "pki/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

enum { VALUES_MAX = 4096 };

struct seen {
	uint32_t tag;
	struct bytes contents;
};

/* Writes what stands in `in`, one value behind the other, from the last to the first. */
static void
rewrite(struct dw *w, struct bytes in, unsigned depth)
{
	struct seen *all = calloc(VALUES_MAX, sizeof(*all));
	struct der d = der_of(in, NULL);
	size_t n = 0;

	check(all != NULL && depth <= LIMIT_DER_DEPTH);
	while (der_more(&d) && n < VALUES_MAX) {
		all[n].contents = der_any(&d, &all[n].tag);
		n++;
	}
	check(der_ok(&d));
	while (n-- > 0) {
		size_t at = dw_mark(w);

		if (all[n].tag & 0x20) {
			rewrite(w, all[n].contents, depth + 1);
			dw_wrap(w, all[n].tag, at);
		} else {
			dw_tlv(w, all[n].tag, all[n].contents);
		}
	}
	free(all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN_DW struct dw w = dw_growing(1 << 20);
	struct bytes in = bytes_of(data, n);
	struct err e = { 0 };

	if (n > VALUES_MAX)
		return 0;
	if (der_check(in, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	rewrite(&w, in, 0);
	check(bytes_eq(dw_bytes(&w), in));
	return 0;
}
