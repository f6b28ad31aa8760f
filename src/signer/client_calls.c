#include "base/base.h"
#include "signer/client_impl.h"

/* One buffer as the whole of a request. */
static MUST enum rc
ask(struct signer *s, uint16_t type, struct buf *request, int timeout_ms, struct arena *a, struct bytes *ret,
    struct err *e)
{
	struct bytes parts[] = { buf_bytes(request) };

	NEED(buf_ok(request), e, CHY_TOO_LONG, NULL, "a request to the signer");
	return signer_ask(s, type, parts, 1, timeout_ms, a, ret, e);
}

static void
get_key(struct rd *r, struct arena *a, struct signer_key *k)
{
	char kind[KEY_NAME_MAX];
	struct bytes text;
	uint8_t flags;

	k->label = rd_lv(r);
	k->class = (enum signer_class)rd_u8(r);
	text = rd_lv(r);
	snprintf(kind, sizeof(kind), "%.*s", BYTES_FMT(text));
	k->kind = arena_str(a, bytes_str(kind));
	k->where = rd_lv(r);
	k->spki = rd_lv(r);
	flags = rd_u8(r);
	k->limited = (flags & 1) != 0;
	k->there = (flags & 2) != 0;
}

static MUST enum rc
one_key(struct bytes answer, struct arena *a, struct signer_key *ret, struct err *e)
{
	struct rd r = rd_of(answer);

	get_key(&r, a, ret);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "a key's form");
	NEED(ret->kind != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	return RC_OK;
}

enum rc
signer_key_generate(struct signer *s, const char *label, enum signer_class class, const char *kind,
		    const char *where, int timeout_ms, struct arena *a, struct signer_key *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(4 << 10);
	struct bytes answer;

	buf_u8(&b, (uint8_t) class);
	buf_lv(&b, bytes_str(label));
	buf_lv(&b, bytes_str(kind));
	buf_lv(&b, bytes_str(where));
	TRY(ask(s, SIGNER_KEY_GENERATE, &b, timeout_ms, a, &answer, e));
	return one_key(answer, a, ret, e);
}

/* Keys of one answer behind those that are there already. */
static MUST enum rc
some_keys(struct bytes answer, struct arena *a, struct signer_key *list, size_t *n, size_t *ret_total,
	  struct err *e)
{
	struct rd r = rd_of(answer);
	size_t here;

	*ret_total = rd_u16(&r);
	here = rd_u16(&r);
	NEED(rd_ok(&r) && *n + here <= SIGNER_KEYS_MAX, e, CHY_SIGNER_ANSWER, NULL, "%zu keys", here);
	for (size_t i = 0; i < here; i++)
		get_key(&r, a, &list[(*n)++]);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "a list of keys");
	if (here == 0)
		*ret_total = *n;
	return RC_OK;
}

enum rc
signer_key_list(struct signer *s, int timeout_ms, struct arena *a, struct signer_key **ret, size_t *ret_n,
		struct err *e)
{
	size_t n = 0, total = 1;

	*ret = arena_array(a, SIGNER_KEYS_MAX, sizeof(**ret));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "keys");
	while (n < total) {
		OWN_BUF struct buf b = buf_max(16);
		struct bytes answer;

		buf_u16(&b, (uint16_t)n);
		TRY(ask(s, SIGNER_KEY_LIST, &b, timeout_ms, a, &answer, e));
		TRY(some_keys(answer, a, *ret, &n, &total, e));
	}
	*ret_n = n;
	return RC_OK;
}

enum rc
signer_key_public(struct signer *s, const char *label, int timeout_ms, struct arena *a,
		  struct signer_key *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 10);
	struct bytes answer;

	buf_lv(&b, bytes_str(label));
	TRY(ask(s, SIGNER_KEY_PUBLIC, &b, timeout_ms, a, &answer, e));
	return one_key(answer, a, ret, e);
}

enum rc
signer_key_delete(struct signer *s, const char *label, int timeout_ms, struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 10);

	buf_lv(&b, bytes_str(label));
	return ask(s, SIGNER_KEY_DELETE, &b, timeout_ms, NULL, NULL, e);
}

enum rc
signer_limits_set(struct signer *s, const char *label, const struct signer_limits *l, int timeout_ms,
		  struct err *e)
{
	OWN_BUF struct buf b = buf_max(64 << 10);

	buf_lv(&b, bytes_str(label));
	signer_limits_put(&b, l);
	return ask(s, SIGNER_LIMITS_SET, &b, timeout_ms, NULL, NULL, e);
}

