/* What an entry of the request log says happened: one line for people. */
#include "base/base.h"
#include "factory/log.h"

#include "model/log.h"

struct telling {
	struct factory *f;
	struct arena *a;
	struct buf *b;
	const struct json *body;
	struct bytes act;
	struct err *e;
};

static struct bytes
text_of(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_STR ? m->str : BYTES_NONE;
}

static int64_t
int_of(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_INT ? m->integer : 0;
}

static size_t
count_of(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_ARRAY ? m->count : 0;
}

static bool
is_true(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_BOOL && m->boolean;
}

/* ": CN=web,O=Example" of the certificate that the leaf has the number of. Nothing of one that is not in the store any more. */
static enum rc
tell_whose(struct telling *t)
{
	struct certificate_row row;
	int64_t id = int_of(t->body, "certificate");
	enum rc rc = id ? store_certificate(t->f->store, t->a, id, &row, t->e) : RC_NOT_FOUND;

	if (rc == RC_NOT_FOUND) {
		err_clear(t->e);
		return RC_OK;
	}
	TRY(rc);
	buf_printf(t->b, ": %.*s", BYTES_FMT(row.subject.n > 0 ? row.subject : row.san));
	return RC_OK;
}

/* ---- by kind ---- */

static enum rc
tell_document(struct telling *t)
{
	const struct json *d = json_get(t->body, "document");

	buf_printf(t->b, "%.*s \"%.*s\" in force, version %lld", BYTES_FMT(text_of(d, "kind")),
		   BYTES_FMT(text_of(json_get(d, "body"), "name")), (long long)int_of(d, "version"));
	return RC_OK;
}

static enum rc
tell_issued(struct telling *t)
{
	buf_printf(t->b, "%.*s issued: %.*s", BYTES_FMT(text_of(t->body, "kind")),
		   BYTES_FMT(text_of(json_get(t->body, "certificate"), "subject")));
	return RC_OK;
}

static enum rc
tell_imported(struct telling *t)
{
	buf_printf(t->b, "certificate imported: %.*s",
		   BYTES_FMT(text_of(json_get(t->body, "certificate"), "subject")));
	return RC_OK;
}

static enum rc
tell_signature(struct telling *t)
{
	buf_printf(t->b, "%.*s signed", BYTES_FMT(t->act));
	return RC_OK;
}

static enum rc
tell_refusal(struct telling *t)
{
	buf_printf(t->b, "%.*s refused: %.*s", BYTES_FMT(t->act), BYTES_FMT(text_of(t->body, "text")));
	return RC_OK;
}

/* Of the request that ended, not of the one that ended it. */
static enum rc
tell_request(struct telling *t)
{
	struct bytes act = t->act;
	struct request_row row;
	enum rc rc = store_request(t->f->store, t->a, int_of(t->body, "request"), &row, t->e);

	if (rc == RC_NOT_FOUND)
		err_clear(t->e);
	else
		TRY(rc);
	if (rc == RC_OK)
		act = row.act;
	buf_printf(t->b, "%.*s %.*s: %.*s", BYTES_FMT(act), BYTES_FMT(text_of(t->body, "to")),
		   BYTES_FMT(text_of(t->body, "reason")));
	return RC_OK;
}

/* A further hold changes no state: its cause tells it. */
static enum rc
tell_state(struct telling *t)
{
	struct bytes reason = text_of(t->body, "reason"), cause = text_of(t->body, "cause");

	buf_printf(t->b, "certificate %.*s, %.*s -> %.*s", BYTES_FMT(text_of(t->body, "act")),
		   BYTES_FMT(text_of(t->body, "from")), BYTES_FMT(text_of(t->body, "to")));
	if (reason.n > 0)
		buf_printf(t->b, ", reason %.*s", BYTES_FMT(reason));
	if (cause.n > 0)
		buf_printf(t->b, ", cause %.*s", BYTES_FMT(cause));
	return tell_whose(t);
}

static enum rc
tell_password(struct telling *t)
{
	buf_printf(t->b, "wrong revocation password, %lld in a row", (long long)int_of(t->body, "tries"));
	return tell_whose(t);
}

static enum rc
tell_activation(struct telling *t)
{
	buf_str(t->b, "certificate activated for OCSP");
	return tell_whose(t);
}

static enum rc
tell_removed(struct telling *t)
{
	buf_printf(t->b, "certificate %lld removed", (long long)int_of(t->body, "certificate"));
	return RC_OK;
}

static enum rc
tell_publication(struct telling *t)
{
	buf_str(t->b, is_true(t->body, "removal") ? "certificate taken back" : "certificate published");
	return tell_whose(t);
}

