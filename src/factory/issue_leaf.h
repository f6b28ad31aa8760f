/*
 * What the journal says of an issued certificate: the decision, and by which rules and documents.
 */
#ifndef FACTORY_ISSUE_LEAF_H
#define FACTORY_ISSUE_LEAF_H

#include "factory/issue.h"
#include "factory/pending.h"

/* Everything that is fixed before the signature; call->id is set. All of *ret is the call's or its arena's. */
MUST enum rc issue_pending(struct issue_call *c, struct pending *ret);

#endif
