#include "base/base.h"
#include "store/core.h"

/* Questions about documents, requests, sessions and the small tables. */

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)
#define B(x) BYTES_VALUE(x)
#define LIMIT(n) INT_VALUE((int64_t)((n) < LIMIT_PAGE ? (n) : LIMIT_PAGE))

enum rc
store_document(struct store *s, struct arena *a, int64_t id, int64_t version, struct document_row *ret,
	       struct err *e)
{
	if (version == 0)
		return store_row(s, a, Q_DOCUMENT_CURRENT, ARGS(I(id)), ret, e);
	return store_row(s, a, Q_DOCUMENT_VERSION, ARGS(I(id), I(version)), ret, e);
}

enum rc
store_document_at(struct store *s, struct arena *a, int64_t id, int64_t at_ms, struct document_row *ret,
		  struct err *e)
{
	return store_row(s, a, Q_DOCUMENT_AT, ARGS(I(id), I(at_ms)), ret, e);
}

enum rc
store_documents(struct store *s, struct arena *a, struct bytes kind, struct bytes state, struct bytes name,
		int64_t after, size_t limit, struct document_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_DOCUMENTS, ARGS(B(kind), B(state), B(name), I(after), LIMIT(limit)), ret, n,
			  e);
}

enum rc
store_document_versions(struct store *s, struct arena *a, int64_t id, int64_t after, size_t limit,
			struct document_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_DOCUMENT_VERSIONS, ARGS(I(id), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_document_history(struct store *s, struct arena *a, int64_t after_id, int64_t after_version,
		       size_t limit, struct document_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_DOCUMENT_HISTORY, ARGS(I(after_id), I(after_version), LIMIT(limit)), ret, n,
			  e);
}

enum rc
store_document_stamp(struct store *s, int64_t *ret, struct err *e)
{
	return store_number(s, Q_DOCUMENT_STAMP, NULL, ret, e);
}

static enum rc
take_number(void *arg, const union value *cols, struct err *e)
{
	(void)e;
	*(int64_t *)arg = cols[0].i;
	return RC_OK;
}

static enum rc
snapshot_on(struct db *db, struct rows *rows, int64_t *stamp, struct err *e)
{
	enum rc rc;

	TRY(db->ops->script(db, db->ops->begin_read, e));
	rc = db->ops->query(db, Q_DOCUMENT_STAMP, NULL, take_number, stamp, e);
	if (rc == RC_OK)
		rc = db->ops->query(db, Q_SNAPSHOT, NULL, rows_add, rows, e);
	if (db->ops->script(db, "COMMIT", rc == RC_OK ? e : NULL) != RC_OK)
		(void)!db->ops->script(db, "ROLLBACK", NULL);
	return rc;
}

enum rc
store_snapshot(struct store *s, struct arena *a, struct document_row **ret, size_t *n, int64_t *stamp,
	       struct err *e)
{
	struct rows rows;
	enum rc rc = RC_AGAIN;
	bool lost = true;

	for (int tries = 0; tries < 2 && lost; tries++) { /* once more on a new connection */
		struct db *db;

		rows = (struct rows){ .a = a, .t = &table_document };
		TRY(pool_take(&s->pool, &db, e));
		err_clear(e);
		rc = snapshot_on(db, &rows, stamp, e);
		lost = db->lost;
		pool_give(&s->pool, db);
	}
	*ret = (struct document_row *)(void *)rows.p;
	*n = rows.n;
	return rc;
}

enum rc
store_draft(struct store *s, struct arena *a, int64_t id, struct draft_row *ret, struct err *e)
{
	return store_row(s, a, Q_DRAFT, ARGS(I(id)), ret, e);
}

enum rc
store_drafts(struct store *s, struct arena *a, struct bytes kind, int64_t after, size_t limit,
	     struct draft_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_DRAFTS, ARGS(B(kind), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_selection(struct store *s, struct arena *a, int64_t id, struct selection_row *ret, struct err *e)
{
	return store_row(s, a, Q_SELECTION, ARGS(I(id)), ret, e);
}

enum rc
store_selections(struct store *s, struct arena *a, int64_t officer, int64_t since_at, int64_t after,
		 size_t limit, struct selection_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_SELECTIONS, ARGS(I(officer), I(since_at), I(after), LIMIT(limit)), ret, n,
			  e);
}

enum rc
store_request(struct store *s, struct arena *a, int64_t id, struct request_row *ret, struct err *e)
{
	return store_row(s, a, Q_REQUEST, ARGS(I(id)), ret, e);
}

enum rc
store_requests(struct store *s, struct arena *a, struct bytes state, int64_t after, size_t limit,
	       struct request_row **ret, size_t *n, struct err *e)
{
	if (state.n == 0)
		return store_rows(s, a, Q_REQUESTS, ARGS(I(after), LIMIT(limit)), ret, n, e);
	return store_rows(s, a, Q_REQUESTS_IN_STATE, ARGS(B(state), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_requests_newest(struct store *s, struct arena *a, struct bytes state, int64_t before, size_t limit,
		      struct request_row **ret, size_t *n, struct err *e)
{
	int64_t below = before ? before : INT64_MAX;

	if (state.n == 0)
		return store_rows(s, a, Q_REQUESTS_NEWEST, ARGS(I(below), LIMIT(limit)), ret, n, e);
	return store_rows(s, a, Q_REQUESTS_NEWEST_IN_STATE, ARGS(B(state), I(below), LIMIT(limit)), ret, n,
			  e);
}

enum rc
store_request_ids(struct store *s, struct arena *a, struct bytes state, int64_t after, size_t limit,
		  struct number_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_REQUEST_IDS, ARGS(B(state), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_requests_expired(struct store *s, struct arena *a, struct bytes state, int64_t now_at, int64_t after,
		       size_t limit, struct number_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_REQUESTS_EXPIRED, ARGS(B(state), I(now_at), I(after), LIMIT(limit)), ret, n,
			  e);
}

enum rc
store_signers(struct store *s, struct arena *a, int64_t request_id, struct number_row **ret, size_t *n,
	      struct err *e)
{
	return store_rows(s, a, Q_SIGNERS, ARGS(I(request_id)), ret, n, e);
}

enum rc
store_first_signer(struct store *s, struct arena *a, int64_t request_id, int64_t *ret, struct err *e)
{
	struct number_row *rows;
	size_t n;

	TRY(store_signers(s, a, request_id, &rows, &n, e));
	*ret = n > 0 ? rows[0].value : 0;
	return RC_OK;
}

enum rc
store_signatures(struct store *s, struct arena *a, int64_t request_id, struct signature_row **ret, size_t *n,
		 struct err *e)
{
	return store_rows(s, a, Q_SIGNATURES, ARGS(I(request_id)), ret, n, e);
}

enum rc
store_signature_history(struct store *s, struct arena *a, int64_t after_request, int64_t after_n,
			size_t limit, struct signature_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_SIGNATURE_HISTORY, ARGS(I(after_request), I(after_n), LIMIT(limit)), ret, n,
			  e);
}

enum rc
store_session(struct store *s, struct arena *a, int64_t id, struct session_row *ret, struct err *e)
{
	return store_row(s, a, Q_SESSION, ARGS(I(id)), ret, e);
}

enum rc
store_session_by_token(struct store *s, struct arena *a, struct bytes token_hash, struct session_row *ret,
		       struct err *e)
{
	return store_row(s, a, Q_SESSION_BY_TOKEN, ARGS(B(token_hash)), ret, e);
}

enum rc
store_sessions(struct store *s, struct arena *a, struct bytes state, int64_t after, size_t limit,
	       struct session_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_SESSIONS, ARGS(B(state), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_counter(struct store *s, const char *name, int64_t *ret, struct err *e)
{
	return store_number(s, Q_COUNTER, ARGS(B(bytes_str(name))), ret, e);
}

enum rc
store_counters(struct store *s, struct arena *a, struct counter_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_COUNTERS, NULL, ret, n, e);
}

enum rc
store_setting(struct store *s, struct arena *a, const char *name, struct bytes *ret, struct err *e)
{
	struct setting_row row;

	TRY(store_row(s, a, Q_SETTING, ARGS(B(bytes_str(name))), &row, e));
	*ret = row.value;
	return RC_OK;
}

enum rc
store_settings(struct store *s, struct arena *a, const char *prefix, struct setting_row **ret, size_t *n,
	       struct err *e)
{
	char *end = arena_str(a, bytes_str(prefix));

	NEED(end != NULL && end[0] != 0, e, CHY_NO_MEMORY, NULL, "settings");
	end[strlen(end) - 1]++; /* names are ASCII */
	return store_rows(s, a, Q_SETTINGS, ARGS(B(bytes_str(prefix)), B(bytes_str(end))), ret, n, e);
}

enum rc
store_card_serial_next(struct store *s, int64_t from, int64_t to, int64_t *ret, struct err *e)
{
	return store_number(s, Q_CARD_SERIAL_NEXT, ARGS(I(from), I(to)), ret, e);
}

enum rc
store_high_id(struct store *s, int64_t *ret, struct err *e)
{
	return store_number(s, Q_HIGH_ID, NULL, ret, e);
}
