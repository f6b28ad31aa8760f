/*
 * The signer as the witness of the store's journal. It knows the last head that each journal key has signed, from its own
 * journal, and signs another one only when that continues it (RFC 9162 2.1.4). So whoever can write to the database can
 * take nothing back that stood under a head: the tree would never get a head again.
 *
 * A restored backup legitimately goes back. The operator says so by a file in the signer's folder, where the database's
 * users cannot write: at its start the signer writes that into its journal, with the head that is given up, and then signs
 * one head without asking what it continues.
 */
#ifndef SIGNER_WITNESS_H
#define SIGNER_WITNESS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "model/tree.h"
#include "signer/journal.h"
#include "signer/protocol.h"

/* Beside the segments; a line of text from the operator, which goes into the record. */
#define WITNESS_RESTART_NAME "restart"
enum { WITNESS_RESTART_MAX = 1024 };

/* Of one journal key. */
struct witness {
	struct signer_head head;    /* the last one; size 0: none yet */
	uint64_t position;          /* of its record */
	uint64_t restart;           /* position of the restart's record; 0: none since the last head */
	uint8_t signature[1 << 10]; /* of a head; the kinds of journal keys stay far below */
	size_t signature_n;
};

/* What a record of this key says. *ret_known: nothing before it matters. */
void witness_take(struct witness *w, const struct sj_record *r, bool *ret_known);

/* The last state of `n` keys by their labels, from the journal in dir: newest segments first, as far back as needed.
   CHY_SJ_DAMAGED, CHY_SJ_READ. */
MUST enum rc witness_load(const char *dir, const char *const *labels, struct witness *const *w, size_t n,
			  struct err *e);

/* May this head be signed after the last one? proof: from the last one's size to this one's, empty where they are the same.
   CHY_SIGNER_HEAD_BACK, CHY_SIGNER_HEAD_OTHER. */
MUST enum rc witness_check(const struct witness *w, const struct signer_head *h,
			   const struct tree_proof *proof, struct err *e);

#endif
