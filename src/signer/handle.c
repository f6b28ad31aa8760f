#include "base/base.h"
#include "signer/core_impl.h"

enum {
	/* the longest record that our own requests make, as it goes into a message */
	RECORD_MAX = LIMIT_TBS + LIMIT_CONTEXT + KEYSTORE_SIGNATURE_MAX + (1 << 10),
	LIST_MAX = 96 << 10, /* of keys in one message */
	LOGGED_A_SECOND = 20,
};

/* ---- parts of requests ---- */

enum rc
core_done(const struct rd *r, struct err *e)
{
	NEED(rd_done(r), e, CHY_SIGNER_MESSAGE, NULL, "truncated, or more than was expected");
	return RC_OK;
}

enum rc
core_find(struct signer_core *c, struct bytes label, struct skey **ret, struct err *e)
{
	NEED(signer_label_ok(label), e, CHY_SIGNER_LABEL, NULL, "a label of %zu bytes", label.n);
	*ret = keystore_find(c->o.keys, label);
	NEED(*ret != NULL, e, CHY_SIGNER_NO_KEY, NULL, "%.*s", BYTES_FMT(label));
	return RC_OK;
}

enum rc
core_find_of_class(struct signer_core *c, struct bytes label, enum signer_class class, struct skey **ret,
		   struct err *e)
{
	TRY(core_find(c, label, ret, e));
	NEED((*ret)->class == class, e, CHY_SIGNER_KEY_CLASS, NULL, "%s is a key of class %s, not %s",
	     (*ret)->label, signer_class_name((*ret)->class), signer_class_name(class));
	return RC_OK;
}

enum rc
core_find_alg(struct bytes name, const struct skey *k, enum sigalg *ret, struct err *e)
{
	*ret = sigalg_by_name(name);
	NEED(*ret != SIGALG_NONE, e, CHY_SIGNER_MESSAGE, NULL, "unknown signature algorithm");
	NEED(sigalg_fits(*ret, &k->type), e, CHY_SIGNER_ALGORITHM, NULL, "%s does not fit a key %s",
	     sigalg_name(*ret), k->kind);
	return RC_OK;
}

static void
put_key(struct buf *out, struct skey *k)
{
	buf_lv(out, bytes_str(k->label));
	buf_u8(out, (uint8_t)k->class);
	buf_lv(out, bytes_str(k->kind));
	buf_lv(out, bytes_str(k->where));
	buf_lv(out, k->spki);
	buf_u8(out, (uint8_t)(k->limited | keystore_there(k) << 1));
}

/* ---- hello, keys ---- */

static MUST enum rc
do_hello(struct signer_core *c, struct item *it, struct rd *r)
{
	uint16_t version = rd_u16(r);

	TRY(core_done(r, &it->e));
	NEED(version == SIGNER_VERSION, &it->e, CHY_SIGNER_PROTOCOL, NULL, "version %u, here %d", version,
	     SIGNER_VERSION);
	buf_u16(&it->payload, SIGNER_VERSION);
	buf_lv(&it->payload, BYTES(CHY_VERSION));
	return RC_OK;
}

enum rc
core_key_made(struct signer_core *c, struct skey *k, struct buf *payload, struct err *e)
{
	char context[4 * SIGNER_URI_MAX];
	const char *what = context;

	snprintf(context, sizeof(context), "class=%s kind=%s where=%s", signer_class_name(k->class), k->kind,
		 k->where);
	if (core_record(c, SJ_KEY_MADE, k, k->spki, bytes_str(context), e) != RC_OK) {
		/* what the journal does not know of must not exist */
		if (keystore_delete(c->o.keys, k, NULL) != RC_OK)
			LOG(ERROR, "signer.key-left-behind", LS("context", what));
		return e->rc;
	}
	LOG(INFO, "signer.key-made", LS("key", k->label), LS("kind", k->kind), LS("where", k->where));
	put_key(payload, k);
	return RC_OK;
}

