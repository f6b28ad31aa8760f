#include "base/base.h"
#include "factory/explain.h"

#include "crypto/cms_verify.h"
#include "factory/deliveries.h"
#include "factory/leaf.h"
#include "factory/status.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "policy/select.h"
#include "store/read.h"

struct explanation {
	struct factory *f;
	struct arena *a;
	struct json *leaf; /* the certificate's own */
	struct json *out;
	bool imported; /* a foreign CA has issued it */
};

/* A document version as people know it. One that is gone is told by its number. */
static struct json *
document_json(struct explanation *x, int64_t id, int64_t version)
{
	struct json *o = json_object(x->a);
	struct document_row row;
	struct err e = { 0 };

	json_set(o, "id", json_int(x->a, id));
	json_set(o, "version", json_int(x->a, version));
	if (store_document(x->f->store, x->a, id, version, &row, &e) == RC_OK) {
		json_set(o, "kind", json_str(x->a, row.kind));
		json_set(o, "name", json_str(x->a, row.name));
	}
	return o;
}

static void
put_procedures(struct explanation *x)
{
	struct json *o = json_object(x->a);

	JSON_EACH(pair, json_get(x->leaf, "procedures"))
	if (pair->type == JSON_ARRAY && pair->count == 2)
		json_set(o, arena_str(x->a, pair->name),
			 document_json(x, pair->first->integer, pair->last->integer));
	json_set(x->out, "procedures", o);
}

static const char *
reason_text(struct bytes reason)
{
	for (int r = 0; r < SELECT_REASON_COUNT; r++)
		if (bytes_is(reason, select_reason_name((enum select_reason)r)))
			return select_reason_text((enum select_reason)r);
	return "";
}

static void
put_considered(struct explanation *x)
{
	struct json *list = json_array(x->a);

	JSON_EACH(item, json_get(x->leaf, "considered"))
	{
		int64_t id = 0, version = 0;
		struct bytes reason = BYTES_NONE;
		struct json *o;

		if (json_need_int(item, "id", 1, JSON_INT_MAX, &id, NULL) != RC_OK ||
		    json_need_int(item, "version", 1, JSON_INT_MAX, &version, NULL) != RC_OK ||
		    json_need_str(item, "reason", &reason, NULL) != RC_OK)
			continue;
		o = document_json(x, id, version);
		json_set(o, "reason", json_str(x->a, reason));
		json_set(o, "text", json_str(x->a, bytes_str(reason_text(reason))));
		json_add(list, o);
	}
	json_set(x->out, "considered", list);
}

static struct json *
signature_json(struct explanation *x, const struct signature_row *row)
{
	struct json *o = json_object(x->a);
	struct document_row officer;
	struct cms_signed cms;
	struct cert cert;
	struct err e = { 0 };

	json_set(o, "officer", json_int(x->a, row->officer_id));
	if (store_document(x->f->store, x->a, row->officer_id, 0, &officer, &e) == RC_OK)
		json_set(o, "name", json_str(x->a, officer.name));
	err_clear(&e);
	if (cms_verify(x->a, row->cms, &cms, &e) == RC_OK &&
	    cert_parse(x->a, cms.signer, &cert, &e) == RC_OK) {
		json_set(o, "signed_at", json_time(x->a, cms.signed_at_ms));
		json_set(o, "signature", json_str(x->a, BYTES("verified")));
		json_set(o, "certificate_serial", json_hex(x->a, cert.serial));
	} else {
		json_set(o, "signature", json_str(x->a, BYTES("NOT VALID")));
		json_set(o, "why", json_str(x->a, bytes_str(e.text)));
	}
	return o;
}

/* The officers behind it: those who signed the request, or the one that opened the session. */
static enum rc
put_signatures(struct explanation *x, const struct certificate_row *row, struct err *e)
{
	struct json *list = json_array(x->a);
	struct signature_row *rows;
	struct session_row session;
	int64_t request = row->request_id;
	size_t n;

	if (row->session_id != 0) {
		TRY(store_session(x->f->store, x->a, row->session_id, &session, e));
		request = session.request_id;
	}
	if (request != 0) {
		TRY(store_signatures(x->f->store, x->a, request, &rows, &n, e));
		for (size_t i = 0; i < n; i++)
			json_add(list, signature_json(x, &rows[i]));
	}
	json_set(x->out, "signatures", list);
	return RC_OK;
}

static enum rc
put_lints(struct explanation *x, int64_t id, struct err *e)
{
	struct json *o = json_object(x->a), *lints;
	struct verdict_row v;
	enum rc rc = store_verdict(x->f->store, x->a, id, &v, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		json_set(o, "state", json_str(x->a, x->imported ? BYTES("not judged") : BYTES("waiting")));
		json_set(x->out, "lints", o);
		return RC_OK;
	}
	TRY(rc);
	json_set(o, "state", json_str(x->a, v.ok ? BYTES("good") : BYTES("bad")));
	json_set(o, "judged_at", json_time(x->a, v.at));
	TRY(json_parse(x->a, v.lints, &lints, e));
	json_set(o, "found", lints);
	json_set(x->out, "lints", o);
	return RC_OK;
}

/* Where it went, and goes. */
static enum rc
put_deliveries(struct explanation *x, int64_t id, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(x->f);
	struct json *deliveries, *publications;

	TRY(deliveries_of(x->f, x->a, policy, id, &deliveries, e));
	TRY(publications_of(x->f, x->a, policy, id, &publications, e));
	json_set(x->out, "publications", publications);
	json_set(x->out, "deliveries", deliveries);
	return RC_OK;
}

