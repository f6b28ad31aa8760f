#include "base/base.h"
#include "policy/cil.h"

#include "model/kinds.h"
#include "policy/body.h"
#include "policy/document_impl.h"
#include "policy/snapshot_impl.h"

#include <ctype.h>

enum { AHEAD_MS = 5 * 60 * 1000, SECOND_MS = 1000 };

/* ---- its document ---- */

static int
two_digits(struct bytes t, size_t at)
{
	struct bytes d = bytes_part(t, at, 2);

	return d.n == 2 && isdigit(d.p[0]) && isdigit(d.p[1]) ? (d.p[0] - '0') * 10 + d.p[1] - '0' : 99;
}

/* "HH:MM"; -1: none. */
static int64_t
time_of_day(struct bytes t)
{
	int hour = two_digits(t, 0), minute = two_digits(t, 3);

	if (t.n != 5 || t.p[2] != ':' || hour > 23 || minute > 59)
		return -1;
	return (hour * 60 + minute) * 60 * (int64_t)SECOND_MS;
}

static bool
is_fixed(struct duration d)
{
	return d.years == 0 && d.months == 0;
}

static int64_t
length_ms(struct duration d)
{
	return (d.days * (int64_t)86400 + d.seconds) * SECOND_MS;
}

/* One counts: of two lists that each say that they are all, nobody could tell which is. */
static enum rc
only_one(struct walk *w, const struct json *body)
{
	struct at authority = { .name = "authority" }, served = { .name = "served_as" };
	const struct document *const *all;
	size_t n = snapshot_list(w->c->policy, KIND_CIL_PROCEDURE, &all);

	for (size_t i = 0; i < n && !w->closed; i++) {
		if (is_self(w, all[i]) || !all[i]->active)
			continue;
		REFUSE_UNLESS(!doc_id_eq(body_ref(all[i]->body, "authority"), body_ref(body, "authority")), w,
			      &authority, CHY_CIL_TWICE, "it is \"%.*s\"", BYTES_FMT(all[i]->name));
		REFUSE_UNLESS(!bytes_eq(body_text(all[i]->body, "served_as"), body_text(body, "served_as")),
			      w, &served, CHY_FIELD_CONFLICT, "\"%.*s\" is served so",
			      BYTES_FMT(all[i]->name));
	}
	return RC_OK;
}

static bool
is_path_name(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!(v.p[i] >= 'a' && v.p[i] <= 'z') && !(v.p[i] >= '0' && v.p[i] <= '9') &&
		    (i == 0 || (v.p[i] != '-' && v.p[i] != '.')))
			return false;
	return v.n > 0;
}

enum rc
cil_procedure_check(struct walk *w, const struct json *body)
{
	struct at served = { .name = "served_as" }, at = { .name = "build_at" },
		  interval = { .name = "interval" }, issuer = { .name = "authority" };
	const struct document *authority = doc_of(w, body, "authority");
	struct bytes text = body_text(body, "build_at");
	struct duration every;

	REFUSE_UNLESS(is_path_name(body_text(body, "served_as")), w, &served, CHY_FIELD_VALUE,
		      "small letters, digits, - and ., a letter or digit first");
	REFUSE_UNLESS(authority == NULL || body_has_key(authority->body), w, &issuer, CHY_AUTHORITY_FOREIGN,
		      "the key of \"%.*s\" is not here: it signs nothing here", BYTES_FMT(authority->name));
	TRY(positive_duration(w, body, "interval"));
	TRY(positive_duration(w, body, "delta_interval"));
	if (text.n > 0) {
		REFUSE_UNLESS(time_of_day(text) >= 0, w, &at, CHY_FIELD_VALUE, "a time of day in UTC: 02:30");
		TRY(duration_parse(body_text(body, "interval"), &every, w->e));
		REFUSE_UNLESS(is_fixed(every), w, &interval, CHY_FIELD_CONFLICT,
			      "with a time of day it is days, hours and minutes");
	}
	TRY(no_push_check(w, body));
	return only_one(w, body);
}

