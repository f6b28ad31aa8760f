/*
 * Who may sign: every rule of the approval with what passes and what does not, and who counts as two people.
 */
#include "policy_world.h"

static struct world *w;
static struct request request;
static struct signature_facts f;
static struct signature_decision d;
static struct signatory before[2];

/* DER of a Name. */
static struct bytes
subject(const char *text)
{
	struct name n;

	assert_ok(name_from_text(w->a, bytes_str(text), &n, NULL));
	return n.der;
}

static struct signatory
signer(int64_t officer, uint8_t print, const char *cn)
{
	struct signatory s = { .officer = officer_id_of(officer), .signed_at_ms = WORLD_NOW };

	memset(s.credential.fingerprint, print, FINGERPRINT_LEN);
	s.credential.subject = subject(cn);
	s.credential.not_before_ms = WORLD_NOW - 1000;
	s.credential.not_after_ms = WORLD_NOW + 1000;
	return s;
}

/* The least body of each kind, in normal form but for defaults. */
static const struct officers_gone nobody;

static const char *const least[] = {
	[KIND_DOMAIN] = "",
	[KIND_OFFICER_PROFILE] = ",\"entity_type\":\"subject\"",
	[KIND_OFFICER] = ",\"profile\":201,\"certificate_sha256\":" PRINT("12341234"),
	[KIND_CA_KEY] = ",\"algorithm\":\"p-256\"",
	[KIND_AUTHORITY] =
	    ",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=x\",\"format\":601,\"validity\":\"P1Y\"",
	[KIND_FORMAT] = "",
	[KIND_CERTIFICATE_PROCEDURE] = ",\"authority\":502,\"format\":602,\"validity\":\"P1Y\"",
	[KIND_TOKEN_PROCEDURE] = ",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[702]",
	[KIND_KEY_PROCEDURE] = ",\"action\":\"archive\"",
	[KIND_PIN_PROCEDURE] = ",\"method\":\"shown\"",
	[KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE] = ",\"authority\":502,\"format\":603,\"validity\":\"P1Y\"",
	[KIND_PUBLICATION_PROCEDURE] = ",\"format\":\"der\"",
	[KIND_CRL_PROCEDURE] = ",\"authority\":502,\"distribution_points\":[\"http://a.example/c\"]",
	[KIND_DISTRIBUTION_RULE] = ",\"protocol\":\"http\",\"address\":\"http://a.example\",\"path\":\"/in\"",
	[KIND_REVOCATION_POLICY] = "",
	[KIND_CIL_PROCEDURE] = ",\"authority\":502,\"served_as\":\"x\",\"interval\":\"P1D\"",
	[KIND_STATUS_NODE] =
	    ",\"key_sha256\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"",
	[KIND_INPUT_VIEW] = ",\"fields\":[{\"input\":\"san.dns\"}]",
};

/* domain 0: Root. */
static const struct json *
body_of(enum kind_id kind, int domain)
{
	const char *where = domain ? arena_printf(w->a, ",\"domain\":%d", domain) : "";

	return world_json(w, arena_printf(w->a, "{\"name\":\"x\"%s%s}", where, least[kind]));
}

