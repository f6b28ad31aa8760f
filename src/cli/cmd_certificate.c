/* certificate: issue, show, export. */
#include "base/base.h"
#include "base/file.h"
#include "cli/certid.h"
#include "cli/chain.h"
#include "cli/choice.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/input.h"
#include "cli/issue.h"
#include "cli/options.h"
#include "cli/rest.h"
#include "pki/cert.h"
#include "pki/pem.h"

/* A batch under way. */
struct batch {
	struct cli *c;
	const char *procedure, *bearer;
	struct json *validity; /* NULL: none asked */
	struct cli_choice choice;
	struct json *secrets;  /* go beside the signature */
	struct json *input;    /* NULL: nothing is filled in */
	const char *card;      /* serial number of the one request's card; NULL: none is said */
	struct json *outcomes; /* for --json */
	struct progress progress;
	size_t done, failed, skipped;
	bool single; /* one request: its failure is the command's */
	bool with_chain;
	struct bytes chain, chain_of; /* PEM of what stands above the last one, and its issuer */
	struct err first;             /* failure */
};

/* The key is this program's own, of procedure and request: who typed the command knows of none. */
static void
tell_of_again(struct job *j)
{
	struct err was = j->err;

	if (was.code == CHY_IDEMPOTENCY_OTHER || was.code == CHY_IDEMPOTENCY_ENDED)
		snprintf(j->err.text, sizeof(j->err.text), "%.250s (--again asks for one more)", was.text);
}

/* Of single files; of a folder's many only how many they are. */
static void
tell_issued(struct batch *b, const struct job *j)
{
	char end[32];

	if (j->out == NULL || b->c->out.json || b->c->out.quiet || args_has(&b->c->args, "folder"))
		return;
	progress_end(&b->progress);
	out_text(&b->c->out, bytes_str(j->out));
	out_note(&b->c->out, ": certificate %lld, serial number %s, valid until %s\n", (long long)j->id,
		 j->serial, time_text(end, j->not_after_at));
}

static void
ended(struct batch *b, struct job *j)
{
	bool good = j->err.code == CHY_NONE;
	struct json *o = json_object(b->c->a);
	struct out to_err = b->c->out;
	char end[32];

	tell_of_again(j);
	b->done += good;
	b->failed += !good;
	if (!good && b->first.code == CHY_NONE)
		b->first = j->err;
	progress_step(&b->progress, 1, !good);
	json_set(o, "file", json_str(b->c->a, bytes_str(j->in)));
	if (good) {
		json_set(o, "certificate", json_int(b->c->a, j->id));
		json_set(o, "serial", json_str(b->c->a, bytes_str(j->serial)));
		json_set(o, "not_after", json_str(b->c->a, bytes_str(time_text(end, j->not_after_at))));
		tell_issued(b, j);
	} else {
		json_set(o, "code",
			 json_str(b->c->a, bytes_str(arena_printf(b->c->a, "CHY-%d", (int)j->err.code))));
		if (j->err.cause != CHY_NONE)
			json_set(
			    o, "cause",
			    json_str(b->c->a, bytes_str(arena_printf(b->c->a, "CHY-%d", (int)j->err.cause))));
		json_set(o, "field", json_str(b->c->a, bytes_str(j->err.field)));
		json_set(o, "detail", json_str(b->c->a, bytes_str(j->err.text)));
	}
	if (j->out && good)
		json_set(o, "out", json_str(b->c->a, bytes_str(j->out)));
	json_add(b->outcomes, o);
	if (good || b->single || b->c->out.json)
		return;
	progress_end(&b->progress);
	to_err.to = b->c->out.err;
	out_text(&to_err, bytes_str(j->in));
	fputs(": ", to_err.to);
	cli_print_error(&b->c->out, &j->err);
}

