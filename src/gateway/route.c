/* The door: which route a request means, who asks, may he, and is what he sends of the right shape. */
#include "base/base.h"
#include "base/json.h"
#include "gateway/conneg.h"
#include "gateway/metrics.h"
#include "gateway/problem.h"
#include "gateway/refusals.h"
#include "gateway/route.h"
#include "gateway/uri.h"

#include <stdatomic.h>

enum { ROUTES_MAX = 512, SCHEMAS_MAX = 256, STATUS_MAX = 600 };

struct route_entry {
	const struct route *route;
	void *ctx;
	struct bytes segments[URI_SEGMENTS_MAX]; /* p = NULL: a parameter */
	struct bytes names[HTTP_PARAMS_MAX];     /* of the parameters */
	size_t nsegments, nparams;
	size_t tail; /* octets of the pattern before {*name}; 0: it has none */
	struct router *router;
	struct histogram *seconds;
	_Atomic(struct counter *) by_status[STATUS_MAX / 100][100];
};

struct router {
	struct route_auth auth;
	bool has_auth;
	struct metrics *metrics;
	struct route_entry *entries[ROUTES_MAX]; /* those with fewer parameters first, so that literals win */
	size_t n;
	const struct route *added[ROUTES_MAX]; /* in the order of adding, for documentation */
	const struct route_schema *schemas[SCHEMAS_MAX];
	size_t nschemas;
	struct route_entry *nowhere; /* what no route took, for counting */
	struct refusals *refusals;   /* NULL: nobody is held back */
	struct counter *held_back;
};

/* The table. */

static enum rc
pattern_parse(struct route_entry *en, struct err *e)
{
	const char *pattern = en->route->pattern;
	struct bytes rest = bytes_str(pattern + 1);

	NEED(pattern[0] == '/', e, CHY_ROUTE_TABLE, NULL, "%s does not begin with /", pattern);
	if (strstr(pattern, "{*") != NULL) {
		en->tail = (size_t)(strstr(pattern, "{*") - pattern);
		rest = bytes_of(pattern + 1, en->tail - 1);
		NEED(en->tail > 2 && pattern[en->tail - 1] == '/' && memchr(pattern, '{', en->tail) == NULL,
		     e, CHY_ROUTE_TABLE, NULL, "%s has something before its rest", pattern);
		rest.n--;
	}
	while (rest.p != NULL && pattern[1] != 0) {
		struct bytes s = text_cut(rest, '/', &rest);

		NEED(s.n > 0 && en->nsegments < URI_SEGMENTS_MAX, e, CHY_ROUTE_TABLE, NULL,
		     "%s has an empty segment or too many", pattern);
		if (s.p[0] == '{') {
			NEED(s.n > 2 && s.p[s.n - 1] == '}' && en->nparams < HTTP_PARAMS_MAX, e,
			     CHY_ROUTE_TABLE, NULL, "%s has too many parameters or a wrong one", pattern);
			en->names[en->nparams++] = bytes_part(s, 1, s.n - 2);
			s = BYTES_NONE;
		}
		en->segments[en->nsegments++] = s;
	}
	return RC_OK;
}

static bool
same_pattern(const struct route_entry *a, const struct route_entry *b)
{
	if (a->nsegments != b->nsegments || a->route->method != b->route->method || a->tail != b->tail)
		return false;
	for (size_t i = 0; i < a->nsegments; i++)
		if ((a->segments[i].p == NULL) != (b->segments[i].p == NULL) ||
		    !bytes_eq(a->segments[i], b->segments[i]))
			return false;
	return true;
}

static enum rc
entry_check(const struct router *r, const struct route_entry *en, struct err *e)
{
	const struct route *o = en->route;

	NEED(r->n < ROUTES_MAX, e, CHY_ROUTE_TABLE, NULL, "more than %d routes", ROUTES_MAX);
	NEED((o->run != NULL || (o->flags & ROUTE_CLOSED)) && o->summary != NULL, e, CHY_ROUTE_TABLE, NULL,
	     "%s has no handler or summary", o->pattern);
	NEED(o->access != ACCESS_PUBLIC || o->needs == 0, e, CHY_ROUTE_TABLE, NULL,
	     "%s is public but needs roles", o->pattern);
	NEED(o->access == ACCESS_PUBLIC || r->has_auth, e, CHY_ROUTE_TABLE, NULL,
	     "%s needs a caller, but nobody tells them", o->pattern);
	NEED(o->method != HTTP_HEAD && o->method != HTTP_OPTIONS, e, CHY_ROUTE_TABLE, NULL,
	     "%s: HEAD and OPTIONS come by themselves", o->pattern);
	for (size_t i = 0; i < r->n; i++)
		NEED(!same_pattern(r->entries[i], en), e, CHY_ROUTE_TABLE, NULL, "%s %s stands twice",
		     http_method_name(o->method), o->pattern);
	return RC_OK;
}

