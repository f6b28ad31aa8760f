/* Man pages in the macros of man(7). */
#include "base/base.h"
#include "base/file.h"
#include "cli/help.h"

#include <ctype.h>

enum { MAN_MAX = 4 << 20 };

/* Text for roff: hyphens stay hyphens, backslashes and leading dots are text. */
static void
roff(struct buf *out, const char *s)
{
	bool start = true;

	for (; *s; s++) {
		if (start && (*s == '.' || *s == '\''))
			buf_str(out, "\\&");
		if (*s == '\\')
			buf_str(out, "\\e");
		else if (*s == '-')
			buf_str(out, "\\-");
		else
			buf_put(out, bytes_of(s, 1));
		start = *s == '\n';
	}
}

static void
upper(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_u8(out, (uint8_t)toupper((unsigned char)*s));
}

static void
head(struct buf *out, const char *page, const char *summary)
{
	buf_str(out, ".TH ");
	upper(out, page);
	buf_str(out, " 1 \"\" \"chancery " CHY_VERSION "\" \"Chancery\"\n.SH NAME\n");
	roff(out, page);
	buf_str(out, " \\- ");
	roff(out, summary);
	buf_str(out, "\n");
}

static void
man_option(struct buf *out, const struct opt *o)
{
	buf_str(out, ".TP\n\\fB\\-\\-");
	roff(out, o->name);
	buf_str(out, "\\fR");
	if (o->type == OPT_YESNO)
		buf_str(out, "[=yes|no]");
	else if (o->value) {
		buf_str(out, " \\fI");
		roff(out, o->value);
		buf_str(out, "\\fR");
	}
	buf_str(out, "\n");
	roff(out, o->help && o->help[0] ? o->help : "see the reference");
	for (size_t i = 0; o->type == OPT_CHOICE && o->choices && o->choices[i]; i++) {
		buf_str(out, i ? ", " : "; one of ");
		roff(out, o->choices[i]);
	}
	buf_str(out, o->flags & OPT_MUST ? " (compulsory)" : "");
	buf_str(out, o->flags & OPT_MANY ? " (may be repeated)" : "");
	buf_str(out, ".\n");
}

static void
man_options(struct buf *out, const struct opt *list)
{
	for (; list && list->name; list++)
		man_option(out, list);
}

static void
man_command(struct buf *out, const struct command *cmd)
{
	char name[96];

	buf_str(out, ".SS chancery ");
	roff(out, command_name(name, cmd));
	for (const struct operand *o = cmd->operands; o && o->name; o++) {
		buf_str(out, o->flags & OPT_MUST ? " " : " [");
		roff(out, o->name);
		buf_str(out, o->flags & OPT_MANY ? "..." : "");
		buf_str(out, o->flags & OPT_MUST ? "" : "]");
	}
	buf_str(out, "\n");
	roff(out, cmd->summary);
	buf_str(out, ".\n");
	if (cmd->text) {
		buf_str(out, ".PP\n");
		roff(out, cmd->text);
		buf_str(out, "\n");
	}
	for (const struct operand *o = cmd->operands; o && o->name; o++) {
		buf_str(out, ".TP\n\\fI");
		roff(out, o->name);
		buf_str(out, "\\fR\n");
		roff(out, o->help ? o->help : "");
		buf_str(out, ".\n");
	}
	man_options(out, cmd->options);
	if (cmd->example) {
		buf_str(out, ".PP\nExample:\n.PP\n.nf\n.RS\n");
		roff(out, cmd->example);
		buf_str(out, "\n.RE\n.fi\n");
	}
}

static const char exits[] = ".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nrefused or failed\n.TP\n2\nwrong usage\n";

static const char surroundings[] = ".SH ENVIRONMENT\n.TP\nCHANCERY_SERVER, CHANCERY_CA, CHANCERY_OFFICER, "
				   "CHANCERY_PIN_FILE, CHANCERY_PKCS11_MODULE, "
				   "CHANCERY_SESSION\nin place of the options of these "
				   "names.\n.TP\nCHANCERY_SETTINGS\nthe settings file.\n.TP\nNO_COLOR\n"
				   "no colours.\n.SH FILES\n.TP\n~/.config/chancery/cli.ini\nthe settings: a "
				   "section [cli] with server, ca, officer, "
				   "pin_file, pkcs11_module, session.\n";

void
man_main(struct buf *out, const struct commands *all)
{
	const char *nouns[64];
	size_t n = command_nouns(all, nouns, ARRAY_LEN(nouns));

	head(out, "chancery", "certificate authority under the control of officers");
	buf_str(out,
		".SH SYNOPSIS\n\\fBchancery\\fR \\fINOUN\\fR [\\fIVERB\\fR] [\\fIOPTIONS\\fR] "
		"[\\fIOPERANDS\\fR]\n"
		".SH DESCRIPTION\nThe command line of Chancery, for people and scripts. It asks the server "
		"by its "
		"REST interface; what changes anything is signed with the officer's own key, here, and never "
		"leaves "
		"unsigned.\n.SH COMMANDS\n");
	for (size_t i = 0; i < n; i++) {
		buf_str(out, ".TP\n\\fB");
		roff(out, nouns[i]);
		buf_str(out, "\\fR\nsee chancery\\-");
		roff(out, nouns[i]);
		buf_str(out, "(1).\n");
	}
	buf_str(out, ".SH OPTIONS\n");
	man_options(out, global_options);
	buf_str(out, exits);
	buf_str(out, surroundings);
}

void
man_noun(struct buf *out, const struct commands *all, const char *noun)
{
	const char *summary = NULL;
	char page[96];

	for (size_t i = 0; i < all->n && !summary; i++)
		if (strcmp(all->list[i]->noun, noun) == 0)
			summary = all->list[i]->kind ? all->list[i]->kind->help : all->list[i]->summary;
	snprintf(page, sizeof(page), "chancery-%s", noun);
	head(out, page, summary ? summary : "");
	buf_str(out, ".SH SYNOPSIS\n\\fBchancery ");
	roff(out, noun);
	buf_str(out, "\\fR [\\fIVERB\\fR] [\\fIOPTIONS\\fR] [\\fIOPERANDS\\fR]\n.SH COMMANDS\n");
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i]->noun, noun) == 0)
			man_command(out, all->list[i]);
	buf_str(out, exits);
	buf_str(out, ".SH SEE ALSO\nchancery(1) for the options of every command.\n");
}

static enum rc
man_file(const struct buf *page, const char *dir, const char *noun, struct err *e)
{
	char path[4096];

	NEED(buf_ok(page), e, CHY_NO_MEMORY, NULL, "man page");
	snprintf(path, sizeof(path), "%s/chancery%s%s.1", dir, noun ? "-" : "", noun ? noun : "");
	return file_write(path, buf_bytes(page), 0644, e);
}

enum rc
man_write(const struct commands *all, const char *dir, struct err *e)
{
	const char *nouns[64];
	size_t n = command_nouns(all, nouns, ARRAY_LEN(nouns));
	OWN_BUF struct buf main_page = buf_max(MAN_MAX);

	TRY(dir_make(dir, 0755, e));
	man_main(&main_page, all);
	TRY(man_file(&main_page, dir, NULL, e));
	for (size_t i = 0; i < n; i++) {
		OWN_BUF struct buf page = buf_max(MAN_MAX);

		man_noun(&page, all, nouns[i]);
		TRY(man_file(&page, dir, nouns[i], e));
	}
	return RC_OK;
}
