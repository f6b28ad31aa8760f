/* What no table says of token procedures and of what they need. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/document_impl.h"

/* Ranges of open procedures never overlap: a number names one card. */
static enum rc
range_is_free(struct walk *w, int64_t from, int64_t to)
{
	struct at at = { .name = "serial_number_from" };
	const struct document *const *all;
	size_t n = snapshot_list(w->c->policy, KIND_TOKEN_PROCEDURE, &all);

	for (size_t i = 0; i < n && !w->closed; i++) {
		int64_t f = body_int(all[i]->body, "serial_number_from", -1),
			t = body_int(all[i]->body, "serial_number_to", -1);

		REFUSE_UNLESS(is_self(w, all[i]) || !all[i]->active || f < 0 || to < f || t < from, w, &at,
			      CHY_SERIAL_RANGE_TAKEN, "\"%.*s\" has %lld to %lld", BYTES_FMT(all[i]->name),
			      (long long)f, (long long)t);
	}
	return RC_OK;
}

/* Nothing but recovery that reuses certificates: then no certificate is made. */
static bool
only_reuses(struct walk *w, const struct json *body)
{
	const struct json *list = body_list(body, "key_procedures");

	JSON_EACH(x, list)
	{
		const struct document *d = snapshot_document(w->c->policy, doc_id_of(x->integer));

		if (d == NULL || !bytes_is(body_text(d->body, "certificate"), "reuse"))
			return false;
	}
	return list != NULL && list->count > 0;
}

/* A mandatory field that a token of this profile has no way to give would refuse every token. Views for preregistration
   are about what is registered. */
static enum rc
view_check(struct walk *w, const struct json *body)
{
	static const struct {
		const char *profile, *inputs[6];
	} never[] = {
		{ "pkcs10", { "pin", "device.secret", "device.allowed-domains" } },
		{ "pkcs12",
		  { "key_usage", "extended_key_usage", "device.secret", "device.allowed-domains" } },
	};
	const struct document *view = doc_of(w, body, "input_view");
	struct at at = { .name = "input_view" };

	if (view == NULL || bytes_is(body_text(view->body, "purpose"), "preregistration"))
		return RC_OK;
	JSON_EACH(f, body_list(view->body, "fields"))
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		for (const char *const *in = never[i].inputs; *in != NULL; in++)
			REFUSE_UNLESS(
			    !bytes_is(body_text(body, "storage_profile"), never[i].profile) ||
				!body_true(f, "mandatory") || !bytes_is(body_text(f, "input"), *in),
			    w, &at, CHY_FIELD_CONFLICT,
			    "input view \"%.*s\" demands %s, which a token of the profile %s never has",
			    BYTES_FMT(view->name), *in, never[i].profile);
	return RC_OK;
}

/* Attributes that no input is called after come from requests; a soft token has none. */
static const struct format_attribute *
only_of_requests(const struct format *f)
{
	for (size_t i = 0; f != NULL && i < f->attributes_n; i++) {
		const struct format_attribute *x = &f->attributes[i];

		if (x->source == SOURCE_REQUEST && x->mandatory && x->input == NULL && x->otherwise.p == NULL)
			return x;
	}
	return NULL;
}

static enum rc
formats_can_be_filled(struct walk *w, const struct json *body)
{
	struct at all = { .name = "certificate_procedures" }, item = { .up = &all };

	if (!bytes_is(body_text(body, "storage_profile"), "pkcs12"))
		return RC_OK;
	JSON_EACH(id, body_list(body, all.name))
	{
		const struct procedure *p = snapshot_procedure(w->c->policy, doc_id_of(id->integer));
		const struct format_attribute *x = p ? only_of_requests(p->format) : NULL;

		REFUSE_UNLESS(x == NULL, w, &item, CHY_FIELD_CONFLICT,
			      "format \"%.*s\" demands %s, which only a request can give: a soft token would "
			      "never be made",
			      BYTES_FMT(p->format->doc->name), x->name);
		item.index++;
	}
	return RC_OK;
}