static int
setup(void **state)
{
	w = world_new();
	request = (struct request){ .id = request_id_of(1),
				    .act = { ACT_CREATE, KIND_TOKEN_PROCEDURE },
				    .state = REQUEST_PREPARED,
				    .body = body_of(KIND_TOKEN_PROCEDURE, 0),
				    .prepared_by = officer_id_of(ANNA),
				    .prepared_at_ms = WORLD_NOW };
	f = (struct signature_facts){ .policy = w->s,
				      .request = &request,
				      .now_ms = WORLD_NOW,
				      .before = before,
				      .signer = signer(ANNA, 0xaa, "CN=Anna"),
				      .together = 1 };
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

static void
counts(enum request_state state)
{
	struct err e = { 0 };

	f.policy = w->s;
	if (decide_signature(&f, &d, &e) != RC_OK)
		fail_msg("refused: %s %s", code_name(e.code), e.text);
	assert_int_equal(d.state, state);
}

static void
refused(enum code code, const char *rule)
{
	struct err e = { 0 };

	f.policy = w->s;
	if (decide_signature(&f, &d, &e) == RC_OK)
		fail_msg("counts, %s expected", code_name(code));
	if (e.code != code)
		fail_msg("%s, not %s: %s", code_name(e.code), code_name(code), e.text);
	assert_string_equal(d.rule, rule);
}

/* Anna has signed; the next is the second. */
static void
second(struct signatory s)
{
	before[0] = signer(ANNA, 0xaa, "CN=Anna");
	f.before_n = 1;
	request.state = REQUEST_WAITING;
	request.waiting_at_ms = WORLD_NOW;
	f.signer = s;
}

static void
two_officers_sign_in_two_steps(void **state)
{
	counts(REQUEST_WAITING);
	assert_string_equal(d.rule, "second-officer-needed");
	second(signer(BERT, 0xbb, "CN=Bert"));
	counts(REQUEST_SIGNED);
	assert_string_equal(d.rule, "enough");
}

static void
one_signature_is_enough_for_issuing(void **state)
{
	request.act = (struct act){ ACT_ISSUE, KIND_NONE };
	f.signer = signer(CLEO, 0xcc, "CN=Cleo");
	counts(REQUEST_SIGNED);
	f.signer = signer(ANNA, 0xaa, "CN=Anna");
	refused(CHY_ROLE_MISSING, "roles");
}

static void
each_kind_wants_both_roles(void **state)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind *kind = kind_of((enum kind_id)k);

		if (kind == NULL)
			continue;
		request.act.kind = kind->id;
		request.body = body_of(kind->id, 0);
		f.signer = signer(ANNA, 0xaa, "CN=Anna");
		counts(REQUEST_WAITING);
		assert_true(kind->needed & ROLES(ROLE_USE_AWB));
		for (int r = 0; r < ROLE_COUNT; r++) { /* an admin with every role but this one */
			OWN_BUF struct buf b = buf_max(4096);
			const char *comma = "";

			buf_str(&b, "{\"name\":\"Admin\",\"entity_type\":\"subject\",\"roles\":[");
			for (int o = 0; o < ROLE_COUNT; o++)
				if (o != r) {
					buf_printf(&b, "%s\"%s\"", comma, role_name((enum role)o));
					comma = ",";
				}
			buf_str(&b, "]}");
			world_put(w, KIND_OFFICER_PROFILE, PROFILE_ADMIN, buf_cstr(&b));
			if (kind->needed & ROLES(r))
				refused(CHY_ROLE_MISSING, "roles");
			else
				counts(REQUEST_WAITING);
		}
		world_put(w, KIND_OFFICER_PROFILE, PROFILE_ADMIN,
			  arena_printf(w->a,
				       "{\"name\":\"Admin\",\"entity_type\":\"subject\",\"roles\":[%s]}",
				       all_admin));
	}
}

static void
one_officer_signs_once(void **state)
{
	second(signer(ANNA, 0xaa, "CN=Anna"));
	refused(CHY_SAME_OFFICER, "different-officers");
	second(signer(BERT, 0xbb, "CN=Bert"));
	counts(REQUEST_SIGNED);
}

