/*
 * The sequencer: gives the journal's leaves their places in the tree and has each new head signed. A leased job, so
 * that several factories on one store have one sequencer; issuing never waits for it.
 */
#ifndef FACTORY_SEQUENCER_H
#define FACTORY_SEQUENCER_H

#include "factory/factory.h"

/* Places what waits, at most a page of leaves; *ret_placed how many (0: none waited, or another factory is the
   sequencer). Codes: those of the store and the signer, JOURNAL_TILE, JOURNAL_HEAD (the stored tree does not have the
   root that was signed). */
MUST enum rc sequencer_step(struct factory *f, size_t *ret_placed, struct err *e);

/* Until nothing waits. */
MUST enum rc sequencer_drain(struct factory *f, struct err *e);

#endif
