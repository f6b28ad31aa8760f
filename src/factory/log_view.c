/* What a leaf of the journal is to the request log. */
#include "base/base.h"
#include "factory/log.h"

#include "factory/requests.h"

enum { CERTIFICATES_AT_ONCE = 250 };

struct viewer {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	struct log_view *v;
	struct bytes ends; /* the act of the request that is withdrawn or rejected; empty: none */
	struct log_memo *memo;
	struct err *e;
};

static void
add_to(int64_t *list, size_t *n, size_t max, int64_t id)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i] == id)
			return;
	if (id > 0 && *n < max)
		list[(*n)++] = id;
}

static void
add_officer(struct log_view *v, int64_t id)
{
	add_to(v->officers, &v->officers_n, LOG_WHO_MAX, id);
}

static void
add_object(struct log_view *v, int64_t id)
{
	add_to(v->objects, &v->objects_n, LOG_OBJECTS_MAX, id);
}

static int64_t
int_of(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_INT ? m->integer : 0;
}

static struct bytes
text_of(const struct json *v, const char *name)
{
	const struct json *m = json_get(v, name);

	return m != NULL && m->type == JSON_STR ? m->str : BYTES_NONE;
}

/* What is not there any more is no failure: the log says what it knows. */
static enum rc
there(struct viewer *x, enum rc rc, bool *ret)
{
	*ret = rc == RC_OK;
	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(x->e);
	return RC_OK;
}

/* ---- where it lies ---- */

static void
add_domain(struct log_view *v, int64_t id)
{
	add_to(v->domains, &v->domains_n, LOG_DOMAINS_MAX, id);
}

/* A document by its id; version 0: as it is now. A domain lies in itself. What the policy in force does not know (yet) is
   looked for in the store. */
static enum rc
add_domain_of(struct viewer *x, int64_t id, int64_t version)
{
	const struct document *d = version == 0 ? snapshot_document(x->policy, doc_id_of(id)) : NULL;
	struct document_row row;
	bool found;

	if (id == 0)
		return RC_OK;
	if (d != NULL) {
		add_domain(x->v, d->kind == KIND_DOMAIN ? id : d->domain.v);
		return RC_OK;
	}
	TRY(there(x, store_document(x->f->store, x->a, id, version, &row, x->e), &found));
	if (found)
		add_domain(x->v, bytes_is(row.kind, kind_name(KIND_DOMAIN)) ? id : row.domain);
	return RC_OK;
}

static enum rc
add_domain_of_row(struct viewer *x, const struct certificate_row *row)
{
	if (row->token_procedure == 0 && row->authority == 0) /* imported */
		return add_domain_of(x, row->issuer, 0);
	return add_domain_of(x, row->token_procedure ? row->token_procedure : row->authority, 0);
}

static int
of_certificate(const void *key, const void *row)
{
	int64_t id = *(const int64_t *)key, other = ((const struct certificate_row *)row)->id;

	return (id > other) - (id < other);
}

static const struct certificate_row *
read_ahead(const struct log_memo *memo, int64_t id)
{
	if (memo == NULL || memo->certificates_n == 0)
		return NULL;
	return bsearch(&id, memo->certificates, memo->certificates_n, sizeof(*memo->certificates),
		       of_certificate);
}

static enum rc
add_domain_of_certificate(struct viewer *x, int64_t id)
{
	const struct certificate_row *ahead = read_ahead(x->memo, id);
	struct certificate_row row;
	bool found;

	if (ahead != NULL)
		return add_domain_of_row(x, ahead);
	if (id == 0)
		return RC_OK;
	TRY(there(x, store_certificate(x->f->store, x->a, id, &row, x->e), &found));
	return found ? add_domain_of_row(x, &row) : RC_OK;
}

static enum rc
add_domains_of_ids(struct viewer *x, const int64_t *ids, size_t n)
{
	struct certificate_row *rows;

	TRY(store_certificates_of(x->f->store, x->a, ids, n, &rows, &n, x->e));
	for (size_t i = 0; i < n && x->v->domains_n < LOG_DOMAINS_MAX; i++)
		TRY(add_domain_of_row(x, &rows[i]));
	return RC_OK;
}

