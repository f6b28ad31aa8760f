#include "base/base.h"
#include "signer/crl_seen.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/file.h"

#define MAGIC "CHYSJL01"

enum {
	LABEL_MAX = 64,
	LEAST = 64, /* places of the table */
	ONE_BYTES = 4 + LABEL_MAX + SHA256_LEN + 8 + 8 + 1 + 2 * SHA256_LEN,
	FILE_MAX = 64 + CRL_SEEN_MAX * ONE_BYTES,
	READ_AT_ONCE = 256,
};

struct one {
	bool used;
	uint8_t label_n;
	char label[LABEL_MAX];
	uint8_t scope[SHA256_LEN];
	struct crl_last last;
};

struct crl_seen {
	struct one *v; /* open addressing; size is a power of two, at most half of it used */
	size_t size, n;
};

/* ---- what the journal keeps ---- */

void
crl_record_put(struct buf *out, const struct crl_record *r)
{
	buf_put(out, BYTES_OF(r->digest));
	buf_u64(out, r->bytes);
	buf_u64(out, r->entries);
	buf_put(out, BYTES_OF(r->scope));
	buf_u64(out, r->number);
	buf_u64(out, (uint64_t)r->this_update_at);
	buf_u8(out, r->delta);
	buf_lv(out, r->head);
	buf_lv(out, r->tail);
}

static void
take_hash(struct rd *r, uint8_t ret[SHA256_LEN])
{
	struct bytes b = rd_take(r, SHA256_LEN);

	if (b.p != NULL)
		memcpy(ret, b.p, SHA256_LEN);
}

bool
crl_record_get(struct bytes in, struct crl_record *ret)
{
	struct rd r = rd_of(in);
	uint8_t delta;

	memset(ret, 0, sizeof(*ret));
	take_hash(&r, ret->digest);
	ret->bytes = rd_u64(&r);
	ret->entries = rd_u64(&r);
	take_hash(&r, ret->scope);
	ret->number = rd_u64(&r);
	ret->this_update_at = (int64_t)rd_u64(&r);
	delta = rd_u8(&r);
	ret->delta = delta == 1;
	ret->head = rd_lv(&r);
	ret->tail = rd_lv(&r);
	return rd_done(&r) && delta <= 1;
}

/* ---- the table ---- */

enum rc
crl_seen_new(struct crl_seen **ret, struct err *e)
{
	struct crl_seen *s = calloc(1, sizeof(*s));

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "revocation lists");
	s->size = LEAST;
	s->v = calloc(s->size, sizeof(*s->v));
	if (s->v == NULL) {
		free(s);
		FAIL(e, CHY_NO_MEMORY, NULL, "revocation lists");
	}
	*ret = s;
	return RC_OK;
}

void
crl_seen_free(struct crl_seen *s)
{
	if (s == NULL)
		return;
	free(s->v);
	free(s);
}

/* The place of this scope, or the empty one where it would stand. Scopes are hashes already. */
static struct one *
place(const struct crl_seen *s, struct bytes label, const uint8_t scope[SHA256_LEN])
{
	size_t i = 0;

	memcpy(&i, scope, sizeof(i));
	for (size_t k = 0; k < label.n; k++)
		i = i * 31 + label.p[k];
	for (;; i++) {
		struct one *o = &s->v[i & (s->size - 1)];

		if (!o->used ||
		    (bytes_eq(bytes_of(o->label, o->label_n), label) &&
		     memcmp(o->scope, scope, SHA256_LEN) == 0))
			return o;
	}
}

/* Into a table of this size, without those of one label (none: all). */
static enum rc
rebuild(struct crl_seen *s, size_t size, struct bytes without, struct err *e)
{
	struct crl_seen next = { .v = calloc(size, sizeof(*s->v)), .size = size };

	NEED(next.v != NULL, e, CHY_NO_MEMORY, NULL, "%zu revocation lists", s->n);
	for (size_t i = 0; i < s->size; i++) {
		const struct one *o = &s->v[i];
		struct bytes label = bytes_of(o->label, o->label_n);

		if (!o->used || (without.n > 0 && bytes_eq(label, without)))
			continue;
		*place(&next, label, o->scope) = *o;
		next.n++;
	}
	free(s->v);
	*s = next;
	return RC_OK;
}

