#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/kindbody.h"
#include "pki/pem.h"

enum { DER_FILE_MAX = 256 << 10 };

#define WRONG(e, ...) FAIL(e, CHY_CLI_USAGE, NULL, __VA_ARGS__)

const char *
field_option_name(struct arena *a, const char *field)
{
	char *s = arena_str(a, bytes_str(field));

	for (char *p = s; p && *p; p++)
		*p = *p == '_' ? '-' : *p;
	return s;
}

static enum rc
made(struct json *v, struct json **ret, struct err *e)
{
	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "body");
	*ret = v;
	return RC_OK;
}

/* ---- objects ---- */

/* The text up to the next comma that has no backslash before it, without the backslashes; *rest as text_cut. */
static enum rc
next_pair(struct arena *a, struct bytes text, struct bytes *ret, struct bytes *rest, struct err *e)
{
	uint8_t *to = arena_alloc(a, text.n + 1);
	size_t i = 0, n = 0;

	NEED(to != NULL, e, CHY_NO_MEMORY, NULL, "body");
	for (; i < text.n && text.p[i] != ','; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n)
			i++;
		to[n++] = text.p[i];
	}
	*ret = bytes_of(to, n);
	*rest = i < text.n ? bytes_part(text, i + 1, SIZE_MAX) : BYTES_NONE;
	return RC_OK;
}

static enum rc
put_member(struct arena *a, const struct field *f, const char *value, struct json *object, struct err *e)
{
	struct json *v = NULL, *list = json_get(object, f->name);

	TRY(field_value(a, f, value, &v, e));
	if (!(f->flags & FIELD_LIST)) {
		NEED(list == NULL, e, CHY_CLI_USAGE, NULL, "%s stands there twice", f->name);
		json_set(object, f->name, v);
		return RC_OK;
	}
	if (list == NULL) {
		TRY(made(json_array(a), &list, e));
		json_set(object, f->name, list);
	}
	json_add(list, v);
	return RC_OK;
}

bool
members_are_nested(const struct field *members)
{
	for (; members != NULL && members->name != NULL; members++)
		if (members->type == FIELD_OBJECT)
			return true;
	return false;
}

void
members_shape(struct buf *out, const struct field *members)
{
	const char *comma = "";

	buf_str(out, "{");
	for (; members != NULL && members->name != NULL; members++, comma = ", ") {
		bool list = members->flags & FIELD_LIST;

		buf_printf(out, "%s\"%s\": %s", comma, members->name, list ? "[" : "");
		if (members->type == FIELD_OBJECT)
			members_shape(out, members->members);
		else
			buf_str(out, "...");
		buf_str(out, list ? "]" : "");
	}
	buf_str(out, "}");
}

/* Says what there is, and of what member=value cannot say how it is written. */
static enum rc
no_member(const struct field *f, struct bytes name, struct err *e)
{
	OWN_BUF struct buf shape = buf_max(1024);

	members_shape(&shape, f->members);
	if (members_are_nested(f->members))
		WRONG(e, "no member \"%.*s\"; this is written as JSON, here or in a file for --file: %s",
		      BYTES_FMT(name), buf_ok(&shape) ? buf_cstr(&shape) : "");
	WRONG(e, "no member \"%.*s\" among %s", BYTES_FMT(name),
	      buf_ok(&shape) ? buf_cstr(&shape) : "its members");
}

static enum rc
object_value(struct arena *a, const struct field *f, const char *text, struct json **ret, struct err *e)
{
	struct bytes rest = bytes_str(text), pair, value;

	if (text[0] == '{')
		return json_parse(a, rest, ret, e);
	TRY(made(json_object(a), ret, e));
	while (rest.p && rest.n > 0) {
		TRY(next_pair(a, rest, &pair, &rest, e));
		struct bytes name = text_trim(text_cut(pair, '=', &value));
		const struct field *member = field_find(f->members, name);

		NEED(value.p != NULL, e, CHY_CLI_USAGE, NULL, "\"%.*s\" is not member=value",
		     BYTES_FMT(pair));
		if (member == NULL)
			return no_member(f, name, e);
		char *copy = arena_str(a, value);
		NEED(copy != NULL, e, CHY_NO_MEMORY, NULL, "body");
		TRY(put_member(a, member, copy, *ret, e));
	}
	return RC_OK;
}

/* ---- values ---- */

static enum rc
choice_value(struct arena *a, const struct field *f, const char *text, struct json **ret, struct err *e)
{
	OWN_BUF struct buf list = buf_max(2048);

	if (choice_index(f->choices, bytes_str(text)) >= 0)
		return made(json_str(a, bytes_str(text)), ret, e);
	for (const struct choice *c = f->choices; c && c->name; c++)
		buf_printf(&list, "%s%s", list.n ? ", " : "", c->name);
	WRONG(e, "\"%s\" is none of %s", text, buf_ok(&list) && list.n ? buf_cstr(&list) : "its values");
}

