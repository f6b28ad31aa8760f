/* An OCSP response for people, and as JSON. */
#include "base/base.h"
#include "pki/ocsp.h"
#include "pki/text.h"

static const char *const hash_names[] = { "sha1", "sha256", "sha384", "sha512", "", "other" };

static void
responder_text(struct buf *out, const struct ocsp_response *r)
{
	if (r->name.n > 0) {
		name_put_der_text(out, r->name);
	} else {
		buf_str(out, "key ");
		hex_put(out, r->key_hash);
	}
}

static void
put_time(struct buf *out, const char *name, int64_t at)
{
	char text[32];

	if (at != OCSP_NO_TIME)
		buf_printf(out, "%s %s", name, time_text(text, at));
}

static void
put_single(struct buf *out, const struct ocsp_single *x)
{
	struct ocsp_id id;

	buf_str(out, "  ");
	if (ocsp_id_parse(x->cert_id, &id, NULL) == RC_OK)
		hex_put(out, id.serial);
	buf_printf(out, " %s", ocsp_status_name(x->status));
	if (x->status == OCSP_REVOKED) {
		put_time(out, "", x->revoked_at);
		if (x->reason != CRL_NO_REASON)
			buf_printf(out, " %s", crl_reason_name(x->reason));
	}
	put_time(out, ", known at", x->this_update_at);
	put_time(out, ", next at", x->next_update_at);
	put_time(out, ", archived since", x->archive_cutoff_at);
	buf_u8(out, '\n');
}

void
ocsp_response_put_text(struct buf *out, const struct ocsp_response *r)
{
	struct bytes rest = r->singles;
	struct ocsp_single x;
	char text[32];

	buf_printf(out, "%-12s%s\n", "Result", ocsp_result_name(r->result));
	if (r->result != OCSP_SUCCESSFUL)
		return;
	buf_printf(out, "%-12s", "Responder");
	responder_text(out, r);
	buf_printf(out, "\n%-12s%s\n%-12s", "Produced", time_text(text, r->produced_at), "Signed by");
	text_put_sigalg(out, r->sigalg, r->alg);
	buf_printf(out, "\n%-12s%zu\n", "With it", r->certs_n);
	if (r->nonce.p != NULL) {
		buf_printf(out, "%-12s", "Nonce");
		hex_put(out, r->nonce);
		buf_u8(out, '\n');
	}
	buf_str(out, "Certificates\n");
	while (ocsp_single_next(&rest, &x))
		put_single(out, &x);
}

/* ---- JSON ---- */

static bool
set_time(struct arena *a, struct json *o, const char *name, int64_t at)
{
	char text[32];

	return at == OCSP_NO_TIME || text_json_set(o, name, json_str(a, bytes_str(time_text(text, at))));
}

static bool
set_id(struct arena *a, struct json *o, struct bytes der)
{
	struct ocsp_id id;

	if (ocsp_id_parse(der, &id, NULL) != RC_OK)
		return true;
	return text_json_set(o, "hash", json_str(a, bytes_str(hash_names[id.hash]))) &&
	    text_json_set(o, "issuer_name_hash", TEXT_OF(a, hex_put(out, id.name_hash))) &&
	    text_json_set(o, "issuer_key_hash", TEXT_OF(a, hex_put(out, id.key_hash))) &&
	    text_json_set(o, "serial", TEXT_OF(a, hex_put(out, id.serial)));
}

static struct json *
single_json(struct arena *a, const struct ocsp_single *x)
{
	struct json *o = json_object(a);
	bool ok = o != NULL && set_id(a, o, x->cert_id);

	ok = ok && text_json_set(o, "status", json_str(a, bytes_str(ocsp_status_name(x->status))));
	if (x->status == OCSP_REVOKED)
		ok = ok && set_time(a, o, "revoked", x->revoked_at);
	if (x->status == OCSP_REVOKED && x->reason != CRL_NO_REASON)
		ok = ok && text_json_set(o, "reason", json_str(a, bytes_str(crl_reason_name(x->reason))));
	ok = ok && set_time(a, o, "this_update", x->this_update_at);
	ok = ok && set_time(a, o, "next_update", x->next_update_at);
	ok = ok && set_time(a, o, "archive_cutoff", x->archive_cutoff_at);
	return ok ? o : NULL;
}

static struct json *
singles_json(struct arena *a, const struct ocsp_response *r)
{
	struct json *list = json_array(a);
	struct bytes rest = r->singles;
	struct ocsp_single x;

	while (list != NULL && ocsp_single_next(&rest, &x)) {
		struct json *o = single_json(a, &x);

		if (o == NULL)
			return NULL;
		json_add(list, o);
	}
	return list;
}

struct json *
ocsp_response_json(struct arena *a, const struct ocsp_response *r)
{
	struct json *o = json_object(a);
	bool ok = o != NULL;

	ok = ok && text_json_set(o, "result", json_str(a, bytes_str(ocsp_result_name(r->result))));
	if (!ok || r->result != OCSP_SUCCESSFUL)
		return ok ? o : NULL;
	ok = ok && text_json_set(o, "responder", TEXT_OF(a, responder_text(out, r)));
	ok = ok && set_time(a, o, "produced", r->produced_at);
	ok = ok &&
	    text_json_set(o, "signature_algorithm", TEXT_OF(a, text_put_sigalg(out, r->sigalg, r->alg)));
	if (r->nonce.p != NULL)
		ok = ok && text_json_set(o, "nonce", TEXT_OF(a, hex_put(out, r->nonce)));
	ok = ok && text_json_set(o, "responses", singles_json(a, r));
	ok = ok && text_json_set(o, "certificates", json_int(a, (int64_t)r->certs_n));
	return ok ? o : NULL;
}
