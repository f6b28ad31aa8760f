/* The inside of the core, shared by the files of the process only. */
#ifndef SIGNER_CORE_IMPL_H
#define SIGNER_CORE_IMPL_H

#include <pthread.h>

#include "base/frame.h"
#include "model/tree.h"
#include "signer/core.h"
#include "signer/crl_seen.h"
#include "signer/workers.h"

struct crl_job;

/* OCSP responses of one message, or of one record. */
struct ocsp_sum {
	uint32_t n, status[3];     /* responses; certificates that are good, revoked, unknown in them */
	int64_t from_at, until_at; /* the earliest producedAt, the latest nextUpdate */
};

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
	struct bytes record; /* what the journal has in place of tbs; p NULL: tbs */
	struct crl_job *crl; /* SJ_CRL: the list, ended when the answer is made */
	struct bytes list;   /* SJ_OCSP: sum.n times lv ResponseData */
	struct ocsp_sum sum; /* SJ_OCSP */
	struct buf many;     /* SJ_OCSP: as many times lv signature */
	struct buf signature;
	uint64_t position;               /* of its record; 0: none yet */
	bool later;                      /* answered by the token shop's thread when it is done */
	uint8_t head[SIGNER_HEAD_BYTES]; /* last: all before it is cleared for the next request */
};

/* Requests that share a sync. */
struct batch {
	struct item *items; /* LIMIT_SIGNER_BATCH of them */
	size_t n;
	/* So that nobody has to go through all of them whenever some have come. */
	bool signs, slow; /* one of them is to be signed; one by a key that takes its time */
	size_t given;     /* so many are with those who sign, as far as they are to be signed */
};

struct token_shop;
struct committer;
struct crl_jobs;
struct making;

