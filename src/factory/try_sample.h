/*
 * A certificate procedure before it is signed: whether it could issue anything, and for how long.
 */
#ifndef FACTORY_TRY_SAMPLE_H
#define FACTORY_TRY_SAMPLE_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/document.h"

/* Adds a warning (document_warnings) that says why no certificate could be issued by the body, where that is so: its sample is made
   and judged as when it comes into force; and one where its validity goes beyond its authority's. base: what it changes; none: it is new. */
MUST enum rc sample_warning(struct factory *f, struct arena *a, const struct snapshot *policy,
			    struct doc_id base, const struct json *body, struct json *warnings,
			    struct err *e);

#endif
