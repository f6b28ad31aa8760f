/*
 * Who a certificate could be taken for: officers' subjects are the officers', and what the system's authority issues is neither
 * the journal's nor a server's.
 */
#include "policy_world.h"

static struct world *w;
static struct issue_decision d;

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

#define GOOD .subject = "CN=www.example.org,O=Example", .san = { "dns:www.example.org" }
static const struct wish good = { GOOD };

static struct asking *
ask(const struct wish *x)
{
	return world_ask(w, "Server", x);
}

static enum rc
decide(const struct asking *q, struct err *e)
{
	return decide_issue(w->a, &q->facts, &d, e);
}

static void
passes(const struct asking *q)
{
	struct err e = { 0 };

	if (decide(q, &e) != RC_OK)
		fail_msg("refused: %s %s %s", code_name(e.code), e.field, e.text);
}

/* Refused with this code and field, by the rule of this name, which ends the trace. */
static void
refused(const struct asking *q, enum code code, const char *rule, const char *field)
{
	struct err e = { 0 };

	if (decide(q, &e) == RC_OK)
		fail_msg("not refused: %s expected", code_name(code));
	if (e.code != code)
		fail_msg("%s instead of %s: %s", code_name(e.code), code_name(code), e.text);
	if (field != NULL)
		assert_string_equal(e.field, field);
	assert_string_equal(e.rule, rule);
	assert_true(d.trace.n > 0);
	assert_string_equal(d.trace.v[d.trace.n - 1].rule, rule);
	assert_false(d.trace.v[d.trace.n - 1].passed);
	for (size_t i = 0; i + 1 < d.trace.n; i++)
		assert_true(d.trace.v[i].passed);
}

static void
clerk(int64_t id, const char *name, const char *print, const char *more)
{
	world_put(w, KIND_OFFICER, id,
		  arena_printf(w->a, "{\"name\":\"%s\",\"profile\":\"Clerk\",\"certificate_sha256\":%s%s}",
			       name, print, more));
}

#define CLERKS(entity) \
	"{\"name\":\"Clerk\",\"entity_type\":\"" entity \
	"\",\"roles\":[\"use-clients\",\"issue-certificate\"]}"
#define BOUND ",\"subject\":\"cn=WWW.example.org,O=Example,C=SE\",\"certificate_procedure\":702"

/* Else whoever may issue, one officer or a session of one, could be that officer, too. */
static void
an_officers_subject_is_the_officers(void **state)
{
	const char *dirk = PRINT("eeeeeeee"), *cleo = PRINT("cccccccc");
	const int64_t token = TOKEN;
	struct session_facts s = { .id = session_id_of(5),
				   .token_procedures = &token,
				   .token_procedures_n = 1,
				   .certificates_max = 10,
				   .expires_at_ms = WORLD_NOW + 1 };
	struct asking *q;

	passes(ask(&good));
	assert_int_equal(d.stands_for.v, 0);
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK, CLERKS("subject"));
	clerk(DIRK, "Dirk", dirk, BOUND);
	refused(ask(&good), CHY_ISSUE_OFFICER_SUBJECT, "officer-subject", "subject");
	q = ask(&good);
	q->request.officer = officer_id_of(DIRK);
	passes(q);
	assert_int_equal(d.stands_for.v, DIRK);
	q->request.word = WORD_SESSION; /* nobody's own signature asks for this very certificate */
	q->request.session = s.id;
	q->facts.session = &s;
	refused(q, CHY_ISSUE_OFFICER_SUBJECT, "officer-subject", "subject");

	/* another procedure, another subject, closed, another entity type: nobody's */
	clerk(DIRK, "Dirk", dirk,
	      ",\"subject\":\"CN=www.example.org,O=Example,C=SE\",\"certificate_procedure\":701");
	passes(ask(&good));
	clerk(DIRK, "Dirk", dirk, ",\"subject\":\"CN=www.example.org,C=SE\",\"certificate_procedure\":702");
	passes(ask(&good));
	clerk(DIRK, "Dirk", dirk, BOUND ",\"state\":\"closed\"");
	passes(ask(&good));
	assert_int_equal(d.stands_for.v, 0);
	clerk(DIRK, "Dirk", dirk, BOUND);
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK, CLERKS("static-token"));
	passes(ask(&good));

	/* of two in one profile that was another's before, each asks for itself */
	clerk(CLEO, "Cleo", cleo, BOUND);
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK, CLERKS("subject"));
	passes(ask(&good));
	assert_int_equal(d.stands_for.v, CLEO);
}

