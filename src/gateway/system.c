/* The addresses that every Chancery server has: health, metrics and its own description. */
#include "base/base.h"
#include "gateway/health.h"
#include "gateway/metrics.h"
#include "gateway/openapi.h"

enum { TEXT_MAX = 8 << 20 };

static void
get_openapi(void *ctx, struct http_call *c)
{
	const struct system_ctx *s = ctx;

	http_set(c, "Cache-Control", "public, max-age=300");
	http_answer(c, 200, "application/json", s->openapi);
}

static void
get_metrics(void *ctx, struct http_call *c)
{
	const struct system_ctx *s = ctx;
	struct buf OWN_BUF out = buf_max(TEXT_MAX);

	metrics_put(s->metrics, &out);
	http_answer(c, 200, METRICS_TYPE, buf_bytes(&out));
}

static void
get_healthz(void *ctx, struct http_call *c)
{
	http_answer(c, 200, "application/json", BYTES("{\"alive\":true}"));
}

static void
get_readyz(void *ctx, struct http_call *c)
{
	const struct system_ctx *s = ctx;
	struct buf OWN_BUF out = buf_max(TEXT_MAX);
	bool ready = health_put(s->health, &out);

	http_answer(c, ready ? 200 : 503, "application/json", buf_bytes(&out));
}

/* Those that wait for nothing but readiness, which may wait for the database. */
#define SYSTEM_ROUTES(ready) \
	{ .method = HTTP_GET, \
	  .pattern = "/api/openapi.json", \
	  .run = get_openapi, \
	  .flags = ROUTE_INLINE, \
	  .summary = "This description", \
	  .tag = "system", \
	  .answers = { "application/json" }, \
	  .answer_schema = "Anything" }, \
	    { .method = HTTP_GET, \
	      .pattern = "/metrics", \
	      .run = get_metrics, \
	      .summary = "Figures for Prometheus", \
	      .tag = "system", \
	      .answers = { "text/plain" } }, \
	    { .method = HTTP_GET, \
	      .pattern = "/healthz", \
	      .run = get_healthz, \
	      .flags = ROUTE_INLINE, \
	      .summary = "Does the process answer?", \
	      .tag = "system", \
	      .answers = { "application/json" }, \
	      .answer_schema = "Health" }, \
	{ \
		.method = HTTP_GET, .pattern = "/readyz", .run = get_readyz, .flags = ready, \
		.summary = "Can it do its work?", \
		.description = \
		    "503 while a check fails or the server is stopping; the answer names each check.", \
		.tag = "system", .answers = { "application/json" }, .answer_schema = "Readiness" \
	}
const struct route system_routes[] = { SYSTEM_ROUTES(0), { 0 } };
const struct route system_node_routes[] = { SYSTEM_ROUTES(ROUTE_INLINE), { 0 } };

const struct route_schema system_schemas[] = {
	{ "Anything", "{\"type\":\"object\"}" },
	{ "Health",
	  "{\"type\":\"object\",\"required\":[\"alive\"],\"properties\":{\"alive\":{\"type\":\"boolean\"}}"
	  "}" },
	{ "Readiness",
	  "{\"type\":\"object\",\"required\":[\"ready\",\"stopping\",\"checks\"],\"properties\":{"
	  "\"ready\":{\"type\":\"boolean\"},\"stopping\":{\"type\":\"boolean\"},\"checks\":{\"type\":"
	  "\"array\",\"items\":"
	  "{\"type\":\"object\",\"required\":[\"name\",\"ok\"],\"properties\":{\"name\":{\"type\":\"string\"}"
	  ","
	  "\"ok\":{\"type\":\"boolean\"},\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}}}}}"
	  "}" },
	{ 0 },
};

enum rc
system_init(struct system_ctx *s, struct arena *a, struct err *e)
{
	struct buf OWN_BUF out = buf_max(TEXT_MAX);

	TRY(openapi_put(&out, s->router, e));
	s->openapi = arena_dup(a, buf_bytes(&out));
	NEED(s->openapi.p != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the OpenAPI document");
	return RC_OK;
}
