/*
 * Token procedures and what they refer to, as compiled; and what a closed one among them does to issuing.
 */
#include "policy_world.h"

#include "model/choices.h"

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

#define CARD \
	"{\"name\":\"Card\",\"storage_profile\":\"smart-card\",\"card_serial_number\":true,\"serial_number_" \
	"from\":" \
	"1000,\"serial_number_to\":1999,\"pin_procedure\":901,\"key_procedures\":[902,904,903]," \
	"\"issuer_certificates\":\"issuing\",\"cas_for_recovered_certificates\":true," \
	"\"attribute_certificate_procedures\":[905],\"certificate_procedures\":[703,701],\"input_view\":" \
	"908}"

static const struct token_procedure *
token(int64_t id)
{
	const struct token_procedure *t = snapshot_token_procedure(w->s, doc_id_of(id));

	assert_non_null(t);
	return t;
}

static void
everything_is_compiled(void **state)
{
	const struct token_procedure *t;

	world_put(w, KIND_TOKEN_PROCEDURE, 850, CARD);
	t = token(850);
	assert_int_equal(t->why_not.code, CHY_NONE);
	assert_int_equal(t->storage, STORAGE_SMART_CARD);
	assert_int_equal(t->issuers, ISSUERS_ISSUING);
	assert_true(t->issuers_of_recovered && t->card_serials);
	assert_int_equal(t->serial_from, 1000);
	assert_int_equal(t->serial_to, 1999);
	assert_int_equal(t->pin->doc->id.v, PIN);
	assert_int_equal(t->pin->method, PIN_SHOWN);
	assert_int_equal(t->pin->generated_length, 16);
	assert_int_equal(t->pin->characters, PIN_LETTERS_AND_DIGITS);
	assert_int_equal(t->view->doc->id.v, VIEW);
	assert_string_equal(t->view->fields[0].input->name, "subject.common-name");
	assert_string_equal(t->view->fields[0].label, "Common name");
	assert_int_equal(t->keys_n, 3); /* in their order */
	assert_int_equal(t->keys[0]->action, KEY_ARCHIVE);
	assert_true(t->keys[1]->action == KEY_RECOVER && !t->keys[1]->reuse);
	assert_int_equal(t->keys[1]->renew->doc->id.v, PROC_CRYPT);
	assert_true(t->keys[2]->action == KEY_RECOVER && t->keys[2]->reuse && !t->keys[2]->all);
	assert_int_equal(t->acs_n, 1);
	assert_int_equal(t->acs[0]->authority->doc->id.v, ISSUING_CA);
	assert_int_equal(t->acs[0]->why_not.code, CHY_NONE);
	assert_int_equal(t->procedures_n, 2);
	assert_int_equal(t->procedures[0]->doc->id.v, PROC_CRYPT);
	t = token(TOKEN);
	assert_true(t->pin == NULL && t->view == NULL && !t->card_serials && t->keys_n == 0);
}

static void
certificate_procedures_are_compiled(void **state)
{
	const struct procedure *p;

	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"authority_chain\":[502,501],\"format\":602,"
		  "\"validity\":\"P90D\","
		  "\"key_algorithm\":\"rsa-3072\",\"crl_procedure\":906,\"distribution_rules\":[907],"
		  "\"transport_controls\":[\"card-serial\",\"issuer\"],\"transport_issuers\":[501]}");
	p = snapshot_procedure(w->s, doc_id_of(PROC_NONE));
	assert_int_equal(p->why_not.code, CHY_NONE);
	assert_int_equal(p->key_type.alg, KEY_RSA);
	assert_int_equal(p->key_type.bits, 3072);
	assert_int_equal(p->chain_n, 2);
	assert_int_equal(p->chain[1]->doc->id.v, ROOT_CA);
	assert_int_equal(p->transport_controls, TRANSPORT_ISSUER | TRANSPORT_CARD_SERIAL);
	assert_int_equal(p->transport_issuers[0]->doc->id.v, ROOT_CA);
	p = snapshot_procedure(w->s, doc_id_of(PROC_SIGN));
	assert_int_equal(p->key_type.alg, KEY_EC);
	assert_true(p->chain_n == 0 && p->transport_controls == 0 && p->crl == NULL);
}

