/*
 * Bodies against their kinds. First every field of every kind, nested ones too, with everything that can be wrong with
 * it: the table of fields itself says what must be refused, so a new field is tested as soon as it is described. Then the
 * rules that are no field's alone: references, availability, names, ranges; then normal form and difference.
 */
#include "policy_world.h"
#include "delivery_samples.h"

#include "model/choices.h"
#include "policy/body.h"

static struct world *w;
static size_t tried;

static int
setup(void **state)
{
	w = world_new();
	tried = 0;
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

/* ---- every field ---- */

/* Octets that are DER and nothing else, and a foreign CA's request. */
#define DER_ONE "BQA="
#define DER_TWO "AQH/"
#define FOREIGN_REQUEST \
	"MIGUMEgCAQAwFTETMBEGA1UEAwwKRm9yZWlnbiBDQTAqMAUGAytlcAMhAG6uVQu7QQQjeFYtutNqhJsZuzB5aDf2OmEOYpaBDU" \
	"//" \
	"oAAwBQYDK2VwA0EAW+/6kyNnRcnhEHDStDfaPAXNn/2ORx2cMT5iiQPQVb8u/" \
	"CxkUeA7ZWOl4nP7pExFSPNcPHcvE977eVSXHLS2AA=="

/* Bodies in which, between them, every field that can be used is given. */
static const struct {
	enum kind_id kind;
	const char *body;
} samples[] = {
	{ KIND_DOMAIN, "{\"name\":\"New\",\"state\":\"active\",\"parent\":101}" },
	{ KIND_OFFICER_PROFILE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":true,\"entity_"
	  "type\":\"subject\","
	  "\"roles\":[\"use-awb\",\"audit-tasks\"],\"permitted_names\":[\"dns:example.org\"],\"excluded_"
	  "names\":[\"dns:no.example.org\"],\"issuer_constraints\":[{\"tests\":[{\"attribute\":\"C\","
	  "\"test\":\"is-not\","
	  "\"value\":\"DE\"}]}]}" },
	{ KIND_OFFICER,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,\"profile\":"
	  "\"Admin\","
	  "\"certificate_sha256\":" PRINT(
	      "01234567") ",\"certificate\":17,\"subject\":\"CN=New\",\"certificate_procedure\":301,"
			  "\"token\":\"card 1\",\"keys\":[" PRINT("89abcdef") "],\"archived_keys\":[" PRINT(
			      "01234567") "],\"boot\":false}" },
	{ KIND_CA_KEY,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"algorithm\":\"p-256\","
	  "\"place\":\"pkcs11\",\"pkcs11_uri\":\"pkcs11:token=x\",\"label\":\"a.b_c-1\"}" },
	{ KIND_AUTHORITY,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,\"type\":"
	  "\"subordinate\","
	  "\"issuing_authority\":501,\"ca_key\":402,\"subject\":\"CN=New,C=SE\",\"format\":601,"
	  "\"signature_algorithm\":\"ecdsa-sha256\",\"not_before\":\"2026-11-21T12:00:00Z\",\"validity\":"
	  "\"P3Y\","
	  "\"path_length\":1,\"distribution_rules\":[907],\"attribute_certificates\":true,\"crl_urls\":["
	  "\"http://a.example/"
	  "c\"],\"ca_issuers_urls\":[\"http://a.example/"
	  "i\"],"
	  "\"ocsp_urls\":[\"http://a.example/o\"],\"ocsp\":true,\"ocsp_activation\":\"by-officer\","
	  "\"ocsp_answer_validity\":\"PT6H\",\"ocsp_certificate_validity\":\"P20D\",\"ocsp_key_algorithm\":"
	  "\"p-384\",\"ocsp_archive_cutoff\":\"P1Y\"}" },
	{ KIND_AUTHORITY,
	  "{\"name\":\"New\",\"type\":\"external-subordinate\",\"ca_key\":402,\"subject\":\"CN=New,C=SE\","
	  "\"certificate\":\"" DER_ONE "\",\"chain\":[\"" DER_ONE "\",\"" DER_TWO
	  "\"],\"cross_certificates\":[\"" DER_TWO "\"],\"permitted_names\":[\"dns:example.org\"],"
	  "\"excluded_names\":[\"ip:10.0.0.0/8\",\"upn:example.com\"]}" },
	{ KIND_AUTHORITY,
	  "{\"name\":\"New\",\"type\":\"cross\",\"issuing_authority\":501,\"request\":\"" FOREIGN_REQUEST
	  "\",\"format\":601,\"validity\":\"P1Y\"}" },
	{ KIND_AUTHORITY, "{\"name\":\"New\",\"type\":\"external-root\",\"certificate\":\"" DER_ONE "\"}" },
	{ KIND_AUTHORITY,
	  "{\"name\":\"New\",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=New,C=SE\",\"format\":601,"
	  "\"not_after\":\"2036-11-21T12:00:00Z\"}" },
	{ KIND_FORMAT,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,\"purpose\":"
	  "\"end-entity\","
	  "\"key_algorithms\":[\"rsa\",\"p-256\"],\"rsa_bits_min\":2048,\"rsa_bits_max\":4096,\"subject\":["
	  "{\"attribute\":\"CN\",\"source\":\"request\",\"mandatory\":true,\"many\":false,\"max_length\":30,"
	  "\"modifiers\":[\"trim\"]},{\"attribute\":\"O\",\"source\":\"fixed\",\"value\":\"Example\"}],"
	  "\"unknown_subject\":\"drop\",\"empty_subject\":false,\"san\":[{\"type\":\"dns\",\"source\":"
	  "\"request\","
	  "\"mandatory\":true,\"begins_with\":\"a\",\"max_count\":5},{\"type\":\"uri\",\"source\":\"fixed\","
	  "\"values\":[\"http://"
	  "a.example\"]}],"
	  "\"unknown_san\":\"drop\",\"common_name_in_san\":false,"
	  "\"key_usage\":\"request\",\"extended_key_usage\":\"procedure\","
	  "\"request_extensions\":[{\"oid\":\"1.2.3\",\"mandatory\":false}],\"unknown_extensions\":\"drop\","
	  "\"basic_constraints\":true,\"subject_key_identifier\":true,\"qc_mandatory\":false,\"procedure_"
	  "settings\":"
	  "\"listed\","
	  "\"open_settings\":[\"key_usage\"]}" },
	{ KIND_FORMAT,
	  "{\"name\":\"New\",\"subject\":[{\"attribute\":\"CN\",\"input\":\"device.fqdn\",\"default\":"
	  "\"none\","
	  "\"modifiers\":[\"before:.\",\"prefix:host "
	  "\",\"truncate:64\"]}],\"san\":[{\"type\":\"email\",\"input\":"
	  "\"person.email\",\"default\":\"a@b.example\",\"modifiers\":[\"match:*@*\"]},{\"type\":\"ip\","
	  "\"input\":"
	  "\"device.ip\",\"mandatory\":true}],\"input_extensions\":[{\"oid\":\"1.3.6.1.4.1.99999.1\","
	  "\"critical\":"
	  "true,\"form\":\"ia5\",\"input\":\"person.number\",\"mandatory\":false,\"default\":\"0\","
	  "\"modifiers\":"
	  "[\"only:0-9\"]}]}" },
	{ KIND_FORMAT,
	  "{\"name\":\"New\",\"purpose\":\"attribute-certificate\",\"attributes\":[{\"type\":\"role\","
	  "\"mandatory\":"
	  "true,\"max_count\":3}]}" },
	{ KIND_CERTIFICATE_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"authority\":502,"
	  "\"authority_chain\":[502,501],\"key_algorithm\":\"p-256\",\"distribution_rules\":[907],"
	  "\"transport_controls\":[\"issuer\"],\"transport_issuers\":[501],"
	  "\"format\":602,\"key_usage\":[\"digitalSignature\"],\"extended_key_usage\":[\"serverAuth\"],"
	  "\"extended_key_usage_critical\":false,"
	  "\"validity\":\"P90D\","
	  "\"beyond_authority\":\"cut\",\"requested_validity\":true,\"backdate\":\"PT5M\","
	  "\"signature_algorithm\":\"ecdsa-sha256\",\"certificate_policies\":[{\"policy\":\"1.2.3\","
	  "\"cps\":\"https://a.example/cps\",\"notice\":\"Read it\"}],\"crl_urls\":[\"http://a.example/c\"],"
	  "\"freshest_crl_urls\":[\"http://a.example/d\"],\"ca_issuers_urls\":[\"http://a.example/i\"],"
	  "\"ocsp_urls\":[\"http://a.example/"
	  "o\"],\"omit\":[\"crl\"],\"qc_statements\":{\"compliance\":true,\"device\":true,"
	  "\"types\":[\"esign\"],\"semantics\":\"natural\",\"retention_years\":10,\"limit\":{\"currency\":"
	  "\"EUR\",\"amount\":100,"
	  "\"exponent\":1},"
	  "\"disclosures\":[{\"url\":\"https://a.example/pds\",\"language\":\"en\"}],\"countries\":[\"SE\"]},"
	  "\"tls_feature\":[5],\"ocsp_no_check\":true,\"issuer_alternative_names\":[\"uri:https://"
	  "a.example\"],"
	  "\"extensions\":[{\"oid\":\"1.2.3.4\",\"critical\":false,\"value\":\"0500\"}]}" },
	{ KIND_CERTIFICATE_PROCEDURE,
	  "{\"name\":\"New\",\"authority\":502,\"format\":602,\"validity\":\"P90D\",\"crl_procedure\":906}" },
	{ KIND_TOKEN_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"storage_profile\":\"pkcs12\",\"pin_procedure\":901,\"encryption\":\"legacy\","
	  "\"issuer_certificates\":\"root\",\"certificate_procedures\":[702,701]}" },
	{ KIND_TOKEN_PROCEDURE,
	  "{\"name\":\"New\",\"storage_profile\":\"attribute-certificate-file\",\"input_view\":908,"
	  "\"attribute_certificate_procedures\":[905]}" },
	{ KIND_KEY_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,\"action\":"
	  "\"archive\","
	  "\"certificate_procedures\":[701,703]}" },
	{ KIND_KEY_PROCEDURE,
	  "{\"name\":\"New\",\"action\":\"recover\",\"certificate\":\"new\",\"certificate_procedure\":703,"
	  "\"keys\":\"all\"}" },
	{ KIND_PIN_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,\"method\":"
	  "\"shown\","
	  "\"characters\":\"digits\",\"length_min\":6,\"length_max\":8,\"generated_length\":7}" },
	{ KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"key_usage\":[\"digitalSignature\"],\"authority\":502,\"authority_chain\":[502,501],\"format\":"
	  "603,"
	  "\"distribution_rules\":[907],\"validity\":\"P7D\",\"signature_algorithm\":\"ecdsa-sha256\","
	  "\"certificate_policies\":[{\"policy\":\"1.2.3\"}],\"ca_issuers_urls\":[\"http://a.example/i\"],"
	  "\"ocsp_urls\":[\"http://a.example/"
	  "o\"],\"targets\":[\"dns:a.example\"],\"target_groups\":[\"dns:group.example\"],\"audit_identity\":"
	  "false,"
	  "\"attributes\":[{\"type\":\"role\",\"values\":[\"Physician\"]}]}" },
	{ KIND_PUBLICATION_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"format\":\"pem-chain\",\"distribution_rules\":[907],\"password_needed\":false}" },
	{ KIND_CRL_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"authority\":502,\"crl_issuer\":501,\"partitions\":4,"
	  "\"type\":\"partial\",\"distribution_points\":[\"http://a.example/"
	  "c-{partition}\"],\"include\":true,\"covers\":\"end-entities\","
	  "\"interval\":\"P1D\",\"overlap\":\"PT6H\",\"delta_interval\":\"PT1H\",\"delta_points\":[\"http://"
	  "a.example/d-{partition}\"],"
	  "\"keep_expired\":true,\"distribution_rules\":[907],\"format\":\"pem\"}" },
	DELIVERY_SAMPLES,
	{ KIND_REVOCATION_POLICY,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,\"reasons\":["
	  "\"key-compromise\"],\"unclaimed_after\":\"P3D\"}" },
	{ KIND_STATUS_NODE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"key_sha256\":" PRINT("bbbbbbbb") "}" },
	{ KIND_INPUT_VIEW,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,\"purpose\":"
	  "\"preregistration\",\"fields\":[{\"input\":\"subject.common-name\",\"label\":\"Name\","
	  "\"default\":\"Nobody\",\"modifiers\":[\"trim\"]},{\"input\":\"san.dns\",\"mandatory\":true}]}" },
	{ KIND_TOKEN_PROCEDURE,
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false,"
	  "\"storage_profile\":\"smart-card\",\"card_serial_number\":true,\"serial_number_from\":1000,"
	  "\"serial_number_to\":1999,\"pin_procedure\":901,\"key_procedures\":[902],\"issuer_certificates\":"
	  "\"root\",\"cas_for_recovered_certificates\":"
	  "true,"
	  "\"certificate_procedures\":[702,701]}" },
};

static enum rc
check(enum kind_id kind, const struct json *body, bool draft, struct err *e)
{
	struct document_check c = { .kind = kind_of(kind), .policy = w->s, .draft = draft };
	struct json *normal;

	return document_check(w->a, &c, body, &normal, e);
}

/* One thing that is wrong, in place of what stands there. */
struct wrong {
	enum kind_id kind;
	struct json *root;
	const char *path;
};

static void
must_refuse(const struct wrong *x, enum code code, const char *what)
{
	struct err e = { 0 };

	tried++;
	if (check(x->kind, x->root, false, &e) == RC_OK)
		fail_msg("%s %s: %s passes", kind_name(x->kind), x->path, what);
	if (e.code != code)
		fail_msg("%s %s: %s gives %s instead of %s: %s", kind_name(x->kind), x->path, what,
			 code_name(e.code), code_name(code), e.text);
	if (strncmp(e.field, x->path, strlen(x->path)) != 0)
		fail_msg("%s: names the field %s instead of %s", what, e.field, x->path);
}

/* Puts another value in the place of *v, keeping its name and place. */
static void
swap(struct json *v, const struct json *with)
{
	struct json keep = *v;

	*v = *with;
	v->name = keep.name;
	v->next = keep.next;
}

static void
try_value(const struct wrong *x, struct json *v, const struct json *with, enum code code, const char *what)
{
	struct json was = *v;

	assert_non_null(with);
	swap(v, with);
	must_refuse(x, code, what);
	*v = was;
}

static struct json *
text(const char *s)
{
	return json_str(w->a, bytes_str(s));
}

static struct json *
long_text(const char *begin, size_t n)
{
	char *s = arena_alloc(w->a, n + 1);

	memset(s, 'a', n);
	memcpy(s, begin, strlen(begin));
	return text(s);
}

static bool
is_type(const struct field *f, enum json_type t)
{
	switch (f->type) {
	case FIELD_BOOL:
		return t == JSON_BOOL;
	case FIELD_INT:
		return t == JSON_INT;
	case FIELD_REF:
		return t == JSON_INT || t == JSON_STR;
	case FIELD_OBJECT:
		return t == JSON_OBJECT;
	default:
		return t == JSON_STR;
	}
}

static void
wrong_types(const struct wrong *x, const struct field *f, struct json *v, bool item)
{
	const struct json *const all[] = { json_bool(w->a, true), json_int(w->a, 7), text("x"),
					   json_array(w->a), json_object(w->a) };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool list = (f->flags & FIELD_LIST) && !item;

		if (list ? all[i]->type == JSON_ARRAY : is_type(f, all[i]->type))
			continue;
		try_value(x, v, all[i], CHY_FIELD_TYPE, "a value of another type");
	}
}

