#include "base/base.h"
#include "factory/search_values.h"
#include "pki/name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What reading the name gives, attribute by attribute. */
static void
reads_as_the_name(const char *subject)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct certificate_row row = { .subject = bytes_str(subject) };
	struct search_text *list;
	struct name name;
	struct err e = { 0 };
	size_t n;

	assert_int_equal(search_texts_of(a, &row, &list, &n, &e), RC_OK);
	assert_int_equal(name_from_text(a, row.subject, &name, &e), RC_OK);
	assert_int_equal(n, name.n);
	for (size_t i = 0; i < n; i++) {
		char dotted[OID_TEXT_MAX];
		enum oid known = name.ava[i].known;
		const char *type = known != OID_NONE ? oid_name(known) : oid_text(dotted, name.ava[i].oid);
		size_t k = 0; /* the order is nobody's business */

		while (k < n &&
		       !(bytes_is(list[k].attribute, type) &&
			 bytes_eq(list[k].value, ava_utf8(a, &name.ava[i]))))
			k++;
		if (k == n)
			fail_msg("%s: no %s", subject, type);
	}
}

static void
plain_and_other_names_read_alike(void **state)
{
	static const char *const names[] = {
		"CN=www.example.org,OU=Servers,O=Example,C=SE",
		"CN=M\xc3\xbcller M\xc3\xa4rta,serialNumber=123 456,SN=M\xc3\xbcller,GN=M\xc3\xa4rta",
		"CN=a=b",
		"CN=Smith\\, John,O=Example\\+Sons",
		"CN=\\ blank,O=end\\ ",
		"CN=one+UID=two,O=Example",
		"1.2.3.4.5=#0C0474657374,CN=x",
		"emailAddress=a@example.org,DC=example,DC=org",
		"CN=\\\"quoted\\\"",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		reads_as_the_name(names[i]);
}

static void
what_is_no_name_is_one_value(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct certificate_row row = { .subject = BYTES("no name at all") };
	struct search_text *list;
	struct err e = { 0 };
	size_t n;

	assert_int_equal(search_texts_of(a, &row, &list, &n, &e), RC_OK);
	assert_int_equal(n, 1);
	assert_true(bytes_is(list[0].attribute, "subject"));
	assert_true(bytes_eq(list[0].value, row.subject));
}

/* What was said beside the certificate is found by its own name alone, never by free text. */
static void
fields_and_cards_are_told_apart(void **state)
{
	struct value_row card = { .id = search_value_id(BYTES("card_serial"), BYTES("4711")),
				  .attribute = 3,
				  .value = BYTES("4711") };

	assert_true(search_is_field(BYTES("card_serial")) && search_is_field(BYTES("field1")));
	assert_false(search_is_field(BYTES("serialNumber")) || search_is_field(BYTES("san")));
	assert_true(search_value_is_of(&card, BYTES("card_serial")));
	assert_false(search_value_is_of(&card, BYTES("field1")) || search_value_is_of(&card, BYTES_NONE));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_and_other_names_read_alike),
		cmocka_unit_test(what_is_no_name_is_one_value),
		cmocka_unit_test(fields_and_cards_are_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
