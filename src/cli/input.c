#include "base/base.h"
#include "cli/input.h"

/* Another value of a name that has some: the two, or the many, are a list. */
static enum rc
append(struct cli *c, struct json *input, const char *name, struct json *before, struct json *v,
       struct err *e)
{
	struct json *list = before;

	NEED(v->type == JSON_STR && before->type != JSON_OBJECT, e, CHY_CLI_USAGE, NULL,
	     "--input %s: one object, or texts", name);
	if (before->type == JSON_STR) {
		NEED((list = json_array(c->a)) != NULL, e, CHY_NO_MEMORY, NULL, "input");
		json_add(list, json_str(c->a, before->str));
		json_set(input, name, list);
	}
	json_add(list, v);
	return RC_OK;
}

static enum rc
add(struct cli *c, struct json *input, struct bytes text, struct err *e)
{
	struct bytes value, name = text_cut(text, '=', &value);
	const char *key = arena_str(c->a, name);
	struct json *v, *before;

	NEED(name.n > 0 && value.n > 0, e, CHY_CLI_USAGE, NULL, "--input: NAME=VALUE, not %.*s",
	     BYTES_FMT(bytes_part(text, 0, 80)));
	if (value.p[0] == '{')
		TRY_AT(json_parse(c->a, value, &v, e), e, "--input %.*s", BYTES_FMT(name));
	else
		v = json_str(c->a, value);
	NEED(key != NULL && v != NULL, e, CHY_NO_MEMORY, NULL, "input");
	before = json_get(input, key);
	if (before != NULL)
		return append(c, input, key, before, v, e);
	json_set(input, key, v);
	return RC_OK;
}

enum rc
input_read(struct cli *c, struct json **ret, struct err *e)
{
	*ret = NULL;
	for (const struct arg *x = NULL; (x = args_next(&c->args, "input", x)) != NULL;) {
		if (*ret == NULL)
			NEED((*ret = json_object(c->a)) != NULL, e, CHY_NO_MEMORY, NULL, "input");
		TRY(add(c, *ret, bytes_str(x->value), e));
	}
	return RC_OK;
}