/* Of acts on certificates: ids, or {"certificate": id}. */
static enum rc
add_domains_of_certificates(struct viewer *x, const struct json *list)
{
	int64_t ids[CERTIFICATES_AT_ONCE];
	size_t n = 0;

	JSON_EACH(item, list && list->type == JSON_ARRAY ? list : NULL)
	{
		ids[n++] = item->type == JSON_INT ? item->integer : int_of(item, "certificate");
		if (n < CERTIFICATES_AT_ONCE)
			continue;
		TRY(add_domains_of_ids(x, ids, n));
		n = 0;
	}
	return n > 0 ? add_domains_of_ids(x, ids, n) : RC_OK;
}

/* Where what is to be made would lie, or what is there lies: the members that bodies of acts have for it. */
static enum rc
add_domains_of_body(struct viewer *x, const struct json *body)
{
	const struct json *list = json_get(body, "token_procedures");

	TRY(add_domains_of_certificates(x, json_get(body, "certificates")));
	TRY(add_domain_of_certificate(x, int_of(json_get(body, "base"), "certificate")));

	add_domain(x->v, int_of(body, "domain"));
	add_domain(x->v, int_of(body, "parent"));
	TRY(add_domain_of(x, int_of(body, "token_procedure"), 0));
	TRY(add_domain_of(x, int_of(body, "officer"), 0));
	JSON_EACH(item, list && list->type == JSON_ARRAY ? list : NULL)
	if (item->type == JSON_INT)
		TRY(add_domain_of(x, item->integer, 0));
	return RC_OK;
}

/* The domain before too, so that those whom a document leaves learn of it. */
static enum rc
add_domains_of_document(struct viewer *x, const struct json *document)
{
	int64_t id = int_of(document, "id"), version = int_of(document, "version");

	if (document == NULL)
		return RC_OK;
	if (bytes_is(text_of(document, "kind"), kind_name(KIND_DOMAIN)))
		add_domain(x->v, id);
	else
		add_domain(x->v, int_of(json_get(document, "body"), "domain"));
	return version > 1 ? add_domain_of(x, id, version - 1) : RC_OK;
}

/* "procedures": {"token": [id, version], ...}, "authority": [id, version] */
static enum rc
add_domain_of_version(struct viewer *x, const struct json *pair)
{
	const struct json *id = pair && pair->type == JSON_ARRAY ? pair->first : NULL;

	return id && id->type == JSON_INT ? add_domain_of(x, id->integer, 0) : RC_OK;
}

/* An officer of a domain who uses what lies above it. */
static enum rc
add_domains_of_officers(struct viewer *x)
{
	for (size_t i = 0; i < x->v->officers_n; i++)
		TRY(add_domain_of(x, x->v->officers[i], 0));
	return RC_OK;
}

static enum rc
domain_above(struct viewer *x, int64_t id, int64_t *ret)
{
	const struct document *d = snapshot_of_kind(x->policy, KIND_DOMAIN, doc_id_of(id));
	struct document_row row;
	bool found;

	*ret = d ? d->domain.v : 0;
	if (d != NULL)
		return RC_OK;
	TRY(there(x, store_document(x->f->store, x->a, id, 0, &row, x->e), &found));
	*ret = found ? row.domain : 0;
	return RC_OK;
}

/* The list grows while it is walked over; what stands in it already is not added again, so that it ends. */
enum rc
log_domains_above(struct factory *f, struct arena *a, const struct snapshot *policy, struct log_view *v,
		  struct err *e)
{
	struct viewer x = { .f = f, .a = a, .policy = policy, .v = v, .e = e };

	for (size_t i = 0; i < v->domains_n; i++) {
		int64_t above;

		TRY(domain_above(&x, v->domains[i], &above));
		add_domain(v, above);
	}
	return RC_OK;
}

/* ---- who and what ---- */

static enum rc
note_signers(struct viewer *x, struct log_memo *memo, int64_t request)
{
	struct number_row *rows;
	size_t n;

	TRY(store_signers(x->f->store, x->a, request, &rows, &n, x->e));
	memo->signers_n = 0;
	for (size_t i = 0; i < n; i++)
		add_to(memo->signers, &memo->signers_n, LOG_WHO_MAX, rows[i].value);
	memo->signed_request = request;
	return RC_OK;
}

static enum rc
add_signers(struct viewer *x, int64_t request)
{
	struct log_memo own = { 0 }, *memo = x->memo ? x->memo : &own;

	if (memo->signed_request != request)
		TRY(note_signers(x, memo, request));
	for (size_t i = 0; i < memo->signers_n; i++)
		add_officer(x->v, memo->signers[i]);
	return RC_OK;
}

