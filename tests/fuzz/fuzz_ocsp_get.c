/*
 * An OCSP request in the path of a GET (RFC 6960 A.1). What is decoded is the same octets however much of it was
 * percent-encoded, and written as base64 anew it is decoded to itself; then it goes to the request's parser.
 */
#include "base/base.h"
#include "gateway/uri.h"
#include "pki/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MOST = 64 << 10 };

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* Every octet as %XX, but what is that already. */
static void
encode_all(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%') {
			buf_put(out, bytes_part(text, i, 3));
			i += 2;
		} else {
			buf_printf(out, "%%%02x", (unsigned)text.p[i]);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	OWN_BUF struct buf again = buf_max(4 * MOST), encoded = buf_max(4 * MOST);
	static struct ocsp_request r;
	struct bytes in = bytes_of(data, n), der, other;
	struct err e = { 0 };

	if (n > MOST)
		return 0;
	if (uri_base64(a, in, &der, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	check(der.n <= n);
	encode_all(&encoded, in);
	check(uri_base64(a, buf_bytes(&encoded), &other, NULL) == RC_OK && bytes_eq(other, der));
	base64_put(&again, der);
	check(uri_base64(a, buf_bytes(&again), &other, NULL) == RC_OK && bytes_eq(other, der));
	err_clear(&e);
	check(ocsp_request_parse(der, &r, &e) == RC_OK || e.code != CHY_NONE);
	return 0;
}
