/*
 * The first policy, as the boot ceremony puts it into the store: what is needed to make officers, and starting points.
 */
#ifndef FACTORY_GENESIS_POLICY_H
#define FACTORY_GENESIS_POLICY_H

#include "base/json.h"
#include "model/document.h"

/* What the documents call each other; ids are given by the ceremony. */
enum genesis_doc {
	G_PROFILE_BOOT,
	G_PROFILE_ADMINISTRATION,
	G_PROFILE_REGISTRATION,
	G_KEY_SYSTEM,
	G_FORMAT_CA,
	G_SYSTEM,
	G_FORMAT_OFFICER,
	G_FORMAT_TLS_SERVER,
	G_PROCEDURE_OFFICER,
	G_TOKEN_OFFICER,
	G_VIEW_ACME,
	G_VIEW_CMP,
	G_VIEW_EST,
	G_VIEW_SCEP,
	G_DOCS
};

struct genesis_ids {
	int64_t of[G_DOCS];
};

/* Body of one document as it is checked and stored; NULL when memory is out. */
struct json *genesis_body(struct arena *a, enum genesis_doc which, const struct genesis_ids *ids,
			  struct bytes organisation, int64_t years);
enum kind_id genesis_kind(enum genesis_doc which);

#endif
