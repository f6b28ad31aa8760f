/* What a table of fields cannot say: rules over several fields, and over other documents. */
#include "base/base.h"
#include "model/choices.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/gname.h"
#include "pki/key.h"
#include "policy/body.h"
#include "policy/document_impl.h"
#include "policy/duration.h"
#include "policy/names.h"
#include "policy/qc.h"
#include "policy/rights.h"
#include "policy/snapshot_impl.h"

const struct document *
doc_of(struct walk *w, const struct json *body, const char *name)
{
	return snapshot_document(w->c->policy, body_ref(body, name));
}

bool
is_self(const struct walk *w, const struct document *d)
{
	return doc_id_eq(d->id, w->c->self);
}

/* ---- people ---- */

/* Names as RFC 5280 4.2.1.10 constrains them. */
static enum rc
constraint_list(struct walk *w, const struct json *body, const char *list)
{
	struct at all = { .name = list }, at = { .up = &all };

	JSON_EACH(v, json_get(body, list))
	{
		struct err why = { 0 };
		struct gname g;

		REFUSE_UNLESS(names_from_text(w->a, v->str, &g, &why) == RC_OK, w, &at, CHY_FIELD_VALUE, "%s",
			      why.text);
		at.index++;
	}
	return RC_OK;
}

static enum rc
profile_check(struct walk *w, const struct json *body)
{
	TRY(constraint_list(w, body, "permitted_names"));
	return constraint_list(w, body, "excluded_names");
}

/* The name of an officer in a refusal. */
static const char *
officer_told(const struct walk *w, const struct document *d)
{
	const char *name = NULL;

	if (w->c->who == NULL || may_know(w->c->policy, w->c->who, d))
		name = arena_printf(w->a, "officer \"%.*s\"", BYTES_FMT(d->name));
	return name != NULL ? name : "another officer";
}

/* Who logs in is found by the fingerprint, so no two open officers may have one. */
static enum rc
officer_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "certificate_sha256" };
	const struct document *const *all;
	size_t n = snapshot_list(w->c->policy, KIND_OFFICER, &all);
	struct officer_id self = doc_officer(w->c->self);
	const struct officer *same = NULL;
	struct name subject;
	struct err why = { 0 };

	if (w->c->policy != NULL && name_from_text(w->a, body_text(body, "subject"), &subject, &why) == RC_OK)
		same = snapshot_officer_of_subject(w->c->policy, subject.der,
						   body_int(body, "certificate_procedure", 0), self);
	REFUSE_UNLESS(w->closed || same == NULL || same->id.v == self.v, w, &at, CHY_CERTIFICATE_BOUND,
		      "%s is bound to the subject of this certificate",
		      officer_told(w, snapshot_document(w->c->policy, doc_id_of(same->id.v))));
	for (size_t i = 0; i < n && !w->closed; i++)
		REFUSE_UNLESS(is_self(w, all[i]) || !all[i]->active ||
				  !bytes_eq(body_text(all[i]->body, at.name), body_text(body, at.name)),
			      w, &at, CHY_CERTIFICATE_BOUND, "%s is bound to this certificate",
			      officer_told(w, all[i]));
	return RC_OK;
}

/* ---- keys and authorities ---- */

static bool
is_label_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    strchr("._-", c) != NULL;
}

/* A label names one key of the signer's, so no two documents may share one. */
static enum rc
ca_key_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "label" }, uri = { .name = "pkcs11_uri" };
	struct bytes label = body_text(body, "label"), where = body_text(body, uri.name);
	const struct document *const *all;
	size_t n = snapshot_list(w->c->policy, KIND_CA_KEY, &all);

	for (size_t i = 0; i < label.n; i++)
		REFUSE_UNLESS(label.p[i] && is_label_char(label.p[i]), w, &at, CHY_FIELD_VALUE,
			      "a label has letters, digits, point, underscore and hyphen only");
	for (size_t i = 0; i < n && label.n > 0; i++)
		REFUSE_UNLESS(is_self(w, all[i]) || !bytes_eq(body_text(all[i]->body, "label"), label), w,
			      &at, CHY_NAME_TAKEN, "key \"%.*s\" has this label", BYTES_FMT(all[i]->name));
	REFUSE_UNLESS(strstr(where.n ? (const char *)where.p : "", "pin-value=") == NULL, w, &uri,
		      CHY_FIELD_VALUE, "a PIN does not belong into a document that everybody signs");
	return RC_OK;
}

