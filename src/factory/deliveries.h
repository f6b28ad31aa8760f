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

/* {"items": [...], "distributor": bool}: each open distribution rule with what waits, what is dead, and how it does. */
MUST enum rc destination_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *who, struct json **ret, struct err *e);

/* One delivery that the officer sees; STORE_NOT_FOUND. */
MUST enum rc delivery_find(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const struct officer *who, int64_t id, struct outbox_row *ret, struct err *e);

/* All of a certificate, for who sees the certificate: arrays. */
MUST enum rc deliveries_of(struct factory *f, struct arena *a, const struct snapshot *policy,
			   int64_t certificate, struct json **ret, struct err *e);
MUST enum rc publications_of(struct factory *f, struct arena *a, const struct snapshot *policy,
			     int64_t certificate, struct json **ret, struct err *e);

#endif
