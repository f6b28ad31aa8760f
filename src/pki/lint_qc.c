/* Lints of EN 319 412-2, -3 and -5: they apply where QC statements stand. */
#include "base/base.h"
#include "pki/lint_input.h"

static const struct qc_statement *
statement(const struct lint_input *in, enum oid o)
{
	const struct ext_value *v = lint_ext(in, OID_PE_QC_STATEMENTS);

	for (size_t i = 0; v != NULL && i < v->qc.n; i++)
		if (v->qc.v[i].known == o)
			return &v->qc.v[i];
	return NULL;
}

static bool
has_qc(const struct lint_input *in)
{
	return lint_ext(in, OID_PE_QC_STATEMENTS) != NULL;
}

static bool
is_type(const struct lint_input *in, enum oid type)
{
	const struct qc_statement *s = statement(in, OID_QC_TYPE);

	return s != NULL && oids_have(&s->types, type);
}

static bool
qualified(const struct lint_input *in)
{
	return statement(in, OID_QC_COMPLIANCE) != NULL;
}

static bool
has(const struct lint_input *in, enum oid attr)
{
	return name_get(&in->subject, attr, 0) != NULL;
}

static enum lint_outcome
not_critical(const struct lint_input *in)
{
	const struct ext_value *v = lint_ext(in, OID_PE_QC_STATEMENTS);

	return lint_judge(v != NULL, v != NULL && !v->critical);
}

static enum lint_outcome
unique(const struct lint_input *in)
{
	const struct ext_value *v = lint_ext(in, OID_PE_QC_STATEMENTS);
	bool once = true;

	for (size_t i = 0; v != NULL && i < v->qc.n; i++)
		for (size_t k = 0; k < i; k++)
			once = once && !bytes_eq(v->qc.v[i].oid, v->qc.v[k].oid);
	return lint_judge(v != NULL, once);
}

static enum lint_outcome
type_known(const struct lint_input *in)
{
	const struct qc_statement *s = statement(in, OID_QC_TYPE);
	bool ok = true;

	for (size_t i = 0; s != NULL && i < s->types.n; i++) {
		enum oid o = oid_find(s->types.v[i]);

		ok = ok && (o == OID_QC_TYPE_ESIGN || o == OID_QC_TYPE_ESEAL || o == OID_QC_TYPE_WEB);
	}
	return lint_judge(s != NULL, ok);
}

static enum lint_outcome
type_one(const struct lint_input *in)
{
	const struct qc_statement *s = statement(in, OID_QC_TYPE);

	return lint_judge(s != NULL && qualified(in), s != NULL && s->types.n == 1);
}

static enum lint_outcome
sscd_compliance(const struct lint_input *in)
{
	return lint_judge(statement(in, OID_QC_SSCD) != NULL, qualified(in));
}

static enum lint_outcome
pds_present(const struct lint_input *in)
{
	return lint_judge(qualified(in), statement(in, OID_QC_PDS) != NULL);
}

static enum lint_outcome
pds_https(const struct lint_input *in)
{
	const struct qc_statement *s = statement(in, OID_QC_PDS);
	bool ok = true;

	for (size_t i = 0; s != NULL && i < s->pds_n; i++)
		ok = ok && ascii_case_eq(bytes_part(s->pds[i].url, 0, 8), BYTES("https://"));
	return lint_judge(s != NULL, ok);
}

static enum lint_outcome
pds_english(const struct lint_input *in)
{
	const struct qc_statement *s = statement(in, OID_QC_PDS);
	bool english = false;

	for (size_t i = 0; s != NULL && i < s->pds_n; i++)
		english = english || bytes_is(s->pds[i].language, "en");
	return lint_judge(s != NULL, english);
}

static enum lint_outcome
natural_names(const struct lint_input *in)
{
	bool person = (has(in, OID_AT_GIVEN_NAME) && has(in, OID_AT_SURNAME)) || has(in, OID_AT_PSEUDONYM);

	return lint_judge(is_type(in, OID_QC_TYPE_ESIGN),
			  person && has(in, OID_AT_COUNTRY) && has(in, OID_AT_CN));
}

static enum lint_outcome
natural_serial(const struct lint_input *in)
{
	return lint_judge(is_type(in, OID_QC_TYPE_ESIGN), has(in, OID_AT_SERIAL_NUMBER));
}

static enum lint_outcome
natural_either(const struct lint_input *in)
{
	return lint_judge(has(in, OID_AT_PSEUDONYM) && has_qc(in),
			  !has(in, OID_AT_GIVEN_NAME) && !has(in, OID_AT_SURNAME));
}

static enum lint_outcome
legal_names(const struct lint_input *in)
{
	return lint_judge(is_type(in, OID_QC_TYPE_ESEAL),
			  has(in, OID_AT_COUNTRY) && has(in, OID_AT_ORGANIZATION) && has(in, OID_AT_ORG_ID) &&
			      has(in, OID_AT_CN));
}

/* The six kinds of EN 319 412-2 table 1: signing, commitment, both, or with one key management bit, or that alone. */
static enum lint_outcome
key_usage_kind(const struct lint_input *in)
{
	static const uint32_t kinds[] = {
		USAGE_CONTENT_COMMITMENT,
		USAGE_CONTENT_COMMITMENT | USAGE_DIGITAL_SIGNATURE,
		USAGE_DIGITAL_SIGNATURE,
		USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT,
		USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT,
		USAGE_KEY_ENCIPHERMENT,
		USAGE_KEY_AGREEMENT,
		USAGE_CONTENT_COMMITMENT | USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT,
		USAGE_CONTENT_COMMITMENT | USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT,
	};
	const struct ext_value *v = lint_ext(in, OID_CE_KEY_USAGE);
	bool ok = false;

	for (size_t i = 0; v != NULL && i < ARRAY_LEN(kinds); i++)
		ok = ok || v->key_usage == kinds[i];
	return lint_judge(is_type(in, OID_QC_TYPE_ESIGN) || is_type(in, OID_QC_TYPE_ESEAL), ok);
}

