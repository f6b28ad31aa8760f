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

/* The status of a credential that stands for no officer any more, where its certificate is one of ours: its state. */
MUST enum rc credential_look_up(struct factory *f, struct arena *a, const struct snapshot *policy,
				struct bytes der, struct credential *c, struct err *e);

/* The row of a certificate, if it was issued here: by issuer and serial number, so that it is found without the search index
   from the moment it is stored. Only where no authority has the issuer's name (any more) the index is asked. der: the
   certificate's. STORE_NOT_FOUND, STORE_BEHIND. */
struct certificate_row;
MUST enum rc certificate_issued_here(struct factory *f, struct arena *a, const struct snapshot *policy,
				     const struct cert *cert, const uint8_t fingerprint[FINGERPRINT_LEN],
				     struct certificate_row *ret, struct err *e);

/* The certificate that the officer's document names, by id; 0: none. */
MUST enum rc officer_certificate(const struct snapshot *policy, const struct officer *o, int64_t *ret,
				 struct err *e);

/* The state of that certificate, where another one came: c->bound and c->bound_superseded. */
MUST enum rc officer_bound_state(struct factory *f, struct arena *a, const struct snapshot *policy,
				 const struct officer *o, struct credential *c, struct err *e);
/* Of a state of the store. */
enum credential_state credential_state_of(int64_t status);

/* The officer, bound by the subject, who asked for this certificate and whom it stands for: its leaf says so. None: nobody. */
MUST enum rc certificate_stands_for(struct factory *f, struct arena *a, int64_t certificate,
				    struct officer_id *ret, struct err *e);

/* Is the key, by the SHA-256 of its SubjectPublicKeyInfo, in the archive, with whatever certificate? */
MUST enum rc key_in_archive(struct factory *f, struct bytes key, bool *ret, struct err *e);

/* The officer that a certificate is bound to, if the officer may log in now. The officer lives as long as the snapshot.
   Codes: CHY_NOT_OFFICER, those of may_log_in. */
MUST enum rc caller_officer(struct factory *f, struct arena *a, const struct snapshot *policy,
			    struct bytes der, const struct officer **ret, struct err *e);

#endif
