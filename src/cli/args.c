#include "base/base.h"
#include "base/json.h"
#include "cli/args.h"

enum { WORDS_MAX = 512, WORD_MAX = 64 };

#define WRONG(e, ...) FAIL(e, CHY_CLI_USAGE, NULL, __VA_ARGS__)

/* ---- hints ---- */

/* Levenshtein's distance; SIZE_MAX for words too long to be mistyped ones. */
static size_t
distance(const char *a, size_t an, const char *b, size_t bn)
{
	size_t row[WORD_MAX + 1];

	if (an > WORD_MAX || bn > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= bn; j++)
		row[j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			size_t change = corner + (a[i - 1] != b[j - 1]);
			size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

			corner = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[bn];
}

const char *
nearest_word(const char *typed, size_t len, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t least = len / 3 + 1; /* more differences than that, and it was another word */

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(typed, len, words[i], strlen(words[i]));

		if (d <= least && (best == NULL || d < least)) {
			best = words[i];
			least = d;
		}
	}
	return best;
}

static enum rc
unknown_word(const char *what, const char *typed, size_t len, const char *const *words, size_t n,
	     const char *help, struct err *e)
{
	const char *near = nearest_word(typed, len, words, n);
	bool option = strcmp(what, "option") == 0;

	if (near)
		WRONG(e, "unknown %s \"%s%.*s\"; did you mean \"%s%s\"?", what, option ? "--" : "", (int)len,
		      typed, option ? "--" : "", near);
	WRONG(e, "unknown %s \"%s%.*s\"; see \"%s\"", what, option ? "--" : "", (int)len, typed, help);
}

static size_t
gather(const struct opt *list, const char **words, size_t n)
{
	for (; list && list->name && n < WORDS_MAX; list++)
		words[n++] = list->name;
	return n;
}

static enum rc
unknown_option(const struct command *cmd, const char *name, size_t len, struct err *e)
{
	const char *words[WORDS_MAX];
	char help[128], own[96];
	size_t n = gather(cmd ? cmd->options : NULL, words, gather(global_options, words, 0));

	if ((len == 3 && memcmp(name, "pin", 3) == 0) || (len == 8 && memcmp(name, "password", 8) == 0))
		WRONG(e,
		      "a PIN on the command line can be read by everybody on this machine; use --pin-file, "
		      "--pin-fd, "
		      "or let it be asked on the terminal");
	snprintf(help, sizeof(help), cmd ? "chancery help %s" : "chancery help",
		 cmd ? command_name(own, cmd) : "");
	return unknown_word("option", name, len, words, n, help, e);
}

static enum rc
unknown_noun(const struct commands *all, const char *typed, struct err *e)
{
	const char *words[WORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < all->n && n < WORDS_MAX; i++)
		words[n++] = all->list[i]->noun;
	return unknown_word("command", typed, strlen(typed), words, n, "chancery help", e);
}

static enum rc
unknown_verb(const struct commands *all, const char *noun, const char *typed, struct err *e)
{
	const char *words[WORDS_MAX];
	OWN_BUF struct buf list = buf_max(512);
	size_t n = 0;

	for (size_t i = 0; i < all->n && n < WORDS_MAX; i++)
		if (strcmp(all->list[i]->noun, noun) == 0 && all->list[i]->verb) {
			buf_printf(&list, "%s%s", n ? ", " : "", all->list[i]->verb);
			words[n++] = all->list[i]->verb;
		}
	if (typed && nearest_word(typed, strlen(typed), words, n))
		return unknown_word("verb", typed, strlen(typed), words, n, "", e);
	WRONG(e, "%s%s%s%s: one of %s is needed behind it", noun, typed ? ": unknown verb \"" : "",
	      typed ? typed : "", typed ? "\"" : "", buf_ok(&list) && list.n ? buf_cstr(&list) : "its verbs");
}

enum rc
command_unknown(const struct commands *all, const char *noun, const char *verb, struct err *e)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i]->noun, noun) == 0)
			return unknown_verb(all, noun, verb, e);
	return unknown_noun(all, noun, e);
}

/* ---- values ---- */

static enum rc
choice_check(const char *const *choices, const char *value, const char *label, struct err *e)
{
	OWN_BUF struct buf list = buf_max(512);

	for (size_t i = 0; choices && choices[i]; i++) {
		if (strcmp(choices[i], value) == 0)
			return RC_OK;
		buf_printf(&list, "%s%s", i ? ", " : "", choices[i]);
	}
	WRONG(e, "%s: \"%s\" is none of %s", label, value,
	      buf_ok(&list) && list.n ? buf_cstr(&list) : "its values");
}

/* Only the form: whether a file is there is found when it is opened. */
static enum rc
value_check(enum opt_type type, const char *const *choices, const char *value, const char *label,
	    struct err *e)
{
	struct err why = { 0 };
	int64_t n;