static enum rc
procedure_json(struct batch *b, struct json *body, struct err *e)
{
	int64_t id;
	struct json *v = int_parse(bytes_str(b->procedure), 1, JSON_INT_MAX, &id, NULL) == RC_OK
	    ? json_int(b->c->a, id)
	    : json_str(b->c->a, bytes_str(b->procedure));

	NEED(body && v, e, CHY_NO_MEMORY, NULL, "request");
	json_set(body, "token_procedure", v);
	if (b->validity)
		json_set(body, "validity", json_copy(b->c->a, b->validity));
	if (b->choice.publication)
		json_set(body, "publication_allowed", json_copy(b->c->a, b->choice.publication));
	if (b->choice.form && b->bearer)
		json_set(body, "revocation_password", json_copy(b->c->a, b->choice.form));
	else if (b->choice.form)
		json_set(body, "revocation_password_sha256", json_copy(b->c->a, b->choice.sha256));
	return RC_OK;
}

/* The certificate in an answer: base64 of the DER, or PEM. */
static enum rc
take_der(struct arena *a, const struct json *answer, const char *const *names, struct bytes *ret,
	 struct err *e)
{
	for (; *names; names++) {
		const struct json *v = json_get(answer, *names);

		if (v == NULL || v->type != JSON_STR)
			continue;
		if (pem_is(v->str))
			return pem_one(a, v->str, "CERTIFICATE", ret, e);
		return base64_parse(a, v->str, ret, e);
	}
	FAIL(e, CHY_CLI_ANSWER, NULL, "the server's answer has no certificate in it");
}

/* Certificates of one issuer have one chain. */
static enum rc
take_chain(struct batch *b, const struct job *j, const struct cert *cert, struct err *e)
{
	if (!b->with_chain || (b->chain.n > 0 && bytes_eq(b->chain_of, cert->issuer)))
		return RC_OK;
	TRY(chain_fetch(b->c, j->id, &b->chain, e));
	b->chain_of = arena_dup(b->c->a, cert->issuer);
	return RC_OK;
}

static enum rc
take_certificate(struct batch *b, struct job *j, struct bytes der, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct cert cert;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "certificate");
	TRY_AT(cert_parse(a, der, &cert, e), e, "the server's answer");
	NEED(cert.serial.n <= LIMIT_SERIAL + 1, e, CHY_CLI_ANSWER, NULL, "a serial number of %zu octets",
	     cert.serial.n);
	hex_text(j->serial, cert.serial);
	j->not_after_at = cert.not_after_at;
	TRY(take_chain(b, j, &cert, e));
	return job_write(b->c, j, der, b->chain, e);
}

/* ---- by an issuing session: one call a request ---- */

static enum rc
issue_one(struct batch *b, struct arena *a, struct job *j, struct err *e)
{
	static const char *const names[] = { "certificate", "der", "pem", NULL };
	OWN_BUF struct buf text = buf_max(8 * LIMIT_CSR);
	struct json *body = json_object(a);
	struct rest_call call = { .path = "/api/v1/certificates",
				  .idempotency_key = j->key,
				  .bearer = b->bearer };
	struct rest_answer answer;
	struct bytes der;
	struct rest *r;

	TRY(procedure_json(b, body, e));
	json_set(body, "request", json_base64(a, j->der));
	if (b->input)
		json_set(body, "input", json_copy(a, b->input));
	if (b->card)
		json_set(body, "card_serial", json_str(a, bytes_str(b->card)));
	json_put(&text, body);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "request");
	call.body = buf_bytes(&text);
	TRY(cli_rest(b->c, &r, e));
	TRY(rest_do(r, a, &call, &answer, e));
	NEED(answer.json != NULL, e, CHY_CLI_ANSWER, NULL, "the server answered with no JSON");
	TRY_AT(json_need_int(answer.json, "id", 1, JSON_INT_MAX, &j->id, e), e, "the server's answer");
	TRY(take_der(a, answer.json, names, &der, e));
	return take_certificate(b, j, der, e);
}

