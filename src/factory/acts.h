/*
 * Acts: what a request does. One row a verb: how its body is checked when it is prepared, and how it takes effect when it
 * is signed. Checks and effects are of the act's own file (act_*.c); request_*.c know none of them.
 */
#ifndef FACTORY_ACTS_H
#define FACTORY_ACTS_H

#include "factory/act_difference.h"
#include "factory/leaf.h"
#include "factory/requests.h"
#include "policy/approval.h"
#include "policy/document.h"

/* What certificates of a selection would come to. */
struct act_verdicts {
	struct act_verdict {
		int64_t certificate;
		struct err why; /* code NONE: it can be done */
	} * v;
	size_t n;
};

/* What preparing works with. */
struct preparation {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	struct act act;
	const struct document *base; /* NULL: a creation or no document */
	const struct json *in;       /* the body as sent */
	struct json *body;           /* as it will be signed: set by the check */
	struct json *difference;     /* for people: set by the check */
	struct json *warnings;       /* the same; NULL: none */
	struct json *affected;       /* officers whom it touches, of act_affects; NULL: none */
	/* Not NULL: nothing is prepared, certificates are being selected. Their verdicts go here, room for as many as the body
	   lists, and a refusal of one refuses nothing. What only comes when it is submitted may be missing. */
	struct act_verdicts *verdicts;
	const struct selection_row
	    *selection; /* what is submitted, and gone when it is prepared; NULL: none */
	/* Of acts over many certificates: those that are refused are left out in place of refusing all (act_each.h). */
	bool skip_refused;
	struct json *refused; /* those that were; NULL: none */
	struct err first_refused;
};

/* Of one certificate: rc and why, as its decision gave them. Fails where that is no refusal. */
MUST enum rc act_verdict(struct preparation *p, int64_t certificate, enum rc rc, const struct err *why,
			 struct err *e);

/* What a revocation password came to, compared with this form of it. */
struct password_verdict {
	int64_t certificate;
	struct bytes form;
	enum code code; /* NONE: it is the one; else as of password_verify */
};
struct password_verdicts {
	struct password_verdict *v;
	size_t n;
};

/* What taking effect works with. */
struct effect {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct request *request;
	struct officer_id signer;        /* the officer of the last signature */
	const struct signatory *signers; /* all of them */
	size_t signers_n;
	struct json *result;                /* an object for members that the answer shall have */
	const struct json *secrets;         /* bring: what came beside the signed bytes; NULL: nothing */
	struct password_verdicts passwords; /* bring: compared before, see status_act_compare */
	struct change *change;              /* work: the change that will make the request done */
	bool
	    has_signed; /* work: certificates of the change are in the signer's journal: in doubt until it is committed */
};

/* What the difference is made again of, for an officer who looks at a request. */
struct telling {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	const struct request *request;
	struct json *affected;     /* officers whom it touches are added, of act_affects */
	const struct json *result; /* of a request that is over; NULL: none */
};

struct act_row {
	enum act_verb verb;
	enum kind_id kind; /* KIND_NONE: any */
	enum rc (*check)(struct preparation *p, struct err *e);
	/* Puts the effect into the change that makes the request done. */
	enum rc (*apply)(struct effect *x, struct change *c, struct err *e);
	/* Work outside the store that comes first (the signer makes a key, signs a certificate): may be interrupted
	   and is carried on with, so it must be able to find what it has done. The request is in state "signed"
	   meanwhile. NULL: none, and the effect is in the same commit as the last signature. */
	enum rc (*work)(struct effect *x, struct err *e);
	/* What must be durable with the last signature: takes the secrets that came with it. NULL: the act takes none. */
	enum rc (*bring)(struct effect *x, struct change *c, struct err *e);
	/* Called when an effect without work is committed. NULL: nothing. */
	void (*after)(struct factory *f, struct act act);
	/* Adds to the difference what the documents' does not say, for whoever signs it later. NULL: nothing, and of an act without
	   a document it is told when it is prepared only. */
	enum rc (*tell)(const struct telling *t, struct json *difference, struct err *e);
	/* The request has failed for good: drops in the same change what bring has put beside it. NULL: nothing. */
	void (*abandon)(int64_t request, struct change *c);
	/* The most certificates that can be selected for it (selections.h) and of which it may leave some out. 0: none. */
	size_t selects;
};

/* What each of these certificates, each there once, would come to by the act with this body (without certificates). Nothing is
   prepared or journaled. Codes: as of request_prepare, of what is not one certificate's. */
MUST enum rc request_judge(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const struct officer *who, struct act act, const struct json *body,
			   const int64_t *ids, size_t n, struct act_verdicts *ret, struct err *e);

/* NULL: no such act in this version. */
const struct act_row *act_row_of(struct act act);

/* act_document.c */
/* Of the body of a CRL procedure: has its authority issued certificates? Of other kinds: no. */
MUST enum rc document_issued(struct factory *f, struct arena *a, const struct kind *kind,
			     const struct json *body, bool *ret, struct err *e);
