/* What says which certificates are revoked: lists, which come in parts, and OCSP responses, which come by the hundred. */
#include "base/base.h"
#include "signer/core_impl.h"

#include "signer/crl_seen.h"

enum {
	JOBS = 24,                    /* lists begun and not ended */
	IDLE_US = 60 * 1000 * 1000,   /* then another may take the place of one */
	END_MAX = 16 << 10,           /* head or tail of a list */
	WHOLE_MAX = SIGNER_CRL_WHOLE, /* for keys that sign a message rather than its digest */
};

/* A list on its way. */
struct crl_job {
	uint32_t handle; /* 0: none any more */
	bool signing;    /* in this batch; its memory is an item's */
	uint8_t scope[SHA256_LEN];
	char label[SIGNER_LABEL_MAX + 1];
	enum sigalg alg;
	struct crl_walk walk;
	struct hasher *sha256; /* for the journal, and to sign where it is the algorithm's */
	struct hasher *other;  /* SHA-384 or SHA-512; NULL: not needed */
	struct buf whole;      /* the list, where the algorithm has no digest */
	struct buf head, tail, context, record;
	uint8_t digest[HASH_MAX];
	int64_t at_us;
};

struct crl_jobs {
	struct crl_job v[JOBS];
	uint32_t last;
};

static void
job_end(struct crl_job *j)
{
	hasher_free(j->sha256);
	hasher_free(j->other);
	buf_fini(&j->whole);
	buf_fini(&j->head);
	buf_fini(&j->tail);
	buf_fini(&j->context);
	buf_fini(&j->record);
	memset(j, 0, sizeof(*j));
}

enum rc
crl_jobs_new(struct crl_jobs **ret, struct err *e)
{
	*ret = calloc(1, sizeof(**ret));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "revocation lists");
	return RC_OK;
}

void
crl_jobs_end(struct crl_jobs *l)
{
	for (size_t i = 0; l != NULL && i < JOBS; i++)
		job_end(&l->v[i]);
}

void
crl_jobs_free(struct crl_jobs *l)
{
	crl_jobs_end(l);
	free(l);
}

/* A free place, or one that somebody has forgotten. */
static struct crl_job *
job_place(struct crl_jobs *l)
{
	int64_t now = clock_mono_us();
	struct crl_job *oldest = &l->v[0];

	for (size_t i = 0; i < JOBS; i++) {
		if (l->v[i].handle == 0 && !l->v[i].signing)
			return &l->v[i];
		if (!l->v[i].signing && (oldest->signing || l->v[i].at_us < oldest->at_us))
			oldest = &l->v[i];
	}
	if (oldest->signing || now - oldest->at_us < IDLE_US)
		return NULL;
	job_end(oldest);
	return oldest;
}

static MUST enum rc
job_of(struct crl_jobs *l, uint32_t handle, struct crl_job **ret, struct err *e)
{
	for (size_t i = 0; i < JOBS; i++)
		if (l->v[i].handle == handle && handle != 0) {
			*ret = &l->v[i];
			(*ret)->at_us = clock_mono_us();
			return RC_OK;
		}
	FAIL(e, CHY_SIGNER_CRL_JOB, NULL, "%u", handle);
}

static MUST enum rc
job_add(struct crl_job *j, struct bytes part, struct err *e)
{
	hasher_add(j->sha256, part);
	if (j->other != NULL)
		hasher_add(j->other, part);
	if (sigalg_digest(j->alg) != DIGEST_NONE)
		return RC_OK;
	buf_put(&j->whole, part);
	NEED(buf_ok(&j->whole), e, CHY_CRL_SIZE, NULL,
	     "a key that signs whole messages signs lists of at most %d bytes", WHOLE_MAX);
	return RC_OK;
}

static MUST enum rc
job_begin(struct crl_job *j, const char *label, enum sigalg alg, struct bytes head, struct bytes context,
	  struct err *e)
{
	enum digest d = sigalg_digest(alg);

