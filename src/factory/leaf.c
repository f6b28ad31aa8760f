#include "base/base.h"
#include "factory/leaf.h"

#include "crypto/digest.h"
#include "pki/name.h"

enum { NAME_TEXT_MAX = 64 << 10 };

struct json *
json_time(struct arena *a, int64_t at_ms)
{
	char text[32];

	return json_str(a, bytes_str(time_text(text, at_ms)));
}

struct json *
json_version(struct arena *a, struct doc_version v)
{
	struct json *pair = json_array(a);

	json_add(pair, json_int(a, v.id.v));
	json_add(pair, json_int(a, v.version));
	return pair;
}

struct json *
json_name(struct arena *a, struct bytes der)
{
	OWN_BUF struct buf text = buf_max(NAME_TEXT_MAX);

	name_put_der_text(&text, der);
	return json_buf(a, &text);
}

static struct json *
by(struct arena *a, const char *what, int64_t id)
{
	struct json *o = json_object(a);

	json_set(o, what, json_int(a, id));
	return o;
}

struct json *
by_request(struct arena *a, struct request_id id)
{
	return by(a, "request", id.v);
}

struct json *
by_session(struct arena *a, struct session_id id)
{
	return by(a, "session", id.v);
}

struct json *
by_genesis(struct arena *a, int64_t leaf)
{
	return by(a, "genesis", leaf);
}

void
leaf_hash(struct bytes body, uint8_t hash[32])
{
	const struct bytes parts[2] = { BYTES("\0"), body };

	sha256_parts(parts, 2, hash);
}

enum rc
leaf_add(struct factory *f, struct arena *a, struct change *c, enum leaf_kind kind, int64_t id,
	 int64_t object, struct json *members, struct err *e)
{
	OWN_BUF struct buf body = buf_max(4 * LIMIT_CMS);
	uint8_t hash[32];

	if (id == 0)
		id = factory_new_id(f);
	json_set(members, "kind", json_str(a, bytes_str(leaf_kind_name(kind))));
	json_set(members, "id", json_int(a, id));
	json_set(members, "at", json_time(a, clock_now_ms()));
	json_put_canonical(&body, members);
	NEED(buf_ok(&body) && members->count >= 3, e, CHY_NO_MEMORY, NULL, "a leaf of the journal");
	leaf_hash(buf_bytes(&body), hash);
	change_put_leaf(c,
			&(struct leaf_row){ .id = id,
					    .kind = bytes_str(leaf_kind_name(kind)),
					    .object = object,
					    .body = buf_bytes(&body),
					    .hash = BYTES_OF(hash) });
	return RC_OK;
}

/* The change with the leaf of a refusal. */
static enum rc
refusal_change(struct factory *f, const struct refusal *r, struct change **ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	OWN(change_free)
	struct change *c = change_new();
	struct json *m, *by;

	NEED(a != NULL && c != NULL, e, CHY_NO_MEMORY, NULL, "a refusal");
	m = json_object(a);
	by = json_object(a);
	json_set(by, r->by, json_int(a, r->id));
	json_set(m, "act", json_str(a, bytes_str(r->act)));
	json_set(m, "by", by);
	json_set(m, "code", json_int(a, (int64_t)r->why->code));
	if (r->why->cause != CHY_NONE)
		json_set(m, "cause", json_int(a, (int64_t)r->why->cause));
	json_set(m, "field", json_str(a, bytes_str(r->why->field)));
	if (r->why->rule != NULL)
		json_set(m, "rule", json_str(a, bytes_str(r->why->rule)));
	json_set(m, "text", json_str(a, bytes_str(r->why->text)));
	TRY(leaf_add(f, a, c, LEAF_REFUSAL, 0, 0, m, e));
	*ret = c;
	c = NULL;
	return RC_OK;
}

bool
is_refusal(enum rc rc)
{
	return rc == RC_DENIED || rc == RC_MALFORMED || rc == RC_NOT_FOUND || rc == RC_CONFLICT;
}

struct waiting_refusal {
	refusal_done *done;
	void *arg;
};

static void
refusal_ended(void *arg, enum rc rc, const struct err *e)
{
	struct waiting_refusal *w = arg;

	if (rc != RC_OK)
		LOG(ERROR, "journal.refusal-not-written", LE(e));
	w->done(w->arg);
	free(w);
}

void
leaf_refusal_start(struct factory *f, const struct refusal *r, refusal_done *done, void *arg)
{
	struct waiting_refusal *w = malloc(sizeof(*w));
	struct change *c = NULL;
	struct err e = { 0 };
	enum rc rc;

	atomic_fetch_add(&f->figures.refused, 1);
	rc = w ? refusal_change(f, r, &c, &e) : err_set(&e, CHY_NO_MEMORY, NULL, "a refusal");
	if (rc == RC_OK) {
		*w = (struct waiting_refusal){ done, arg };
		rc = store_submit(f->store, c, refusal_ended, w, &e);
	}
	if (rc == RC_OK)
		return;
	change_free(c);
	free(w);
	LOG(ERROR, "journal.refusal-not-written", LS("act", r->act), LE(&e));
	done(arg);
}

void
leaf_refusal(struct factory *f, const struct refusal *r)
{
	struct change *c = NULL;
	struct err e = { 0 };
	enum rc rc = refusal_change(f, r, &c, &e);

	atomic_fetch_add(&f->figures.refused, 1);
	if (rc == RC_OK)
		rc = store_commit(f->store, c, &e);
	if (rc != RC_OK)
		LOG(ERROR, "journal.refusal-not-written", LS("act", r->act), LE(&e));
}
