/*
 * A kind's description as JSON Schema (2020-12): for GET /kinds/{kind}/schema, OpenAPI and forms. It says
 * what the checks of document.h say, as far as a schema can: references, uniqueness of names and the extra
 * checks are theirs alone. Our own words begin with "x-": x-ref (kind), x-label, x-standard.
 */
#ifndef POLICY_SCHEMA_H
#define POLICY_SCHEMA_H

#include "base/json.h"
#include "model/field.h"

/* The schema of a body. Codes: NO_MEMORY. */
MUST enum rc schema_of(struct arena *a, const struct kind *kind, struct json **ret, struct err *e);

#endif
