#include "base/base.h"
#include "signer/journal_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* How far the check has come. */
struct walk {
	uint64_t next; /* position of the next record; 0: nothing seen yet */
	uint8_t hash[SJ_HASH];
	uint64_t off; /* behind the last good record of the current segment */
};

static enum rc
damaged(const char *path, uint64_t position, const char *what, struct err *e)
{
	FAIL(e, CHY_SJ_DAMAGED, NULL, "%s: %s at position %llu", path, what, (unsigned long long)position);
}

static enum rc
walk_header(struct walk *w, const char *path, uint64_t first, struct bytes all, struct sj_segment *s,
	    struct err *e)
{
	if (!sj_header_get(all, s) || s->first != first)
		return damaged(path, first, "header", e);
	if (s->size > all.n)
		return damaged(path, first, "file shortened", e);
	if (w->next == 0) {
		w->next = first;
		memcpy(w->hash, s->prev, SJ_HASH);
	}
	if (w->next != first || memcmp(w->hash, s->prev, SJ_HASH) != 0)
		return damaged(path, w->next, "segments do not join", e);
	w->off = SJ_HEADER;
	return RC_OK;
}

static void
walk_records(struct walk *w, struct bytes all)
{
	struct sj_record r;
	size_t n;

	while ((n = sj_record_get(bytes_part(all, w->off, SIZE_MAX), &r)) > 0) {
		if (r.position != w->next || memcmp(r.prev, w->hash, SJ_HASH) != 0)
			return;
		memcpy(w->hash, r.hash, SJ_HASH);
		w->next++;
		w->off += n;
	}
}

static enum rc
walk_segment(struct walk *w, const char *path, uint64_t first, bool last, struct bytes all, struct err *e)
{
	struct sj_segment s;
	struct bytes rest;

	TRY(walk_header(w, path, first, all, &s, e));
	walk_records(w, all);
	rest = bytes_part(all, w->off, SIZE_MAX);
	if (last ? sj_is_damage(rest, w->next) : sj_used(rest) > 0)
		return damaged(path, w->next, "record altered or lost", e);
	return RC_OK;
}

/* Opens a segment for writing, checks it, and gives the descriptor. */
static enum rc
open_segment(struct sj *j, struct walk *w, uint64_t first, bool last, int *ret_fd, struct err *e)
{
	char name[SJ_NAME_MAX], path[PATH_MAX];
	struct stat st;
	void *map;
	enum rc rc;

	sj_name_put(name, first);
	TRY(sj_path(path, j->dir, "", name, e));
	*ret_fd = open(path, O_RDWR | O_CLOEXEC);
	NEED(*ret_fd >= 0 && fstat(*ret_fd, &st) == 0, e, CHY_SJ_READ, NULL, "%s: %s", path, strerror(errno));
	if (st.st_size < SJ_HEADER)
		return damaged(path, first, "file shortened", e);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, *ret_fd, 0);
	NEED(map != MAP_FAILED, e, CHY_SJ_READ, NULL, "%s: %s", path, strerror(errno));
	rc = walk_segment(w, path, first, last, bytes_of(map, (size_t)st.st_size), e);
	munmap(map, (size_t)st.st_size);
	if (last && rc == RC_OK) {
		j->segment = first;
		j->segment_bytes = (size_t)st.st_size;
	}
	return rc;
}

/* What was cut is kept for whoever wants to look: it may hold signatures that never left. */
static enum rc
keep_cut(struct sj *j, struct walk *w, struct err *e)
{
	char name[64], path[PATH_MAX];
	size_t size = j->segment_bytes;
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, j->fd, 0);
	struct bytes rest;
	enum rc rc = RC_OK;

	NEED(map != MAP_FAILED, e, CHY_SJ_READ, NULL, "journal: %s", strerror(errno));
	rest = bytes_part(bytes_of(map, size), w->off, SIZE_MAX);
	rest.n = sj_used(rest);
	if (rest.n > 0) {
		snprintf(name, sizeof(name), "cut/%016llx-%lld", (unsigned long long)w->next,
			 (long long)clock_now_ms());
		rc = sj_path(path, j->dir, "", name, e);
		if (rc == RC_OK)
			rc = file_write(path, rest, 0600, e);
	}
	munmap(map, size);
	return rc;
}

