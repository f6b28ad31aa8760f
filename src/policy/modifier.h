/*
 * What formats and input views do to a value before it is used: steps in order, each a word, some with an argument
 * behind a colon ("trim", "prefix:srv-", "replace:/_/-/"). They are read once, when a document is checked or loaded.
 */
#ifndef POLICY_MODIFIER_H
#define POLICY_MODIFIER_H

#include "base/arena.h"
#include "base/json.h"
#include "base/rc.h"

/* In the order of modifier_choices. */
enum modifier_kind {
	MODIFIER_TRIM,
	MODIFIER_COLLAPSE,
	MODIFIER_LOWER,
	MODIFIER_UPPER,
	MODIFIER_PREFIX,
	MODIFIER_SUFFIX,
	MODIFIER_TRUNCATE,
	MODIFIER_BEFORE,
	MODIFIER_AFTER,
	MODIFIER_REPLACE,
	MODIFIER_MATCH,
	MODIFIER_ONLY,
	MODIFIER_COUNT
};

enum { MODIFIERS_MAX = 10, MODIFIED_MAX = 64 << 10 /* bytes of a value while it is modified */ };

struct modifier {
	enum modifier_kind kind;
	struct bytes text; /* the argument; of replace what is looked for */
	struct bytes to;   /* of replace */
	size_t n;          /* of truncate, in characters */
};

struct modifiers {
	const struct modifier *v;
	size_t n;
};

bool modifier_has_argument(enum modifier_kind k);

/* Views into text, which is UTF-8. Codes: FIELD_CHOICE (no such modifier), FIELD_VALUE (its argument). */
MUST enum rc modifier_parse(struct bytes text, struct modifier *ret, struct err *e);

/* A list of a document that was checked; what is none there is passed over. Views into list, the rest is the arena's.
   Fails for lack of memory only. */
MUST enum rc modifiers_of(struct arena *a, const struct json *list, struct modifiers *ret, struct err *e);

/* One after the other; s is UTF-8, the result s itself or the arena's. Codes: VALUE_PATTERN (match and only; the text names
   the modifier), LIMIT. */
MUST enum rc modifiers_apply(struct arena *a, const struct modifiers *m, struct bytes s, struct bytes *ret,
			     struct err *e);

#endif
