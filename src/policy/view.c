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

/* Whether every procedure's format demands it. */
static bool
is_demanded(struct view_out *v, const char *input)
{
	bool must = v->t->procedures_n > 0;

	for (size_t i = 0; i < v->t->procedures_n && must; i++) {
		const struct format *f = v->t->procedures[i]->format;

		if (f == NULL || !format_takes(f, input, &must))
			return false;
	}
	return must;
}

/* ---- fields ---- */

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
		struct json *o = add_field(v, f->input->name, f->label,
					   f->mandatory || is_demanded(v, f->input->name)),
			    *list = f->modifiers_text ? json_copy(v->a, f->modifiers_text) : json_array(v->a);

		if (f->value.n > 0)
			member(v, o, "default", json_str(v->a, f->value));
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

/* What fills an element. One that no input is called after comes from the request itself and is filled in by nobody. */
static void
element(struct view_out *v, const struct choice *input)
{
	if (input != NULL && !is_there(v, input->name))
		add_field(v, input->name, input->label, is_demanded(v, input->name));
}

static bool
is_filled(enum format_source source)
{
	return source == SOURCE_REQUEST || source == SOURCE_INPUT;
}

static void
format_fields(struct view_out *v, const struct format *f)
{
	for (size_t i = 0; i < f->attributes_n; i++)
		if (is_filled(f->attributes[i].source))
			element(v, f->attributes[i].input);
	for (size_t i = 0; i < f->san_n; i++)
		if (is_filled(f->san[i].source))
			element(v, f->san[i].input);
	for (size_t i = 0; i < f->input_extensions_n; i++)
		element(v, f->input_extensions[i].input);
}

static void
add_input(struct view_out *v, const char *name)
{
	const struct choice *c = &input_choices[choice_index(input_choices, bytes_str(name))];

	add_field(v, c->name, c->label, strcmp(name, "pin") == 0 || is_demanded(v, name));
}

static void
default_fields(struct view_out *v)
{
	bool validity = false, qc = false;

	for (size_t i = 0; i < v->t->procedures_n; i++) {
		const struct procedure *p = v->t->procedures[i];

		validity = validity || p->requested_validity;
		qc = qc || (p->format != NULL && p->format->takes_qc);
		if (p->format != NULL)
			format_fields(v, p->format);
	}
	if (qc)
		add_input(v, "qc_statements");
	if (validity) {
		add_input(v, "validity.not_before");
		add_input(v, "validity.not_after");
	}
	if (v->t->pin != NULL && v->t->pin->method == PIN_ENTERED)
		add_input(v, "pin");
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
