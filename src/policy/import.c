#include "base/base.h"
#include "policy/import.h"

#include "pki/name.h"
#include "policy/rights.h"

enum { TIME_SLACK_MS = 300000 }; /* a clock may be ahead of ours */

bool
authority_is_foreign(const struct authority *x)
{
	return x != NULL && !authority_has_key(x->type);
}

enum rc
may_import(struct arena *a, const struct snapshot *s, const struct officer *o, const struct authority *x,
	   struct err *e)
{
	TRY(may_role(o, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_IMPORT_CERTIFICATES), e));
	NEED(x != NULL && may_read(s, o, x->doc, NULL) == RC_OK, e, CHY_STATUS_UNSEEN, NULL,
	     "the officer sees no such authority");
	NEED(authority_is_foreign(x), e, CHY_IMPORT_AUTHORITY, NULL,
	     "the key of authority \"%.*s\" is here: what it has issued is here too",
	     BYTES_FMT(x->doc->name));
	NEED(x->certificate.n > 0, e, CHY_IMPORT_AUTHORITY, NULL,
	     "the certificate of authority \"%.*s\" is not here yet", BYTES_FMT(x->doc->name));
	return may_issue_by(a, o, x->subject_in_force, e);
}

/* A key id that is another one says so before any arithmetic does. */
static enum rc
right_issuer(const struct authority *x, struct bytes issuer, struct bytes key_id, struct err *e)
{
	NEED(name_eq(issuer, x->subject_in_force), e, CHY_IMPORT_ISSUER, "RFC 5280 4.1.2.4",
	     "its issuer is not \"%.*s\"", BYTES_FMT(x->doc->name));
	NEED(key_id.n == 0 || x->key_id.n == 0 || bytes_eq(key_id, x->key_id), e, CHY_IMPORT_ISSUER,
	     "RFC 5280 4.2.1.1", "it is by another key than that of \"%.*s\"", BYTES_FMT(x->doc->name));
	return RC_OK;
}

enum rc
import_certificate_fits(struct arena *a, const struct authority *x, const struct cert *c, struct err *e)
{
	TRY(right_issuer(x, c->issuer, cert_authority_key_id(a, c), e));
	NEED(c->sigalg != SIGALG_NONE, e, CHY_IMPORT_WEAK, NULL,
	     "it is signed by an algorithm that is not accepted");
	return RC_OK;
}

struct bytes
import_crl_scope(const struct crl *c)
{
	const struct ext *idp = exts_find(&c->exts, OID_CE_ISSUING_POINT);

	return idp != NULL ? idp->value : BYTES_NONE;
}

static enum rc
right_kind(struct arena *a, const struct crl *c, struct err *e)
{
	struct issuing_point p = { 0 };
	bool has = crl_issuing_point(a, c, &p);

	NEED(!c->critical_unknown, e, CHY_IMPORT_LIST, "RFC 5280 5.2",
	     "it has a critical extension that is not known here");
	NEED(c->base.p == NULL, e, CHY_IMPORT_LIST, "RFC 5280 5.2.4",
	     "it says only what has changed since another list: import the complete one");
	NEED(has == (import_crl_scope(c).n > 0), e, CHY_IMPORT_LIST, "RFC 5280 5.2.5",
	     "its issuing distribution point cannot be read");
	NEED(!p.indirect, e, CHY_IMPORT_LIST, "RFC 5280 5.2.5",
	     "it is for several authorities: import each one's own");
	NEED(!p.only_attribute, e, CHY_IMPORT_LIST, "RFC 5280 5.2.5", "it is of attribute certificates");
	return RC_OK;
}

enum rc
import_crl_fits(struct arena *a, const struct authority *x, const struct crl *c, int64_t now_ms,
		struct err *e)
{
	const struct ext *aki = exts_find(&c->exts, OID_CE_AUTHORITY_KEY_ID);
	struct ext_value id = { 0 };

	if (aki != NULL)
		TRY(ext_decode(a, aki, &id, e));
	TRY(right_issuer(x, c->issuer, id.aki.key_id, e));
	NEED(c->sigalg != SIGALG_NONE, e, CHY_IMPORT_WEAK, NULL,
	     "it is signed by an algorithm that is not accepted");
	TRY(right_kind(a, c, e));
	NEED(c->this_update_at <= now_ms + TIME_SLACK_MS, e, CHY_IMPORT_TIME, "RFC 5280 5.1.2.4",
	     "it was made in the future");
	return RC_OK;
}

/* ---- what becomes of one certificate ---- */

static bool
is_held_for(const struct import_now *now, struct bytes cause)
{
	for (size_t i = 0; i < now->causes_n; i++)
		if (bytes_eq(now->causes[i], cause))
			return true;
	return false;
}

static void
to_revoked(const struct import_now *now, const struct import_wish *wish, struct import_change *ret)
{
	*ret = (struct import_change){ .any = now->state != CERT_REVOKED,
				       .verb = STATUS_REVOKE,
				       .to = CERT_REVOKED,
				       .reason = wish->reason,
				       .at_ms = wish->at_ms,
				       .invalid_at_ms = wish->invalid_at_ms };
}

static void
to_held(const struct import_now *now, const struct import_wish *wish, struct import_change *ret)
{
	*ret = (struct import_change){ .any = !is_held_for(now, wish->cause),
				       .verb = STATUS_HOLD,
				       .to = CERT_HELD,
				       .reason = REASON_HOLD,
				       .at_ms = now->state == CERT_HELD ? now->since_ms : wish->at_ms };
}

static void
to_valid(const struct import_now *now, const struct import_wish *wish, struct import_change *ret)
{
	bool last = now->causes_n <= 1;

	*ret = (struct import_change){ .any = is_held_for(now, wish->cause),
				       .verb = STATUS_REINSTATE,
				       .to = last ? CERT_VALID : CERT_HELD,
				       .reason = last ? REASON_REMOVED : REASON_HOLD,
				       .at_ms = last ? wish->at_ms : now->since_ms };
}

enum rc
decide_import(const struct import_now *now, const struct import_wish *wish, struct import_change *ret,
	      struct err *e)
{
	*ret = (struct import_change){ .to = now->state };
	if (now->state == CERT_REVOKED && wish->state != CERT_REVOKED)
		FAIL(e, CHY_IMPORT_STATE, NULL, "it is revoked, which is final");
	if (wish->state == CERT_REVOKED)
		to_revoked(now, wish, ret);
	else if (wish->state == CERT_HELD)
		to_held(now, wish, ret);
	else
		to_valid(now, wish, ret);
	NEED(!ret->any || ret->verb != STATUS_HOLD || now->causes_n < HOLD_CAUSES_MAX, e, CHY_IMPORT_STATE,
	     NULL, "it has %d causes of a hold already", HOLD_CAUSES_MAX);
	return RC_OK;
}

struct import_wish
import_crl_wish(const struct crl_entry *entry, struct bytes cause, int64_t now_ms)
{
	struct import_wish w = { .state = CERT_VALID, .at_ms = now_ms, .cause = cause };

	if (entry == NULL || entry->reason == REASON_REMOVED)
		return w;
	w.at_ms = entry->revoked_at;
	w.state = entry->reason == REASON_HOLD ? CERT_HELD : CERT_REVOKED;
	w.reason = reason_name(entry->reason)[0] != 0 ? (enum reason)entry->reason : REASON_UNSPECIFIED;
	w.invalid_at_ms = w.state == CERT_REVOKED && entry->invalidity_at != CRL_NO_TIME
	    ? entry->invalidity_at
	    : 0;
	return w;
}
