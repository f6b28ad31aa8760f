/* What OCSP tells of a certificate, for every combination of facts; when a responder's certificate is renewed. */
#include "policy_world.h"

#include "policy/ocsp.h"

static const char *
expected(const struct ocsp_facts *f)
{
	if (!f->issued)
		return "not-issued";
	if (f->state == CERT_REVOKED)
		return "revoked";
	if (f->state == CERT_HELD)
		return "on-hold";
	return f->by_officer && !f->activated ? "not-activated" : "good";
}

static void
every_combination(void **state)
{
	int good = 0;

	for (int bits = 0; bits < 8; bits++)
		for (int s = 0; s < CERT_STATE_COUNT; s++) {
			struct ocsp_facts f = { .issued = bits & 1,
						.by_officer = bits & 2,
						.activated = bits & 4,
						.state = (enum cert_state)s,
						.reason = s == CERT_HELD ? 6 : 1,
						.at_ms = 1000 };
			struct ocsp_word w = decide_ocsp(&f);

			assert_string_equal(w.rule, expected(&f));
			assert_int_equal(w.status == OCSP_REVOKED, f.issued && s != CERT_VALID);
			assert_int_equal(w.revoked_at, w.status == OCSP_REVOKED ? 1000 : 0);
			assert_int_equal(w.reason, w.status != OCSP_REVOKED ? CRL_NO_REASON : (int)f.reason);
			good += w.status == OCSP_GOOD;
		}
	assert_int_equal(good, 3); /* issued and valid: activated, or nobody needs to */
}

/* RFC 5280 5.3.1: "unspecified" is said by leaving the reason out. */
static void
no_reason_is_left_out(void **state)
{
	struct ocsp_facts f = { .issued = true, .state = CERT_REVOKED, .reason = REASON_UNSPECIFIED };

	assert_int_equal(decide_ocsp(&f).reason, CRL_NO_REASON);
	f.reason = REASON_REMOVED;
	assert_string_equal(decide_ocsp(&f).rule, "revoked");
}

static void
renewed_when_a_third_is_left(void **state)
{
	assert_false(responder_is_due(0, 3000, 0));
	assert_false(responder_is_due(0, 3000, 1999));
	assert_true(responder_is_due(0, 3000, 2000));
	assert_true(responder_is_due(0, 3000, 5000));
	assert_true(responder_is_due(1000, 4000, 999)); /* made by a clock that went wrong */
}

static void
settings_have_defaults(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct json *body;
	struct ocsp_settings s;

	assert_ok(json_parse(a, BYTES("{}"), &body, NULL));
	s = ocsp_settings_of(body);
	assert_false(s.on);
	assert_int_equal(duration_add(0, s.answer), 12 * 3600000LL);
	assert_int_equal(duration_add(0, s.certificate_), 30 * 86400000LL);
	assert_true(bytes_is(s.key_algorithm, "p-256"));
	assert_ok(json_parse(
	    a,
	    BYTES("{\"ocsp\":true,\"ocsp_activation\":\"by-officer\",\"ocsp_answer_validity\":\"PT5M\","
		  "\"ocsp_archive_cutoff\":\"P1Y\"}"),
	    &body, NULL));
	s = ocsp_settings_of(body);
	assert_true(s.on && s.by_officer && s.has_archive);
	assert_int_equal(duration_add(0, s.answer), 300000);
}

/* A node of Root for all, one of North for North's and those below; closed for none. */
static void
nodes_answer_within_their_domain(void **state)
{
	static const struct {
		const char *domain, *authority;
		bool answers;
	} cases[] = { { "null", "null", true },
		      { "null", "\"North\"", true },
		      { "\"North\"", "null", false },
		      { "\"North\"", "\"North\"", true },
		      { "\"North\"", "\"South\"", false } };
	enum { NODE = 990 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world *w = world_new();
		struct bytes key = bytes_str(
		    "9999999999999999999999999999999999999999999999999999999999999999");
		const struct document *node;

		world_put(w, KIND_AUTHORITY, ISSUING_CA,
			  arena_printf(
			      w->a,
			      "{\"name\":\"Issuing CA\",\"type\":\"subordinate\",\"domain\":%s,"
			      "\"issuing_authority\":\"Root CA\",\"ca_key\":\"CA key\",\"format\":\"CA "
			      "format\",\"subject\":\"CN=Issuing CA,O=Example,C=SE\",\"validity\":\"P10Y\"}",
			      cases[i].authority));
		world_put(w, KIND_STATUS_NODE, NODE,
			  arena_printf(w->a, "{\"name\":\"N\",\"domain\":%s,\"key_sha256\":%s}",
				       cases[i].domain, PRINT("99999999")));
		node = status_node_of(w->s, key);
		assert_non_null(node);
		assert_int_equal(
		    status_node_answers(w->s, node, snapshot_authority(w->s, doc_id_of(ISSUING_CA))),
		    cases[i].answers);
		assert_null(status_node_of(w->s, BYTES("99")));
		world_put(w, KIND_STATUS_NODE, NODE,
			  arena_printf(w->a, "{\"name\":\"N\",\"state\":\"closed\",\"key_sha256\":%s}",
				       PRINT("99999999")));
		assert_null(status_node_of(w->s, key));
		world_free(w);
	}
}

