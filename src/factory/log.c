/* The request log as an officer with Audit tasks reads it. */
#include "base/base.h"
#include "factory/log.h"

#include "factory/documents.h"
#include "factory/leaf.h"
#include "policy/find.h"
#include "policy/rights.h"

enum { CATCH_UP_MAX = 4096, ROWS_ARENA = 1 << 30 };

/* ---- one entry ---- */

static struct json *
officers_json(struct arena *a, const struct snapshot *policy, const struct log_view *v)
{
	struct json *list = json_array(a);

	for (size_t i = 0; i < v->officers_n; i++) {
		const struct document *d = snapshot_document(policy, doc_id_of(v->officers[i]));
		struct json *o = json_object(a);

		json_set(o, "id", json_int(a, v->officers[i]));
		json_set(o, "name", d ? json_str(a, d->name) : json_null(a));
		json_add(list, o);
	}
	return list;
}

static struct json *
int_or_null(struct arena *a, int64_t v)
{
	return v ? json_int(a, v) : json_null(a);
}

/* "Audit - Certificates - certificate issued: CN=...", and the same without what the category says already. */
static void
put_event(struct arena *a, struct json *o, const struct log_entry_row *row, struct bytes event)
{
	const char *whole = arena_printf(a, "Audit - %s - %.*s", log_group_label(row->category),
					 BYTES_FMT(event));

	json_set(o, "notification", whole != NULL ? json_str(a, bytes_str(whole)) : NULL);
	json_set(o, "event", json_str(a, event));
}

static struct json *
entry_json(struct arena *a, const struct snapshot *policy, const struct log_entry_row *row,
	   const struct log_view *v, struct bytes event)
{
	struct json *o = json_object(a), *objects = json_array(a), *domains = json_array(a);
	const struct json *code = json_get(v->body, "code");

	json_set(o, "id", json_int(a, row->id));
	json_set(o, "at", json_time(a, row->at));
	json_set(o, "category", json_str(a, bytes_str(log_category_name(row->category))));
	json_set(o, "failed", json_bool(a, row->failed != 0));
	json_set(o, "kind", json_str(a, row->kind));
	json_set(o, "outcome", json_str(a, log_outcome(row->kind, v)));
	json_set(o, "object", int_or_null(a, log_subject(row->object, v)));
	put_event(a, o, row, event);
	json_set(o, "act", v->act.n ? json_str(a, v->act) : json_null(a));
	json_set(o, "request", int_or_null(a, v->request));
	json_set(o, "officers", officers_json(a, policy, v));
	for (size_t i = 0; i < v->objects_n; i++)
		json_add(objects, json_int(a, v->objects[i]));
	json_set(o, "objects", objects);
	for (size_t i = 0; i < v->domains_n; i++)
		json_add(domains, json_int(a, v->domains[i]));
	json_set(o, "domains", domains);
	if (code != NULL && code->type == JSON_INT)
		json_set(o, "code",
			 json_str(a, bytes_str(arena_printf(a, "CHY-%lld", (long long)code->integer))));
	return o;
}

/* ---- the question ---- */

