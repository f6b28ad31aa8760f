/* Signed lists on their way out: revocation lists, issuance lists. What takes a list's place takes its place on the way, too. */
#ifndef FACTORY_LIST_DELIVERY_H
#define FACTORY_LIST_DELIVERY_H

#include "factory/factory.h"
#include "policy/snapshot.h"
#include "store/change.h"

struct list_delivery {
	const char *kind;  /* of the outbox's rows: "crl", "cil" */
	int64_t object;    /* what the rows name: the same of the list and of those that take its place */
	int64_t procedure; /* by which it is delivered */
	struct bytes form; /* "der", "pem" */
	const struct doc_id *rules;
	size_t rules_n;
};

/* A delivery by each rule, into the change; *ret: rules_n rows, the arena's. Of those before it only what still waits stays: what is
   over has its leaf, and lists come without end. */
MUST enum rc list_deliver(struct factory *f, struct arena *a, struct change *c, const struct list_delivery *d,
			  struct outbox_row **ret, struct err *e);

/* When they are durable: what still waits from before would bring the same list a second time, and is dropped, each with its leaf.
   Nothing is lost by it, and whatever becomes of this the list is in force: so failures are logged. Wakes the outbox. */
void list_coalesce(struct factory *f, struct arena *a, const struct outbox_row *v, size_t n);

#endif