static void
entry_metrics(struct route_entry *en, struct metrics *m)
{
	struct buf OWN_BUF labels = buf_max(1024);

	metrics_label(&labels, "method", bytes_str(http_method_name(en->route->method)));
	metrics_label(&labels, "route", bytes_str(en->route->pattern));
	en->seconds = metrics_histogram(m, "chancery_http_request_seconds",
					"Time from the first byte of a request to its answer",
					buf_cstr(&labels));
}

static void
insert(struct router *r, struct route_entry *en)
{
	size_t at = r->n;

	while (at > 0 && r->entries[at - 1]->nparams > en->nparams) {
		r->entries[at] = r->entries[at - 1];
		at--;
	}
	r->entries[at] = en;
	r->added[r->n++] = en->route;
}

static enum rc
entry_add(struct router *r, const struct route *o, void *ctx, struct err *e)
{
	struct route_entry *en = calloc(1, sizeof(*en));
	enum rc rc;

	NEED(en != NULL, e, CHY_NO_MEMORY, NULL, "no memory for a route");
	en->route = o;
	en->ctx = ctx;
	en->router = r;
	rc = pattern_parse(en, e);
	if (rc == RC_OK)
		rc = entry_check(r, en, e);
	if (rc != RC_OK) {
		free(en);
		return rc;
	}
	if (r->metrics != NULL)
		entry_metrics(en, r->metrics);
	insert(r, en);
	return RC_OK;
}

enum rc
router_add(struct router *r, const struct route *routes, void *ctx, struct err *e)
{
	for (; routes->pattern != NULL; routes++)
		TRY(entry_add(r, routes, ctx, e));
	return RC_OK;
}

enum rc
router_add_schemas(struct router *r, const struct route_schema *schemas, struct err *e)
{
	for (; schemas->name != NULL; schemas++) {
		NEED(r->nschemas < SCHEMAS_MAX, e, CHY_ROUTE_TABLE, NULL, "more than %d schemas",
		     SCHEMAS_MAX);
		r->schemas[r->nschemas++] = schemas;
	}
	return RC_OK;
}

enum rc
router_new(const struct route_auth *auth, struct metrics *m, struct router **ret, struct err *e)
{
	static const struct route nowhere = { .pattern = "none", .summary = "no route" };
	struct router *r = calloc(1, sizeof(*r));

	NEED(r != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the routes");
	r->nowhere = calloc(1, sizeof(*r->nowhere));
	if (r->nowhere == NULL) {
		free(r);
		FAIL(e, CHY_NO_MEMORY, NULL, "no memory for the routes");
	}
	r->nowhere->route = &nowhere;
	r->nowhere->router = r;
	if (auth != NULL) {
		r->auth = *auth;
		r->has_auth = true;
	}
	r->metrics = m;
	*ret = r;
	return RC_OK;
}

void
router_free(struct router *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->entries[i]);
	free(r->nowhere);
	refusals_free(r->refusals);
	free(r);
}

enum rc
router_hold_back(struct router *r, unsigned per_minute, struct err *e)
{
	TRY(refusals_new(per_minute, &r->refusals, e));
	if (r->refusals == NULL || r->metrics == NULL)
		return RC_OK;
	r->held_back = metrics_counter(r->metrics, "chancery_http_held_back_total",
				       "Requests answered 429: their caller was refused too often", NULL);
	return RC_OK;
}

size_t
router_count(const struct router *r)
{
	return r->n;
}

const struct route *
router_route(const struct router *r, size_t i)
{
	return i < r->n ? r->added[i] : NULL;
}

size_t
router_schema_count(const struct router *r)
{
	return r->nschemas;
}

const struct route_schema *
router_schema(const struct router *r, size_t i)
{
	return i < r->nschemas ? r->schemas[i] : NULL;
}

/* Finding the route. */

static bool
path_fits(const struct route_entry *en, const struct uri_path *path)
{
	if (en->nsegments != path->n || en->tail > 0)
		return false;
	for (size_t i = path->n; i-- > 0;) /* from the end: all begin alike */
		if (en->segments[i].p != NULL && !bytes_eq(en->segments[i], path->segments[i]))
			return false;
	return true;
}