static void
keys_that_are_archived(void **state)
{
	const struct key_procedure *all = snapshot_key_procedure(w->s, doc_id_of(ARCHIVE)), *one;
	static const struct {
		int64_t procedure;
		bool all, one;
	} rows[] = { { PROC_SIGN, false, true }, { PROC_NONE, true, false }, { PROC_CRYPT, true, false } };

	world_put(w, KIND_KEY_PROCEDURE, 930,
		  "{\"name\":\"One\",\"action\":\"archive\",\"certificate_procedures\":[701]}");
	one = snapshot_key_procedure(w->s, doc_id_of(930));
	all = snapshot_key_procedure(w->s, doc_id_of(ARCHIVE));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct procedure *p = snapshot_procedure(w->s, doc_id_of(rows[i].procedure));

		assert_int_equal(key_procedure_archives(all, p), rows[i].all);
		assert_int_equal(key_procedure_archives(one, p), rows[i].one);
		assert_false(key_procedure_archives(snapshot_key_procedure(w->s, doc_id_of(RENEW)), p));
	}
}

/* ---- CRL distribution points ---- */

#define GOOD .subject = "CN=www.example.org", .san = { "dns:www.example.org" }
static const struct wish good = { GOOD };

/* The addresses in a certificate of PROC_NONE: "a | b c": two points, the second with two addresses. */
static const char *
points(void)
{
	struct asking *q = world_ask(w, "Server", &good);
	OWN_BUF struct buf b = buf_max(4096);
	struct issue_decision d;
	struct cert c;
	struct bytes tbs;
	struct ext_value v;
	struct err e = { 0 };
	const struct ext *x;

	if (decide_issue(w->a, &q->facts, &d, &e) != RC_OK || issue_tbs(w->a, &d, &tbs, &e) != RC_OK ||
	    cert_parse_tbs(w->a, tbs, &c, &e) != RC_OK)
		return code_name(e.code);
	x = exts_find(&c.exts, OID_CE_CRL_POINTS);
	if (x == NULL)
		return "";
	assert_ok(ext_decode(w->a, x, &v, &e));
	for (size_t i = 0; i < v.points.n; i++)
		for (size_t k = 0; k < v.points.v[i].full_name.n; k++)
			buf_printf(&b, "%s%.*s",
				   k       ? " "
				       : i ? " | "
					   : "",
				   BYTES_FMT(v.points.v[i].full_name.v[k].value));
	return arena_str(w->a, buf_bytes(&b));
}

static void
crl(int64_t id, const char *name, const char *rest)
{
	world_put(
	    w, KIND_CRL_PROCEDURE, id,
	    arena_printf(
		w->a,
		"{\"name\":\"%s\",\"distribution_points\":[\"http://%s.example\",\"ldap://%s.example\"]%s}",
		name, name, name, rest));
}

/* The world's authority has one address of its own. */
static void
all_matching_crl_procedures_are_included(void **state)
{
	assert_string_equal(points(), "http://ca.example/i.crl");
	crl(941, "one", ",\"authority\":502,\"include\":true");
	crl(942, "root", ",\"authority\":501,\"include\":true");
	crl(943, "silent", ",\"authority\":502"); /* not included unless said */
	crl(944, "closed", ",\"authority\":502,\"state\":\"closed\",\"include\":true");
	crl(945, "north", ",\"authority\":502,\"domain\":101,\"include\":true");
	crl(946, "two", ",\"authority\":502,\"type\":\"partial\",\"include\":true");
	assert_string_equal(
	    points(),
	    "http://ca.example/i.crl | http://one.example ldap://one.example | http://two.example "
	    "ldap://two.example");
}

#define PROCEDURE(rest) "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P90D\"" rest "}"