	switch (type) {
	case OPT_INT:
		NEED(int_parse(bytes_str(value), 0, JSON_INT_MAX, &n, &why) == RC_OK, e, CHY_CLI_USAGE, NULL,
		     "%s: %s", label, why.text);
		return RC_OK;
	case OPT_YESNO:
		NEED(strcmp(value, "yes") == 0 || strcmp(value, "no") == 0, e, CHY_CLI_USAGE, NULL,
		     "%s: \"%s\" is neither yes nor no", label, value);
		return RC_OK;
	case OPT_TIME:
		NEED(time_parse(bytes_str(value), &n, &why) == RC_OK, e, CHY_CLI_USAGE, NULL,
		     "%s: \"%s\" is no time like 2027-01-31T12:00:00Z, and no date like 2027-01-31", label,
		     value);
		return RC_OK;
	case OPT_DURATION:
		NEED(value[0] == 'P' && value[1] != 0, e, CHY_CLI_USAGE, NULL,
		     "%s: \"%s\" is no duration like P90D or P1Y", label, value);
		return RC_OK;
	case OPT_CHOICE:
		return choice_check(choices, value, label, e);
	case OPT_FILE:
	case OPT_DIR:
		NEED(value[0] != 0, e, CHY_CLI_USAGE, NULL, "%s: the path is empty", label);
		return RC_OK;
	case OPT_TEXT:
	case OPT_FLAG:
		break;
	}
	NEED(utf8_ok(bytes_str(value)), e, CHY_CLI_USAGE, "RFC 3629", "%s: not UTF-8", label);
	return RC_OK;
}

/* ---- the line ---- */

struct line {
	struct arena *a;
	const struct commands *all;
	int argc, at;
	char *const *argv;
	bool rest; /* "--" has been seen */
	const char *verb;
	bool loose; /* first pass: only find the command's words */
	struct args *ret;
	struct err *e;
};

static enum rc
keep(struct line *l, const struct opt *opt, const struct operand *operand, const char *value)
{
	struct arg *arg = arena_one(l->a, struct arg);

	NEED(arg != NULL, l->e, CHY_NO_MEMORY, NULL, "arguments");
	*arg = (struct arg){ opt, operand, value, NULL };
	if (l->ret->last)
		l->ret->last->next = arg;
	else
		l->ret->first = arg;
	l->ret->last = arg;
	return RC_OK;
}

static enum rc
option_value(struct line *l, const struct opt *opt, const char *equals, const char **ret)
{
	if (opt->type == OPT_FLAG) {
		NEED(equals == NULL, l->e, CHY_CLI_USAGE, NULL, "--%s takes no value", opt->name);
		*ret = "";
	} else if (equals) {
		*ret = equals + 1;
	} else if (opt->type == OPT_YESNO) {
		*ret = "yes";
	} else {
		NEED(l->at < l->argc, l->e, CHY_CLI_USAGE, NULL, "--%s needs a value: %s", opt->name,
		     opt->value);
		*ret = l->argv[l->at++];
	}
	return RC_OK;
}

/* A date alone is its beginning, in UTC. */
static enum rc
whole_time(struct line *l, const char **value)
{
	if (strlen(*value) != 10 || (*value)[4] != '-' || (*value)[7] != '-')
		return RC_OK;
	*value = arena_printf(l->a, "%sT00:00:00Z", *value);
	NEED(*value != NULL, l->e, CHY_NO_MEMORY, NULL, "arguments");
	return RC_OK;
}

static enum rc
option_take(struct line *l, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '='), *value = NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct opt *opt = command_option(l->ret->command, name, len);
	char label[80];

	if (opt == NULL)
		return unknown_option(l->ret->command, name, len, l->e);
	TRY(option_value(l, opt, equals, &value));
	snprintf(label, sizeof(label), "--%s", opt->name);
	if (opt->type == OPT_TIME)
		TRY(whole_time(l, &value));
	NEED((opt->flags & OPT_MANY) || !args_has(l->ret, opt->name), l->e, CHY_CLI_USAGE, NULL,
	     "%s is given twice", label);
	if (opt->type != OPT_FLAG)
		TRY(value_check(opt->type, opt->choices, value, label, l->e));
	l->ret->help = l->ret->help || strcmp(opt->name, "help") == 0;
	l->ret->version = l->ret->version || strcmp(opt->name, "version") == 0;
	return keep(l, opt, NULL, value);
}

static const struct operand *
operand_at(const struct command *cmd, size_t n)
{
	const struct operand *o = cmd->operands;

	for (; o && o->name; o++, n--)
		if (n == 0 || (o->flags & OPT_MANY))
			return o;
	return NULL;
}

static enum rc
operand_take(struct line *l, size_t n, const char *word)
{
	const struct operand *o = operand_at(l->ret->command, n);
	char own[96];

	NEED(o != NULL, l->e, CHY_CLI_USAGE, NULL, "\"%s\" is one word too many; see \"chancery help %s\"",
	     word, command_name(own, l->ret->command));
	TRY(value_check(o->type, o->choices, word, o->name, l->e));
	return keep(l, NULL, o, word);
}

/* An option's value is no word of the command: before the command is known, the union of all options tells which
   options take one. */
static bool
takes_value(const struct commands *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct opt *o = command_option(all->list[i], name, strlen(name));

		if (o)
			return o->type != OPT_FLAG && o->type != OPT_YESNO;
	}
	return false;
}

