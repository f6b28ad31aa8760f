/* Requests: officers' acts in two calls. */
#include "base/base.h"
#include "factory/requests.h"
#include "gateway/rest.h"
#include "gateway/route.h"
#include "policy/approval.h"

static enum rc
prepare(const struct asked *q, const struct json *body, struct json **ret, struct err *e)
{
	return request_prepare(q->f, q->a, q->policy, q->who, body, ret, e);
}

static void
post_request(void *ctx, struct http_call *c)
{
	rest_prepare(ctx, c, prepare);
}

static enum rc
ask_requests(const struct asked *q, struct json **ret, struct err *e)
{
	return request_list(q->f, q->a, q->policy, q->who,
			    &(struct request_filter){ .state = route_query_text(q->c, "state"),
						      .inbox = route_query_bool(q->c, "inbox", false),
						      .newest = route_query_bool(q->c, "newest", false),
						      .after = rest_after(q->c),
						      .limit = rest_limit(q->c) },
			    ret, e);
}

static enum rc
ask_request(const struct asked *q, struct json **ret, struct err *e)
{
	return request_show(q->f, q->a, q->policy, q->who, request_id_of(route_id(q->c, 0)), ret, e);
}

/* The signatures of the body: {"signatures": [base64, ...]}. */
static enum rc
read_signatures(struct arena *a, const struct json *body, struct bytes *cms, size_t *n, struct err *e)
{
	static const char *const names[] = { "signatures", "secrets", NULL };
	struct json *list;

	TRY(json_only(body, names, e));
	TRY(json_need_array(body, "signatures", &list, e));
	NEED(list->count >= 1 && list->count <= SIGNATURES_MAX, e, CHY_LIMIT, NULL, "1 to %d signatures",
	     SIGNATURES_MAX);
	*n = 0;
	JSON_EACH(item, list)
	{
		NEED(item->type == JSON_STR, e, CHY_JSON_TYPE, NULL, "a signature is base64 text");
		TRY_AT(base64_parse(a, item->str, &cms[*n], e), e, "signatures[%zu]", *n);
		*n += 1;
	}
	return RC_OK;
}

static void
post_signatures(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	struct bytes cms[SIGNATURES_MAX];
	struct json *body = rest_act_body(f, c), *ret = NULL;
	struct err e = { 0 };
	enum rc rc;
	size_t n;

	if (body == NULL)
		return;
	if (read_signatures(c->arena, body, cms, &n, &e) != RC_OK) {
		rest_refuse(f, c, &e);
		return;
	}
	rc = request_sign(f, c->arena, officer_id_of(c->caller->officer), request_id_of(route_id(c, 0)), cms,
			  n, json_get(body, "secrets"), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

const struct route rest_request_routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/requests",
	  .run = post_request,
	  .access = ACCESS_OFFICER,
	  .summary = "Prepare an act: answers with the exact bytes to sign",
	  .tag = "requests",
	  .bodies = { "application/json" },
	  .body_schema = "RequestCall",
	  .body_max = LIMIT_CMS,
	  .answers = { "application/json" },
	  .answer_schema = "PreparedRequest",
	  .status = 201,
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/requests",
	  .run = rest_ask,
	  .ask = ask_requests,
	  .access = ACCESS_OFFICER,
	  .summary = "Requests by state",
	  .tag = "requests",
	  .query = { { "state", QUERY_TEXT,
		       "prepared, waiting, signed, done, void, expired, rejected, withdrawn, failed" },
		     { "inbox", QUERY_BOOL,
		       "Only those that wait for a signature that the caller could give" },
		     { "newest", QUERY_BOOL, "The newest first, in place of the oldest" },
		     { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "RequestPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/requests/{id}",
	  .run = rest_ask,
	  .ask = ask_request,
	  .access = ACCESS_OFFICER,
	  .summary = "One request with what is to be signed and what it changes",
	  .tag = "requests",
	  .answers = { "application/json" },
	  .answer_schema = "Request" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/requests/{id}/signatures",
	  .run = post_signatures,
	  .access = ACCESS_OFFICER,
	  .summary = "Bring signatures; the last one makes the act take effect",
	  .tag = "requests",
	  .bodies = { "application/json" },
	  .body_schema = "Signatures",
	  .body_max = 2 * LIMIT_CMS * SIGNATURES_MAX,
	  .answers = { "application/json" },
	  .answer_schema = "SignedRequest",
	  .flags = ROUTE_WRITES | ROUTE_SECRETS },
	{ 0 },
};
