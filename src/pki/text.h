/*
 * What the texts for people have in common, and texts as JSON. Inner header of *_text.c and cil.c.
 */
#ifndef PKI_TEXT_H
#define PKI_TEXT_H

#include "base/json.h"
#include "base/limits.h"
#include "pki/ext.h"
#include "pki/key.h"

/* The algorithm's name, or the OID of one that we do not know; alg: its AlgorithmIdentifier. */
void text_put_sigalg(struct buf *out, enum sigalg known, struct bytes alg);
/* "Not before  2026-01-01T00:00:00Z", a line. */
void text_put_time_line(struct buf *out, const char *name, int64_t at_ms);
/* "Extensions" and a line for each; nothing when there are none. */
void text_put_exts(struct buf *out, const struct exts *l);
/* NULL when memory is out. */
struct json *text_time_json(struct arena *a, int64_t at_ms);
struct json *text_exts_json(struct arena *a, const struct exts *l);

/* NULL when memory is out. */
static inline struct json *
text_json(struct arena *a, const struct buf *b)
{
	return buf_ok(b) ? json_str(a, buf_bytes(b)) : NULL;
}

/* What a function writes, as a JSON string; NULL when memory is out. */
#define TEXT_OF(a, call_with_out) \
	({ \
		OWN_BUF struct buf text_ = buf_max(4 * LIMIT_CERT); \
		struct buf *out = &text_; \
		call_with_out; \
		text_json((a), &text_); \
	})

/* False: v is NULL, memory was out. */
static inline bool
text_json_set(struct json *o, const char *name, struct json *v)
{
	if (v != NULL)
		json_set(o, name, v);
	return v != NULL;
}

#endif
