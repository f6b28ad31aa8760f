/*
 * Every rule that create-token-procedure has about a field, as one table: what an officer enters, and what is said to it.
 */
#include "policy_world.h"

static struct world *w;

/* What may not be referred to: of each kind a closed document, by an id 50 above that of an open one, and one of another
   domain, 60 above it. */
static void
cannot_be_named(void)
{
	static const struct {
		enum kind_id kind;
		int64_t id;
	} kinds[] = { { KIND_PIN_PROCEDURE, PIN },
		      { KIND_KEY_PROCEDURE, ARCHIVE },
		      { KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, PROC_AC },
		      { KIND_INPUT_VIEW, VIEW },
		      { KIND_CERTIFICATE_PROCEDURE, PROC_NONE } };

	world_put(w, KIND_DOMAIN, 151, "{\"name\":\"Gone\",\"state\":\"closed\"}");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (int k = 0; k < 2; k++) {
			struct json *body = json_copy(w->a,
						      snapshot_document(w->s, doc_id_of(kinds[i].id))->body);
			const char *member = k ? "domain" : "state";

			json_drop(body, "name");
			json_drop(body, member);
			json_set(body, "name", json_str(w->a, k ? BYTES("Elsewhere") : BYTES("Gone")));
			json_set(body, member, k ? json_int(w->a, SOUTH) : json_str(w->a, BYTES("closed")));
			world_store(w, kinds[i].kind, kinds[i].id + 50 + 10 * k, body);
		}
}

static int
setup(void **state)
{
	w = world_new();
	cannot_be_named();
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

/* Beginnings, to which a row adds what it is about. */
#define P10 "\"name\":\"New\",\"storage_profile\":\"pkcs10\""
#define P12 "\"name\":\"New\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":901"
#define CARD \
	"\"name\":\"New\",\"storage_profile\":\"smart-card\",\"pin_procedure\":901,\"card_serial_number\":" \
	"false"
#define RANGE \
	"\"name\":\"New\",\"storage_profile\":\"smart-card\",\"pin_procedure\":901,\"card_serial_number\":" \
	"true"
#define FILE_OF_AC \
	"\"name\":\"New\",\"storage_profile\":\"attribute-certificate-file\",\"attribute_certificate_" \
	"procedures\":[905]"
#define CERTS ",\"certificate_procedures\":[702]"

/* code CHY_NONE: accepted. field: which one the refusal names; of what is accepted, one that must be there
   afterwards, "!x" for one that must not. */
struct row {
	const char *body;
	enum code code;
	const char *field;
};

/* Runs a table; the two macros below name it, so that each of the seed's steps is a test of its own. */
static void
all(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = arena_printf(w->a, "{%s}", rows[i].body);
		struct json *normal = NULL;
		struct err e = { 0 };
		enum rc rc = world_check(w, KIND_TOKEN_PROCEDURE, 0, false, text, &normal, &e);
		bool absent = rows[i].field[0] == '!';

		if (rc != (rows[i].code ? code_rc(rows[i].code) : RC_OK) || e.code != rows[i].code)
			fail_msg("%s: %s (%s), not %s", text, code_name(e.code), e.text,
				 code_name(rows[i].code));
		if (rc != RC_OK)
			assert_string_equal(e.field, rows[i].field);
		else if (rows[i].field[0] != 0)
			assert_true((json_get(normal, rows[i].field + absent) == NULL) == absent);
	}
}

