/* From bodies to structs. A body that does not hold gives a struct that says why, and the rest goes on. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/document_impl.h"
#include "policy/names.h"
#include "policy/snapshot_impl.h"

void
cannot(struct arena *a, struct unusable *u, enum code code, const char *text)
{
	const char *copy;

	if (u->code != CHY_NONE)
		return;
	copy = text ? arena_str(a, bytes_str(text)) : NULL;
	*u = (struct unusable){ code, copy ? copy : "" };
}

enum rc
keep(struct arena *a, struct unusable *u, enum rc rc, struct err *why, struct err *e)
{
	if (rc == RC_OK)
		return RC_OK;
	NEED(why->code != CHY_NO_MEMORY, e, CHY_NO_MEMORY, NULL, "snapshot");
	cannot(a, u, why->code, why->field[0] ? arena_printf(a, "%s: %s", why->field, why->text) : why->text);
	return RC_OK;
}

void
needs_there(struct snapshot *s, struct unusable *u, struct doc_id id, const char *what)
{
	if (snapshot_document(s, id) == NULL)
		cannot(s->a, u, CHY_REF_NOTHING, arena_printf(s->a, "its %s is not there", what));
}

void
needs(struct snapshot *s, struct unusable *u, struct doc_id id, const char *what)
{
	const struct document *d = snapshot_document(s, id);

	needs_there(s, u, id, what);
	if (d != NULL && !d->active)
		cannot(s->a, u, CHY_REF_CLOSED,
		       arena_printf(s->a, "%s \"%.*s\" is closed", what, BYTES_FMT(d->name)));
}

#define ROOM(p, e) NEED((p) != NULL, e, CHY_NO_MEMORY, NULL, "snapshot")

/* ---- procedures ---- */

/* What the format fills in cannot be a constant of the procedure too (RFC 5280 4.2: one of each). */
static enum rc
extensions_apart(const struct procedure *p, struct err *e)
{
	char text[OID_TEXT_MAX];

	for (size_t i = 0; i < p->format->input_extensions_n; i++) {
		struct bytes oid = p->format->input_extensions[i].oid;

		for (size_t k = 0; k < p->template_.consts.n; k++)
			NEED(!bytes_eq(p->template_.consts.v[k], oid), e, CHY_FIELD_CONFLICT, NULL,
			     "its format fills in the extension %s, and it has one of its own",
			     oid_text(text, oid));
		NEED(p->split == NULL || !bytes_eq(oid, oid_der(OID_CE_CRL_POINTS)), e, CHY_FIELD_CONFLICT,
		     NULL, "its format fills in the distribution points, and it has a CRL procedure");
	}
	return RC_OK;
}

static enum rc
read_procedure(struct snapshot *s, const struct json *body, struct procedure *p, struct err *e)
{
	struct bytes alg = body_text(body, "signature_algorithm"), backdate = body_text(body, "backdate");
	const char *setting;

	TRY(duration_parse(body_text(body, "validity"), &p->validity, e));
	if (backdate.n > 0)
		TRY(duration_parse(backdate, &p->backdate, e));
	TRY(oids_of(s->a, body_list(body, "extended_key_usage"), NULL, &p->extended_key_usage, e));
	NEED(p->authority != NULL, e, CHY_REF_NOTHING, NULL, "its authority is not there");
	NEED(p->format != NULL, e, CHY_REF_NOTHING, NULL, "its format is not there");
	NEED(p->format->purpose == PURPOSE_END_ENTITY, e, CHY_FIELD_CONFLICT, NULL,
	     "its format is not for certificates of end entities");
	NEED(p->format->why_not.code == CHY_NONE, e, p->format->why_not.code, NULL, "its format: %s",
	     p->format->why_not.text);
	NEED(p->authority->why_not.code == CHY_NONE, e, p->authority->why_not.code, NULL, "its authority: %s",
	     p->authority->why_not.text);
	p->sigalg = alg.n ? sigalg_by_name(alg) : p->authority->sigalg;
	NEED(sigalg_fits(p->sigalg, &p->authority->key_type), e, CHY_ISSUE_SIGNATURE_ALGORITHM, NULL,
	     "its signature algorithm does not fit the authority's key");
	setting = setting_not_open(p->format->doc->body, body);
	NEED(setting == NULL, e, CHY_FIELD_UNAVAILABLE, NULL, "format \"%.*s\" does not open the setting %s",
	     BYTES_FMT(p->format->doc->name), setting);
	TRY(template_of(s, p, &p->template_, e));
	return extensions_apart(p, e);
}