static MUST enum rc
do_generate(struct signer_core *c, struct item *it, struct rd *r)
{
	uint8_t class = rd_u8(r);
	struct bytes label = rd_lv(r), kind = rd_lv(r), where = rd_lv(r);
	char kind_text[KEY_NAME_MAX];
	struct skey *k;

	TRY(core_done(r, &it->e));
	NEED(signer_class_name(class) != NULL, &it->e, CHY_SIGNER_MESSAGE, NULL, "class %u", class);
	NEED(kind.n < sizeof(kind_text) && where.n <= SIGNER_URI_MAX, &it->e, CHY_SIGNER_MESSAGE, NULL,
	     "kind or place too long");
	NEED(class != SIGNER_ARCHIVE || bytes_starts(kind, "p-"), &it->e, CHY_KEY_KIND, NULL,
	     "an archive key is on a NIST curve");
	TRY(core_journal_ready(c, &it->e));
	TRY(making_check(c, label, &it->e));
	snprintf(kind_text, sizeof(kind_text), "%.*s", BYTES_FMT(kind));
	if (c->fd >= 0 && bytes_starts(where, "pkcs11:")) /* without a socket nobody waits */
		return making_start(c, it, label, class, kind_text, where, &it->e);
	TRY(keystore_generate(c->o.keys, label, class, kind_text, where, &k, &it->e));
	return core_key_made(c, k, &it->payload, &it->e);
}

static MUST enum rc
do_list(struct signer_core *c, struct item *it, struct rd *r)
{
	OWN_BUF struct buf list = buf_max(LIMIT_FRAME);
	size_t from = rd_u16(r), total = keystore_count(c->o.keys), i = from;

	TRY(core_done(r, &it->e));
	for (; i < total && list.n < LIST_MAX; i++)
		put_key(&list, keystore_at(c->o.keys, i));
	buf_u16(&it->payload, (uint16_t)total);
	buf_u16(&it->payload, (uint16_t)(i - (from < i ? from : i)));
	buf_put(&it->payload, buf_bytes(&list));
	return RC_OK;
}

static MUST enum rc
do_public(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r);
	struct skey *k;

	TRY(core_done(r, &it->e));
	TRY(core_find(c, label, &k, &it->e));
	put_key(&it->payload, k);
	return RC_OK;
}

static MUST enum rc
do_delete(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r);
	struct skey *k;

	TRY(core_done(r, &it->e));
	TRY(core_find(c, label, &k, &it->e));
	/* recorded first: a key that is gone must not be missing from the journal */
	TRY(core_record(c, SJ_KEY_GONE, k, k->spki, BYTES_NONE, &it->e));
	LOG(INFO, "signer.key-gone", LS("key", k->label));
	crl_jobs_end(c->crl_jobs);
	return keystore_delete(c->o.keys, k, &it->e);
}

static MUST enum rc
do_limits_set(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), encoded = bytes_of(r->p, rd_left(r));
	struct signer_limits l;
	struct skey *k;

	TRY(signer_limits_get_from(r, &l, &it->e));
	TRY(core_done(r, &it->e));
	TRY(core_find(c, label, &k, &it->e));
	TRY(core_journal_ready(c, &it->e));
	crl_jobs_end(c->crl_jobs); /* they were begun under other limits */
	TRY(keystore_limit(c->o.keys, k, &l, &it->e));
	return core_record(c, SJ_LIMITS, k, encoded, BYTES_NONE, &it->e);
}

static MUST enum rc
do_limits_get(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r);
	struct skey *k;

	TRY(core_done(r, &it->e));
	TRY(core_find(c, label, &k, &it->e));
	NEED(k->class == SIGNER_CA || k->class == SIGNER_OCSP, &it->e, CHY_SIGNER_KEY_CLASS, NULL,
	     "only CA and OCSP keys have limits");
	NEED(k->limited, &it->e, CHY_SIGNER_NO_LIMITS, NULL, "%s", k->label);
	signer_limits_put(&it->payload, &k->limits);
	return RC_OK;
}

