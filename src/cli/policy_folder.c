#include "base/base.h"
#include "cli/policy_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/path.h"

#define MANIFEST "policy.json"
#define SUFFIX ".json"

/* ---- reading ---- */

struct reader {
	struct arena *a;
	struct policy_file *list;
	size_t n;
	struct err *e;
};

/* A name for messages: what it was is seen, whatever it holds. */
static enum rc
foreign(struct err *e, const char *what, const char *why)
{
	err_field(e, "%.90s", what);
	return err_set(e, CHY_POLICY_FOLDER, NULL, "%.200s: %s", what, why);
}

static enum rc
read_all(struct reader *r, int fd, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(LIMIT_BODY + 1);
	uint8_t *to;
	ssize_t n;

	do {
		to = buf_room(&b, 65536 < LIMIT_BODY + 1 - b.n ? 65536 : LIMIT_BODY + 1 - b.n);
		n = to ? read(fd, to, 65536 < LIMIT_BODY + 1 - b.n ? 65536 : LIMIT_BODY + 1 - b.n) : -1;
		if (n > 0)
			b.n += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR && to != NULL));
	NEED(b.n <= LIMIT_BODY, e, CHY_TOO_LONG, NULL, "more than %d octets", LIMIT_BODY);
	NEED(n == 0, e, CHY_FILE_READ, NULL, "%s", strerror(errno));
	*ret = arena_dup(r->a, buf_bytes(&b));
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	return RC_OK;
}

static enum rc
check_body(struct reader *r, struct policy_file *f, struct json *body, struct err *e)
{
	struct bytes name;
	const char *path;

	NEED(body->type == JSON_OBJECT, e, CHY_FIELD_TYPE, NULL, "a document is an object");
	TRY_AT(json_need_str(body, "name", &name, e), e, "name");
	path = path_join(r->a, f->above, name);
	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	if (strcmp(path, f->path) != 0) {
		err_field(e, "name");
		FAIL(e, CHY_POLICY_FOLDER, NULL, "the file of this name is %.200s" SUFFIX, path);
	}
	f->body = body;
	return RC_OK;
}

static enum rc
read_document(struct reader *r, int fd, struct policy_file *f, struct err *e)
{
	struct bytes text;
	struct json *body;

	TRY(read_all(r, fd, &text, e));
	TRY(json_parse(r->a, text, &body, e));
	return check_body(r, f, body, e);
}

static enum rc
take_file(struct reader *r, int fd, enum kind_id kind, const char *above, const char *path)
{
	struct policy_file *f = arena_one(r->a, struct policy_file);

	NEED(f != NULL, r->e, CHY_NO_MEMORY, NULL, "the folder");
	NEED(++r->n <= POLICY_FILES_MAX, r->e, CHY_LIMIT, NULL, "more than %d files", POLICY_FILES_MAX);
	*f = (struct policy_file){ .kind = kind, .path = path, .above = above, .next = r->list };
	f->file = arena_printf(r->a, "%s/%s" SUFFIX, kind_name(kind), path);
	NEED(f->file != NULL, r->e, CHY_NO_MEMORY, NULL, "the folder");
	r->list = f;
	if (read_document(r, fd, f, &f->err) != RC_OK)
		f->body = NULL;
	return f->err.code == CHY_NO_MEMORY ? err_set(r->e, CHY_NO_MEMORY, NULL, "the folder") : RC_OK;
}

static enum rc read_folder(struct reader *r, int dir, enum kind_id kind, const char *above, int depth);

