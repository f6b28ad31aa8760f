/*
 * The decision to issue: for every rule one request that passes, ones that it refuses with its own code, and the
 * boundaries; and what comes out, parsed again.
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

#define FASC_N "fasc-n:d4e739d821086c1084210d8360d8210842108421804210c3f3"
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
	if (code == CHY_ISSUE_WEAK_KEY)
		assert_int_equal(e.cause, q->facts.weak.why.code);
	assert_true(d.trace.n > 0);
	assert_string_equal(d.trace.v[d.trace.n - 1].rule, rule);
	assert_false(d.trace.v[d.trace.n - 1].passed);
	for (size_t i = 0; i + 1 < d.trace.n; i++)
		assert_true(d.trace.v[i].passed);
}

static struct cert *
made(const struct asking *q)
{
	struct cert *c = arena_one(w->a, struct cert);
	struct bytes tbs;
	struct err e = { 0 };

	passes(q);
	if (issue_tbs(w->a, &d, &tbs, &e) != RC_OK || cert_parse_tbs(w->a, tbs, c, &e) != RC_OK)
		fail_msg("%s %s", code_name(e.code), e.text);
	return c;
}

static const char *
subject_text(struct bytes der)
{
	OWN_BUF struct buf b = buf_max(4096);

	name_put_der_text(&b, der);
	return arena_str(w->a, buf_bytes(&b));
}

static void
put_names(struct buf *b, const struct gnames *l)
{
	for (size_t i = 0; i < l->n; i++) {
		buf_str(b, i ? ", " : "");
		gname_put_text(b, &l->v[i]);
	}
}

static void
put_value(struct buf *b, const struct ext_value *v)
{
	char text[KEY_USAGE_TEXT_MAX];

	switch (v->kind) {
	case OID_CE_KEY_USAGE:
		buf_str(b, key_usage_text(text, (uint16_t)v->key_usage));
		break;
	case OID_CE_EXT_KEY_USAGE:
		for (size_t i = 0; i < v->eku.n; i++) {
			buf_str(b, i ? ", " : "");
			oid_put(b, v->eku.v[i]);
		}
		break;
	case OID_CE_SUBJECT_ALT_NAME:
		put_names(b, &v->names);
		break;
	case OID_CE_CRL_POINTS:
		put_names(b, &v->points.v[0].full_name);
		break;
	case OID_PE_AUTHORITY_INFO:
		for (size_t i = 0; i < v->access.n; i++)
			put_names(b, &(struct gnames){ 1, &v->access.v[i].location });
		break;
	default:
		buf_str(b, "there");
	}
}

/* What an extension says; NULL where it is not there. */
static const char *
ext_text(const struct cert *c, enum oid which)
{
	OWN_BUF struct buf b = buf_max(8192);
	const struct ext *x = exts_find(&c->exts, which);
	struct ext_value v;

	if (x == NULL)
		return NULL;
	assert_ok(ext_decode(w->a, x, &v, NULL));
	put_value(&b, &v);
	return arena_str(w->a, buf_bytes(&b));
}

/* ---- what comes out ---- */

static void
a_good_request_gives_a_certificate(void **state)
{
	struct asking *q = ask(&good);
	struct cert *c = made(q);
	uint8_t serial[] = { 0x01, 0xa2, 0, 0, 0, 0 };

	assert_string_equal(subject_text(c->subject), "CN=www.example.org,O=Example,C=SE");
	assert_string_equal(subject_text(c->issuer), "CN=Issuing CA,O=Example,C=SE");
	assert_int_equal(c->not_before_at, WORLD_NOW);
	assert_int_equal(c->not_after_at, WORLD_NOW + 90 * 86400000LL - 1000);
	assert_int_equal(c->sigalg, SIGALG_ECDSA_SHA256);
	assert_bytes(c->spki, q->facts.csr->key.spki);
	assert_bytes(cert_key_id(c), q->facts.key_id);
	assert_bytes(cert_authority_key_id(w->a, c), snapshot_authority(w->s, doc_id_of(ISSUING_CA))->key_id);
	assert_int_equal(c->serial.n, 18);
	for (int i = 0; i < 6; i++)
		serial[i] = (uint8_t)(WORLD_NOW >> 8 * (5 - i));
	assert_memory_equal(c->serial.p, serial, 6);
	assert_memory_equal(c->serial.p + 6, q->facts.random, 12);
	assert_non_null(strstr(ext_text(c, OID_CE_SUBJECT_ALT_NAME), "www.example.org"));
	assert_non_null(strstr(ext_text(c, OID_CE_EXT_KEY_USAGE), "serverAuth"));
	assert_non_null(strstr(ext_text(c, OID_CE_CRL_POINTS), "http://ca.example/i.crl"));
	assert_non_null(strstr(ext_text(c, OID_PE_AUTHORITY_INFO), "http://ocsp.example"));
	assert_null(ext_text(c, OID_CE_KEY_USAGE));
	assert_int_equal(d.token_version.id.v, TOKEN);
	assert_int_equal(d.certificate_version.id.v, PROC_NONE);
	assert_int_equal(d.format_version.id.v, FORMAT_TLS);
	assert_int_equal(d.authority_version.id.v, ISSUING_CA);
	assert_int_equal(d.key_version.id.v, CA_KEY);
}

