/* Sample certificates of procedures before the library and the lints: what they do not accept is condemned, and like templates
   are judged once. */
#include "policy_world.h"

#include "factory/judge_sample.h"

static struct world *w;
static struct judged *j;

static int
setup(void **state)
{
	struct err e = { 0 };

	w = world_new();
	assert_ok(judged_new(&j, &e));
	return 0;
}

static int
teardown(void **state)
{
	judged_free(j);
	world_free(w);
	return 0;
}

/* What the sample of a procedure comes to; how many more had to be made. */
static enum code
judge(int64_t procedure, size_t more)
{
	size_t before = judged_count(j);
	struct err e = { 0 };

	assert_ok(judge_once(j, w->s, snapshot_procedure(w->s, doc_id_of(procedure)), &e));
	assert_int_equal(judged_count(j) - before, more);
	return snapshot_unusable(w->s, doc_id_of(procedure)).code;
}

#define WITH(more) \
	"{\"name\":\"Any\",\"authority\":\"Issuing " \
	"CA\",\"format\":\"TLS\",\"validity\":\"P30D\",\"key_usage\":[]," \
	"\"extended_key_usage\":[\"serverAuth\",\"clientAuth\"]" more "}"

static void
accepted_once_for_all_that_are_alike(void **state)
{
	assert_int_equal(judge(PROC_NONE, 1), CHY_NONE);
	assert_int_equal(judge(PROC_NONE, 0), CHY_NONE);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, WITH(""));
	assert_int_equal(judge(PROC_NONE, 0), CHY_NONE); /* not in the template */
}

/* Each is judged by what it is made of: what one template has been found to be says nothing of another. */
static void
judged_anew_when_the_template_changes(void **state)
{
	assert_int_equal(judge(PROC_NONE, 1), CHY_NONE);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  WITH(",\"ocsp_urls\":[\"http://ocsp-2.example\"]"));
	assert_int_equal(judge(PROC_NONE, 1), CHY_NONE);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  WITH(",\"extensions\":[{\"oid\":\"1.3.6.1.5.5.7.1.14\",\"value\":\"0500\"}]"));
	assert_int_equal(judge(PROC_NONE, 1), CHY_PROCEDURE_SAMPLE);
}

/* An extension that is DER and that the library cannot read: the proxy certificate information of RFC 3820 is a SEQUENCE. */
static void
refused_and_stays_refused(void **state)
{
	const struct procedure *p;

	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  WITH(",\"extensions\":[{\"oid\":\"1.3.6.1.5.5.7.1.14\",\"value\":\"0500\"}]"));
	assert_int_equal(judge(PROC_NONE, 1), CHY_PROCEDURE_SAMPLE);
	assert_non_null(strstr(snapshot_unusable(w->s, doc_id_of(PROC_NONE)).text, "1.3.6.1.5.5.7.1.14"));
	world_build(w);
	p = snapshot_procedure(w->s, doc_id_of(PROC_NONE));
	assert_int_equal(p->why_not.code, CHY_NONE);
	assert_int_equal(judge(PROC_NONE, 0), CHY_PROCEDURE_SAMPLE); /* by what is known */
	assert_int_equal(p->why_not.code, CHY_PROCEDURE_SAMPLE);
	assert_int_equal(judge(PROC_SIGN, 1), CHY_NONE); /* the others are none the worse */
}

#define TLS_FORMAT(more) \
	"{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\"}],\"san\":[{\"type\":\"dns\"}" more

/* What the format fills in is in the sample too: here a text where the library reads Netscape's BIT STRING. */
static void
extensions_of_the_format_are_judged(void **state)
{
	world_put(
	    w, KIND_FORMAT, FORMAT_TLS,
	    TLS_FORMAT(
		"],\"input_extensions\":[{\"oid\":\"1.3.6.1.4.1.32473.7\",\"input\":\"person.name\"}]}"));
	assert_int_equal(judge(PROC_NONE, 1), CHY_NONE);
	world_put(
	    w, KIND_FORMAT, FORMAT_TLS,
	    TLS_FORMAT("],\"input_extensions\":[{\"oid\":\"1.3.6.1.4.1.32473.7\",\"input\":\"person.name\","
		       "\"default\":\"Anna\",\"modifiers\":[\"upper-case\"]}]}"));
	assert_int_equal(judge(PROC_NONE, 1), CHY_NONE);
	world_put(
	    w, KIND_FORMAT, FORMAT_TLS,
	    TLS_FORMAT(
		"],\"input_extensions\":[{\"oid\":\"2.16.840.1.113730.1.1\",\"input\":\"person.name\"}]}"));
	assert_int_equal(judge(PROC_NONE, 1), CHY_PROCEDURE_SAMPLE);
	assert_non_null(strstr(snapshot_unusable(w->s, doc_id_of(PROC_NONE)).text, "2.16.840.1.113730.1.1"));
}

/* Names of every type that a format can demand are in its sample, and a sample with other names is another one. */
static void
names_of_the_format_are_judged(void **state)
{
	static const char *const demands[] = {
		"{\"type\":\"email\",\"mandatory\":true}",
		"{\"type\":\"ip\",\"mandatory\":true}",
		"{\"type\":\"uri\",\"mandatory\":true,\"begins_with\":\"urn:uuid:\"}",
		"{\"type\":\"uri\",\"mandatory\":true,\"begins_with\":\"https:\"}",
		"{\"type\":\"directory\",\"mandatory\":true}",
		"{\"type\":\"rid\",\"mandatory\":true}",
		"{\"type\":\"upn\",\"mandatory\":true}",
		"{\"type\":\"upn\",\"mandatory\":true,\"begins_with\":\"svc-\"}",
		"{\"type\":\"srv\",\"mandatory\":true}",
		"{\"type\":\"smtp-utf8\",\"mandatory\":true}",
		"{\"type\":\"fasc-n\",\"mandatory\":true}",
		"{\"type\":\"uri\",\"source\":\"fixed\",\"values\":[\"https://a.example/\"]}",
		"{\"type\":\"uri\",\"source\":\"fixed\",\"values\":[\"https://b.example/\"]}",
		"{\"type\":\"email\",\"default\":\"a@b.example\"}",
	};

	assert_int_equal(judge(PROC_NONE, 1), CHY_NONE);
	for (size_t i = 0; i < ARRAY_LEN(demands); i++) {
		world_put(w, KIND_FORMAT, FORMAT_TLS, arena_printf(w->a, TLS_FORMAT(",%s]}"), demands[i]));
		if (judge(PROC_NONE, 1) != CHY_NONE)
			fail_msg("%s: %s", demands[i], snapshot_unusable(w->s, doc_id_of(PROC_NONE)).text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(accepted_once_for_all_that_are_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(judged_anew_when_the_template_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_and_stays_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(extensions_of_the_format_are_judged, setup, teardown),
		cmocka_unit_test_setup_teardown(names_of_the_format_are_judged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
