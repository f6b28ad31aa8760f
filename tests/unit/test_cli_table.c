/* The command table as a whole: consistent, and help, man pages and completion know all of it. */
#include "base/base.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/kindbody.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *mem;
static struct commands all;

static int
start(void **state)
{
	struct err e = { 0 };

	mem = arena_new(64 << 20);
	return cli_commands(mem, NULL, &all, &e) != RC_OK;
}

static int
stop(void **state)
{
	arena_free(mem);
	return 0;
}

static bool
is_bare(const struct opt *o)
{
	return o->type == OPT_FLAG || o->type == OPT_YESNO;
}

static void
every_command_is_whole(void **state)
{
	assert_true(all.n > 60);
	for (size_t i = 0; i < all.n; i++) {
		const struct command *c = all.list[i];

		assert_non_null(c->summary);
		assert_non_null(c->run);
		assert_true(c->summary[strlen(c->summary) - 1] != '.');
		assert_true(c->summary[0] >= 'a' && c->summary[0] <= 'z');
		assert_ptr_equal(command_find(&all, c->noun, c->verb), c); /* none twice */
		for (const struct operand *o = c->operands; o && o->name; o++)
			assert_true(!(o->flags & OPT_MANY) || o[1].name == NULL);
	}
}

/* An option is looked up before the command is known, so its name must take a value everywhere or nowhere. */
static void
options_mean_the_same_everywhere(void **state)
{
	for (size_t i = 0; i < all.n; i++)
		for (const struct opt *o = all.list[i]->options; o && o->name; o++) {
			char name[96];

			command_name(name, all.list[i]);
			for (const struct opt *g = global_options; g->name; g++)
				if (strcmp(g->name, o->name) == 0)
					fail_msg("%s: --%s is a global option", name, o->name);
			for (const struct opt *x = o + 1; x->name; x++)
				if (strcmp(x->name, o->name) == 0)
					fail_msg("%s: --%s is there twice", name, o->name);
			for (size_t j = 0; j < all.n; j++) {
				const struct opt *x = command_option(all.list[j], o->name, strlen(o->name));

				if (x && is_bare(x) != is_bare(o))
					fail_msg("%s: --%s takes a value here and none in %s", name, o->name,
						 all.list[j]->noun);
			}
			assert_true(is_bare(o) || o->value != NULL);
			assert_true(o->type != OPT_CHOICE || (o->choices && o->choices[0]));
			if (o->help == NULL || o->help[0] == 0 || o->help[strlen(o->help) - 1] == '.')
				fail_msg("%s: --%s has no fit help", name, o->name);
		}
}

static void
every_field_of_every_kind_is_an_option(void **state)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind *kind = kind_of((enum kind_id)k);

		if (kind == NULL)
			continue;
		for (const struct field *f = kind->fields; f->name; f++) {
			const char *name = field_option_name(mem, f->name);
			const struct opt *o = command_option(command_find(&all, kind->name, "create"), name,
							     strlen(name));

			if (f->flags & FIELD_NOT_YET) {
				assert_true(o == NULL || o->field == NULL);
				continue;
			}
			assert_non_null(o);
			assert_ptr_equal(o->field, f);
			assert_int_equal(!!(o->flags & OPT_MANY), !!(f->flags & FIELD_LIST));
			o = command_option(command_find(&all, kind->name, "modify"), name, strlen(name));
			assert_int_equal(o != NULL && o->field == f, !(f->flags & FIELD_FIXED));
		}
	}
}

static bool
has(struct buf *b, const char *text)
{
	return buf_ok(b) && strstr(buf_cstr(b), text) != NULL;
}

static void
help_knows_everything(void **state)
{
	OWN_BUF struct buf overview = buf_max(1 << 20);

	help_overview(&overview, &all);
	for (size_t i = 0; i < all.n; i++) {
		OWN_BUF struct buf one = buf_max(1 << 20), noun = buf_max(1 << 20);
		char name[96];

		command_name(name, all.list[i]);
		assert_true(
		    has(&overview, kind_named(bytes_str(all.list[i]->noun)) ? all.list[i]->noun : name));
		help_command(&one, all.list[i]);
		assert_true(has(&one, name));
		for (const struct opt *o = all.list[i]->options; o && o->name; o++)
			assert_true(has(&one, o->name));
		for (const struct operand *o = all.list[i]->operands; o && o->name; o++)
			assert_true(has(&one, o->name));
		assert_true(help_noun(&noun, &all, all.list[i]->noun));
		assert_true(has(&noun, name));
	}
	assert_false(help_noun(&overview, &all, "nothing"));
}

static void
help_fits_a_terminal(void **state)
{
	for (size_t i = 0; i < all.n; i++) {
		OWN_BUF struct buf one = buf_max(1 << 20);

		help_command(&one, all.list[i]);
		for (struct bytes rest = buf_bytes(&one), line; rest.p && rest.n;) {
			line = text_cut(rest, '\n', &rest);
			if (text_columns(line) > 110 && !bytes_starts(line, "  chancery") &&
			    !bytes_starts(line, "Usage:"))
				fail_msg("too wide: %.*s", BYTES_FMT(line));
		}
	}
}

/* roff that was not meant: a line that begins with a point we did not write as a macro */
static void
man_pages_know_everything(void **state)
{
	static const char *const macros[] = { ".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi", ".RS", ".RE" };

	for (size_t i = 0; i < all.n; i++) {
		OWN_BUF struct buf page = buf_max(4 << 20);

		man_noun(&page, &all, all.list[i]->noun);
		assert_true(has(&page, ".TH CHANCERY"));
		for (struct bytes rest = buf_bytes(&page), line; rest.p && rest.n;) {
			bool known = false;

			line = text_cut(rest, '\n', &rest);
			assert_true(line.n == 0 || line.p[0] != '\'');
			if (line.n == 0 || line.p[0] != '.')
				continue;
			for (size_t m = 0; m < ARRAY_LEN(macros); m++)
				known = known || bytes_starts(line, macros[m]);
			if (!known)
				fail_msg("stray macro: %.*s", BYTES_FMT(line));
		}
	}
}

static void
completion_knows_everything(void **state)
{
	void (*const shells[])(struct buf *, const struct commands *) = { complete_bash, complete_zsh,
									  complete_fish };

	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		OWN_BUF struct buf script = buf_max(8 << 20);

		shells[s](&script, &all);
		for (size_t i = 0; i < all.n; i++) {
			assert_true(has(&script, all.list[i]->noun));
			for (const struct opt *o = all.list[i]->options; o && o->name; o++)
				assert_true(has(&script, o->name));
		}
	}
}

static void
wraps_text(void **state)
{
	OWN_BUF struct buf b = buf_max(4096);

	text_wrap(&b, "one two three\nfour", 2, 9);
	assert_string_equal(buf_cstr(&b), "  one two\n  three\n  four\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_whole),
		cmocka_unit_test(options_mean_the_same_everywhere),
		cmocka_unit_test(every_field_of_every_kind_is_an_option),
		cmocka_unit_test(help_knows_everything),
		cmocka_unit_test(help_fits_a_terminal),
		cmocka_unit_test(man_pages_know_everything),
		cmocka_unit_test(completion_knows_everything),
		cmocka_unit_test(wraps_text),
	};

	return cmocka_run_group_tests_name("cli_table", tests, start, stop);
}
