/*
 * The issuing sessions that are kept in memory, by the hash of their tokens. A full table forgets those whose time is over,
 * else the one that was not asked for the longest; never one of whose certificates one is on its way, because only here they
 * are counted. From any thread.
 */
#ifndef FACTORY_SESSION_TABLE_H
#define FACTORY_SESSION_TABLE_H

#include "base/base.h"
#include "model/issue.h"

enum { SESSION_PROCEDURES_MAX = 64, SESSIONS_KEPT_MAX = 10000 };

struct session {
	uint8_t token_hash[32];
	struct officer_id officer;
	struct request_id request;
	struct session_facts facts; /* certificates_made as found in the store; see session_take */
	int64_t procedures[SESSION_PROCEDURES_MAX];
	int64_t signed_by; /* id of the certificate with which it was opened; 0: not one of ours */
	int64_t
	    good_until_us; /* by the monotonic clock: till then the certificates' state is not asked for again ... */
	int64_t good_epoch; /* ... unless statuses have changed since this one */
};

struct sessions;
struct sessions *sessions_new(size_t most); /* NULL: memory is out */
void sessions_free(struct sessions *s);
size_t sessions_count(struct sessions *s);

/* A copy of it; false: it is not kept. */
bool sessions_find(struct sessions *s, const uint8_t token_hash[32], struct session *ret);
/* Keeps a copy, unless it is kept already. now_ms: what has ended by then may be forgotten. CHY_LIMIT (all are in use). */
MUST enum rc sessions_keep(struct sessions *s, const struct session *x, int64_t now_ms, struct err *e);
/* The state of its certificates is known until then, as of an epoch of statuses. */
void sessions_good_until(struct sessions *s, const uint8_t token_hash[32], int64_t until_us, int64_t epoch);

/* Takes one of its certificates; it stays until sessions_give. NULL: it is not kept. *ret_before: how many were taken before. */
struct kept_session;
struct kept_session *sessions_take(struct sessions *s, const uint8_t token_hash[32], int64_t *ret_before);
/* The call has ended. made: it made the certificate, or it may have been signed: then it is adopted later and counts. */
void sessions_give(struct kept_session *k, bool made);

#endif