#define CLOSING(state) \
	"{\"name\":\"Issuing CA\",\"type\":\"subordinate\",\"state\":\"" state \
	"\",\"issuing_authority\":\"Root CA\",\"ca_key\":\"CA key\",\"format\":\"CA format\"," \
	"\"subject\":\"CN=Issuing CA,O=Example,C=SE\",\"validity\":\"P10Y\",\"ocsp\":true}"
#define LIST_OF(authority, more) \
	"{\"name\":\"" authority more "\",\"authority\":\"" authority \
	"\",\"include\":false,\"interval\":\"P1D\",\"overlap\":\"P1D\",\"distribution_points\":[\"http://" \
	"a.example/crl/x.crl\"]"

enum { OWN_LIST = 2001, FOREIGN_LIST = 2002, ISSUED_LIST = 2003 };

static enum rc
responder_of(struct world *w, struct err *e)
{
	struct responder_facts f = { .policy = w->s,
				     .authority = doc_id_of(ISSUING_CA),
				     .spki = world_key(w, "p-256", 77),
				     .now_ms = WORLD_NOW,
				     .random = { 1, 2, 3 } };
	struct responder_decision d;

	f.key_id = world_key_id(w, f.spki);
	return decide_responder(w->a, &f, &d, e);
}

static void
told_of_is(struct world *w, int64_t at_ms, bool over)
{
	const struct crl_procedure *own = snapshot_crl_procedure(w->s, doc_id_of(OWN_LIST)),
				   *foreign = snapshot_crl_procedure(w->s, doc_id_of(FOREIGN_LIST));
	const struct cil_procedure *issued = snapshot_cil_procedure(w->s, doc_id_of(ISSUED_LIST));

	assert_int_equal(own->why_not.code, CHY_NONE);
	assert_int_equal(foreign->why_not.code, CHY_NONE);
	assert_int_equal(issued->why_not.code, CHY_NONE);
	assert_int_equal(authority_is_over(snapshot_authority(w->s, doc_id_of(ISSUING_CA)), at_ms), over);
	assert_int_equal(crl_is_over(own, at_ms), over);
	assert_int_equal(crl_is_over(foreign, at_ms), over);
	assert_int_equal(cil_is_over(issued, at_ms), over);
}

static void
put_lists(struct world *w)
{
	world_put(w, KIND_CRL_PROCEDURE, OWN_LIST, LIST_OF("Issuing CA", "") "}");
	world_put(w, KIND_CRL_PROCEDURE, FOREIGN_LIST,
		  LIST_OF("Root CA", " indirect") ",\"crl_issuer\":\"Issuing CA\"}");
	world_put(
	    w, KIND_CIL_PROCEDURE, ISSUED_LIST,
	    "{\"name\":\"CIL\",\"authority\":\"Issuing CA\",\"served_as\":\"cil\",\"interval\":\"P1D\"}");
}

/* Of what a closed authority has issued the status is told until its own certificate is good no more. */
static void
closed_ones_are_told_of_to_their_end(void **state)
{
	struct world *w = world_new();
	struct err e = { 0 };
	int64_t end;

	put_lists(w);
	end = snapshot_authority(w->s, doc_id_of(ISSUING_CA))->not_after_ms;
	told_of_is(w, end + 1, false); /* an open one may be renewed */
	world_put(w, KIND_AUTHORITY, ISSUING_CA, CLOSING("closed"));
	told_of_is(w, WORLD_NOW, false);
	told_of_is(w, end - 1, false);
	told_of_is(w, end, true);
	assert_ok(responder_of(w, &e));
	for (size_t i = 0; i < w->facts_n; i++)
		w->facts[i].revoked = doc_id_eq(w->facts[i].authority, doc_id_of(ISSUING_CA));
	world_build(w);
	told_of_is(w, WORLD_NOW, true);
	assert_code(responder_of(w, &e), CHY_ISSUE_UNUSABLE);
	world_put(w, KIND_AUTHORITY, ISSUING_CA, CLOSING("active"));
	told_of_is(w, WORLD_NOW, false);
	world_free(w);
}

static void
closed_lists_are_over(void **state)
{
	struct world *w = world_new();

	put_lists(w);
	world_put(w, KIND_CRL_PROCEDURE, OWN_LIST, LIST_OF("Issuing CA", "") ",\"state\":\"closed\"}");
	world_put(w, KIND_CIL_PROCEDURE, ISSUED_LIST,
		  "{\"name\":\"CIL\",\"state\":\"closed\",\"authority\":\"Issuing CA\",\"served_as\":\"cil\","
		  "\"interval\":\"P1D\"}");
	assert_true(crl_is_over(snapshot_crl_procedure(w->s, doc_id_of(OWN_LIST)), WORLD_NOW));
	assert_true(cil_is_over(snapshot_cil_procedure(w->s, doc_id_of(ISSUED_LIST)), WORLD_NOW));
	assert_false(crl_is_over(snapshot_crl_procedure(w->s, doc_id_of(FOREIGN_LIST)), WORLD_NOW));
	world_free(w);
}

static const struct CMUnitTest tests[] = {
	CASE(nodes_answer_within_their_domain),
	CASE(every_combination),
	CASE(no_reason_is_left_out),
	CASE(renewed_when_a_third_is_left),
	CASE(settings_have_defaults),
	CASE(closed_ones_are_told_of_to_their_end),
	CASE(closed_lists_are_over),
};
TESTS_MAIN(tests)