enum rc
authorities_of(struct snapshot *s, const struct json *list, const struct authority ***ret, size_t *n,
	       struct err *e)
{
	*n = 0;
	ROOM(*ret = arena_array(s->a, list ? list->count : 0, sizeof(**ret)), e);
	JSON_EACH(x, list)
	{
		const struct authority *one = snapshot_authority(s, doc_id_of(x->integer));

		if (one != NULL)
			(*ret)[(*n)++] = one;
	}
	return RC_OK;
}

enum rc
rules_of(struct snapshot *s, const struct json *body, const struct doc_id **ret, size_t *n, struct err *e)
{
	const struct json *list = body_list(body, "distribution_rules");
	struct doc_id *ids = arena_array(s->a, list ? list->count : 0, sizeof(*ids));

	ROOM(ids, e);
	*n = 0;
	JSON_EACH(x, list)
	{
		const struct document *rule = snapshot_of_kind(s, KIND_DISTRIBUTION_RULE,
							       doc_id_of(x->integer));

		if (rule != NULL && rule->active)
			ids[(*n)++] = rule->id;
	}
	*ret = ids;
	return RC_OK;
}

/* What is named besides authority and format. */
static enum rc
procedure_references(struct snapshot *s, const struct json *body, struct procedure *p, struct err *e)
{
	struct bytes alg = body_text(body, "key_algorithm");
	struct err why = { 0 };

	TRY(authorities_of(s, body_list(body, "authority_chain"), &p->chain, &p->chain_n, e));
	TRY(rules_of(s, body, &p->rules, &p->rules_n, e));
	TRY(authorities_of(s, body_list(body, "transport_issuers"), &p->transport_issuers,
			   &p->transport_issuers_n, e));
	JSON_EACH(x, body_list(body, "transport_controls"))
	if (x->type == JSON_STR && choice_index(transport_choices, x->str) >= 0)
		p->transport_controls |= 1u << choice_index(transport_choices, x->str);
	TRY(keep(s->a, &p->why_not, key_type_parse(alg.n ? alg : BYTES("p-256"), &p->key_type, &why), &why,
		 e));
	p->crl = snapshot_crl_procedure(s, body_ref(body, "crl_procedure"));
	if (json_get(body, "crl_procedure") != NULL)
		needs(s, &p->why_not, body_ref(body, "crl_procedure"), "CRL procedure");
	return RC_OK;
}

static enum rc
procedure_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;
	struct procedure *p = arena_one(s->a, struct procedure);
	struct err why = { 0 };

	ROOM(p, e);
	slot->compiled = p;
	slot->why_not = &p->why_not;
	p->doc = &slot->doc;
	p->authority = snapshot_authority(s, body_ref(body, "authority"));
	p->format = snapshot_format(s, body_ref(body, "format"));
	JSON_EACH(x, body_list(body, "key_usage"))
	if (choice_index(key_usage_choices, x->str) >= 0)
		p->key_usage |= (uint16_t)(1u << choice_index(key_usage_choices, x->str));
	p->extended_critical = body_true(body, "extended_key_usage_critical");
	p->cut = body_choice(body, "beyond_authority", beyond_choices, 0) == 0;
	p->requested_validity = json_get(body, "requested_validity") == NULL ||
	    body_true(body, "requested_validity");
	TRY(procedure_references(s, body, p, e));
	return keep(s->a, &p->why_not, read_procedure(s, body, p, &why), &why, e);
}

/* ---- officers ---- */

static void
take_profile(struct officer *o, const struct document *profile)
{
	o->profile = profile->id;
	o->profile_version = profile->version;
	o->profile_name = profile->name;
	o->roles = body_roles(profile->body);
	o->issuer_constraints = body_list(profile->body, "issuer_constraints");
	o->entity = (enum entity_type)body_choice(profile->body, "entity_type", entity_choices,
						  ENTITY_STATIC_TOKEN);
}

static bool
fingerprint_of(struct arena *a, const struct json *x, uint8_t ret[FINGERPRINT_LEN])
{
	struct bytes octets = BYTES_NONE;

	if (x == NULL || x->type != JSON_STR || hex_parse(a, x->str, &octets, NULL) != RC_OK ||
	    octets.n != FINGERPRINT_LEN)
		return false;
	memcpy(ret, octets.p, FINGERPRINT_LEN);
	return true;
}

static enum rc
take_keys(struct arena *a, struct officer *o, const struct json *own, const struct json *archived,
	  struct err *e)
{
	size_t most = (own ? own->count : 0) + (archived ? archived->count : 0);
	uint8_t(*keys)[FINGERPRINT_LEN] = arena_array(a, most + 1, sizeof(*keys));

