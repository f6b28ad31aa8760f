/* Kinds, documents and drafts. */
#include "base/base.h"
#include "factory/documents.h"
#include "gateway/rest.h"
#include "gateway/route.h"
#include "policy/schema.h"

static struct bytes
param(const struct http_call *c, size_t i)
{
	return c->params[i];
}

static const struct kind *
kind_param(struct http_call *c)
{
	const struct kind *k = kind_named(param(c, 0));
	struct err e = { 0 };

	if (k != NULL)
		return k;
	err_set(&e, CHY_KIND_UNKNOWN, NULL, "\"%.*s\" is no kind of document",
		BYTES_FMT(bytes_part(param(c, 0), 0, 60)));
	http_problem(c, &e);
	return NULL;
}

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
	const struct kind *k = kind_param(c);
	struct json *ret = NULL;
	struct err e = { 0 };

	enum rc rc;

	if (k == NULL)
		return;
	rc = schema_of(c->arena, k, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_documents(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct kind *k = who ? kind_param(c) : NULL;
	struct document_query q = { 0 };
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (k == NULL)
		return;
	q.kind = k->id;
	q.state = route_query_text(c, "state");
	q.name = route_query_text(c, "name");
	q.named = route_query_text(c, "named");
	q.domain = route_query_text(c, "domain");
	q.storage = route_query_text(c, "storage_profile");
	q.after = route_query_int(c, "after", 0);
	q.limit = (size_t)route_query_int(c, "limit", 100);
	rc = document_list(f, c->arena, policy, who, &q, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_document(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct kind *k = who ? kind_param(c) : NULL;
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (k == NULL)
		return;
	rc = document_show(f, c->arena, policy, who, k->id, doc_id_of(route_id(c, 1)),
			   route_query_int(c, "version", 0), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

/* ---- drafts: incomplete documents, nobody's policy, not signed ---- */

static void
save_draft(struct factory *f, struct http_call *c, int64_t id)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct kind *k = who ? kind_param(c) : NULL;
	struct json *body, *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (k == NULL || (body = rest_body(c)) == NULL)
		return;
	rc = draft_save(f, c->arena, policy, who, k->id, id, body, &ret, &e);
	rest_answer(c, rc, id ? 200 : 201, ret, &e);
}

static void
post_draft(void *ctx, struct http_call *c)
{
	save_draft(ctx, c, 0);
}

static void
put_draft(void *ctx, struct http_call *c)
{
	save_draft(ctx, c, route_id(c, 1));
}

static void
get_drafts(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct kind *k = who ? kind_param(c) : NULL;
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (k == NULL)
		return;
	rc = draft_list(f, c->arena, policy, who, k->id, route_query_int(c, "after", 0),
			(size_t)route_query_int(c, "limit", 100), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_draft(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct kind *k = who ? kind_param(c) : NULL;
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (k == NULL)
		return;
	rc = draft_show(f, c->arena, policy, who, k->id, route_id(c, 1), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
delete_draft(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct kind *k = who ? kind_param(c) : NULL;
	struct err e = { 0 };

	if (k == NULL)
		return;
	if (draft_drop(f, c->arena, policy, who, k->id, route_id(c, 1), &e) == RC_OK)
		http_answer(c, 204, NULL, BYTES_NONE);
	else
		http_problem(c, &e);
}

#define JSON_ONLY \
	{ \
		"application/json" \
	}
#define PAGING \
	{ "after", QUERY_INT, "Cursor of the page before" }, \
	{ \
		"limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE \
	}

const struct route rest_document_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/kinds",
	  .run = get_kinds,
	  .access = ACCESS_PUBLIC,
	  .summary = "The kinds of documents",
	  .tag = "documents",
	  .answers = JSON_ONLY,
	  .answer_schema = "KindPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/kinds/{kind}/schema",
	  .run = get_schema,
	  .access = ACCESS_PUBLIC,
	  .summary = "JSON Schema of a kind's body",
	  .tag = "documents",
	  .answers = JSON_ONLY,
	  .answer_schema = "Schema" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/documents/{kind}",
	  .run = get_documents,
	  .access = ACCESS_OFFICER,
	  .summary = "Documents of a kind, current versions",
	  .tag = "documents",
	  .query = { { "state", QUERY_TEXT, "active or closed" },
		     { "name", QUERY_TEXT, "The exact name" },
		     { "named", QUERY_TEXT,
		       "Name, path (\"Sweden/TLS server\") or id: the one document that is meant" },
		     { "storage_profile", QUERY_TEXT, "Of token procedures: smart-card, pkcs12, ..." },
		     { "domain", QUERY_TEXT, "Name or id: only what lies in that domain and below" },
		     PAGING },
	  .answers = JSON_ONLY,
	  .answer_schema = "DocumentPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/documents/{kind}/{id}",
	  .run = get_document,
	  .access = ACCESS_OFFICER,
	  .summary = "One document, the current or another version",
	  .tag = "documents",
	  .query = { { "version", QUERY_INT, "From 1; none: the current one" } },
	  .answers = JSON_ONLY,
	  .answer_schema = "Document" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/drafts/{kind}",
	  .run = post_draft,
	  .access = ACCESS_OFFICER,
	  .summary = "Keep an unfinished document",
	  .tag = "drafts",
	  .bodies = JSON_ONLY,
	  .body_schema = "Body",
	  .answers = JSON_ONLY,
	  .answer_schema = "Draft",
	  .status = 201,
	  .flags = ROUTE_WRITES },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/drafts/{kind}",
	  .run = get_drafts,
	  .access = ACCESS_OFFICER,
	  .summary = "Unfinished documents of a kind",
	  .tag = "drafts",
	  .query = { PAGING },
	  .answers = JSON_ONLY,
	  .answer_schema = "DraftPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/drafts/{kind}/{id}",
	  .run = get_draft,
	  .access = ACCESS_OFFICER,
	  .summary = "One unfinished document",
	  .tag = "drafts",
	  .answers = JSON_ONLY,
	  .answer_schema = "Draft" },
	{ .method = HTTP_PUT,
	  .pattern = "/api/v1/drafts/{kind}/{id}",
	  .run = put_draft,
	  .access = ACCESS_OFFICER,
	  .summary = "Go on with an unfinished document",
	  .tag = "drafts",
	  .bodies = JSON_ONLY,
	  .body_schema = "Body",
	  .answers = JSON_ONLY,
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
