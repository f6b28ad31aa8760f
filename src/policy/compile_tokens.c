/* From bodies to structs: token procedures and what they refer to. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/snapshot_impl.h"

#define ROOM(p, e) NEED((p) != NULL, e, CHY_NO_MEMORY, NULL, "snapshot")

/* The struct of a document, in its slot. */
#define COMPILED(x, s, slot, type, e) \
	struct type *x = arena_one((s)->a, struct type); \
	ROOM(x, e); \
	(slot)->compiled = x; \
	(slot)->why_not = &x->why_not; \
	x->doc = &(slot)->doc

/* References of a list that lead to something compiled; the others and closed ones are why it cannot be used. */
static enum rc
compiled_list(struct snapshot *s, const struct json *body, const char *name, enum kind_id kind,
	      struct unusable *u, void *ret, size_t *n, struct err *e)
{
	const void **list = arena_array(s->a, body_count(body, name), sizeof(void *));

	ROOM(list, e);
	JSON_EACH(x, body_list(body, name))
	{
		struct doc_id id = doc_id_of(x->type == JSON_INT ? x->integer : 0);
		const void *one = slot_compiled(s, kind, id);

		/* a closed certificate procedure is refused by its own name, and only if it is chosen */
		if (one == NULL || kind != KIND_CERTIFICATE_PROCEDURE)
			needs(s, u, id, kind_of(kind)->title);
		if (one != NULL)
			list[(*n)++] = one;
	}
	memcpy(ret, &list, sizeof(list));
	return RC_OK;
}

/* ---- CRL procedures ---- */

enum rc
crl_procedure_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;

	COMPILED(x, s, slot, crl_procedure, e);
	x->authority = snapshot_authority(s, body_ref(body, "authority"));
	x->indirect = json_get(body, "crl_issuer") != NULL;
	x->signer = x->indirect ? snapshot_authority(s, body_ref(body, "crl_issuer")) : x->authority;
	x->partitions = (unsigned)body_int(body, "partitions", 0);
	x->partial = bytes_is(body_text(body, "type"), "partial");
	x->include = json_get(body, "include") == NULL || body_true(body, "include");
	x->points = body_list(body, "distribution_points");
	needs_there(s, &x->why_not, body_ref(body, "authority"), "Authority");
	if (x->indirect)
		needs_there(s, &x->why_not, body_ref(body, "crl_issuer"), "CRL issuer");
	x->delta_points = body_list(body, "delta_points");
	x->keep_expired = body_true(body, "keep_expired");
	TRY(rules_of(s, body, &x->rules, &x->rules_n, e));
	if (json_get(body, "covers") != NULL)
		x->covers = (enum crl_covers)(COVERS_END_ENTITIES +
					      body_choice(body, "covers", crl_covers_choices, 0));
	x->built = json_get(body, "interval") != NULL;
	x->has_delta = json_get(body, "delta_interval") != NULL;
	if (x->built)
		TRY(duration_parse(body_text(body, "interval"), &x->interval, e));
	if (x->built && duration_is_zero(x->interval) && x->why_not.code == CHY_NONE)
		x->why_not = (struct unusable){ CHY_FIELD_DURATION, "an interval of no length" };
	if (x->built)
		TRY(duration_parse(body_text(body, "overlap"), &x->overlap, e));
	if (x->has_delta)
		TRY(duration_parse(body_text(body, "delta_interval"), &x->delta_interval, e));
	x->has_after_change = json_get(body, "after_change") != NULL;
	if (x->has_after_change)
		TRY(duration_parse(body_text(body, "after_change"), &x->after_change, e));
	return RC_OK;
}

static bool
is_pointed_to(const struct crl_procedure *x)
{
	return x->include && x->doc->active && x->authority != NULL && x->signer != NULL &&
	    x->signer->subject_in_force.n > 0;
}

