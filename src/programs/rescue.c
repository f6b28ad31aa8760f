#include "base/base.h"
#include "programs/rescue.h"

#include <libgen.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/key.h"
#include "cli/newkey.h"
#include "crypto/digest.h"
#include "crypto/rand.h"
#include "model/rescue.h"
#include "pki/csr.h"
#include "pki/pem.h"
#include "programs/offline.h"

enum { DOCUMENT_MAX = 4 << 20 };

/* ---- prepare ---- */

static enum rc
add_officer(struct cli *c, struct rescue *r, const char *certificate, const char *request, struct err *e)
{
	struct bytes der, text;
	struct csr csr;
	size_t n;

	NEED(r->n < RESCUE_OFFICERS_MAX, e, CHY_CLI_USAGE, NULL, "at most %d officers", RESCUE_OFFICERS_MAX);
	TRY(certs_read(c->a, certificate, &der, 1, &n, e));
	TRY(file_read(c->a, request, DOCUMENT_MAX, &text, e));
	TRY_AT(csr_parse_any(c->a, text, &csr, e), e, "%s", request);
	sha256(der, r->v[r->n].certificate);
	r->v[r->n++].csr = csr.der;
	return RC_OK;
}

static enum rc
take_root(struct cli *c, struct rescue *r, char instance[2 * SHA256_LEN + 1], struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct bytes root;
	size_t n;

	TRY(certs_read(c->a, args_text(&c->args, "root"), &root, 1, &n, e));
	sha256(root, hash);
	r->instance = bytes_str(hex_text(instance, BYTES_OF(hash)));
	return RC_OK;
}

static enum rc
run_prepare(struct cli *c, struct err *e)
{
	const struct arg *certificate = NULL, *request = NULL;
	struct rescue r = { .prepared_at_ms = clock_now_ms() };
	const char *out = args_text(&c->args, "out");
	char instance[2 * SHA256_LEN + 1];
	uint8_t nonce[RESCUE_NONCE];
	struct bytes text;

	TRY(take_root(c, &r, instance, e));
	while ((certificate = args_next(&c->args, "certificate", certificate)) != NULL) {
		request = args_next(&c->args, "request", request);
		NEED(request != NULL, e, CHY_CLI_USAGE, NULL, "a --request for each --certificate");
		TRY(add_officer(c, &r, certificate->value, request->value, e));
	}
	NEED(r.n > 0 && args_next(&c->args, "request", request) == NULL, e, CHY_CLI_USAGE, NULL,
	     "a --certificate for each --request");
	TRY(rand_bytes(nonce, sizeof(nonce), e));
	TRY(rescue_write(c->a, &r, BYTES_OF(nonce), &text, e));
	TRY(file_write(out, text, 0644, e));
	out_note(&c->out,
		 "%s names %zu officers. Two who administer sign it: chancery rescue sign %s --officer "
		 "FILE.p12 --out "
		 "FILE\n",
		 out, r.n, out);
	return RC_OK;
}

/* ---- sign ---- */

/* What is signed is what it looks like: the document is read as it will be later, and told. */
static enum rc
show_document(struct cli *c, struct bytes text, struct err *e)
{
	struct rescue r;
	char at[32], hex[2 * SHA256_LEN + 1];
	uint8_t hash[SHA256_LEN];
	struct csr csr;

	TRY(rescue_read(c->a, text, &r, e));
	out_line(&c->out, "A rescue, prepared at %s; new certificates for\n",
		 time_text(at, r.prepared_at_ms));
	for (size_t i = 0; i < r.n; i++) {
		out_line(&c->out, "  the officer of certificate %s\n",
			 hex_text(hex, bytes_of(r.v[i].certificate, SHA256_LEN)));
		TRY(csr_parse(c->a, r.v[i].csr, &csr, e));
		sha256(csr.key.spki, hash);
		out_line(&c->out, "    with the key %s\n", hex_text(hex, BYTES_OF(hash)));
	}
	return RC_OK;
}

static enum rc
run_sign(struct cli *c, struct err *e)
{
	const char *path = args_text(&c->args, "FILE"), *out = args_text(&c->args, "out");
	struct officer_key *key;
	struct bytes text, cms;

	TRY(file_read(c->a, path, DOCUMENT_MAX, &text, e));
	TRY_AT(show_document(c, text, e), e, "%s", path);
	TRY(cli_officer(c, &key, e));
	TRY(officer_key_sign(key, c->a, text, clock_now_ms(), &cms, e));
	TRY(file_write(out, cms, 0644, e));
	out_note(&c->out, "%s is the signature of %s, with what is signed in it.\n", out,
		 officer_key_name(key));
	return RC_OK;
}

/* ---- apply ---- */

static enum rc
add_signatures(struct cli *c, struct json *in, struct err *e)
{
	struct json *list = json_array(c->a);

	for (const struct arg *x = NULL; (x = args_next(&c->args, "SIGNATURE", x)) != NULL;) {
		OWN_BUF struct buf text = buf_max(2 * DOCUMENT_MAX);
		struct bytes cms;

		TRY(file_read(c->a, x->value, DOCUMENT_MAX, &cms, e));
		base64_put(&text, cms);
		json_add(list, json_str(c->a, buf_bytes(&text)));
	}
	json_set(in, "signatures", list);
	return RC_OK;
}