static void
the_trace_names_every_rule_in_order(void **state)
{
	const char *const *names = issue_rules();
	size_t n = 0;

	passes(ask(&good));
	for (; names[n] != NULL; n++) {
		assert_string_equal(d.trace.v[n].rule, names[n]);
		assert_true(d.trace.v[n].passed);
	}
	assert_int_equal(d.trace.n, n);
}

static void
the_same_facts_give_the_same_bytes(void **state)
{
	struct asking *q = ask(&good);
	struct bytes one, two;

	passes(q);
	assert_ok(issue_tbs(w->a, &d, &one, NULL));
	passes(q);
	assert_ok(issue_tbs(w->a, &d, &two, NULL));
	assert_bytes(one, two);
	q->facts.random[11]++;
	passes(q);
	assert_ok(issue_tbs(w->a, &d, &two, NULL));
	assert_false(bytes_eq(one, two));
}

static void
what_was_considered_is_kept(void **state)
{
	struct wish x = { GOOD, .key_usage = USAGE_KEY_ENCIPHERMENT, .key = "rsa-2048" };

	passes(world_ask(w, "Many", &x));
	assert_int_equal(d.considered_n, 3);
	assert_int_equal(d.certificate_version.id.v, PROC_NONE);
	assert_string_equal(d.considered[0].reason, "usage-lacks");
	assert_string_equal(d.considered[0].text, "it lacks keyEncipherment");
	assert_string_equal(d.considered[1].reason, "no-usage-set");
	assert_true(d.considered[1].chosen);
	assert_string_equal(d.considered[2].reason, "behind-chosen");
	assert_text(d.considered[2].name, "Crypt");
}

/* ---- who ---- */

static void
officers_need_role_and_an_open_record(void **state)
{
	struct asking *q = ask(&good);

	q->request.officer = officer_id_of(ANNA);
	refused(q, CHY_ROLE_MISSING, "officer", NULL);
	q->request.officer = officer_id_of(12345);
	refused(q, CHY_OFFICER_UNKNOWN, "officer", NULL);
	world_put(
	    w, KIND_OFFICER, CLEO,
	    "{\"name\":\"Cleo\",\"profile\":\"Clerk\",\"state\":\"closed\",\"certificate_sha256\":" PRINT(
		"cccccccc") "}");
	refused(ask(&good), CHY_OFFICER_CLOSED, "officer", NULL);
}

/* A session goes on for days: its officer's certificate must be good all the time. */
static void
the_officers_certificate_as_it_stands_now(void **state)
{
	struct credential c = { .not_before_ms = 0, .not_after_ms = WORLD_NOW };
	struct asking *q = ask(&good);

	memset(c.fingerprint, 0xcc, sizeof(c.fingerprint));
	q->facts.credential = &c;
	passes(q);
	c.not_after_ms--;
	refused(q, CHY_OFFICER_CERTIFICATE_EXPIRED, "officer", NULL);
	c.not_after_ms++;
	c.state = CREDENTIAL_REVOKED;
	refused(q, CHY_OFFICER_CERTIFICATE_REVOKED, "officer", NULL);
	c.state = CREDENTIAL_GOOD;
	c.fingerprint[0]++;
	refused(q, CHY_OFFICER_OTHER_CERTIFICATE, "officer", NULL);
}