static enum rc
add(struct crl_seen *s, struct bytes label, const uint8_t scope[SHA256_LEN], struct one **ret, struct err *e)
{
	struct one *o = place(s, label, scope);

	if (!o->used) {
		NEED(s->n < CRL_SEEN_MAX, e, CHY_LIMIT, NULL, "revocation lists of %d kinds", CRL_SEEN_MAX);
		NEED(label.n <= LABEL_MAX, e, CHY_SJ_DAMAGED, NULL, "a label of %zu bytes", label.n);
		if (2 * (s->n + 1) > s->size) {
			TRY(rebuild(s, 2 * s->size, BYTES_NONE, e));
			o = place(s, label, scope);
		}
		*o = (struct one){ .used = true, .label_n = (uint8_t)label.n };
		memcpy(o->label, label.p, label.n);
		memcpy(o->scope, scope, SHA256_LEN);
		s->n++;
	}
	*ret = o;
	return RC_OK;
}

enum rc
crl_seen_take(struct crl_seen *s, const struct sj_record *r, struct err *e)
{
	struct crl_record c;
	struct one *o;

	if (r->type == SJ_KEY_MADE) /* a new key, if it has the label of an old one */
		return rebuild(s, s->size, r->key, e);
	if (r->type != SJ_CRL)
		return RC_OK;
	NEED(crl_record_get(r->tbs, &c), e, CHY_SJ_DAMAGED, NULL, "a revocation list's record at %llu",
	     (unsigned long long)r->position);
	TRY(add(s, r->key, c.scope, &o, e));
	if (c.number > o->last.number || !(o->last.there[0] || o->last.there[1]))
		o->last = (struct crl_last){ .number = c.number, .this_update_at = c.this_update_at };
	if (c.number == o->last.number) {
		o->last.there[c.delta] = true;
		memcpy(o->last.digest[c.delta], c.digest, SHA256_LEN);
	}
	return RC_OK;
}

const struct crl_last *
crl_seen_last(const struct crl_seen *s, struct bytes label, const uint8_t scope[SHA256_LEN])
{
	const struct one *o = place(s, label, scope);

	return o->used ? &o->last : NULL;
}

enum rc
crl_seen_check(const struct crl_seen *s, struct bytes label, const struct crl_record *r, bool *ret_again,
	       struct err *e)
{
	const struct crl_last *l = crl_seen_last(s, label, r->scope);

	*ret_again = false;
	if (l == NULL || r->number > l->number)
		return RC_OK;
	NEED(r->number == l->number, e, CHY_SIGNER_CRL_NUMBER, "RFC 5280 5.2.3", "number %llu after %llu",
	     (unsigned long long)r->number, (unsigned long long)l->number);
	if (l->there[r->delta]) {
		NEED(memcmp(l->digest[r->delta], r->digest, SHA256_LEN) == 0, e, CHY_SIGNER_CRL_NUMBER,
		     "RFC 5280 5.2.3", "another list has the number %llu", (unsigned long long)r->number);
		*ret_again = true;
		return RC_OK;
	}
	NEED(r->this_update_at == l->this_update_at, e, CHY_SIGNER_CRL_NUMBER, "RFC 5280 5.2.4",
	     "the list and the delta list %llu are not of one moment", (unsigned long long)r->number);
	return RC_OK;
}

/* ---- the copy ---- */

static void
put_one(struct buf *out, const struct one *o)
{
	buf_lv(out, bytes_of(o->label, o->label_n));
	buf_put(out, BYTES_OF(o->scope));
	buf_u64(out, o->last.number);
	buf_u64(out, (uint64_t)o->last.this_update_at);
	buf_u8(out, (uint8_t)(o->last.there[0] | o->last.there[1] << 1));
	buf_put(out, BYTES_OF(o->last.digest[0]));
	buf_put(out, BYTES_OF(o->last.digest[1]));
}

static enum rc
path_of(char *path, const char *dir, struct err *e)
{
	NEED(snprintf(path, PATH_MAX, "%s/" CRL_SEEN_NAME, dir) < PATH_MAX, e, CHY_SJ_WRITE, NULL,
	     "path too long");
	return RC_OK;
}

enum rc
crl_seen_save(const struct crl_seen *s, const char *dir, uint64_t position, const uint8_t hash[SJ_HASH],
	      struct err *e)
{
	OWN_BUF struct buf b = buf_max(FILE_MAX);
	uint8_t sum[SHA256_LEN];
	char path[PATH_MAX];

