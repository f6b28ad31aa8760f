/*
 * What people fill in when they use a token procedure: its input view, or the default view, which is all that the formats
 * of its certificate procedures take from a request.
 */
#ifndef POLICY_VIEW_H
#define POLICY_VIEW_H

#include "base/json.h"
#include "policy/snapshot.h"

/* {"view": id | null, "name", "purpose", "fields": [{"input", "label", "mandatory", "default"?, "modifiers"}],
   "certificate_procedures": [{"id", "name", "key_usage", "qc_statements"?}],
   "pin": null | {"method", "characters", "length_min", "length_max"}}. A field is mandatory where the view says so or
   every format demands it. The arena's. */
MUST enum rc view_show(struct arena *a, const struct token_procedure *t, struct json **ret, struct err *e);

#endif
