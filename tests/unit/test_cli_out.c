/* What people see: widths, tables, hostile text; and what programs see. */
#include "base/base.h"
#include "cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Output into memory. */
struct catch
{
	char *text;
	size_t n;
	FILE *file;
	struct out out;
};

static void
catch_start(struct catch *c, bool json, bool quiet)
{
	c->file = open_memstream(&c->text, &c->n);
	assert_non_null(c->file);
	c->out = (struct out){ .to = c->file, .err = c->file, .json = json, .quiet = quiet };
}

static const char *
catch_end(struct catch *c)
{
	fclose(c->file);
	return c->text;
}

static void
columns(void **state)
{
	assert_int_equal(text_columns(BYTES("abc")), 3);
	assert_int_equal(text_columns(BYTES("Åsa Öberg")), 9);
	assert_int_equal(text_columns(BYTES("A\xcc\x8asa")), 3); /* a combining ring */
	assert_int_equal(text_columns(BYTES("東京")), 4);
	assert_int_equal(text_columns(BYTES("a\033b")), 6); /* a\x1bb */
	assert_int_equal(text_columns(BYTES("\xff")), 4);   /* \xff */
	assert_int_equal(text_columns(BYTES_NONE), 0);
}

static void
hostile_text_stays_text(void **state)
{
	struct catch c;

	catch_start(&c, false, false);
	out_text(&c.out,
		 BYTES("a\033[2Jb\r\n\xe2\x80\xae"
		       "c\xc2\x9b"
		       "d\xff"));
	assert_string_equal(catch_end(&c), "a\\x1b[2Jb\\x0d\\x0a\\u202ec\\x9bd\\xff");
	free(c.text);
}

static void
table_is_aligned(void **state)
{
	static const char *const heads[] = { "ID", "NAME", "STATE", NULL };
	const struct bytes one[] = { BYTES("1"), BYTES("Åsa"), BYTES("active") };
	const struct bytes two[] = { BYTES("22"), BYTES("東京x"), BYTES_NONE };
	struct arena *a = arena_new(1 << 16);
	struct out_table t;
	struct catch c;

	catch_start(&c, false, false);
	out_table_start(&t, &c.out, a, heads);
	out_table_row(&t, one);
	out_table_row(&t, two);
	out_table_end(&t);
	assert_string_equal(catch_end(&c),
			    "ID  NAME   STATE\n"
			    "1   Åsa    active\n"
			    "22  東京x  -\n");
	free(c.text);
	arena_free(a);
}

static void
last_column_is_cut_at_the_terminal(void **state)
{
	static const char *const heads[] = { "A", "B", NULL };
	const struct bytes row[] = { BYTES("x"), BYTES("0123456789abcdefghij") };
	struct arena *a = arena_new(1 << 16);
	struct out_table t;
	struct catch c;

	catch_start(&c, false, true); /* quiet: no head */
	c.out.width = 15;
	out_table_start(&t, &c.out, a, heads);
	out_table_row(&t, row);
	out_table_end(&t);
	assert_string_equal(catch_end(&c), "x  0123456789a…\n");
	free(c.text);
	arena_free(a);
}

static void
json_for_programs_only(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct json *v = json_object(a);
	struct catch c;

	json_set(v, "id", json_int(a, 7));
	catch_start(&c, true, false);
	out_line(&c.out, "for people\n");
	out_field(&c.out, "Id", BYTES("7"));
	out_json_line(&c.out, v);
	assert_string_equal(catch_end(&c), "{\"id\":7}\n");
	free(c.text);
	catch_start(&c, false, false);
	out_json(&c.out, v);
	out_line(&c.out, "for people\n");
	assert_string_equal(catch_end(&c), "for people\n");
	free(c.text);
	arena_free(a);
}

static void
quiet_drops_notes(void **state)
{
	struct catch c;

	catch_start(&c, false, true);
	out_note(&c.out, "by the way\n");
	out_line(&c.out, "the result\n");
	assert_string_equal(catch_end(&c), "the result\n");
	free(c.text);
}

static void
colours_only_when_asked(void **state)
{
	struct catch c;

	catch_start(&c, false, false);
	out_styled(&c.out, OUT_GOOD, "good");
	c.out.color = true;
	out_styled(&c.out, OUT_GOOD, "good");
	assert_string_equal(catch_end(&c), "good\033[32mgood\033[0m");
	free(c.text);
}

static const char *
error_text(struct catch *c, bool json, struct err e)
{
	catch_start(c, json, false);
	cli_print_error(&c->out, &e);
	return catch_end(c);
}

static void
errors_say_code_field_and_standard(void **state)
{
	struct err e = { RC_DENIED, CHY_TREE_PROOF, "path[2]", "RFC 9162 2.1.3", "it is \033wrong" };
	struct catch c;

	assert_string_equal(error_text(&c, false, e),
			    "chancery: refused (CHY-1871) path[2]: it is \\x1bwrong — RFC 9162 2.1.3\n");
	free(c.text);
	assert_string_equal(
	    error_text(&c, true, e),
	    "{\"code\":\"CHY-1871\",\"title\":\"Hash tree proof does not hold\",\"detail\":\"it is "
	    "\\u001bwrong\",\"field\":\"path[2]\",\"standard\":\"RFC 9162 2.1.3\"}\n");
	free(c.text);
	e = (struct err){ RC_MALFORMED, CHY_CLI_USAGE, "", "", "no server" };
	assert_string_equal(error_text(&c, false, e), "chancery: no server\n");
	free(c.text);
}

static void
exit_codes(void **state)
{
	struct err e = { 0 };

	assert_int_equal(cli_exit_code(RC_OK, &e), 0);
	assert_int_equal(cli_exit_code(err_set(&e, CHY_CLI_REFUSED, NULL, "no"), &e), 1);
	err_clear(&e);
	assert_int_equal(cli_exit_code(err_set(&e, CHY_CLI_USAGE, NULL, "what?"), &e), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(hostile_text_stays_text),
		cmocka_unit_test(table_is_aligned),
		cmocka_unit_test(last_column_is_cut_at_the_terminal),
		cmocka_unit_test(json_for_programs_only),
		cmocka_unit_test(quiet_drops_notes),
		cmocka_unit_test(colours_only_when_asked),
		cmocka_unit_test(errors_say_code_field_and_standard),
		cmocka_unit_test(exit_codes),
	};

	return cmocka_run_group_tests_name("cli_out", tests, NULL, NULL);
}
