#include "base/base.h"
#include "factory/certificates.h"

#include "factory/card_serial.h"

#include "crypto/digest.h"
#include "factory/deliveries.h"
#include "factory/leaf.h"
#include "factory/status.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "policy/import.h"
#include "policy/issue_attribute.h"
#include "policy/rights.h"
#include "store/read.h"

/* An officer sees the certificates of authorities that lie in the own domain's view. */
static enum rc
may_see(const struct snapshot *policy, const struct officer *who, const struct certificate_row *row,
	struct err *e)
{
	return may_see_certificate(policy, who, snapshot_document(policy, doc_id_of(row->issuer)),
				   snapshot_document(policy, doc_id_of(row->token_procedure)), e);
}

static bool
is_imported(const struct snapshot *policy, const struct certificate_row *row)
{
	return authority_is_foreign(snapshot_authority(policy, doc_id_of(row->issuer)));
}

static struct json *
list_item(struct arena *a, const struct snapshot *policy, const struct certificate_row *row)
{
	struct json *o = json_object(a);

	json_set(o, "id", json_int(a, row->id));
	json_set(o, "serial", json_hex(a, row->serial));
	json_set(o, "authority", json_int(a, row->issuer));
	json_set(o, "subject", json_str(a, row->subject));
	json_set(o, "not_before", json_time(a, row->not_before));
	json_set(o, "not_after", json_time(a, row->not_after));
	json_set(o, "token_procedure", json_int(a, row->token_procedure));
	json_set(o, "state", json_str(a, bytes_str(cert_state_name(row->status))));
	json_set(o, "base", row->base ? json_int(a, row->base) : json_null(a));
	json_set(o, "imported", json_bool(a, is_imported(policy, row)));
	return o;
}

static enum rc
find(struct factory *f, struct arena *a, const struct certificate_query *q, struct certificate_row **rows,
     size_t *n, struct err *e)
{
	if (q->sha256.n > 0)
		return store_search(f->store, a, SEARCH_FINGERPRINT, q->sha256, 0, 1, rows, n, e);
	if (q->audit_identity.n > 0)
		return store_attribute_certificates(f->store, a, q->after, q->limit, rows, n, e);
	if (q->base != 0)
		return store_certificates_by_base(f->store, a, q->base, q->after, q->limit, rows, n, e);
	if (q->serial.n == 0)
		return store_certificates(f->store, a, q->after, q->limit, rows, n, e);
	if (q->authority == 0) {
		err_field(e, "authority");
		FAIL(e, CHY_JSON_MISSING, NULL, "a serial number means something only with its authority");
	}
	*rows = arena_one(a, struct certificate_row);
	NEED(*rows != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	*n = 1;
	return store_certificate_by_serial(f->store, a, q->authority, q->serial, *rows, e);
}

/* Who has this audit identity? It is made again from each holder and compared. */
static bool
is_meant(const struct factory *f, const struct certificate_query *q, const struct certificate_row *row)
{
	uint8_t identity[AUDIT_IDENTITY];

	if (q->audit_identity.n == 0)
		return true;
	ac_audit_identity(hmac_sha256, f->audit_key, doc_id_of(row->issuer), row->subject, identity);
	return row->subject.n > 0 && bytes_eq(q->audit_identity, BYTES_OF(identity));
}

enum rc
certificate_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		 const struct certificate_query *q, struct json **ret, struct err *e)
{
	struct certificate_row *rows = NULL;
	struct json *items = json_array(a);
	bool one = q->sha256.n > 0 || q->serial.n > 0;
	size_t n = 0;
	enum rc rc = find(f, a, q, &rows, &n, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		n = 0;
	} else {
		TRY(rc);
	}
	for (size_t i = 0; i < n; i++)
		if (is_meant(f, q, &rows[i]) && may_see(policy, who, &rows[i], NULL) == RC_OK)
			json_add(items, list_item(a, policy, &rows[i]));
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", !one && n > 0 && n == q->limit ? json_int(a, rows[n - 1].id) : json_null(a));
	return RC_OK;
}

static enum rc
load(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who, int64_t id,
     struct certificate_row *row, struct bytes *der, struct err *e)
{
	TRY(store_certificate(f->store, a, id, row, e));
	TRY(may_see(policy, who, row, e));
	return store_der(f->store, a, id, der, e);
}

enum rc
certificate_der(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		int64_t id, struct bytes *ret, struct err *e)
{
	struct certificate_row row;

	return load(f, a, policy, who, id, &row, ret, e);
}

enum rc
certificate_show(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		 int64_t id, struct json **ret, struct err *e)
{
	struct certificate_row row;
	struct json *status;
	struct bytes der, card;
	struct cert cert;
	struct ac ac;

	TRY(load(f, a, policy, who, id, &row, &der, e));
	if (row.base != 0) {
		TRY(ac_parse(a, der, &ac, e));
		*ret = ac_json(a, &ac);
	} else {
		TRY(cert_parse(a, der, &cert, e));
		*ret = cert_json(a, &cert);
	}
	json_set(*ret, "base", row.base ? json_int(a, row.base) : json_null(a));
	json_set(*ret, "id", json_int(a, row.id));
	json_set(*ret, "imported", json_bool(a, is_imported(policy, &row)));
	TRY(status_json(f, a, row.id, &status, e));
	json_set(*ret, "state", json_str(a, json_get(status, "state")->str));
	json_set(*ret, "status", status);
	json_set(*ret, "authority", json_int(a, row.issuer));
	json_set(*ret, "token_procedure", json_int(a, row.token_procedure));
	json_set(*ret, "certificate_procedure", json_int(a, row.certificate_procedure));
	TRY(card_serial_of(f, a, row.id, &card, e));
	json_set(*ret, "card_serial", card.n > 0 ? json_str(a, card) : json_null(a));
	json_set(*ret, "sha256", json_hex(a, row.fingerprint));
	json_set(*ret, "der", json_base64(a, der));
	return RC_OK;
}
