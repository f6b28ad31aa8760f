#include "base/base.h"
#include "factory/acts.h"

#include "factory/try_sample.h"
#include "store/read.h"

enum rc
document_issued(struct factory *f, struct arena *a, const struct kind *kind, const struct json *body,
		bool *ret, struct err *e)
{
	const struct json *authority = json_get(body, "authority");
	struct status_row *rows;
	size_t n = 0;

	*ret = false;
	if (kind->id != KIND_CRL_PROCEDURE || authority == NULL || authority->type != JSON_INT)
		return RC_OK;
	TRY(store_statuses(f->store, a, authority->integer, BYTES_NONE, 1, &rows, &n, e));
	*ret = n > 0;
	return RC_OK;
}

/* Who says no place means the own domain; Root is said by null. */
static enum rc
put_place(struct preparation *p, const struct json **ret, struct err *e)
{
	const char *place = p->act.kind == KIND_DOMAIN ? "parent" : "domain";
	struct json *in;

	*ret = p->in;
	if (p->base != NULL || doc_id_is_none(p->who->domain) || json_get(p->in, place) != NULL ||
	    field_find(kind_of(p->act.kind)->fields, bytes_str(place)) == NULL)
		return RC_OK;
	in = json_copy(p->a, p->in);
	NEED(in != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	json_set(in, place, json_int(p->a, p->who->domain.v));
	*ret = in;
	return RC_OK;
}

enum rc
document_act_check(struct preparation *p, struct err *e)
{
	const struct kind *kind = kind_of(p->act.kind);
	const struct json *before = p->base ? p->base->body : NULL;
	struct document_check check = { .kind = kind, .policy = p->policy, .before = before, .who = p->who };
	const struct json *in;
	bool issued;

	if (p->base != NULL)
		check.self = p->base->id;
	TRY(put_place(p, &in, e));
	TRY(document_check(p->a, &check, in, &p->body, e));
	NEED(before == NULL || !json_eq(before, p->body), e, CHY_NOTHING_CHANGED, NULL,
	     "the body is what is in force already");
	TRY(document_issued(p->f, p->a, kind, p->body, &issued, e));
	TRY(document_warnings(p->a, kind, p->policy, check.self, before, p->body, issued, &p->warnings, e));
	if (kind->id == KIND_CERTIFICATE_PROCEDURE)
		TRY(sample_warning(p->f, p->a, p->policy, check.self, p->body, p->warnings, e));
	return document_difference(p->a, kind, p->policy, before, p->body, &p->difference, e);
}

static struct json *
document_member(struct arena *a, const struct document *d)
{
	struct json *o = json_object(a);

	json_set(o, "id", json_int(a, d->id.v));
	json_set(o, "kind", json_str(a, bytes_str(kind_name(d->kind))));
	json_set(o, "version", json_int(a, d->version));
	json_set(o, "body", json_copy(a, d->body));
	return o;
}

enum rc
document_put(struct factory *f, struct arena *a, struct change *c, const struct document *d, struct json *by,
	     int64_t request, struct err *e)
{
	struct json *m = json_object(a);

	change_put_document(c,
			    &(struct document_row){ .id = d->id.v,
						    .version = d->version,
						    .kind = bytes_str(kind_name(d->kind)),
						    .name = d->name,
						    .state = d->active ? BYTES("active") : BYTES("closed"),
						    .domain = d->domain.v,
						    .body = d->text,
						    .at = d->at_ms,
						    .request_id = request });
	json_set(m, "document", document_member(a, d));
	json_set(m, "by", by);
	return leaf_add(f, a, c, LEAF_DOCUMENT, 0, d->id.v, m, e);
}

/* A created document has the number of the request that created it: so an effect that was interrupted finds what it has
   done already. */
static enum rc
document_of(struct effect *x, struct document *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LIMIT_CMS);
	const struct request *r = x->request;

	json_put_canonical(&text, r->body);
	*ret = (struct document){ .id = r->base.id.v ? r->base.id : doc_id_of(r->id.v),
				  .version = r->base.version + 1,
				  .kind = r->act.kind,
				  .at_ms = clock_now_ms(),
				  .text = arena_dup(x->a, buf_bytes(&text)) };
	NEED(buf_ok(&text) && ret->text.p != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	return document_read(x->a, ret, e);
}

enum rc
document_act_apply(struct effect *x, struct change *c, struct err *e)
{
	struct document d = { 0 };

	TRY(document_of(x, &d, e));
	TRY(document_put(x->f, x->a, c, &d, by_request(x->a, x->request->id), x->request->id.v, e));
	json_set(x->result, "id", json_int(x->a, d.id.v));
	json_set(x->result, "version", json_int(x->a, d.version));
	return RC_OK;
}
