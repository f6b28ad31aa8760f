/* Lints of RFC 5280 and the RFCs beside it. */
#include "base/base.h"
#include "pki/lint_input.h"

/* Shorthand: the decoded extension of a kind. */
#define EXT(o) lint_ext(in, (o))

static bool
is_ca(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_BASIC_CONSTRAINTS);

	return v != NULL && v->basic.ca;
}

static bool
has_usage(const struct lint_input *in, uint32_t bits)
{
	const struct ext_value *v = EXT(OID_CE_KEY_USAGE);

	return v != NULL && (v->key_usage & bits) != 0;
}

static enum lint_outcome
critical_is(const struct lint_input *in, enum oid o, bool want)
{
	const struct ext_value *v = EXT(o);

	return lint_judge(v != NULL, v != NULL && v->critical == want);
}

static enum lint_outcome
only_in_ca(const struct lint_input *in, enum oid o)
{
	return lint_judge(EXT(o) != NULL, is_ca(in));
}

/* ---- 4.1 ---- */

static enum lint_outcome
version_3(const struct lint_input *in)
{
	return lint_judge(true, in->c->version == 3);
}

static enum lint_outcome
serial_positive(const struct lint_input *in)
{
	struct bytes s = in->c->serial;

	return lint_judge(true, s.n > 0 && s.p[0] < 0x80 && !(s.n == 1 && s.p[0] == 0));
}

/* CA/Browser Forum BR 7.1 asks for 64 random bits; ours have 96 and a time in front. */
static enum lint_outcome
serial_entropy(const struct lint_input *in)
{
	return lint_judge(!in->self_issued, in->c->serial.n >= 8);
}

static enum lint_outcome
known_algorithm(const struct lint_input *in)
{
	return lint_judge(true, in->c->sigalg != SIGALG_NONE);
}

static enum lint_outcome
issuer_not_empty(const struct lint_input *in)
{
	return lint_judge(true, in->issuer.n > 0);
}

static enum lint_outcome
subject_bounds(const struct lint_input *in)
{
	return lint_judge(in->subject.n > 0, name_check_bounds(&in->subject, NULL) == RC_OK);
}

static enum lint_outcome
issuer_bounds(const struct lint_input *in)
{
	return lint_judge(in->issuer.n > 0, name_check_bounds(&in->issuer, NULL) == RC_OK);
}

static enum lint_outcome
string_types(const struct lint_input *in)
{
	bool ok = true;

	for (size_t i = 0; i < in->subject.n; i++) {
		uint32_t tag = in->subject.ava[i].tag;

		ok = ok && tag != DER_TELETEX && tag != DER_BMP && tag != DER_UNIVERSAL;
	}
	return lint_judge(in->subject.n > 0, ok);
}

/* All values of an attribute type in the subject have the tag. */
static enum lint_outcome
attr_tag(const struct lint_input *in, enum oid type, uint32_t tag)
{
	const struct ava *v = name_get(&in->subject, type, 0);
	bool ok = true;

	for (size_t i = 0; (v = name_get(&in->subject, type, i)) != NULL; i++)
		ok = ok && v->tag == tag;
	return lint_judge(name_get(&in->subject, type, 0) != NULL, ok);
}

static enum lint_outcome
country_printable(const struct lint_input *in)
{
	return attr_tag(in, OID_AT_COUNTRY, DER_PRINTABLE);
}

static enum lint_outcome
country_letters(const struct lint_input *in)
{
	const struct ava *v = name_get(&in->subject, OID_AT_COUNTRY, 0);

	return lint_judge(v != NULL,
			  v != NULL && v->value.n == 2 && v->value.p[0] >= 'A' && v->value.p[0] <= 'Z' &&
			      v->value.p[1] >= 'A' && v->value.p[1] <= 'Z');
}

static enum lint_outcome
serial_number_printable(const struct lint_input *in)
{
	return attr_tag(in, OID_AT_SERIAL_NUMBER, DER_PRINTABLE);
}

static enum lint_outcome
dc_ia5(const struct lint_input *in)
{
	return attr_tag(in, OID_AT_DC, DER_IA5);
}

static enum lint_outcome
email_ia5(const struct lint_input *in)
{
	return attr_tag(in, OID_AT_EMAIL, DER_IA5);
}

