/*
 * What an officer still has to sign with: of the certificates that stand for him or her those that may act, and until when.
 * Which certificates stand for whom is for the caller to gather. Pure.
 */
#ifndef POLICY_STANDING_H
#define POLICY_STANDING_H

#include "model/officer.h"

/* One certificate that stands for an officer. */
struct standing {
	enum credential_state state;
	int64_t not_before_ms, not_after_ms;
};

/* Could its holder sign with it at now? What is revoked, held, not valid yet or expired signs nothing (RFC 5280 6.1.3). */
bool standing_acts(const struct standing *c, int64_t now_ms);

/* Until when the officer can act by those that act at now: the latest end of them; 0: by none, the officer is gone. */
int64_t standing_until(const struct standing *v, size_t n, int64_t now_ms);

#endif
