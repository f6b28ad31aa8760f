/* What the server gives to be signed against what was asked; and bodies from the command line's texts. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/kindbody.h"
#include "cli/pairmap.h"
#include "cli/rest.h"
#include "test.h"

static struct arena *mem;

static int
start(void **state)
{
	mem = arena_new(16 << 20);
	return mem == NULL;
}

static int
stop(void **state)
{
	arena_free(mem);
	return 0;
}

static struct json *
parsed(const char *text)
{
	struct json *v = NULL;
	struct err e = { 0 };

	if (json_parse(mem, bytes_str(text), &v, &e) != RC_OK)
		fail_msg("%s: %s", text, e.text);
	return v;
}

/* ---- compare ---- */

static struct bytes
to_sign(const char *act, const char *base, const char *body, int request)
{
	OWN_BUF struct buf b = buf_max(1 << 16);
	const char *text = arena_printf(
	    mem,
	    "{\"act\":\"%s\",\"base\":%s,\"body\":%s,\"format\":\"chancery-request/1\",\"instance\":\"00\","
	    "\"nonce\":\"x\",\"request\":%d}",
	    act, base, body, request);

	json_put_canonical(&b, parsed(text));
	return arena_dup(mem, buf_bytes(&b));
}

static const char asked_body[] =
    "{\"name\":\"Web\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
    "\"certificate_procedures\":[\"TLS\",12]}";

static enum rc
compare(const char *given, struct err *e)
{
	struct asked asked = { "token-procedure.create", kind_of(KIND_TOKEN_PROCEDURE), 0,
			       parsed(asked_body) };
	struct json *doc;

	return flow_compare(mem, &asked, 7, to_sign("token-procedure.create", "null", given, 7), &doc, e);
}

static void
names_become_ids_and_defaults_come_in(void **state)
{
	struct err e = { 0 };

	assert_ok(compare(asked_body, &e));
	assert_ok(compare("{\"name\":\"Web\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
			  "\"certificate_procedures\":[11,12],\"state\":\"active\",\"visible_in_subdomain\":"
			  "false,\"domain\":null}",
			  &e));
}

static void
anything_else_is_not_signed(void **state)
{
	static const char *const given[] = {
		/* another value, a member less, one more, another list, another default, an id for an id */
		"{\"name\":\"Wob\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
		"\"certificate_procedures\":[11,12]}",
		"{\"name\":\"Web\",\"issuer_certificates\":\"none\",\"certificate_procedures\":[11,12]}",
		"{\"name\":\"Web\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
		"\"certificate_procedures\":[11,12],\"domain\":5}",
		"{\"name\":\"Web\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
		"\"certificate_procedures\":[11,12,13]}",
		"{\"name\":\"Web\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
		"\"certificate_procedures\":[11,12],\"state\":\"closed\"}",
		"{\"name\":\"Web\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
		"\"certificate_procedures\":[11,99]}",
		"{\"name\":\"Web\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":\"none\","
		"\"certificate_procedures\":[11,12],\"unheard\":1}",
	};
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		assert_code(compare(given[i], &e), CHY_CLI_ALTERED);
}

static void
another_act_is_not_signed(void **state)
{
	struct asked asked = { "domain.create", kind_of(KIND_DOMAIN), 0, parsed("{\"name\":\"x\"}") };
	struct asked change = { "domain.modify", kind_of(KIND_DOMAIN), 5, parsed("{\"name\":\"x\"}") };
	const char *body = "{\"name\":\"x\"}";
	struct bytes spaced = BYTES("{ \"act\":\"domain.create\"}");
	struct json *doc;
	struct err e = { 0 };

	assert_ok(flow_compare(mem, &asked, 7, to_sign("domain.create", "null", body, 7), &doc, &e));
	assert_code(flow_compare(mem, &asked, 7, to_sign("officer.create", "null", body, 7), &doc, &e),
		    CHY_CLI_ALTERED);
	assert_code(flow_compare(mem, &asked, 7, to_sign("domain.create", "null", body, 8), &doc, &e),
		    CHY_CLI_ALTERED);
	assert_code(flow_compare(mem, &asked, 7,
				 to_sign("domain.create", "{\"id\":5,\"version\":1}", body, 7), &doc, &e),
		    CHY_CLI_ALTERED);
	assert_code(flow_compare(mem, &asked, 7, spaced, &doc, &e), CHY_CLI_ALTERED);
	assert_ok(flow_compare(mem, &change, 7, to_sign("domain.modify", "{\"id\":5,\"version\":1}", body, 7),
			       &doc, &e));
	assert_code(flow_compare(mem, &change, 7,
				 to_sign("domain.modify", "{\"id\":6,\"version\":1}", body, 7), &doc, &e),
		    CHY_CLI_ALTERED);
}

