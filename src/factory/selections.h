/*
 * Selections: certificates that an officer gathers for one act, by one procedure, one reason, before it is submitted. Only candidates
 * of the act are taken. A selection is its officer's alone and nobody's word: what is submitted is prepared as if the certificates
 * stood in the act's body, and signed as every act. One that nobody touches for a day is forgotten.
 */
#ifndef FACTORY_SELECTIONS_H
#define FACTORY_SELECTIONS_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"

/* {"act", "body"?, "certificates"?, "search"?}: body has the act's members but for the certificates. *ret: as of selection_change.
   Codes: JSON_*, ACT_UNKNOWN, SELECTION_ACT, LIMIT (LIMIT_SELECTIONS), those of the act's body, and of selection_change. */
MUST enum rc selection_create(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *who, const struct json *in, struct json **ret,
			      struct err *e);

/* {"remove"?: [id ...], "add"?: [id ...], "search"?: {as of search_read}}, in this order. *ret: {"id", "act", "at", "selected", "added", "removed",
   "already", "refused": [{"certificate", "problem"}], and of a search "searched", "next", "full"}: next is a cursor where not all that
   was found was looked at. LIMIT: more than the act takes; STORE_NOT_FOUND: none of this officer's, or it is forgotten;
   SELECTION_CHANGED. */
MUST enum rc selection_change(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *who, int64_t id, const struct json *in, struct json **ret,
			      struct err *e);

/* {"id", "act", "body", "at", "expires_at", "selected", "problem"?, "certificates": [{"id", "serial", "subject", "not_after", "problem"?}]}: problem is why it
   is no candidate by now, of all of them why the act cannot be done. */
MUST enum rc selection_show(struct factory *f, struct arena *a, const struct snapshot *policy,
			    const struct officer *who, int64_t id, struct json **ret, struct err *e);

/* The officer's own, without their certificates. */
MUST enum rc selection_list(struct factory *f, struct arena *a, const struct officer *who, int64_t after,
			    size_t limit, struct json **ret, struct err *e);
MUST enum rc selection_drop(struct factory *f, struct arena *a, const struct officer *who, int64_t id,
			    struct err *e);

/* {"body"?}: members of the act's body that the selection has not, such as what becomes of revocation passwords. *ret as of
   request_prepare; the selection is gone in the same commit. */
MUST enum rc selection_submit(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *who, int64_t id, const struct json *in, struct json **ret,
			      struct err *e);

/* A job: forgets those whose day is over. */
MUST enum rc selections_forget(struct factory *f, struct err *e);

#endif
