#include "base/base.h"
#include "factory/acts.h"

#include "factory/ca_certificate.h"
#include "factory/ca_keys.h"
#include "factory/in_force.h"

/* The document that the request makes, so far without a version in the store. */
static enum rc
new_document(struct effect *x, struct document *ret, struct err *e)
{
	*ret = (struct document){ .id = doc_id_of(x->request->id.v),
				  .version = 1,
				  .kind = x->request->act.kind,
				  .at_ms = clock_now_ms(),
				  .body = x->request->body };
	return document_read(x->a, ret, e);
}

enum rc
ca_key_act_work(struct effect *x, struct err *e)
{
	struct document key;

	TRY(new_document(x, &key, e));
	return key_make(x->f, x->a, &key, e);
}

enum rc
authority_act_work(struct effect *x, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	struct document authority;

	TRY(new_document(x, &authority, e));
	TRY(policy_with(x->f, &authority, &policy, e));
	return ca_certificate_make(x->f, x->a, policy, authority.id, by_request(x->a, x->request->id),
				   x->request->id, e);
}
