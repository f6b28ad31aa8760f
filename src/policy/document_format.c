/* What a table of fields cannot say of formats. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/document_impl.h"
#include "policy/modifier.h"

/* In the order of san_choices. */
static const struct {
	enum gn_type type;
	enum oid other;
} san_types[] = {
	{ GN_DNS, OID_NONE },        { GN_EMAIL, OID_NONE },   { GN_IP, OID_NONE },
	{ GN_URI, OID_NONE },        { GN_DIR, OID_NONE },     { GN_RID, OID_NONE },
	{ GN_OTHER, OID_ON_UPN },    { GN_OTHER, OID_ON_SRV }, { GN_OTHER, OID_ON_SMTP_UTF8 },
	{ GN_OTHER, OID_ON_FASC_N },
};

bool
san_type(const char *name, enum gn_type *type, enum oid *other)
{
	int i = choice_index(san_choices, bytes_str(name));

	if (i < 0 || i >= (int)ARRAY_LEN(san_types))
		return false;
	*type = san_types[i].type;
	*other = san_types[i].other;
	return true;
}

enum rc
san_from_text(struct arena *a, const char *type, struct bytes value, struct gname *ret, struct err *e)
{
	const char *prefix = strcmp(type, "directory") == 0 ? "dir"
	    : strcmp(type, "smtp-utf8") == 0                ? "smtputf8"
							    : type;
	char *text = arena_printf(a, "%s:%.*s", prefix, BYTES_FMT(value));

	NEED(text != NULL, e, CHY_NO_MEMORY, NULL, "alternative name");
	return gname_from_text(a, bytes_str(text), GN_NAME, ret, e);
}

static enum rc
fixed_sans(struct walk *w, const struct json *body)
{
	struct at all = { .name = "san" }, item = { .up = &all }, values = { .up = &item, .name = "values" };

	JSON_EACH(rule, json_get(body, "san"))
	{
		struct at at = { .up = &values };

		JSON_EACH(v, json_get(rule, "values"))
		{
			struct err why = { 0 };
			struct gname g;

			REFUSE_UNLESS_FOR(san_from_text(w->a, (const char *)body_text(rule, "type").p, v->str,
							&g, &why) == RC_OK,
					  err_exact(&why), w, &at, CHY_FIELD_VALUE, "%s", why.text);
			at.index++;
		}
		item.index++;
	}
	return RC_OK;
}

/* Only text has a beginning. */
static enum rc
beginnings(struct walk *w, const struct json *body)
{
	static const char *const others[] = { "ip", "directory", "rid", "fasc-n" };
	struct at all = { .name = "san" }, item = { .up = &all }, at = { .up = &item, .name = "begins_with" };

	JSON_EACH(rule, json_get(body, "san"))
	{
		for (size_t k = 0; k < ARRAY_LEN(others) && body_text(rule, at.name).n > 0; k++)
			REFUSE_UNLESS(!bytes_is(body_text(rule, "type"), others[k]), w, &at,
				      CHY_FIELD_CONFLICT, "names of type %s are no text", others[k]);
		item.index++;
	}
	return RC_OK;
}

/* ---- what fills an element ---- */

/* Nothing is missing where there is a default. */
enum rc
default_or_mandatory(struct walk *w, const struct json *x, const struct at *item)
{
	struct at at = { .up = item, .name = "mandatory" };

	REFUSE_UNLESS(!body_true(x, "mandatory") || json_get(x, "default") == NULL, w, &at,
		      CHY_FIELD_CONFLICT, "with a default nothing is ever missing");
	return RC_OK;
}

/* A default goes through the modifiers as every value does, and is not longer than one may be. */
enum rc
default_fits(struct walk *w, const struct json *x, const struct at *item, struct bytes *ret)
{
	struct at at = { .up = item, .name = "default" };
	int64_t most = body_int(x, "max_length", INT64_MAX), n = 0;
	struct err why = { 0 };
	struct modifiers m;
	struct bytes rest;

	*ret = body_text(x, at.name);
	if (ret->p == NULL)
		return RC_OK;
	TRY(modifiers_of(w->a, body_list(x, "modifiers"), &m, w->e));
	REFUSE_UNLESS_FOR(modifiers_apply(w->a, &m, *ret, ret, &why) == RC_OK, err_exact(&why), w, &at,
			  CHY_FIELD_CONFLICT, "%s", why.text);
	for (rest = *ret; utf8_take(&rest) >= 0;)
		n++;
	REFUSE_UNLESS(n > 0 && n <= most, w, &at, CHY_FIELD_CONFLICT,
		      "%lld characters are left of it, 1 to %lld fit", (long long)n, (long long)most);
	return RC_OK;
}

