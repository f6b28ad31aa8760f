#include "base/base.h"
#include "gateway/rest.h"

#include "factory/callers.h"
#include "factory/leaf.h"
#include "factory/sessions.h"
#include "gateway/problem.h"
#include "policy/rights.h"

static enum rc
auth_officer(void *ctx, struct arena *a, struct bytes cert, struct caller *ret, struct err *e)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct officer *o;

	TRY(caller_officer(f, a, policy, cert, &o, e));
	*ret = (struct caller){
		.kind = CALLER_OFFICER, .officer = o->id.v, .has = o->roles, .name = arena_str(a, o->name)
	};
	return RC_OK;
}

static enum rc
auth_session(void *ctx, struct arena *a, struct bytes token, struct caller *ret, struct err *e)
{
	struct factory *f = ctx;
	const struct session *s;

	TRY(session_by_token(f, a, token, &s, e));
	*ret = (struct caller){ .kind = CALLER_SESSION,
				.officer = s->officer.v,
				.session = s->facts.id.v,
				.has = ROLES(ROLE_ISSUE_CERTIFICATE),
				.name = "issuing session",
				.more = s };
	return RC_OK;
}

static bool
auth_session_is_known(void *ctx, struct bytes token)
{
	return session_is_known(ctx, token);
}

struct route_auth
rest_auth(struct factory *f)
{
	return (struct route_auth){ f, auth_officer, auth_session, auth_session_is_known };
}

/* What relying parties ask for. */
static MUST enum rc
add_status(struct router *r, struct factory *f, struct err *e)
{
	TRY(router_add(r, rest_status_file_routes, f, e));
	return router_add(r, ocsp_routes, f, e);
}

#define NODE_ONLY(m) \
	{ \
		.method = m, .pattern = "/api/v1/{*rest}", .flags = ROUTE_CLOSED | ROUTE_HIDDEN, \
		.summary = "Nothing: this is a status node", .tag = "status" \
	}

static const struct route node_routes[] = {
	NODE_ONLY(HTTP_GET), NODE_ONLY(HTTP_POST), NODE_ONLY(HTTP_PUT), NODE_ONLY(HTTP_DELETE), { 0 },
};

enum rc
rest_add_node(struct router *r, struct factory *f, struct err *e)
{
	TRY(add_status(r, f, e));
	return router_add(r, node_routes, f, e);
}

enum rc
rest_add(struct router *r, struct factory *f, struct err *e)
{
	TRY(add_status(r, f, e));
	TRY(router_add(r, rest_status_routes, f, e));
	TRY(router_add(r, rest_document_routes, f, e));
	TRY(router_add(r, rest_procedure_routes, f, e));
	TRY(router_add(r, rest_request_routes, f, e));
	TRY(router_add(r, rest_certificate_routes, f, e));
	TRY(router_add(r, rest_search_routes, f, e));
	TRY(router_add(r, rest_selection_routes, f, e));
	TRY(router_add(r, rest_token_routes, f, e));
	TRY(router_add(r, rest_session_routes, f, e));
	TRY(router_add(r, rest_delivery_routes, f, e));
	TRY(router_add(r, rest_list_routes, f, e));
	TRY(router_add(r, rest_journal_routes, f, e));
	TRY(router_add(r, rest_log_routes, f, e));
	TRY(router_add(r, rest_policy_routes, f, e));
	return router_add_schemas(r, rest_schemas, e);
}

const struct officer *
rest_officer(struct factory *f, struct http_call *c, struct snapshot **policy)
{
	const struct officer *o;
	struct err e = { 0 };

	*policy = factory_policy(f);
	o = c->caller ? snapshot_officer(*policy, officer_id_of(c->caller->officer)) : NULL;
	if (o != NULL && o->active)
		return o;
	err_set(&e, CHY_NOT_OFFICER, NULL, "the caller is no longer an officer");
	http_problem(c, &e);
	return NULL;
}

struct json *
rest_body(struct http_call *c)
{
	struct err e = { 0 };
	struct json *v;

	if (json_parse(c->arena, c->body, &v, &e) == RC_OK)
		return v;
	http_problem(c, &e);
	return NULL;
}

void
rest_refuse(struct factory *f, struct http_call *c, const struct err *e)
{
	leaf_refusal(
	    f, &(struct refusal){ .act = "unknown", .by = "officer", .id = c->caller->officer, .why = e });
	http_problem(c, e);
}

struct json *
rest_act_body(struct factory *f, struct http_call *c)
{
	struct err e = { 0 };
	struct json *v;

	if (json_parse(c->arena, c->body, &v, &e) == RC_OK)
		return v;
	rest_refuse(f, c, &e);
	return NULL;
}

struct json *
rest_page(struct arena *a, struct json *items, int64_t next)
{
	struct json *o = json_object(a);

	json_set(o, "items", items);
	json_set(o, "next", next ? json_int(a, next) : json_null(a));
	return o;
}

void
rest_answer(struct http_call *c, enum rc rc, int status, const struct json *v, const struct err *e)
{
	struct err nomem = { 0 };

	if (rc != RC_OK) {
		http_problem(c, e);
	} else if (v == NULL) {
		err_set(&nomem, CHY_NO_MEMORY, NULL, "the answer");
		http_problem(c, &nomem);
	} else {
		http_answer_json(c, status, v);
	}
}

void
rest_prepare(void *ctx, struct http_call *c,
	     enum rc (*prepare)(const struct asked *q, const struct json *body, struct json **ret,
				struct err *e))
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct json *body, *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL || (body = rest_act_body(f, c)) == NULL)
		return;
	rc = prepare(&(struct asked){ f, c, c->arena, policy, who }, body, &ret, &e);
	if (rc != RC_OK)
		http_problem_of_each(c, &e, ret);
	else
		rest_answer(c, rc, 201, ret, &e);
}

void
rest_drop(void *ctx, struct http_call *c, enum rc (*drop)(const struct asked *q, struct err *e))
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(ctx, c, &policy);
	struct err e = { 0 };

	if (who == NULL)
		return;
	if (drop(&(struct asked){ ctx, c, c->arena, policy, who }, &e) == RC_OK)
		http_answer(c, 204, NULL, BYTES_NONE);
	else
		http_problem(c, &e);
}

void
rest_ask(void *ctx, struct http_call *c)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(ctx, c, &policy);
	struct asked q = { ctx, c, c->arena, policy, who };
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = c->route->ask(&q, &ret, &e);
	rest_answer(c, rc, c->route->status ? c->route->status : 200, ret, &e);
}

int64_t
rest_after(const struct http_call *c)
{
	return route_query_int(c, "after", 0);
}

size_t
rest_limit(const struct http_call *c)
{
	return (size_t)route_query_int(c, "limit", 100);
}

enum rc
rest_kind(const struct http_call *c, const struct kind **ret, struct err *e)
{
	*ret = kind_named(c->params[0]);
	NEED(*ret != NULL, e, CHY_KIND_UNKNOWN, NULL, "\"%.*s\" is no kind of document",
	     BYTES_FMT(bytes_part(c->params[0], 0, 60)));
	return RC_OK;
}
