/* Formats: from bodies to structs, and what a format takes. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/document_impl.h"
#include "policy/snapshot_impl.h"

enum { FORMAT_CHECK_MAX = 16 << 20 };

#define ROOM(p, e) NEED((p) != NULL, e, CHY_NO_MEMORY, NULL, "snapshot")

enum rc
oids_of(struct arena *a, const struct json *list, const char *member, struct oids *ret, struct err *e)
{
	size_t n = list ? list->count : 0;

	ret->n = 0;
	ROOM(ret->v = arena_array(a, n, sizeof(*ret->v)), e);
	JSON_EACH(x, list)
	{
		struct bytes text = member ? body_text(x, member) : x->type == JSON_STR ? x->str : BYTES_NONE;

		TRY(oid_parse(a, text, &ret->v[ret->n], e));
		ret->n++;
	}
	return RC_OK;
}

/* The input that a subject's attribute or a type of alternative names is by itself; NULL: none. */
static const struct choice *
own_input(const char *part, const char *name)
{
	size_t n = strlen(part);

	for (const struct choice *c = input_choices; c->name != NULL; c++)
		if (strncmp(c->name, part, n) == 0 && c->help != NULL && strcmp(c->help, name) == 0)
			return c;
	return NULL;
}

/* What fills an element; an input that is its own is as good as none. */
static const struct choice *
input_of(const struct json *x, const struct choice *own, enum format_source *source)
{
	int named = choice_index(format_input_choices, body_text(x, "input"));

	if (named < 0 || *source != SOURCE_REQUEST || &input_choices[named] == own)
		return own;
	*source = SOURCE_INPUT;
	return &input_choices[named];
}

static enum rc
attribute_of(struct arena *a, const struct json *x, struct format_attribute *ret, struct err *e)
{
	TRY_AT(oid_parse(a, body_text(x, "attribute"), &ret->oid, e), e, "subject");
	ROOM(ret->name = oid_label(a, ret->oid), e);
	ret->source = (enum format_source)body_choice(x, "source", source_choices, SOURCE_REQUEST);
	ret->mandatory = body_true(x, "mandatory");
	ret->many = body_true(x, "many");
	ret->max_len = (size_t)body_int(x, "max_length", 0);
	ret->value = body_text(x, "value");
	ret->input = input_of(x, own_input("subject.", ret->name), &ret->source);
	ret->otherwise = body_text(x, "default");
	return modifiers_of(a, body_list(x, "modifiers"), &ret->modifiers, e);
}

/* The modifiers change a default as they change every value; it is always the same one, so once is enough. */
static enum rc
san_default(struct arena *a, struct bytes text, struct format_san *ret, struct err *e)
{
	struct gname *name = arena_one(a, struct gname);

	ROOM(name, e);
	TRY_AT(modifiers_apply(a, &ret->modifiers, text, &text, e), e, "san");
	TRY_AT(san_from_text(a, ret->name, text, name, e), e, "san");
	ret->otherwise = name;
	return RC_OK;
}

static enum rc
san_of(struct arena *a, const struct json *x, struct format_san *ret, struct err *e)
{
	int type = body_choice(x, "type", san_choices, -1);

	NEED(type >= 0 && san_type(san_choices[type].name, &ret->type, &ret->other), e, CHY_FIELD_CHOICE,
	     NULL, "unknown type of alternative name");
	ret->name = san_choices[type].name;
	ret->source = (enum format_source)body_choice(x, "source", source_choices, SOURCE_REQUEST);
	ret->mandatory = body_true(x, "mandatory");
	ret->begins = body_text(x, "begins_with");
	ret->max_count = (size_t)body_int(x, "max_count", 0);
	ROOM(ret->fixed = arena_array(a, body_count(x, "values"), sizeof(*ret->fixed)), e);
	JSON_EACH(v, body_list(x, "values"))
	{
		TRY_AT(san_from_text(a, ret->name, v->str, &ret->fixed[ret->fixed_n], e), e, "san");
		ret->fixed_n++;
	}
	ret->input = input_of(x, own_input("san.", ret->name), &ret->source);
	TRY(modifiers_of(a, body_list(x, "modifiers"), &ret->modifiers, e));
	return json_get(x, "default") != NULL ? san_default(a, body_text(x, "default"), ret, e) : RC_OK;
}

static enum rc
extension_of(struct arena *a, const struct json *x, struct format_extension *ret, struct err *e)
{
	int input = choice_index(format_input_choices, body_text(x, "input"));

	NEED(input >= 0, e, CHY_FIELD_CHOICE, NULL, "unknown input of an extension");
	TRY_AT(oid_parse(a, body_text(x, "oid"), &ret->oid, e), e, "input_extensions");
	ret->input = &input_choices[input];
	ret->critical = body_true(x, "critical");
	ret->mandatory = body_true(x, "mandatory");
	ret->form = (enum text_form)body_choice(x, "form", text_form_choices, TEXT_UTF8);
	ret->otherwise = body_text(x, "default");
	return modifiers_of(a, body_list(x, "modifiers"), &ret->modifiers, e);
}

static bool
is_qc(const struct oids *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (oid_find(l->v[i]) == OID_PE_QC_STATEMENTS)
			return true;
	return false;
}

