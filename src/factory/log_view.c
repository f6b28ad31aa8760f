/* What a leaf of the journal is to the request log. */
#include "base/base.h"
#include "factory/log.h"

#include "factory/requests.h"

struct viewer {
	struct factory *f;
	struct arena *a;
	struct log_view *v;
	struct err *e;
};

static void
add_to(int64_t *list, size_t *n, size_t max, int64_t id)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i] == id)
			return;
	if (id > 0 && *n < max)
		list[(*n)++] = id;
}

static void
add_officer(struct log_view *v, int64_t id)
{
	add_to(v->officers, &v->officers_n, LOG_WHO_MAX, id);
}

static void
add_object(struct log_view *v, int64_t id)
{
	add_to(v->objects, &v->objects_n, LOG_OBJECTS_MAX, id);
}

static int64_t
int_of(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_INT ? m->integer : 0;
}

static struct bytes
text_of(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_STR ? m->str : BYTES_NONE;
}

/* What is not there any more is no failure: the log says what it knows. */
static enum rc
there(struct viewer *x, enum rc rc, bool *ret)
{
	*ret = rc == RC_OK;
	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(x->e);
	return RC_OK;
}

static enum rc
add_signers(struct viewer *x, int64_t request)
{
	struct signature_row *rows;
	size_t n;

	TRY(store_signatures(x->f->store, x->a, request, &rows, &n, x->e));
	for (size_t i = 0; i < n; i++)
		add_officer(x->v, rows[i].officer_id);
	return RC_OK;
}

/* A request's act and what it is about. A document has the number of the request that created it. */
static enum rc
add_request(struct viewer *x, int64_t id)
{
	struct request_row row;
	bool found;

	if (id == 0)
		return RC_OK;
	x->v->request = id;
	add_object(x->v, id);
	TRY(there(x, store_request(x->f->store, x->a, id, &row, x->e), &found));
	if (!found)
		return RC_OK;
	x->v->act = row.act;
	add_object(x->v, row.object);
	return RC_OK;
}

static enum rc
add_session(struct viewer *x, int64_t id)
{
	struct session_row row;
	bool found;

	if (id == 0)
		return RC_OK;
	TRY(there(x, store_session(x->f->store, x->a, id, &row, x->e), &found));
	if (found)
		add_officer(x->v, row.officer_id);
	return RC_OK;
}

/* {"request": id}, {"session": id}, {"officer": id}, {"genesis": id} */
static enum rc
add_by(struct viewer *x, const struct json *by)
{
	int64_t request = int_of(by, "request");

	add_officer(x->v, int_of(by, "officer"));
	TRY(add_session(x, int_of(by, "session")));
	TRY(add_request(x, request));
	return request != 0 ? add_signers(x, request) : RC_OK;
}

static enum log_category
category_of(const struct log_view *v, struct bytes kind)
{
	const struct json *document = json_get(v->body, "document");
	char act[64];

	if (document != NULL) {
		snprintf(act, sizeof(act), "%.*s.modify",
			 BYTES_FMT(bytes_part(text_of(document, "kind"), 0, 40)));
		return log_category_of_act(bytes_str(act));
	}
	if (bytes_is(kind, "refusal") || bytes_is(kind, "signature") || bytes_is(kind, "request-state"))
		return log_category_of_act(v->act);
	return log_category_of_leaf(kind);
}

static enum rc
look(struct viewer *x, struct bytes kind, int64_t object)
{
	struct log_view *v = x->v;

	add_object(v, object);
	add_object(v, int_of(json_get(v->body, "document"), "id"));
	add_object(v, int_of(v->body, "certificate"));
	add_officer(v, int_of(v->body, "officer"));
	TRY(add_request(x, int_of(v->body, "request")));
	TRY(add_by(x, json_get(v->body, "by")));
	if (text_of(v->body, "act").n > 0)
		v->act = text_of(v->body, "act");
	v->failed = bytes_is(kind, "refusal") || bytes_is(kind, "request-state") ||
	    bytes_is(kind, "disagreement");
	v->category = category_of(v, kind);
	return RC_OK;
}

enum rc
log_view_of(struct factory *f, struct arena *a, struct bytes kind, int64_t object, struct bytes body,
	    struct log_view *ret, struct err *e)
{
	struct viewer x = { f, a, ret, e };

	*ret = (struct log_view){ .category = LOG_SYSTEM };
	if (json_parse(a, body, &ret->body, NULL) != RC_OK ||
	    time_parse(text_of(ret->body, "at"), &ret->at, NULL) != RC_OK) {
		add_object(ret, object);
		return RC_OK;
	}
	return look(&x, kind, object);
}
