/* What acts on certificates' status come to, told to those who sign them. */
#include "base/base.h"
#include "factory/act_status_impl.h"

#include "policy/body.h"
#include "policy/rights.h"

bool
status_is_seen(const struct snapshot *policy, const struct officer *who, const struct status_subject *x)
{
	return may_see_certificate(
		   policy, who, snapshot_of_kind(policy, KIND_AUTHORITY, doc_id_of(x->row.issuer)),
		   snapshot_of_kind(policy, KIND_TOKEN_PROCEDURE, doc_id_of(x->row.token_procedure)),
		   NULL) == RC_OK;
}

void
status_tell_one(struct arena *a, const struct snapshot *policy, size_t i, const struct status_subject *x,
		enum cert_state to, struct json *difference, struct json *affected)
{
	const struct officer *o = status_officer(a, policy, &x->row);

	act_difference(a, difference, arena_printf(a, "certificates[%zu]", i),
		       act_certificate_label(a, &x->row), bytes_str(cert_state_label(x->status.state)),
		       bytes_str(cert_state_label(to)));
	if (o != NULL)
		act_affects(a, o, affected);
}

/* What it comes to as things stand now; whether it may be done is decided when it is signed. */
static enum cert_state
would_be(const struct status_subject *x, enum status_verb v)
{
	enum cert_state from = (enum cert_state)x->status.state;
	size_t causes = x->causes_n + (v == STATUS_HOLD) - (v == STATUS_REINSTATE && x->causes_n > 0);

	return status_may(from, v) ? status_after(from, v, causes) : from;
}

void
status_tell_wish(struct arena *a, const struct status_wish *w, struct json *difference)
{
	struct bytes reason = bytes_str(reason_label(w->reason));

	if (w->verb == STATUS_REVOKE)
		act_difference(a, difference, "reason", BYTES("Reason"), BYTES_NONE, reason);
	else if (w->verb == STATUS_HOLD)
		act_difference(a, difference, "cause", BYTES("Held for"), BYTES_NONE, w->cause);
	else
		act_difference(a, difference, "cause", BYTES("No longer held for"), w->cause, BYTES_NONE);
}

/* The outcome of a certificate by a request that is done. */
static const struct json *
outcome_of(const struct telling *t, int64_t certificate)
{
	JSON_EACH(item, body_list(t->result, "certificates"))
	if (body_int(item, "certificate", 0) == certificate)
		return item;
	return NULL;
}

/* Of a request that is over: what came of it then, or what had been asked for. The state before is not kept. */
static void
tell_past(const struct telling *t, size_t i, const struct status_subject *x, struct json *difference)
{
	static const enum cert_state wanted[] = {
		[STATUS_REVOKE] = CERT_REVOKED, [STATUS_HOLD] = CERT_HELD, [STATUS_REINSTATE] = CERT_VALID
	};
	enum cert_state to = wanted[status_verb_of(t->request->act)];
	const struct json *outcome = outcome_of(t, x->row.id);
	struct bytes is = bytes_str(cert_state_label(to)), state = body_text(outcome, "state");

	for (int s = 0; s < CERT_STATE_COUNT; s++)
		if (state.n > 0 && bytes_is(state, cert_state_name(s)))
			is = bytes_str(cert_state_label(s));
	if (json_get(outcome, "problem") != NULL)
		is = BYTES("refused");
	act_difference(t->a, difference, arena_printf(t->a, "certificates[%zu]", i),
		       act_certificate_label(t->a, &x->row), BYTES_NONE, is);
}

enum rc
status_act_tell(const struct telling *t, struct json *difference, struct err *e)
{
	enum status_verb verb = status_verb_of(t->request->act);
	bool over = request_state_is_final(t->request->state);
	struct status_asked asked;
	size_t i = 0;

	TRY(status_read_body(t->request->act, t->request->body, &asked, e));
	TRY(status_read_listed(t->f, t->a, &asked, e));
	JSON_EACH(item, asked.list)
	{
		struct status_subject x;

		TRY(status_load_of(t->f, t->a, t->policy, &asked.ahead, body_int(item, "certificate", 0),
				   false, &x, e));
		if (status_is_seen(t->policy, t->who, &x) && over)
			tell_past(t, i, &x, difference);
		else if (status_is_seen(t->policy, t->who, &x))
			status_tell_one(t->a, t->policy, i, &x, would_be(&x, verb), difference, t->affected);
		i++;
	}
	status_tell_wish(t->a, &asked.wish, difference);
	return RC_OK;
}
