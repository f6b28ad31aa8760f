/*
 * Issuing: the main job. One call goes through every station: facts, decision, to-be-signed bytes, signer, one commit.
 * Asynchronous, because a thread that waited for the disk would serve one client at a time.
 */
#ifndef FACTORY_ISSUE_H
#define FACTORY_ISSUE_H

#include "factory/factory.h"
#include "factory/in_flight.h"
#include "factory/issue_attribute.h"
#include "factory/sessions.h"
#include "model/issue.h"

struct issue_call;

/* Told once how it ended, on a thread of the signer's stub or the store's committer (or on the caller's own, before
   issue_start returns): must not block. rc RC_OK: call->certificate and call->id are there. */
typedef void issue_done(struct issue_call *call, enum rc rc);

struct issue_call {
	/* given by the caller; all of it must live until done */
	struct factory *f;
	struct arena *arena;           /* for this call alone */
	struct issue_request request;  /* csr_der may be PEM too */
	const struct session *session; /* WORD_SESSION; else NULL */
	issue_done *done;
	void *user;
	/* Where the certificate goes in place of a commit of its own; the caller commits it. NULL: a commit of its own. */
	struct change *into;

	/* the outcome */
	int64_t id;
	struct bytes certificate; /* DER */
	struct ac_plan *acs;      /* the attribute certificates made with it: done.der, pending.id */
	size_t acs_n;
	bool repeated; /* it had been issued before, under the same idempotency key */
	struct err err;

	/* the way */
	struct snapshot *policy;
	struct kept_session *taken; /* one of the session's certificates; NULL: none */
	bool may_be_out; /* the signer may have signed it: it will be adopted if it is not stored */
	struct csr csr;
	struct issue_facts facts;
	struct session_facts session_facts;
	struct issue_decision decision;
	struct bytes tbs, context;
	struct in_flight_key idempotency;
	struct ac_base base; /* the certificate to be, as the attribute certificates' base */
	size_t acs_signed;
	uint8_t idempotency_request[32], key_id[20];
};

/* Starts; done tells the end in every case. */
void issue_start(struct issue_call *call);

/* Would it be issued? Decides as issue_start does and makes nothing. */
MUST enum rc issue_try(struct issue_call *call, struct err *e);

/* Starts and waits: for acts, not for the hot path. */
enum rc issue_wait(struct issue_call *call);

#endif