static void
a_crl_procedure_replaces_them(void **state)
{
	struct err e = { 0 };

	crl(941, "one", ",\"authority\":502,\"include\":true");
	crl(942, "two", ",\"authority\":502,\"include\":false");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE(",\"crl_procedure\":942"));
	assert_string_equal(points(), "http://two.example ldap://two.example");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  PROCEDURE(",\"crl_urls\":[\"http://own.example\"]"));
	assert_string_equal(points(), "http://own.example");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE(",\"omit\":[\"crl\"]"));
	assert_string_equal(points(), "");
	assert_code(world_check(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, false,
				PROCEDURE(",\"crl_procedure\":942,\"crl_urls\":[\"http://own.example\"]"),
				NULL, &e),
		    CHY_FIELD_UNAVAILABLE);
	crl(943, "other", ",\"authority\":501");
	assert_code(world_check(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, false,
				PROCEDURE(",\"crl_procedure\":943"), NULL, &e),
		    CHY_FIELD_CONFLICT);
}

static const char split_body[] =
    "{\"name\":\"Split\",\"authority\":502,\"include\":true,\"interval\":\"P1D\",\"partitions\":%d,"
    "\"distribution_points\":[\"http://crl.example/a-{partition}.crl\",\"ldap://crl.example/x/"
    "{partition}\"]%s}";

static void
split(int64_t id, int partitions, const char *rest)
{
	world_put(w, KIND_CRL_PROCEDURE, id, arena_printf(w->a, split_body, partitions, rest));
}

/* Each certificate points to the list of one partition, by its serial number, and the decision says which. */
static void
partitions_by_serial_number(void **state)
{
	bool seen[5] = { false };
	struct asking *q;
	struct issue_decision d;
	struct err e = { 0 };

	split(941, 4, "");
	for (int i = 0; i < 64; i++) {
		q = world_ask(w, "Server", &good);
		q->facts.random[SERIAL_RANDOM - 1] = (uint8_t)i;
		assert_ok(decide_issue(w->a, &q->facts, &d, &e));
		assert_in_range(d.crl_partition, 1, 4);
		seen[d.crl_partition] = true;
	}
	assert_true(seen[1] && seen[2] && seen[3] && seen[4]);
	q = world_ask(w, "Server", &good);
	assert_ok(decide_issue(w->a, &q->facts, &d, &e));
	assert_string_equal(points(),
			    arena_printf(w->a,
					 "http://ca.example/i.crl | http://crl.example/a-%u.crl "
					 "ldap://crl.example/x/%u",
					 d.crl_partition, d.crl_partition));
}

static void
partitions_only_grow(void **state)
{
	static const struct {
		const char *text;
		enum code code;
	} rows[] = {
		{ "\"partitions\":8,\"distribution_points\":[\"http://a.example/{partition}\"]", CHY_NONE },
		{ "\"partitions\":65536,\"distribution_points\":[\"http://a.example/{partition}\"]",
		  CHY_NONE },
		{ "\"partitions\":65537,\"distribution_points\":[\"http://a.example/{partition}\"]",
		  CHY_FIELD_RANGE },
		{ "\"partitions\":3,\"distribution_points\":[\"http://a.example/{partition}\"]",
		  CHY_FIELD_CONFLICT },
		{ "\"distribution_points\":[\"http://a.example/one\"]", CHY_FIELD_CONFLICT },
		{ "\"partitions\":8,\"distribution_points\":[\"http://a.example/one\"]", CHY_FIELD_CONFLICT },
		{ "\"partitions\":8,\"distribution_points\":[\"http://{partition}.example/one\"]",
		  CHY_FIELD_CONFLICT },
		{ "\"partitions\":8,\"distribution_points\":[\"http://a.example/{partition}{partition}\"]",
		  CHY_FIELD_URI },
		{ "\"partitions\":8,\"distribution_points\":[\"http://a.example/{partition}/x\"]",
		  CHY_FIELD_CONFLICT },
		{ "\"partitions\":8,\"distribution_points\":[\"http://a.example/{other}\"]", CHY_FIELD_URI },
		{ "\"partitions\":8,\"type\":\"partial\",\"covers\":\"authorities\","
		  "\"distribution_points\":[\"http://a.example/{partition}\"]",
		  CHY_FIELD_CONFLICT },
	};
	struct err e;

	split(941, 4, "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = arena_printf(
		    w->a, "{\"name\":\"Split\",\"authority\":502,\"interval\":\"P1D\",%s}", rows[i].text);
		enum rc rc;

		err_clear(&e);
		rc = world_check(w, KIND_CRL_PROCEDURE, 941, false, text, NULL, &e);
		if (rows[i].code == CHY_NONE)
			assert_ok(rc);
		else
			assert_code(rc, rows[i].code);
	}
	crl(942, "one", ",\"authority\":502,\"interval\":\"P1D\"");
	err_clear(&e);
	assert_code(world_check(w, KIND_CRL_PROCEDURE, 942, false,
				"{\"name\":\"one\",\"authority\":502,\"interval\":\"P1D\",\"partitions\":2,"
				"\"distribution_points\":[\"http://one.example/{partition}\"]}",
				NULL, &e),
		    CHY_FIELD_CONFLICT);
}