static void
two_officers_that_are_one_person(void **state)
{
	second(signer(BERT, 0xbb, "cn=anna")); /* one subject, written otherwise */
	refused(CHY_SAME_PERSON, "different-people");
	second(signer(BERT, 0xbb, "CN=Bert"));
	f.signer.credential.token = BYTES("card 7");
	before[0].credential.token = BYTES("card 7");
	refused(CHY_SAME_PERSON, "different-people");
	before[0].credential.token = BYTES("card 8");
	counts(REQUEST_SIGNED);
	before[0].credential.token = f.signer.credential.token = BYTES_NONE;
	for (int64_t o = ANNA; o <= BERT; o++) /* one token by their documents */
		world_put(w, KIND_OFFICER, o,
			  arena_printf(w->a,
				       "{\"name\":\"%s\",\"profile\":201,\"token\":\"card "
				       "9\",\"certificate_sha256\":\"%064d\"}",
				       o == ANNA ? "Anna" : "Bert", o == ANNA ? 1 : 2));
	memcpy(f.signer.credential.fingerprint, snapshot_officer(w->s, officer_id_of(BERT))->fingerprint,
	       FINGERPRINT_LEN);
	refused(CHY_SAME_PERSON, "different-people");
	world_put(w, KIND_OFFICER, ANNA,
		  "{\"name\":\"Anna\",\"profile\":201,\"token\":\"card 8\",\"certificate_sha256\":" PRINT(
		      "aaaaaaaa") "}");
	world_put(w, KIND_OFFICER, BERT,
		  "{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT("bbbbbbbb") "}");
	memset(f.signer.credential.fingerprint, 0xbb, FINGERPRINT_LEN);
	counts(REQUEST_SIGNED);
	memset(f.signer.credential.key, 7, FINGERPRINT_LEN);
	memset(before[0].credential.key, 7, FINGERPRINT_LEN); /* two certificates for one key */
	refused(CHY_SAME_PERSON, "different-people");
	memset(before[0].credential.key, 8, FINGERPRINT_LEN);
	counts(REQUEST_SIGNED);
	for (int64_t o = ANNA; o <= BERT; o++) /* the second key of one's token is the first of the other's */
		world_put(w, KIND_OFFICER, o,
			  o == ANNA
			      ? "{\"name\":\"Anna\",\"profile\":201,\"certificate_sha256\":" PRINT(
				    "aaaaaaaa") ",\"keys\":[" PRINT("11111111") "," PRINT("22222222") "]}"
			      : "{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT(
				    "bbbbbbbb") ",\"keys\":[" PRINT("22222222") "]}");
	refused(CHY_SAME_PERSON, "different-people");
	world_put(w, KIND_OFFICER, BERT,
		  "{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT(
		      "bbbbbbbb") ",\"keys\":[" PRINT("33333333") "]}");
	counts(REQUEST_SIGNED);
	memset(before[0].credential.fingerprint, 0xbb,
	       FINGERPRINT_LEN); /* two officers with one certificate */
	refused(CHY_SAME_PERSON, "different-people");
}

/* The last two of Root who could undo a change are two by the same measure: a modification that makes them one is refused. */
static void
a_pair_of_one_person_is_no_pair(void **state)
{
	static const char *const bodies[] = {
		"{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT("aaaaaaaa") "}",
		"{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT(
		    "bbbbbbbb") ",\"token\":\"card 7\"}",
		"{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT(
		    "bbbbbbbb") ",\"subject\":\"cn=anna\"}",
		"{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT(
		    "bbbbbbbb") ",\"keys\":[" PRINT("11111111") "]}",
		"{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT(
		    "bbbbbbbb") ",\"archived_keys\":[" PRINT("11111111") "]}",
	};
	const struct officer *anna;
	struct act act = { ACT_MODIFY, KIND_OFFICER };
	struct err e = { 0 };

	world_put(w, KIND_OFFICER, ANNA,
		  "{\"name\":\"Anna\",\"profile\":201,\"token\":\"card 7\",\"subject\":\"CN=Anna\","
		  "\"certificate_sha256\":" PRINT("aaaaaaaa") ",\"keys\":[" PRINT("11111111") "]}");
	anna = snapshot_officer(w->s, officer_id_of(ANNA));
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_code(decide_prepare(w->s, anna, act, snapshot_document(w->s, doc_id_of(BERT)),
					   world_json(w, bodies[i]), &nobody, &e),
			    CHY_LAST_PAIR);
	assert_ok(
	    decide_prepare(w->s, anna, act, snapshot_document(w->s, doc_id_of(BERT)),
			   world_json(w,
				      "{\"name\":\"Bert\",\"profile\":201,\"certificate_sha256\":" PRINT(
					  "eeeeeeee") ",\"token\":\"card 8\"}"),
			   &nobody, &e));
}