#define STEP(name, ...) \
	static const struct row name##_rows[] = { __VA_ARGS__ }; \
	static void name(void **state) \
	{ \
		all(name##_rows, ARRAY_LEN(name##_rows)); \
	}

#define TEN(x) x x x x x x x x x x
/* More items than a list may have, and more characters than a name. */
#define TOO_MANY "[" TEN(TEN("702,")) "702]"
#define TOO_LONG TEN(TEN("xx")) "x"

STEP(step_2_name, { P10 CERTS, CHY_NONE, "name" },
     { "\"storage_profile\":\"pkcs10\"" CERTS, CHY_FIELD_MISSING, "name" },
     { "\"name\":\"\",\"storage_profile\":\"pkcs10\"" CERTS, CHY_FIELD_EMPTY, "name" },
     { "\"name\":\" x\",\"storage_profile\":\"pkcs10\"" CERTS, CHY_FIELD_TRIM, "name" },
     { "\"name\":7,\"storage_profile\":\"pkcs10\"" CERTS, CHY_FIELD_TYPE, "name" },
     { "\"name\":\"Server\",\"storage_profile\":\"pkcs10\"" CERTS, CHY_NAME_TAKEN, "name" },
     /* the same name in another domain is another procedure */
     { "\"name\":\"Server\",\"domain\":101,\"storage_profile\":\"pkcs10\"" CERTS, CHY_NONE, "domain" },
     { "\"name\":\"" TOO_LONG "\",\"storage_profile\":\"pkcs10\"" CERTS, CHY_FIELD_TOO_LONG, "name" })

STEP(step_3_state, { P10 CERTS, CHY_NONE, "state" }, { P10 ",\"state\":\"active\"" CERTS, CHY_NONE, "state" },
     { P10 ",\"state\":\"closed\"" CERTS, CHY_NONE, "state" },
     { P10 ",\"state\":\"paused\"" CERTS, CHY_FIELD_CHOICE, "state" },
     { P10 ",\"state\":true" CERTS, CHY_FIELD_TYPE, "state" },
     { P10 ",\"state\":\"\"" CERTS, CHY_FIELD_EMPTY, "state" })

STEP(step_4_domain, { P10 ",\"domain\":101,\"visible_in_subdomain\":true" CERTS, CHY_NONE, "domain" },
     { P10 CERTS, CHY_NONE, "visible_in_subdomain" }, { P10 CERTS, CHY_NONE, "!domain" },
     { P10 ",\"domain\":\"Nowhere\"" CERTS, CHY_REF_NOTHING, "domain" },
     { P10 ",\"domain\":502" CERTS, CHY_REF_KIND, "domain" },
     { P10 ",\"visible_in_subdomain\":\"yes\"" CERTS, CHY_FIELD_TYPE, "visible_in_subdomain" },
     { P10 ",\"domain\":true" CERTS, CHY_FIELD_TYPE, "domain" },
     { P10 ",\"domain\":151" CERTS, CHY_REF_CLOSED, "domain" })

STEP(step_5_storage_profile, { P10 CERTS, CHY_NONE, "storage_profile" },
     { P12 CERTS, CHY_NONE, "storage_profile" }, { CARD CERTS, CHY_NONE, "storage_profile" },
     { FILE_OF_AC, CHY_NONE, "storage_profile" },
     { "\"name\":\"New\"" CERTS, CHY_FIELD_MISSING, "storage_profile" },
     { "\"name\":\"New\",\"storage_profile\":\"usb-stick\"" CERTS, CHY_FIELD_CHOICE, "storage_profile" },
     { "\"name\":\"New\",\"storage_profile\":\"\"" CERTS, CHY_FIELD_EMPTY, "storage_profile" },
     { "\"name\":\"New\",\"storage_profile\":4" CERTS, CHY_FIELD_TYPE, "storage_profile" })

/* Asked of smart cards, absent for all others. */
STEP(step_6_card_serial_number, { CARD CERTS, CHY_NONE, "card_serial_number" },
     { "\"name\":\"New\",\"storage_profile\":\"smart-card\",\"pin_procedure\":901" CERTS, CHY_FIELD_MISSING,
       "card_serial_number" },
     { P10 CERTS, CHY_NONE, "!card_serial_number" },
     { P10 ",\"card_serial_number\":false" CERTS, CHY_FIELD_UNAVAILABLE, "card_serial_number" },
     { P12 ",\"card_serial_number\":true" CERTS, CHY_FIELD_UNAVAILABLE, "card_serial_number" },
     { FILE_OF_AC ",\"card_serial_number\":false", CHY_FIELD_UNAVAILABLE, "card_serial_number" },
     { "\"name\":\"New\",\"storage_profile\":\"smart-card\",\"pin_procedure\":901,\"card_serial_number\":"
       "\"yes\"" CERTS,
       CHY_FIELD_TYPE, "card_serial_number" })

/* Yes makes both mandatory, No makes both unavailable. */
STEP(step_6_range,
     { RANGE ",\"serial_number_from\":1,\"serial_number_to\":9" CERTS, CHY_NONE, "serial_number_to" },
     { RANGE ",\"serial_number_from\":5,\"serial_number_to\":5" CERTS, CHY_NONE, "serial_number_from" },
     { RANGE CERTS, CHY_FIELD_MISSING, "serial_number_from" },
     { RANGE ",\"serial_number_from\":1" CERTS, CHY_FIELD_MISSING, "serial_number_to" },
     { RANGE ",\"serial_number_to\":1" CERTS, CHY_FIELD_MISSING, "serial_number_from" },
     { CARD ",\"serial_number_from\":1" CERTS, CHY_FIELD_UNAVAILABLE, "serial_number_from" },
     { CARD ",\"serial_number_to\":1" CERTS, CHY_FIELD_UNAVAILABLE, "serial_number_to" },
     { P10 ",\"serial_number_from\":1,\"serial_number_to\":9" CERTS, CHY_FIELD_UNAVAILABLE,
       "serial_number_from" })

STEP(step_6_range_of_numbers,
     { RANGE ",\"serial_number_from\":5,\"serial_number_to\":4" CERTS, CHY_FIELD_CONFLICT,
       "serial_number_to" },
     { RANGE ",\"serial_number_from\":\"5\",\"serial_number_to\":9" CERTS, CHY_FIELD_TYPE,
       "serial_number_from" },
     { RANGE ",\"serial_number_from\":1,\"serial_number_to\":\"many\"" CERTS, CHY_FIELD_TYPE,
       "serial_number_to" },
     { RANGE ",\"serial_number_from\":-1,\"serial_number_to\":9" CERTS, CHY_FIELD_RANGE,
       "serial_number_from" },
     { RANGE ",\"serial_number_from\":1,\"serial_number_to\":-1" CERTS, CHY_FIELD_RANGE, "serial_number_to" })

/* From the list of PIN procedures; where there is no PIN there is none. */
STEP(step_7_pin_procedure, { P12 CERTS, CHY_NONE, "pin_procedure" },
     { CARD CERTS, CHY_NONE, "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"pkcs12\"" CERTS, CHY_FIELD_MISSING, "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"smart-card\",\"card_serial_number\":false" CERTS,
       CHY_FIELD_MISSING, "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":\"PIN\"" CERTS, CHY_NONE,
       "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":\"By letter\"" CERTS,
       CHY_REF_NOTHING, "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":902" CERTS, CHY_REF_KIND,
       "pin_procedure" },
     { P10 ",\"pin_procedure\":901" CERTS, CHY_FIELD_UNAVAILABLE, "pin_procedure" },
     { FILE_OF_AC ",\"pin_procedure\":901", CHY_FIELD_UNAVAILABLE, "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":[901]" CERTS, CHY_FIELD_TYPE,
       "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":951" CERTS, CHY_REF_CLOSED,
       "pin_procedure" },
     { "\"name\":\"New\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":961" CERTS, CHY_REF_INVISIBLE,
       "pin_procedure" })

STEP(step_8_key_procedures, { P12 CERTS, CHY_NONE, "!key_procedures" },
     { P12 ",\"key_procedures\":[902]" CERTS, CHY_NONE, "key_procedures" },
     { CARD ",\"key_procedures\":[902,903,904]" CERTS, CHY_NONE, "key_procedures" },
     { P12 ",\"key_procedures\":[902,902]" CERTS, CHY_FIELD_TWICE, "key_procedures[1]" },
     { P12 ",\"key_procedures\":[901]" CERTS, CHY_REF_KIND, "key_procedures[0]" },
     { P10 ",\"key_procedures\":[902]" CERTS, CHY_FIELD_UNAVAILABLE, "key_procedures" },
     { FILE_OF_AC ",\"key_procedures\":[902]", CHY_FIELD_UNAVAILABLE, "key_procedures" },
     { P12 ",\"key_procedures\":902" CERTS, CHY_FIELD_TYPE, "key_procedures" },
     { P12 ",\"key_procedures\":[true]" CERTS, CHY_FIELD_TYPE, "key_procedures[0]" },
     { P12 ",\"key_procedures\":" TOO_MANY CERTS, CHY_FIELD_COUNT, "key_procedures" },
     { P12 ",\"key_procedures\":[902,\"None such\"]" CERTS, CHY_REF_NOTHING, "key_procedures[1]" },
     { P12 ",\"key_procedures\":[952]" CERTS, CHY_REF_CLOSED, "key_procedures[0]" },
     { P12 ",\"key_procedures\":[962]" CERTS, CHY_REF_INVISIBLE, "key_procedures[0]" })

STEP(step_9_issuer_certificates, { P12 CERTS, CHY_NONE, "issuer_certificates" },
     { P12 ",\"issuer_certificates\":\"all\"" CERTS, CHY_NONE, "issuer_certificates" },
     { P12 ",\"issuer_certificates\":\"none\"" CERTS, CHY_NONE, "issuer_certificates" },
     { P12 ",\"issuer_certificates\":\"root\"" CERTS, CHY_NONE, "issuer_certificates" },
     { P12 ",\"issuer_certificates\":\"issuing\"" CERTS, CHY_NONE, "issuer_certificates" },
     { P12 ",\"issuer_certificates\":\"some\"" CERTS, CHY_FIELD_CHOICE, "issuer_certificates" },
     { FILE_OF_AC ",\"issuer_certificates\":\"all\"", CHY_FIELD_UNAVAILABLE, "issuer_certificates" },
     { P12 ",\"issuer_certificates\":[\"all\"]" CERTS, CHY_FIELD_TYPE, "issuer_certificates" },
     { P12 ",\"issuer_certificates\":\"\"" CERTS, CHY_FIELD_EMPTY, "issuer_certificates" })

/* Only with a policy that stores, and where keys can be recovered at all. */
#define RECOVERED ",\"cas_for_recovered_certificates\":true"
STEP(step_9_cas_for_recovered_certificates,
     { P12 ",\"issuer_certificates\":\"all\"" RECOVERED CERTS, CHY_NONE, "cas_for_recovered_certificates" },
     { P12 ",\"issuer_certificates\":\"root\"" RECOVERED CERTS, CHY_NONE, "cas_for_recovered_certificates" },
     { CARD ",\"issuer_certificates\":\"issuing\"" RECOVERED CERTS, CHY_NONE,
       "cas_for_recovered_certificates" },
     { P12 RECOVERED CERTS, CHY_NONE, "cas_for_recovered_certificates" },
     { P12 ",\"issuer_certificates\":\"none\"" CERTS, CHY_NONE, "!cas_for_recovered_certificates" },
     { P12 ",\"issuer_certificates\":\"none\"" RECOVERED CERTS, CHY_FIELD_UNAVAILABLE,
       "cas_for_recovered_certificates" },
     { P10 RECOVERED CERTS, CHY_FIELD_UNAVAILABLE, "cas_for_recovered_certificates" },
     { FILE_OF_AC RECOVERED, CHY_FIELD_UNAVAILABLE, "cas_for_recovered_certificates" },
     { P12 ",\"cas_for_recovered_certificates\":\"no\"" CERTS, CHY_FIELD_TYPE,
       "cas_for_recovered_certificates" })

STEP(step_10_attribute_certificate_procedures, { P10 CERTS, CHY_NONE, "!attribute_certificate_procedures" },
     { P10 ",\"attribute_certificate_procedures\":[905]" CERTS, CHY_NONE,
       "attribute_certificate_procedures" },
     { CARD ",\"attribute_certificate_procedures\":[\"Roles\"]" CERTS, CHY_NONE,
       "attribute_certificate_procedures" },
     { P10 ",\"attribute_certificate_procedures\":[905,905]" CERTS, CHY_FIELD_TWICE,
       "attribute_certificate_procedures[1]" },
     { P10 ",\"attribute_certificate_procedures\":[702]" CERTS, CHY_REF_KIND,
       "attribute_certificate_procedures[0]" },
     { "\"name\":\"New\",\"storage_profile\":\"attribute-certificate-file\"", CHY_FIELD_MISSING,
       "attribute_certificate_procedures" },
     { P10 ",\"attribute_certificate_procedures\":905" CERTS, CHY_FIELD_TYPE,
       "attribute_certificate_procedures" },
     { P10 ",\"attribute_certificate_procedures\":" TOO_MANY CERTS, CHY_FIELD_COUNT,
       "attribute_certificate_procedures" },
     { P10 ",\"attribute_certificate_procedures\":[\"None such\"]" CERTS, CHY_REF_NOTHING,
       "attribute_certificate_procedures[0]" },
     { P10 ",\"attribute_certificate_procedures\":[955]" CERTS, CHY_REF_CLOSED,
       "attribute_certificate_procedures[0]" },
     { P10 ",\"attribute_certificate_procedures\":[965]" CERTS, CHY_REF_INVISIBLE,
       "attribute_certificate_procedures[0]" })

/* Mandatory, unless every key procedure recovers and reuses the certificate. */
STEP(step_11_certificate_procedures, { P10 CERTS, CHY_NONE, "certificate_procedures" },
     { P10 ",\"certificate_procedures\":[703,701,702]", CHY_NONE, "certificate_procedures" },
     { P10, CHY_FIELD_MISSING, "certificate_procedures" },
     { P10 ",\"certificate_procedures\":[]", CHY_FIELD_MISSING, "certificate_procedures" },
     { P12, CHY_FIELD_MISSING, "certificate_procedures" },
     { CARD, CHY_FIELD_MISSING, "certificate_procedures" },
     { P10 ",\"certificate_procedures\":[702,701,702]", CHY_FIELD_TWICE, "certificate_procedures[2]" },
     { P10 ",\"certificate_procedures\":[602]", CHY_REF_KIND, "certificate_procedures[0]" },
     { P10 ",\"certificate_procedures\":702", CHY_FIELD_TYPE, "certificate_procedures" },
     { FILE_OF_AC CERTS, CHY_FIELD_UNAVAILABLE, "certificate_procedures" },
     { P10 ",\"certificate_procedures\":" TOO_MANY, CHY_FIELD_COUNT, "certificate_procedures" },
     { P10 ",\"certificate_procedures\":[702,99999]", CHY_REF_NOTHING, "certificate_procedures[1]" },
     { P10 ",\"certificate_procedures\":[702,752]", CHY_REF_CLOSED, "certificate_procedures[1]" },
     { P10 ",\"certificate_procedures\":[702,762]", CHY_REF_INVISIBLE, "certificate_procedures[1]" },
     { P10 ",\"domain\":102,\"certificate_procedures\":[702,762]", CHY_NONE, "certificate_procedures" })

STEP(step_11_unless_only_recovery_with_reuse,
     { P12 ",\"key_procedures\":[903]", CHY_NONE, "!certificate_procedures" },
     { CARD ",\"key_procedures\":[903]", CHY_NONE, "!certificate_procedures" },
     { P12 ",\"key_procedures\":[903]" CERTS, CHY_NONE, "certificate_procedures" },
     { P12 ",\"key_procedures\":[]", CHY_FIELD_MISSING, "certificate_procedures" },
     { P12 ",\"key_procedures\":[902]", CHY_FIELD_MISSING, "certificate_procedures" },
     { P12 ",\"key_procedures\":[904]", CHY_FIELD_MISSING, "certificate_procedures" },
     { P12 ",\"key_procedures\":[903,902]", CHY_FIELD_MISSING, "certificate_procedures" },
     { P12 ",\"key_procedures\":[903,904]", CHY_FIELD_MISSING, "certificate_procedures" })

STEP(step_12_input_view, { P10 CERTS, CHY_NONE, "!input_view" },
     { P10 ",\"input_view\":908" CERTS, CHY_NONE, "input_view" },
     { FILE_OF_AC ",\"input_view\":\"Names\"", CHY_NONE, "input_view" },
     { P10 ",\"input_view\":\"Other\"" CERTS, CHY_REF_NOTHING, "input_view" },
     { P10 ",\"input_view\":901" CERTS, CHY_REF_KIND, "input_view" },
     { P10 ",\"input_view\":[908]" CERTS, CHY_FIELD_TYPE, "input_view" },
     { P10 ",\"input_view\":958" CERTS, CHY_REF_CLOSED, "input_view" },
     { P10 ",\"input_view\":968" CERTS, CHY_REF_INVISIBLE, "input_view" })

/* Not of the seed: how a soft token's file is encrypted. */
STEP(encryption, { P12 CERTS, CHY_NONE, "encryption" },
     { P12 ",\"encryption\":\"legacy\"" CERTS, CHY_NONE, "encryption" },
     { P12 ",\"encryption\":\"none\"" CERTS, CHY_FIELD_CHOICE, "encryption" },
     { P12 ",\"encryption\":\"\"" CERTS, CHY_FIELD_EMPTY, "encryption" },
     { P12 ",\"encryption\":256" CERTS, CHY_FIELD_TYPE, "encryption" },
     { CARD ",\"encryption\":\"modern\"" CERTS, CHY_FIELD_UNAVAILABLE, "encryption" },
     { P10 ",\"encryption\":\"modern\"" CERTS, CHY_FIELD_UNAVAILABLE, "encryption" })

STEP(description, { P10 ",\"description\":\"For servers\"" CERTS, CHY_NONE, "description" },
     { P10 ",\"description\":7" CERTS, CHY_FIELD_TYPE, "description" },
     { P10 ",\"description\":\"\"" CERTS, CHY_FIELD_EMPTY, "description" },
     { P10 ",\"description\":\"x \"" CERTS, CHY_FIELD_TRIM, "description" },
     { P10 ",\"description\":\"" TOO_LONG "\"" CERTS, CHY_FIELD_TOO_LONG, "description" })

STEP(nothing_else, { P10 ",\"colour\":\"red\"" CERTS, CHY_FIELD_UNKNOWN, "colour" },
     { P10 ",\"Name\":\"x\"" CERTS, CHY_FIELD_UNKNOWN, "Name" })

/* ---- that the tables above are whole ---- */

#define ROWS_OF(name) \
	{ \
		name##_rows, ARRAY_LEN(name##_rows) \
	}
static const struct {
	const struct row *rows;
	size_t n;
} steps[] = { ROWS_OF(step_2_name),
	      ROWS_OF(step_3_state),
	      ROWS_OF(step_4_domain),
	      ROWS_OF(step_5_storage_profile),
	      ROWS_OF(step_6_card_serial_number),
	      ROWS_OF(step_6_range),
	      ROWS_OF(step_6_range_of_numbers),
	      ROWS_OF(step_7_pin_procedure),
	      ROWS_OF(step_8_key_procedures),
	      ROWS_OF(step_9_issuer_certificates),
	      ROWS_OF(step_9_cas_for_recovered_certificates),
	      ROWS_OF(step_10_attribute_certificate_procedures),
	      ROWS_OF(step_11_certificate_procedures),
	      ROWS_OF(step_11_unless_only_recovery_with_reuse),
	      ROWS_OF(step_12_input_view),
	      ROWS_OF(encryption),
	      ROWS_OF(description),
	      ROWS_OF(nothing_else) };

/* A row that names the field, or an item of it, and has this outcome. */
static bool
is_tried(const char *field, enum code code)
{
	size_t n = strlen(field);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		for (size_t k = 0; k < steps[i].n; k++) {
			const struct row *r = &steps[i].rows[k];

			if (r->code == code && strncmp(r->field, field, n) == 0 &&
			    (r->field[n] == 0 || r->field[n] == '['))
				return true;
		}
	return false;
}

static void
needs_row(const struct field *f, bool when, enum code code)
{
	if (when && !is_tried(f->name, code))
		fail_msg("no row shows %s with %s", f->name,
			 code == CHY_NONE ? "a value that is taken" : code_name(code));
}

/* What the description says of a field asks for rows: no field and none of its rules is left out, a later one neither. */
static void
every_rule_of_every_field_has_its_row(void **state)
{
	const struct field *fields = kind_of(KIND_TOKEN_PROCEDURE)->fields;

	for (const struct field *f = fields; f->name != NULL; f++) {
		bool list = f->flags & FIELD_LIST,
		     must = (f->flags & FIELD_MUST) || f->must_when[0].op != COND_NONE;

		needs_row(f, true, CHY_NONE);
		needs_row(f, true, CHY_FIELD_TYPE);
		needs_row(f, must, CHY_FIELD_MISSING);
		needs_row(f, f->only_when[0].op != COND_NONE, CHY_FIELD_UNAVAILABLE);
		needs_row(f, f->type == FIELD_TEXT || f->type == FIELD_CHOICE, CHY_FIELD_EMPTY);
		needs_row(f, f->type == FIELD_TEXT, CHY_FIELD_TOO_LONG);
		needs_row(f, f->type == FIELD_TEXT, CHY_FIELD_TRIM);
		needs_row(f, f->type == FIELD_CHOICE, CHY_FIELD_CHOICE);
		needs_row(f, f->type == FIELD_INT, CHY_FIELD_RANGE);
		needs_row(f, list, CHY_FIELD_COUNT);
		needs_row(f, f->flags & FIELD_UNIQUE, CHY_FIELD_TWICE);
		needs_row(f, f->type == FIELD_REF, CHY_REF_NOTHING);
		needs_row(f, f->type == FIELD_REF, CHY_REF_KIND);
		needs_row(f, f->type == FIELD_REF, CHY_REF_CLOSED);
		needs_row(f, f->type == FIELD_REF && f->ref != KIND_DOMAIN, CHY_REF_INVISIBLE);
	}
}

/* Of an attribute certificate file: name, state, domain, visibility, description, profile, its procedures, a view. */
static void
an_attribute_certificate_file_has_nothing_else(void **state)
{
	static const char *const has[] = { "name",
					   "state",
					   "domain",
					   "visible_in_subdomain",
					   "description",
					   "storage_profile",
					   "attribute_certificate_procedures",
					   "input_view" };
	const struct json *body = world_json(w, "{" FILE_OF_AC "}");
	const struct field *fields = kind_of(KIND_TOKEN_PROCEDURE)->fields;

	for (const struct field *f = fields; f->name != NULL; f++) {
		bool want = false;

		for (size_t i = 0; i < ARRAY_LEN(has); i++)
			want = want || strcmp(has[i], f->name) == 0;
		if (field_is_available(f, fields, body) != want)
			fail_msg("%s", f->name);
	}
}

/* The order is the officers', whatever the ids. */
static void
the_order_stays(void **state)
{
	static const int64_t want[] = { PROC_CRYPT, PROC_SIGN, PROC_NONE };
	const struct token_procedure *t;
	size_t n = 0;

	world_put(w, KIND_TOKEN_PROCEDURE, 850,
		  "{" P10 ",\"certificate_procedures\":[\"Crypt\",701,\"Any\"]}");
	t = snapshot_token_procedure(w->s, doc_id_of(850));
	JSON_EACH(x, json_get(t->doc->body, "certificate_procedures"))
	assert_int_equal(x->integer, want[n++]);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(t->procedures[i]->doc->id.v, want[i]);
}

#define EACH(fn, ids) \
	{ \
#fn " rows=" ids, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	EACH(step_2_name, "CM-T-02"),
	EACH(step_3_state, "CM-T-03"),
	EACH(step_4_domain, "CM-T-04"),
	EACH(step_5_storage_profile, "CM-T-05"),
	EACH(step_6_card_serial_number, "CM-T-06"),
	EACH(step_6_range, "CM-T-07"),
	EACH(step_6_range_of_numbers, "CM-T-10"),
	EACH(step_7_pin_procedure, "CM-T-13"),
	EACH(step_8_key_procedures, "CM-T-14"),
	{ "step_9_issuer_certificates", step_9_issuer_certificates, setup, teardown, NULL },
	EACH(step_9_cas_for_recovered_certificates, "CM-T-19"),
	EACH(step_10_attribute_certificate_procedures, "CM-T-21"),
	EACH(step_11_certificate_procedures, "CM-T-22"),
	EACH(step_11_unless_only_recovery_with_reuse, "CM-T-23"),
	EACH(step_12_input_view, "CM-T-32"),
	{ "encryption", encryption, setup, teardown, NULL },
	{ "description", description, setup, teardown, NULL },
	{ "nothing_else", nothing_else, setup, teardown, NULL },
	{ "every_rule_of_every_field_has_its_row", every_rule_of_every_field_has_its_row, NULL, NULL, NULL },
	EACH(an_attribute_certificate_file_has_nothing_else, "CM-T-37"),
	EACH(the_order_stays, "CM-T-24"),
};

TESTS_MAIN(tests)
