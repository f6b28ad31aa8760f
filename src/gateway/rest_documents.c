/* Kinds, documents and drafts. */
#include "base/base.h"
#include "factory/documents.h"
#include "gateway/rest.h"
#include "gateway/route.h"
#include "policy/schema.h"

static struct json *
kind_json(struct arena *a, const struct kind *k)
{
	struct json *o = json_object(a), *list = json_array(a);

	json_set(o, "name", json_str(a, bytes_str(k->name)));
	json_set(o, "title", json_str(a, bytes_str(k->title)));
	json_set(o, "plural", json_str(a, bytes_str(k->plural)));
	json_set(o, "help", json_str(a, bytes_str(k->help)));
	json_set(o, "signatures", json_int(a, k->signatures));
	for (int r = 0; r < ROLE_COUNT; r++)
		if (k->needed & ROLES(r))
			json_add(list, json_str(a, bytes_str(role_name((enum role)r))));
	json_set(o, "roles", list);
	return o;
}

static void
get_kinds(void *ctx, struct http_call *c)
{
	struct json *items = json_array(c->arena);
	struct err e = { 0 };

	for (int k = 0; k < KIND_COUNT; k++)
		if (kind_of((enum kind_id)k) != NULL)
			json_add(items, kind_json(c->arena, kind_of((enum kind_id)k)));
	rest_answer(c, RC_OK, 200, rest_page(c->arena, items, 0), &e);
}