static void
sessions_have_limits(void **state)
{
	const int64_t token = TOKEN, other = TOKEN_MANY;
	struct session_facts s = { .id = session_id_of(5),
				   .token_procedures = &token,
				   .token_procedures_n = 1,
				   .certificates_max = 10,
				   .certificates_made = 9,
				   .expires_at_ms = WORLD_NOW + 1 };
	struct asking *q = ask(&good);

	q->request.word = WORD_SESSION;
	q->request.session = s.id;
	refused(q, CHY_INTERNAL, "session", NULL);
	q->facts.session = &s;
	passes(q);
	s.certificates_made = 10;
	refused(q, CHY_SESSION_USED_UP, "session", NULL);
	s.certificates_made = 0;
	s.expires_at_ms = WORLD_NOW;
	refused(q, CHY_SESSION_EXPIRED, "session", NULL);
	s.expires_at_ms = WORLD_NOW + 1;
	s.closed = true;
	refused(q, CHY_SESSION_CLOSED, "session", NULL);
	s.closed = false;
	s.token_procedures = &other;
	refused(q, CHY_SESSION_FOREIGN, "right-to-issue", "token_procedure");
	s.token_procedures_n = 0;
	refused(q, CHY_SESSION_FOREIGN, "right-to-issue", "token_procedure");
}

static void
issuer_constraints_confine(void **state)
{
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"subject\",\"roles\":[\"use-clients\",\"issue-"
		  "certificate\"],"
		  "\"issuer_constraints\":[{\"tests\":[{\"attribute\":\"C\",\"value\":\"SE\"}]}]}");
	passes(ask(&good));
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"subject\",\"roles\":[\"use-clients\",\"issue-"
		  "certificate\"],"
		  "\"issuer_constraints\":[{\"tests\":[{\"attribute\":\"C\",\"value\":\"DE\"}]}]}");
	refused(ask(&good), CHY_ISSUER_CONSTRAINT, "authority", NULL);
}

/* ---- by what ---- */

static void
token_procedures_are_found_and_open(void **state)
{
	refused(world_ask(w, "Nothing", &good), CHY_ISSUE_TOKEN_PROCEDURE, "token-procedure",
		"token_procedure");
	refused(world_ask(w, "", &good), CHY_ISSUE_TOKEN_PROCEDURE, "token-procedure", "token_procedure");
	passes(world_ask(w, "801", &good));
	refused(world_ask(w, "702", &good), CHY_ISSUE_TOKEN_PROCEDURE, "token-procedure",
		NULL); /* another kind */
	world_put(w, KIND_TOKEN_PROCEDURE, TOKEN,
		  "{\"name\":\"Server\",\"state\":\"closed\",\"storage_profile\":\"pkcs10\","
		  "\"certificate_procedures\":[\"Any\"]}");
	refused(ask(&good), CHY_ISSUE_TOKEN_CLOSED, "token-procedure", "token_procedure");
}

static void
other_storage_profiles_say_so(void **state)
{
	static const char *const others[] = {
		"\"smart-card\",\"pin_procedure\":901,\"card_serial_number\":false",
		"\"pkcs12\",\"pin_procedure\":901"
	};

	for (size_t i = 0; i < 2; i++) {
		world_put(w, KIND_TOKEN_PROCEDURE, TOKEN,
			  arena_printf(
			      w->a,
			      "{\"name\":\"Server\",\"storage_profile\":%s,\"certificate_procedures\":[702]}",
			      others[i]));
		refused(ask(&good), CHY_ISSUE_STORAGE_PROFILE, "storage-profile", "storage_profile");
	}
	world_put(w, KIND_TOKEN_PROCEDURE, TOKEN,
		  "{\"name\":\"Server\",\"storage_profile\":\"attribute-certificate-file\",\"attribute_"
		  "certificate_procedures\":[905]}");
	refused(ask(&good), CHY_ISSUE_STORAGE_PROFILE, "storage-profile", "storage_profile");
}

static void
the_domain_must_show_it(void **state)
{
	world_put(
	    w, KIND_OFFICER, CLEO,
	    "{\"name\":\"Cleo\",\"profile\":\"Clerk\",\"domain\":\"South\",\"certificate_sha256\":" PRINT(
		"cccccccc") "}");
	passes(ask(&good)); /* what lies in Root is used from everywhere */
	world_put(w, KIND_TOKEN_PROCEDURE, 810,
		  "{\"name\":\"Northern\",\"domain\":\"North\",\"visible_in_subdomain\":true,"
		  "\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[\"Any\"]}");
	refused(world_ask(w, "Northern", &good), CHY_ISSUE_TOKEN_PROCEDURE, "token-procedure", NULL);
	refused(world_ask(w, "810", &good), CHY_ISSUE_TOKEN_PROCEDURE, "token-procedure", NULL);
}

