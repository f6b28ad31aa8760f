/* journal: head, proof of one certificate, export, verification. */
#include "base/base.h"
#include "base/file.h"
#include "cli/certid.h"
#include "cli/cli.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/journal_verify.h"
#include "cli/key.h"
#include "cli/rest.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- head and proof ---- */

static enum rc
run_head(struct cli *c, struct err *e)
{
	struct json *v;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/journal/head", NULL, &v, e));
	out_json(&c->out, v);
	out_field(&c->out, "Leaves", json_line(c->a, json_get(v, "size")));
	out_field(&c->out, "Root", json_line(c->a, json_get(v, "root")));
	out_field(&c->out, "Signed at", json_line(c->a, json_get(v, "at")));
	return RC_OK;
}

/* The root to trust: --root, else --ca. */
static enum rc
root_of(struct cli *c, struct bytes *ret, struct err *e)
{
	const char *path = args_text(&c->args, "root");
	struct bytes roots[1];
	size_t n;

	if (path == NULL)
		path = c->set.ca;
	NEED(path != NULL, e, CHY_CLI_USAGE, NULL,
	     "--root FILE is needed: the system root's certificate, from where you trust it");
	TRY(certs_read(c->a, path, roots, ARRAY_LEN(roots), &n, e));
	*ret = roots[0];
	return RC_OK;
}

static enum rc
run_prove(struct cli *c, struct err *e)
{
	struct rest *r;
	struct json *v;
	struct bytes root;
	int64_t id;
	char at[32];
	struct proven p;

	TRY(root_of(c, &root, e));
	TRY(cert_id(c, args_text(&c->args, "CERTIFICATE"), &id, e));
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, arena_printf(c->a, "/api/v1/certificates/%lld/proof", (long long)id), NULL, &v,
		      e));
	TRY(journal_check_proof(c->a, v, root, id, &p, e));
	out_json(&c->out, v);
	out_styled(&c->out, OUT_GOOD, "Proven: ");
	out_line(
	    &c->out, "certificate %lld is leaf %llu of the journal's %llu, under the head signed at %s.\n",
	    (long long)id, (unsigned long long)p.index, (unsigned long long)p.size, time_text(at, p.at_ms));
	out_field(&c->out, "Serial number", p.serial);
	out_field(&c->out, "SHA-256", p.sha256);
	return RC_OK;
}

/* ---- export ---- */

struct sink {
	int fd;
	uint64_t bytes;
	struct progress progress;
};

static enum rc
to_file(void *arg, struct bytes piece, struct err *e)
{
	struct sink *s = arg;

	s->bytes += piece.n;
	progress_step(&s->progress, piece.n, 0);
	return fd_write_all(s->fd, piece, e);
}

static enum rc
export_to(struct cli *c, int fd, struct err *e)
{
	struct rest_call call = { .path = "/api/v1/journal/export", .accept = "application/jsonl" };
	struct sink s = { .fd = fd };
	struct rest *r;
	enum rc rc;

	TRY(cli_rest(c, &r, e));
	progress_start(&s.progress, &c->out, "Bytes", 0);
	rc = rest_stream(r, c->a, &call, to_file, &s, e);
	progress_end(&s.progress);
	return rc;
}

static enum rc
run_export(struct cli *c, struct err *e)
{
	const char *out = args_text(&c->args, "out");
	enum rc rc;
	int fd;

	if (out == NULL)
		return export_to(c, STDOUT_FILENO, e);
	fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	NEED(fd >= 0, e, CHY_FILE_WRITE, NULL, "%s: %s", out, strerror(errno));
	rc = export_to(c, fd, e);
	if (rc == RC_OK && fsync(fd) != 0)
		rc = err_set(e, CHY_FILE_WRITE, NULL, "%s: %s", out, strerror(errno));
	close(fd);
	if (rc != RC_OK)
		unlink(out); /* half an export is none */
	return rc;
}

/* ---- verification ---- */

struct verification {
	struct journal_verifier *v;
	struct progress progress;
	uint64_t lines;
};

static enum rc
verify_piece(void *arg, struct bytes piece, struct err *e)
{
	struct verification *x = arg;
	uint64_t before = x->lines;
	enum rc rc = journal_verifier_take(x->v, piece, e);

	x->lines = journal_verifier_lines(x->v);
	progress_step(&x->progress, x->lines - before, 0);
	return rc;
}

