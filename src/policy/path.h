/*
 * Names of documents as paths from Root: "Sweden/Stockholm/TLS server", and "/TLS server" for Root's own. A part of a path is
 * a file's name too, one for each name of a document: what a file system or a reference gives a meaning to is written %XX.
 */
#ifndef POLICY_PATH_H
#define POLICY_PATH_H

#include "policy/snapshot.h"

/* Longer parts are cut and end in "~" and the first 16 hexadecimal digits of the name's SHA-256. File systems take 255. */
enum { PATH_PART_MAX = 200, PATH_DEPTH_MAX = 64 };

/* Escaped: control characters, % / \ : * ? " < > | ~, a point at the beginning, a point or blank at the end. The
   arena's; NULL when memory is out. */
const char *path_part(struct arena *a, struct bytes name);

/* "Sweden/Stockholm" and "TLS server" -> "Sweden/Stockholm/TLS server". above may be "". */
const char *path_join(struct arena *a, const char *above, struct bytes name);

/* The path of a document, of one in Root its name without "/"; the arena's, NULL when memory is out. */
const char *path_of(const struct snapshot *s, struct arena *a, const struct document *d);

/* The document at a path; NULL: none, or no path (there is no "/" in it). Who may see it is not looked at. */
const struct document *path_find(const struct snapshot *s, enum kind_id kind, struct bytes path);

#endif