static void
wrong_strings(const struct wrong *x, const struct field *f, struct json *v)
{
	static const struct {
		enum field_type type;
		const char *text;
		enum code code;
	} rows[] = {
		{ FIELD_TEXT, "a\tb", CHY_FIELD_TEXT },
		{ FIELD_TEXT,
		  "a\xe2\x80\xae"
		  "b",
		  CHY_FIELD_TEXT },
		{ FIELD_TEXT, " ab", CHY_FIELD_TRIM },
		{ FIELD_CHOICE, "no such choice", CHY_FIELD_CHOICE },
		{ FIELD_CHOICE, "Active", CHY_FIELD_CHOICE },
		{ FIELD_TIME, "yesterday", CHY_FIELD_TIME },
		{ FIELD_TIME, "2026-02-30T00:00:00Z", CHY_FIELD_TIME },
		{ FIELD_DURATION, "90 days", CHY_FIELD_DURATION },
		{ FIELD_DURATION, "P", CHY_FIELD_DURATION },
		{ FIELD_OID, "1.2.x", CHY_FIELD_OID },
		{ FIELD_OID, "9.9", CHY_FIELD_OID },
		{ FIELD_HEX, "abc", CHY_FIELD_HEX },
		{ FIELD_HEX, "zz", CHY_FIELD_HEX },
		{ FIELD_DER, "no base64", CHY_FIELD_DER },
		{ FIELD_DER, "BQAA", CHY_FIELD_DER }, /* an octet behind the value */
		{ FIELD_DER, "BYEA", CHY_FIELD_DER }, /* a length that is not DER */
		{ FIELD_DER, "-----BEGIN CERTIFICATE-----\nBQA=\n", CHY_FIELD_DER },
		{ FIELD_DN, "no name", CHY_FIELD_DN },
		{ FIELD_DN, "C=Sweden", CHY_FIELD_DN },
		{ FIELD_URI, "javascript:alert(1)", CHY_FIELD_URI },
		{ FIELD_URI, "no address", CHY_FIELD_URI },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == f->type && !(f->type == FIELD_TEXT && f->max > 0 && f->max < 3))
			try_value(x, v, text(rows[i].text), rows[i].code, rows[i].text);
	try_value(x, v, text(""), CHY_FIELD_EMPTY, "empty text");
	if (f->type == FIELD_TEXT)
		try_value(x, v, long_text("", (size_t)f->max + 1), CHY_FIELD_TOO_LONG, "too long");
	if (f->type == FIELD_URI)
		try_value(x, v, long_text("http://", (size_t)f->max + 1), CHY_FIELD_TOO_LONG, "too long");
	if (f->type == FIELD_DN)
		try_value(x, v, long_text("CN=", (size_t)f->max + 1), CHY_FIELD_TOO_LONG, "too long");
	if (f->type == FIELD_DER)
		try_value(x, v, long_text("", ((size_t)f->max / 3 + 2) * 4), CHY_FIELD_TOO_LONG,
			  "too many octets");
	if (f->type == FIELD_HEX)
		try_value(x, v, long_text("", 2 * (size_t)f->max + 2), CHY_FIELD_TOO_LONG, "too many octets");
	if (f->type == FIELD_HEX && f->min > 1)
		try_value(x, v, long_text("", 2 * (size_t)f->min - 2), CHY_FIELD_EMPTY, "too few octets");
}

