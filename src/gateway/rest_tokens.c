/* Soft tokens: fetching what was made. They are made by requests (token.issue). */
#include "base/base.h"
#include "factory/tokens.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static enum rc
ask_token(const struct asked *q, struct json **ret, struct err *e)
{
	return token_show(q->f, q->a, q->who, route_id(q->c, 0), ret, e);
}

static enum rc
ask_file(const struct asked *q, struct json **ret, struct err *e)
{
	return token_fetch(q->f, q->a, q->who, route_id(q->c, 0), ret, e);
}

static enum rc
confirm_file(const struct asked *q, struct json **ret, struct err *e)
{
	return token_confirm(q->f, q->a, q->who, route_id(q->c, 0), ret, e);
}

static enum rc
ask_tokens(const struct asked *q, struct json **ret, struct err *e)
{
	return token_list(q->f, q->a, q->who, rest_after(q->c), rest_limit(q->c), ret, e);
}

const struct route rest_token_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/tokens",
	  .run = rest_ask,
	  .ask = ask_tokens,
	  .access = ACCESS_OFFICER,
	  .summary = "The caller's soft tokens",
	  .tag = "tokens",
	  .query = { { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "TokenPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/tokens/{id}",
	  .run = rest_ask,
	  .ask = ask_token,
	  .access = ACCESS_OFFICER,
	  .summary = "One soft token",
	  .tag = "tokens",
	  .answers = { "application/json" },
	  .answer_schema = "Token" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/tokens/{id}/file",
	  .run = rest_ask,
	  .ask = ask_file,
	  .access = ACCESS_OFFICER,
	  .summary = "The file, PKCS#12, and the PIN where the server made it; until it is confirmed, for "
		     "seven days",
	  .tag = "tokens",
	  .answers = { "application/json" },
	  .answer_schema = "TokenFile",
	  .flags = ROUTE_SECRETS },
	{ .method = HTTP_DELETE,
	  .pattern = "/api/v1/tokens/{id}/file",
	  .run = rest_ask,
	  .ask = confirm_file,
	  .access = ACCESS_OFFICER,
	  .summary = "Confirm that the file has come: it is erased here",
	  .tag = "tokens",
	  .answers = { "application/json" },
	  .answer_schema = "Token" },
	{ 0 },
};
