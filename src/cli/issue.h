/*
 * Issuing from the command line: files of certificate requests in, files of certificates out. One job a request; a job
 * whose certificate is there already is not done again, so an interrupted batch is simply started anew.
 */
#ifndef CLI_ISSUE_H
#define CLI_ISSUE_H

#include "cli/cli.h"

enum { ISSUE_FILES_MAX = 100000, ISSUE_ACT_BYTES = 96 << 10 };

struct job {
	const char *in, *name; /* the file, and its name without folder and ending */
	const char *out;       /* where the certificate goes; NULL: standard output */
	struct bytes der;      /* of the request */
	char key[65]; /* idempotency key: SHA-256 over procedure, request and what is filled in, hex */
	int64_t id;   /* of the certificate, once it is there */
	char serial[2 * LIMIT_SERIAL + 3]; /* hexadecimal, and when it ends; once it is there */
	int64_t not_after_at;
	struct err err; /* why not */
	struct job *next;
};

/* Every file of the folder that ends with .csr, .p10, .req, .pem or .der, by name. Those whose certificate is in `out`
   already, of the request's key, are counted in *ret_done and left out; where another is in its place job->err says so.
   CHY_CLI_USAGE: two would become one file. */
MUST enum rc jobs_of_folder(struct cli *c, const char *folder, const char *out, struct job **ret,
			    size_t *ret_n, size_t *ret_done, struct err *e);
/* Files named one by one; out NULL: standard output; a folder, or one file where there is one request. CHY_CLI_USAGE as
   above. */
MUST enum rc jobs_of_files(struct cli *c, const char *out, struct job **ret, size_t *ret_n, struct err *e);
/* Reads and checks the request's file: CHY_CLI_FILE_TYPE and the codes of csr_parse go into job->err. With --again the
   idempotency key is a new one. */
void job_load(struct cli *c, struct arena *a, struct job *j, const char *procedure, const struct json *input);
/* Writes the certificate (DER) as PEM to its place, and behind it the PEM of those above it, which may be none. */
MUST enum rc job_write(struct cli *c, const struct job *j, struct bytes der, struct bytes chain,
		       struct err *e);

#endif