/* A copy of what the sample refers to: closed, or where nobody sees it. Its id; the same kind has the same. */
static int64_t
copy_of(int64_t id, const char *member, struct json *value, int64_t copy)
{
	const struct document *d = snapshot_document(w->s, doc_id_of(id));
	struct json *body;
	int64_t at;

	if (d == NULL)
		fail_msg("%s: no document %lld", member, (long long)id);
	body = json_copy(w->a, d->body);
	at = copy + (int64_t)d->kind;

	json_set(body, "name", text(member));
	json_drop(body, member);
	json_set(body, member, value);
	if (snapshot_document(w->s, doc_id_of(at)) == NULL)
		world_store(w, d->kind, at, body);
	return at;
}

enum { CLOSED_COPIES = 20000, HIDDEN_COPIES = 21000 };

static void
wrong_references(const struct wrong *x, const struct field *f, struct json *v)
{
	const struct document *meant = NULL;
	int64_t closed, id;
	struct document_check self = { .kind = kind_of(x->kind) };
	struct err e = { 0 };
	struct json *normal;

	if (v->type == JSON_STR)
		assert_ok(find_document(w->s, f->ref, v->str, doc_id_of(0), &meant, &e));
	else
		meant = snapshot_document(w->s, doc_id_of(v->integer));
	id = meant->id.v;
	closed = copy_of(id, "state", text("closed"), CLOSED_COPIES);
	try_value(x, v, json_int(w->a, 999999), CHY_REF_NOTHING, "an id of nothing");
	try_value(x, v, text("Nobody"), CHY_REF_NOTHING, "a name of nothing");
	try_value(x, v, json_int(w->a, 0), CHY_FIELD_RANGE, "no id");
	try_value(x, v, json_int(w->a, f->ref == KIND_DOMAIN ? (int64_t)ROOT_CA : (int64_t)NORTH),
		  CHY_REF_KIND, "another kind");
	if (!(f->flags & FIELD_MAY_CLOSED))
		try_value(x, v, json_int(w->a, closed), CHY_REF_CLOSED, "something closed");
	if (f->ref != KIND_DOMAIN)
		try_value(x, v, json_int(w->a, copy_of(id, "domain", json_int(w->a, SOUTH), HIDDEN_COPIES)),
			  CHY_REF_INVISIBLE, "something invisible");
	self.self = doc_id_of(id);
	self.policy = w->s; /* the copies made it anew */
	if (document_check(w->a, &self, x->root, &normal, &e) == RC_OK || e.code != CHY_REF_CIRCULAR)
		fail_msg("%s %s: the document itself gives %s", kind_name(x->kind), x->path,
			 code_name(e.code));
}

