/* What OCSP tells of a certificate, for every combination of facts; when a responder's certificate is renewed. */
#include "test.h"

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

static const struct CMUnitTest tests[] = {
	CASE(every_combination),
	CASE(no_reason_is_left_out),
	CASE(renewed_when_a_third_is_left),
	CASE(settings_have_defaults),
};
TESTS_MAIN(tests)