static enum rc
bool_value(struct arena *a, const char *text, struct json **ret, struct err *e)
{
	bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;

	NEED(yes || strcmp(text, "no") == 0 || strcmp(text, "false") == 0, e, CHY_CLI_USAGE, NULL,
	     "\"%s\" is neither yes nor no", text);
	return made(json_bool(a, yes), ret, e);
}

static enum rc
int_value(struct arena *a, const char *text, struct json **ret, struct err *e)
{
	struct err why = { 0 };
	int64_t n;

	NEED(int_parse(bytes_str(text), -JSON_INT_MAX, JSON_INT_MAX, &n, &why) == RC_OK, e, CHY_CLI_USAGE,
	     NULL, "%s", why.text);
	return made(json_int(a, n), ret, e);
}

/* An id where it is all digits, else a name. */
static enum rc
ref_value(struct arena *a, const char *text, struct json **ret, struct err *e)
{
	int64_t id;

	NEED(text[0] != 0, e, CHY_CLI_USAGE, NULL, "the name is empty");
	if (int_parse(bytes_str(text), 1, JSON_INT_MAX, &id, NULL) == RC_OK)
		return made(json_int(a, id), ret, e);
	return made(json_str(a, bytes_str(text)), ret, e);
}

/* A file with one PEM block or DER, as what the server makes of it: base64 of the DER. */
static enum rc
der_file_value(struct arena *a, const struct field *f, const char *path, struct json **ret, struct err *e)
{
	OWN_BUF struct buf base64 = buf_max(4 * DER_FILE_MAX);
	struct pem_block block;
	struct bytes text;

	TRY(file_read(a, path, DER_FILE_MAX, &text, e));
	block.der = text;
	if (pem_is(text))
		TRY_AT(pem_next(a, &text, &block, e), e, "%s", path);
	base64_put(&base64, block.der);
	return made(buf_ok(&base64) ? json_str(a, buf_bytes(&base64)) : NULL, ret, e);
}

static enum rc
value_of(struct arena *a, const struct field *f, const char *text, struct json **ret, struct err *e)
{
	switch (f->type) {
	case FIELD_BOOL:
		return bool_value(a, text, ret, e);
	case FIELD_INT:
		return int_value(a, text, ret, e);
	case FIELD_CHOICE:
		return choice_value(a, f, text, ret, e);
	case FIELD_REF:
		return ref_value(a, text, ret, e);
	case FIELD_DER:
		return der_file_value(a, f, text, ret, e);
	case FIELD_OBJECT:
		return object_value(a, f, text, ret, e);
	default:
		return made(json_str(a, bytes_str(text)), ret, e);
	}
}

enum rc
field_value(struct arena *a, const struct field *f, const char *text, struct json **ret, struct err *e)
{
	NEED(utf8_ok(bytes_str(text)), e, CHY_CLI_USAGE, "RFC 3629", "not UTF-8");
	TRY_AT(value_of(a, f, text, ret, e), e, "%s", f->name);
	return RC_OK;
}

/* ---- bodies ---- */

static enum rc
apply_field(struct arena *a, const struct args *args, const struct opt *o, struct json *body, struct err *e)
{
	const struct field *f = o->field;
	const struct arg *x = NULL;
	struct json *v = NULL, *list = NULL;

	if (!(f->flags & FIELD_LIST)) {
		TRY(field_value(a, f, args_text(args, o->name), &v, e));
		json_set(body, f->name, v);
		return RC_OK;
	}
	TRY(made(json_array(a), &list, e));
	while ((x = args_next(args, o->name, x)) != NULL) {
		TRY(field_value(a, f, x->value, &v, e));
		json_add(list, v);
	}
	json_set(body, f->name, list);
	return RC_OK;
}

static enum rc
apply_unset(const struct args *args, const struct kind *kind, struct json *body, struct err *e)
{
	for (const struct arg *x = NULL; (x = args_next(args, "unset", x)) != NULL;) {
		char name[128];
		size_t n = strlen(x->value);

		NEED(n < sizeof(name), e, CHY_CLI_USAGE, NULL, "--unset: no such field");
		for (size_t i = 0; i <= n; i++)
			name[i] = x->value[i] == '-' ? '_' : x->value[i];
		NEED(field_find(kind->fields, bytes_str(name)) != NULL, e, CHY_CLI_USAGE, NULL,
		     "--unset: a %s has no field \"%s\"", kind->name, x->value);
		json_drop(body, name);
	}
	return RC_OK;
}

enum rc
body_apply(struct arena *a, const struct args *args, const struct kind *kind, struct json *body,
	   struct err *e)
{
	for (const struct opt *o = args->command->options; o && o->name; o++)
		if (o->field && args_has(args, o->name))
			TRY(apply_field(a, args, o, body, e));
	return apply_unset(args, kind, body, e);
}
