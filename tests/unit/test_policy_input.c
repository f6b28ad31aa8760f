/*
 * What is filled in: which input goes where by the format, what the input view demands and gives, and what is refused; and
 * the QC statements of procedure and request.
 */
#include "policy_world.h"

#include "model/choices.h"
#include "policy/body.h"
#include "policy/token.h"
#include "policy/view.h"

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

#define GOOD .subject = "CN=www.example.org,O=Example", .san = { "dns:www.example.org", "dns:b.example.org" }
static const struct wish good = { GOOD };
static const struct wish bare = { .subject = "" };

static void
format(const char *members)
{
	world_put(w, KIND_FORMAT, FORMAT_TLS, arena_printf(w->a, "{\"name\":\"TLS\",%s}", members));
}

static struct asking *
ask(const struct wish *x, const char *input)
{
	struct asking *q = world_ask(w, "Server", x);

	q->request.input = input ? world_json(w, input) : NULL;
	return q;
}

static void
passes(const struct asking *q)
{
	struct err e = { 0 };

	if (decide_issue(w->a, &q->facts, &d, &e) != RC_OK)
		fail_msg("refused: %s %s %s (%s)", code_name(e.code), e.field, e.text, e.rule ? e.rule : "");
}

static void
refused(const struct asking *q, enum code code, const char *rule, const char *field)
{
	struct err e = { 0 };

	if (decide_issue(w->a, &q->facts, &d, &e) == RC_OK)
		fail_msg("not refused: %s expected", code_name(code));
	if (e.code != code || strcmp(e.rule, rule) != 0 || strcmp(e.field, field) != 0)
		fail_msg("%s %s %s, not %s %s %s: %s", code_name(e.code), e.rule, e.field, code_name(code),
			 rule, field, e.text);
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

/* "CN=a,C=SE | dns:a email:b | 1.2.3=0c0161": subject, alternative names, extensions of the arc 1.2. */
static const char *
says(const struct asking *q)
{
	OWN_BUF struct buf b = buf_max(64 << 10);
	const struct cert *c = made(q);
	const struct ext *san = exts_find(&c->exts, OID_CE_SUBJECT_ALT_NAME);
	struct ext_value v = { .kind = OID_NONE };
	char text[OID_TEXT_MAX];

	name_put_der_text(&b, c->subject);
	buf_str(&b, " |");
	if (san != NULL)
		assert_ok(ext_decode(w->a, san, &v, NULL));
	for (size_t i = 0; san != NULL && i < v.names.n; i++) {
		buf_u8(&b, ' ');
		gname_put_text(&b, &v.names.v[i]);
	}
	for (size_t i = 0; i < c->exts.n; i++)
		if (strncmp(oid_text(text, c->exts.v[i].oid), "1.2.", 4) == 0) {
			buf_printf(&b, " | %s%s=", c->exts.v[i].critical ? "!" : "", text);
			hex_put(&b, c->exts.v[i].value);
		}
	return arena_str(w->a, buf_bytes(&b));
}

static void
gives(const char *members, const struct wish *x, const char *input, const char *want)
{
	const char *got;

	format(members);
	got = says(ask(x, input));
	if (strcmp(got, want) != 0)
		fail_msg("%s with %s gives %s, not %s", members, input ? input : "nothing", got, want);
}

#define SUBJECT(x) "\"subject\":[" x "],\"empty_subject\":true"
#define CN(x) "{\"attribute\":\"CN\"" x "}"
#define FROM(x) ",\"input\":\"" x "\""

/* ---- which input goes where ---- */

/* A value that the input takes; a host name where any text will do. */
static const char *
value_for(const char *input)
{
	static const struct {
		const char *input, *value;
	} values[] = { { "san.ip", "10.1.2.3" },
		       { "device.ip", "10.1.2.3" },
		       { "san.rid", "1.2.3" },
		       { "san.directory", "CN=x" },
		       { "san.uri", "http://a.b/" },
		       { "san.srv", "_ldap.a.example" },
		       { "subject.country", "SE" },
		       { "subject.email", "x@a.example" },
		       { "san.fasc-n", "d4e739da739ced39ce739da1685a1082108ce73984119257fc" },
		       { "san.email", "x@a.example" },
		       { "san.upn", "x@a.example" },
		       { "san.smtp-utf8", "\xc3\xa9@a.example" } };

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (strcmp(values[i].input, input) == 0)
			return values[i].value;
	return "a.example";
}

/* Each input that a format can name fills an attribute, an alternative name where it can, and an extension. */
static void
every_input_fills_every_element(void **state)
{
	for (const struct choice *c = format_input_choices; c->name != NULL; c++) {
		const char *value = value_for(c->name);
		const char *input = arena_printf(w->a, "{\"%s\":\"%s\"}", c->name, value), *got;

		assert_string_equal(input_choices[c - format_input_choices].name, c->name);
		format(arena_printf(
		    w->a,
		    SUBJECT("{\"attribute\":\"street\",\"input\":\"%s\"}") ",\"unknown_subject\":\"drop\","
									   "\"unknown_san\":\"drop\",\"input_"
									   "extensions\":[{"
									   "\"oid\":\"1.2.3\",\"input\":\"%"
									   "s\"}],\"san\":[{\"type\":\"upn\","
									   "\"input\":\"%s\","
									   "\"modifiers\":[\"replace:/:/-/"
									   "\",\"replace:,/"
									   ",-,\",\"before:@\",\"suffix:@a."
									   "example\"]}]",
		    c->name, c->name, c->name));
		got = says(ask(&bare, input));
		if (strstr(got, arena_printf(w->a, "=%s | ", value)) == NULL ||
		    strstr(got, "@a.example") == NULL || strstr(got, " | 1.2.3=0c") == NULL)
			fail_msg("%s: %s", c->name, got);
	}
}

#define DROP ",\"unknown_subject\":\"drop\",\"unknown_san\":\"drop\""
#define DNS(x) ",\"san\":[{\"type\":\"dns\"" x "}]"

/* Members of the format, what the request says, what is filled in, and what comes out. */
static void
inputs_go_where_the_format_says(void **state)
{
	static const struct {
		const char *members;
		const struct wish *wish;
		const char *input, *want;
	} rows[] = {
		/* without the parameter: as the request has it, and what is filled in under the same name stands in its place */
		{ SUBJECT(CN("")) DNS("") DROP, &good, NULL,
		  "CN=www.example.org | dns:www.example.org dns:b.example.org" },
		{ SUBJECT(CN("")) DNS("") DROP, &good, "{\"subject.common-name\":\"x\"}",
		  "CN=x | dns:www.example.org dns:b.example.org" },
		{ SUBJECT(CN("")) DNS("") DROP, &good, "{\"san.dns\":[\"x.example\",\"y.example\"]}",
		  "CN=www.example.org | dns:x.example dns:y.example" },
		{ SUBJECT(CN(FROM("subject.common-name"))) DNS(FROM("san.dns")) DROP, &good, NULL,
		  "CN=www.example.org | dns:www.example.org dns:b.example.org" },
		/* from another input; the request's own attribute is left out then */
		{ SUBJECT(CN(FROM("device.fqdn"))) DROP, &good, "{\"device.fqdn\":\"h.example\"}",
		  "CN=h.example |" },
		{ SUBJECT(CN(FROM("device.fqdn")) ",{\"attribute\":\"O\"}") DROP, &good, NULL,
		  "O=Example |" },
		/* from what the request has of another name */
		{ SUBJECT("") DNS(FROM("subject.common-name")) DROP, &good, NULL, " | dns:www.example.org" },
		{ SUBJECT(CN(FROM("san.dns"))) DNS("") DROP, &good, NULL,
		  "CN=www.example.org | dns:www.example.org dns:b.example.org" },
		{ SUBJECT("{\"attribute\":\"OU\",\"many\":true" FROM("san.dns") "}") DNS("") DROP, &good,
		  NULL, "OU=b.example.org,OU=www.example.org | dns:www.example.org dns:b.example.org" },
		{ SUBJECT(CN(FROM("san.dns"))) DNS("") DROP, &good, "{\"san.dns\":\"x.example\"}",
		  "CN=x.example | dns:x.example" },
		/* one input in several places */
		{ SUBJECT(CN(FROM("device.fqdn"))) DNS(FROM("device.fqdn")) DROP, &good,
		  "{\"device.fqdn\":\"h.example\"}", "CN=h.example | dns:h.example" },
		{ SUBJECT(
		      CN(FROM("person.name"))) ",\"san\":[{\"type\":\"email\",\"input\":\"person.email\"}]",
		  &bare, "{\"person.name\":\"Anna\",\"person.email\":\"a@b.example\"}",
		  "CN=Anna | email:a@b.example" },
		{ SUBJECT("") ",\"san\":[{\"type\":\"ip\",\"input\":\"device.ip\"}]", &bare,
		  "{\"device.ip\":\"10.0.0.1\"}", " | ip:10.0.0.1" },
		/* the same name is not put twice, from wherever it comes */
		{ SUBJECT(CN("")) DNS(FROM("device.fqdn")) DROP, &good,
		  "{\"device.fqdn\":[\"a.example\",\"A.EXAMPLE\",\"a.example\"]}",
		  "CN=www.example.org | dns:a.example" },
		/* defaults, which give way to the request and to what is filled in */
		{ SUBJECT(CN(",\"default\":\"none\"")) DROP, &bare, NULL, "CN=none |" },
		{ SUBJECT(CN(",\"default\":\"none\"")) DROP, &good, NULL, "CN=www.example.org |" },
		{ SUBJECT(CN(",\"default\":\"none\"" FROM("person.name"))) DROP, &good, NULL, "CN=none |" },
		{ SUBJECT(CN(",\"default\":\"none\"" FROM("person.name"))) DROP, &good,
		  "{\"person.name\":\"A\"}", "CN=A |" },
		{ SUBJECT(CN(",\"default\":\"none\",\"modifiers\":[\"upper-case\"]")) DROP, &bare, NULL,
		  "CN=NONE |" },
		{ SUBJECT("") DNS(",\"default\":\"d.example\"") DROP, &bare, NULL, " | dns:d.example" },
		{ SUBJECT("") DNS(",\"default\":\"d.example\"") DROP, &good, NULL,
		  " | dns:www.example.org dns:b.example.org" },
		{ SUBJECT("") DNS(",\"default\":\"d.example\"" FROM("device.fqdn")) DROP, &good, NULL,
		  " | dns:d.example" },
		{ SUBJECT("") DNS(",\"default\":\"d.example\"" FROM("device.fqdn")) DROP, &good,
		  "{\"device.fqdn\":\"h.example\"}", " | dns:h.example" },
		{ SUBJECT("") DNS(",\"default\":\"Host\",\"modifiers\":[\"lower-case\",\"suffix:.example\"]")
		      DROP,
		  &bare, NULL, " | dns:host.example" },
		/* modifiers, of attributes, names and extensions */
		{ SUBJECT(CN(FROM(
		      "person.email") ",\"modifiers\":[\"before:@\",\"replace:/./ /\",\"suffix: (staff)\"]"))
		      DROP,
		  &bare, "{\"person.email\":\"anna.berg@a.example\"}", "CN=anna berg (staff) |" },
		{ SUBJECT("") DNS(",\"modifiers\":[\"lower-case\",\"after:.\"]") DROP, &good,
		  "{\"san.dns\":\"A.B.EXAMPLE\"}", " | dns:b.example" },
		{ SUBJECT("") ",\"san\":[{\"type\":\"upn\"" FROM(
		      "person.user-name") ",\"modifiers\":[\"suffix:@ad.example\"]}]",
		  &bare, "{\"person.user-name\":\"anna\"}", " | upn:anna@ad.example" },
	/* extensions: form, criticality, default, nothing */
#define EXT(x) SUBJECT(CN("")) DROP ",\"input_extensions\":[{\"oid\":\"1.2.3\"" FROM("person.number") x "}]"
		{ EXT(""), &good, "{\"person.number\":\"7\"}", "CN=www.example.org | | 1.2.3=0c0137" },
		{ EXT(",\"form\":\"ia5\",\"critical\":true"), &good, "{\"person.number\":\"7\"}",
		  "CN=www.example.org | | !1.2.3=160137" },
		{ EXT(",\"form\":\"printable\",\"modifiers\":[\"prefix:E\"]"), &good,
		  "{\"person.number\":\"7\"}", "CN=www.example.org | | 1.2.3=13024537" },
		{ EXT(",\"default\":\"0\""), &good, NULL, "CN=www.example.org | | 1.2.3=0c0130" },
		{ EXT(""), &good, NULL, "CN=www.example.org |" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		gives(rows[i].members, rows[i].wish, rows[i].input, rows[i].want);
}

static void
what_an_element_refuses(void **state)
{
	static const struct {
		const char *members;
		const struct wish *wish;
		const char *input;
		enum code code;
		const char *rule, *field;
	} rows[] = {
		{ SUBJECT(CN(FROM("device.fqdn") ",\"mandatory\":true")) DROP, &good, NULL,
		  CHY_SUBJECT_MISSING, "subject", "subject.CN" },
		{ SUBJECT("") DNS(FROM("device.fqdn") ",\"mandatory\":true") DROP, &good, NULL,
		  CHY_SAN_MISSING, "alternative-names", "csr.subject_alternative_names" },
		{ EXT(",\"mandatory\":true"), &good, NULL, CHY_ISSUE_EXTENSION, "extensions",
		  "input.person.number" },
		{ SUBJECT(CN("")) DROP ",\"input_extensions\":[{\"oid\":\"1.2.3\"" FROM("san.dns") "}]",
		  &good, "{\"san.dns\":[\"a.example\",\"b.example\"]}", CHY_ISSUE_EXTENSION, "extensions",
		  "input.san.dns" },
		{ EXT(",\"form\":\"printable\""), &good, "{\"person.number\":\"7@\"}", CHY_ISSUE_EXTENSION,
		  "extensions", "input.person.number" },
		{ EXT(",\"form\":\"ia5\""), &good, "{\"person.number\":\"\xc3\xa9\"}", CHY_ISSUE_EXTENSION,
		  "extensions", "input.person.number" },
		{ EXT(",\"modifiers\":[\"match:E*\"]"), &good, "{\"person.number\":\"7\"}", CHY_VALUE_PATTERN,
		  "extensions", "input.person.number" },
		{ EXT(",\"modifiers\":[\"after:7\"]"), &good, "{\"person.number\":\"7\"}",
		  CHY_ISSUE_EXTENSION, "extensions", "input.person.number" },
		{ SUBJECT(CN(FROM("person.name"))) DROP, &bare, "{\"person.name\":[\"A\",\"B\"]}",
		  CHY_SUBJECT_TWICE, "subject", "subject.CN" },
		{ SUBJECT(CN(FROM("person.name") ",\"max_length\":3")) DROP, &bare,
		  "{\"person.name\":\"Anna\"}", CHY_SUBJECT_VALUE, "subject", "subject.CN" },
		{ SUBJECT(CN(",\"modifiers\":[\"match:*.example.com\"]")) DROP, &good, NULL,
		  CHY_VALUE_PATTERN, "subject", "subject.CN" },
		{ SUBJECT(CN(",\"modifiers\":[\"after:org\"]")) DROP, &good, NULL, CHY_SUBJECT_VALUE,
		  "subject", "subject.CN" },
		{ SUBJECT("") DNS(",\"modifiers\":[\"only:a-z.\",\"match:*.com\"]") DROP, &good, NULL,
		  CHY_VALUE_PATTERN, "alternative-names", "csr.subject_alternative_names" },
		{ SUBJECT("") DNS(FROM("person.name")) DROP, &bare, "{\"person.name\":\"Anna Berg\"}",
		  CHY_SAN_VALUE, "alternative-names", "csr.subject_alternative_names" },
		{ SUBJECT("") DNS(FROM("device.fqdn") ",\"max_count\":1") DROP, &bare,
		  "{\"device.fqdn\":[\"a.example\",\"b.example\"]}", CHY_SAN_COUNT, "alternative-names",
		  "csr.subject_alternative_names" },
		{ SUBJECT("") ",\"san\":[{\"type\":\"ip\",\"input\":\"device.ip\"}]", &bare,
		  "{\"device.ip\":\"10.0.0\"}", CHY_SAN_VALUE, "alternative-names",
		  "csr.subject_alternative_names" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		format(rows[i].members);
		refused(ask(rows[i].wish, rows[i].input), rows[i].code, rows[i].rule, rows[i].field);
	}
}

/* A name that ends before its end must not become another one: "good.example", NUL, ".evil". */
static void
names_do_not_end_early(void **state)
{
	struct asking *q;
	struct csr *csr;
	struct name n;
	const struct ava cn = { .known = OID_AT_CN,
				.oid = oid_der(OID_AT_CN),
				.tag = DER_UTF8,
				.value = bytes_of("good.example\0.evil", 18) };

	format(SUBJECT("") DNS(FROM("subject.common-name")) DROP);
	q = ask(&good, NULL);
	csr = arena_one(w->a, struct csr);
	*csr = *q->facts.csr;
	if (name_build(w->a, &cn, 1, &n, NULL) != RC_OK)
		return; /* it is refused earlier still */
	csr->subject = n.der;
	q->facts.csr = csr;
	refused(q, CHY_SAN_VALUE, "alternative-names", "csr.subject_alternative_names");
}

/* What is filled in must have a place; without a view that is some format's. */
static void
inputs_that_are_not_taken(void **state)
{
	static const struct {
		const char *input, *field;
		enum code code;
	} rows[] = {
		{ "{\"device.colour\":\"x\"}", "input.device.colour", CHY_TOKEN_INPUT },
		{ "{\"person.name\":7}", "input.person.name", CHY_TOKEN_INPUT },
		{ "{\"person.name\":true}", "input.person.name", CHY_TOKEN_INPUT },
		{ "{\"person.name\":{}}", "input.person.name", CHY_TOKEN_INPUT },
		{ "{\"person.name\":\"\"}", "input.person.name", CHY_TOKEN_INPUT },
		{ "{\"person.name\":[\"A\",7]}", "input.person.name", CHY_TOKEN_INPUT },
		{ "{\"person.name\":\"a\\u0007\"}", "input.person.name", CHY_TOKEN_INPUT },
		{ "{\"validity.not_after\":\"tomorrow\"}", "input.validity.not_after", CHY_TOKEN_INPUT },
		{ "{\"pin\":\"123456\"}", "input.pin", CHY_TOKEN_INPUT },
		{ "{\"revocation_password\":\"12345678\"}", "input.revocation_password", CHY_TOKEN_INPUT },
		{ "{\"publication\":true}", "input.publication", CHY_TOKEN_INPUT },
		{ "{\"key_usage\":[\"cRLSign\"]}", "input.key_usage", CHY_TOKEN_INPUT },
		{ "{\"extended_key_usage\":[\"codeSigning\"]}", "input.extended_key_usage", CHY_TOKEN_INPUT },
		{ "{\"device.secret\":\"x\"}", "input.device.secret", CHY_TOKEN_INPUT },
		{ "{\"device.allowed-domains\":\"x\"}", "input.device.allowed-domains", CHY_TOKEN_INPUT },
		{ "{\"subject.title\":\"Dr\"}", "input.subject.title", CHY_TOKEN_INPUT_UNWANTED },
		{ "{\"san.email\":\"a@b.example\"}", "input.san.email", CHY_TOKEN_INPUT_UNWANTED },
		{ "{\"device.fqdn\":\"h.example\"}", "input.device.fqdn", CHY_TOKEN_INPUT_UNWANTED },
		{ "{\"qc_statements\":{\"compliance\":true}}", "input.qc_statements",
		  CHY_TOKEN_INPUT_UNWANTED },
	};

	format(SUBJECT(CN("") ",{\"attribute\":\"O\",\"input\":\"person.name\"}") DNS(""));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		refused(ask(&good, rows[i].input), rows[i].code, "input-view", rows[i].field);
	passes(ask(&good, "{}"));
	passes(ask(&good, "{\"person.name\":null}"));
	passes(ask(&good, "{\"person.name\":[]}"));
	passes(ask(&good, arena_printf(w->a, "{\"validity.not_after\":\"2026-12-01T00:00:00Z\"}")));
	assert_int_equal(d.not_after_ms, WORLD_NOW + ((int64_t)9 * 86400 + 43200) * 1000);
}

/* ---- the input view ---- */

#define FIELDS(x) "{\"name\":\"Names\",\"fields\":[" x "]}"
#define FIELD(input, x) "{\"input\":\"" input "\"" x "}"
#define MUST_HAVE ",\"mandatory\":true"

static void
view(const char *body)
{
	world_put(w, KIND_INPUT_VIEW, VIEW, body);
	world_put(w, KIND_TOKEN_PROCEDURE, TOKEN,
		  "{\"name\":\"Server\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[\"Any\"],"
		  "\"input_view\":908}");
}

/* Of each field that a request can have: missing it is refused by name; filled in, or in the request itself, it is there. */
static void
mandatory_fields_are_enforced(void **state)
{
	static const struct wish all = { .subject = "CN=a,O=b",
					 .san = { "dns:a.example" },
					 .key_usage = USAGE_DIGITAL_SIGNATURE,
					 .eku = { "serverAuth" } };
	static const struct {
		const char *input, *fill; /* fill NULL: it can only stand in the request */
		bool in_request;
	} rows[] = {
		{ "subject.common-name", "\"a\"", true },
		{ "subject.title", "\"Dr\"", false },
		{ "san.dns", "[\"a.example\"]", true },
		{ "san.email", "\"a@b.example\"", false },
		{ "person.name", "\"Anna\"", false },
		{ "device.fqdn", "\"h.example\"", false },
		{ "validity.not_before", "\"2026-11-22T12:00:00Z\"", false },
		{ "validity.not_after", "\"2026-12-22T12:00:00Z\"", false },
		{ "key_usage", NULL, true },
		{ "extended_key_usage", NULL, true },
		{ "qc_statements", "{\"compliance\":true}", false },
	};

	format(SUBJECT(CN("")) DNS("") DROP ",\"request_extensions\":[{\"oid\":\"qcStatements\"}]");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *field = arena_printf(w->a, "input.%s", rows[i].input);

		view(arena_printf(w->a, FIELDS("{\"input\":\"%s\",\"mandatory\":true}"), rows[i].input));
		refused(ask(&bare, NULL), CHY_TOKEN_INPUT_MISSING, "input-view", field);
		refused(ask(&bare, "{}"), CHY_TOKEN_INPUT_MISSING, "input-view", field);
		if (rows[i].in_request)
			passes(ask(&all, NULL));
		else
			refused(ask(&all, NULL), CHY_TOKEN_INPUT_MISSING, "input-view", field);
		if (rows[i].fill != NULL)
			passes(ask(&all, arena_printf(w->a, "{\"%s\":%s}", rows[i].input, rows[i].fill)));
		/* and where the view does not demand it, nothing is missing */
		view(arena_printf(w->a, FIELDS("{\"input\":\"%s\"}"), rows[i].input));
		passes(ask(&all, NULL));
	}
}

/* The request's own validity, beside what is filled in, satisfies the view too. */
static void
the_validity_may_come_by_either_way(void **state)
{
	struct asking *q;

	view(FIELDS(FIELD("validity.not_after", MUST_HAVE)));
	q = ask(&good, NULL);
	q->request.not_after_ms = WORLD_NOW + 86400000;
	passes(q);
	assert_int_equal(d.not_after_ms, WORLD_NOW + 86400000);
}

static void
fields_that_the_view_lacks_are_refused(void **state)
{
	format(SUBJECT(CN("") ",{\"attribute\":\"O\"}") DNS(""));
	view(FIELDS(FIELD("subject.common-name", "") "," FIELD("person.name", "")));
	for (const struct choice *c = format_input_choices; c->name != NULL; c++) {
		struct asking *q = ask(&good, arena_printf(w->a, "{\"%s\":\"a.example\"}", c->name));

		if (strcmp(c->name, "subject.common-name") == 0 || strcmp(c->name, "person.name") == 0)
			passes(q);
		else
			refused(q, CHY_TOKEN_INPUT_UNWANTED, "input-view",
				arena_printf(w->a, "input.%s", c->name));
	}
	refused(ask(&good, "{\"validity.not_after\":\"2026-12-22T12:00:00Z\"}"), CHY_TOKEN_INPUT_UNWANTED,
		"input-view", "input.validity.not_after");
	passes(ask(&good, NULL)); /* what the request has itself is the format's to judge */
}

static void
views_give_defaults_and_modify(void **state)
{
	static const struct {
		const struct wish *wish;
		const char *input, *want;
	} rows[] = {
		/* a default stands where neither the request nor what is filled in says something; the view's modifiers
		   come before the format's */
		{ &bare, NULL, "CN=OURS,O=none | dns:d.example.org" },
		{ &bare, "{\"subject.common-name\":\" theirs \",\"san.dns\":\"X\"}",
		  "CN=THEIRS,O=none | dns:x.org" },
		{ &good, NULL, "CN=www.example.org,O=none | dns:www.example.org.org dns:b.example.org.org" },
		{ &bare, "{\"person.department\":\"Sales\"}", "CN=OURS,O=Sales | dns:d.example.org" },
	};

	format(SUBJECT("{\"attribute\":\"O\"" FROM("person.department") "}," CN(""))
		   DNS(",\"modifiers\":[\"suffix:.org\"]") DROP);
	view(FIELDS(
	    FIELD("subject.common-name", ",\"default\":\"Ours\",\"modifiers\":[\"trim\",\"upper-case\"]") "," FIELD(
		"san.dns", ",\"default\":\"d.example\",\"modifiers\":[\"lower-case\"]") "," FIELD("pe"
												  "rs"
												  "on"
												  ".d"
												  "ep"
												  "ar"
												  "tm"
												  "en"
												  "t",
												  ","
												  "\""
												  "de"
												  "fa"
												  "ul"
												  "t"
												  "\""
												  ":"
												  "\""
												  "no"
												  "ne"
												  "\"")));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = says(ask(rows[i].wish, rows[i].input));

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s", i, got);
	}
	view(FIELDS(FIELD("subject.common-name", ",\"modifiers\":[\"match:E*\"]")));
	refused(ask(&bare, "{\"subject.common-name\":\"x\"}"), CHY_VALUE_PATTERN, "input-view",
		"input.subject.common-name");
}

/* Preregistration asks for its fields when a device is registered, not when it comes with its request. */
static void
views_for_preregistration_demand_nothing_later(void **state)
{
	view("{\"name\":\"Names\",\"purpose\":\"preregistration\",\"fields\":[" FIELD(
	    "device.fqdn", MUST_HAVE) "," FIELD("device.secret", MUST_HAVE) "]}");
	format(SUBJECT(CN(FROM("device.fqdn") ",\"default\":\"none\"")) DROP);
	passes(ask(&good, NULL));
	assert_string_equal(says(ask(&good, "{\"device.fqdn\":\"h.example\"}")), "CN=h.example |");
	refused(ask(&good, "{\"device.ip\":\"10.0.0.1\"}"), CHY_TOKEN_INPUT_UNWANTED, "input-view",
		"input.device.ip");
}

/* A mandatory field that nobody could fill in is told when the token procedure is signed. */
static void
views_that_nobody_could_satisfy(void **state)
{
	static const struct {
		const char *profile, *input;
		bool fits;
	} rows[] = {
		{ "pkcs10", "pin", false },
		{ "pkcs10", "revocation_password", true },
		{ "pkcs10", "publication", true },
		{ "pkcs10", "device.secret", false },
		{ "pkcs10", "device.allowed-domains", false },
		{ "pkcs10", "key_usage", true },
		{ "pkcs10", "device.fqdn", true },
		{ "pkcs12", "key_usage", false },
		{ "pkcs12", "extended_key_usage", false },
		{ "pkcs12", "device.secret", false },
		{ "pkcs12", "device.allowed-domains", false },
		{ "pkcs12", "pin", true },
		{ "pkcs12", "publication", true },
		{ "pkcs12", "revocation_password", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int must = 0; must < 2; must++) {
			const char *body = arena_printf(
			    w->a,
			    "{\"name\":\"N\",\"storage_profile\":\"%s\",%s\"certificate_"
			    "procedures\":[702],\"input_view\":908}",
			    rows[i].profile,
			    strcmp(rows[i].profile, "pkcs12") ? "" : "\"pin_procedure\":901,");
			struct err e = { 0 };
			enum rc rc;

			world_put(w, KIND_INPUT_VIEW, VIEW,
				  arena_printf(w->a, FIELDS("{\"input\":\"%s\",\"mandatory\":%s}"),
					       rows[i].input, must ? "true" : "false"));
			rc = world_check(w, KIND_TOKEN_PROCEDURE, 0, false, body, NULL, &e);
			if ((rc == RC_OK) != (rows[i].fits || !must))
				fail_msg("%s %s: %s", rows[i].profile, rows[i].input, e.text);
			if (rc != RC_OK) {
				assert_int_equal(e.code, CHY_FIELD_CONFLICT);
				assert_string_equal(e.field, "input_view");
				assert_non_null(strstr(e.text, rows[i].input));
			}
		}
}

/* What stands in a field already is judged as what somebody would fill in, before the view is signed. */
static void
defaults_of_views_are_judged(void **state)
{
	static const struct {
		const char *field;
		bool fits;
	} rows[] = {
		{ FIELD("subject.common-name", ",\"default\":\"Anna\""), true },
		{ FIELD("subject.common-name", ",\"default\":\"Anna\",\"mandatory\":true"), false },
		{ FIELD("subject.common-name", ",\"default\":\" \",\"modifiers\":[\"trim\"]"), false },
		{ FIELD("subject.common-name", ",\"default\":\"Anna\",\"modifiers\":[\"only:0-9\"]"), false },
		{ FIELD("san.dns", ",\"default\":\"www.example.org\""), true },
		{ FIELD("san.dns", ",\"default\":\"WWW\",\"modifiers\":[\"suffix:.example.org\"]"), true },
		{ FIELD("san.dns", ",\"default\":\"not a name\""), false },
		{ FIELD("san.ip", ",\"default\":\"192.0.2.1\""), true },
		{ FIELD("san.ip", ",\"default\":\"192.0.2\""), false },
		{ FIELD("san.ip", ",\"modifiers\":[\"trim\"]"), false },
		{ FIELD("san.directory", ",\"modifiers\":[\"trim\"]"), false },
		{ FIELD("validity.not_after", ",\"default\":\"2027-01-01T00:00:00Z\""), true },
		{ FIELD("validity.not_after", ",\"default\":\"next year\""), false },
		{ FIELD("validity.not_after", ",\"modifiers\":[\"trim\"]"), false },
		{ FIELD("publication", ",\"default\":\"no\""), true },
		{ FIELD("publication", ",\"default\":\"perhaps\""), false },
		{ FIELD("pin", ",\"default\":\"123456\""), false },
		{ FIELD("revocation_password", ",\"default\":\"12345678\""), false },
		{ FIELD("qc_statements", ",\"default\":\"{}\""), false },
		{ FIELD("key_usage", ",\"default\":\"cRLSign\""), false },
		{ FIELD("device.secret", ",\"default\":\"x\""), false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		enum rc rc = world_check(w, KIND_INPUT_VIEW, VIEW, false,
					 arena_printf(w->a, FIELDS("%s"), rows[i].field), NULL, &e);

		if ((rc == RC_OK) != rows[i].fits)
			fail_msg("%s: %s", rows[i].field, e.text);
		assert_true(rc == RC_OK || strncmp(e.field, "fields[0].", 10) == 0);
	}
}

/* An attribute that no input is called after is the request's own: nobody is asked for it, and no soft token is made of a
   format that demands it. */
static void
attributes_of_requests_alone(void **state)
{
	static const char *const bodies[] = { "\"storage_profile\":\"pkcs10\"",
					      "\"storage_profile\":\"pkcs12\",\"pin_procedure\":901" };
	struct json *shown;
	struct err e = { 0 };

	for (int must = 0; must < 2; must++) {
		format(SUBJECT(CN("") ",{\"attribute\":\"1.3.6.1.4.1.32473.1\"}"));
		if (must)
			format(SUBJECT(CN("") ",{\"attribute\":\"1.3.6.1.4.1.32473.1\",\"mandatory\":true}"));
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
			enum rc rc = world_check(
			    w, KIND_TOKEN_PROCEDURE, 0, false,
			    arena_printf(w->a, "{\"name\":\"N\",\"certificate_procedures\":[\"Any\"],%s}",
					 bodies[i]),
			    NULL, &e);

			assert_int_equal(rc == RC_OK, !(must && i == 1));
			if (rc != RC_OK) {
				assert_string_equal(e.field, "certificate_procedures[0]");
				assert_non_null(strstr(e.text, "1.3.6.1.4.1.32473.1"));
			}
			err_clear(&e);
		}
		assert_ok(view_show(w->a, snapshot_token_procedure(w->s, doc_id_of(TOKEN)), &shown, &e));
		JSON_EACH(x, json_get(shown, "fields"))
		assert_true(choice_index(input_choices, body_text(x, "input")) >= 0);
	}
}

/* ---- what is shown ---- */

/* "device.fqdn! person.name": the fields in order, ! the mandatory ones. */
static const char *
shown(void)
{
	OWN_BUF struct buf b = buf_max(4096);
	struct json *v;
	struct err e = { 0 };

	assert_ok(view_show(w->a, snapshot_token_procedure(w->s, doc_id_of(TOKEN)), &v, &e));
	JSON_EACH(f, json_get(v, "fields"))
	{
		const struct json *must = json_get(f, "mandatory");

		buf_printf(&b, "%s%.*s%s", b.n ? " " : "", BYTES_FMT(json_get(f, "input")->str),
			   must->boolean ? "!" : "");
	}
	return arena_str(w->a, buf_bytes(&b));
}

static void
the_default_view_has_all_that_formats_take(void **state)
{
	format(
	    SUBJECT(CN(FROM("device.fqdn")
			   MUST_HAVE) ",{\"attribute\":\"O\"},{\"attribute\":\"L\",\"source\":\"none\"},"
				      "{\"attribute\":\"OU\",\"default\":\"x\"" FROM("person.department") "}")
		DNS(FROM(
		    "device.fqdn")) ",\"input_extensions\":[{\"oid\":\"1.2.3\",\"input\":\"person.number\","
				    "\"mandatory\":true}]");
	assert_string_equal(
	    shown(),
	    "device.fqdn! subject.organisation person.department person.number! validity.not_before "
	    "validity.not_after");
	format(SUBJECT(CN("")) ",\"request_extensions\":[{\"oid\":\"qcStatements\"}]");
	assert_string_equal(shown(),
			    "subject.common-name qc_statements validity.not_before validity.not_after");
	/* a view of its own: its fields, those mandatory that it or the format demands */
	format(SUBJECT(CN(FROM("device.fqdn") MUST_HAVE)));
	view(FIELDS(FIELD("person.name", "") "," FIELD("device.fqdn", "") "," FIELD("device.ip", MUST_HAVE)));
	assert_string_equal(shown(), "person.name device.fqdn! device.ip!");
}

/* ---- soft tokens ---- */

/* A key that the signer made, with what an officer filled in: the same places, the same refusals. */
static void
soft_tokens_take_the_same_inputs(void **state)
{
	static const char text[] = "{\"subject.common-name\":\"anna\",\"person.number\":\"7\",\"san."
				   "directory\":\"CN=x\",\"pin\":null}";
	struct asking *q = ask(&bare, text);
	struct token_input in;
	struct csr csr = { .key = q->facts.csr->key };
	struct err e = { 0 };

	format(SUBJECT(CN(
	    ",\"modifiers\":[\"upper-case\"]")) ",\"san\":[{\"type\":\"directory\"}],\"input_extensions\":[{"
						"\"oid\":\"1.2.3\",\"input\":\"person.number\",\"mandatory\":"
						"true}]");
	world_put(w, KIND_TOKEN_PROCEDURE, TOKEN,
		  "{\"name\":\"Server\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":901,\"certificate_"
		  "procedures\":"
		  "[\"Any\"]}");
	assert_ok(token_input_read(w->a, snapshot_token_procedure(w->s, doc_id_of(TOKEN)), q->request.input,
				   &in, &e));
	assert_text(in.holder, "anna");
	csr.subject = in.subject;
	csr.san = in.san;
	q->facts.policy = w->s;
	q->facts.csr = &csr;
	q->request.spki = csr.key.spki;
	q->request.certificate_procedure = doc_id_of(PROC_NONE);
	assert_string_equal(says(q), "CN=ANNA | dir:CN=x | 1.2.3=0c0137");
	q->request.input = world_json(w, "{\"subject.common-name\":\"anna\"}");
	refused(q, CHY_ISSUE_EXTENSION, "extensions", "input.person.number");
	q->request.input = world_json(w, "{\"person.name\":\"x\"}");
	refused(q, CHY_TOKEN_INPUT_UNWANTED, "input-view", "input.person.name");
}

/* What token_input_read itself says, before any key is made. */
static void
soft_tokens_are_refused_before_keys_are_made(void **state)
{
	static const struct {
		const char *input, *field;
		enum code code;
		const char *rule;
	} rows[] = {
		{ "{}", "san.dns", CHY_TOKEN_INPUT_MISSING, "input-view" },
		{ "{\"san.dns\":\"a.example\",\"person.name\":\"x\"}", "person.name",
		  CHY_TOKEN_INPUT_UNWANTED, NULL },
		{ "{\"san.dns\":\"a.example\",\"subject.common-name\":\"E1\"}", "subject.common-name",
		  CHY_VALUE_PATTERN, NULL },
		{ "{\"san.dns\":\"a\\u0001.example\"}", "san.dns", CHY_TOKEN_INPUT, NULL },
		{ "{\"san.dns\":\"a.example\",\"device.secret\":\"x\"}", "device.secret", CHY_TOKEN_INPUT,
		  NULL },
	};

	world_put(w, KIND_INPUT_VIEW, VIEW,
		  FIELDS(FIELD("san.dns", MUST_HAVE) "," FIELD("subject.common-name",
							       ",\"modifiers\":[\"match:C*\"]")));
	world_put(w, KIND_TOKEN_PROCEDURE, TOKEN,
		  "{\"name\":\"Server\",\"storage_profile\":\"pkcs12\",\"pin_procedure\":901,\"certificate_"
		  "procedures\":"
		  "[\"Any\"],\"input_view\":908}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct token_input in;
		struct err e = { 0 };

		assert_int_not_equal(token_input_read(w->a, snapshot_token_procedure(w->s, doc_id_of(TOKEN)),
						      world_json(w, rows[i].input), &in, &e),
				     RC_OK);
		assert_int_equal(e.code, rows[i].code);
		assert_string_equal(e.field, rows[i].field);
		if (rows[i].rule != NULL)
			assert_string_equal(e.rule, rows[i].rule);
	}
}

/* ---- QC statements ---- */

#define TAKES_QC SUBJECT(CN("")) DNS("") DROP ",\"request_extensions\":[{\"oid\":\"qcStatements\"}]"
#define PROCEDURE(qc) \
	"{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P90D\",\"qc_statements\":{" qc "}}"

/* The kinds of statements in the certificate, in order. */
static const char *
statements(const struct asking *q)
{
	OWN_BUF struct buf b = buf_max(4096);
	const struct ext *x = exts_find(&made(q)->exts, OID_PE_QC_STATEMENTS);
	struct ext_value v = { .kind = OID_NONE };

	if (x != NULL)
		assert_ok(ext_decode(w->a, x, &v, NULL));
	for (size_t i = 0; x != NULL && i < v.qc.n; i++) {
		buf_printf(&b, "%s%s", i ? " " : "", oid_name(v.qc.v[i].known));
		if (v.qc.v[i].known == OID_QC_RETENTION)
			buf_printf(&b, "=%lld", (long long)v.qc.v[i].years);
	}
	return arena_str(w->a, buf_bytes(&b));
}

/* The same request with QC statements of its own. */
static struct asking *
ask_qc(const struct qc_statements *l)
{
	struct asking *q = ask(&good, NULL);
	struct csr *csr = arena_one(w->a, struct csr);
	struct ext *exts = arena_array(w->a, q->facts.csr->exts.n + 1, sizeof(*exts));

	*csr = *q->facts.csr;
	if (csr->exts.n > 0)
		memcpy(exts, csr->exts.v, csr->exts.n * sizeof(*exts));
	assert_ok(ext_encode(w->a, &(struct ext_value){ .kind = OID_PE_QC_STATEMENTS, .qc = *l },
			     &exts[csr->exts.n], NULL));
	csr->exts = (struct exts){ csr->exts.n + 1, exts };
	q->facts.csr = csr;
	return q;
}

static void
the_certificate_has_both_sets(void **state)
{
	struct qc_statement v[] = {
		{ .oid = oid_der(OID_QC_SSCD), .known = OID_QC_SSCD },
		{ .oid = oid_der(OID_QC_RETENTION), .known = OID_QC_RETENTION, .years = 99 }
	};
	struct qc_statements own = { 2, v };

	format(TAKES_QC);
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  PROCEDURE("\"compliance\":true,\"retention_years\":10"));
	assert_string_equal(statements(ask(&good, NULL)), "QcCompliance QcRetentionPeriod=10");
	assert_string_equal(statements(ask(&good, "{\"qc_statements\":{\"types\":[\"esign\"]}}")),
			    "QcCompliance QcRetentionPeriod=10 QcType");
	assert_string_equal(statements(ask_qc(&own)), "QcCompliance QcRetentionPeriod=10 QcSSCD");
	/* neither by the request nor by what is filled in can the procedure's be changed or dropped */
	assert_string_equal(
	    statements(ask(&good, "{\"qc_statements\":{\"compliance\":false,\"retention_years\":1}}")),
	    "QcCompliance QcRetentionPeriod=10");
	/* without any of the procedure's */
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE(""));
	assert_string_equal(statements(ask(&good, NULL)), "");
	assert_string_equal(statements(ask_qc(&own)), "QcSSCD QcRetentionPeriod=99");
	/* where the format does not take them, only the procedure's */
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE("\"compliance\":true"));
	format(SUBJECT(CN("")) DNS("") DROP);
	assert_string_equal(statements(ask_qc(&own)), "QcCompliance");
	refused(ask(&good, "{\"qc_statements\":{\"device\":true}}"), CHY_TOKEN_INPUT_UNWANTED, "input-view",
		"input.qc_statements");
}