static enum rc
tell_delivery(struct telling *t)
{
	struct bytes why = text_of(t->body, "text");

	buf_printf(t->b, "%s of %.*s %.*s", is_true(t->body, "removal") ? "removal" : "delivery",
		   BYTES_FMT(text_of(t->body, "what")), BYTES_FMT(text_of(t->body, "outcome")));
	if (why.n > 0)
		buf_printf(t->b, " (%.*s)", BYTES_FMT(why));
	return tell_whose(t);
}

static enum rc
tell_list(struct telling *t)
{
	buf_printf(t->b, "%s %lld signed, %lld entries",
		   bytes_is(text_of(t->body, "kind"), "cil") ? "issuance list" : "revocation list",
		   (long long)int_of(t->body, "number"), (long long)int_of(t->body, "entries"));
	return RC_OK;
}

static enum rc
tell_imported_list(struct telling *t)
{
	buf_printf(t->b, "revocation list imported, %lld entries, %lld changed",
		   (long long)int_of(t->body, "entries"), (long long)int_of(t->body, "changed"));
	return RC_OK;
}

static enum rc
tell_token(struct telling *t)
{
	buf_printf(t->b, "soft token made, %zu certificates", count_of(t->body, "certificates"));
	return RC_OK;
}

static enum rc
tell_token_file(struct telling *t)
{
	buf_printf(t->b, "soft token's file %.*s", BYTES_FMT(text_of(t->body, "event")));
	return RC_OK;
}

static enum rc
tell_session(struct telling *t)
{
	buf_str(t->b, "issuing session opened");
	return RC_OK;
}

static enum rc
tell_session_closed(struct telling *t)
{
	buf_printf(t->b, "issuing session closed: %.*s", BYTES_FMT(text_of(t->body, "reason")));
	return RC_OK;
}

static enum rc
tell_adopted(struct telling *t)
{
	buf_str(t->b, "certificate brought in from the signer's journal");
	return tell_whose(t);
}

static enum rc
tell_disagreement(struct telling *t)
{
	buf_printf(t->b, "certificate not accepted, procedure stopped (%.*s)",
		   BYTES_FMT(text_of(t->body, "why")));
	return tell_whose(t);
}

/* Others are told by their kind. */
static enum rc (*const tellers[LEAF_KIND_COUNT])(struct telling *t) = {
	[LEAF_DOCUMENT] = tell_document,
	[LEAF_CERTIFICATE] = tell_issued,
	[LEAF_CA_CERTIFICATE] = tell_issued,
	[LEAF_ATTRIBUTE_CERTIFICATE] = tell_issued,
	[LEAF_OCSP_CERTIFICATE] = tell_issued,
	[LEAF_IMPORTED] = tell_imported,
	[LEAF_SIGNATURE] = tell_signature,
	[LEAF_REFUSAL] = tell_refusal,
	[LEAF_REQUEST_STATE] = tell_request,
	[LEAF_CERTIFICATE_STATE] = tell_state,
	[LEAF_REVOCATION_PASSWORD] = tell_password,
	[LEAF_OCSP_ACTIVATION] = tell_activation,
	[LEAF_REMOVED] = tell_removed,
	[LEAF_PUBLICATION] = tell_publication,
	[LEAF_DELIVERY] = tell_delivery,
	[LEAF_CRL] = tell_list,
	[LEAF_CIL] = tell_list,
	[LEAF_IMPORTED_CRL] = tell_imported_list,
	[LEAF_TOKEN] = tell_token,
	[LEAF_TOKEN_FILE] = tell_token_file,
	[LEAF_SESSION] = tell_session,
	[LEAF_SESSION_CLOSED] = tell_session_closed,
	[LEAF_ADOPTED] = tell_adopted,
	[LEAF_DISAGREEMENT] = tell_disagreement,
};

enum rc
log_put_event(struct factory *f, struct arena *a, struct bytes kind, const struct log_view *v,
	      struct buf *out, struct err *e)
{
	struct telling t = { f, a, out, v->body, v->act, e };

	for (int i = 0; i < LEAF_KIND_COUNT; i++)
		if (bytes_is(kind, leaf_kind_name((enum leaf_kind)i)) && tellers[i] != NULL)
			return tellers[i](&t);
	buf_put(out, kind);
	return RC_OK;
}

struct bytes
log_outcome(struct bytes kind, const struct log_view *v)
{
	if (bytes_is(kind, leaf_kind_name(LEAF_REFUSAL)))
		return BYTES("refused");
	if (bytes_is(kind, leaf_kind_name(LEAF_REQUEST_STATE)))
		return text_of(v->body, "to");
	if (bytes_is(kind, leaf_kind_name(LEAF_DELIVERY)))
		return text_of(v->body, "outcome");
	return v->failed ? BYTES("failed") : BYTES("done");
}

int64_t
log_subject(int64_t object, const struct log_view *v)
{
	int64_t certificate = int_of(v->body, "certificate"),
		document = int_of(json_get(v->body, "document"), "id");

	return certificate ? certificate : document ? document : object ? object : v->request;
}
