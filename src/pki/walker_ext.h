/*
 * Extensions as the signer's own readers meet them, in certificates and in attribute certificates. Not for others: cert.c
 * and ac.c are independent of it on purpose (walker.h).
 */
#ifndef PKI_WALKER_EXT_H
#define PKI_WALKER_EXT_H

#include "pki/der.h"
#include "pki/oid.h"

struct walked_ext {
	struct bytes oid, value; /* value: whole, not looked into */
	enum oid known;
	bool critical;
};

/* What a reader makes of one; fails d. */
typedef void walked_ext_fn(struct der *d, const struct walked_ext *x, void *view);

/* A SEQUENCE OF Extension: not empty, at most LIMIT_EXTENSIONS, none twice, each given to fn, whose failure gets the
   extension's name. code: what breaks the rules for the list. */
void walk_ext_list(struct der *d, enum code code, walked_ext_fn *fn, void *view, struct bytes *ret_contents,
		   size_t *ret_n);

#endif
