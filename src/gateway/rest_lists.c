/* How it stands with revocation and issuance lists. The lists themselves: rest_status_files.c. */
#include "base/base.h"
#include "factory/list_state.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static enum rc
ask(const struct asked *q, enum kind_id kind, struct json **ret, struct err *e)
{
	struct list_query query = { kind, route_query_int(q->c, "procedure", 0), rest_after(q->c),
				    rest_limit(q->c) };

	return lists_ask(q->f, q->a, q->policy, q->who, &query, ret, e);
}

static enum rc
ask_crls(const struct asked *q, struct json **ret, struct err *e)
{
	return ask(q, KIND_CRL_PROCEDURE, ret, e);
}

static enum rc
ask_cils(const struct asked *q, struct json **ret, struct err *e)
{
	return ask(q, KIND_CIL_PROCEDURE, ret, e);
}

#define QUERY_LISTS(procedure) \
	{ \
		{ "procedure", QUERY_INT, procedure, false, 1, JSON_INT_MAX }, REST_PAGING \
	}

const struct route rest_list_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/crls",
	  .run = rest_ask,
	  .ask = ask_crls,
	  .access = ACCESS_OFFICER,
	  .summary = "How it stands with the revocation lists of each CRL procedure",
	  .description =
	      "Numbers, times and sizes of the lists in force, when the next one is due, whether it "
	      "is late, and what keeps it from being built.",
	  .tag = "status",
	  .query = QUERY_LISTS("Of this CRL procedure alone"),
	  .answers = { "application/json" },
	  .answer_schema = "ListStatePage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/cils",
	  .run = rest_ask,
	  .ask = ask_cils,
	  .access = ACCESS_OFFICER,
	  .summary = "How it stands with the issuance lists of each CIL procedure",
	  .description = "As for revocation lists.",
	  .tag = "status",
	  .query = QUERY_LISTS("Of this CIL procedure alone"),
	  .answers = { "application/json" },
	  .answer_schema = "ListStatePage" },
	{ 0 },
};
