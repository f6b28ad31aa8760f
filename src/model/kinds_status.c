/* Revocation policies: what holds for the status of certificates. */
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
