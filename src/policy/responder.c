/* The certificate of an authority's OCSP responder: issued by that authority, renewed by itself. */
#include "base/base.h"
#include "policy/body.h"
#include "policy/issue_impl.h"
#include "policy/names.h"
#include "policy/ocsp.h"
#include "policy/snapshot_impl.h"

enum { BACKDATE_MS = 3600000 }; /* relying parties' clocks may go slow */

struct appointing {
	struct arena *a;
	const struct responder_facts *f;
	struct responder_decision *d;
	struct err *e;
};

/* A closed authority too: what it has issued is answered for as long as its certificate lasts. */
static enum rc
rule_authority(struct appointing *x)
{
	const struct authority *own = snapshot_authority(x->f->policy, x->f->authority);

	REFUSE_IF(own == NULL, x, "authority", CHY_REF_NOTHING, NULL, "there is no authority %lld",
		  (long long)x->f->authority.v);
	x->d->authority = own;
	x->d->sigalg = own->sigalg;
	REFUSE_IF(!own->ocsp.on, x, "ocsp", CHY_OCSP_OFF, NULL, "authority \"%.*s\" does not answer OCSP",
		  BYTES_FMT(own->doc->name));
	REFUSE_FOR(own->why_not.code != CHY_NONE, own->why_not.code, x, "authority", CHY_ISSUE_UNUSABLE, NULL,
		   "authority \"%.*s\": %s", BYTES_FMT(own->doc->name), own->why_not.text);
	return RC_OK;
}

const struct document *
status_node_of(const struct snapshot *policy, struct bytes key_sha256)
{
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_STATUS_NODE, &all);

	for (size_t i = 0; i < n; i++)
		if (all[i]->active && bytes_eq(body_text(all[i]->body, "key_sha256"), key_sha256))
			return all[i];
	return NULL;
}

bool
status_node_answers(const struct snapshot *policy, const struct document *node,
		    const struct authority *authority)
{
	return node->active && domain_is_above(policy, node->domain, authority->doc->domain);
}

static enum rc
rule_node(struct appointing *x)
{
	const struct document *node = x->f->node;

	REFUSE_IF(node != NULL && !status_node_answers(x->f->policy, node, x->d->authority), x, "node",
		  CHY_NODE_FOREIGN, NULL, "status node \"%.*s\" does not answer for authority \"%.*s\"",
		  BYTES_FMT(node->name), BYTES_FMT(x->d->authority->doc->name));
	return RC_OK;
}

static enum rc
rule_key(struct appointing *x)
{
	struct key_type want, got;
	struct pubkey key;

	TRY(key_type_parse(x->d->authority->ocsp.key_algorithm, &want, x->e));
	TRY_AT(pubkey_parse(x->f->spki, &key, x->e), x->e, "key");
	got = pubkey_type(&key);
	REFUSE_IF(got.alg != want.alg || got.curve != want.curve ||
		      (want.alg == KEY_RSA && got.bits != want.bits),
		  x, "ocsp_key_algorithm", CHY_ISSUE_KEY_ALGORITHM, NULL,
		  "the key is not of the algorithm that the authority says");
	REFUSE_IF(bytes_eq(x->f->key_id, x->d->authority->key_id), x, "key", CHY_ISSUE_OWN_KEY, NULL,
		  "it is the authority's own key");
	return RC_OK;
}

/* The authority's own name with one part more: whatever holds for names below the authority holds for it. */
static enum rc
rule_name(struct appointing *x)
{
	struct bytes above = x->d->authority->subject_in_force, contents;
	struct der d = der_of(above, x->e);
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	contents = der_take(&d, DER_SEQUENCE);
	TRY(der_end(&d));
	dw_tlv(&w, DER_UTF8, BYTES("OCSP responder"));
	dw_oid(&w, oid_der(OID_AT_CN));
	dw_wrap(&w, DER_SEQUENCE, 0);
	dw_wrap(&w, DER_SET, 0);
	dw_put(&w, contents);
	dw_wrap(&w, DER_SEQUENCE, 0);
	TRY(dw_dup(&w, x->a, &x->d->subject, x->e));
	TRY_AT(names_allowed(x->a, x->d->authority, x->d->subject, NULL, false, x->e), x->e, "subject");
	return RC_OK;
}

