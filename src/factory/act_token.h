/*
 * Between the files of the act token.issue: act_token.c makes keys, act_token_recover.c takes keys out of the archive,
 * act_token_file.c makes certificates and the file. Not for others.
 */
#ifndef FACTORY_ACT_TOKEN_H
#define FACTORY_ACT_TOKEN_H

#include "factory/acts.h"
#include "factory/choice.h"
#include "policy/token.h"
#include "signer/client_token.h"
#include "store/rows.h"

struct token_making {
	struct effect *x;
	const struct token_procedure *t;
	const struct officer *who;
	struct token_input in;
	struct bytes meant; /* whose keys are recovered: a whole subject, DER; empty: who is filled in */
	struct bytes archived_of; /* by what they are found, as token_input.holder */
	struct token_key_row keys[SIGNER_TOKEN_KEYS];
	size_t n;
	struct choice_asked choice;
	struct bytes revocation; /* scrypt form; empty: none */
};

struct issue_call;

/* From the signed request, as it is understood now. */
MUST enum rc token_start(struct effect *x, struct token_making *m, struct err *e);
/* What issuing a certificate for one of the keys is asked with; c->arena is the caller's to free. */
MUST enum rc token_call_of(const struct token_making *m, const struct token_key_row *k, struct issue_call *c,
			   struct err *e);

/* One more key of the token, with the number of its certificate. P12_TOO_MUCH. */
MUST enum rc token_new_key(struct token_making *m, struct token_key_row **ret, struct err *e);

/* What a key procedure takes out of the archive, always (a soft token asks nobody). TOKEN_NOTHING_ARCHIVED, RECOVERY_AMBIGUOUS, those
   of decide_recovery. */
MUST enum rc token_recover(struct token_making *m, const struct key_procedure *p, struct err *e);

#endif