static void
get_schema(void *ctx, struct http_call *c)
{
	const struct kind *k;
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc = rest_kind(c, &k, &e);

	if (rc == RC_OK)
		rc = schema_of(c->arena, k, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static enum rc
ask_documents(const struct asked *q, struct json **ret, struct err *e)
{
	const struct kind *k;

	TRY(rest_kind(q->c, &k, e));
	return document_list(q->f, q->a, q->policy, q->who,
			     &(struct document_query){ .kind = k->id,
						       .state = route_query_text(q->c, "state"),
						       .name = route_query_text(q->c, "name"),
						       .named = route_query_text(q->c, "named"),
						       .domain = route_query_text(q->c, "domain"),
						       .storage = route_query_text(q->c, "storage_profile"),
						       .after = rest_after(q->c),
						       .limit = rest_limit(q->c) },
			     ret, e);
}

static enum rc
ask_document(const struct asked *q, struct json **ret, struct err *e)
{
	const struct kind *k;

	TRY(rest_kind(q->c, &k, e));
	return document_show(q->f, q->a, q->policy, q->who, k->id, doc_id_of(route_id(q->c, 1)),
			     route_query_int(q->c, "version", 0), ret, e);
}

/* ---- drafts: incomplete documents, nobody's policy, not signed ---- */

static enum rc
save_draft(const struct asked *q, int64_t id, struct json **ret, struct err *e)
{
	const struct kind *k;
	struct json *body;

	TRY(rest_kind(q->c, &k, e));
	TRY(json_parse(q->a, q->c->body, &body, e));
	return draft_save(q->f, q->a, q->policy, q->who, k->id, id, body, ret, e);
}

static enum rc
keep_draft(const struct asked *q, struct json **ret, struct err *e)
{
	return save_draft(q, 0, ret, e);
}

static enum rc
change_draft(const struct asked *q, struct json **ret, struct err *e)
{
	return save_draft(q, route_id(q->c, 1), ret, e);
}

static enum rc
ask_drafts(const struct asked *q, struct json **ret, struct err *e)
{
	const struct kind *k;

	TRY(rest_kind(q->c, &k, e));
	return draft_list(q->f, q->a, q->policy, q->who, k->id, rest_after(q->c), rest_limit(q->c), ret, e);
}

static enum rc
ask_all_drafts(const struct asked *q, struct json **ret, struct err *e)
{
	return draft_list(q->f, q->a, q->policy, q->who, KIND_NONE, rest_after(q->c), rest_limit(q->c), ret,
			  e);
}

static enum rc
ask_draft(const struct asked *q, struct json **ret, struct err *e)
{
	const struct kind *k;

	TRY(rest_kind(q->c, &k, e));
	return draft_show(q->f, q->a, q->policy, q->who, k->id, route_id(q->c, 1), ret, e);
}

static enum rc
drop(const struct asked *q, struct err *e)
{
	const struct kind *k;

	TRY(rest_kind(q->c, &k, e));
	return draft_drop(q->f, q->a, q->policy, q->who, k->id, route_id(q->c, 1), e);
}

static void
delete_draft(void *ctx, struct http_call *c)
{
	rest_drop(ctx, c, drop);
}

const struct route rest_document_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/kinds",
	  .run = get_kinds,
	  .access = ACCESS_PUBLIC,
	  .summary = "The kinds of documents",
	  .tag = "documents",
	  .answers = REST_JSON,
	  .answer_schema = "KindPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/kinds/{kind}/schema",
	  .run = get_schema,
	  .access = ACCESS_PUBLIC,
	  .summary = "JSON Schema of a kind's body",
	  .tag = "documents",
	  .answers = REST_JSON,
	  .answer_schema = "Schema" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/documents/{kind}",
	  .run = rest_ask,
	  .ask = ask_documents,
	  .access = ACCESS_OFFICER,
	  .summary = "Documents of a kind, current versions",
	  .tag = "documents",
	  .query = { { "state", QUERY_TEXT, "active or closed" },
		     { "name", QUERY_TEXT, "The exact name" },
		     { "named", QUERY_TEXT,
		       "Name, path (\"Sweden/TLS server\") or id: the one document that is meant" },
		     { "storage_profile", QUERY_TEXT, "Of token procedures: smart-card, pkcs12, ..." },
		     { "domain", QUERY_TEXT, "Name or id: only what lies in that domain and below" },
		     REST_PAGING },
	  .answers = REST_JSON,
	  .answer_schema = "DocumentPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/documents/{kind}/{id}",
	  .run = rest_ask,
	  .ask = ask_document,
	  .access = ACCESS_OFFICER,
	  .summary = "One document, the current or another version",
	  .tag = "documents",
	  .query = { { "version", QUERY_INT, "From 1; none: the current one" } },
	  .answers = REST_JSON,
	  .answer_schema = "Document" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/drafts/{kind}",
	  .run = rest_ask,
	  .ask = keep_draft,
	  .access = ACCESS_OFFICER,
	  .summary = "Keep an unfinished document",
	  .tag = "drafts",
	  .bodies = REST_JSON,
	  .body_schema = "Body",
	  .answers = REST_JSON,
	  .answer_schema = "Draft",
	  .status = 201,
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/drafts",
	  .run = rest_ask,
	  .ask = ask_all_drafts,
	  .access = ACCESS_OFFICER,
	  .summary = "Unfinished documents of all kinds",
	  .tag = "drafts",
	  .query = { REST_PAGING },
	  .answers = REST_JSON,
	  .answer_schema = "DraftPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/drafts/{kind}",
	  .run = rest_ask,
	  .ask = ask_drafts,
	  .access = ACCESS_OFFICER,
	  .summary = "Unfinished documents of a kind",
	  .tag = "drafts",
	  .query = { REST_PAGING },
	  .answers = REST_JSON,
	  .answer_schema = "DraftPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/drafts/{kind}/{id}",
	  .run = rest_ask,
	  .ask = ask_draft,
	  .access = ACCESS_OFFICER,
	  .summary = "One unfinished document",
	  .tag = "drafts",
	  .answers = REST_JSON,
	  .answer_schema = "Draft" },
	{ .method = HTTP_PUT,
	  .pattern = "/api/v1/drafts/{kind}/{id}",
	  .run = rest_ask,
	  .ask = change_draft,
	  .access = ACCESS_OFFICER,
	  .summary = "Go on with an unfinished document",
	  .tag = "drafts",
	  .bodies = REST_JSON,
	  .body_schema = "Body",
	  .answers = REST_JSON,
	  .answer_schema = "Draft",
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_DELETE,
	  .pattern = "/api/v1/drafts/{kind}/{id}",
	  .run = delete_draft,
	  .access = ACCESS_OFFICER,
	  .summary = "Throw an unfinished document away",
	  .tag = "drafts",
	  .status = 204,
	  .flags = ROUTE_WRITES },
	{ 0 },
};
