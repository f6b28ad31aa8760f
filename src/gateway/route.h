/*
 * The route table: everything that the HTTP face can do, once. From it come dispatching, access checks, the checks of
 * query parameters and media types, OpenAPI, the metrics' labels and the test that walks every route with every role.
 *
 * A module has one constant array of routes (rest_certificates.c: rest_certificates_routes) and the program gives the
 * arrays to the router.
 *
 *	static const struct route routes[] = {
 *		{ .method = HTTP_GET, .pattern = "/api/v1/requests/{id}", .run = rest_ask, .ask = ask_request,
 *		  .access = ACCESS_OFFICER, .summary = "One request", .tag = "requests",
 *		  .answers = { "application/json" }, .answer_schema = "Request" },
 *		{ 0 }
 *	};
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "base/base.h"
#include "gateway/httpd.h"
#include "model/role.h"

enum {
	ROUTE_ANSWERS_MAX = 4,
	ROUTE_BODIES_MAX = 4,
	ROUTE_QUERY_MAX = 12,
};

/* Who may come in at all. */
enum route_access {
	ACCESS_PUBLIC,  /* anybody; a caller is identified all the same if he shows a good credential */
	ACCESS_OFFICER, /* TLS client certificate of a registered, active officer */
	ACCESS_SESSION, /* bearer token of an issuing session */
	ACCESS_SESSION_OR_OFFICER,
};

enum route_flags {
	ROUTE_INLINE = 1,    /* runs on the event thread: must not block */
	ROUTE_ALL_ROLES = 2, /* all of `needs` are needed; without it any one of them */
	ROUTE_WRITES = 4,    /* takes an Idempotency-Key (documented in OpenAPI) */
	ROUTE_HIDDEN = 8,    /* not in OpenAPI (the browser's files) */
	ROUTE_SECRETS = 16,  /* body or answer may hold secrets: nothing of them is left in memory */
	ROUTE_CLOSED =
	    32, /* is elsewhere: refused (NODE_ONLY) before anything else of the call is looked at */
};

enum query_type { QUERY_TEXT, QUERY_INT, QUERY_BOOL, QUERY_TIME };

struct asked;
struct json;

struct route_query {
	const char *name;
	enum query_type type;
	const char *help;
	bool needed;
	int64_t min, max; /* QUERY_INT; both 0: 0 to 2^53 - 1 */
};

struct route {
	enum http_method method; /* HTTP_HEAD comes with HTTP_GET by itself */
	/* "/api/v1/requests/{id}"; a parameter is a whole segment. {id} and {..._id} are positive integers: checked before
	   the handler runs, see route_id. {*name} at the end takes the rest of the path as it was sent, slashes and
	   percent-encodings and all. */
	const char *pattern;
	void (*run)(void *ctx, struct http_call *c); /* ctx: as given to router_add */
	/* With run = rest_ask (rest.h): what an officer asks and is answered in JSON, with `status`. */
	enum rc (*ask)(const struct asked *q, struct json **ret, struct err *e);
	enum route_access access;
	roles
	    needs; /* ROLES(ROLE_USE_CLIENTS) | ...: one of these, or all by ROUTE_ALL_ROLES; 0: every officer */
	const char *summary, *description; /* description may be NULL */
	const char *tag;                   /* group in the documentation */
	struct route_query query[ROUTE_QUERY_MAX];
	const char *bodies[ROUTE_BODIES_MAX];   /* accepted media types; none: no body is taken */
	const char *body_schema;                /* component name, for application/json */
	size_t body_max;                        /* 0: LIMIT_BODY */
	const char *answers[ROUTE_ANSWERS_MAX]; /* media types by preference; call->accept is the index */
	const char *answer_schema;              /* component name, for application/json */
	int status;                             /* of success; 0: 200 */
	unsigned flags;
};

/* A JSON Schema component that routes refer to by name; text is JSON (one object). */
struct route_schema {
	const char *name;
	const char *text;
};

/* Who calls. Made by the hooks in the call's arena. */
enum caller_kind { CALLER_OFFICER = 1, CALLER_SESSION };
struct caller {
	enum caller_kind kind;
	int64_t officer; /* id; for a session the officer who opened it */
	int64_t session; /* id or 0 */
	/* Of the profile: for the check at the door. The use case decides again, with domains. */
	roles has;
	const char *name; /* for logs */
	const void *more; /* the hooks' own */
};

/* How the factory tells callers. Both may be called on event threads and must be fast (a snapshot look-up). */
struct route_auth {
	void *ctx;
	/* A TLS client certificate, DER. CHY_OFFICER_UNKNOWN or what fits. */
	enum rc (*officer)(void *ctx, struct arena *a, struct bytes cert, struct caller *ret, struct err *e);
	/* A bearer token as sent. CHY_SESSION_TOKEN when there is no such session, or what fits. */
	enum rc (*session)(void *ctx, struct arena *a, struct bytes token, struct caller *ret, struct err *e);
	/* Is the token in memory, and costs no look into the database? NULL: all are. */
	bool (*session_is_known)(void *ctx, struct bytes token);
};

struct router;
struct metrics;

/* auth is copied; NULL: only public routes may be added. m may be NULL. Owned by the caller. */
MUST enum rc router_new(const struct route_auth *auth, struct metrics *m, struct router **ret, struct err *e);
void router_free(struct router *r);
OWN_DEFINE(struct router *, router_free)

/* routes: constant, ends with one without a pattern; ctx is what their handlers get. Refuses a table that contradicts
   itself (CHY_ROUTE_TABLE): two routes of one method and pattern, too many parameters, roles on a public route. Before httpd_start. */
MUST enum rc router_add(struct router *r, const struct route *routes, void *ctx, struct err *e);
/* schemas: constant, ends with one without a name. */
MUST enum rc router_add_schemas(struct router *r, const struct route_schema *schemas, struct err *e);

/* Who is refused more often is held back with 429 and Retry-After (refusals.h): officers and sessions at the door, addresses only
   with tokens that would have to be looked for in the database. per_minute 0, and without it: nobody. Before httpd_start. */
MUST enum rc router_hold_back(struct router *r, unsigned per_minute, struct err *e);

/* What httpd_new wants. */
struct http_app router_app(struct router *r);

/* All routes, for OpenAPI and tests. */
size_t router_count(const struct router *r);
const struct route *router_route(const struct router *r, size_t i);
size_t router_schema_count(const struct router *r);
const struct route_schema *router_schema(const struct router *r, size_t i);

/* For handlers. A query parameter by name; p = NULL when it was not sent. All are checked against the route's table before
   the handler runs, so the typed forms cannot fail: absent gives the default. */
struct bytes route_query_text(const struct http_call *c, const char *name);
int64_t route_query_int(const struct http_call *c, const char *name, int64_t absent);
bool route_query_bool(const struct http_call *c, const char *name, bool absent);
int64_t route_query_time(const struct http_call *c, const char *name, int64_t absent_ms);
/* The n-th path parameter as an id; > 0 for {id} and {..._id}, checked before the handler runs. */
int64_t route_id(const struct http_call *c, size_t n);
/* The body's media type, one of the route's bodies (its pointer), NULL when none was sent. */
const char *route_body_type(const struct http_call *c);
/* Has the caller the role? NULL has none. */
bool caller_has_role(const struct caller *who, enum role r);

/* Answers 200 (or `status`) with JSON written from a tree, into the call's arena. */
void http_answer_json(struct http_call *c, int status, const struct json *v);

#endif
