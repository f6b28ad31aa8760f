/*
 * Texts as JSON, for cert_text.c and ac_text.c alone.
 */
#ifndef PKI_TEXT_JSON_H
#define PKI_TEXT_JSON_H

#include "base/json.h"
#include "base/limits.h"

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
