/* Between crl.c, crl_gather.c, crl_pieces.c and crl_sign.c. */
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
	int64_t seq; /* of the authority's statuses, where a change has a list built */
	uint64_t number;
	int64_t begun_us; /* when it came to it */
	int64_t shared;   /* pieces that are those of the list before */
};

/* Is it this server that builds its lists, and can it now? */
bool crl_is_built_here(const struct crl_procedure *p, int64_t now_ms);
/* The issuing distribution point of a partial list; value.p NULL: it has none. The scope of its numbers (signer/crl_seen.h). */
MUST enum rc crl_point(struct crl_work *w, struct ext *ret, struct err *e);
/* Gathers the entries and plans the list: in the store it is to be signed. CHY_CRL_DELTA: so much has changed that a complete
   list is the better one. */
MUST enum rc crl_gather(struct crl_work *w, struct err *e);
/* The pieces of the list into the store, all but the last ones, which the change brings that is the caller's to commit together
   with the row, or to free. Sets what the row says of its entries. */
MUST enum rc crl_pieces(struct crl_work *w, struct crl_row *row, struct change **ret, struct err *e);
/* Has a planned list signed and puts it in the place of the one before. */
MUST enum rc crl_sign_planned(struct crl_work *w, const struct crl_row *row, struct err *e);
/* Row and pieces go. */
MUST enum rc crl_forget(struct factory *f, int64_t id, struct err *e);

#endif
