/* The first call: what an officer wants, checked and written as the bytes to sign. */
#include "base/base.h"
#include "factory/requests.h"

#include "crypto/rand.h"
#include "factory/act_each.h"
#include "factory/acts.h"
#include "factory/standing.h"
#include "policy/approval.h"
#include "policy/find.h"
#include "store/change.h"

/* The document that is to be modified, by id or name. */
static enum rc
find_base(struct preparation *p, struct err *e)
{
	const struct json *object = json_get(p->in, "object");

	if (!act_has_base(p->act)) {
		if (object != NULL && object->type != JSON_NULL) {
			err_field(e, "object");
			FAIL(e, CHY_JSON_UNKNOWN, NULL, "only what is modified is named by \"object\"");
		}
		return RC_OK;
	}
	TRY_AT(find_named(p->policy, p->act.kind, p->in, "object", p->who->domain, &p->base, e), e, "object");
	return RC_OK;
}

static struct json *
to_sign(struct preparation *p, struct request_id id, struct bytes nonce, int64_t now_ms)
{
	struct arena *a = p->a;
	struct json *o = json_object(a), *base = json_null(a);
	OWN_BUF struct buf text = buf_max(64);
	char name[64];

	if (p->base != NULL) {
		base = json_object(a);
		json_set(base, "id", json_int(a, p->base->id.v));
		json_set(base, "version", json_int(a, p->base->version));
	}
	base64url_put(&text, nonce);
	json_set(o, "act", json_str(a, bytes_str(act_name(name, p->act))));
	json_set(o, "base", base);
	json_set(o, "body", p->body);
	json_set(o, "format", json_str(a, BYTES("chancery-request/1")));
	json_set(o, "instance", json_str(a, bytes_str(p->f->instance)));
	json_set(o, "nonce", json_str(a, buf_bytes(&text)));
	json_set(o, "prepared_at", json_time(a, now_ms));
	json_set(o, "prepared_by", json_int(a, p->who->id.v));
	json_set(o, "request", json_int(a, id.v));
	return o;
}

static enum rc
store_prepared(struct preparation *p, struct request_id id, struct bytes nonce, struct bytes bytes,
	       int64_t now_ms, struct err *e)
{
	struct change *c = change_new();
	char name[64];
	enum rc rc;

	change_put_request(c,
			   &(struct request_row){ .id = id.v,
						  .act = bytes_str(act_name(name, p->act)),
						  .state = bytes_str(request_state_name(REQUEST_PREPARED)),
						  .object = p->base ? p->base->id.v : 0,
						  .base_version = p->base ? p->base->version : 0,
						  .body = bytes,
						  .prepared_by = p->who->id.v,
						  .nonce = nonce,
						  .at = now_ms,
						  .expires_at = now_ms + REQUEST_PREPARED_MS });
	if (p->selection == NULL)
		return store_commit(p->f->store, c, e);
	change_drop_selection(c, p->selection->id, p->selection->at);
	FAULT("factory.before-submission");
	rc = store_commit(p->f->store, c, e);
	FAULT("factory.after-submission");
	if (rc == RC_OK || e->code != CHY_STORE_STATE)
		return rc;
	err_clear(e);
	FAIL(e, CHY_SELECTION_CHANGED, NULL, "selection %lld was changed or submitted meanwhile",
	     (long long)p->selection->id);
}

/* Of a changed profile it is told that it touches nobody, too. */
static bool
is_of_profile(const struct preparation *p)
{
	return p->act.verb == ACT_MODIFY && p->act.kind == KIND_OFFICER_PROFILE;
}

static struct json *
prepared_answer(struct preparation *p, struct request_id id, struct bytes bytes, int64_t now_ms)
{
	struct json *o = json_object(p->a);
	struct json *affected = p->affected != NULL ? p->affected : json_array(p->a);
	char name[64];

	json_set(o, "id", json_int(p->a, id.v));
	json_set(o, "act", json_str(p->a, bytes_str(act_name(name, p->act))));
	json_set(o, "state", json_str(p->a, bytes_str(request_state_name(REQUEST_PREPARED))));
	json_set(o, "to_sign", json_base64(p->a, bytes));
	json_set(o, "difference", p->difference);
	if (p->warnings != NULL)
		json_set(o, "warnings", p->warnings);
	if (p->refused != NULL)
		json_set(o, "refused", p->refused);
	if (p->base != NULL && affected != NULL)
		affected_officers(p->a, p->policy, p->act, p->base->id, affected);
	if (affected != NULL && (affected->count > 0 || is_of_profile(p)))
		json_set(o, "affected_officers", affected);
	json_set(o, "signatures_needed", json_int(p->a, act_signatures(p->act)));
	json_set(o, "expires_at", json_time(p->a, now_ms + REQUEST_PREPARED_MS));
	return o;
}

