/*
 * The decision about attribute certificates: what all rules let pass is built and read again; then every rule with a case that
 * breaks it alone, by its name, code and field.
 */
#include "policy_world.h"

#include "crypto/digest.h"
#include "pki/walker.h"
#include "policy/issue_attribute.h"

enum {
	AC_KEY = 420,
	AC_CA = 520,
	AC_FORMAT = 620,
	AC_PROC = 720,
	AC_TOKEN = 820,
	AC_PROFILE = 220,
	DORA = 320,
	ELLA = 321
};

static struct world *w;

static int
setup(void **state)
{
	w = world_new();
	world_put(w, KIND_CA_KEY, AC_KEY, "{\"name\":\"AC key\",\"algorithm\":\"p-256\"}");
	world_put(
	    w, KIND_AUTHORITY, AC_CA,
	    "{\"name\":\"Attributes CA\",\"type\":\"subordinate\",\"issuing_authority\":\"Root "
	    "CA\",\"ca_key\":\"AC key\","
	    "\"format\":\"CA "
	    "format\",\"subject\":\"CN=Attributes,O=Example,C=SE\",\"validity\":\"P2Y\",\"path_length\":0,"
	    "\"attribute_certificates\":true}");
	world_found(w, AC_CA, "p-256");
	world_put(w, KIND_FORMAT, AC_FORMAT,
		  "{\"name\":\"Attributes\",\"purpose\":\"attribute-certificate\",\"attributes\":[{\"type\":"
		  "\"role\","
		  "\"max_count\":2},{\"type\":\"clearance\"},{\"type\":\"charging-identity\",\"mandatory\":"
		  "true}]}");
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, AC_PROC,
		  "{\"name\":\"Clerks\",\"authority\":\"Attributes "
		  "CA\",\"format\":\"Attributes\",\"validity\":\"P30D\","
		  "\"key_usage\":[\"digitalSignature\"],\"attributes\":[{\"type\":\"group\",\"values\":["
		  "\"staff\",\"night\"]}]}");
	world_put(w, KIND_TOKEN_PROCEDURE, AC_TOKEN,
		  "{\"name\":\"Statement\",\"storage_profile\":\"attribute-certificate-file\","
		  "\"attribute_certificate_procedures\":[\"Clerks\"]}");
	world_put(w, KIND_OFFICER_PROFILE, AC_PROFILE,
		  "{\"name\":\"Attributer\",\"entity_type\":\"dynamic-token\",\"roles\":[\"use-clients\","
		  "\"issue-attribute-certificate\"]}");
	world_put(
	    w, KIND_OFFICER, DORA,
	    "{\"name\":\"Dora\",\"profile\":\"Attributer\",\"certificate_sha256\":" PRINT("eeeeeeee") "}");
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

/* A base that everything lets pass. */
static struct ac_base
base(void)
{
	struct bytes issuer = snapshot_authority(w->s, doc_id_of(ISSUING_CA))->subject_in_force;

	return (struct ac_base){ .id = 4711,
				 .authority = doc_id_of(ISSUING_CA),
				 .issuer = arena_dup(w->a, issuer), /* the policy changes in between */
				 .serial = BYTES("\x01\x02\x03"),
				 .subject = BYTES("CN=Holder"),
				 .not_before_ms = WORLD_NOW - 1000,
				 .not_after_ms = WORLD_NOW + 300LL * 86400000,
				 .key_usage = USAGE_DIGITAL_SIGNATURE };
}

#define CHARGE "{\"type\":\"charging-identity\",\"values\":[\"dept 7\"]}"

static struct ac_facts
facts(const struct ac_base *b)
{
	return (struct ac_facts){ .policy = w->s,
				  .officer = officer_id_of(DORA),
				  .token_procedure = BYTES("Statement"),
				  .base = b,
				  .attributes = world_json(w, "[" CHARGE "]"),
				  .now_ms = WORLD_NOW,
				  .random = { 9, 8, 7 },
				  .hmac = hmac_sha256 };
}

static struct bytes
text_of(const struct ac_attr *x)
{
	OWN_BUF struct buf b = buf_max(4096);

	ac_attr_put_text(&b, x);
	return arena_dup(w->a, buf_bytes(&b));
}