static void wrong_members(const struct wrong *x, const struct field *fields, struct json *object);

static void
wrong_item(const struct wrong *x, const struct field *f, struct json *v, bool item)
{
	wrong_types(x, f, v, item);
	if (f->type == FIELD_INT && f->max > f->min) {
		if (f->min > -JSON_INT_MAX)
			try_value(x, v, json_int(w->a, f->min - 1), CHY_FIELD_RANGE, "below the least");
		if (f->max < JSON_INT_MAX)
			try_value(x, v, json_int(w->a, f->max + 1), CHY_FIELD_RANGE, "above the most");
	} else if (f->type == FIELD_REF) {
		wrong_references(x, f, v);
	} else if (f->type == FIELD_OBJECT) {
		wrong_members(x, f->members, v);
	} else if (f->type != FIELD_BOOL && f->type != FIELD_INT) {
		wrong_strings(x, f, v);
	}
}

static void
wrong_list(const struct wrong *x, const struct field *f, struct json *v)
{
	struct json *many = json_array(w->a), *twice = json_array(w->a);
	size_t i = 0;

	for (unsigned n = 0; n <= f->list_max; n++)
		json_add(many, json_copy(w->a, v->first));
	try_value(x, v, many, CHY_FIELD_COUNT, "too many items");
	if (f->list_min > 0)
		try_value(x, v, json_array(w->a), CHY_FIELD_COUNT, "too few items");
	json_add(twice, json_copy(w->a, v->first));
	json_add(twice, json_copy(w->a, v->first));
	if (f->flags & FIELD_UNIQUE && f->list_max > 1)
		try_value(x, v, twice, CHY_FIELD_TWICE, "an item twice");
	JSON_EACH(item, v)
	{
		struct wrong y = { x->kind, x->root, arena_printf(w->a, "%s[%zu]", x->path, i++) };

		wrong_item(&y, f, item, true);
	}
}

static void
wrong_members(const struct wrong *x, const struct field *fields, struct json *object)
{
	struct wrong y = *x;

	y.path = arena_printf(w->a, "%s%sno_such_field", x->path, *x->path ? "." : "");
	json_set(object, "no_such_field", json_bool(w->a, true));
	must_refuse(&y, CHY_FIELD_UNKNOWN, "an unknown member");
	json_drop(object, "no_such_field");
	for (const struct field *f = fields; f->name != NULL; f++) {
		struct json *v = json_get(object, f->name);

		if (v == NULL)
			continue;
		y.path = arena_printf(w->a, "%s%s%s", x->path, *x->path ? "." : "", f->name);
		if (field_is_mandatory(f, fields, object) && f->dflt == NULL)
			try_value(&y, v, json_null(w->a), CHY_FIELD_MISSING, "nothing");
		if (f->flags & FIELD_LIST) {
			wrong_types(&y, f, v, false);
			wrong_list(&y, f, v);
		} else {
			wrong_item(&y, f, v, false);
		}
	}
}

static void
every_field_of_every_kind(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct json *body = world_json(w, samples[i].body);
		struct wrong x = { samples[i].kind, body, "" };
		struct err e = { 0 };

		if (check(samples[i].kind, body, false, &e) != RC_OK)
			fail_msg("the sample of %s itself: %s %s %s", kind_name(samples[i].kind),
				 code_name(e.code), e.field, e.text);
		wrong_members(&x, kind_of(samples[i].kind)->fields, body);
	}
	print_message("# %zu wrong values\n", tried);
	assert_true(tried > 900);
}

/* References of kinds to kinds, without those to domains, never lead back, but for an authority's to the one above it; and
   that one is fixed when it is made. So no chain of changes can close a circle. */
