/*
 * How often a caller may be refused. Each refusal costs work and, of an officer or session, a row of the journal that is kept
 * for ever; so who is refused over and over is held back for a while, before anything of what he asks is looked at.
 *
 * A caller has as many refusals to spend as are granted for a minute, and gets them back over a minute; what was carried out
 * gives one back at once, so that a client of whose many calls some are refused goes on. Callers in a table of fixed size: where
 * it is full, who owes least is forgotten.
 */
#ifndef GATEWAY_REFUSALS_H
#define GATEWAY_REFUSALS_H

#include "base/base.h"

struct refusals;

enum refused_kind { REFUSED_OFFICER, REFUSED_SESSION, REFUSED_ADDRESS };

struct refused_who {
	enum refused_kind kind;
	uint64_t id; /* of an address refused_address */
};

/* An address's number: all of an IPv6 network of 64 bits are one. Pure. */
uint64_t refused_address(const char *address);

/* per_minute 0: nobody is held back, *ret is NULL, which all of these take. CHY_NO_MEMORY. */
MUST enum rc refusals_new(unsigned per_minute, struct refusals **ret, struct err *e);
void refusals_free(struct refusals *r);
OWN_DEFINE(struct refusals *, refusals_free)

/* Any thread; now_ms of a clock that never steps back. 0: may go on; else the seconds until then, 1 at least. */
unsigned refusals_wait(struct refusals *r, struct refused_who who, int64_t now_ms);
void refusals_add(struct refusals *r, struct refused_who who, int64_t now_ms);
void refusals_give_back(struct refusals *r, struct refused_who who, int64_t now_ms);

#endif
