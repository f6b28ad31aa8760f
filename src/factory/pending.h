/*
 * A certificate between its decision and the store. Everything that the store will need is fixed before the signature is
 * asked for, and travels as the context into the signer's journal: so the live path and the repair after a crash build
 * the very same change from the very same bytes.
 */
#ifndef FACTORY_PENDING_H
#define FACTORY_PENDING_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/id.h"
#include "model/issue.h"
#include "pki/key.h"
#include "store/change.h"

enum { PENDING_MAX = LIMIT_CONTEXT, PENDING_DELIVERY = 16 };

struct pending {
	int64_t id;        /* the certificate's, and its leaf's */
	int64_t issuer;    /* the authority's document */
	int64_t authority; /* a CA certificate: the authority that it is of; 0 otherwise */
	int64_t
	    base; /* an attribute certificate: the certificate that it names; 0: a public key certificate */
	bool
	    with_base; /* made together with it: means nothing, and is void, unless its base is made as well */
	int64_t token_procedure, certificate_procedure;
	int64_t request, session; /* whose word */
	enum sigalg sigalg;
	struct bytes leaf; /* the leaf's body, canonical, with "certificate":null */
	struct bytes idempotency_key, idempotency_request; /* hashes; empty: none */
	int64_t caller;                                    /* of the idempotency key */
	struct bytes holder;              /* an attribute certificate: its base's subject, RFC 4514 */
	bool revoked;                     /* adopted although its base was never made */
	bool chosen;                      /* the next two are stored with it */
	bool publication;                 /* allowed */
	struct bytes revocation_password; /* its scrypt form; empty: none */
	/* Rows of the outbox that are stored with it, PENDING_DELIVERY octets each: the row's id, the distribution rule's. */
	struct bytes deliveries;
	int64_t token, token_n;     /* the key of a soft token that it is of; token 0: none */
	int64_t responder;          /* the authority whose OCSP responder's certificate it is; 0: none */
	struct bytes responder_key; /* the signer's label of its key */
	struct bytes node; /* the status node whose responder it is, as responder_row; empty: our own */
	struct bytes fields[SEARCH_FIELDS]; /* what it is searched by */
	struct bytes card_serial;           /* the same; empty: none */
	uint32_t partition;                 /* of the revocation list that it points to; 0: none */
	bool
	    unclaimed; /* adopted without its key and session: another certificate was issued in its place, or the
				     session is used up; it is stored all the same, for it exists */
};

/* What is issued is delivered by these rules: one row each. Memory is the arena's. */
MUST enum rc pending_deliver(struct factory *f, struct arena *a, const struct doc_id *rules, size_t n,
			     struct pending *p, struct err *e);

/* Writes it as context. Codes: CHY_LIMIT when it does not fit LIMIT_CONTEXT. */
MUST enum rc pending_put(struct buf *out, const struct pending *p, struct err *e);
/* Views into the context. CHY_PENDING. */
MUST enum rc pending_get(struct bytes context, struct pending *ret, struct err *e);

/* A finished certificate: DER in the arena, and the change that stores it with its leaf. */
struct finished {
	struct bytes der;
	uint8_t sha256[32];
	struct change *change; /* the caller's */
};
MUST enum rc pending_finish(struct arena *a, const struct pending *p, struct bytes tbs,
			    struct bytes signature, struct finished *ret, struct err *e);
/* The same into a change that is there already (ret->change stays NULL). */
MUST enum rc pending_add(struct arena *a, const struct pending *p, struct bytes tbs, struct bytes signature,
			 struct change *change, struct finished *ret, struct err *e);

#endif
