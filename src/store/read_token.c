#include "base/base.h"
#include "store/core.h"

/* Questions about soft tokens and archived keys. */

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)
#define LIMIT(n) INT_VALUE((int64_t)((n) < LIMIT_PAGE ? (n) : LIMIT_PAGE))

enum rc
store_token(struct store *s, struct arena *a, int64_t id, struct token_row *ret, struct err *e)
{
	return store_row(s, a, Q_TOKEN, ARGS(I(id)), ret, e);
}

enum rc
store_tokens(struct store *s, struct arena *a, int64_t officer, int64_t after, size_t limit,
	     struct token_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_TOKENS, ARGS(I(officer), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_tokens_expired(struct store *s, struct arena *a, int64_t now_at, size_t limit, struct token_row **ret,
		     size_t *n, struct err *e)
{
	return store_rows(s, a, Q_TOKENS_EXPIRED, ARGS(I(now_at), LIMIT(limit)), ret, n, e);
}

enum rc
store_token_keys(struct store *s, struct arena *a, int64_t token, struct token_key_row **ret, size_t *n,
		 struct err *e)
{
	return store_rows(s, a, Q_TOKEN_KEYS, ARGS(I(token)), ret, n, e);
}

enum rc
store_archived(struct store *s, struct arena *a, struct bytes holder, int64_t below, size_t limit,
	       struct archived_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_ARCHIVED_OF, ARGS(BYTES_VALUE(holder), I(below), LIMIT(limit)), ret, n, e);
}

enum rc
store_choice(struct store *s, struct arena *a, int64_t certificate, struct choice_row *ret, struct err *e)
{
	return store_row(s, a, Q_CHOICE, ARGS(I(certificate)), ret, e);
}

enum rc
store_archived_key(struct store *s, struct arena *a, int64_t certificate, struct archived_row *ret,
		   struct err *e)
{
	return store_row(s, a, Q_ARCHIVED, ARGS(I(certificate)), ret, e);
}

enum rc
store_recoveries(struct store *s, struct arena *a, int64_t certificate, int64_t after, size_t limit,
		 struct recovery_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_RECOVERIES, ARGS(I(certificate), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_request_secret(struct store *s, struct arena *a, int64_t request, struct request_secret_row *ret,
		     struct err *e)
{
	return store_row(s, a, Q_REQUEST_SECRET, ARGS(I(request)), ret, e);
}
