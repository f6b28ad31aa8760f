#include "base/base.h"
#include "factory/summary.h"
#include "policy/rights.h"
#include "store/read.h"

#define DAY_MS (24LL * 3600 * 1000)

static const int days[] = { 7, 30, 90 };
enum { ENDED_DAYS = 30 };

/* The counters "prefix.what" as {what: n}. */
static struct json *
counted(struct arena *a, const struct counter_row *rows, size_t n, struct bytes prefix)
{
	struct json *o = json_object(a);

	for (size_t i = 0; i < n; i++) {
		struct bytes what, is = text_cut(rows[i].name, '.', &what);

		if (bytes_eq(is, prefix) && what.n > 0)
			json_set(o, arena_str(a, what), json_int(a, rows[i].value));
	}
	return o;
}

static struct json *
within(struct arena *a, int n_days, int64_t count)
{
	struct json *o = json_object(a);

	json_set(o, "days", json_int(a, n_days));
	json_set(o, "count", json_int(a, count < SUMMARY_COUNT_MAX ? count : SUMMARY_COUNT_MAX));
	json_set(o, "more", json_bool(a, count > SUMMARY_COUNT_MAX));
	return o;
}

static enum rc
count_ending(struct factory *f, int64_t from, int64_t to, int64_t *ret, struct err *e)
{
	const struct search_walk w = { .by = WALK_NOT_AFTER, .from = from, .to = to };

	return store_search_count(f->store, NULL, &w, SUMMARY_COUNT_MAX + 1, ret, e);
}

/* Each number of days has those of the fewer days in it. */
static enum rc
ending(struct factory *f, struct arena *a, int64_t now, struct json *list, struct err *e)
{
	int64_t sum = 0, from = now;

	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		int64_t to = now + days[i] * DAY_MS, more = 0;

		if (sum <= SUMMARY_COUNT_MAX)
			TRY(count_ending(f, from, to, &more, e));
		sum += more;
		from = to;
		json_add(list, within(a, days[i], sum));
	}
	return RC_OK;
}

enum rc
summary_json(struct factory *f, struct arena *a, const struct officer *who, struct json **ret, struct err *e)
{
	struct json *o = json_object(a), *list = json_array(a);
	int64_t now = clock_now_ms(), ended;
	struct counter_row *rows;
	size_t n;

	NEED(sees_every_certificate(who), e, CHY_DOMAIN_FOREIGN, NULL,
	     "certificates of other domains are counted too: only who sees all of them is told");
	TRY(store_counters(f->store, a, &rows, &n, e));
	json_set(o, "certificates", counted(a, rows, n, BYTES("certificates")));
	json_set(o, "attribute_certificates", counted(a, rows, n, BYTES("attribute-certificates")));
	TRY(ending(f, a, now, list, e));
	json_set(o, "ending", list);
	TRY(count_ending(f, now - ENDED_DAYS * DAY_MS, now, &ended, e));
	json_set(o, "ended", within(a, ENDED_DAYS, ended));
	NEED(!arena_failed(a), e, CHY_NO_MEMORY, NULL, "a summary");
	*ret = o;
	return RC_OK;
}
