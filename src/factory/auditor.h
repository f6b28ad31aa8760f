/*
 * The auditor: judges every stored certificate after it was issued (OpenSSL as second parser, our lints), on idle time.
 * A disagreement stops the procedure that made it, is logged, and stands in the journal.
 */
#ifndef FACTORY_AUDITOR_H
#define FACTORY_AUDITOR_H

#include "factory/factory.h"

/* Judges some certificates that have no verdict yet. *ret_more: others wait. */
MUST enum rc auditor_step(struct factory *f, bool *ret_more, struct err *e);

#endif
