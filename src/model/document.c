#include "base/base.h"
#include "model/document.h"

enum rc
document_read(struct arena *a, struct document *d, struct err *e)
{
	const char *domain_member = d->kind == KIND_DOMAIN ? "parent" : "domain";
	struct bytes state = BYTES("active");
	struct json *body;
	int64_t domain = 0;

	if (d->body == NULL) {
		TRY(json_parse(a, d->text, &body, e));
		d->body = body;
	}
	NEED(d->body->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL, "a document is an object");
	TRY(json_need_str(d->body, "name", &d->name, e));
	TRY(json_opt_str(d->body, "state", &state, e));
	TRY(json_opt_int(d->body, domain_member, 0, JSON_INT_MAX, &domain, e));
	d->visible = false;
	TRY(json_opt_bool(d->body, "visible_in_subdomain", &d->visible, e));
	d->active = bytes_is(state, "active");
	d->domain = doc_id_of(domain);
	return RC_OK;
}
