/*
 * Issuing sessions: an officer signed once that whoever shows a token may issue by certain procedures, so often and so
 * long. Kept in memory by the token's hash once seen; the store counts the uses.
 */
#ifndef FACTORY_SESSIONS_H
#define FACTORY_SESSIONS_H

#include "factory/factory.h"
#include "model/issue.h"

enum { SESSION_PROCEDURES_MAX = 64, SESSIONS_KEPT_MAX = 10000 };

/* Immutable once made, but for the count behind `made`. Lives as long as the factory. */
struct session {
	uint8_t token_hash[32];
	struct officer_id officer;
	struct request_id request;
	struct session_facts facts; /* certificates_made as found in the store; see session_made */
	int64_t procedures[SESSION_PROCEDURES_MAX];
	int64_t signed_by;     /* id of the certificate with which it was opened; 0: not one of ours */
	_Atomic int64_t *made; /* certificates, those on their way included */
	_Atomic int64_t *
	    good_until_us; /* by the monotonic clock: till then the certificates' state is not asked for again */
	struct session *next; /* of the bucket */
};

struct sessions;
struct sessions *sessions_new(void); /* NULL: memory is out */
void sessions_free(struct sessions *s);

/* The session of a bearer token as sent (base64url). CHY_SESSION_TOKEN, CHY_SESSION_OVER (its time is over),
   CHY_SESSION_OFFICER (its officer is no longer active, or the officer's certificate or the one with which the session was
   opened is revoked or held: known after a second at the latest). */
MUST enum rc session_by_token(struct factory *f, struct bytes token, const struct session **ret,
			      struct err *e);

/* Takes one of the certificates that the session may make; *ret_before: how many were taken before. What is then not made
   is given back, but for what may have been signed: that is adopted later and counts. The store counts again when it is
   stored. */
void session_take(const struct session *s, int64_t *ret_before);
void session_give_back(const struct session *s);

/* Reads the members of a signed body of issuing-session.open. procedures: room for SESSION_PROCEDURES_MAX ids.
   Codes: JSON_*, SESSION_BODY. */
struct json;
struct session_body {
	int64_t procedures[SESSION_PROCEDURES_MAX];
	size_t procedures_n;
	int64_t certificates_max, expires_at_ms;
	uint8_t token_hash[32];
	struct bytes name;
};
MUST enum rc session_body_read(struct arena *a, const struct json *body, struct session_body *ret,
			       struct err *e);

/* Whether the row is what its officer signed: a bearer token would otherwise be as good as the database's password.
   body: the row's, parsed. *ret_signed_by: see struct session. SESSION_TOKEN, CMS_*. Once for each session that is loaded. */
struct session_row;
MUST enum rc session_check_signed(struct factory *f, struct arena *a, const struct session_row *row,
				  const struct json *body, int64_t *ret_signed_by, struct err *e);

#endif
