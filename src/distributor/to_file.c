/*
 * Files, for a web server of this machine. A file is written beside its name and renamed, so that a reader gets the old or the
 * new one, whole. No step of the way may be a symbolic link below the folder, and the folder must lie in one of those that the
 * configuration allows.
 */
#include "base/base.h"
#include "distributor/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static bool
lies_in(const char *path, struct bytes folder)
{
	while (folder.n > 1 && folder.p[folder.n - 1] == '/')
		folder.n--;
	return folder.n > 0 && strncmp(path, (const char *)folder.p, folder.n) == 0 &&
	    (path[folder.n] == 0 || path[folder.n] == '/' || folder.n == 1);
}

/* By where it really is, whatever links lead there. */
static enum rc
is_allowed(const struct job *j, const char *folder, struct err *e)
{
	char real[PATH_MAX], allowed[PATH_MAX];
	const char *none = j->outside->folders ? "" : " (none is set)";

	NEED(realpath(folder, real) != NULL, e, CHY_DELIVERY_FOLDER, NULL, "%s: %s", folder, strerror(errno));
	for (struct bytes rest = bytes_str(j->outside->folders), one; rest.p != NULL && rest.n > 0;) {
		one = text_cut(rest, ':', &rest);
		if (realpath(arena_str(j->a, one), allowed) != NULL && lies_in(real, bytes_str(allowed)))
			return RC_OK;
	}
	FAIL(e, CHY_DELIVERY_FOLDER, NULL, "%s lies in no folder of [distributor] folders%s", folder, none);
}

/* The folder of the file, those between made; *name: its last part. */
static enum rc
walk_to(const struct job *j, const char *folder, struct bytes path, int *ret, const char **name,
	struct err *e)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;
	struct bytes rest, one = text_cut(path, '/', &rest);

	NEED(fd >= 0, e, CHY_DELIVERY_FOLDER, NULL, "%s: %s", folder, strerror(errno));
	for (; rest.p != NULL; one = text_cut(rest, '/', &rest)) {
		const char *part = arena_str(j->a, one);

		if (part != NULL && !j->d.removal && mkdirat(fd, part, 0755) == 0)
			(void)!fchmodat(fd, part, 0755, 0); /* whatever the umask is */
		next = part ? openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
		close(fd);
		fd = next;
		if (fd < 0 && errno == ENOENT && j->d.removal) {
			*ret = -1;
			return RC_OK;
		}
		NEED(fd >= 0, e, CHY_DELIVERY_REFUSED, NULL, "%s: %s", part, strerror(errno));
	}
	*ret = fd;
	*name = arena_str(j->a, one);
	return RC_OK;
}

/* A full disk or a lost mount is not the file's fault. */
static enum rc
failed(const char *name, int error, struct err *e)
{
	bool its_own = error == ENAMETOOLONG || error == EISDIR || error == ENOTDIR || error == ELOOP;

	FAIL(e, its_own ? CHY_DELIVERY_REFUSED : CHY_DELIVERY_UNREACHED, NULL, "%s: %s", name,
	     strerror(error));
}

static enum rc
put_file(const struct job *j, int folder, const char *name, struct err *e)
{
	const char *beside = arena_printf(j->a, ".%lld.chancery", (long long)j->d.id);
	int fd = openat(folder, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644), error;
	struct err why = { 0 };
	bool ok;

	if (fd < 0)
		return failed(name, errno, e);
	ok = fd_write_all(fd, j->body, &why) == RC_OK && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
	error = ok ? 0 : errno;
	close(fd);
	FAULT("distributor.before-rename");
	if (ok && renameat(folder, beside, folder, name) != 0) {
		error = errno;
		ok = false;
	}
	if (!ok) {
		unlinkat(folder, beside, 0);
		return failed(name, error, e);
	}
	return fsync(folder) == 0 ? RC_OK : failed(name, errno, e);
}

static enum rc
remove_file(int folder, const char *name, struct err *e)
{
	if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
		return failed(name, errno, e);
	return fsync(folder) == 0 ? RC_OK : failed(name, errno, e);
}

static enum rc
deliver(const struct job *j, void **state, struct err *e)
{
	const char *folder = (const char *)rule_text(j, "folder").p, *name = NULL;
	struct bytes path;
	enum rc rc;
	int fd;

	(void)state;
	NEED(folder != NULL, e, CHY_DELIVERY_RULE, NULL, "no folder");
	TRY(job_fill(j, rule_text(j, "file_name"), PATTERN_FILE, &path, e));
	TRY(is_allowed(j, folder, e));
	TRY(walk_to(j, folder, path, &fd, &name, e));
	if (fd < 0)
		return RC_OK; /* nothing there to take away */
	rc = name == NULL  ? err_set(e, CHY_NO_MEMORY, NULL, "a file")
	    : j->d.removal ? remove_file(fd, name, e)
			   : put_file(j, fd, name, e);
	close(fd);
	return rc;
}

const struct protocol protocol_file = { "file", deliver, NULL };
