/* Reading the settings. What a setting is stands in settings[] alone. */
#include "base/base.h"
#include "base/file.h"
#include "programs/config.h"

#include <ini.h>
#include <stdarg.h>
#include <unistd.h>

enum type { TEXT, PATH, INT, BOOL, CHOICE, ADDRESS, URL };

struct setting {
	const char *section, *key;
	enum type type;
	size_t offset;       /* in struct config, or in struct config_module */
	const char *dflt;    /* NULL: none */
	int64_t min, max;    /* INT */
	const char *choices; /* CHOICE: "text|json" */
	const char *help;
};

#define AT(member) offsetof(struct config, member)
#define AT_MODULE(member) offsetof(struct config_module, member)

/* clang-format off */
static const struct setting settings[] = {
	{ "store", "url", URL, AT(store.url), "sqlite:/var/lib/chancery/chancery.db", 0, 0, NULL,
	  "The database: sqlite:FILE, or postgresql://USER@HOST/NAME. Passwords belong into ~/.pgpass or a service file, not here." },
	{ "signer", "directory", PATH, AT(signer.directory), "/var/lib/chancery/signer", 0, 0, NULL,
	  "Folder of the signer's keys and journal. It needs a disk that syncs truthfully." },
	{ "signer", "passphrase_file", PATH, AT(signer.passphrase_file), NULL, 0, 0, NULL,
	  "File whose first line opens the software keys. Without it the systemd credential \"passphrase\" is used where there is one." },
	{ "signer", "key_archive", TEXT, AT(signer.key_archive), "software", 0, 0, NULL,
	  "Where the key is made that archived keys are sealed to: software, or a pkcs11: URI that names one token whose module does "
	  "ECDH. Another place is another key: what is archived stays with the key that it was archived under." },
	{ "distributor", "directory", PATH, AT(distributor.directory), "/var/lib/chancery/distributor", 0, 0, NULL,
	  "Folder of the distributor's key and the sealed passwords of destinations (chancery secret seal)." },
	{ "distributor", "folders", TEXT, AT(distributor.folders), NULL, 0, 0, NULL,
	  "Folders that distribution rules may write files into, absolute, separated by colons. None: no files." },
	{ "distributor", "longest_rest_seconds", INT, AT(distributor.longest_rest_seconds), "300", 1, 86400, NULL,
	  "How long a destination that does not answer is left alone at most, before it is tried again." },
	{ "pkcs11:NAME", "module", PATH, AT_MODULE(module), NULL, 0, 0, NULL,
	  "Library of a PKCS#11 module. NAME is how keys refer to it; there may be several such sections." },
	{ "pkcs11:NAME", "pin_file", PATH, AT_MODULE(pin_file), NULL, 0, 0, NULL,
	  "File whose first line is the token's user PIN." },
	{ "listener", "tls", ADDRESS, AT(listener.tls), "127.0.0.1:8443", 0, 0, NULL,
	  "Address and port of the TLS listener, or \"none\". Officers log in here by client certificate." },
	{ "listener", "plain", ADDRESS, AT(listener.plain), NULL, 0, 0, NULL,
	  "Address and port of the listener without TLS, or \"none\". For a proxy or programs on this machine: bearer tokens go over it in clear." },
	{ "listener", "certificate_file", PATH, AT(listener.certificate_file), NULL, 0, 0, NULL,
	  "PEM chain of the TLS listener, its own certificate first. Without it, the one that setup has made." },
	{ "listener", "key_file", PATH, AT(listener.key_file), NULL, 0, 0, NULL,
	  "PEM private key of certificate_file." },
	{ "listener", "threads", INT, AT(listener.threads), "2", 1, 64, NULL, "Event threads; as many as there are processors." },
	{ "listener", "workers", INT, AT(listener.workers), "4", 1, 64, NULL, "Threads for requests that wait for the database." },
	{ "listener", "connections", INT, AT(listener.connections), "4096", 8, 1000000, NULL,
	  "Open connections; further ones are answered with 503." },
	{ "listener", "body_seconds", INT, AT(listener.body_seconds), "20", 1, 3600, NULL,
	  "A request must have come whole in this time." },
	{ "listener", "idle_seconds", INT, AT(listener.idle_seconds), "75", 1, 86400, NULL,
	  "A connection without a request is closed after this time." },
	{ "listener", "refusals_per_minute", INT, AT(listener.refusals_per_minute), "600", 0, 1000000, NULL,
	  "How often one caller may be refused; then calls are answered with 429 for a while. 0: without end." },
	{ "log", "format", CHOICE, AT(log.format), "text", 0, 0, "text|json", "Lines for people or for programs." },
	{ "log", "level", CHOICE, AT(log.level), "info", 0, 0, "debug|info|warning|error", "What is less important is left out." },
	{ "node", "role", CHOICE, AT(node.role), "issuing", 0, 0, "issuing|status",
	  "issuing: the server that does everything. status: a status node beside it, on its PostgreSQL, with a signer of its own: it tells "
	  "relying parties the status of certificates by [listener] plain, and does nothing else." },
	{ "node", "number", INT, AT(node.number), "0", 0, 15, NULL,
	  "Another one for each factory on one store: part of every id that it gives." },
	{ "serve", "drain_seconds", INT, AT(serve.drain_seconds), "20", 0, 600, NULL,
	  "What open requests get to end in when the server stops." },
	{ "serve", "restart_ms_max", INT, AT(serve.restart_ms_max), "30000", 10, 600000, NULL,
	  "The longest wait before a program that keeps dying is started again." },
	{ "serve", "sandbox", BOOL, AT(serve.sandbox), "true", 0, 0, NULL,
	  "Whether the programs give rights away after start (seccomp, Landlock)." },
};
/* clang-format on */

