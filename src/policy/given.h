/*
 * What is filled in, with a request or for a soft token: which inputs may be given by a token procedure, and how one value is
 * read. What becomes of the values is said where they go (issue_input.c, token.c).
 */
#ifndef POLICY_GIVEN_H
#define POLICY_GIVEN_H

#include "base/json.h"
#include "policy/snapshot.h"

enum { GIVEN_VALUE_MAX = 4096 };

/* The input is "subject...", "san...": part is the beginning of its name. */
bool given_is_of(const struct choice *c, const char *part);

/* The view's field of an input; NULL: no view, or none of it. */
const struct view_field *given_field(const struct input_view *v, const struct choice *c);

/* May it be filled in: TOKEN_INPUT for what comes in another way or belongs to preregistration, TOKEN_INPUT_UNWANTED where
   neither view nor formats have a place for it. soft: for a soft token, which has no request, and where publication is said among
   what is filled in. */
MUST enum rc given_may(const struct token_procedure *t, const struct choice *c, bool soft, struct err *e);

/* One value as the view changes it, plain text. TOKEN_INPUT, VALUE_PATTERN. f may be NULL. */
MUST enum rc given_text(struct arena *a, const struct view_field *f, const struct json *v, struct bytes *ret,
			struct err *e);

#endif
