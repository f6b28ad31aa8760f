/* The request log. */
#include "base/base.h"
#include "factory/log.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static void
get_log(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct log_filter q = { 0 };
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	q.category = route_query_text(c, "category");
	q.failed = route_query_bool(c, "failed", false);
	q.officer = route_query_text(c, "officer");
	q.domain = route_query_text(c, "domain");
	q.object = route_query_int(c, "object", 0);
	q.from_at = route_query_time(c, "from", 0);
	q.to_at = route_query_time(c, "to", 0);
	q.after = route_query_int(c, "after", 0);
	q.limit = (size_t)route_query_int(c, "limit", 100);
	rc = log_list(f, c->arena, policy, who, &q, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

const struct route rest_log_routes[] = {
	/* the role is asked for by the use case, which journals that somebody without it was refused */
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/log",
	  .run = get_log,
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
