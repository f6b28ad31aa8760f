/*
 * Who may do what, by role and domain. Pure; each answer is RC_OK or a refusal with its code.
 *
 * Domains: an officer changes objects of the own domain and of those below it; sees and uses, but does not
 * change, those above that are visible in subdomains; objects without a domain belong to Root and are used
 * from everywhere.
 */
#ifndef POLICY_RIGHTS_H
#define POLICY_RIGHTS_H

#include "model/request.h"
#include "policy/snapshot.h"

/* Every role of the set: ROLE_MISSING names the first that lacks. */
MUST enum rc may_role(const struct officer *o, roles needed, struct err *e);

/* Is active (OFFICER_CLOSED), with a certificate that is good at now (OFFICER_CERTIFICATE_*). credential
   NULL: not looked at. */
MUST enum rc may_act(const struct officer *o, const struct credential *c, int64_t now_ms, struct err *e);

/* Logs in: may_act, and one of the roles use-awb and use-clients. */
MUST enum rc may_log_in(const struct officer *o, const struct credential *c, int64_t now_ms, struct err *e);

/* Does the state of the certificate that an officer is bound to stop the officer, also with another that stands for it? By the
   subject any good one of the subject stands for it; a token is stopped with its certificate, unless that was superseded: by
   the certificate that is in the token now. */
bool bound_certificate_stops(enum entity_type entity, enum credential_state bound, bool superseded);

/* Has the officer the roles to look at documents of this kind at all? ROLE_MISSING. */
MUST enum rc may_read_kind(const struct officer *o, enum kind_id kind, struct err *e);
/* See a document: one in the domain, below it, in Root, or above and visible (DOMAIN_HIDDEN). Needs use-awb;
   without it, use-clients sees what registration uses (token and publication procedures, authorities, domains). */
MUST enum rc may_read(const struct snapshot *s, const struct officer *o, const struct document *d,
		      struct err *e);

/* Change a document, or put a new one into a domain: the kind's roles, and the domain is the officer's own or
 * below. */
MUST enum rc may_change(const struct snapshot *s, const struct officer *o, enum kind_id kind,
			struct doc_id domain, struct err *e);

/* A draft lies where the document in it will; as long as that does not say, where its owner (NULL: gone) is at home. Who may change
   what lies there sees and changes it: nothing of it is in force, so nobody below uses it. body in normal form. */
struct doc_id draft_domain(enum kind_id kind, const struct json *body, const struct officer *owner);

/* Use a token procedure for issuing: use-clients, issue-certificate, and it is to be seen. */
MUST enum rc may_issue(const struct snapshot *s, const struct officer *o,
		       const struct document *token_procedure, struct err *e);

/* End an issuing session: the officer who opened it, or who may change that officer (opener NULL: gone). ROLE_MISSING, DOMAIN_FOREIGN. */
MUST enum rc may_close_session(const struct snapshot *s, const struct officer *o, struct officer_id by,
			       const struct officer *opener, struct err *e);

/* See a certificate: its authority, and the token procedure that made it where there is one. NULL authority: gone. STORE_NOT_FOUND,
   and as may_read. */
MUST enum rc may_see_certificate(const struct snapshot *s, const struct officer *o,
				 const struct document *authority, const struct document *token_procedure,
				 struct err *e);
/* Whether every certificate is seen: officers of Root who may read authorities. */
bool sees_every_certificate(const struct officer *o);

/* Whether the officer may know of a document at all, by its domain: else no refusal names it. */
bool may_know(const struct snapshot *s, const struct officer *o, const struct document *d);

/* Where a certificate lies: where its token procedure does (where it has none, its authority); made by that for an officer of a
   domain below, who asked for it (asked_from: at home there when it was issued; none: Root, or nobody), in that domain. */
struct doc_id certificate_domain(const struct snapshot *s, const struct document *authority,
				 const struct document *token_procedure, struct doc_id asked_from);

/* Change what becomes of a certificate (its state, its publication, its key in the archive), beyond seeing it: it lies in the
   officer's own domain or below it. DOMAIN_FOREIGN. */
MUST enum rc may_change_certificate(const struct snapshot *s, const struct officer *o,
				    const struct document *authority, const struct document *token_procedure,
				    struct doc_id asked_from, struct err *e);

/* The profile's issuer constraints hold for an authority's subject (a Name's DER). A rule holds when all its tests do,
   one rule is enough, no rules are no constraint. ISSUER_CONSTRAINT. a is for scratch. */
MUST enum rc may_issue_by(struct arena *a, const struct officer *o, struct bytes issuer, struct err *e);

/* The officer's name constraints let the subject (a Name's DER) and the alternative names (NULL: none) be. OFFICER_NAMES. a is for
   scratch. */
MUST enum rc may_name(struct arena *a, const struct officer *o, struct bytes subject,
		      const struct gnames *san, struct err *e);

#endif