static enum rc
rule_period(struct appointing *x)
{
	const struct authority *own = x->d->authority;
	int64_t now = x->f->now_ms - x->f->now_ms % 1000;

	REFUSE_IF(now < own->not_before_ms || now > own->not_after_ms, x, "authority",
		  CHY_ISSUE_AUTHORITY_EXPIRED, "RFC 5280 6.1.3",
		  "the certificate of authority \"%.*s\" is not valid now", BYTES_FMT(own->doc->name));
	x->d->not_before_ms = now - BACKDATE_MS > own->not_before_ms ? now - BACKDATE_MS : own->not_before_ms;
	x->d->not_after_ms = duration_add(now, own->ocsp.certificate_) - 1000;
	if (x->d->not_after_ms > own->not_after_ms)
		x->d->not_after_ms = own->not_after_ms;
	return RC_OK;
}

static enum rc
rule_number(struct appointing *x)
{
	return serial_make(x->d->serial, x->f->now_ms, x->f->random, x->e);
}

static enum rc
specs_of(struct appointing *x, struct specs *s)
{
	struct bytes *purpose = arena_one(x->a, struct bytes);
	struct ext_value aki = { .kind = OID_CE_AUTHORITY_KEY_ID,
				 .aki = { .key_id = x->d->authority->key_id } };
	struct ext_value usage = { .kind = OID_CE_KEY_USAGE,
				   .critical = true,
				   .key_usage = USAGE_DIGITAL_SIGNATURE };
	struct ext_value extended = { .kind = OID_CE_EXT_KEY_USAGE };
	struct ext_value no_check = { .kind = OID_PE_OCSP_NOCHECK };

	ROOM(purpose, x);
	*purpose = oid_der(OID_EKU_OCSP_SIGNING);
	extended.eku = (struct oids){ .v = purpose, .n = 1 };
	TRY(specs_add(x->a, s, &aki, x->e));
	TRY(specs_slot(s, SLOT_SKI, x->e));
	TRY(specs_add(x->a, s, &usage, x->e));
	TRY(specs_add(x->a, s, &extended, x->e));
	return specs_add(x->a, s, &no_check, x->e);
}

static enum rc
build(struct appointing *x)
{
	struct specs s = { .n = 0 };
	struct cert_template t;
	struct cert_inputs in = { .serial = BYTES_OF(x->d->serial),
				  .not_before_at = x->d->not_before_ms,
				  .not_after_at = x->d->not_after_ms,
				  .subject = x->d->subject,
				  .spki = x->f->spki,
				  .key_id = x->f->key_id };
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	TRY(specs_of(x, &s));
	TRY(cert_template_build(x->a, x->d->sigalg, x->d->authority->subject_in_force, s.v, s.n, &t, x->e));
	TRY(cert_tbs_build(&t, &in, &w, x->e));
	return dw_dup(&w, x->a, &x->d->tbs, x->e);
}

static const struct {
	const char *name;
	enum rc (*fn)(struct appointing *x);
} rules[] = {
	{ "authority", rule_authority }, { "node", rule_node },       { "key", rule_key },
	{ "subject", rule_name },        { "validity", rule_period }, { "serial-number", rule_number },
};

enum rc
decide_responder(struct arena *a, const struct responder_facts *f, struct responder_decision *ret,
		 struct err *e)
{
	struct err own = { 0 };
	struct appointing x = { .a = a, .f = f, .d = ret, .e = e ? e : &own };

	*ret = (struct responder_decision){ .authority = NULL };
	TRY(trace_start(a, &ret->trace, ARRAY_LEN(rules), x.e));
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		enum rc rc = rules[k].fn(&x);

		TRY(trace_rule(a, &ret->trace, rules[k].name, rc, NULL, x.e));
	}
	return build(&x);
}
