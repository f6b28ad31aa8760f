#include "base/base.h"
#include "cli/complete.h"
#include "cli/help.h"

enum { NOUNS_MAX = 64 };

/* In single quotes, for all three shells. */
static void
quoted(struct buf *out, const char *s)
{
	buf_str(out, "'");
	for (; s && *s; s++)
		if (*s == '\'')
			buf_str(out, "'\\''");
		else
			buf_put(out, bytes_of(s, 1));
	buf_str(out, "'");
}

static bool
is_path(enum opt_type t)
{
	return t == OPT_FILE || t == OPT_DIR;
}

/* ---- bash ---- */

static void
bash_words(struct buf *out, const struct commands *all, const char *noun)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i]->noun, noun) == 0 && all->list[i]->verb)
			buf_printf(out, "%s ", all->list[i]->verb);
}

static void
bash_option_names(struct buf *out, const struct opt *o)
{
	for (; o && o->name; o++)
		buf_printf(out, "--%s ", o->name);
}

/* case "$prev" in --state) words="active closed";; */
static void
bash_values(struct buf *out, const struct opt *o)
{
	for (; o && o->name; o++) {
		if (is_path(o->type) || strcmp(o->name, "officer") == 0)
			buf_printf(out, "\t\t--%s) COMPREPLY=($(compgen -%s -- \"$cur\")); return;;\n",
				   o->name, o->type == OPT_DIR ? "d" : "f");
		else if (o->type == OPT_CHOICE && o->choices) {
			buf_printf(out, "\t\t--%s) COMPREPLY=($(compgen -W '", o->name);
			for (size_t i = 0; o->choices[i]; i++)
				buf_printf(out, "%s ", o->choices[i]);
			buf_str(out, "' -- \"$cur\")); return;;\n");
		} else if (o->type != OPT_FLAG && o->type != OPT_YESNO)
			buf_printf(out, "\t\t--%s) return;;\n", o->name);
	}
}

static void
bash_operand(struct buf *out, const struct command *cmd)
{
	const struct operand *o = cmd->operands;

	if (o && o->name && is_path(o->type))
		buf_printf(out, "\t\tCOMPREPLY+=($(compgen -%s -- \"$cur\"))\n",
			   o->type == OPT_DIR ? "d" : "f");
	if (o && o->name && o->choices) {
		buf_str(out, "\t\tCOMPREPLY+=($(compgen -W '");
		for (size_t i = 0; o->choices[i]; i++)
			buf_printf(out, "%s ", o->choices[i]);
		buf_str(out, "' -- \"$cur\"))\n");
	}
}

static void
bash_command(struct buf *out, const struct command *cmd)
{
	char name[96];

	buf_printf(out, "\t\"%s\")\n\t\tcase \"$prev\" in\n", command_name(name, cmd));
	bash_values(out, cmd->options);
	bash_values(out, global_options);
	buf_str(out, "\t\tesac\n\t\tCOMPREPLY=($(compgen -W '");
	bash_option_names(out, cmd->options);
	bash_option_names(out, global_options);
	buf_str(out, "' -- \"$cur\"))\n");
	bash_operand(out, cmd);
	buf_str(out, "\t\t;;\n");
}

void
complete_bash(struct buf *out, const struct commands *all)
{
	const char *nouns[NOUNS_MAX];
	size_t n = command_nouns(all, nouns, NOUNS_MAX);

	buf_str(out,
		"# bash completion for chancery: source <(chancery completion bash)\n"
		"_chancery() {\n"
		"\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" noun= verb= "
		"words= i\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase \"${COMP_WORDS[i]}\" in\n\t\t-*) ;;\n"
		"\t\t*) if [ -z \"$noun\" ]; then noun=\"${COMP_WORDS[i]}\"\n"
		"\t\t   elif [ -z \"$verb\" ]; then verb=\"${COMP_WORDS[i]}\"; fi;;\n\t\tesac\n\tdone\n"
		"\tif [ -z \"$noun\" ]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s ", nouns[i]);
	bash_option_names(out, global_options);
	buf_str(out, "' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase \"$noun\" in\n");
	for (size_t i = 0; i < n; i++)
		if (command_find(all, nouns[i], NULL))
			buf_printf(out, "\t%s) verb=;;\n", nouns[i]);
		else {
			buf_printf(out, "\t%s) words='", nouns[i]);
			bash_words(out, all, nouns[i]);
			buf_str(out, "';;\n");
		}
	buf_str(out,
		"\tesac\n\tif [ -z \"$verb\" ] && [ -n \"$words\" ]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
		"\tcase \"$noun${verb:+ $verb}\" in\n");
	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i]->quiet)
			bash_command(out, all->list[i]);
	buf_str(out, "\tesac\n}\ncomplete -o filenames -o bashdefault -F _chancery chancery\n");
}

/* ---- zsh ---- */

/* Within _arguments' specification: brackets and colons have a meaning there. */
static void
zsh_text(struct buf *out, const char *s)
{
	for (; s && *s; s++) {
		if (*s == '[' || *s == ']' || *s == ':' || *s == '\\')
			buf_str(out, "\\");
		if (*s == '\'')
			buf_str(out, "'\\''");
		else
			buf_put(out, bytes_of(s, 1));
	}
}

static void
zsh_action(struct buf *out, enum opt_type type, const char *const *choices, bool officer)
{
	if (type == OPT_DIR)
		buf_str(out, "_files -/");
	else if (type == OPT_FILE || officer)
		buf_str(out, "_files");
	else if (choices) {
		buf_str(out, "(");
		for (size_t i = 0; choices[i]; i++)
			buf_printf(out, "%s%s", i ? " " : "", choices[i]);
		buf_str(out, ")");
	}
}

