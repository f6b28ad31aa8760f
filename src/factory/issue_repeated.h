/*
 * The same Idempotency-Key again: who tries anew after an interruption gets what came of the first try, for a day.
 */
#ifndef FACTORY_ISSUE_REPEATED_H
#define FACTORY_ISSUE_REPEATED_H

#include "factory/issue.h"

/* *ret_found: call->id and call->certificate are what came of the same request before. Errors are the call's: IDEMPOTENCY_BUSY,
   IDEMPOTENCY_OTHER, IDEMPOTENCY_ENDED (what came of it is revoked, on hold or expired), REPAIRING, the store's. */
MUST enum rc issue_repeated(struct issue_call *call, bool *ret_found);

/* REPAIRING while what was interrupted is being put right. */
MUST enum rc issue_no_doubt(struct issue_call *call);

#endif
