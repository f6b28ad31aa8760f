/*
 * The bytes of the signer's journal, shared by its writer and its readers. Not for use outside of this
 *folder.
 *
 *	segment  = header, record*, zeros to the file's end
 *	header   = "CHYSJ001", first position (8), hash of the record before (32), made at (8), bytes of the
 *file (8), SHA-256 of all that (32) record   = length of the body (4), body, SHA-256 of length and body (32)
 *	body     = hash of the record before (32), position (8), synced (8), at (8), type (2), key, tbs,
 *signature, context (each behind a 32-bit length)
 */
#ifndef SIGNER_JOURNAL_RECORD_H
#define SIGNER_JOURNAL_RECORD_H

#include "base/buf.h"
#include "signer/journal.h"

enum {
	SJ_HEADER_SIGNED = 8 + 8 + SJ_HASH + 8 + 8,
	SJ_HEADER = SJ_HEADER_SIGNED + SJ_HASH,
	SJ_BODY_LEAST = SJ_HASH + 8 + 8 + 8 + 2 + 4 * 4,
	SJ_BATCH_MAX = 40 << 20, /* LIMIT_SIGNER_BATCH records of the largest size, and some air */
	SJ_NAME_MAX = 32,        /* "0000000000000001.sj" with its NUL */
};

struct sj_segment {
	uint64_t first; /* position of its first record */
	uint8_t prev[SJ_HASH];
	int64_t made_at;
	uint64_t size; /* bytes of the file */
};

void sj_header_put(uint8_t out[SJ_HEADER], const struct sj_segment *s);
bool sj_header_get(struct bytes in, struct sj_segment *ret);

/* Appends the record, filling in r->hash. A record over SJ_RECORD_MAX fails the buffer. */
void sj_record_put(struct buf *out, struct sj_record *r);
/* The record at the front of in, as views into it; 0 when none stands there whole and with the right hash,
   else its length in bytes. */
size_t sj_record_get(struct bytes in, struct sj_record *ret);

/* Reads a mapped segment's rest behind the last good record: does a whole record further on say that the one
   expected here had been synced? Then it is damage, else what is left of a batch that nobody has got an
   answer for. */
bool sj_is_damage(struct bytes rest, uint64_t expected);
/* Length without the zeros at the end. */
size_t sj_used(struct bytes in);

/* "0000000000000001.sj" */
void sj_name_put(char out[SJ_NAME_MAX], uint64_t first);
bool sj_name_get(const char *name, uint64_t *ret_first);
/* First positions of the segments in a folder, ascending; malloc'd, the caller frees. A missing folder has
 * none. */
MUST enum rc sj_list(const char *dir, uint64_t **ret, size_t *ret_n, struct err *e);

#endif
