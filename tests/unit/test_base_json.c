#include "base/base.h"
#include "base/json.h"

#include "test.h"

static struct arena *mem;

static int
open_arena(void **state)
{
	mem = arena_new(8 << 20);
	return mem == NULL;
}

static int
close_arena(void **state)
{
	arena_free(mem);
	return 0;
}

static struct json *
parsed(const char *text)
{
	struct err e = { 0 };
	struct json *v = NULL;

	if (json_parse(mem, bytes_str(text), &v, &e) != RC_OK)
		fail_msg("%s: %s", text, e.text);
	return v;
}

static enum code
refusal(struct bytes text)
{
	struct err e = { 0 };
	struct json *v;

	assert_int_not_equal(json_parse(mem, text, &v, &e), RC_OK);
	return e.code;
}

static void
canonical_is(const char *text, const char *want)
{
	OWN_BUF struct buf b = buf_max(1 << 16);

	json_put_canonical(&b, parsed(text));
	assert_text(buf_bytes(&b), want);
}

static void
reads_every_type(void **state)
{
	const struct json *v = parsed(" { \"a\" : [ null , true , false , -7 , \"x\" ] , \"b\" : { } } ");
	const struct json *item = json_get(v, "a")->first;

	assert_int_equal(v->count, 2);
	assert_int_equal(json_get(v, "a")->count, 5);
	assert_int_equal(item->type, JSON_NULL);
	item = item->next;
	assert_true(item->type == JSON_BOOL && item->boolean);
	item = item->next;
	assert_true(item->type == JSON_BOOL && !item->boolean);
	item = item->next;
	assert_true(item->type == JSON_INT && item->integer == -7);
	item = item->next;
	assert_true(item->type == JSON_STR && bytes_is(item->str, "x"));
	assert_null(item->next);
	assert_int_equal(json_get(v, "b")->type, JSON_OBJECT);
	assert_null(json_get(v, "c"));
	assert_null(json_get(NULL, "c"));
}