	ROOM(keys, e);
	o->keys_n = 0;
	JSON_EACH(x, own)
	o->keys_n += fingerprint_of(a, x, keys[o->keys_n]);
	o->binding_n = o->keys_n;
	JSON_EACH(x, archived)
	o->keys_n += fingerprint_of(a, x, keys[o->keys_n]);
	o->keys = (const uint8_t(*)[FINGERPRINT_LEN])keys;
	return RC_OK;
}

enum rc
officer_take_binding(struct arena *a, const struct json *body, struct officer *o, bool *ret_bound,
		     struct err *e)
{
	struct name subject;
	struct err why = { 0 };

	o->token = body_text(body, "token");
	o->subject = body_text(body, "subject");
	o->subject_der = BYTES_NONE;
	o->certificate = body_int(body, "certificate", 0);
	o->certificate_procedure = body_int(body, "certificate_procedure", 0);
	memset(o->fingerprint, 0, sizeof(o->fingerprint));
	*ret_bound = fingerprint_of(a, json_get(body, "certificate_sha256"), o->fingerprint);
	if (o->subject.n > 0) {
		if (name_from_text(a, o->subject, &subject, &why) == RC_OK)
			o->subject_der = subject.der;
		NEED(why.rc != RC_NOMEM, e, CHY_NO_MEMORY, NULL, "an officer");
	}
	return take_keys(a, o, body_list(body, "keys"), body_list(body, "archived_keys"), e);
}

static enum rc
officer_compile(struct snapshot *s, struct slot *slot, struct err *e)
{
	const struct json *body = slot->doc.body;
	const struct document *profile = snapshot_of_kind(s, KIND_OFFICER_PROFILE, body_ref(body, "profile"));
	struct officer *o = arena_one(s->a, struct officer);
	struct err why = { 0 };
	bool bound;

	ROOM(o, e);
	slot->compiled = o;
	o->id = doc_officer(slot->doc.id);
	o->version = slot->doc.version;
	o->name = slot->doc.name;
	o->domain = slot->doc.domain;
	o->boot = body_true(body, "boot");
	TRY(officer_take_binding(s->a, body, o, &bound, e));
	if (profile != NULL)
		take_profile(o, profile);
	if (profile != NULL && names_value(s->a, profile->body, &o->name_constraints, &why) != RC_OK)
		NEED(why.rc != RC_NOMEM, e, CHY_NO_MEMORY, NULL, "an officer");
	o->why_not = !slot->doc.active ? "the officer is closed"
	    : profile == NULL          ? "the officer has no profile"
	    : !profile->active         ? "the officer's profile is closed"
	    : why.code != CHY_NONE     ? "the name constraints of the officer's profile do not hold"
	    : !bound                   ? "the officer has no certificate"
				       : NULL;
	o->active = o->why_not == NULL;
	return RC_OK;
}

/* As long as an officer of the boot ceremony may act, the installation is not in production. */
static void
note_boot(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct officer *o = s->slots[i].compiled;

		if (s->slots[i].doc.kind == KIND_OFFICER && o->boot && o->active)
			s->boot = &s->slots[i].doc;
	}
}

/* ---- all, in the order in which they need each other ---- */

static enum rc
compile_kind(struct snapshot *s, enum kind_id kind, compile_fn *fn, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->slots[i].doc.kind == kind)
			TRY(fn(s, &s->slots[i], e));
	return RC_OK;
}

enum rc
compile_all(struct snapshot *s, const struct authority_facts *facts, size_t facts_n, struct err *e)
{
	TRY(compile_kind(s, KIND_FORMAT, format_compile, e));
	TRY(compile_authorities(s, facts, facts_n, e));
	TRY(compile_kind(s, KIND_CRL_PROCEDURE, crl_procedure_compile, e));
	TRY(link_crls(s, e));
	TRY(compile_kind(s, KIND_CIL_PROCEDURE, cil_procedure_compile, e));
	TRY(compile_kind(s, KIND_CERTIFICATE_PROCEDURE, procedure_compile, e));
	TRY(compile_kind(s, KIND_KEY_PROCEDURE, key_procedure_compile, e));
	TRY(compile_kind(s, KIND_PIN_PROCEDURE, pin_procedure_compile, e));
	TRY(compile_kind(s, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, ac_procedure_compile, e));
	TRY(compile_kind(s, KIND_INPUT_VIEW, input_view_compile, e));
	TRY(compile_kind(s, KIND_TOKEN_PROCEDURE, token_compile, e));
	TRY(compile_kind(s, KIND_OFFICER, officer_compile, e));
	note_boot(s);
	return RC_OK;
}

const char *
storage_profile_name(enum storage_profile p)
{
	return (unsigned)p <= STORAGE_ATTRIBUTE_CERTIFICATE_FILE ? storage_choices[p].name : "";
}
