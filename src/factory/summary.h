/*
 * How many certificates there are, by what became of them and by when they end: what an operator's first look is for.
 */
#ifndef FACTORY_SUMMARY_H
#define FACTORY_SUMMARY_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"

enum { SUMMARY_COUNT_MAX = 100000 };

/* *ret: {"certificates": {"issued", "held", "revoked", ...}, "attribute_certificates": the same, "ending": [{"days", "count", "more"} ...],
   "ended": {the same}}. The first two are totals of all that there ever were, but held: how many are. The others count certificates
   of any state, up to SUMMARY_COUNT_MAX; more: there are others. Codes: DOMAIN_FOREIGN for who does not see all of them. */
MUST enum rc summary_json(struct factory *f, struct arena *a, const struct officer *who, struct json **ret,
			  struct err *e);

#endif
