#include "base/base.h"
#include "base/json.h"
#include "gateway/openapi.h"
#include "gateway/problem.h"
#include "model/field.h"
#include "policy/schema.h"

enum { OPENAPI_ARENA = 16 << 20 };

/* A document in the making: json_* give NULL and pass NULL on when the arena is full, which is checked at the end. */
struct doc {
	struct arena *a;
	const struct router *r;
	struct json *schemas;
};

static struct json *
str(const struct doc *d, const char *s)
{
	return json_str(d->a, bytes_str(s));
}

static struct json *
object(const struct doc *d, struct json *parent, const char *name)
{
	struct json *o = json_object(d->a);

	if (parent != NULL && parent->type == JSON_ARRAY)
		json_add(parent, o);
	else
		json_set(parent, name, o);
	return o;
}

static struct json *
ref(const struct doc *d, const char *schema)
{
	struct json *o = json_object(d->a);

	json_set(o, "$ref", str(d, arena_printf(d->a, "#/components/schemas/%s", schema)));
	return o;
}

/* Parameters. */

static struct json *
query_schema(const struct doc *d, const struct route_query *q)
{
	static const char *const types[] = { "string", "integer", "boolean", "string" };
	struct json *s = json_object(d->a);

	json_set(s, "type", str(d, types[q->type]));
	if (q->type == QUERY_TIME)
		json_set(s, "format", str(d, "date-time"));
	if (q->type == QUERY_INT) {
		json_set(s, "minimum", json_int(d->a, q->min));
		json_set(s, "maximum", json_int(d->a, q->min == 0 && q->max == 0 ? JSON_INT_MAX : q->max));
	}
	return s;
}

static void
put_parameter(const struct doc *d, struct json *list, const char *in, struct bytes name, const char *help,
	      bool needed, struct json *schema)
{
	struct json *p = object(d, list, NULL);

	json_set(p, "name", json_str(d->a, name));
	json_set(p, "in", str(d, in));
	json_set(p, "required", json_bool(d->a, needed));
	if (help != NULL)
		json_set(p, "description", str(d, help));
	json_set(p, "schema", schema);
}

static struct json *
path_schema(const struct doc *d, struct bytes name)
{
	struct json *s = json_object(d->a);
	bool id = bytes_is(name, "id") || (name.n > 3 && memcmp(name.p + name.n - 3, "_id", 3) == 0);

	json_set(s, "type", str(d, id ? "integer" : "string"));
	if (id)
		json_set(s, "minimum", json_int(d->a, 1));
	return s;
}

static void
put_path_parameters(const struct doc *d, struct json *list, const char *pattern)
{
	struct bytes rest = bytes_str(pattern);

	while (rest.p != NULL) {
		struct bytes s = text_cut(rest, '/', &rest);

		if (s.n > 2 && s.p[0] == '{') {
			s = bytes_part(s, s.p[1] == '*' ? 2 : 1, s.n - (s.p[1] == '*' ? 3 : 2));
			put_parameter(d, list, "path", s, NULL, true, path_schema(d, s));
		}
	}
}

static void
put_parameters(const struct doc *d, struct json *op, const struct route *o)
{
	struct json *list = json_array(d->a), *text = json_object(d->a);

	put_path_parameters(d, list, o->pattern);
	for (size_t i = 0; i < ROUTE_QUERY_MAX && o->query[i].name != NULL; i++)
		put_parameter(d, list, "query", bytes_str(o->query[i].name), o->query[i].help,
			      o->query[i].needed, query_schema(d, &o->query[i]));
	json_set(text, "type", str(d, "string"));
	json_set(text, "maxLength", json_int(d->a, 128));
	if (o->flags & ROUTE_WRITES)
		put_parameter(d, list, "header", BYTES("Idempotency-Key"),
			      "A repeated request with the same key has the effect and the answer of the "
			      "first, for a day",
			      false, text);
	if (list != NULL && list->count > 0)
		json_set(op, "parameters", list);
}

/* Bodies and answers. */

static bool
is_json(const char *type)
{
	return strcmp(type, "application/json") == 0;
}

static struct json *
media(const struct doc *d, const char *const *types, size_t max, const char *schema)
{
	struct json *content = json_object(d->a);

	for (size_t i = 0; i < max && types[i] != NULL; i++) {
		struct json *m = object(d, content, types[i]);
		struct json *s = object(d, m, "schema");

		if (is_json(types[i]) && schema != NULL)
			json_set(m, "schema", ref(d, schema));
		else if (!is_json(types[i]))
			json_set(s, "type", str(d, "string"));
	}
	return content;
}

