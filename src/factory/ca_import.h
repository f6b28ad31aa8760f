/*
 * What officers import from foreign CAs, judged before anybody signs it.
 */
#ifndef FACTORY_CA_IMPORT_H
#define FACTORY_CA_IMPORT_H

#include "base/json.h"
#include "factory/factory.h"

/* The imported members of an authority's body in normal form; before NULL: a new document. What stands in before too is not
   judged again. Codes: IMPORT_*, those of the signer (the authority's public key is asked for). */
MUST enum rc import_check(struct factory *f, struct arena *a, const struct snapshot *policy,
			  const struct json *before, const struct json *body, int64_t now_ms, struct err *e);

#endif
