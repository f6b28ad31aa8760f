/*
 * What foreign CAs have issued: what the two acts of import share (act_import.c, act_import_crl.c).
 */
#ifndef FACTORY_IMPORT_H
#define FACTORY_IMPORT_H

#include "factory/acts.h"
#include "factory/status.h"
#include "policy/import.h"

enum { IMPORT_CAUSE_MAX = 16 };

/* The authority that a body names, by id or by name; the officer may import what it has issued. Codes of may_import. */
MUST enum rc import_authority(struct preparation *p, const struct authority **ret, struct err *e);
/* The same of what was prepared, for all who have signed it. */
MUST enum rc import_authority_signed(struct effect *x, const struct authority **ret, struct err *e);

/* The cause of the holds that lists of this scope put: "crl", or "crl-1a2b3c4d". */
struct bytes import_crl_cause(char dst[IMPORT_CAUSE_MAX], struct bytes scope);
/* Parsed, and by this authority: CHY_IMPORT_FORM, those of import_crl_fits, CHY_IMPORT_SIGNATURE. */
MUST enum rc import_crl_read(struct arena *a, const struct authority *x, struct bytes der, int64_t now_ms,
			     struct crl *ret, struct err *e);

/* What a wish comes to, into the change, on the word of a request. The outcome gets members of what it is then. */
MUST enum rc import_put(struct effect *x, struct change *c, struct arena *a, const struct status_subject *s,
			const struct import_wish *wish, struct request_id word, struct json *outcome,
			bool *ret_any, struct err *e);

#endif
