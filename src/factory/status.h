/*
 * The status of certificates: what decisions are made of, and what a decision puts into a change. Used by officers' acts
 * (act_status.c) and by the sweeper of what nobody claims (unclaimed.c).
 */
#ifndef FACTORY_STATUS_H
#define FACTORY_STATUS_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/status.h"
#include "pki/cert.h"
#include "policy/revoke.h"
#include "store/change.h"
#include "store/rows.h"

/* A certificate with all that its status is decided by. */
struct status_subject {
	struct certificate_row row;
	struct status_row status;
	struct bytes causes[HOLD_CAUSES_MAX];
	size_t causes_n;
	bool is_new; /* the change puts the certificate itself, whose row has the state already */
	struct bytes issuer, subject; /* Names in DER */
	struct gnames san;
};

/* STATUS_UNSEEN: there is none of this id. names: subject and alternative names too, which cost a parse. */
MUST enum rc status_load(struct factory *f, struct arena *a, const struct snapshot *policy, int64_t id,
			 bool names, struct status_subject *ret, struct err *e);

/* Rows of several certificates, each kind asked for once: a thousand of them are most of the time of an act that reads one by one. */
struct status_ahead {
	struct status_row *statuses;
	struct certificate_row *rows;
	struct hold_row *holds;
	size_t statuses_n, rows_n, holds_n;
};

/* At most LIMIT_PAGE; those that are not there are left out. Statuses before the rest, as status_load does. */
MUST enum rc status_read_ahead(struct factory *f, struct arena *a, const int64_t *ids, size_t n,
			       struct status_ahead *ret, struct err *e);

/* As status_load; asks for what was not read ahead (NULL: nothing was). */
MUST enum rc status_load_of(struct factory *f, struct arena *a, const struct snapshot *policy,
			    const struct status_ahead *ahead, int64_t id, bool names,
			    struct status_subject *ret, struct err *e);

/* Where the officer was at home who asked for the certificate, by a request or by a session, when it was issued. Not looked for,
   and none, where `who` is of Root and may change them all. */
struct certificate_row;
MUST enum rc certificate_asked_from(struct factory *f, struct arena *a, const struct officer *who,
				    const struct certificate_row *row, struct doc_id *ret, struct err *e);

MUST enum rc status_facts_of(struct factory *f, struct arena *a, const struct snapshot *policy,
			     const struct officer *who, const struct status_subject *x,
			     const struct status_wish *wish, struct status_facts *ret, struct err *e);

/* State, holds, counters and leaf of a decision on what was loaded. more: members of the leaf beside the usual ones; taken over.
   The change fails with STORE_STATE if the certificate's status is another one by then. */
MUST enum rc status_put(struct factory *f, struct arena *a, struct change *c, const struct status_subject *x,
			const struct status_decision *d, const struct status_wish *wish, struct json *more,
			struct err *e);

/* Tells whoever keeps what it knows of certificates' states. After every commit of a status. */
void status_changed(struct factory *f);

/* The officer who is bound to the certificate; NULL: none. */
const struct officer *status_officer(struct arena *a, const struct snapshot *policy,
				     const struct certificate_row *row);

/* {"state", "reason"?, "since"?, "invalid_at"?, "holds"?: [{"cause", "at"}]} */
MUST enum rc status_json(struct factory *f, struct arena *a, int64_t certificate, struct json **ret,
			 struct err *e);
/* Every change of it, the newest first, from the journal. */
MUST enum rc status_history(struct factory *f, struct arena *a, int64_t certificate, struct json **ret,
			    struct err *e);

#endif
