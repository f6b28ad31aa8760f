/*
 * An authority's own certificate: by itself or by the authority above it.
 */
#ifndef FACTORY_CA_CERTIFICATE_H
#define FACTORY_CA_CERTIFICATE_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/id.h"

/* Has it signed and stores it with its leaf, and sets the hard limits of the authority's key in the signer. The authority's
   document is in policy. When a certificate by this request is stored already, nothing more is done. Codes: those of
   decide_authority, of the signer and the store. */
MUST enum rc ca_certificate_make(struct factory *f, struct arena *a, const struct snapshot *policy,
				 struct doc_id authority, struct json *by, struct request_id request,
				 struct err *e);

/* The decision alone, as it would be made now; *ret_spki: the key, the arena's. */
struct authority_decision;
MUST enum rc ca_certificate_decide(struct factory *f, struct arena *a, const struct snapshot *policy,
				   struct doc_id authority, struct authority_decision *ret,
				   struct bytes *ret_spki, struct err *e);

/* What the signer shall hold a key to, whatever anybody asks of it later. */
struct ca_bounds {
	const struct document *key;
	struct bytes subject, spki; /* DER */
	uint32_t days;              /* the longest validity */
	int path_len;               /* of its own certificate; -1: unlimited */
	struct bytes name_constraints;
	bool attribute_certificates; /* may it sign those too */
};
/* Limits that are set already and tighter stay. */
MUST enum rc ca_limits_set(struct factory *f, const struct ca_bounds *b, struct err *e);

/* The same into a change that is there already, whatever is stored; *ret_id and *ret_der: the certificate. */
struct change;
MUST enum rc ca_certificate_add(struct factory *f, struct arena *a, const struct snapshot *policy,
				struct doc_id authority, struct json *by, struct request_id request,
				struct change *change, int64_t *ret_id, struct bytes *ret_der, struct err *e);

#endif
