/*
 * Between the files that check documents: document.c walks a body, document_value.c judges single values,
 * document_ref.c follows references, document_kinds.c has what no table says. Not for others.
 */
#ifndef POLICY_DOCUMENT_IMPL_H
#define POLICY_DOCUMENT_IMPL_H

#include "policy/document.h"

/* Where in the body: a member, or an item of the list above. Lives on the stack of the walk. */
struct at {
	const struct at *up;
	const char *name; /* NULL: an item */
	size_t index;
};

struct walk {
	struct arena *a;
	const struct document_check *c;
	struct doc_id from; /* the domain that the body is to lie in, as soon as it is known */
	bool closed;        /* the body's state: a closed document may go on naming closed ones */
	struct err *e;
};

/* "subject[2].max_length" into dst (ERR_FIELD_MAX). */
char *at_text(char *dst, const struct at *at);

/* Sets the refusal with the field's path, unless one is set; returns its rc. */
enum rc refuse(struct walk *w, const struct at *at, enum code code, const char *fmt, ...) PRINTF(4, 5);

#define REFUSE_UNLESS(cond, w, at, code, ...) \
	do { \
		if (!(cond)) \
			return refuse((w), (at), (code), __VA_ARGS__); \
	} while (0)

/* ... that wraps a finding whose code is `exact`. */
#define REFUSE_UNLESS_FOR(cond, exact, w, at, code, ...) \
	do { \
		if (!(cond)) { \
			err_cause((w)->e, (exact)); \
			return refuse((w), (at), (code), __VA_ARGS__); \
		} \
	} while (0)

/* One value that is no list and no object; *ret is its normal form. */
MUST enum rc value_check(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
			 struct json **ret);
/* The members of an object that stands by itself: no document. No references. */
MUST enum rc fields_check(struct arena *a, const struct field *fields, const struct json *v,
			  struct json **ret, struct err *e);
/* A reference; *ret is the id. */
MUST enum rc reference_check(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
			     struct json **ret);
/* What the tables do not say; body is in normal form. Not for drafts. */
MUST enum rc kind_check(struct walk *w, const struct json *body);

/* For the checks of kinds, of which document_tokens.c has some. */
const struct document *doc_of(struct walk *w, const struct json *body, const char *name);
bool is_self(const struct walk *w, const struct document *d);
/* Of what fills an element, in formats and views: no default beside mandatory; the default through the modifiers, *ret: what is
   left of it, p NULL: there is none. */
MUST enum rc default_or_mandatory(struct walk *w, const struct json *x, const struct at *item);
MUST enum rc default_fits(struct walk *w, const struct json *x, const struct at *item, struct bytes *ret);
MUST enum rc purpose_check(struct walk *w, const struct json *body, const char *purpose);
/* The signature algorithm fits the key that will sign. */
MUST enum rc sigalg_check(struct walk *w, const struct json *body, const struct document *key);
MUST enum rc positive_duration(struct walk *w, const struct json *body, const char *name);
/* No two items of a list have the same value of a member. */
MUST enum rc once_each(struct walk *w, const struct json *body, const char *list, const char *member);
/* A chain begins with the authority that issues. */
MUST enum rc chain_check(struct walk *w, const struct json *body);
/* Extensions that the program makes itself stand in no list. */
MUST enum rc ours_only(struct walk *w, const struct json *body, const char *list);
MUST enum rc format_check(struct walk *w, const struct json *body);
MUST enum rc token_procedure_check(struct walk *w, const struct json *body);
MUST enum rc pin_procedure_check(struct walk *w, const struct json *body);
MUST enum rc ac_procedure_check(struct walk *w, const struct json *body);
MUST enum rc distribution_rule_check(struct walk *w, const struct json *body);
/* Of procedures of lists: none of its distribution rules pushes. */
MUST enum rc no_push_check(struct walk *w, const struct json *body);
MUST enum rc crl_document_check(struct walk *w, const struct json *body);
/* Is the key of this authority, by its body, here? */
bool body_has_key(const struct json *authority);
MUST enum rc cil_procedure_check(struct walk *w, const struct json *body);
MUST enum rc revocation_policy_check(struct walk *w, const struct json *body);
MUST enum rc input_view_check(struct walk *w, const struct json *body);
/* A setting that a procedure's body has and its format's does not open, by name; NULL: none. */
const char *setting_not_open(const struct json *format, const struct json *body);

/* What a type of alternative names is, as in san_choices; false: no such type. */
bool san_type(const char *name, enum gn_type *type, enum oid *other);
/* One alternative name, type as in san_choices; the arena's. Codes: those of gname_from_text. */
MUST enum rc san_from_text(struct arena *a, const char *type, struct bytes value, struct gname *ret,
			   struct err *e);

#endif
