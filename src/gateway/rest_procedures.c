/* Questions about documents that are no documents: who refers to one, what a token procedure asks, ranges of serial
   numbers. */
#include "base/base.h"
#include "factory/procedures.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static struct part
part_of(const struct asked *q)
{
	return (struct part){ rest_after(q->c), rest_limit(q->c) };
}

static enum rc
ask_references(const struct asked *q, struct json **ret, struct err *e)
{
	const struct kind *kind;

	TRY(rest_kind(q->c, &kind, e));
	return document_references(q->a, q->policy, q->who, kind->id, doc_id_of(route_id(q->c, 1)),
				   part_of(q), ret, e);
}

static enum rc
ask_input(const struct asked *q, struct json **ret, struct err *e)
{
	return token_input(q->a, q->policy, q->who, doc_id_of(route_id(q->c, 0)), ret, e);
}

static enum rc
ask_ranges(const struct asked *q, struct json **ret, struct err *e)
{
	return card_serial_ranges(q->f, q->a, q->policy, q->who, part_of(q), ret, e);
}

#define PAGING \
	{ \
		{ "after", QUERY_INT, "Cursor of the page before" }, \
		{ \
			"limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE \
		} \
	}

const struct route rest_procedure_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/documents/{kind}/{id}/references",
	  .run = rest_ask,
	  .ask = ask_references,
	  .access = ACCESS_OFFICER,
	  .summary = "The documents that refer to one",
	  .tag = "documents",
	  .query = PAGING,
	  .answers = { "application/json" },
	  .answer_schema = "ReferencePage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/token-procedures/{id}/input",
	  .run = rest_ask,
	  .ask = ask_input,
	  .access = ACCESS_OFFICER,
	  .summary = "What is filled in to use a token procedure, by its input view or the default view",
	  .tag = "documents",
	  .answers = { "application/json" },
	  .answer_schema = "TokenInput" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/card-serial-ranges",
	  .run = rest_ask,
	  .ask = ask_ranges,
	  .access = ACCESS_OFFICER,
	  .needs = ROLES(ROLE_USE_AWB) | ROLES(ROLE_POLICY_TASKS),
	  .flags = ROUTE_ALL_ROLES,
	  .summary = "Ranges of card serial numbers in use, with their procedures",
	  .tag = "documents",
	  .query = PAGING,
	  .answers = { "application/json" },
	  .answer_schema = "CardSerialRangePage" },
	{ 0 },
};