/* The pair lasts as long as the second of those who last longest; one person twice, one of a domain, one without the role are none. */
static void
a_pair_lasts_as_long_as_its_second(void **state)
{
	const struct officer_end all[] = { { officer_id_of(ANNA), 500 },
					   { officer_id_of(BERT), 300 },
					   { officer_id_of(CLEO), 900 },
					   { officer_id_of(NORA), 900 } };
	struct officer_end v[ARRAY_LEN(all)];
	enum role role = ROLE_NONE;
	struct err e = { 0 };
	int64_t until;

	assert_ok(last_pair_until(w->s, ROLE_OFFICER_TASKS, all, ARRAY_LEN(all), &until, &e));
	assert_int_equal(until, 300);
	assert_ok(last_pairs_until(w->s, all, ARRAY_LEN(all), &until, &role, &e));
	assert_int_equal(until, 300);
	memcpy(v, all, sizeof(v));
	v[1].until_ms = 0;
	assert_ok(last_pair_until(w->s, ROLE_OFFICER_TASKS, v, ARRAY_LEN(v), &until, &e));
	assert_int_equal(until, 0);
	world_put(w, KIND_OFFICER, CLEO,
		  "{\"name\":\"Cleo\",\"profile\":201,\"certificate_sha256\":" PRINT("cccccccc") "}");
	assert_ok(last_pair_until(w->s, ROLE_OFFICER_TASKS, v, ARRAY_LEN(v), &until, &e));
	assert_int_equal(until, 500);
	world_put(w, KIND_OFFICER, ANNA,
		  "{\"name\":\"Anna\",\"profile\":201,\"token\":\"card 7\",\"certificate_sha256\":" PRINT(
		      "aaaaaaaa") "}");
	world_put(w, KIND_OFFICER, CLEO,
		  "{\"name\":\"Cleo\",\"profile\":201,\"token\":\"card 7\",\"certificate_sha256\":" PRINT(
		      "cccccccc") "}");
	assert_ok(last_pair_until(w->s, ROLE_OFFICER_TASKS, v, ARRAY_LEN(v), &until, &e));
	assert_int_equal(until, 0);
	assert_ok(last_pairs_until(w->s, v, 0, &until, &role, &e));
	assert_int_equal(until, 0);
}

/* Revoking an authority's certificate is for those in whose domain the authority lies: also its rejection. */
static void
an_authority_is_revoked_in_its_domain(void **state)
{
	struct err e = { 0 };

	request.act = (struct act){ ACT_CA_REVOKE, KIND_NONE };
	request.body = world_json(w, "{\"certificates\":[{\"certificate\":9}],\"reason\":\"superseded\"}");
	request.authority = doc_id_of(ISSUING_CA);
	counts(REQUEST_WAITING);
	f.signer = signer(NORA, 0xdd, "CN=Nora");
	refused(CHY_DOMAIN_FOREIGN, "domain");
	request.state = REQUEST_WAITING;
	assert_code(may_sign(w->s, snapshot_officer(w->s, officer_id_of(NORA)), &request, &e),
		    CHY_DOMAIN_FOREIGN);
	assert_code(decide_reject(w->s, &request, snapshot_officer(w->s, officer_id_of(NORA)), &e),
		    CHY_DOMAIN_FOREIGN);
	assert_ok(decide_reject(w->s, &request, snapshot_officer(w->s, officer_id_of(BERT)), &e));
	request.authority = doc_id_of(0); /* not known: nobody */
	assert_code(may_sign(w->s, snapshot_officer(w->s, officer_id_of(BERT)), &request, &e),
		    CHY_STATUS_UNSEEN);
}