/* A refusal names an officer to who may know of that one, and to nobody else. */
static void
no_foreign_officer_is_named(void **state)
{
	static const struct {
		int64_t home, of; /* of who asks, of who is bound */
		bool named;
	} rows[] = { { 0, SOUTH, true },           { SOUTH, SOUTH, true },  { NORTH, NORTH_CITY, true },
		     { NORTH_CITY, NORTH, false }, { NORTH, SOUTH, false }, { NORTH, 0, true } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *in = rows[i].of ? arena_printf(w->a, ",\"domain\":%lld", (long long)rows[i].of)
					    : "";
		struct err e = { 0 };

		world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK, CLERKS("subject"));
		clerk(DIRK, "Dirk", PRINT("eeeeeeee"), arena_printf(w->a, "%s%s", BOUND, in));
		clerk(CLEO, "Cleo", PRINT("cccccccc"),
		      rows[i].home ? arena_printf(w->a, ",\"domain\":%lld", (long long)rows[i].home) : "");
		assert_int_equal(decide(ask(&good), &e), RC_DENIED);
		assert_int_equal(e.code, CHY_ISSUE_OFFICER_SUBJECT);
		if ((strstr(e.text, "Dirk") != NULL) != rows[i].named)
			fail_msg("%zu: %s", i, e.text);
	}
	clerk(CLEO, "Cleo", PRINT("cccccccc"), "");
}

/* Which officer has a certificate is told to who may know of that officer. */
static void
nor_who_has_a_certificate(void **state)
{
	static const struct {
		int64_t who;
		bool named;
	} rows[] = { { 0, true }, { ANNA, true }, { NORA, false } };

	world_put(w, KIND_OFFICER, DIRK,
		  "{\"name\":\"Dirk\",\"profile\":201,\"domain\":102,\"certificate_sha256\":" PRINT(
		      "eeeeeeee") "}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct document_check c = { .kind = kind_of(KIND_OFFICER),
					    .policy = w->s,
					    .who = snapshot_officer(w->s, officer_id_of(rows[i].who)) };
		struct err e = { 0 };
		struct json *normal;

		const char *body = "{\"name\":\"N\",\"profile\":201,\"certificate_sha256\":" PRINT(
		    "eeeeeeee") "}";

		assert_int_equal(document_check(w->a, &c, world_json(w, body), &normal, &e), RC_CONFLICT);
		assert_int_equal(e.code, CHY_CERTIFICATE_BOUND);
		if ((strstr(e.text, "Dirk") != NULL) != rows[i].named)
			fail_msg("%zu: %s", i, e.text);
	}
}

/* Without the right to issue an officer gets the bound certificate once more, and nothing else. */
static void
what_is_renewed_is_the_officers_own(void **state)
{
	const char *dirk = PRINT("eeeeeeee");
	const struct wish other_name = { .subject = "CN=other.example.org,O=Example",
					 .san = { "dns:other.example.org" } };
	struct gname bound[2] = { 0 };
	struct err e = { 0 };
	struct asking *q;

	assert_ok(gname_from_text(w->a, BYTES("dns:www.example.org"), GN_NAME, &bound[0], &e));
	assert_ok(gname_from_text(w->a, BYTES("dns:www2.example.org"), GN_NAME, &bound[1], &e));
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"subject\",\"roles\":[\"use-awb\"],"
		  "\"excluded_names\":[\"dns:example.org\"]}");
	clerk(DIRK, "Dirk", dirk, BOUND);
	q = ask(&good);
	q->request.officer = officer_id_of(DIRK);
	refused(q, CHY_ROLE_MISSING, "officer", NULL);
	q->request.renewal = true;
	q->request.bound_san = (struct gnames){ 1, bound };
	passes(q);
	assert_int_equal(d.stands_for.v, DIRK);
	q->request.bound_san = (struct gnames){ 2, bound };
	refused(q, CHY_ISSUE_RENEWAL, "officer-subject", "csr.subject_alternative_names");
	q->request.bound_san = (struct gnames){ 1, bound + 1 };
	refused(q, CHY_ISSUE_RENEWAL, "officer-subject", "csr.subject_alternative_names");
	q = ask(&other_name);
	q->request.officer = officer_id_of(DIRK);
	q->request.renewal = true;
	refused(q, CHY_ISSUE_RENEWAL, "officer-subject", "subject");
	clerk(DIRK, "Dirk", dirk,
	      ",\"subject\":\"CN=www.example.org,O=Example,C=SE\",\"certificate_procedure\":701");
	q = ask(&good);
	q->request.officer = officer_id_of(DIRK);
	q->request.renewal = true;
	refused(q, CHY_ISSUE_RENEWAL, "officer-subject", "certificate_procedure");
	/* bound to a token: by a key of it; the one of another is somebody else's */
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK, CLERKS("dynamic-token"));
	clerk(DIRK, "Dirk", dirk, BOUND ",\"keys\":[" PRINT("11111111") "]");
	q = ask(&good);
	q->request.officer = officer_id_of(DIRK);
	q->request.renewal = true;
	q->request.bound_san = (struct gnames){ 1, bound };
	refused(q, CHY_ISSUE_RENEWAL, "officer-subject", "csr.key");
	clerk(DIRK, "Dirk", dirk, BOUND ",\"state\":\"closed\"");
	q = ask(&good);
	q->request.officer = officer_id_of(DIRK);
	q->request.renewal = true;
	refused(q, CHY_OFFICER_CLOSED, "officer", NULL);
}