static const char MODULE_SECTION[] = "pkcs11:NAME";

/* Where we are while reading. */
struct reading {
	struct arena *a;
	struct config *c;
	const char *dir;
	struct bytes text; /* what is still to be read */
	unsigned line;
	bool seen[ARRAY_LEN(settings)];
	struct config_problems *all;
	struct config_problems own; /* where the caller wants none */
};

PRINTF(4, 5)
static void
problem(struct config_problems *all, unsigned line, enum code code, const char *fmt, ...)
{
	struct config_problem *p = &all->list[all->n];
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (all->n == CONFIG_PROBLEMS_MAX) {
		all->more++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*p = (struct config_problem){ .line = line };
	if (line > 0)
		(void)!err_set(&p->err, code, NULL, "line %u: %s", line, text);
	else
		(void)!err_set(&p->err, code, NULL, "%s", text);
	all->n++;
}

/* Values. */

/* "host:port"; the host may be in brackets, or * */
static bool
is_address(struct bytes v)
{
	size_t at = v.n;
	int64_t port;

	while (at > 0 && v.p[at - 1] != ':')
		at--;
	return at > 1 && int_parse(bytes_part(v, at, v.n), 0, 65535, &port, NULL) == RC_OK &&
	    (v.p[0] == '[' ? v.p[at - 2] == ']' : memchr(v.p, ':', at - 1) == NULL);
}

static bool
is_choice(struct bytes v, const char *choices)
{
	struct bytes rest = bytes_str(choices);

	while (rest.p != NULL)
		if (bytes_eq(text_cut(rest, '|', &rest), v))
			return true;
	return false;
}

/* A path in the file is relative to the file. */
static const char *
path_of(struct arena *a, const char *dir, struct bytes v)
{
	if (v.n > 0 && v.p[0] != '/' && dir != NULL && dir[0] != 0)
		return arena_printf(a, "%s/%.*s", dir, BYTES_FMT(v));
	return arena_str(a, v);
}

static const char *
url_of(struct arena *a, const char *dir, struct bytes v)
{
	if (bytes_starts(v, "sqlite:"))
		return arena_printf(a, "sqlite:%s", path_of(a, dir, bytes_part(v, 7, v.n)));
	return arena_str(a, v);
}

/* Why a value will not do; NULL: it will. */
static const char *
wrong(struct arena *a, const struct setting *s, struct bytes v)
{
	int64_t n;

	if (!utf8_ok(v) || v.n == 0)
		return "it is empty or not UTF-8";
	if (s->type == INT && int_parse(v, s->min, s->max, &n, NULL) != RC_OK)
		return arena_printf(a, "not a number from %lld to %lld", (long long)s->min,
				    (long long)s->max);
	if (s->type == BOOL && !is_choice(v, "true|false|yes|no"))
		return "neither yes nor no";
	if (s->type == CHOICE && !is_choice(v, s->choices))
		return arena_printf(a, "not one of %s", s->choices);
	if (s->type == ADDRESS && !bytes_is(v, "none") && !is_address(v))
		return "not of the form address:port";
	if (s->type == URL && !(bytes_starts(v, "sqlite:") && v.n > 7) && !bytes_starts(v, "postgresql://") &&
	    !bytes_starts(v, "postgres://"))
		return "neither sqlite:FILE nor postgresql://...";
	return NULL;
}

/* v is known to be good; base is the struct that the offset is of. */
static void
store(struct arena *a, const char *dir, const struct setting *s, void *base, struct bytes v)
{
	char *at = (char *)base + s->offset;
	const char *text = NULL;

	if (s->type == INT) {
		(void)!int_parse(v, s->min, s->max, (int64_t *)(void *)at, NULL);
		return;
	}
	if (s->type == BOOL) {
		*(bool *)at = is_choice(v, "true|yes");
		return;
	}
	if (s->type == PATH)
		text = path_of(a, dir, v);
	else if (s->type == URL)
		text = url_of(a, dir, v);
	else if (s->type != ADDRESS || !bytes_is(v, "none"))
		text = arena_str(a, v);
	memcpy(at, &text, sizeof(text));
}

/* The file. */

/* fgets over memory, so that we know the line: the library of Debian does not tell it. */
static char *
next_line(char *dst, int max, void *stream)
{
	struct reading *r = stream;
	struct bytes rest, line;

	if (r->text.n == 0 || max < 2)
		return NULL;
	line = text_cut(r->text, '\n', &rest);
	r->line++;
	if (line.n > (size_t)max - 2) {
		problem(r->all, r->line, CHY_CONFIG_SYNTAX, "the line is longer than %d characters", max - 2);
		line.n = 0;
	}
	if (memchr(line.p, 0, line.n) != NULL) {
		problem(r->all, r->line, CHY_CONFIG_SYNTAX, "the line holds a NUL");
		line.n = 0;
	}
	memcpy(dst, line.p, line.n);
	dst[line.n] = '\n';
	dst[line.n + 1] = 0;
	r->text = rest.p ? rest : BYTES_NONE;
	return dst;
}

static struct config_module *
module_of(struct reading *r, const char *name)
{
	struct config_module *m;

	for (size_t i = 0; i < r->c->nmodules; i++)
		if (strcmp(r->c->modules[i].name, name) == 0)
			return &r->c->modules[i];
	if (r->c->nmodules == CONFIG_MODULES_MAX)
		return NULL;
	m = &r->c->modules[r->c->nmodules++];
	m->name = arena_str(r->a, bytes_str(name));
	return m;
}

static bool
section_known(const char *section)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (strcmp(settings[i].section, section) == 0)
			return true;
	return false;
}

