#include "base/base.h"
#include "factory/try_sample.h"

#include "factory/judge_sample.h"
#include "policy/body.h"
#include "policy/document.h"
#include "policy/issue.h"

/* What a procedure is compiled of, besides itself. Of formats there may be thousands, of the others few. */
static bool
is_needed(const struct document *d, const struct json *body)
{
	switch (d->kind) {
	case KIND_DOMAIN:
	case KIND_CA_KEY:
	case KIND_AUTHORITY:
	case KIND_CRL_PROCEDURE:
		return true;
	case KIND_FORMAT:
		return doc_id_eq(d->id, body_ref(body, "format"));
	default:
		return false;
	}
}

struct pieces {
	struct document *docs;
	struct authority_facts *facts;
	size_t docs_n, facts_n;
};

static void
take(struct pieces *x, const struct snapshot *policy, const struct document *d)
{
	const struct authority *authority = d->kind == KIND_AUTHORITY ? snapshot_authority(policy, d->id)
								      : NULL;

	x->docs[x->docs_n] = *d;
	x->docs[x->docs_n++].body = NULL; /* read anew into the other snapshot */
	if (authority != NULL && authority->certificate.n > 0)
		x->facts[x->facts_n++] = (struct authority_facts){
			.authority = d->id,
			.certificate_id = authority->certificate_id,
			.certificate = authority->certificate
		};
}

static enum rc
gather(struct arena *a, const struct snapshot *policy, const struct json *body, struct pieces *ret,
       struct err *e)
{
	const struct document *const *list;
	size_t most = 1;

	for (int k = 0; k < KIND_COUNT; k++)
		most += snapshot_list(policy, (enum kind_id)k, &list);
	*ret = (struct pieces){ .docs = arena_array(a, most, sizeof(*ret->docs)),
				.facts = arena_array(a, most, sizeof(*ret->facts)) };
	NEED(ret->docs != NULL && ret->facts != NULL, e, CHY_NO_MEMORY, NULL, "a sample certificate");
	for (int k = 0; k < KIND_COUNT; k++) {
		size_t n = snapshot_list(policy, (enum kind_id)k, &list);

		for (size_t i = 0; i < n; i++)
			if (is_needed(list[i], body))
				take(ret, policy, list[i]);
	}
	return RC_OK;
}

static enum rc
add_document(struct arena *a, struct pieces *x, struct doc_id id, const struct json *body, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LIMIT_CMS);

	json_put_canonical(&text, body);
	x->docs[x->docs_n++] = (struct document){ .id = id,
						  .version = 1,
						  .kind = KIND_CERTIFICATE_PROCEDURE,
						  .text = arena_dup(a, buf_bytes(&text)) };
	NEED(buf_ok(&text) && x->docs[x->docs_n - 1].text.p != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	return RC_OK;
}

static enum rc
judge(struct factory *f, struct snapshot *s, struct doc_id id, struct err *e)
{
	const struct procedure *p = snapshot_procedure(s, id);
	enum rc rc = RC_OK;

	if (p == NULL || p->why_not.code != CHY_NONE)
		return RC_OK;
	pthread_mutex_lock(&f->policy_loading);
	if (f->judged != NULL)
		rc = judge_once(f->judged, s, p, e);
	pthread_mutex_unlock(&f->policy_loading);
	return rc;
}

static enum rc
warn(struct arena *a, const char *field, const char *text, struct json *warnings, struct err *e)
{
	struct json *o = text != NULL ? document_warning(a, field, text) : NULL;

	NEED(o != NULL, e, CHY_NO_MEMORY, NULL, "a warning");
	json_add(warnings, o);
	return RC_OK;
}

enum rc
sample_warning(struct factory *f, struct arena *a, const struct snapshot *policy, struct doc_id base,
	       const struct json *body, struct json *warnings, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *s = NULL;
	struct doc_id id = doc_id_is_none(base) ? doc_id_of(JSON_INT_MAX) : base;
	const struct procedure *p;
	const char *beyond;
	struct pieces x;
	struct unusable why;

	if (bytes_is(body_text(body, "state"), "closed"))
		return RC_OK;
	TRY(gather(a, policy, body, &x, e));
	TRY(add_document(a, &x, id, body, e));
	TRY(snapshot_build(&(struct snapshot_input){ .documents = x.docs,
						     .documents_n = x.docs_n,
						     .authorities = x.facts,
						     .authorities_n = x.facts_n },
			   &s, e));
	TRY(judge(f, s, id, e));
	why = snapshot_unusable(s, id);
	if (why.code != CHY_NONE)
		return warn(a, "name",
			    arena_printf(a, "No certificate can be issued by it as it stands: %s", why.text),
			    warnings, e);
	p = snapshot_procedure(s, id);
	beyond = p != NULL ? validity_beyond(a, p, clock_now_ms(), 0) : NULL;
	return beyond != NULL ? warn(a, "validity", beyond, warnings, e) : RC_OK;
}