/* A key is of one node. */
static enum rc
status_node_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "key_sha256" };
	const struct document *const *all;
	size_t n = snapshot_list(w->c->policy, KIND_STATUS_NODE, &all);

	for (size_t i = 0; i < n && !w->closed; i++)
		REFUSE_UNLESS(is_self(w, all[i]) || !all[i]->active ||
				  !bytes_eq(body_text(all[i]->body, at.name), body_text(body, at.name)),
			      w, &at, CHY_NAME_TAKEN, "status node \"%.*s\" has this key",
			      BYTES_FMT(all[i]->name));
	return RC_OK;
}

enum rc
purpose_check(struct walk *w, const struct json *body, const char *purpose)
{
	struct at at = { .name = "format" };
	const struct document *format = doc_of(w, body, at.name);

	REFUSE_UNLESS(format == NULL || bytes_is(body_text(format->body, "purpose"), purpose), w, &at,
		      CHY_FIELD_CONFLICT, "the format's purpose is not \"%s\"", purpose);
	return RC_OK;
}

/* The signature algorithm fits the key that will sign. */
enum rc
sigalg_check(struct walk *w, const struct json *body, const struct document *key)
{
	struct at at = { .name = "signature_algorithm" };
	struct bytes alg = body_text(body, at.name);
	struct key_type type;

	if (alg.n == 0 || key == NULL)
		return RC_OK;
	TRY(key_type_parse(body_text(key->body, "algorithm"), &type, w->e));
	REFUSE_UNLESS(sigalg_fits(sigalg_by_name(alg), &type), w, &at, CHY_FIELD_CONFLICT,
		      "%.*s does not fit the key \"%.*s\"", BYTES_FMT(alg), BYTES_FMT(key->name));
	return RC_OK;
}

enum rc
positive_duration(struct walk *w, const struct json *body, const char *name)
{
	struct at at = { .name = name };
	struct bytes text = body_text(body, name);
	struct duration d;

	if (text.n == 0)
		return RC_OK;
	TRY(duration_parse(text, &d, w->e));
	REFUSE_UNLESS(!duration_is_zero(d), w, &at, CHY_FIELD_RANGE, "a validity of nothing");
	return RC_OK;
}

static enum rc
authority_validity(struct walk *w, const struct json *body)
{
	struct at at = { .name = "not_after" };
	int64_t from, to;

	TRY(positive_duration(w, body, "validity"));
	if (body_text(body, "not_before").n == 0 || body_text(body, "not_after").n == 0)
		return RC_OK;
	TRY(time_parse(body_text(body, "not_before"), &from, w->e));
	TRY(time_parse(body_text(body, "not_after"), &to, w->e));
	REFUSE_UNLESS(from < to, w, &at, CHY_FIELD_CONFLICT, "the validity ends before it begins");
	return RC_OK;
}

static enum authority_type
type_of(const struct json *body)
{
	return (enum authority_type)body_choice(body, "type", authority_choices, AUTHORITY_ROOT);
}

bool
body_has_key(const struct json *authority)
{
	return authority_has_key(type_of(authority));
}

/* Who may stand above whom: an external subordinate below an external root alone, the others below who has a key. */
static enum rc
issuer_check(struct walk *w, const struct json *body, const struct document *up)
{
	struct at at = { .name = "issuing_authority" };
	bool outside = up != NULL && type_of(up->body) == AUTHORITY_EXTERNAL_ROOT;

	if (up == NULL)
		return RC_OK;
	if (type_of(body) == AUTHORITY_EXTERNAL_SUBORDINATE)
		REFUSE_UNLESS(outside, w, &at, CHY_FIELD_CONFLICT, "\"%.*s\" is no external root",
			      BYTES_FMT(up->name));
	else
		REFUSE_UNLESS(authority_has_key(type_of(up->body)), w, &at, CHY_AUTHORITY_FOREIGN,
			      "the key of \"%.*s\" is not here", BYTES_FMT(up->name));
	return RC_OK;
}

static enum rc
foreign_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "request" }, root = { .name = "certificate" };
	struct bytes before = body_text(w->c->before, root.name);
	struct err why = { 0 };
	struct foreign_ca ca;

	if (type_of(body) == AUTHORITY_CROSS)
		REFUSE_UNLESS(foreign_ca_read(w->a, body_text(body, at.name), &ca, &why) == RC_OK, w, &at,
			      why.code, "%s", why.text);
	REFUSE_UNLESS(type_of(body) != AUTHORITY_EXTERNAL_ROOT || before.n == 0 ||
			  bytes_eq(before, body_text(body, root.name)),
		      w, &root, CHY_FIELD_FIXED, "a trust anchor is not changed: make another one");
	return RC_OK;
}