static void
closed_documents_behind_it_refuse(void **state)
{
	world_put(
	    w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
	    "{\"name\":\"Any\",\"state\":\"closed\",\"authority\":502,\"format\":602,\"validity\":\"P90D\"}");
	refused(ask(&good), CHY_ISSUE_PROCEDURE_CLOSED, "certificate-procedure", "certificate_procedure");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROC("Any", ""));
	world_put(w, KIND_AUTHORITY, ISSUING_CA,
		  "{\"name\":\"Issuing "
		  "CA\",\"type\":\"subordinate\",\"issuing_authority\":501,\"ca_key\":402,\"format\":601,"
		  "\"subject\":\"CN=Issuing "
		  "CA,O=Example,C=SE\",\"validity\":\"P10Y\",\"path_length\":0,\"state\":\"closed\"}");
	refused(ask(&good), CHY_ISSUE_AUTHORITY_CLOSED, "certificate-procedure", "authority");
}

static void
an_authority_without_certificate_is_not_ready(void **state)
{
	w->facts_n = 1;
	world_build(w);
	refused(ask(&good), CHY_ISSUE_AUTHORITY_NOT_READY, "certificate-procedure", "authority");
}

static void
an_authority_out_of_its_time_issues_nothing(void **state)
{
	struct asking *q = ask(&good);

	q->facts.now_ms = snapshot_authority(w->s, doc_id_of(ISSUING_CA))->not_after_ms + 1;
	refused(q, CHY_ISSUE_AUTHORITY_EXPIRED, "authority", "authority");
	q->facts.now_ms = WORLD_NOW - 3600000;
	refused(q, CHY_ISSUE_AUTHORITY_EXPIRED, "authority", "authority");
}

/* ---- the key ---- */

static void
possession_must_be_proved(void **state)
{
	struct asking *q = ask(&good);

	q->facts.pop.made = false;
	refused(q, CHY_INTERNAL, "proof-of-possession", NULL);
	q->facts.pop.made = true;
	q->facts.pop.why.code = CHY_SIGNATURE_WRONG;
	refused(q, CHY_ISSUE_POSSESSION, "proof-of-possession", "csr");
}

static void
weak_keys_are_refused(void **state)
{
	struct asking *q = ask(&good);

	q->facts.weak.made = false;
	refused(q, CHY_INTERNAL, "weak-key", NULL);
	q->facts.weak.made = true;
	q->facts.weak.why.code = CHY_RSA_ROCA;
	refused(q, CHY_ISSUE_WEAK_KEY, "weak-key", "csr.key");
}

static void
formats_limit_keys(void **state)
{
	struct wish x = { GOOD, .key = "rsa-2048" };

	passes(ask(&x));
	x.key = "rsa-4096";
	passes(ask(&x));
	x.key = "rsa-2040";
	refused(ask(&x), CHY_ISSUE_KEY_ALGORITHM, "key-algorithm", "csr.key");
	x.key = "rsa-4104";
	refused(ask(&x), CHY_ISSUE_KEY_ALGORITHM, "key-algorithm", "csr.key");
	x.key = "ed25519";
	passes(ask(&x));
	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"key_algorithms\":[\"p-256\"],\"unknown_subject\":\"keep\",\"unknown_"
		  "san\":\"drop\"}");
	refused(ask(&x), CHY_ISSUE_KEY_ALGORITHM, "key-algorithm", "csr.key");
	x.key = "p-384";
	refused(ask(&x), CHY_ISSUE_KEY_ALGORITHM, "key-algorithm", "csr.key");
	x.key = "p-256";
	passes(ask(&x));
}

static void
keys_of_authorities_are_refused(void **state)
{
	struct wish x = { GOOD, .key = "p-256", .seed = (uint8_t)ISSUING_CA };

	refused(ask(&x), CHY_ISSUE_OWN_KEY, "authority-key", "csr.key");
	x.key = "p-384"; /* of the one above */
	x.seed = (uint8_t)ROOT_CA;
	refused(ask(&x), CHY_ISSUE_OWN_KEY, "authority-key", "csr.key");
}

static void
the_key_identifier_must_come(void **state)
{
	struct asking *q = ask(&good);
	struct err e = { 0 };

	q->facts.key_id = BYTES_NONE;
	assert_code(decide(q, &e), CHY_INTERNAL);
	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"unknown_subject\":\"keep\",\"unknown_san\":\"drop\",\"subject_key_"
		  "identifier\":false}");
	q->facts.policy = w->s;
	assert_int_equal(cert_key_id(made(q)).n, 0);
}

static void
a_request_for_a_ca_is_refused(void **state)
{
	struct wish x = { GOOD, .ca = 1 };

	refused(ask(&x), CHY_ISSUE_CA, "basic-constraints", "csr.basic_constraints");
	x.ca = -1;
	assert_null(ext_text(made(ask(&x)), OID_CE_BASIC_CONSTRAINTS));
}

/* ---- key usage ---- */