static void
put_responses(const struct doc *d, struct json *op, const struct route *o)
{
	static const char *const problem[] = { PROBLEM_TYPE, NULL };
	struct json *all = object(d, op, "responses"), *good, *bad, *content, *m;

	good = object(d, all, arena_printf(d->a, "%d", o->status ? o->status : 200));
	json_set(good, "description", str(d, o->summary));
	if (o->answers[0] != NULL)
		json_set(good, "content", media(d, o->answers, ROUTE_ANSWERS_MAX, o->answer_schema));
	bad = object(d, all, "default");
	json_set(bad, "description", str(d, "Refused or failed: a problem document (RFC 9457)"));
	content = object(d, bad, "content");
	m = object(d, content, problem[0]);
	json_set(m, "schema", ref(d, "Problem"));
}

static void
put_body(const struct doc *d, struct json *op, const struct route *o)
{
	struct json *body;

	if (o->bodies[0] == NULL)
		return;
	body = object(d, op, "requestBody");
	json_set(body, "required", json_bool(d->a, true));
	json_set(body, "content", media(d, o->bodies, ROUTE_BODIES_MAX, o->body_schema));
}

/* Access. */

static void
put_scheme(const struct doc *d, struct json *list, const char *name)
{
	json_set(object(d, list, NULL), name, json_array(d->a));
}

static void
put_security(const struct doc *d, struct json *op, const struct route *o)
{
	struct json *list = json_array(d->a);

	if (o->access == ACCESS_OFFICER || o->access == ACCESS_SESSION_OR_OFFICER)
		put_scheme(d, list, "officer");
	if (o->access == ACCESS_SESSION || o->access == ACCESS_SESSION_OR_OFFICER)
		put_scheme(d, list, "session");
	json_set(op, "security", list);
}

static void
put_roles(const struct doc *d, struct json *op, const struct route *o)
{
	struct json *list = json_array(d->a);

	if (o->needs == 0)
		return;
	for (int i = 0; i < ROLE_COUNT; i++)
		if (o->needs & ROLES(i))
			json_add(list, str(d, role_name((enum role)i)));
	json_set(op, o->flags & ROUTE_ALL_ROLES ? "x-roles-all" : "x-roles-any", list);
}

/* "getApiV1RequestsId": unique, because method and pattern are. */
static char *
operation_id(const struct doc *d, const struct route *o)
{
	struct buf OWN_BUF out = buf_max(512);
	bool up = false;

	for (const char *p = http_method_name(o->method); *p != 0; p++)
		buf_u8(&out, (uint8_t)*p | 0x20);
	for (const char *p = o->pattern; *p != 0; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		    (*p >= 'A' && *p <= 'Z');

		if (letter)
			buf_u8(&out, (uint8_t)(up && *p >= 'a' ? *p & ~0x20 : *p));
		up = !letter;
		if (*p == '{')
			buf_str(&out, "By");
	}
	return arena_str(d->a, buf_bytes(&out));
}

static char *
lower_method(const struct doc *d, const struct route *o)
{
	char *name = arena_printf(d->a, "%s", http_method_name(o->method));

	for (char *p = name; p != NULL && *p != 0; p++)
		*p |= 0x20;
	return name;
}

/* The star says how the router reads it. */
static const char *
path_of(const struct doc *d, const struct route *o)
{
	const char *star = strstr(o->pattern, "{*");

	if (star == NULL)
		return o->pattern;
	return arena_printf(d->a, "%.*s{%s", (int)(star - o->pattern), o->pattern, star + 2);
}

static void
put_operation(const struct doc *d, struct json *paths, const struct route *o)
{
	const char *pattern = path_of(d, o);
	struct json *path = pattern ? json_get(paths, pattern) : NULL, *op, *tags = json_array(d->a);
	char *method = lower_method(d, o);

	if (path == NULL)
		path = object(d, paths, pattern);
	if (method == NULL)
		return;
	op = object(d, path, method);
	json_set(op, "operationId", str(d, operation_id(d, o)));
	json_set(op, "summary", str(d, o->summary));
	if (o->description != NULL)
		json_set(op, "description", str(d, o->description));
	if (o->tag != NULL) {
		json_add(tags, str(d, o->tag));
		json_set(op, "tags", tags);
	}
	put_parameters(d, op, o);
	put_body(d, op, o);
	put_responses(d, op, o);
	put_security(d, op, o);
	put_roles(d, op, o);
}