enum rc document_act_check(struct preparation *p, struct err *e);
enum rc document_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_authority.c */
enum rc ca_key_act_work(struct effect *x, struct err *e);
enum rc authority_act_check(struct preparation *p, struct err *e);
enum rc authority_act_work(struct effect *x, struct err *e);
enum rc authority_renew_check(struct preparation *p, struct err *e);
enum rc authority_renew_tell(const struct telling *t, struct json *difference, struct err *e);
enum rc authority_request_check(struct preparation *p, struct err *e);
enum rc authority_request_tell(const struct telling *t, struct json *difference, struct err *e);
enum rc authority_request_work(struct effect *x, struct err *e);
enum rc authority_request_apply(struct effect *x, struct change *c, struct err *e);
/* act_officer.c */
enum rc officer_act_check(struct preparation *p, struct err *e);
/* act_renew.c: officer.renew */
enum rc renew_act_check(struct preparation *p, struct err *e);
enum rc renew_act_work(struct effect *x, struct err *e);
enum rc renew_act_apply(struct effect *x, struct change *c, struct err *e);
enum rc renew_act_tell(const struct telling *t, struct json *difference, struct err *e);
/* act_issue.c */
enum rc issue_act_check(struct preparation *p, struct err *e);
enum rc issue_act_work(struct effect *x, struct err *e);
enum rc issue_act_apply(struct effect *x, struct change *c, struct err *e);
enum rc issue_act_bring(struct effect *x, struct change *c, struct err *e);
void issue_act_abandon(int64_t request, struct change *c);
/* {"code", "cause"?, "detail", "field", "rule"} of one object of many. */
struct json *problem_json(struct arena *a, const struct err *e);
/* Adds to the warnings that certificates by this procedure would go beyond its authority; not_after_ms: what is asked for, 0: nothing. */
MUST enum rc validity_warning(struct preparation *p, const struct procedure *by, int64_t not_after_ms,
			      struct err *e);
/* The member validity of a body: 0 for what it does not say. */
enum rc act_validity(const struct json *body, int64_t *not_before, int64_t *not_after, struct err *e);
/* act_attribute.c */
enum rc attribute_act_check(struct preparation *p, struct err *e);
enum rc attribute_act_work(struct effect *x, struct err *e);
enum rc attribute_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_token.c */
enum rc token_act_check(struct preparation *p, struct err *e);
enum rc token_act_bring(struct effect *x, struct change *c, struct err *e);
void token_act_abandon(int64_t request, struct change *c);
enum rc token_act_work(struct effect *x, struct err *e);
enum rc token_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_status.c */
enum rc status_act_check(struct preparation *p, struct err *e);
enum rc status_act_bring(struct effect *x, struct change *c, struct err *e);
/* Compares the passwords of a request that is decided next, without the mutex of statuses: that takes long. What could not be told,
   bring refuses with REVOCATION_PASSWORD_BUSY: it compares nothing itself. */
void status_act_compare(struct factory *f, struct arena *a, const struct request *r,
			const struct json *secrets, struct password_verdicts *ret);
enum rc status_act_apply(struct effect *x, struct change *c, struct err *e);
void status_act_after(struct factory *f, struct act act);
enum rc status_act_tell(const struct telling *t, struct json *difference, struct err *e);
bool status_act_is(struct act act);
/* Is one of the request's certificates an officer's? Then it is decided in turn with what changes officers. */
MUST enum rc status_act_touches_officers(struct factory *f, struct arena *a, const struct snapshot *policy,
					 const struct request *r, bool *ret, struct err *e);
/* act_publish.c: certificate.publish and certificate.unpublish */
enum rc publish_act_check(struct preparation *p, struct err *e);
enum rc publish_act_bring(struct effect *x, struct change *c, struct err *e);
enum rc publish_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_delivery.c: delivery.retry and delivery.drop */
enum rc delivery_act_check(struct preparation *p, struct err *e);
enum rc delivery_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_ocsp.c */
enum rc ocsp_act_check(struct preparation *p, struct err *e);
enum rc ocsp_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_import.c, act_import_crl.c */
enum rc import_act_check(struct preparation *p, struct err *e);
enum rc import_act_apply(struct effect *x, struct change *c, struct err *e);
enum rc import_crl_act_check(struct preparation *p, struct err *e);
enum rc import_crl_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_session.c */
enum rc session_act_check(struct preparation *p, struct err *e);
enum rc session_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_session_close.c */
enum rc session_close_check(struct preparation *p, struct err *e);
enum rc session_close_apply(struct effect *x, struct change *c, struct err *e);
void session_close_after(struct factory *f, struct act act);

/* act_remove.c */
enum rc remove_act_check(struct preparation *p, struct err *e);
enum rc remove_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_cil.c */
enum rc cil_act_check(struct preparation *p, struct err *e);
enum rc cil_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_crl.c */
enum rc crl_act_check(struct preparation *p, struct err *e);
enum rc crl_act_apply(struct effect *x, struct change *c, struct err *e);
/* act_ending.c */
enum rc ending_act_check(struct preparation *p, struct err *e);
enum rc ending_act_apply(struct effect *x, struct change *c, struct err *e);

/* The document's row and leaf, into the change; request 0 and genesis: by the boot ceremony. */
MUST enum rc document_put(struct factory *f, struct arena *a, struct change *c, const struct document *d,
			  struct json *by, int64_t request, struct err *e);

#endif