/* ---- signing: checks only, the rest is the batch's ---- */

/* What certificates of both kinds have in common: label, algorithm, bytes and context, and a CA key with limits. */
static MUST enum rc
take_to_sign(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), alg = rd_lv(r);

	it->tbs = rd_lv(r);
	it->context = rd_lv(r);
	TRY(core_done(r, &it->e));
	NEED(it->tbs.n <= LIMIT_TBS && it->context.n <= LIMIT_CONTEXT, &it->e, CHY_SIGNER_MESSAGE, NULL,
	     "to be signed %zu bytes, context %zu", it->tbs.n, it->context.n);
	TRY(core_find_of_class(c, label, SIGNER_CA, &it->key, &it->e));
	NEED(it->key->limited, &it->e, CHY_SIGNER_NO_LIMITS, NULL, "%s", it->key->label);
	return core_find_alg(alg, it->key, &it->alg, &it->e);
}

static MUST enum rc
do_sign_cert(struct signer_core *c, struct item *it, struct rd *r)
{
	struct tbs_view v;

	TRY(take_to_sign(c, it, r));
	if (tbs_walk(it->tbs, &v, &it->e) != RC_OK) {
		err_field(&it->e, "tbs");
		return it->e.rc;
	}
	NEED(v.sigalg == it->alg, &it->e, CHY_SIGNER_ALGORITHM, "RFC 5280 4.1.1.2",
	     "the TBSCertificate names %s", sigalg_name(v.sigalg));
	TRY(limits_check(&it->key->limits, &v, it->key->spki, &it->e));
	TRY(limits_rate(&it->key->rate, it->key->limits.per_second, clock_mono_us(), &it->e));
	it->type = SJ_CERT;
	it->signs = true;
	return RC_OK;
}

static MUST enum rc
do_sign_ac(struct signer_core *c, struct item *it, struct rd *r)
{
	struct ac_view v;

	TRY(take_to_sign(c, it, r));
	if (ac_tbs_walk(it->tbs, &v, &it->e) != RC_OK) {
		err_field(&it->e, "tbs");
		return it->e.rc;
	}
	NEED(v.sigalg == it->alg, &it->e, CHY_SIGNER_ALGORITHM, "RFC 5755 4.2.4",
	     "the AttributeCertificateInfo names %s", sigalg_name(v.sigalg));
	TRY(limits_check_ac(&it->key->limits, &v, &it->e));
	TRY(limits_rate(&it->key->rate, it->key->limits.per_second, clock_mono_us(), &it->e));
	it->type = SJ_AC;
	it->signs = true;
	return RC_OK;
}

static MUST enum rc
read_proof(struct rd *r, struct tree_proof *ret, struct err *e)
{
	struct bytes hashes;

	ret->n = rd_u16(r);
	NEED(ret->n <= TREE_PROOF_MAX, e, CHY_SIGNER_MESSAGE, NULL, "a proof of %zu hashes", ret->n);
	hashes = rd_take(r, ret->n * TREE_HASH);
	TRY(core_done(r, e));
	if (ret->n > 0)
		memcpy(ret->at, hashes.p, hashes.n);
	return RC_OK;
}

static MUST enum rc
do_sign_head(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), root;
	struct signer_head h = { .size = rd_u64(r), .at_ms = (int64_t)rd_u64(r) };
	struct tree_proof proof;

	root = rd_take(r, sizeof(h.root));
	TRY(read_proof(r, &proof, &it->e));
	memcpy(h.root, root.p, sizeof(h.root));
	TRY(core_find_of_class(c, label, SIGNER_JOURNAL, &it->key, &it->e));
	TRY(witness_check(&it->key->witness, &h, &proof, &it->e));
	signer_head_put(it->head, &h);
	it->tbs = BYTES_OF(it->head);
	it->alg = sigalg_default(&it->key->type);
	it->type = SJ_HEAD;
	it->signs = true;
	return RC_OK;
}

