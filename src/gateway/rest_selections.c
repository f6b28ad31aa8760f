/* Selections: certificates that an officer gathers for one act, before it is submitted. */
#include "base/base.h"
#include "factory/selections.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static enum rc
create(const struct asked *q, struct json **ret, struct err *e)
{
	struct json *in;

	TRY(json_parse(q->a, q->c->body, &in, e));
	return selection_create(q->f, q->a, q->policy, q->who, in, ret, e);
}

static enum rc
change(const struct asked *q, struct json **ret, struct err *e)
{
	struct json *in;

	TRY(json_parse(q->a, q->c->body, &in, e));
	return selection_change(q->f, q->a, q->policy, q->who, route_id(q->c, 0), in, ret, e);
}

static enum rc
ask_all(const struct asked *q, struct json **ret, struct err *e)
{
	return selection_list(q->f, q->a, q->who, rest_after(q->c), rest_limit(q->c), ret, e);
}

static enum rc
ask_one(const struct asked *q, struct json **ret, struct err *e)
{
	return selection_show(q->f, q->a, q->policy, q->who, route_id(q->c, 0), ret, e);
}

static enum rc
submit(const struct asked *q, const struct json *body, struct json **ret, struct err *e)
{
	return selection_submit(q->f, q->a, q->policy, q->who, route_id(q->c, 0), body, ret, e);
}

static void
post_submit(void *ctx, struct http_call *c)
{
	rest_prepare(ctx, c, submit);
}

static enum rc
drop(const struct asked *q, struct err *e)
{
	return selection_drop(q->f, q->a, q->who, route_id(q->c, 0), e);
}

static void
delete_selection(void *ctx, struct http_call *c)
{
	rest_drop(ctx, c, drop);
}

const struct route rest_selection_routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/selections",
	  .run = rest_ask,
	  .ask = create,
	  .access = ACCESS_OFFICER,
	  .summary = "Begin to gather certificates for one act",
	  .tag = "selections",
	  .bodies = REST_JSON,
	  .body_schema = "SelectionCall",
	  .answers = REST_JSON,
	  .answer_schema = "SelectionChanged",
	  .status = 201,
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/selections",
	  .run = rest_ask,
	  .ask = ask_all,
	  .access = ACCESS_OFFICER,
	  .summary = "The caller's own selections",
	  .tag = "selections",
	  .query = { REST_PAGING },
	  .answers = REST_JSON,
	  .answer_schema = "SelectionPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/selections/{id}",
	  .run = rest_ask,
	  .ask = ask_one,
	  .access = ACCESS_OFFICER,
	  .summary = "What is selected, and which of it is no candidate any more",
	  .tag = "selections",
	  .answers = REST_JSON,
	  .answer_schema = "Selection" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/selections/{id}/certificates",
	  .run = rest_ask,
	  .ask = change,
	  .access = ACCESS_OFFICER,
	  .summary = "Take certificates in, by id or by a search, or out",
	  .tag = "selections",
	  .bodies = REST_JSON,
	  .body_schema = "SelectionChange",
	  .answers = REST_JSON,
	  .answer_schema = "SelectionChanged",
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/selections/{id}/submit",
	  .run = post_submit,
	  .access = ACCESS_OFFICER,
	  .summary = "Prepare the act for what is selected: answers with the exact bytes to sign",
	  .tag = "selections",
	  .bodies = REST_JSON,
	  .body_schema = "SelectionSubmit",
	  .answers = REST_JSON,
	  .answer_schema = "PreparedRequest",
	  .status = 201,
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_DELETE,
	  .pattern = "/api/v1/selections/{id}",
	  .run = delete_selection,
	  .access = ACCESS_OFFICER,
	  .summary = "Throw a selection away",
	  .tag = "selections",
	  .status = 204,
	  .flags = ROUTE_WRITES },
	{ 0 },
};
