/*
 * The server by REST (HTTP/1.1, TLS 1.2 or 1.3): the only way in which the command line knows it.
 *
 * An answer of 4xx or 5xx becomes an error with the server's own code, field, text and standard (RFC 9457 problem
 * documents). What is safe to repeat, a GET or a call with an Idempotency-Key, is repeated up to four times when the
 * connection broke or the server asked to come back later (503, 429), waiting in between as long as the server says,
 * at most ten seconds.
 */
#ifndef CLI_REST_H
#define CLI_REST_H

#include "base/base.h"
#include "base/json.h"
#include "cli/settings.h"

struct officer_key;
struct rest;

enum { REST_BODY_MAX = 64 << 20, REST_TRIES = 4 };

struct rest_call {
	const char *method; /* NULL: GET, or POST where there is a body */
	const char *path;   /* "/api/v1/..." with its query, escaped */
	struct bytes body;
	const char *type;            /* of the body; NULL: application/json */
	const char *accept;          /* NULL: application/json */
	const char *idempotency_key; /* NULL: none */
	const char *bearer;          /* an issuing session's token; NULL: none */
	bool once;                   /* never repeated */
};

struct rest_answer {
	long status;
	struct bytes body;    /* the arena's */
	const char *type;     /* media type without parameters; "" where none was sent */
	struct json *json;    /* where the type is JSON; else NULL */
	int64_t server_at_ms; /* of the Date header; 0: none */
};

/* officer: for TLS, must outlive it; NULL: none. Owned by the caller. */
MUST enum rc rest_new(const struct settings *set, struct officer_key *officer, struct rest **ret,
		      struct err *e);
void rest_free(struct rest *r);
OWN_DEFINE(struct rest *, rest_free)

/* One call and its answer. CHY_CLI_SERVER: not reached; CHY_CLI_ANSWER: what came is not understood; else the server's
   own refusal, whose problem document is then ret->json (NULL where there is none). */
MUST enum rc rest_do(struct rest *r, struct arena *a, const struct rest_call *call, struct rest_answer *ret,
		     struct err *e);

/* GET or, where body is not NULL, POST of JSON; *ret the answer's JSON (CHY_CLI_ANSWER where there is none). */
MUST enum rc rest_json(struct rest *r, struct arena *a, const char *path, const struct json *body,
		       struct json **ret, struct err *e);

/* The same; *ret_problem: the problem document of a refusal, or NULL. */
MUST enum rc rest_json_or(struct rest *r, struct arena *a, const char *path, const struct json *body,
			  struct json **ret, struct json **ret_problem, struct err *e);

/* What /readyz says, asked once: {"ready", "stopping", "checks"}, also where it is not ready. */
MUST enum rc rest_readiness(struct rest *r, struct arena *a, struct rest_answer *ret, struct err *e);

/* A long answer, piece by piece as it comes; never repeated. take's failure ends it. */
typedef enum rc rest_take_fn(void *arg, struct bytes piece, struct err *e);
MUST enum rc rest_stream(struct rest *r, struct arena *a, const struct rest_call *call, rest_take_fn *take,
			 void *arg, struct err *e);

/* A path's segment or a query's value, percent-escaped (RFC 3986 2.1); the arena's, never NULL ("" when memory is out). */
const char *url_escape(struct arena *a, struct bytes s);

/* A new random key for one act that may be repeated safely. dst: at least 44 characters. */
MUST enum rc rest_new_key(char *dst, struct err *e);

/* An error from a problem document; status where it is none. */
enum rc rest_problem(struct arena *a, long status, struct bytes body, struct err *e);

#endif
