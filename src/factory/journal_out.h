/*
 * The journal for others: heads, inclusion proofs, the export (docs/formats/journal.md).
 */
#ifndef FACTORY_JOURNAL_OUT_H
#define FACTORY_JOURNAL_OUT_H

#include "base/json.h"
#include "factory/factory.h"

/* The newest signed head: {"size", "root", "at", "signature", "certificate"}. STORE_NOT_FOUND before the first. */
MUST enum rc journal_head(struct factory *f, struct arena *a, struct json **ret, struct err *e);

/* The last head that the signer has signed, by its own journal, in the same form with "position" (there) and "given_up"
   (the operator has restarted the journal after a restore, and no head has followed yet). STORE_NOT_FOUND: none yet. */
MUST enum rc journal_witness(struct factory *f, struct arena *a, struct json **ret, struct err *e);

/* The proof that a leaf is in the tree of the newest head: {"leaf" (body), "index", "head", "path": [base64...]}.
   CHY_JOURNAL_WAITING: it has no place under a signed head yet (a second at most). */
MUST enum rc journal_proof(struct factory *f, struct arena *a, int64_t leaf, struct json **ret,
			   struct err *e);

/* The whole export, line by line, through put (which may wait). The places are those of the newest head at the start. */
typedef enum rc journal_put(void *arg, struct bytes piece, struct err *e);
MUST enum rc journal_export(struct factory *f, journal_put *put, void *arg, struct err *e);

#endif
