/*
 * May officers whose certificates have expired have new ones, though nobody is left who could renew them? Only while fewer than two
 * officers of Root can change officers, where expiry alone is the cause: two such officers, who could but for that, have signed. Pure.
 */
#ifndef POLICY_RESCUE_H
#define POLICY_RESCUE_H

#include "model/rescue.h"
#include "policy/snapshot.h"
#include "policy/standing.h"

/* An officer by the certificate that was shown. */
struct rescue_officer {
	const struct officer *officer; /* NULL: it stands for nobody */
	struct credential credential;
	bool is_newest; /* no newer one stands for the officer, good or not */
	int64_t signed_at_ms;
};

struct rescue_facts {
	const struct snapshot *policy;
	const struct rescue *rescue;
	const char *instance; /* who we are */
	int64_t now_ms;
	size_t left; /* open officers of Root with the roles who can act, or could by what cannot be told */
	const struct rescue_officer *signers;
	size_t signers_n;
	const struct rescue_officer *renewed; /* one for each of the rescue's, in its order */
};

/* Has the roles with which officers are put right, and is of Root. */
bool rescue_administers(const struct officer *o);

/* Codes: RESCUE_DOCUMENT, RESCUE_TIME, RESCUE_PAIR, RESCUE_SIGNERS, RESCUE_OFFICER, those of may_act. */
MUST enum rc decide_rescue(const struct rescue_facts *f, struct err *e);

#endif