static void
refuses_what_parsers_disagree_about(void **state)
{
	static const struct {
		const char *text;
		enum code want;
	} rows[] = {
		{ "", CHY_JSON_SYNTAX },
		{ " ", CHY_JSON_SYNTAX },
		{ "{", CHY_JSON_SYNTAX },
		{ "}", CHY_JSON_SYNTAX },
		{ "[1,]", CHY_JSON_SYNTAX },
		{ "[,1]", CHY_JSON_SYNTAX },
		{ "[1 2]", CHY_JSON_SYNTAX },
		{ "{\"a\":1,}", CHY_JSON_SYNTAX },
		{ "{a:1}", CHY_JSON_SYNTAX },
		{ "{'a':1}", CHY_JSON_SYNTAX },
		{ "{\"a\" 1}", CHY_JSON_SYNTAX },
		{ "{\"a\"}", CHY_JSON_SYNTAX },
		{ "{1:2}", CHY_JSON_SYNTAX },
		{ "1 2", CHY_JSON_SYNTAX },
		{ "{}x", CHY_JSON_SYNTAX },
		{ "nul", CHY_JSON_SYNTAX },
		{ "True", CHY_JSON_SYNTAX },
		{ "NaN", CHY_JSON_SYNTAX },
		{ "/**/1", CHY_JSON_SYNTAX },
		{ "\"", CHY_JSON_SYNTAX },
		{ "\"\\\"", CHY_JSON_SYNTAX },
		{ "\"\\", CHY_JSON_SYNTAX },
		{ "\"\\x41\"", CHY_JSON_SYNTAX },
		{ "\"\\u12\"", CHY_JSON_SYNTAX },
		{ "\"\\u12g4\"", CHY_JSON_SYNTAX },
		{ "\"a\nb\"", CHY_JSON_SYNTAX },
		{ "\"\\ud800\"", CHY_JSON_SYNTAX },
		{ "\"\\ud800x\"", CHY_JSON_SYNTAX },
		{ "\"\\ud800\\ud800\"", CHY_JSON_SYNTAX },
		{ "\"\\udc00\"", CHY_JSON_SYNTAX },
		{ "\"\xff\"", CHY_UTF8 },
		{ "\"\xed\xa0\x80\"", CHY_UTF8 },
		{ "\"\xc0\x80\"", CHY_UTF8 },
		{ "\xef\xbb\xbf{}", CHY_JSON_SYNTAX }, /* byte order mark */
		{ "{\"a\":1,\"a\":1}", CHY_JSON_DUPLICATE },
		{ "{\"a\":1,\"\\u0061\":1}", CHY_JSON_DUPLICATE },
		{ "{\"x\":{\"b\":1,\"b\":2}}", CHY_JSON_DUPLICATE },
		{ "1.0", CHY_JSON_NUMBER },
		{ "1e3", CHY_JSON_NUMBER },
		{ "-", CHY_JSON_NUMBER },
		{ "-0", CHY_JSON_NUMBER },
		{ "01", CHY_JSON_NUMBER },
		{ "9007199254740992", CHY_JSON_NUMBER },
		{ "-9007199254740992", CHY_JSON_NUMBER },
		{ "99999999999999999999999", CHY_JSON_NUMBER },
		{ "+1", CHY_JSON_SYNTAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum code got = refusal(bytes_str(rows[i].text));

		if (got != rows[i].want)
			fail_msg("%s gave %s", rows[i].text, code_name(got));
	}
	assert_int_equal(refusal(BYTES("\"a\0b\"")), CHY_JSON_SYNTAX);
	assert_int_equal(refusal(BYTES("1\0")), CHY_JSON_SYNTAX);
	assert_int_equal(refusal(BYTES_NONE), CHY_JSON_SYNTAX);
}

static void
takes_the_ends_of_the_integers(void **state)
{
	assert_true(parsed("9007199254740991")->integer == JSON_INT_MAX);
	assert_true(parsed("-9007199254740991")->integer == -JSON_INT_MAX);
}

static void
nests(unsigned depth, bool ok)
{
	char text[256] = { 0 };
	struct err e = { 0 };
	struct json *v;

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	if (ok)
		assert_ok(json_parse(mem, bytes_str(text), &v, &e));
	else
		assert_code(json_parse(mem, bytes_str(text), &v, &e), CHY_JSON_DEPTH);
}

static void
stops_at_the_depth(void **state)
{
	nests(LIMIT_JSON_DEPTH, true);
	nests(LIMIT_JSON_DEPTH + 1, false);
	nests(100, false);
}

static enum code
object_of(unsigned members, const char *last)
{
	OWN_BUF struct buf b = buf_max(1 << 20);
	struct err e = { 0 };
	struct json *v;

	buf_str(&b, "{");
	for (unsigned i = 0; i + 1 < members; i++)
		buf_printf(&b, "\"k%u\":%u,", i * 7919 % 100003, i);
	buf_printf(&b, "\"%s\":0}", last);
	assert_true(buf_ok(&b));
	(void)!json_parse(mem, buf_bytes(&b), &v, &e);
	return e.code;
}

/* A large object is sorted to find duplicates, a small one compared pairwise: both find the first and the last. */
static void
finds_duplicates_in_objects_of_any_size(void **state)
{
	for (unsigned n = 2; n < 40; n++) {
		assert_int_equal(object_of(n, "last"), CHY_NONE);
		assert_int_equal(object_of(n, "k0"), CHY_JSON_DUPLICATE);
	}
	assert_int_equal(object_of(LIMIT_JSON_MEMBERS, "last"), CHY_NONE);
	assert_int_equal(object_of(LIMIT_JSON_MEMBERS, "k0"), CHY_JSON_DUPLICATE);
	assert_int_equal(object_of(LIMIT_JSON_MEMBERS + 1, "last"), CHY_LIMIT);
}

static void
escapes(void **state)
{
	const struct json *v = parsed("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\\u00e9\\ud83d\\ude00\"");

	assert_bytes(v->str, BYTES("\"\\/\b\f\n\r\t\0\x1f\xc3\xa9\xf0\x9f\x98\x80"));
	assert_int_equal(v->str.p[v->str.n], 0);
	canonical_is("\"\\u003c\\/\\u0000\\u001f\\u007f\\b\\t\\n\\f\\r\\\"\\\\\"",
		     "\"</\\u0000\\u001f\x7f\\b\\t\\n\\f\\r\\\"\\\\\"");
}

/* RFC 8785 3.2.3: sorted by UTF-16 code units, so that U+1F600 (D83D DE00) stands before U+FB33. */
static void
canonical_order(void **state)
{
	canonical_is(
	    "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":"
	    "7}",
	    "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
	    "\"\xef\xac\xb3\":3}");
}

static void
canonical_nesting(void **state)
{
	canonical_is("{\"aa\":1,\"a\":2,\"A\":3,\"\":4}", "{\"\":4,\"A\":3,\"a\":2,\"aa\":1}");
	canonical_is(" { \"b\" : [ 3 , 1 , { \"z\":1 , \"y\":2 } ] , \"a\" : { } } ",
		     "{\"a\":{},\"b\":[3,1,{\"y\":2,\"z\":1}]}");
	canonical_is("[]", "[]");
	canonical_is("-9007199254740991", "-9007199254740991");
}

/* Names that are no UTF-8 cannot come from the reader; the writer must end all the same. */
static void
canonical_ends_on_names_without_utf8(void **state)
{
	OWN_BUF struct buf b = buf_max(256);
	struct json *o = json_object(mem);

	json_set(o, "\xff", json_int(mem, 1));
	json_set(o, "\xfe", json_int(mem, 2));
	json_put_canonical(&b, o);
	assert_text(buf_bytes(&b), "{\"\xef\xbf\xbd\":2,\"\xef\xbf\xbd\":1}");
}

static void
writes_what_is_no_utf8_as_replacement(void **state)
{
	OWN_BUF struct buf b = buf_max(256);

	json_put_str(&b, BYTES("a\xff\xc3\xa9\xe2\x82\"\x01"));
	assert_text(buf_bytes(&b), "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\\\"\\u0001\"");
}

static void
writes_pretty_and_plain(void **state)
{
	OWN_BUF struct buf plain = buf_max(256), pretty = buf_max(256);
	struct json *v = parsed("{\"b\":[1,{\"c\":[]}],\"a\":{}}");

	json_put(&plain, v);
	json_put_pretty(&pretty, v);
	assert_text(buf_bytes(&plain), "{\"b\":[1,{\"c\":[]}],\"a\":{}}");
	assert_text(buf_bytes(&pretty),
		    "{\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    }\n  ],\n  \"a\": {}\n}\n");
}

static void
builds(void **state)
{
	OWN_BUF struct buf b = buf_max(256);
	struct json *o = json_object(mem), *list = json_array(mem);

	json_add(list, json_bool(mem, true));
	json_add(list, json_null(mem));
	json_add(list, NULL);
	json_set(o, "list", list);
	json_set(o, "n", json_int(mem, 1));
	json_set(o, "s", json_str(mem, BYTES("x")));
	json_set(o, "n", json_int(mem, 2)); /* replaces, at the end */
	json_set(o, "gone", json_int(mem, 3));
	assert_true(json_drop(o, "gone"));
	assert_false(json_drop(o, "gone"));
	json_set(o, "none", NULL);
	json_set(NULL, "none", o);
	json_put(&b, o);
	assert_text(buf_bytes(&b), "{\"list\":[true,null],\"s\":\"x\",\"n\":2}");
	assert_int_equal(o->count, 3);
	assert_true(json_drop(o, "list") && json_drop(o, "s") && json_drop(o, "n"));
	assert_true(o->first == NULL && o->last == NULL && o->count == 0);
}

static void
copies_and_compares(void **state)
{
	struct json *v = parsed("{\"a\":[1,\"x\",{\"b\":null}],\"c\":true}");
	struct json *copy = json_copy(mem, v);

	assert_true(json_eq(v, copy));
	assert_true(json_eq(v, parsed("{\"c\":true,\"a\":[1,\"x\",{\"b\":null}]}")));
	assert_false(json_eq(v, parsed("{\"c\":true,\"a\":[\"x\",1,{\"b\":null}]}")));
	assert_false(json_eq(v, parsed("{\"c\":false,\"a\":[1,\"x\",{\"b\":null}]}")));
	assert_false(json_eq(v, parsed("{\"c\":true}")));
	assert_false(json_eq(v, NULL));
	assert_true(json_eq(NULL, NULL));
	json_set(copy, "c", json_int(mem, 1));
	assert_false(json_eq(v, copy));
	assert_null(json_copy(mem, NULL));
}

static void
typed_members(void **state)
{
	const struct json *v = parsed("{\"s\":\"x\",\"n\":5,\"b\":true,\"o\":{},\"l\":[],\"z\":null}");
	struct err e = { 0 };
	struct bytes s = BYTES("kept");
	int64_t n = 42;
	bool b = false;
	struct json *x;

	assert_ok(json_need_str(v, "s", &s, &e));
	assert_text(s, "x");
	assert_ok(json_opt_str(v, "none", &s, &e));
	assert_ok(json_opt_str(v, "z", &s, &e));
	assert_text(s, "x");
	assert_ok(json_need_int(v, "n", 5, 5, &n, &e));
	assert_int_equal(n, 5);
	assert_ok(json_opt_int(v, "none", 0, 9, &n, &e));
	assert_ok(json_opt_bool(v, "b", &b, &e));
	assert_true(b);
	assert_ok(json_need_object(v, "o", &x, &e));
	assert_ok(json_need_array(v, "l", &x, &e));
	assert_code(json_need_int(v, "n", 6, 9, &n, &e), CHY_JSON_NUMBER);
	assert_code(json_opt_int(v, "n", 0, 4, &n, &e), CHY_JSON_NUMBER);
	assert_code(json_need_str(v, "n", &s, &e), CHY_JSON_TYPE);
	assert_code(json_need_str(v, "z", &s, &e), CHY_JSON_TYPE);
	assert_code(json_opt_bool(v, "n", &b, &e), CHY_JSON_TYPE);
	assert_code(json_need_object(v, "l", &x, &e), CHY_JSON_TYPE);
	assert_code(json_need_str(NULL, "s", &s, &e), CHY_JSON_MISSING);
	(void)!json_need_str(v, "none", &s, &e);
	assert_string_equal(e.field, "none");
	assert_int_equal(e.code, CHY_JSON_MISSING);
}

static void
only_known_members(void **state)
{
	static const char *const names[] = { "a", "b", NULL };
	struct err e = { 0 };

	assert_ok(json_only(parsed("{\"b\":1}"), names, &e));
	assert_ok(json_only(parsed("{}"), names, &e));
	assert_code(json_only(parsed("[]"), names, &e), CHY_JSON_TYPE);
	assert_code(json_only(NULL, names, &e), CHY_JSON_TYPE);
	(void)!json_only(parsed("{\"a\":1,\"ab\":2}"), names, &e);
	assert_int_equal(e.code, CHY_JSON_UNKNOWN);
	assert_string_equal(e.field, "ab");
}

static void
memory_ends_in_an_error(void **state)
{
	OWN(arena_free)
	struct arena *small = arena_new(4096);
	OWN_BUF struct buf b = buf_max(1 << 16);
	struct err e = { 0 };
	struct json *v;

	buf_str(&b, "[0");
	for (int i = 0; i < 1000; i++)
		buf_str(&b, ",0");
	buf_str(&b, "]");
	assert_code(json_parse(small, buf_bytes(&b), &v, &e), CHY_NO_MEMORY);
	json_put(&b, json_str(small, buf_bytes(&b))); /* NULL */
	assert_false(buf_ok(&b));
}

static const struct CMUnitTest tests[] = {
	CASE(reads_every_type),
	CASE(refuses_what_parsers_disagree_about),
	CASE(takes_the_ends_of_the_integers),
	CASE(stops_at_the_depth),
	CASE(finds_duplicates_in_objects_of_any_size),
	CASE(escapes),
	CASE(canonical_order),
	CASE(canonical_nesting),
	CASE(canonical_ends_on_names_without_utf8),
	CASE(writes_what_is_no_utf8_as_replacement),
	CASE(writes_pretty_and_plain),
	CASE(builds),
	CASE(copies_and_compares),
	CASE(typed_members),
	CASE(only_known_members),
	CASE(memory_ends_in_an_error),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
