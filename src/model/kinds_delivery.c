/* CRL procedures, distribution rules, publication procedures: documents and references; nothing delivers yet. */
#include "base/base.h"
#include "model/kinds.h"

const struct field crl_procedure_fields[] = {
	FIELDS_COMMON("procedure"),
	{ .name = "authority",
	  .label = "CRL issuer",
	  .type = FIELD_REF,
	  .flags = FIELD_MUST,
	  .ref = KIND_AUTHORITY,
	  .help = "Whose certificates the CRL is about; it signs the CRL." },
	{ .name = "type",
	  .label = "CRL type",
	  .type = FIELD_CHOICE,
	  .choices = crl_type_choices,
	  .dflt = "\"complete\"",
	  .help = "Whether one list has all revoked certificates of the authority." },
	{ .name = "distribution_points",
	  .label = "Distribution points",
	  .type = FIELD_URI,
	  .flags = FIELD_MUST | FIELD_LIST | FIELD_UNIQUE,
	  .min = 1,
	  .max = TEXT_MAX,
	  .choices = url_schemes,
	  LIST_OF(1, 10),
	  .help = "Where the CRL is found: ways to the same list.",
	  .standard = "RFC 5280 4.2.1.13" },
	{ .name = "include",
	  .label = "Include in certificates",
	  .type = FIELD_BOOL,
	  .dflt = "false",
	  .help =
	      "Certificates of the authority point to it, unless their procedure names a CRL procedure or "
	      "addresses of its own. This version does not build the list: only for one that another program "
	      "puts there." },
	FIELDS_END,
};

const struct field distribution_rule_fields[] = {
	FIELDS_COMMON("rule"),
	{ .name = "protocol",
	  .label = "Protocol",
	  .type = FIELD_CHOICE,
	  .flags = FIELD_MUST,
	  .choices = distribution_choices,
	  .help = "How it is delivered. This version keeps the rule and delivers nothing yet." },
	{ .name = "address",
	  .label = "Address",
	  .type = FIELD_URI,
	  .flags = FIELD_MUST,
	  .min = 1,
	  .max = TEXT_MAX,
	  .choices = url_schemes,
	  .help = "Where to, without user and password." },
	FIELDS_END,
};

const struct field publication_procedure_fields[] = {
	FIELDS_COMMON("procedure"),
	REFS("distribution_rules", "Distribution rules", KIND_DISTRIBUTION_RULE, 0,
	     "Where what is published is to be delivered. This version keeps them and delivers nothing yet."),
	FIELDS_END,
};