static enum rc
issue_by_session(struct batch *b, struct job *jobs, struct err *e)
{
	for (struct job *j = jobs; j; j = j->next) {
		OWN(arena_free)
		struct arena *a = arena_new(16 << 20);

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "request");
		if (j->err.code == CHY_NONE)
			job_load(b->c, a, j, b->procedure, b->input);
		if (j->err.code == CHY_NONE && issue_one(b, a, j, &j->err) != RC_OK &&
		    j->err.code == CHY_CLI_SERVER) {
			*e = j->err; /* all the others would fail the same way */
			return e->rc;
		}
		ended(b, j);
	}
	return RC_OK;
}

/* ---- by an officer: many requests in one signed act ---- */

static enum rc
act_add(struct batch *b, struct job *j, struct json *list, struct err *e)
{
	struct json *o = json_object(b->c->a), *csr = json_base64(b->c->a, j->der);

	NEED(o && csr, e, CHY_NO_MEMORY, NULL, "request");
	json_set(o, "csr", csr);
	json_set(o, "name", json_str(b->c->a, bytes_str(j->name)));
	json_set(o, "idempotency_key", json_str(b->c->a, bytes_str(j->key)));
	if (b->input)
		json_set(o, "input", json_copy(b->c->a, b->input));
	if (b->card)
		json_set(o, "card_serial", json_str(b->c->a, bytes_str(b->card)));
	json_add(list, o);
	return RC_OK;
}

/* One outcome of the act's result: a certificate, or a problem. */
static void
take_outcome(struct batch *b, struct job *j, const struct json *outcome)
{
	static const char *const names[] = { "der", "certificate_der", "pem", NULL };
	const struct json *problem = json_get(outcome, "problem");
	OWN_BUF struct buf text = buf_max(1 << 16);
	struct bytes der;

	if (problem) {
		json_put(&text, problem);
		rest_problem(b->c->a, 403, buf_bytes(&text), &j->err);
		return;
	}
	if (json_need_int(outcome, "certificate", 1, JSON_INT_MAX, &j->id, &j->err) != RC_OK ||
	    take_der(b->c->a, outcome, names, &der, &j->err) != RC_OK ||
	    take_certificate(b, j, der, &j->err) != RC_OK)
		return; /* the job has the error */
}

/* Signs one act over the jobs from..to (not included) and takes its outcomes. */
static enum rc
issue_act(struct batch *b, struct job *from, struct job *to, struct json *list, struct err *e)
{
	struct json *body = json_object(b->c->a), *answer, *result, *outcomes;
	const struct json *o;
	struct bytes state;

	TRY(procedure_json(b, body, e));
	json_set(body, "requests", list);
	TRY(flow_issue(b->c, body, b->secrets, &answer, e));
	state = json_line(b->c->a, json_get(answer, "state"));
	NEED(bytes_is(state, "done"), e, CHY_CLI_ANSWER, NULL,
	     "the request %.*s is in state %.*s; see it with \"chancery request show\"",
	     BYTES_FMT(json_line(b->c->a, json_get(answer, "id"))), BYTES_FMT(state));
	TRY_AT(json_need_object(answer, "result", &result, e), e, "the server's answer");
	TRY_AT(json_need_array(result, "certificates", &outcomes, e), e, "the server's answer");
	NEED(outcomes->count == list->count, e, CHY_CLI_ANSWER, NULL, "%zu outcomes for %zu requests",
	     outcomes->count, list->count);
	o = outcomes->first;
	for (struct job *j = from; j != to; j = j->next) {
		if (j->err.code == CHY_NONE) {
			take_outcome(b, j, o);
			o = o->next;
		}
		ended(b, j);
	}
	return RC_OK;
}