static enum rc
subject_elements(struct walk *w, const struct json *body)
{
	struct at all = { .name = "subject" }, item = { .up = &all };
	struct bytes text;

	JSON_EACH(x, json_get(body, all.name))
	{
		TRY(default_or_mandatory(w, x, &item));
		TRY(default_fits(w, x, &item, &text));
		item.index++;
	}
	return RC_OK;
}

/* Names that are no text: their inputs are of the same kind, and nothing changes their letters. */
static const struct {
	const char *type, *inputs[2];
} no_text[] = { { "ip", { "san.ip", "device.ip" } },
		{ "directory", { "san.directory" } },
		{ "rid", { "san.rid" } },
		{ "fasc-n", { "san.fasc-n" } } };

static enum rc
san_input(struct walk *w, const struct json *x, const struct at *item)
{
	struct at input = { .up = item, .name = "input" }, modifiers = { .up = item, .name = "modifiers" };
	struct bytes type = body_text(x, "type"), named = body_text(x, input.name);

	for (size_t i = 0; i < ARRAY_LEN(no_text); i++) {
		const char *const *may = no_text[i].inputs;

		if (!bytes_is(type, no_text[i].type))
			continue;
		REFUSE_UNLESS(named.p == NULL || bytes_is(named, may[0]) ||
				  (may[1] && bytes_is(named, may[1])),
			      w, &input, CHY_FIELD_CONFLICT, "%.*s cannot fill a name of type %s",
			      BYTES_FMT(named), no_text[i].type);
		REFUSE_UNLESS(body_count(x, modifiers.name) == 0, w, &modifiers, CHY_FIELD_CONFLICT,
			      "a name of type %s is no text", no_text[i].type);
	}
	return RC_OK;
}

static enum rc
san_elements(struct walk *w, const struct json *body)
{
	struct at all = { .name = "san" }, item = { .up = &all }, at = { .up = &item, .name = "default" };

	JSON_EACH(x, json_get(body, all.name))
	{
		struct bytes begins = body_text(x, "begins_with"), text;
		struct err why = { 0 };
		struct gname g;

		TRY(default_or_mandatory(w, x, &item));
		TRY(san_input(w, x, &item));
		TRY(default_fits(w, x, &item, &text));
		if (text.p != NULL)
			REFUSE_UNLESS_FOR(san_from_text(w->a, (const char *)body_text(x, "type").p, text, &g,
							&why) == RC_OK,
					  err_exact(&why), w, &at, CHY_FIELD_VALUE, "%s", why.text);
		if (text.p != NULL && begins.n > 0)
			REFUSE_UNLESS(bytes_eq(bytes_part(gname_str(&g), 0, begins.n), begins), w, &at,
				      CHY_FIELD_CONFLICT, "it does not begin with %.*s", BYTES_FMT(begins));
		item.index++;
	}
	return RC_OK;
}

/* Extensions of the standard are no strings: RFC 5280 4.2.1 (2.5.29) and 4.2.2 (1.3.6.1.5.5.7.1). */
static bool
is_standard(struct bytes oid)
{
	static const char *const arcs[] = { "2.5.29.", "1.3.6.1.5.5.7.1." };

	for (size_t i = 0; i < ARRAY_LEN(arcs); i++)
		if (bytes_starts(oid, arcs[i]))
			return true;
	return false;
}

static enum rc
extension_elements(struct walk *w, const struct json *body)
{
	struct at all = { .name = "input_extensions" }, item = { .up = &all },
		  at = { .up = &item, .name = "oid" };

	JSON_EACH(x, json_get(body, all.name))
	{
		struct bytes oid = body_text(x, at.name), text;

		REFUSE_UNLESS(!is_standard(oid), w, &at, CHY_FIELD_CONFLICT,
			      "a standard extension is no text");
		JSON_EACH(y, json_get(body, "request_extensions"))
		REFUSE_UNLESS(!bytes_eq(oid, body_text(y, at.name)), w, &at, CHY_FIELD_CONFLICT,
			      "it is taken from the request too");
		TRY(default_or_mandatory(w, x, &item));
		TRY(default_fits(w, x, &item, &text));
		item.index++;
	}
	return RC_OK;
}

enum rc
format_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "rsa_bits_max" };

	REFUSE_UNLESS(body_int(body, "rsa_bits_min", 0) <= body_int(body, at.name, INT64_MAX), w, &at,
		      CHY_FIELD_CONFLICT, "the longest key is shorter than the shortest");
	TRY(once_each(w, body, "subject", "attribute"));
	TRY(once_each(w, body, "san", "type"));
	TRY(beginnings(w, body));
	TRY(once_each(w, body, "request_extensions", "oid"));
	TRY(once_each(w, body, "attributes", "type"));
	TRY(ours_only(w, body, "request_extensions"));
	TRY(once_each(w, body, "input_extensions", "oid"));
	TRY(fixed_sans(w, body));
	TRY(subject_elements(w, body));
	TRY(san_elements(w, body));
	return extension_elements(w, body);
}
