/*
 * Issuance lists (CIL): what each authority with an open CIL procedure has issued, as signed files, built when they are due or
 * wanted (policy/cil.h). The certificates are read by serial number, a segment at a time, so that memory does not grow with the
 * list; each segment is signed and stored as it is full, and all come into force together. Each has a number of its own, one
 * after the other: who has segment 3 with number 12 knows that segment 1 is number 10 and that another number is of another
 * list. A build that was interrupted is begun anew with higher numbers.
 */
#ifndef FACTORY_CIL_H
#define FACTORY_CIL_H

#include "factory/factory.h"
#include "store/change.h"

/* Builds what is due. What keeps one procedure's list from being built does not keep the others. */
MUST enum rc cils_step(struct factory *f, struct err *e);

/* A segment of the list that is served by this name. CHY_CIL_NONE: there is none (yet). */
MUST enum rc cil_by_name(struct factory *f, struct arena *a, struct bytes name, bool delta, int64_t segment,
			 struct cil_row *ret_list, struct cil_file_row *ret, struct err *e);

#endif
