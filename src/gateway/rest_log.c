/* The request log. */
#include "base/base.h"
#include "factory/log.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static enum rc
ask_log(const struct asked *q, struct json **ret, struct err *e)
{
	const struct log_filter filter = { .category = route_query_text(q->c, "category"),
					   .failed = route_query_bool(q->c, "failed", false),
					   .officer = route_query_text(q->c, "officer"),
					   .domain = route_query_text(q->c, "domain"),
					   .object = route_query_int(q->c, "object", 0),
					   .from_at = route_query_time(q->c, "from", 0),
					   .to_at = route_query_time(q->c, "to", 0),
					   .after = rest_after(q->c),
					   .limit = rest_limit(q->c) };

	return log_list(q->f, q->a, q->policy, q->who, &filter, ret, e);
}

const struct route rest_log_routes[] = {
	/* the role is asked for by the use case, which journals that somebody without it was refused */
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/log",
	  .run = rest_ask,
	  .ask = ask_log,
	  .access = ACCESS_OFFICER,
	  .summary = "The request log, newest first, of one's own domain and below; filters combine. Needs "
		     "the role Audit tasks",
	  .tag = "journal",
	  .query = { { "category", QUERY_TEXT,
		       "A group (certificates, keys, administration, card-production), a category of one "
		       "(certificates.issued), or certificates.refused" },
		     { "failed", QUERY_BOOL, "Only what failed" },
		     { "officer", QUERY_TEXT, "Name or id of an officer who signed or asked" },
		     { "domain", QUERY_TEXT,
		       "Only what is about this domain, one's own or below, and those below it" },
		     { "object", QUERY_INT, "Everything about a document, certificate, request or session" },
		     { "from", QUERY_TIME, "At this time or later" },
		     { "to", QUERY_TIME, "Before this time" },
		     { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "LogPage" },
	{ 0 },
};