static void
one_partition_a_certificate(void **state)
{
	const struct procedure *p;

	split(941, 4, "");
	world_put(
	    w, KIND_CRL_PROCEDURE, 942,
	    "{\"name\":\"Other\",\"authority\":502,\"include\":true,\"interval\":\"P1D\",\"partitions\":2,"
	    "\"distribution_points\":[\"http://crl.example/b-{partition}.crl\"]}");
	p = snapshot_procedure(w->s, doc_id_of(PROC_NONE));
	assert_int_equal(p->why_not.code, CHY_FIELD_CONFLICT);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE(",\"crl_procedure\":942"));
	p = snapshot_procedure(w->s, doc_id_of(PROC_NONE));
	assert_int_equal(p->why_not.code, CHY_NONE);
	assert_ptr_equal(p->split, snapshot_crl_procedure(w->s, doc_id_of(942)));
}

/* ---- closing ---- */

static void
refuses(int64_t procedure, const char *text)
{
	struct asking *q = world_ask(w, arena_printf(w->a, "%lld", (long long)procedure), &good);
	struct issue_decision d;
	struct err e = { 0 };

	assert_true(decide_issue(w->a, &q->facts, &d, &e) != RC_OK);
	assert_int_equal(e.code, CHY_ISSUE_UNUSABLE);
	if (strstr(e.text, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, text);
}

/* What is closed is named by whoever would use it; everything else goes on. */
static void
uses_of_closed_documents_are_refused_by_name(void **state)
{
	world_put(w, KIND_TOKEN_PROCEDURE, 850, CARD);
	world_put(w, KIND_PIN_PROCEDURE, PIN, "{\"name\":\"PIN\",\"state\":\"closed\",\"method\":\"shown\"}");
	refuses(850, "PIN procedure \"PIN\" is closed");
	world_put(w, KIND_PIN_PROCEDURE, PIN, "{\"name\":\"PIN\",\"method\":\"shown\"}");
	world_put(w, KIND_KEY_PROCEDURE, ARCHIVE,
		  "{\"name\":\"Archive\",\"state\":\"closed\",\"action\":\"archive\"}");
	refuses(850, "Key procedure \"Archive\" is closed");
	world_put(w, KIND_KEY_PROCEDURE, ARCHIVE, "{\"name\":\"Archive\",\"action\":\"archive\"}");
	world_put(w, KIND_INPUT_VIEW, VIEW,
		  "{\"name\":\"Names\",\"state\":\"closed\",\"fields\":[{\"input\":\"san.dns\"}]}");
	refuses(850, "Input view \"Names\" is closed");
	world_put(w, KIND_INPUT_VIEW, VIEW, "{\"name\":\"Names\",\"fields\":[{\"input\":\"san.dns\"}]}");
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, PROC_AC,
		  "{\"name\":\"Roles\",\"state\":\"closed\",\"authority\":502,\"format\":603,\"validity\":"
		  "\"P7D\"}");
	refuses(850, "Attribute certificate procedure \"Roles\" is closed");
	assert_string_equal(points(), "http://ca.example/i.crl"); /* others are not touched */
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE(",\"crl_procedure\":906"));
	world_put(w, KIND_CRL_PROCEDURE, PROC_CRL,
		  "{\"name\":\"CRL\",\"state\":\"closed\",\"authority\":502,\"distribution_points\":[\"http:/"
		  "/a\"]}");
	refuses(TOKEN, "CRL procedure \"CRL\" is closed");
}

/* ---- formats ---- */

