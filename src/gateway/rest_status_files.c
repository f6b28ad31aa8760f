/* What relying parties fetch: revocation lists, issuance lists and CA certificates, at the addresses that certificates carry (RFC 5280 4.2.1.13,
   4.2.2.1; RFC 2585 media types; caching by RFC 9110 and RFC 9111). */
#include "base/base.h"
#include "gateway/rest.h"

#include "factory/cil.h"
#include "factory/crl.h"
#include "factory/node.h"
#include "store/read.h"

enum {
	WHOLE_MAX = 4 << 20, /* longer ones are sent in pieces */
	PIECES_AT_ONCE = 4,
	TRIES = 3,      /* of a list that is replaced while it is read */
	AGE_LEAST = 60, /* seconds: caches may keep a list for so long even where the next one is late */
	CA_AGE = 86400,
};

/* Is the tag among those that the client has? Weak ones are fine: the octets are the same or they are not. */
static bool
has_tag(struct bytes header, const char *tag)
{
	size_t n = strlen(tag);

	if (bytes_is(text_trim(header), "*"))
		return true;
	for (size_t i = 0; i + n <= header.n; i++)
		if (memcmp(header.p + i, tag, n) == 0)
			return true;
	return false;
}

/* If-Modified-Since counts only without If-None-Match (RFC 9110 13.1.3), and who sends one back sends ours. */
static bool
is_known(const struct http_call *c, const char *tag, const char *modified)
{
	struct bytes none = http_header_get(&c->head, "If-None-Match", NULL),
		     since = http_header_get(&c->head, "If-Modified-Since", NULL);

	if (none.p != NULL)
		return has_tag(none, tag);
	return since.p != NULL && bytes_is(since, modified);
}

/* What caches are told of. */
struct validity {
	int64_t this_update, next_update;
	char tag[80], modified[32];
};

/* Until the next list, but no longer than this one is good, and at least a little. */
static int64_t
age_of(const struct validity *v, int64_t now)
{
	int64_t left = (v->next_update - now) / 1000, half = (v->next_update - v->this_update) / 2000;

	if (left > half)
		left = half; /* the next one comes before this one ends */
	return left < AGE_LEAST ? AGE_LEAST : left;
}

/* Only where the list follows, or is known: a cache would keep a problem as long. */
static void
set_validators(struct http_call *c, const struct validity *row)
{
	char text[64], until[32];

	http_date(until, row->next_update);
	snprintf(text, sizeof(text), "public, max-age=%lld", (long long)age_of(row, clock_now_ms()));
	http_set(c, "ETag", row->tag);
	http_set(c, "Last-Modified", row->modified);
	http_set(c, "Expires", until);
	http_set(c, "Cache-Control", text);
}

static struct validity
validity_of(int64_t number, int64_t this_update, int64_t next_update, struct bytes sha256)
{
	struct validity v = { this_update, next_update, "", "" };
	char hex[2 * 32 + 1];

	hex_text(hex, bytes_part(sha256, 0, 16));
	snprintf(v.tag, sizeof(v.tag), "\"%lld-%s\"", (long long)number, hex);
	http_date(v.modified, this_update);
	return v;
}

/* True: whoever asks has it, and was told so. */
static bool
tell_known(struct http_call *c, const struct validity *v)
{
	if (!is_known(c, v->tag, v->modified))
		return false;
	set_validators(c, v);
	http_answer(c, 304, NULL, BYTES_NONE);
	return true;
}

/* ---- the list ---- */

typedef enum rc put_fn(void *arg, struct bytes piece, struct err *e);

/* Nothing is put before the first pieces are there. */
static MUST enum rc
put_all(struct factory *f, const struct crl_row *row, struct bytes front, struct bytes back, put_fn *put,
	void *arg, struct err *e)
{
	size_t n;

	for (int64_t next = 0; next < row->pieces; next += (int64_t)n) {
		OWN(arena_free)
		struct arena *a = arena_new(16 << 20);
		struct crl_piece_row *v;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
		TRY(store_crl_pieces(f->store, a, row->id, next, PIECES_AT_ONCE, &v, &n, e));
		/* a newer list is in force by now, and has taken the pieces of this one along */
		NEED(n > 0, e, CHY_CRL_NONE, NULL, "the list was replaced meanwhile");
		if (next == 0)
			TRY(put(arg, front, e));
		for (size_t i = 0; i < n; i++)
			TRY(put(arg, v[i].entries, e));
	}
	if (row->pieces == 0)
		TRY(put(arg, front, e));
	return put(arg, back, e);
}

static enum rc
put_buf(void *arg, struct bytes piece, struct err *e)
{
	struct buf *b = arg;

	buf_put(b, piece);
	NEED(buf_ok(b), e, CHY_NO_MEMORY, NULL, "a revocation list");
	return RC_OK;
}

struct streaming {
	struct http_call *c;
	const struct validity *v;
	bool begun;
};

static enum rc
put_stream(void *arg, struct bytes piece, struct err *e)
{
	struct streaming *s = arg;

	if (!s->begun) {
		set_validators(s->c, s->v);
		http_stream_begin(s->c, 200, "application/pkix-crl");
		s->begun = true;
	}
	return http_stream_put(s->c, piece, e);
}

/* One that is replaced while it is sent breaks off, and whoever fetches it asks again. */
static MUST enum rc
stream_list(struct factory *f, struct http_call *c, const struct crl_row *row, const struct validity *v,
	    struct err *e)
{
	struct streaming s = { c, v, false };
	struct bytes front, back;
	enum rc rc;