static bool
leads_to(enum kind_id from, enum kind_id to, int depth)
{
	const struct kind *kind = kind_of(from);

	assert_true(depth < KIND_COUNT);
	for (const struct field *f = kind ? kind->fields : NULL; f != NULL && f->name != NULL; f++)
		if (f->type == FIELD_REF && f->ref != KIND_DOMAIN && f->ref != from &&
		    (f->ref == to || leads_to(f->ref, to, depth + 1)))
			return true;
	return false;
}

static void
kinds_refer_upwards_only(void **state)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind *kind = kind_of((enum kind_id)k);

		assert_false(leads_to((enum kind_id)k, (enum kind_id)k, 0));
		for (const struct field *f = kind ? kind->fields : NULL; f != NULL && f->name != NULL; f++)
			if (f->type == FIELD_REF && f->ref == (enum kind_id)k && !(f->flags & FIELD_FIXED))
				assert_string_equal(f->name,
						    "parent"); /* domains: looked at all the way up */
	}
}

/* No field escapes: each one that can be used stands in a sample. */
static void
samples_have_every_field(void **state)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind *kind = kind_of((enum kind_id)k);

		for (const struct field *f = kind ? kind->fields : NULL; f != NULL && f->name != NULL; f++) {
			/* the same in all kinds: test_policy_token_procedure_rules.c */
			bool found = (f->flags & FIELD_NOT_YET) || strcmp(f->name, "description") == 0;

			for (size_t i = 0; i < ARRAY_LEN(samples); i++)
				found = found ||
				    (samples[i].kind == kind->id &&
				     json_get(world_json(w, samples[i].body), f->name));
			if (!found)
				fail_msg("no sample has %s.%s", kind->name, f->name);
		}
	}
}

static enum rc
code_of_row(enum code code)
{
	return code == CHY_NONE ? RC_OK : code_rc(code);
}

static void
serial_ranges_do_not_overlap(void **state)
{
	static const struct {
		int from, to;
		enum code code;
	} rows[] = { { 1, 999, CHY_NONE },
		     { 1, 1000, CHY_SERIAL_RANGE_TAKEN },
		     { 1999, 1999, CHY_SERIAL_RANGE_TAKEN },
		     { 2000, 9000, CHY_NONE },
		     { 500, 3000, CHY_SERIAL_RANGE_TAKEN },
		     { 1500, 1501, CHY_SERIAL_RANGE_TAKEN } };

	world_put(w, KIND_TOKEN_PROCEDURE, 850, samples[ARRAY_LEN(samples) - 1].body);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		const char *body = arena_printf(
		    w->a,
		    "{\"name\":\"Other\",\"storage_profile\":\"smart-card\",\"card_serial_number\":true,"
		    "\"serial_number_from\":%d,\"serial_number_to\":%d,\"pin_procedure\":901,\"certificate_"
		    "procedures\":[702]}",
		    rows[i].from, rows[i].to);
		enum rc rc = world_check(w, KIND_TOKEN_PROCEDURE, 0, false, body, NULL, &e);

		assert_int_equal(rc, code_of_row(rows[i].code));
		assert_int_equal(e.code, rows[i].code);
		if (e.code != CHY_NONE)
			assert_non_null(strstr(e.text, "New"));
	}
}

/* ---- references ---- */

static void
references_by_name_and_id(void **state)
{
	struct json *normal;
	struct err e = { 0 };

	assert_ok(
	    world_check(w, KIND_CERTIFICATE_PROCEDURE, 0, false,
			"{\"name\":\"New\",\"authority\":\"Issuing CA\",\"format\":602,\"validity\":\"P1Y\"}",
			&normal, &e));
	assert_int_equal(body_int(normal, "authority", 0), ISSUING_CA);
	assert_int_equal(body_int(normal, "format", 0), FORMAT_TLS);
}

static void
closed_documents_are_not_referred_to(void **state)
{
	struct err e = { 0 };

	world_put(w, KIND_FORMAT, FORMAT_TLS, "{\"name\":\"TLS\",\"state\":\"closed\"}");
	assert_code(world_check(w, KIND_CERTIFICATE_PROCEDURE, 0, false,
				"{\"name\":\"New\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\"}",
				NULL, &e),
		    CHY_REF_CLOSED);
	/* what is closed itself may go on naming it: so a procedure can be closed after its format */
	assert_ok(world_check(
	    w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, false,
	    "{\"name\":\"Any\",\"state\":\"closed\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\"}",
	    NULL, &e));
}

/* What the check says to a procedure in this domain with this format. */
static enum code
referring(const char *domain, const char *format)
{
	struct err e = { 0 };
	enum rc rc = world_check(
	    w, KIND_CERTIFICATE_PROCEDURE, 0, false,
	    arena_printf(
		w->a, "{\"name\":\"New\",\"domain\":%s,\"authority\":502,\"format\":%s,\"validity\":\"P1Y\"}",
		domain, format),
	    NULL, &e);

	assert_int_equal(rc, code_of_row(e.code));
	return e.code;
}

