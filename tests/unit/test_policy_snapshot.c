/*
 * The policy in force: indexes, names by domain, what cannot be used and why, and ten thousand procedures.
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

static void
documents_by_id_kind_and_list(void **state)
{
	const struct document *const *all;
	size_t n = snapshot_list(w->s, KIND_CERTIFICATE_PROCEDURE, &all);

	assert_int_equal(n, 3);
	for (size_t i = 1; i < n; i++)
		assert_true(all[i - 1]->id.v < all[i]->id.v);
	assert_text(snapshot_document(w->s, doc_id_of(ISSUING_CA))->name, "Issuing CA");
	assert_null(snapshot_document(w->s, doc_id_of(0)));
	assert_null(snapshot_of_kind(w->s, KIND_FORMAT, doc_id_of(ISSUING_CA)));
	assert_null(snapshot_procedure(w->s, doc_id_of(TOKEN)));
	assert_int_equal(snapshot_list(w->s, KIND_NONE, &all), 0);
	assert_int_equal(snapshot_list(NULL, KIND_FORMAT, &all), 0);
}

static int64_t
by_name(const char *name, int64_t from)
{
	const struct document *d;
	struct err e = { 0 };

	assert_ok(find_by_name(w->s, KIND_FORMAT, bytes_str(name), doc_id_of(from), &d, &e));
	return d ? d->id.v : 0;
}

static int64_t
find(const char *name, int64_t home, enum code want)
{
	const struct document *d = NULL;
	struct err e = { 0 };
	enum rc rc = find_document(w->s, KIND_FORMAT, bytes_str(name), doc_id_of(home), &d, &e);

	assert_int_equal(e.code, want);
	return rc == RC_OK ? d->id.v : 0;
}

/* The nearest of the visible ones; an officer sees below as well. */
static void
names_by_domain(void **state)
{
	world_put(w, KIND_FORMAT, 610, "{\"name\":\"F\"}");
	world_put(w, KIND_FORMAT, 611, "{\"name\":\"F\",\"domain\":101,\"visible_in_subdomain\":true}");
	world_put(w, KIND_FORMAT, 612, "{\"name\":\"F\",\"domain\":103}");
	world_put(w, KIND_FORMAT, 613, "{\"name\":\"G\",\"domain\":101}");
	world_put(w, KIND_FORMAT, 614, "{\"name\":\"G\",\"domain\":102}");
	assert_int_equal(by_name("F", 0), 610);
	assert_int_equal(by_name("F", NORTH), 611);
	assert_int_equal(by_name("F", NORTH_CITY), 612);
	assert_int_equal(by_name("F", SOUTH), 610);
	assert_int_equal(by_name("G", NORTH_CITY), 0);
	assert_int_equal(by_name("G", 0), 0);
	assert_int_equal(find("G", NORTH, CHY_NONE), 613);
	assert_int_equal(find("G", 0, CHY_REF_AMBIGUOUS), 0);
	assert_int_equal(find("613", 0, CHY_NONE), 613);
	assert_int_equal(find("613", SOUTH, CHY_REF_NOTHING), 0);
	assert_int_equal(find("601", SOUTH, CHY_NONE), 601);
	assert_int_equal(find("702", 0, CHY_REF_NOTHING), 0); /* another kind */
	assert_int_equal(find("nothing", 0, CHY_REF_NOTHING), 0);
}

