/*
 * The signer's own journal: every signature it has made, what it was made over and why, written and synced
 * before the signature leaves the process. Evidence as well as repair: after a failure the store is completed
 * from it, and `chancery journal verify` shows that both account for each other. The format:
 * docs/formats/signer-journal.md.
 *
 * One writer (one thread of the signer at a time); readers of other processes may look at the same time, they see whole
 * records only. A record's hash covers the hash of the one before it, so nothing can be altered, dropped or
 * put between without every later hash changing.
 */
#ifndef SIGNER_JOURNAL_H
#define SIGNER_JOURNAL_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"

enum {
	SJ_HASH = 32,                /* SHA-256 */
	SJ_SEGMENT_BYTES = 64 << 20, /* of a segment file, unless configured */
	SJ_SEGMENT_LEAST = 256 << 10,
	SJ_RECORD_MAX = 128 << 10,
};

/* What a record tells. The numbers are part of the format. */
enum sj_type {
	SJ_CERT = 1, /* signed a certificate; tbs: TBSCertificate */
	SJ_HEAD = 2, /* signed a head of the store's journal; tbs: the fixed structure */
	SJ_TLS = 3,  /* used a TLS key; tbs: what was given to be signed */
	SJ_CSR = 4,  /* signed a certification request for one of its own keys */
	SJ_AC = 6,   /* signed an attribute certificate; tbs: AttributeCertificateInfo */
	SJ_RECOVERED =
	    5,       /* opened an archived key into a token; tbs: its SubjectPublicKeyInfo, no signature */
	SJ_CRL = 7,  /* signed a revocation list; tbs: crl_seen.h's struct crl_record */
	SJ_OCSP = 8, /* signed OCSP responses; tbs: how many and the root of a tree over them, no signature */
	SJ_KEY_MADE =
	    16, /* generated a key; tbs: its SubjectPublicKeyInfo, context: class, algorithm, place */
	SJ_KEY_GONE = 17, /* deleted a key; tbs: its SubjectPublicKeyInfo */
	SJ_LIMITS = 18,   /* set a CA key's limits; tbs: the encoded limits */
	SJ_RESTART =
	    19, /* gave up the last head after a restore; tbs: that head, context: the operator's words */
};

struct sj_record {
	uint64_t position; /* 1, 2, 3 ... without gaps over all segments */
	uint64_t synced;   /* highest position that was synced when this one was written */
	int64_t at_ms;
	enum sj_type type;
	struct bytes key; /* the key's label */
	struct bytes tbs, signature, context;
	uint8_t prev[SJ_HASH]; /* hash of the record before it; zeros for the first one ever */
	uint8_t hash[SJ_HASH];
};

/* ---- writing ---- */

struct sj;

/* Opens the journal in dir (made when missing; also dir/archive, dir/cut), checks every segment that is not
   archived, cuts a torn tail, syncs. One process at a time: CHY_SJ_LOCKED. CHY_SJ_DAMAGED: something that had
   been synced is not there any more; nothing is changed then, and the journal does not open. CHY_SJ_WRITE.
   segment_bytes: 0 for the usual. Owned by the caller. */
MUST enum rc sj_open(const char *dir, size_t segment_bytes, struct sj **ret, struct err *e);
void sj_close(struct sj *j);
OWN_DEFINE(struct sj *, sj_close)

/* Puts a record into the batch in memory. Fills in position, synced, prev and hash of *r. Only sj_commit
 * writes. */
MUST enum rc sj_add(struct sj *j, struct sj_record *r, struct err *e);
/* Writes the batch and syncs it, once. On CHY_SJ_WRITE nothing of the batch counts as written, and every
   sj_add fails (CHY_SJ_BROKEN) until sj_repair has succeeded. Fault points: signer.journal-write,
   signer.journal-sync (fail), signer.after-append, signer.after-sync. */
MUST enum rc sj_commit(struct sj *j, struct err *e);
/* Forgets the batch in memory. */
void sj_drop(struct sj *j);
/* Takes back what an unsuccessful commit may have left in the file. RC_OK where there is nothing to repair.
 */
MUST enum rc sj_repair(struct sj *j, struct err *e);
bool sj_is_broken(const struct sj *j);

/* Everything up to this position has been taken over by the store: whole segments below it go to dir/archive.
   Acknowledging twice, or less than before, is nothing. CHY_SJ_POSITION: beyond what is synced. */
MUST enum rc sj_ack(struct sj *j, uint64_t position, struct err *e);
uint64_t sj_acked(const struct sj *j);  /* 0: none */
uint64_t sj_synced(const struct sj *j); /* 0: none yet */
/* The hash of the record at sj_synced; zeros where there is none. */
void sj_synced_hash(const struct sj *j, uint8_t ret[SJ_HASH]);
unsigned sj_segments(const struct sj *j); /* not archived */

/* ---- reading, also while a signer writes, also without one ---- */

struct sj_reader;

/* Reads the journal in dir with its archive from the record at `from` (1: the beginning; one past the last:
   waits there). CHY_SJ_POSITION: no such record. */
MUST enum rc signer_journal_open_read(const char *dir, uint64_t from, struct sj_reader **ret, struct err *e);
void sj_reader_free(struct sj_reader *r);
OWN_DEFINE(struct sj_reader *, sj_reader_free)

/* The next record; its bytes are the arena's. *ret_more = false: the end for now (a later call may find
   more). Checks each record's hash, its place and its chain: CHY_SJ_DAMAGED names the position. A torn tail
   in the last segment is the end, for it was never synced. */
MUST enum rc sj_read(struct sj_reader *r, struct arena *a, struct sj_record *ret, bool *ret_more,
		     struct err *e);

#endif
