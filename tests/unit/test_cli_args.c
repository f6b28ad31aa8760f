/* Parsing of the command line: every form of option, every wrong usage with its hint. */
#include "base/base.h"
#include "cli/args.h"
#include "cli/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const states[] = { "active", "closed", NULL };
static const struct opt list_options[] = {
	{ "state", "STATE", OPT_CHOICE, 0, "state", states },
	{ "limit", "N", OPT_INT, 0, "limit" },
	{ "tag", "TEXT", OPT_TEXT, OPT_MANY, "tag" },
	{ "open", NULL, OPT_YESNO, 0, "open" },
	{ "until", "TIME", OPT_TIME, 0, "until" },
	{ "for", "DURATION", OPT_DURATION, 0, "for" },
	{ 0 },
};
static const struct opt make_options[] = { { "out", "FILE", OPT_FILE, OPT_MUST, "out" }, { 0 } };
static const struct operand two[] = {
	{ "FIRST", OPT_TEXT, OPT_MUST, "first" },
	{ "MORE", OPT_FILE, OPT_MANY, "more" },
	{ 0 },
};
static const struct operand kind_operand[] = { { "KIND", OPT_CHOICE, OPT_MUST, "kind", states }, { 0 } };

static const struct command commands[] = {
	{ "thing", "list", "list", NULL, list_options, NULL },
	{ "thing", "make", "make", NULL, make_options, two },
	{ "thing", "pick", "pick", NULL, NULL, kind_operand },
	{ "explain", NULL, "explain", NULL, NULL, two },
};

static struct arena *mem;
static struct args args;
static struct err err;

static enum rc
parse(const char *const *words)
{
	const struct command *list[ARRAY_LEN(commands)];
	struct commands all = { list, ARRAY_LEN(commands) };
	char *argv[16] = { arena_str(mem, BYTES("chancery")) };
	int argc = 1;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		list[i] = &commands[i];
	for (; *words; words++)
		argv[argc++] = arena_str(mem, bytes_str(*words));
	err_clear(&err);
	return args_parse(mem, &all, argc, argv, &args, &err);
}
#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

