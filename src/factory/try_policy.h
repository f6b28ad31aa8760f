/*
 * Policy tried before it is signed: a snapshot in which a draft, or a body that nobody has stored, stands in place of what is
 * in force. Nothing is signed and nothing is stored.
 */
#ifndef FACTORY_TRY_POLICY_H
#define FACTORY_TRY_POLICY_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/document.h"
#include "model/officer.h"

enum { SIMULATE_LAST_MAX = 1000, SIMULATE_LAST = 100 };

/*
 * What a changed document would have made of past requests. in: {"kind", "draft" or "body", "object"?, "since"?, "last"?}:
 * a draft's id or a whole body; object: what it changes, by id, name or path (none: the document of its name in its domain; of a
 * body that says no domain the one that the officer finds by this name; else a new one); requests since a time, the newest
 * `last`. *ret: {"document": {"id", "path", "version"}, "tried", "same", "different", "refused", "accepted",
 * "refused_otherwise", "unusable", "oldest", "items": [...]}, items being what does not stay the same. Tried are
 * requests that officers signed, each certificate, key of a soft token and attribute certificate by itself (past.h), and those of
 * sessions that are remembered (remember.h), by the rules as they stood when they came: at their time, with sessions that
 * were open. Codes: those of document_check, ROLE_MISSING, REF_*, JSON_*.
 */
MUST enum rc policy_simulate(struct factory *f, struct arena *a, const struct snapshot *policy,
			     const struct officer *who, const struct json *in, struct json **ret,
			     struct err *e);

/*
 * Which certificate procedure each key would get (policy/preview.h). in: {"token_procedure" (id or name) or "draft" or
 * "body", "keys": [{"name"?, "key_usage"?: [...], "request"?: PEM or base64}]}; no keys: all that it makes, or
 * what each of its procedures is for. A draft may be incomplete.
 */
MUST enum rc policy_preview(struct factory *f, struct arena *a, const struct snapshot *policy,
			    const struct officer *who, const struct json *in, struct json **ret,
			    struct err *e);

/* The snapshot with the changed document in it, with a reference for the caller. lenient: incomplete drafts too. */
MUST enum rc policy_changed(struct factory *f, struct arena *a, const struct snapshot *policy,
			    const struct officer *who, enum kind_id kind, const struct json *in, bool lenient,
			    struct doc_id *ret_id, struct snapshot **ret, struct err *e);

#endif
