#include "base/base.h"
#include "policy/body.h"
#include "policy/names.h"
#include "policy/rights.h"

enum rc
may_role(const struct officer *o, roles needed, struct err *e)
{
	roles lacks = needed & ~o->roles;

	for (int r = 0; r < ROLE_COUNT; r++)
		NEED((lacks & ROLES(r)) == 0, e, CHY_ROLE_MISSING, NULL,
		     "officer \"%.*s\" lacks the role \"%s\"", BYTES_FMT(o->name), role_label((enum role)r));
	NEED(lacks == 0, e, CHY_ROLE_MISSING, NULL, "no role allows this");
	return RC_OK;
}

/* A key that only decrypts or agrees is not its holder's will; without the extension every usage is allowed (RFC 5280 4.2.1.3). */
static bool
is_for_signatures(const struct credential *c)
{
	return c->key_usage == 0 ||
	    (c->key_usage & (USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT)) != 0;
}

bool
bound_certificate_stops(enum entity_type entity, enum credential_state bound, bool superseded)
{
	if (bound == CREDENTIAL_GOOD || entity == ENTITY_SUBJECT)
		return false;
	return entity != ENTITY_DYNAMIC_TOKEN || bound != CREDENTIAL_REVOKED || !superseded;
}

/* What lies with the key, whatever the certificate says of it. */
static enum rc
own_key(const struct officer *o, const struct credential *c, struct err *e)
{
	NEED(is_for_signatures(c), e, CHY_OFFICER_CERTIFICATE_USAGE, "RFC 5280 4.2.1.3",
	     "the certificate of officer \"%.*s\" is neither for digital signatures nor for content "
	     "commitment",
	     BYTES_FMT(o->name));
	NEED(!c->archived, e, CHY_OFFICER_KEY_ARCHIVED, NULL,
	     "a key of officer \"%.*s\" is in the archive: others can have it", BYTES_FMT(o->name));
	NEED(!bound_certificate_stops(o->entity, c->bound, c->bound_superseded), e,
	     c->bound == CREDENTIAL_HELD ? CHY_OFFICER_CERTIFICATE_HELD : CHY_OFFICER_CERTIFICATE_REVOKED,
	     NULL, "the certificate that officer \"%.*s\" is bound to is %s", BYTES_FMT(o->name),
	     c->bound == CREDENTIAL_HELD ? "on hold" : "revoked");
	return RC_OK;
}

static enum rc
good_credential(const struct officer *o, const struct credential *c, int64_t now_ms, struct err *e)
{
	NEED(c->state != CREDENTIAL_REVOKED, e, CHY_OFFICER_CERTIFICATE_REVOKED, NULL,
	     "the certificate of officer \"%.*s\" is revoked", BYTES_FMT(o->name));
	NEED(c->state == CREDENTIAL_GOOD, e, CHY_OFFICER_CERTIFICATE_HELD, NULL,
	     "the certificate of officer \"%.*s\" is on hold", BYTES_FMT(o->name));
	NEED(now_ms >= c->not_before_ms, e, CHY_OFFICER_CERTIFICATE_EXPIRED, NULL,
	     "the certificate of officer \"%.*s\" is not valid yet", BYTES_FMT(o->name));
	NEED(now_ms <= c->not_after_ms, e, CHY_OFFICER_CERTIFICATE_EXPIRED, NULL,
	     "the certificate of officer \"%.*s\" has expired", BYTES_FMT(o->name));
	return RC_OK;
}

enum rc
may_act(const struct officer *o, const struct credential *c, int64_t now_ms, struct err *e)
{
	NEED(o != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "no officer has this certificate");
	NEED(o->active, e, CHY_OFFICER_CLOSED, NULL, "officer \"%.*s\": %s", BYTES_FMT(o->name), o->why_not);
	if (c == NULL)
		return RC_OK;
	NEED(c->by_subject || c->by_token || memcmp(c->fingerprint, o->fingerprint, FINGERPRINT_LEN) == 0, e,
	     CHY_OFFICER_OTHER_CERTIFICATE, NULL, "officer \"%.*s\" is bound to another certificate",
	     BYTES_FMT(o->name));
	TRY(own_key(o, c, e));
	return good_credential(o, c, now_ms, e);
}