static enum rc
check_act(struct preparation *p, const struct json *in, struct err *e)
{
	static const char *const names[] = { "act", "object", "body", "skip_refused", NULL };
	struct officers_gone gone = { NULL, 0 };
	struct json *body;
	struct bytes act;

	TRY(json_only(in, names, e));
	TRY(json_need_str(in, "act", &act, e));
	p->act = act_of(act);
	if (p->act.verb == ACT_NONE || act_row_of(p->act) == NULL) {
		err_field(e, "act");
		FAIL(e, CHY_ACT_UNKNOWN, NULL, "\"%.*s\" is no act", BYTES_FMT(bytes_part(act, 0, 80)));
	}
	TRY(may_act(p->who, NULL, 0, e)); /* before the body is looked at: refusals tell what there is */
	if (!act_begins_with_own(p->act))
		TRY(may_role(p->who, act_roles(p->act), e));
	TRY(json_opt_bool(in, "skip_refused", &p->skip_refused, e));
	if (p->skip_refused && act_row_of(p->act)->selects == 0) {
		err_field(e, "skip_refused");
		FAIL(e, CHY_FIELD_UNAVAILABLE, NULL, "for acts over many certificates only");
	}
	p->in = in;
	TRY(find_base(p, e));
	TRY(json_need_object(in, "body", &body, e));
	p->in = body;
	TRY(act_row_of(p->act)->check(p, e));
	if (act_needs_pair(p->act))
		TRY(officers_gone(p->f, p->a, p->policy, NULL, 0, &gone, e));
	return decide_prepare(p->policy, p->who, p->act, p->base, p->body, &gone, e);
}

static enum rc
prepare(struct preparation *p, const struct json *in, struct json **ret, struct err *e)
{
	OWN_BUF struct buf bytes = buf_max(LIMIT_CMS);
	struct request_id id = request_id_of(factory_new_id(p->f));
	uint8_t nonce[REQUEST_NONCE_LEN];
	int64_t now_ms = clock_now_ms();

	TRY(check_act(p, in, e));
	TRY(rand_bytes(nonce, sizeof(nonce), e));
	json_put_canonical(&bytes, to_sign(p, id, BYTES_OF(nonce), now_ms));
	NEED(buf_ok(&bytes) && bytes.n <= LIMIT_CMS / 2, e, CHY_TOO_LONG, NULL,
	     "what is to be signed exceeds %d octets", LIMIT_CMS / 2);
	TRY(store_prepared(p, id, BYTES_OF(nonce), buf_bytes(&bytes), now_ms, e));
	*ret = prepared_answer(p, id, buf_bytes(&bytes), now_ms);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "the answer");
	return RC_OK;
}

/* The act's name as far as it can be told, for the journal. */
static const char *
act_text(const struct preparation *p, char dst[64])
{
	return p->act.verb == ACT_NONE ? "unknown" : act_name(dst, p->act);
}

/* What was left out was refused too: the journal has it, in one leaf. */
static void
journal_left_out(const struct preparation *p)
{
	struct err why = { 0 };
	char name[64];

	if (p->refused == NULL)
		return;
	err_set(&why, p->first_refused.code, NULL, "%zu certificates were left out, the first: %s",
		p->refused->count, p->first_refused.text);
	leaf_refusal(
	    p->f,
	    &(struct refusal){ .act = act_text(p, name), .by = "officer", .id = p->who->id.v, .why = &why });
}

static enum rc
prepare_or_refuse(struct preparation *p, const struct json *in, struct json **ret, struct err *e)
{
	enum rc rc = prepare(p, in, ret, e);
	char name[64];

	if (rc != RC_OK)
		*ret = p->refused;
	if (is_refusal(rc))
		leaf_refusal(p->f,
			     &(struct refusal){
				 .act = act_text(p, name), .by = "officer", .id = p->who->id.v, .why = e });
	else
		journal_left_out(p);
	return rc;
}

enum rc
request_prepare(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		const struct json *in, struct json **ret, struct err *e)
{
	struct preparation p = {
		.f = f, .a = a, .policy = policy, .who = who, .act = { ACT_NONE, KIND_NONE }
	};

	return prepare_or_refuse(&p, in, ret, e);
}

enum rc
request_prepare_selected(struct factory *f, struct arena *a, const struct snapshot *policy,
			 const struct officer *who, const struct json *in,
			 const struct selection_row *selection, struct json **ret, struct err *e)
{
	struct preparation p = { .f = f,
				 .a = a,
				 .policy = policy,
				 .who = who,
				 .act = { ACT_NONE, KIND_NONE },
				 .selection = selection };

	return prepare_or_refuse(&p, in, ret, e);
}

enum rc
request_judge(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	      struct act act, const struct json *body, const int64_t *ids, size_t n, struct act_verdicts *ret,
	      struct err *e)
{
	struct json *in = json_copy(a, body), *list = json_array(a);
	struct preparation p = {
		.f = f, .a = a, .policy = policy, .who = who, .act = act, .in = in, .verdicts = ret
	};

	*ret = (struct act_verdicts){ arena_array(a, n + 1, sizeof(*ret->v)), 0 };
	for (size_t i = 0; i < n; i++)
		json_add(list, json_int(a, ids[i]));
	NEED(in != NULL && list != NULL && ret->v != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	json_set(in, "certificates", list);
	TRY(may_act(who, NULL, 0, e));
	TRY(may_role(who, act_roles(act), e));
	return act_row_of(act)->check(&p, e);
}
