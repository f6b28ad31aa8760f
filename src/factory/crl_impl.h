/* Between crl.c, crl_gather.c and crl_sign.c. */
#ifndef FACTORY_CRL_IMPL_H
#define FACTORY_CRL_IMPL_H

#include "factory/crl.h"
#include "pki/crl.h"
#include "store/change.h"

enum crl_state { CRL_GATHERED = 0, CRL_PLANNED = 1, CRL_SIGNED = 2 };

/* One list that is to be made. */
struct crl_work {
	struct factory *f;
	struct arena *a;
	const struct crl_procedure *p;
	unsigned partition; /* 0: its one list */
	int64_t wanted
	    [2]; /* an officer's wish, complete and delta: lists that began before it do not fulfil it */
	int64_t lists
	    [2]; /* the numbers of the lists whose place it takes, complete and delta; 0: there are none */
	const struct crl_row *complete; /* the signed one; NULL: none yet */
	bool delta;
	int64_t now;
	uint64_t number;
};

/* Is it this server that builds its lists, and can it now? */
bool crl_is_built_here(const struct crl_procedure *p);
/* The id of an officer's wish for a list, which lists that began before it do not fulfil; 0: there was none. */
MUST enum rc crl_wanted_since(struct factory *f, struct arena *a, struct doc_id procedure, bool delta,
			      int64_t *ret, struct err *e);
/* The issuing distribution point of a partial list; value.p NULL: it has none. The scope of its numbers (signer/crl_seen.h). */
MUST enum rc crl_point(struct crl_work *w, struct ext *ret, struct err *e);
/* Gathers the entries and plans the list: in the store it is to be signed. CHY_CRL_DELTA: so much has changed that a complete
   list is the better one. */
MUST enum rc crl_gather(struct crl_work *w, struct err *e);
/* Has a planned list signed and puts it in the place of the one before. */
MUST enum rc crl_sign_planned(struct crl_work *w, const struct crl_row *row, struct err *e);
/* Row and pieces go. */
MUST enum rc crl_forget(struct factory *f, int64_t id, struct err *e);

#endif
