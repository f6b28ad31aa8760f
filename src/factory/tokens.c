#include "base/base.h"
#include "factory/tokens.h"

#include "factory/leaf.h"
#include "policy/path.h"
#include "signer/client_token.h"
#include "store/read.h"

static enum rc
load(struct factory *f, struct arena *a, const struct officer *who, int64_t id, struct token_row *ret,
     struct err *e)
{
	TRY(store_token(f->store, a, id, ret, e));
	NEED(ret->officer_id == who->id.v, e, CHY_TOKEN_OTHERS, NULL,
	     "token %lld was asked for by another officer", (long long)id);
	return RC_OK;
}

static struct json *
token_json(struct factory *f, struct arena *a, const struct token_row *row)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *d = snapshot_document(policy, doc_id_of(row->token_procedure));
	const char *path = d ? path_of(policy, a, d) : NULL;
	struct json *o = json_object(a);

	json_set(o, "id", json_int(a, row->id));
	json_set(o, "holder", json_str(a, row->holder));
	json_set(o, "state", json_str(a, row->state));
	json_set(o, "token_procedure", json_int(a, row->token_procedure));
	json_set(o, "token_procedure_path", path ? json_str(a, bytes_str(path)) : json_null(a));
	json_set(o, "at", json_time(a, row->at));
	json_set(o, "expires_at", row->expires_at ? json_time(a, row->expires_at) : json_null(a));
	return o;
}

enum rc
token_show(struct factory *f, struct arena *a, const struct officer *who, int64_t id, struct json **ret,
	   struct err *e)
{
	struct token_row row;

	TRY(load(f, a, who, id, &row, e));
	*ret = token_json(f, a, &row);
	return RC_OK;
}

enum rc
token_list(struct factory *f, struct arena *a, const struct officer *who, int64_t after, size_t limit,
	   struct json **ret, struct err *e)
{
	struct json *items = json_array(a);
	struct token_row *rows;
	size_t n;

	TRY(store_tokens(f->store, a, who->id.v, after, limit, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		json_add(items, token_json(f, a, &rows[i]));
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", n > 0 && n == limit ? json_int(a, rows[n - 1].id) : json_null(a));
	return RC_OK;
}

/* What happened to the file, in a leaf. */
static enum rc
put_event(struct factory *f, struct arena *a, struct change *c, int64_t id, int64_t officer,
	  const char *event, struct err *e)
{
	struct json *m = json_object(a);

	json_set(m, "token", json_int(a, id));
	json_set(m, "event", json_str(a, bytes_str(event)));
	json_set(m, "officer", officer ? json_int(a, officer) : json_null(a));
	return leaf_add(f, a, c, LEAF_TOKEN_FILE, 0, id, m, e);
}

static enum rc
commit_event(struct factory *f, struct arena *a, int64_t id, int64_t officer, const char *event, bool ends,
	     struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct change *ready;

	if (ends)
		change_token_end(c, id, bytes_str(event));
	TRY(put_event(f, a, c, id, officer, event, e));
	ready = c;
	c = NULL;
	return store_commit(f->store, ready, e);
}

static enum rc
open_box(struct factory *f, const char *purpose, int64_t id, struct bytes box, struct secret **ret,
	 struct err *e)
{
	char label[SIGNER_LABEL_MAX];

	snprintf(label, sizeof(label), "%s/%lld", purpose, (long long)id);
	return signer_token_open(f->signer, label, box, SIGNER_WAIT_MS, ret, e);
}

enum rc
token_fetch(struct factory *f, struct arena *a, const struct officer *who, int64_t id, struct json **ret,
	    struct err *e)
{
	OWN(secret_free)
	struct secret *file = NULL, *pin = NULL;
	struct token_row row;

	TRY(load(f, a, who, id, &row, e));
	NEED(bytes_is(row.state, "ready"), e, CHY_TOKEN_GONE, NULL, "the token is in state \"%.*s\"",
	     BYTES_FMT(row.state));
	TRY(open_box(f, "file", id, row.file, &file, e));
	if (row.pin.n > 0)
		TRY(open_box(f, "pin", id, row.pin, &pin, e));
	TRY(commit_event(f, a, id, who->id.v, "fetched", false, e));
	*ret = token_json(f, a, &row);
	json_set(*ret, "file", json_base64(a, secret_bytes(file)));
	if (pin != NULL)
		json_set(*ret, "pin", json_str(a, secret_bytes(pin)));
	return RC_OK;
}

enum rc
token_confirm(struct factory *f, struct arena *a, const struct officer *who, int64_t id, struct json **ret,
	      struct err *e)
{
	struct token_row row;

	TRY(load(f, a, who, id, &row, e));
	if (bytes_is(row.state, "ready")) {
		TRY(commit_event(f, a, id, who->id.v, "delivered", true, e));
		row.state = BYTES("delivered");
	}
	*ret = token_json(f, a, &row);
	return RC_OK;
}

enum rc
tokens_expire(struct factory *f, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct token_row *rows;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "tokens");
	TRY(store_tokens_expired(f->store, a, clock_now_ms(), 50, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(commit_event(f, a, rows[i].id, 0, "expired", true, e));
	return RC_OK;
}