static void
take_params(struct http_call *c, const struct route_entry *en, const struct uri_path *path)
{
	size_t n = 0;

	for (size_t i = 0; i < en->nsegments; i++)
		if (en->segments[i].p == NULL)
			c->params[n++] = path->segments[i];
}

/* The methods that a path has, as Allow wants them (RFC 9110 10.2.1). False: no such path. */
static bool
allowed(const struct router *r, const struct uri_path *path, char *dst, size_t max)
{
	bool any = false, get = false;
	size_t at = 0;

	dst[0] = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (!path_fits(r->entries[i], path))
			continue;
		any = true;
		get = get || r->entries[i]->route->method == HTTP_GET;
		if (strstr(dst, http_method_name(r->entries[i]->route->method)) == NULL)
			at += (size_t)snprintf(dst + at, max - at, "%s, ",
					       http_method_name(r->entries[i]->route->method));
	}
	snprintf(dst + at, max - at, "%sOPTIONS", get ? "HEAD, " : "");
	return any;
}

/* The rest of the path belongs to the route, whatever it is: it is looked for before the path is taken apart. Such routes are
   GET's. *ret_other: there is one, of another method. */
static bool
find_tail(struct router *r, struct http_call *c, struct bytes *ret_query, bool *ret_other)
{
	enum http_method m = c->head.method == HTTP_HEAD ? HTTP_GET : c->head.method;
	struct bytes path = text_cut(c->head.target, '?', ret_query);

	for (size_t i = 0; i < r->n; i++) {
		struct route_entry *en = r->entries[i];

		if (en->tail == 0 || path.n <= en->tail || memcmp(path.p, en->route->pattern, en->tail) != 0)
			continue;
		*ret_other = true;
		if (en->route->method != m)
			continue;
		c->entry = en;
		c->route = en->route;
		c->params[0] = bytes_part(path, en->tail, SIZE_MAX);
		return true;
	}
	return false;
}

static enum rc
find(struct router *r, struct http_call *c, const struct uri_path *path, struct err *e)
{
	enum http_method m = c->head.method == HTTP_HEAD ? HTTP_GET : c->head.method;
	char allow[96];

	for (size_t i = 0; i < r->n; i++) {
		struct route_entry *en = r->entries[i];

		if (en->route->method != m || !path_fits(en, path))
			continue;
		c->entry = en;
		c->route = en->route;
		take_params(c, en, path);
		return RC_OK;
	}
	NEED(allowed(r, path, allow, sizeof(allow)), e, CHY_ROUTE_UNKNOWN, "RFC 9110 15.5.5",
	     "no such address");
	http_set(c, "Allow", allow);
	FAIL(e, CHY_ROUTE_METHOD, "RFC 9110 15.5.6", "%s is not among %s", http_method_name(c->head.method),
	     allow);
}

/* Who is refused over and over. */

static struct refused_who
refused_caller(const struct http_call *c)
{
	if (c->caller == NULL)
		return (struct refused_who){ REFUSED_ADDRESS, refused_address(c->remote) };
	if (c->caller->kind == CALLER_SESSION)
		return (struct refused_who){ REFUSED_SESSION, (uint64_t)c->caller->session };
	return (struct refused_who){ REFUSED_OFFICER, (uint64_t)c->caller->officer };
}

static int64_t
mono_ms(void)
{
	return clock_mono_us() / 1000;
}

static enum rc
hold_back(const struct router *r, struct http_call *c, struct err *e)
{
	unsigned seconds = refusals_wait(r->refusals, refused_caller(c), mono_ms());
	char text[16];

	if (seconds == 0)
		return RC_OK;
	snprintf(text, sizeof(text), "%u", seconds);
	http_set(c, "Retry-After", text);
	if (r->held_back != NULL)
		counter_add(r->held_back, 1);
	FAIL(e, CHY_REFUSED_OFTEN, "RFC 6585 4", "%s was refused too often: in %s again",
	     c->caller ? c->caller->name : "this address", seconds == 1 ? "a second" : "some seconds");
}

/* Of what is no good credential the address answers for it. What is carried out for a caller gives one back. */
static void
count_refusal(const struct router *r, const struct http_call *c, int status)
{
	bool refused = status == 400 || status == 401 || status == 403 || status == 422;
	bool writes = c->head.method != HTTP_GET && c->head.method != HTTP_HEAD;

	if (c->route == NULL || c->route->access == ACCESS_PUBLIC || (c->caller == NULL && status != 401))
		return;
	if (refused)
		refusals_add(r->refusals, refused_caller(c), mono_ms());
	else if (writes && status < 300)
		refusals_give_back(r->refusals, refused_caller(c), mono_ms());
}

