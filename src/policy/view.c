#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/view.h"

struct view_out {
	struct arena *a;
	const struct token_procedure *t;
	struct json *fields;
	bool out_of_memory;
};

static void
member(struct view_out *v, struct json *o, const char *name, struct json *x)
{
	v->out_of_memory = v->out_of_memory || o == NULL || x == NULL;
	json_set(o, name, x);
}

/* ---- inputs and the formats ---- */

/* "subject.common-name" for CN; the dotted number or short name where no input is called after it. */
static const char *
input_of(struct view_out *v, const char *part, const char *name)
{
	size_t n = strlen(part);

	for (const struct choice *c = input_choices; c->name != NULL; c++)
		if (strncmp(c->name, part, n) == 0 && c->name[n] == '.' && c->help != NULL &&
		    strcmp(c->help, name) == 0)
			return c->name;
	return arena_printf(v->a, "%s.%s", part, name);
}

static bool
takes_attribute(const struct format *f, const char *name, bool *must)
{
	for (size_t i = 0; i < f->attributes_n; i++)
		if (f->attributes[i].source == SOURCE_REQUEST && strcmp(f->attributes[i].name, name) == 0) {
			*must = *must && f->attributes[i].mandatory;
			return true;
		}
	return false;
}

static bool
takes_san(const struct format *f, const char *name, bool *must)
{
	for (size_t i = 0; i < f->san_n; i++)
		if (f->san[i].source == SOURCE_REQUEST && strcmp(f->san[i].name, name) == 0) {
			*must = *must && f->san[i].mandatory;
			return true;
		}
	return false;
}

/* Whether every procedure's format demands it. */
static bool
is_demanded(struct view_out *v, bool san, const char *name)
{
	bool must = v->t->procedures_n > 0;

	for (size_t i = 0; i < v->t->procedures_n && must; i++) {
		const struct format *f = v->t->procedures[i]->format;

		if (f == NULL || !(san ? takes_san(f, name, &must) : takes_attribute(f, name, &must)))
			return false;
	}
	return must;
}

static bool
input_is_demanded(struct view_out *v, const char *input)
{
	int i = choice_index(input_choices, bytes_str(input));
	bool san = strncmp(input, "san.", 4) == 0;

	return i >= 0 && input_choices[i].help != NULL && (san || strncmp(input, "subject.", 8) == 0) &&
	    is_demanded(v, san, input_choices[i].help);
}

/* ---- fields ---- */

static const char *
label_of(const char *input)
{
	int i = choice_index(input_choices, bytes_str(input));

	return i >= 0 ? input_choices[i].label : input;
}

static struct json *
add_field(struct view_out *v, const char *input, const char *label, bool mandatory)
{
	struct json *o = json_object(v->a);

	member(v, o, "input", json_str(v->a, bytes_str(input ? input : "")));
	member(v, o, "label", json_str(v->a, bytes_str(label ? label : "")));
	member(v, o, "mandatory", json_bool(v->a, mandatory));
	json_add(v->fields, o);
	return o;
}

static void
own_fields(struct view_out *v, const struct input_view *view)
{
	for (size_t i = 0; i < view->fields_n; i++) {
		const struct view_field *f = &view->fields[i];
		struct json *o = add_field(v, f->input, f->label,
					   f->mandatory || input_is_demanded(v, f->input)),
			    *list = json_array(v->a);

		if (f->value.n > 0)
			member(v, o, "default", json_str(v->a, f->value));
		for (const enum modifier *m = f->modifiers; *m != MODIFIER_END; m++)
			json_add(list, json_str(v->a, bytes_str(modifier_choices[*m].name)));
		member(v, o, "modifiers", list);
	}
}

static bool
is_there(struct view_out *v, const char *input)
{
	JSON_EACH(x, v->fields)
	if (bytes_is(body_text(x, "input"), input))
		return true;
	return false;
}

static void
format_fields(struct view_out *v, const struct format *f)
{
	for (size_t i = 0; i < f->attributes_n; i++) {
		const char *input = input_of(v, "subject", f->attributes[i].name);

		if (input != NULL && f->attributes[i].source == SOURCE_REQUEST && !is_there(v, input))
			add_field(v, input, label_of(input), is_demanded(v, false, f->attributes[i].name));
	}
	for (size_t i = 0; i < f->san_n; i++) {
		const char *input = input_of(v, "san", f->san[i].name);

		if (input != NULL && f->san[i].source == SOURCE_REQUEST && !is_there(v, input))
			add_field(v, input, label_of(input), is_demanded(v, true, f->san[i].name));
	}
}

static void
default_fields(struct view_out *v)
{
	bool validity = false;

	for (size_t i = 0; i < v->t->procedures_n; i++) {
		validity = validity || v->t->procedures[i]->requested_validity;
		if (v->t->procedures[i]->format != NULL)
			format_fields(v, v->t->procedures[i]->format);
	}
	if (validity) {
		add_field(v, "validity.not_before", label_of("validity.not_before"), false);
		add_field(v, "validity.not_after", label_of("validity.not_after"), false);
	}
	if (v->t->pin != NULL && v->t->pin->method == PIN_ENTERED)
		add_field(v, "pin", label_of("pin"), true);
}

/* What one should know of the procedures to choose between token procedures. */
static struct json *
procedures(struct view_out *v)
{
	struct json *list = json_array(v->a);

	for (size_t i = 0; i < v->t->procedures_n; i++) {
		const struct document *d = v->t->procedures[i]->doc;
		const struct json *usage = json_get(d->body, "key_usage"),
				  *qc = json_get(d->body, "qc_statements");
		struct json *o = json_object(v->a);

		member(v, o, "id", json_int(v->a, d->id.v));
		member(v, o, "name", json_str(v->a, d->name));
		member(v, o, "key_usage", usage ? json_copy(v->a, usage) : json_array(v->a));
		if (qc != NULL)
			member(v, o, "qc_statements", json_copy(v->a, qc));
		json_add(list, o);
	}
	return list;
}

/* Who makes the PIN, and what it looks like; null where the procedure has none. */
static struct json *
pin(struct view_out *v)
{
	const struct pin_procedure *p = v->t->pin;
	struct json *o = p ? json_object(v->a) : json_null(v->a);

	if (p == NULL)
		return o;
	member(v, o, "method", json_str(v->a, bytes_str(pin_method_choices[p->method].name)));
	member(v, o, "characters", json_str(v->a, bytes_str(pin_character_choices[p->characters].name)));
	member(v, o, "length_min", json_int(v->a, p->length_min));
	member(v, o, "length_max", json_int(v->a, p->length_max));
	return o;
}

enum rc
view_show(struct arena *a, const struct token_procedure *t, struct json **ret, struct err *e)
{
	const struct input_view *view = t->view;
	struct view_out v = { a, t, json_array(a), false };
	const char *purpose = view_choices[view ? view->purpose : VIEW_ISSUE].name;
	struct json *o = json_object(a);

	if (view != NULL)
		own_fields(&v, view);
	else
		default_fields(&v);
	member(&v, o, "view", view ? json_int(a, view->doc->id.v) : json_null(a));
	member(&v, o, "name", view ? json_str(a, view->doc->name) : json_str(a, BYTES("Default")));
	member(&v, o, "purpose", json_str(a, bytes_str(purpose)));
	member(&v, o, "fields", v.fields);
	member(&v, o, "certificate_procedures", procedures(&v));
	member(&v, o, "pin", pin(&v));
	NEED(!v.out_of_memory, e, CHY_NO_MEMORY, NULL, "view");
	*ret = o;
	return RC_OK;
}
