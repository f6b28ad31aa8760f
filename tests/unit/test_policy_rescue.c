/*
 * Rescue: every rule with what passes and what does not.
 */
#include "policy_world.h"

#include "policy/approval.h"
#include "policy/rescue.h"

static struct world *w;
static struct rescue doc;
static struct rescue_officer signers[RESCUE_SIGNERS], renewed[2];
static struct rescue_facts f;

static const uint8_t prints[] = {
	[ANNA - ANNA] = 0xaa, [BERT - ANNA] = 0xbb, [CLEO - ANNA] = 0xcc, [NORA - ANNA] = 0xdd
};

/* By the bound certificate, which ended a while ago. */
static struct rescue_officer
expired(int64_t id)
{
	struct rescue_officer x = { .officer = snapshot_officer(w->s, officer_id_of(id)),
				    .is_newest = true,
				    .signed_at_ms = WORLD_NOW - 1000 };
	struct name n;

	assert_ok(name_from_text(w->a, bytes_str(arena_printf(w->a, "CN=%lld", (long long)id)), &n, NULL));
	x.credential.subject = n.der;
	x.credential.not_before_ms = WORLD_NOW - 100000;
	x.credential.not_after_ms = WORLD_NOW - 50000;
	memset(x.credential.fingerprint, prints[id - ANNA], FINGERPRINT_LEN);
	return x;
}

static void
begin(void)
{
	doc = (struct rescue){ .instance = BYTES("here"), .prepared_at_ms = WORLD_NOW - 2000, .n = 2 };
	signers[0] = expired(ANNA);
	signers[1] = expired(BERT);
	renewed[0] = expired(ANNA);
	renewed[1] = expired(CLEO);
	f = (struct rescue_facts){ .policy = w->s,
				   .rescue = &doc,
				   .instance = "here",
				   .now_ms = WORLD_NOW,
				   .left = 1,
				   .signers = signers,
				   .signers_n = RESCUE_SIGNERS,
				   .renewed = renewed };
}

static int
setup(void **state)
{
	w = world_new();
	begin();
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

static void
refused(enum code code, const char *rule)
{
	struct err e = { 0 };

	if (decide_rescue(&f, &e) == RC_OK)
		fail_msg("passes, %s expected", code_name(code));
	if (e.code != code)
		fail_msg("%s, not %s: %s", code_name(e.code), code_name(code), e.text);
	assert_string_equal(e.rule, rule);
	begin();
}

static void
passes(void)
{
	struct err e = { 0 };

	if (decide_rescue(&f, &e) != RC_OK)
		fail_msg("%s %s: %s", code_name(e.code), e.rule, e.text);
	begin();
}

static void
two_expired_officers_are_enough(void **state)
{
	passes();
	f.left = 0;
	passes();
	signers[1].credential.not_after_ms = WORLD_NOW + 1; /* one of them is valid still, alone */
	passes();
	doc.n = 1;
	passes();
}

static void
only_while_no_pair_is_left(void **state)
{
	f.left = 2;
	refused(CHY_RESCUE_PAIR, "no-pair-left");
}

static void
of_this_installation_and_this_month(void **state)
{
	f.instance = "there";
	refused(CHY_RESCUE_DOCUMENT, "instance");
	doc.prepared_at_ms = WORLD_NOW + SIGNING_TIME_SLACK_MS + 1;
	refused(CHY_RESCUE_TIME, "in-time");
	f.now_ms = doc.prepared_at_ms + RESCUE_DAYS_MS;
	refused(CHY_RESCUE_TIME, "in-time");
	f.now_ms = doc.prepared_at_ms + RESCUE_DAYS_MS - 1;
	passes();
	signers[1].signed_at_ms = WORLD_NOW + SIGNING_TIME_SLACK_MS + 1;
	refused(CHY_RESCUE_TIME, "in-time");
	signers[0].signed_at_ms = doc.prepared_at_ms - SIGNING_TIME_SLACK_MS - 1;
	refused(CHY_RESCUE_TIME, "in-time");
}

static void
who_signs_is_all_but_expired(void **state)
{
	f.signers_n = 1;
	refused(CHY_RESCUE_SIGNERS, "signers");
	signers[0].officer = NULL;
	refused(CHY_OFFICER_UNKNOWN, "signers");
	signers[0].credential.state = CREDENTIAL_REVOKED;
	refused(CHY_OFFICER_CERTIFICATE_REVOKED, "signers");
	signers[0].credential.state = CREDENTIAL_HELD;
	refused(CHY_OFFICER_CERTIFICATE_HELD, "signers");
	signers[0].credential.archived = true;
	refused(CHY_OFFICER_KEY_ARCHIVED, "signers");
	signers[0].credential.key_usage = USAGE_KEY_ENCIPHERMENT;
	refused(CHY_OFFICER_CERTIFICATE_USAGE, "signers");
	signers[0].credential.not_before_ms = WORLD_NOW + 1;
	signers[0].credential.not_after_ms = WORLD_NOW + 2;
	refused(CHY_OFFICER_CERTIFICATE_EXPIRED, "signers");
	signers[0].is_newest = false;
	refused(CHY_RESCUE_OFFICER, "signers");
	memset(signers[0].credential.fingerprint, 1, FINGERPRINT_LEN);
	refused(CHY_OFFICER_OTHER_CERTIFICATE, "signers");
	signers[1] = expired(CLEO); /* without the role */
	refused(CHY_RESCUE_SIGNERS, "signers");
	signers[1] = expired(NORA); /* of a domain */
	refused(CHY_RESCUE_SIGNERS, "signers");
	signers[1] = expired(ANNA);
	refused(CHY_SAME_PERSON, "different-people");
	memset(signers[0].credential.key, 7, FINGERPRINT_LEN);
	memset(signers[1].credential.key, 7, FINGERPRINT_LEN);
	refused(CHY_SAME_PERSON, "different-people");
}

static void
who_is_renewed_is_nothing_but_expired(void **state)
{
	renewed[1].credential.not_after_ms = WORLD_NOW;
	refused(CHY_RESCUE_OFFICER, "expired-alone");
	renewed[1].credential.state = CREDENTIAL_REVOKED;
	refused(CHY_OFFICER_CERTIFICATE_REVOKED, "expired-alone");
	renewed[1].credential.state = CREDENTIAL_HELD;
	refused(CHY_OFFICER_CERTIFICATE_HELD, "expired-alone");
	renewed[1].is_newest = false;
	refused(CHY_RESCUE_OFFICER, "expired-alone");
	renewed[1].officer = NULL;
	refused(CHY_OFFICER_UNKNOWN, "expired-alone");
	renewed[1] = expired(ANNA);
	refused(CHY_RESCUE_OFFICER, "expired-alone");
	world_put(
	    w, KIND_OFFICER, CLEO,
	    "{\"name\":\"Cleo\",\"profile\":\"Clerk\",\"state\":\"closed\",\"certificate_sha256\":" PRINT(
		"cccccccc") "}");
	begin();
	refused(CHY_OFFICER_CLOSED, "expired-alone");
}

#define EACH(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}
static const struct CMUnitTest tests[] = {
	EACH(two_expired_officers_are_enough),       EACH(only_while_no_pair_is_left),
	EACH(of_this_installation_and_this_month),   EACH(who_signs_is_all_but_expired),
	EACH(who_is_renewed_is_nothing_but_expired),
};
TESTS_MAIN(tests)
