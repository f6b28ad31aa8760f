/*
 * Path validation (RFC 5280 6) by the library's own code, for officers' certificates and for checking a
 * journal away from its server. Not for hot paths: some 200 us.
 */
#ifndef CRYPTO_CHAIN_H
#define CRYPTO_CHAIN_H

#include "base/bytes.h"
#include "base/rc.h"

enum { CHAIN_MAX = 16 };

/*
 * leaf up to one of the roots by way of any of the intermediates (all DER), at the time at_ms. Basic
 * constraints, key usage, name constraints, policies as the library checks them; no revocation: the caller
 * knows its own. Roots need not be self-signed.
 *
 *	CHY_CHAIN_FORM       one of them is not a certificate, or more than CHAIN_MAX
 *	CHY_CHAIN_TIME       one of them has expired or is not valid yet; the field names which ("chain[0]" = leaf)
 *	CHY_CHAIN_INCOMPLETE no path to a root
 *	CHY_CHAIN_INVALID    a path, but a rule is broken
 */
MUST enum rc chain_verify(struct bytes leaf, const struct bytes *intermediates, size_t intermediates_count,
			  const struct bytes *roots, size_t roots_count, int64_t at_ms, struct err *e);

#endif