/* CM-C-19: the document's fields are what stands in it; CM-C-20: another authority than the base's; CM-C-21. */
static void
decides_by_its_procedure(void **state)
{
	struct ac_base b = base();
	struct ac_facts f = facts(&b);
	struct ac_decision d;
	struct err e = { 0 };
	struct bytes tbs;
	struct ac_view v;
	struct ac c;

	f.attributes = world_json(w, "[" CHARGE ",{\"type\":\"role\",\"values\":[\"urn:role:clerk\"]}]");
	assert_ok(decide_attribute_certificate(w->a, &f, &d, &e));
	assert_ok(ac_decision_tbs(w->a, &d, &tbs, &e));
	assert_ok(ac_tbs_walk(tbs, &v, &e));
	assert_ok(ac_parse_tbs(w->a, tbs, &c, &e));
	assert_bytes(v.issuer, snapshot_authority(w->s, doc_id_of(AC_CA))->subject_in_force);
	assert_bytes(v.base_issuer, b.issuer);
	assert_bytes(v.base_serial, b.serial);
	assert_int_equal(c.sigalg, SIGALG_ECDSA_SHA256);
	assert_int_equal(c.not_before_at, WORLD_NOW);
	assert_int_equal(c.not_after_at, WORLD_NOW + 30LL * 86400000 - 1000);
	assert_int_equal(c.attrs.n, 3);
	assert_text(text_of(&c.attrs.v[0]), "staff, night");
	assert_text(text_of(&c.attrs.v[1]), "dept 7");
	assert_text(text_of(&c.attrs.v[2]), "uri:urn:role:clerk");
	assert_true(v.no_revocation && v.authority_key_id.n > 0);
	for (size_t k = 0; k < d.trace.n; k++)
		assert_string_equal(d.trace.v[k].rule, ac_rules()[k]);
	assert_null(ac_rules()[d.trace.n]);
}

/* Addresses and policies of the procedure stand in it, and then nobody says that there is no place to ask. */
static void
says_where_to_ask(void **state)
{
	struct ac_base b = base();
	struct ac_facts f;
	struct ac_decision d;
	struct err e = { 0 };

	world_put(
	    w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, AC_PROC,
	    "{\"name\":\"Clerks\",\"authority\":\"Attributes "
	    "CA\",\"format\":\"Attributes\",\"validity\":\"P30D\","
	    "\"ocsp_urls\":[\"http://ocsp.example\"],\"certificate_policies\":[{\"policy\":\"1.2.3\"}]}");
	f = facts(&b);
	assert_ok(decide_attribute_certificate(w->a, &f, &d, &e));
	assert_non_null(exts_find(&d.inputs.exts, OID_PE_AUTHORITY_INFO));
	assert_non_null(exts_find(&d.inputs.exts, OID_CE_POLICIES));
	assert_null(exts_find(&d.inputs.exts, OID_CE_NO_REV_AVAIL));
}

#define WITH(members) \
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, AC_PROC, \
		  "{\"name\":\"Clerks\",\"authority\":\"Attributes " \
		  "CA\",\"format\":\"Attributes\",\"validity\":\"P30D\"," members "}")

/* RFC 5755 4.3.2: for whom it is; critical, one list, walked by the signer's reader. */
static void
says_for_whom_it_is(void **state)
{
	struct ac_base b = base();
	struct ac_facts f;
	struct ac_decision d;
	struct err e = { 0 };
	const struct ext *x;
	struct ext_value v;
	struct bytes tbs;
	struct ac_view view;
	OWN_BUF struct buf text = buf_max(4096);

	WITH("\"targets\":[\"dns:files.example.org\",\"uri:https://mail.example.org/"
	     "\"],\"target_groups\":[\"dns:intern.example."
	     "org\"]");
	f = facts(&b);
	assert_ok(decide_attribute_certificate(w->a, &f, &d, &e));
	x = exts_find(&d.inputs.exts, OID_CE_TARGETS);
	assert_non_null(x);
	assert_true(x->critical);
	assert_ok(ext_decode(w->a, x, &v, &e));
	assert_int_equal(v.targets.n, 3);
	assert_false(v.targets.v[0].group || v.targets.v[1].group);
	assert_true(v.targets.v[2].group);
	ext_put_text(&text, x);
	assert_text(buf_bytes(&text),
		    "dns:files.example.org, uri:https://mail.example.org/, group dns:intern.example.org");
	assert_ok(ac_decision_tbs(w->a, &d, &tbs, &e));
	assert_ok(ac_tbs_walk(tbs, &view, &e));
}

