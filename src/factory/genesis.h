/*
 * The boot ceremony: makes the system root, the journal key and the TLS key, the first policy, and two boot officers,
 * whose keys stay with whoever runs the ceremony. Once per store.
 */
#ifndef FACTORY_GENESIS_H
#define FACTORY_GENESIS_H

#include "base/json.h"
#include "factory/factory.h"

/*
 * in: {"organisation": text, "officers": [{"name", "csr": base64}, {...}], "tls_names": ["dns:localhost", "ip:127.0.0.1"],
 * "years": n?}; the CSRs are of the boot officers' own keys.
 * *ret: {"instance", "root": base64, "officers": [{"id", "name", "certificate": base64}]}.
 * Codes: ALREADY_SET_UP, SETUP, JSON_*, those of CSRs, signer and store. An interrupted ceremony can be held again: keys
 * that the signer made are taken over, and nothing is in the store before everything is.
 */
MUST enum rc genesis(struct factory *f, struct arena *a, const struct json *in, struct json **ret,
		     struct err *e);

#endif
