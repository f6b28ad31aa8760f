/*
 * Tells ahead when officers' and authorities' certificates end: in the log once a day, in /metrics and in the status. Renewing an
 * officer's needs one that is valid still; what an authority issues is cut at its end, or refused.
 */
#ifndef FACTORY_EXPIRY_H
#define FACTORY_EXPIRY_H

#include "base/json.h"
#include "factory/factory.h"

/* Looks at all open officers and authorities where something has changed or time has passed. A job. */
MUST enum rc expiry_step(struct factory *f, struct err *e);

/* {"ending": n, "ended": n, "pair_until": time|null, "pair_ends": bool}: officers whose last certificate ends soon, who have none
   that acts any more; until when two people can administer, and whether that ends with what ends soon. As of the job's last look. */
struct json *expiry_json(struct factory *f, struct arena *a);
/* {"ending": n, "ended": n, "next_end": time|null}: open authorities whose key is here and whose certificate is not revoked. */
struct json *ca_expiry_json(struct factory *f, struct arena *a);

#endif
