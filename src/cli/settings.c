#include "base/base.h"
#include "base/file.h"
#include "cli/settings.h"

#include <unistd.h>

enum { SETTINGS_MAX = 64 << 10, TIMEOUT_DEFAULT_S = 60, TIMEOUT_MAX_S = 3600 };

/* One setting in all of its places. */
struct place {
	const char *option, *variable, *key;
	size_t at; /* offset of a const char * in struct settings */
	bool path; /* relative to the settings file's folder */
};

static const struct place places[] = {
	{ "server", "CHANCERY_SERVER", "server", offsetof(struct settings, server), false },
	{ "ca", "CHANCERY_CA", "ca", offsetof(struct settings, ca), true },
	{ "officer", "CHANCERY_OFFICER", "officer", offsetof(struct settings, officer), true },
	{ "pin-file", "CHANCERY_PIN_FILE", "pin_file", offsetof(struct settings, pin_file), true },
	{ "pkcs11-module", "CHANCERY_PKCS11_MODULE", "pkcs11_module",
	  offsetof(struct settings, pkcs11_module), true },
	{ "domain-view", "CHANCERY_DOMAIN_VIEW", "domain_view", offsetof(struct settings, domain_view),
	  false },
	{ "session", "CHANCERY_SESSION", "session", offsetof(struct settings, session), true },
};

static const char **
slot(struct settings *s, const struct place *p)
{
	return (const char **)((char *)s + p->at);
}

static const char *
variable(char *const *environment, const char *name)
{
	size_t n = strlen(name);

	for (; environment && *environment; environment++)
		if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=' && (*environment)[n + 1])
			return *environment + n + 1;
	return NULL;
}

/* ---- the settings file ---- */

static enum rc
file_key(struct arena *a, struct bytes key, struct bytes value, const char *dir, unsigned line,
	 struct settings *into, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct place *p = &places[i];
		const char **to = slot(into, p);
		bool join = p->path && dir[0] && value.n && value.p[0] != '/' && value.p[0] != '~' &&
		    !bytes_starts(value, "pkcs11:");

		if (!bytes_is(key, p->key))
			continue;
		NEED(value.n > 0, e, CHY_CLI_SETTINGS, NULL, "line %u: %s has no value", line, p->key);
		if (*to)
			return RC_OK;
		*to = join ? arena_printf(a, "%s/%.*s", dir, BYTES_FMT(value)) : arena_str(a, value);
		NEED(*to != NULL, e, CHY_NO_MEMORY, NULL, "settings");
		return RC_OK;
	}
	FAIL(e, CHY_CLI_SETTINGS, NULL, "line %u: unknown key \"%.*s\"", line, BYTES_FMT(key));
}

enum rc
settings_parse(struct arena *a, struct bytes text, const char *dir, struct settings *into, struct err *e)
{
	bool ours = false;
	unsigned line = 0;

	NEED(utf8_ok(text), e, CHY_CLI_SETTINGS, "RFC 3629", "the settings are not UTF-8");
	while (text.p && text.n > 0) {
		struct bytes rest, value, l = text_trim(text_cut(text, '\n', &rest)), key;

		line++;
		text = rest;
		if (l.n == 0 || l.p[0] == ';' || l.p[0] == '#')
			continue;
		if (l.p[0] == '[') {
			NEED(l.p[l.n - 1] == ']', e, CHY_CLI_SETTINGS, NULL, "line %u: a section ends with ]",
			     line);
			ours = bytes_is(l, "[cli]");
			NEED(ours, e, CHY_CLI_SETTINGS, NULL,
			     "line %u: unknown section %.*s, only [cli] stands here", line, BYTES_FMT(l));
			continue;
		}
		key = text_trim(text_cut(l, '=', &value));
		NEED(value.p != NULL, e, CHY_CLI_SETTINGS, NULL, "line %u: no \"=\"", line);
		NEED(ours, e, CHY_CLI_SETTINGS, NULL, "line %u: stands before [cli]", line);
		NEED(!bytes_starts(key, "pin") || bytes_is(key, "pin_file"), e, CHY_CLI_SETTINGS, NULL,
		     "line %u: a PIN does not belong into a file; use pin_file", line);
		TRY(file_key(a, key, text_trim(value), dir, line, into, e));
	}
	return RC_OK;
}

static enum rc
settings_file(struct arena *a, const char *path, struct settings *into, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *dir = slash ? arena_str(a, bytes_of(path, (size_t)(slash - path))) : ".";
	struct bytes text;

	NEED(dir != NULL, e, CHY_NO_MEMORY, NULL, "settings");
	TRY(file_read(a, path, SETTINGS_MAX, &text, e));
	into->file = path;
	TRY_AT(settings_parse(a, text, dir[0] ? dir : "/", into, e), e, "%s", path);
	return RC_OK;
}

/* The usual place, where nobody named one; NULL where there is no file. */
static const char *
usual_file(struct arena *a, char *const *environment)
{
	const char *config = variable(environment, "XDG_CONFIG_HOME"), *home = variable(environment, "HOME");
	const char *path = config ? arena_printf(a, "%s/chancery/cli.ini", config)
	    : home                ? arena_printf(a, "%s/.config/chancery/cli.ini", home)
				  : NULL;

	return path && access(path, F_OK) == 0 ? path : NULL;
}

/* ---- all places ---- */

static enum rc
server_check(struct arena *a, struct settings *s, struct err *e)
{
	struct bytes url = bytes_str(s->server);

	if (s->server == NULL)
		return RC_OK;
	NEED(bytes_starts(url, "https://") || bytes_starts(url, "http://"), e, CHY_CLI_USAGE, NULL,
	     "the server \"%s\" is no URL like https://ca.example:8443", s->server);
	NEED(memchr(url.p, '@', url.n) == NULL && memchr(url.p, '?', url.n) == NULL &&
		 memchr(url.p, '#', url.n) == NULL,
	     e, CHY_CLI_USAGE, NULL, "the server's URL is scheme, host and port only");
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	s->server = arena_str(a, url);
	NEED(s->server != NULL, e, CHY_NO_MEMORY, NULL, "settings");
	return RC_OK;
}

enum rc
settings_load(struct arena *a, const struct args *args, char *const *environment, struct settings *ret,
	      struct err *e)
{
	const char *path = args_text(args, "settings");

	*ret = (struct settings){ .timeout_s = args_int(args, "timeout", TIMEOUT_DEFAULT_S),
				  .pin_fd = (int)args_int(args, "pin-fd", -1) };
	NEED(ret->timeout_s >= 1 && ret->timeout_s <= TIMEOUT_MAX_S, e, CHY_CLI_USAGE, NULL,
	     "--timeout: 1 to %d seconds", TIMEOUT_MAX_S);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char **to = slot(ret, &places[i]);

		*to = args_text(args, places[i].option);
		if (*to == NULL)
			*to = variable(environment, places[i].variable);
	}
	if (path == NULL)
		path = variable(environment, "CHANCERY_SETTINGS");
	if (path == NULL)
		path = usual_file(a, environment);
	if (path)
		TRY(settings_file(a, path, ret, e));
	return server_check(a, ret, e);
}