static MUST enum rc
do_head_last(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r);
	const struct witness *w;
	struct skey *k;

	TRY(core_done(r, &it->e));
	TRY(core_find_of_class(c, label, SIGNER_JOURNAL, &k, &it->e));
	w = &k->witness;
	buf_u64(&it->payload, w->head.size);
	buf_u64(&it->payload, (uint64_t)w->head.at_ms);
	buf_put(&it->payload, BYTES_OF(w->head.root));
	buf_u64(&it->payload, w->position);
	buf_u64(&it->payload, w->restart);
	buf_lv(&it->payload, bytes_of(w->signature, w->signature_n));
	return RC_OK;
}

static MUST enum rc
do_sign_tls(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), alg = rd_lv(r);
	enum digest d;

	it->tbs = rd_lv(r);
	TRY(core_done(r, &it->e));
	TRY(core_find_of_class(c, label, SIGNER_TLS, &it->key, &it->e));
	TRY(core_find_alg(alg, it->key, &it->alg, &it->e));
	d = sigalg_digest(it->alg);
	NEED(d == DIGEST_NONE ? it->tbs.n <= SIGNER_TLS_MAX : it->tbs.n == digest_len(d), &it->e,
	     CHY_SIGNER_MESSAGE, NULL, "%zu bytes to sign with %s", it->tbs.n, sigalg_name(it->alg));
	it->digest = true;
	it->type = SJ_TLS;
	it->signs = true;
	return RC_OK;
}

/* CertificationRequestInfo (RFC 2986 4.1) that asks for a certificate of this very key. */
static MUST enum rc
check_info(struct bytes info, struct bytes spki, struct err *e)
{
	struct err why = { 0 };
	struct der d = der_of(info, &why);
	struct bytes subject, key;

	der_enter(&d, DER_SEQUENCE);
	der_int(&d, 0, 0);
	subject = der_tlv(&d, DER_SEQUENCE);
	key = der_tlv(&d, DER_SEQUENCE);
	der_tlv(&d, DER_CTX_CONS(0));
	der_leave(&d);
	NEED(der_end(&d) == RC_OK && der_check(info, &why) == RC_OK && name_check(subject, &why) == RC_OK, e,
	     CHY_SIGNER_INFO, "RFC 2986 4.1", "%s", why.text);
	NEED(bytes_eq(key, spki), e, CHY_SIGNER_INFO, "RFC 2986 4.1", "holds another public key");
	return RC_OK;
}

/* A CA key that has limits asks for certificates in no other name than the one that it issues in. */
static MUST enum rc
check_info_name(struct bytes info, const struct skey *k, struct err *e)
{
	struct der d = der_of(info, NULL);
	struct bytes subject;

	if (!k->limited)
		return RC_OK;
	der_enter(&d, DER_SEQUENCE);
	der_int(&d, 0, 0);
	subject = der_tlv(&d, DER_SEQUENCE);
	NEED(der_ok(&d) && bytes_eq(subject, k->limits.issuer), e, CHY_SIGNER_ISSUER, "RFC 2986 4.1",
	     "the subject is not the name of the key's limits");
	return RC_OK;
}

static MUST enum rc
do_sign_csr(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), alg = rd_lv(r);

	it->tbs = rd_lv(r);
	it->context = rd_lv(r);
	TRY(core_done(r, &it->e));
	NEED(it->tbs.n <= LIMIT_TBS && it->context.n <= LIMIT_CONTEXT, &it->e, CHY_SIGNER_MESSAGE, NULL,
	     "to be signed %zu bytes, context %zu", it->tbs.n, it->context.n);
	TRY(core_find(c, label, &it->key, &it->e));
	NEED(it->key->class != SIGNER_ARCHIVE, &it->e, CHY_SIGNER_KEY_CLASS, NULL, "%s signs nothing",
	     it->key->label);
	TRY(core_find_alg(alg, it->key, &it->alg, &it->e));
	TRY(check_info(it->tbs, it->key->spki, &it->e));
	TRY(check_info_name(it->tbs, it->key, &it->e));
	it->type = SJ_CSR;
	it->signs = true;
	return RC_OK;
}