/* 2050-01-01T00:00:00Z */
static const int64_t year_2050_ms = INT64_C(2524608000000);

static enum lint_outcome
time_encoding(const struct lint_input *in)
{
	return lint_judge(true,
			  in->c->not_before_generalized == (in->c->not_before_at >= year_2050_ms) &&
			      in->c->not_after_generalized == (in->c->not_after_at >= year_2050_ms));
}

static enum lint_outcome
time_order(const struct lint_input *in)
{
	return lint_judge(true, in->c->not_before_at < in->c->not_after_at);
}

static enum lint_outcome
subject_or_san(const struct lint_input *in)
{
	return lint_judge(in->exts_ok, in->subject.n > 0 || EXT(OID_CE_SUBJECT_ALT_NAME) != NULL);
}

static enum lint_outcome
ca_subject(const struct lint_input *in)
{
	return lint_judge(is_ca(in), in->subject.n > 0);
}

static bool
san_has_mail(const struct ext_value *san, struct bytes mail)
{
	struct gname g = { .type = GN_EMAIL, .value = mail };

	for (size_t i = 0; san != NULL && i < san->names.n; i++)
		if (gname_eq(&san->names.v[i], &g))
			return true;
	return false;
}

static enum lint_outcome
email_in_san(const struct lint_input *in)
{
	const struct ava *v;
	bool ok = true;

	for (size_t i = 0; (v = name_get(&in->subject, OID_AT_EMAIL, i)) != NULL; i++)
		ok = ok && san_has_mail(EXT(OID_CE_SUBJECT_ALT_NAME), v->value);
	return lint_judge(in->exts_ok && name_get(&in->subject, OID_AT_EMAIL, 0) != NULL, ok);
}

static enum lint_outcome
key_syntax(const struct lint_input *in)
{
	return lint_judge(true, in->key_ok);
}

static enum lint_outcome
key_size(const struct lint_input *in)
{
	return lint_judge(in->key_ok && in->key.alg == KEY_RSA, in->key.bits >= 2048);
}

static enum lint_outcome
key_exponent(const struct lint_input *in)
{
	return lint_judge(in->key_ok && in->key.alg == KEY_RSA, in->key.exponent.n >= 3);
}

static enum lint_outcome
no_unique_ids(const struct lint_input *in)
{
	return lint_judge(true, in->c->issuer_uid.p == NULL && in->c->subject_uid.p == NULL);
}

/* ---- 4.2 ---- */

static enum lint_outcome
extension_syntax(const struct lint_input *in)
{
	return lint_judge(true, in->exts_ok);
}

static enum lint_outcome
critical_known(const struct lint_input *in)
{
	bool ok = true;

	for (size_t i = 0; in->exts_ok && i < in->c->exts.n; i++)
		ok = ok && (!in->v[i].critical || in->v[i].kind != OID_NONE);
	return lint_judge(in->exts_ok && in->c->exts.n > 0, ok);
}

static enum lint_outcome
aki_present(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_AUTHORITY_KEY_ID);

	return lint_judge(in->exts_ok && !in->self_issued, v != NULL && v->aki.key_id.p != NULL);
}

static enum lint_outcome
aki_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_AUTHORITY_KEY_ID, false);
}

static enum lint_outcome
ski_ca(const struct lint_input *in)
{
	return lint_judge(is_ca(in), EXT(OID_CE_SUBJECT_KEY_ID) != NULL);
}

static enum lint_outcome
ski_end_entity(const struct lint_input *in)
{
	return lint_judge(in->exts_ok && !is_ca(in), EXT(OID_CE_SUBJECT_KEY_ID) != NULL);
}

static enum lint_outcome
ski_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_SUBJECT_KEY_ID, false);
}

static enum lint_outcome
key_usage_ca(const struct lint_input *in)
{
	return lint_judge(is_ca(in), EXT(OID_CE_KEY_USAGE) != NULL);
}

static enum lint_outcome
key_usage_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_KEY_USAGE, true);
}

static enum lint_outcome
cert_sign_ca(const struct lint_input *in)
{
	return lint_judge(has_usage(in, USAGE_KEY_CERT_SIGN), is_ca(in));
}

