/* officer: the key of an officer, before there is one: key, certificate request, PKCS#12 file. */
#include "base/base.h"
#include "base/file.h"
#include "cli/groups.h"
#include "cli/key.h"
#include "cli/newkey.h"
#include "cli/options.h"
#include "cli/cli.h"
#include "crypto/crypto.h"
#include "crypto/p12.h"
#include "crypto/softkey.h"
#include "pki/name.h"
#include "pki/pem.h"

enum { KEY_FILE_MAX = 64 << 10, CHAIN_MAX_FILES = P12_CHAIN_MAX };

static struct pin_source
password_from(const struct cli *c, const char *prompt)
{
	return (struct pin_source){ c->set.pin_file, c->set.pin_fd, prompt };
}

static enum rc
write_request(struct cli *c, const struct softkey *key, const char *subject, const char *out, struct err *e)
{
	OWN_BUF struct buf pem = buf_max(4 * LIMIT_CSR);
	struct bytes der;
	struct name name;

	TRY_AT(name_from_text(c->a, bytes_str(subject), &name, e), e, "--subject");
	TRY(newkey_request(c->a, key, name.der, NULL, &der, e));
	pem_put(&pem, "CERTIFICATE REQUEST", der);
	NEED(buf_ok(&pem), e, CHY_NO_MEMORY, NULL, "certificate request");
	if (out)
		return file_write(out, buf_bytes(&pem), 0644, e);
	fwrite(pem.p, 1, pem.n, c->out.to);
	return RC_OK;
}

static enum rc
run_keygen(struct cli *c, struct err *e)
{
	OWN(softkey_free)
	struct softkey *key = NULL;
	OWN(secret_free)
	struct secret *password = NULL;
	const char *kind = args_text(&c->args, "kind"), *out = args_text(&c->args, "out");
	const char *subject = args_text(&c->args, "subject"), *request = args_text(&c->args, "request");
	struct pin_source from = password_from(c, "New password for the key");
	bool locked; /* where not: wiped all the same */

	NEED(!subject == !request, e, CHY_CLI_USAGE, NULL, "--subject and --request belong together");
	TRY(newkey_must_be_new(out, e));
	TRY(pin_new(&from, &password, e));
	TRY(crypto_guard_keys(&locked, e));
	TRY(softkey_generate(kind ? kind : "p-256", &key, e));
	TRY(newkey_write(key, password, out, e));
	out_note(&c->out, "The key is in %s, encrypted under the password.\n", out);
	if (request == NULL)
		return RC_OK;
	TRY(write_request(c, key, subject, request, e));
	out_note(&c->out, "The certificate request is in %s.\n", request);
	return RC_OK;
}

static enum rc
read_key(struct cli *c, struct softkey **ret, struct secret **ret_password, struct err *e)
{
	const char *path = args_text(&c->args, "key");
	struct pin_source from = password_from(c, arena_printf(c->a, "Password for %s", path));
	struct bytes text;
	bool locked; /* where not: wiped all the same */

	TRY(crypto_guard_keys(&locked, e));
	TRY(file_read(c->a, path, KEY_FILE_MAX, &text, e));
	if (pem_is(text))
		TRY_AT(pem_one(c->a, text, NEWKEY_LABEL, &text, e), e, "%s", path);
	TRY(pin_get(&from, ret_password, e));
	TRY_AT(softkey_load(text, *ret_password, ret, e), e, "%s", path);
	return RC_OK;
}

static enum rc
run_request(struct cli *c, struct err *e)
{
	OWN(softkey_free)
	struct softkey *key = NULL;
	OWN(secret_free)
	struct secret *password = NULL;

	TRY(read_key(c, &key, &password, e));
	return write_request(c, key, args_text(&c->args, "subject"), args_text(&c->args, "out"), e);
}

static enum rc
read_chain(struct cli *c, struct bytes *ret, size_t *ret_n, struct err *e)
{
	const char *path = args_text(&c->args, "chain");

	*ret_n = 0;
	return path ? certs_read(c->a, path, ret, CHAIN_MAX_FILES, ret_n, e) : RC_OK;
}