/* The extension's value of a decision; none where it is not there. */
static struct bytes
audit_of(const struct ac_facts *f)
{
	struct err e = { 0 };
	struct ac_decision d;
	const struct ext *x;
	struct ext_value v;
	struct bytes tbs;
	struct ac_view view;

	assert_ok(decide_attribute_certificate(w->a, f, &d, &e));
	assert_ok(ac_decision_tbs(w->a, &d, &tbs, &e));
	assert_ok(ac_tbs_walk(tbs, &view, &e));
	x = exts_find(&d.inputs.exts, OID_PE_AUDIT_IDENTITY);
	if (x == NULL)
		return BYTES_NONE;
	assert_true(x->critical);
	assert_ok(ext_decode(w->a, x, &v, &e));
	assert_in_range(v.audit.n, 1, 20);
	return v.audit;
}

/* RFC 5755 4.3.1: lasting, of the holder alone, not to be led back without the issuer's key. */
static void
names_the_holder_by_a_pseudonym(void **state)
{
	struct ac_base b = base(), other = base();
	struct ac_facts f = facts(&b);
	struct ac_decision d;
	struct err e = { 0 };
	struct bytes first;
	uint8_t again[AUDIT_IDENTITY];

	assert_int_equal(audit_of(&f).n, 0);
	WITH("\"audit_identity\":true,\"targets\":[\"dns:a.example\"]");
	f = facts(&b);
	first = audit_of(&f);
	assert_int_equal(first.n, AUDIT_IDENTITY);
	ac_audit_identity(f.hmac, f.audit_key, doc_id_of(AC_CA), b.subject, again);
	assert_bytes(first, BYTES_OF(again));
	f.now_ms += 86400000; /* another certificate of the holder, another day */
	b.id = 4712;
	b.serial = BYTES("\x05");
	f.random[0] ^= 1;
	assert_bytes(audit_of(&f), first);
	f.audit_key[0] ^= 1;
	assert_false(bytes_eq(audit_of(&f), first));
	f = facts(&other);
	other.subject = BYTES("CN=Another");
	assert_false(bytes_eq(audit_of(&f), first));
	ac_audit_identity(f.hmac, f.audit_key, doc_id_of(AC_CA + 1), BYTES("CN=Holder"), again);
	assert_false(bytes_eq(first, BYTES_OF(again)));
	other.subject = BYTES_NONE;
	assert_int_not_equal(decide_attribute_certificate(w->a, &f, &d, &e), RC_OK);
	assert_int_equal(e.code, CHY_AC_AUDIT_IDENTITY);
	assert_string_equal(e.field, "base");
}

static void
is_cut_at_its_ends(void **state)
{
	struct ac_base b = base();
	struct ac_facts f = facts(&b);
	struct ac_decision d;
	struct err e = { 0 };

	b.not_after_ms = WORLD_NOW + 86400000;
	assert_ok(decide_attribute_certificate(w->a, &f, &d, &e));
	assert_int_equal(d.not_after_ms, b.not_after_ms);
	f.not_after_ms = b.not_after_ms + 1000; /* asked for: not cut but refused */
	assert_code(decide_attribute_certificate(w->a, &f, &d, &e), CHY_VALIDITY_AUTHORITY);
	f.not_after_ms = b.not_after_ms - 1000;
	assert_ok(decide_attribute_certificate(w->a, &f, &d, &e));
	assert_int_equal(d.not_after_ms, f.not_after_ms);
}

/* ---- refusals ---- */

static void
no_role(struct ac_facts *f, struct ac_base *b)
{
	f->officer = officer_id_of(CLEO);
}

static void
wrong_storage(struct ac_facts *f, struct ac_base *b)
{
	f->token_procedure = BYTES("Server");
}

static void
no_such_token(struct ac_facts *f, struct ac_base *b)
{
	f->token_procedure = BYTES("Nothing");
}

static void
procedure_closed(struct ac_facts *f, struct ac_base *b)
{
	world_put(w, KIND_TOKEN_PROCEDURE, AC_TOKEN + 1,
		  "{\"name\":\"With\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[\"Any\"],"
		  "\"attribute_certificate_procedures\":[\"Clerks\"]}");
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, AC_PROC,
		  "{\"name\":\"Clerks\",\"state\":\"closed\",\"authority\":\"Attributes "
		  "CA\",\"format\":\"Attributes\","
		  "\"validity\":\"P30D\"}");
	f->policy = w->s;
	f->with = snapshot_token_procedure(w->s, doc_id_of(AC_TOKEN + 1));
}

