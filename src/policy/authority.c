/* An authority's own certificate: of a root by itself, of a subordinate by the authority above it. */
#include "base/base.h"
#include "policy/body.h"
#include "policy/issue_impl.h"
#include "policy/names.h"
#include "policy/snapshot_impl.h"

struct founding {
	struct arena *a;
	const struct authority_issue_facts *f;
	struct authority_decision *d;
	struct err *e;
};

typedef enum rc founding_fn(struct founding *x);

static bool
is_root(const struct founding *x)
{
	return x->d->authority->type == AUTHORITY_ROOT;
}

static enum rc
rule_document(struct founding *x)
{
	const struct authority *own = snapshot_authority(x->f->policy, x->f->authority);

	REFUSE_IF(own == NULL, x, "authority", CHY_REF_NOTHING, NULL, "there is no authority %lld",
		  (long long)x->f->authority.v);
	x->d->authority = own;
	REFUSE_IF(!own->doc->active, x, "authority", CHY_ISSUE_AUTHORITY_CLOSED, NULL,
		  "authority \"%.*s\" is closed", BYTES_FMT(own->doc->name));
	REFUSE_IF(own->type == AUTHORITY_EXTERNAL_ROOT || own->type == AUTHORITY_EXTERNAL_SUBORDINATE, x,
		  "authority", CHY_AUTHORITY_NO_RENEWAL, NULL,
		  "the certificate of authority \"%.*s\" is a foreign CA's to issue",
		  BYTES_FMT(own->doc->name));
	REFUSE_FOR(own->why_not.code != CHY_NONE && own->why_not.code != CHY_ISSUE_AUTHORITY_NOT_READY &&
		       own->why_not.code != CHY_AUTHORITY_FOREIGN,
		   own->why_not.code, x, "authority", CHY_ISSUE_UNUSABLE, NULL, "authority \"%.*s\": %s",
		   BYTES_FMT(own->doc->name), own->why_not.text);
	return RC_OK;
}

static enum rc
rule_issuer(struct founding *x)
{
	const struct authority *up = x->d->issuer = is_root(x) ? x->d->authority : x->d->authority->issuer;

	REFUSE_IF(up == NULL, x, "issuing_authority", CHY_REF_NOTHING, NULL,
		  "its issuing authority is not there");
	x->d->sigalg = up->sigalg;
	if (is_root(x))
		return RC_OK;
	REFUSE_IF(!up->doc->active, x, "issuing_authority", CHY_ISSUE_AUTHORITY_CLOSED, NULL,
		  "authority \"%.*s\" is closed", BYTES_FMT(up->doc->name));
	REFUSE_FOR(up->why_not.code != CHY_NONE, up->why_not.code, x, "issuing_authority",
		   up->why_not.code == CHY_ISSUE_AUTHORITY_NOT_READY ? CHY_ISSUE_AUTHORITY_NOT_READY
								     : CHY_ISSUE_UNUSABLE,
		   NULL, "authority \"%.*s\": %s", BYTES_FMT(up->doc->name), up->why_not.text);
	REFUSE_IF(x->f->now_ms < up->not_before_ms || x->f->now_ms > up->not_after_ms, x, "issuing_authority",
		  CHY_ISSUE_AUTHORITY_EXPIRED, "RFC 5280 6.1.3",
		  "the certificate of authority \"%.*s\" is not valid now", BYTES_FMT(up->doc->name));
	return RC_OK;
}

static int
path_len_of(const struct authority *own)
{
	return (int)body_int(own->doc->body, "path_length", -1);
}

static enum rc
rule_path(struct founding *x)
{
	int own = path_len_of(x->d->authority), up = is_root(x) ? -1 : x->d->issuer->path_len;

	x->d->path_len = own;
	REFUSE_IF(up == 0 || (up > 0 && (own < 0 || own >= up)), x, "path_length", CHY_AUTHORITY_PATH_LENGTH,
		  "RFC 5280 4.2.1.9", "below authority \"%.*s\" it must be less than %d",
		  BYTES_FMT(x->d->issuer->doc->name), up);
	return RC_OK;
}

/* The key that came is the one of the ca-key document, and not the issuer's. */
static enum rc
rule_key(struct founding *x)
{
	const struct key_type want = x->d->authority->key_type;
	struct key_type got;
	struct pubkey key;

	TRY_AT(pubkey_parse(x->f->spki, &key, x->e), x->e, "ca_key");
	got = pubkey_type(&key);
	REFUSE_IF(got.alg != want.alg || got.curve != want.curve ||
		      (want.alg == KEY_RSA && got.bits != want.bits),
		  x, "ca_key", CHY_ISSUE_KEY_ALGORITHM, NULL,
		  "the key is not of the algorithm that its document says");
	REFUSE_IF(!is_root(x) && bytes_eq(x->f->key_id, x->d->issuer->key_id), x, "ca_key", CHY_ISSUE_OWN_KEY,
		  NULL, "it is the key of authority \"%.*s\"", BYTES_FMT(x->d->issuer->doc->name));
	return RC_OK;
}

static enum rc
rule_own_subject(struct founding *x)
{
	const struct authority *own = x->d->authority;

	REFUSE_IF(name_is_empty(own->subject), x, "subject", CHY_SUBJECT_EMPTY, "RFC 5280 4.1.2.6",
		  "an authority needs a subject");
	REFUSE_IF(!is_root(x) && name_eq(own->subject, x->d->issuer->subject_in_force), x, "subject",
		  CHY_SUBJECT_VALUE, "RFC 5280 4.1.2.6", "it is the issuing authority's subject");
	return RC_OK;
}

