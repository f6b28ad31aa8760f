/*
 * What officers see of deliveries: the queue, dead letters, how destinations do, where a certificate has been published.
 */
#ifndef FACTORY_DELIVERIES_H
#define FACTORY_DELIVERIES_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"
#include "store/read.h"

/* {"items": [...], "next": id | null}: those of objects that the officer sees. Needs Publish certificate, or CA and Key tasks
   (ROLE_MISSING). */
MUST enum rc delivery_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const struct officer *who, const struct outbox_query *q, struct json **ret,
			   struct err *e);

/* {"items": [...], "next": id | null, "distributor": bool}: each distribution rule with what waits, what is dead, and how it
   does; by id. */
MUST enum rc destination_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *who, int64_t after, size_t limit, struct json **ret,
			      struct err *e);

/* {"items": [...], "next": id | null}: certificates by the time when a procedure published them last. The same roles. */
struct published_query {
	struct bytes procedure; /* name or id */
	int64_t from_at, to_at; /* [from, to); 0: open */
	int64_t after;
	size_t limit;
};
MUST enum rc published_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			    const struct officer *who, const struct published_query *q, struct json **ret,
			    struct err *e);

/* One delivery that the officer sees; STORE_NOT_FOUND. */
MUST enum rc delivery_find(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const struct officer *who, int64_t id, struct outbox_row *ret, struct err *e);

/* ... and whose certificate the officer may have published or taken back; DOMAIN_FOREIGN. */
MUST enum rc delivery_to_change(struct factory *f, struct arena *a, const struct snapshot *policy,
				const struct officer *who, int64_t id, struct outbox_row *ret, struct err *e);

/* All of a certificate, for who sees the certificate: arrays. */
MUST enum rc deliveries_of(struct factory *f, struct arena *a, const struct snapshot *policy,
			   int64_t certificate, struct json **ret, struct err *e);
MUST enum rc publications_of(struct factory *f, struct arena *a, const struct snapshot *policy,
			     int64_t certificate, struct json **ret, struct err *e);

#endif
