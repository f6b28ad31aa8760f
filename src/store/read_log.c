#include "base/base.h"
#include "base/idgen.h"
#include "store/core.h"

/* Questions of the request log. */

/* A leaf's id is made about when its event happens, so a range of time is a range of ids, with room for what was made
   before and entered after. */
enum { SLACK_MS = 3600000 };

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)

struct range {
	int64_t before, least, from, to, category_from, category_to, limit;
};

static struct range
range_of(const struct log_query *q)
{
	struct range r = { .before = q->before > 0 ? q->before : INT64_MAX,
			   .from = q->from_at,
			   .to = q->to_at > 0 ? q->to_at : INT64_MAX,
			   .category_from = q->category_from,
			   .category_to = q->category_to > 0 ? q->category_to : INT64_MAX,
			   .limit = (int64_t)(q->limit < LIMIT_PAGE ? q->limit : LIMIT_PAGE) };

	if (q->from_at > 0)
		r.least = id_least(q->from_at - SLACK_MS);
	if (q->to_at > 0 && q->to_at < INT64_MAX - SLACK_MS && id_least(q->to_at + SLACK_MS) < r.before)
		r.before = id_least(q->to_at + SLACK_MS);
	return r;
}

/* The link that leads to the fewest leaves. */
static struct log_link_row
way_of(const struct log_query *q)
{
	if (q->officer != 0)
		return (struct log_link_row){ .kind = LOG_BY_OFFICER, .value = q->officer };
	if (q->failed)
		return (struct log_link_row){ .kind = LOG_BY_FAILED, .value = 1 };
	if (q->domain != 0)
		return (struct log_link_row){ .kind = LOG_BY_DOMAIN, .value = q->domain };
	if (q->category != 0)
		return (struct log_link_row){ .kind = LOG_BY_CATEGORY, .value = q->category };
	return (struct log_link_row){ .kind = LOG_BY_GROUP, .value = q->group };
}

enum rc
store_log(struct store *s, struct arena *a, const struct log_query *q, struct log_entry_row **ret, size_t *n,
	  struct err *e)
{
	struct range r = range_of(q);
	struct log_link_row way = way_of(q);
	int64_t o[LOG_OBJECTS_MAX] = { 0 };

	for (size_t i = 0; i < q->objects_n && i < LOG_OBJECTS_MAX; i++)
		o[i] = q->objects[i];
	if (q->objects_n > 0)
		return store_rows(s, a, Q_LOG_OF_OBJECT,
				  ARGS(I(o[0]), I(o[1]), I(o[2]), I(o[3]), I(r.before), I(r.least), I(r.from),
				       I(r.to), I(r.category_from), I(r.category_to), I(q->failed),
				       I(q->officer), I(q->domain), I(r.limit)),
				  ret, n, e);
	if (way.value == 0)
		return store_rows(s, a, Q_LOG_ALL,
				  ARGS(I(r.before), I(r.least), I(r.from), I(r.to), I(r.category_from),
				       I(r.category_to), I(r.limit)),
				  ret, n, e);
	return store_rows(s, a, Q_LOG_OF_LINK,
			  ARGS(I(way.kind), I(way.value), I(r.before), I(r.least), I(r.from), I(r.to),
			       I(r.category_from), I(r.category_to), I(q->failed), I(q->officer),
			       I(q->domain), I(r.limit)),
			  ret, n, e);
}

enum rc
store_log_cursor(struct store *s, int64_t *ret, struct err *e)
{
	return store_number(s, Q_LOG_CURSOR_VALUE, NULL, ret, e);
}

enum rc
store_remembered(struct store *s, struct arena *a, int64_t before, int64_t from_at, size_t limit,
		 struct remembered_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_REMEMBERED,
			  ARGS(I(before > 0 ? before : INT64_MAX), I(from_at),
			       I((int64_t)(limit < LIMIT_PAGE ? limit : LIMIT_PAGE))),
			  ret, n, e);
}

enum rc
store_requests_of_act(struct store *s, struct arena *a, struct bytes act, int64_t before, int64_t from_at,
		      size_t limit, struct request_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_REQUESTS_OF_ACT,
			  ARGS(BYTES_VALUE(act), I(before > 0 ? before : INT64_MAX), I(from_at),
			       I((int64_t)(limit < LIMIT_PAGE ? limit : LIMIT_PAGE))),
			  ret, n, e);
}
