/*
 * A policy in a folder: KIND/[DOMAIN/...]NAME.json, one document a file, and policy.json, which says that it is one.
 *
 * The folder may come from anybody. Nothing is followed: a symbolic link, a device, a folder or file that does not belong
 * there is an error that names it. What begins with a point (.git) is left alone, and so are *.md beside policy.json.
 */
#ifndef CLI_POLICY_FOLDER_H
#define CLI_POLICY_FOLDER_H

#include "base/json.h"
#include "model/field.h"

enum { POLICY_FILES_MAX = 200000, POLICY_DEPTH_MAX = 64 };

#define POLICY_FORMAT "chancery-policy/1"

struct policy_file {
	enum kind_id kind;
	const char *file;  /* "token-procedure/Sweden/TLS server.json" */
	const char *path;  /* "Sweden/TLS server" */
	const char *above; /* "Sweden"; "" for Root */
	struct json *body; /* an object with a name that fits the file's; NULL: see err */
	struct err err;
	struct policy_file *next;
};

/* All documents of the folder, in no order. A document that cannot be read is one with an error in it; the folder itself,
   what is foreign in it, and too much of it are errors of the call. *ret_part: it says of itself that it is a part of a policy
   ("part" in policy.json, as a starter set is): what it lacks means nothing. Codes: FILE_*, POLICY_FOLDER, LIMIT. */
MUST enum rc policy_folder_read(struct arena *a, const char *folder, struct policy_file **ret, size_t *n,
				bool *ret_part, struct err *e);

/* Writing: begun into a new or empty folder, or one with policy.json in it. Then every document, then the end, which
   removes documents' files that were not written. Texts are written as they are. */
struct policy_writer {
	struct arena *a;
	int dir;
	const char *folder;
	struct policy_file *written; /* sorted at the end */
	size_t n;
};
MUST enum rc policy_folder_begin(struct arena *a, const char *folder, struct policy_writer *ret,
				 struct err *e);
MUST enum rc policy_folder_put(struct policy_writer *w, enum kind_id kind, const char *path,
			       struct bytes text, struct err *e);
/* For a folder in which others have written too: a document that is there is kept, *written false; mark writes the manifest
   where there is none. No end then. */
MUST enum rc policy_folder_add(struct policy_writer *w, enum kind_id kind, const char *path,
			       struct bytes text, bool *written, struct err *e);
MUST enum rc policy_folder_mark(struct policy_writer *w, struct bytes manifest, struct err *e);
MUST enum rc policy_folder_end(struct policy_writer *w, struct bytes manifest, size_t *removed,
			       struct err *e);
void policy_folder_close(struct policy_writer *w);

#endif