static void
unknown_parameters_are_reported_when_loaded(void **state)
{
	static const struct {
		const char *body;
		enum code code;
		const char *says;
	} rows[] = {
		{ "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\"},{\"attribute\":\"O\",\"shout\":true}"
		  "]}",
		  CHY_FIELD_UNKNOWN, "subject[1].shout" },
		{ "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\",\"modifiers\":[\"trim\",\"reverse\"]}"
		  "]}",
		  CHY_FIELD_CHOICE, "subject[0].modifiers[1]" },
		{ "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\",\"input\":\"device.colour\"}]}",
		  CHY_FIELD_CHOICE, "subject[0].input" },
		{ "{\"name\":\"TLS\",\"san\":[{\"type\":\"dns\",\"modifiers\":[\"replace:/\"]}]}",
		  CHY_FIELD_VALUE, "san[0].modifiers[0]" },
		{ "{\"name\":\"TLS\",\"input_extensions\":[{\"oid\":\"2.5.29.15\",\"input\":\"person.name\"}]"
		  "}",
		  CHY_FIELD_CONFLICT, "input_extensions[0].oid" },
		{ "{\"name\":\"TLS\",\"san\":[{\"type\":\"telex\"}]}", CHY_FIELD_CHOICE, "san[0].type" },
		{ "{\"name\":\"TLS\",\"tempo\":7}", CHY_FIELD_UNKNOWN, "tempo" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct unusable u;
		struct err e = { 0 };

		/* an officer is told at once ... */
		assert_code(world_check(w, KIND_FORMAT, FORMAT_TLS, false, rows[i].body, NULL, &e),
			    rows[i].code);
		world_check(w, KIND_FORMAT, FORMAT_TLS, false, rows[i].body, NULL, &e);
		assert_string_equal(e.field, rows[i].says);
		/* ... and what is in the store all the same, of another version of the program, is not used */
		world_force(w, KIND_FORMAT, FORMAT_TLS, rows[i].body);
		u = snapshot_unusable(w->s, doc_id_of(FORMAT_TLS));
		assert_int_equal(u.code, rows[i].code);
		assert_non_null(strstr(u.text, rows[i].says));
		refuses(TOKEN, rows[i].says);
	}
}

#define OPEN(list) \
	"{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\"}],\"san\":[{\"type\":\"dns\"}],\"procedure_" \
	"settings\":" \
	"\"listed\",\"open_settings\":[" list "]}"

/* Every choice of open_settings is a member of certificate procedures, and each is closed unless it is listed. */
static void
formats_open_settings(void **state)
{
	static const char *const values[] = {
		",\"key_usage\":[\"digitalSignature\"]",
		",\"extended_key_usage\":[\"serverAuth\"]",
		",\"certificate_policies\":[{\"policy\":\"1.2.3\"}]",
		",\"crl_procedure\":906",
		",\"crl_urls\":[\"http://a.example\"]",
		",\"freshest_crl_urls\":[\"http://a.example\"]",
		",\"ca_issuers_urls\":[\"http://a.example\"]",
		",\"ocsp_urls\":[\"http://a.example\"]",
		",\"omit\":[\"crl\"]",
		",\"qc_statements\":{\"compliance\":true}",
		",\"tls_feature\":[5]",
		",\"ocsp_no_check\":true",
		",\"issuer_alternative_names\":[\"dns:a.example\"]",
		",\"extensions\":[{\"oid\":\"1.2.3\",\"value\":\"0500\"}]",
	};
	size_t n = 0;

	for (const struct choice *c = open_setting_choices; c->name != NULL; c++, n++) {
		const char *body = arena_printf(
		    w->a, "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P90D\"%s}",
		    values[n]);
		struct err e = { 0 };

		assert_non_null(field_find(kind_of(KIND_CERTIFICATE_PROCEDURE)->fields, bytes_str(c->name)));
		assert_non_null(json_get(world_json(w, body), c->name));
		world_put(w, KIND_FORMAT, FORMAT_TLS, OPEN(""));
		assert_int_not_equal(
		    world_check(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, false, body, NULL, &e), RC_OK);
		assert_int_equal(e.code, CHY_FIELD_UNAVAILABLE);
		assert_string_equal(e.field, c->name);
		assert_non_null(strstr(e.text, "\"TLS\"")); /* it names the format and the setting */
		assert_non_null(strstr(e.text, c->name));
		world_put(w, KIND_FORMAT, FORMAT_TLS, arena_printf(w->a, OPEN("\"%s\""), c->name));
		err_clear(&e);
		if (world_check(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, false, body, NULL, &e) != RC_OK)
			fail_msg("%s: %s", c->name, e.text);
	}
	assert_int_equal(n, ARRAY_LEN(values));
}

/* A format that closes what a procedure has already makes the procedure unusable, by both names. */
static void
a_format_that_closes_later(void **state)
{
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE(",\"tls_feature\":[5]"));
	assert_string_equal(points(), "http://ca.example/i.crl");
	world_put(w, KIND_FORMAT, FORMAT_TLS, OPEN("\"omit\""));
	refuses(TOKEN, "format \"TLS\" does not open the setting tls_feature");
}