/* Root's own behind a name that one's own domain has too; a path wherever a name stands; never what is not seen. */
static void
names_by_path(void **state)
{
	const char *path;

	world_put(w, KIND_FORMAT, 620, "{\"name\":\"P\"}");
	world_put(w, KIND_FORMAT, 621, "{\"name\":\"P\",\"domain\":101}");
	world_put(w, KIND_FORMAT, 622, "{\"name\":\"a/b 100%25\",\"domain\":103}");
	assert_int_equal(find("P", NORTH, CHY_NONE), 621);
	assert_int_equal(find("/P", NORTH, CHY_NONE), 620);
	assert_int_equal(find("/North/P", NORTH, CHY_NONE), 621);
	assert_int_equal(find("North/P", 0, CHY_NONE), 621);
	assert_int_equal(find("North/P", SOUTH, CHY_REF_NOTHING), 0);
	assert_int_equal(find("North/Q", 0, CHY_REF_NOTHING), 0);
	assert_int_equal(find("Nowhere/P", 0, CHY_REF_NOTHING), 0);
	assert_int_equal(find("P/P", 0, CHY_REF_NOTHING), 0);
	assert_int_equal(find("/", 0, CHY_REF_NOTHING), 0);
	assert_int_equal(find("North/", 0, CHY_REF_NOTHING), 0);
	assert_int_equal(by_name("/P", NORTH), 620);
	assert_int_equal(by_name("North/P", NORTH), 621);
	assert_int_equal(by_name("North/P", 0), 0);
	path = path_of(w->s, w->a, snapshot_document(w->s, doc_id_of(622)));
	assert_string_equal(path, "North/City/a%2Fb 100%2525");
	assert_int_equal(find(path, 0, CHY_NONE), 622);
	assert_string_equal(path_of(w->s, w->a, snapshot_document(w->s, doc_id_of(620))), "P");
}

/* Cut to what a file may be called, and found again. */
static void
long_names_by_path(void **state)
{
	char name[101], body[300];

	memset(name, '/', sizeof(name));
	name[100] = 0;
	for (int64_t id = 630; id < 632; id++) {
		const char *path;

		name[99] = (char)('a' + id - 630);
		snprintf(body, sizeof(body), "{\"name\":\"%s\",\"domain\":101}", name);
		world_put(w, KIND_FORMAT, id, body);
		path = path_of(w->s, w->a, snapshot_document(w->s, doc_id_of(id)));
		assert_in_range(strlen(path), 190, strlen("North/") + PATH_PART_MAX);
		assert_int_equal(find(path, 0, CHY_NONE), id);
	}
}

/* Who gives a document the name of another's path makes that name good for nothing; an id stays what it was. */
static void
names_that_pass_for_another(void **state)
{
	world_put(w, KIND_FORMAT, 640, "{\"name\":\"R\",\"domain\":101}");
	world_put(w, KIND_FORMAT, 641, "{\"name\":\"North/R\"}");
	assert_int_equal(find("North/R", 0, CHY_REF_AMBIGUOUS), 0);
	assert_int_equal(find("/North/R", 0, CHY_NONE), 640);
	assert_int_equal(find("/North%2FR", 0, CHY_NONE), 641);
	world_put(w, KIND_FORMAT, 642, "{\"name\":\"640\"}");
	assert_int_equal(find("640", 0, CHY_NONE), 640);
	assert_int_equal(find("640", SOUTH, CHY_NONE), 642);
	assert_int_equal(find("/640", 0, CHY_NONE), 642);
}