static enum rc
format_extensions(struct arena *a, const struct json *body, struct format *f, struct err *e)
{
	size_t n = body_count(body, "input_extensions");

	ROOM(f->must_extension = arena_array(a, body_count(body, "request_extensions"), sizeof(bool)), e);
	TRY(oids_of(a, body_list(body, "request_extensions"), "oid", &f->from_request, e));
	JSON_EACH(x, body_list(body, "request_extensions"))
	f->must_extension[f->must_n++] = body_true(x, "mandatory");
	f->takes_qc = is_qc(&f->from_request);
	ROOM(f->input_extensions = arena_array(a, n, sizeof(*f->input_extensions)), e);
	JSON_EACH(x, body_list(body, "input_extensions"))
	{
		TRY(extension_of(a, x, &f->input_extensions[f->input_extensions_n], e));
		f->input_extensions_n++;
	}
	return RC_OK;
}

static enum rc
format_lists(struct arena *a, const struct json *body, struct format *f, struct err *e)
{
	ROOM(f->attributes = arena_array(a, body_count(body, "subject"), sizeof(*f->attributes)), e);
	JSON_EACH(x, body_list(body, "subject"))
	{
		TRY(attribute_of(a, x, &f->attributes[f->attributes_n], e));
		f->attributes_n++;
	}
	ROOM(f->san = arena_array(a, body_count(body, "san"), sizeof(*f->san)), e);
	JSON_EACH(x, body_list(body, "san"))
	{
		TRY(san_of(a, x, &f->san[f->san_n], e));
		f->san_n++;
	}
	return format_extensions(a, body, f, e);
}

/* A parameter or a modifier that this program does not know could change what a certificate says: such a format
   is not used. */
static enum rc
format_holds(const struct slot *slot, struct err *e)
{
	struct document_check check = { .kind = kind_of(KIND_FORMAT) };
	OWN(arena_free)
	struct arena *a = arena_new(FORMAT_CHECK_MAX);
	struct json *normal;

	ROOM(a, e);
	return document_check(a, &check, slot->doc.body, &normal, e);
}

enum rc
format_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body, *algs = body_list(body, "key_algorithms");
	struct format *f = arena_one(s->a, struct format);
	struct err why = { 0 }, bad = { 0 };

	ROOM(f, e);
	slot->compiled = f;
	slot->why_not = &f->why_not;
	f->doc = &slot->doc;
	f->purpose = (enum format_purpose)body_choice(body, "purpose", purpose_choices, PURPOSE_END_ENTITY);
	JSON_EACH(x, algs)
	if (choice_index(key_family_choices, x->str) >= 0)
		f->key_families |= 1u << choice_index(key_family_choices, x->str);
	f->rsa_bits_min = (unsigned)body_int(body, "rsa_bits_min", 2048);
	f->rsa_bits_max = (unsigned)body_int(body, "rsa_bits_max", 4096);
	f->unknown_attributes = (enum unknown_action)body_choice(body, "unknown_subject", unknown_choices,
								 UNKNOWN_REFUSE);
	f->unknown_san = (enum unknown_action)body_choice(body, "unknown_san", unknown_choices,
							  UNKNOWN_REFUSE);
	f->unknown_extensions = (enum unknown_action)body_choice(body, "unknown_extensions", unknown_choices,
								 UNKNOWN_DROP);
	f->key_usage = (enum usage_source)body_choice(body, "key_usage", usage_source_choices, 0);
	f->extended_key_usage = (enum usage_source)body_choice(
	    body, "extended_key_usage", extended_usage_source_choices, USAGE_PROCEDURE);
	f->qc_mandatory = body_true(body, "qc_mandatory");
	f->common_name_in_san = body_true(body, "common_name_in_san");
	f->empty_subject = body_true(body, "empty_subject");
	f->basic_constraints = body_true(body, "basic_constraints");
	f->subject_key_id = json_get(body, "subject_key_identifier") == NULL ||
	    body_true(body, "subject_key_identifier");
	TRY(keep(s->a, &f->why_not, format_holds(slot, &why), &why, e));
	return keep(s->a, &f->why_not, format_lists(s->a, body, f, &bad), &bad, e);
}

/* ---- what it takes ---- */

static bool
is_filled(enum format_source source)
{
	return source == SOURCE_REQUEST || source == SOURCE_INPUT;
}

/* One element: whether it takes the input, and whether it can do without. */
static bool
takes(const struct choice *own, const char *input, bool must, bool *demands)
{
	if (own == NULL || strcmp(own->name, input) != 0)
		return false;
	*demands = *demands || must;
	return true;
}

bool
format_takes(const struct format *f, const char *input, bool *demands)
{
	bool found = false, must = false;

	for (size_t i = 0; i < f->attributes_n; i++) {
		const struct format_attribute *x = &f->attributes[i];

		if (is_filled(x->source))
			found |= takes(x->input, input, x->mandatory && x->otherwise.p == NULL, &must);
	}
	for (size_t i = 0; i < f->san_n; i++) {
		const struct format_san *x = &f->san[i];

		if (is_filled(x->source))
			found |= takes(x->input, input, x->mandatory && x->otherwise == NULL, &must);
	}
	for (size_t i = 0; i < f->input_extensions_n; i++) {
		const struct format_extension *x = &f->input_extensions[i];

		found |= takes(x->input, input, x->mandatory && x->otherwise.p == NULL, &must);
	}
	found = found || (f->takes_qc && strcmp(input, "qc_statements") == 0);
	if (demands != NULL)
		*demands = *demands && must;
	return found;
}