/* The first two words that are neither options nor values of options. */
static void
find_words(const struct commands *all, int argc, char *const *argv, int at[2])
{
	int found = 0;

	at[0] = at[1] = 0;
	for (int i = 1; i < argc && found < 2; i++) {
		if (strcmp(argv[i], "--") == 0)
			return;
		if (strncmp(argv[i], "--", 2) == 0) {
			if (!strchr(argv[i], '=') && takes_value(all, argv[i] + 2))
				i++;
		} else if (argv[i][0] != '-' || argv[i][1] == 0) {
			at[found++] = i;
		}
	}
}

static enum rc
find_command(struct line *l, int at[2])
{
	const char *noun, *verb;
	struct args *r = l->ret;

	find_words(l->all, l->argc, l->argv, at);
	if (at[0] == 0)
		return RC_OK;
	r->noun = noun = l->argv[at[0]];
	verb = at[1] ? l->argv[at[1]] : NULL;
	if (!command_has_noun(l->all, noun))
		return unknown_noun(l->all, noun, l->e);
	r->command = verb ? command_find(l->all, noun, verb) : NULL;
	if (r->command == NULL) {
		r->command = command_find(l->all, noun, NULL);
		at[1] = 0;
	}
	for (int i = 1; i < l->argc; i++) /* help on a noun needs no verb */
		r->help = r->help || strcmp(l->argv[i], "--help") == 0 || strcmp(l->argv[i], "-h") == 0;
	return r->command || r->help ? RC_OK : unknown_verb(l->all, noun, verb, l->e);
}

static enum rc
take_all(struct line *l, const int at[2])
{
	size_t operands = 0;

	for (l->at = 1; l->at < l->argc;) {
		int i = l->at++;
		const char *word = l->argv[i];

		if (i == at[0] || i == at[1])
			continue;
		if (!l->rest && strcmp(word, "--") == 0)
			l->rest = true;
		else if (!l->rest && strcmp(word, "-h") == 0)
			l->ret->help = true;
		else if (!l->rest && strncmp(word, "--", 2) == 0)
			TRY(option_take(l, word));
		else if (!l->rest && word[0] == '-' && word[1] != 0)
			WRONG(l->e, "unknown option \"%s\"; options begin with two hyphens", word);
		else if (l->ret->command)
			TRY(operand_take(l, operands++, word));
	}
	return RC_OK;
}

static enum rc
complete(const struct args *r, struct err *e)
{
	const struct command *cmd = r->command;
	char own[96];

	for (const struct opt *o = cmd->options; o && o->name; o++)
		NEED(!(o->flags & OPT_MUST) || args_has(r, o->name), e, CHY_CLI_USAGE, NULL,
		     "--%s %s is needed; see \"chancery help %s\"", o->name, o->value ? o->value : "",
		     command_name(own, cmd));
	for (const struct operand *o = cmd->operands; o && o->name; o++)
		NEED(!(o->flags & OPT_MUST) || args_has(r, o->name), e, CHY_CLI_USAGE, NULL,
		     "%s is needed; see \"chancery help %s\"", o->name, command_name(own, cmd));
	return RC_OK;
}

enum rc
args_parse(struct arena *a, const struct commands *all, int argc, char *const *argv, struct args *ret,
	   struct err *e)
{
	struct line l = { .a = a, .all = all, .argc = argc, .argv = argv, .ret = ret, .e = e };
	int at[2];

	*ret = (struct args){ 0 };
	TRY(find_command(&l, at));
	if (ret->help && ret->command == NULL)
		return RC_OK;
	TRY(take_all(&l, at));
	if (ret->help || ret->version)
		return RC_OK;
	NEED(ret->command != NULL, e, CHY_CLI_USAGE, NULL, "no command; see \"chancery help\"");
	return complete(ret, e);
}

/* ---- answers ---- */

const struct arg *
args_next(const struct args *args, const char *name, const struct arg *after)
{
	for (const struct arg *x = after ? after->next : args->first; x; x = x->next)
		if (strcmp(x->opt ? x->opt->name : x->operand->name, name) == 0)
			return x;
	return NULL;
}

const char *
args_text(const struct args *args, const char *name)
{
	const struct arg *x = NULL, *last = NULL;

	while ((x = args_next(args, name, x)) != NULL)
		last = x;
	return last ? last->value : NULL;
}

bool
args_has(const struct args *args, const char *name)
{
	return args_next(args, name, NULL) != NULL;
}

bool
args_yes(const struct args *args, const char *name, bool absent)
{
	const char *v = args_text(args, name);

	return v ? strcmp(v, "no") != 0 : absent;
}

int64_t
args_int(const struct args *args, const char *name, int64_t absent)
{
	const char *v = args_text(args, name);
	int64_t n;

	return v && int_parse(bytes_str(v), 0, JSON_INT_MAX, &n, NULL) == RC_OK ? n : absent;
}

size_t
args_count(const struct args *args, const char *name)
{
	size_t n = 0;

	for (const struct arg *x = NULL; (x = args_next(args, name, x)) != NULL;)
		n++;
	return n;
}
