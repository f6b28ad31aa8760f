/* The route table, its OpenAPI document, metrics and health. */
#include "test.h"

#include "base/json.h"
#include "gateway/health.h"
#include "gateway/metrics.h"
#include "gateway/openapi.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static void
handler(void *ctx, struct http_call *c)
{
}

static enum rc
nobody(void *ctx, struct arena *a, struct bytes shown, struct caller *ret, struct err *e)
{
	FAIL(e, CHY_SESSION_TOKEN, NULL, "nobody");
}

static const struct route_auth auth = { .officer = nobody, .session = nobody };

static enum rc
add(const struct route_auth *by, const struct route *routes, struct err *e)
{
	struct router OWN(router_free) *r = NULL;

	TRY(router_new(by, NULL, &r, e));
	return router_add(r, routes, NULL, e);
}

#define PLAIN(m, p) .method = (m), .pattern = (p), .run = handler, .summary = "x"

static void
refuses_tables_that_contradict_themselves(void **state)
{
	static const struct route wrong[][3] = {
		{ { PLAIN(HTTP_GET, "a") } },
		{ { PLAIN(HTTP_GET, "/a//b") } },
		{ { PLAIN(HTTP_GET, "/a/") } },
		{ { PLAIN(HTTP_GET, "/{id") } },
		{ { PLAIN(HTTP_GET, "/{}") } },
		{ { PLAIN(HTTP_GET, "/{a}/{b}/{c}/{d}/{e}") } },
		{ { PLAIN(HTTP_GET, "/1/2/3/4/5/6/7/8/9/10/11/12/13") } },
		{ { PLAIN(HTTP_HEAD, "/a") } },
		{ { PLAIN(HTTP_GET, "/a") }, { PLAIN(HTTP_GET, "/a") } },
		{ { PLAIN(HTTP_GET, "/a/{x}") }, { PLAIN(HTTP_GET, "/a/{y}") } },
		{ { PLAIN(HTTP_GET, "/a"), .needs = ROLES(ROLE_USE_AWB) } },
		{ { .method = HTTP_GET, .pattern = "/a", .summary = "x" } },
		{ { .method = HTTP_GET, .pattern = "/a", .run = handler } },
	};
	static const struct route needs_caller[] = { { PLAIN(HTTP_GET, "/a"), .access = ACCESS_OFFICER },
						     { 0 } };
	static const struct route good[] = {
		{ PLAIN(HTTP_GET, "/") },       { PLAIN(HTTP_GET, "/a") },   { PLAIN(HTTP_POST, "/a") },
		{ PLAIN(HTTP_GET, "/a/{id}") }, { PLAIN(HTTP_GET, "/a/b") }, { 0 },
	};
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_code(add(&auth, wrong[i], &e), CHY_ROUTE_TABLE);
	assert_code(add(NULL, needs_caller, &e), CHY_ROUTE_TABLE);
	assert_ok(add(&auth, needs_caller, &e));
	assert_ok(add(&auth, good, &e));
}

static enum rc
document(struct arena *a, const struct route *routes, const struct route_schema *schemas, struct json **ret,
	 struct err *e)
{
	struct router OWN(router_free) *r = NULL;
	struct buf OWN_BUF out = buf_max(16 << 20);

	TRY(router_new(&auth, NULL, &r, e));
	if (routes != NULL)
		TRY(router_add(r, routes, NULL, e));
	else
		TRY(rest_add(r, NULL, e));
	TRY(router_add(r, system_routes, NULL, e));
	TRY(router_add_schemas(r, schemas, e));
	TRY(openapi_put(&out, r, e));
	return json_parse(a, buf_bytes(&out), ret, e);
}

static void
refuses_references_to_nothing(void **state)
{
	static const struct route body[] = {
		{ PLAIN(HTTP_POST, "/a"), .bodies = { "application/json" }, .body_schema = "No" }, { 0 }
	};
	static const struct route answer[] = {
		{ PLAIN(HTTP_GET, "/a"), .answers = { "application/json" }, .answer_schema = "No" }, { 0 }
	};
	static const struct route_schema none[] = { { 0 } }, no_json[] = { { "No", "{" }, { 0 } },
					 good[] = { { "No", "{}" }, { 0 } };
	struct arena OWN(arena_free) *a = arena_new(16 << 20);
	struct json *doc;
	struct err e = { 0 };

	assert_code(document(a, body, none, &doc, &e), CHY_ROUTE_TABLE);
	assert_code(document(a, answer, none, &doc, &e), CHY_ROUTE_TABLE);
	assert_code(document(a, body, no_json, &doc, &e), CHY_ROUTE_TABLE);
	assert_ok(document(a, body, good, &doc, &e));
}

/* Follows "#/components/schemas/X". */
static void
check_ref(struct json *doc, struct bytes ref)
{
	static const char before[] = "#/components/schemas/";
	struct json *schemas = json_get(json_get(doc, "components"), "schemas");

	assert_true(bytes_starts(ref, before));
	JSON_EACH(s, schemas)
	{
		if (bytes_eq(s->name, bytes_part(ref, sizeof(before) - 1, ref.n)))
			return;
	}
	fail_msg("%.*s leads nowhere", BYTES_FMT(ref));
}

static void
check_refs(struct json *doc, struct json *v)
{
	if (v->type == JSON_STR && bytes_is(v->name, "$ref"))
		check_ref(doc, v->str);
	JSON_EACH(item, v)
	check_refs(doc, item);
}

