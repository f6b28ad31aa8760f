/* The inside of the journal's writer, shared by journal_write.c, journal_open.c and journal_spare.c only. */
#ifndef SIGNER_JOURNAL_IMPL_H
#define SIGNER_JOURNAL_IMPL_H

#include <limits.h>
#include <pthread.h>

#include "signer/journal_record.h"

#define SJ_SPARE_NAME "spare"

struct sj {
	char dir[PATH_MAX];
	int lock_fd, ack_fd;
	size_t segment_bytes; /* of the current one */
	size_t next_bytes;    /* of those to come */
	unsigned segments;

	int fd;           /* the current segment */
	uint64_t segment; /* its first position */
	uint64_t off;     /* where the next batch goes */
	uint64_t next;    /* first position of the segment that is being started */
	uint8_t written_hash[SJ_HASH];

	uint64_t synced, acked;
	uint8_t synced_hash[SJ_HASH];

	struct buf batch;
	uint64_t batched;
	uint8_t batch_hash[SJ_HASH];

	bool broken;
	uint64_t safe_segment, safe_off; /* where the last good commit ended */

	/* a zero-filled segment made ahead by a thread of its own */
	pthread_mutex_t spare_lock;
	pthread_cond_t spare_more;
	pthread_t spare_thread;
	bool spare_started, spare_wanted, spare_stop;
	int spare_fd;
};

MUST enum rc sj_path(char out[PATH_MAX], const char *dir, const char *sub, const char *name, struct err *e);
MUST enum rc sj_write_at(int fd, struct bytes what, uint64_t at, struct err *e);
MUST enum rc sj_sync(int fd, struct err *e);
/* Starts a segment whose first record has this position; j->written_hash is the hash before it. */
MUST enum rc sj_roll(struct sj *j, uint64_t first, struct err *e);
MUST enum rc sj_blank(int fd, uint64_t from, uint64_t size, struct err *e);
MUST enum rc sj_ack_load(struct sj *j, struct err *e);

/* The spare's thread is started by the first wish, which comes long after the start. */
void sj_spare_init(struct sj *j);
void sj_spare_fini(struct sj *j);
void sj_spare_want(struct sj *j);
/* Its descriptor, the caller's now; -1: there is none ready. */
int sj_spare_take(struct sj *j);

#endif
