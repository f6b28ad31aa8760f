#include "base/base.h"
#include "base/file.h"
#include "cli/issue.h"
#include "cli/rest.h"
#include "crypto/digest.h"
#include "pki/csr.h"
#include "pki/pem.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const endings[] = { ".csr", ".p10", ".req", ".pem", ".der" };

/* "dir/web.csr" -> "web"; the length of the stem, and whether the ending is one of ours. */
static size_t
stem_len(const char *name, bool *ret_ours)
{
	size_t n = strlen(name);

	*ret_ours = false;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t k = strlen(endings[i]);

		if (n > k && strcmp(name + n - k, endings[i]) == 0) {
			*ret_ours = true;
			return n - k;
		}
	}
	return n;
}

static bool
is_folder(const char *path)
{
	struct stat s;

	return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static enum rc
job_new(struct cli *c, const char *in, const char *out_folder, const char *out_file, struct job **ret,
	struct err *e)
{
	struct job *j = arena_one(c->a, struct job);
	const char *slash = strrchr(in, '/'), *base = slash ? slash + 1 : in;
	bool ours;

	NEED(j != NULL, e, CHY_NO_MEMORY, NULL, "job");
	j->in = in;
	j->name = arena_str(c->a, bytes_of(base, stem_len(base, &ours)));
	j->out = out_folder ? arena_printf(c->a, "%s/%s.crt", out_folder, j->name) : out_file;
	NEED(j->name != NULL && (!out_folder || j->out), e, CHY_NO_MEMORY, NULL, "job");
	*ret = j;
	return RC_OK;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum rc
folder_names(struct cli *c, const char *folder, const char ***ret, size_t *ret_n, struct err *e)
{
	const char **names = arena_array(c->a, ISSUE_FILES_MAX, sizeof(*names));
	DIR *d = opendir(folder);
	size_t n = 0;
	bool ours, full = false;

	NEED(d != NULL, e, CHY_FILE_OPEN, NULL, "%s: %s", folder, strerror(errno));
	for (struct dirent *f; names && (f = readdir(d)) != NULL;) {
		if (stem_len(f->d_name, &ours) == 0 || !ours || f->d_name[0] == '.')
			continue;
		full = full || n == ISSUE_FILES_MAX;
		if (!full)
			names[n++] = arena_str(c->a, bytes_str(f->d_name));
	}
	closedir(d);
	NEED(names != NULL, e, CHY_NO_MEMORY, NULL, "folder");
	NEED(!full, e, CHY_LIMIT, NULL, "%s: more than %d requests", folder, ISSUE_FILES_MAX);
	qsort(names, n, sizeof(*names), by_name);
	*ret = names;
	*ret_n = n;
	return RC_OK;
}

enum rc
jobs_of_folder(struct cli *c, const char *folder, const char *out, struct job **ret, size_t *ret_n,
	       size_t *ret_done, struct err *e)
{
	const char **names = NULL;
	struct job **at = ret;
	size_t n = 0;

	*ret = NULL;
	*ret_n = *ret_done = 0;
	TRY(folder_names(c, folder, &names, &n, e));
	TRY(dir_make(out, 0755, e));
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_printf(c->a, "%s/%s", folder, names[i]);
		struct job *j;

		NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "job");
		TRY(job_new(c, path, out, NULL, &j, e));
		if (access(j->out, F_OK) == 0) {
			++*ret_done;
			continue;
		}
		*at = j;
		at = &j->next;
		++*ret_n;
	}
	return RC_OK;
}

enum rc
jobs_of_files(struct cli *c, const char *out, struct job **ret, size_t *ret_n, struct err *e)
{
	size_t n = args_count(&c->args, "REQUEST");
	bool folder = out && is_folder(out);
	struct job **at = ret;

	*ret = NULL;
	*ret_n = n;
	NEED(n == 1 || folder || !out, e, CHY_CLI_USAGE, NULL,
	     "--out: with several requests it must be a folder that exists");
	if (out && !folder)
		TRY_AT(file_may_write(out, e), e, "out"); /* before anything is issued */
	for (const struct arg *x = NULL; (x = args_next(&c->args, "REQUEST", x)) != NULL; at = &(*at)->next)
		TRY(job_new(c, x->value, folder ? out : NULL, out, at, e));
	return RC_OK;
}

void
job_load(struct cli *c, struct arena *a, struct job *j, const char *procedure, const struct json *input)
{
	OWN_BUF struct buf more = buf_max(1 << 20);
	struct bytes text, parts[4];
	uint8_t digest[SHA256_LEN];
	struct csr csr;

	if (file_read(a, j->in, LIMIT_CSR * 2, &text, &j->err) != RC_OK)
		return;
	if (csr_parse_any(a, text, &csr, &j->err) != RC_OK)
		return;
	j->der = arena_dup(c->a, csr.der);
	if (j->der.p == NULL) {
		err_set(&j->err, CHY_NO_MEMORY, NULL, "request");
		return;
	}
	parts[0] = bytes_str(procedure);
	parts[1] = BYTES("\0");
	parts[2] = j->der;
	if (input != NULL)
		json_put_canonical(&more, input);
	parts[3] = buf_bytes(&more);
	sha256_parts(parts, ARRAY_LEN(parts), digest);
	hex_text(j->key, BYTES_OF(digest));
	if (args_has(&c->args, "again") && rest_new_key(j->key, &j->err) != RC_OK)
		return; /* the job has the error */
}

enum rc
job_write(struct cli *c, const struct job *j, struct bytes der, struct bytes chain, struct err *e)
{
	OWN_BUF struct buf pem = buf_max(2 * LIMIT_CERT + chain.n);

	pem_put(&pem, "CERTIFICATE", der);
	buf_put(&pem, chain);
	NEED(buf_ok(&pem), e, CHY_NO_MEMORY, NULL, "certificate");
	if (j->out)
		return file_write(j->out, buf_bytes(&pem), 0644, e);
	if (!c->out.json)
		fwrite(pem.p, 1, pem.n, c->out.to);
	return RC_OK;
}
