#include "base/base.h"
#include "signer/journal_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* ---- segments ---- */

enum rc
sj_path(char out[PATH_MAX], const char *dir, const char *sub, const char *name, struct err *e)
{
	NEED(snprintf(out, PATH_MAX, "%s/%s%s", dir, sub, name) < PATH_MAX, e, CHY_SJ_WRITE, NULL,
	     "path too long");
	return RC_OK;
}

static enum rc
sync_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), bad;

	NEED(fd >= 0, e, CHY_SJ_WRITE, NULL, "%s: %s", dir, strerror(errno));
	bad = fsync(fd);
	close(fd);
	NEED(bad == 0, e, CHY_SJ_WRITE, NULL, "%s: %s", dir, strerror(errno));
	return RC_OK;
}

enum rc
sj_write_at(int fd, struct bytes what, uint64_t at, struct err *e)
{
	NEED(!fault_fails("signer.journal-write"), e, CHY_SJ_WRITE, NULL, "journal: %s", strerror(ENOSPC));
	while (what.n > 0) {
		ssize_t n = pwrite(fd, what.p, what.n, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		NEED(n > 0, e, CHY_SJ_WRITE, NULL, "journal: %s",
		     n < 0 ? strerror(errno) : "nothing written");
		what = bytes_part(what, (size_t)n, SIZE_MAX);
		at += (uint64_t)n;
	}
	return RC_OK;
}

enum rc
sj_sync(int fd, struct err *e)
{
	NEED(!fault_fails("signer.journal-sync"), e, CHY_SJ_WRITE, NULL, "journal: %s", strerror(EIO));
	NEED(fdatasync(fd) == 0, e, CHY_SJ_WRITE, NULL, "journal: %s", strerror(errno));
	return RC_OK;
}

/* Makes the file under a name that no reader looks at. Not filled with zeros: that is the spare's business,
   here the first answer must not wait for it. */
static enum rc
new_file(const char *path, uint64_t size, int *ret_fd, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), bad;

	NEED(fd >= 0, e, CHY_SJ_WRITE, NULL, "%s: %s", path, strerror(errno));
	bad = posix_fallocate(fd, 0, (off_t)size);
	if (bad != 0) {
		close(fd);
		unlink(path);
		FAIL(e, CHY_SJ_WRITE, NULL, "%s: %s", path, strerror(bad));
	}
	*ret_fd = fd;
	return RC_OK;
}

static enum rc
start_segment(struct sj *j, int fd, const char *from, struct err *e)
{
	struct sj_segment s = { .first = j->next, .made_at = clock_now_ms(), .size = j->next_bytes };
	uint8_t header[SJ_HEADER];
	char name[SJ_NAME_MAX], path[PATH_MAX];

	memcpy(s.prev, j->written_hash, SJ_HASH);
	sj_header_put(header, &s);
	sj_name_put(name, s.first);
	TRY(sj_path(path, j->dir, "", name, e));
	TRY(sj_write_at(fd, BYTES_OF(header), 0, e));
	NEED(fsync(fd) == 0, e, CHY_SJ_WRITE, NULL, "%s: %s", from, strerror(errno));
	NEED(rename(from, path) == 0, e, CHY_SJ_WRITE, NULL, "%s: %s", path, strerror(errno));
	return sync_dir(j->dir, e);
}

