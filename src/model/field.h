/*
 * The language that kinds of documents are described in: a table of fields. From it come the checks of a
 * body, its JSON Schema, the command line's options and help, forms, and the reference page; nothing else
 * says what a document looks like. Tables are constants and live for ever.
 *
 * In a body, JSON null and an absent member mean the same: "not given".
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/base.h"
#include "base/json.h"
#include "model/role.h"

/* Every kind of document that has a word, X(enum, "name"). Those without a description yet (kind_of gives
   NULL) are names only: nothing of them can be made, and a reference to one finds nothing. */
#define KIND_TABLE(X) \
	X(DOMAIN, "domain") \
	X(OFFICER_PROFILE, "officer-profile") \
	X(OFFICER, "officer") \
	X(CA_KEY, "ca-key") \
	X(AUTHORITY, "authority") \
	X(FORMAT, "format") \
	X(CERTIFICATE_PROCEDURE, "certificate-procedure") \
	X(TOKEN_PROCEDURE, "token-procedure") \
	X(KEY_PROCEDURE, "key-procedure") \
	X(PIN_PROCEDURE, "pin-procedure") \
	X(ATTRIBUTE_CERTIFICATE_PROCEDURE, "attribute-certificate-procedure") \
	X(PUBLICATION_PROCEDURE, "publication-procedure") \
	X(CRL_PROCEDURE, "crl-procedure") \
	X(DISTRIBUTION_RULE, "distribution-rule") \
	X(INPUT_VIEW, "input-view") \
	X(REVOCATION_POLICY, "revocation-policy") \
	X(CIL_PROCEDURE, "cil-procedure") \
	X(STATUS_NODE, "status-node")

enum kind_id {
#define X(e, name) KIND_##e,
	KIND_TABLE(X)
#undef X
	    KIND_COUNT,
	KIND_NONE = -1
};

enum field_type {
	FIELD_BOOL,
	FIELD_INT,      /* min and max are the value's */
	FIELD_TEXT,     /* a line of text; min and max count characters */
	FIELD_CHOICE,   /* one of choices */
	FIELD_REF,      /* a document of kind ref: its id, or its name where a request is prepared */
	FIELD_OBJECT,   /* an object of members */
	FIELD_TIME,     /* RFC 3339 */
	FIELD_DURATION, /* ISO 8601: P1Y, P90D, PT8H; see duration.h */
	FIELD_OID,      /* dotted, or a known name ("serverAuth"), which becomes dotted */
	FIELD_HEX,      /* octets; min and max count octets */
	FIELD_DN,       /* distinguished name, RFC 4514 */
	FIELD_DER,      /* one DER value in base64; PEM is taken too; max counts octets */
	FIELD_URI,      /* absolute, ASCII (RFC 3986); choices are the schemes that it may have */
	FIELD_MODIFIER, /* a choice, some with an argument behind a colon: "trim", "prefix:srv-"; see modifier.h */
	FIELD_TYPE_COUNT
};

enum field_flag {
	FIELD_MUST = 1,        /* mandatory wherever it is available */
	FIELD_LIST = 2,        /* an array of such values, list_min to list_max */
	FIELD_UNIQUE = 4,      /* no item of the list twice */
	FIELD_FIXED = 8,       /* given at creation, never changed */
	FIELD_MAY_CLOSED = 16, /* a reference to a closed document is allowed */
	FIELD_NOT_YET = 32,    /* described, but this version refuses a value (CHY_FIELD_NOT_YET) */
	FIELD_PARTITION = 64,  /* an address that may have {partition} (policy/crl_point.h) */
};

struct choice {
	const char *name, *label, *help;
};

enum cond_op {
	COND_NONE,
	COND_IS,     /* the other field's value (after defaults) is one of values */
	COND_IS_NOT, /* it is none of them */
	COND_SET,    /* the other field is given */
	COND_UNSET,
};

enum { COND_VALUES_MAX = 4, FIELD_CONDS_MAX = 2 };

/* A condition on another field of the same object. A true or false is written "true", "false". */
struct cond {
	enum cond_op op;
	const char *field;
	const char *values[COND_VALUES_MAX];
};

struct field {
	const char *name;  /* the member: lower_case_with_underscores */
	const char *label; /* for people */
	enum field_type type;
	unsigned flags;   /* enum field_flag */
	int64_t min, max; /* by type; both 0: the type's own limits */
	unsigned list_min, list_max;
	enum kind_id ref;
	const struct choice *choices; /* ends with name NULL */
	const struct field *members;  /* ends with name NULL */
	const char *dflt; /* JSON text, filled in where the field is available and not given; NULL: none */
	struct cond must_when[FIELD_CONDS_MAX]; /* mandatory when all of them hold */
	struct cond only_when[FIELD_CONDS_MAX]; /* available only when all of them hold */
	const char *help;
	const char *standard; /* "RFC 5280 4.2.1.3"; NULL: none */
};

struct kind {
	enum kind_id id;
	const char *name, *title, *plural; /* "token-procedure", "Token procedure", "Token procedures" */
	const struct field *fields;        /* common ones included; ends with name NULL */
	roles needed;                      /* roles that an officer needs to create or modify one */
	unsigned signatures;               /* different officers that must sign */
	const char *help;
};

/* The description of a kind; NULL where there is none (yet). */
const struct kind *kind_of(enum kind_id id);
/* By name; NULL for an unknown one. */
const struct kind *kind_named(struct bytes name);
/* The name, of kinds without a description too; "" for KIND_NONE. */
const char *kind_name(enum kind_id id);
enum kind_id kind_id_of(struct bytes name);

/* A field of a table by name; NULL when there is none. */
const struct field *field_find(const struct field *fields, struct bytes name);
/* "text", "reference" ... for help and messages. */
const char *field_type_name(enum field_type t);
/* A choice's position in its table; -1 when the name is none of them. */
int choice_index(const struct choice *choices, struct bytes name);
/* Whether the condition holds for a body (COND_NONE: yes); fields gives the defaults. */
bool cond_holds(const struct cond *c, const struct field *fields, const struct json *object);
bool field_is_available(const struct field *f, const struct field *fields, const struct json *object);
bool field_is_mandatory(const struct field *f, const struct field *fields, const struct json *object);

#endif
