#include "base/base.h"
#include "signer/client_token.h"

#include "signer/client_impl.h"

static MUST enum rc
ask(struct signer *s, uint16_t type, const struct buf *request, int timeout_ms, struct arena *a,
    struct bytes *ret, struct err *e)
{
	struct bytes parts[] = { buf_bytes(request) };

	NEED(buf_ok(request), e, CHY_P12_TOO_MUCH, NULL, "a request to the signer about a token");
	return signer_ask(s, type, parts, 1, timeout_ms, a, ret, e);
}

static struct bytes
text(const char *s)
{
	return s ? bytes_str(s) : BYTES_NONE;
}

enum rc
signer_token_key(struct signer *s, const char *kind, const char *label, const char *archive,
		 const char *bound, int timeout_ms, struct arena *a, struct token_key_made *ret,
		 struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 10);
	struct bytes answer;
	struct rd r;

	buf_lv(&b, text(kind));
	buf_lv(&b, text(label));
	buf_lv(&b, text(archive));
	buf_lv(&b, text(bound));
	TRY(ask(s, SIGNER_TOKEN_KEY, &b, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	*ret = (struct token_key_made){ .spki = rd_lv(&r) };
	ret->box = rd_lv(&r);
	ret->envelope = rd_lv(&r);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "a token's key");
	return RC_OK;
}

enum rc
signer_token_pin(struct signer *s, const char *label, const struct secret *pin, int timeout_ms,
		 struct arena *a, struct bytes *ret_box, struct err *e)
{
	struct buf b = buf_max(1 << 10);
	enum rc rc;

	buf_reserve(&b, 512);
	buf_lv(&b, text(label));
	buf_lv(&b, secret_bytes(pin));
	rc = ask(s, SIGNER_TOKEN_PIN, &b, timeout_ms, a, ret_box, e);
	buf_wipe(&b);
	return rc;
}

enum rc
signer_token_build(struct signer *s, const struct token_build *t, int timeout_ms, struct arena *a,
		   struct bytes *ret_box, struct err *e)
{
	OWN_BUF struct buf b = buf_max(LIMIT_FRAME - 64);
	struct bytes answer;
	struct rd r;

	NEED(t->parts_n <= SIGNER_TOKEN_KEYS && t->issuers_n <= 255, e, CHY_P12_TOO_MUCH, NULL,
	     "%zu keys and %zu issuers", t->parts_n, t->issuers_n);
	buf_u8(&b, t->legacy);
	buf_lv(&b, text(t->label));
	buf_lv(&b, text(t->pin_label));
	buf_lv(&b, t->pin_box);
	buf_lv(&b, t->context);
	buf_u8(&b, (uint8_t)t->parts_n);
	for (size_t i = 0; i < t->parts_n; i++) {
		buf_lv(&b, text(t->parts[i].archive));
		buf_lv(&b, text(t->parts[i].label));
		buf_lv(&b, t->parts[i].sealed);
		buf_lv(&b, t->parts[i].certificate);
		buf_lv(&b, t->parts[i].name);
	}
	buf_u8(&b, (uint8_t)t->issuers_n);
	for (size_t i = 0; i < t->issuers_n; i++)
		buf_lv(&b, t->issuers[i]);
	TRY(ask(s, SIGNER_TOKEN_BUILD, &b, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	*ret_box = rd_lv(&r);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "a token");
	return RC_OK;
}

enum rc
signer_token_open(struct signer *s, const char *label, struct bytes box, int timeout_ms, struct secret **ret,
		  struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(4 * LIMIT_FRAME);
	OWN_BUF struct buf b = buf_max(LIMIT_FRAME);
	struct bytes answer;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	buf_lv(&b, text(label));
	buf_lv(&b, box);
	TRY(ask(s, SIGNER_TOKEN_OPEN, &b, timeout_ms, a, &answer, e));
	*ret = secret_of(answer);
	explicit_bzero((void *)(uintptr_t)answer.p, answer.n);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	return RC_OK;
}
