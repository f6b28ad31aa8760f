/*
 * One file that holds a document: a body as the server takes it, or one of a policy's folder, where the folder says of which kind
 * it is and where it lies, and references are paths from Root.
 */
#ifndef CLI_POLICY_FILE_H
#define CLI_POLICY_FILE_H

#include "base/json.h"
#include "model/field.h"

/* The body as the server takes it; "-" is standard input. Codes: FILE_*, JSON_*; CLI_FILE_TYPE: no object, or a document of another
   kind. */
MUST enum rc policy_file_read(struct arena *a, const char *file, const struct kind *kind, struct json **ret,
			      struct err *e);

#endif
