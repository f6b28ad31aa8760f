/* help, completion, version */
#include "base/base.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/groups.h"
#include "cli/help.h"

static enum rc
print(struct cli *c, const struct buf *b, struct err *e)
{
	NEED(buf_ok(b), e, CHY_NO_MEMORY, NULL, "help");
	fwrite(b->p, 1, b->n, c->out.to);
	return RC_OK;
}

static enum rc
run_help(struct cli *c, struct err *e)
{
	const char *noun = args_text(&c->args, "NOUN"), *verb = args_text(&c->args, "VERB");
	const char *man = args_text(&c->args, "man");
	const struct command *cmd = noun ? command_find(c->all, noun, verb) : NULL;
	OWN_BUF struct buf b = buf_max(4 << 20);

	if (man)
		return man_write(c->all, man, e);
	if (cmd)
		help_command(&b, cmd);
	else if (noun == NULL)
		help_overview(&b, c->all);
	else if (verb != NULL || !help_noun(&b, c->all, noun))
		return command_unknown(c->all, noun, verb, e);
	return print(c, &b, e);
}

static enum rc
run_completion(struct cli *c, struct err *e)
{
	const char *shell = args_text(&c->args, "SHELL");
	OWN_BUF struct buf b = buf_max(8 << 20);

	if (strcmp(shell, "bash") == 0)
		complete_bash(&b, c->all);
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh(&b, c->all);
	else
		complete_fish(&b, c->all);
	return print(c, &b, e);
}

static const char *const shells[] = { "bash", "zsh", "fish", NULL };

static const struct opt help_options[] = {
	{ "man", "DIR", OPT_DIR, 0, "write the man pages of all commands into this folder" },
	{ 0 },
};
static const struct operand help_operands[] = {
	{ "NOUN", OPT_TEXT, 0, "the command, or the first word of it" },
	{ "VERB", OPT_TEXT, 0, "the second word" },
	{ 0 },
};
static const struct operand completion_operands[] = {
	{ "SHELL", OPT_CHOICE, OPT_MUST, "bash, zsh or fish", shells },
	{ 0 },
};

const struct command commands_help[] = {
	{ "help", NULL, "show help on a command", NULL, help_options, help_operands,
	  "chancery help certificate issue", run_help },
	{ "completion", NULL, "print a script that completes commands in a shell", NULL, NULL,
	  completion_operands, "source <(chancery completion bash)", run_completion },
	{ 0 },
};