static const struct setting *
setting_of(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (strcmp(settings[i].section, section) == 0 && strcmp(settings[i].key, key) == 0)
			return &settings[i];
	return NULL;
}

static bool
already(struct reading *r, const struct setting *s, const struct config_module *m)
{
	const char *const *text;

	if (m == NULL) {
		bool was = r->seen[s - settings];

		r->seen[s - settings] = true;
		return was;
	}
	text = (const char *const *)(const void *)((const char *)m + s->offset);
	return *text != NULL;
}

/* Called by the library for each "key = value". */
static int
on_setting(void *user, const char *section, const char *key, const char *value)
{
	struct reading *r = user;
	bool is_module = strncmp(section, "pkcs11:", 7) == 0 && section[7] != 0;
	struct config_module *m = is_module ? module_of(r, section + 7) : NULL;
	const struct setting *s = setting_of(is_module ? MODULE_SECTION : section, key);
	const char *why;

	if (is_module && m == NULL)
		problem(r->all, r->line, CHY_LIMIT, "more than %d PKCS#11 modules", CONFIG_MODULES_MAX);
	else if (s == NULL && !is_module && (!section_known(section) || strcmp(section, MODULE_SECTION) == 0))
		problem(r->all, r->line, CHY_CONFIG_SECTION, "there is no section [%s]", section);
	else if (s == NULL)
		problem(r->all, r->line, CHY_CONFIG_KEY, "[%s] has no setting %s", section, key);
	else if (already(r, s, m))
		problem(r->all, r->line, CHY_CONFIG_TWICE, "%s stands twice, or goes over several lines",
			key);
	else if ((why = wrong(r->a, s, bytes_str(value))) != NULL)
		problem(r->all, r->line, CHY_CONFIG_VALUE, "%s: %s", key, why);
	else
		store(r->a, r->dir, s, m ? (void *)m : (void *)r->c, bytes_str(value));
	return 1;
}

