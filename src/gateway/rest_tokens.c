/* Soft tokens: fetching what was made. They are made by requests (token.issue). */
#include "base/base.h"
#include "factory/tokens.h"
#include "gateway/rest.h"
#include "gateway/route.h"

typedef enum rc token_use(struct factory *f, struct arena *a, const struct officer *who, int64_t id,
			  struct json **ret, struct err *e);

static void
one(struct factory *f, struct http_call *c, token_use *use)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = use(f, c->arena, who, route_id(c, 0), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_token(void *ctx, struct http_call *c)
{
	one(ctx, c, token_show);
}

static void
get_file(void *ctx, struct http_call *c)
{
	one(ctx, c, token_fetch);
}

static void
delete_file(void *ctx, struct http_call *c)
{
	one(ctx, c, token_confirm);
}

static void
get_tokens(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = token_list(f, c->arena, who, route_query_int(c, "after", 0),
			(size_t)route_query_int(c, "limit", 100), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

const struct route rest_token_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/tokens",
	  .run = get_tokens,
	  .access = ACCESS_OFFICER,
	  .summary = "The caller's soft tokens",
	  .tag = "tokens",
	  .query = { { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "TokenPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/tokens/{id}",
	  .run = get_token,
	  .access = ACCESS_OFFICER,
	  .summary = "One soft token",
	  .tag = "tokens",
	  .answers = { "application/json" },
	  .answer_schema = "Token" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/tokens/{id}/file",
	  .run = get_file,
	  .access = ACCESS_OFFICER,
	  .summary = "The file, PKCS#12, and the PIN where the server made it; until it is confirmed, for "
		     "seven days",
	  .tag = "tokens",
	  .answers = { "application/json" },
	  .answer_schema = "TokenFile",
	  .flags = ROUTE_SECRETS },
	{ .method = HTTP_DELETE,
	  .pattern = "/api/v1/tokens/{id}/file",
	  .run = delete_file,
	  .access = ACCESS_OFFICER,
	  .summary = "Confirm that the file has come: it is erased here",
	  .tag = "tokens",
	  .answers = { "application/json" },
	  .answer_schema = "Token" },
	{ 0 },
};
