#include "base/base.h"
#include "factory/leaf.h"

#include "crypto/digest.h"

struct json *
json_time(struct arena *a, int64_t at_ms)
{
	char text[32];

	return json_str(a, bytes_str(time_text(text, at_ms)));
}

struct json *
json_base64(struct arena *a, struct bytes b)
{
	OWN_BUF struct buf out = buf_max(b.n * 2 + 16);

	base64_put(&out, b);
	return buf_ok(&out) ? json_str(a, buf_bytes(&out)) : NULL;
}

struct json *
json_hex(struct arena *a, struct bytes b)
{
	OWN_BUF struct buf out = buf_max(b.n * 2 + 16);

	hex_put(&out, b);
	return buf_ok(&out) ? json_str(a, buf_bytes(&out)) : NULL;
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

struct json *
by_officer(struct arena *a, struct officer_id id)
{
	return by(a, "officer", id.v);
}

void
leaf_hash(struct bytes body, uint8_t hash[32])
{
	const struct bytes parts[2] = { BYTES("\0"), body };

	sha256_parts(parts, 2, hash);
}

enum rc
leaf_add(struct factory *f, struct arena *a, struct change *c, const char *kind, int64_t id, int64_t object,
	 struct json *members, struct err *e)
{
	OWN_BUF struct buf body = buf_max(4 * LIMIT_CMS);
	uint8_t hash[32];

	if (id == 0)
		id = factory_new_id(f);
	json_set(members, "kind", json_str(a, bytes_str(kind)));
	json_set(members, "id", json_int(a, id));
	json_set(members, "at", json_time(a, clock_now_ms()));
	json_put_canonical(&body, members);
	NEED(buf_ok(&body) && members->count >= 3, e, CHY_NO_MEMORY, NULL, "a leaf of the journal");
	leaf_hash(buf_bytes(&body), hash);
	change_put_leaf(c,
			&(struct leaf_row){ .id = id,
					    .kind = bytes_str(kind),
					    .object = object,
					    .body = buf_bytes(&body),
					    .hash = BYTES_OF(hash) });
	return RC_OK;
}

void
leaf_refusal(struct factory *f, const char *act, struct json *by_whom, const struct err *why)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct change *c = a ? change_new() : NULL;
	struct json *m = a ? json_object(a) : NULL;
	struct err e = { 0 };
	enum rc rc;

	json_set(m, "act", a ? json_str(a, bytes_str(act)) : NULL);
	json_set(m, "by", a ? json_copy(a, by_whom) : NULL);
	json_set(m, "code", a ? json_int(a, (int64_t)why->code) : NULL);
	json_set(m, "field", a ? json_str(a, bytes_str(why->field)) : NULL);
	json_set(m, "text", a ? json_str(a, bytes_str(why->text)) : NULL);
	rc = m && c ? leaf_add(f, a, c, "refusal", 0, 0, m, &e)
		    : err_set(&e, CHY_NO_MEMORY, NULL, "a refusal");
	if (rc == RC_OK)
		rc = store_commit(f->store, c, &e);
	else
		change_free(c);
	if (rc != RC_OK)
		LOG(ERROR, "journal.refusal-not-written", LS("act", act), LE(&e));
	atomic_fetch_add(&f->figures.refused, 1);
}
