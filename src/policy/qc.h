/* QC statements: of a procedure, and of what is filled in with a request. The same fields describe both. */
#ifndef POLICY_QC_H
#define POLICY_QC_H

#include "base/json.h"
#include "pki/ext.h"

/* Whether a value is what a procedure's qc_statements may be; *ret: its normal form, the arena's. Codes: FIELD_*. */
MUST enum rc qc_check_value(struct arena *a, const struct json *value, struct json **ret, struct err *e);

/* From the normal form; NULL or none: no statements. Views into it, the rest is the arena's. */
MUST enum rc qc_of(struct arena *a, const struct json *qc, struct qc_statements *ret, struct err *e);

#endif
