#include "base/base.h"
#include "policy/issue_attribute_impl.h"

#include "model/choices.h"
#include "policy/body.h"
#include "policy/find.h"
#include "policy/rules.h"

/* In the order of ac_attribute_choices. */
static const enum oid types[] = { OID_ACA_ROLE, OID_ACA_GROUP, OID_ACA_CHARGING_IDENTITY,
				  OID_ACA_ACCESS_IDENTITY, OID_ACA_CLEARANCE };

enum rc
ac_attr_of_json(struct arena *a, const struct json *x, struct ac_attr *ret, struct err *e)
{
	int type = body_choice(x, "type", ac_attribute_choices, -1);
	struct json *list;
	struct bytes *texts;
	size_t n = 0;

	if (type < 0 || type >= (int)ARRAY_LEN(types)) {
		err_field(e, "type");
		FAIL(e, CHY_FIELD_CHOICE, "RFC 5755 4.4", "no attribute that is known");
	}
	TRY(json_need_array(x, "values", &list, e));
	texts = arena_array(a, list->count, sizeof(*texts));
	NEED(texts != NULL, e, CHY_NO_MEMORY, NULL, "attributes");
	JSON_EACH(v, list)
	{
		NEED(v->type == JSON_STR, e, CHY_JSON_TYPE, NULL, "a value is a text");
		texts[n++] = v->str;
	}
	return ac_attr_from_text(a, oid_der(types[type]), NULL, texts, n, ret, e);
}

/* ---- who asks, by what ---- */

enum rc
ac_token_procedure(const struct snapshot *s, const struct officer *o, struct bytes name,
		   const struct token_procedure **ret, struct err *e)
{
	const struct token_procedure *t;
	const struct document *d;
	struct err why = { 0 };

	TRY(may_role(o, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_ATTRIBUTE_CERTIFICATE), e));
	if (find_document(s, KIND_TOKEN_PROCEDURE, name, o->domain, &d, &why) != RC_OK) {
		err_field(e, "token_procedure");
		FAIL(e, why.code == CHY_REF_NOTHING ? CHY_ISSUE_TOKEN_PROCEDURE : why.code, NULL, "%s",
		     why.text);
	}
	TRY_AT(may_read(s, o, d, e), e, "token_procedure");
	t = snapshot_token_procedure(s, d->id);
	err_field(e, "token_procedure");
	NEED(d->active, e, CHY_ISSUE_TOKEN_CLOSED, NULL, "token procedure \"%.*s\" is closed",
	     BYTES_FMT(d->name));
	NEED(t->why_not.code == CHY_NONE, e, CHY_ISSUE_UNUSABLE, NULL, "token procedure \"%.*s\": %s",
	     BYTES_FMT(d->name), t->why_not.text);
	NEED(t->storage == STORAGE_ATTRIBUTE_CERTIFICATE_FILE, e, CHY_AC_TOKEN, NULL,
	     "token procedure \"%.*s\" has the storage profile %s", BYTES_FMT(d->name),
	     storage_profile_name(t->storage));
	err_clear(e);
	*ret = t;
	return RC_OK;
}

static enum rc
rule_officer(struct attributing *i)
{
	i->officer = snapshot_officer(i->f->policy, i->f->officer);
	TRY(may_act(i->officer, i->f->credential, i->f->now_ms, i->e));
	return may_role(i->officer, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_ATTRIBUTE_CERTIFICATE), i->e);
}

static enum rc
rule_token_procedure(struct attributing *i)
{
	const struct token_procedure *t = i->f->with;

	if (t == NULL)
		TRY(ac_token_procedure(i->f->policy, i->officer, i->f->token_procedure, &t, i->e));
	NEED(i->f->which < t->acs_n, i->e, CHY_INTERNAL, NULL, "no such attribute certificate procedure");
	i->d->token_procedure = t;
	i->d->token_version = doc_version_of(t->doc);
	i->d->procedure = t->acs[i->f->which];
	return RC_OK;
}

static enum rc
rule_procedure(struct attributing *i)
{
	const struct ac_procedure *p = i->d->procedure;

	i->d->procedure_version = doc_version_of(p->doc);
	REFUSE_IF(!p->doc->active, i, "attribute_certificate_procedure", CHY_AC_PROCEDURE_CLOSED, NULL,
		  "attribute certificate procedure \"%.*s\" is closed", BYTES_FMT(p->doc->name));
	REFUSE_IF(p->authority != NULL && !p->authority->doc->active, i, "authority",
		  CHY_ISSUE_AUTHORITY_CLOSED, NULL, "authority \"%.*s\" is closed",
		  BYTES_FMT(p->authority->doc->name));
	REFUSE_IF(p->format != NULL && !p->format->doc->active, i, "format", CHY_ISSUE_FORMAT_CLOSED, NULL,
		  "format \"%.*s\" is closed", BYTES_FMT(p->format->doc->name));
	REFUSE_IF(p->why_not.code != CHY_NONE, i, "attribute_certificate_procedure", CHY_ISSUE_UNUSABLE, NULL,
		  "attribute certificate procedure \"%.*s\": CHY-%d %s", BYTES_FMT(p->doc->name),
		  (int)p->why_not.code, p->why_not.text);
	return RC_OK;
}

