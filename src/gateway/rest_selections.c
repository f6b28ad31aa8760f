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

static void
submit(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct json *body, *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL || (body = rest_act_body(f, c)) == NULL)
		return;
	rc = selection_submit(f, c->arena, policy, who, route_id(c, 0), body, &ret, &e);
	rest_answer(c, rc, 201, ret, &e);
}

static void
drop(void *ctx, struct http_call *c)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(ctx, c, &policy);
	struct err e = { 0 };

	if (who == NULL)
		return;
	if (selection_drop(ctx, c->arena, who, route_id(c, 0), &e) == RC_OK)
		http_answer(c, 204, NULL, BYTES_NONE);
	else
		http_problem(c, &e);
}

#define JSON_ONLY \
	{ \
		"application/json" \
	}

const struct route rest_selection_routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/selections",
	  .run = rest_ask,
	  .ask = create,
	  .access = ACCESS_OFFICER,
	  .summary = "Begin to gather certificates for one act",
	  .tag = "selections",
	  .bodies = JSON_ONLY,
	  .body_schema = "SelectionCall",
	  .answers = JSON_ONLY,
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
	  .query = { { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = JSON_ONLY,
	  .answer_schema = "SelectionPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/selections/{id}",
	  .run = rest_ask,
	  .ask = ask_one,
	  .access = ACCESS_OFFICER,
	  .summary = "What is selected, and which of it is no candidate any more",
	  .tag = "selections",
	  .answers = JSON_ONLY,
	  .answer_schema = "Selection" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/selections/{id}/certificates",
	  .run = rest_ask,
	  .ask = change,
	  .access = ACCESS_OFFICER,
	  .summary = "Take certificates in, by id or by a search, or out",
	  .tag = "selections",
	  .bodies = JSON_ONLY,
	  .body_schema = "SelectionChange",
	  .answers = JSON_ONLY,
	  .answer_schema = "SelectionChanged",
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/selections/{id}/submit",
	  .run = submit,
	  .access = ACCESS_OFFICER,
	  .summary = "Prepare the act for what is selected: answers with the exact bytes to sign",
	  .tag = "selections",
	  .bodies = JSON_ONLY,
	  .body_schema = "SelectionSubmit",
	  .answers = JSON_ONLY,
	  .answer_schema = "PreparedRequest",
	  .status = 201,
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_DELETE,
	  .pattern = "/api/v1/selections/{id}",
	  .run = drop,
	  .access = ACCESS_OFFICER,
	  .summary = "Throw a selection away",
	  .tag = "selections",
	  .status = 204,
	  .flags = ROUTE_WRITES },
	{ 0 },
};
