/*
 * The JSON Schema of each kind says what the table of fields says. (That validators agree with the checks on right and
 * wrong bodies is tried over HTTP, where the schemas are served.)
 */
#include "test.h"

#include "base/json.h"
#include "policy/schema.h"

static struct arena *mem;

static int
setup(void **state)
{
	mem = arena_new(16 << 20);
	return mem == NULL;
}

static int
teardown(void **state)
{
	arena_free(mem);
	return 0;
}

static struct bytes
text(const struct json *o, const char *name)
{
	struct json *v = json_get(o, name);

	return v != NULL && v->type == JSON_STR ? v->str : BYTES_NONE;
}

static bool
lists(const struct json *array, const char *what)
{
	JSON_EACH(x, array)
	if (x->type == JSON_STR && bytes_is(x->str, what))
		return true;
	return false;
}

static void fields_agree(const struct field *fields, const struct json *schema);

static void
item_agrees(const struct field *f, const struct json *s)
{
	static const char *const types[FIELD_TYPE_COUNT] = {
		[FIELD_BOOL] = "boolean", [FIELD_INT] = "integer", [FIELD_OBJECT] = "object"
	};
	size_t n = 0;

	if (f->type == FIELD_REF) {
		assert_true(lists(json_get(s, "type"), "integer") && lists(json_get(s, "type"), "string"));
		assert_text(text(s, "x-ref"), kind_name(f->ref));
		return;
	}
	assert_text(text(s, "type"), types[f->type] ? types[f->type] : "string");
	if (f->type == FIELD_CHOICE) {
		for (const struct choice *c = f->choices; c->name; c++, n++)
			assert_true(lists(json_get(s, "enum"), c->name));
		assert_int_equal(json_get(s, "enum")->count, n);
	}
	if ((f->type == FIELD_TEXT || f->type == FIELD_DN) && f->max)
		assert_int_equal(json_get(s, "maxLength")->integer, f->max);
	if (f->type == FIELD_INT && (f->min || f->max))
		assert_int_equal(json_get(s, "maximum")->integer, f->max);
	if (f->type == FIELD_OBJECT)
		fields_agree(f->members, s);
}

static void
fields_agree(const struct field *fields, const struct json *schema)
{
	size_t n = 0, rules = 0;

	assert_false(json_get(schema, "additionalProperties")->boolean);
	for (const struct field *f = fields; f->name; f++, n++) {
		const struct json *s = json_get(json_get(schema, "properties"), f->name);
		bool must = (f->flags & FIELD_MUST) && f->only_when[0].op == COND_NONE && f->dflt == NULL;

		assert_non_null(s);
		assert_text(text(s, "title"), f->label);
		assert_int_equal(lists(json_get(schema, "required"), f->name), must);
		if (f->dflt != NULL)
			assert_non_null(json_get(s, "default"));
		if (f->flags & FIELD_LIST) {
			assert_text(text(s, "type"), "array");
			assert_int_equal(json_get(s, "maxItems")->integer, f->list_max);
			item_agrees(f, json_get(s, "items"));
		} else {
			item_agrees(f, s);
		}
		rules += (f->only_when[0].op != COND_NONE) +
		    (f->must_when[0].op != COND_NONE && f->dflt == NULL);
	}
	assert_int_equal(json_get(schema, "properties")->count, n);
	assert_int_equal(json_get(schema, "allOf") ? json_get(schema, "allOf")->count : 0, rules);
}

static void
schemas_say_what_the_tables_say(void **state)
{
	struct err e = { 0 };
	struct json *s;

	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind *kind = kind_of((enum kind_id)k);

		if (kind == NULL)
			continue;
		assert_ok(schema_of(mem, kind, &s, &e));
		assert_text(text(s, "$schema"), "https://json-schema.org/draft/2020-12/schema");
		assert_text(text(s, "title"), kind->title);
		fields_agree(kind->fields, s);
	}
}

/* Conditions of the seed: a card serial number is asked of smart cards and absent elsewhere. */
static void
conditions_become_if_then_else(void **state)
{
	OWN_BUF struct buf b = buf_max(1 << 20);
	struct json *s;

	assert_ok(schema_of(mem, kind_of(KIND_TOKEN_PROCEDURE), &s, NULL));
	json_put(&b, json_get(s, "allOf")->first);
	assert_string_equal(
	    buf_cstr(&b),
	    "{\"if\":{\"allOf\":[{\"properties\":{\"storage_profile\":{\"enum\":[\"smart-card\"]}},"
	    "\"required\":[\"storage_profile\"]}]},\"then\":{\"required\":[\"card_serial_number\"]},"
	    "\"else\":{\"properties\":{\"card_serial_number\":{\"type\":\"null\"}}}}");
}

static void
memory_that_is_out_is_an_error(void **state)
{
	for (size_t max = 64; max < 200000; max *= 2) {
		OWN(arena_free)
		struct arena *small = arena_new(max);
		struct json *s = NULL;
		struct err e = { 0 };

		if (schema_of(small, kind_of(KIND_FORMAT), &s, &e) != RC_OK)
			assert_int_equal(e.code, CHY_NO_MEMORY);
		else
			fields_agree(kind_of(KIND_FORMAT)->fields, s);
	}
}

static const struct CMUnitTest tests[] = {
	CASE(schemas_say_what_the_tables_say),
	ROWS(conditions_become_if_then_else, "CM-T-06"),
	CASE(memory_that_is_out_is_an_error),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, setup, teardown);
}
