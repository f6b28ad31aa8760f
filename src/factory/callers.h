/*
 * Who calls: officers by their TLS client certificate, machines by the token of an issuing session.
 */
#ifndef FACTORY_CALLERS_H
#define FACTORY_CALLERS_H

#include "factory/factory.h"
#include "model/officer.h"

/* What is known of a certificate that somebody showed or signed with, and the officer whom it stands for: who is bound to it, or
   to its subject (NULL: none). subject is a view into der. Reads its status from the store where it is one of ours. Codes:
   those of cert_parse and the store. */
MUST enum rc credential_of(struct factory *f, struct arena *a, const struct snapshot *policy,
			   struct bytes der, struct credential *ret, const struct officer **ret_officer,
			   struct err *e);

/* The officer that a certificate is bound to, if the officer may log in now. The officer lives as long as the snapshot.
   Codes: CHY_NOT_OFFICER, those of may_log_in. */
MUST enum rc caller_officer(struct factory *f, struct arena *a, const struct snapshot *policy,
			    struct bytes der, const struct officer **ret, struct err *e);

#endif