/* RFC 3279 2.3.1 (RSA agrees on no keys), RFC 5480 3 (EC enciphers none), RFC 8410 5 and RFC 9881 5 (they only sign). */
static enum lint_outcome
key_usage_fits(const struct lint_input *in)
{
	uint32_t encipher = USAGE_KEY_ENCIPHERMENT | USAGE_DATA_ENCIPHERMENT, never;

	if (!in->key_ok)
		return LINT_NA;
	never = in->key.alg == KEY_RSA ? USAGE_KEY_AGREEMENT
	    : in->key.alg == KEY_EC    ? encipher
				       : encipher | USAGE_KEY_AGREEMENT;
	return lint_judge(EXT(OID_CE_KEY_USAGE) != NULL, !has_usage(in, never));
}

static enum lint_outcome
encipher_only(const struct lint_input *in)
{
	return lint_judge(has_usage(in, USAGE_ENCIPHER_ONLY | USAGE_DECIPHER_ONLY),
			  has_usage(in, USAGE_KEY_AGREEMENT));
}

static enum lint_outcome
notice_utf8(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_POLICIES);
	bool any = false, ok = true;

	for (size_t i = 0; v != NULL && i < v->policies.n; i++) {
		for (size_t k = 0; k < v->policies.v[i].quals_n; k++) {
			const struct policy_qual *q = &v->policies.v[i].quals[k];

			any = any || q->text.p != NULL;
			ok = ok && (q->text.p == NULL || q->text_tag == DER_UTF8 || q->text_tag == DER_IA5);
		}
	}
	return lint_judge(any, ok);
}

static enum lint_outcome
any_policy_quals(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_POLICIES);
	bool any = false, ok = true;

	for (size_t i = 0; v != NULL && i < v->policies.n; i++) {
		const struct policy_info *p = &v->policies.v[i];

		if (!bytes_eq(p->oid, oid_der(OID_POLICY_ANY)))
			continue;
		any = true;
		for (size_t k = 0; k < p->quals_n; k++)
			ok = ok && (p->quals[k].known == OID_QT_CPS || p->quals[k].known == OID_QT_UNOTICE);
	}
	return lint_judge(any, ok);
}

static enum lint_outcome
mappings_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_POLICY_MAPPINGS, true);
}

static enum lint_outcome
mappings_ca(const struct lint_input *in)
{
	return only_in_ca(in, OID_CE_POLICY_MAPPINGS);
}

static enum lint_outcome
san_critical(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_SUBJECT_ALT_NAME);

	return lint_judge(v != NULL && in->subject.n == 0, v != NULL && v->critical);
}

static enum lint_outcome
san_not_critical(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_SUBJECT_ALT_NAME);

	return lint_judge(v != NULL && in->subject.n > 0, v != NULL && !v->critical);
}

static enum lint_outcome
names_syntax(const struct lint_input *in, enum oid o)
{
	const struct ext_value *v = EXT(o);
	bool ok = true;

	for (size_t i = 0; v != NULL && i < v->names.n; i++)
		ok = ok && gname_check(&v->names.v[i], GN_NAME, NULL) == RC_OK;
	return lint_judge(v != NULL, ok);
}

static enum lint_outcome
san_syntax(const struct lint_input *in)
{
	return names_syntax(in, OID_CE_SUBJECT_ALT_NAME);
}

static enum lint_outcome
san_once(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_SUBJECT_ALT_NAME);
	bool once = true;

	for (size_t i = 0; v != NULL && i < v->names.n; i++)
		for (size_t k = 0; k < i; k++)
			once = once && !gname_eq(&v->names.v[i], &v->names.v[k]);
	return lint_judge(v != NULL, once);
}

static enum lint_outcome
ian_syntax(const struct lint_input *in)
{
	return names_syntax(in, OID_CE_ISSUER_ALT_NAME);
}

static enum lint_outcome
ian_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_ISSUER_ALT_NAME, false);
}

static enum lint_outcome
attrs_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_SUBJECT_DIR_ATTRS, false);
}

static enum lint_outcome
ca_basic_critical(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_BASIC_CONSTRAINTS);

	return lint_judge(is_ca(in), v != NULL && v->critical);
}

