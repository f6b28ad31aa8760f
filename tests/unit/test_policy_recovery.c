/*
 * Who may take a key out of the archive: every rule with a case that it alone refuses.
 */
#include "policy_world.h"

#include "policy/recovery.h"

static struct world *w;

static int
setup(void **state)
{
	w = world_new();
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"dynamic-token\",\"roles\":[\"use-clients\","
		  "\"recover-key\"]}");
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

static struct bytes
name(const char *text)
{
	struct name n;

	assert_ok(name_from_text(w->a, bytes_str(text), &n, NULL));
	return n.der;
}

static struct recovery_facts
facts(const char *asked, const char *subject)
{
	return (struct recovery_facts){ .policy = w->s,
					.officer = snapshot_officer(w->s, officer_id_of(CLEO)),
					.asked = name(asked),
					.authority = snapshot_document(w->s, doc_id_of(ISSUING_CA)),
					.issuer = name("CN=Issuing CA,O=Example,C=SE"),
					.subject = name(subject) };
}

static void
is_refused(const struct recovery_facts *f, enum code code)
{
	struct err e = { 0 };

	assert_code(decide_recovery(w->a, f, &e), code);
}

static void
the_holder_is_all_that_is_filled_in(void **state)
{
	struct recovery_facts f = facts("CN=Erika", "CN=erika,O=Test");
	struct err e = { 0 };

	assert_ok(decide_recovery(w->a, &f, &e));
	f = facts("CN=Erika,O=Test", "CN=erika,O=Test");
	assert_ok(decide_recovery(w->a, &f, &e));
	f = facts("CN=Erika,O=Other", "CN=erika,O=Test");
	is_refused(&f, CHY_STORE_NOT_FOUND);
	f.asked = BYTES("\x30\x00"); /* nobody */
	is_refused(&f, CHY_STORE_NOT_FOUND);
}

static void
a_whole_subject_names_the_holder(void **state)
{
	struct recovery_facts f = facts("CN=Erika", "CN=Erika,O=Test");

	f.meant = name("cn=ERIKA,O=Test");
	assert_ok(decide_recovery(w->a, &f, NULL));
	f.asked = BYTES("\x30\x00"); /* it is enough */
	assert_ok(decide_recovery(w->a, &f, NULL));
	f.meant = name("CN=Erika");
	is_refused(&f, CHY_STORE_NOT_FOUND);
	f.meant = name("CN=Erika,O=Test");
	f.asked = name("CN=Anna"); /* both must hold */
	is_refused(&f, CHY_STORE_NOT_FOUND);
}

static void
of_several_holders_one_must_be_meant(void **state)
{
	const struct bytes subjects[] = { name("CN=Erika,O=Test"), name("CN=Erika,O=Test,serialNumber=2"),
					  name("CN=Erika,O=Test,serialNumber=3"),
					  name("CN=Erika,OU=A,O=Test"), name("CN=Erika,OU=B,O=Test") };
	struct err e = { 0 };
	struct bytes who;

	assert_ok(decide_holder(w->a, subjects, 1, name("CN=Erika"), &who, &e));
	assert_bytes(who, subjects[0]);
	assert_int_equal(decide_holder(w->a, subjects, 2, name("CN=Erika"), &who, &e), RC_CONFLICT);
	assert_int_equal(e.code, CHY_RECOVERY_AMBIGUOUS);
	assert_non_null(strstr(e.text, "\"CN=Erika,O=Test\", \"CN=Erika,O=Test,"));
	err_clear(&e);
	/* the one that is all that was filled in, in whatever order */
	assert_ok(decide_holder(w->a, subjects, 3, name("O=Test,CN=Erika"), &who, &e));
	assert_bytes(who, subjects[0]);
	assert_code(decide_holder(w->a, subjects + 1, 2, name("CN=Erika,O=Test"), &who, &e),
		    CHY_RECOVERY_AMBIGUOUS);
	assert_int_equal(decide_holder(w->a, subjects, 5, name("CN=Erika"), &who, &e), RC_CONFLICT);
	assert_non_null(strstr(e.text, " and 1 more"));
}

static void
what_is_not_seen_is_not_there(void **state)
{
	struct recovery_facts f = facts("CN=Erika", "CN=Erika");
	struct document hidden = { .id = doc_id_of(4711), .kind = KIND_TOKEN_PROCEDURE };

	f.authority = NULL;
	is_refused(&f, CHY_STORE_NOT_FOUND);
	/* the token procedure of another tenant, the authority shared */
	f = facts("CN=Erika", "CN=Erika");
	f.officer = snapshot_officer(w->s, officer_id_of(NORA));
	hidden.domain = doc_id_of(SOUTH);
	f.token_procedure = &hidden;
	is_refused(&f, CHY_STORE_NOT_FOUND);
}

static void
what_others_had_made_stays_theirs(void **state)
{
	struct recovery_facts f = facts("CN=Erika", "CN=Erika");
	struct document shared = { .id = doc_id_of(4711), .kind = KIND_TOKEN_PROCEDURE };

	f.officer = snapshot_officer(w->s, officer_id_of(NORA));
	f.token_procedure = &shared;
	is_refused(&f, CHY_DOMAIN_FOREIGN);
	f.asked_from = doc_id_of(SOUTH);
	is_refused(&f, CHY_DOMAIN_FOREIGN);
	f.asked_from = doc_id_of(NORTH);
	assert_ok(decide_recovery(w->a, &f, NULL));
}

static void
the_profile_sets_bounds(void **state)
{
	struct recovery_facts f;

	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"dynamic-token\",\"roles\":[\"use-clients\","
		  "\"recover-key\"],"
		  "\"issuer_constraints\":[{\"tests\":[{\"attribute\":\"CN\",\"test\":\"is\",\"value\":"
		  "\"Other CA\"}]}]}");
	f = facts("CN=Erika", "CN=Erika");
	is_refused(&f, CHY_ISSUER_CONSTRAINT);
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"dynamic-token\",\"roles\":[\"use-clients\","
		  "\"recover-key\"],"
		  "\"permitted_names\":[\"dir:O=Test\"]}");
	f = facts("CN=Erika", "CN=Erika,O=Other");
	is_refused(&f, CHY_OFFICER_NAMES);
}

#define EACH(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	EACH(the_holder_is_all_that_is_filled_in),  EACH(a_whole_subject_names_the_holder),
	EACH(of_several_holders_one_must_be_meant), EACH(what_is_not_seen_is_not_there),
	EACH(what_others_had_made_stays_theirs),    EACH(the_profile_sets_bounds),
};
TESTS_MAIN(tests)