struct signer_core {
	struct signer_core_options o;
	struct workers *workers;
	struct token_shop *shop;
	struct crl_jobs *crl_jobs;
	struct crl_seen *crl_seen;
	uint64_t crl_kept; /* position up to which crl_seen is kept in its file */
	/* Of keys and `making`, and of the journal while no batch is being committed: held for each batch, and when a key is entered. */
	pthread_mutex_t changing;
	struct making *making;   /* keys that tokens are making */
	pthread_mutex_t writing; /* of fd and out; behind changing */
	int fd;                  /* -1: no socket, answers stay in out */
	struct batch batches[2];
	struct batch *now; /* the one that is gathered; the other one is committed meanwhile, or empty */
	struct committer *committer;
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
/* Can it be checked while the batch before it is committed? All that looks into the journal, or at what it tells, cannot. */
bool core_is_beside(uint16_t type);

/* ---- sign.c ---- */

/* Signs one item. Any thread; meanwhile others look only at what does not change any more: signs, type, key, crl. */
void core_sign_item(void *item);
/* Gives the items that have `signs` and no error to those who sign, before their batch is whole. False: it cannot be written down just
   now, nothing was signed. */
bool core_sign_ahead(struct signer_core *c);
/* The same with all of the batch, and puts its records into the journal's memory, once the batch before it is committed.
   False: the journal cannot be written, and all of them have failed. */
bool core_sign_all(struct signer_core *c);
/* The records of what was signed to the disk, and the answers to what is on it. Any thread that has the journal. */
void core_commit(struct signer_core *c, struct batch *b);
/* Appends a record about a key and syncs; for acts. */
MUST enum rc core_record(struct signer_core *c, enum sj_type type, struct skey *k, struct bytes what,
			 struct bytes context, struct err *e);

/* ---- batch.c ---- */

MUST enum rc batch_init(struct batch *b, struct err *e);
void batch_fini(struct batch *b);
/* A request more, of which nothing is known but its frame. There must be room. */
struct item *batch_add(struct batch *b, struct frame f);
/* The last one has been checked: it is known whether and by which key it is to be signed. */
void batch_checked(struct batch *b);
/* May another thread commit it while the next one is taken? Not where later requests are checked by what it signs (heads), or where it
   holds what only the main thread looks after (lists). */
bool batch_is_movable(const struct batch *b);
/* Puts all answers into the output; the batch is empty then. Any thread. */
void batch_settle(struct signer_core *c, struct batch *b);
/* The frame that answers the request: with the payload, or where e has a code with that error. */
void answer_put(struct buf *out, struct frame request, struct bytes payload, const struct err *e);

/* ---- core.c ---- */

/* Sends the output, if there is any. CHY_CONTROL_CLOSED: whoever asked has died. Any thread. */
MUST enum rc core_write_answers(struct signer_core *c, struct err *e);

/* ---- committer.c: batches committed while the next one is signed ---- */

MUST enum rc committer_new(struct signer_core *c, struct committer **ret, struct err *e);
void committer_free(struct committer *k); /* waits */
/* Has a thread commit, settle and answer `now`, and makes the other batch `now`. None may be on its way. */
void committer_take(struct signer_core *c);
/* Waits until no batch is on its way: the journal is the caller's then, as long as it holds `changing`. */
void committer_wait(struct signer_core *c);
bool committer_busy(struct signer_core *c);
/* Waits for the batch that is on its way, or for input; now and then for neither. */
void committer_wait_or_input(struct signer_core *c);
/* Why answers could not be sent, if so. */
MUST enum rc committer_failed(struct signer_core *c, struct err *e);

/* ---- handle.c: parts of requests ---- */

MUST enum rc core_done(const struct rd *r, struct err *e);
MUST enum rc core_find(struct signer_core *c, struct bytes label, struct skey **ret, struct err *e);
MUST enum rc core_find_of_class(struct signer_core *c, struct bytes label, enum signer_class class,
				struct skey **ret, struct err *e);
MUST enum rc core_find_alg(struct bytes name, const struct skey *k, enum sigalg *ret, struct err *e);

/* A key that was made, into the journal; what the journal does not take is deleted again. The payload is the answer. */
MUST enum rc core_key_made(struct signer_core *c, struct skey *k, struct buf *payload, struct err *e);

/* ---- making.c ---- */

/* Has the key made by its token and answers later. CHY_SIGNER_BUSY: too many at once. */
MUST enum rc making_start(struct signer_core *c, struct item *it, struct bytes label, enum signer_class class,
			  const char *kind, struct bytes where, struct err *e);
/* CHY_SIGNER_BUSY: a key of this label is on its way. */
MUST enum rc making_check(const struct signer_core *c, struct bytes label, struct err *e);
/* Waits for the threads a moment. Where a token hangs the process ends here. */
void making_end(struct signer_core *c);

/* ---- status.c ---- */

MUST enum rc crl_jobs_new(struct crl_jobs **ret, struct err *e);
void crl_jobs_free(struct crl_jobs *l);
/* All that are on their way: their key goes, or their sender has gone. */
void crl_jobs_end(struct crl_jobs *l);
enum rc crl_begin(struct signer_core *c, struct item *it, struct rd *r);
enum rc crl_entries(struct signer_core *c, struct item *it, struct rd *r);
enum rc crl_sign(struct signer_core *c, struct item *it, struct rd *r);
enum rc crl_drop(struct signer_core *c, struct item *it, struct rd *r);
enum rc crl_last(struct signer_core *c, struct item *it, struct rd *r);
enum rc ocsp_sign(struct signer_core *c, struct item *it, struct rd *r);
/* The list's record is synced: the next one is judged by it. */
void crl_synced(struct signer_core *c, const struct item *it);
/* The answer is made, with or without a signature: the list's memory goes. */
void crl_answered(struct item *it);
/* Keeps what the witness of lists knows in its file, if anything was written since. */
void crl_seen_keep(struct signer_core *c);
/* Signs each response of a message. Any thread. */
MUST enum rc ocsp_sign_list(struct item *it);
/* One record for all responses of this batch that are of the key of the item at `first`; sets their positions. */
void ocsp_journal(struct sj *j, struct batch *b, size_t first, int64_t now);
void ocsp_answer(struct item *it);

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
