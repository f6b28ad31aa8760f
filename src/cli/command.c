#include "base/base.h"
#include "cli/command.h"

const struct opt global_options[] = {
	{ "server", "URL", OPT_TEXT, 0, "the server, https://HOST:PORT" },
	{ "ca", "FILE", OPT_FILE, 0, "certificate of the root that the server's certificate must come from" },
	{ "officer", "FILE|URI", OPT_TEXT, 0,
	  "who acts: a PKCS#12 file, or the pkcs11: URI of a key in a token" },
	{ "pin-file", "FILE", OPT_FILE, 0, "read the officer's PIN or password from the first line of FILE" },
	{ "pin-fd", "N", OPT_INT, 0, "read the officer's PIN or password from descriptor N" },
	{ "pkcs11-module", "FILE", OPT_FILE, 0, "the PKCS#11 module for pkcs11: URIs" },
	{ "domain-view", "DOMAIN|home", OPT_TEXT, 0,
	  "lists of documents show only what lies there and below" },
	{ "settings", "FILE", OPT_FILE, 0,
	  "take server, ca, officer ... from FILE in place of ~/.config/chancery/cli.ini" },
	{ "timeout", "SECONDS", OPT_INT, 0, "give up a call to the server after so long; 60 if not given" },
	{ "yes", NULL, OPT_FLAG, 0, "do not ask, the answer is yes" },
	{ "json", NULL, OPT_FLAG, 0, "answer in JSON, for programs" },
	{ "quiet", NULL, OPT_FLAG, 0, "print nothing but the result" },
	{ "help", NULL, OPT_FLAG, 0, "show help and do nothing" },
	{ "version", NULL, OPT_FLAG, 0, "show the version and do nothing" },
	{ 0 },
};

static bool
same_word(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

const struct command *
command_find(const struct commands *all, const char *noun, const char *verb)
{
	for (size_t i = 0; i < all->n; i++)
		if (same_word(all->list[i]->noun, noun) && same_word(all->list[i]->verb, verb))
			return all->list[i];
	return NULL;
}

bool
command_has_noun(const struct commands *all, const char *noun)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i]->noun, noun) == 0)
			return true;
	return false;
}

char *
command_name(char *dst, const struct command *cmd)
{
	snprintf(dst, 96, "%s%s%s", cmd->noun, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "");
	return dst;
}

static const struct opt *
option_in(const struct opt *list, const char *name, size_t len)
{
	for (; list && list->name; list++)
		if (strlen(list->name) == len && memcmp(list->name, name, len) == 0)
			return list;
	return NULL;
}

const struct opt *
command_option(const struct command *cmd, const char *name, size_t len)
{
	const struct opt *o = cmd ? option_in(cmd->options, name, len) : NULL;

	return o ? o : option_in(global_options, name, len);
}
