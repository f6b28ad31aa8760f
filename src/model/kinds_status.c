/* Revocation policies: what holds for the status of certificates; CIL procedures: lists of those that were issued; status nodes:
   who else tells it. */
#include "base/base.h"
#include "model/kinds.h"
#include "model/status.h"

const struct choice reason_choices[] = {
#define X(e, code, name, label, help) { name, label, help },
	REASONS(X)
#undef X
	    { NULL, NULL, NULL },
};

const struct field revocation_policy_fields[] = {
	FIELDS_COMMON("policy"),
	{ .name = "reasons",
	  .label = "Reasons",
	  .type = FIELD_CHOICE,
	  .flags = FIELD_LIST | FIELD_UNIQUE,
	  .choices = reason_choices,
	  LIST_OF(1, 20),
	  .dflt = "[\"unspecified\",\"key-compromise\",\"ca-compromise\",\"affiliation-changed\","
		  "\"superseded\",\"cessation-of-operation\",\"certificate-hold\",\"privilege-withdrawn\"]",
	  .help = "The reasons that officers can give. Without certificate-hold nothing is put on hold.",
	  .standard = "RFC 5280 5.3.1" },
	{ .name = "unclaimed_after",
	  .label = "Unclaimed certificates are revoked after",
	  .type = FIELD_DURATION,
	  .dflt = "\"P7D\"",
	  .help = "A certificate that was found in the signer's journal after a failure, and that nobody has "
		  "asked for since, is revoked when it is so old." },
	FIELDS_END,
};

const struct field cil_procedure_fields[] = {
	FIELDS_COMMON("procedure"),
	{ .name = "authority",
	  .label = "CIL issuer",
	  .type = FIELD_REF,
	  .flags = FIELD_MUST,
	  .ref = KIND_AUTHORITY,
	  .help = "Whose certificates stand on the list; it signs the list. An authority has one open "
		  "procedure." },
	{ .name = "served_as",
	  .label = "Served as",
	  .type = FIELD_TEXT,
	  .flags = FIELD_MUST,
	  .min = 1,
	  .max = 60,
	  .help = "The list is served at /cil/ and this name." },
	{ .name = "interval",
	  .label = "Update interval",
	  .type = FIELD_DURATION,
	  .flags = FIELD_MUST,
	  .help = "How often the list is built and signed: PT1H, P1D." },
	{ .name = "build_at",
	  .label = "Build at",
	  .type = FIELD_TEXT,
	  .min = 1,
	  .max = 5,
	  .help =
	      "Time of day in UTC, 02:30, from which the interval is counted. Every list bears the last such "
	      "time, also one that is built in between. None: the interval is counted from list to list." },
	{ .name = "delta_interval",
	  .label = "Delta interval",
	  .type = FIELD_DURATION,
	  .help =
	      "How often a delta list is built: what was issued since the last complete one. None: no delta "
	      "lists." },
	{ .name = "margin",
	  .label = "Margin",
	  .type = FIELD_DURATION,
	  .dflt = "\"P1D\"",
	  .help = "For how long a list is good after the next one is due." },
	{ .name = "per_file",
	  .label = "Certificates per file",
	  .type = FIELD_INT,
	  .min = 1,
	  .max = CIL_PER_FILE_MAX,
	  .dflt = "10000",
	  .help = "A longer list is cut into segments of so many, each a signed file." },
	REFS("distribution_rules", "Distribution rules", KIND_DISTRIBUTION_RULE, 0,
	     "Where each new list is delivered to, in DER; one that still waits when a newer is there is "
	     "not."),
	{ .name = "keep_expired",
	  .label = "Keep expired certificates",
	  .type = FIELD_BOOL,
	  .dflt = "false",
	  .help = "Certificates stay on the list after they have expired." },
	FIELDS_END,
};

const struct field status_node_fields[] = {
	FIELDS_COMMON("node"),
	{ .name = "key_sha256",
	  .label = "Key fingerprint",
	  .type = FIELD_HEX,
	  .flags = FIELD_MUST,
	  .min = 32,
	  .max = 32,
	  .help =
	      "SHA-256 of the node's public key, as the node itself shows it when it starts. With that key "
	      "it signs for which keys it wants certificates as an OCSP responder, and gets them as long "
	      "as this is open.",
	  .standard = "RFC 6960 4.2.2.2" },
	FIELDS_END,
};
