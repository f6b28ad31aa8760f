/* officer renew: a new certificate of one's own, for a key that is made here or asked for elsewhere. */
#include "base/base.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/key.h"
#include "cli/newkey.h"
#include "cli/rest.h"
#include "crypto/crypto.h"
#include "crypto/p12.h"
#include "crypto/softkey.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/pem.h"

enum { REQUEST_FILE_MAX = 4 * LIMIT_CSR };

struct renewing {
	struct cli *c;
	struct softkey *key;     /* the new one; NULL: --request */
	struct secret *password; /* of its file */
	struct bytes csr;        /* DER */
};

/* Names as they stand in the certificate of now: another request would be refused. */
static enum rc
build_request(struct renewing *r, struct err *e)
{
	struct officer_key *now;
	const struct ext *san;
	struct cert cert;
	struct exts asked = { 0 };
	struct ext copy;

	TRY(cli_officer(r->c, &now, e));
	TRY(cert_parse(r->c->a, officer_key_cert(now), &cert, e));
	san = exts_find(&cert.exts, OID_CE_SUBJECT_ALT_NAME);
	if (san != NULL) {
		copy = *san;
		asked = (struct exts){ 1, &copy };
	}
	return newkey_request(r->c->a, r->key, cert.subject, san ? &asked : NULL, &r->csr, e);
}

/* The key's file is there before anything is asked for: a certificate without its key would be worth nothing. */
static enum rc
make_key(struct renewing *r, struct err *e)
{
	struct cli *c = r->c;
	const char *path = args_text(&c->args, "key"), *kind = args_text(&c->args, "kind");
	struct pin_source from = { args_text(&c->args, "new-pin-file"), -1, "New password for the key" };
	bool locked; /* where not: wiped all the same */

	TRY(newkey_must_be_new(path, e));
	TRY(pin_new(&from, &r->password, e));
	TRY(crypto_guard_keys(&locked, e));
	TRY(softkey_generate(kind ? kind : "p-256", &r->key, e));
	TRY(build_request(r, e));
	TRY(newkey_write(r->key, r->password, path, e));
	out_note(&c->out, "The new key is in %s, encrypted under its password.\n", path);
	return RC_OK;
}

static enum rc
read_request(struct renewing *r, struct err *e)
{
	struct bytes text;
	struct csr csr;

	TRY(file_read(r->c->a, args_text(&r->c->args, "request"), REQUEST_FILE_MAX, &text, e));
	TRY_AT(csr_parse_any(r->c->a, text, &csr, e), e, "%s", args_text(&r->c->args, "request"));
	r->csr = csr.der;
	return RC_OK;
}

/* ---- what came of it ---- */

static enum rc
write_p12(struct renewing *r, struct bytes certificate, const char *out, struct err *e)
{
	OWN_BUF struct buf file = buf_max(P12_MAX);
	struct officer_key *now;

	TRY(cli_officer(r->c, &now, e));
	TRY(p12_write(r->key, certificate, NULL, 0, bytes_str(officer_key_name(now)), r->password, &file, e));
	TRY(file_write(out, buf_bytes(&file), 0600, e));
	out_note(&r->c->out,
		 "%s holds the new key and its certificate, under the key's password. Use: --officer %s\n",
		 out, out);
	return RC_OK;
}

static enum rc
write_certificate(struct renewing *r, struct bytes certificate, const char *out, struct err *e)
{
	OWN_BUF struct buf pem = buf_max(2 * LIMIT_CERT);

	pem_put(&pem, "CERTIFICATE", certificate);
	TRY(file_write(out, buf_bytes(&pem), 0644, e));
	out_note(&r->c->out, "The new certificate is in %s.\n", out);
	return RC_OK;
}

static void
tell_what_next(struct renewing *r, const struct json *answer)
{
	const char *key = args_text(&r->c->args, "key");

	if (!bytes_is(json_line(r->c->a, json_get(answer, "state")), "waiting"))
		return;
	out_note(&r->c->out,
		 "Then, with the number that \"chancery request show\" has under certificate: "
		 "chancery certificate export NUMBER --out FILE\n");
	if (key != NULL)
		out_note(&r->c->out, "and: chancery officer p12 --key %s --certificate FILE --out FILE.p12\n",
			 key);
}

static enum rc
take_outcome(struct renewing *r, const struct json *answer, struct err *e)
{
	const char *p12 = args_text(&r->c->args, "out"), *pem = args_text(&r->c->args, "certificate");
	struct bytes text = json_line(r->c->a, json_get(json_get(answer, "result"), "der")), der;

	flow_show_outcome(r->c, answer);
	if (text.n == 0) {
		tell_what_next(r, answer);
		return RC_OK;
	}
	TRY(base64_parse(r->c->a, text, &der, e));
	if (pem != NULL)
		TRY(write_certificate(r, der, pem, e));
	return p12 != NULL ? write_p12(r, der, p12, e) : RC_OK;
}

/* What is signed says whose it is. */
static enum rc
add_own_id(struct cli *c, struct json *body, struct err *e)
{
	struct json *me;
	struct rest *rest;
	int64_t id;

	TRY(cli_rest(c, &rest, e));
	TRY(rest_json(rest, c->a, "/api/v1/whoami", NULL, &me, e));
	TRY_AT(json_need_int(me, "officer", 1, JSON_INT_MAX, &id, e), e, "the server's answer");
	json_set(body, "officer", json_int(c->a, id));
	return RC_OK;
}

static enum rc
renew(struct renewing *r, struct err *e)
{
	struct cli *c = r->c;
	struct json *body = json_object(c->a), *answer;
	OWN_BUF struct buf text = buf_max(2 * LIMIT_CSR);

	TRY(args_text(&c->args, "key") ? make_key(r, e) : read_request(r, e));
	base64_put(&text, r->csr);
	json_set(body, "csr", json_str(c->a, arena_dup(c->a, buf_bytes(&text))));
	TRY(add_own_id(c, body, e));
	TRY(flow_with_secrets(c, &(struct asked){ "officer.renew", NULL, 0, body }, NULL, &answer, e));
	return take_outcome(r, answer, e);
}

enum rc
officer_renew(struct cli *c, struct err *e)
{
	struct renewing r = { .c = c };
	const char *out = args_text(&c->args, "out");
	enum rc rc;

	NEED(!args_text(&c->args, "key") != !args_text(&c->args, "request"), e, CHY_CLI_USAGE, NULL,
	     "either --key, where the new key goes, or --request");
	NEED(out == NULL || args_text(&c->args, "key") != NULL, e, CHY_CLI_USAGE, NULL,
	     "a PKCS#12 file is made of a key: --out belongs to --key");
	if (out != NULL)
		TRY(newkey_must_be_new(out, e));
	rc = renew(&r, e);
	softkey_free(r.key);
	secret_free(r.password);
	return rc;
}
