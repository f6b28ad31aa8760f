/* Members of a document's body, by name; nothing where the body lacks them or has another type there. */
#ifndef POLICY_BODY_H
#define POLICY_BODY_H

#include "base/json.h"
#include "model/field.h"
#include "model/id.h"

static inline int64_t
body_int(const struct json *body, const char *name, int64_t otherwise)
{
	const struct json *v = json_get(body, name);

	return v != NULL && v->type == JSON_INT ? v->integer : otherwise;
}

/* Text; p is NULL where there is none. A NUL stands behind it. */
static inline struct bytes
body_text(const struct json *body, const char *name)
{
	const struct json *v = json_get(body, name);

	return v != NULL && v->type == JSON_STR ? v->str : BYTES_NONE;
}

static inline bool
body_true(const struct json *body, const char *name)
{
	const struct json *v = json_get(body, name);

	return v != NULL && v->type == JSON_BOOL && v->boolean;
}

static inline const struct json *
body_list(const struct json *body, const char *name)
{
	const struct json *v = json_get(body, name);

	return v != NULL && v->type == JSON_ARRAY ? v : NULL;
}

static inline size_t
body_count(const struct json *body, const char *name)
{
	const struct json *v = body_list(body, name);

	return v ? v->count : 0;
}

static inline struct doc_id
body_ref(const struct json *body, const char *name)
{
	return doc_id_of(body_int(body, name, 0));
}

/* The position of a choice; the one of otherwise where it is not given. */
static inline int
body_choice(const struct json *body, const char *name, const struct choice *choices, int otherwise)
{
	int i = choice_index(choices, body_text(body, name));

	return i >= 0 ? i : otherwise;
}

/* The roles that a profile's body enables. */
static inline roles
body_roles(const struct json *body)
{
	roles set = 0;

	JSON_EACH(x, body_list(body, "roles"))
	if (x->type == JSON_STR && role_of(x->str) != ROLE_NONE)
		set |= ROLES(role_of(x->str));
	return set;
}

#endif
