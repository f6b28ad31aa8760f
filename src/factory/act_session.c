#include "base/base.h"
#include "factory/acts.h"

#include "factory/sessions.h"
#include "policy/find.h"
#include "policy/rights.h"

enum { SESSION_LONGEST_DAYS = 366 };

/* Names of token procedures to ids; each must be one that the officer may issue by. */
static enum rc
resolve_procedures(struct preparation *p, const struct json *list, struct json **ret, struct err *e)
{
	struct json *ids = json_array(p->a);
	size_t i = 0;

	JSON_EACH(item, list)
	{
		const struct document *d;

		TRY_AT(find_value(p->policy, KIND_TOKEN_PROCEDURE, item, p->who->domain, &d, e), e,
		       "token_procedures[%zu]", i);
		TRY_AT(may_issue(p->policy, p->who, d, e), e, "token_procedures[%zu]", i);
		json_add(ids, json_int(p->a, d->id.v));
		i++;
	}
	*ret = ids;
	return RC_OK;
}

static enum rc
difference(struct preparation *p, const struct session_body *b, struct err *e)
{
	const char *most = arena_printf(p->a, "up to %lld certificates", (long long)b->certificates_max);

	p->difference = json_array(p->a);
	act_difference(p->a, p->difference, "token_sha256",
		       BYTES("Whoever shows the token may issue in your name"), BYTES_NONE, bytes_str(most));
	NEED(p->difference != NULL && p->difference->count == 1, e, CHY_NO_MEMORY, NULL, "the difference");
	return RC_OK;
}

enum rc
session_act_check(struct preparation *p, struct err *e)
{
	struct json *list, *ids;
	struct session_body b;

	p->body = json_copy(p->a, p->in);
	TRY(json_need_array(p->body, "token_procedures", &list, e));
	TRY(resolve_procedures(p, list, &ids, e));
	json_set(p->body, "token_procedures", ids);
	TRY(session_body_read(p->a, p->body, &b, e));
	if (b.expires_at_ms <= clock_now_ms() ||
	    b.expires_at_ms > clock_now_ms() + SESSION_LONGEST_DAYS * 86400000LL) {
		err_field(e, "expires_at");
		FAIL(e, CHY_SESSION_BODY, NULL,
		     "an issuing session ends in the future, after %d days at most", SESSION_LONGEST_DAYS);
	}
	return difference(p, &b, e);
}

enum rc
session_act_apply(struct effect *x, struct change *c, struct err *e)
{
	OWN_BUF struct buf text = buf_max(LIMIT_CMS);
	struct json *m = json_object(x->a);
	struct session_body b;
	int64_t id = x->request->id.v;

	TRY(session_body_read(x->a, x->request->body, &b, e));
	json_put_canonical(&text, x->request->body);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "an issuing session");
	change_put_session(c,
			   &(struct session_row){ .id = id,
						  .token_hash = BYTES_OF(b.token_hash),
						  .request_id = id,
						  .officer_id = x->signer.v,
						  .body = buf_bytes(&text),
						  .maximum = b.certificates_max,
						  .expires_at = b.expires_at_ms,
						  .state = BYTES("open") });
	json_set(m, "session", json_int(x->a, id));
	json_set(m, "body", json_copy(x->a, x->request->body));
	json_set(m, "by", by_request(x->a, x->request->id));
	TRY(leaf_add(x->f, x->a, c, LEAF_SESSION, 0, id, m, e));
	json_set(x->result, "session", json_int(x->a, id));
	return RC_OK;
}