static enum lint_outcome
path_len_ca(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_BASIC_CONSTRAINTS);

	return lint_judge(v != NULL && v->basic.path_len >= 0,
			  is_ca(in) && has_usage(in, USAGE_KEY_CERT_SIGN));
}

static enum lint_outcome
ca_key_usage(const struct lint_input *in)
{
	return lint_judge(is_ca(in), has_usage(in, USAGE_KEY_CERT_SIGN));
}

static enum lint_outcome
constraints_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_NAME_CONSTRAINTS, true);
}

static enum lint_outcome
constraints_ca(const struct lint_input *in)
{
	return only_in_ca(in, OID_CE_NAME_CONSTRAINTS);
}

static enum lint_outcome
policy_constraints_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_POLICY_CONSTRAINTS, true);
}

static enum lint_outcome
policy_constraints_ca(const struct lint_input *in)
{
	return only_in_ca(in, OID_CE_POLICY_CONSTRAINTS);
}

static enum lint_outcome
eku_any_critical(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_EXT_KEY_USAGE);

	return lint_judge(v != NULL && oids_have(&v->eku, OID_EKU_ANY), v != NULL && !v->critical);
}

/* RFC 5280 4.2.1.12 lists the key usages that may be consistent with each purpose. */
static enum lint_outcome
eku_fits(const struct lint_input *in)
{
	static const struct {
		enum oid purpose;
		uint32_t any_of;
	} fits[] = {
		{ OID_EKU_SERVER_AUTH,
		  USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT | USAGE_KEY_AGREEMENT },
		{ OID_EKU_CLIENT_AUTH, USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT },
		{ OID_EKU_CODE_SIGNING, USAGE_DIGITAL_SIGNATURE },
		{ OID_EKU_EMAIL,
		  USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT | USAGE_KEY_ENCIPHERMENT |
		      USAGE_KEY_AGREEMENT },
		{ OID_EKU_TIME_STAMPING, USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT },
		{ OID_EKU_OCSP_SIGNING, USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT },
	};
	const struct ext_value *v = EXT(OID_CE_EXT_KEY_USAGE);
	bool any = false, ok = true;

	for (size_t i = 0; v != NULL && i < ARRAY_LEN(fits); i++) {
		if (!oids_have(&v->eku, fits[i].purpose))
			continue;
		any = true;
		ok = ok && has_usage(in, fits[i].any_of);
	}
	return lint_judge(any && EXT(OID_CE_KEY_USAGE) != NULL && !is_ca(in), ok);
}

/* RFC 3161 2.3: critical, and the only purpose. */
static enum lint_outcome
eku_time_stamping(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_EXT_KEY_USAGE);

	return lint_judge(v != NULL && oids_have(&v->eku, OID_EKU_TIME_STAMPING) && !is_ca(in),
			  v != NULL && v->critical && v->eku.n == 1);
}

static enum lint_outcome
points_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_CRL_POINTS, false);
}

static bool
uri_of(const struct gnames *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == GN_URI &&
		    (bytes_starts(l->v[i].value, "http://") || bytes_starts(l->v[i].value, "ldap")))
			return true;
	return false;
}

static enum lint_outcome
points_uri(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_CRL_POINTS);
	bool any = false;

	for (size_t i = 0; v != NULL && i < v->points.n; i++)
		any = any || uri_of(&v->points.v[i].full_name);
	return lint_judge(v != NULL, any);
}

static enum lint_outcome
inhibit_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_INHIBIT_ANY, true);
}

static enum lint_outcome
inhibit_ca(const struct lint_input *in)
{
	return only_in_ca(in, OID_CE_INHIBIT_ANY);
}

static enum lint_outcome
freshest_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_CE_FRESHEST_CRL, false);
}

static enum lint_outcome
aia_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_PE_AUTHORITY_INFO, false);
}

static enum lint_outcome
aia_uri(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_PE_AUTHORITY_INFO);
	bool ok = true;

	for (size_t i = 0; v != NULL && i < v->access.n; i++)
		if (v->access.v[i].known == OID_AD_OCSP)
			ok = ok && v->access.v[i].location.type == GN_URI &&
			    uri_ok(v->access.v[i].location.value);
	return lint_judge(v != NULL, ok);
}

