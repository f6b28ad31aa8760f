#include "base/base.h"
#include "model/rescue.h"

static const char format[] = "chancery-rescue/1";

enum { RESCUE_MAX = RESCUE_OFFICERS_MAX * 2 * LIMIT_CSR };

static enum rc
read_item(struct arena *a, const struct json *in, struct rescue_item *ret, struct err *e)
{
	static const char *const names[] = { "certificate_sha256", "csr", NULL };
	struct bytes text, hash;

	TRY(json_only(in, names, e));
	TRY(json_need_str(in, "certificate_sha256", &text, e));
	TRY_AT(hex_parse(a, text, &hash, e), e, "certificate_sha256");
	NEED(hash.n == FINGERPRINT_LEN, e, CHY_RESCUE_DOCUMENT, NULL, "a digest of %zu octets", hash.n);
	memcpy(ret->certificate, hash.p, FINGERPRINT_LEN);
	TRY(json_need_str(in, "csr", &text, e));
	TRY_AT(base64_parse(a, text, &ret->csr, e), e, "csr");
	return RC_OK;
}

static enum rc
read_items(struct arena *a, const struct json *list, struct rescue *ret, struct err *e)
{
	NEED(list->count >= 1 && list->count <= RESCUE_OFFICERS_MAX, e, CHY_RESCUE_DOCUMENT, NULL,
	     "1 to %d officers", RESCUE_OFFICERS_MAX);
	JSON_EACH(item, list)
	{
		TRY_AT(read_item(a, item, &ret->v[ret->n], e), e, "officers[%zu]", ret->n);
		for (size_t i = 0; i < ret->n; i++)
			NEED(memcmp(ret->v[i].certificate, ret->v[ret->n].certificate, FINGERPRINT_LEN) != 0,
			     e, CHY_RESCUE_DOCUMENT, NULL, "one certificate twice");
		ret->n++;
	}
	return RC_OK;
}

/* Signed bytes mean the same to everybody: one text for one meaning. */
static enum rc
is_canonical(struct bytes text, const struct json *in, struct err *e)
{
	OWN_BUF struct buf again = buf_max(RESCUE_MAX);

	json_put_canonical(&again, in);
	NEED(buf_ok(&again) && bytes_eq(buf_bytes(&again), text), e, CHY_RESCUE_DOCUMENT, "RFC 8785",
	     "not canonical JSON");
	return RC_OK;
}

enum rc
rescue_read(struct arena *a, struct bytes text, struct rescue *ret, struct err *e)
{
	static const char *const names[] = { "format", "instance", "nonce", "officers", "prepared_at", NULL };
	struct bytes value;
	struct json *in, *list;

	*ret = (struct rescue){ .n = 0 };
	NEED(text.n <= RESCUE_MAX, e, CHY_RESCUE_DOCUMENT, NULL, "%zu octets", text.n);
	TRY(json_parse(a, text, &in, e));
	TRY(json_only(in, names, e));
	TRY(is_canonical(text, in, e));
	TRY(json_need_str(in, "format", &value, e));
	NEED(bytes_is(value, format), e, CHY_RESCUE_DOCUMENT, NULL, "the format is not %s", format);
	TRY(json_need_str(in, "instance", &ret->instance, e));
	TRY(json_need_str(in, "nonce", &value, e));
	TRY(json_need_str(in, "prepared_at", &value, e));
	TRY_AT(time_parse(value, &ret->prepared_at_ms, e), e, "prepared_at");
	TRY(json_need_array(in, "officers", &list, e));
	return read_items(a, list, ret, e);
}

enum rc
rescue_write(struct arena *a, const struct rescue *r, struct bytes nonce, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(RESCUE_MAX), random = buf_max(4 * RESCUE_NONCE);
	struct json *o = json_object(a), *list = json_array(a);
	char at[32];

	for (size_t i = 0; i < r->n; i++) {
		struct json *item = json_object(a);

		json_set(item, "certificate_sha256",
			 json_hex(a, bytes_of(r->v[i].certificate, FINGERPRINT_LEN)));
		json_set(item, "csr", json_base64(a, r->v[i].csr));
		json_add(list, item);
	}
	base64url_put(&random, nonce);
	json_set(o, "format", json_str(a, bytes_str(format)));
	json_set(o, "instance", json_str(a, r->instance));
	json_set(o, "nonce", json_str(a, buf_bytes(&random)));
	json_set(o, "officers", list);
	json_set(o, "prepared_at", json_str(a, bytes_str(time_text(at, r->prepared_at_ms))));
	json_put_canonical(&text, o);
	*ret = arena_dup(a, buf_bytes(&text));
	NEED(buf_ok(&text) && ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a rescue");
	return RC_OK;
}
