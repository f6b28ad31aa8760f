/* Questions about documents that are no documents: who refers to one, what a token procedure asks, ranges of serial
   numbers. */
#include "base/base.h"
#include "factory/procedures.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static struct part
part_of(struct http_call *c)
{
	return (struct part){ route_query_int(c, "after", 0), (size_t)route_query_int(c, "limit", 100) };
}

static void
get_references(void *ctx, struct http_call *c)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(ctx, c, &policy);
	const struct kind *kind = who ? kind_named(c->params[0]) : NULL;
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	if (kind == NULL)
		rc = err_set(&e, CHY_KIND_UNKNOWN, NULL, "\"%.*s\" is no kind of document",
			     BYTES_FMT(bytes_part(c->params[0], 0, 60)));
	else
		rc = document_references(c->arena, policy, who, kind->id, doc_id_of(route_id(c, 1)),
					 part_of(c), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_input(void *ctx, struct http_call *c)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(ctx, c, &policy);
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = token_input(c->arena, policy, who, doc_id_of(route_id(c, 0)), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_ranges(void *ctx, struct http_call *c)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(ctx, c, &policy);
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = card_serial_ranges(ctx, c->arena, policy, who, part_of(c), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
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
	  .run = get_references,
	  .access = ACCESS_OFFICER,
	  .summary = "The documents that refer to one",
	  .tag = "documents",
	  .query = PAGING,
	  .answers = { "application/json" },
	  .answer_schema = "ReferencePage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/token-procedures/{id}/input",
	  .run = get_input,
	  .access = ACCESS_OFFICER,
	  .summary = "What is filled in to use a token procedure, by its input view or the default view",
	  .tag = "documents",
	  .answers = { "application/json" },
	  .answer_schema = "TokenInput" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/card-serial-ranges",
	  .run = get_ranges,
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
