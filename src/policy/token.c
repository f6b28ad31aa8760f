#include "base/base.h"
#include "model/choices.h"
#include "pki/name.h"
#include "policy/document_impl.h"
#include "policy/given.h"
#include "policy/token.h"

/* ---- which fields ---- */

static const struct view_field *
field_of(const struct token_procedure *t, const char *input)
{
	return given_field(t->view, &input_choices[choice_index(input_choices, bytes_str(input))]);
}

bool
token_takes(const struct token_procedure *t, const char *input)
{
	return t->view == NULL || field_of(t, input) != NULL;
}

/* ---- values ---- */

struct reading {
	struct arena *a;
	const struct token_procedure *t;
	struct token_input *ret;
	struct ava ava[LIMIT_NAME_ATTRS];
	size_t n;
};

static enum rc
take_name(struct reading *r, const struct choice *c, struct bytes value, struct err *e)
{
	struct gname g;

	if (given_is_of(c, "subject.")) {
		NEED(r->n < LIMIT_NAME_ATTRS, e, CHY_LIMIT, NULL, "more than %d attributes",
		     LIMIT_NAME_ATTRS);
		r->ava[r->n] = (struct ava){ .known = oid_by_text(bytes_str(c->help)),
					     .value = value,
					     .rdn = (unsigned)r->n };
		NEED(r->ava[r->n].known != OID_NONE, e, CHY_TOKEN_INPUT, NULL, "no attribute %s", c->help);
		r->ava[r->n].oid = oid_der(r->ava[r->n].known);
		r->n++;
		return RC_OK;
	}
	NEED(r->ret->san.n < LIMIT_SAN, e, CHY_LIMIT, NULL, "more than %d names", LIMIT_SAN);
	TRY(san_from_text(r->a, c->help, value, &g, e));
	r->ret->san.v[r->ret->san.n++] = g;
	return RC_OK;
}

static enum rc
take_text(struct reading *r, const struct choice *c, const struct json *v, struct err *e)
{
	struct bytes value;

	TRY(given_text(r->a, given_field(r->t->view, c), v, &value, e));
	if (strcmp(c->name, "validity.not_before") == 0)
		return time_parse(value, &r->ret->not_before_ms, e);
	if (strcmp(c->name, "validity.not_after") == 0)
		return time_parse(value, &r->ret->not_after_ms, e);
	/* what is no name of the certificate itself goes where its format puts it, when it is decided */
	if (!given_is_of(c, "subject.") && !given_is_of(c, "san."))
		return RC_OK;
	return take_name(r, c, value, e);
}

static enum rc
take_value(struct reading *r, const struct choice *c, const struct json *v, struct err *e)
{
	if (strcmp(c->name, "publication") == 0) {
		NEED(v->type == JSON_BOOL, e, CHY_TOKEN_INPUT, NULL, "true or false is expected");
		r->ret->publication = v->boolean;
		r->ret->publication_said = true;
		return RC_OK;
	}
	if (strcmp(c->name, "qc_statements") == 0)
		return RC_OK; /* judged when it is decided */
	if (v->type != JSON_ARRAY)
		return take_text(r, c, v, e);
	JSON_EACH(item, v)
	TRY(take_text(r, c, item, e));
	return RC_OK;
}

/* A default is text in the view: "yes" or "no", also "true" or "false". */
static bool
says_yes(struct bytes text)
{
	return bytes_is(text, "yes") || bytes_is(text, "true");
}

static enum rc
take_one(struct reading *r, const struct choice *c, const struct json *input, struct err *e)
{
	const struct json *v = json_get(input, c->name);
	const struct view_field *f = given_field(r->t->view, c);

	if (v != NULL && v->type != JSON_NULL) {
		TRY(given_may(r->t, c, true, e));
		return take_value(r, c, v, e);
	}
	if (f != NULL && f->value.n > 0)
		return strcmp(c->name, "publication") == 0
		    ? take_value(r, c, json_bool(r->a, says_yes(f->value)), e)
		    : take_value(r, c, json_str(r->a, f->value), e);
	if (f == NULL || !f->mandatory || strcmp(c->name, "pin") == 0 ||
	    strcmp(c->name, "revocation_password") == 0)
		return RC_OK;
	err_rule(e, "input-view");
	FAIL(e, CHY_TOKEN_INPUT_MISSING, NULL, "\"%s\" is mandatory", f->label);
}

static enum rc
only_known(const struct json *input, struct err *e)
{
	JSON_EACH(v, input)
	if (choice_index(input_choices, v->name) < 0) {
		err_field(e, "%.*s", BYTES_FMT(bytes_part(v->name, 0, 80)));
		FAIL(e, CHY_TOKEN_INPUT, NULL, "no such field");
	}
	return RC_OK;
}

