/*
 * A request: an officer's act, from its preparation to its end (docs/formats/request.md).
 */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include "model/field.h"
#include "model/id.h"

enum act_verb {
	ACT_CREATE,
	ACT_MODIFY,
	ACT_ISSUE,
	ACT_ISSUE_ATTRIBUTE,
	ACT_SESSION_OPEN,
	ACT_WITHDRAW,
	ACT_REJECT,
	ACT_RENEW,      /* a document's next version, with a new certificate */
	ACT_CA_REQUEST, /* a PKCS#10 request by the key of what the document says, which stays as it is */
	ACT_TOKEN_ISSUE,
	ACT_REVOKE,
	ACT_HOLD,
	ACT_REINSTATE,
	ACT_ACTIVATE_OCSP,
	ACT_CA_REVOKE, /* an authority's own certificate */
	ACT_PUBLISH,
	ACT_UNPUBLISH,
	ACT_DELIVERY_RETRY,
	ACT_DELIVERY_DROP,
	ACT_CRL_BUILD,
	ACT_CIL_BUILD,
	ACT_REMOVE,        /* certificates, from the store */
	ACT_IMPORT,        /* certificates that a foreign CA has issued */
	ACT_IMPORT_CRL,    /* a foreign CA's revocation list */
	ACT_OFFICER_RENEW, /* a new certificate of an officer's own */
	ACT_SESSION_CLOSE,
	ACT_VERB_COUNT,
	ACT_NONE = -1
};

/* What is done: a document's creation or change, or an act on its own (kind is KIND_NONE then). */
struct act {
	enum act_verb verb;
	enum kind_id kind;
};

/* Whether its body is a document's, new or the next version. */
bool act_has_document(struct act a);
/* Whether it names a document that is there: the base of what is signed. */
bool act_has_base(struct act a);

/* Whether its first signature is that of the officer whom it is about, who needs no role for it: act_roles are the others'. */
static inline bool
act_begins_with_own(struct act a)
{
	return a.verb == ACT_OFFICER_RENEW;
}

/* Whether it may take rights from officers: the last pair must stay. */
static inline bool
act_needs_pair(struct act a)
{
	return a.verb == ACT_MODIFY && (a.kind == KIND_OFFICER || a.kind == KIND_OFFICER_PROFILE);
}
/* "token-procedure.create", "certificate.issue", "issuing-session.open". ACT_NONE for anything else, and for
   kinds without a description. */
struct act act_of(struct bytes name);
/* Writes the name into dst (at least 64 characters); returns dst. */
char *act_name(char *dst, struct act a);
/* The roles that an officer needs for it, and how many different officers must sign it. None for withdrawing, rejecting and
   closing a session: who may, follows from what ends (decide_withdraw, decide_reject, may_close_session). */
roles act_roles(struct act a);
unsigned act_signatures(struct act a);

/* X(enum, name, final, label) */
#define REQUEST_STATES(X) \
	X(PREPARED, "prepared", false, "waits for its first signature") \
	X(WAITING, "waiting", false, "waits for a second officer") \
	X(SIGNED, "signed", false, "has its signatures, its effect is under way") \
	X(DONE, "done", true, "has taken effect") \
	X(VOID, "void", true, "what it changes has changed since it was prepared") \
	X(EXPIRED, "expired", true, "nobody signed it in time") \
	X(REJECTED, "rejected", true, "an officer rejected it") \
	X(WITHDRAWN, "withdrawn", true, "the officer who prepared it withdrew it") \
	X(FAILED, "failed", true, "was signed, but could not take effect")

enum request_state {
#define X(e, name, final, label) REQUEST_##e,
	REQUEST_STATES(X)
#undef X
	    REQUEST_STATE_COUNT,
	REQUEST_STATE_NONE = -1
};

const char *request_state_name(enum request_state s);
const char *request_state_label(enum request_state s);
enum request_state request_state_of(struct bytes name);
bool request_state_is_final(enum request_state s);
/* Whether a request may go from one state to another. The table stands in request.c. */
bool request_may_become(enum request_state from, enum request_state to);

enum {
	REQUEST_PREPARED_MS = 15 * 60 * 1000, /* a prepared request that nobody signed is void */
	REQUEST_NONCE_LEN = 16,
};
#define REQUEST_WAITING_MS (30LL * 86400 * 1000) /* one that waits for its second officer */

struct request {
	struct request_id id;
	struct act act;
	enum request_state state;
	struct doc_version base; /* what it is based on; id none: a creation, or no document */
	const struct json *body; /* as signed: the new version, or the act's own members */
	struct officer_id prepared_by;
	int64_t prepared_at_ms;
	int64_t waiting_at_ms;   /* when its first signature came; 0: none yet */
	struct doc_id authority; /* a fact: ACT_CA_REVOKE, that issued the certificate; none: not known */
	struct bytes to_sign;    /* the exact bytes */
};

/* When a request in this state lapses; INT64_MAX: never. */
int64_t request_expires_ms(const struct request *r);

#endif
