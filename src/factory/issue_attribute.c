#include "base/base.h"
#include "factory/issue_attribute.h"

#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/rand.h"
#include "factory/ca_keys.h"
#include "factory/leaf.h"
#include "pki/cert.h"
#include "policy/body.h"
#include "policy/issue_attribute.h"
#include "store/read.h"

enum { LEAF_MAX = 12 << 10 };

/* ---- the base ---- */

enum rc
ac_base_load(struct factory *f, struct arena *a, int64_t certificate, struct ac_base *ret, struct err *e)
{
	struct certificate_row row;
	struct bytes der;
	struct cert cert;
	const struct ext *usage;
	uint32_t bits = 0;

	TRY(store_certificate(f->store, a, certificate, &row, e));
	*ret = (struct ac_base){ .id = row.id,
				 .authority = doc_id_of(row.issuer),
				 .token_procedure = doc_id_of(row.token_procedure),
				 .is_ca = row.authority != 0,
				 .is_ac = row.base != 0,
				 .held = row.status == CERTIFICATE_HELD,
				 .revoked = row.status == CERTIFICATE_REVOKED,
				 .subject = row.subject,
				 .not_before_ms = row.not_before,
				 .not_after_ms = row.not_after };
	if (ret->is_ac)
		return RC_OK;
	TRY(store_der(f->store, a, row.id, &der, e));
	TRY(cert_parse(a, der, &cert, e));
	ret->issuer = cert.issuer;
	ret->serial = cert.serial;
	usage = exts_find(&cert.exts, OID_CE_KEY_USAGE);
	if (usage != NULL)
		TRY(ext_key_usage(usage->value, &bits, e));
	ret->key_usage = (uint16_t)bits;
	return RC_OK;
}

/* ---- which attributes for which procedure ---- */

static bool
has_place(const struct ac_procedure *p, struct bytes type)
{
	JSON_EACH(x, p->format ? body_list(p->format->doc->body, "attributes") : NULL)
	if (bytes_eq(body_text(x, "type"), type))
		return true;
	return false;
}

const struct json *
ac_attributes_for(struct arena *a, const struct token_procedure *t, size_t which, const struct json *asked)
{
	struct json *list = json_array(a);

	JSON_EACH(x, asked)
	{
		struct bytes type = body_text(x, "type");
		bool any = false;

		for (size_t i = 0; i < t->acs_n; i++)
			any = any || has_place(t->acs[i], type);
		if (has_place(t->acs[which], type) || (!any && which == 0))
			json_add(list, json_copy(a, x));
	}
	return list;
}

/* ---- what the journal says of it ---- */

static struct json *
procedures_json(struct arena *a, const struct ac_decision *d)
{
	struct json *o = json_object(a);

	json_set(o, "attribute", json_version(a, d->procedure_version));
	json_set(o, "authority", json_version(a, d->authority_version));
	json_set(o, "format", json_version(a, d->format_version));
	json_set(o, "token", json_version(a, d->token_version));
	return o;
}

static void
put_rules(struct arena *a, struct json *m, const struct rule_trace *t)
{
	struct json *rules = json_array(a), *notes = json_array(a);

	for (size_t i = 0; i < t->n; i++) {
		struct json *note = json_array(a);

		json_add(rules, json_str(a, bytes_str(t->v[i].rule)));
		if (t->v[i].note == NULL)
			continue;
		json_add(note, json_str(a, bytes_str(t->v[i].rule)));
		json_add(note, json_str(a, bytes_str(t->v[i].note)));
		json_add(notes, note);
	}
	json_set(m, "notes", notes);
	json_set(m, "rules", rules);
}