enum rc
may_log_in(const struct officer *o, const struct credential *c, int64_t now_ms, struct err *e)
{
	TRY(may_act(o, c, now_ms, e));
	NEED(o->roles & (ROLES(ROLE_USE_AWB) | ROLES(ROLE_USE_CLIENTS)), e, CHY_ROLE_MISSING, NULL,
	     "officer \"%.*s\" has neither the role \"%s\" nor \"%s\"", BYTES_FMT(o->name),
	     role_label(ROLE_USE_AWB), role_label(ROLE_USE_CLIENTS));
	return RC_OK;
}

/* The domains from Root to one's own have names that one may know. */
static bool
is_path(const struct snapshot *s, const struct officer *o, const struct document *d)
{
	return d->kind == KIND_DOMAIN && domain_is_above(s, d->id, o->domain);
}

static bool
is_for_registration(enum kind_id kind)
{
	return kind == KIND_TOKEN_PROCEDURE || kind == KIND_AUTHORITY || kind == KIND_DOMAIN ||
	    kind == KIND_INPUT_VIEW || kind == KIND_PUBLICATION_PROCEDURE;
}

static enum rc
seen(const struct snapshot *s, const struct officer *o, const struct document *d, struct err *e)
{
	NEED(domain_is_above(s, o->domain, d->domain) || document_is_visible(s, d, o->domain) ||
		 is_path(s, o, d),
	     e, CHY_DOMAIN_HIDDEN, NULL, "%s %lld is not visible from the officer's domain",
	     kind_name(d->kind), (long long)d->id.v);
	return RC_OK;
}

bool
may_know(const struct snapshot *s, const struct officer *o, const struct document *d)
{
	return d != NULL && seen(s, o, d, NULL) == RC_OK;
}

enum rc
may_read_kind(const struct officer *o, enum kind_id kind, struct err *e)
{
	if (!(o->roles & ROLES(ROLE_USE_CLIENTS)) || !is_for_registration(kind))
		TRY(may_role(o, ROLES(ROLE_USE_AWB), e));
	return RC_OK;
}

enum rc
may_read(const struct snapshot *s, const struct officer *o, const struct document *d, struct err *e)
{
	TRY(may_read_kind(o, d->kind, e));
	return seen(s, o, d, e);
}

enum rc
may_change(const struct snapshot *s, const struct officer *o, enum kind_id kind, struct doc_id domain,
	   struct err *e)
{
	const struct kind *k = kind_of(kind);

	NEED(k != NULL, e, CHY_KIND_UNKNOWN, NULL, "%s", kind_name(kind));
	TRY(may_role(o, k->needed, e));
	NEED(domain_is_above(s, o->domain, domain), e, CHY_DOMAIN_FOREIGN, NULL,
	     "officer \"%.*s\" may not change what lies in %s", BYTES_FMT(o->name),
	     doc_id_is_none(domain) ? "Root" : "that domain");
	return RC_OK;
}

struct doc_id
draft_domain(enum kind_id kind, const struct json *body, const struct officer *owner)
{
	struct doc_id named = body_ref(body, kind == KIND_DOMAIN ? "parent" : "domain");

	return !doc_id_is_none(named) || owner == NULL ? named : owner->domain;
}

enum rc
may_issue(const struct snapshot *s, const struct officer *o, const struct document *token_procedure,
	  struct err *e)
{
	TRY(may_role(o, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_CERTIFICATE), e));
	return seen(s, o, token_procedure, e);
}