enum rc
signer_limits_get(struct signer *s, const char *label, int timeout_ms, struct arena *a,
		  struct signer_limits *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 10);
	struct bytes answer;
	struct rd r;

	buf_lv(&b, bytes_str(label));
	TRY(ask(s, SIGNER_LIMITS_GET, &b, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	return signer_limits_get_from(&r, ret, e);
}

static MUST enum rc
ask_signed(struct signer *s, uint16_t type, struct buf *b, int timeout_ms, struct arena *a,
	   struct signed_cert *ret, struct err *e)
{
	struct bytes answer;

	TRY(ask(s, type, b, timeout_ms, a, &answer, e));
	return signer_decode_signed(answer, ret, e);
}

enum rc
signer_head_last(struct signer *s, const char *label, int timeout_ms, struct arena *a,
		 struct signer_last_head *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 10);
	struct bytes answer, root;
	struct rd r;

	buf_lv(&b, bytes_str(label));
	TRY(ask(s, SIGNER_HEAD_LAST, &b, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	*ret = (struct signer_last_head){ .head.size = rd_u64(&r), .head.at_ms = (int64_t)rd_u64(&r) };
	root = rd_take(&r, sizeof(ret->head.root));
	ret->position = rd_u64(&r);
	ret->restart = rd_u64(&r);
	ret->signature = rd_lv(&r);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "the last head");
	memcpy(ret->head.root, root.p, root.n);
	return RC_OK;
}

enum rc
signer_sign_head(struct signer *s, const char *label, const struct signer_head *head,
		 const struct tree_proof *proof, int timeout_ms, struct arena *a, struct signed_cert *ret,
		 struct err *e)
{
	OWN_BUF struct buf b = buf_max(4 << 10);

	buf_lv(&b, bytes_str(label));
	buf_u64(&b, head->size);
	buf_u64(&b, (uint64_t)head->at_ms);
	buf_put(&b, BYTES_OF(head->root));
	buf_u16(&b, (uint16_t)proof->n);
	buf_put(&b, bytes_of(proof->at, proof->n * TREE_HASH));
	return ask_signed(s, SIGNER_SIGN_HEAD, &b, timeout_ms, a, ret, e);
}

enum rc
signer_sign_tls(struct signer *s, const char *label, enum sigalg alg, struct bytes digest, int timeout_ms,
		struct arena *a, struct signed_cert *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(SIGNER_TLS_MAX + 1024);

	buf_lv(&b, bytes_str(label));
	buf_lv(&b, bytes_str(sigalg_name(alg)));
	buf_lv(&b, digest);
	return ask_signed(s, SIGNER_SIGN_TLS, &b, timeout_ms, a, ret, e);
}

enum rc
signer_sign_csr(struct signer *s, const char *label, enum sigalg alg, struct bytes info, struct bytes context,
		int timeout_ms, struct arena *a, struct signed_cert *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(LIMIT_FRAME);

	buf_lv(&b, bytes_str(label));
	buf_lv(&b, bytes_str(sigalg_name(alg)));
	buf_lv(&b, info);
	buf_lv(&b, context);
	return ask_signed(s, SIGNER_SIGN_CSR, &b, timeout_ms, a, ret, e);
}

enum rc
signer_journal_read(struct signer *s, uint64_t from, int timeout_ms, struct arena *a, struct sj_record **ret,
		    size_t *ret_n, struct err *e)
{
	OWN_BUF struct buf b = buf_max(16);
	struct bytes answer;
	struct rd r;

	buf_u64(&b, from);
	TRY(ask(s, SIGNER_JOURNAL_READ, &b, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	*ret_n = rd_u16(&r);
	*ret = arena_array(a, *ret_n, sizeof(**ret));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "journal records");
	for (size_t i = 0; i < *ret_n; i++)
		signer_record_get(&r, &(*ret)[i]);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "journal records");
	return RC_OK;
}

enum rc
signer_journal_ack(struct signer *s, uint64_t position, int timeout_ms, struct err *e)
{
	OWN_BUF struct buf b = buf_max(16);

	buf_u64(&b, position);
	return ask(s, SIGNER_JOURNAL_ACK, &b, timeout_ms, NULL, NULL, e);
}

enum rc
signer_status(struct signer *s, int timeout_ms, struct signer_status *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 10);
	struct bytes answer;
	struct rd r;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the signer's status");
	TRY(signer_ask(s, SIGNER_STATUS, NULL, 0, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	ret->synced = rd_u64(&r);
	ret->acked = rd_u64(&r);
	ret->signed_total = rd_u64(&r);
	ret->refused_total = rd_u64(&r);
	ret->keys = rd_u32(&r);
	ret->keys_away = rd_u32(&r);
	ret->segments = rd_u32(&r);
	ret->journal_broken = rd_u8(&r) == 1;
	ret->sandboxed = rd_u8(&r) == 1;
	ret->started_at = (int64_t)rd_u64(&r);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "status");
	return RC_OK;
}