static void
formats_demand_qc_statements(void **state)
{
	struct issue_decision d;
	struct err e = { 0 };
	struct asking *q;

	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"CN\"}],\"san\":[{\"type\":\"dns\"}],"
		  "\"qc_mandatory\":true}");
	q = world_ask(w, "Server", &good);
	assert_code(decide_issue(w->a, &q->facts, &d, &e), CHY_QC_MISSING);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  PROCEDURE(",\"qc_statements\":{\"compliance\":true}"));
	q = world_ask(w, "Server", &good);
	assert_ok(decide_issue(w->a, &q->facts, &d, &e));
}

/* A procedure with no chain, in each way of not giving one, and with chains of the issuing authority; and none that begins elsewhere. */
static void
the_chain_is_optional(void **state)
{
	static const struct {
		const char *chain;
		enum code code;
	} chains[] = {
		{ "[502]", CHY_NONE },
		{ "[502,501]", CHY_NONE },
		{ "[]", CHY_NONE },
		{ "null", CHY_NONE },
		{ "[501,502]", CHY_FIELD_CONFLICT },
		{ "[501]", CHY_FIELD_CONFLICT },
		{ "[702]", CHY_REF_KIND },
	};
	const char *without = "{\"name\":\"New\",\"authority\":502,\"format\":602,\"validity\":\"P90D\"}";
	struct json *body = world_json(w, without);
	const struct document_check c = { .kind = kind_of(KIND_CERTIFICATE_PROCEDURE), .policy = w->s };
	struct json *normal;
	struct err e = { 0 };

	assert_null(json_get(body, "authority_chain"));
	if (document_check(w->a, &c, body, &normal, &e) != RC_OK)
		fail_msg("without a chain: %s %s", e.field, e.text);
	for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
		json_set(body, "authority_chain", world_json(w, chains[i].chain));
		err_clear(&e);
		(void)!document_check(w->a, &c, body, &normal, &e);
		if (e.code != chains[i].code)
			fail_msg("%s: %s %s", chains[i].chain, code_name(e.code), e.text);
	}
}

#define EACH(fn, ids) \
	{ \
#fn " rows=" ids, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	EACH(the_chain_is_optional, "CM-C-05"),
	EACH(everything_is_compiled, "CM-T-13 CM-T-14 CM-T-21 CM-T-24 CM-T-32"),
	EACH(certificate_procedures_are_compiled, "CM-C-25"),
	{ "keys_that_are_archived", keys_that_are_archived, setup, teardown, NULL },
	EACH(all_matching_crl_procedures_are_included, "CM-C-18"),
	EACH(a_crl_procedure_replaces_them, "CM-C-17"),
	EACH(partitions_by_serial_number, "CM-A-08"),
	EACH(partitions_only_grow, "CM-A-08"),
	EACH(one_partition_a_certificate, "CM-A-08"),
	EACH(uses_of_closed_documents_are_refused_by_name, "CM-T-03"),
	EACH(unknown_parameters_are_reported_when_loaded, "CM-C-22"),
	EACH(formats_open_settings, "CM-C-23"),
	EACH(a_format_that_closes_later, "CM-C-23"),
	EACH(formats_demand_qc_statements, "CM-C-15"),
};

TESTS_MAIN(tests)