/* The factory's own refusal, with its code. */
static enum rc
refused(const struct json *problem, struct err *e)
{
	struct bytes text = BYTES_NONE, field = BYTES_NONE;
	int64_t code;

	TRY(json_need_int(problem, "code", 1, 9999, &code, e));
	TRY(json_opt_str(problem, "detail", &text, e));
	TRY(json_opt_str(problem, "field", &field, e));
	if (field.n > 0)
		err_field(e, "%.*s", BYTES_FMT(field));
	FAIL(e, (enum code)code, NULL, "%.*s", BYTES_FMT(text));
}

static enum rc
write_certificates(struct cli *c, const struct json *answer, const char *dir, struct err *e)
{
	struct json *list;

	TRY(json_need_array(answer, "officers", &list, e));
	JSON_EACH(item, list)
	{
		OWN_BUF struct buf pem = buf_max(2 * LIMIT_CERT);
		struct bytes text, der, name;
		const char *path;
		int64_t id;

		TRY(json_need_str(item, "name", &name, e));
		TRY(json_need_str(item, "der", &text, e));
		TRY(json_need_int(item, "officer", 1, JSON_INT_MAX, &id, e));
		TRY(base64_parse(c->a, text, &der, e));
		pem_put(&pem, "CERTIFICATE", der);
		path = arena_printf(c->a, "%s/officer-%lld.pem", dir, (long long)id);
		TRY(file_write(path, buf_bytes(&pem), 0644, e));
		out_line(&c->out, "%s  ", path);
		out_text(&c->out, name);
		out_line(&c->out, "\n");
	}
	return RC_OK;
}

static enum rc
run_apply(struct cli *c, struct err *e)
{
	const char *config = args_text(&c->args, "config"),
		   *dir = dirname(arena_str(c->a, bytes_str(config))), *out = args_text(&c->args, "out-dir");
	struct json *in = json_object(c->a), *answer;

	TRY(dir_make(out, 0755, e));
	TRY(add_signatures(c, in, e));
	TRY(offline_run(c->a, config, dir, "--rescue", in, &answer, e));
	NEED(answer != NULL, e, CHY_CLI_SOME_FAILED, NULL,
	     "it was not done; the lines above say why. Does a server run still?");
	if (json_get(answer, "code") != NULL)
		return refused(answer, e);
	out_json(&c->out, answer);
	TRY(write_certificates(c, answer, out, e));
	out_note(&c->out, "Each with its key: chancery officer p12. Then start the server.\n");
	return RC_OK;
}

static const struct opt prepare_options[] = {
	{ "root", "FILE", OPT_FILE, OPT_MUST, "the installation's root.pem" },
	{ "certificate", "FILE", OPT_FILE, OPT_MUST | OPT_MANY, "an officer's newest certificate, expired" },
	{ "request", "FILE", OPT_FILE, OPT_MUST | OPT_MANY,
	  "the request for that officer's new one, in the same order" },
	{ "out", "FILE", OPT_FILE, OPT_MUST, "where the document goes that two officers sign" },
	{ 0 },
};
static const struct opt sign_options[] = {
	{ "out", "FILE", OPT_FILE, OPT_MUST, "where the signature goes, CMS in DER" },
	{ 0 },
};
static const struct operand document[] = {
	{ "FILE", OPT_FILE, OPT_MUST, "what was prepared", NULL },
	{ 0 },
};
static const struct opt apply_options[] = {
	{ "config", "FILE", OPT_FILE, OPT_MUST, "the installation's chancery.ini" },
	{ "out-dir", "DIR", OPT_DIR, OPT_MUST, "where the new certificates go" },
	{ 0 },
};
static const struct operand signatures[] = {
	{ "SIGNATURE", OPT_FILE, OPT_MUST | OPT_MANY, "the two signatures", NULL },
	{ 0 },
};

const struct command rescue_commands[3] = {
	{ .noun = "rescue",
	  .verb = "prepare",
	  .summary = "name officers whose certificates have expired, and the keys of the new ones",
	  .text = "When fewer than two officers are left who could renew the others, and nothing but expiry "
		  "is the cause. "
		  "Where two are left they renew: chancery officer renew, officer modify.",
	  .options = prepare_options,
	  .example = "chancery rescue prepare --root root.pem --certificate anna.pem --request anna-2.csr "
		     "--certificate "
		     "ben.pem --request ben-2.csr --out rescue.json",
	  .run = run_prepare },
	{ .noun = "rescue",
	  .verb = "sign",
	  .summary = "sign a rescue, also by a certificate that has expired",
	  .options = sign_options,
	  .operands = document,
	  .example = "chancery rescue sign rescue.json --officer anna.p12 --out anna.cms",
	  .run = run_sign },
	{ .noun = "rescue",
	  .verb = "apply",
	  .summary = "issue the certificates of a rescue that two officers signed",
	  .text = "On the server's machine, while the server is stopped. The journal says for ever that it "
		  "was done, on whose "
		  "word, and verifies that nobody was left who could have renewed.",
	  .options = apply_options,
	  .operands = signatures,
	  .example =
	      "chancery rescue apply --config /srv/chancery/chancery.ini --out-dir new anna.cms ben.cms",
	  .run = run_apply },
};
