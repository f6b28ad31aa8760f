#include "base/base.h"
#include "signer/journal_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 4 * SJ_RECORD_MAX };

struct sj_reader {
	char dir[PATH_MAX];
	int fd;           /* -1: no segment open */
	uint64_t segment; /* its first position */
	uint64_t size;    /* its bytes */
	uint64_t off;     /* of the next record */
	uint64_t next;    /* its position */
	uint8_t hash[SJ_HASH];
	uint8_t *window; /* what was read at window_off */
	uint64_t window_off;
	size_t window_n;
};

static enum rc
damaged(const struct sj_reader *r, uint64_t position, const char *what, struct err *e)
{
	FAIL(e, CHY_SJ_DAMAGED, NULL, "%s: %s at position %llu", r->dir, what, (unsigned long long)position);
}

static int
open_named(const struct sj_reader *r, const char *sub, uint64_t first)
{
	char name[SJ_NAME_MAX], path[PATH_MAX];

	sj_name_put(name, first);
	if (snprintf(path, sizeof(path), "%s/%s%s", r->dir, sub, name) >= (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Opens the segment that begins with this position; the signer may archive it at this very moment. */
static enum rc
open_segment(struct sj_reader *r, uint64_t first, struct err *e)
{
	uint8_t head[SJ_HEADER];
	struct sj_segment s;
	struct stat st;
	int fd = open_named(r, "", first);

	if (fd < 0)
		fd = open_named(r, "archive/", first);
	NEED(fd >= 0, e, CHY_SJ_READ, NULL, "%s: segment %llu: %s", r->dir, (unsigned long long)first,
	     strerror(errno));
	if (r->fd >= 0)
		close(r->fd);
	r->fd = fd;
	if (pread(fd, head, sizeof(head), 0) != SJ_HEADER || !sj_header_get(BYTES_OF(head), &s) ||
	    s.first != first || fstat(fd, &st) != 0 || (uint64_t)st.st_size < s.size)
		return damaged(r, first, "segment header", e);
	if (r->next != 0 && (r->next != first || memcmp(r->hash, s.prev, SJ_HASH) != 0))
		return damaged(r, r->next, "segments do not join", e);
	memcpy(r->hash, s.prev, SJ_HASH);
	r->segment = r->next = first;
	r->size = (uint64_t)st.st_size;
	r->off = SJ_HEADER;
	r->window_n = 0;
	return RC_OK;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* All segments, archived ones too, ascending. The live folder is listed first: what moves meanwhile is seen
   twice, not missed, and that does no harm. */
static enum rc
list_all(const struct sj_reader *r, uint64_t **ret, size_t *ret_n, struct err *e)
{
	char path[PATH_MAX];
	uint64_t *live, *old, *all;
	size_t nlive, nold;
	enum rc rc;

	NEED(snprintf(path, sizeof(path), "%s/archive", r->dir) < (int)sizeof(path), e, CHY_SJ_READ, NULL,
	     "path too long");
	TRY(sj_list(r->dir, &live, &nlive, e));
	rc = sj_list(path, &old, &nold, e);
	if (rc != RC_OK) {
		free(live);
		return rc;
	}
	all = reallocarray(live, nlive + nold + 1, sizeof(*all));
	if (all == NULL) {
		free(live);
		free(old);
		FAIL(e, CHY_NO_MEMORY, NULL, "segments of %s", r->dir);
	}
	if (nold > 0)
		memcpy(all + nlive, old, nold * sizeof(*all));
	free(old);
	qsort(all, nlive + nold, sizeof(*all), by_value);
	*ret = all;
	*ret_n = nlive + nold;
	return RC_OK;
}

/* The first segment that begins above `above`, or 0. */
static enum rc
segment_above(const struct sj_reader *r, uint64_t above, uint64_t *ret, struct err *e)
{
	uint64_t *all;
	size_t n;

	*ret = 0;
	TRY(list_all(r, &all, &n, e));
	for (size_t i = 0; i < n && *ret == 0; i++)
		if (all[i] > above)
			*ret = all[i];
	free(all);
	return RC_OK;
}

static enum rc
fill_window(struct sj_reader *r, struct err *e)
{
	ssize_t n = pread(r->fd, r->window, WINDOW, (off_t)r->off);

	NEED(n >= 0, e, CHY_SJ_READ, NULL, "%s: %s", r->dir, strerror(errno));
	r->window_off = r->off;
	r->window_n = (size_t)n;
	return RC_OK;
}

static bool
from_window(struct sj_reader *r, struct sj_record *rec, size_t *ret_n)
{
	struct bytes in = bytes_of(r->window, r->window_n);

	if (r->window_n == 0 || r->off < r->window_off)
		return false;
	*ret_n = sj_record_get(bytes_part(in, r->off - r->window_off, SIZE_MAX), rec);
	return *ret_n > 0;
}

/* Does the rest of the segment show that the record missing here had been synced once? */
static enum rc
check_tail(struct sj_reader *r, struct err *e)
{
	size_t n = (size_t)(r->size - r->off), did = 0, len;
	uint8_t *rest = malloc(n + 1);
	struct sj_record rec;
	ssize_t got;
	bool bad;

	NEED(rest != NULL, e, CHY_NO_MEMORY, NULL, "a segment's tail");
	while (did < n && (got = pread(r->fd, rest + did, n - did, (off_t)(r->off + did))) > 0)
		did += (size_t)got;
	bad = sj_is_damage(bytes_of(rest, did), r->next);
	free(rest);
	if (!bad)
		return RC_OK;
	/* the signer may have gone on while we looked: then the record is there by now */
	TRY(fill_window(r, e));
	return from_window(r, &rec, &len) ? RC_OK : damaged(r, r->next, "record altered or lost", e);
}

/* Nothing more in this segment: goes to the next one, if there is one. */
static enum rc
go_on(struct sj_reader *r, bool *ret_more, struct err *e)
{
	uint64_t above;

	*ret_more = false;
	TRY(segment_above(r, r->segment, &above, e));
	if (above == 0)
		return check_tail(r, e);
	if (above != r->next) {
		struct sj_record rec;
		size_t n;

		/* again: the signer may have ended this segment since we looked */
		TRY(fill_window(r, e));
		*ret_more = from_window(r, &rec, &n);
		return *ret_more ? RC_OK : damaged(r, r->next, "record altered or lost", e);
	}
	TRY(open_segment(r, above, e));
	*ret_more = true;
	return RC_OK;
}

static enum rc
next_record(struct sj_reader *r, struct sj_record *rec, bool *ret_more, struct err *e)
{
	size_t n;

	if (r->fd < 0) { /* the journal was empty when we opened it */
		uint64_t first;

		TRY(segment_above(r, 0, &first, e));
		*ret_more = first != 0;
		if (first == 0)
			return RC_OK;
		if (first != 1)
			return damaged(r, 1, "the first segment is lost", e);
		TRY(open_segment(r, first, e));
	}
	*ret_more = true;
	while (!from_window(r, rec, &n)) {
		TRY(fill_window(r, e));
		if (from_window(r, rec, &n))
			break;
		TRY(go_on(r, ret_more, e));
		if (!*ret_more)
			return RC_OK;
	}
	if (rec->position != r->next || memcmp(rec->prev, r->hash, SJ_HASH) != 0)
		return damaged(r, r->next, "record out of place", e);
	memcpy(r->hash, rec->hash, SJ_HASH);
	r->next++;
	r->off += n;
	return RC_OK;
}

static enum rc
copy_out(struct arena *a, struct sj_record *rec, struct err *e)
{
	struct bytes *parts[] = { &rec->key, &rec->tbs, &rec->signature, &rec->context };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		*parts[i] = arena_dup(a, *parts[i]);
		NEED(parts[i]->p != NULL, e, CHY_NO_MEMORY, NULL, "a journal record");
	}
	return RC_OK;
}

enum rc
sj_read(struct sj_reader *r, struct arena *a, struct sj_record *ret, bool *ret_more, struct err *e)
{
	TRY(next_record(r, ret, ret_more, e));
	return *ret_more ? copy_out(a, ret, e) : RC_OK;
}

/* The segment that holds the position: the last one that begins at or below it. */
static enum rc
segment_of(const struct sj_reader *r, uint64_t position, uint64_t *ret, struct err *e)
{
	uint64_t *all;
	size_t n;

	*ret = 0;
	TRY(list_all(r, &all, &n, e));
	for (size_t i = 0; i < n; i++)
		if (all[i] <= position)
			*ret = all[i];
	free(all);
	return RC_OK;
}

static enum rc
seek(struct sj_reader *r, uint64_t from, struct err *e)
{
	struct sj_record rec;
	uint64_t first;
	bool more = true;

	TRY(segment_of(r, from, &first, e));
	if (first == 0) {
		NEED(from == 1, e, CHY_SJ_POSITION, NULL, "no record %llu", (unsigned long long)from);
		return RC_OK;
	}
	TRY(open_segment(r, first, e));
	while (r->next < from && more)
		TRY(next_record(r, &rec, &more, e));
	NEED(r->next == from, e, CHY_SJ_POSITION, NULL, "no record %llu", (unsigned long long)from);
	return RC_OK;
}

enum rc
signer_journal_open_read(const char *dir, uint64_t from, struct sj_reader **ret, struct err *e)
{
	struct sj_reader *r = calloc(1, sizeof(*r));
	struct stat st;
	enum rc rc = RC_OK;

	NEED(r != NULL, e, CHY_NO_MEMORY, NULL, "a journal's reader");
	r->fd = -1;
	r->window = malloc(WINDOW);
	snprintf(r->dir, sizeof(r->dir), "%s", dir);
	if (r->window == NULL)
		rc = err_set(e, CHY_NO_MEMORY, NULL, "a journal's reader");
	else if (stat(dir, &st) != 0)
		rc = err_set(e, CHY_SJ_READ, NULL, "%s: %s", dir, strerror(errno));
	else
		rc = seek(r, from, e);
	if (rc != RC_OK) {
		sj_reader_free(r);
		return rc;
	}
	*ret = r;
	return RC_OK;
}

void
sj_reader_free(struct sj_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r->window);
	free(r);
}
