#include "base/base.h"
#include "policy/find.h"

#include "policy/path.h"
#include "policy/snapshot_impl.h"

enum { SHOWN_NAME = 60 };

/* Visible from home as a user or lying below it. */
static bool
is_seen(const struct snapshot *s, const struct document *d, struct doc_id home)
{
	return document_is_visible(s, d, home) || domain_is_above(s, home, d->domain);
}

typedef bool seen_fn(const struct snapshot *s, const struct document *d, struct doc_id from);

static enum rc
upwards(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id from,
	const struct document **ret, struct err *e)
{
	struct doc_id domain = from;

	*ret = NULL;
	for (int depth = 0; depth < DOMAIN_DEPTH_MAX; depth++) {
		const struct document *d = snapshot_in_domain(s, kind, name, domain);

		if (d != NULL && document_is_visible(s, d, from)) {
			*ret = d;
			return RC_OK;
		}
		if (doc_id_is_none(domain))
			return RC_OK;
		domain = domain_above(s, domain);
	}
	FAIL(e, CHY_REF_CIRCULAR, NULL, "domain %lld has no end", (long long)from.v);
}

/* A name with a "/" in it might be made to look like another document's path: then it stands for neither. */
static enum rc
or_at_path(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id from, seen_fn *seen,
	   const struct document **ret, struct err *e)
{
	const struct document *d = path_find(s, kind, name);

	if (d == NULL || d == *ret || !seen(s, d, from))
		return RC_OK;
	NEED(*ret == NULL, e, CHY_REF_AMBIGUOUS, NULL,
	     "\"%.*s\" is the name of one %s and the path of another: use the id",
	     BYTES_FMT(bytes_part(name, 0, SHOWN_NAME)), kind_name(kind));
	*ret = d;
	return RC_OK;
}

enum rc
find_by_name(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id from,
	     const struct document **ret, struct err *e)
{
	TRY(upwards(s, kind, name, from, ret, e));
	return or_at_path(s, kind, name, from, document_is_visible, ret, e);
}

/* "Norway/TLS server, Sweden/TLS server" */
static enum rc
several(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id home, struct err *e)
{
	OWN_BUF struct buf paths = buf_max(160);
	OWN(arena_free)
	struct arena *a = arena_new(64 << 10);

	for (struct slot *x = slot_named(s, kind, name, NULL); x != NULL; x = slot_named(s, kind, name, x)) {
		const char *path = a && is_seen(s, &x->doc, home) ? path_of(s, a, &x->doc) : NULL;

		if (path != NULL && paths.n + strlen(path) < 120)
			buf_printf(&paths, "%s%s", paths.n ? ", " : "", path);
	}
	FAIL(e, CHY_REF_AMBIGUOUS, NULL, "more than one %s is called \"%.*s\": give the path (%s) or the id",
	     kind_name(kind), BYTES_FMT(bytes_part(name, 0, SHOWN_NAME)),
	     paths.n ? buf_cstr(&paths) : "DOMAIN/NAME");
}

static enum rc
downwards(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id home,
	  const struct document **ret, struct err *e)
{
	for (struct slot *x = slot_named(s, kind, name, NULL); x != NULL; x = slot_named(s, kind, name, x)) {
		if (!is_seen(s, &x->doc, home))
			continue;
		if (*ret != NULL)
			return several(s, kind, name, home, e);
		*ret = &x->doc;
	}
	return RC_OK;
}

/* NULL: none that is seen. */
static const struct document *
by_id(const struct snapshot *s, enum kind_id kind, int64_t id, struct doc_id home)
{
	const struct document *d = snapshot_of_kind(s, kind, doc_id_of(id));

	return d != NULL && is_seen(s, d, home) ? d : NULL;
}

enum rc
find_document(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id home,
	      const struct document **ret, struct err *e)
{
	int64_t id;

	*ret = NULL;
	if (int_parse(name, 1, JSON_INT_MAX, &id, NULL) == RC_OK)
		*ret = by_id(s, kind, id, home);
	if (*ret != NULL)
		return RC_OK;
	TRY(upwards(s, kind, name, home, ret, e));
	if (*ret == NULL)
		TRY(downwards(s, kind, name, home, ret, e));
	TRY(or_at_path(s, kind, name, home, is_seen, ret, e));
	NEED(*ret != NULL, e, CHY_REF_NOTHING, NULL, "there is no %s \"%.*s\"", kind_name(kind),
	     BYTES_FMT(bytes_part(name, 0, SHOWN_NAME)));
	return RC_OK;
}

enum rc
find_value(const struct snapshot *s, enum kind_id kind, const struct json *v, struct doc_id home,
	   const struct document **ret, struct err *e)
{
	NEED(v->type == JSON_INT || v->type == JSON_STR, e, CHY_JSON_TYPE, NULL,
	     "a %s is named by its name, its path or its id", kind_name(kind));
	if (v->type == JSON_STR)
		return find_document(s, kind, v->str, home, ret, e);
	*ret = by_id(s, kind, v->integer, home);
	NEED(*ret != NULL, e, CHY_REF_NOTHING, NULL, "there is no %s %lld", kind_name(kind),
	     (long long)v->integer);
	return RC_OK;
}

enum rc
find_named(const struct snapshot *s, enum kind_id kind, const struct json *in, const char *member,
	   struct doc_id home, const struct document **ret, struct err *e)
{
	const struct json *v = json_get(in, member);

	NEED(v != NULL && v->type != JSON_NULL, e, CHY_JSON_MISSING, NULL, "\"%s\" is missing", member);
	return find_value(s, kind, v, home, ret, e);
}

struct bytes
find_text(struct arena *a, const struct json *v)
{
	if (v != NULL && v->type == JSON_INT)
		return bytes_str(arena_printf(a, "%lld", (long long)v->integer));
	return v != NULL && v->type == JSON_STR ? v->str : BYTES_NONE;
}
