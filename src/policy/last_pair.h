/*
 * Nobody may saw off the branch: after every change two different people of Root must still be able to make officers, profiles
 * and policy. With one left, nothing that needs two signatures could ever be done again. Pure.
 */
#ifndef POLICY_LAST_PAIR_H
#define POLICY_LAST_PAIR_H

#include "policy/snapshot.h"

/* Officers who have nothing to sign with any more (policy/standing.h): they can do nothing, so they are not counted. */
struct officers_gone {
	const struct officer_id *v;
	size_t n;
};

/* Judges the version that `body` would make of an officer or an officer profile; other kinds pass. Only people who are
   there now can be missed: an installation that has one such officer already is not stopped. LAST_PAIR names the role. */
MUST enum rc last_pair_stays(const struct snapshot *s, enum kind_id kind, struct doc_id changed,
			     const struct json *body, const struct officers_gone *gone, struct err *e);
/* The same of certificates that are to be revoked or held: who is gone now, and who will be. */
MUST enum rc last_pair_stays_without(const struct snapshot *s, const struct officers_gone *now,
				     const struct officers_gone *then, struct err *e);

/* Until when an officer can act; until_ms 0: not at all. */
struct officer_end {
	struct officer_id officer;
	int64_t until_ms;
};

/* Until when two different people of Root have the role, if nothing is changed; 0: they are fewer than two now. */
MUST enum rc last_pair_until(const struct snapshot *s, enum role role, const struct officer_end *ends,
			     size_t n, int64_t *ret, struct err *e);
/* The first of all roles with which everything else can be given back, and which that is. */
MUST enum rc last_pairs_until(const struct snapshot *s, const struct officer_end *ends, size_t n,
			      int64_t *ret, enum role *ret_role, struct err *e);

#endif