static const char *
usage_of(const char *token, const char *key, uint32_t asked)
{
	struct wish x = { GOOD, .key = key, .key_usage = asked };

	return ext_text(made(world_ask(w, token, &x)), OID_CE_KEY_USAGE);
}

static void
key_usage_is_the_requests_else_the_procedures(void **state)
{
	assert_string_equal(usage_of("Server", "p-256", USAGE_DIGITAL_SIGNATURE), "digitalSignature");
	assert_string_equal(usage_of("Many", "p-256", 0), "digitalSignature"); /* the first procedure's */
	assert_string_equal(usage_of("Many", "rsa-2048", USAGE_KEY_ENCIPHERMENT), "keyEncipherment");
}

static void
a_key_gets_only_usages_that_it_can_have(void **state)
{
	static const struct {
		const char *key;
		uint32_t asked;
	} bad[] = { { "p-256", USAGE_KEY_ENCIPHERMENT },
		    { "rsa-2048", USAGE_KEY_AGREEMENT },
		    { "ed25519", USAGE_KEY_AGREEMENT },
		    { "p-256", USAGE_KEY_CERT_SIGN },
		    { "rsa-2048", USAGE_CRL_SIGN },
		    { "p-256", USAGE_ENCIPHER_ONLY },
		    { "p-256", USAGE_KEY_AGREEMENT | USAGE_ENCIPHER_ONLY | USAGE_DECIPHER_ONLY } };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct wish x = { GOOD, .key = bad[i].key, .key_usage = bad[i].asked };

		refused(ask(&x), CHY_ISSUE_KEY_USAGE, "key-usage", "csr.key_usage");
	}
	assert_non_null(
	    strstr(usage_of("Server", "p-256", USAGE_KEY_AGREEMENT | USAGE_ENCIPHER_ONLY), "encipherOnly"));
}

static void
a_procedures_usages_fit_the_key_or_go(void **state)
{
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  PROC("Any", "\"digitalSignature\",\"keyEncipherment\""));
	assert_string_equal(usage_of("Server", "p-256", 0), "digitalSignature");
	assert_string_equal(usage_of("Server", "rsa-2048", 0), "digitalSignature, keyEncipherment");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROC("Any", "\"keyEncipherment\""));
	refused(ask(&good), CHY_ISSUE_KEY_USAGE, "key-usage", "csr.key");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  PROC("Any",
		       "\"digitalSignature\",\"nonRepudiation\",\"keyEncipherment\",\"dataEncipherment\","
		       "\"keyAgreement\","
		       "\"keyCertSign\",\"cRLSign\",\"encipherOnly\",\"decipherOnly\""));
	assert_null(strstr(usage_of("Server", "p-256", 0), "keyCertSign"));
	assert_null(strstr(usage_of("Server", "p-256", 0), "encipherOnly"));
}

static void
extended_key_usage_by_the_format(void **state)
{
	struct wish x = { GOOD, .eku = { "codeSigning" } };
	struct cert *c = made(ask(&x));

	assert_null(strstr(ext_text(c, OID_CE_EXT_KEY_USAGE), "codeSigning"));
	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"extended_key_usage\":\"request\",\"unknown_subject\":\"keep\","
		  "\"unknown_san\":\"drop\"}");
	refused(ask(&x), CHY_ISSUE_EXTENDED_KEY_USAGE, "extended-key-usage", "csr.extended_key_usage");
	x.eku[0] = "clientAuth";
	assert_string_equal(ext_text(made(ask(&x)), OID_CE_EXT_KEY_USAGE), "clientAuth");
	x.eku[0] = NULL;
	assert_string_equal(ext_text(made(ask(&x)), OID_CE_EXT_KEY_USAGE), "serverAuth, clientAuth");
}

/* ---- subject ---- */

static const char *
subject_of(const char *asked)
{
	struct wish x = { .subject = asked, .san = { "dns:a.example" } };

	return subject_text(made(ask(&x))->subject);
}

static void
subject_refused(const char *asked, enum code code, const char *field)
{
	struct wish x = { .subject = asked, .san = { "dns:a.example" } };

	refused(ask(&x), code, "subject", field);
}