/* Who asks. */

static enum rc
by_session(const struct router *r, struct http_call *c, struct bytes authorization, struct caller *who,
	   struct err *e)
{
	struct bytes token;

	NEED(c->route->access != ACCESS_OFFICER, e, CHY_CREDENTIAL_KIND, "RFC 9110 11.4",
	     "this needs an officer, who logs in by TLS client certificate");
	TRY(bearer_token(authorization, &token, e));
	if (r->auth.session_is_known != NULL && !r->auth.session_is_known(r->auth.ctx, token))
		TRY(hold_back(r, c, e));
	return r->auth.session(r->auth.ctx, c->arena, token, who, e);
}

static enum rc
by_certificate(const struct router *r, struct http_call *c, struct caller *who, struct err *e)
{
	NEED(c->route->access != ACCESS_SESSION, e, CHY_CREDENTIAL_KIND, "RFC 9110 11.4",
	     "this needs the bearer token of an issuing session");
	return r->auth.officer(r->auth.ctx, c->arena, c->peer_cert, who, e);
}

static enum rc
identify(const struct router *r, struct http_call *c, struct err *e)
{
	struct caller *who = arena_one(c->arena, struct caller);
	bool public = c->route->access == ACCESS_PUBLIC;
	struct err why = { 0 };
	size_t n;
	struct bytes authorization = http_header_get(&c->head, "authorization", &n);
	enum rc rc;

	NEED(who != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the caller");
	NEED(n <= 1, e, CHY_HTTP_HEADER, "RFC 9110 11.6.2", "%zu Authorization headers", n);
	if (!r->has_auth || (n == 0 && c->peer_cert.n == 0)) {
		NEED(public, e, CHY_CREDENTIAL_MISSING, "RFC 9110 15.5.2", "%s",
		     c->route->access == ACCESS_SESSION
			 ? "the bearer token of an issuing session is needed"
			 : "an officer's TLS client certificate or a bearer token is needed");
		return RC_OK;
	}
	rc = n == 1 ? by_session(r, c, authorization, who, &why) : by_certificate(r, c, who, &why);
	if (rc == RC_OK)
		c->caller = who;
	else if (!public) {
		if (e != NULL)
			*e = why;
		return rc;
	}
	return RC_OK;
}

bool
caller_has_role(const struct caller *who, enum role r)
{
	return who != NULL && r != ROLE_NONE && (who->has & ROLES(r)) != 0;
}

static enum rc
check_roles(const struct http_call *c, struct err *e)
{
	roles needs = c->route->needs, has = c->caller ? c->caller->has & needs : 0;
	bool ok = needs == 0 || (c->route->flags & ROUTE_ALL_ROLES ? has == needs : has != 0);

	for (int i = 0; i < ROLE_COUNT && !ok; i++)
		if ((needs & ROLES(i)) && !(has & ROLES(i)))
			FAIL(e, CHY_ROUTE_ROLE, NULL, "the role %s is missing", role_name((enum role)i));
	return RC_OK;
}

/* Is it of the right shape? */

static const struct route_query *
query_find(const struct route *o, struct bytes name)
{
	for (size_t i = 0; i < ROUTE_QUERY_MAX && o->query[i].name != NULL; i++)
		if (bytes_is(name, o->query[i].name))
			return &o->query[i];
	return NULL;
}

static enum rc
query_value(const struct route_query *q, struct bytes v, struct err *e)
{
	int64_t n;

	switch (q->type) {
	case QUERY_INT:
		return int_parse(v, q->min, q->min == 0 && q->max == 0 ? JSON_INT_MAX : q->max, &n, e);
	case QUERY_TIME:
		return time_parse(v, &n, e);
	case QUERY_BOOL:
		NEED(bytes_is(v, "true") || bytes_is(v, "false"), e, CHY_URI_QUERY, NULL,
		     "true or false is wanted");
		return RC_OK;
	default:
		return RC_OK;
	}
}

static enum rc
check_query(struct http_call *c, struct bytes query, struct err *e)
{
	struct bytes names[HTTP_QUERY_MAX], values[HTTP_QUERY_MAX];

	TRY(uri_query_parse(c->arena, query, names, values, HTTP_QUERY_MAX, &c->nquery, e));
	for (size_t i = 0; i < c->nquery; i++) {
		const struct route_query *q = query_find(c->route, names[i]);

		if (q == NULL) {
			err_field(e, "%.*s", BYTES_FMT(names[i]));
			FAIL(e, CHY_URI_QUERY, NULL, "no such parameter at this address");
		}
		TRY_AT(query_value(q, values[i], e), e, "%s", q->name);
		c->query[i] = (struct http_pair){ names[i], values[i] };
	}
	for (size_t i = 0; i < ROUTE_QUERY_MAX && c->route->query[i].name != NULL; i++) {
		const struct route_query *q = &c->route->query[i];

		if (q->needed && route_query_text(c, q->name).p == NULL) {
			err_field(e, "%s", q->name);
			FAIL(e, CHY_URI_QUERY, NULL, "the parameter is needed");
		}
	}
	return RC_OK;
}

static bool
is_id_name(struct bytes name)
{
	return bytes_is(name, "id") || (name.n > 3 && memcmp(name.p + name.n - 3, "_id", 3) == 0);
}

static enum rc
check_params(const struct http_call *c, struct err *e)
{
	const struct route_entry *en = c->entry;
	int64_t id;

	for (size_t i = 0; i < en->nparams; i++)
		if (is_id_name(en->names[i]))
			TRY_AT(int_parse(c->params[i], 1, JSON_INT_MAX, &id, e), e, "%.*s",
			       BYTES_FMT(en->names[i]));
	return RC_OK;
}

const char *
route_body_type(const struct http_call *c)
{
	struct bytes type = media_type(http_header_get(&c->head, "content-type", NULL));

	for (size_t i = 0; i < ROUTE_BODIES_MAX && c->route->bodies[i] != NULL; i++)
		if (ascii_case_eq(type, bytes_str(c->route->bodies[i])))
			return c->route->bodies[i];
	return NULL;
}

static enum rc
check_body(struct http_call *c, struct err *e)
{
	bool has = c->head.chunked || c->head.length > 0;
	size_t ntypes;

	if (c->route->bodies[0] == NULL) {
		NEED(!has, e, CHY_BODY_UNWANTED, NULL, "%s takes no body", c->route->pattern);
		return RC_OK;
	}
	NEED(has, e, CHY_BODY_MISSING, NULL, "%s is wanted", c->route->bodies[0]);
	(void)http_header_get(&c->head, "content-type", &ntypes);
	NEED(ntypes == 1 && route_body_type(c) != NULL, e, CHY_MEDIA_TYPE, "RFC 9110 15.5.16", "%s is wanted",
	     c->route->bodies[0]);
	c->body_max = c->route->body_max ? c->route->body_max : LIMIT_BODY;
	return RC_OK;
}

/* All values of a list field as one (RFC 9110 5.3). */
static enum rc
accept_value(struct http_call *c, struct bytes *ret, struct err *e)
{
	struct buf OWN_BUF all = buf_max(LIMIT_HEADERS);
	size_t n;

	*ret = http_header_get(&c->head, "accept", &n);
	if (n <= 1)
		return RC_OK;
	for (size_t i = 0; i < c->head.nheaders; i++) {
		if (!ascii_case_eq(c->head.headers[i].name, BYTES("accept")))
			continue;
		buf_put(&all, c->head.headers[i].value);
		buf_u8(&all, ',');
	}
	*ret = arena_dup(c->arena, buf_bytes(&all));
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "no memory for Accept");
	return RC_OK;
}