/* path: without the suffix. */
static enum rc
take_entry(struct reader *r, int dir, enum kind_id kind, const char *above, const char *entry, int depth)
{
	size_t n = strlen(entry);
	bool json = n > strlen(SUFFIX) && strcmp(entry + n - strlen(SUFFIX), SUFFIX) == 0;
	const char *shown = arena_printf(r->a, "%s/%s%s%s", kind_name(kind), above, *above ? "/" : "", entry);
	int fd = openat(dir, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	enum rc rc;

	NEED(shown != NULL, r->e, CHY_NO_MEMORY, NULL, "the folder");
	if (fd < 0)
		return foreign(r->e, shown,
			       errno == ELOOP ? "a symbolic link; none is followed" : strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		const char *below = arena_printf(r->a, "%s%s%s", above, *above ? "/" : "", entry);

		if (below == NULL || depth >= POLICY_DEPTH_MAX) {
			close(fd);
			return foreign(r->e, shown, "too many folders within one another");
		}
		return read_folder(r, fd, kind, below, depth + 1);
	}
	if (!S_ISREG(st.st_mode) || !json)
		rc = foreign(r->e, shown,
			     S_ISREG(st.st_mode) ? "no document: its name does not end in " SUFFIX
						 : "no file");
	else
		rc = take_file(r, fd, kind, above,
			       arena_printf(r->a, "%s%s%.*s", above, *above ? "/" : "",
					    (int)(n - strlen(SUFFIX)), entry));
	close(fd);
	return rc;
}

/* Takes dir over. */
static enum rc
read_folder(struct reader *r, int dir, enum kind_id kind, const char *above, int depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *entry;
	enum rc rc = RC_OK;

	if (d == NULL) {
		close(dir);
		return foreign(r->e, above, "cannot be read");
	}
	while (rc == RC_OK && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			rc = take_entry(r, dirfd(d), kind, above, entry->d_name, depth);
	closedir(d);
	return rc;
}

static bool
ends_in(const char *s, const char *end)
{
	return strlen(s) > strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

static enum rc
take_kind(struct reader *r, int dir, const char *entry)
{
	enum kind_id kind = kind_id_of(bytes_str(entry));
	int fd;

	if (entry[0] == '.' || strcmp(entry, MANIFEST) == 0 || ends_in(entry, ".md"))
		return RC_OK;
	if (kind == KIND_NONE || kind_of(kind) == NULL)
		return foreign(r->e, entry, "no kind of document is called so");
	fd = openat(dir, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return foreign(r->e, entry,
			       errno == ENOTDIR || errno == ELOOP ? "not a folder, or a symbolic link"
								  : strerror(errno));
	return read_folder(r, fd, kind, "", 0);
}

static enum rc
check_manifest(struct reader *r, const char *folder, bool *part)
{
	const char *path = arena_printf(r->a, "%s/" MANIFEST, folder);
	struct bytes text, format = BYTES_NONE;
	struct json *v;

	NEED(path != NULL, r->e, CHY_NO_MEMORY, NULL, "the folder");
	if (access(path, F_OK) != 0)
		return foreign(r->e, folder, "no policy: " MANIFEST " is missing");
	TRY_AT(file_read(r->a, path, LIMIT_BODY, &text, r->e), r->e, MANIFEST);
	TRY_AT(json_parse(r->a, text, &v, r->e), r->e, MANIFEST);
	TRY_AT(json_need_str(v, "format", &format, r->e), r->e, MANIFEST);
	NEED(bytes_is(format, POLICY_FORMAT), r->e, CHY_POLICY_FOLDER, NULL,
	     MANIFEST ": format \"%.*s\" is not " POLICY_FORMAT, BYTES_FMT(bytes_part(format, 0, 60)));
	TRY_AT(json_opt_bool(v, "part", part, r->e), r->e, MANIFEST);
	return RC_OK;
}

enum rc
policy_folder_read(struct arena *a, const char *folder, struct policy_file **ret, size_t *n, bool *ret_part,
		   struct err *e)
{
	struct reader r = { .a = a, .e = e };
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir >= 0 ? fdopendir(dir) : NULL;
	struct dirent *entry;
	enum rc rc;

	NEED(d != NULL, e, CHY_FILE_OPEN, NULL, "%s: %s", folder, strerror(errno));
	*ret_part = false;
	rc = check_manifest(&r, folder, ret_part);
	while (rc == RC_OK && (entry = readdir(d)) != NULL)
		rc = take_kind(&r, dirfd(d), entry->d_name);
	closedir(d);
	*ret = r.list;
	*n = r.n;
	return rc;
}

/* ---- writing ---- */

static enum rc
failed(struct err *e, const char *what)
{
	return err_set(e, CHY_FILE_WRITE, NULL, "%.200s: %s", what, strerror(errno));
}

/* An empty folder, or one that was written by us. */
static enum rc
check_ours(const char *folder, int dir, struct err *e)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	bool empty = true;

	NEED(d != NULL, e, CHY_FILE_OPEN, NULL, "%s: %s", folder, strerror(errno));
	while ((entry = readdir(d)) != NULL)
		empty &= entry->d_name[0] == '.';
	closedir(d);
	if (empty || faccessat(dir, MANIFEST, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return RC_OK;
	return foreign(e, folder, "is not empty, and " MANIFEST " is not in it: nothing is written there");
}

enum rc
policy_folder_begin(struct arena *a, const char *folder, struct policy_writer *ret, struct err *e)
{
	*ret = (struct policy_writer){ .a = a, .dir = -1, .folder = folder };
	TRY(dir_make(folder, 0777, e));
	ret->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0)
		return failed(e, folder);
	return check_ours(folder, ret->dir, e);
}

/* Opens the folder of a file's path below dir, making what is missing; nothing is followed. *last: the file's own name. */
static enum rc
open_parent(const struct policy_writer *w, const char *file, const char **last, int *ret, struct err *e)
{
	char *copy = arena_str(w->a, bytes_str(file)), *slash;
	int dir = dup(w->dir);

	NEED(copy != NULL && dir >= 0, e, CHY_NO_MEMORY, NULL, "the folder");
	for (char *at = copy; (slash = memchr(at, '/', strlen(at))) != NULL; at = slash + 1) {
		int below;

		*slash = 0;
		if (mkdirat(dir, at, 0777) != 0 && errno != EEXIST)
			below = -1;
		else
			below = openat(dir, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(dir);
		dir = below;
		if (dir < 0)
			return failed(e, file);
		*last = slash + 1;
	}
	*ret = dir;
	return RC_OK;
}

/* A new file in place of what had the name: a link that somebody put there is replaced, not followed. */
static enum rc
write_new(int dir, const char *name, struct bytes text, const char *shown, struct err *e)
{
	int fd;
	enum rc rc;

	if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		return failed(e, shown);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return failed(e, shown);
	rc = fd_write_all(fd, text, e);
	if (close(fd) != 0 && rc == RC_OK)
		rc = failed(e, shown);
	return rc;
}

enum rc
policy_folder_put(struct policy_writer *w, enum kind_id kind, const char *path, struct bytes text,
		  struct err *e)
{
	struct policy_file *f = arena_one(w->a, struct policy_file);
	const char *last = NULL;
	enum rc rc;
	int dir = -1;

	NEED(f != NULL && (f->file = arena_printf(w->a, "%s/%s" SUFFIX, kind_name(kind), path)) != NULL, e,
	     CHY_NO_MEMORY, NULL, "the folder");
	f->next = w->written;
	w->written = f;
	w->n++;
	TRY(open_parent(w, f->file, &last, &dir, e));
	rc = write_new(dir, last, text, f->file, e);
	close(dir);
	return rc;
}

/* A new file; whatever has the name already stays, and is not followed. */
static enum rc
write_where_none_is(int dir, const char *name, struct bytes text, const char *shown, bool *written,
		    struct err *e)
{
	*written = faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	return *written ? write_new(dir, name, text, shown, e) : RC_OK;
}

enum rc
policy_folder_add(struct policy_writer *w, enum kind_id kind, const char *path, struct bytes text,
		  bool *written, struct err *e)
{
	const char *file = arena_printf(w->a, "%s/%s" SUFFIX, kind_name(kind), path), *last = NULL;
	enum rc rc;
	int dir = -1;

	NEED(file != NULL, e, CHY_NO_MEMORY, NULL, "the folder");
	TRY(open_parent(w, file, &last, &dir, e));
	rc = write_where_none_is(dir, last, text, file, written, e);
	close(dir);
	return rc;
}

enum rc
policy_folder_mark(struct policy_writer *w, struct bytes manifest, struct err *e)
{
	bool written;

	return write_where_none_is(w->dir, MANIFEST, manifest, MANIFEST, &written, e);
}

static int
by_file(const void *x, const void *y)
{
	return strcmp((*(struct policy_file *const *)x)->file, (*(struct policy_file *const *)y)->file);
}

static enum rc
remove_file(const struct policy_writer *w, const char *file, struct err *e)
{
	const char *last = NULL;
	enum rc rc = RC_OK;
	int dir = -1;

	TRY(open_parent(w, file, &last, &dir, e));
	if (unlinkat(dir, last, 0) != 0)
		rc = failed(e, file);
	close(dir);
	return rc;
}

static enum rc
remove_others(struct policy_writer *w, struct policy_file *there, size_t *removed, struct err *e)
{
	struct policy_file **sorted = arena_array(w->a, w->n + 1, sizeof(struct policy_file *));
	size_t n = 0;

	NEED(sorted != NULL, e, CHY_NO_MEMORY, NULL, "the folder");
	for (struct policy_file *f = w->written; f != NULL; f = f->next)
		sorted[n++] = f;
	qsort(sorted, n, sizeof(*sorted), by_file);
	for (struct policy_file *f = there; f != NULL; f = f->next) {
		if (n > 0 && bsearch(&f, sorted, n, sizeof(*sorted), by_file) != NULL)
			continue;
		TRY(remove_file(w, f->file, e));
		*removed += 1;
	}
	return RC_OK;
}

enum rc
policy_folder_end(struct policy_writer *w, struct bytes manifest, size_t *removed, struct err *e)
{
	struct policy_file *there;
	size_t n;
	bool part;

	*removed = 0;
	TRY(write_new(w->dir, MANIFEST, manifest, MANIFEST, e));
	TRY(policy_folder_read(w->a, w->folder, &there, &n, &part, e));
	return remove_others(w, there, removed, e);
}

void
policy_folder_close(struct policy_writer *w)
{
	if (w->dir >= 0)
		close(w->dir);
	w->dir = -1;
}