/* ---- the journal, status ---- */

/* A reader at this position: the one of the last time where that has stopped there. */
static MUST enum rc
reader_at(struct signer_core *c, uint64_t from, struct err *e)
{
	if (c->reader != NULL && c->reader_next == from)
		return RC_OK;
	sj_reader_free(c->reader);
	c->reader = NULL;
	c->reader_next = from;
	return signer_journal_open_read(c->o.journal_dir, from, &c->reader, e);
}

static MUST enum rc
read_records(struct signer_core *c, uint64_t from, struct buf *list, uint16_t *n, struct err *e)
{
	bool more = true;

	while (more && from <= sj_synced(c->o.journal) && list->n + RECORD_MAX < LIMIT_FRAME) {
		OWN(arena_free)
		struct arena *a = arena_new(2 * SJ_RECORD_MAX);
		struct sj_record rec;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "journal");
		TRY(sj_read(c->reader, a, &rec, &more, e));
		if (!more)
			break;
		signer_record_put(list, &rec);
		c->reader_next = ++from;
		++*n;
	}
	return RC_OK;
}

static MUST enum rc
do_journal_read(struct signer_core *c, struct item *it, struct rd *r)
{
	OWN_BUF struct buf list = buf_max(LIMIT_FRAME);
	uint64_t from = rd_u64(r);
	uint16_t n = 0;

	TRY(core_done(r, &it->e));
	NEED(from >= 1 && from <= sj_synced(c->o.journal) + 1, &it->e, CHY_SJ_POSITION, NULL,
	     "position %llu of %llu", (unsigned long long)from, (unsigned long long)sj_synced(c->o.journal));
	if (from <= sj_synced(c->o.journal)) {
		TRY(reader_at(c, from, &it->e));
		if (read_records(c, from, &list, &n, &it->e) != RC_OK) {
			sj_reader_free(c->reader); /* somewhere in the middle: begin anew next time */
			c->reader = NULL;
			return it->e.rc;
		}
	}
	buf_u16(&it->payload, n);
	buf_put(&it->payload, buf_bytes(&list));
	return RC_OK;
}

static MUST enum rc
do_journal_ack(struct signer_core *c, struct item *it, struct rd *r)
{
	uint64_t position = rd_u64(r);

	unsigned segments = sj_segments(c->o.journal);

	TRY(core_done(r, &it->e));
	TRY(sj_ack(c->o.journal, position, &it->e));
	if (sj_segments(c->o.journal) != segments) /* a start need not read what was archived */
		crl_seen_keep(c);
	return RC_OK;
}

static MUST enum rc
do_status(struct signer_core *c, struct item *it, struct rd *r)
{
	uint32_t n = (uint32_t)keystore_count(c->o.keys), away = 0;

	TRY(core_done(r, &it->e));
	for (uint32_t i = 0; i < n; i++)
		away += !keystore_there(keystore_at(c->o.keys, i));
	buf_u64(&it->payload, sj_synced(c->o.journal));
	buf_u64(&it->payload, sj_acked(c->o.journal));
	buf_u64(&it->payload, c->signed_total);
	buf_u64(&it->payload, c->refused_total);
	buf_u32(&it->payload, n);
	buf_u32(&it->payload, away);
	buf_u32(&it->payload, sj_segments(c->o.journal));
	buf_u8(&it->payload, sj_is_broken(c->o.journal));
	buf_u8(&it->payload, c->o.sandboxed);
	buf_u64(&it->payload, (uint64_t)c->started_at);
	return RC_OK;
}

/* ---- the table: everything that the signer does ---- */