/* Who sees a request: by role, and by the domains that it is about. */
static void
requests_are_seen_in_their_domains(void **state)
{
	const int64_t north[] = { NORTH_CITY, SOUTH }, south[] = { SOUTH };
	const struct officer *nora = snapshot_officer(w->s, officer_id_of(NORA));
	const struct officer *bert = snapshot_officer(w->s, officer_id_of(BERT));
	struct err e = { 0 };

	assert_ok(may_see_request(w->s, nora, &request, north, 2, &e));
	assert_code(may_see_request(w->s, nora, &request, south, 1, &e), CHY_DOMAIN_HIDDEN);
	assert_code(may_see_request(w->s, nora, &request, NULL, 0, &e), CHY_DOMAIN_HIDDEN); /* Root alone */
	assert_ok(may_see_request(w->s, bert, &request, south, 1, &e));
	assert_code(
	    may_see_request(w->s, snapshot_officer(w->s, officer_id_of(CLEO)), &request, north, 2, &e),
	    CHY_ROLE_MISSING);
	request.prepared_by = officer_id_of(NORA);
	assert_ok(may_see_request(w->s, nora, &request, south, 1, &e));
}

static void
only_the_officers_own_certificate(void **state)
{
	f.signer.credential.fingerprint[31] ^= 1;
	refused(CHY_OFFICER_OTHER_CERTIFICATE, "officer-active");
	f.signer.officer = officer_id_of(4711);
	refused(CHY_OFFICER_UNKNOWN, "officer-active");
}

static void
certificates_must_be_good(void **state)
{
	f.signer.credential.state = CREDENTIAL_REVOKED;
	refused(CHY_OFFICER_CERTIFICATE_REVOKED, "officer-active");
	f.signer.credential.state = CREDENTIAL_HELD;
	refused(CHY_OFFICER_CERTIFICATE_HELD, "officer-active");
	f.signer.credential.state = CREDENTIAL_GOOD;
	f.signer.credential.not_after_ms = WORLD_NOW;
	counts(REQUEST_WAITING);
	f.signer.credential.not_after_ms = WORLD_NOW - 1;
	refused(CHY_OFFICER_CERTIFICATE_EXPIRED, "officer-active");
	f.signer.credential.not_after_ms = WORLD_NOW + 9;
	f.signer.credential.not_before_ms = WORLD_NOW + 1;
	refused(CHY_OFFICER_CERTIFICATE_EXPIRED, "officer-active");
}

static void
closed_officers_and_profiles_sign_nothing(void **state)
{
	world_put(
	    w, KIND_OFFICER, ANNA,
	    "{\"name\":\"Anna\",\"profile\":\"Admin\",\"state\":\"closed\",\"certificate_sha256\":" PRINT(
		"aaaaaaaa") "}");
	refused(CHY_OFFICER_CLOSED, "officer-active");
	second(signer(BERT, 0xbb, "CN=Bert"));
	refused(CHY_OFFICER_CLOSED, "others-still-officers"); /* what Anna half signed */
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_ADMIN,
		  "{\"name\":\"Admin\",\"entity_type\":\"subject\",\"state\":\"closed\"}");
	refused(CHY_OFFICER_CLOSED, "officer-active");
}

static void
a_changed_base_voids(void **state)
{
	request.act.verb = ACT_MODIFY;
	request.base = (struct doc_version){ doc_id_of(TOKEN), 1 };
	f.current = request.base;
	counts(REQUEST_WAITING);
	second(signer(BERT, 0xbb, "CN=Bert"));
	f.current.version = 2;
	refused(CHY_REQUEST_VOID, "base-current");
	assert_int_equal(d.state, REQUEST_VOID);
	f.current = (struct doc_version){ doc_id_of(0), 0 };
	refused(CHY_REQUEST_VOID, "base-current");
}