enum rc
may_close_session(const struct snapshot *s, const struct officer *o, struct officer_id by,
		  const struct officer *opener, struct err *e)
{
	if (o->id.v == by.v)
		return RC_OK;
	TRY(may_role(o, act_roles((struct act){ ACT_MODIFY, KIND_OFFICER }), e));
	return may_change(s, o, KIND_OFFICER, opener ? opener->domain : doc_id_of(0), e);
}

enum rc
may_see_certificate(const struct snapshot *s, const struct officer *o, const struct document *authority,
		    const struct document *token_procedure, struct err *e)
{
	NEED(authority != NULL, e, CHY_STORE_NOT_FOUND, NULL,
	     "the certificate's authority is not to be seen");
	TRY(may_read(s, o, authority, e));
	return token_procedure != NULL ? seen(s, o, token_procedure, e) : RC_OK;
}

bool
sees_every_certificate(const struct officer *o)
{
	return doc_id_is_none(o->domain) && may_read_kind(o, KIND_AUTHORITY, NULL) == RC_OK;
}

struct doc_id
certificate_domain(const struct snapshot *s, const struct document *authority,
		   const struct document *token_procedure, struct doc_id asked_from)
{
	struct doc_id made_by = token_procedure ? token_procedure->domain
	    : authority                         ? authority->domain
						: doc_id_of(0);

	return domain_is_above(s, made_by, asked_from) ? asked_from : made_by;
}

enum rc
may_change_certificate(const struct snapshot *s, const struct officer *o, const struct document *authority,
		       const struct document *token_procedure, struct doc_id asked_from, struct err *e)
{
	NEED(domain_is_above(s, o->domain, certificate_domain(s, authority, token_procedure, asked_from)), e,
	     CHY_DOMAIN_FOREIGN, NULL,
	     "officer \"%.*s\" sees this certificate, but it was not made in the "
	     "officer's domain or one below it",
	     BYTES_FMT(o->name));
	return RC_OK;
}

/* ---- issuer constraints: tests of a rule AND, rules OR ---- */

/* Some attribute of the name has this type and value. */
static bool
has_attribute(struct arena *a, const struct name *n, struct bytes dotted, struct bytes value)
{
	char text[OID_TEXT_MAX];

	for (size_t i = 0; i < n->n; i++)
		if (bytes_is(dotted, oid_text(text, n->ava[i].oid)) &&
		    ascii_case_eq(ava_utf8(a, &n->ava[i]), value))
			return true;
	return false;
}

static bool
rule_holds(struct arena *a, const struct json *rule, const struct name *n)
{
	JSON_EACH(t, body_list(rule, "tests"))
	{
		bool has = has_attribute(a, n, body_text(t, "attribute"), body_text(t, "value"));

		if (has == bytes_is(body_text(t, "test"), "is-not"))
			return false;
	}
	return true;
}

enum rc
may_issue_by(struct arena *a, const struct officer *o, struct bytes issuer, struct err *e)
{
	struct name n;

	if (o->issuer_constraints == NULL || o->issuer_constraints->count == 0)
		return RC_OK;
	TRY(name_parse(a, issuer, &n, e));
	JSON_EACH(rule, o->issuer_constraints)
	if (rule_holds(a, rule, &n))
		return RC_OK;
	FAIL(e, CHY_ISSUER_CONSTRAINT, NULL, "officer \"%.*s\" may not issue by this authority",
	     BYTES_FMT(o->name));
}

/* ---- name constraints ---- */

enum rc
may_name(struct arena *a, const struct officer *o, struct bytes subject, const struct gnames *san,
	 struct err *e)
{
	static const struct gnames none;
	struct err why = { 0 };

	NEED(o->name_constraints.n == 0 || subject.n == 0 ||
		 names_within(a, o->name_constraints, subject, san ? san : &none, &why) == RC_OK,
	     e, CHY_OFFICER_NAMES, "RFC 5280 4.2.1.10", "officer \"%.*s\": %.260s", BYTES_FMT(o->name),
	     why.text);
	return RC_OK;
}