static void
authority_not_set_up(struct ac_facts *f, struct ac_base *b)
{
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, AC_PROC,
		  "{\"name\":\"Clerks\",\"authority\":\"Issuing "
		  "CA\",\"format\":\"Attributes\",\"validity\":\"P30D\"}");
	f->policy = w->s;
}

static void
authority_over(struct ac_facts *f, struct ac_base *b)
{
	f->now_ms = WORLD_NOW + 3LL * 366 * 86400000;
}

static void
constraint(struct ac_facts *f, struct ac_base *b)
{
	world_put(w, KIND_OFFICER_PROFILE, AC_PROFILE,
		  "{\"name\":\"Attributer\",\"entity_type\":\"dynamic-token\",\"roles\":[\"use-clients\","
		  "\"issue-attribute-certificate\"],\"issuer_constraints\":[{\"tests\":[{\"attribute\":"
		  "\"CN\",\"test\":\"is\","
		  "\"value\":\"Issuing CA\"}]}]}");
	f->policy = w->s;
}

static void
base_unknown(struct ac_facts *f, struct ac_base *b)
{
	b->authority = doc_id_of(0);
}

/* The authority is shared, the token procedure is another tenant's. */
static void
base_of_another_tenant(struct ac_facts *f, struct ac_base *b)
{
	world_put(
	    w, KIND_TOKEN_PROCEDURE, AC_TOKEN + 1,
	    "{\"name\":\"South's\",\"domain\":\"South\",\"storage_profile\":\"attribute-certificate-file\","
	    "\"attribute_certificate_procedures\":[\"Clerks\"]}");
	world_put(w, KIND_OFFICER, DORA,
		  "{\"name\":\"Dora\",\"domain\":\"North\",\"profile\":\"Attributer\",\"certificate_"
		  "sha256\":" PRINT("eeeeeeee") "}");
	f->policy = w->s;
	b->token_procedure = doc_id_of(AC_TOKEN + 1);
}

static void
base_ac(struct ac_facts *f, struct ac_base *b)
{
	b->is_ac = true;
}

static void
base_ca(struct ac_facts *f, struct ac_base *b)
{
	b->is_ca = true;
}

static void
base_revoked(struct ac_facts *f, struct ac_base *b)
{
	b->revoked = true;
}

static void
base_held(struct ac_facts *f, struct ac_base *b)
{
	b->held = true;
}

static void
base_over(struct ac_facts *f, struct ac_base *b)
{
	b->not_after_ms = WORLD_NOW - 1;
}

static void
base_not_yet(struct ac_facts *f, struct ac_base *b)
{
	b->not_before_ms = WORLD_NOW + 1;
}

static void
base_usage(struct ac_facts *f, struct ac_base *b)
{
	b->key_usage = USAGE_KEY_ENCIPHERMENT;
}

#define ATTRIBUTES(fn, text) \
	static void fn(struct ac_facts *f, struct ac_base *b) \
	{ \
		f->attributes = world_json(w, text); \
	}
ATTRIBUTES(attr_unknown,
	   "[" CHARGE
	   ",{\"type\":\"access-identity\",\"values\":[\"uri:https://a.example email:a@b.example\"]}]")
ATTRIBUTES(attr_missing, "[{\"type\":\"role\",\"values\":[\"urn:role:clerk\"]}]")
ATTRIBUTES(attr_count, "[" CHARGE ",{\"type\":\"role\",\"values\":[\"urn:a:1\",\"urn:a:2\",\"urn:a:3\"]}]")
ATTRIBUTES(attr_twice, "[" CHARGE "," CHARGE "]")
ATTRIBUTES(attr_wrong, "[" CHARGE ",{\"type\":\"role\",\"values\":[\"clerk\"]}]")

static void
attr_none(struct ac_facts *f, struct ac_base *b)
{
	world_put(w, KIND_FORMAT, AC_FORMAT,
		  "{\"name\":\"Attributes\",\"purpose\":\"attribute-certificate\"}");
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, AC_PROC,
		  "{\"name\":\"Clerks\",\"authority\":\"Attributes "
		  "CA\",\"format\":\"Attributes\",\"validity\":\"P30D\"}");
	f->policy = w->s;
	f->attributes = NULL;
}