	snprintf(j->label, sizeof(j->label), "%s", label);
	j->alg = alg;
	j->at_us = clock_mono_us();
	j->whole = buf_max(WHOLE_MAX);
	j->head = buf_max(END_MAX);
	j->tail = buf_max(END_MAX);
	j->context = buf_max(LIMIT_CONTEXT);
	j->record = buf_max(SJ_RECORD_MAX);
	j->sha256 = hasher_new(HASH_SHA256);
	if (d == DIGEST_SHA384 || d == DIGEST_SHA512)
		j->other = hasher_new(d == DIGEST_SHA384 ? HASH_SHA384 : HASH_SHA512);
	NEED(j->sha256 != NULL && (j->other != NULL || d == DIGEST_SHA256 || d == DIGEST_NONE), e,
	     CHY_NO_MEMORY, NULL, "a revocation list");
	buf_put(&j->head, head);
	buf_put(&j->context, context);
	NEED(buf_ok(&j->head) && buf_ok(&j->context), e, CHY_SIGNER_MESSAGE, NULL,
	     "head of %zu bytes, context of %zu", head.n, context.n);
	return job_add(j, head, e);
}

/* The list's key, with limits; other than when it was begun where it was deleted and made anew. */
static MUST enum rc
find_limited(struct signer_core *c, struct bytes label, struct skey **ret, struct err *e)
{
	TRY(core_find_of_class(c, label, SIGNER_CA, ret, e));
	NEED((*ret)->limited, e, CHY_SIGNER_NO_LIMITS, NULL, "%s", (*ret)->label);
	return RC_OK;
}

/* ---- begin, entries, drop ---- */

static MUST enum rc
check_head(struct skey *k, enum sigalg alg, struct crl_job *j, struct bytes head, struct err *e)
{
	struct bytes issuer;

	TRY_AT(crl_walk_head(&j->walk, head, &issuer, e), e, "tbs");
	NEED(j->walk.sigalg == alg, e, CHY_SIGNER_ALGORITHM, "RFC 5280 5.1.1.2", "the TBSCertList names %s",
	     sigalg_name(j->walk.sigalg));
	return limits_check_crl(&k->limits, issuer, &j->walk, e);
}

enum rc
crl_begin(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), alg = rd_lv(r), head = rd_lv(r), context = rd_lv(r);
	struct crl_job *j;
	enum rc rc;

	TRY(core_done(r, &it->e));
	TRY(find_limited(c, label, &it->key, &it->e));
	TRY(core_find_alg(alg, it->key, &it->alg, &it->e));
	j = job_place(c->crl_jobs);
	NEED(j != NULL, &it->e, CHY_SIGNER_BUSY, NULL, "%d revocation lists are on their way", JOBS);
	rc = check_head(it->key, it->alg, j, head, &it->e);
	if (rc == RC_OK)
		rc = job_begin(j, it->key->label, it->alg, head, context, &it->e);
	if (rc != RC_OK) {
		job_end(j);
		return rc;
	}
	if (++c->crl_jobs->last == 0)
		c->crl_jobs->last = 1;
	j->handle = c->crl_jobs->last;
	buf_u32(&it->payload, j->handle);
	return RC_OK;
}

enum rc
crl_entries(struct signer_core *c, struct item *it, struct rd *r)
{
	uint32_t handle = rd_u32(r);
	struct bytes part = rd_lv(r);
	struct crl_job *j;
	enum rc rc;

	TRY(core_done(r, &it->e));
	TRY(job_of(c->crl_jobs, handle, &j, &it->e));
	rc = crl_walk_entries(&j->walk, part, &it->e);
	if (rc == RC_OK)
		rc = job_add(j, part, &it->e);
	if (rc != RC_OK) {
		err_field(&it->e, "tbs");
		job_end(j);
	}
	return rc;
}

enum rc
crl_drop(struct signer_core *c, struct item *it, struct rd *r)
{
	uint32_t handle = rd_u32(r);
	struct crl_job *j;

	TRY(core_done(r, &it->e));
	TRY(job_of(c->crl_jobs, handle, &j, &it->e));
	job_end(j);
	return RC_OK;
}

/* ---- sign ---- */

