/*
 * Requests: every act of an officer, in two calls. The first answers with the exact bytes to sign, the second brings the
 * signatures; acts that need two officers wait between them (docs/formats/request.md).
 */
#ifndef FACTORY_REQUESTS_H
#define FACTORY_REQUESTS_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"
#include "model/request.h"
#include "store/rows.h"

/* First call. in: {"act", "object"?, "body"}; object: id or name of what is modified. *ret: {"id", "act", "state",
   "to_sign", "difference", "expires_at", "signatures_needed"}; where it fails, the array of what was refused one by one and was to be left out, or
   NULL. A refusal is journaled. Codes: JSON_*, ACT_UNKNOWN, those
   of document_check, decide_prepare and of the act. */
MUST enum rc request_prepare(struct factory *f, struct arena *a, const struct snapshot *policy,
			     const struct officer *who, const struct json *in, struct json **ret,
			     struct err *e);

/* The same of what was selected (selections.h): the selection is gone in the same commit. SELECTION_CHANGED. */
MUST enum rc request_prepare_selected(struct factory *f, struct arena *a, const struct snapshot *policy,
				      const struct officer *who, const struct json *in,
				      const struct selection_row *selection, struct json **ret,
				      struct err *e);

/* Second call: one or more signatures over the request's bytes, by whichever officers made them; caller: who brings them; secrets: what comes beside the signed bytes, NULL: nothing. *ret: {"id", "act",
   "state", "signatures", "expires_at"?, "result"?}; expires_at: of what waits for another one. When the last one is there, the act takes effect before this returns. Codes: CMS_*,
   REQUEST_OTHER_BYTES, those of decide_signature, of the act's effect and of the store. */
MUST enum rc request_sign(struct factory *f, struct arena *a, struct officer_id caller, struct request_id id,
			  const struct bytes *cms, size_t n, const struct json *secrets, struct json **ret,
			  struct err *e);

/* One request with what is to be signed, difference and signatures; a list of them. */
MUST enum rc request_show(struct factory *f, struct arena *a, const struct snapshot *policy,
			  const struct officer *who, struct request_id id, struct json **ret, struct err *e);
struct request_filter {
	struct bytes state; /* empty: any */
	bool inbox;         /* only those that wait for a signature that this officer could give */
	bool newest;        /* first, in place of the oldest */
	int64_t after;      /* cursor */
	size_t limit;
};
MUST enum rc request_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			  const struct officer *who, const struct request_filter *filter, struct json **ret,
			  struct err *e);

/* "Sweden/TLS server", "TLS server, 3 requests": what it is about, for lists; the arena's. */
struct bytes request_about(struct arena *a, const struct snapshot *policy, const struct request *r);

/* Adds the officers whose rights the change of an officer profile touches; none of other acts. */
void affected_officers(struct arena *a, const struct snapshot *policy, struct act act, struct doc_id base,
		       struct json *affected);

/* Carries on with requests that were signed but whose effect a crash interrupted: each call with the next of them, then from the
   first again. *ret_more: some were done and others follow. Makes void what has expired. A job. */
MUST enum rc requests_resume(struct factory *f, bool *ret_more, struct err *e);
MUST enum rc requests_expire(struct factory *f, struct err *e);

/* The row as the noun, with its body parsed into the arena. */
MUST enum rc request_read(struct arena *a, const struct request_row *row, struct request *ret, struct err *e);

/* The facts that the bytes do not have, after request_read: r->authority. */
MUST enum rc request_facts(struct factory *f, struct arena *a, struct request *r, struct err *e);
/* Whether the officer may see it: may_see_request, with the domains that the request log would give it. */
MUST enum rc request_may_see(struct factory *f, struct arena *a, const struct snapshot *policy,
			     const struct officer *who, const struct request_row *row,
			     const struct request *r, struct err *e);

#endif