static void
the_domain_tree(void **state)
{
	static const struct {
		int64_t a, b;
		bool above;
	} rows[] = { { 0, 0, true },
		     { 0, NORTH, true },
		     { NORTH, NORTH, true },
		     { NORTH, NORTH_CITY, true },
		     { NORTH_CITY, NORTH, false },
		     { NORTH, SOUTH, false },
		     { NORTH, 0, false },
		     { 0, 4711, false },
		     { 4711, 4711, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(domain_is_above(w->s, doc_id_of(rows[i].a), doc_id_of(rows[i].b)),
				 rows[i].above);
	world_force(w, KIND_DOMAIN, NORTH,
		    "{\"name\":\"North\",\"parent\":103}"); /* a ring, as only a fault could make it */
	assert_false(domain_is_above(w->s, doc_id_of(SOUTH), doc_id_of(NORTH)));
	assert_int_equal(find("TLS", NORTH, CHY_REF_CIRCULAR), 0);
}

static void
officers_by_fingerprint(void **state)
{
	uint8_t print[FINGERPRINT_LEN];
	const struct officer *o;

	memset(print, 0xcc, sizeof(print));
	o = snapshot_officer_by_fingerprint(w->s, print);
	assert_int_equal(o->id.v, CLEO);
	assert_int_equal(o->roles, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_CERTIFICATE));
	assert_int_equal(o->entity, ENTITY_DYNAMIC_TOKEN);
	assert_true(o->active);
	print[0]++;
	assert_null(snapshot_officer_by_fingerprint(w->s, print));
	print[0]--;
	world_put(w, KIND_OFFICER, CLEO,
		  "{\"name\":\"Cleo\",\"state\":\"closed\",\"profile\":202,\"certificate_sha256\":" PRINT(
		      "cccccccc") "}");
	assert_false(snapshot_officer_by_fingerprint(w->s, print)->active);
	world_put(w, KIND_OFFICER, 320,
		  "{\"name\":\"Cleo again\",\"profile\":202,\"certificate_sha256\":" PRINT("cccccccc") "}");
	assert_int_equal(snapshot_officer_by_fingerprint(w->s, print)->id.v, 320);
}

static void
unusable(int64_t id, enum code code)
{
	struct unusable u = snapshot_unusable(w->s, doc_id_of(id));

	if (u.code != code)
		fail_msg("%lld: %s, not %s: %s", (long long)id, code_name(u.code), code_name(code), u.text);
	assert_true((code == CHY_NONE) == (u.text[0] == 0));
}

static void
a_broken_document_does_not_stop_the_rest(void **state)
{
	unusable(PROC_NONE, CHY_NONE);
	world_force(w, KIND_CERTIFICATE_PROCEDURE, PROC_SIGN,
		    "{\"name\":\"Sign\",\"authority\":502,\"format\":602}");
	unusable(PROC_SIGN, CHY_FIELD_DURATION);
	world_force(w, KIND_CERTIFICATE_PROCEDURE, PROC_SIGN,
		    "{\"name\":\"Sign\",\"authority\":999,\"format\":602,\"validity\":\"P1Y\"}");
	unusable(PROC_SIGN, CHY_REF_NOTHING);
	world_force(w, KIND_CERTIFICATE_PROCEDURE, PROC_SIGN,
		    "{\"name\":\"Sign\",\"authority\":502,\"format\":601,\"validity\":\"P1Y\"}");
	unusable(PROC_SIGN, CHY_FIELD_CONFLICT);
	world_force(w, KIND_CERTIFICATE_PROCEDURE, PROC_SIGN,
		    "{\"name\":\"Sign\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"signature_"
		    "algorithm\":\"ed25519\"}");
	unusable(PROC_SIGN, CHY_ISSUE_SIGNATURE_ALGORITHM);
	world_force(w, KIND_CERTIFICATE_PROCEDURE, PROC_SIGN, "{\"name\":\"Sign\"}");
	assert_int_not_equal(snapshot_unusable(w->s, doc_id_of(PROC_SIGN)).code, CHY_NONE);
	unusable(PROC_NONE, CHY_NONE);
	unusable(TOKEN, CHY_NONE);
	world_force(
	    w, KIND_TOKEN_PROCEDURE, TOKEN,
	    "{\"name\":\"Server\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[702,9]}");
	unusable(TOKEN, CHY_REF_NOTHING);
	world_force(w, KIND_FORMAT, FORMAT_TLS, "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"?\"}]}");
	unusable(FORMAT_TLS, CHY_FIELD_OID);
	unusable(PROC_NONE, CHY_FIELD_OID);
	unusable(999, CHY_REF_NOTHING);
}

static void
an_authority_whose_certificate_does_not_hold(void **state)
{
	w->facts[1].certificate = BYTES("rubbish");
	world_build(w);
	assert_int_not_equal(snapshot_unusable(w->s, doc_id_of(ISSUING_CA)).code, CHY_NONE);
	assert_int_not_equal(snapshot_unusable(w->s, doc_id_of(PROC_NONE)).code, CHY_NONE);
	unusable(ROOT_CA, CHY_NONE);
	w->facts_n = 1;
	world_build(w);
	unusable(ISSUING_CA, CHY_ISSUE_AUTHORITY_NOT_READY);
	unusable(PROC_NONE, CHY_ISSUE_AUTHORITY_NOT_READY);
}

static void
a_document_that_is_none_fails_the_whole(void **state)
{
	struct document bad = { .id = doc_id_of(1), .version = 1, .kind = KIND_FORMAT, .text = BYTES("[]") };
	struct snapshot_input in = { &bad, 1, NULL, 0 };
	struct snapshot *s = NULL;
	struct err e = { 0 };

	assert_code(snapshot_build(&in, &s, &e), CHY_JSON_TYPE);
	bad.text = BYTES("{");
	assert_code(snapshot_build(&in, &s, &e), CHY_JSON_SYNTAX);
	bad.text = BYTES("{}");
	assert_code(snapshot_build(&in, &s, &e), CHY_JSON_MISSING);
	assert_null(s);
}

static void
condemned_before_it_is_shared(void **state)
{
	struct snapshot *other;
	struct err e = { 0 };

	assert_ok(snapshot_condemn(w->s, doc_id_of(PROC_NONE), CHY_FIELD_VALUE, "a lint", &e));
	unusable(PROC_NONE, CHY_FIELD_VALUE);
	assert_ok(snapshot_condemn(w->s, doc_id_of(PROC_NONE), CHY_FIELD_URI, "another",
				   &e)); /* the first reason stays */
	unusable(PROC_NONE, CHY_FIELD_VALUE);
	assert_code(snapshot_condemn(w->s, doc_id_of(NORTH), CHY_FIELD_VALUE, "no", &e), CHY_REF_NOTHING);
	other = snapshot_ref(w->s);
	assert_code(snapshot_condemn(w->s, doc_id_of(PROC_SIGN), CHY_FIELD_VALUE, "late", &e), CHY_INTERNAL);
	snapshot_unref(other);
	snapshot_unref(NULL);
}

/* Every member of a body that goes into certificates is in the template. */
static void
everything_a_procedure_can_put_in(void **state)
{
	static const enum oid want[] = {
		OID_CE_POLICIES,      OID_CE_CRL_POINTS,       OID_CE_FRESHEST_CRL,   OID_PE_AUTHORITY_INFO,
		OID_PE_QC_STATEMENTS, OID_PE_TLS_FEATURE,      OID_PE_OCSP_NOCHECK,   OID_CE_ISSUER_ALT_NAME,
		OID_CE_EXT_KEY_USAGE, OID_CE_AUTHORITY_KEY_ID, OID_CE_SUBJECT_KEY_ID, OID_CE_BASIC_CONSTRAINTS
	};
	struct wish x = { .subject = "CN=a" };
	struct issue_decision d;
	struct bytes tbs;
	struct cert c;
	struct ext_value v;
	struct err e = { 0 };

	world_put(w, KIND_FORMAT, FORMAT_TLS,
		  "{\"name\":\"TLS\",\"unknown_subject\":\"keep\",\"basic_constraints\":true}");
	world_put(
	    w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
	    "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"extended_key_usage\":["
	    "\"OCSPSigning\"],\"extended_key_usage_critical\":true,"
	    "\"certificate_policies\":[{\"policy\":\"1.2.3\",\"cps\":\"https://a.example/"
	    "\",\"notice\":\"Grüße\"},"
	    "{\"policy\":\"1.2.4\"}],\"freshest_crl_urls\":[\"http://a.example/d\"],\"ca_issuers_urls\":"
	    "[\"http://a.example/i\",\"ldap://a.example/"
	    "i\"],\"qc_statements\":{\"compliance\":true,\"device\":true,"
	    "\"types\":[\"esign\",\"eseal\"],\"semantics\":\"legal\",\"retention_years\":10,\"limit\":{"
	    "\"currency\":\"EUR\","
	    "\"amount\":100,"
	    "\"exponent\":1},\"disclosures\":[{\"url\":\"https://a.example/pds\",\"language\":\"en\"}],"
	    "\"countries\":[\"SE\",\"DE\"]},\"tls_feature\":[5],\"ocsp_no_check\":true,"
	    "\"issuer_alternative_names\":[\"uri:https://a.example/\",\"email:ca@a.example\"],"
	    "\"extensions\":[{\"oid\":\"1.2.3.4\",\"critical\":true,\"value\":\"0500\"}]}");
	unusable(PROC_NONE, CHY_NONE);
	assert_ok(decide_issue(w->a, &world_ask(w, "Server", &x)->facts, &d, &e));
	assert_ok(issue_tbs(w->a, &d, &tbs, &e));
	assert_ok(cert_parse_tbs(w->a, tbs, &c, &e));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (exts_find(&c.exts, want[i]) == NULL)
			fail_msg("%s is not there", oid_name(want[i]));
	assert_int_equal(c.exts.n, ARRAY_LEN(want) + 1);
	assert_true(exts_find_oid(&c.exts, BYTES("\x2a\x03\x04"))->critical);
	assert_ok(ext_decode(w->a, exts_find(&c.exts, OID_PE_QC_STATEMENTS), &v, &e));
	assert_int_equal(v.qc.n, 8);
	assert_int_equal(v.qc.v[3].known, OID_PKIXQC_V2);
	assert_bytes(v.qc.v[3].semantics, oid_der(OID_QC_SEM_LEGAL));
	assert_true(exts_find(&c.exts, OID_CE_EXT_KEY_USAGE)->critical);
	assert_ok(ext_decode(w->a, exts_find(&c.exts, OID_PE_AUTHORITY_INFO), &v, &e));
	assert_int_equal(v.access.n, 3); /* OCSP from the authority, two of its own */
	assert_ok(ext_decode(w->a, exts_find(&c.exts, OID_CE_POLICIES), &v, &e));
	assert_int_equal(v.policies.v[0].quals_n, 2);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"omit\":[\"crl\","
		  "\"ocsp\",\"ca-issuers\"]}");
	assert_ok(decide_issue(w->a, &world_ask(w, "Server", &x)->facts, &d, &e));
	assert_ok(issue_tbs(w->a, &d, &tbs, &e));
	assert_ok(cert_parse_tbs(w->a, tbs, &c, &e));
	assert_null(exts_find(&c.exts, OID_CE_CRL_POINTS));
	assert_null(exts_find(&c.exts, OID_PE_AUTHORITY_INFO));
}

