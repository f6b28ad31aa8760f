#include "base/base.h"
#include "base/file.h"
#include "cli/policy_file.h"
#include "cli/policy_folder.h"
#include "cli/refs.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* The path within the nearest folder above that has a policy.json; NULL: there is none. */
static const char *
within_policy(struct arena *a, const char *file)
{
	char path[PATH_MAX], manifest[PATH_MAX];

	if (strcmp(file, "-") == 0 || realpath(file, path) == NULL)
		return NULL;
	for (size_t n = strlen(path); n > 0; n--) {
		if (path[n - 1] != '/' ||
		    snprintf(manifest, sizeof(manifest), "%.*spolicy.json", (int)n, path) >=
			(int)sizeof(manifest))
			continue;
		if (access(manifest, F_OK) == 0)
			return arena_str(a, bytes_str(path + n));
	}
	return NULL;
}

/* "token-procedure/Sweden/TLS server.json" -> "/Sweden"; Root is said by null. */
static enum rc
put_place(struct arena *a, const struct kind *kind, const char *within, struct json *body, struct err *e)
{
	const char *member = kind->id == KIND_DOMAIN ? "parent" : "domain", *first = strchr(within, '/'),
		   *last = strrchr(within, '/');
	struct json *v = first == last ? json_null(a)
				       : json_str(a, arena_dup(a, bytes_of(first, (size_t)(last - first))));

	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	if (json_get(body, member) == NULL && field_find(kind->fields, bytes_str(member)) != NULL)
		json_set(body, member, v);
	return RC_OK;
}

enum rc
policy_file_read(struct arena *a, const char *file, const struct kind *kind, struct json **ret, struct err *e)
{
	const char *within;
	struct bytes text, which;

	TRY(file_read(a, file, LIMIT_BODY, &text, e));
	TRY_AT(json_parse(a, text, ret, e), e, "%s", file);
	NEED((*ret)->type == JSON_OBJECT, e, CHY_CLI_FILE_TYPE, NULL, "%s: not a JSON object", file);
	within = within_policy(a, file);
	if (within == NULL || strchr(within, '/') == NULL)
		return RC_OK;
	which = bytes_of(within, (size_t)(strchr(within, '/') - within));
	if (kind_named(which) == NULL)
		return RC_OK; /* something else that is kept beside a policy */
	NEED(kind_named(which) == kind, e, CHY_CLI_FILE_TYPE, NULL, "%s: is a %.*s, not a %s", file,
	     BYTES_FMT(which), kind->name);
	TRY(refs_from_root(a, kind->fields, *ret, ret, e));
	return put_place(a, kind, within, *ret, e);
}
