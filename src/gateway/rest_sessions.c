/* Issuing sessions: which there are. Opening one is an officer's act like others. */
#include "base/base.h"
#include "factory/session_list.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static enum rc
ask_sessions(const struct asked *q, struct json **ret, struct err *e)
{
	return session_list(q->f, q->a, q->policy, q->who, rest_after(q->c), rest_limit(q->c), ret, e);
}

const struct route rest_session_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/issuing-sessions",
	  .run = rest_ask,
	  .ask = ask_sessions,
	  .access = ACCESS_OFFICER,
	  .summary = "Issuing sessions: one's own, and those of officers whom one may close",
	  .tag = "requests",
	  .query = { { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "IssuingSessionPage" },
	{ 0 },
};