/* What the journal is to have, and what tells whether the list may be signed. */
static MUST enum rc
job_finish(struct crl_job *j, struct bytes tail, struct crl_record *rec, struct err *e)
{
	struct bytes point;

	TRY_AT(crl_walk_tail(&j->walk, tail, &point, e), e, "tbs");
	TRY(job_add(j, tail, e));
	buf_put(&j->tail, tail);
	NEED(buf_ok(&j->tail), e, CHY_SIGNER_MESSAGE, NULL, "tail of %zu bytes", tail.n);
	memset(rec, 0, sizeof(*rec));
	hasher_end(j->sha256, rec->digest);
	memcpy(j->digest, rec->digest, SHA256_LEN);
	if (j->other != NULL)
		hasher_end(j->other, j->digest);
	sha256(point, rec->scope);
	memcpy(j->scope, rec->scope, SHA256_LEN);
	rec->bytes = j->walk.total;
	rec->entries = j->walk.n;
	rec->number = j->walk.number;
	rec->this_update_at = j->walk.this_update_at;
	rec->delta = j->walk.delta;
	rec->head = buf_bytes(&j->head);
	rec->tail = buf_bytes(&j->tail);
	crl_record_put(&j->record, rec);
	NEED(buf_ok(&j->record), e, CHY_NO_MEMORY, NULL, "a revocation list");
	return RC_OK;
}

/* The next list of a scope is judged by the one before, which must be synced by then. */
static MUST enum rc
check_alone(struct signer_core *c, const struct item *it, struct err *e)
{
	const struct batch *b = c->now;

	for (size_t i = 0; i < b->n; i++) {
		const struct crl_job *j = b->items[i].crl;

		NEED(j == NULL || &b->items[i] == it || !b->items[i].signs ||
			 strcmp(j->label, it->crl->label) != 0 ||
			 memcmp(j->scope, it->crl->scope, SHA256_LEN) != 0,
		     e, CHY_SIGNER_BUSY, NULL, "a list of the same row of numbers is being signed");
	}
	return RC_OK;
}

static MUST enum rc
check_job(struct signer_core *c, struct item *it, struct crl_job *j, struct bytes tail)
{
	struct crl_record rec;
	bool again;

	TRY(find_limited(c, bytes_str(j->label), &it->key, &it->e));
	TRY(job_finish(j, tail, &rec, &it->e));
	TRY(check_alone(c, it, &it->e));
	TRY(crl_seen_check(c->crl_seen, bytes_str(j->label), &rec, &again, &it->e));
	return again ? RC_OK : limits_check_crl_time(&j->walk, clock_now_ms(), &it->e);
}

/* Not by itself: lists of other scopes share its sync. The job's memory lives until the answer is put together (crl_answered). */
enum rc
crl_sign(struct signer_core *c, struct item *it, struct rd *r)
{
	uint32_t handle = rd_u32(r);
	struct bytes tail = rd_lv(r);
	struct crl_job *j;

	TRY(core_done(r, &it->e));
	TRY(job_of(c->crl_jobs, handle, &j, &it->e));
	it->crl = j;
	j->handle = 0; /* nothing more is taken for it */
	j->signing = true;
	TRY(check_job(c, it, j, tail));
	it->alg = j->alg;
	it->digest = sigalg_digest(j->alg) != DIGEST_NONE;
	it->tbs = it->digest ? bytes_of(j->digest, digest_len(sigalg_digest(j->alg))) : buf_bytes(&j->whole);
	it->record = buf_bytes(&j->record);
	it->context = buf_bytes(&j->context);
	it->type = SJ_CRL;
	it->signs = true;
	return RC_OK;
}

void
crl_answered(struct item *it)
{
	if (it->crl != NULL)
		job_end(it->crl);
	it->crl = NULL;
}

void
crl_synced(struct signer_core *c, const struct item *it)
{
	struct sj_record r = {
		.position = it->position, .type = SJ_CRL, .key = bytes_str(it->key->label), .tbs = it->record
	};
	struct err e = { 0 };

	if (crl_seen_take(c->crl_seen, &r, &e) != RC_OK) /* it is in the journal; the next start knows it */
		LOG(ERROR, "signer.list-forgotten", LS("key", it->key->label), LE(&e));
}