static enum rc
leaf_body(struct arena *a, const struct ac_facts *facts, const struct ac_decision *d,
	  const struct ac_word *word, int64_t id, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LEAF_MAX);
	struct json *m = json_object(a);

	json_set(m, "at", json_time(a, facts->now_ms));
	json_set(m, "base", json_int(a, word->base));
	json_set(m, "by", word->session.v ? by_session(a, word->session) : by_request(a, word->request));
	json_set(m, "certificate", json_null(a));
	json_set(m, "id", json_int(a, id));
	json_set(m, "kind", json_str(a, BYTES("attribute-certificate")));
	json_set(m, "procedures", procedures_json(a, d));
	put_rules(a, m, &d->trace);
	json_set(m, "with_base", json_bool(a, word->with_base));
	json_put_canonical(&text, m);
	*ret = arena_dup(a, buf_bytes(&text));
	NEED(buf_ok(&text) && ret->p != NULL, e, CHY_LIMIT, NULL, "what is to be recorded exceeds %d octets",
	     LEAF_MAX);
	return RC_OK;
}

/* ---- the way ---- */

void
ac_facts_here(const struct factory *f, struct ac_facts *facts)
{
	memcpy(facts->audit_key, f->audit_key, sizeof(facts->audit_key));
	facts->hmac = hmac_sha256;
}

static enum rc
fix_context(struct arena *a, struct ac_plan *p, struct err *e)
{
	OWN_BUF struct buf context = buf_max(LIMIT_CONTEXT);

	TRY(pending_put(&context, &p->pending, e));
	p->context = arena_dup(a, buf_bytes(&context));
	NEED(p->context.p != NULL, e, CHY_NO_MEMORY, NULL, "the context of a signature");
	return RC_OK;
}

enum rc
ac_plan_make(struct factory *f, struct arena *a, const struct ac_facts *facts, const struct ac_word *word,
	     struct ac_plan *ret, const char **ret_rule, struct err *e)
{
	const struct ac_decision *d = &ret->decision;
	struct ac_facts own = *facts;
	enum rc rc;

	TRY(rand_bytes(own.random, sizeof(own.random), e));
	ac_facts_here(f, &own);
	rc = decide_attribute_certificate(a, &own, &ret->decision, e);
	if (rc != RC_OK) {
		if (ret_rule != NULL && d->trace.n > 0)
			*ret_rule = d->trace.v[d->trace.n - 1].rule;
		return rc;
	}
	TRY(ac_decision_tbs(a, d, &ret->tbs, e));
	ret->pending = (struct pending){ .id = factory_new_id(f),
					 .issuer = d->authority_version.id.v,
					 .base = word->base,
					 .with_base = word->with_base,
					 .token_procedure = d->token_version.id.v,
					 .certificate_procedure = d->procedure_version.id.v,
					 .request = word->session.v ? 0 : word->request.v,
					 .session = word->session.v,
					 .sigalg = d->inputs.sigalg,
					 .holder = facts->base->subject };
	TRY(leaf_body(a, &own, d, word, ret->pending.id, &ret->pending.leaf, e));
	if (d->procedure->rules_n > 0 && !word->unpublished)
		TRY(pending_deliver(f, a, d->procedure->rules, d->procedure->rules_n, &ret->pending, e));
	return fix_context(a, ret, e);
}

void
ac_plan_request(const struct ac_plan *p, char *label, struct sign_cert *ret)
{
	*ret = (struct sign_cert){ .key = key_label(p->decision.authority->key, label),
				   .alg = p->decision.inputs.sigalg,
				   .tbs = p->tbs,
				   .context = p->context,
				   .ac = true };
}

enum rc
ac_plan_sign(struct factory *f, struct arena *a, struct ac_plan *p, struct err *e)
{
	char label[KEY_LABEL_MAX];
	struct signed_cert got;
	struct sign_cert ask;
	enum rc rc;

	ac_plan_request(p, label, &ask);
	FAULT("factory.before-sign-attribute");
	rc = signer_sign_cert_sync(f->signer, &ask, SIGNER_WAIT_MS, a, &got, e);
	if (rc == RC_PEER) /* whether it was signed is unknown */
		doubt_raise(&f->doubt);
	TRY(rc);
	FAULT("factory.after-sign-attribute");
	p->signature = got.signature;
	return RC_OK;
}

enum rc
ac_plan_add(struct arena *a, struct ac_plan *p, struct change *c, struct err *e)
{
	return pending_add(a, &p->pending, p->tbs, p->signature, c, &p->done, e);
}
