/* The outer form that all signed things of X.509 share: what is signed, by which algorithm, the signature. Inner header. */
#ifndef PKI_SIGNED_H
#define PKI_SIGNED_H

#include "pki/der.h"
#include "pki/key.h"

struct signed_parts {
	struct bytes tbs, alg; /* whole TLVs */
	struct bytes signature;
};

/* SIGNED of X.509 7: three parts and nothing behind them; views. Longer than max: that code. Else DER_*. */
MUST enum rc signed_parse(struct bytes der, size_t max, enum code too_long, struct signed_parts *ret,
			  struct err *e);

/* AlgorithmIdentifier of any algorithm: OID and at most one value of parameters. */
void signed_take_alg(struct der *d);
/* The same alone. Foreign algorithms are SIGALG_NONE, as long as they are DER. */
MUST enum rc signed_alg(struct bytes alg, enum sigalg *ret, struct err *e);

/* DER, or one block of PEM with that label; the arena's. More than twice max: that code. PEM, PEM_LABEL, NO_MEMORY. */
MUST enum rc signed_text(struct arena *a, struct bytes in, size_t max, enum code too_long, const char *label,
			 struct bytes *ret, struct err *e);

#endif