enum { OCSP_ANSWER_LEAST_S = 300, OCSP_CERTIFICATE_LEAST_S = 3600 };

/* An answer must be over long before the certificate that it is signed with: that one is renewed when a third is left. */
static enum rc
ocsp_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "ocsp_answer_validity" }, whole = { .name = "ocsp_certificate_validity" };
	struct duration answer, certificate;

	if (!body_true(body, "ocsp"))
		return RC_OK;
	TRY(duration_parse(body_text(body, at.name), &answer, w->e));
	TRY(duration_parse(body_text(body, whole.name), &certificate, w->e));
	REFUSE_UNLESS(duration_add(0, answer) >= OCSP_ANSWER_LEAST_S * 1000, w, &at, CHY_FIELD_VALUE,
		      "at least five minutes");
	REFUSE_UNLESS(duration_add(0, certificate) >= OCSP_CERTIFICATE_LEAST_S * 1000, w, &whole,
		      CHY_FIELD_VALUE, "at least an hour");
	REFUSE_UNLESS(duration_add(0, answer) <= duration_add(0, certificate) / 3, w, &at, CHY_FIELD_CONFLICT,
		      "it must be at most a third of the validity of the responder's certificate");
	return RC_OK;
}

static enum rc
authority_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "path_length" };
	const struct document *up = doc_of(w, body, "issuing_authority");
	int64_t above = up ? body_int(up->body, "path_length", INT64_MAX) : INT64_MAX;

	TRY(issuer_check(w, body, up));
	TRY(foreign_check(w, body));
	TRY(constraint_list(w, body, "permitted_names"));
	TRY(constraint_list(w, body, "excluded_names"));
	TRY(purpose_check(w, body, "ca"));
	TRY(sigalg_check(w, body, doc_of(w, body, "ca_key")));
	TRY(authority_validity(w, body));
	TRY(ocsp_check(w, body));
	REFUSE_UNLESS(above > 0, w, &at, CHY_AUTHORITY_PATH_LENGTH, "below \"%.*s\" no authority may stand",
		      BYTES_FMT(up->name));
	REFUSE_UNLESS(above == INT64_MAX || body_int(body, at.name, INT64_MAX) < above, w, &at,
		      CHY_AUTHORITY_PATH_LENGTH, "it must be less than the %lld of \"%.*s\"",
		      (long long)above, BYTES_FMT(up->name));
	return RC_OK;
}

/* ---- lists ---- */

/* No two items of a list may have the same value of a member. */
enum rc
once_each(struct walk *w, const struct json *body, const char *list, const char *member)
{
	struct at all = { .name = list }, item = { .up = &all }, at = { .up = &item, .name = member };

	JSON_EACH(x, json_get(body, list))
	{
		for (const struct json *y = json_get(body, list)->first; y != x; y = y->next)
			REFUSE_UNLESS(!json_eq(json_get(x, member), json_get(y, member)), w, &at,
				      CHY_FIELD_TWICE, "it stands in the list twice");
		item.index++;
	}
	return RC_OK;
}

/* Extensions that the program makes itself can be neither taken over nor given as octets. */
enum rc
ours_only(struct walk *w, const struct json *body, const char *list)
{
	static const enum oid made[] = { OID_CE_KEY_USAGE,        OID_CE_BASIC_CONSTRAINTS,
					 OID_CE_SUBJECT_KEY_ID,   OID_CE_AUTHORITY_KEY_ID,
					 OID_CE_SUBJECT_ALT_NAME, OID_CE_EXT_KEY_USAGE,
					 OID_CE_NAME_CONSTRAINTS, OID_CE_POLICIES,
					 OID_CE_CRL_POINTS,       OID_PE_AUTHORITY_INFO };
	struct at all = { .name = list }, item = { .up = &all }, at = { .up = &item, .name = "oid" };

	JSON_EACH(x, json_get(body, list))
	{
		for (size_t i = 0; i < ARRAY_LEN(made); i++)
			REFUSE_UNLESS(!bytes_is(body_text(x, at.name), oid_dotted(made[i])), w, &at,
				      CHY_FIELD_CONFLICT, "%s has fields of its own", oid_title(made[i]));
		item.index++;
	}
	return RC_OK;
}

/* ---- procedures ---- */

static enum rc
backdate_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "backdate" };
	struct duration d = { 0 };

	if (body_text(body, at.name).n > 0)
		TRY(duration_parse(body_text(body, at.name), &d, w->e));
	REFUSE_UNLESS(duration_add(0, d) <= 2 * 86400000LL, w, &at, CHY_FIELD_RANGE, "at most P2D");
	return RC_OK;
}

