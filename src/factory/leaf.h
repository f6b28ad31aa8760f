/*
 * Leaves of the journal: one per event, canonical JSON, written in the same change as the fact
 * (docs/formats/journal.md).
 */
#ifndef FACTORY_LEAF_H
#define FACTORY_LEAF_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/document.h"
#include "model/log.h"
#include "store/change.h"

/* Adds a leaf to the change. object: what it is about, for the index.
   members: the kind's own members; kind, id and at are added. id 0: a new one. The arena keeps nothing afterwards. */
MUST enum rc leaf_add(struct factory *f, struct arena *a, struct change *c, enum leaf_kind kind, int64_t id,
		      int64_t object, struct json *members, struct err *e);

/* Whose word it was. */
struct json *by_request(struct arena *a, struct request_id id);
struct json *by_session(struct arena *a, struct session_id id);
struct json *by_genesis(struct arena *a, int64_t leaf);

/* SHA-256(0x00 || body), RFC 9162 2.1.1. */
void leaf_hash(struct bytes body, uint8_t hash[32]);

/* What the journal says of a refusal. Only of who has proved who it is: what a stranger tries leaves no leaf, else anybody
   could fill the journal. */
struct refusal {
	const char *act; /* "certificate.issue"; "unknown" where it cannot be told */
	const char *by;  /* "officer", "session", "request": whose try it was */
	int64_t id;      /* ... and its id */
	const struct err *why;
};

/* Is it the client that is refused, rather than us that fail? */
bool is_refusal(enum rc rc);

/* Journals it, in a change of its own, and waits until that is durable. A failure to write it is logged, never hides the
   refusal. */
void leaf_refusal(struct factory *f, const struct refusal *r);

/* The same without waiting: done is called once, when the leaf is durable or cannot be written, on a thread of the store's
   or, before this returns, on the caller's. For event threads. *r need not live on. */
typedef void refusal_done(void *arg);
void leaf_refusal_start(struct factory *f, const struct refusal *r, refusal_done *done, void *arg);

struct json *json_time(struct arena *a, int64_t at_ms);
/* [id, version] */
struct json *json_version(struct arena *a, struct doc_version v);
/* A name as text, of DER. */
struct json *json_name(struct arena *a, struct bytes der);

#endif
