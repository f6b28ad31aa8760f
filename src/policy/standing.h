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

/* Of those that act at now the one that does so longest; NULL: none, the officer is gone. */
const struct standing *standing_last(const struct standing *v, size_t n, int64_t now_ms);

/* Is it time to tell of its end: within LIMIT_OFFICER_WARN_DAYS, of what is made for a short time in the last third of that. */
bool standing_ends_soon(const struct standing *c, int64_t now_ms);
/* The same of an authority's certificate, within LIMIT_CA_WARN_DAYS: what it issues ends with it, or cannot be issued any more. */
bool ca_ends_soon(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms);

#endif