enum rc
sj_roll(struct sj *j, uint64_t first, struct err *e)
{
	char spare[PATH_MAX];
	int fd = sj_spare_take(j);
	enum rc rc;

	TRY(sj_path(spare, j->dir, "", SJ_SPARE_NAME, e));
	if (fd < 0) {
		TRY(sj_path(spare, j->dir, "", "new", e));
		TRY(new_file(spare, j->next_bytes, &fd, e));
	}
	j->next = first;
	rc = start_segment(j, fd, spare, e);
	if (rc != RC_OK) {
		close(fd);
		return rc;
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	j->segment = first;
	j->segment_bytes = j->next_bytes;
	j->off = SJ_HEADER;
	j->segments++;
	return RC_OK;
}

/* ---- the batch ---- */

enum rc
sj_add(struct sj *j, struct sj_record *r, struct err *e)
{
	size_t before = j->batch.n;

	NEED(!j->broken, e, CHY_SJ_BROKEN, NULL,
	     "the signer's journal could not be written; it signs nothing before it can");
	r->position = j->synced + j->batched + 1;
	r->synced = j->synced;
	memcpy(r->prev, j->batch_hash, SJ_HASH);
	sj_record_put(&j->batch, r);
	if (!buf_ok(&j->batch)) {
		j->batch.bad = false;
		j->batch.n = before;
		FAIL(e, CHY_SJ_RECORD, NULL, "a record of %zu bytes, or too many in one batch",
		     r->tbs.n + r->signature.n + r->context.n);
	}
	memcpy(j->batch_hash, r->hash, SJ_HASH);
	j->batched++;
	return RC_OK;
}

void
sj_drop(struct sj *j)
{
	j->batch.n = 0;
	j->batched = 0;
	memcpy(j->batch_hash, j->synced_hash, SJ_HASH);
}

/* The front of the batch that fits the current segment: whole records only. */
static struct bytes
fitting(struct sj *j, struct bytes rest, uint64_t *ret_records)
{
	size_t room = (size_t)(j->segment_bytes - j->off), n = 0;

	*ret_records = 0;
	while (n < rest.n) {
		struct rd r = rd_of(bytes_part(rest, n, 4));
		size_t len = 4 + (size_t)rd_u32(&r) + SJ_HASH;

		if (n + len > room)
			break;
		n += len;
		++*ret_records;
	}
	return bytes_part(rest, 0, n);
}

/* Hash of the last record in these whole records: their last bytes. */
static void
last_hash(struct bytes records, uint8_t out[SJ_HASH])
{
	memcpy(out, records.p + records.n - SJ_HASH, SJ_HASH);
}

static enum rc
write_batch(struct sj *j, struct err *e)
{
	struct bytes rest = buf_bytes(&j->batch), part;
	uint64_t position = j->synced, n;

	memcpy(j->written_hash, j->synced_hash, SJ_HASH);
	for (;;) {
		part = fitting(j, rest, &n);
		if (n > 0) {
			TRY(sj_write_at(j->fd, part, j->off, e));
			last_hash(part, j->written_hash);
			FAULT("signer.after-append");
			TRY(sj_sync(j->fd, e));
			j->off += part.n;
			position += n;
			rest = bytes_part(rest, part.n, SIZE_MAX);
		}
		if (rest.n == 0)
			return RC_OK;
		TRY(sj_roll(j, position + 1, e));
	}
}

enum rc
sj_commit(struct sj *j, struct err *e)
{
	enum rc rc;

	NEED(!j->broken, e, CHY_SJ_BROKEN, NULL, "the signer's journal could not be written");
	if (j->batched == 0)
		return RC_OK;
	j->safe_segment = j->segment;
	j->safe_off = j->off;
	rc = write_batch(j, e);
	if (rc != RC_OK) {
		j->broken = true;
		sj_drop(j);
		return rc;
	}
	j->synced += j->batched;
	memcpy(j->synced_hash, j->batch_hash, SJ_HASH);
	sj_drop(j);
	if (j->off > j->segment_bytes / 4)
		sj_spare_want(j);
	FAULT("signer.after-sync");
	return RC_OK;
}

/* ---- after a failure ---- */

/* Writes zeros from `from` on, as far as something else stands there. */
enum rc
sj_blank(int fd, uint64_t from, uint64_t size, struct err *e)
{
	static const uint8_t zeros[64 << 10];

	for (uint64_t at = from; at < size; at += sizeof(zeros)) {
		uint8_t is[sizeof(zeros)];
		size_t n = size - at < sizeof(zeros) ? (size_t)(size - at) : sizeof(zeros);
		ssize_t got = pread(fd, is, n, (off_t)at);

		NEED(got >= 0, e, CHY_SJ_READ, NULL, "journal: %s", strerror(errno));
		if ((size_t)got != n || memcmp(is, zeros, n) != 0)
			TRY(sj_write_at(fd, bytes_of(zeros, n), at, e));
	}
	return sj_sync(fd, e);
}

/* The batch may have begun new segments: they hold nothing that anybody has been told of. */
static enum rc
drop_newer(struct sj *j, struct err *e)
{
	char name[SJ_NAME_MAX], path[PATH_MAX];
	uint64_t *list;
	size_t n;

	TRY(sj_list(j->dir, &list, &n, e));
	for (size_t i = 0; i < n; i++) {
		sj_name_put(name, list[i]);
		if (list[i] > j->safe_segment && sj_path(path, j->dir, "", name, NULL) == RC_OK &&
		    unlink(path) == 0)
			j->segments--;
	}
	free(list);
	return sync_dir(j->dir, e);
}

enum rc
sj_repair(struct sj *j, struct err *e)
{
	char name[SJ_NAME_MAX], path[PATH_MAX];

	if (!j->broken)
		return RC_OK;
	if (j->segment != j->safe_segment) {
		struct stat st;
		int fd;

		sj_name_put(name, j->safe_segment);
		TRY(sj_path(path, j->dir, "", name, e));
		fd = open(path, O_RDWR | O_CLOEXEC);
		NEED(fd >= 0 && fstat(fd, &st) == 0, e, CHY_SJ_WRITE, NULL, "%s: %s", path, strerror(errno));
		close(j->fd);
		j->fd = fd;
		j->segment = j->safe_segment;
		j->segment_bytes = (size_t)st.st_size;
	}
	j->off = j->safe_off;
	TRY(sj_blank(j->fd, j->off, j->segment_bytes, e));
	TRY(drop_newer(j, e));
	j->broken = false;
	sj_drop(j);
	return RC_OK;
}

bool
sj_is_broken(const struct sj *j)
{
	return j->broken;
}

/* ---- acknowledged ---- */

/* A hint, not a record: lost, the reconciler merely reads more again. So it is not synced. */
static void
ack_save(struct sj *j)
{
	uint8_t b[16];

	for (int i = 0; i < 8; i++) {
		b[i] = (uint8_t)(j->acked >> (56 - 8 * i));
		b[8 + i] = b[i] ^ 0xff;
	}
	if (pwrite(j->ack_fd, b, sizeof(b), 0) < 0)
		return;
}

enum rc
sj_ack_load(struct sj *j, struct err *e)
{
	uint8_t b[16];
	struct rd r = rd_of(BYTES_OF(b));
	uint64_t v;

	if (pread(j->ack_fd, b, sizeof(b), 0) != sizeof(b))
		return RC_OK;
	v = rd_u64(&r);
	if (v != ~rd_u64(&r))
		return RC_OK;
	NEED(v <= j->synced, e, CHY_SJ_DAMAGED, NULL, "%s: acknowledged up to %llu, but it ends with %llu",
	     j->dir, (unsigned long long)v, (unsigned long long)j->synced);
	if (v > j->acked)
		j->acked = v;
	return RC_OK;
}

static enum rc
archive(struct sj *j, uint64_t first, struct err *e)
{
	char name[SJ_NAME_MAX], from[PATH_MAX], to[PATH_MAX];

	sj_name_put(name, first);
	TRY(sj_path(from, j->dir, "", name, e));
	TRY(sj_path(to, j->dir, "archive/", name, e));
	NEED(rename(from, to) == 0, e, CHY_SJ_WRITE, NULL, "%s: %s", to, strerror(errno));
	j->segments--;
	return RC_OK;
}

static enum rc
archive_below(struct sj *j, const uint64_t *list, size_t n, struct err *e)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (list[i + 1] <= j->acked + 1 && list[i] < j->segment)
			TRY(archive(j, list[i], e));
	return RC_OK;
}

enum rc
sj_ack(struct sj *j, uint64_t position, struct err *e)
{
	uint64_t *list;
	size_t n;
	enum rc rc;

	NEED(position <= j->synced, e, CHY_SJ_POSITION, NULL, "position %llu, synced up to %llu",
	     (unsigned long long)position, (unsigned long long)j->synced);
	if (position <= j->acked)
		return RC_OK;
	j->acked = position;
	ack_save(j);
	if (j->segments < 2)
		return RC_OK;
	TRY(sj_list(j->dir, &list, &n, e));
	rc = archive_below(j, list, n, e);
	free(list);
	return rc;
}

uint64_t
sj_acked(const struct sj *j)
{
	return j->acked;
}

uint64_t
sj_synced(const struct sj *j)
{
	return j->synced;
}

void
sj_synced_hash(const struct sj *j, uint8_t ret[SJ_HASH])
{
	memcpy(ret, j->synced_hash, SJ_HASH);
}

unsigned
sj_segments(const struct sj *j)
{
	return j->segments;
}
