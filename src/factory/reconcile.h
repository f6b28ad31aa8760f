/*
 * Reconciling: what the signer's journal says was signed is brought into the store if it is not there, and what is there
 * is acknowledged. Runs at start, after a restart of the signer, and as a job.
 */
#ifndef FACTORY_RECONCILE_H
#define FACTORY_RECONCILE_H

#include "factory/factory.h"

/* Adopts every certificate that the signer has signed more than grace_ms ago (0: all) and that the store lacks, each with
   a leaf "adopted". *ret_adopted (may be NULL) says how many. Codes: those of signer and store, SIGNER_JOURNAL_STRANGE (a
   signature whose context is not ours). */
MUST enum rc reconcile(struct factory *f, int64_t grace_ms, size_t *ret_adopted, struct err *e);

/* Compares without changing anything: every certificate of one journal must be in the other. Reads the signer's journal from
   the start of what is not archived. */
struct reconciliation {
	uint64_t records, certificates, missing_in_store, position_from, position_to;
};
MUST enum rc reconcile_check(struct factory *f, struct reconciliation *ret, struct err *e);

#endif
