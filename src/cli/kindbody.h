/*
 * From the command line's texts to the body of a document, by the kind's description. Only the form is looked at here:
 * what a body must hold and what its values mean is decided by the server.
 *
 * An object is written as "member=value,member=value" (a comma or backslash inside a value with a backslash before
 * it; a member of a list is repeated) or as JSON, when it begins with "{".
 */
#ifndef CLI_KINDBODY_H
#define CLI_KINDBODY_H

#include "cli/args.h"

/* One value of a field (for lists: one item). field's name goes into the error: CHY_CLI_USAGE. */
MUST enum rc field_value(struct arena *a, const struct field *f, const char *text, struct json **ret,
			 struct err *e);

/* Puts all options that were made of the kind's fields into the body: a list given replaces the one that is there;
   then takes out what --unset names. */
MUST enum rc body_apply(struct arena *a, const struct args *args, const struct kind *kind, struct json *body,
			struct err *e);

/* Are there objects within such an object? Then only JSON says all of it: puts what that looks like,
   {"tests": [{"attribute": ..., "value": ...}]}. */
bool members_are_nested(const struct field *members);
void members_shape(struct buf *out, const struct field *members);

/* "issuing_authority" -> "issuing-authority"; the arena's. NULL when memory is out. */
const char *field_option_name(struct arena *a, const char *field);

#endif
