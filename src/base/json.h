/*
 * JSON, strict, with the canonical form of RFC 8785.
 *
 * Signed documents must mean the same to every reader, so the reader refuses what parsers disagree about: duplicate
 * members, numbers that are not integers within +-(2^53 - 1) (RFC 7493 2.2), unpaired surrogates, invalid UTF-8,
 * anything behind the value. Values live in the caller's arena.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_INT, JSON_STR, JSON_ARRAY, JSON_OBJECT };

#define JSON_INT_MAX ((int64_t)9007199254740991)

struct json {
	enum json_type type;
	bool boolean;
	int64_t integer;
	struct bytes str;   /* UTF-8, unescaped; a NUL stands behind it */
	struct json *first; /* of an array or object, in the order of the text */
	struct json *last;
	size_t count;
	struct json *next; /* within the parent */
	struct bytes name; /* within a parent object */
};

#define JSON_EACH(item, parent) \
	for (struct json *item = (parent) ? (parent)->first : NULL; item; item = item->next)

/* Codes: JSON_SYNTAX, JSON_DUPLICATE, JSON_DEPTH, JSON_NUMBER, UTF8, LIMIT, NO_MEMORY. The text may go after the
   call; nothing points into it. */
MUST enum rc json_parse(struct arena *a, struct bytes text, struct json **ret, struct err *e);

/* Building. All return NULL when memory is out. json_set and json_add take NULL silently, so where a lost member would
   matter the caller asks once at the end whether the arena had to refuse (arena_failed). */
struct json *json_object(struct arena *a);
struct json *json_array(struct arena *a);
struct json *json_str(struct arena *a, struct bytes s);
/* A buffer's text; NULL, and the arena has failed, where it did not all come into it. */
struct json *json_buf(struct arena *a, const struct buf *b);
/* Octets as text. */
struct json *json_base64(struct arena *a, struct bytes b);
struct json *json_hex(struct arena *a, struct bytes b);
struct json *json_int(struct arena *a, int64_t v);
struct json *json_bool(struct arena *a, bool v);
struct json *json_null(struct arena *a);
/* Adds or replaces a member; name must outlive the arena or be the arena's. */
void json_set(struct json *object, const char *name, struct json *value);
void json_add(struct json *array, struct json *value);
/* Takes a member out; false when it was not there. */
bool json_drop(struct json *object, const char *name);
/* A deep copy into another arena. */
struct json *json_copy(struct arena *a, const struct json *v);
bool json_eq(const struct json *a, const struct json *b);

/* A member, NULL when absent (or v is NULL or no object). */
struct json *json_get(const struct json *v, const char *name);

/* Typed members. The plain forms fail on absence (JSON_MISSING) and type (JSON_TYPE), naming the field; the opt
   forms leave *ret alone on absence or null. */
MUST enum rc json_need_str(const struct json *v, const char *name, struct bytes *ret, struct err *e);
MUST enum rc json_need_int(const struct json *v, const char *name, int64_t min, int64_t max, int64_t *ret,
			   struct err *e);
MUST enum rc json_need_object(const struct json *v, const char *name, struct json **ret, struct err *e);
MUST enum rc json_need_array(const struct json *v, const char *name, struct json **ret, struct err *e);
MUST enum rc json_opt_str(const struct json *v, const char *name, struct bytes *ret, struct err *e);
MUST enum rc json_opt_int(const struct json *v, const char *name, int64_t min, int64_t max, int64_t *ret,
			  struct err *e);
MUST enum rc json_opt_bool(const struct json *v, const char *name, bool *ret, struct err *e);
/* Refuses members that are not among the names, a list that ends with NULL (JSON_UNKNOWN). */
MUST enum rc json_only(const struct json *v, const char *const *names, struct err *e);

/* Text for machines: no blanks, members as they stand. */
void json_put(struct buf *out, const struct json *v);
/* Text for people: indented by two blanks. */
void json_put_pretty(struct buf *out, const struct json *v);
/* RFC 8785: members sorted by UTF-16 code units, shortest escapes, no blanks. */
void json_put_canonical(struct buf *out, const struct json *v);
/* One string with its quotes and escapes; bytes that are no UTF-8 become U+FFFD. For writers without a tree. */
void json_put_str(struct buf *out, struct bytes s);

#endif