static enum rc add_request(struct viewer *x, int64_t id);

/* What the signed bytes say of where it belongs; of withdrawing and rejecting: what the request does that ends. */
static enum rc
add_request_body(struct viewer *x, const struct request_row *row)
{
	struct json *signed_, *body;

	TRY(add_domain_of(x, row->object, row->base_version));
	if (json_parse(x->a, row->body, &signed_, NULL) != RC_OK)
		return RC_OK;
	body = json_get(signed_, "body");
	if (bytes_starts(row->act, "request.") && x->ends.n == 0) {
		x->ends = row->act; /* once: what ends another request is not ended itself */
		TRY(add_request(x, int_of(body, "request")));
		x->ends = x->v->act;
	}
	return add_domains_of_body(x, body);
}

/* A request's act and what it is about. A document has the number of the request that created it. */
static enum rc
read_request(struct viewer *x, int64_t id)
{
	struct request_row row;
	bool found;

	x->v->request = id;
	add_object(x->v, id);
	TRY(there(x, store_request(x->f->store, x->a, id, &row, x->e), &found));
	if (!found)
		return RC_OK;
	add_object(x->v, row.object);
	TRY(add_request_body(x, &row));
	x->v->request = id;
	x->v->act = row.act;
	return RC_OK;
}

static enum rc
note_request(struct viewer *x, int64_t id)
{
	struct log_memo *memo = x->memo;
	struct viewer own = *x;

	arena_free(memo->mem);
	memo->request = 0;
	memo->view = (struct log_view){ 0 };
	memo->mem = arena_new(LIMIT_REQUEST_ARENA);
	NEED(memo->mem != NULL, x->e, CHY_NO_MEMORY, NULL, "a request of the log");
	own.a = memo->mem;
	own.v = &memo->view;
	TRY(read_request(&own, id));
	memo->ends = own.ends;
	memo->request = id;
	return RC_OK;
}

/* What the memo has of texts ends with it. */
static enum rc
recall(struct viewer *x)
{
	const struct log_view *v = &x->memo->view;
	struct bytes act = arena_dup(x->a, v->act), ends = arena_dup(x->a, x->memo->ends);

	NEED(act.p != NULL && ends.p != NULL, x->e, CHY_NO_MEMORY, NULL, "a request of the log");

	for (size_t i = 0; i < v->objects_n; i++)
		add_object(x->v, v->objects[i]);
	for (size_t i = 0; i < v->domains_n; i++)
		add_domain(x->v, v->domains[i]);
	x->v->request = v->request;
	if (act.n > 0)
		x->v->act = act;
	x->ends = ends;
	return RC_OK;
}

/* A thousand leaves of one request ask the same of a body with a thousand certificates. */
static enum rc
add_request(struct viewer *x, int64_t id)
{
	if (id == 0)
		return RC_OK;
	if (x->memo == NULL || x->ends.n > 0)
		return read_request(x, id);
	if (x->memo->request != id)
		TRY(note_request(x, id));
	return recall(x);
}

void
log_memo_fini(struct log_memo *memo)
{
	arena_free(memo->mem);
	*memo = (struct log_memo){ 0 };
}

enum rc
log_domains_of_request(struct factory *f, struct arena *a, const struct snapshot *policy,
		       const struct request_row *row, struct log_view *ret, struct err *e)
{
	struct viewer x = { .f = f, .a = a, .policy = policy, .v = ret, .e = e };

	*ret = (struct log_view){ .category = LOG_SYSTEM };
	add_officer(ret, row->prepared_by);
	TRY(add_request_body(&x, row));
	return add_domains_of_officers(&x);
}

/* A certificate names its procedure itself; what was refused is about all that the session may issue by. */
static enum rc
add_session(struct viewer *x, int64_t id, bool refused)
{
	struct session_row row;
	struct json *body;
	bool found;

	if (id == 0)
		return RC_OK;
	TRY(there(x, store_session(x->f->store, x->a, id, &row, x->e), &found));
	if (!found)
		return RC_OK;
	add_officer(x->v, row.officer_id);
	if (refused && json_parse(x->a, row.body, &body, NULL) == RC_OK)
		TRY(add_domains_of_body(x, body));
	return RC_OK;
}