static enum rc
recover(struct sj *j, const uint64_t *list, size_t n, struct err *e)
{
	struct walk w = { 0 };

	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n;
		int fd = -1;
		enum rc rc = open_segment(j, &w, list[i], last, &fd, e);

		if (rc == RC_OK && last)
			j->fd = fd;
		else if (fd >= 0)
			close(fd);
		TRY(rc);
	}
	j->segments = (unsigned)n;
	TRY(keep_cut(j, &w, e));
	/* also syncs what a killed process had written but not synced: its records are there to stay from now
	 * on */
	TRY(sj_blank(j->fd, w.off, j->segment_bytes, e));
	j->off = w.off;
	j->synced = w.next - 1;
	j->acked = list[0] - 1;
	memcpy(j->synced_hash, w.hash, SJ_HASH);
	return RC_OK;
}

/* The very first segment. */
static enum rc
begin(struct sj *j, struct err *e)
{
	char path[PATH_MAX];
	uint64_t *list;
	size_t n;

	TRY(sj_path(path, j->dir, "archive", "", e));
	TRY(sj_list(path, &list, &n, e));
	free(list);
	if (n > 0)
		return damaged(j->dir, 0, "only archived segments are left, the last one is lost", e);
	return sj_roll(j, 1, e);
}

static enum rc
open_folder(struct sj *j, struct err *e)
{
	char path[PATH_MAX];

	TRY(sj_path(path, j->dir, "archive", "", e));
	TRY(dir_make(path, 0700, e));
	TRY(sj_path(path, j->dir, "cut", "", e));
	TRY(dir_make(path, 0700, e));
	TRY(sj_path(path, j->dir, "lock", "", e));
	j->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	NEED(j->lock_fd >= 0, e, CHY_SJ_WRITE, NULL, "%s: %s", path, strerror(errno));
	NEED(flock(j->lock_fd, LOCK_EX | LOCK_NB) == 0, e, CHY_SJ_LOCKED, NULL, "%s", j->dir);
	TRY(sj_path(path, j->dir, "acknowledged", "", e));
	j->ack_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	NEED(j->ack_fd >= 0, e, CHY_SJ_WRITE, NULL, "%s: %s", path, strerror(errno));
	return RC_OK;
}

static enum rc
open_all(struct sj *j, struct err *e)
{
	uint64_t *list;
	size_t n, wanted = j->segment_bytes;
	enum rc rc;

	TRY(open_folder(j, e));
	TRY(sj_list(j->dir, &list, &n, e));
	rc = n == 0 ? begin(j, e) : recover(j, list, n, e);
	free(list);
	TRY(rc);
	TRY(sj_ack_load(j, e));
	sj_drop(j);
	/* a segment keeps the size that it was made with; the configured one is for those to come */
	j->next_bytes = wanted;
	return RC_OK;
}

enum rc
sj_open(const char *dir, size_t segment_bytes, struct sj **ret, struct err *e)
{
	struct sj *j = calloc(1, sizeof(*j));
	enum rc rc;

	NEED(j != NULL, e, CHY_NO_MEMORY, NULL, "the journal");
	j->lock_fd = j->ack_fd = j->fd = -1;
	j->batch = buf_max(SJ_BATCH_MAX);
	j->segment_bytes = j->next_bytes = segment_bytes ? segment_bytes : SJ_SEGMENT_BYTES;
	if (j->segment_bytes < SJ_SEGMENT_LEAST)
		j->segment_bytes = j->next_bytes = SJ_SEGMENT_LEAST;
	snprintf(j->dir, sizeof(j->dir), "%s", dir);
	sj_spare_init(j);
	rc = open_all(j, e);
	if (rc != RC_OK) {
		sj_close(j);
		return rc;
	}
	*ret = j;
	return RC_OK;
}

void
sj_close(struct sj *j)
{
	if (j == NULL)
		return;
	sj_spare_fini(j);
	if (j->fd >= 0)
		close(j->fd);
	if (j->ack_fd >= 0)
		close(j->ack_fd);
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	buf_fini(&j->batch);
	free(j);
}
