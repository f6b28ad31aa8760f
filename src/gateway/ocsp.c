/* OCSP over HTTP (RFC 6960 A.1, RFC 5019 5 and 6): POST, and GET with the request in the address. */
#include "base/base.h"
#include "gateway/rest.h"
#include "gateway/uri.h"

#include "factory/ocsp.h"

#define TYPE_REQUEST "application/ocsp-request"
#define TYPE_RESPONSE "application/ocsp-response"

enum { BODY_MAX = 4 * LIMIT_OCSP_REQUEST }; /* what is too long for a request is told by OCSP up to here */

/* RFC 5019 6.2: caches may keep it as long as it is good; less, so that a revocation comes through them within a quarter. */
static void
set_caching(struct http_call *h, const struct ocsp_call *c)
{
	int64_t left = (c->next_update_at - clock_now_ms()) / 1000,
		quarter = (c->next_update_at - c->this_update_at) / 4000;
	char text[96];

	snprintf(text, sizeof(text), "max-age=%lld, public, no-transform, must-revalidate",
		 (long long)(left < 0             ? 0
				 : left < quarter ? left
						  : quarter));
	http_set(h, "Cache-Control", text);
	text[0] = '"';
	hex_text(text + 1, BYTES_OF(c->etag));
	memcpy(text + 1 + 2 * sizeof(c->etag), "\"", 2);
	http_set(h, "ETag", text);
	http_date(text, c->this_update_at);
	http_set(h, "Last-Modified", text);
	http_date(text, c->next_update_at);
	http_set(h, "Expires", text);
}

/* Does the client have this very answer? Tags come alone or in a list (RFC 9110 13.1.2). */
static bool
is_known(const struct http_call *h, const struct ocsp_call *c)
{
	struct bytes tags = http_header_get(&h->head, "If-None-Match", NULL);
	char hex[2 * 20 + 1];

	if (tags.p == NULL)
		return false;
	hex_text(hex, BYTES_OF(c->etag));
	return memmem(tags.p, tags.n, hex, 40) != NULL;
}

static void
answered(struct ocsp_call *c)
{
	struct http_call *h = c->user;

	if (c->cacheable && h->head.method != HTTP_POST) {
		set_caching(h, c);
		if (is_known(h, c)) {
			http_answer(h, 304, NULL, BYTES_NONE);
			return;
		}
	}
	http_answer(h, 200, TYPE_RESPONSE, c->response);
}

static struct ocsp_call *
call_of_request(struct factory *f, struct http_call *h, struct bytes request)
{
	struct ocsp_call *c = arena_raw(h->arena, sizeof(*c));

	if (c == NULL) {
		http_answer(h, 200, TYPE_RESPONSE, ocsp_refusal(OCSP_TRY_LATER));
		return NULL;
	}
	memset(c, 0, offsetof(struct ocsp_call, parsed));
	c->f = f;
	c->arena = h->arena;
	c->request = request;
	c->done = answered;
	c->user = h;
	h->user = c;
	return c;
}

static void
send_held(void *f)
{
	ocsp_send(f);
}

/* First on the event thread; where that would have to wait, again on a worker. */
static void
answer(struct factory *f, struct http_call *h, struct bytes request)
{
	struct ocsp_call *c = call_of_request(f, h, request);
	bool held = false;

	if (c == NULL)
		return;
	c->held = &held;
	if (!ocsp_answer_at_once(c) && !http_to_worker(h))
		ocsp_refuse(c, OCSP_TRY_LATER);
	if (held)
		http_after_round(send_held, f);
}

static bool
go_on(struct http_call *h)
{
	if (h->inline_run)
		return false;
	ocsp_answer(h->user);
	return true;
}

static void
post_ocsp(void *ctx, struct http_call *h)
{
	if (!go_on(h))
		answer(ctx, h, h->body);
}

/* ---- GET ---- */

static void
get_ocsp(void *ctx, struct http_call *h)
{
	struct bytes der;

	if (go_on(h))
		return;
	if (uri_base64(h->arena, h->params[0], &der, NULL) != RC_OK)
		der = BYTES_NONE; /* which is no request either */
	answer(ctx, h, der);
}

const struct route ocsp_routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/ocsp",
	  .run = post_ocsp,
	  .flags = ROUTE_INLINE,
	  .summary = "OCSP",
	  .description = "The status of certificates (RFC 6960), of every authority that answers OCSP here.",
	  .tag = "status",
	  .bodies = { TYPE_REQUEST },
	  .body_max = BODY_MAX,
	  .answers = { TYPE_RESPONSE } },
	{ .method = HTTP_GET,
	  .pattern = "/ocsp/{*request}",
	  .run = get_ocsp,
	  .flags = ROUTE_INLINE,
	  .summary = "OCSP by GET",
	  .description = "The same with the request in base64 in the address (RFC 5019 5), for HTTP caches.",
	  .tag = "status",
	  .answers = { TYPE_RESPONSE } },
	{ 0 },
};
