/* References: by id or by name, to something that is there, of the right kind, open, and visible. */
#include "base/base.h"
#include "policy/document_impl.h"
#include "policy/find.h"

static bool
is_domain_ref(const struct field *f)
{
	return f->ref == KIND_DOMAIN;
}

static enum rc
by_name(struct walk *w, const struct field *f, struct bytes name, const struct at *at,
	const struct document **ret)
{
	struct err why = { 0 };
	enum rc rc;

	REFUSE_UNLESS(w->c->policy != NULL, w, at, CHY_FIELD_TYPE, "%s: an id is expected", f->label);
	*ret = NULL;
	/* any domain: who may put something there is a question of rights */
	rc = is_domain_ref(f) ? find_document(w->c->policy, f->ref, name, doc_id_of(0), ret, &why)
			      : find_by_name(w->c->policy, f->ref, name, w->from, ret, &why);
	REFUSE_UNLESS(rc == RC_OK || why.code != CHY_REF_AMBIGUOUS, w, at, CHY_REF_AMBIGUOUS, "%s: %s",
		      f->label, why.text);
	REFUSE_UNLESS(*ret != NULL, w, at, CHY_REF_NOTHING, "%s: there is no %s \"%.*s\"%s", f->label,
		      kind_name(f->ref), BYTES_FMT(bytes_part(name, 0, 60)),
		      is_domain_ref(f) ? "" : " that is visible from the domain");
	return RC_OK;
}

static enum rc
by_id(struct walk *w, const struct field *f, int64_t id, const struct at *at, const struct document **ret)
{
	*ret = snapshot_document(w->c->policy, doc_id_of(id));
	REFUSE_UNLESS(*ret != NULL, w, at, CHY_REF_NOTHING, "%s: there is no document %lld", f->label,
		      (long long)id);
	REFUSE_UNLESS((*ret)->kind == f->ref, w, at, CHY_REF_KIND, "%s: document %lld is a %s, not a %s",
		      f->label, (long long)id, kind_name((*ret)->kind), kind_name(f->ref));
	return RC_OK;
}

/* A domain may not lie below itself. */
static bool
leads_back(struct walk *w, const struct document *to)
{
	if (doc_id_is_none(w->c->self))
		return false;
	if (doc_id_eq(to->id, w->c->self))
		return true;
	return w->c->kind->id == KIND_DOMAIN && to->kind == KIND_DOMAIN &&
	    domain_is_above(w->c->policy, w->c->self, to->id);
}

enum rc
reference_check(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
		struct json **ret)
{
	const struct document *d = NULL;

	REFUSE_UNLESS(v->type == JSON_INT || v->type == JSON_STR, w, at, CHY_FIELD_TYPE,
		      "%s: the id or the name of a %s is expected", f->label, kind_name(f->ref));
	REFUSE_UNLESS(v->type == JSON_STR || v->integer > 0, w, at, CHY_FIELD_RANGE, "%s: no id", f->label);
	if ((f->flags & FIELD_NOT_YET) || (w->c->policy == NULL && v->type == JSON_INT)) {
		NEED((*ret = json_copy(w->a, v)) != NULL, w->e, CHY_NO_MEMORY, NULL, "document");
		return RC_OK;
	}
	TRY(v->type == JSON_STR ? by_name(w, f, v->str, at, &d) : by_id(w, f, v->integer, at, &d));
	REFUSE_UNLESS(!leads_back(w, d), w, at, CHY_REF_CIRCULAR,
		      "%s: \"%.*s\" leads back to the document itself", f->label, BYTES_FMT(d->name));
	REFUSE_UNLESS(d->active || w->closed || w->c->draft || (f->flags & FIELD_MAY_CLOSED), w, at,
		      CHY_REF_CLOSED, "%s: %s \"%.*s\" is closed", f->label, kind_name(d->kind),
		      BYTES_FMT(d->name));
	REFUSE_UNLESS(is_domain_ref(f) || document_is_visible(w->c->policy, d, w->from), w, at,
		      CHY_REF_INVISIBLE, "%s: %s \"%.*s\" is not visible from the domain", f->label,
		      kind_name(d->kind), BYTES_FMT(d->name));
	NEED((*ret = json_int(w->a, d->id.v)) != NULL, w->e, CHY_NO_MEMORY, NULL, "document");
	return RC_OK;
}