enum rc
token_procedure_check(struct walk *w, const struct json *body)
{
	struct at to_at = { .name = "serial_number_to" }, certs = { .name = "certificate_procedures" };
	int64_t from = body_int(body, "serial_number_from", 0), to = body_int(body, "serial_number_to", 0);
	bool without = bytes_is(body_text(body, "storage_profile"), "attribute-certificate-file");

	REFUSE_UNLESS(without || body_count(body, certs.name) > 0 || only_reuses(w, body), w, &certs,
		      CHY_FIELD_MISSING,
		      "they are mandatory, unless every key procedure recovers and reuses the certificate");
	TRY(view_check(w, body));
	TRY(formats_can_be_filled(w, body));
	if (!body_true(body, "card_serial_number"))
		return RC_OK;
	REFUSE_UNLESS(from <= to, w, &to_at, CHY_FIELD_CONFLICT, "the range ends before it begins");
	return range_is_free(w, from, to);
}

enum rc
pin_procedure_check(struct walk *w, const struct json *body)
{
	struct at max_at = { .name = "length_max" }, made_at = { .name = "generated_length" };
	int64_t least = body_int(body, "length_min", 0), most = body_int(body, max_at.name, INT64_MAX),
		made = body_int(body, made_at.name, least);

	REFUSE_UNLESS(least <= most, w, &max_at, CHY_FIELD_CONFLICT,
		      "the longest PIN is shorter than the shortest");
	REFUSE_UNLESS(least <= made && made <= most, w, &made_at, CHY_FIELD_CONFLICT,
		      "it is not within %lld to %lld", (long long)least, (long long)most);
	return RC_OK;
}

enum rc
chain_check(struct walk *w, const struct json *body)
{
	struct at list_at = { .name = "authority_chain" }, at = { .up = &list_at };
	const struct json *list = body_list(body, list_at.name);

	REFUSE_UNLESS(list == NULL || list->count == 0 ||
			  list->first->integer == body_int(body, "authority", 0),
		      w, &at, CHY_FIELD_CONFLICT, "the chain begins with the issuing authority");
	return RC_OK;
}

/* Names of servers; whoever reads them compares them, so nothing that stands for several. */
static enum rc
target_list(struct walk *w, const struct json *body, const char *list)
{
	struct at all = { .name = list }, at = { .up = &all };

	JSON_EACH(v, body_list(body, list))
	{
		struct err why = { 0 };
		struct gname g;

		REFUSE_UNLESS(gname_from_text(w->a, v->str, GN_NAME, &g, &why) == RC_OK, w, &at,
			      CHY_FIELD_VALUE, "%s", why.text);
		REFUSE_UNLESS(g.type != GN_DNS || g.value.p[0] != '*', w, &at, CHY_FIELD_VALUE,
			      "several servers are a target group");
		at.index++;
	}
	return RC_OK;
}

enum rc
ac_procedure_check(struct walk *w, const struct json *body)
{
	const struct document *authority = doc_of(w, body, "authority");

	TRY(purpose_check(w, body, "attribute-certificate"));
	TRY(chain_check(w, body));
	if (authority != NULL)
		TRY(sigalg_check(w, body, doc_of(w, authority->body, "ca_key")));
	TRY(positive_duration(w, body, "validity"));
	TRY(once_each(w, body, "certificate_policies", "policy"));
	TRY(target_list(w, body, "targets"));
	TRY(target_list(w, body, "target_groups"));
	return once_each(w, body, "attributes", "type");
}

/* ---- input views ---- */

enum filling { FILL_TEXT, FILL_NAME, FILL_TIME, FILL_YES, FILL_NOTHING };

