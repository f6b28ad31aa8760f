/*
 * Which certificate procedure of a token procedure would each key of a token get, and why not the others: the choice that
 * issuing makes (select.h), asked beforehand. Pure; works on any snapshot, also on one with a draft in it.
 */
#ifndef POLICY_PREVIEW_H
#define POLICY_PREVIEW_H

#include "base/json.h"
#include "policy/select.h"

enum { PREVIEW_KEYS_MAX = 64 };

struct preview_key {
	struct bytes name; /* "key 1" */
	bool has_usage;    /* the request has the extension */
	uint16_t usages;
};

/*
 * {"token_procedure", "state", "unusable", "certificates": [...], "attribute_certificates": [{"id", "name"}], "recovers": [{"id", "name"}],
 * "keys": [{"name", "key_usage", "chosen", "problem", "considered": [...]}]}.
 * chosen: id and name; null where none matches, and problem says so ({"code", "detail"}). Of a chosen one that could not
 * issue now (closed, its authority has no certificate ...) its entry says why, as of every other: "unusable".  "certificates" are all its certificate procedures in
 * their order: {"id", "name", "authority", "format", "key_usage", "validity", "key" (made by the server, else null), "archived",
 * "unusable", "warning" (a validity beyond the authority's)}. n 0: where the server makes the keys all of them; else
 * a request without key usage, and one with the usages of each procedure. Codes: REF_NOTHING, NO_MEMORY.
 */
MUST enum rc preview_token_procedure(struct arena *a, const struct snapshot *policy,
				     struct doc_id token_procedure, const struct preview_key *keys, size_t n,
				     int64_t now_ms, struct json **ret, struct err *e);

/* The certificate procedure that a key's request gets; NULL: none matches, or memory is out. */
const struct procedure *preview_chosen(struct arena *a, const struct token_procedure *t,
				       const struct preview_key *key);

#endif
