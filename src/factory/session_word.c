#include "base/base.h"
#include "factory/sessions.h"

#include "base/json.h"
#include "crypto/cms_verify.h"
#include "crypto/digest.h"
#include "store/read.h"

/* Does some version of the officer's document name this certificate? It may have been renewed since. *ret: its id there. */
static enum rc
was_bound(struct factory *f, struct arena *a, int64_t officer, const uint8_t hash[SHA256_LEN], int64_t *ret,
	  struct err *e)
{
	struct document_row *rows;
	char want[2 * SHA256_LEN + 1];
	int64_t after = 0;
	size_t n;

	hex_text(want, bytes_of(hash, SHA256_LEN));
	do {
		TRY(store_document_versions(f->store, a, officer, after, LIMIT_PAGE, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			struct bytes hex = BYTES_NONE;
			struct json *body;

			after = rows[i].version;
			TRY(json_parse(a, rows[i].body, &body, e));
			TRY(json_opt_str(body, "certificate_sha256", &hex, e));
			if (!bytes_is(rows[i].kind, "officer") || !bytes_is(hex, want))
				continue;
			*ret = 0;
			return json_opt_int(body, "certificate", 1, JSON_INT_MAX, ret, e);
		}
	} while (n == LIMIT_PAGE);
	FAIL(e, CHY_SESSION_TOKEN, NULL, "the officer of the issuing session did not sign for it");
}

static enum rc
read_signed(struct factory *f, struct arena *a, const struct session_row *row, struct bytes content,
	    const struct json *stored, struct err *e)
{
	struct bytes act, instance;
	struct json *v, *body;
	int64_t request;

	TRY(json_parse(a, content, &v, e));
	TRY(json_need_str(v, "act", &act, e));
	TRY(json_need_str(v, "instance", &instance, e));
	TRY(json_need_int(v, "request", 1, JSON_INT_MAX, &request, e));
	TRY(json_need_object(v, "body", &body, e));
	NEED(bytes_is(act, "issuing-session.open") && bytes_is(instance, f->instance) &&
		 request == row->request_id && row->id == row->request_id && json_eq(body, stored),
	     e, CHY_SESSION_TOKEN, NULL, "the issuing session is not what its officer signed");
	return RC_OK;
}

enum rc
session_check_signed(struct factory *f, struct arena *a, const struct session_row *row,
		     const struct json *body, int64_t *ret_signed_by, struct err *e)
{
	struct signature_row *rows;
	struct cms_signed cms;
	uint8_t hash[SHA256_LEN];
	size_t n;

	TRY(store_signatures(f->store, a, row->request_id, &rows, &n, e));
	NEED(n == 1 && rows[0].officer_id == row->officer_id, e, CHY_SESSION_TOKEN, NULL,
	     "no officer signed for the issuing session");
	TRY(cms_verify(a, rows[0].cms, &cms, e));
	TRY(read_signed(f, a, row, cms.content, body, e));
	sha256(cms.signer, hash);
	return was_bound(f, a, row->officer_id, hash, ret_signed_by, e);
}
