#include "base/base.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum rc
fd_write_all(int fd, struct bytes what, struct err *e)
{
	while (what.n > 0) {
		ssize_t n = write(fd, what.p, what.n);

		if (n < 0 && errno == EINTR)
			continue;
		NEED(n >= 0 || (errno != EPIPE && errno != ECONNRESET), e, CHY_CONTROL_CLOSED, NULL,
		     "nobody reads any more");
		NEED(n > 0, e, CHY_SYSTEM, NULL, "write: %s", n < 0 ? strerror(errno) : "nothing written");
		what = bytes_part(what, (size_t)n, SIZE_MAX);
	}
	return RC_OK;
}

enum rc
fd_read_all(int fd, void *to, size_t n, struct err *e)
{
	uint8_t *p = to;

	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		NEED(got > 0, e, CHY_SYSTEM, NULL, "read: %s", got < 0 ? strerror(errno) : "ended early");
		p += got;
		n -= (size_t)got;
	}
	return RC_OK;
}

static enum rc
read_fd(struct arena *a, int fd, const char *path, size_t max, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(max + 1);
	uint8_t block[16384];

	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		NEED(n >= 0, e, CHY_FILE_READ, NULL, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		buf_put(&b, bytes_of(block, (size_t)n));
		NEED(buf_ok(&b) && b.n <= max, e, CHY_TOO_LONG, NULL, "%s: longer than %zu bytes", path, max);
	}
	*ret = arena_dup(a, buf_bytes(&b));
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "%s", path);
	return RC_OK;
}

enum rc
file_read(struct arena *a, const char *path, size_t max, struct bytes *ret, struct err *e)
{
	int fd;
	enum rc rc;

	if (strcmp(path, "-") == 0)
		return read_fd(a, STDIN_FILENO, "standard input", max, ret, e);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	NEED(fd >= 0, e, CHY_FILE_OPEN, NULL, "%s: %s", path, strerror(errno));
	rc = read_fd(a, fd, path, max, ret, e);
	close(fd);
	return rc;
}

static void
folder_of(const char *path, char dir[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	snprintf(dir, PATH_MAX, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
}

static enum rc
sync_folder(const char *path, struct err *e)
{
	char dir[PATH_MAX];
	int fd, bad;

	folder_of(path, dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NEED(fd >= 0, e, CHY_FILE_WRITE, NULL, "%s: %s", dir, strerror(errno));
	bad = fsync(fd);
	close(fd);
	NEED(bad == 0, e, CHY_FILE_WRITE, NULL, "%s: %s", dir, strerror(errno));
	return RC_OK;
}

static enum rc
write_new(const char *path, struct bytes what, mode_t mode, struct err *e)
{
	int fd;
	enum rc rc;

	unlink(path); /* of a process that died over it and had our number */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	NEED(fd >= 0, e, CHY_FILE_WRITE, NULL, "%s: %s", path, strerror(errno));
	rc = fd_write_all(fd, what, e);
	if (rc == RC_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		rc = err_set(e, CHY_FILE_WRITE, NULL, "%s: %s", path, strerror(errno));
	close(fd);
	return rc;
}

static bool
is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode));
}

/* /dev/null, /dev/stdout, a pipe: written into, not replaced by a file. */
static enum rc
write_into(const char *path, struct bytes what, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	enum rc rc;

	NEED(fd >= 0, e, CHY_FILE_WRITE, NULL, "%s: %s", path, strerror(errno));
	rc = fd_write_all(fd, what, e);
	close(fd);
	return rc;
}

enum rc
file_write(const char *path, struct bytes what, mode_t mode, struct err *e)
{
	static atomic_uint writes; /* two threads may write one file */
	char new[PATH_MAX];
	enum rc rc;

	if (is_device(path))
		return write_into(path, what, e);
	NEED(snprintf(new, sizeof(new), "%s.new.%d.%u", path, (int)getpid(), atomic_fetch_add(&writes, 1)) <
		 (int)sizeof(new),
	     e, CHY_FILE_WRITE, NULL, "path too long");
	rc = write_new(new, what, mode, e);
	if (rc == RC_OK && rename(new, path) != 0)
		rc = err_set(e, CHY_FILE_WRITE, NULL, "%s: %s", path, strerror(errno));
	if (rc != RC_OK) {
		unlink(new);
		return rc;
	}
	return sync_folder(path, e);
}

enum rc
file_may_write(const char *path, struct err *e)
{
	char dir[PATH_MAX];
	struct stat st;

	if (is_device(path)) {
		NEED(access(path, W_OK) == 0, e, CHY_FILE_WRITE, NULL, "%s: %s", path, strerror(errno));
		return RC_OK;
	}
	NEED(stat(path, &st) != 0 || !S_ISDIR(st.st_mode), e, CHY_FILE_WRITE, NULL, "%s: is a folder", path);
	folder_of(path, dir);
	NEED(access(dir, W_OK | X_OK) == 0, e, CHY_FILE_WRITE, NULL, "%s: %s", dir, strerror(errno));
	return RC_OK;
}

/* One folder; what is there already must be one. */
static enum rc
make_one(const char *path, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return RC_OK;
	NEED(errno == EEXIST, e, CHY_FILE_WRITE, NULL, "%s: %s", path, strerror(errno));
	NEED(stat(path, &st) == 0 && S_ISDIR(st.st_mode), e, CHY_FILE_WRITE, NULL, "%s: is no folder", path);
	return RC_OK;
}

enum rc
dir_make(const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];

	NEED(path[0] != 0 && snprintf(part, sizeof(part), "%s", path) < (int)sizeof(part), e, CHY_FILE_WRITE,
	     NULL, "path empty or too long");
	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c != '/' && c != 0)
			continue;
		*p = 0;
		TRY(make_one(part, mode, e));
		*p = c;
		if (c == 0)
			return RC_OK;
	}
}
