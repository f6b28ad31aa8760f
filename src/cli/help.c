#include "base/base.h"
#include "cli/help.h"

#include <ctype.h>

enum { WIDTH = 96, COLUMN = 30 };

size_t
command_nouns(const struct commands *all, const char **nouns, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		bool known = all->list[i]->quiet;

		for (size_t j = 0; j < n && !known; j++)
			known = strcmp(nouns[j], all->list[i]->noun) == 0;
		if (!known && n < max)
			nouns[n++] = all->list[i]->noun;
	}
	return n;
}

/* ---- text ---- */

void
text_wrap(struct buf *out, const char *text, size_t indent, size_t width)
{
	size_t used = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (used == 0)
			buf_printf(out, "%*s", (int)indent, "");
		else if (indent + used + 1 + n > width) {
			buf_printf(out, "\n%*s", (int)indent, "");
			used = 0;
		} else {
			buf_str(out, " ");
			used++;
		}
		buf_put(out, bytes_of(text, n));
		used += n;
		text += n;
		if (*text == '\n') { /* a line of its own */
			buf_str(out, "\n");
			used = 0;
			while (*text == '\n')
				text++;
		}
		while (*text == ' ')
			text++;
	}
	if (used)
		buf_str(out, "\n");
}

/* "  left      help text, wrapped beside it" */
static void
entry(struct buf *out, const char *left, const char *text)
{
	OWN_BUF struct buf right = buf_max(8192);
	size_t n = strlen(left);

	text_wrap(&right, text, COLUMN, WIDTH);
	buf_printf(out, "  %s", left);
	if (n + 3 > COLUMN || !buf_ok(&right) || right.n == 0) {
		buf_str(out, "\n");
		buf_put(out, buf_bytes(&right));
		return;
	}
	buf_printf(out, "%*s", (int)(COLUMN - n - 2), "");
	buf_put(out, bytes_part(buf_bytes(&right), COLUMN, SIZE_MAX));
}

/* ---- parts ---- */

static void
option_left(struct buf *out, const struct opt *o)
{
	if (o->type == OPT_FLAG)
		buf_printf(out, "--%s", o->name);
	else if (o->type == OPT_YESNO)
		buf_printf(out, "--%s[=yes|no]", o->name);
	else
		buf_printf(out, "--%s %s", o->name, o->value ? o->value : "VALUE");
}

static void
option_help(struct buf *out, const struct opt *o)
{
	buf_str(out, o->help ? o->help : "");
	if (o->type == OPT_CHOICE && o->choices) {
		buf_str(out, o->help && o->help[0] ? "; one of " : "one of ");
		for (size_t i = 0; o->choices[i]; i++)
			buf_printf(out, "%s%s", i ? ", " : "", o->choices[i]);
	}
	if (o->flags & OPT_MUST)
		buf_str(out, " (compulsory)");
	if (o->flags & OPT_MANY)
		buf_str(out, " (may be repeated)");
}

static void
option_entries(struct buf *out, const struct opt *list)
{
	for (; list && list->name; list++) {
		OWN_BUF struct buf left = buf_max(512), right = buf_max(4096);

		option_left(&left, list);
		option_help(&right, list);
		entry(out, buf_cstr(&left), right.n ? buf_cstr(&right) : "");
	}
}

static void
usage(struct buf *out, const struct command *cmd)
{
	char name[96];

	buf_printf(out, "chancery %s", command_name(name, cmd));
	for (const struct opt *o = cmd->options; o && o->name; o++)
		if (o->flags & OPT_MUST)
			buf_printf(out, " --%s %s", o->name, o->value ? o->value : "");
	if (cmd->options && cmd->options[0].name)
		buf_str(out, " [OPTIONS]");
	for (const struct operand *o = cmd->operands; o && o->name; o++)
		buf_printf(out, o->flags & OPT_MUST ? " %s%s" : " [%s%s]", o->name,
			   o->flags & OPT_MANY ? "..." : "");
}

void
help_command(struct buf *out, const struct command *cmd)
{
	buf_str(out, "Usage: ");
	usage(out, cmd);
	buf_str(out, "\n\n");
	text_wrap(out, cmd->summary, 0, WIDTH);
	if (cmd->text) {
		buf_str(out, "\n");
		text_wrap(out, cmd->text, 0, WIDTH);
	}
	if (cmd->operands && cmd->operands[0].name) {
		buf_str(out, "\nOperands:\n");
		for (const struct operand *o = cmd->operands; o->name; o++)
			entry(out, o->name, o->help ? o->help : "");
	}
	if (cmd->options && cmd->options[0].name) {
		buf_str(out, "\nOptions:\n");
		option_entries(out, cmd->options);
	}
	buf_str(out, "\nOptions of every command:\n");
	option_entries(out, global_options);
	if (cmd->example)
		buf_printf(out, "\nExample:\n  %s\n", cmd->example);
}

/* "list|show|create" of a noun made from a kind */
static void
verbs(struct buf *out, const struct commands *all, const char *noun)
{
	bool any = false;

	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i]->noun, noun) == 0 && all->list[i]->verb && !all->list[i]->quiet) {
			buf_printf(out, "%s%s", any ? ", " : "", all->list[i]->verb);
			any = true;
		}
}

static const struct kind *
noun_kind(const struct commands *all, const char *noun)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i]->kind && strcmp(all->list[i]->noun, noun) == 0)
			return all->list[i]->kind;
	return NULL;
}

static void
overview_part(struct buf *out, const struct commands *all, bool of_kinds)
{
	const char *nouns[64];
	size_t n = command_nouns(all, nouns, ARRAY_LEN(nouns));
	char name[96];

	for (size_t i = 0; i < n; i++) {
		OWN_BUF struct buf list = buf_max(1024);

		if ((noun_kind(all, nouns[i]) != NULL) != of_kinds)
			continue;
		if (of_kinds) {
			verbs(&list, all, nouns[i]);
			entry(out, nouns[i], buf_cstr(&list));
			continue;
		}
		for (size_t j = 0; j < all->n; j++)
			if (strcmp(all->list[j]->noun, nouns[i]) == 0 && !all->list[j]->quiet)
				entry(out, command_name(name, all->list[j]), all->list[j]->summary);
	}
}

void
help_overview(struct buf *out, const struct commands *all)
{
	buf_str(out, "Usage: chancery NOUN VERB [OPTIONS] [OPERANDS]\n\n");
	text_wrap(
	    out,
	    "Chancery issues certificates under the control of officers who sign what they do. This is its "
	    "command line; \"chancery help NOUN VERB\" tells more about a command.",
	    0, WIDTH);
	buf_str(out, "\nCommands:\n");
	overview_part(out, all, false);
	buf_str(out, "\nWhat officers administer:\n");
	overview_part(out, all, true);
	buf_str(out, "\nOptions of every command:\n");
	option_entries(out, global_options);
	buf_str(out, "\n");
	text_wrap(out, "Exit status: 0 done, 1 refused or failed, 2 wrong usage.", 0, WIDTH);
}

bool
help_noun(struct buf *out, const struct commands *all, const char *noun)
{
	const struct kind *kind = noun_kind(all, noun);
	char name[96];

	if (!command_has_noun(all, noun))
		return false;
	if (kind) {
		buf_printf(out, "%s: ", kind->title);
		text_wrap(out, kind->help, 0, WIDTH);
		buf_str(out, "\n");
	}
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i]->noun, noun) == 0)
			entry(out, command_name(name, all->list[i]), all->list[i]->summary);
	buf_printf(out, "\n\"chancery help %s VERB\" tells more.\n", noun);
	return true;
}
