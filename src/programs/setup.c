#include "base/base.h"
#include "programs/setup.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "crypto/crypto.h"
#include "crypto/p12.h"
#include "crypto/rand.h"
#include "crypto/softkey.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "programs/offline.h"

enum { BOOT_OFFICERS = 2, PIN_OCTETS = 12 };

struct setup {
	struct cli *cli;
	struct arena *a;
	const char *dir, *config;
	struct softkey *key[BOOT_OFFICERS];
	const char *name[BOOT_OFFICERS];
	struct json *in, *out;
};

static const char *
path_in(struct setup *s, const char *name)
{
	return arena_printf(s->a, "%s/%s", s->dir, name);
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- files ---- */

static enum rc
write_random(struct setup *s, const char *path, size_t octets, struct err *e)
{
	OWN_BUF struct buf text = buf_max(256);
	uint8_t random[64];

	if (is_there(path)) /* of a ceremony that was interrupted: its keys are sealed with it */
		return RC_OK;
	TRY(rand_bytes(random, octets, e));
	base64url_put(&text, bytes_of(random, octets));
	buf_u8(&text, '\n');
	explicit_bzero(random, sizeof(random));
	return file_write(path, buf_bytes(&text), 0600, e);
}

/* NAME=MODULE[,PINFILE] as a section. */
static enum rc
put_module(struct buf *b, const char *text, struct err *e)
{
	struct bytes module, pin, name = text_cut(bytes_str(text), '=', &module);

	module = text_cut(module, ',', &pin);
	NEED(name.n > 0 && module.n > 0, e, CHY_CLI_USAGE, NULL, "--pkcs11 NAME=MODULE[,PINFILE]");
	buf_printf(b, "\n[pkcs11:%.*s]\nmodule = %.*s\n", BYTES_FMT(name), BYTES_FMT(module));
	if (pin.n > 0)
		buf_printf(b, "pin_file = %.*s\n", BYTES_FMT(pin));
	return RC_OK;
}

static const char *
option(struct setup *s, const char *name, const char *absent)
{
	const char *v = args_text(&s->cli->args, name);

	return v ? v : absent;
}

static enum rc
write_config(struct setup *s, struct err *e)
{
	OWN_BUF struct buf b = buf_max(64 << 10);
	const char *store = args_text(&s->cli->args, "store");

	if (is_there(s->config))
		return RC_OK;
	buf_str(&b, "# Written by `chancery setup`. All settings: chancery config reference\n[store]\n");
	if (store != NULL)
		buf_printf(&b, "url = %s\n", store);
	else
		buf_printf(&b, "url = sqlite:%s/chancery.db\n", s->dir);
	buf_printf(&b, "\n[signer]\ndirectory = %s/signer\npassphrase_file = %s/signer-passphrase\n", s->dir,
		   s->dir);
	buf_printf(&b, "\n[distributor]\ndirectory = %s/distributor\n", s->dir);
	buf_printf(&b, "\n[listener]\ntls = %s\nplain = %s\n", option(s, "tls", "127.0.0.1:8443"),
		   option(s, "plain", "127.0.0.1:8080"));
	for (const struct arg *m = args_next(&s->cli->args, "pkcs11", NULL); m != NULL;
	     m = args_next(&s->cli->args, "pkcs11", m))
		TRY(put_module(&b, m->value, e));
	NEED(buf_ok(&b), e, CHY_NO_MEMORY, NULL, "the configuration");
	return file_write(s->config, buf_bytes(&b), 0600, e);
}

static enum rc
make_files(struct setup *s, struct err *e)
{
	TRY(dir_make(s->dir, 0700, e));
	TRY(dir_make(path_in(s, "signer"), 0700, e));
	TRY(dir_make(path_in(s, "officers"), 0700, e));
	TRY(write_random(s, path_in(s, "signer-passphrase"), 32, e));
	for (int i = 0; i < BOOT_OFFICERS; i++)
		TRY(write_random(s, arena_printf(s->a, "%s/officers/boot-%d.pin", s->dir, i + 1), PIN_OCTETS,
				 e));
	return write_config(s, e);
}

/* ---- boot officers: their keys are made here and never reach the server ---- */

static enum rc
boot_csr(struct setup *s, int i, struct bytes *ret, struct err *e)
{
	struct ava cn = { .known = OID_AT_CN, .value = bytes_str(s->name[i]) };
	OWN_BUF struct buf signature = buf_max(SOFTKEY_SIGNATURE_MAX);
	struct bytes tbs;
	struct name subject;

	TRY(softkey_generate("p-256", &s->key[i], e));
	TRY(name_build(s->a, &cn, 1, &subject, e));
	TRY(csr_tbs_build(s->a, subject.der, softkey_spki(s->key[i]), NULL, &tbs, e));
	TRY(softkey_sign(s->key[i], SIGALG_ECDSA_SHA256, tbs, &signature, e));
	return csr_assemble(s->a, tbs, SIGALG_ECDSA_SHA256, buf_bytes(&signature), ret, e);
}

static enum rc
make_input(struct setup *s, struct err *e)
{
	struct json *officers = json_array(s->a), *names = json_array(s->a);

	s->in = json_object(s->a);
	for (int i = 0; i < BOOT_OFFICERS; i++) {
		struct json *o = json_object(s->a);
		struct bytes csr;

		s->name[i] = arena_printf(s->a, "Boot officer %d", i + 1);
		TRY(boot_csr(s, i, &csr, e));
		json_set(o, "name", json_str(s->a, bytes_str(s->name[i])));
		json_set(o, "csr", json_base64(s->a, csr));
		json_add(officers, o);
	}
	for (const struct arg *n = args_next(&s->cli->args, "server-name", NULL); n != NULL;
	     n = args_next(&s->cli->args, "server-name", n))
		json_add(names, json_str(s->a, bytes_str(n->value)));
	if (names->count == 0) {
		json_add(names, json_str(s->a, BYTES("dns:localhost")));
		json_add(names, json_str(s->a, BYTES("ip:127.0.0.1")));
	}
	if (args_text(&s->cli->args, "organisation") != NULL)
		json_set(s->in, "organisation",
			 json_str(s->a, bytes_str(args_text(&s->cli->args, "organisation"))));
	json_set(s->in, "officers", officers);
	json_set(s->in, "tls_names", names);
	return RC_OK;
}

/* ---- the ceremony ---- */

static enum rc
hold_ceremony(struct setup *s, struct err *e)
{
	TRY(offline_run(s->a, s->config, s->dir, "--setup", s->in, &s->out, e));
	NEED(s->out != NULL, e, CHY_SETUP, NULL, "the boot ceremony failed; the lines above say why");
	return RC_OK;
}

/* ---- what people take away ---- */

static enum rc
write_officer(struct setup *s, int i, struct bytes certificate, struct bytes root, struct err *e)
{
	OWN(secret_free)
	struct secret *pin = NULL;
	OWN_BUF struct buf p12 = buf_max(P12_MAX);

	TRY(secret_read_file(arena_printf(s->a, "%s/officers/boot-%d.pin", s->dir, i + 1), &pin, e));
	TRY(p12_write(s->key[i], certificate, &root, 1, bytes_str(s->name[i]), pin, &p12, e));
	return file_write(arena_printf(s->a, "%s/officers/boot-%d.p12", s->dir, i + 1), buf_bytes(&p12), 0600,
			  e);
}

static enum rc
write_outcome(struct setup *s, struct err *e)
{
	OWN_BUF struct buf pem = buf_max(LIMIT_CERT * 2);
	struct bytes text, root, certificate;
	struct json *list;
	int i = 0;

	TRY(json_need_str(s->out, "root", &text, e));
	TRY(base64_parse(s->a, text, &root, e));
	pem_put(&pem, "CERTIFICATE", root);
	TRY(file_write(path_in(s, "root.pem"), buf_bytes(&pem), 0644, e));
	TRY(json_need_array(s->out, "officers", &list, e));
	JSON_EACH(o, list)
	{
		TRY(json_need_str(o, "certificate", &text, e));
		TRY(base64_parse(s->a, text, &certificate, e));
		TRY(write_officer(s, i++, certificate, root, e));
	}
	return RC_OK;
}

static void
tell(struct setup *s)
{
	const struct out *o = &s->cli->out;

	out_json(o, s->out);
	out_line(o, "Set up in %s\n", s->dir);
	out_line(o, "  configuration   %s\n", s->config);
	out_line(o, "  system root     %s/root.pem (trust it, and keep its fingerprint apart)\n", s->dir);
	out_line(o, "  boot officers   %s/officers/boot-1.p12, boot-2.p12 (PINs in .pin beside them)\n",
		 s->dir);
	out_line(o,
		 "Next: chancery serve --config %s, make your own officers, then close the boot officers.\n",
		 s->config);
}

static enum rc
run(struct setup *s, struct err *e)
{
	bool locked; /* where not: a boot officer's key is wiped all the same when the ceremony is over */

	TRY(crypto_guard_keys(&locked, e)); /* before the first key; there is one thread only */
	TRY(crypto_init(e));
	TRY(make_files(s, e));
	TRY(make_input(s, e));
	TRY(hold_ceremony(s, e));
	TRY(write_outcome(s, e));
	tell(s);
	return RC_OK;
}

static enum rc
setup_run(struct cli *c, struct err *e)
{
	struct setup s = { .cli = c, .a = c->a };
	char whole[PATH_MAX];
	enum rc rc;

	TRY(dir_make(args_text(&c->args, "DIR"), 0700, e));
	NEED(realpath(args_text(&c->args, "DIR"), whole) != NULL, e, CHY_FILE_OPEN, NULL, "%s: %s",
	     args_text(&c->args, "DIR"), strerror(errno));
	s.dir = whole;
	s.config = path_in(&s, "chancery.ini");
	NEED(!is_there(path_in(&s, "root.pem")), e, CHY_ALREADY_SET_UP, NULL, "%s is set up already", s.dir);
	rc = run(&s, e);
	for (int i = 0; i < BOOT_OFFICERS; i++)
		softkey_free(s.key[i]);
	return rc;
}

static const struct opt options[] = {
	{ "organisation", "NAME", OPT_TEXT, 0, "organisation in the names of the system's own certificates",
	  NULL, NULL },
	{ "store", "URL", OPT_TEXT, 0, "sqlite:/file or postgresql://...; else a SQLite file in DIR", NULL,
	  NULL },
	{ "tls", "ADDRESS", OPT_TEXT, 0, "address of the TLS listener (127.0.0.1:8443)", NULL, NULL },
	{ "plain", "ADDRESS", OPT_TEXT, 0, "address of the plain listener (127.0.0.1:8080)", NULL, NULL },
	{ "server-name", "NAME", OPT_TEXT, OPT_MANY,
	  "name in the server's certificate, dns:NAME or ip:ADDRESS", NULL, NULL },
	{ "pkcs11", "NAME=MODULE[,PINFILE]", OPT_TEXT, OPT_MANY, "a PKCS#11 module that the signer may use",
	  NULL, NULL },
	{ 0 },
};

static const struct operand operands[] = { { "DIR", OPT_DIR, OPT_MUST, "folder of the installation", NULL },
					   { 0 } };

const struct command setup_command = {
	.noun = "setup",
	.summary = "make an installation and hold the boot ceremony",
	.text = "Makes the configuration, the system's keys and two boot officers. The boot officers are "
		"there to make the first "
		"real officers and are to be closed then.",
	.options = options,
	.operands = operands,
	.example = "chancery setup /srv/chancery --organisation Example",
	.run = setup_run,
};