static enum rc
put_journal(struct explanation *x, int64_t id, struct err *e)
{
	struct json *o = json_object(x->a);
	int64_t index;
	enum rc rc = store_leaf_index(x->f->store, id, &index, e);

	json_set(o, "leaf", json_int(x->a, id));
	if (rc == RC_NOT_FOUND)
		err_clear(e);
	else
		TRY(rc);
	json_set(o, "index", rc == RC_OK ? json_int(x->a, index) : json_null(x->a));
	json_set(x->out, "journal", o);
	return RC_OK;
}

/* What became of it since. */
static enum rc
put_status(struct explanation *x, int64_t id, struct err *e)
{
	struct json *status, *history;

	TRY(status_json(x->f, x->a, id, &status, e));
	TRY(status_history(x->f, x->a, id, &history, e));
	json_set(status, "history", history);
	json_set(x->out, "status", status);
	return RC_OK;
}

static void
take_over(struct explanation *x, const char *member)
{
	struct json *m = json_get(x->leaf, member);

	if (m != NULL)
		json_set(x->out, member, json_copy(x->a, m));
}

static enum rc
put_certificate(struct explanation *x, const struct certificate_row *row, struct err *e)
{
	struct json *o;
	struct bytes der;
	struct cert cert;
	struct ac ac;

	TRY(store_der(x->f->store, x->a, row->id, &der, e));
	if (row->base != 0) {
		TRY(ac_parse(x->a, der, &ac, e));
		o = ac_json(x->a, &ac);
		json_set(o, "base", json_int(x->a, row->base));
	} else {
		TRY(cert_parse(x->a, der, &cert, e));
		o = cert_json(x->a, &cert);
	}
	json_set(o, "id", json_int(x->a, row->id));
	json_set(x->out, "certificate", o);
	return RC_OK;
}

static enum rc
put_choices(struct explanation *x, int64_t id, struct err *e)
{
	struct choice_row row = { .publication = 1 };
	struct json *o = json_object(x->a);
	enum rc rc = store_choice(x->f->store, x->a, id, &row, e);

	if (rc == RC_NOT_FOUND)
		err_clear(e);
	else
		TRY(rc);
	json_set(o, "publication_allowed", json_bool(x->a, row.publication != 0));
	json_set(o, "revocation_password", json_bool(x->a, row.revocation_password.n > 0));
	json_set(x->out, "choices", o);
	return RC_OK;
}

static enum rc
put_archived(struct explanation *x, int64_t id, struct json *key, struct err *e)
{
	struct json *o = json_object(x->a);
	struct archived_row row;
	enum rc rc = store_archived_key(x->f->store, x->a, id, &row, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		json_set(key, "archived", json_null(x->a));
		return RC_OK;
	}
	TRY(rc);
	json_set(o, "at", json_time(x->a, row.at));
	json_set(o, "archive", json_str(x->a, row.archive));
	json_set(o, "holder", json_str(x->a, row.holder));
	json_set(key, "archived", o);
	return RC_OK;
}

/* Who took it out, into which token, and with which certificate. */
static struct json *
recovery_json(struct explanation *x, const struct recovery_row *row)
{
	struct json *o = json_object(x->a);
	struct document_row officer;
	struct token_row token;
	struct err e = { 0 };

	json_set(o, "certificate", json_int(x->a, row->certificate));
	json_set(o, "token", json_int(x->a, row->token));
	json_set(o, "at", json_time(x->a, row->at));
	json_set(o, "issued", row->issued ? json_int(x->a, row->issued) : json_null(x->a));
	if (store_token(x->f->store, x->a, row->token, &token, &e) == RC_OK) {
		json_set(o, "officer", json_int(x->a, token.officer_id));
		if (store_document(x->f->store, x->a, token.officer_id, 0, &officer, &e) == RC_OK)
			json_set(o, "name", json_str(x->a, officer.name));
	}
	return o;
}

/* The key's own history, where the server made it or has it: the token that it was made for, archive, recoveries. */
static enum rc
put_key(struct explanation *x, int64_t id, struct err *e)
{
	struct json *key = json_object(x->a), *list = json_array(x->a), *token = json_get(x->leaf, "token");
	struct recovery_row *rows;
	size_t n;

	TRY(put_archived(x, id, key, e));
	TRY(store_recoveries(x->f->store, x->a, id, 0, LIMIT_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		json_add(list, recovery_json(x, &rows[i]));
	if (token == NULL && n == 0 && json_get(key, "archived")->type == JSON_NULL)
		return RC_OK; /* its holder made it */
	json_set(key, "token", token ? json_copy(x->a, token) : json_null(x->a));
	json_set(key, "recoveries", list);
	json_set(x->out, "key", key);
	return RC_OK;
}

enum rc
explain(struct factory *f, struct arena *a, int64_t id, struct json **ret, struct err *e)
{
	struct explanation x = { .f = f, .a = a, .out = json_object(a) };
	struct certificate_row row;
	struct leaf_row leaf;

	TRY(store_certificate(f->store, a, id, &row, e));
	TRY(store_leaf(f->store, a, id, &leaf, e));
	TRY(json_parse(a, leaf.body, &x.leaf, e));
	x.imported = bytes_is(leaf.kind, leaf_kind_name(LEAF_IMPORTED));
	json_set(x.out, "imported", json_bool(a, x.imported));
	TRY(put_certificate(&x, &row, e));
	put_procedures(&x);
	put_considered(&x);
	take_over(&x, "rules");
	take_over(&x, "notes");
	take_over(&x, "by");
	TRY(put_choices(&x, id, e));
	TRY(put_key(&x, id, e));
	TRY(put_signatures(&x, &row, e));
	TRY(put_lints(&x, id, e));
	TRY(put_deliveries(&x, id, e));
	TRY(put_journal(&x, id, e));
	TRY(put_status(&x, id, e));
	*ret = x.out;
	return RC_OK;
}