static enum rc
issue_by_officer(struct batch *b, struct job *jobs, struct err *e)
{
	struct job *from = jobs, *j = jobs;

	while (j) {
		struct json *list = json_array(b->c->a);
		size_t bytes = 0;

		NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "request");
		for (from = j; j && list->count < LIMIT_BULK; j = j->next) {
			OWN(arena_free)
			struct arena *a = arena_new(16 << 20);

			NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "request");
			if (j->der.p == NULL && j->err.code == CHY_NONE)
				job_load(b->c, a, j, b->procedure, b->input);
			if (j->err.code != CHY_NONE)
				continue;
			if (bytes > 0 && bytes + j->der.n * 4 / 3 > ISSUE_ACT_BYTES)
				break; /* it begins the next act */
			bytes += j->der.n * 4 / 3 + 64;
			TRY(act_add(b, j, list, e));
		}
		if (list->count > 0)
			TRY(issue_act(b, from, j, list, e));
		else
			for (struct job *x = from; x != j; x = x->next)
				ended(b, x);
	}
	return RC_OK;
}

/* ---- the command ---- */

static enum rc
session_token(struct cli *c, struct batch *b, struct err *e)
{
	struct bytes text;

	if (c->set.session == NULL || args_has(&c->args, "officer"))
		return RC_OK;
	TRY(file_read(c->a, c->set.session, 4096, &text, e));
	b->bearer = arena_str(c->a, text_trim(text));
	NEED(b->bearer != NULL, e, CHY_NO_MEMORY, NULL, "token");
	NEED(b->bearer[0] != 0, e, CHY_CLI_FILE_TYPE, NULL, "%s: no token in it", c->set.session);
	c->set.officer = NULL; /* the token is who acts: no key, no PIN */
	return RC_OK;
}

static enum rc
asked_validity(struct cli *c, struct batch *b, struct err *e)
{
	static const char *const names[][2] = { { "not-before", "not_before" },
						{ "not-after", "not_after" } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = args_text(&c->args, names[i][0]);

		if (v == NULL)
			continue;
		if (b->validity == NULL)
			b->validity = json_object(c->a);
		NEED(b->validity != NULL, e, CHY_NO_MEMORY, NULL, "validity");
		json_set(b->validity, names[i][1], json_str(c->a, bytes_str(v)));
	}
	return RC_OK;
}

static enum rc
collect(struct cli *c, struct batch *b, struct job **ret, size_t *ret_n, struct err *e)
{
	const char *folder = args_text(&c->args, "folder"), *out = args_text(&c->args, "out");

	if (folder == NULL) {
		NEED(args_has(&c->args, "REQUEST"), e, CHY_CLI_USAGE, NULL,
		     "REQUEST or --folder DIR is needed; see \"chancery help certificate issue\"");
		return jobs_of_files(c, out, ret, ret_n, e);
	}
	NEED(!args_has(&c->args, "REQUEST"), e, CHY_CLI_USAGE, NULL, "give files or --folder, not both");
	NEED(out != NULL, e, CHY_CLI_USAGE, NULL, "--out DIR is needed with --folder");
	return jobs_of_folder(c, folder, out, ret, ret_n, &b->skipped, e);
}

/* A line for each file of a folder, and how many there are of each sort. */
static void
tell_folder(struct batch *b)
{
	static const char *const heads[] = { "FILE",        "OUTCOME", "CERTIFICATE", "SERIAL NUMBER",
					     "VALID UNTIL", "REASON",  NULL };
	static const char *const names[] = { "certificate", "serial", "not_after" };
	struct out_table t;

	if (!args_has(&b->c->args, "folder") || b->c->out.json || b->c->out.quiet)
		return;
	out_table_start(&t, &b->c->out, b->c->a, heads);
	JSON_EACH(o, b->outcomes)
	{
		struct bytes code = json_line(b->c->a, json_get(o, "code")), cells[6];

		cells[0] = json_line(b->c->a, json_get(o, "file"));
		cells[1] = code.n > 0 ? BYTES("refused") : BYTES("issued");
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			cells[2 + i] = json_line(b->c->a, json_get(o, names[i]));
		cells[5] = code.n == 0
		    ? BYTES_NONE
		    : bytes_str(arena_printf(b->c->a, "%.*s %.*s", BYTES_FMT(code),
					     BYTES_FMT(json_line(b->c->a, json_get(o, "detail")))));
		out_table_row(&t, cells);
	}
	if (b->outcomes->count > 0)
		out_table_end(&t);
	out_note(&b->c->out, "%zu issued, %zu refused, %zu were there already.\n", b->done, b->failed,
		 b->skipped);
}