/* What fills an input, and so what may be a default of it and whether modifiers have anything to change. */
static enum filling
filling_of(const struct choice *c)
{
	static const struct {
		const char *input;
		enum filling what;
	} others[] = {
		{ "validity.", FILL_TIME },        { "publication", FILL_YES },
		{ "pin", FILL_NOTHING },           { "revocation_password", FILL_NOTHING },
		{ "key_usage", FILL_NOTHING },     { "extended_key_usage", FILL_NOTHING },
		{ "device.secret", FILL_NOTHING }, { "qc_statements", FILL_NOTHING },
		{ "san.ip", FILL_NAME },           { "san.directory", FILL_NAME },
		{ "san.rid", FILL_NAME },          { "san.fasc-n", FILL_NAME },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strncmp(c->name, others[i].input, strlen(others[i].input)) == 0)
			return others[i].what;
	return FILL_TEXT;
}

/* As it would be read when somebody leaves the field as it stands. */
static enum rc
default_is_right(struct walk *w, const struct choice *c, struct bytes text, const struct at *item)
{
	struct at at = { .up = item, .name = "default" };
	struct err why = { 0 };
	struct gname g;
	int64_t ms;

	switch (filling_of(c)) {
	case FILL_NOTHING:
		REFUSE_UNLESS(false, w, &at, CHY_FIELD_CONFLICT, "%s has no default", c->name);
		return RC_OK;
	case FILL_TIME:
		REFUSE_UNLESS(time_parse(text, &ms, &why) == RC_OK, w, &at, CHY_FIELD_VALUE, "%s", why.text);
		return RC_OK;
	case FILL_YES:
		REFUSE_UNLESS(bytes_is(text, "yes") || bytes_is(text, "no") || bytes_is(text, "true") ||
				  bytes_is(text, "false"),
			      w, &at, CHY_FIELD_VALUE, "yes or no");
		return RC_OK;
	default:
		if (strncmp(c->name, "san.", 4) == 0)
			REFUSE_UNLESS_FOR(san_from_text(w->a, c->help, text, &g, &why) == RC_OK,
					  err_exact(&why), w, &at, CHY_FIELD_VALUE, "%s", why.text);
		return RC_OK;
	}
}

static enum rc
view_field(struct walk *w, const struct json *x, const struct at *item)
{
	int i = choice_index(input_choices, body_text(x, "input"));
	struct at modifiers = { .up = item, .name = "modifiers" };
	struct bytes text;

	if (i < 0)
		return RC_OK; /* a draft, or a word of a newer program: refused by the field's own rule */
	TRY(default_or_mandatory(w, x, item));
	REFUSE_UNLESS(body_count(x, modifiers.name) == 0 || filling_of(&input_choices[i]) == FILL_TEXT, w,
		      &modifiers, CHY_FIELD_CONFLICT, "%s is no text that could be changed",
		      input_choices[i].name);
	TRY(default_fits(w, x, item, &text));
	return text.p != NULL ? default_is_right(w, &input_choices[i], text, item) : RC_OK;
}

enum rc
input_view_check(struct walk *w, const struct json *body)
{
	struct at all = { .name = "fields" }, item = { .up = &all };

	JSON_EACH(x, body_list(body, all.name))
	{
		TRY(view_field(w, x, &item));
		item.index++;
	}
	return once_each(w, body, "fields", "input");
}

/* One counts, so one is there: which of two would hold could not be told. */
enum rc
revocation_policy_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "domain" };
	const struct document *const *all;
	size_t n = snapshot_list(w->c->policy, KIND_REVOCATION_POLICY, &all);

	for (size_t i = 0; i < n && !w->closed; i++)
		REFUSE_UNLESS(is_self(w, all[i]) || !all[i]->active ||
				  all[i]->domain.v != body_int(body, "domain", 0),
			      w, &at, CHY_REVOCATION_POLICY_TWICE, "it is \"%.*s\"", BYTES_FMT(all[i]->name));
	return positive_duration(w, body, "unclaimed_after");
}
