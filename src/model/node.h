/*
 * What a status node signs with its own key: that it wants a responder's certificate for this key, by this authority. The
 * issuing server makes one only where officers have signed that the node may (kind status-node).
 */
#ifndef MODEL_NODE_H
#define MODEL_NODE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"

struct node_wish {
	struct bytes instance; /* SHA-256 of the system root's certificate, hex: no other installation's */
	int64_t authority;     /* its document */
	struct bytes label;    /* of the key in the node's signer */
	struct bytes spki;     /* the key, DER SubjectPublicKeyInfo */
};

/* Canonical JSON (RFC 8785), the arena's; it is signed with ECDSA and SHA-256. NO_MEMORY. */
MUST enum rc node_wish_build(struct arena *a, const struct node_wish *w, struct bytes *ret, struct err *e);

#endif
