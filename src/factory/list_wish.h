/*
 * Officers' wishes for a list before it is due. A wish is an id, which tells what came first as no clock does: the list that was
 * begun after it answers it.
 */
#ifndef FACTORY_LIST_WISH_H
#define FACTORY_LIST_WISH_H

#include "factory/factory.h"
#include "store/change.h"

/* Has the next step of the procedure (kind: KIND_CRL_PROCEDURE or KIND_CIL_PROCEDURE) build one, whenever it is due. */
void list_wish_put(struct factory *f, struct change *c, enum kind_id kind, struct doc_id procedure,
		   bool delta);

/* The id of the last wish, which lists that began before it do not fulfil; 0: there was none. */
MUST enum rc list_wish_of(struct factory *f, struct arena *a, enum kind_id kind, struct doc_id procedure,
			  bool delta, int64_t *ret, struct err *e);

#endif
