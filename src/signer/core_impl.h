/* The inside of the core, shared by core.c, handle.c and sign.c only. */
#ifndef SIGNER_CORE_IMPL_H
#define SIGNER_CORE_IMPL_H

#include <pthread.h>

#include "base/frame.h"
#include "signer/core.h"
#include "signer/workers.h"

/* One request of a batch, from message to answer. */
struct item {
	struct frame in;
	struct err e;       /* its failure, if any */
	struct buf payload; /* its answer */
	/* what is to be signed, and written to the journal */
	bool signs;
	struct skey *key;
	enum sigalg alg;
	bool digest; /* tbs is a digest already */
	enum sj_type type;
	struct bytes tbs, context;
	struct buf signature;
	uint8_t head[SIGNER_HEAD_BYTES];
	uint64_t position;
	bool later; /* answered by the token shop's thread when it is done */
};

struct token_shop;

struct signer_core {
	struct signer_core_options o;
	struct workers *workers;
	struct token_shop *shop;
	pthread_mutex_t writing; /* of fd and out */
	int fd;                  /* -1: no socket, answers stay in out */
	struct item *items;      /* LIMIT_SIGNER_BATCH of them */
	size_t n_items;
	struct buf in, out;
	int64_t started_at, repaired_us;
	uint64_t signed_total, refused_total;
	int64_t logged_us; /* when the second began in which `logged` refusals went to the log */
	unsigned logged;
	struct sj_reader *reader; /* where JOURNAL_READ goes on, if it goes on there */
	uint64_t reader_next;
};

/* Reads the request: either does it (payload is the answer), or checks it and sets `signs`. */
void core_handle(struct signer_core *c, struct item *it);
/* Does a request of this type change keys or the journal? Those wait for what was signed before, and are not mixed with
   it. */
bool core_is_act(uint16_t type);

/* Signs, journals, syncs: the items that have `signs` and no error. */
void core_sign_all(struct signer_core *c);
/* Appends a record about a key and syncs; for acts. */
MUST enum rc core_record(struct signer_core *c, enum sj_type type, struct skey *k, struct bytes what,
			 struct bytes context, struct err *e);
/* ---- token.c ---- */

/* Requests about tokens. Making keys and files takes long: a thread of its own does it and answers; what needs the key
   store or the journal is done before. */
enum rc token_key(struct signer_core *c, struct item *it, struct rd *r);
enum rc token_pin(struct signer_core *c, struct item *it, struct rd *r);
enum rc token_build(struct signer_core *c, struct item *it, struct rd *r);
enum rc token_open(struct signer_core *c, struct item *it, struct rd *r);

MUST enum rc token_shop_new(struct signer_core *c, struct token_shop **ret, struct err *e);
/* Waits for the one at work; forgets what waits. */
void token_shop_free(struct token_shop *s);
/* One answer, from any thread. */
void core_answer_later(struct signer_core *c, uint16_t type, uint64_t id, struct bytes payload,
		       const struct err *e);

/* Is the journal writable? Tries to repair it, at most once a second. */
MUST enum rc core_journal_ready(struct signer_core *c, struct err *e);

#endif
