/*
 * Attribute certificates on their way: decided and fixed, signed, put into a change. By themselves (act_attribute.c), or with
 * the certificate that they name (issue.c).
 *
 * Together means both or neither: the attribute certificates are signed first, the certificate last, and all are stored in
 * one change. A signer's journal that ends between them holds attribute certificates of a base that does not exist; these
 * are adopted as revoked.
 */
#ifndef FACTORY_ISSUE_ATTRIBUTE_H
#define FACTORY_ISSUE_ATTRIBUTE_H

#include "factory/factory.h"
#include "factory/pending.h"
#include "model/attribute.h"

enum { AC_MOST = 16 }; /* of one token */

/* Whose word, and which base. */
struct ac_word {
	struct request_id request;
	struct session_id session; /* one of the two */
	int64_t base;              /* the base certificate's id */
	bool with_base;            /* which is made at the same time */
	bool unpublished;          /* its base may not be published, nor may it */
};

/* One on its way. All of it is the arena's. */
struct ac_plan {
	struct ac_decision decision;
	struct pending pending;
	struct bytes tbs, context, signature;
	struct finished done; /* change stays NULL */
};

/* Decides, builds and fixes the context of one signature. *ret_rule (may be NULL): the rule that refused. */
MUST enum rc ac_plan_make(struct factory *f, struct arena *a, const struct ac_facts *facts,
			  const struct ac_word *word, struct ac_plan *ret, const char **ret_rule,
			  struct err *e);
/* What the signer is asked. label: room for KEY_LABEL_MAX, must live as long as *ret. */
void ac_plan_request(const struct ac_plan *p, char *label, struct sign_cert *ret);
/* Asks the signer and waits: not on the threads of the listener. */
MUST enum rc ac_plan_sign(struct factory *f, struct arena *a, struct ac_plan *p, struct err *e);
/* Its row and leaf, into a change. */
MUST enum rc ac_plan_add(struct arena *a, struct ac_plan *p, struct change *c, struct err *e);

/* What a decision needs of the installation: the key of audit identities, and how it is used. In all facts. */
void ac_facts_here(const struct factory *f, struct ac_facts *facts);

/* What the store knows of a certificate as a base. */
MUST enum rc ac_base_load(struct factory *f, struct arena *a, int64_t certificate, struct ac_base *ret,
			  struct err *e);

/* Of the attributes asked for, those that the format of the token's procedure has a place for; those that none has go to the
   first, whose rule refuses them. */
const struct json *ac_attributes_for(struct arena *a, const struct token_procedure *t, size_t which,
				     const struct json *asked);

#endif
