/*
 * Rights by role and domain, issuer constraints, durations, and an authority's own certificate.
 */
#include "policy_world.h"

static struct world *w;

static int
setup(void **state)
{
	w = world_new();
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

static const struct officer *
officer(int64_t id)
{
	return snapshot_officer(w->s, officer_id_of(id));
}

static void
logging_in_needs_a_bench(void **state)
{
	struct credential c = { .not_before_ms = 0, .not_after_ms = 10 };
	struct err e = { 0 };

	memset(c.fingerprint, 0xcc, sizeof(c.fingerprint));
	assert_ok(may_log_in(officer(CLEO), &c, 5, &e));
	assert_code(may_log_in(NULL, &c, 5, &e), CHY_OFFICER_UNKNOWN);
	assert_code(may_log_in(officer(CLEO), &c, 11, &e), CHY_OFFICER_CERTIFICATE_EXPIRED);
	c.state = CREDENTIAL_HELD;
	assert_code(may_log_in(officer(CLEO), &c, 5, &e), CHY_OFFICER_CERTIFICATE_HELD);
	c.state = CREDENTIAL_REVOKED;
	assert_code(may_log_in(officer(CLEO), &c, 5, &e), CHY_OFFICER_CERTIFICATE_REVOKED);
	c.state = CREDENTIAL_GOOD;
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"subject\",\"roles\":[\"issue-certificate\",\"audit-"
		  "tasks\"]}");
	assert_code(may_log_in(officer(CLEO), &c, 5, &e), CHY_ROLE_MISSING);
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"subject\",\"roles\":[\"use-awb\"]}");
	assert_ok(may_log_in(officer(CLEO), &c, 5, &e));
}

/* What lies with the key, not with the certificate's state. */
static void
a_key_that_is_no_word(void **state)
{
	struct credential c = { .not_before_ms = 0, .not_after_ms = 10 };
	struct err e = { 0 };

	memset(c.fingerprint, 0xcc, sizeof(c.fingerprint));
	c.key_usage = USAGE_KEY_ENCIPHERMENT | USAGE_KEY_AGREEMENT;
	assert_code(may_act(officer(CLEO), &c, 5, &e), CHY_OFFICER_CERTIFICATE_USAGE);
	c.key_usage |= USAGE_DIGITAL_SIGNATURE;
	assert_ok(may_act(officer(CLEO), &c, 5, &e));
	c.key_usage = USAGE_CONTENT_COMMITMENT;
	assert_ok(may_act(officer(CLEO), &c, 5, &e));
	c.archived = true;
	assert_code(may_act(officer(CLEO), &c, 5, &e), CHY_OFFICER_KEY_ARCHIVED);
	c.archived = false;
	c.by_token = true; /* another certificate of the token, while the one that binds is not good */
	c.bound = CREDENTIAL_HELD;
	assert_code(may_act(officer(CLEO), &c, 5, &e), CHY_OFFICER_CERTIFICATE_HELD);
	c.bound = CREDENTIAL_REVOKED;
	assert_code(may_act(officer(CLEO), &c, 5, &e), CHY_OFFICER_CERTIFICATE_REVOKED);
	c.bound_superseded = true;
	assert_ok(may_act(officer(CLEO), &c, 5, &e));
}

static void
what_a_bound_certificate_stops(void **state)
{
	for (int entity = ENTITY_SUBJECT; entity <= ENTITY_STATIC_TOKEN; entity++)
		for (int s = CREDENTIAL_GOOD; s <= CREDENTIAL_REVOKED; s++)
			for (int superseded = 0; superseded <= 1; superseded++) {
				bool expected = s != CREDENTIAL_GOOD && entity != ENTITY_SUBJECT;

				if (entity == ENTITY_DYNAMIC_TOKEN && s == CREDENTIAL_REVOKED && superseded)
					expected = false;
				assert_int_equal(bound_certificate_stops((enum entity_type)entity,
									 (enum credential_state)s,
									 superseded),
						 expected);
			}
}