static enum rc
run_p12(struct cli *c, struct err *e)
{
	OWN(softkey_free)
	struct softkey *key = NULL;
	OWN(secret_free)
	struct secret *password = NULL;
	OWN_BUF struct buf file = buf_max(P12_MAX);
	struct bytes certs[CHAIN_MAX_FILES], chain[CHAIN_MAX_FILES];
	const char *out = args_text(&c->args, "out"), *name = args_text(&c->args, "name");
	size_t n, chain_n;

	TRY(newkey_must_be_new(out, e));
	TRY(certs_read(c->a, args_text(&c->args, "certificate"), certs, CHAIN_MAX_FILES, &n, e));
	TRY(read_chain(c, chain, &chain_n, e));
	TRY(read_key(c, &key, &password, e));
	if (chain_n == 0) { /* the chain may stand behind the certificate in its own file */
		chain_n = n - 1;
		memcpy(chain, certs + 1, chain_n * sizeof(*chain));
	}
	TRY(p12_write(key, certs[0], chain, chain_n, bytes_str(name ? name : ""), password, &file, e));
	TRY(file_write(out, buf_bytes(&file), 0600, e));
	out_note(&c->out, "%s holds key and certificate, under the key's password. Use: --officer %s\n", out,
		 out);
	return RC_OK;
}

static const char *const kinds[] = { "p-256",    "p-384",    "p-521",   "rsa-2048",
				     "rsa-3072", "rsa-4096", "ed25519", NULL };
static const struct opt keygen_options[] = {
	{ "out", "FILE", OPT_FILE, OPT_MUST,
	  "where the key goes, encrypted (PKCS#8, PEM); never overwritten" },
	{ "kind", "KIND", OPT_CHOICE, 0, "p-256 if not given", kinds },
	{ "subject", "DN", OPT_TEXT, 0,
	  "make a certificate request too, for this name: CN=Anna Andersson,O=Example" },
	{ "request", "FILE", OPT_FILE, 0, "where the certificate request goes" },
	{ 0 },
};
static const struct opt request_options[] = {
	{ "key", "FILE", OPT_FILE, OPT_MUST, "the officer's key" },
	{ "subject", "DN", OPT_TEXT, OPT_MUST, "the name: CN=Anna Andersson,O=Example" },
	{ "out", "FILE", OPT_FILE, 0, "where the request goes; standard output if not given" },
	{ 0 },
};
static const struct opt p12_options[] = {
	{ "key", "FILE", OPT_FILE, OPT_MUST, "the officer's key" },
	{ "certificate", "FILE", OPT_FILE, OPT_MUST, "the certificate that was issued for it" },
	{ "chain", "FILE", OPT_FILE, 0, "the certificates above it" },
	{ "name", "TEXT", OPT_TEXT, 0, "the name that other programs show for it" },
	{ "out", "FILE", OPT_FILE, OPT_MUST, "the PKCS#12 file; never overwritten" },
	{ 0 },
};

static const struct opt renew_options[] = {
	{ "key", "FILE", OPT_FILE, 0, "where the new key goes, encrypted (PKCS#8, PEM); never overwritten" },
	{ "kind", "KIND", OPT_CHOICE, 0, "of the new key; p-256 if not given", kinds },
	{ "new-pin-file", "FILE", OPT_FILE, 0, "the new key's password; else it is asked on the terminal" },
	{ "request", "FILE", OPT_FILE, 0,
	  "a certificate request made elsewhere, as in a card, in place of a new key" },
	{ "out", "FILE", OPT_FILE, 0,
	  "where key and certificate go as PKCS#12, if a second officer signs at once" },
	{ "certificate", "FILE", OPT_FILE, 0, "the same for the certificate alone, PEM" },
	OPTIONS_CO_OFFICER,
	{ 0 },
};

const struct command commands_officer[] = {
	{ "officer", "renew", "have a new certificate of one's own issued before the old one ends",
	  "For the same name, by the procedure that issued the certificate of now, which stays good until it "
	  "ends. "
	  "The officer's own signature comes first, by a certificate that is valid still; another officer "
	  "who may "
	  "change officers signs too.",
	  renew_options, NULL,
	  "chancery officer renew --officer anna.p12 --key anna-2.key --co-officer ben.p12 --out anna-2.p12",
	  officer_renew },
	{ "officer", "keygen", "make a key for an officer, and a certificate request for it",
	  "The password comes from --pin-file or --pin-fd, or is asked twice on the terminal.",
	  keygen_options, NULL,
	  "chancery officer keygen --out anna.key --subject \"CN=Anna Andersson\" --request anna.csr",
	  run_keygen },
	{ "officer", "request", "make a certificate request for an officer's key", NULL, request_options,
	  NULL, NULL, run_request },
	{ "officer", "p12", "join an officer's key and certificate in a PKCS#12 file", NULL, p12_options,
	  NULL, "chancery officer p12 --key anna.key --certificate anna.pem --out anna.p12", run_p12 },
	{ 0 },
};