/* The bit that RFC 5755 4.5 wants in the issuer's certificate; a certificate without key usage allows all. */
static enum rc
may_sign_acs(struct attributing *i, const struct authority *x, bool *ret)
{
	const struct ext *usage;
	uint32_t bits = USAGE_ALL;
	struct cert c;

	TRY(cert_parse(i->a, x->certificate, &c, i->e));
	usage = exts_find(&c.exts, OID_CE_KEY_USAGE);
	if (usage != NULL)
		TRY(ext_key_usage(usage->value, &bits, i->e));
	*ret = (bits & USAGE_DIGITAL_SIGNATURE) && body_true(x->doc->body, "attribute_certificates");
	return RC_OK;
}

static enum rc
rule_authority(struct attributing *i)
{
	const struct authority *x = i->d->authority = i->d->procedure->authority;
	const struct document *f = i->d->procedure->format->doc;
	bool may = false;

	i->d->format_version = doc_version_of(f);
	i->d->authority_version = doc_version_of(x->doc);
	REFUSE_IF(i->f->now_ms < x->not_before_ms || i->f->now_ms > x->not_after_ms, i, "authority",
		  CHY_ISSUE_AUTHORITY_EXPIRED, "RFC 5755 4.5",
		  "the certificate of authority \"%.*s\" is not valid now", BYTES_FMT(x->doc->name));
	TRY(may_sign_acs(i, x, &may));
	REFUSE_IF(!may, i, "authority", CHY_AC_AUTHORITY, "RFC 5755 4.5",
		  "authority \"%.*s\" is not set up for attribute certificates", BYTES_FMT(x->doc->name));
	return may_issue_by(i->a, i->officer, x->subject_in_force, i->e);
}

/* In this order: who, by what, about whom, what goes into it. Names are for ever. */
#define RULES(X) \
	X("officer", rule_officer) \
	X("token-procedure", rule_token_procedure) \
	X("attribute-certificate-procedure", rule_procedure) \
	X("authority", rule_authority) \
	X("base-visible", rule_base_visible) \
	X("base-kind", rule_base_kind) \
	X("base-state", rule_base_state) \
	X("base-key-usage", rule_base_usage) \
	X("attributes", rule_ac_attributes) \
	X("audit-identity", rule_ac_audit_identity) \
	X("validity", rule_ac_validity) \
	X("serial-number", rule_ac_serial)

RULE_TABLE(attributing_fn, RULES);
RULE_NAMES(ac_rules, RULES)

static void
fill_in(struct attributing *i)
{
	struct ac_inputs *in = &i->d->inputs;

	in->sigalg = i->d->procedure->sigalg;
	in->issuer = i->d->authority->subject_in_force;
	in->base_issuer = i->f->base->issuer;
	in->base_serial = i->f->base->serial;
	in->not_before_at = i->d->not_before_ms;
	in->not_after_at = i->d->not_after_ms;
	if (in->exts.n == 0) /* else a rule has made them */
		in->exts = i->d->procedure->exts;
}

enum rc
decide_attribute_certificate(struct arena *a, const struct ac_facts *f, struct ac_decision *ret,
			     struct err *e)
{
	struct err own = { 0 };
	struct attributing i = { .a = a, .f = f, .d = ret, .e = e ? e : &own };

	*ret = (struct ac_decision){ .token_procedure = NULL };
	TRY(trace_start(a, &ret->trace, ARRAY_LEN(rules), i.e));
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		enum rc rc;

		i.note = NULL;
		rc = rules[k].fn(&i);
		TRY(trace_rule(a, &ret->trace, rules[k].name, rc, i.note, i.e));
	}
	fill_in(&i);
	return RC_OK;
}

enum rc
ac_decision_tbs(struct arena *a, const struct ac_decision *d, struct bytes *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	NEED(d->procedure != NULL, e, CHY_INTERNAL, NULL, "no decision");
	TRY(ac_tbs_build(&d->inputs, &w, e));
	return dw_dup(&w, a, ret, e);
}