	buf_str(&b, MAGIC);
	buf_u64(&b, position);
	buf_put(&b, bytes_of(hash, SJ_HASH));
	buf_u32(&b, (uint32_t)s->n);
	for (size_t i = 0; i < s->size; i++)
		if (s->v[i].used)
			put_one(&b, &s->v[i]);
	sha256(buf_bytes(&b), sum);
	buf_put(&b, BYTES_OF(sum));
	NEED(buf_ok(&b), e, CHY_NO_MEMORY, NULL, "revocation lists");
	TRY(path_of(path, dir, e));
	return file_write(path, buf_bytes(&b), 0600, e);
}

static enum rc
get_one(struct crl_seen *s, struct rd *r, struct err *e)
{
	struct bytes label = rd_lv(r);
	uint8_t scope[SHA256_LEN] = { 0 }, there;
	struct crl_last l = { 0 };
	struct one *o;

	take_hash(r, scope);
	l.number = rd_u64(r);
	l.this_update_at = (int64_t)rd_u64(r);
	there = rd_u8(r);
	l.there[0] = there & 1;
	l.there[1] = there & 2;
	take_hash(r, l.digest[0]);
	take_hash(r, l.digest[1]);
	NEED(rd_ok(r) && label.n > 0, e, CHY_SJ_DAMAGED, NULL, "revocation lists");
	TRY(add(s, label, scope, &o, e));
	o->last = l;
	return RC_OK;
}

/* Reads the copy; *ret_position 0: there is none that counts. */
static enum rc
load_copy(struct crl_seen *s, struct bytes in, uint64_t *ret_position, uint8_t hash[SJ_HASH], struct err *e)
{
	struct rd r = rd_of(in);
	uint8_t sum[SHA256_LEN];
	uint64_t position;
	uint32_t n;

	*ret_position = 0;
	if (in.n < SHA256_LEN || !bytes_starts(in, MAGIC))
		return RC_OK;
	sha256(bytes_part(in, 0, in.n - SHA256_LEN), sum);
	if (!bytes_eq(bytes_part(in, in.n - SHA256_LEN, SHA256_LEN), BYTES_OF(sum)))
		return RC_OK;
	(void)rd_take(&r, sizeof(MAGIC) - 1);
	position = rd_u64(&r);
	take_hash(&r, hash);
	n = rd_u32(&r);
	for (uint32_t i = 0; i < n; i++)
		TRY(get_one(s, &r, e));
	*ret_position = position;
	return RC_OK;
}

/* Does this record stand at this position? */
static bool
stands(const char *dir, uint64_t position, const uint8_t hash[SJ_HASH])
{
	OWN(sj_reader_free)
	struct sj_reader *r = NULL;
	OWN(arena_free)
	struct arena *a = arena_new(2 * SJ_RECORD_MAX);
	struct sj_record rec;
	bool more;

	return a != NULL && signer_journal_open_read(dir, position, &r, NULL) == RC_OK &&
	    sj_read(r, a, &rec, &more, NULL) == RC_OK && more && memcmp(rec.hash, hash, SJ_HASH) == 0;
}

static enum rc
read_on(struct crl_seen *s, const char *dir, uint64_t from, uint64_t synced, struct err *e)
{
	OWN(sj_reader_free)
	struct sj_reader *r = NULL;
	bool more = true;

	if (from > synced)
		return RC_OK;
	TRY(signer_journal_open_read(dir, from, &r, e));
	while (more && from <= synced) {
		OWN(arena_free)
		struct arena *a = arena_new((size_t)READ_AT_ONCE * SJ_RECORD_MAX);

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "revocation lists");
		for (int k = 0; k < READ_AT_ONCE && more && from <= synced; k++) {
			struct sj_record rec;

			TRY(sj_read(r, a, &rec, &more, e));
			if (more)
				TRY(crl_seen_take(s, &rec, e));
			from++;
		}
	}
	return RC_OK;
}

enum rc
crl_seen_load(struct crl_seen *s, const char *dir, uint64_t synced, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(FILE_MAX + (1 << 10));
	uint8_t hash[SJ_HASH] = { 0 };
	uint64_t position = 0;
	struct bytes in;
	char path[PATH_MAX];

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "revocation lists");
	TRY(path_of(path, dir, e));
	if (access(path, F_OK) == 0) {
		TRY(file_read(a, path, FILE_MAX, &in, e));
		TRY(load_copy(s, in, &position, hash, e));
		if (position == 0 || position > synced || !stands(dir, position, hash)) {
			position =
			    0; /* of another journal, or of a time that was taken back: all of it is read again */
			s->n = 0;
			memset(s->v, 0, s->size * sizeof(*s->v));
		}
	}
	return read_on(s, dir, position + 1, synced, e);
}
