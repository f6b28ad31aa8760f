/*
 * Explaining a certificate: how it came about, from the journal and the documents it names.
 */
#ifndef FACTORY_EXPLAIN_H
#define FACTORY_EXPLAIN_H

#include "base/json.h"
#include "factory/factory.h"

/* {"certificate", "procedures", "considered", "rules", "notes", "by", "signatures", "lints", "journal"} */
MUST enum rc explain(struct factory *f, struct arena *a, int64_t certificate, struct json **ret,
		     struct err *e);

#endif