static void
set_defaults(struct reading *r)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (settings[i].dflt != NULL)
			store(r->a, NULL, &settings[i], r->c, bytes_str(settings[i].dflt));
}

/* CHANCERY_STORE_URL */
static void
variable_name(const struct setting *s, char *dst, size_t max)
{
	snprintf(dst, max, "CHANCERY_%s_%s", s->section, s->key);
	for (char *p = dst; *p != 0; p++)
		if (*p >= 'a' && *p <= 'z')
			*p &= ~0x20;
}

static const char *
environment_get(char *const *environment, const char *name)
{
	size_t n = strlen(name);

	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
			return *environment + n + 1;
	return NULL;
}

static void
take_environment(struct reading *r, char *const *environment)
{
	char name[64];

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		const char *value, *why;

		if (strcmp(settings[i].section, MODULE_SECTION) == 0)
			continue;
		variable_name(&settings[i], name, sizeof(name));
		value = environment_get(environment, name);
		if (value == NULL)
			continue;
		why = wrong(r->a, &settings[i], bytes_str(value));
		if (why != NULL)
			problem(r->all, 0, CHY_CONFIG_VALUE, "%s: %s", name, why);
		else
			store(r->a, NULL, &settings[i], r->c, bytes_str(value));
	}
}

/* systemd's LoadCredential=passphrase:... */
static void
take_credential(struct reading *r, char *const *environment)
{
	const char *dir = environment_get(environment, "CREDENTIALS_DIRECTORY");
	const char *path = dir != NULL ? arena_printf(r->a, "%s/passphrase", dir) : NULL;

	if (r->c->signer.passphrase_file == NULL && path != NULL && access(path, R_OK) == 0)
		r->c->signer.passphrase_file = path;
}

static void
check_whole(struct reading *r)
{
	const struct config *c = r->c;

	for (size_t i = 0; i < c->nmodules; i++)
		if (c->modules[i].module == NULL)
			problem(r->all, 0, CHY_CONFIG_MISSING, "[pkcs11:%s] names no module",
				c->modules[i].name);
	if ((c->listener.certificate_file == NULL) != (c->listener.key_file == NULL))
		problem(r->all, 0, CHY_CONFIG_MISSING,
			"[listener] certificate_file and key_file go together");
}

enum rc
config_parse(struct arena *a, struct bytes text, const char *dir, char *const *environment,
	     struct config *ret, struct config_problems *all, struct err *e)
{
	struct reading r = { .a = a, .c = ret, .dir = dir, .text = text };
	int line;

	r.all = all != NULL ? all : &r.own;
	*r.all = (struct config_problems){ 0 };
	*ret = (struct config){ 0 };
	set_defaults(&r);
	line = ini_parse_stream(next_line, &r, on_setting, &r);
	if (line > 0)
		problem(r.all, (unsigned)line, CHY_CONFIG_SYNTAX, "neither [section] nor key = value");
	take_environment(&r, environment);
	take_credential(&r, environment);
	check_whole(&r);
	NEED(arena_alloc(a, 1) != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the configuration");
	if (r.all->n == 0)
		return RC_OK;
	if (e != NULL && e->code == CHY_NONE)
		*e = r.all->list[0].err;
	return r.all->list[0].err.rc;
}

static const char *
folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return "";
	return slash == path ? "/" : arena_str(a, bytes_of(path, (size_t)(slash - path)));
}