/* Between preparation and signature another request came first. */
static void
a_body_that_no_longer_holds(void **state)
{
	static const char range[] =
	    "{\"name\":\"%s\",\"storage_profile\":\"smart-card\",\"card_serial_number\":true,"
	    "\"serial_number_from\":10,\"serial_number_to\":20,\"pin_procedure\":901,\"certificate_"
	    "procedures\":[702]}";

	second(signer(BERT, 0xbb, "CN=Bert"));
	counts(REQUEST_SIGNED);
	world_put(w, KIND_TOKEN_PROCEDURE, 860,
		  "{\"name\":\"x\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[702]}");
	refused(CHY_NAME_TAKEN, "body-holds");
	assert_int_equal(d.state, REQUEST_WAITING);
	request.body = world_json(w, arena_printf(w->a, range, "mine"));
	counts(REQUEST_SIGNED);
	world_put(w, KIND_TOKEN_PROCEDURE, 861, arena_printf(w->a, range, "theirs"));
	refused(CHY_SERIAL_RANGE_TAKEN, "body-holds");
	request.body = world_json(
	    w, "{\"name\":\"y\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[703]}");
	counts(REQUEST_SIGNED);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_CRYPT,
		  "{\"name\":\"Crypt\",\"state\":\"closed\",\"authority\":502,\"format\":602,\"validity\":"
		  "\"P90D\"}");
	refused(CHY_REF_CLOSED, "body-holds");
}

static void
the_time_of_a_signature_can_be(void **state)
{
	f.signer.signed_at_ms = WORLD_NOW + SIGNING_TIME_SLACK_MS;
	counts(REQUEST_WAITING);
	f.signer.signed_at_ms++;
	refused(CHY_SIGNING_TIME, "signing-time");
	request.prepared_at_ms = WORLD_NOW - 1000;
	f.signer.signed_at_ms = request.prepared_at_ms - SIGNING_TIME_SLACK_MS;
	counts(REQUEST_WAITING);
	f.signer.signed_at_ms--;
	refused(CHY_SIGNING_TIME, "signing-time");
}

static void
requests_lapse(void **state)
{
	f.now_ms = WORLD_NOW + REQUEST_PREPARED_MS - 1;
	f.signer.credential.not_after_ms = INT64_MAX;
	counts(REQUEST_WAITING);
	f.now_ms++;
	refused(CHY_REQUEST_EXPIRED, "in-time");
	assert_int_equal(d.state, REQUEST_EXPIRED);
	second(signer(BERT, 0xbb, "CN=Bert"));
	f.signer.credential.not_after_ms = INT64_MAX;
	f.now_ms = WORLD_NOW + REQUEST_WAITING_MS - 1;
	counts(REQUEST_SIGNED);
	f.now_ms++;
	refused(CHY_REQUEST_EXPIRED, "in-time");
}

static void
finished_requests_take_no_signature(void **state)
{
	for (int s = 0; s < REQUEST_STATE_COUNT; s++) {
		request.state = (enum request_state)s;
		request.waiting_at_ms = WORLD_NOW;
		if (s == REQUEST_PREPARED || s == REQUEST_WAITING)
			counts(REQUEST_WAITING);
		else
			refused(CHY_REQUEST_STATE, "request-open");
	}
}

static void
no_more_signatures_than_needed(void **state)
{
	second(signer(CLEO, 0xcc, "CN=Cleo"));
	request.act = (struct act){ ACT_ISSUE, KIND_NONE };
	refused(CHY_TOO_MANY_SIGNATURES, "signatures-wanted");
}

static void
boot_officers_sign_in_one_step(void **state)
{
	world_put(w, KIND_OFFICER, 310,
		  "{\"name\":\"Boot\",\"profile\":\"Admin\",\"boot\":true,\"certificate_sha256\":" PRINT(
		      "ee01ee01") "}");
	f.signer = signer(310, 0, "CN=Boot");
	for (int i = 0; i < FINGERPRINT_LEN; i++)
		f.signer.credential.fingerprint[i] = i % 2 ? 0x01 : 0xee;
	f.together = 1;
	refused(CHY_BOOT_ONE_STEP, "boot-in-one-step");
	f.together = 2;
	counts(REQUEST_WAITING);
	second(signer(BERT, 0xbb, "CN=Bert"));
	before[0].boot = true;
	f.together = 1;
	refused(CHY_BOOT_ONE_STEP, "boot-in-one-step");
	f.together = 2;
	counts(REQUEST_SIGNED);
}