void
crl_seen_keep(struct signer_core *c)
{
	uint8_t hash[SJ_HASH];
	struct err e = { 0 };
	uint64_t position = sj_synced(c->o.journal);

	if (c->crl_seen == NULL || position == c->crl_kept)
		return;
	sj_synced_hash(c->o.journal, hash);
	if (fault_fails("signer.lists-kept"))
		(void)err_set(&e, CHY_FILE_WRITE, NULL, "lists");
	if (e.code != CHY_NONE || crl_seen_save(c->crl_seen, c->o.journal_dir, position, hash, &e) != RC_OK)
		LOG(WARNING, "signer.lists-not-kept", LE(&e)); /* the next start reads more of the journal */
	else
		c->crl_kept = position;
}

enum rc
crl_last(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), point = rd_lv(r);
	uint8_t scope[SHA256_LEN];
	const struct crl_last *l;
	struct skey *k;

	TRY(core_done(r, &it->e));
	TRY(core_find_of_class(c, label, SIGNER_CA, &k, &it->e));
	sha256(point, scope);
	l = crl_seen_last(c->crl_seen, label, scope);
	buf_u8(&it->payload, (uint8_t)(l == NULL ? 0 : l->there[0] | l->there[1] << 1));
	buf_u64(&it->payload, l ? l->number : 0);
	buf_u64(&it->payload, l ? (uint64_t)l->this_update_at : 0);
	for (int i = 0; i < 2; i++)
		buf_put(&it->payload, l ? BYTES_OF(l->digest[i]) : BYTES_OF((uint8_t[SHA256_LEN]){ 0 }));
	return RC_OK;
}

/* ---- OCSP ---- */

static MUST enum rc
names_of(struct skey *k, struct err *e)
{
	if (k->names.known)
		return RC_OK;
	return ocsp_names_make(&k->names, k->limits.issuer,
			       k->class == SIGNER_CA ? k->spki : k->limits.issuer_key, k->spki, e);
}

static void
sum_up(struct ocsp_sum *s, const struct ocsp_view *v)
{
	s->n++;
	if (s->n == 1 || v->produced_at < s->from_at)
		s->from_at = v->produced_at;
	for (size_t i = 0; i < v->n; i++) {
		s->status[v->v[i].status]++;
		if (v->v[i].next_update_at > s->until_at)
			s->until_at = v->v[i].next_update_at;
	}
}

static MUST enum rc
check_data(struct skey *k, enum sigalg alg, struct bytes data, struct ocsp_sum *sum, struct err *e)
{
	struct ocsp_view v;

	TRY(ocsp_data_walk(data, &v, e));
	TRY(limits_check_ocsp(&k->limits, &k->names, &v, alg, clock_now_ms(), e));
	for (size_t i = 0; i < v.n; i++)
		TRY(limits_rate(&k->rate, k->class == SIGNER_OCSP ? k->limits.per_second : 0, clock_mono_us(),
				e));
	sum_up(sum, &v);
	return RC_OK;
}

static MUST enum rc
check_list(struct item *it, uint16_t n, struct bytes list)
{
	struct rd r = rd_of(list);

	for (uint16_t i = 0; i < n; i++)
		TRY_AT(check_data(it->key, it->alg, rd_lv(&r), &it->sum, &it->e), &it->e, "data[%u]", i);
	return core_done(&r, &it->e);
}

enum rc
ocsp_sign(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), alg = rd_lv(r);
	uint16_t n = rd_u16(r);

	it->list = bytes_of(r->p, rd_left(r));
	NEED(rd_ok(r) && n >= 1 && n <= SIGNER_OCSP_MAX, &it->e, CHY_SIGNER_MESSAGE, NULL, "%u responses", n);
	TRY(core_find(c, label, &it->key, &it->e));
	NEED(it->key->class == SIGNER_OCSP || it->key->class == SIGNER_CA, &it->e, CHY_SIGNER_KEY_CLASS, NULL,
	     "%s is a key of class %s", it->key->label, signer_class_name(it->key->class));
	NEED(it->key->limited, &it->e, CHY_SIGNER_NO_LIMITS, NULL, "%s", it->key->label);
	TRY(core_find_alg(alg, it->key, &it->alg, &it->e));
	TRY(names_of(it->key, &it->e));
	TRY(check_list(it, n, it->list));
	it->type = SJ_OCSP;
	it->signs = true;
	return RC_OK;
}

