/* What of the settings only a look at the machine can show. */
#include "base/base.h"
#include "programs/config.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void
note(struct config_problems *all, enum code code, const char *setting, const char *path, const char *what)
{
	struct config_problem *p = &all->list[all->n];

	if (all->n == CONFIG_PROBLEMS_MAX) {
		all->more++;
		return;
	}
	*p = (struct config_problem){ 0 };
	(void)!err_set(&p->err, code, NULL, "%s: %s", path, what);
	err_field(&p->err, "%s", setting);
	all->n++;
}

static bool
look(struct config_problems *all, const char *setting, const char *path, int mode)
{
	if (path == NULL)
		return false;
	if (access(path, mode) == 0)
		return true;
	note(all, CHY_CONFIG_FILE, setting, path, strerror(errno));
	return false;
}

/* A secret must not be readable by everybody on the machine; a group of its own may be meant. */
static void
look_secret(struct config_problems *all, const char *setting, const char *path)
{
	struct stat st;

	if (look(all, setting, path, R_OK) && stat(path, &st) == 0 && (st.st_mode & 07) != 0)
		note(all, CHY_CONFIG_PERMISSION, setting, path, "others can read or write it: chmod o= it");
}

static void
look_folder(struct config_problems *all, const char *setting, const char *path)
{
	struct stat st;

	if (look(all, setting, path, W_OK | X_OK) && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		note(all, CHY_CONFIG_FILE, setting, path, "not a folder");
}

static void
look_store(struct config_problems *all, const char *url)
{
	char folder[4096];
	char *slash;

	if (strncmp(url, "sqlite:", 7) != 0)
		return;
	snprintf(folder, sizeof(folder), "%s", url + 7);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		snprintf(folder, sizeof(folder), ".");
	else
		slash[slash == folder] = 0;
	look_folder(all, "store.url", folder);
}

bool
config_is_status_node(const struct config *c)
{
	return strcmp(c->node.role, "status") == 0;
}

/* SQLite is one machine's; what officers say goes to the issuing server. */
static void
look_status_node(struct config_problems *all, const struct config *c)
{
	if (!config_is_status_node(c))
		return;
	if (strncmp(c->store.url, "sqlite:", 7) == 0)
		note(all, CHY_CONFIG_VALUE, "store.url", c->store.url,
		     "a status node needs the issuing server's PostgreSQL");
	if (c->listener.plain == NULL)
		note(all, CHY_CONFIG_MISSING, "listener.plain", "[listener]",
		     "a status node answers by the listener without TLS");
}

enum rc
config_check(const struct config *c, struct config_problems *all, struct err *e)
{
	struct config_problems own;

	if (all == NULL)
		all = &own;
	*all = (struct config_problems){ 0 };
	look_store(all, c->store.url);
	look_status_node(all, c);
	look_folder(all, "signer.directory", c->signer.directory);
	look_secret(all, "signer.passphrase_file", c->signer.passphrase_file);
	for (size_t i = 0; i < c->nmodules; i++) {
		char setting[160];

		snprintf(setting, sizeof(setting), "pkcs11:%s.module", c->modules[i].name);
		look(all, setting, c->modules[i].module, R_OK);
		snprintf(setting, sizeof(setting), "pkcs11:%s.pin_file", c->modules[i].name);
		look_secret(all, setting, c->modules[i].pin_file);
	}
	look(all, "listener.certificate_file", c->listener.certificate_file, R_OK);
	look_secret(all, "listener.key_file", c->listener.key_file);
	if (c->listener.tls == NULL && c->listener.plain == NULL)
		note(all, CHY_CONFIG_MISSING, "listener.tls", "[listener]", "no listener at all");
	if (all->n == 0)
		return RC_OK;
	if (e != NULL && e->code == CHY_NONE)
		*e = all->list[0].err;
	return all->list[0].err.rc;
}