static void
invisible_documents_are_not_referred_to(void **state)
{
	static const struct {
		const char *domain, *visible;
		int64_t from;
		enum code code;
	} rows[] = {
		{ "null", "false", SOUTH, CHY_NONE },
		{ "101", "false", NORTH, CHY_NONE },
		{ "101", "true", NORTH_CITY, CHY_NONE },
		{ "101", "false", NORTH_CITY, CHY_REF_INVISIBLE },
		{ "101", "true", SOUTH, CHY_REF_INVISIBLE },
		{ "103", "true", NORTH, CHY_REF_INVISIBLE },
		{ "101", "true", 0, CHY_REF_INVISIBLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *from = rows[i].from ? arena_printf(w->a, "%d", (int)rows[i].from) : "null";
		enum code by_name = rows[i].code == CHY_NONE ? CHY_NONE
							     : CHY_REF_NOTHING; /* it is simply not seen */

		world_put(w, KIND_FORMAT, 650,
			  arena_printf(w->a,
				       "{\"name\":\"Moving\",\"domain\":%s,\"visible_in_subdomain\":%s}",
				       rows[i].domain, rows[i].visible));
		assert_int_equal(referring(from, "650"), rows[i].code);
		assert_int_equal(referring(from, "\"Moving\""), by_name);
	}
}

static void
nothing_refers_to_itself(void **state)
{
	struct err e = { 0 };

	assert_code(
	    world_check(w, KIND_DOMAIN, NORTH, false, "{\"name\":\"North\",\"parent\":101}", NULL, &e),
	    CHY_REF_CIRCULAR);
	assert_code(
	    world_check(w, KIND_DOMAIN, NORTH, false, "{\"name\":\"North\",\"parent\":\"City\"}", NULL, &e),
	    CHY_REF_CIRCULAR);
	assert_ok(world_check(w, KIND_DOMAIN, NORTH_CITY, false, "{\"name\":\"City\",\"parent\":\"South\"}",
			      NULL, &e));
}

/* ---- names, fixed fields, drafts ---- */

static void
names_are_free_in_kind_and_domain(void **state)
{
	struct err e = { 0 };

	assert_code(world_check(w, KIND_FORMAT, 0, false, "{\"name\":\"TLS\"}", NULL, &e), CHY_NAME_TAKEN);
	assert_ok(world_check(w, KIND_FORMAT, FORMAT_TLS, false, "{\"name\":\"TLS\"}", NULL, &e));
	assert_ok(world_check(w, KIND_FORMAT, 0, false, "{\"name\":\"TLS\",\"domain\":\"North\"}", NULL, &e));
	assert_ok(world_check(w, KIND_DOMAIN, 0, false, "{\"name\":\"TLS\"}", NULL, &e));
	assert_code(world_check(w, KIND_DOMAIN, 0, false, "{\"name\":\"City\",\"parent\":101}", NULL, &e),
		    CHY_NAME_TAKEN);
}

static void
fixed_fields_stay(void **state)
{
	struct err e = { 0 };

	assert_code(world_check(w, KIND_CA_KEY, CA_KEY, false,
				"{\"name\":\"CA key\",\"algorithm\":\"p-384\"}", NULL, &e),
		    CHY_FIELD_FIXED);
	assert_ok(world_check(w, KIND_CA_KEY, CA_KEY, false, "{\"name\":\"Renamed\",\"algorithm\":\"p-256\"}",
			      NULL, &e));
	assert_code(
	    world_check(w, KIND_FORMAT, FORMAT_TLS, false, "{\"name\":\"TLS\",\"purpose\":\"ca\"}", NULL, &e),
	    CHY_FIELD_FIXED);
}

static void
drafts_may_be_incomplete_but_not_wrong(void **state)
{
	struct err e = { 0 };
	struct json *normal;

	assert_ok(world_check(w, KIND_TOKEN_PROCEDURE, 0, true, "{}", &normal, &e));
	assert_int_equal(normal->count, 0);
	assert_ok(world_check(w, KIND_TOKEN_PROCEDURE, 0, true,
			      "{\"name\":\"New\",\"certificate_procedures\":[]}", NULL, &e));
	assert_ok(world_check(w, KIND_TOKEN_PROCEDURE, 0, true, "{\"name\":\"Server\"}", NULL,
			      &e)); /* a taken name */
	assert_code(world_check(w, KIND_TOKEN_PROCEDURE, 0, true, "{\"nmae\":\"New\"}", NULL, &e),
		    CHY_FIELD_UNKNOWN);
	assert_code(world_check(w, KIND_TOKEN_PROCEDURE, 0, true, "{\"name\":7}", NULL, &e), CHY_FIELD_TYPE);
}

/* ---- rules of the kinds ---- */

static void
rules_of_the_kinds(void **state)
{
	static const struct {
		enum kind_id kind;
		const char *body;
		enum code code;
		const char *field;
	} rows[] = {
		{ KIND_OFFICER,
		  "{\"name\":\"N\",\"profile\":201,\"certificate_sha256\":" PRINT("aaaaaaaa") "}",
		  CHY_CERTIFICATE_BOUND, "certificate_sha256" },
		{ KIND_CA_KEY, "{\"name\":\"N\",\"algorithm\":\"p-256\",\"label\":\"a/b\"}", CHY_FIELD_VALUE,
		  "label" },
		{ KIND_CA_KEY, "{\"name\":\"N\",\"algorithm\":\"p-256\",\"place\":\"pkcs11\"}",
		  CHY_FIELD_MISSING, "pkcs11_uri" },
		{ KIND_CA_KEY, "{\"name\":\"N\",\"algorithm\":\"p-256\",\"pkcs11_uri\":\"pkcs11:token=x\"}",
		  CHY_FIELD_UNAVAILABLE, "pkcs11_uri" },
		{ KIND_CA_KEY,
		  "{\"name\":\"N\",\"algorithm\":\"p-256\",\"place\":\"pkcs11\",\"pkcs11_uri\":\"pkcs11:"
		  "token=x?pin-value=1234\"}",
		  CHY_FIELD_VALUE, "pkcs11_uri" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=N\",\"format\":602,"
		  "\"validity\":\"P1Y\"}",
		  CHY_FIELD_CONFLICT, "format" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=N\",\"format\":601}",
		  CHY_FIELD_MISSING, "not_after" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=N\",\"format\":601,"
		  "\"validity\":\"P1Y\","
		  "\"not_after\":\"2036-01-01T00:00:00Z\"}",
		  CHY_FIELD_UNAVAILABLE, "not_after" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=N\",\"format\":601,"
		  "\"validity\":\"PT0S\"}",
		  CHY_FIELD_RANGE, "validity" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=N\",\"format\":601,"
		  "\"not_before\":\"2036-01-01T00:00:00Z\",\"not_after\":\"2036-01-01T00:00:00Z\"}",
		  CHY_FIELD_CONFLICT, "not_after" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"root\",\"ca_key\":402,\"subject\":\"CN=N\",\"format\":601,"
		  "\"validity\":\"P1Y\","
		  "\"signature_algorithm\":\"rsa-pkcs1-sha256\"}",
		  CHY_FIELD_CONFLICT, "signature_algorithm" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"subordinate\",\"ca_key\":402,\"subject\":\"CN=N\",\"format\":"
		  "601,\"validity\":\"P1Y\"}",
		  CHY_FIELD_MISSING, "issuing_authority" },
		{ KIND_AUTHORITY,
		  "{\"name\":\"N\",\"type\":\"subordinate\",\"issuing_authority\":502,\"ca_key\":402,"
		  "\"subject\":\"CN=N\","
		  "\"format\":601,\"validity\":\"P1Y\"}",
		  CHY_AUTHORITY_PATH_LENGTH, "path_length" }, /* Issuing CA has 0 */
		{ KIND_FORMAT, "{\"name\":\"N\",\"rsa_bits_min\":4096,\"rsa_bits_max\":2048}",
		  CHY_FIELD_CONFLICT, "rsa_bits_max" },
		{ KIND_FORMAT,
		  "{\"name\":\"N\",\"subject\":[{\"attribute\":\"CN\"},{\"attribute\":\"2.5.4.3\"}]}",
		  CHY_FIELD_TWICE, "subject[1].attribute" },
		{ KIND_FORMAT,
		  "{\"name\":\"N\",\"san\":[{\"type\":\"dns\",\"source\":\"fixed\",\"values\":[\"a b\"]}]}",
		  CHY_FIELD_VALUE, "san[0].values[0]" },
		{ KIND_FORMAT, "{\"name\":\"N\",\"subject\":[{\"attribute\":\"CN\",\"source\":\"fixed\"}]}",
		  CHY_FIELD_MISSING, "subject[0].value" },
		{ KIND_FORMAT, "{\"name\":\"N\",\"san\":[{\"type\":\"ip\",\"begins_with\":\"10.\"}]}",
		  CHY_FIELD_CONFLICT, "san[0].begins_with" },
#define ELEMENTS(list) KIND_FORMAT, "{\"name\":\"N\"," list "}"
		/* what fills an element: unknown, secret, of another kind, both default and mandatory */
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"input\":\"device.colour\"}]"),
		  CHY_FIELD_CHOICE, "subject[0].input" },
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"input\":\"device.secret\"}]"),
		  CHY_FIELD_CHOICE, "subject[0].input" },
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"input\":\"pin\"}]"), CHY_FIELD_CHOICE,
		  "subject[0].input" },
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"input\":\"validity.not_after\"}]"),
		  CHY_FIELD_CHOICE, "subject[0].input" },
		{ ELEMENTS(
		      "\"subject\":[{\"attribute\":\"CN\",\"source\":\"none\",\"input\":\"person.name\"}]"),
		  CHY_FIELD_UNAVAILABLE, "subject[0].input" },
		{ ELEMENTS(
		      "\"subject\":[{\"attribute\":\"CN\",\"source\":\"fixed\",\"value\":\"x\",\"default\":"
		      "\"y\"}]"),
		  CHY_FIELD_UNAVAILABLE, "subject[0].default" },
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"mandatory\":true,\"default\":\"x\"}]"),
		  CHY_FIELD_CONFLICT, "subject[0].mandatory" },
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"max_length\":3,\"default\":\"abcd\"}]"),
		  CHY_FIELD_CONFLICT, "subject[0].default" },
		{ ELEMENTS(
		      "\"subject\":[{\"attribute\":\"CN\",\"modifiers\":[\"only:0-9\"],\"default\":\"a\"}]"),
		  CHY_FIELD_CONFLICT, "subject[0].default" },
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"modifiers\":[\"trim:3\"]}]"),
		  CHY_FIELD_VALUE, "subject[0].modifiers[0]" },
		{ ELEMENTS("\"subject\":[{\"attribute\":\"CN\",\"modifiers\":[\"trim\",\"truncate:0\"]}]"),
		  CHY_FIELD_VALUE, "subject[0].modifiers[1]" },
		{ ELEMENTS("\"san\":[{\"type\":\"ip\",\"input\":\"person.name\"}]"), CHY_FIELD_CONFLICT,
		  "san[0].input" },
		{ ELEMENTS("\"san\":[{\"type\":\"directory\",\"input\":\"san.dns\"}]"), CHY_FIELD_CONFLICT,
		  "san[0].input" },
		{ ELEMENTS("\"san\":[{\"type\":\"rid\",\"modifiers\":[\"trim\"]}]"), CHY_FIELD_CONFLICT,
		  "san[0].modifiers" },
		{ ELEMENTS("\"san\":[{\"type\":\"dns\",\"default\":\"a b\"}]"), CHY_FIELD_VALUE,
		  "san[0].default" },
		{ ELEMENTS("\"san\":[{\"type\":\"uri\",\"begins_with\":\"urn:\",\"default\":\"https://"
			   "a.example\"}]"),
		  CHY_FIELD_CONFLICT, "san[0].default" },
		{ ELEMENTS("\"san\":[{\"type\":\"dns\",\"default\":\"a.example\",\"mandatory\":true}]"),
		  CHY_FIELD_CONFLICT, "san[0].mandatory" },
		{ ELEMENTS("\"input_extensions\":[{\"oid\":\"1.2.3\"}]"), CHY_FIELD_MISSING,
		  "input_extensions[0].input" },
		{ ELEMENTS("\"input_extensions\":[{\"oid\":\"keyUsage\",\"input\":\"person.name\"}]"),
		  CHY_FIELD_CONFLICT, "input_extensions[0].oid" },
		{ ELEMENTS(
		      "\"input_extensions\":[{\"oid\":\"1.3.6.1.5.5.7.1.3\",\"input\":\"person.name\"}]"),
		  CHY_FIELD_CONFLICT, "input_extensions[0].oid" },
		{ ELEMENTS("\"input_extensions\":[{\"oid\":\"1.2.3\",\"input\":\"person.name\"}],"
			   "\"request_extensions\":[{\"oid\":\"1.2.3\"}]"),
		  CHY_FIELD_CONFLICT, "input_extensions[0].oid" },
		{ ELEMENTS("\"input_extensions\":[{\"oid\":\"1.2.3\",\"input\":\"person.name\"},{\"oid\":\"1."
			   "2.3\","
			   "\"input\":\"person.number\"}]"),
		  CHY_FIELD_TWICE, "input_extensions[1].oid" },
		{ ELEMENTS("\"input_extensions\":[{\"oid\":\"1.2.3\",\"input\":\"person.name\",\"form\":"
			   "\"bmp\"}]"),
		  CHY_FIELD_CHOICE, "input_extensions[0].form" },
		{ KIND_FORMAT, "{\"name\":\"N\",\"request_extensions\":[{\"oid\":\"basicConstraints\"}]}",
		  CHY_FIELD_CONFLICT, "request_extensions[0].oid" },
		{ KIND_FORMAT, "{\"name\":\"N\",\"purpose\":\"ca\",\"subject\":[]}", CHY_FIELD_UNAVAILABLE,
		  "subject" },
		{ KIND_CERTIFICATE_PROCEDURE,
		  "{\"name\":\"N\",\"authority\":502,\"format\":601,\"validity\":\"P1Y\"}",
		  CHY_FIELD_CONFLICT, "format" },
		{ KIND_CERTIFICATE_PROCEDURE, "{\"name\":\"N\",\"format\":602,\"validity\":\"P1Y\"}",
		  CHY_FIELD_MISSING, "authority" },
		{ KIND_CERTIFICATE_PROCEDURE, "{\"name\":\"N\",\"authority\":502,\"validity\":\"P1Y\"}",
		  CHY_FIELD_MISSING, "format" },
		{ KIND_CERTIFICATE_PROCEDURE,
		  "{\"name\":\"N\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"signature_"
		  "algorithm\":\"ed25519\"}",
		  CHY_FIELD_CONFLICT, "signature_algorithm" },
		{ KIND_CERTIFICATE_PROCEDURE,
		  "{\"name\":\"N\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"backdate\":"
		  "\"P3D\"}",
		  CHY_FIELD_RANGE, "backdate" },
		{ KIND_CERTIFICATE_PROCEDURE,
		  "{\"name\":\"N\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"extensions\":[{"
		  "\"oid\":\"1.2.3\","
		  "\"value\":\"3005\"}]}",
		  CHY_FIELD_VALUE, "extensions[0].value" },
		{ KIND_CERTIFICATE_PROCEDURE,
		  "{\"name\":\"N\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"extensions\":[{"
		  "\"oid\":\"keyUsage\","
		  "\"value\":\"0500\"}]}",
		  CHY_FIELD_CONFLICT, "extensions[0].oid" },
		{ KIND_CERTIFICATE_PROCEDURE,
		  "{\"name\":\"N\",\"authority\":502,\"format\":602,\"validity\":\"P1Y\",\"qc_statements\":{"
		  "\"countries\":[\"se\"]}}",
		  CHY_FIELD_VALUE, "qc_statements.countries" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };

		if (check(rows[i].kind, world_json(w, rows[i].body), false, &e) == RC_OK ||
		    e.code != rows[i].code)
			fail_msg("%s: %s, not %s: %s", rows[i].body, code_name(e.code),
				 code_name(rows[i].code), e.text);
		assert_string_equal(e.field, rows[i].field);
	}
}

