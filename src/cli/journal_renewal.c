/* Certificates that officers have by their own word: who signs for a renewal, what comes of it, for whom a certificate stands. */
#include "base/base.h"
#include "cli/journal_state.h"

int64_t
journal_renews(struct act act, const struct json *body)
{
	const struct json *v = act_begins_with_own(act) ? json_get(body, "officer") : NULL;

	return v && v->type == JSON_INT ? v->integer : 0;
}

enum rc
journal_renewal_right(const struct journal_verifier *v, const struct officer_state *o, int64_t officer,
		      int64_t whose, bool first, struct err *e)
{
	const struct officer_state *x = pairmap_get(&v->officers, whose, 0);

	NEED(x != NULL, e, CHY_JOURNAL_SIGNATURE, NULL, "nobody was officer %lld", (long long)whose);
	NEED(!first || officer == whose, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the renewal does not begin with the signature of officer %lld, whom it is about",
	     (long long)whose);
	NEED(officer == whose || journal_domain_is_within(v, x->domain, o->domain), e, CHY_JOURNAL_SIGNATURE,
	     NULL, "the officer's domain is not that of the officer whose certificate was renewed");
	return RC_OK;
}

/* By the token procedure of the certificate that the officer is bound to. */
enum rc
journal_read_renewal(struct journal_verifier *v, struct arena *a, const struct json *body,
		     struct signed_request *r, struct err *e)
{
	const struct certificate_state *bound;
	const struct officer_state *o;
	struct bytes text, der;

	TRY(json_need_int(body, "officer", 1, JSON_INT_MAX, &r->renews, e));
	o = pairmap_get(&v->officers, r->renews, 0);
	bound = o ? pairmap_get(&v->certificates, o->certificate, 0) : NULL;
	NEED(bound != NULL && bound->token_procedure != 0, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "officer %lld had no certificate that could be renewed", (long long)r->renews);
	r->token_procedure = bound->token_procedure;
	r->csrs = arena_array(v->mem, 1, SHA256_LEN);
	r->issued = arena_array(v->mem, 1, sizeof(*r->issued));
	NEED(r->csrs != NULL && r->issued != NULL, e, CHY_NO_MEMORY, NULL, "requests");
	TRY(json_need_str(body, "csr", &text, e));
	TRY(base64_parse(a, text, &der, e));
	sha256(der, r->csrs);
	r->csrs_n = 1;
	return RC_OK;
}

enum rc
journal_is_renewal(const struct journal_verifier *v, const struct signed_request *r,
		   const struct leaf_view *l, struct err *e)
{
	const struct certificate_state *s = pairmap_get(&v->certificates, l->id, 0);
	const struct officer_state *o = pairmap_get(&v->officers, r->renews, 0);
	const struct profile_state *p = o ? pairmap_get(&v->profiles, o->profile, 0) : NULL;

	NEED(s->stands_for == r->renews || (s->stands_for == 0 && p != NULL && p->by_token), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "it is not the renewed certificate of officer %lld",
	     (long long)r->renews);
	return RC_OK;
}

static bool
has_asked(const struct journal_verifier *v, int64_t request, int64_t officer)
{
	const struct signed_request *r = request ? pairmap_get(&v->requests, request, 0) : NULL;

	for (size_t i = 0; r != NULL && i < r->signers_n; i++)
		if (r->signers[i] == officer)
			return true;
	return false;
}

static enum rc
know_own(struct journal_verifier *v, struct officer_state *o, int64_t id, int64_t procedure,
	 struct bytes subject, struct err *e)
{
	struct own_certificate *x = arena_one(v->mem, struct own_certificate);

	NEED(x != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	*x = (struct own_certificate){ o->own, id, procedure, arena_dup(v->mem, subject) };
	o->own = x;
	return RC_OK;
}

enum rc
journal_own_certificate(struct journal_verifier *v, struct arena *a, int64_t request, int64_t rescue,
			const struct leaf_view *l, struct err *e)
{
	struct certificate_state *s = pairmap_get(&v->certificates, l->id, 0);
	struct officer_state *o;
	struct bytes subject;

	s->stands_for = 0;
	TRY(json_opt_int(l->leaf, "stands_for", 1, JSON_INT_MAX, &s->stands_for, e));
	if (s->stands_for == 0)
		return RC_OK;
	v->form = true;
	NEED(has_asked(v, request, s->stands_for) || journal_rescue_names(v, rescue, s->stands_for), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "officer %lld, whom it stands for, did not ask for it",
	     (long long)s->stands_for);
	o = pairmap_get(&v->officers, s->stands_for, 0);
	TRY(json_need_str(json_get(l->leaf, "certificate"), "subject", &subject, e));
	NEED(o != NULL &&
		 (journal_is_bound(a, &o->subject, subject, s->certificate_procedure) ||
		  journal_is_bound(a, &o->subject_before, subject, s->certificate_procedure)),
	     e, CHY_JOURNAL_SIGNATURE, NULL, "officer %lld was not bound to its subject and procedure",
	     (long long)s->stands_for);
	return know_own(v, o, l->id, s->certificate_procedure, subject, e);
}
