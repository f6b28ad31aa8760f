/*
 * Issuing sessions: an officer signed once that whoever shows a token may issue by certain procedures, so often and so
 * long. Kept in memory by the token's hash once seen (session_table.h); the store counts the uses.
 */
#ifndef FACTORY_SESSIONS_H
#define FACTORY_SESSIONS_H

#include "factory/factory.h"
#include "model/issue.h"

#include "factory/session_table.h"

/* The session of a bearer token as sent (base64url), in the arena. CHY_SESSION_TOKEN, CHY_SESSION_OVER (its time is over),
   CHY_SESSION_OFFICER (its officer is no longer active, or the officer's certificate or the one with which the session was
   opened is revoked or held: at once), CHY_LIMIT (all that are kept are in use). */
MUST enum rc session_by_token(struct factory *f, struct arena *a, struct bytes token,
			      const struct session **ret, struct err *e);
/* Whether it is in memory: no look into the store. */
bool session_is_known(struct factory *f, struct bytes token);

/* Takes one of the certificates that the session may make; *ret_before: how many were taken before. *ret is given to
   sessions_give when the call has ended. Codes: those of session_by_token. */
MUST enum rc session_take(struct factory *f, const struct session *s, struct kept_session **ret,
			  int64_t *ret_before, struct err *e);

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