static void
subjects_follow_the_format(void **state)
{
	assert_string_equal(subject_of("O=Ex,CN=a"), "CN=a,O=Ex,C=SE");
	assert_string_equal(subject_of("CN=a,C=DE"), "CN=a,C=SE"); /* fixed */
	assert_string_equal(subject_of("CN=a,O=\\ Big   Firm\\ "), "CN=a,O=Big Firm,C=SE");
	assert_string_equal(subject_of("CN=a,OU=x,OU=y"), "CN=a,OU=x,OU=y,C=SE");
	assert_string_equal(subject_of("CN=a,O=12345678901234567890"), "CN=a,O=12345678901234567890,C=SE");
	subject_refused("CN=a,O=123456789012345678901", CHY_SUBJECT_VALUE, "subject.O");
	subject_refused("O=a", CHY_SUBJECT_MISSING, "subject.CN");
	subject_refused("CN=a,CN=b", CHY_SUBJECT_TWICE, "subject.CN");
	subject_refused("CN=a,L=Here", CHY_SUBJECT_ATTRIBUTE, "subject.L");
	subject_refused("CN=a,O=\\20\\20", CHY_SUBJECT_VALUE, "subject.O"); /* empty when trimmed */
	subject_refused("CN=a\\0ab", CHY_SUBJECT_VALUE, "subject.CN");
	subject_refused("CN=12345678901234567890123456789012345678901234567890123456789012345",
			CHY_SUBJECT_VALUE, "subject");
}

static void
unknown_attributes_are_refused_dropped_or_kept(void **state)
{
	static const struct {
		const char *how, *want;
	} rows[] = { { "drop", "CN=a" }, { "keep", "2.5.4.99=b,L=Here,CN=a" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wish x = { .subject = "CN=a,L=Here,2.5.4.99=#0c0162" };

		world_put(
		    w, KIND_FORMAT, FORMAT_TLS,
		    arena_printf(
			w->a,
			"{\"name\":\"TLS\",\"unknown_subject\":\"%s\",\"subject\":[{\"attribute\":\"CN\"}]}",
			rows[i].how));
		if (i == 0)
			assert_string_equal(subject_text(made(ask(&x))->subject), rows[i].want);
		else
			assert_non_null(strstr(subject_text(made(ask(&x))->subject), "L=Here"));
	}
}

static void
an_empty_subject_needs_leave_and_a_name(void **state)
{
	struct wish x = { .subject = "", .san = { "dns:a.example" } };
	struct cert *c;

	world_put(w, KIND_FORMAT, FORMAT_TLS, "{\"name\":\"TLS\",\"san\":[{\"type\":\"dns\"}]}");
	refused(ask(&x), CHY_SUBJECT_EMPTY, "subject", "subject");
	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"empty_subject\":true,\"san\":[{\"type\":\"dns\"}]}");
	c = made(ask(&x));
	assert_true(name_is_empty(c->subject));
	assert_true(exts_find(&c->exts, OID_CE_SUBJECT_ALT_NAME)->critical);
	x.san[0] = NULL;
	refused(ask(&x), CHY_SAN_MISSING, "alternative-names", "csr.subject_alternative_names");
}

/* ---- alternative names ---- */

static void
alternative_names_follow_the_format(void **state)
{
	struct wish x = { .subject = "CN=a",
			  .san = { "dns:a.example", "dns:b.example", "dns:c.example", "ip:192.0.2.1" } };
	const char *text = ext_text(made(ask(&x)), OID_CE_SUBJECT_ALT_NAME);

	assert_non_null(strstr(text, "c.example"));
	assert_non_null(strstr(text, "192.0.2.1"));
	x.san[4] = "dns:d.example";
	refused(ask(&x), CHY_SAN_COUNT, "alternative-names", "csr.subject_alternative_names");
	x.san[4] = "dns:A.example"; /* the same as the first: taken once */
	passes(ask(&x));
	assert_int_equal(d.inputs.san.n, 4);
	x.san[4] = "email:me@a.example";
	refused(ask(&x), CHY_SAN_TYPE, "alternative-names", "csr.subject_alternative_names");
	x.san[4] = "uri:https://a.example/"; /* source none: dropped */
	passes(ask(&x));
	assert_int_equal(d.inputs.san.n, 4);
	x = (struct wish){ .subject = "CN=a", .san = { "ip:192.0.2.1" } };
	refused(ask(&x), CHY_SAN_MISSING, "alternative-names", "csr.subject_alternative_names");
}

static void
fixed_names_are_always_there(void **state)
{
	struct wish x = { .subject = "CN=a" };

	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\"}],\"unknown_san\":\"drop\",\"san\":["
		  "{\"type\":\"uri\",\"source\":\"fixed\",\"values\":[\"https://x.example/\"]},"
		  "{\"type\":\"upn\",\"source\":\"fixed\",\"values\":[\"me@x.example\"]}]}");
	assert_non_null(strstr(ext_text(made(ask(&x)), OID_CE_SUBJECT_ALT_NAME), "https://x.example/"));
	assert_int_equal(d.inputs.san.n, 2);
	x.san[0] = "dns:dropped.example";
	passes(ask(&x));
	assert_int_equal(d.inputs.san.n, 2);
}