static void
too_long(struct ac_facts *f, struct ac_base *b)
{
	f->not_after_ms = WORLD_NOW + 31LL * 86400000;
}

static void
too_early(struct ac_facts *f, struct ac_base *b)
{
	f->not_before_ms = WORLD_NOW - 10000;
}

static void
backwards(struct ac_facts *f, struct ac_base *b)
{
	f->not_before_ms = WORLD_NOW + 20000;
	f->not_after_ms = WORLD_NOW + 10000;
}

/* The facts have no key for it, as nobody who gathers them should leave them. */
static void
audit_without_key(struct ac_facts *f, struct ac_base *b)
{
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, AC_PROC,
		  "{\"name\":\"Clerks\",\"authority\":\"Attributes CA\",\"format\":\"Attributes\","
		  "\"validity\":\"P30D\",\"audit_identity\":true}");
	f->policy = w->s;
	f->hmac = NULL;
}

static const struct {
	const char *what;
	void (*break_it)(struct ac_facts *f, struct ac_base *b);
	const char *rule, *field;
	enum code code;
} refusals[] = {
	{ "an officer without the role", no_role, "officer", "", CHY_ROLE_MISSING },
	{ "a token procedure of another storage profile", wrong_storage, "token-procedure", "token_procedure",
	  CHY_AC_TOKEN },
	{ "no such token procedure", no_such_token, "token-procedure", "token_procedure",
	  CHY_ISSUE_TOKEN_PROCEDURE },
	{ "a closed procedure", procedure_closed, "attribute-certificate-procedure",
	  "attribute_certificate_procedure", CHY_AC_PROCEDURE_CLOSED },
	{ "an authority that is not set up for it", authority_not_set_up, "authority", "authority",
	  CHY_AC_AUTHORITY },
	{ "an authority whose certificate is over", authority_over, "authority", "authority",
	  CHY_ISSUE_AUTHORITY_EXPIRED },
	{ "the officer's issuer constraints", constraint, "authority", "", CHY_ISSUER_CONSTRAINT },
	{ "a base that nobody sees", base_unknown, "base-visible", "base", CHY_AC_BASE_NONE },
	{ "a base of another tenant", base_of_another_tenant, "base-visible", "base", CHY_AC_BASE_NONE },
	{ "an attribute certificate as base", base_ac, "base-kind", "base", CHY_AC_BASE_KIND },
	{ "an authority's certificate as base", base_ca, "base-kind", "base", CHY_AC_BASE_CA },
	{ "a revoked base", base_revoked, "base-state", "base", CHY_AC_BASE_STATE },
	{ "a base on hold", base_held, "base-state", "base", CHY_AC_BASE_STATE },
	{ "a base that is over", base_over, "base-state", "base", CHY_AC_BASE_EXPIRED },
	{ "a base that is not valid yet", base_not_yet, "base-state", "base", CHY_AC_BASE_EXPIRED },
	{ "a base for something else", base_usage, "base-key-usage", "base", CHY_AC_BASE_KEY_USAGE },
	{ "an attribute without a place", attr_unknown, "attributes", "attributes[1].type",
	  CHY_AC_ATTRIBUTE_UNKNOWN },
	{ "a mandatory one missing", attr_missing, "attributes", "attributes", CHY_AC_ATTRIBUTE_MISSING },
	{ "too many values", attr_count, "attributes", "attributes[1].values", CHY_AC_ATTRIBUTE_COUNT },
	{ "an attribute twice", attr_twice, "attributes", "attributes[1].type", CHY_AC_ATTRIBUTE_COUNT },
	{ "a role that is no URI", attr_wrong, "attributes", "values[0]", CHY_GNAME },
	{ "nothing to say", attr_none, "attributes", "attributes", CHY_AC_NO_ATTRIBUTES },
	{ "an audit identity without a key", audit_without_key, "audit-identity", "", CHY_INTERNAL },
	{ "longer than the procedure allows", too_long, "validity", "validity.not_after",
	  CHY_VALIDITY_PROCEDURE },
	{ "earlier than the procedure allows", too_early, "validity", "validity.not_before",
	  CHY_VALIDITY_PROCEDURE },
	{ "over before it begins", backwards, "validity", "validity.not_after", CHY_VALIDITY_ORDER },
};