/* The key of two tokens is nobody's further certificate, one that the archive has binds nobody; static stays static. */
static void
whose_token_a_key_is_in(void **state)
{
	uint8_t key[FINGERPRINT_LEN], other[FINGERPRINT_LEN];

	memset(key, 0x11, sizeof(key));
	memset(other, 0x22, sizeof(other));
	world_put(
	    w, KIND_OFFICER, CLEO,
	    "{\"name\":\"Cleo\",\"profile\":\"Clerk\",\"certificate_sha256\":" PRINT(
		"cccccccc") ",\"keys\":[" PRINT("11111111") "],\"archived_keys\":[" PRINT("22222222") "]}");
	assert_ptr_equal(snapshot_officer_by_token(w->s, key), officer(CLEO));
	assert_null(snapshot_officer_by_token(w->s, other));
	assert_null(snapshot_static_officer(w->s, key));
	world_put(w, KIND_OFFICER, CLEO + 900,
		  "{\"name\":\"Double\",\"profile\":\"Clerk\",\"certificate_sha256\":" PRINT(
		      "eeeeeeee") ",\"keys\":[" PRINT("11111111") "]}");
	assert_null(snapshot_officer_by_token(w->s, key));
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"static-token\",\"roles\":[\"use-awb\"]}");
	assert_non_null(snapshot_static_officer(w->s, key));
	assert_ptr_equal(snapshot_static_officer(w->s, other), officer(CLEO)); /* archived keys count here */
}

/* Every officer's domain against where a procedure lies and who had the certificate made by it. */
static void
certificates_lie_where_they_were_made(void **state)
{
	static const struct {
		int64_t home, procedure, asked_from;
		bool changes;
	} rows[] = {
		{ 0, 0, 0, true },
		{ 0, SOUTH, NORTH, true },
		{ NORTH, 0, 0, false }, /* Root's, by a procedure that all may use */
		{ NORTH, 0, NORTH, true },
		{ NORTH, 0, NORTH_CITY, true },
		{ NORTH, 0, SOUTH, false },
		{ NORTH_CITY, 0, NORTH, false },
		{ NORTH_CITY, NORTH, NORTH, false },
		{ NORTH_CITY, NORTH, 0, false },
		{ NORTH_CITY, NORTH, NORTH_CITY, true },
		{ NORTH, NORTH, 0, true }, /* asked by an officer above: it lies where the procedure does */
		{ NORTH, NORTH, NORTH_CITY, true },
		{ NORTH, NORTH_CITY, NORTH, true },
		{ SOUTH, NORTH, 0, false },
		{ SOUTH, NORTH, SOUTH, false }, /* who could not use it: an officer who has moved since */
		{ NORTH, NORTH, SOUTH, true },
	};
	struct document procedure = { .kind = KIND_TOKEN_PROCEDURE }, authority = { .kind = KIND_AUTHORITY };
	struct officer o = { .name = BYTES("Otto") };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		o.domain = doc_id_of(rows[i].home);
		for (int by_authority = 0; by_authority < 2; by_authority++) {
			enum rc rc;

			procedure.domain = authority.domain = doc_id_of(rows[i].procedure);
			if (!by_authority)
				authority.domain = doc_id_of(NORTH_CITY); /* does not count */
			rc = may_change_certificate(w->s, &o, &authority, by_authority ? NULL : &procedure,
						    doc_id_of(rows[i].asked_from), &e);
			if ((rc == RC_OK) != rows[i].changes || (rc != RC_OK && e.code != CHY_DOMAIN_FOREIGN))
				fail_msg("row %zu: %s", i, e.text);
			err_clear(&e);
		}
	}
}

