/* Issuing sessions as officers see them: their own, and those of officers whom they may change (and so close, which ends what
   goes on in their name). */
#ifndef FACTORY_SESSION_LIST_H
#define FACTORY_SESSION_LIST_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"

/* {"items": [...], "next"}; the cursor is one of those that are seen. */
MUST enum rc session_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			  const struct officer *who, int64_t after, size_t limit, struct json **ret,
			  struct err *e);

#endif