/* Wrong usage, and the message has this in it. */
static void
wrong(enum rc rc, const char *part)
{
	assert_int_not_equal(rc, RC_OK);
	assert_int_equal(err.code, CHY_CLI_USAGE);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static int
start(void **state)
{
	mem = arena_new(1 << 20);
	return mem == NULL;
}

static int
stop(void **state)
{
	arena_free(mem);
	return 0;
}

static void
options_anywhere(void **state)
{
	assert_int_equal(PARSE("--json", "thing", "--state", "closed", "list", "--limit=7"), RC_OK);
	assert_string_equal(args.command->verb, "list");
	assert_string_equal(args_text(&args, "state"), "closed");
	assert_int_equal(args_int(&args, "limit", 1), 7);
	assert_true(args_has(&args, "json"));
	assert_false(args_has(&args, "quiet"));
	assert_null(args_text(&args, "tag"));
	assert_int_equal(args_int(&args, "pin-fd", -1), -1);
}

static void
a_date_is_its_beginning(void **state)
{
	assert_int_equal(PARSE("thing", "list", "--until", "2027-01-31"), RC_OK);
	assert_string_equal(args_text(&args, "until"), "2027-01-31T00:00:00Z");
	assert_int_equal(PARSE("thing", "list", "--until=2027-01-31T12:00:00+01:00"), RC_OK);
	assert_string_equal(args_text(&args, "until"), "2027-01-31T12:00:00+01:00");
	wrong(PARSE("thing", "list", "--until", "2027-02-30"), "no date like");
}

static void
value_of_an_option_is_no_word_of_the_command(void **state)
{
	assert_int_equal(PARSE("--server", "thing", "thing", "--tag", "make", "list"), RC_OK);
	assert_string_equal(args.command->verb, "list");
	assert_string_equal(args_text(&args, "server"), "thing");
	assert_string_equal(args_text(&args, "tag"), "make");
}

static void
repeated_options(void **state)
{
	const struct arg *x;

	assert_int_equal(PARSE("thing", "list", "--tag", "a", "--tag=", "--tag", "c=d"), RC_OK);
	assert_int_equal(args_count(&args, "tag"), 3);
	x = args_next(&args, "tag", NULL);
	assert_string_equal(x->value, "a");
	x = args_next(&args, "tag", x);
	assert_string_equal(x->value, "");
	x = args_next(&args, "tag", x);
	assert_string_equal(x->value, "c=d");
	assert_null(args_next(&args, "tag", x));
	wrong(PARSE("thing", "list", "--limit", "1", "--limit", "2"), "--limit is given twice");
}

static void
operands_in_order(void **state)
{
	assert_int_equal(PARSE("thing", "make", "a", "--out", "x", "b", "--", "--c"), RC_OK);
	assert_string_equal(args_text(&args, "FIRST"), "a");
	assert_int_equal(args_count(&args, "MORE"), 2);
	assert_string_equal(args_text(&args, "MORE"), "--c");
	assert_int_equal(PARSE("explain", "-"), RC_OK); /* a hyphen alone is standard input */
	assert_string_equal(args_text(&args, "FIRST"), "-");
}

static void
noun_without_verb_takes_operands(void **state)
{
	assert_int_equal(PARSE("explain", "list"), RC_OK);
	assert_null(args.command->verb);
	assert_string_equal(args_text(&args, "FIRST"), "list");
}

static void
yes_and_no(void **state)
{
	assert_int_equal(PARSE("thing", "list", "--open"), RC_OK);
	assert_true(args_yes(&args, "open", false));
	assert_int_equal(PARSE("thing", "list", "--open=no"), RC_OK);
	assert_false(args_yes(&args, "open", true));
	assert_int_equal(PARSE("thing", "list"), RC_OK);
	assert_true(args_yes(&args, "open", true));
	wrong(PARSE("thing", "list", "--open=maybe"), "neither yes nor no");
}

static void
wrong_words(void **state)
{
	wrong(PARSE("thinf", "list"), "did you mean \"thing\"");
	wrong(PARSE("thing", "lost"), "did you mean \"list\"");
	wrong(PARSE("thing", "qqqqqqqq"), "list, make, pick");
	wrong(PARSE("thing"), "list, make, pick");
	wrong(PARSE("--json"), "no command");
	wrong(PARSE("zzzzzzzzzz"), "chancery help");
	wrong(PARSE("thing", "list", "--stat", "closed"), "did you mean \"--state\"");
	wrong(PARSE("thing", "list", "--xyzzyxyzzy"), "chancery help thing list");
	wrong(PARSE("thing", "list", "-x"), "two hyphens");
	wrong(PARSE("thing", "list", "extra"), "one word too many");
}

static void
wrong_values(void **state)
{
	wrong(PARSE("thing", "list", "--state", "ajar"), "none of active, closed");
	wrong(PARSE("thing", "list", "--limit", "many"), "--limit");
	wrong(PARSE("thing", "list", "--limit", "-1"), "--limit");
	wrong(PARSE("thing", "list", "--limit"), "needs a value: N");
	wrong(PARSE("thing", "list", "--json=1"), "takes no value");
	wrong(PARSE("thing", "list", "--until", "tomorrow"), "2027-01-31T12:00:00Z");
	wrong(PARSE("thing", "list", "--for", "90"), "P90D");
	wrong(PARSE("thing", "list", "--tag", "\xff"), "not UTF-8");
	wrong(PARSE("thing", "make", "a"), "--out FILE is needed");
	wrong(PARSE("thing", "make", "--out", "x"), "FIRST is needed");
	wrong(PARSE("thing", "make", "--out", "", "a"), "the path is empty");
	wrong(PARSE("thing", "pick", "ajar"), "none of active, closed");
}

static void
no_pin_on_the_line(void **state)
{
	wrong(PARSE("thing", "list", "--pin", "1234"), "can be read by everybody");
	wrong(PARSE("thing", "list", "--pin=1234"), "--pin-file");
	wrong(PARSE("thing", "list", "--password", "x"), "can be read by everybody");
	assert_null(strstr(err.text, "1234"));
}

static void
help_needs_nothing_else(void **state)
{
	assert_int_equal(PARSE("thing", "make", "--help"), RC_OK);
	assert_true(args.help);
	assert_int_equal(PARSE("thing", "-h"), RC_OK);
	assert_string_equal(args.noun, "thing");
	assert_null(args.command);
	assert_int_equal(PARSE("--help"), RC_OK);
	assert_int_equal(PARSE("--version"), RC_OK);
	assert_true(args.version);
	wrong(PARSE("thinf", "--help"), "did you mean");
}

/* ---- settings ---- */

static void
settings_from_three_places(void **state)
{
	char *const environment[] = { (char[]){ "CHANCERY_SERVER=https://env:1" },
				      (char[]){ "CHANCERY_CA=env.pem" }, (char[]){ "HOME=/nowhere" }, NULL };
	struct settings s;

	assert_int_equal(
	    PARSE("thing", "list", "--server", "https://line:2/", "--pin-fd", "3", "--timeout", "5"), RC_OK);
	assert_int_equal(settings_load(mem, &args, environment, &s, &err), RC_OK);
	assert_string_equal(s.server, "https://line:2");
	assert_string_equal(s.ca, "env.pem");
	assert_int_equal(s.pin_fd, 3);
	assert_int_equal(s.timeout_s, 5);
	assert_null(s.officer);

	assert_int_equal(settings_parse(mem,
					BYTES("; mine\n[cli]\nserver = https://file:3\nofficer = anna.p12\n"
					      "pin_file=/secret/pin\r\n\n# end"),
					"/home/anna", &s, &err),
			 RC_OK);
	assert_string_equal(s.server, "https://line:2"); /* the command line comes first */
	assert_string_equal(s.officer, "/home/anna/anna.p12");
	assert_string_equal(s.pin_file, "/secret/pin");
}

static void
pkcs11_uris_are_no_paths(void **state)
{
	struct settings s = { 0 };

	assert_int_equal(
	    settings_parse(mem, BYTES("[cli]\nofficer=pkcs11:token=a;object=b\n"), "/x", &s, &err), RC_OK);
	assert_string_equal(s.officer, "pkcs11:token=a;object=b");
}

static void
bad_profile(const char *text, const char *part)
{
	struct settings s = { 0 };

	err_clear(&err);
	assert_int_not_equal(settings_parse(mem, bytes_str(text), "", &s, &err), RC_OK);
	assert_int_equal(err.code, CHY_CLI_SETTINGS);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static void
bad_profiles(void **state)
{
	bad_profile("[cli]\nsever = https://x\n", "line 2: unknown key \"sever\"");
	bad_profile("server = x\n", "before [cli]");
	bad_profile("[client]\n", "unknown section");
	bad_profile("[cli\n", "ends with ]");
	bad_profile("[cli]\nserver\n", "no \"=\"");
	bad_profile("[cli]\nserver =\n", "no value");
	bad_profile("[cli]\npin = 1234\n", "does not belong");
	bad_profile("[cli]\nserver = \xff\n", "UTF-8");
}

static void
bad_servers(void **state)
{
	static const char *const list[] = { "ca.example", "ftp://ca.example", "https://u:p@ca.example",
					    "https://ca?x" };
	struct settings s;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		assert_int_equal(PARSE("thing", "list", "--server", list[i]), RC_OK);
		wrong(settings_load(mem, &args, NULL, &s, &err), "URL");
	}
	assert_int_equal(PARSE("thing", "list", "--timeout", "0"), RC_OK);
	wrong(settings_load(mem, &args, NULL, &s, &err), "--timeout");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(options_anywhere, start, stop),
		cmocka_unit_test_setup_teardown(a_date_is_its_beginning, start, stop),
		cmocka_unit_test_setup_teardown(value_of_an_option_is_no_word_of_the_command, start, stop),
		cmocka_unit_test_setup_teardown(repeated_options, start, stop),
		cmocka_unit_test_setup_teardown(operands_in_order, start, stop),
		cmocka_unit_test_setup_teardown(noun_without_verb_takes_operands, start, stop),
		cmocka_unit_test_setup_teardown(yes_and_no, start, stop),
		cmocka_unit_test_setup_teardown(wrong_words, start, stop),
		cmocka_unit_test_setup_teardown(wrong_values, start, stop),
		cmocka_unit_test_setup_teardown(no_pin_on_the_line, start, stop),
		cmocka_unit_test_setup_teardown(help_needs_nothing_else, start, stop),
		cmocka_unit_test_setup_teardown(settings_from_three_places, start, stop),
		cmocka_unit_test_setup_teardown(pkcs11_uris_are_no_paths, start, stop),
		cmocka_unit_test_setup_teardown(bad_profiles, start, stop),
		cmocka_unit_test_setup_teardown(bad_servers, start, stop),
	};

	return cmocka_run_group_tests_name("cli_args", tests, NULL, NULL);
}