static enum rc
check_accept(struct http_call *c, struct err *e)
{
	struct bytes accept;

	if (c->route->answers[0] == NULL)
		return RC_OK;
	TRY(accept_value(c, &accept, e));
	return accept_choose(accept, c->route->answers, &c->accept, e);
}

static enum rc
admit(struct router *r, struct http_call *c, struct err *e)
{
	struct uri_path path;
	struct bytes query;
	bool other = false;

	if (!find_tail(r, c, &query, &other)) {
		if (other) {
			http_set(c, "Allow", "GET, HEAD, OPTIONS");
			FAIL(e, CHY_ROUTE_METHOD, "RFC 9110 15.5.6", "%s is not among GET, HEAD, OPTIONS",
			     http_method_name(c->head.method));
		}
		TRY(uri_path_parse(c->arena, c->head.target, &path, &query, e));
		TRY(find(r, c, &path, e));
	}
	NEED(!(c->route->flags & ROUTE_CLOSED), e, CHY_NODE_ONLY, NULL, "ask the issuing server");
	TRY(identify(r, c, e));
	if (c->caller != NULL && c->route->access != ACCESS_PUBLIC)
		TRY(hold_back(r, c, e));
	TRY(check_roles(c, e));
	TRY(check_params(c, e));
	TRY(check_query(c, query, e));
	TRY(check_accept(c, e));
	return check_body(c, e);
}

