/*
 * Between the files of the acts that change a status: act_status.c prepares and carries out, act_status_read.c reads what is signed, act_status_tell.c tells those who sign,
 * act_status_password.c checks revocation passwords. Not for others.
 */
#ifndef FACTORY_ACT_STATUS_IMPL_H
#define FACTORY_ACT_STATUS_IMPL_H

#include "factory/acts.h"
#include "factory/status.h"

/* What a request asks. */
struct status_asked {
	struct status_wish wish;
	struct json *list; /* certificates */
	bool authority;
	struct status_ahead ahead; /* of the certificates, once status_read_listed was called */
};

enum status_verb status_verb_of(struct act act);
/* The body of an act, prepared or signed. JSON_*, FIELD_*. */
MUST enum rc status_read_body(struct act act, const struct json *body, struct status_asked *ret,
			      struct err *e);

/* Reads the certificates that the list names by id, together. At most LIMIT_BULK_STATUS are listed. */
MUST enum rc status_read_listed(struct factory *f, struct arena *a, struct status_asked *asked,
				struct err *e);

/* May the officer see the certificate? */
bool status_is_seen(const struct snapshot *policy, const struct officer *who, const struct status_subject *x);
/* The line of the certificate, the i-th of the request, and the officer who is bound to it. */
void status_tell_one(struct arena *a, const struct snapshot *policy, size_t i, const struct status_subject *x,
		     enum cert_state to, struct json *difference, struct json *affected);
/* And what holds for all of them: the reason, or which cause of a hold comes or goes. */
void status_tell_wish(struct arena *a, const struct status_wish *w, struct json *difference);

#endif
