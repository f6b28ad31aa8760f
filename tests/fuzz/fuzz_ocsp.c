/*
 * OCSP: requests and responses. Whatever a request asks is written back and read to the same; a response that parses and whose
 * data the signer's walker passes is built again from its parts.
 */
#include "base/base.h"
#include "pki/lint.h"
#include "pki/ocsp.h"
#include "pki/ocsp_walker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
request(struct bytes in)
{
	static struct ocsp_request r, again;
	OWN_DW struct dw w = dw_growing(1 << 20);
	struct err e = { 0 };

	if (ocsp_request_parse(in, &r, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return;
	}
	check(r.n >= 1 && r.n <= LIMIT_OCSP_IDS);
	for (size_t i = 0; i < r.n; i++)
		if (r.v[i].hash == OCSP_OTHER_HASH)
			return; /* one that we do not write */
	dw_ocsp_request(&w, r.v, r.n, r.nonce);
	check(ocsp_request_parse(dw_bytes(&w), &again, NULL) == RC_OK && again.n == r.n);
	check(bytes_eq(again.nonce, r.nonce));
	for (size_t i = 0; i < r.n; i++)
		check(bytes_eq(again.v[i].serial, r.v[i].serial) && again.v[i].hash == r.v[i].hash &&
		      bytes_eq(again.v[i].key_hash, r.v[i].key_hash));
}

static void
rebuild(const struct ocsp_response *r)
{
	OWN_DW struct dw w = dw_growing(1 << 20);
	struct ocsp_single v[LIMIT_OCSP_IDS];
	struct bytes rest = r->singles;
	const struct ocsp_inputs in = { r->name, r->key_hash, r->produced_at, v, r->n, r->nonce };

	for (size_t i = 0; i < r->n; i++)
		check(ocsp_single_next(&rest, &v[i]));
	check(ocsp_data_build(&in, &w, NULL) == RC_OK && bytes_eq(dw_bytes(&w), r->data));
}

static void
response(struct arena *a, struct bytes in)
{
	OWN_BUF struct buf text = buf_max(4 << 20);
	static struct ocsp_view view;
	struct lint_verdicts v;
	struct ocsp_response r;
	struct err e = { 0 };

	if (ocsp_response_parse(in, &r, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return;
	}
	if (r.result == OCSP_SUCCESSFUL && ocsp_data_walk(r.data, &view, &e) == RC_OK) {
		check(view.n == r.n && view.produced_at == r.produced_at && bytes_eq(view.name, r.name));
		rebuild(&r);
	}
	check(lint_ocsp(a, &r, &v, NULL) == RC_OK);
	ocsp_response_put_text(&text, &r);
	check(ocsp_response_json(a, &r) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);

	if (a == NULL)
		return 0;
	request(bytes_of(data, n));
	response(a, bytes_of(data, n));
	return 0;
}