/* A PIV card's: its number, and a URI that must be its UUID. */
static void
names_of_cards(void **state)
{
	struct wish x = { .subject = "CN=a",
			  .san = { FASC_N, "uri:urn:uuid:00112233-4455-6677-8899-aabbccddeeff" } };

	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\"}],\"san\":[{\"type\":\"fasc-n\","
		  "\"mandatory\":true},{\"type\":\"uri\",\"begins_with\":\"urn:uuid:\"}]}");
	assert_non_null(strstr(ext_text(made(ask(&x)), OID_CE_SUBJECT_ALT_NAME), FASC_N));
	x.san[1] = "uri:https://a.example/";
	refused(ask(&x), CHY_SAN_VALUE, "alternative-names", "csr.subject_alternative_names");
	x.san[0] = x.san[1] = "uri:urn:uuid:00112233-4455-6677-8899-aabbccddeeff";
	refused(ask(&x), CHY_SAN_MISSING, "alternative-names", "csr.subject_alternative_names");
}

static void
common_names_are_alternative_names(void **state)
{
	struct wish x = { .subject = "CN=A.example",
			  .san = { "dns:a.example", "ip:192.0.2.1", "email:me@a.example" } };

	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\"}],\"empty_subject\":true,\"san\":[{"
		  "\"type\":"
		  "\"dns\"},{\"type\":\"ip\"},{\"type\":\"email\"}],\"common_name_in_san\":true}");
	passes(ask(&x));
	x.subject = "CN=192.0.2.1";
	passes(ask(&x));
	x.subject = "CN=me@a.example";
	passes(ask(&x));
	x.subject = "";
	passes(ask(&x));
	x.subject = "CN=b.example";
	refused(ask(&x), CHY_SUBJECT_VALUE, "alternative-names", "subject.CN");
	x.subject = "CN=A server";
	refused(ask(&x), CHY_SUBJECT_VALUE, "alternative-names", "subject.CN");
}

/* ---- other extensions ---- */

static void
extensions_of_the_request_by_the_format(void **state)
{
	struct wish x = { GOOD, .other = "1.2.3.4.5" };
	struct cert *c = made(ask(&x));

	assert_null(exts_find_oid(&c->exts, bytes_of("\x2a\x03\x04\x05", 4)));
	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"unknown_subject\":\"keep\",\"unknown_san\":\"drop\",\"unknown_"
		  "extensions\":\"refuse\"}");
	refused(ask(&x), CHY_ISSUE_EXTENSION, "extensions", "csr.extensions");
	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"unknown_subject\":\"keep\",\"unknown_san\":\"drop\",\"unknown_"
		  "extensions\":\"refuse\","
		  "\"request_extensions\":[{\"oid\":\"1.2.3.4.5\",\"mandatory\":true}]}");
	c = made(ask(&x));
	assert_non_null(exts_find_oid(&c->exts, bytes_of("\x2a\x03\x04\x05", 4)));
	x.other = NULL;
	refused(ask(&x), CHY_ISSUE_EXTENSION, "extensions", "csr.extensions");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"extensions\":[{"
		  "\"oid\":\"1.2.3.4.5\","
		  "\"value\":\"0101ff\"}]}");
	x.other = "1.2.3.4.5"; /* the procedure's own stands, once */
	c = made(ask(&x));
	assert_bytes(exts_find_oid(&c->exts, bytes_of("\x2a\x03\x04\x05", 4))->value,
		     bytes_of("\x01\x01\xff", 3));
}

/* ---- validity ---- */

static void
validity_within_the_procedure(void **state)
{
	const int64_t end = WORLD_NOW + 90 * 86400000LL - 1000;
	struct asking *q = ask(&good);

	q->request.not_after_ms = end;
	passes(q);
	q->request.not_after_ms = end + 1000;
	refused(q, CHY_VALIDITY_PROCEDURE, "validity", "validity.not_after");
	q->request.not_after_ms = WORLD_NOW + 86400000LL;
	passes(q);
	assert_int_equal(d.not_after_ms, WORLD_NOW + 86400000LL);
	assert_int_equal(d.not_before_ms, WORLD_NOW);
	q->request.not_before_ms = WORLD_NOW + 3600000;
	passes(q);
	assert_int_equal(d.not_before_ms, WORLD_NOW + 3600000);
	q->request.not_before_ms = q->request.not_after_ms;
	refused(q, CHY_VALIDITY_ORDER, "validity", "validity.not_after");
	q->request.not_before_ms = WORLD_NOW - 1000;
	refused(q, CHY_VALIDITY_PROCEDURE, "validity", "validity.not_before");
	q->request.not_before_ms = WORLD_NOW - 5000;
	q->request.not_after_ms = WORLD_NOW - 1000;
	refused(q, CHY_VALIDITY_ORDER, "validity", "validity.not_after");
}

