/*
 * chancery-signer: the process that holds the keys. Started by `chancery serve`, which gives it a socket; wiring only.
 */
#include "base/base.h"

#include <getopt.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "programs/config.h"
#include "programs/control.h"
#include "signer/core.h"
#include "signer/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANDBOX = 0 }; /* the sanitizers' runtime does what the sandbox forbids */
#else
enum { SANDBOX = 1 };
#endif

struct options {
	const char *directory, *passphrase_file, *config;
	bool sandbox;
	int passphrase_fd, fd;
	size_t segment_bytes;
	unsigned threads;
	bool json;
	enum log_level level;
	struct {
		char name[64];
		char path[512];
		struct secret *pin;
	} modules[KEYSTORE_PINS_MAX];
	size_t n_modules;
};

static const char usage[] =
    "usage: chancery-signer [--config FILE]\n"
    "       chancery-signer --directory DIR (--passphrase-file FILE | --passphrase-fd N)\n"
    "                       [--module NAME=PATH[,PINFILE]]... [--fd N] [--threads N]\n"
    "                       [--segment-bytes N] [--log-format text|json] [--log-level LEVEL]\n"
    "\n"
    "Holds the keys and signs what `chancery serve` passes on over the socket (descriptor 3).\n";

static MUST enum rc
add_module(struct options *o, struct bytes name, struct bytes path, const char *pin_file, struct err *e)
{
	NEED(o->n_modules < ARRAY_LEN(o->modules), e, CHY_LIMIT, NULL, "%zu modules", o->n_modules);
	NEED(name.n > 0 && name.n < sizeof(o->modules[0].name) && path.n > 0 &&
		 path.n < sizeof(o->modules[0].path),
	     e, CHY_P11_MODULE, NULL, "name or path of a PKCS#11 module");
	snprintf(o->modules[o->n_modules].name, sizeof(o->modules[0].name), "%.*s", BYTES_FMT(name));
	snprintf(o->modules[o->n_modules].path, sizeof(o->modules[0].path), "%.*s", BYTES_FMT(path));
	if (pin_file != NULL)
		TRY_AT(secret_read_file(pin_file, &o->modules[o->n_modules].pin, e), e, "pin_file");
	o->n_modules++;
	return RC_OK;
}

/* NAME=PATH[,PINFILE] */
static MUST enum rc
parse_module(struct options *o, struct bytes text, struct err *e)
{
	struct bytes path, pin, name = text_cut(text, '=', &path);
	char file[512];

	path = text_cut(path, ',', &pin);
	NEED(pin.n < sizeof(file), e, CHY_P11_MODULE, NULL, "--module NAME=PATH[,PINFILE]");
	snprintf(file, sizeof(file), "%.*s", BYTES_FMT(pin));
	return add_module(o, name, path, pin.n > 0 ? file : NULL, e);
}

/* As `chancery serve` starts us: everything from chancery.ini, the passphrase through descriptor 4. */
static MUST enum rc
take_config(struct options *o, struct err *e)
{
	static struct config c; /* its texts live as long as the process */
	struct arena *a = arena_new(1 << 20);

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the configuration");
	TRY(config_load(a, o->config, &c, NULL, e));
	NEED(c.signer.directory != NULL, e, CHY_CONFIG_FILE, NULL, "[signer] directory is missing");
	o->directory = c.signer.directory;
	o->passphrase_fd = SIGNER_PASSPHRASE_FD;
	o->sandbox = c.serve.sandbox;
	o->json = c.log.format != NULL && strcmp(c.log.format, "json") == 0;
	NEED(c.log.level == NULL || log_level_parse(bytes_str(c.log.level), &o->level), e, CHY_CONFIG_FILE,
	     NULL, "[log] level");
	for (size_t i = 0; i < c.nmodules; i++)
		TRY_AT(add_module(o, bytes_str(c.modules[i].name), bytes_str(c.modules[i].module),
				  c.modules[i].pin_file, e),
		       e, "pkcs11:%s", c.modules[i].name);
	return RC_OK;
}

static MUST enum rc
number(const char *text, int64_t max, int64_t *ret, struct err *e)
{
	return int_parse(bytes_str(text), 0, max, ret, e);
}

static MUST enum rc
take_option(struct options *o, int c, const char *value, struct err *e)
{
	int64_t n;

	switch (c) {
	case 'd':
		o->directory = value;
		return RC_OK;
	case 'p':
		o->passphrase_file = value;
		return RC_OK;
	case 'c':
		o->config = value;
		return RC_OK;
	case 'P':
		TRY(number(value, 1 << 20, &n, e));
		o->passphrase_fd = (int)n;
		return RC_OK;
	case 'f':
		TRY(number(value, 1 << 20, &n, e));
		o->fd = (int)n;
		return RC_OK;
	case 't':
		TRY(number(value, 32, &n, e));
		o->threads = (unsigned)n;
		return RC_OK;
	case 's':
		TRY(number(value, 1 << 30, &n, e));
		o->segment_bytes = (size_t)n;
		return RC_OK;
	case 'j':
		o->json = strcmp(value, "json") == 0;
		return RC_OK;
	case 'l':
		NEED(log_level_parse(bytes_str(value), &o->level), e, CHY_NUMBER_TEXT, NULL, "--log-level %s",
		     value);
		return RC_OK;
	default:
		return parse_module(o, bytes_str(value), e);
	}
}

