/*
 * The REST face of the use cases: tables of routes, one file a noun. Handlers turn HTTP into a use case's arguments and
 * its outcome into an answer; they decide nothing.
 */
#ifndef GATEWAY_REST_H
#define GATEWAY_REST_H

#include "base/json.h"
#include "factory/factory.h"
#include "gateway/route.h"
#include "model/officer.h"

extern const struct route rest_status_routes[], rest_status_file_routes[], rest_document_routes[],
    rest_request_routes[], rest_certificate_routes[], ocsp_routes[], rest_journal_routes[], rest_log_routes[],
    rest_policy_routes[];
extern const struct route rest_procedure_routes[], rest_token_routes[], rest_delivery_routes[],
    rest_search_routes[], rest_session_routes[], rest_list_routes[], rest_selection_routes[];
extern const struct route_schema rest_schemas[];

/* Adds all of them; their context is the factory. */
MUST enum rc rest_add(struct router *r, struct factory *f, struct err *e);
/* The same of a status node: what relying parties ask for; all else is refused (NODE_ONLY). */
MUST enum rc rest_add_node(struct router *r, struct factory *f, struct err *e);

/* How the factory tells officers and sessions. */
struct route_auth rest_auth(struct factory *f);

/* The officer who calls, as the policy in force knows it now; *policy is the caller's (snapshot_unref). Answers the call
   with a problem and returns NULL when it is none. */
const struct officer *rest_officer(struct factory *f, struct http_call *c, struct snapshot **policy);

/* An officer's question, as routes' `ask` gets it. */
struct asked {
	struct factory *f;
	struct http_call *c;
	struct arena *a;               /* the call's */
	const struct snapshot *policy; /* in force */
	const struct officer *who;
};
#define REST_JSON \
	{ \
		"application/json" \
	}
#define REST_PAGING \
	{ "after", QUERY_INT, "Cursor of the page before" }, \
	{ \
		"limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE \
	}
/* `run` of such routes: lets the caller in as rest_officer does, asks, and answers. */
void rest_ask(void *ctx, struct http_call *c);
/* `run` of routes by which an officer's act is prepared: lets the caller in, reads the body as rest_act_body does, and answers 201 with
   what `prepare` gives. */
void rest_prepare(void *ctx, struct http_call *c,
		  enum rc (*prepare)(const struct asked *q, const struct json *body, struct json **ret,
				     struct err *e));
/* The same of routes by which something of an officer's is thrown away: answers 204. */
void rest_drop(void *ctx, struct http_call *c, enum rc (*drop)(const struct asked *q, struct err *e));
/* What pages have: the cursor ("after"; 0: from the start) and how many rows ("limit"; 100). */
int64_t rest_after(const struct http_call *c);
size_t rest_limit(const struct http_call *c);

/* The kind of document that the path's first parameter names. KIND_UNKNOWN. */
MUST enum rc rest_kind(const struct http_call *c, const struct kind **ret, struct err *e);

/* The body as JSON, in the call's arena; answers and returns NULL when it is none. */
struct json *rest_body(struct http_call *c);

/* The same where an officer must not try anything unseen: what cannot be read is journaled as a refusal of the act. Blocks. */
struct json *rest_act_body(struct factory *f, struct http_call *c);

/* Journals that the caller, an officer, was refused, and answers. Blocks. */
void rest_refuse(struct factory *f, struct http_call *c, const struct err *e);

/* {"items": [...], "next": cursor | null}; next 0: the last page. */
struct json *rest_page(struct arena *a, struct json *items, int64_t next);

/* Answers with the value, or the problem when rc says so. */
void rest_answer(struct http_call *c, enum rc rc, int status, const struct json *v, const struct err *e);

#endif