/* Components. */

static enum rc
put_schema(const struct doc *d, const char *name, const char *text, struct err *e)
{
	struct json *v = NULL;
	enum rc rc = json_parse(d->a, bytes_str(text), &v, e);

	if (rc != RC_OK) {
		if (rc == RC_NOMEM)
			return rc;
		if (e != NULL)
			err_clear(e);
		FAIL(e, CHY_ROUTE_TABLE, NULL, "the schema %s is not JSON", name);
	}
	json_set(d->schemas, name, v);
	return RC_OK;
}

/* The bodies of the documents, each kind's as it describes itself: "body-token-procedure". */
static enum rc
put_kinds(const struct doc *d, struct err *e)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = kind_of((enum kind_id)i);
		struct json *v;
		char *name;

		if (kind == NULL)
			continue;
		TRY(schema_of(d->a, kind, &v, e));
		name = arena_printf(d->a, "body-%s", kind->name);
		NEED(name != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the OpenAPI document");
		json_set(d->schemas, name, v);
	}
	return RC_OK;
}

static enum rc
put_schemas(const struct doc *d, struct err *e)
{
	TRY(put_kinds(d, e));
	TRY(put_schema(d, "Problem", problem_schema, e));
	for (const struct route_schema *s = system_schemas; s->name != NULL; s++)
		TRY(put_schema(d, s->name, s->text, e));
	for (size_t i = 0; i < router_schema_count(d->r); i++) {
		const struct route_schema *s = router_schema(d->r, i);

		TRY(put_schema(d, s->name, s->text, e));
	}
	return RC_OK;
}

static enum rc
check_refs(const struct doc *d, const struct route *o, struct err *e)
{
	NEED(o->body_schema == NULL || json_get(d->schemas, o->body_schema) != NULL, e, CHY_ROUTE_TABLE, NULL,
	     "%s refers to the schema %s, which nobody gave", o->pattern, o->body_schema);
	NEED(o->answer_schema == NULL || json_get(d->schemas, o->answer_schema) != NULL, e, CHY_ROUTE_TABLE,
	     NULL, "%s refers to the schema %s, which nobody gave", o->pattern, o->answer_schema);
	return RC_OK;
}

static void
put_security_schemes(const struct doc *d, struct json *components)
{
	struct json *all = object(d, components, "securitySchemes");
	struct json *officer = object(d, all, "officer"), *session = object(d, all, "session");

	json_set(officer, "type", str(d, "mutualTLS"));
	json_set(officer, "description", str(d, "TLS client certificate of a registered, active officer"));
	json_set(session, "type", str(d, "http"));
	json_set(session, "scheme", str(d, "bearer"));
	json_set(session, "description",
		 str(d, "Token of an issuing session that an officer has opened by signature"));
}

static void
put_info(const struct doc *d, struct json *root)
{
	struct json *info;

	json_set(root, "openapi", str(d, "3.1.0"));
	info = object(d, root, "info");
	json_set(info, "title", str(d, "Chancery"));
	json_set(info, "version", str(d, CHY_VERSION));
	json_set(info, "description",
		 str(d,
		     "Certificate authority and registration authority. Errors are problem "
		     "documents (RFC 9457) with a stable code."));
	info = object(d, info, "license");
	json_set(info, "name", str(d, "Apache-2.0"));
	json_set(info, "identifier", str(d, "Apache-2.0"));
}

enum rc
openapi_put(struct buf *out, const struct router *r, struct err *e)
{
	struct arena OWN(arena_free) *a = arena_new(OPENAPI_ARENA);
	struct doc d = { .a = a, .r = r };
	struct json *root, *paths, *components;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the OpenAPI document");
	root = json_object(a);
	put_info(&d, root);
	paths = object(&d, root, "paths");
	components = object(&d, root, "components");
	d.schemas = object(&d, components, "schemas");
	TRY(put_schemas(&d, e));
	put_security_schemes(&d, components);
	for (size_t i = 0; i < router_count(r); i++) {
		const struct route *o = router_route(r, i);

		TRY(check_refs(&d, o, e));
		if (!(o->flags & ROUTE_HIDDEN))
			put_operation(&d, paths, o);
	}
	json_put(out, root);
	NEED(arena_alloc(a, 1) != NULL && buf_ok(out), e, CHY_NO_MEMORY, NULL,
	     "the OpenAPI document is too large");
	return RC_OK;
}