static enum rc
run_issue(struct cli *c, struct err *e)
{
	struct batch b = { .c = c,
			   .procedure = args_text(&c->args, "procedure"),
			   .outcomes = json_array(c->a) };
	struct job *jobs;
	size_t n;
	enum rc rc;

	NEED(b.outcomes != NULL, e, CHY_NO_MEMORY, NULL, "batch");
	TRY(collect(c, &b, &jobs, &n, e));
	TRY(session_token(c, &b, e));
	b.with_chain = args_has(&c->args, "with-chain");
	NEED(!b.with_chain || !b.bearer, e, CHY_CLI_USAGE, NULL,
	     "--with-chain: an issuing session gets the certificate alone");
	TRY(asked_validity(c, &b, e));
	TRY(cli_choice(c, &b.choice, e));
	b.secrets = json_object(c->a);
	NEED(b.secrets != NULL, e, CHY_NO_MEMORY, NULL, "batch");
	if (b.choice.form)
		json_set(b.secrets, "revocation_password", json_copy(c->a, b.choice.form));
	TRY(input_read(c, &b.input, e));
	b.card = args_text(&c->args, "card-serial");
	NEED(b.card == NULL || (n == 1 && !args_has(&c->args, "folder")), e, CHY_CLI_USAGE, NULL,
	     "--card-serial is of one card: one REQUEST, and no --folder");
	b.single = n == 1;
	progress_start(&b.progress, &c->out, "Issuing", n);
	rc = b.bearer ? issue_by_session(&b, jobs, e) : issue_by_officer(&b, jobs, e);
	progress_end(&b.progress);
	out_json(&c->out, b.outcomes);
	tell_folder(&b);
	TRY(rc);
	if (b.failed == 0)
		return RC_OK;
	if (b.single) {
		*e = b.first;
		return e->rc;
	}
	FAIL(e, CHY_CLI_SOME_FAILED, NULL, "%zu of %zu requests were refused", b.failed, n);
}

/* ---- looking ---- */

static enum rc
fetch(struct cli *c, int64_t *ret_id, struct bytes *ret_der, struct err *e)
{
	struct rest_call call = { .accept = "application/pkix-cert" };
	struct rest_answer answer;
	struct rest *r;

	TRY(cert_id(c, args_text(&c->args, "CERTIFICATE"), ret_id, e));
	call.path = arena_printf(c->a, "/api/v1/certificates/%lld", (long long)*ret_id);
	NEED(call.path != NULL, e, CHY_NO_MEMORY, NULL, "certificate");
	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	*ret_der = answer.body;
	return RC_OK;
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	OWN_BUF struct buf text = buf_max(4 << 20);
	struct bytes der;
	struct cert cert;
	struct json *v;
	int64_t id;

	TRY(fetch(c, &id, &der, e));
	TRY(cert_parse(c->a, der, &cert, e));
	if (c->out.json) {
		v = cert_json(c->a, &cert);
		NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "certificate");
		json_set(v, "id", json_int(c->a, id));
		out_json(&c->out, v);
		return RC_OK;
	}
	cert_put_text(&text, &cert);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "certificate");
	for (struct bytes rest = buf_bytes(&text), line;
	     rest.p && rest.n;) { /* names in it are other people's text */
		line = text_cut(rest, '\n', &rest);
		out_text(&c->out, line);
		out_line(&c->out, "\n");
	}
	return RC_OK;
}