enum { MANY = 10000 };

static void
ten_thousand_procedures(void **state)
{
	struct document *docs = calloc(w->n + 2 * MANY, sizeof(*docs));
	struct snapshot_input in = { docs, w->n, w->facts, w->facts_n };
	struct snapshot *s = NULL;
	struct err e = { 0 };
	const struct document *found;

	memcpy(docs, w->docs, w->n * sizeof(*docs));
	for (int i = 0; i < MANY; i++) {
		docs[in.documents_n++] = (struct document){
			.id = doc_id_of(1000000 + i),
			.version = 1,
			.kind = KIND_CERTIFICATE_PROCEDURE,
			.text = bytes_str(arena_printf(
			    w->a,
			    "{\"name\":\"P%d\",\"authority\":502,\"format\":602,"
			    "\"validity\":\"P90D\",\"extended_key_usage\":[\"1.3.6.1.5.5.7.3.1\"]}",
			    i))
		};
		docs[in.documents_n++] = (struct document){
			.id = doc_id_of(2000000 + i),
			.version = 1,
			.kind = KIND_TOKEN_PROCEDURE,
			.text = bytes_str(arena_printf(w->a,
						       "{\"name\":\"T%d\",\"storage_profile\":\"pkcs10\","
						       "\"certificate_procedures\":[%d]}",
						       i, 1000000 + i))
		};
	}
	assert_ok(snapshot_build(&in, &s, &e));
	for (int i = 0; i < MANY; i += 97) {
		char name[16];
		const struct token_procedure *t;

		snprintf(name, sizeof(name), "T%d", i);
		assert_ok(find_document(s, KIND_TOKEN_PROCEDURE, bytes_str(name), doc_id_of(0), &found, &e));
		t = snapshot_token_procedure(s, found->id);
		assert_int_equal(t->procedures[0]->doc->id.v, 1000000 + i);
		assert_int_equal(t->procedures[0]->why_not.code, CHY_NONE);
		assert_true(t->procedures[0]->template_.n > 0);
	}
	print_message("# %zu bytes for each pair of procedures\n", snapshot_size(s) / MANY);
	snapshot_unref(s);
	free(docs);
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
	EACH(documents_by_id_kind_and_list),
	EACH_ROWS(names_by_domain, "CM-O-12 CM-O-13"),
	EACH(names_by_path),
	EACH(long_names_by_path),
	EACH(names_that_pass_for_another),
	EACH(the_domain_tree),
	EACH(officers_by_fingerprint),
	EACH(a_broken_document_does_not_stop_the_rest),
	EACH(an_authority_whose_certificate_does_not_hold),
	EACH(a_document_that_is_none_fails_the_whole),
	EACH(condemned_before_it_is_shared),
	EACH_ROWS(everything_a_procedure_can_put_in, "CM-C-11 CM-C-13"),
	EACH(ten_thousand_procedures),
};

TESTS_MAIN(tests)