static void
refuses_by_every_rule(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct ac_decision d;
		struct err e = { 0 };
		struct ac_base b;
		struct ac_facts f;

		teardown(NULL);
		setup(NULL);
		b = base();
		f = facts(&b);
		refusals[i].break_it(&f, &b);
		assert_int_not_equal(decide_attribute_certificate(w->a, &f, &d, &e), RC_OK);
		if (e.code != refusals[i].code || strcmp(e.field, refusals[i].field) != 0 ||
		    strcmp(d.trace.v[d.trace.n - 1].rule, refusals[i].rule) != 0)
			fail_msg("%s: %s %s at %s by %s: %s", refusals[i].what, rc_name(e.rc),
				 code_name(e.code), e.field, d.trace.v[d.trace.n - 1].rule, e.text);
	}
}

/* CM-C-19, CM-T-21, CM-T-37: what the documents demand. */
static void
documents_need_their_fields(void **state)
{
	struct err e = { 0 };

#define NO(kind, code, text) assert_code(world_check(w, kind, 0, false, text, NULL, &e), code)
	NO(KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, CHY_FIELD_MISSING,
	   "{\"authority\":\"Attributes CA\",\"format\":\"Attributes\",\"validity\":\"P1D\"}");
	NO(KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, CHY_FIELD_MISSING,
	   "{\"name\":\"x\",\"authority\":\"Attributes CA\",\"validity\":\"P1D\"}");
	NO(KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, CHY_FIELD_CONFLICT,
	   "{\"name\":\"x\",\"authority\":\"Attributes CA\",\"format\":\"TLS\",\"validity\":\"P1D\"}");
#define AC_DOCUMENT(members) \
	"{\"name\":\"x\",\"authority\":\"Attributes " \
	"CA\",\"format\":\"Attributes\",\"validity\":\"P1D\"," members "}"
	NO(KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, CHY_FIELD_VALUE,
	   AC_DOCUMENT("\"targets\":[\"files.example.org\"]"));
	NO(KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, CHY_FIELD_VALUE,
	   AC_DOCUMENT("\"targets\":[\"dns:*.example.org\"]"));
	NO(KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, CHY_FIELD_VALUE,
	   AC_DOCUMENT("\"target_groups\":[\"uri:nowhere\"]"));
	NO(KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, CHY_FIELD_TWICE,
	   AC_DOCUMENT("\"targets\":[\"dns:a.example\",\"dns:a.example\"]"));
	assert_ok(world_check(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, 0, false,
			      AC_DOCUMENT("\"targets\":[\"dns:a.example\"],\"target_groups\":[\"uri:urn:"
					  "group\"],\"audit_identity\":true"),
			      NULL, &e));
	NO(KIND_TOKEN_PROCEDURE, CHY_FIELD_UNAVAILABLE,
	   "{\"name\":\"x\",\"storage_profile\":\"attribute-certificate-file\",\"attribute_certificate_"
	   "procedures\":[\"Clerks\"],"
	   "\"certificate_procedures\":[\"Any\"]}");
	NO(KIND_TOKEN_PROCEDURE, CHY_FIELD_UNAVAILABLE,
	   "{\"name\":\"x\",\"storage_profile\":\"attribute-certificate-file\",\"attribute_certificate_"
	   "procedures\":[\"Clerks\"],"
	   "\"pin_procedure\":\"PIN\"}");
	NO(KIND_TOKEN_PROCEDURE, CHY_FIELD_MISSING,
	   "{\"name\":\"x\",\"storage_profile\":\"attribute-certificate-file\"}");
	assert_ok(
	    world_check(w, KIND_TOKEN_PROCEDURE, 0, false,
			"{\"name\":\"x\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[\"Any\"],"
			"\"attribute_certificate_procedures\":[\"Clerks\",\"Roles\"]}",
			NULL, &e));
}

#define T(name, fn) \
	{ \
		name, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	T("decides by its procedure rows=CM-C-19,CM-C-20,CM-C-21", decides_by_its_procedure),
	T("says where to ask", says_where_to_ask),
	T("is cut at its ends", is_cut_at_its_ends),
	T("says for whom it is rows=CM-C-19", says_for_whom_it_is),
	T("names the holder by a pseudonym rows=CM-C-19", names_the_holder_by_a_pseudonym),
	T("refuses by every rule", refuses_by_every_rule),
	T("documents need their fields rows=CM-C-19,CM-T-21,CM-T-37", documents_need_their_fields),
};

TESTS_MAIN(tests)
