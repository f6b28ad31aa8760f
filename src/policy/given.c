#include "base/base.h"
#include "policy/given.h"

#include "model/choices.h"

bool
given_is_of(const struct choice *c, const char *part)
{
	return strncmp(c->name, part, strlen(part)) == 0;
}

const struct view_field *
given_field(const struct input_view *v, const struct choice *c)
{
	for (size_t k = 0; v != NULL && k < v->fields_n; k++)
		if (v->fields[k].input == c)
			return &v->fields[k];
	return NULL;
}

static bool
some_format_takes(const struct token_procedure *t, const struct choice *c)
{
	for (size_t k = 0; k < t->procedures_n; k++)
		if (t->procedures[k]->format != NULL && format_takes(t->procedures[k]->format, c->name, NULL))
			return true;
	/* nothing is issued: the fields only say whose keys are meant */
	return t->procedures_n == 0 && (given_is_of(c, "subject.") || given_is_of(c, "san."));
}

static bool
is_one_of(const struct choice *c, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(c->name, *names) == 0)
			return true;
	return false;
}

enum rc
given_may(const struct token_procedure *t, const struct choice *c, bool soft, struct err *e)
{
	static const char *const secrets[] = { "pin", "revocation_password", NULL },
				 *const usages[] = { "key_usage", "extended_key_usage", NULL },
				 *const devices[] = { "device.secret", "device.allowed-domains", NULL };
	bool publication = strcmp(c->name, "publication") == 0;

	NEED(!is_one_of(c, secrets) && !(publication && !soft), e, CHY_TOKEN_INPUT, NULL,
	     "%s is given beside what is filled in", c->name);
	NEED(!is_one_of(c, usages), e, CHY_TOKEN_INPUT, NULL,
	     soft ? "%s is what the certificate procedures say" : "%s stands in the request itself", c->name);
	NEED(!is_one_of(c, devices), e, CHY_TOKEN_INPUT, NULL, "%s is for preregistration", c->name);
	if (t->view != NULL)
		NEED(given_field(t->view, c) != NULL, e, CHY_TOKEN_INPUT_UNWANTED, NULL,
		     "input view \"%.*s\" has no field %s", BYTES_FMT(t->view->doc->name), c->name);
	else
		NEED(publication || given_is_of(c, "validity.") || some_format_takes(t, c), e,
		     CHY_TOKEN_INPUT_UNWANTED, NULL, "no format of the procedure takes %s", c->name);
	return RC_OK;
}

enum rc
given_text(struct arena *a, const struct view_field *f, const struct json *v, struct bytes *ret,
	   struct err *e)
{
	NEED(v->type == JSON_STR, e, CHY_TOKEN_INPUT, NULL, "text is expected");
	NEED(v->str.n > 0 && v->str.n <= GIVEN_VALUE_MAX, e, CHY_TOKEN_INPUT, NULL, "1 to %d bytes of text",
	     GIVEN_VALUE_MAX);
	*ret = v->str;
	if (f != NULL)
		TRY(modifiers_apply(a, &f->modifiers, *ret, ret, e));
	NEED(utf8_ok(*ret), e, CHY_TOKEN_INPUT, NULL, "damaged text");
	NEED(!text_has_control(*ret), e, CHY_TOKEN_INPUT, NULL, "a control character");
	NEED(ret->n > 0, e, CHY_TOKEN_INPUT, NULL, "nothing is left of the text");
	return RC_OK;
}
