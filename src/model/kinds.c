#include "base/base.h"
#include "model/kinds.h"

#define BOTH(role) (ROLES(ROLE_USE_AWB) | ROLES(ROLE_##role))

static const struct kind table[] = {
	{ KIND_DOMAIN, "domain", "Domain", "Domains", domain_fields, BOTH(DOMAIN_TASKS), 2,
	  "Groups documents, for example of one tenant or region. Domains form a tree whose top is called "
	  "Root." },
	{ KIND_OFFICER_PROFILE, "officer-profile", "Officer profile", "Officer profiles",
	  officer_profile_fields, BOTH(PROFILE_TASKS), 2,
	  "What officers may do, and how they are bound to their certificates." },
	{ KIND_OFFICER, "officer", "Officer", "Officers", officer_fields, BOTH(OFFICER_TASKS), 2,
	  "A person with a certificate and a profile." },
	{ KIND_CA_KEY, "ca-key", "CA key", "CA keys", ca_key_fields, BOTH(CA_AND_KEY_TASKS), 2,
	  "A key that the signer makes and keeps, for an authority." },
	{ KIND_AUTHORITY, "authority", "Authority", "Authorities", authority_fields, BOTH(CA_AND_KEY_TASKS),
	  2, "A certification authority, root or subordinate." },
	{ KIND_FORMAT, "format", "Format", "Formats", format_fields, BOTH(POLICY_TASKS), 2,
	  "How a certificate is made of what is asked: subject, alternative names, keys, extensions." },
	{ KIND_CERTIFICATE_PROCEDURE, "certificate-procedure", "Certificate procedure",
	  "Certificate procedures", certificate_procedure_fields, BOTH(POLICY_TASKS), 2,
	  "How one end-entity certificate is made: by which authority, in which format, how long valid, for "
	  "what." },
	{ KIND_TOKEN_PROCEDURE, "token-procedure", "Token procedure", "Token procedures",
	  token_procedure_fields, BOTH(POLICY_TASKS), 2,
	  "What is used when a token is issued: storage, PIN, keys, certificates." },
	{ KIND_KEY_PROCEDURE, "key-procedure", "Key procedure", "Key procedures", key_procedure_fields,
	  BOTH(POLICY_TASKS), 2, "Which keys of tokens are archived, or recovered." },
	{ KIND_PIN_PROCEDURE, "pin-procedure", "PIN procedure", "PIN procedures", pin_procedure_fields,
	  BOTH(POLICY_TASKS), 2, "How the PIN of a token is made and handed over." },
	{ KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, "attribute-certificate-procedure",
	  "Attribute certificate procedure", "Attribute certificate procedures",
	  attribute_certificate_procedure_fields, BOTH(POLICY_TASKS), 2,
	  "How an attribute certificate is made: a signed statement about the holder of a base "
	  "certificate." },
	{ KIND_PUBLICATION_PROCEDURE, "publication-procedure", "Publication procedure",
	  "Publication procedures", publication_procedure_fields, BOTH(POLICY_TASKS), 2,
	  "How certificates are published when an officer says so, and where to." },
	{ KIND_CRL_PROCEDURE, "crl-procedure", "CRL procedure", "CRL procedures", crl_procedure_fields,
	  BOTH(POLICY_TASKS), 2, "A list of revoked certificates, and where it is found." },
	{ KIND_DISTRIBUTION_RULE, "distribution-rule", "Distribution rule", "Distribution rules",
	  distribution_rule_fields, BOTH(CA_AND_KEY_TASKS), 2, "A place that something is delivered to." },
	{ KIND_INPUT_VIEW, "input-view", "Input view", "Input views", input_view_fields, BOTH(POLICY_TASKS),
	  2, "Which fields people fill in, in which order." },
	{ KIND_REVOCATION_POLICY, "revocation-policy", "Revocation policy", "Revocation policies",
	  revocation_policy_fields, BOTH(POLICY_TASKS), 2,
	  "What holds for revoking certificates of authorities in its domain and those below it. The nearest "
	  "one "
	  "counts; where there is none, its defaults hold." },
	{ KIND_CIL_PROCEDURE, "cil-procedure", "CIL procedure", "CIL procedures", cil_procedure_fields,
	  BOTH(POLICY_TASKS), 2,
	  "A list of the certificates that an authority has issued (certificate issuance list), signed by "
	  "it." },
	{ KIND_STATUS_NODE, "status-node", "Status node", "Status nodes", status_node_fields,
	  BOTH(CA_AND_KEY_TASKS), 2,
	  "Another server that tells relying parties the status of certificates: OCSP with keys of its own, "
	  "revocation lists, CA certificates." },
};

const struct kind *
kind_of(enum kind_id id)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].id == id)
			return &table[i];
	return NULL;
}