/* A format that demands them is satisfied by either; what is no statement is refused by its field. */
static void
demanded_statements_may_come_from_either(void **state)
{
	format(TAKES_QC ",\"qc_mandatory\":true");
	refused(ask(&good, NULL), CHY_QC_MISSING, "extensions", "qc_statements");
	assert_string_equal(statements(ask(&good, "{\"qc_statements\":{\"device\":true}}")), "QcSSCD");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROCEDURE("\"compliance\":true"));
	assert_string_equal(statements(ask(&good, NULL)), "QcCompliance");
	refused(ask(&good, "{\"qc_statements\":{\"types\":[\"paper\"]}}"), CHY_TOKEN_INPUT, "input-view",
		"input.qc_statements");
	refused(ask(&good, "{\"qc_statements\":{\"countries\":[\"se\"]}}"), CHY_TOKEN_INPUT, "input-view",
		"input.qc_statements");
	refused(ask(&good, "{\"qc_statements\":{\"gold\":true}}"), CHY_TOKEN_INPUT, "input-view",
		"input.qc_statements");
	refused(ask(&good, "{\"qc_statements\":\"all\"}"), CHY_TOKEN_INPUT, "input-view",
		"input.qc_statements");
}

/* What a format fills in cannot be a constant of its procedure too: the procedure says so instead of issuing. */
static void
an_extension_stands_once(void **state)
{
	struct unusable u;

	format(EXT(""));
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P90D\",\"extensions\":[{"
		  "\"oid\":\"1.2."
		  "3\",\"value\":\"0500\"}]}");
	u = snapshot_unusable(w->s, doc_id_of(PROC_NONE));
	assert_int_equal(u.code, CHY_FIELD_CONFLICT);
	assert_non_null(strstr(u.text, "1.2.3"));
	/* also one that the procedure has by a setting */
	format(SUBJECT(CN("")) DROP
	       ",\"input_extensions\":[{\"oid\":\"1.3.6.1.5.5.7.48.1.5\"" FROM("person.number") "}]");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P90D\",\"ocsp_no_"
		  "check\":true}");
	u = snapshot_unusable(w->s, doc_id_of(PROC_NONE));
	assert_int_equal(u.code, CHY_FIELD_CONFLICT);
	assert_non_null(strstr(u.text, "1.3.6.1.5.5.7.48.1.5"));
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
	EACH(every_input_fills_every_element),
	EACH(inputs_go_where_the_format_says),
	EACH(what_an_element_refuses),
	EACH(names_do_not_end_early),
	EACH(inputs_that_are_not_taken),
	EACH(mandatory_fields_are_enforced),
	EACH(the_validity_may_come_by_either_way),
	EACH(fields_that_the_view_lacks_are_refused),
	EACH(views_give_defaults_and_modify),
	EACH(views_for_preregistration_demand_nothing_later),
	EACH(views_that_nobody_could_satisfy),
	EACH(defaults_of_views_are_judged),
	EACH(attributes_of_requests_alone),
	EACH_ROWS(the_default_view_has_all_that_formats_take, "CM-T-32 CM-T-34"),
	EACH(soft_tokens_take_the_same_inputs),
	EACH(soft_tokens_are_refused_before_keys_are_made),
	EACH_ROWS(the_certificate_has_both_sets, "CM-C-13 CM-C-14"),
	EACH_ROWS(demanded_statements_may_come_from_either, "CM-C-15"),
	EACH(an_extension_stands_once),
};

TESTS_MAIN(tests)