static enum lint_outcome
key_usage_commitment(const struct lint_input *in)
{
	const struct ext_value *v = lint_ext(in, OID_CE_KEY_USAGE);

	return lint_judge(is_type(in, OID_QC_TYPE_ESIGN) && qualified(in),
			  v != NULL && v->key_usage == USAGE_CONTENT_COMMITMENT);
}

static enum lint_outcome
has_policies(const struct lint_input *in)
{
	return lint_judge(qualified(in), lint_ext(in, OID_CE_POLICIES) != NULL);
}

static enum lint_outcome
has_ca_issuers(const struct lint_input *in)
{
	const struct ext_value *v = lint_ext(in, OID_PE_AUTHORITY_INFO);
	bool found = false;

	for (size_t i = 0; v != NULL && i < v->access.n; i++)
		found = found || v->access.v[i].known == OID_AD_CA_ISSUERS;
	return lint_judge(qualified(in), found);
}

static enum lint_outcome
has_revocation(const struct lint_input *in)
{
	const struct ext_value *v = lint_ext(in, OID_PE_AUTHORITY_INFO);
	bool found = lint_ext(in, OID_CE_CRL_POINTS) != NULL;

	for (size_t i = 0; v != NULL && i < v->access.n; i++)
		found = found || v->access.v[i].known == OID_AD_OCSP;
	return lint_judge(qualified(in), found);
}

static enum lint_outcome
issuer_names(const struct lint_input *in)
{
	const struct name *n = &in->issuer;

	return lint_judge(qualified(in),
			  name_get(n, OID_AT_COUNTRY, 0) && name_get(n, OID_AT_ORGANIZATION, 0) &&
			      name_get(n, OID_AT_CN, 0));
}

const struct lint lint_qc_table[] = {
	{ "en319412-5-4.1-not-critical", LINT_ERROR, "EN 319 412-5 4.1", "qcStatements must not be critical",
	  not_critical },
	{ "rfc3739-3.2.6-statement-once", LINT_ERROR, "RFC 3739 3.2.6", "no statement may stand twice",
	  unique },
	{ "en319412-5-4.2.2-sscd-qualified", LINT_WARNING, "EN 319 412-5 4.2.2",
	  "QcSSCD should stand only beside QcCompliance", sscd_compliance },
	{ "en319412-5-4.2.3-type-known", LINT_ERROR, "EN 319 412-5 4.2.3",
	  "QcType must be esign, eseal or web", type_known },
	{ "en319412-5-4.2.3-type-one", LINT_ERROR, "EN 319 412-5 4.2.3",
	  "a qualified certificate must have exactly one QcType", type_one },
	{ "en319412-5-4.3.4-pds-present", LINT_ERROR, "EN 319 412-5 5",
	  "an EU qualified certificate must point to the PKI disclosure statement", pds_present },
	{ "en319412-5-4.3.4-pds-https", LINT_ERROR, "EN 319 412-5 4.3.4", "PDS locations must be https",
	  pds_https },
	{ "en319412-5-4.3.4-pds-english", LINT_ERROR, "EN 319 412-5 4.3.4", "one PDS must be in English",
	  pds_english },
	{ "en319412-2-4.2.4-natural-subject", LINT_ERROR, "EN 319 412-2 4.2.4",
	  "a natural person needs country, common name, and given name with surname or a pseudonym",
	  natural_names },
	{ "en319412-2-4.2.4-natural-serial", LINT_WARNING, "EN 319 412-2 4.2.4",
	  "a natural person should have a serialNumber that makes the name unique", natural_serial },
	{ "en319412-2-4.2.4-pseudonym-alone", LINT_ERROR, "EN 319 412-2 4.2.4",
	  "a pseudonym must not stand beside given name or surname", natural_either },
	{ "en319412-3-4.2.1-legal-subject", LINT_ERROR, "EN 319 412-3 4.2.1",
	  "a legal person needs country, organization, organizationIdentifier and common name", legal_names },
	{ "en319412-2-4.3.2-key-usage-kind", LINT_ERROR, "EN 319 412-2 4.3.2",
	  "the key usages must be one of the combinations of table 1", key_usage_kind },
	{ "en319412-2-4.3.2-commitment-alone", LINT_WARNING, "EN 319 412-2 4.3.2",
	  "a qualified signature certificate should have contentCommitment alone", key_usage_commitment },
	{ "en319412-2-4.3.3-policies", LINT_ERROR, "EN 319 412-2 4.3.3",
	  "a qualified certificate must have certificatePolicies", has_policies },
	{ "en319412-2-4.4.1-ca-issuers", LINT_ERROR, "EN 319 412-2 4.4.1",
	  "a qualified certificate must say where its issuer's certificate is", has_ca_issuers },
	{ "en319412-2-4.4.1-revocation", LINT_ERROR, "EN 319 412-2 4.4.1",
	  "a qualified certificate must have an OCSP address or a CRL distribution point", has_revocation },
	{ "en319412-2-4.2.3-issuer", LINT_ERROR, "EN 319 412-2 4.2.3",
	  "the issuer of a qualified certificate needs country, organization and common name", issuer_names },
};
const size_t lint_qc_count = ARRAY_LEN(lint_qc_table);