static enum rc
constant_extensions(struct walk *w, const struct json *body)
{
	struct at all = { .name = "extensions" }, item = { .up = &all },
		  at = { .up = &item, .name = "value" };

	JSON_EACH(x, json_get(body, all.name))
	{
		struct err why = { 0 };
		struct bytes der;

		TRY(hex_parse(w->a, body_text(x, at.name), &der, w->e));
		REFUSE_UNLESS_FOR(der_check(der, &why) == RC_OK, err_exact(&why), w, &at, CHY_FIELD_VALUE,
				  "not one DER value: %s", why.text);
		item.index++;
	}
	TRY(once_each(w, body, all.name, "oid"));
	return ours_only(w, body, all.name);
}

static enum rc
issuer_names(struct walk *w, const struct json *body)
{
	struct at all = { .name = "issuer_alternative_names" }, at = { .up = &all };

	JSON_EACH(v, json_get(body, all.name))
	{
		struct err why = { 0 };
		struct gname g;

		REFUSE_UNLESS_FOR(gname_from_text(w->a, v->str, GN_NAME, &g, &why) == RC_OK, err_exact(&why),
				  w, &at, CHY_FIELD_VALUE, "%s", why.text);
		at.index++;
	}
	return RC_OK;
}

/* Letters only, as ISO 639, 3166 and 4217 write them. */
static enum rc
code_letters(struct walk *w, const struct at *at, struct bytes code, char first, char last)
{
	for (size_t i = 0; i < code.n; i++)
		REFUSE_UNLESS(code.p[i] >= (uint8_t)first && code.p[i] <= (uint8_t)last, w, at,
			      CHY_FIELD_VALUE, "letters from %c to %c only", first, last);
	return RC_OK;
}

static enum rc
qc_check(struct walk *w, const struct json *body)
{
	struct at top = { .name = "qc_statements" };
	const struct json *qc = json_get(body, top.name), *limit = json_get(qc, "limit");
	struct at country = { .up = &top, .name = "countries" },
		  currency = { .up = &top, .name = "limit.currency" },
		  language = { .up = &top, .name = "disclosures.language" };

	JSON_EACH(c, json_get(qc, country.name))
	TRY(code_letters(w, &country, c->str, 'A', 'Z'));
	if (limit != NULL)
		TRY(code_letters(w, &currency, body_text(limit, "currency"), 'A', 'Z'));
	JSON_EACH(d, json_get(qc, "disclosures"))
	TRY(code_letters(w, &language, body_text(d, "language"), 'a', 'z'));
	return RC_OK;
}

enum rc
qc_check_value(struct arena *a, const struct json *value, struct json **ret, struct err *e)
{
	const struct field *f = field_find(kind_of(KIND_CERTIFICATE_PROCEDURE)->fields,
					   BYTES("qc_statements"));
	const struct document_check c = { .kind = kind_of(KIND_CERTIFICATE_PROCEDURE) };
	struct walk w = { .a = a, .c = &c, .e = e };
	struct json *body = json_object(a);

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "QC statements");
	TRY(fields_check(a, f->members, value, ret, e));
	json_set(body, f->name, *ret);
	return qc_check(&w, body);
}

static bool
has_text(const struct json *list, const char *what)
{
	JSON_EACH(x, list)
	if (x->type == JSON_STR && bytes_is(x->str, what))
		return true;
	return false;
}

const char *
setting_not_open(const struct json *format, const struct json *body)
{
	const struct json *open = json_get(format, "open_settings");

	if (!bytes_is(body_text(format, "procedure_settings"), "listed"))
		return NULL;
	for (const struct choice *c = open_setting_choices; c->name != NULL; c++) {
		const struct json *v = json_get(body, c->name);
		bool given = v != NULL && v->type != JSON_NULL && !(v->type == JSON_BOOL && !v->boolean) &&
		    !(v->type == JSON_ARRAY && v->count == 0);

		if (given && !has_text(open, c->name))
			return c->name;
	}
	return NULL;
}

/* The format decides what else a procedure may set. */
static enum rc
settings_check(struct walk *w, const struct json *body)
{
	const struct document *format = doc_of(w, body, "format");
	struct at at = { .name = format ? setting_not_open(format->body, body) : NULL };

	REFUSE_UNLESS(at.name == NULL, w, &at, CHY_FIELD_UNAVAILABLE,
		      "format \"%.*s\" does not open the setting %s", BYTES_FMT(format->name), at.name);
	return RC_OK;
}

