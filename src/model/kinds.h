/*
 * The field tables behind kind_of, which stand in kinds_*.c: for kinds.c alone. Everybody else asks kind_of.
 */
#ifndef MODEL_KINDS_H
#define MODEL_KINDS_H

#include "model/choices.h"

enum {
	NAME_MAX_CHARS = 200,
	DESCRIPTION_MAX_CHARS = 200,
	LIST_MAX = 100,
	TEXT_MAX = 1000,
	SUBJECT_MAX_CHARS = 4000,
	OFFICER_KEYS_MAX = 64,
	MODIFIERS_MOST = 10,
	SECRET_NAME_MAX = 64,
	CRL_PARTITIONS_MAX = 65536
};

#define ONLY(f, o, ...) .only_when = { { .op = COND_##o, .field = f, .values = { __VA_ARGS__ } } }
#define MUST_WHEN(f, o, ...) .must_when = { { .op = COND_##o, .field = f, .values = { __VA_ARGS__ } } }
#define LIST_OF(least, most) .list_min = (least), .list_max = (most)
#define FIELDS_END \
	{ \
		.name = NULL \
	}

#define URLS(member, title, text, std) \
	{ \
		.name = member, .label = title, .type = FIELD_URI, .flags = FIELD_LIST | FIELD_UNIQUE, \
		.min = 1, .max = TEXT_MAX, .choices = url_schemes, LIST_OF(0, 10), .help = text, \
		.standard = std \
	}

/* References to documents of one kind, in order. */
#define REFS(member, title, kind, least, text) \
	{ \
		.name = member, .label = title, .type = FIELD_REF, .flags = FIELD_LIST | FIELD_UNIQUE, \
		.ref = kind, LIST_OF(least, LIST_MAX), .help = text \
	}

#define FIELD_NAME(what) \
	{ \
		.name = "name", .label = "Name", .type = FIELD_TEXT, .flags = FIELD_MUST, .min = 1, \
		.max = NAME_MAX_CHARS, \
		.help = "What the " what " is called. Unique among its kind within the domain." \
	}

#define FIELD_STATE \
	{ \
		.name = "state", .label = "State", .type = FIELD_CHOICE, .choices = state_choices, \
		.dflt = "\"active\"", .help = "Closed ones are kept, but nothing new is made with them." \
	}

/* What all documents but domains begin with. */
#define FIELDS_COMMON(what) \
	FIELD_NAME(what), FIELD_STATE, \
	    { .name = "domain", \
	      .label = "Domain", \
	      .type = FIELD_REF, \
	      .ref = KIND_DOMAIN, \
	      .help = "Where it belongs; of a new one, where nothing is said, the officer's own domain. " \
		      "What is in Root can be used from every domain." }, \
	    { .name = "visible_in_subdomain", \
	      .label = "Visible in subdomain", \
	      .type = FIELD_BOOL, \
	      .dflt = "false", \
	      .help = "May be used, not changed, from the domains below." }, \
	{ \
		.name = "description", .label = "Description", .type = FIELD_TEXT, .min = 1, \
		.max = DESCRIPTION_MAX_CHARS, .help = "What the " what " is for, as lists show it." \
	}

extern const struct field domain_fields[], officer_profile_fields[], officer_fields[], ca_key_fields[],
    authority_fields[], format_fields[], certificate_procedure_fields[], token_procedure_fields[],
    key_procedure_fields[], pin_procedure_fields[], attribute_certificate_procedure_fields[],
    crl_procedure_fields[], distribution_rule_fields[], publication_procedure_fields[], input_view_fields[],
    revocation_policy_fields[], cil_procedure_fields[], status_node_fields[];
/* Certificates in one file of an issuance list. */
enum { CIL_PER_FILE = 10000, CIL_PER_FILE_MAX = 50000 };
/* Shared by the procedures that have policies. */
extern const struct field certificate_policy_fields[];

#endif
