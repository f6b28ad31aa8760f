/*
 * Soft tokens that were made and wait for their requester: the file, and the PIN where the server made it, until the
 * requester says that they have come, or their time is over. Then they are erased.
 */
#ifndef FACTORY_TOKENS_H
#define FACTORY_TOKENS_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"

#define TOKEN_KEPT_MS (7LL * 86400 * 1000)

/* {"id", "holder", "state", "token_procedure", "at", "expires_at"}; the officer's own. TOKEN_OTHERS. */
MUST enum rc token_show(struct factory *f, struct arena *a, const struct officer *who, int64_t id,
			struct json **ret, struct err *e);
MUST enum rc token_list(struct factory *f, struct arena *a, const struct officer *who, int64_t after,
			size_t limit, struct json **ret, struct err *e);
/* {"id", "file": base64, "pin"?}: as often as asked, until it is confirmed or has expired (TOKEN_GONE). Journaled. */
MUST enum rc token_fetch(struct factory *f, struct arena *a, const struct officer *who, int64_t id,
			 struct json **ret, struct err *e);
/* The requester has it: erases file and PIN. Again is nothing. */
MUST enum rc token_confirm(struct factory *f, struct arena *a, const struct officer *who, int64_t id,
			   struct json **ret, struct err *e);
/* Erases what nobody fetched in time. A job. */
MUST enum rc tokens_expire(struct factory *f, struct err *e);

#endif
