/*
 * What goes out: takes what is due from the store's outbox, hands it to the distributor, and writes down what became of it. A
 * thread of its own; nobody who issues waits for it.
 *
 * For one object and destination deliveries are carried out in order, and one destination that is away holds up no other: it
 * rests, ever longer, and then what waits for it is tried by a single one. What the destination refuses for good, and what did
 * not succeed in the time of its rule, becomes a dead letter, about which an officer decides.
 *
 * Only this process has the store (ARCHITECTURE.md), so what is on its way need not be marked there: after a crash it waits as
 * before and is delivered once more.
 */
#ifndef FACTORY_OUTBOX_H
#define FACTORY_OUTBOX_H

#include "distributor/delivery.h"
#include "factory/factory.h"
#include "store/change.h"

struct outbox;

/* longest_ms: how long a destination rests at most. The caller's: outbox_stop, before the store is closed. */
MUST enum rc outbox_start(struct factory *f, int64_t longest_ms, struct outbox **ret, struct err *e);
/* Waits a moment for what is on its way. */
void outbox_stop(struct outbox *o);
/* The link to a distributor that was started; taken over. */
void outbox_attach(struct outbox *o, int fd);
/* There may be something new; a destination that rests is tried at once (0: none of them). */
void outbox_wake(struct outbox *o, int64_t destination);

/* How a destination does. */
struct destination_state {
	bool resting;
	int64_t until_ms, failing_since_ms; /* 0: it does not fail */
	unsigned failures;                  /* in a row */
	size_t on_the_way;
	char error[ERR_TEXT_MAX + 16]; /* the last; "" where it does not fail */
};
void outbox_destination(struct outbox *o, int64_t destination, struct destination_state *ret);
bool outbox_has_distributor(struct outbox *o);

/* Everything that the distributor needs for a row, in the arena. Refusals: what is not to go out any more
   (PUBLICATION_STATE, PUBLICATION_EXPIRED), what is not there. delivery_load.c */
MUST enum rc delivery_load(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const struct outbox_row *row, struct delivery *ret, struct err *e);

/* A row's leaf of the journal: what became of it. outcome: "done", "dead", "dropped", "retried". why may be NULL. */
MUST enum rc delivery_leaf(struct factory *f, struct arena *a, struct change *c, const struct outbox_row *row,
			   const char *outcome, const struct err *why, struct json *by, struct err *e);

#endif