enum rc
link_crls(struct snapshot *s, struct err *e)
{
	const struct document *const *all;
	size_t n = snapshot_list(s, KIND_CRL_PROCEDURE, &all);

	for (int round = 0; round < 2; round++) /* counts, then fills */
		for (size_t i = 0; i < n; i++) {
			const struct crl_procedure *x = slot_compiled(s, KIND_CRL_PROCEDURE, all[i]->id);
			struct authority *of = is_pointed_to(x)
			    ? slot_compiled(s, KIND_AUTHORITY, x->authority->doc->id)
			    : NULL;

			if (of == NULL)
				continue;
			if (round == 1 && of->crls == NULL) {
				ROOM(of->crls = arena_array(s->a, of->crls_n, sizeof(*of->crls)), e);
				of->crls_n = 0;
			}
			if (round == 1)
				of->crls[of->crls_n] = x;
			of->crls_n++;
		}
	return RC_OK;
}

/* ---- keys and PINs ---- */

enum rc
key_procedure_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;
	struct doc_id renew = body_ref(body, "certificate_procedure");

	COMPILED(x, s, slot, key_procedure, e);
	x->action = (enum key_action)body_choice(body, "action", key_action_choices, KEY_ARCHIVE);
	x->reuse = bytes_is(body_text(body, "certificate"), "reuse");
	x->all = bytes_is(body_text(body, "keys"), "all");
	x->renew = snapshot_procedure(s, renew);
	if (x->action == KEY_RECOVER && !x->reuse)
		needs(s, &x->why_not, renew, "Certificate procedure");
	return compiled_list(s, body, "certificate_procedures", KIND_CERTIFICATE_PROCEDURE, &x->why_not,
			     &x->procedures, &x->procedures_n, e);
}

bool
key_procedure_archives(const struct key_procedure *k, const struct procedure *p)
{
	const uint16_t encrypts = USAGE_KEY_ENCIPHERMENT | USAGE_DATA_ENCIPHERMENT | USAGE_KEY_AGREEMENT;

	if (k->action != KEY_ARCHIVE)
		return false;
	for (size_t i = 0; i < k->procedures_n; i++)
		if (k->procedures[i] == p)
			return true;
	return k->procedures_n == 0 && (p->key_usage == 0 || (p->key_usage & encrypts) != 0);
}

enum rc
pin_procedure_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;

	COMPILED(x, s, slot, pin_procedure, e);
	x->method = (enum pin_method)body_choice(body, "method", pin_method_choices, PIN_SHOWN);
	x->characters = (enum pin_characters)body_choice(body, "characters", pin_character_choices,
							 PIN_LETTERS_AND_DIGITS);
	x->length_min = (unsigned)body_int(body, "length_min", 8);
	x->length_max = (unsigned)body_int(body, "length_max", 32);
	x->generated_length = (unsigned)body_int(body, "generated_length", 16);
	return RC_OK;
}

/* ---- attribute certificates ---- */

static enum rc
read_ac_procedure(struct snapshot *s, const struct json *body, struct ac_procedure *x, struct err *e)
{
	struct bytes alg = body_text(body, "signature_algorithm");

	TRY(duration_parse(body_text(body, "validity"), &x->validity, e));
	NEED(x->authority != NULL, e, CHY_REF_NOTHING, NULL, "its authority is not there");
	NEED(x->format != NULL, e, CHY_REF_NOTHING, NULL, "its format is not there");
	NEED(x->format->purpose == PURPOSE_ATTRIBUTE_CERTIFICATE, e, CHY_FIELD_CONFLICT, NULL,
	     "its format is not for attribute certificates");
	NEED(x->format->why_not.code == CHY_NONE, e, x->format->why_not.code, NULL, "its format: %s",
	     x->format->why_not.text);
	NEED(x->authority->why_not.code == CHY_NONE, e, x->authority->why_not.code, NULL, "its authority: %s",
	     x->authority->why_not.text);
	x->sigalg = alg.n ? sigalg_by_name(alg) : x->authority->sigalg;
	NEED(sigalg_fits(x->sigalg, &x->authority->key_type), e, CHY_ISSUE_SIGNATURE_ALGORITHM, NULL,
	     "its signature algorithm does not fit the authority's key");
	return ac_template_of(s, x, e);
}