/* Every officer's domain against every place of a document. */
static void
domains_decide_what_is_seen_and_changed(void **state)
{
	static const struct {
		int64_t home, place;
		bool visible, sees, changes;
	} rows[] = {
		{ 0, 0, false, true, true },
		{ 0, NORTH, false, true, true },
		{ 0, NORTH_CITY, false, true, true },
		{ NORTH, 0, false, true, false }, /* Root's is used from everywhere, changed by Root only */
		{ NORTH, NORTH, false, true, true },
		{ NORTH, NORTH_CITY, false, true, true },
		{ NORTH, SOUTH, false, false, false },
		{ NORTH, SOUTH, true, false, false },
		{ NORTH_CITY, NORTH, false, false, false },
		{ NORTH_CITY, NORTH, true, true, false },
		{ NORTH_CITY, 0, false, true, false },
		{ SOUTH, NORTH_CITY, true, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct officer o = *officer(ANNA);
		struct document d = { .id = doc_id_of(1),
				      .kind = KIND_FORMAT,
				      .domain = doc_id_of(rows[i].place),
				      .visible = rows[i].visible };
		struct err e = { 0 };

		o.domain = doc_id_of(rows[i].home);
		if (rows[i].sees)
			assert_ok(may_read(w->s, &o, &d, &e));
		else
			assert_code(may_read(w->s, &o, &d, &e), CHY_DOMAIN_HIDDEN);
		if (rows[i].changes)
			assert_ok(may_change(w->s, &o, KIND_FORMAT, d.domain, &e));
		else
			assert_code(may_change(w->s, &o, KIND_FORMAT, d.domain, &e), CHY_DOMAIN_FOREIGN);
	}
}

static void
clerks_see_what_registration_uses(void **state)
{
	static const struct {
		int64_t id;
		bool sees;
	} rows[] = { { TOKEN, true },       { ISSUING_CA, true }, { NORTH, true },
		     { FORMAT_TLS, false }, { ANNA, false },      { PROC_NONE, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct document *d = snapshot_document(w->s, doc_id_of(rows[i].id));
		struct err e = { 0 };

		assert_ok(may_read(w->s, officer(ANNA), d, &e));
		if (rows[i].sees)
			assert_ok(may_read(w->s, officer(CLEO), d, &e));
		else
			assert_code(may_read(w->s, officer(CLEO), d, &e), CHY_ROLE_MISSING);
	}
}

/* The way from Root to one's own domain has names, whatever else is hidden there. */
static void
the_path_to_ones_domain_is_seen(void **state)
{
	struct officer o = *officer(ANNA);
	struct err e = { 0 };

	o.domain = doc_id_of(NORTH_CITY);
	assert_ok(may_read(w->s, &o, snapshot_document(w->s, doc_id_of(NORTH)), &e));
	assert_ok(may_read(w->s, &o, snapshot_document(w->s, doc_id_of(NORTH_CITY)), &e));
	world_put(w, KIND_DOMAIN, 109, "{\"name\":\"Suburb\",\"parent\":\"South\"}");
	assert_code(may_read(w->s, &o, snapshot_document(w->s, doc_id_of(109)), &e), CHY_DOMAIN_HIDDEN);
}

static void
issuing_needs_both_roles(void **state)
{
	const struct document *t = snapshot_document(w->s, doc_id_of(TOKEN));
	struct officer o = *officer(CLEO);
	struct err e = { 0 };

	assert_ok(may_issue(w->s, &o, t, &e));
	o.roles = ROLES(ROLE_USE_CLIENTS);
	assert_code(may_issue(w->s, &o, t, &e), CHY_ROLE_MISSING);
	o.roles = ROLES(ROLE_ISSUE_CERTIFICATE);
	assert_code(may_issue(w->s, &o, t, &e), CHY_ROLE_MISSING);
}

/* ---- issuer constraints: the worked example ---- */

static enum rc
by_issuer(const char *subject, struct err *e)
{
	struct name n;

	assert_ok(name_from_text(w->a, bytes_str(subject), &n, NULL));
	return may_issue_by(w->a, officer(CLEO), n.der, e);
}

#define TEST(attr, test, value) "{\"attribute\":\"" attr "\",\"test\":\"" test "\",\"value\":\"" value "\"}"

static void
the_worked_example(void **state)
{
	struct err e = { 0 };

	assert_ok(by_issuer("CN=anything", &e)); /* no rules, no constraint */
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"subject\",\"roles\":[\"use-clients\"],\"issuer_"
		  "constraints\":["
		  "{\"tests\":[" TEST("C", "is", "DE") "," TEST("O", "is", "Org1") "," TEST(
		      "OU", "is",
		      "QC Root CA") "]},"
				    "{\"tests\":[" TEST("C", "is", "DE") "," TEST("O", "is", "Org2") "," TEST(
					"L", "is-not",
					"A") "," TEST("L", "is-not",
						      "B") "]},"
							   "{\"tests\":[" TEST("C", "is", "SE") "," TEST(
							       "O", "is", "Nexus") "]}]}");
	assert_ok(by_issuer("OU=CA4,O=Org2,C=DE", &e)); /* rule 2: an absent L is neither A nor B */
	assert_code(by_issuer("OU=QC Root CA,O=Org1,C=SE", &e), CHY_ISSUER_CONSTRAINT);
	assert_ok(by_issuer("OU=QC Root CA,O=Org1,C=DE", &e));
	assert_ok(by_issuer("O=Org2,L=C,C=DE", &e));
	assert_code(by_issuer("O=Org2,L=A,C=DE", &e), CHY_ISSUER_CONSTRAINT);
	assert_code(by_issuer("O=Org2,L=C+L=B,C=DE", &e), CHY_ISSUER_CONSTRAINT);
	assert_ok(by_issuer("CN=x,O=Nexus,C=SE", &e));
	assert_code(by_issuer("CN=x", &e), CHY_ISSUER_CONSTRAINT);
}

/* ---- durations ---- */

static void
durations_are_read_strictly(void **state)
{
	static const char *const good[] = { "P1Y",  "P2Y6M", "P90D",    "P4W",
					    "PT8H", "PT30M", "P1DT12H", "P1Y2M3W4DT5H6M7S",
					    "PT0S", "P100Y" };
	static const char *const bad[] = {
		"",       "P",     "PT",    "1Y",   "P1",    "PY",         "P1YT",
		"P1M1Y",  "P1Y1Y", "P-1Y",  "+P1Y", "P1.5Y", "P1H",        "PT1D",
		"PT1S1M", "p1y",   "P1Y ",  " P1Y", "P101Y", "P12345678D", "P99999999999999999999Y",
		"PT1H2",  "PP1Y",  "PTT1H", "P1D1W"
	};
	struct duration d;
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (duration_parse(bytes_str(good[i]), &d, NULL) != RC_OK)
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (duration_parse(bytes_str(bad[i]), &d, NULL) == RC_OK)
			fail_msg("%s passes", bad[i]);
	assert_code(duration_parse(BYTES("x"), &d, &e), CHY_FIELD_DURATION);
}

static void
durations_are_calendar_time(void **state)
{
	static const struct {
		const char *from, *span, *to, *back;
	} rows[] = {
		{ "2026-11-21T12:00:00Z", "P1Y", "2027-11-21T12:00:00Z", "2025-11-21T12:00:00Z" },
		{ "2027-01-31T00:00:00Z", "P1M", "2027-02-28T00:00:00Z", "2026-12-31T00:00:00Z" },
		{ "2028-01-31T00:00:00Z", "P1M", "2028-02-29T00:00:00Z", "2027-12-31T00:00:00Z" },
		{ "2028-02-29T00:00:00Z", "P1Y", "2029-02-28T00:00:00Z", "2027-02-28T00:00:00Z" },
		{ "2026-11-21T12:00:00Z", "P4W", "2026-12-19T12:00:00Z", "2026-10-24T12:00:00Z" },
		{ "2026-12-31T23:59:59Z", "PT1S", "2027-01-01T00:00:00Z", "2026-12-31T23:59:58Z" },
		{ "2026-11-21T12:00:00Z", "P1Y2M3DT4H5M6S", "2028-01-24T16:05:06Z", "2025-09-18T07:54:54Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t from, to, back;
		struct duration d;

		assert_ok(time_parse(bytes_str(rows[i].from), &from, NULL));
		assert_ok(time_parse(bytes_str(rows[i].to), &to, NULL));
		assert_ok(time_parse(bytes_str(rows[i].back), &back, NULL));
		assert_ok(duration_parse(bytes_str(rows[i].span), &d, NULL));
		assert_int_equal(duration_add(from, d), to);
		assert_int_equal(duration_sub(from, d), back);
	}
}

/* ---- authorities ---- */

static struct authority_decision found;

static void
founding_refused(int64_t id, const char *key, enum code code, const char *rule)
{
	struct err e = { 0 };

	if (world_decide_authority(w, id, key, &found, &e) == RC_OK)
		fail_msg("passes, %s expected", code_name(code));
	if (e.code != code)
		fail_msg("%s, not %s: %s", code_name(e.code), code_name(code), e.text);
	assert_string_equal(found.trace.v[found.trace.n - 1].rule, rule);
}

static void
a_root_and_a_subordinate(void **state)
{
	const struct authority *root = snapshot_authority(w->s, doc_id_of(ROOT_CA)),
			       *sub = snapshot_authority(w->s, doc_id_of(ISSUING_CA));
	struct basic_constraints basic;
	uint32_t usage;
	struct cert c;

	assert_ok(cert_parse(w->a, sub->certificate, &c, NULL));
	assert_true(cert_is_ca(&c));
	assert_true(name_eq(c.issuer, root->subject_in_force));
	assert_bytes(cert_authority_key_id(w->a, &c), root->key_id);
	assert_ok(ext_basic(exts_find(&c.exts, OID_CE_BASIC_CONSTRAINTS)->value, &basic, NULL));
	assert_int_equal(basic.path_len, 0);
	assert_ok(ext_key_usage(exts_find(&c.exts, OID_CE_KEY_USAGE)->value, &usage, NULL));
	assert_int_equal(usage, USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN);
	assert_int_equal(c.sigalg, SIGALG_ECDSA_SHA384); /* the issuer's */
	assert_int_equal(sub->path_len, 0);
	assert_int_equal(root->path_len, -1);
	assert_ok(cert_parse(w->a, root->certificate, &c, NULL));
	assert_true(cert_is_self_issued(&c));
	assert_null(exts_find(&c.exts, OID_CE_AUTHORITY_KEY_ID));
}

#define SUB(name, rest) \
	"{\"name\":\"" name \
	"\",\"type\":\"subordinate\",\"ca_key\":402,\"format\":601,\"subject\":\"CN=" name "\"," rest "}"

static void
authorities_are_refused(void **state)
{
	founding_refused(4711, "p-256", CHY_REF_NOTHING, "authority");
	founding_refused(ISSUING_CA, "p-384", CHY_ISSUE_KEY_ALGORITHM, "key");
	world_put(w, KIND_AUTHORITY, 510, SUB("Late", "\"issuing_authority\":501,\"validity\":\"P21Y\""));
	founding_refused(510, "p-256", CHY_VALIDITY_AUTHORITY, "validity");
	world_put(
	    w, KIND_AUTHORITY, 511,
	    SUB("Early",
		"\"issuing_authority\":501,\"not_before\":\"2020-01-01T00:00:00Z\",\"validity\":\"P8Y\""));
	founding_refused(511, "p-256", CHY_VALIDITY_AUTHORITY, "validity");
	world_put(
	    w, KIND_AUTHORITY, 512,
	    SUB("Past",
		"\"issuing_authority\":501,\"not_before\":\"2020-01-01T00:00:00Z\",\"validity\":\"P1Y\""));
	founding_refused(512, "p-256", CHY_VALIDITY_ORDER, "validity");
	world_put(w, KIND_AUTHORITY, 513, SUB("Below", "\"issuing_authority\":510,\"validity\":\"P1Y\""));
	founding_refused(513, "p-256", CHY_ISSUE_AUTHORITY_NOT_READY, "issuing-authority");
	world_force(w, KIND_AUTHORITY, 514, SUB("Deep", "\"issuing_authority\":502,\"validity\":\"P1Y\""));
	founding_refused(514, "p-256", CHY_AUTHORITY_PATH_LENGTH, "path-length");
	world_put(w, KIND_AUTHORITY, 510,
		  SUB("Late", "\"issuing_authority\":501,\"validity\":\"P1Y\",\"state\":\"closed\""));
	founding_refused(510, "p-256", CHY_ISSUE_AUTHORITY_CLOSED, "authority");
	founding_refused(513, "p-256", CHY_ISSUE_AUTHORITY_CLOSED, "issuing-authority");
	world_force(w, KIND_AUTHORITY, 515,
		    "{\"name\":\"Twin\",\"type\":\"subordinate\",\"ca_key\":402,\"format\":601,\"issuing_"
		    "authority\":501,"
		    "\"validity\":\"P1Y\",\"subject\":\"CN=root ca,O=Example,C=SE\"}");
	founding_refused(515, "p-256", CHY_SUBJECT_VALUE, "subject");
}

static void
validity_to_the_minute(void **state)
{
	struct err e = { 0 };
	int64_t from, to;
	struct cert c;

	world_put(w, KIND_AUTHORITY, 516,
		  SUB("Exact",
		      "\"issuing_authority\":501,\"not_before\":\"2026-12-01T08:15:00Z\",\"not_after\":"
		      "\"2030-06-30T17:45:00Z\""));
	assert_ok(world_decide_authority(w, 516, "p-256", &found, &e));
	assert_ok(time_parse(BYTES("2026-12-01T08:15:00Z"), &from, &e));
	assert_ok(time_parse(BYTES("2030-06-30T17:45:00Z"), &to, &e));
	assert_ok(cert_parse_tbs(w->a, found.tbs, &c, &e));
	assert_int_equal(c.not_before_at, from);
	assert_int_equal(c.not_after_at, to);
}

#define EACH(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}
#define EACH_ROWS(fn, ids) \
	{ \
#fn " rows=" ids, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	EACH_ROWS(logging_in_needs_a_bench, "CM-O-30 CM-O-31"),
	EACH(a_key_that_is_no_word),
	EACH(what_a_bound_certificate_stops),
	EACH(whose_token_a_key_is_in),
	EACH_ROWS(certificates_lie_where_they_were_made, "CM-O-13"),
	EACH_ROWS(domains_decide_what_is_seen_and_changed, "CM-O-12 CM-O-13 CM-O-14"),
	EACH_ROWS(clerks_see_what_registration_uses, "CM-O-08"),
	EACH(the_path_to_ones_domain_is_seen),
	EACH_ROWS(issuing_needs_both_roles, "CM-O-08"),
	EACH_ROWS(the_worked_example, "CM-O-09 CM-O-10"),
	EACH(durations_are_read_strictly),
	EACH(durations_are_calendar_time),
	EACH_ROWS(a_root_and_a_subordinate, "CM-A-02"),
	EACH(authorities_are_refused),
	EACH_ROWS(validity_to_the_minute, "CM-A-03"),
};

TESTS_MAIN(tests)