enum rc
config_load(struct arena *a, const char *path, struct config *ret, struct config_problems *all, struct err *e)
{
	static const char usual[] = "/etc/chancery/chancery.ini";
	struct bytes text = BYTES_NONE;

	if (all != NULL)
		*all = (struct config_problems){ 0 };
	if (path == NULL)
		path = getenv("CHANCERY_CONFIG");
	if (path == NULL && access(usual, F_OK) == 0)
		path = usual;
	if (path != NULL) {
		path = arena_str(a, bytes_str(path));
		NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the configuration");
		TRY(file_read(a, path, CONFIG_FILE_MAX, &text, e));
	}
	TRY(config_parse(a, text, path ? folder_of(a, path) : NULL, environ, ret, all, e));
	ret->path = path;
	return RC_OK;
}

const struct config_module *
config_module_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->nmodules; i++)
		if (strcmp(c->modules[i].name, name) == 0)
			return &c->modules[i];
	return NULL;
}

/* Reference. */

/* Text in lines of at most 96 characters, each behind "; ". */
static void
put_wrapped(struct buf *out, const char *text)
{
	struct bytes rest = bytes_str(text);
	size_t column = 0;

	while (rest.p != NULL) {
		struct bytes word = text_cut(rest, ' ', &rest);

		if (column == 0 || column + 1 + word.n > 96) {
			buf_str(out, column == 0 ? "; " : "\n; ");
			column = 2;
		} else {
			buf_u8(out, ' ');
			column++;
		}
		buf_put(out, word);
		column += word.n;
	}
	buf_u8(out, '\n');
}

static void
put_range(struct buf *out, const struct setting *s, const char *before)
{
	char name[64];

	if (s->type == INT)
		buf_printf(out, "%s%lld to %lld.\n", before, (long long)s->min, (long long)s->max);
	else if (s->type == CHOICE)
		buf_printf(out, "%sOne of %s.\n", before, s->choices);
	else if (s->type == BOOL)
		buf_printf(out, "%syes or no.\n", before);
	if (strcmp(s->section, MODULE_SECTION) == 0)
		return;
	variable_name(s, name, sizeof(name));
	buf_printf(out, "%sEnvironment: %s\n", before, name);
}

void
config_put_reference(struct buf *out)
{
	const char *section = "";

	buf_str(out,
		"; All settings of chancery.ini with their defaults. Relative paths are relative to this "
		"file.\n");
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		const struct setting *s = &settings[i];

		if (strcmp(section, s->section) != 0) {
			section = s->section;
			buf_printf(out, "\n%s[%s]\n", strcmp(section, MODULE_SECTION) == 0 ? ";" : "",
				   section);
		}
		put_wrapped(out, s->help);
		put_range(out, s, "; ");
		buf_printf(out, "%s%s = %s\n", s->dflt ? "" : ";", s->key, s->dflt ? s->dflt : "");
	}
}

/* Text for roff: a backslash and a leading dot or quote would be commands. */
static void
put_roff(struct buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_str(out, "\\&");
	for (; *text != 0; text++) {
		if (*text == '\\')
			buf_str(out, "\\e");
		else if (*text == '-')
			buf_str(out, "\\-");
		else
			buf_u8(out, (uint8_t)*text);
	}
}

void
config_put_man(struct buf *out)
{
	const char *section = "";

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		const struct setting *s = &settings[i];

		if (strcmp(section, s->section) != 0) {
			section = s->section;
			buf_printf(out, ".SS [%s]\n", section);
		}
		buf_printf(out, ".TP\n.B %s\n", s->key);
		put_roff(out, s->help);
		buf_u8(out, '\n');
		put_range(out, s, "");
		if (s->dflt != NULL) {
			buf_str(out, "Default: ");
			put_roff(out, s->dflt);
			buf_str(out, ".\n");
		}
	}
}