static void
domains_confine_signers(void **state)
{
	f.signer = signer(NORA, 0xdd, "CN=Nora");
	request.body = body_of(KIND_TOKEN_PROCEDURE, 101);
	counts(REQUEST_WAITING);
	request.body = body_of(KIND_TOKEN_PROCEDURE, 103); /* below */
	counts(REQUEST_WAITING);
	request.body = body_of(KIND_TOKEN_PROCEDURE, 102); /* beside */
	refused(CHY_DOMAIN_FOREIGN, "domain");
	request.body = body_of(KIND_TOKEN_PROCEDURE, 0); /* Root */
	refused(CHY_DOMAIN_FOREIGN, "domain");
	request.act.verb = ACT_MODIFY; /* taking something of Root's into the own domain */
	request.base = f.current = (struct doc_version){ doc_id_of(TOKEN), 1 };
	request.body = body_of(KIND_TOKEN_PROCEDURE, 101);
	refused(CHY_DOMAIN_FOREIGN, "domain");
}

static void
preparing_withdrawing_rejecting(void **state)
{
	const struct officer *anna = snapshot_officer(w->s, officer_id_of(ANNA)),
			     *cleo = snapshot_officer(w->s, officer_id_of(CLEO));
	const struct officer *bert = snapshot_officer(w->s, officer_id_of(BERT));
	struct err e = { 0 };

	assert_ok(decide_prepare(w->s, anna, request.act, NULL, request.body, &nobody, &e));
	assert_code(decide_prepare(w->s, cleo, request.act, NULL, request.body, &nobody, &e),
		    CHY_ROLE_MISSING);
	assert_code(
	    decide_prepare(w->s, anna, (struct act){ ACT_NONE, KIND_NONE }, NULL, request.body, &nobody, &e),
	    CHY_ACT_UNKNOWN);
	assert_ok(decide_withdraw(&request, anna->id, &e));
	assert_code(decide_withdraw(&request, bert->id, &e), CHY_REQUEST_OTHERS);
	assert_code(decide_reject(w->s, &request, bert, &e),
		    CHY_REQUEST_STATE); /* nobody has signed it yet */
	request.state = REQUEST_WAITING;
	assert_ok(decide_reject(w->s, &request, bert, &e));
	assert_code(decide_reject(w->s, &request, cleo, &e), CHY_ROLE_MISSING);
	request.state = REQUEST_DONE;
	assert_code(decide_withdraw(&request, anna->id, &e), CHY_REQUEST_STATE);
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
	EACH_ROWS(two_officers_sign_in_two_steps, "CM-T-01 CM-O-17"),
	EACH(one_signature_is_enough_for_issuing),
	EACH_ROWS(each_kind_wants_both_roles, "CM-T-01 CM-C-01 CM-O-02 CM-O-03 CM-A-01"),
	EACH_ROWS(one_officer_signs_once, "CM-T-01 CM-O-21"),
	EACH_ROWS(two_officers_that_are_one_person, "CM-O-21"),
	EACH_ROWS(a_pair_of_one_person_is_no_pair, "CM-O-29"),
	EACH_ROWS(a_pair_lasts_as_long_as_its_second, "CM-O-29"),
	EACH(an_authority_is_revoked_in_its_domain),
	EACH(requests_are_seen_in_their_domains),
	EACH(only_the_officers_own_certificate),
	EACH_ROWS(certificates_must_be_good, "CM-O-31"),
	EACH_ROWS(closed_officers_and_profiles_sign_nothing, "CM-O-31"),
	EACH(a_changed_base_voids),
	EACH_ROWS(a_body_that_no_longer_holds, "CM-T-09"),
	EACH(the_time_of_a_signature_can_be),
	EACH(requests_lapse),
	EACH_ROWS(finished_requests_take_no_signature, "CM-O-20"),
	EACH(no_more_signatures_than_needed),
	EACH_ROWS(boot_officers_sign_in_one_step, "CM-O-19"),
	EACH_ROWS(domains_confine_signers, "CM-O-12 CM-O-13"),
	EACH_ROWS(preparing_withdrawing_rejecting, "CM-O-23"),
};

TESTS_MAIN(tests)