static void
zsh_options(struct buf *out, const struct opt *o)
{
	for (; o && o->name; o++) {
		buf_printf(out, " \\\n\t\t\t'%s--%s%s[", o->flags & OPT_MANY ? "*" : "", o->name,
			   o->type == OPT_YESNO ? "=-" : "");
		zsh_text(out, o->help);
		buf_str(out, "]");
		if (o->type != OPT_FLAG) {
			buf_str(out, o->type == OPT_YESNO ? "::" : ":");
			zsh_text(out, o->value ? o->value : "value");
			buf_str(out, ":");
			zsh_action(out, o->type, o->type == OPT_CHOICE ? o->choices : NULL,
				   strcmp(o->name, "officer") == 0);
		}
		buf_str(out, "'");
	}
}

static void
zsh_command(struct buf *out, const struct command *cmd)
{
	char name[96];

	buf_printf(out, "\t\t'%s') _arguments -S", command_name(name, cmd));
	zsh_options(out, cmd->options);
	zsh_options(out, global_options);
	for (const struct operand *o = cmd->operands; o && o->name; o++) {
		buf_printf(out, " \\\n\t\t\t'%s:", o->flags & OPT_MANY ? "*" : "");
		zsh_text(out, o->name);
		buf_str(out, ":");
		zsh_action(out, o->type, o->choices, false);
		buf_str(out, "'");
	}
	buf_str(out, ";;\n");
}

void
complete_zsh(struct buf *out, const struct commands *all)
{
	const char *nouns[NOUNS_MAX];
	size_t n = command_nouns(all, nouns, NOUNS_MAX);

	buf_str(
	    out,
	    "#compdef chancery\n# zsh completion: chancery completion zsh > a folder of $fpath/_chancery\n"
	    "_chancery() {\n\tlocal -a list\n\tlocal noun=$words[2] verb=$words[3]\n"
	    "\tif (( CURRENT == 2 )); then\n\t\tlist=(");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, " %s", nouns[i]);
	buf_str(out, ")\n\t\tcompadd -a list\n\t\treturn\n\tfi\n\tcase $noun in\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "\t%s) ", nouns[i]);
		if (command_find(all, nouns[i], NULL))
			buf_str(out, "shift 1 words; (( CURRENT-- )); verb=;;\n");
		else {
			buf_str(out, "list=(");
			bash_words(out, all, nouns[i]);
			buf_str(out,
				")\n\t\tif (( CURRENT == 3 )); then compadd -a list; return; fi\n"
				"\t\tshift 2 words; (( CURRENT -= 2 ));;\n");
		}
	}
	buf_str(out, "\tesac\n\tcase \"$noun${verb:+ $verb}\" in\n");
	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i]->quiet)
			zsh_command(out, all->list[i]);
	buf_str(out, "\tesac\n}\ncompdef _chancery chancery\n");
}

/* ---- fish ---- */

static void
fish_option(struct buf *out, const struct opt *o, const char *when)
{
	buf_printf(out, "complete -c chancery%s%s%s -l %s", when[0] ? " -n '" : "", when, when[0] ? "'" : "",
		   o->name);
	if (o->type != OPT_FLAG && o->type != OPT_YESNO)
		buf_str(out, is_path(o->type) || strcmp(o->name, "officer") == 0 ? " -r -F" : " -x");
	if (o->type == OPT_CHOICE && o->choices) {
		buf_str(out, " -a '");
		for (size_t i = 0; o->choices[i]; i++)
			buf_printf(out, "%s%s", i ? " " : "", o->choices[i]);
		buf_str(out, "'");
	}
	buf_str(out, " -d ");
	quoted(out, o->help);
	buf_str(out, "\n");
}

static void
fish_command(struct buf *out, const struct command *cmd)
{
	char when[256];

	if (cmd->verb) {
		buf_printf(out,
			   "complete -c chancery -f -n '__fish_seen_subcommand_from %s; and not "
			   "__fish_seen_subcommand_from $__chancery_verbs' -a %s -d ",
			   cmd->noun, cmd->verb);
		quoted(out, cmd->summary);
		buf_str(out, "\n");
	}
	snprintf(when, sizeof(when), "__fish_seen_subcommand_from %s%s%s", cmd->noun,
		 cmd->verb ? "; and __fish_seen_subcommand_from " : "", cmd->verb ? cmd->verb : "");
	for (const struct opt *o = cmd->options; o && o->name; o++)
		fish_option(out, o, when);
	if (cmd->operands && cmd->operands[0].name && is_path(cmd->operands[0].type))
		buf_printf(out, "complete -c chancery -n '%s' -F\n", when);
}

void
complete_fish(struct buf *out, const struct commands *all)
{
	const char *nouns[NOUNS_MAX];
	size_t n = command_nouns(all, nouns, NOUNS_MAX);

	buf_str(out,
		"# fish completion: chancery completion fish > ~/.config/fish/completions/chancery.fish\n"
		"set -g __chancery_verbs");
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i]->verb)
			buf_printf(out, " %s", all->list[i]->verb);
	buf_str(out, "\n");
	for (size_t i = 0; i < n; i++) {
		const struct command *alone = command_find(all, nouns[i], NULL);

		buf_printf(out, "complete -c chancery -f -n __fish_use_subcommand -a %s -d ", nouns[i]);
		quoted(out, alone ? alone->summary : nouns[i]);
		buf_str(out, "\n");
	}
	for (const struct opt *o = global_options; o->name; o++)
		fish_option(out, o, "");
	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i]->quiet)
			fish_command(out, all->list[i]);
}
