/*
 * References in bodies of documents, in lists and objects too: ids, and what people read and write in their place.
 */
#ifndef CLI_REFS_H
#define CLI_REFS_H

#include "base/json.h"
#include "model/field.h"

/* What one reference becomes; *ret NULL: memory is out. */
typedef enum rc ref_fn(const void *arg, struct arena *a, const struct field *f, const struct json *v,
		       struct json **ret, struct err *e);

/* A copy of a body with each reference turned by fn. A member that the fields do not have stays as it is. */
MUST enum rc refs_turn(struct arena *a, const struct field *fields, const struct json *body, ref_fn *fn,
		       const void *arg, struct json **ret, struct err *e);

/* Ids become the paths that the server gave with them, {"ID": "path"}; those it did not stay numbers. */
MUST enum rc refs_by_name(struct arena *a, const struct field *fields, const struct json *body,
			  const struct json *names, struct json **ret, struct err *e);

/* Paths from Root, as they stand in the files of a policy, become paths for everybody: "TLS server" -> "/TLS server". */
MUST enum rc refs_from_root(struct arena *a, const struct field *fields, const struct json *body,
			    struct json **ret, struct err *e);

#endif