static void
a_procedure_may_keep_validity_to_itself(void **state)
{
	struct asking *q;

	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"PT8H\",\"requested_"
		  "validity\":false,"
		  "\"backdate\":\"PT5M\"}");
	q = ask(&good);
	passes(q);
	assert_int_equal(d.not_before_ms,
			 WORLD_NOW - 60000); /* backdated, but not before the authority's own */
	assert_int_equal(d.not_after_ms, WORLD_NOW - 300000 + 8 * 3600000 - 1000);
	q->request.not_after_ms = WORLD_NOW + 3600000;
	refused(q, CHY_VALIDITY_NOT_ALLOWED, "validity", "validity");
}

static void
validity_ends_with_the_authority(void **state)
{
	int64_t end = snapshot_authority(w->s, doc_id_of(ISSUING_CA))->not_after_ms;
	struct asking *q = ask(&good);

	q->facts.now_ms = end - 86400000;
	passes(q);
	assert_int_equal(d.not_after_ms, end);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P1D\",\"beyond_"
		  "authority\":\"refuse\"}");
	q = ask(&good);
	q->facts.now_ms = end - 86400000 + 1000; /* ends with it, to the second */
	passes(q);
	assert_int_equal(d.not_after_ms, end);
	q->facts.now_ms += 1000;
	refused(q, CHY_VALIDITY_AUTHORITY, "validity", "validity.not_after");
	q->request.not_after_ms = end;
	passes(q);
}

static void
serials_begin_with_the_time(void **state)
{
	struct asking *q = ask(&good);

	q->facts.now_ms = 0;
	assert_int_equal(decide(q, &(struct err){ 0 }), RC_CONFLICT);
	passes(ask(&good));
	assert_true(d.serial[0] > 0 && d.serial[0] < 0x80);
}

/* The verifier of the journal knows its key's certificate by this name. */
#define EACH(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}
#define EACH_ROWS(fn, ids) \
	{ \
#fn " rows=" ids, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	EACH(a_good_request_gives_a_certificate),
	EACH(the_trace_names_every_rule_in_order),
	EACH(the_same_facts_give_the_same_bytes),
	EACH_ROWS(what_was_considered_is_kept, "CM-T-29"),
	EACH(officers_need_role_and_an_open_record),
	EACH_ROWS(the_officers_certificate_as_it_stands_now, "CM-O-31"),
	EACH(sessions_have_limits),
	EACH_ROWS(issuer_constraints_confine, "CM-O-09"),
	EACH_ROWS(token_procedures_are_found_and_open, "CM-T-03"),
	EACH(other_storage_profiles_say_so),
	EACH_ROWS(the_domain_must_show_it, "CM-O-13 CM-O-14"),
	EACH_ROWS(closed_documents_behind_it_refuse, "CM-C-24"),
	EACH(an_authority_without_certificate_is_not_ready),
	EACH(an_authority_out_of_its_time_issues_nothing),
	EACH_ROWS(possession_must_be_proved, "CM-C-26"),
	EACH(weak_keys_are_refused),
	EACH(formats_limit_keys),
	EACH(keys_of_authorities_are_refused),
	EACH(the_key_identifier_must_come),
	EACH(a_request_for_a_ca_is_refused),
	EACH(key_usage_is_the_requests_else_the_procedures),
	EACH(a_key_gets_only_usages_that_it_can_have),
	EACH(a_procedures_usages_fit_the_key_or_go),
	EACH(extended_key_usage_by_the_format),
	EACH(subjects_follow_the_format),
	EACH(unknown_attributes_are_refused_dropped_or_kept),
	EACH(an_empty_subject_needs_leave_and_a_name),
	EACH(alternative_names_follow_the_format),
	EACH(fixed_names_are_always_there),
	EACH(names_of_cards),
	EACH(common_names_are_alternative_names),
	EACH(extensions_of_the_request_by_the_format),
	EACH_ROWS(validity_within_the_procedure, "CM-I-18"),
	EACH(a_procedure_may_keep_validity_to_itself),
	EACH_ROWS(validity_ends_with_the_authority, "CM-C-09"),
	EACH(serials_begin_with_the_time),
};

TESTS_MAIN(tests)