/* ---- normal form and difference ---- */

static void
normal_form_is_a_fixed_point(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct document_check c = { .kind = kind_of(samples[i].kind), .policy = w->s };
		struct json *once, *twice;
		struct err e = { 0 };

		assert_ok(document_check(w->a, &c, world_json(w, samples[i].body), &once, &e));
		assert_ok(document_check(w->a, &c, once, &twice, &e));
		assert_true(json_eq(once, twice));
		assert_null(json_get(once, "nothing"));
		for (const struct field *f = c.kind->fields; f->name != NULL; f++)
			if (f->dflt != NULL && field_is_available(f, c.kind->fields, once))
				assert_non_null(json_get(once, f->name));
	}
}

static struct bytes
entry(const struct json *list, const char *field, const char *which)
{
	JSON_EACH(x, list)
	if (bytes_is(body_text(x, "field"), field))
		return body_text(x, which);
	fail_msg("the difference lacks %s", field);
	return BYTES_NONE;
}

static void
differences_are_for_people(void **state)
{
	const struct document *d = snapshot_document(w->s, doc_id_of(TOKEN_MANY));
	struct json *after, *list;
	struct err e = { 0 };

	assert_ok(world_check(w, KIND_TOKEN_PROCEDURE, TOKEN_MANY, false,
			      "{\"name\":\"Many\",\"state\":\"closed\",\"visible_in_subdomain\":true,"
			      "\"storage_profile\":\"pkcs10\","
			      "\"certificate_procedures\":[702,701]}",
			      &after, &e));
	assert_ok(document_difference(w->a, kind_of(KIND_TOKEN_PROCEDURE), w->s, d->body, after, &list, &e));
	assert_int_equal(list->count, 3);
	assert_text(entry(list, "state", "old"), "Active");
	assert_text(entry(list, "state", "new"), "Closed");
	assert_text(entry(list, "state", "label"), "State");
	assert_text(entry(list, "visible_in_subdomain", "new"), "yes");
	assert_text(entry(list, "certificate_procedures", "old"), "Sign (701), Any (702), Crypt (703)");
	assert_text(entry(list, "certificate_procedures", "new"), "Any (702), Sign (701)");
	assert_ok(document_difference(w->a, kind_of(KIND_TOKEN_PROCEDURE), w->s, after, after, &list, &e));
	assert_int_equal(list->count, 0);
	assert_ok(document_difference(w->a, kind_of(KIND_TOKEN_PROCEDURE), w->s, NULL, after, &list, &e));
	assert_int_equal(list->count, after->count);
}