/* Any thread. */
enum rc
ocsp_sign_list(struct item *it)
{
	struct rd r = rd_of(it->list);

	for (uint32_t i = 0; i < it->sum.n; i++) {
		it->signature.n = 0;
		TRY(keystore_sign(it->key, it->alg, rd_lv(&r), &it->signature, &it->e));
		NEED(buf_ok(&it->signature), &it->e, CHY_NO_MEMORY, NULL, "a signature");
		buf_lv(&it->many, buf_bytes(&it->signature));
	}
	NEED(buf_ok(&it->many), &it->e, CHY_TOO_LONG, NULL, "the signatures of %u responses are no message",
	     it->sum.n);
	return RC_OK;
}

static enum rc
hash_parts(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e)
{
	sha256_parts(parts, count, ret->b);
	return RC_OK;
}

/* The leaves of one message. */
static MUST enum rc
add_leaves(struct tree *t, const struct item *it, struct err *e)
{
	struct rd r = rd_of(it->list);

	for (uint32_t i = 0; i < it->sum.n; i++) {
		struct tree_hash leaf;

		TRY(tree_leaf(hash_parts, rd_lv(&r), &leaf, e));
		TRY(tree_add(hash_parts, t, &leaf, NULL, NULL, e));
	}
	return RC_OK;
}

static void
sum_add(struct ocsp_sum *s, const struct ocsp_sum *x)
{
	if (s->n == 0 || x->from_at < s->from_at)
		s->from_at = x->from_at;
	if (x->until_at > s->until_at)
		s->until_at = x->until_at;
	for (int i = 0; i < 3; i++)
		s->status[i] += x->status[i];
	s->n += x->n;
}

static bool
of_key(const struct item *it, const struct skey *k)
{
	return it->signs && it->e.code == CHY_NONE && it->type == SJ_OCSP && it->key == k;
}

/* One record for all that this batch signs with one key: docs/formats/signer-journal.md says why. */
void
ocsp_journal(struct sj *j, struct batch *b, size_t first, int64_t now)
{
	struct skey *k = b->items[first].key;
	uint8_t room[128];
	struct buf tbs = { .p = room, .cap = sizeof(room), .max = sizeof(room) };
	struct sj_record rec = { .at_ms = now, .type = SJ_OCSP, .key = bytes_str(k->label) };
	struct ocsp_sum sum = { 0 };
	struct tree t = { 0 };
	struct tree_hash root;
	struct err e = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = first; i < b->n && rc == RC_OK; i++)
		if (of_key(&b->items[i], k)) {
			rc = add_leaves(&t, &b->items[i], &e);
			sum_add(&sum, &b->items[i].sum);
		}
	if (rc == RC_OK)
		rc = tree_root(hash_parts, &t, &root, &e);
	if (rc == RC_OK) {
		buf_u32(&tbs, sum.n);
		buf_put(&tbs, BYTES_OF(root.b));
		for (int i = 0; i < 3; i++)
			buf_u32(&tbs, sum.status[i]);
		buf_u64(&tbs, (uint64_t)sum.from_at);
		buf_u64(&tbs, (uint64_t)sum.until_at);
		rec.tbs = buf_bytes(&tbs);
		rc = sj_add(j, &rec, &e);
	}
	for (size_t i = first; i < b->n; i++) {
		if (!of_key(&b->items[i], k))
			continue;
		b->items[i].position = rec.position;
		if (rc != RC_OK)
			b->items[i].e = e;
	}
}

void
ocsp_answer(struct item *it)
{
	buf_u64(&it->payload, it->position);
	buf_u16(&it->payload, (uint16_t)it->sum.n);
	buf_put(&it->payload, buf_bytes(&it->many));
}
