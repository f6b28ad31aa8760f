/*
 * Inside of the distributor: a lane is one destination with its thread and its connection, so that a slow destination holds up
 * nobody else, and what goes to one destination goes in order. One file a protocol, each with the same two functions.
 */
#ifndef DISTRIBUTOR_LANE_H
#define DISTRIBUTOR_LANE_H

#include "base/json.h"
#include "distributor/delivery.h"
#include "distributor/secrets.h"
#include "model/pattern.h"

/* What everything in the process shares; constant once it works. */
struct outside {
	struct secrets *secrets;
	const char *folders; /* where files may go, separated by colons; NULL: nowhere */
	struct bytes roots;  /* PEM of those whom the system trusts */
};

/* One delivery with what was made of it; all in an arena of its own. */
struct job {
	struct arena *a;
	struct delivery d;
	const struct json *rule;
	struct pattern_facts facts;
	const struct outside *outside;
	struct bytes body;      /* the content in its form */
	const char *media_type; /* of the body */
};

/* Reads rule and certificate. DELIVERY_RULE, and those of the parsers. */
MUST enum rc job_read(struct job *j, struct err *e);

/* Members of the rule. */
struct bytes rule_text(const struct job *j, const char *name); /* a NUL stands behind it; none: p NULL */
bool rule_true(const struct job *j, const char *name);
int64_t rule_int(const struct job *j, const char *name, int64_t otherwise);
const struct json *rule_list(const struct job *j, const char *name); /* NULL: none */

/* A pattern of the rule, filled in; the arena's, with a NUL behind it. DELIVERY_RULE, PATTERN_*. */
MUST enum rc job_fill(const struct job *j, struct bytes text, enum pattern_place place, struct bytes *ret,
		      struct err *e);
/* The secret that a member of the rule names; *ret NULL: it names none. The caller's. */
MUST enum rc job_secret(const struct job *j, const char *member, struct secret **ret, struct err *e);
/* Whom the rule trusts, as PEM; the system's where it names none. */
MUST enum rc job_roots(const struct job *j, struct bytes *ret, struct err *e);

/* Is the rule one that pushes (content "push")? And the message in place of the content in its form. DELIVERY_RULE: of a list. */
bool push_is(const struct job *j);
MUST enum rc push_make(struct job *j, struct err *e);

/* The protocols. A connection may be kept in *state between jobs of one version of a rule; end frees it. */
struct protocol {
	const char *name;
	enum rc (*deliver)(const struct job *j, void **state, struct err *e);
	void (*end)(void *state);
};
extern const struct protocol protocol_http, protocol_file, protocol_ldap, protocol_mail;

/* libcurl, for http and mail: what both set. */
MUST enum rc curl_begin(const struct job *j, void **state, struct bytes url, struct err *e);
/* Carries it out; a failure that is no answer of the server becomes an error. *ret_status: the server's answer. */
MUST enum rc curl_carry_out(void *state, long *ret_status, struct err *e);
void curl_end(void *state);

#endif
