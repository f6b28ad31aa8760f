#include "base/base.h"
#include "factory/list_delivery.h"

#include "factory/outbox.h"
#include "store/read.h"

static struct outbox_row
row_of(struct factory *f, const struct list_delivery *d, struct doc_id rule)
{
	int64_t now = clock_now_ms();

	return (struct outbox_row){ .id = factory_new_id(f),
				    .kind = bytes_str(d->kind),
				    .object = d->object,
				    .destination = rule.v,
				    .by_procedure = d->procedure,
				    .form = d->form,
				    .at = now,
				    .since = now,
				    .next_at = now,
				    .state = BYTES("waiting"),
				    .error = BYTES(""),
				    .changed_at = now };
}

enum rc
list_deliver(struct factory *f, struct arena *a, struct change *c, const struct list_delivery *d,
	     struct outbox_row **ret, struct err *e)
{
	*ret = arena_array(a, d->rules_n, sizeof(**ret));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "deliveries");
	for (size_t i = 0; i < d->rules_n; i++) {
		(*ret)[i] = row_of(f, d, d->rules[i]);
		change_outbox_forget(c, d->object, d->rules[i].v);
		change_put_outbox(c, &(*ret)[i]);
	}
	return RC_OK;
}

static MUST enum rc
drop_older(struct factory *f, struct arena *a, const struct outbox_row *old, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct change *ready;
	struct err why = { 0 };

	(void)!err_set(&why, CHY_DELIVERY_OVERTAKEN, NULL, "a newer list is to be delivered");
	change_outbox_end(c, old->id, old->state, BYTES("dropped"),
			  bytes_str(arena_printf(a, "CHY-%d %s", (int)why.code, why.text)), clock_now_ms());
	TRY(delivery_leaf(f, a, c, old, "dropped", &why, NULL, e));
	ready = c;
	c = NULL;
	return store_commit(f->store, ready, e);
}

void
list_coalesce(struct factory *f, struct arena *a, const struct outbox_row *v, size_t n_rows)
{
	struct outbox_row *old;
	size_t n;

	if (fault_fails("list.coalesce"))
		return;
	for (size_t i = 0; i < n_rows; i++) {
		struct err e = { 0 };

		if (store_outbox_older(f->store, a, &v[i], LIMIT_PAGE, &old, &n, &e) != RC_OK) {
			LOG(WARNING, "list.deliveries-not-read", LI("list", v[i].object), LE(&e));
			continue;
		}
		for (size_t k = 0; k < n; k++) {
			err_clear(&e);
			if (drop_older(f, a, &old[k], &e) != RC_OK &&
			    e.code != CHY_STORE_STATE) /* it is done by now */
				LOG(WARNING, "list.delivery-not-dropped", LI("delivery", old[k].id), LE(&e));
		}
	}
	if (n_rows > 0)
		outbox_wake(f->outbox, 0);
}