/* A list is about the certificates of its issuer. */
static enum rc
crl_procedure_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "crl_procedure" };
	const struct document *crl = doc_of(w, body, at.name);

	REFUSE_UNLESS(crl == NULL || doc_id_eq(body_ref(crl->body, "authority"), body_ref(body, "authority")),
		      w, &at, CHY_FIELD_CONFLICT, "CRL procedure \"%.*s\" is of another authority",
		      BYTES_FMT(crl->name));
	return RC_OK;
}

static enum rc
transport_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "transport_issuers" };
	bool asked = has_text(json_get(body, "transport_controls"), "issuer");

	REFUSE_UNLESS(!asked || body_count(body, at.name) > 0, w, &at, CHY_FIELD_MISSING,
		      "the control of the issuer needs issuers");
	REFUSE_UNLESS(asked || body_count(body, at.name) == 0, w, &at, CHY_FIELD_UNAVAILABLE,
		      "they are available only when transport_controls has issuer");
	return RC_OK;
}

/* The same is asked when a certificate is issued, of what comes out. */
static enum rc
system_check(struct walk *w, const struct json *body, const struct document *authority)
{
	const struct authority *x = authority ? snapshot_authority(w->c->policy, authority->id) : NULL;
	const struct document *format = doc_of(w, body, "format");
	struct at at = { .name = "domain" };
	struct oids extended;

	if (x == NULL || !x->boot || w->closed)
		return RC_OK;
	REFUSE_UNLESS(doc_id_is_none(w->from), w, &at, CHY_SYSTEM_AUTHORITY_DOMAIN,
		      "\"%.*s\" is the system's authority: it is for procedures of Root",
		      BYTES_FMT(authority->name));
	at.name = "extended_key_usage";
	TRY(oids_of(w->a, body_list(body, at.name), NULL, &extended, w->e));
	REFUSE_UNLESS(
	    !is_for_servers(&extended) &&
		(format == NULL || !bytes_is(body_text(format->body, at.name), "none")),
	    w, &at, CHY_SYSTEM_AUTHORITY_SERVER,
	    "\"%.*s\" is the system's authority: who trusts its server would trust these certificates, "
	    "too; usages are needed, and none for servers",
	    BYTES_FMT(authority->name));
	return RC_OK;
}

static enum rc
certificate_procedure_check(struct walk *w, const struct json *body)
{
	const struct document *authority = doc_of(w, body, "authority");
	struct at at = { .name = "authority" };

	TRY(purpose_check(w, body, "end-entity"));
	TRY(chain_check(w, body));
	TRY(settings_check(w, body));
	TRY(crl_procedure_check(w, body));
	TRY(transport_check(w, body));
	REFUSE_UNLESS(authority == NULL || authority_has_key(type_of(authority->body)), w, &at,
		      CHY_AUTHORITY_FOREIGN, "the key of \"%.*s\" is not here: it issues nothing here",
		      BYTES_FMT(authority->name));
	if (authority != NULL)
		TRY(sigalg_check(w, body, doc_of(w, authority->body, "ca_key")));
	TRY(system_check(w, body, authority));
	TRY(positive_duration(w, body, "validity"));
	TRY(backdate_check(w, body));
	TRY(once_each(w, body, "certificate_policies", "policy"));
	TRY(constant_extensions(w, body));
	TRY(issuer_names(w, body));
	return qc_check(w, body);
}

static const struct {
	enum kind_id kind;
	enum rc (*fn)(struct walk *, const struct json *);
} checks[] = {
	{ KIND_OFFICER_PROFILE, profile_check },
	{ KIND_OFFICER, officer_check },
	{ KIND_CA_KEY, ca_key_check },
	{ KIND_AUTHORITY, authority_check },
	{ KIND_FORMAT, format_check },
	{ KIND_CERTIFICATE_PROCEDURE, certificate_procedure_check },
	{ KIND_TOKEN_PROCEDURE, token_procedure_check },
	{ KIND_PIN_PROCEDURE, pin_procedure_check },
	{ KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, ac_procedure_check },
	{ KIND_DISTRIBUTION_RULE, distribution_rule_check },
	{ KIND_CRL_PROCEDURE, crl_document_check },
	{ KIND_INPUT_VIEW, input_view_check },
	{ KIND_REVOCATION_POLICY, revocation_policy_check },
	{ KIND_CIL_PROCEDURE, cil_procedure_check },
	{ KIND_STATUS_NODE, status_node_check },
};

enum rc
kind_check(struct walk *w, const struct json *body)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		if (checks[i].kind == w->c->kind->id)
			return checks[i].fn(w, body);
	return RC_OK;
}