	TRY(crl_ends(c->arena, row, &front, &back, e));
	rc = put_all(f, row, front, back, put_stream, &s, e);
	if (!s.begun)
		return rc;
	http_stream_end(c, rc == RC_OK);
	return RC_OK;
}

static MUST enum rc
send_whole(struct factory *f, struct http_call *c, const struct crl_row *row, const struct validity *v,
	   struct err *e)
{
	OWN_BUF struct buf whole = buf_max(2 * WHOLE_MAX);
	struct bytes front, back;

	TRY(crl_ends(c->arena, row, &front, &back, e));
	TRY(put_all(f, row, front, back, put_buf, &whole, e));
	set_validators(c, v);
	http_answer(c, 200, "application/pkix-crl", buf_bytes(&whole));
	return RC_OK;
}

/* CHY_CRL_NONE: it was replaced meanwhile, and nothing is said yet. */
static MUST enum rc
send_list(struct factory *f, struct http_call *c, const struct crl_row *row, struct err *e)
{
	struct validity v = validity_of(row->number, row->this_update, row->next_update, row->sha256);

	if (tell_known(c, &v))
		return RC_OK;
	return row->entries_len <= WHOLE_MAX ? send_whole(f, c, row, &v, e) : stream_list(f, c, row, &v, e);
}

/* The row is read first and its pieces behind it: a newer list may take its place in between. */
static void
get_crl(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	struct crl_row row;
	struct err e = { 0 };
	enum rc rc = node_hears(f, &e);

	for (int tries = TRIES; rc == RC_OK; tries--) {
		rc = crl_by_name(f, c->arena, c->params[0], &row, &e);
		if (rc != RC_OK)
			break;
		FAULT("crl.serving");
		rc = send_list(f, c, &row, &e);
		if (rc == RC_OK)
			return;
		if (e.code == CHY_CRL_NONE && tries > 1) {
			err_clear(&e);
			rc = RC_OK;
		}
	}
	http_problem(c, &e);
}

static void
get_ca(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	char text[64];
	struct bytes der;
	struct err e = { 0 };

	if (node_hears(f, &e) != RC_OK ||
	    ca_certificate_by_name(f, c->arena, c->params[0], &der, &e) != RC_OK) {
		http_problem(c, &e);
		return;
	}
	snprintf(text, sizeof(text), "public, max-age=%d", CA_AGE);
	http_set(c, "Cache-Control", text);
	http_answer(c, 200, "application/pkix-cert", der);
}

/* "2"; nothing is the first. */
static enum rc
segment_of(struct bytes text, int64_t *ret, struct err *e)
{
	*ret = 1;
	NEED(text.n == 0 || int_parse(text, 1, INT32_MAX, ret, NULL) == RC_OK, e, CHY_CIL_NONE, NULL,
	     "a segment is a number, from 1");
	return RC_OK;
}

static void
send_cil(struct factory *f, struct http_call *c, bool delta, struct bytes segment)
{
	struct validity v;
	struct cil_row list;
	struct cil_file_row file;
	struct err e = { 0 };
	int64_t n;

	if (node_hears(f, &e) != RC_OK || segment_of(segment, &n, &e) != RC_OK ||
	    cil_by_name(f, c->arena, c->params[0], delta, n, &list, &file, &e) != RC_OK) {
		http_problem(c, &e);
		return;
	}
	v = validity_of(file.number, list.this_update, list.next_update, file.sha256);
	if (tell_known(c, &v))
		return;
	set_validators(c, &v);
	http_answer(c, 200, "application/octet-stream", file.der);
}

static void
get_cil(void *ctx, struct http_call *c)
{
	send_cil(ctx, c, false, BYTES_NONE);
}

static void
get_cil_segment(void *ctx, struct http_call *c)
{
	bool delta = bytes_is(c->params[1], "delta");

	send_cil(ctx, c, delta, delta ? BYTES_NONE : c->params[1]);
}

static void
get_cil_delta(void *ctx, struct http_call *c)
{
	send_cil(ctx, c, true, c->params[1]);
}

const struct route rest_status_file_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/crl/{name}",
	  .run = get_crl,
	  .summary = "A revocation list",
	  .description = "At the address of a CRL procedure's distribution point that ends with /crl/NAME.",
	  .tag = "status",
	  .answers = { "application/pkix-crl" } },
	{ .method = HTTP_GET,
	  .pattern = "/ca/{name}",
	  .run = get_ca,
	  .summary = "A CA certificate",
	  .description = "At an address of an authority's certificate that ends with /ca/NAME.",
	  .tag = "status",
	  .answers = { "application/pkix-cert" } },
	{ .method = HTTP_GET,
	  .pattern = "/cil/{name}",
	  .run = get_cil,
	  .summary = "An issuance list",
	  .description = "Its first segment, of the CIL procedure that is served by this name.",
	  .tag = "status",
	  .answers = { "application/octet-stream" } },
	{ .method = HTTP_GET,
	  .pattern = "/cil/{name}/{segment}",
	  .run = get_cil_segment,
	  .summary = "A segment of an issuance list",
	  .description = "By its number from 1; `delta`: the first of the delta list.",
	  .tag = "status",
	  .answers = { "application/octet-stream" } },
	{ .method = HTTP_GET,
	  .pattern = "/cil/{name}/delta/{segment}",
	  .run = get_cil_delta,
	  .summary = "A segment of a delta issuance list",
	  .description = "By its number from 1.",
	  .tag = "status",
	  .answers = { "application/octet-stream" } },
	{ 0 },
};
