/*
 * Names of documents as names of files, one file name for each name: what a file system or a reference gives a meaning
 * to is written %XX. Names are never read back from file names: whoever has a name computes its file name and compares.
 */
#ifndef CLI_POLICY_NAME_H
#define CLI_POLICY_NAME_H

#include "base/arena.h"
#include "base/bytes.h"

/* Longer ones are cut and end in "~" and the first 16 hexadecimal digits of the name's SHA-256. File systems take 255. */
enum { POLICY_NAME_MAX = 200 };

/* Escaped: control characters, % / \ : * ? " < > | ~, a point at the beginning, a point or blank at the end. The
   arena's; NULL when memory is out. */
const char *policy_file_name(struct arena *a, struct bytes name);

/* "Sweden/Stockholm" and "TLS server" -> "Sweden/Stockholm/TLS server". above may be "". */
const char *policy_path(struct arena *a, const char *above, struct bytes name);

#endif
