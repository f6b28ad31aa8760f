/* delivery.retry and delivery.drop: what becomes of dead letters, by an officer's word. */
#include "base/base.h"
#include "factory/acts.h"

#include "factory/deliveries.h"
#include "factory/outbox.h"
#include "policy/body.h"
#include "policy/rights.h"
#include "store/read.h"

static bool
is_retry(struct act act)
{
	return act.verb == ACT_DELIVERY_RETRY;
}

/* A dead one is tried anew, unless a younger one has been there since; a dead one, or one that waits, is dropped. */
static enum rc
may_be_done(struct factory *f, const struct outbox_row *row, bool retry, struct err *e)
{
	bool waits = bytes_is(row->state, "waiting"), overtaken = false;

	NEED(bytes_is(row->state, "dead") || (waits && !retry), e, CHY_DELIVERY_STATE, NULL,
	     "delivery %lld is %.*s", (long long)row->id, BYTES_FMT(row->state));
	if (retry)
		TRY(store_outbox_overtaken(f->store, row, &overtaken, e));
	NEED(!overtaken, e, CHY_DELIVERY_OVERTAKEN, NULL,
	     "delivery %lld would undo what a later one did: publish or unpublish again", (long long)row->id);
	return RC_OK;
}

static void
add_line(struct preparation *p, struct json *list, size_t i, const struct outbox_row *row)
{
	const char *text = arena_printf(p->a, "%.*s %lld at destination %lld: %.*s", BYTES_FMT(row->kind),
					(long long)row->object, (long long)row->destination,
					BYTES_FMT(row->error));

	act_difference(p->a, list, arena_printf(p->a, "deliveries[%zu]", i),
		       is_retry(p->act) ? BYTES("Try again") : BYTES("Give up for good"), BYTES_NONE,
		       bytes_str(text));
}

enum rc
delivery_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "deliveries", NULL };
	struct json *list;
	size_t i = 0;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	TRY(may_role(p->who, act_roles(p->act), e)); /* before anything is told of what there is */
	TRY(json_only(p->body, names, e));
	TRY(json_need_array(p->body, "deliveries", &list, e));
	if (list->count < 1 || list->count > LIMIT_BULK) {
		err_field(e, "deliveries");
		FAIL(e, CHY_LIMIT, NULL, "1 to %d deliveries", LIMIT_BULK);
	}
	JSON_EACH(item, list)
	{
		struct outbox_row row;

		NEED(item->type == JSON_INT, e, CHY_JSON_TYPE, NULL, "deliveries: ids");
		TRY_AT(delivery_to_change(p->f, p->a, p->policy, p->who, item->integer, &row, e), e,
		       "deliveries[%zu]", i);
		TRY_AT(may_be_done(p->f, &row, is_retry(p->act), e), e, "deliveries[%zu]", i);
		add_line(p, p->difference, i++, &row);
	}
	return RC_OK;
}

static enum rc
end_one(struct effect *x, struct change *c, const struct outbox_row *row, bool retry, struct err *e)
{
	int64_t now = clock_now_ms();

	if (retry)
		change_outbox_retry(c, row->id, now);
	else
		change_outbox_end(c, row->id, row->state, BYTES("dropped"), row->error, now);
	return delivery_leaf(x->f, x->a, c, row, retry ? "retried" : "dropped", NULL,
			     by_request(x->a, x->request->id), e);
}

enum rc
delivery_act_apply(struct effect *x, struct change *c, struct err *e)
{
	const struct officer *who = snapshot_officer(x->policy, x->signer);
	bool retry = is_retry(x->request->act);

	NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
	JSON_EACH(item, body_list(x->request->body, "deliveries"))
	{
		struct outbox_row row;

		TRY(delivery_to_change(x->f, x->a, x->policy, who, item->integer, &row, e));
		TRY(may_be_done(x->f, &row, retry, e));
		TRY(end_one(x, c, &row, retry, e));
		if (retry)
			outbox_wake(x->f->outbox, row.destination);
	}
	json_set(x->result, "deliveries", json_copy(x->a, json_get(x->request->body, "deliveries")));
	return RC_OK;
}