static enum rc
run_export(struct cli *c, struct err *e)
{
	const char *out = args_text(&c->args, "out"), *form = args_text(&c->args, "form");
	bool as_der = form && strcmp(form, "der") == 0;
	struct bytes der, chain = BYTES_NONE;
	OWN_BUF struct buf text = buf_max(64 * LIMIT_CERT);
	int64_t id;

	NEED(!as_der || !args_has(&c->args, "with-chain"), e, CHY_CLI_USAGE, NULL,
	     "--with-chain: several certificates make a file of PEM only");
	TRY(fetch(c, &id, &der, e));
	if (args_has(&c->args, "with-chain"))
		TRY(chain_fetch(c, id, &chain, e));
	if (as_der)
		buf_put(&text, der);
	else
		pem_put(&text, "CERTIFICATE", der);
	buf_put(&text, chain);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "certificate");
	if (out)
		return file_write(out, buf_bytes(&text), 0644, e);
	fwrite(text.p, 1, text.n, c->out.to);
	return RC_OK;
}

static const char *const forms[] = { "pem", "der", NULL };
static const struct opt issue_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, OPT_MUST, "the token procedure to issue by" },
	{ "out", "FILE|DIR", OPT_FILE, 0, "where the certificate goes; standard output if not given" },
	{ "folder", "DIR", OPT_DIR, 0, "issue for every request (.csr .p10 .req .pem .der) of this folder" },
	{ "session", "FILE", OPT_FILE, 0, "issue by the issuing session whose token is in FILE" },
	{ "with-chain", NULL, OPT_FLAG, 0, "with its authority's certificate and those above it, behind it" },
	{ "not-before", "TIME", OPT_TIME, 0, "a later begin of validity than the procedure's" },
	{ "not-after", "TIME", OPT_TIME, 0, "an earlier end of validity than the procedure's" },
	OPTIONS_CHOICE,
	{ "input", "NAME=VALUE", OPT_TEXT, OPT_MANY,
	  "fills in a field of the procedure's input view, as \"chancery token-procedure input\" lists "
	  "them" },
	{ "card-serial", "TEXT", OPT_TEXT, 0,
	  "serial number of the card that it is for, of a single request: to search by; it does not stand in "
	  "the certificate" },
	{ "again", NULL, OPT_FLAG, 0, "issue one more, also for a request that has a certificate of today" },
	OPTIONS_CO_OFFICER,
	{ 0 },
};
static const struct opt export_options[] = {
	{ "out", "FILE", OPT_FILE, 0, "where it goes; standard output if not given" },
	{ "form", "FORM", OPT_CHOICE, 0, "pem if not given", forms },
	{ "with-chain", NULL, OPT_FLAG, 0,
	  "its authority's certificate and those above it as well, behind it" },
	{ 0 },
};
static const struct operand requests[] = {
	{ "REQUEST", OPT_FILE, OPT_MANY,
	  "a certificate request, PKCS#10 in PEM or DER; - is standard input" },
	{ 0 },
};
static const struct operand one[] = {
	{ "CERTIFICATE", OPT_FILE, OPT_MUST, "a file that holds it, its serial number, or its id" },
	{ 0 },
};

const struct command commands_certificate[] = {
	{ "certificate", "issue", "issue certificates for certificate requests",
	  "Signed by the officer, many requests in one signature; or in the name of the officer who opened "
	  "the issuing "
	  "session given by --session. With --folder a request whose certificate is there already, of the "
	  "same key, is passed over, so an interrupted batch is simply started again. Files whose names "
	  "differ "
	  "in the ending only would become one certificate's file and are refused. A request that was "
	  "answered within the last day gets "
	  "the "
	  "same certificate, and a refusal where that is revoked, on hold or expired, or where another "
	  "validity is asked; "
	  "--again has one more issued.",
	  issue_options, requests,
	  "chancery certificate issue --officer carl.p12 --procedure \"Web server\" web.csr --out web.pem",
	  run_issue },
	{ "certificate", "show", "show a certificate in readable form", NULL, NULL, one, NULL, run_show },
	{ "certificate", "export", "write a certificate as PEM or DER", NULL, export_options, one,
	  "chancery certificate export web.pem --with-chain --out web-chain.pem", run_export },
	{ 0 },
};