enum rc
token_holder(struct arena *a, struct bytes subject, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(8 << 10);
	struct name n;
	char *s;

	TRY(name_parse(a, subject, &n, e));
	for (size_t i = 0; i < n.n && text.n == 0; i++)
		if (n.ava[i].known == OID_AT_CN)
			buf_put(&text, ava_utf8(a, &n.ava[i]));
	if (text.n == 0)
		name_put_der_text(&text, subject);
	s = arena_str(a, bytes_part(buf_bytes(&text), 0, HOLDER_MAX));
	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "a name");
	for (char *p = s; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	*ret = bytes_str(s);
	return RC_OK;
}

enum rc
token_input_read(struct arena *a, const struct token_procedure *t, const struct json *input,
		 struct token_input *ret, struct err *e)
{
	struct reading r = { .a = a, .t = t, .ret = ret };
	struct name name;

	*ret = (struct token_input){ .publication = true };
	NEED(t->storage == STORAGE_PKCS12, e, CHY_TOKEN_PROFILE, NULL, "its storage profile is %s",
	     storage_profile_name(t->storage));
	ret->san.v = arena_array(a, LIMIT_SAN, sizeof(*ret->san.v));
	NEED(ret->san.v != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	TRY(only_known(input, e));
	for (const struct choice *c = input_choices; c->name != NULL; c++)
		TRY_AT(take_one(&r, c, input, e), e, "%s", c->name);
	TRY_AT(name_build(a, r.ava, r.n, &name, e), e, "subject");
	ret->subject = name.der;
	return token_holder(a, name.der, &ret->holder, e);
}

/* ---- choices ---- */

static enum rc
wanted(const struct token_procedure *t, const char *input, bool given, struct err *e)
{
	const struct view_field *f = field_of(t, input);

	if (given && !token_takes(t, input)) {
		err_field(e, "%s", input);
		FAIL(e, CHY_TOKEN_INPUT_UNWANTED, NULL, "the input view \"%.*s\" has no field %s",
		     BYTES_FMT(t->view->doc->name), input);
	}
	if (!given && f != NULL && f->mandatory) {
		err_rule(e, "input-view");
		err_field(e, "%s", input);
		FAIL(e, CHY_TOKEN_INPUT_MISSING, NULL, "\"%s\" is mandatory", f->label);
	}
	return RC_OK;
}

enum rc
token_choices(const struct token_procedure *t, bool *said, bool *publication, bool password, struct err *e)
{
	const struct view_field *f = field_of(t, "publication");

	if (!*said && f != NULL && f->value.n > 0) {
		*said = true;
		*publication = says_yes(f->value);
	}
	TRY(wanted(t, "publication", *said, e));
	return wanted(t, "revocation_password", password, e);
}

/* ---- PINs ---- */

static const char letters_and_digits[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

const char *
token_pin_alphabet(const struct pin_procedure *p)
{
	return p->characters == PIN_DIGITS ? "0123456789" : letters_and_digits;
}

enum rc
token_pin_check(const struct pin_procedure *p, struct bytes pin, struct err *e)
{
	NEED(pin.n >= p->length_min && pin.n <= p->length_max, e, CHY_TOKEN_PIN_LENGTH, NULL,
	     "a PIN of %u to %u characters is wanted", p->length_min, p->length_max);
	for (size_t i = 0; i < pin.n; i++) {
		uint8_t c = pin.p[i], l = c | 0x20;
		bool digit = c >= '0' && c <= '9';

		NEED(digit || (p->characters != PIN_DIGITS && l >= 'a' && l <= 'z'), e,
		     CHY_TOKEN_PIN_CHARACTERS, NULL, "%s are wanted",
		     p->characters == PIN_DIGITS ? "digits" : "letters and digits");
	}
	return RC_OK;
}

/* ---- keys ---- */

bool
token_recovers(const struct token_procedure *t)
{
	for (size_t i = 0; i < t->keys_n; i++)
		if (t->keys[i]->action == KEY_RECOVER)
			return true;
	return false;
}

bool
token_issues(const struct token_procedure *t)
{
	for (size_t i = 0; i < t->keys_n; i++)
		if (t->keys[i]->action == KEY_RECOVER && !t->keys[i]->reuse)
			return true;
	return t->procedures_n > 0;
}

bool
token_archives(const struct token_procedure *t, const struct procedure *p)
{
	for (size_t i = 0; i < t->keys_n; i++)
		if (key_procedure_archives(t->keys[i], p))
			return true;
	return false;
}