/* An officer's certificate id comes with its fingerprint, and nothing else does. */
static void
officers_certificate_comes_with_its_fingerprint(void **state)
{
	struct asked asked = { "officer.create", kind_of(KIND_OFFICER), 0,
			       parsed("{\"name\":\"x\",\"certificate_sha256\":\"ab\",\"profile\":\"P\"}") };
	struct json *doc;
	struct err e = { 0 };

	assert_ok(flow_compare(
	    mem, &asked, 7,
	    to_sign("officer.create", "null",
		    "{\"name\":\"x\",\"certificate_sha256\":\"ab\",\"profile\":3,\"certificate\":9}", 7),
	    &doc, &e));
	assert_code(
	    flow_compare(
		mem, &asked, 7,
		to_sign("officer.create", "null",
			"{\"name\":\"x\",\"certificate_sha256\":\"ac\",\"profile\":3,\"certificate\":9}", 7),
		&doc, &e),
	    CHY_CLI_ALTERED);
}

static void
bulk_requests_must_be_the_same(void **state)
{
	struct asked asked = {
		"certificate.issue", NULL, 0,
		parsed("{\"token_procedure\":\"Web\",\"requests\":[{\"csr\":\"AA==\",\"name\":\"a\"}]}")
	};
	struct json *doc;
	struct err e = { 0 };

	assert_ok(flow_compare(
	    mem, &asked, 7,
	    to_sign("certificate.issue", "null",
		    "{\"token_procedure\":4,\"requests\":[{\"csr\":\"AA==\",\"name\":\"a\"}]}", 7),
	    &doc, &e));
	assert_code(
	    flow_compare(mem, &asked, 7,
			 to_sign("certificate.issue", "null",
				 "{\"token_procedure\":4,\"requests\":[{\"csr\":\"AQ==\",\"name\":\"a\"}]}",
				 7),
			 &doc, &e),
	    CHY_CLI_ALTERED);
}

/* ---- values ---- */

static const struct choice words[] = { { "request" }, { "fixed" }, { 0 } };
static const struct field members[] = {
	{ .name = "attribute", .type = FIELD_OID },
	{ .name = "source", .type = FIELD_CHOICE, .choices = words },
	{ .name = "mandatory", .type = FIELD_BOOL },
	{ .name = "max_length", .type = FIELD_INT },
	{ .name = "values", .type = FIELD_TEXT, .flags = FIELD_LIST },
	{ 0 },
};
static const struct field object = { .name = "subject", .type = FIELD_OBJECT, .members = members };

static void
value_is(const struct field *f, const char *text, const char *json)
{
	OWN_BUF struct buf b = buf_max(4096);
	struct json *v = NULL;
	struct err e = { 0 };

	if (field_value(mem, f, text, &v, &e) != RC_OK)
		fail_msg("%s: %s", text, e.text);
	json_put(&b, v);
	assert_string_equal(buf_cstr(&b), json);
}

static void
values_by_type(void **state)
{
	static const struct field flag = { .name = "f", .type = FIELD_BOOL },
				  number = { .name = "n", .type = FIELD_INT },
				  ref = { .name = "r", .type = FIELD_REF },
				  text = { .name = "t", .type = FIELD_TEXT };
	struct json *v;
	struct err e = { 0 };

	value_is(&flag, "yes", "true");
	value_is(&flag, "no", "false");
	value_is(&number, "-3", "-3");
	value_is(&ref, "244039", "244039");
	value_is(&ref, "Root CA", "\"Root CA\"");
	value_is(&ref, "007", "\"007\""); /* no id: a name */
	value_is(&text, "12", "\"12\"");
	assert_code(field_value(mem, &flag, "perhaps", &v, &e), CHY_CLI_USAGE);
	assert_code(field_value(mem, &number, "3x", &v, &e), CHY_CLI_USAGE);
	assert_code(field_value(mem, &ref, "", &v, &e), CHY_CLI_USAGE);
	assert_code(field_value(mem, &text, "\xff", &v, &e), CHY_CLI_USAGE);
}

