/*
 * What a client sends, through the gateway's own readers: request heads, chunked bodies, paths, queries, Accept, media types,
 * bearer tokens. The first byte says where the input comes to pieces. Besides not crashing: a body must not depend on how it
 * was cut, and what was read must be within what was sent.
 */
#include "base/base.h"
#include "gateway/conneg.h"
#include "gateway/http.h"
#include "gateway/uri.h"

enum { BODY_MAX = 4096 };

static void
inside(struct bytes part, struct bytes whole)
{
	if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

static void
try_values(struct arena *a, const struct http_head *h)
{
	static const char *const offers[] = { "application/json", "application/pkix-cert", "text/plain",
					      NULL };
	struct bytes query, token, names[8], values[8];
	struct uri_path path;
	unsigned choice;
	size_t n;

	if (uri_path_parse(a, h->target, &path, &query, NULL) == RC_OK) {
		for (size_t i = 0; i < path.n; i++)
			if (path.segments[i].n == 0 || !utf8_ok(path.segments[i]) ||
			    memchr(path.segments[i].p, '/', path.segments[i].n) != NULL)
				abort();
		(void)!uri_query_parse(a, query, names, values, 8, &n, NULL);
	}
	for (size_t i = 0; i < h->nheaders; i++) {
		struct bytes v = h->headers[i].value;

		if (accept_choose(v, offers, &choice, NULL) == RC_OK && choice > 2)
			abort();
		inside(media_type(v), v);
		if (bearer_token(v, &token, NULL) == RC_OK)
			inside(token, v);
	}
}

/* Takes the body apart, given `step` bytes at a time. Its length, or -1 when it was refused or is not whole. */
static ptrdiff_t
dechunk(struct bytes in, size_t step, uint8_t *body, size_t size)
{
	struct http_chunks k = { 0 };
	size_t data = 0, end = 0;

	while (in.n > 0 && !k.done) {
		struct bytes now = bytes_part(in, 0, step);

		if (now.n > size - end)
			return -1;
		memcpy(body + end, now.p, now.n);
		end += now.n;
		in = bytes_part(in, now.n, in.n);
		if (http_chunks_take(&k, body, &data, &end, BODY_MAX, NULL) != RC_OK)
			return -1;
		if (data > end || data > BODY_MAX)
			abort();
	}
	return k.done ? (ptrdiff_t)data : -1;
}

static void
try_chunks(struct bytes in, size_t step)
{
	static uint8_t one[1 << 20], other[1 << 20];
	ptrdiff_t n = dechunk(in, SIZE_MAX, one, sizeof(one)), m = dechunk(in, step, other, sizeof(other));

	if (n != m || (n > 0 && memcmp(one, other, (size_t)n) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena OWN(arena_free) *a = arena_new(1 << 20);
	struct bytes in = bytes_of(data + 1, size ? size - 1 : 0), head;
	struct http_head h;
	size_t skip, n;

	if (a == NULL || size == 0)
		return 0;
	try_chunks(in, data[0] % 64 + 1U);
	if (http_head_find(in, LIMIT_HEADERS, &skip, &n, NULL) != RC_OK || n == 0)
		return 0;
	head = bytes_part(in, skip, n);
	if (http_head_parse(head, &h, NULL) != RC_OK)
		return 0;
	if (!bytes_is(h.target, "/")) /* of "http://host" it is a constant */
		inside(h.target, head);
	for (size_t i = 0; i < h.nheaders; i++) {
		inside(h.headers[i].name, head);
		inside(h.headers[i].value, head);
	}
	try_values(a, &h);
	return 0;
}
