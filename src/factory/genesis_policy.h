/*
 * The first policy, as the boot ceremony puts it into the store: what is needed to make officers, and starting points. The
 * documents are those of policy/starter.h.
 */
#ifndef FACTORY_GENESIS_POLICY_H
#define FACTORY_GENESIS_POLICY_H

#include "base/json.h"
#include "policy/starter.h"

#define GENESIS_BOOT_PROFILE "Boot officer"
#define GENESIS_SYSTEM "System CA"

/* Whether the ceremony makes it: what it needs itself, and what needs no authority. */
bool genesis_makes(const struct starter_document *d);

/* Its body with references by name; the organisation and the years go into the system's authority. JSON_*, NO_MEMORY. */
MUST enum rc genesis_body(struct arena *a, const struct starter_document *d, struct bytes organisation,
			  int64_t years, struct json **ret, struct err *e);

#endif