/* What stands above binds the names of authorities too. */
static enum rc
rule_constraints(struct founding *x)
{
	if (is_root(x))
		return RC_OK;
	TRY_AT(names_allowed(x->a, x->d->issuer, x->d->authority->subject, NULL, true, x->e), x->e,
	       "subject");
	return RC_OK;
}

static enum rc
rule_period(struct founding *x)
{
	const struct json *body = x->d->authority->doc->body;
	struct bytes from = body_text(body, "not_before"), to = body_text(body, "not_after"),
		     span = body_text(body, "validity");
	struct duration d = { 0 };

	x->d->not_before_ms = x->f->now_ms - x->f->now_ms % 1000;
	if (from.n > 0)
		TRY_AT(time_parse(from, &x->d->not_before_ms, x->e), x->e, "not_before");
	if (span.n > 0)
		TRY_AT(duration_parse(span, &d, x->e), x->e, "validity");
	x->d->not_after_ms = duration_add(x->d->not_before_ms, d) - 1000;
	if (to.n > 0)
		TRY_AT(time_parse(to, &x->d->not_after_ms, x->e), x->e, "not_after");
	REFUSE_IF(x->d->not_after_ms <= x->d->not_before_ms || x->d->not_after_ms <= x->f->now_ms, x,
		  "not_after", CHY_VALIDITY_ORDER, NULL, "the validity is over before it begins");
	REFUSE_IF(!is_root(x) && x->d->not_before_ms < x->d->issuer->not_before_ms, x, "not_before",
		  CHY_VALIDITY_AUTHORITY, NULL, "it begins before the issuing authority's");
	REFUSE_IF(!is_root(x) && x->d->not_after_ms > x->d->issuer->not_after_ms, x, "not_after",
		  CHY_VALIDITY_AUTHORITY, NULL, "it ends after the issuing authority's");
	return RC_OK;
}

static enum rc
rule_number(struct founding *x)
{
	return serial_make(x->d->serial, x->f->now_ms, x->f->random, x->e);
}

/* ---- the certificate ---- */

static enum rc
specs_of(struct founding *x, struct specs *s)
{
	const struct authority *own = x->d->authority;
	struct ext_value basic = { .kind = OID_CE_BASIC_CONSTRAINTS,
				   .critical = true,
				   .basic = { true, path_len_of(own) } };
	struct ext_value usage = { .kind = OID_CE_KEY_USAGE,
				   .critical = true,
				   .key_usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN };
	struct ext_value aki = { .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = x->d->issuer->key_id } };

	/* RFC 5755 4.5: who verifies an attribute certificate looks for this bit in its issuer's certificate */
	if (body_true(own->doc->body, "attribute_certificates"))
		usage.key_usage |= USAGE_DIGITAL_SIGNATURE;
	TRY(specs_add(x->a, s, &basic, x->e));
	TRY(specs_add(x->a, s, &usage, x->e));
	TRY(specs_slot(s, SLOT_SKI, x->e));
	TRY(names_value(x->a, own->doc->body, &x->d->name_constraints, x->e));
	if (x->d->name_constraints.n > 0) {
		TRY(specs_slot(s, SLOT_CONST, x->e));
		s->v[s->n - 1].ext = (struct ext){ .oid = oid_der(OID_CE_NAME_CONSTRAINTS),
						   .known = OID_CE_NAME_CONSTRAINTS,
						   .critical = true,
						   .value = x->d->name_constraints };
	}
	if (is_root(x))
		return RC_OK;
	TRY(specs_add(x->a, s, &aki, x->e));
	return specs_addresses(x->a, s, NULL, x->d->issuer->doc->body, x->e);
}

static enum rc
build(struct founding *x)
{
	struct specs s = { .n = 0 };
	struct cert_template t;
	struct cert_inputs in = { .serial = BYTES_OF(x->d->serial),
				  .not_before_at = x->d->not_before_ms,
				  .not_after_at = x->d->not_after_ms,
				  .subject = x->d->authority->subject,
				  .spki = x->f->spki,
				  .key_id = x->f->key_id };
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	TRY(specs_of(x, &s));
	TRY(cert_template_build(x->a, x->d->sigalg,
				is_root(x) ? x->d->authority->subject : x->d->issuer->subject_in_force, s.v,
				s.n, &t, x->e));
	TRY(cert_tbs_build(&t, &in, &w, x->e));
	return dw_dup(&w, x->a, &x->d->tbs, x->e);
}

static const struct {
	const char *name;
	founding_fn *fn;
} rules[] = {
	{ "authority", rule_document },  { "issuing-authority", rule_issuer },
	{ "path-length", rule_path },    { "key", rule_key },
	{ "subject", rule_own_subject }, { "name-constraints", rule_constraints },
	{ "validity", rule_period },     { "serial-number", rule_number },
};

enum rc
decide_authority(struct arena *a, const struct authority_issue_facts *f, struct authority_decision *ret,
		 struct err *e)
{
	struct err own = { 0 };
	struct founding x = { .a = a, .f = f, .d = ret, .e = e ? e : &own };

	*ret = (struct authority_decision){ .authority = NULL };
	TRY(trace_start(a, &ret->trace, ARRAY_LEN(rules), x.e));
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		enum rc rc = rules[k].fn(&x);

		TRY(trace_rule(a, &ret->trace, rules[k].name, rc, NULL, x.e));
	}
	return build(&x);
}