/* As a document that a check let pass before this was a rule; a key gets its label by the ceremony only. */
static void
system_procedure(const char *extended, const char *more)
{
	world_force(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		    arena_printf(w->a,
				 "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P90D\","
				 "\"state\":\"active\",\"extended_key_usage\":[%s]%s}",
				 extended, more));
	((struct authority *)(uintptr_t)snapshot_authority(w->s, doc_id_of(ISSUING_CA)))->boot = true;
}

static void
extended_format(const char *source)
{
	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  arena_printf(w->a,
			       "{\"name\":\"TLS\",\"unknown_subject\":\"keep\",\"unknown_san\":\"drop\","
			       "\"extended_key_usage\":\"%s\"}",
			       source));
}

#define CLIENT "\"1.3.6.1.5.5.7.3.2\""
#define SERVER "\"1.3.6.1.5.5.7.3.1\""

static void
the_journals_name_is_nobody_elses(void **state)
{
	static const struct wish taken = { .subject = "CN=jOURNAL,O=Example",
					   .san = { "dns:www.example.org" } };

	passes(ask(&taken));
	system_procedure(CLIENT, "");
	refused(ask(&taken), CHY_ISSUE_JOURNAL_NAME, "name-constraints", "subject.CN");
	passes(ask(&good));
}

/* The command line knows the server by the system authority and its name; officers come from there, too. */
static void
the_systems_authority_is_for_root_and_no_servers(void **state)
{
	static const struct {
		const char *extended;
		bool server;
	} c[] = {
		{ CLIENT, false },
		{ CLIENT ",\"1.3.6.1.5.5.7.3.4\"", false },
		{ "", true },
		{ SERVER, true },
		{ CLIENT "," SERVER, true },
		{ "\"2.5.29.37.0\"", true },
		{ "\"1.3.6.1.4.1.311.10.3.3\"", true },
		{ "\"2.16.840.1.113730.4.1\"", true },
	};
	static const struct wish client = { GOOD, .eku = { "1.3.6.1.5.5.7.3.2" } };

	for (int by_request = 0; by_request < 2; by_request++) {
		extended_format(by_request ? "request" : "procedure");
		for (size_t i = 0; i < ARRAY_LEN(c); i++) {
			system_procedure(c[i].extended, "");
			if (c[i].server)
				refused(ask(&good), CHY_SYSTEM_AUTHORITY_SERVER, "extended-key-usage",
					"csr.extended_key_usage");
			else
				passes(ask(&good));
		}
	}
	/* what is asked of several counts, where the format asks the request */
	system_procedure(CLIENT "," SERVER, "");
	passes(ask(&client));
	extended_format("procedure");
	system_procedure(CLIENT "," SERVER, "");
	refused(ask(&client), CHY_SYSTEM_AUTHORITY_SERVER, "extended-key-usage", NULL);
	extended_format("none");
	system_procedure(CLIENT, "");
	refused(ask(&client), CHY_SYSTEM_AUTHORITY_SERVER, "extended-key-usage", NULL);

	extended_format("procedure");
	system_procedure(CLIENT, ",\"domain\":101,\"visible_in_subdomain\":true");
	refused(ask(&good), CHY_SYSTEM_AUTHORITY_DOMAIN, "system-authority", "certificate_procedure");
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
	EACH_ROWS(an_officers_subject_is_the_officers, "CM-O-04"),
	EACH_ROWS(no_foreign_officer_is_named, "CM-O-12"),
	EACH_ROWS(nor_who_has_a_certificate, "CM-O-12"),
	EACH(what_is_renewed_is_the_officers_own),
	EACH(the_journals_name_is_nobody_elses),
	EACH(the_systems_authority_is_for_root_and_no_servers),
};
TESTS_MAIN(tests)
