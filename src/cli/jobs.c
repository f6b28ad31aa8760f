#include "base/base.h"
#include "base/file.h"
#include "cli/issue.h"
#include "cli/rest.h"
#include "crypto/digest.h"
#include "pki/cert.h"
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

static int
by_out(const void *a, const void *b)
{
	return strcmp((*(const struct job *const *)a)->out, (*(const struct job *const *)b)->out);
}

/* Two requests whose certificates would go to one file: the second would be lost. */
static enum rc
outs_differ(struct cli *c, const struct job *jobs, size_t n, struct err *e)
{
	const struct job **sorted = arena_array(c->a, n + 1, sizeof(const struct job *));
	size_t i = 0;

	NEED(sorted != NULL, e, CHY_NO_MEMORY, NULL, "jobs");
	for (const struct job *j = jobs; j; j = j->next)
		sorted[i++] = j;
	qsort(sorted, i, sizeof(const struct job *), by_out);
	for (size_t k = 1; k < i; k++)
		NEED(by_out(&sorted[k - 1], &sorted[k]) != 0, e, CHY_CLI_USAGE, NULL,
		     "two requests would become one %.60s.crt, nothing was issued: %s and %s",
		     sorted[k]->name, sorted[k - 1]->in, sorted[k]->in);
	return RC_OK;
}

/* The first certificate of the file, with those above it behind it or not. */
static enum rc
cert_there(struct arena *a, const char *path, struct cert *ret, struct err *e)
{
	struct pem_block block;
	struct bytes text;

	TRY(file_read(a, path, 64 * LIMIT_CERT, &text, e));
	if (!pem_is(text))
		return cert_parse(a, text, ret, e);
	TRY(pem_next(a, &text, &block, e));
	return cert_parse(a, block.der, ret, e);
}

/* Is the certificate that is there one of this request? Else the job has the error: a name alone tells nothing of what
   was asked, and no certificate is overwritten. */
static enum rc
is_done(struct job *j, bool *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	struct bytes text;
	struct cert cert;
	struct csr csr;
	struct err why = { 0 };

	*ret = false;
	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "request");
	if (access(j->out, F_OK) != 0)
		return RC_OK;
	if (file_read(a, j->in, LIMIT_CSR * 2, &text, &j->err) != RC_OK ||
	    csr_parse_any(a, text, &csr, &j->err) != RC_OK)
		return RC_OK; /* the job has the error */
	if (cert_there(a, j->out, &cert, &why) != RC_OK)
		err_set(&j->err, CHY_FILE_WRITE, NULL,
			"%.200s is there already, holds no certificate (CHY-%d) and is not overwritten",
			j->out, (int)why.code);
	else if (!bytes_eq(cert.spki, csr.key.spki))
		err_set(
		    &j->err, CHY_FILE_WRITE, NULL,
		    "%.200s is there already, is of another key than the request's and is not overwritten",
		    j->out);
	else
		*ret = true;
	return RC_OK;
}

/* Takes out of the list what is done. */
static enum rc
drop_done(struct job **ret, size_t *ret_n, size_t *ret_done, struct err *e)
{
	for (struct job **at = ret; *at != NULL;) {
		bool done;

		TRY(is_done(*at, &done, e));
		*ret_n += !done;
		*ret_done += done;
		if (done)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
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

		NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "job");
		TRY(job_new(c, path, out, NULL, at, e));
		at = &(*at)->next;
	}
	TRY(outs_differ(c, *ret, n, e));
	return drop_done(ret, ret_n, ret_done, e);
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
	return folder ? outs_differ(c, *ret, n, e) : RC_OK;
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
