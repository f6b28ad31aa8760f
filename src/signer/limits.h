/*
 * The hard limits of a CA key: is a to-be-signed certificate inside of them? Pure, but for the rate, whose time is an
 * argument.
 */
#ifndef SIGNER_LIMITS_H
#define SIGNER_LIMITS_H

#include "pki/walker.h"
#include "signer/protocol.h"

/* Do they make sense for a key of this type? CHY_SIGNER_LIMITS. */
MUST enum rc limits_check_sense(const struct signer_limits *l, const struct key_type *t, struct err *e);
/* Does next allow nothing that was does not? CHY_SIGNER_LIMITS_WIDER. */
MUST enum rc limits_check_tighter(const struct signer_limits *was, const struct signer_limits *next,
				  struct err *e);
/* spki: the CA key's own. Its own self-signed certificate need not respect CA flag, path length and name constraints, as
   RFC 5280 6.1 does not apply them to it. CHY_SIGNER_ISSUER, _ALGORITHM, _VALIDITY, _CA_FLAG, _NAME. */
MUST enum rc limits_check(const struct signer_limits *l, const struct tbs_view *v, struct bytes spki,
			  struct err *e);

/* An attribute certificate: CHY_SIGNER_ISSUER, _ALGORITHM, _VALIDITY, _AC_FLAG. Name constraints do not apply: its holder is
   not certified by it. */
MUST enum rc limits_check_ac(const struct signer_limits *l, const struct ac_view *v, struct err *e);

/* A bucket that holds one second's worth. */
struct rate {
	uint64_t micro; /* millionths of a certificate */
	int64_t at_us;
};
/* CHY_SIGNER_RATE when it is empty, else takes one out. now_us: monotonic. */
MUST enum rc limits_rate(struct rate *r, uint32_t per_second, int64_t now_us, struct err *e);

#endif