/* {"request": id}, {"session": id}, {"officer": id}, {"genesis": id} */
static enum rc
add_by(struct viewer *x, const struct json *by)
{
	int64_t request = int_of(by, "request");

	add_officer(x->v, int_of(by, "officer"));
	TRY(add_session(x, int_of(by, "session"), json_get(x->v->body, "code") != NULL));
	TRY(add_request(x, request));
	return request != 0 ? add_signers(x, request) : RC_OK;
}

static bool
is_full(const struct json *list)
{
	return list != NULL && list->type == JSON_ARRAY && list->count > 0;
}

/* A token's certificates have leaves of their own; its own leaf tells what became of its keys. */
static enum log_category
category_of_token(const struct json *body)
{
	if (is_full(json_get(body, "recovered")))
		return LOG_RECOVERED;
	return is_full(json_get(body, "archived")) ? LOG_ARCHIVED : LOG_ISSUED;
}

static enum log_category
category_of(const struct viewer *x, struct bytes kind)
{
	const struct json *document = json_get(x->v->body, "document");
	enum log_category category = log_category_of_leaf(kind);
	char act[64];

	if (bytes_is(kind, leaf_kind_name(LEAF_TOKEN)))
		return category_of_token(x->v->body);
	if (category != LOG_NONE)
		return category;
	category = log_category_of_act(x->ends.n > 0 ? x->ends : x->v->act);
	if (document != NULL) {
		snprintf(act, sizeof(act), "%.*s.modify",
			 BYTES_FMT(bytes_part(text_of(document, "kind"), 0, 40)));
		category = log_category_of_act(bytes_str(act));
	}
	return category != LOG_NONE ? category : LOG_SYSTEM;
}

/* Of what the leaf names itself; requests and officers have added theirs. */
static enum rc
add_domains(struct viewer *x)
{
	const struct json *body = x->v->body;

	TRY(add_domains_of_document(x, json_get(body, "document")));
	TRY(add_domain_of_version(x, json_get(json_get(body, "procedures"), "token")));
	TRY(add_domain_of_version(x, json_get(body, "authority")));
	TRY(add_domain_of_certificate(x, int_of(body, "certificate")));
	return add_domains_of_officers(x);
}

/* Rejecting and withdrawing are what an officer wanted, and it was done. */
static bool
is_failure(struct bytes kind, struct bytes to)
{
	if (bytes_is(kind, leaf_kind_name(LEAF_REQUEST_STATE)))
		return !bytes_is(to, "rejected") && !bytes_is(to, "withdrawn");
	return bytes_is(kind, leaf_kind_name(LEAF_REFUSAL)) ||
	    bytes_is(kind, leaf_kind_name(LEAF_DISAGREEMENT)) ||
	    bytes_is(kind, leaf_kind_name(LEAF_REVOCATION_PASSWORD));
}

static enum rc
look(struct viewer *x, struct bytes kind, int64_t object)
{
	struct log_view *v = x->v;

	add_object(v, object);
	add_object(v, int_of(json_get(v->body, "document"), "id"));
	add_object(v, int_of(v->body, "certificate"));
	add_officer(v, int_of(v->body, "officer"));
	if (bytes_is(kind, leaf_kind_name(LEAF_TOKEN_FILE)))
		TRY(add_request(x, int_of(v->body, "token")));
	TRY(add_request(x, int_of(v->body, "request")));
	TRY(add_by(x, json_get(v->body, "by")));
	TRY(add_domains(x));
	if (text_of(v->body, "act").n > 0)
		v->act = text_of(v->body, "act");
	v->failed = is_failure(kind, text_of(v->body, "to"));
	v->category = category_of(x, kind);
	return RC_OK;
}

enum rc
log_view_of(struct factory *f, struct arena *a, const struct snapshot *policy, struct bytes kind,
	    int64_t object, struct bytes body, struct log_memo *memo, struct log_view *ret, struct err *e)
{
	struct viewer x = { .f = f, .a = a, .policy = policy, .v = ret, .memo = memo, .e = e };

	*ret = (struct log_view){ .category = LOG_SYSTEM };
	if (json_parse(a, body, &ret->body, NULL) != RC_OK ||
	    time_parse(text_of(ret->body, "at"), &ret->at, NULL) != RC_OK) {
		add_object(ret, object);
		return RC_OK;
	}
	return look(&x, kind, object);
}