static void
objects_as_text_and_as_json(void **state)
{
	struct json *v;
	struct err e = { 0 };

	value_is(&object, "attribute=CN,source=request,mandatory=yes,max_length=64",
		 "{\"attribute\":\"CN\",\"source\":\"request\",\"mandatory\":true,\"max_length\":64}");
	value_is(&object, "values=a\\,b,values=c\\\\d", "{\"values\":[\"a,b\",\"c\\\\d\"]}");
	value_is(&object, "{\"attribute\":\"CN\"}", "{\"attribute\":\"CN\"}");
	value_is(&object, "", "{}");
	assert_code(field_value(mem, &object, "attribute", &v, &e), CHY_CLI_USAGE);
	assert_code(field_value(mem, &object, "other=1", &v, &e), CHY_CLI_USAGE);
	assert_code(field_value(mem, &object, "attribute=CN,attribute=O", &v, &e), CHY_CLI_USAGE);
	assert_code(field_value(mem, &object, "source=else", &v, &e), CHY_CLI_USAGE);
	assert_code(field_value(mem, &object, "{", &v, &e), CHY_JSON_SYNTAX);
}

/* ---- the server's refusals ---- */

static void
problem_documents(void **state)
{
	struct err e = { 0 };

	assert_code(
	    rest_problem(mem, 403, BYTES("{\"code\":\"CHY-1871\",\"detail\":\"no\",\"field\":\"a\"}"), &e),
	    CHY_TREE_PROOF);
	assert_int_equal(
	    rest_problem(
		mem, 403,
		BYTES("{\"code\":\"CHY-1871\",\"detail\":\"no\",\"field\":\"a.b\",\"standard\":\"RFC 1\"}"),
		&e),
	    RC_DENIED);
	assert_string_equal(e.field, "a.b");
	assert_string_equal(e.text, "no");
	assert_string_equal(e.std, "RFC 1");
	err_clear(&e);
	assert_code(rest_problem(mem, 503, BYTES("busy"), &e),
		    CHY_QUEUE_FULL); /* no document: by the status */
	assert_code(rest_problem(mem, 500, BYTES_NONE, &e), CHY_CLI_ANSWER);
	assert_code(rest_problem(mem, 404, BYTES("{}"), &e), CHY_CLI_REFUSED);
	assert_code(rest_problem(mem, 404, BYTES("{\"code\":7}"), &e), CHY_CLI_ANSWER);
	assert_code(rest_problem(mem, 404, BYTES("{\"code\":\"CHY-99998\",\"detail\":\"new\"}"), &e),
		    CHY_CLI_REFUSED);
}

static void
addresses_are_escaped(void **state)
{
	assert_string_equal(url_escape(mem, BYTES("a b&c/d?Ö")), "a%20b%26c%2Fd%3F%C3%96");
	assert_string_equal(url_escape(mem, BYTES_NONE), "");
}

static void
pairs_are_found_again(void **state)
{
	struct pairmap m = { 0 };
	struct err e = { 0 };
	size_t n = 0;

	for (int64_t i = 1; i <= 3000; i++)
		assert_ok(pairmap_put(&m, i << 20, i % 3, &m.at + i % 2, &e));
	assert_ok(pairmap_put(&m, 1 << 20, 1, &n, &e)); /* replaces */
	assert_int_equal(m.n, 3000);
	for (int64_t i = 2; i <= 3000; i++)
		assert_ptr_equal(pairmap_get(&m, i << 20, i % 3), &m.at + i % 2);
	assert_ptr_equal(pairmap_get(&m, 1 << 20, 1), &n);
	assert_null(pairmap_get(&m, 1 << 20, 2));
	PAIRMAP_EACH(x, &m)
	n++;
	assert_int_equal(n, 3000);
	pairmap_fini(&m);
	assert_null(pairmap_get(&m, 1, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_become_ids_and_defaults_come_in),
		CASE(anything_else_is_not_signed),
		CASE(another_act_is_not_signed),
		CASE(officers_certificate_comes_with_its_fingerprint),
		CASE(bulk_requests_must_be_the_same),
		CASE(values_by_type),
		CASE(objects_as_text_and_as_json),
		CASE(problem_documents),
		CASE(addresses_are_escaped),
		CASE(pairs_are_found_again),
	};

	return cmocka_run_group_tests_name("cli_compare", tests, start, stop);
}
