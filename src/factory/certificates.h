/*
 * Reading certificates, as an officer may see them.
 */
#ifndef FACTORY_CERTIFICATES_H
#define FACTORY_CERTIFICATES_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"

struct certificate_query {
	struct bytes sha256, serial; /* octets; empty: not asked */
	int64_t authority; /* with serial: a serial number means something only with its authority */
	int64_t base;      /* the attribute certificates of this certificate; 0: not asked */
	struct bytes audit_identity; /* the attribute certificates with it; empty: not asked */
	int64_t after;
	size_t limit;
};

/* {"items", "next"}; a page may be shorter than asked for, even empty, while next says that there are more. CHY_JSON_MISSING: a serial number without its authority. */
MUST enum rc certificate_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *who, const struct certificate_query *q, struct json **ret,
			      struct err *e);

/* The DER of one that the officer may see. STORE_NOT_FOUND, DOMAIN_HIDDEN. */
MUST enum rc certificate_der(struct factory *f, struct arena *a, const struct snapshot *policy,
			     const struct officer *who, int64_t id, struct bytes *ret, struct err *e);
/* The same as members: what stands in it, and what the store knows of it. */
MUST enum rc certificate_show(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *who, int64_t id, struct json **ret, struct err *e);

#endif
