/*
 * Answering OCSP (RFC 6960, RFC 5019, RFC 9654): one request in, the octets of a response out, whatever the request is.
 *
 *	malformed						malformedRequest
 *	an issuer that we do not answer for			unauthorized (RFC 5019 2.2.3)
 *	certificates of several issuers				unauthorized: nobody could sign for all of them (RFC 6960 4.2.2.2)
 *	the responder has no certificate, signer or database
 *	away, too much to do					tryLater
 *	anything else that fails				internalError
 *	the rest						a signed answer; what it says of each certificate: decide_ocsp
 */
#ifndef FACTORY_OCSP_H
#define FACTORY_OCSP_H

#include "factory/factory.h"
#include "factory/ocsp_desk.h"

struct ocsp_call;
/* Told once, maybe before the function that started it returns, maybe on the signer stub's thread: must not block. */
typedef void ocsp_done(struct ocsp_call *c);

struct ocsp_call {
	/* given by the caller; all of it must live until done */
	struct factory *f;
	struct arena *arena; /* for this call alone */
	struct bytes request;
	ocsp_done *done;
	void *user;
	bool *held; /* not NULL: signatures may wait for ocsp_send, and true is left here when one does */

	/* the outcome */
	struct bytes response; /* DER */
	bool cacheable;        /* by HTTP caches too, as long as it is good */
	int64_t this_update_at, next_update_at;
	uint8_t etag[20];

	/* the way */
	struct ocsp_by *by;
	struct ocsp_single *singles;
	size_t singles_n;
	struct bytes data;
	int64_t epoch;
	struct err err;
	struct ocsp_request parsed; /* last: it is large, and who makes a call need not zero it */
};

/* Answers what needs neither the database nor a wait, or starts its signature. False: it is for ocsp_answer, which may take its
   time; done was not called. */
bool ocsp_answer_at_once(struct ocsp_call *c);
/* Behind that. */
void ocsp_answer(struct ocsp_call *c);
/* Whatever signatures wait (`held`) are asked for at once: a message to the signer costs as much as many that go together. */
void ocsp_send(struct factory *f);

/* The response that says so, without a signature. */
void ocsp_refuse(struct ocsp_call *c, enum ocsp_result why);

/* The facts of a certificate by its status row; the arena is for scratch. */
MUST enum rc ocsp_word_of(struct factory *f, struct arena *a, const struct ocsp_by *by,
			  const struct status_row *row, bool issued, struct ocsp_word *ret, struct err *e);
/* A single response of a word, beginning at this second. */
struct ocsp_single ocsp_single_of(const struct ocsp_by *by, struct bytes cert_id, const struct ocsp_word *w,
				  int64_t now);

#endif