static void
take_flags(struct http_call *c)
{
	c->inline_run = (c->route->flags & ROUTE_INLINE) != 0;
	c->secrets = (c->route->flags & ROUTE_SECRETS) != 0;
	if (c->secrets)
		arena_wipes(c->arena);
}

/* The server asks. */

static void
app_head(void *ctx, struct http_call *c)
{
	struct router *r = ctx;
	struct err e = { 0 };

	if (admit(r, c, &e) == RC_OK)
		take_flags(c);
	else if (e.code == CHY_ROUTE_METHOD && c->head.method == HTTP_OPTIONS)
		http_answer(c, 204, NULL, BYTES_NONE);
	else
		http_problem(c, &e);
}

static void
app_run(void *ctx, struct http_call *c)
{
	c->route->run(c->entry->ctx, c);
}

static struct counter *
status_counter(struct route_entry *en, int status)
{
	_Atomic(struct counter *) *slot = &en->by_status[status / 100][status % 100];
	struct counter *k = atomic_load_explicit(slot, memory_order_acquire);
	struct buf OWN_BUF labels = buf_max(1024);

	if (k != NULL)
		return k;
	metrics_label(&labels, "method", bytes_str(http_method_name(en->route->method)));
	metrics_label(&labels, "route", bytes_str(en->route->pattern));
	buf_printf(&labels, ",status=\"%d\"", status);
	k = metrics_counter(en->router->metrics, "chancery_http_requests_total", "Requests answered",
			    buf_cstr(&labels));
	atomic_store_explicit(slot, k, memory_order_release);
	return k;
}

static void
app_done(void *ctx, const struct http_call *c, int status, size_t sent, int64_t took_us)
{
	struct router *r = ctx;
	struct route_entry *en = r->nowhere;

	if (c->entry != NULL)
		en = (struct route_entry *)(uintptr_t)c->entry;
	count_refusal(r, c, status);
	if (r->metrics == NULL || status < 0 || status >= STATUS_MAX)
		return;
	counter_add(status_counter(en, status), 1);
	histogram_us(en->seconds, took_us);
}

struct http_app
router_app(struct router *r)
{
	return (struct http_app){ .ctx = r, .head = app_head, .run = app_run, .done = app_done };
}

/* For handlers. */

struct bytes
route_query_text(const struct http_call *c, const char *name)
{
	for (size_t i = 0; i < c->nquery; i++)
		if (bytes_is(c->query[i].name, name))
			return c->query[i].value.p ? c->query[i].value : BYTES("");
	return BYTES_NONE;
}

int64_t
route_query_int(const struct http_call *c, const char *name, int64_t absent)
{
	int64_t v;

	return int_parse(route_query_text(c, name), INT64_MIN, INT64_MAX, &v, NULL) == RC_OK ? v : absent;
}

bool
route_query_bool(const struct http_call *c, const char *name, bool absent)
{
	struct bytes v = route_query_text(c, name);

	return v.p == NULL ? absent : bytes_is(v, "true");
}

int64_t
route_query_time(const struct http_call *c, const char *name, int64_t absent_ms)
{
	int64_t v;

	return time_parse(route_query_text(c, name), &v, NULL) == RC_OK ? v : absent_ms;
}

int64_t
route_id(const struct http_call *c, size_t n)
{
	int64_t v = 0;

	return n < HTTP_PARAMS_MAX && int_parse(c->params[n], 1, JSON_INT_MAX, &v, NULL) == RC_OK ? v : 0;
}

void
http_answer_json(struct http_call *c, int status, const struct json *v)
{
	struct buf OWN_BUF out = buf_max(64 << 20);
	bool secrets = c->secrets; /* the call may be over as soon as it is answered */
	struct err e = { 0 };

	if (v != NULL)
		json_put(&out, v);
	if (v != NULL && buf_ok(&out)) {
		http_answer(c, status, "application/json", buf_bytes(&out));
		if (secrets)
			buf_wipe(&out);
		return;
	}
	(void)!err_set(&e, CHY_NO_MEMORY, NULL, "no memory for the answer");
	http_problem(c, &e);
}
