#include "base/base.h"
#include "signer/witness.h"

#include <limits.h>

#include "crypto/digest.h"
#include "signer/journal_record.h"

enum { RECORDS_AT_ONCE = 256 };

static bool
head_read(struct bytes tbs, struct signer_head *ret)
{
	uint8_t again[SIGNER_HEAD_BYTES];
	struct rd r = rd_of(tbs);
	struct bytes root;

	(void)rd_take(&r, 32);
	ret->size = rd_u64(&r);
	ret->at_ms = (int64_t)rd_u64(&r);
	root = rd_take(&r, sizeof(ret->root));
	if (!rd_done(&r))
		return false;
	memcpy(ret->root, root.p, sizeof(ret->root));
	signer_head_put(again, ret);
	return bytes_eq(tbs, BYTES_OF(again));
}

void
witness_take(struct witness *w, const struct sj_record *r, bool *ret_known)
{
	struct signer_head h;

	if (r->type == SJ_KEY_MADE) { /* a new key, if it has the label of an old one */
		*w = (struct witness){ 0 };
		*ret_known = true;
	} else if ((r->type == SJ_HEAD || r->type == SJ_RESTART) && head_read(r->tbs, &h)) {
		w->head = h;
		w->restart = r->type == SJ_RESTART ? r->position : 0;
		w->position = r->position;
		w->signature_n = r->signature.n <= sizeof(w->signature) ? r->signature.n : 0;
		if (w->signature_n > 0)
			memcpy(w->signature, r->signature.p, w->signature_n);
		*ret_known = true;
	}
}

/* ---- from the journal ---- */

struct search {
	const char *dir;
	const char *const *labels;
	struct witness *const *w;
	size_t n, known_n;
	bool *known;
};

static enum rc
segments_of(const char *dir, uint64_t **ret, size_t *ret_n, struct err *e)
{
	char archive[PATH_MAX];
	uint64_t *live, *old, *all;
	size_t n_live, n_old;
	enum rc rc;

	NEED(snprintf(archive, sizeof(archive), "%s/archive", dir) < (int)sizeof(archive), e, CHY_SJ_READ,
	     NULL, "path too long");
	TRY(sj_list(dir, &live, &n_live, e));
	rc = sj_list(archive, &old, &n_old, e);
	if (rc != RC_OK) {
		free(live);
		return rc;
	}
	all = reallocarray(old, n_old + n_live + 1, sizeof(*all));
	if (all == NULL) {
		free(live);
		free(old);
		FAIL(e, CHY_NO_MEMORY, NULL, "segments of %s", dir);
	}
	if (n_live > 0) /* archived ones are older: ascending as a whole */
		memcpy(all + n_old, live, n_live * sizeof(*all));
	free(live);
	*ret = all;
	*ret_n = n_old + n_live;
	return RC_OK;
}

/* One segment, from its first record up to the next segment's. */
static enum rc
search_segment(struct search *s, uint64_t first, uint64_t end, bool *fresh, struct err *e)
{
	OWN(sj_reader_free)
	struct sj_reader *r = NULL;
	bool more = true;
	uint64_t next = first;

	TRY(signer_journal_open_read(s->dir, first, &r, e));
	while (more && next < end) {
		OWN(arena_free)
		struct arena *a = arena_new((size_t)RECORDS_AT_ONCE * SJ_RECORD_MAX);

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the last head");
		for (int k = 0; k < RECORDS_AT_ONCE && more && next < end; k++) {
			struct sj_record rec;

			TRY(sj_read(r, a, &rec, &more, e));
			if (!more)
				break;
			next = rec.position + 1;
			for (size_t i = 0; i < s->n; i++)
				if (!s->known[i] && bytes_is(rec.key, s->labels[i]))
					witness_take(s->w[i], &rec, &fresh[i]);
		}
	}
	return RC_OK;
}

static enum rc
search_all(struct search *s, const uint64_t *segments, size_t n_segments, struct err *e)
{
	uint64_t end = UINT64_MAX;

	for (size_t at = n_segments; at-- > 0 && s->known_n < s->n; end = segments[at]) {
		bool fresh[SIGNER_KEYS_MAX] = { false };

		TRY(search_segment(s, segments[at], end, fresh, e));
		for (size_t i = 0; i < s->n; i++)
			if (fresh[i]) {
				s->known[i] = true;
				s->known_n++;
			}
	}
	return RC_OK;
}

enum rc
witness_load(const char *dir, const char *const *labels, struct witness *const *w, size_t n, struct err *e)
{
	bool known[SIGNER_KEYS_MAX] = { false };
	struct search s = { .dir = dir, .labels = labels, .w = w, .n = n, .known = known };
	uint64_t *segments;
	size_t n_segments;
	enum rc rc;

	NEED(n <= SIGNER_KEYS_MAX, e, CHY_LIMIT, NULL, "%zu journal keys", n);
	for (size_t i = 0; i < n; i++)
		*w[i] = (struct witness){ 0 };
	TRY(segments_of(dir, &segments, &n_segments, e));
	rc = search_all(&s, segments, n_segments, e);
	free(segments);
	return rc;
}

/* ---- the judgement ---- */

static enum rc
hash_parts(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e)
{
	sha256_parts(parts, count, ret->b);
	return RC_OK;
}

enum rc
witness_check(const struct witness *w, const struct signer_head *h, const struct tree_proof *proof,
	      struct err *e)
{
	struct tree_hash before, now;
	struct err why = { 0 };

	if (w->head.size == 0 || w->restart != 0)
		return RC_OK;
	NEED(h->size >= w->head.size, e, CHY_SIGNER_HEAD_BACK, "RFC 9162 2.1.4",
	     "%llu leaves after a head over %llu: the store lost the end of its journal. Keep a copy of the "
	     "database and find out why; after a restore: chancery journal restart --after-restore",
	     (unsigned long long)h->size, (unsigned long long)w->head.size);
	NEED(h->at_ms >= w->head.at_ms, e, CHY_SIGNER_HEAD_BACK, "RFC 9162 4.10",
	     "a head of an earlier time (%lld ms) than the one signed last (%lld ms)", (long long)h->at_ms,
	     (long long)w->head.at_ms);
	memcpy(before.b, w->head.root, TREE_HASH);
	memcpy(now.b, h->root, TREE_HASH);
	NEED(tree_verify_consistency(hash_parts, w->head.size, &before, h->size, &now, proof, &why) == RC_OK,
	     e, CHY_SIGNER_HEAD_OTHER, "RFC 9162 2.1.4",
	     "the tree of %llu leaves does not continue the head over %llu: leaves were exchanged. Keep a "
	     "copy "
	     "of the database and find out why; after a restore: chancery journal restart --after-restore",
	     (unsigned long long)h->size, (unsigned long long)w->head.size);
	return RC_OK;
}
