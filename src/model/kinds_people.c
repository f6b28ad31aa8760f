/* Domains, officers and what they may do. */
#include "base/base.h"
#include "model/kinds.h"

const struct field domain_fields[] = {
	FIELD_NAME("domain"),
	FIELD_STATE,
	{ .name = "parent",
	  .label = "Parent domain",
	  .type = FIELD_REF,
	  .ref = KIND_DOMAIN,
	  .help = "The domain above; of a new one, where nothing is said, the officer's own domain." },
	FIELDS_END,
};

static const struct field issuer_test_fields[] = {
	{ .name = "attribute",
	  .label = "Attribute",
	  .type = FIELD_OID,
	  .flags = FIELD_MUST,
	  .help = "Attribute of the issuing authority's subject." },
	{ .name = "test",
	  .label = "Test",
	  .type = FIELD_CHOICE,
	  .choices = issuer_test_choices,
	  .dflt = "\"is\"" },
	{ .name = "value",
	  .label = "Value",
	  .type = FIELD_TEXT,
	  .flags = FIELD_MUST,
	  .min = 1,
	  .max = NAME_MAX_CHARS },
	FIELDS_END,
};

static const struct field issuer_rule_fields[] = {
	{ .name = "tests",
	  .label = "Tests",
	  .type = FIELD_OBJECT,
	  .flags = FIELD_MUST | FIELD_LIST,
	  LIST_OF(1, LIST_MAX),
	  .members = issuer_test_fields,
	  .help = "The rule holds when all of them hold." },
	FIELDS_END,
};

#define SUBJECTS(member, title, text) \
	{ \
		.name = member, .label = title, .type = FIELD_TEXT, .flags = FIELD_LIST | FIELD_UNIQUE, \
		.min = 1, .max = TEXT_MAX, LIST_OF(0, LIST_MAX), .help = text, \
		.standard = "RFC 5280 4.2.1.10" \
	}

const struct field officer_profile_fields[] = {
	FIELDS_COMMON("profile"),
	{ .name = "entity_type",
	  .label = "Entity type",
	  .type = FIELD_CHOICE,
	  .flags = FIELD_MUST,
	  .choices = entity_choices,
	  .help = "How an officer of this profile is bound to the certificate." },
	{ .name = "roles",
	  .label = "Roles",
	  .type = FIELD_CHOICE,
	  .flags = FIELD_LIST | FIELD_UNIQUE,
	  LIST_OF(0, ROLE_COUNT),
	  .choices = role_choices,
	  .dflt = "[]",
	  .help = "What officers of this profile may do." },
	{ .name = "issuer_constraints",
	  .label = "Issuer constraints",
	  .type = FIELD_OBJECT,
	  .flags = FIELD_LIST,
	  LIST_OF(0, LIST_MAX),
	  .members = issuer_rule_fields,
	  .help = "Authorities that the officer may issue by: at least one rule holds for the authority's "
		  "subject. "
		  "None: any authority." },
	SUBJECTS(
	    "permitted_names", "Permitted names",
	    "The officer issues only for names within these, of each kind that is listed: dns:example.org, "
	    "email:example.org, ip:10.0.0.0/8, uri:.example.org, dir:O=Example,C=SE, upn:example.org."),
	SUBJECTS("excluded_names", "Excluded names",
		 "The officer does not issue for names within these; written like permitted ones."),
	FIELDS_END,
};

const struct field officer_fields[] = {
	FIELDS_COMMON("officer"),
	{ .name = "profile",
	  .label = "Officer profile",
	  .type = FIELD_REF,
	  .flags = FIELD_MUST,
	  .ref = KIND_OFFICER_PROFILE,
	  .help = "What the officer may do." },
	{ .name = "certificate_sha256",
	  .label = "Certificate fingerprint",
	  .type = FIELD_HEX,
	  .flags = FIELD_MUST,
	  .min = 32,
	  .max = 32,
	  .help = "SHA-256 of the DER of the certificate with which the officer logs in and signs." },
	{ .name = "certificate",
	  .label = "Certificate",
	  .type = FIELD_INT,
	  .min = 1,
	  .max = JSON_INT_MAX,
	  .help = "The id of that certificate, where it was issued here." },
	{ .name = "subject",
	  .label = "Subject",
	  .type = FIELD_TEXT,
	  .min = 1,
	  .max = SUBJECT_MAX_CHARS,
	  .help = "Taken from the certificate. With a profile of the entity type subject, every certificate "
		  "of this subject that the officer asks for, by the same certificate procedure, is the "
		  "officer's too, and nobody else gets one while the officer is open." },
	{ .name = "certificate_procedure",
	  .label = "Certificate procedure",
	  .type = FIELD_INT,
	  .min = 1,
	  .max = JSON_INT_MAX,
	  .help = "The id of the procedure that issued the certificate." },
	{ .name = "token",
	  .label = "Token",
	  .type = FIELD_TEXT,
	  .min = 1,
	  .max = NAME_MAX_CHARS,
	  .help = "Serial number of the card or soft token that holds the key." },
	{ .name = "keys",
	  .label = "Keys of the token",
	  .type = FIELD_HEX,
	  .flags = FIELD_LIST | FIELD_UNIQUE,
	  .min = 32,
	  .max = 32,
	  LIST_OF(0, OFFICER_KEYS_MAX),
	  .help =
	      "SHA-256 of the public keys in the token alone. Taken from the certificate, and from those "
	      "that came "
	      "with it in a soft token. With a profile of the entity type dynamic token every certificate "
	      "that "
	      "is issued here for one of them is the officer's too; with static token none is issued." },
	{ .name = "archived_keys",
	  .label = "Archived keys of the token",
	  .type = FIELD_HEX,
	  .flags = FIELD_LIST | FIELD_UNIQUE,
	  .min = 32,
	  .max = 32,
	  LIST_OF(0, OFFICER_KEYS_MAX),
	  .help = "SHA-256 of the public keys in the token that are in the key archive, too. Who may recover "
		  "them could "
		  "be the officer with them: their certificates are nobody's word." },
	{ .name = "boot",
	  .label = "Boot officer",
	  .type = FIELD_BOOL,
	  .flags = FIELD_FIXED,
	  .dflt = "false",
	  .help = "Made by the boot ceremony: signs in one step only, together with the second officer." },
	FIELDS_END,
};