static enum rc
from_file(struct verification *x, const char *path, struct err *e)
{
	static uint8_t block[1 << 16];
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	enum rc rc = RC_OK;
	ssize_t n;

	NEED(fd >= 0, e, CHY_FILE_OPEN, NULL, "%s: %s", path, strerror(errno));
	while (rc == RC_OK && (n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		rc = n < 0 ? err_set(e, CHY_FILE_READ, NULL, "%s: %s", path, strerror(errno))
			   : verify_piece(x, bytes_of(block, (size_t)n), e);
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}

static enum rc
from_server(struct cli *c, struct verification *x, struct err *e)
{
	struct rest_call call = { .path = "/api/v1/journal/export", .accept = "application/jsonl" };
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	return rest_stream(r, c->a, &call, verify_piece, x, e);
}

static void
show_finding(void *arg, const struct journal_finding *f)
{
	struct cli *c = arg;
	struct json *o;
	char code[16];

	if (c->out.json) {
		o = json_object(c->a);
		snprintf(code, sizeof(code), "CHY-%d", (int)f->err.code);
		json_set(o, "code", json_str(c->a, bytes_str(code)));
		json_set(o, "where", json_str(c->a, bytes_str(f->where)));
		json_set(o, "text", json_str(c->a, bytes_str(f->err.text)));
		out_json_line(&c->out, o);
		return;
	}
	out_styled(&c->out, OUT_BAD, "%s", "wrong   ");
	out_text(&c->out, bytes_str(f->where));
	out_line(&c->out, ": ");
	out_text(&c->out, bytes_str(f->err.text));
	out_line(&c->out, " (CHY-%d)\n", (int)f->err.code);
}

static void
show_summary(struct cli *c, const struct journal_summary *s)
{
	struct json *o = json_object(c->a);
	char at[32];

	if (c->out.json) {
		json_set(o, "leaves", json_int(c->a, (int64_t)s->leaves));
		json_set(o, "heads", json_int(c->a, (int64_t)s->heads));
		json_set(o, "signatures", json_int(c->a, (int64_t)s->signatures));
		json_set(o, "documents", json_int(c->a, (int64_t)s->documents));
		json_set(o, "certificates", json_int(c->a, (int64_t)s->certificates));
		json_set(o, "clocks", json_int(c->a, (int64_t)s->clocks));
		json_set(o, "left_out", json_int(c->a, (int64_t)s->left_out));
		json_set(o, "older_signatures", json_int(c->a, (int64_t)s->older));
		json_set(o, "rescues", json_int(c->a, (int64_t)s->rescues));
		json_set(o, "restarts", json_int(c->a, (int64_t)s->restarts));
		json_set(o, "findings", json_int(c->a, (int64_t)s->findings));
		out_json_line(&c->out, o);
		return;
	}
	out_note(&c->out,
		 "%llu leaves under %llu signed heads, %llu officers' signatures, %llu document versions, "
		 "%llu certificates.\n",
		 (unsigned long long)s->leaves, (unsigned long long)s->heads,
		 (unsigned long long)s->signatures, (unsigned long long)s->documents,
		 (unsigned long long)s->certificates);
	if (s->left_out > 0)
		out_note(&c->out,
			 "%llu rows of the last ten minutes were left out: their leaves are not under a "
			 "signed head "
			 "yet. Verify again later.\n",
			 (unsigned long long)s->left_out);
	if (s->clocks > 0)
		out_line(&c->out, "The server's clock was set back, %llu times.\n",
			 (unsigned long long)s->clocks);
	if (s->older > 0)
		out_line(&c->out,
			 "%llu signatures, the last at %s, are by renewed certificates of before the journal "
			 "said for "
			 "which officer each stands: whoever could issue could have made them.\n",
			 (unsigned long long)s->older, time_text(at, s->older_at_ms));
	if (s->rescues > 0)
		out_line(
		    &c->out,
		    "Officers whose certificates had expired were rescued on the word of two of them, %llu "
		    "times.\n",
		    (unsigned long long)s->rescues);
	if (s->restarts > 0)
		out_line(
		    &c->out,
		    "Restarted after a restore, %llu times; last at %s: a head over %llu leaves was given "
		    "up, %llu were left.\n",
		    (unsigned long long)s->restarts, time_text(at, s->restart_at_ms),
		    (unsigned long long)s->restart_from, (unsigned long long)s->restart_to);
	if (s->findings == 0) {
		out_styled(&c->out, OUT_GOOD,
			   args_has(&c->args, "quick")
			       ? "All but the certificates' own signatures was verified and holds"
			       : "Everything holds");
		out_line(&c->out, ", up to the head signed at %s.\n", time_text(at, s->head_at_ms));
	}
}

/* Of the live server only: what the signer wrote down against what the store has. */
static enum rc
check_signer(struct cli *c, struct journal_summary *s, struct err *e)
{
	struct json *v = NULL;
	struct rest *r;
	int64_t missing;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/journal/reconciliation", NULL, &v, e));
	TRY_AT(json_need_int(v, "missing_in_store", 0, JSON_INT_MAX, &missing, e), e, "the server's answer");
	if (missing > 0) {
		struct journal_finding f = { .where = "signer's journal" };

		err_set(&f.err, CHY_JOURNAL_ACCOUNT, NULL,
			"%lld certificates that the signer signed are not in the store", (long long)missing);
		show_finding(c, &f);
		s->findings++;
	} else {
		out_note(&c->out,
			 "The signer's journal (%.*s records) and the store account for each other.\n",
			 BYTES_FMT(json_line(c->a, json_get(v, "records"))));
	}
	return RC_OK;
}

/* Asked before the export is begun, so that the export can only be longer. */
static enum rc
ask_witness(struct cli *c, struct journal_verifier *v, struct bytes root, struct err *e)
{
	struct json *json = NULL;
	struct journal_head h;
	struct bytes certificate;
	bool given_up = false;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/journal/witness", NULL, &json, e));
	TRY(json_opt_bool(json, "given_up", &given_up, e));
	if (given_up)
		return RC_OK; /* a restore: the next head begins anew, and the journal says so in a leaf */
	TRY_AT(journal_head_read(c->a, json, &h, e), e, "the signer's last head");
	TRY(json_need_str(json, "certificate", &certificate, e));
	TRY_AT(base64_parse(c->a, certificate, &certificate, e), e, "the signer's last head");
	TRY_AT(journal_head_check(&h, certificate, root, e), e, "the signer's last head");
	journal_verifier_witness(v, &h);
	return RC_OK;
}

static enum rc
run_verify(struct cli *c, struct err *e)
{
	const char *file = args_text(&c->args, "file");
	struct verification x = { 0 };
	struct journal_summary summary;
	struct bytes root;
	enum rc rc;

	TRY(root_of(c, &root, e));
	TRY(journal_verifier_new(root, clock_now_ms(), show_finding, c, &x.v, e));
	if (args_has(&c->args, "quick"))
		journal_verifier_quick(x.v);
	rc = file ? RC_OK : ask_witness(c, x.v, root, e);
	progress_start(&x.progress, &c->out, "Lines", 0);
	if (rc == RC_OK)
		rc = file ? from_file(&x, file, e) : from_server(c, &x, e);
	if (rc == RC_OK)
		rc = journal_verifier_end(x.v, &summary, e);
	progress_end(&x.progress);
	if (rc == RC_OK && file == NULL)
		rc = check_signer(c, &summary, e);
	if (rc == RC_OK)
		show_summary(c, &summary);
	journal_verifier_free(x.v);
	TRY(rc);
	NEED(summary.findings == 0, e, CHY_JOURNAL_ALTERED, NULL, "%llu things in the journal do not hold",
	     (unsigned long long)summary.findings);
	return RC_OK;
}

static const struct opt verify_options[] = {
	{ "file", "EXPORT", OPT_FILE, 0, "verify an exported file; the server's journal if not given" },
	{ "quick", NULL, OPT_FLAG, 0,
	  "without the certificates' own signatures, which are four fifths of the work" },
	{ "root", "FILE", OPT_FILE, 0, "the system root's certificate; that of --ca if not given" },
	{ 0 },
};
static const struct opt prove_options[] = {
	{ "root", "FILE", OPT_FILE, 0, "the system root's certificate; that of --ca if not given" },
	{ 0 },
};
static const struct opt export_options[] = {
	{ "out", "FILE", OPT_FILE, 0, "where it goes, never overwritten; standard output if not given" },
	{ 0 },
};
static const struct operand one[] = {
	{ "CERTIFICATE", OPT_FILE, OPT_MUST, "a file that holds it, its serial number, or its id" },
	{ 0 },
};

const struct command commands_journal[] = {
	{ "journal", "head", "show the journal's newest signed head", NULL, NULL, NULL, NULL, run_head },
	{ "journal", "prove", "prove that a certificate is in the journal",
	  "Fetches the inclusion proof and verifies it here: leaf, path, the head's signature, and the "
	  "journal key's certificate "
	  "up to the root.",
	  prove_options, one, "chancery journal prove web.pem --root root.pem", run_prove },
	{ "journal", "export", "export the journal, for archives and for verification elsewhere", NULL,
	  export_options, NULL, "chancery journal export --out journal-2026.jsonl", run_export },
	{ "journal", "verify",
	  "verify the whole journal: tree, heads, every officer's signature, every certificate",
	  "Recomputes the hash tree, checks every signed head by the journal key and its certificate by the "
	  "root, every "
	  "officer's signature with what the officer was and might do at that place, and that documents and "
	  "certificates "
	  "account for their leaves exactly. An exported file needs nothing else: no server, no database.",
	  verify_options, NULL, "chancery journal verify --file journal-2026.jsonl --root root.pem",
	  run_verify },
	{ 0 },
};