enum rc
ac_procedure_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;
	struct err why = { 0 };

	COMPILED(x, s, slot, ac_procedure, e);
	x->authority = snapshot_authority(s, body_ref(body, "authority"));
	x->format = snapshot_format(s, body_ref(body, "format"));
	JSON_EACH(u, body_list(body, "key_usage"))
	if (u->type == JSON_STR && choice_index(key_usage_choices, u->str) >= 0)
		x->key_usage |= (uint16_t)(1u << choice_index(key_usage_choices, u->str));
	TRY(authorities_of(s, body_list(body, "authority_chain"), &x->chain, &x->chain_n, e));
	TRY(rules_of(s, body, &x->rules, &x->rules_n, e));
	needs(s, &x->why_not, body_ref(body, "authority"), "Authority");
	needs(s, &x->why_not, body_ref(body, "format"), "Format");
	return keep(s->a, &x->why_not, read_ac_procedure(s, body, x, &why), &why, e);
}

/* ---- views ---- */

static const char *
text_or(struct bytes text, const char *otherwise)
{
	return text.n ? (const char *)text.p : otherwise;
}

enum rc
input_view_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;

	COMPILED(x, s, slot, input_view, e);
	x->purpose = (enum view_purpose)body_choice(body, "purpose", view_choices, VIEW_ISSUE);
	ROOM(x->fields = arena_array(s->a, body_count(body, "fields"), sizeof(*x->fields)), e);
	JSON_EACH(v, body_list(body, "fields"))
	{
		struct view_field *f = &x->fields[x->fields_n];
		int input = choice_index(input_choices, body_text(v, "input"));

		if (input < 0) {
			cannot(s->a, &x->why_not, CHY_FIELD_CHOICE,
			       arena_printf(s->a, "fields[%zu].input: no input that is known", x->fields_n));
			continue;
		}
		*f = (struct view_field){ .input = &input_choices[input],
					  .label = text_or(body_text(v, "label"), input_choices[input].label),
					  .mandatory = body_true(v, "mandatory"),
					  .value = body_text(v, "default") };
		f->modifiers_text = body_list(v, "modifiers");
		TRY(modifiers_of(s->a, f->modifiers_text, &f->modifiers, e));
		x->fields_n++;
	}
	return RC_OK;
}

/* ---- token procedures ---- */

/* Each list with what its items are compiled to. */
static enum rc
token_lists(struct snapshot *s, const struct json *body, struct token_procedure *t, struct err *e)
{
	TRY(compiled_list(s, body, "certificate_procedures", KIND_CERTIFICATE_PROCEDURE, &t->why_not,
			  &t->procedures, &t->procedures_n, e));
	TRY(compiled_list(s, body, "key_procedures", KIND_KEY_PROCEDURE, &t->why_not, &t->keys, &t->keys_n,
			  e));
	return compiled_list(s, body, "attribute_certificate_procedures",
			     KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, &t->why_not, &t->acs, &t->acs_n, e);
}

enum rc
token_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;
	struct doc_id pin = body_ref(body, "pin_procedure"), view = body_ref(body, "input_view");

	COMPILED(t, s, slot, token_procedure, e);
	t->storage = (enum storage_profile)body_choice(body, "storage_profile", storage_choices,
						       STORAGE_PKCS10);
	t->issuers = (enum issuer_certificates)body_choice(body, "issuer_certificates", issuers_choices,
							   ISSUERS_ALL);
	t->issuers_of_recovered = body_true(body, "cas_for_recovered_certificates");
	t->card_serials = body_true(body, "card_serial_number");
	t->serial_from = body_int(body, "serial_number_from", 0);
	t->serial_to = body_int(body, "serial_number_to", -1);
	t->pin = snapshot_pin_procedure(s, pin);
	t->view = snapshot_input_view(s, view);
	if (!doc_id_is_none(pin))
		needs(s, &t->why_not, pin, "PIN procedure");
	if (!doc_id_is_none(view))
		needs(s, &t->why_not, view, "Input view");
	return token_lists(s, body, t, e);
}