static void
where_used_names_all(void **state)
{
	struct json *list;
	struct err e = { 0 };

	assert_ok(document_where_used(w->a, w->s, doc_id_of(PROC_NONE), &list, &e));
	assert_int_equal(list->count, 2);
	assert_text(body_text(list->first, "field"), "certificate_procedures");
	assert_ok(document_where_used(w->a, w->s, doc_id_of(TOKEN), &list, &e));
	assert_int_equal(list->count, 0);
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
	EACH_ROWS(every_field_of_every_kind, "CM-T-02 CM-C-02 CM-C-03 CM-C-04"),
	EACH(samples_have_every_field),
	EACH(kinds_refer_upwards_only),
	EACH_ROWS(serial_ranges_do_not_overlap, "CM-T-09"),
	EACH(references_by_name_and_id),
	EACH(closed_documents_are_not_referred_to),
	EACH_ROWS(invisible_documents_are_not_referred_to, "CM-T-04 CM-O-13 CM-O-14"),
	EACH(nothing_refers_to_itself),
	EACH(names_are_free_in_kind_and_domain),
	EACH(fixed_fields_stay),
	EACH_ROWS(drafts_may_be_incomplete_but_not_wrong, "CM-T-35"),
	EACH_ROWS(rules_of_the_kinds, "CM-C-03 CM-C-04 CM-C-10"),
	EACH(normal_form_is_a_fixed_point),
	EACH_ROWS(differences_are_for_people, "CM-O-22"),
	EACH(where_used_names_all),
};

TESTS_MAIN(tests)