static enum rc
take_timing(struct snapshot *s, struct cil_procedure *x, const struct json *body, struct err *e)
{
	static const char *const names[] = { "interval", "build_at", "delta_interval", "margin" };
	OWN_BUF struct buf text = buf_max(1024);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		buf_put(&text, body_text(body, names[i]));
		buf_u8(&text, ' ');
	}
	buf_printf(&text, "%u %d", x->per_file, x->keep_expired);
	x->timing = arena_dup(s->a, buf_bytes(&text));
	NEED(buf_ok(&text) && x->timing.p != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
	return RC_OK;
}

enum rc
cil_procedure_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;
	struct cil_procedure *x = arena_one(s->a, struct cil_procedure);

	NEED(x != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
	slot->compiled = x;
	slot->why_not = &x->why_not;
	x->doc = &slot->doc;
	x->authority = snapshot_authority(s, body_ref(body, "authority"));
	needs_there(s, &x->why_not, body_ref(body, "authority"), "Authority");
	x->served_as = body_text(body, "served_as");
	TRY(duration_parse(body_text(body, "interval"), &x->interval, e));
	if (duration_is_zero(x->interval))
		cannot(s->a, &x->why_not, CHY_FIELD_DURATION, "an interval of no length");
	x->build_at_ms = time_of_day(body_text(body, "build_at"));
	x->has_delta = json_get(body, "delta_interval") != NULL;
	if (x->has_delta)
		TRY(duration_parse(body_text(body, "delta_interval"), &x->delta_interval, e));
	TRY(duration_parse(body_text(body, "margin"), &x->margin, e));
	x->per_file = (unsigned)body_int(body, "per_file", CIL_PER_FILE);
	x->keep_expired = body_true(body, "keep_expired");
	TRY(rules_of(s, body, &x->rules, &x->rules_n, e));
	return take_timing(s, x, body, e);
}

/* ---- when ---- */

int64_t
cil_regular(const struct cil_procedure *p, int64_t now_ms)
{
	int64_t step = length_ms(p->interval), since = now_ms - p->build_at_ms;

	return step <= 0 ? now_ms : p->build_at_ms + (since < 0 ? 0 : since / step * step);
}

static int64_t
stamp(const struct cil_procedure *p, int64_t now_ms)
{
	return p->build_at_ms >= 0 ? cil_regular(p, now_ms) : now_ms / SECOND_MS * SECOND_MS;
}

int64_t
cil_due(const struct cil_procedure *p, int64_t this_update_ms, bool delta)
{
	if (delta)
		return duration_add(this_update_ms, p->delta_interval);
	return duration_add(p->build_at_ms >= 0 ? cil_regular(p, this_update_ms) : this_update_ms,
			    p->interval);
}

static bool
is_due(const struct cil_procedure *p, const struct cil_state *s, int64_t now_ms)
{
	if (!s->complete || s->this_update_ms > now_ms + AHEAD_MS || !bytes_eq(s->timing, p->timing))
		return true;
	return now_ms >= cil_due(p, s->this_update_ms, false);
}

static bool
is_delta_due(const struct cil_procedure *p, const struct cil_state *s, int64_t now_ms)
{
	int64_t last = s->delta ? s->delta_this_update_ms : s->this_update_ms;

	return p->has_delta && (last > now_ms + AHEAD_MS || now_ms >= cil_due(p, last, true));
}

struct cil_plan
decide_cil(const struct cil_procedure *p, const struct cil_state *s, bool wanted, int64_t now_ms)
{
	struct cil_plan plan = { .what = CIL_NOTHING };

	if (wanted || is_due(p, s, now_ms)) {
		plan.what = CIL_COMPLETE;
		plan.this_update_ms = stamp(p, now_ms);
		plan.next_update_ms = duration_add(duration_add(plan.this_update_ms, p->interval), p->margin);
	} else if (is_delta_due(p, s, now_ms)) {
		plan.what = CIL_DELTA;
		plan.this_update_ms = now_ms / SECOND_MS * SECOND_MS;
		plan.next_update_ms = duration_add(duration_add(plan.this_update_ms, p->delta_interval),
						   p->margin);
	}
	return plan;
}