static void
check_route(struct json *doc, const struct route *o)
{
	struct json *path = json_get(json_get(doc, "paths"), o->pattern), *op;
	char method[16] = { 0 };

	for (size_t i = 0; http_method_name(o->method)[i] != 0; i++)
		method[i] = (char)(http_method_name(o->method)[i] | 0x20);
	op = json_get(path, method);
	if (op == NULL)
		fail_msg("%s %s is not described", http_method_name(o->method), o->pattern);
	assert_non_null(json_get(op, "operationId"));
	assert_int_equal(json_get(op, "requestBody") != NULL, o->bodies[0] != NULL);
	assert_int_equal(json_get(op, "security")->count == 0, o->access == ACCESS_PUBLIC);
}

/* The product's own tables: they are accepted, and each route is described. */
static void
describes_every_route_of_the_product(void **state)
{
	static const struct route *const tables[] = { rest_status_routes,  rest_document_routes,
						      rest_request_routes, rest_certificate_routes,
						      rest_journal_routes, system_routes };
	static const struct route_schema none[] = { { 0 } };
	struct arena OWN(arena_free) *a = arena_new(32 << 20);
	struct json *doc, *schemas;
	struct err e = { 0 };

	if (document(a, NULL, none, &doc, &e) != RC_OK)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct route *o = tables[i]; o->pattern != NULL; o++)
			check_route(doc, o);
	check_refs(doc, doc);
	schemas = json_get(json_get(doc, "components"), "schemas");
	assert_non_null(json_get(schemas, "Problem"));
	assert_non_null(json_get(schemas, "body-token-procedure"));
	assert_non_null(json_get(schemas, "body-certificate-procedure"));
}

static int64_t
forty_two(void *ctx)
{
	return 42;
}

static void
counts_and_writes_metrics(void **state)
{
	struct metrics OWN(metrics_free) *m = metrics_new();
	struct buf OWN_BUF out = buf_max(1 << 16), labels = buf_max(1000);
	struct counter *c = metrics_counter(m, "x_total", "Xes", "a=\"1\"");
	struct histogram *h = metrics_histogram(m, "y_seconds", "Ys", NULL);
	const char *text;

	counter_add(c, 2);
	counter_add(metrics_counter(m, "x_total", "other", "a=\"1\""), 3);
	counter_add(metrics_counter(m, "x_total", "other", "a=\"2\""), 1);
	gauge_set(metrics_gauge(m, "g", "Gs", NULL), -7);
	histogram_us(h, 100);
	histogram_us(h, 101);
	histogram_us(h, 20000000);
	assert_ok(metrics_read(m, METRIC_GAUGE, "r", "Rs", NULL, forty_two, NULL, NULL));
	metrics_label(&labels, "l", BYTES("a\"b\\c\nd"));
	metrics_label(&labels, "k", BYTES(""));
	assert_text(buf_bytes(&labels), "l=\"a\\\"b\\\\c\\nd\",k=\"\"");
	metrics_put(m, &out);
	text = buf_cstr(&out);
	assert_non_null(strstr(
	    text, "# HELP x_total Xes\n# TYPE x_total counter\nx_total{a=\"1\"} 5\nx_total{a=\"2\"} 1\n"));
	assert_non_null(strstr(text, "\ng -7\n"));
	assert_non_null(strstr(text, "\nr 42\n"));
	assert_non_null(
	    strstr(text, "y_seconds_bucket{le=\"0.0001\"} 1\ny_seconds_bucket{le=\"0.00025\"} 2\n"));
	assert_non_null(strstr(text, "y_seconds_bucket{le=\"10\"} 2\ny_seconds_bucket{le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "y_seconds_sum 20.000201\ny_seconds_count 3\n"));
	counter_add(NULL, 1);
	histogram_us(NULL, 1);
}

static enum rc
well(void *ctx, struct err *e)
{
	return RC_OK;
}

static enum rc
ill(void *ctx, struct err *e)
{
	FAIL(e, CHY_NOT_READY, NULL, "the \"%s\" is away", (const char *)ctx);
}

static void
says_what_is_not_ready(void **state)
{
	struct health OWN(health_free) *h = health_new();
	struct buf OWN_BUF out = buf_max(4000), late = buf_max(4000);
	char name[] = "signer";

	assert_ok(health_check(h, "store", well, NULL, NULL));
	assert_true(health_put(h, &out));
	assert_text(buf_bytes(&out),
		    "{\"ready\":true,\"stopping\":false,\"checks\":[{\"name\":\"store\",\"ok\":true}]}");
	out.n = 0;
	assert_ok(health_check(h, "signer", ill, name, NULL));
	assert_false(health_put(h, &out));
	assert_text(
	    buf_bytes(&out),
	    "{\"ready\":false,\"stopping\":false,\"checks\":[{\"name\":\"store\",\"ok\":true},{\"name\":"
	    "\"signer\",\"ok\":false,\"code\":\"CHY-1826\",\"detail\":\"the \\\"signer\\\" is away\"}]}");
	health_stopping(h);
	assert_false(health_put(h, &late));
}

static const struct CMUnitTest tests[] = {
	CASE(refuses_tables_that_contradict_themselves),
	CASE(refuses_references_to_nothing),
	CASE(describes_every_route_of_the_product),
	CASE(counts_and_writes_metrics),
	CASE(says_what_is_not_ready),
};
TESTS_MAIN(tests)