static enum lint_outcome
sia_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_PE_SUBJECT_INFO, false);
}

/* An end entity whose status nobody can learn; responders with noCheck are meant to be like that. */
static enum lint_outcome
revocation_known(const struct lint_input *in)
{
	return lint_judge(in->exts_ok && !in->self_issued && EXT(OID_PE_OCSP_NOCHECK) == NULL,
			  EXT(OID_CE_CRL_POINTS) != NULL || EXT(OID_PE_AUTHORITY_INFO) != NULL);
}

static enum lint_outcome
tls_feature_not_critical(const struct lint_input *in)
{
	return critical_is(in, OID_PE_TLS_FEATURE, false);
}

static enum lint_outcome
no_check_responder(const struct lint_input *in)
{
	const struct ext_value *v = EXT(OID_CE_EXT_KEY_USAGE);

	return lint_judge(EXT(OID_PE_OCSP_NOCHECK) != NULL,
			  v != NULL && oids_have(&v->eku, OID_EKU_OCSP_SIGNING));
}

#define S "RFC 5280 "

const struct lint lint_5280_table[] = {
	{ "rfc5280-4.1.2.1-version-3", LINT_ERROR, S "4.1.2.1", "version must be 3", version_3 },
	{ "rfc5280-4.1.2.2-serial-positive", LINT_ERROR, S "4.1.2.2", "serial number must be positive",
	  serial_positive },
	{ "cabf-7.1-serial-entropy", LINT_WARNING, "CA/Browser Forum BR 7.1",
	  "serial number should have at least 64 bits", serial_entropy },
	{ "rfc5280-4.1.2.3-known-algorithm", LINT_ERROR, S "4.1.2.3",
	  "signature algorithm must be one that this program uses", known_algorithm },
	{ "rfc5280-4.1.2.4-issuer-not-empty", LINT_ERROR, S "4.1.2.4", "issuer must not be empty",
	  issuer_not_empty },
	{ "rfc5280-A.1-issuer-bounds", LINT_WARNING, S "A.1",
	  "issuer's attributes should keep their upper bounds", issuer_bounds },
	{ "rfc5280-A.1-subject-bounds", LINT_ERROR, S "A.1",
	  "subject's attributes must keep their upper bounds", subject_bounds },
	{ "rfc5280-4.1.2.4-string-types", LINT_ERROR, S "4.1.2.4",
	  "new names must not use TeletexString, BMPString or UniversalString", string_types },
	{ "rfc5280-A.1-country-printable", LINT_ERROR, S "A.1", "country must be a PrintableString",
	  country_printable },
	{ "rfc5280-A.1-country-letters", LINT_ERROR, S "A.1", "country must be two capital letters",
	  country_letters },
	{ "rfc5280-A.1-serial-number-printable", LINT_ERROR, S "A.1",
	  "serialNumber must be a PrintableString", serial_number_printable },
	{ "rfc5280-A.1-dc-ia5", LINT_ERROR, S "A.1", "domain component must be an IA5String", dc_ia5 },
	{ "rfc5280-A.1-email-ia5", LINT_ERROR, S "A.1", "emailAddress must be an IA5String", email_ia5 },
	{ "rfc5280-4.1.2.5-time-encoding", LINT_ERROR, S "4.1.2.5",
	  "times through 2049 must be UTCTime, later ones GeneralizedTime", time_encoding },
	{ "rfc5280-4.1.2.5-time-order", LINT_ERROR, S "4.1.2.5", "notBefore must be before notAfter",
	  time_order },
	{ "rfc5280-4.1.2.6-subject-or-san", LINT_ERROR, S "4.1.2.6",
	  "a certificate needs a subject or an alternative name", subject_or_san },
	{ "rfc5280-4.1.2.6-ca-subject", LINT_ERROR, S "4.1.2.6", "a CA must have a subject", ca_subject },
	{ "rfc5280-4.1.2.6-email-in-san", LINT_ERROR, S "4.1.2.6",
	  "a mail address in the subject must stand in subjectAltName too", email_in_san },
	{ "rfc5280-4.1.2.7-key-syntax", LINT_ERROR, S "4.1.2.7",
	  "public key must be well-formed and of a known kind", key_syntax },
	{ "sp800-57-rsa-size", LINT_ERROR, "SP 800-57 part 1 5.6", "RSA keys must have at least 2048 bits",
	  key_size },
	{ "cabf-6.1.6-rsa-exponent", LINT_WARNING, "CA/Browser Forum BR 6.1.6",
	  "the RSA exponent should be at least 2^16 + 1", key_exponent },
	{ "rfc5280-4.1.2.8-no-unique-ids", LINT_ERROR, S "4.1.2.8", "unique identifiers must not be used",
	  no_unique_ids },
	{ "rfc5280-4.2-extension-syntax", LINT_ERROR, S "4.2", "every known extension must be well-formed",
	  extension_syntax },
	{ "rfc5280-4.2-critical-known", LINT_WARNING, S "4.2",
	  "critical extensions should be ones that readers know", critical_known },
	{ "rfc5280-4.2.1.1-aki-present", LINT_ERROR, S "4.2.1.1",
	  "authorityKeyIdentifier with keyIdentifier must be there unless self-issued", aki_present },
	{ "rfc5280-4.2.1.1-aki-not-critical", LINT_ERROR, S "4.2.1.1",
	  "authorityKeyIdentifier must not be critical", aki_not_critical },
	{ "rfc5280-4.2.1.2-ski-ca", LINT_ERROR, S "4.2.1.2", "a CA must have subjectKeyIdentifier", ski_ca },
	{ "rfc5280-4.2.1.2-ski-end-entity", LINT_WARNING, S "4.2.1.2",
	  "an end entity should have subjectKeyIdentifier", ski_end_entity },
	{ "rfc5280-4.2.1.2-ski-not-critical", LINT_ERROR, S "4.2.1.2",
	  "subjectKeyIdentifier must not be critical", ski_not_critical },
	{ "rfc5280-4.2.1.3-ca-has-key-usage", LINT_ERROR, S "4.2.1.3", "a CA must have keyUsage",
	  key_usage_ca },
	{ "rfc5280-4.2.1.3-critical", LINT_WARNING, S "4.2.1.3", "keyUsage should be critical",
	  key_usage_critical },
	{ "rfc5280-4.2.1.3-cert-sign-ca", LINT_ERROR, S "4.2.1.3",
	  "keyCertSign needs basicConstraints with cA", cert_sign_ca },
	{ "rfc5480-3-key-usage-fits-key", LINT_ERROR, "RFC 3279 2.3.1, RFC 5480 3, RFC 8410 5",
	  "key usages must be ones that the kind of key can do", key_usage_fits },
	{ "rfc5280-4.2.1.3-encipher-only", LINT_ERROR, S "4.2.1.3",
	  "encipherOnly and decipherOnly need keyAgreement", encipher_only },
	{ "rfc5280-4.2.1.4-notice-utf8", LINT_WARNING, S "4.2.1.4", "notices should be UTF8String",
	  notice_utf8 },
	{ "rfc5280-4.2.1.4-any-policy-qualifiers", LINT_ERROR, S "4.2.1.4",
	  "anyPolicy must have no qualifiers but CPS and user notice", any_policy_quals },
	{ "rfc5280-4.2.1.5-critical", LINT_WARNING, S "4.2.1.5", "policyMappings should be critical",
	  mappings_critical },
	{ "rfc5280-4.2.1.5-ca", LINT_ERROR, S "4.2.1.5", "policyMappings must be in CA certificates only",
	  mappings_ca },
	{ "rfc5280-4.2.1.6-critical-when-alone", LINT_ERROR, S "4.2.1.6",
	  "subjectAltName must be critical when the subject is empty", san_critical },
	{ "rfc5280-4.2.1.6-not-critical", LINT_WARNING, S "4.2.1.6",
	  "subjectAltName should not be critical beside a subject", san_not_critical },
	{ "rfc5280-4.2.1.6-syntax", LINT_ERROR, S "4.2.1.6", "every subjectAltName must be well-formed",
	  san_syntax },
	{ "rfc5280-4.2.1.6-once", LINT_WARNING, S "4.2.1.6", "no subjectAltName should stand twice",
	  san_once },
	{ "rfc5280-4.2.1.7-syntax", LINT_ERROR, S "4.2.1.7", "every issuerAltName must be well-formed",
	  ian_syntax },
	{ "rfc5280-4.2.1.7-not-critical", LINT_WARNING, S "4.2.1.7", "issuerAltName should not be critical",
	  ian_not_critical },
	{ "rfc5280-4.2.1.8-not-critical", LINT_ERROR, S "4.2.1.8",
	  "subjectDirectoryAttributes must not be critical", attrs_not_critical },
	{ "rfc5280-4.2.1.9-ca-critical", LINT_ERROR, S "4.2.1.9", "basicConstraints of a CA must be critical",
	  ca_basic_critical },
	{ "rfc5280-4.2.1.9-path-length", LINT_ERROR, S "4.2.1.9",
	  "pathLenConstraint needs cA and keyCertSign", path_len_ca },
	{ "rfc5280-4.2.1.9-ca-keyusage", LINT_ERROR, S "4.2.1.9", "a CA's keyUsage must have keyCertSign",
	  ca_key_usage },
	{ "rfc5280-4.2.1.10-critical", LINT_ERROR, S "4.2.1.10", "nameConstraints must be critical",
	  constraints_critical },
	{ "rfc5280-4.2.1.10-ca", LINT_ERROR, S "4.2.1.10", "nameConstraints must be in CA certificates only",
	  constraints_ca },
	{ "rfc5280-4.2.1.11-critical", LINT_ERROR, S "4.2.1.11", "policyConstraints must be critical",
	  policy_constraints_critical },
	{ "rfc5280-4.2.1.11-ca", LINT_ERROR, S "4.2.1.11",
	  "policyConstraints must be in CA certificates only", policy_constraints_ca },
	{ "rfc5280-4.2.1.12-any-critical", LINT_WARNING, S "4.2.1.12",
	  "extendedKeyUsage with anyExtendedKeyUsage should not be critical", eku_any_critical },
	{ "rfc5280-4.2.1.12-fits-key-usage", LINT_WARNING, S "4.2.1.12",
	  "purposes should be ones that the key usages allow", eku_fits },
	{ "rfc3161-2.3-time-stamping", LINT_ERROR, "RFC 3161 2.3",
	  "timeStamping must be critical and the only purpose", eku_time_stamping },
	{ "rfc5280-4.2.1.13-not-critical", LINT_WARNING, S "4.2.1.13",
	  "cRLDistributionPoints should not be critical", points_not_critical },
	{ "rfc5280-4.2.1.13-uri", LINT_WARNING, S "4.2.1.13",
	  "a distribution point should have an HTTP or LDAP address", points_uri },
	{ "rfc5280-4.2.1.14-critical", LINT_ERROR, S "4.2.1.14", "inhibitAnyPolicy must be critical",
	  inhibit_critical },
	{ "rfc5280-4.2.1.14-ca", LINT_ERROR, S "4.2.1.14", "inhibitAnyPolicy must be in CA certificates only",
	  inhibit_ca },
	{ "rfc5280-4.2.1.15-not-critical", LINT_ERROR, S "4.2.1.15", "freshestCRL must not be critical",
	  freshest_not_critical },
	{ "rfc5280-4.2.2.1-not-critical", LINT_ERROR, S "4.2.2.1", "authorityInfoAccess must not be critical",
	  aia_not_critical },
	{ "rfc5280-4.2.2.1-ocsp-uri", LINT_ERROR, S "4.2.2.1", "an OCSP responder's place must be a URI",
	  aia_uri },
	{ "rfc5280-4.2.2.2-not-critical", LINT_ERROR, S "4.2.2.2", "subjectInfoAccess must not be critical",
	  sia_not_critical },
	{ "chancery-revocation-known", LINT_NOTICE, S "4.2.1.13",
	  "a certificate should say where its status can be learned", revocation_known },
	{ "rfc7633-4-not-critical", LINT_WARNING, "RFC 7633 4", "tlsFeature should not be critical",
	  tls_feature_not_critical },
	{ "rfc6960-4.2.2.2.1-no-check", LINT_WARNING, "RFC 6960 4.2.2.2.1",
	  "ocspNoCheck belongs in a responder's certificate", no_check_responder },
};
const size_t lint_5280_count = ARRAY_LEN(lint_5280_table);

#undef S