static const struct message {
	uint16_t type;
	enum { BESIDE = 1, ACT, AFTER } when; /* core_is_beside, core_is_act, or neither */
	enum rc (*handle)(struct signer_core *c, struct item *it, struct rd *r);
} messages[] = {
	{ SIGNER_SIGN_CERT, BESIDE, do_sign_cert },
	{ SIGNER_SIGN_HEAD, ACT, do_sign_head }, /* by itself: the next one is judged by this one */
	{ SIGNER_HEAD_LAST, AFTER, do_head_last },
	{ SIGNER_SIGN_TLS, BESIDE, do_sign_tls },
	{ SIGNER_SIGN_CSR, BESIDE, do_sign_csr },
	{ SIGNER_SIGN_AC, BESIDE, do_sign_ac },
	{ SIGNER_SIGN_OCSP, BESIDE, ocsp_sign },
	{ SIGNER_CRL_BEGIN, BESIDE, crl_begin },
	{ SIGNER_CRL_ENTRIES, BESIDE, crl_entries },
	{ SIGNER_CRL_SIGN, AFTER, crl_sign },
	{ SIGNER_CRL_DROP, BESIDE, crl_drop },
	{ SIGNER_CRL_LAST, AFTER, crl_last },
	{ SIGNER_TOKEN_KEY, AFTER, token_key },
	{ SIGNER_TOKEN_PIN, AFTER, token_pin },
	{ SIGNER_TOKEN_BUILD, ACT, token_build },
	{ SIGNER_TOKEN_OPEN, AFTER, token_open },
	{ SIGNER_HELLO, AFTER, do_hello },
	{ SIGNER_KEY_GENERATE, ACT, do_generate },
	{ SIGNER_KEY_LIST, AFTER, do_list },
	{ SIGNER_KEY_PUBLIC, AFTER, do_public },
	{ SIGNER_KEY_DELETE, ACT, do_delete },
	{ SIGNER_LIMITS_SET, ACT, do_limits_set },
	{ SIGNER_LIMITS_GET, AFTER, do_limits_get },
	{ SIGNER_JOURNAL_READ, ACT, do_journal_read }, /* shows what was asked for before it */
	{ SIGNER_JOURNAL_ACK, ACT, do_journal_ack },
	{ SIGNER_STATUS, AFTER, do_status },
};

static const struct message *
message_of(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		if (messages[i].type == type)
			return &messages[i];
	return NULL;
}

bool
core_is_act(uint16_t type)
{
	const struct message *m = message_of(type);

	return m != NULL && m->when == ACT;
}

bool
core_is_beside(uint16_t type)
{
	const struct message *m = message_of(type);

	return m != NULL && m->when == BESIDE;
}

/* Whoever sends nonsense at full speed must not fill the log's disk as well. */
static bool
may_log(struct signer_core *c)
{
	int64_t now = clock_mono_us();

	if (now - c->logged_us >= 1000000) {
		if (c->logged > LOGGED_A_SECOND)
			LOG(WARNING, "signer.refused-more",
			    LI("count", (int64_t)(c->logged - LOGGED_A_SECOND)));
		c->logged_us = now;
		c->logged = 0;
	}
	return c->logged++ < LOGGED_A_SECOND;
}

void
core_handle(struct signer_core *c, struct item *it)
{
	const struct message *m = message_of(it->in.type);
	struct rd r = rd_of(it->in.payload);
	enum rc rc;

	if (m == NULL)
		rc = err_set(&it->e, CHY_SIGNER_UNKNOWN, NULL, "type %u", it->in.type);
	else
		rc = m->handle(c, it, &r);
	if (rc == RC_OK)
		return;
	it->signs = it->later = false;
	c->refused_total++;
	if (may_log(c))
		LOG(WARNING, "signer.refused", LI("type", it->in.type),
		    LS("key", it->key ? it->key->label : ""), LE(&it->e));
}