/* A certificate's log is also that of the request and the session that made it. */
static enum rc
add_makers(struct factory *f, struct arena *a, struct log_query *q, struct err *e)
{
	struct certificate_row cert;
	struct session_row session;
	enum rc rc = store_certificate(f->store, a, q->objects[0], &cert, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	if (cert.request_id != 0)
		q->objects[q->objects_n++] = cert.request_id;
	if (cert.session_id != 0) {
		TRY(store_session(f->store, a, cert.session_id, &session, e));
		q->objects[q->objects_n++] = cert.session_id;
		q->objects[q->objects_n++] = session.request_id;
	}
	return RC_OK;
}

/* By id any, since the entries name officers of domains above; by name those that are to be seen. */
static enum rc
find_officer(const struct snapshot *policy, const struct officer *who, struct bytes name, int64_t *ret,
	     struct err *e)
{
	const struct document *d;
	int64_t id;
	bool by_id = int_parse(name, 1, JSON_INT_MAX, &id, NULL) == RC_OK;

	TRY_AT(find_document(policy, KIND_OFFICER, name, by_id ? doc_id_of(0) : who->domain, &d, e), e,
	       "officer");
	*ret = d->id.v;
	return RC_OK;
}

static enum rc
query_of(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	 const struct log_filter *in, struct log_query *q, struct err *e)
{
	struct log_range range = { 0 };
	const struct document *view;

	NEED(in->category.n == 0 || log_range_of(in->category, &range), e, CHY_LOG_FILTER, NULL,
	     "\"%.*s\" is no category", BYTES_FMT(bytes_part(in->category, 0, 60)));
	NEED(in->from_at == 0 || in->to_at == 0 || in->from_at < in->to_at, e, CHY_LOG_FILTER, NULL,
	     "the time ends before it begins");
	*q = (struct log_query){ .category_from = range.from,
				 .category_to = range.to,
				 .category = range.category,
				 .group = range.group,
				 .failed = in->failed || range.failed,
				 .from_at = in->from_at,
				 .to_at = in->to_at,
				 .before = in->after,
				 .limit = in->limit };
	TRY(document_view(policy, who, in->domain, &view, e));
	q->domain = view ? view->id.v : who->domain.v;
	if (in->officer.n > 0)
		TRY(find_officer(policy, who, in->officer, &q->officer, e));
	if (in->object == 0)
		return RC_OK;
	q->objects[q->objects_n++] = in->object;
	return add_makers(f, a, q, e);
}

static enum rc
add_entry(struct factory *f, struct arena *a, const struct snapshot *policy, const struct log_entry_row *row,
	  struct log_memo *memo, struct json *items, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = arena_new(LIMIT_REQUEST_ARENA);
	OWN_BUF struct buf event = buf_max(64 << 10);
	struct log_view v;

	NEED(scratch != NULL, e, CHY_NO_MEMORY, NULL, "the log");
	TRY(log_view_of(f, scratch, policy, row->kind, row->object, row->body, memo, &v, e));
	TRY(log_put_event(f, scratch, row->kind, &v, &event, e));
	NEED(buf_ok(&event), e, CHY_NO_MEMORY, NULL, "the log");
	json_add(items, entry_json(a, policy, row, &v, buf_bytes(&event)));
	return RC_OK;
}

static enum rc
answer(struct factory *f, struct arena *a, const struct snapshot *policy, const struct log_query *q,
       struct json **ret, struct err *e)
{
	OWN(arena_free)
	struct arena *mem = arena_new(ROWS_ARENA);
	struct json *items = json_array(a);
	OWN_LOG_MEMO struct log_memo memo = { 0 };
	struct log_entry_row *rows;
	size_t n;

	NEED(mem != NULL, e, CHY_NO_MEMORY, NULL, "the log");
	TRY(store_log(f->store, mem, q, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(add_entry(f, a, policy, &rows[i], &memo, items, e));
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", n > 0 && n == q->limit ? json_int(a, rows[n - 1].id) : json_null(a));
	NEED(*ret != NULL && items != NULL, e, CHY_NO_MEMORY, NULL, "the log");
	return RC_OK;
}

static enum rc
may_audit(struct factory *f, const struct officer *who, struct err *e)
{
	enum rc rc = may_role(who, ROLES(ROLE_AUDIT_TASKS), e);

	if (rc != RC_OK)
		leaf_refusal(
		    f, &(struct refusal){ .act = "log.read", .by = "officer", .id = who->id.v, .why = e });
	return rc;
}

enum rc
log_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	 const struct log_filter *in, struct json **ret, struct err *e)
{
	struct log_query q;
	int64_t cursor, size;

	TRY(may_audit(f, who, e));
	TRY(query_of(f, a, policy, who, in, &q, e));
	TRY(log_read_all(f, CATCH_UP_MAX, e));
	TRY(answer(f, a, policy, &q, ret, e));
	TRY(store_log_cursor(f->store, &cursor, e));
	TRY(store_tree_size(f->store, &size, e));
	json_set(*ret, "behind", json_int(a, size > cursor ? size - cursor : 0));
	return RC_OK;
}
