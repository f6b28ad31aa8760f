/*
 * A delivery, as the factory hands it over: all that the distributor needs, so that it asks nobody. And the messages between
 * the two (base/frame.h):
 *
 *	factory -> distributor	PART	a piece of a delivery that does not fit one message; the pieces of one follow each other
 *	factory -> distributor	LAST	the rest of it
 *	distributor -> factory	OUTCOME	code (0: done), text
 *
 * The id of a message is the delivery's. No passwords pass here: the rule names them, the distributor has them.
 */
#ifndef DISTRIBUTOR_DELIVERY_H
#define DISTRIBUTOR_DELIVERY_H

#include "base/base.h"

enum { DELIVERY_PART = 1, DELIVERY_LAST, DELIVERY_OUTCOME };
enum {
	LIMIT_DELIVERY = 64 << 20, /* of one, with all that belongs to it */
	LIMIT_DELIVERY_CHAIN = 24, /* certificates above */
	DELIVERY_PIECE = 64 << 10,
};

enum delivery_what {
	DELIVER_CERTIFICATE,
	DELIVER_CA_CERTIFICATE,
	DELIVER_ATTRIBUTE,
	DELIVER_CRL,
	DELIVER_DELTA_CRL,
	DELIVER_AUTHORITY_CRL, /* of certificates of authorities alone */
	DELIVER_CIL,           /* a segment of an issuance list; DER only */
	DELIVERY_WHATS
};
enum delivery_form { DELIVER_DER, DELIVER_PEM, DELIVER_PEM_CHAIN, DELIVERY_FORMS };

struct delivery {
	int64_t id;
	int64_t destination, version; /* the distribution rule's document */
	enum delivery_what what;
	enum delivery_form form;
	bool removal;
	struct bytes rule;    /* its body, JSON */
	struct bytes content; /* DER */
	struct bytes
	    about; /* DER of the certificate that keywords are filled in from: itself, an attribute certificate's
				 base, the authority that a CRL is of */
	struct bytes name; /* of a list: what a CRL's address ends with, a CIL's file */
	struct bytes chain[LIMIT_DELIVERY_CHAIN]; /* DER, upwards */
	size_t chain_n;
	int64_t object; /* what it is about, by the factory's number: the same in every delivery of it */
	struct bytes instance; /* the installation's name, for whoever hears of several */
	struct bytes
	    status; /* of a certificate: JSON {"state", "reason"?, "since"?, "invalid_at"?}; of lists empty */
};

/* Appends it, without its id. */
void delivery_put(struct buf *out, const struct delivery *d);
/* Views into in. DISTRIBUTOR_MESSAGE. */
MUST enum rc delivery_get(struct bytes in, struct delivery *ret, struct err *e);

struct outcome {
	enum code code; /* CHY_NONE: done */
	struct bytes text;
};

void outcome_put(struct buf *out, const struct err *e);
/* Code and text as an error; RC_OK with an empty one: done. DISTRIBUTOR_MESSAGE. */
MUST enum rc outcome_get(struct bytes in, struct err *ret, struct err *e);

#endif