/* Exit status, or -1 to go on. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "directory", required_argument, NULL, 'd' },
		{ "passphrase-file", required_argument, NULL, 'p' },
		{ "passphrase-fd", required_argument, NULL, 'P' },
		{ "module", required_argument, NULL, 'm' },
		{ "fd", required_argument, NULL, 'f' },
		{ "threads", required_argument, NULL, 't' },
		{ "segment-bytes", required_argument, NULL, 's' },
		{ "log-format", required_argument, NULL, 'j' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct err e = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'h' || c == 'V') {
			fputs(c == 'h' ? usage : "chancery-signer " CHY_VERSION "\n", stdout);
			return 0;
		}
		if (c == '?') {
			fputs(usage, stderr);
			return 2;
		}
		if (take_option(o, c, optarg, &e) != RC_OK) {
			fprintf(stderr, "chancery-signer: %s\n", e.text);
			return 2;
		}
	}
	if (o->directory == NULL && optind == argc) {
		if (take_config(o, &e) == RC_OK)
			return -1;
		fprintf(stderr, "chancery-signer: %s: %s\n", e.field, e.text);
		return 2;
	}
	if (optind < argc || (o->passphrase_file == NULL && o->passphrase_fd < 0)) {
		fputs(usage, stderr);
		return 2;
	}
	return -1;
}

static MUST enum rc
open_keys(const struct options *o, struct keystore **ret, struct err *e)
{
	OWN(secret_free)
	struct secret *passphrase = NULL;
	struct keystore_module m[KEYSTORE_PINS_MAX];

	for (size_t i = 0; i < o->n_modules; i++)
		m[i] = (struct keystore_module){ o->modules[i].name, o->modules[i].path, o->modules[i].pin };
	if (o->passphrase_file != NULL)
		TRY(secret_read_file(o->passphrase_file, &passphrase, e));
	else
		TRY(secret_read_fd(o->passphrase_fd, &passphrase, e));
	return keystore_open(o->directory, passphrase, m, o->n_modules, ret, e);
}

static MUST enum rc
work(const struct options *o, struct keystore *keys, struct sj *journal, const char *journal_dir,
     struct err *e)
{
	OWN(signer_core_free)
	struct signer_core *core = NULL;
	struct signer_core_options co = {
		.keys = keys, .journal = journal, .journal_dir = journal_dir, .threads = o->threads
	};
	bool landlock = false;
	size_t guarded = crypto_guarded(); /* before other threads make and drop secrets there */

	if (SANDBOX && o->sandbox) {
		TRY(sandbox_enter(o->directory, keystore_uses_modules(keys), &landlock, e));
		co.sandboxed = true;
	}
	TRY(signer_core_new(&co, &core, e));
	LOG(INFO, "signer.started", LI("keys", (int64_t)keystore_count(keys)),
	    LI("synced", (int64_t)sj_synced(journal)), LI("sandboxed", co.sandboxed),
	    LI("landlock", landlock), LI("guarded_octets", (int64_t)guarded));
	return signer_core_run(core, o->fd, e);
}

/* Before the first key and the second thread. */
static MUST enum rc
guard(struct err *e)
{
	bool locked;

	TRY(crypto_guard_keys(&locked, e));
	if (!locked)
		LOG(WARNING, "signer.keys-not-locked",
		    LS("hint", "raise the limit of locked memory (LimitMEMLOCK=)"));
	return RC_OK;
}

static MUST enum rc
run(const struct options *o, struct err *e)
{
	OWN(keystore_free)
	struct keystore *keys = NULL;
	OWN(sj_close)
	struct sj *journal = NULL;
	char dir[4096];

	NEED(snprintf(dir, sizeof(dir), "%s/journal", o->directory) < (int)sizeof(dir), e, CHY_FILE_OPEN,
	     NULL, "path too long");
	TRY(guard(e));
	TRY(crypto_init(e));
	TRY(open_keys(o, &keys, e));
	TRY(sj_open(dir, o->segment_bytes, &journal, e));
	return work(o, keys, journal, dir, e);
}

int
main(int argc, char **argv)
{
	static struct options o = {
		.sandbox = true, .passphrase_fd = -1, .fd = SIGNER_FD, .level = LOG_INFO
	};
	struct rlimit none = { 0, 0 };
	struct err e = { 0 };
	int status = read_options(argc, argv, &o);

	if (status >= 0)
		return status;
	log_init("chancery-signer", o.json, o.level);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C is the parent's business: it closes our socket */
	(void)setrlimit(RLIMIT_CORE, &none);
	if (run(&o, &e) != RC_OK) {
		LOG(ERROR, "signer.failed", LE(&e));
		status = 1;
	} else {
		LOG(INFO, "signer.ended");
		status = 0;
	}
	for (size_t i = 0; i < o.n_modules; i++)
		secret_free(o.modules[i].pin);
	return status;
}
