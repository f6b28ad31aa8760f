/*
 * The signer's own reader of a ResponseData (RFC 6960 4.2.1), independent of ocsp_*.c; it shares only the DER cursor and the
 * check of names.
 */
#ifndef PKI_OCSP_WALKER_H
#define PKI_OCSP_WALKER_H

#include "pki/der.h"

struct ocsp_view_one {
	uint8_t hash; /* 0 SHA-1, 1 SHA-256, 2 SHA-384, 3 SHA-512: crypto/digest.h has the same numbers */
	struct bytes name_hash, key_hash, serial;
	uint8_t status;                         /* 0 good, 1 revoked, 2 unknown */
	int64_t this_update_at, next_update_at; /* next: INT64_MAX where there is none */
};

struct ocsp_view {
	struct bytes name, key_hash; /* of the responder: one of both */
	int64_t produced_at;
	bool has_nonce;
	size_t n;
	struct ocsp_view_one v[LIMIT_OCSP_IDS];
};

/* What must hold of any that we sign: DER; the version left out; a responder by a name that is not empty or by the SHA-1 of
   a key; 1 to LIMIT_OCSP_IDS certificates, each by hashes of their algorithm's length and a serial number; times as
   GeneralizedTime, thisUpdate not after producedAt, revocation not after thisUpdate, nextUpdate after thisUpdate; a reason that has a
   meaning; as extensions a nonce of 1 to 128 octets, archive cutoffs not after producedAt, and no others. Codes: DER_*, NAME,
   OCSP_DATA. */
MUST enum rc ocsp_data_walk(struct bytes data, struct ocsp_view *ret, struct err *e);

#endif
