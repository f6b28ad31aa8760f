#include "base/base.h"
#include "policy/ocsp.h"

#include "model/choices.h"
#include "policy/body.h"
#include "policy/rules.h"
#include "policy/upon.h"

static struct duration
span(const struct json *body, const char *name, const char *otherwise)
{
	struct bytes text = body_text(body, name);
	struct duration d = { 0 };

	if (text.n == 0 || duration_parse(text, &d, NULL) != RC_OK)
		(void)!duration_parse(bytes_str(otherwise), &d, NULL);
	return d;
}

struct ocsp_settings
ocsp_settings_of(const struct json *body)
{
	struct ocsp_settings o = { .on = body_true(body, "ocsp") };

	o.by_officer = body_choice(body, "ocsp_activation", ocsp_activation_choices, 0) == 1;
	o.answer = span(body, "ocsp_answer_validity", "PT12H");
	o.certificate_ = span(body, "ocsp_certificate_validity", "P30D");
	o.key_algorithm = body_text(body, "ocsp_key_algorithm");
	if (o.key_algorithm.n == 0)
		o.key_algorithm = BYTES("p-256");
	o.has_archive = body_text(body, "ocsp_archive_cutoff").n > 0;
	o.archive = span(body, "ocsp_archive_cutoff", "P1Y");
	return o;
}

static bool
is_unissued(const struct ocsp_facts *f)
{
	return !f->issued;
}

static bool
is_revoked(const struct ocsp_facts *f)
{
	return f->state == CERT_REVOKED;
}

static bool
is_held(const struct ocsp_facts *f)
{
	return f->state == CERT_HELD;
}

static bool
is_inactive(const struct ocsp_facts *f)
{
	return f->by_officer && !f->activated;
}

static bool
is_any(const struct ocsp_facts *f)
{
	return true;
}

static const struct {
	const char *rule;
	bool (*fits)(const struct ocsp_facts *f);
	enum ocsp_status status;
} words[] = {
	{ "not-issued", is_unissued, OCSP_UNKNOWN },
	{ "revoked", is_revoked, OCSP_REVOKED },
	{ "on-hold", is_held, OCSP_REVOKED },
	{ "not-activated", is_inactive, OCSP_UNKNOWN },
	{ "good", is_any, OCSP_GOOD },
};

struct ocsp_word
decide_ocsp(const struct ocsp_facts *f)
{
	struct ocsp_word w = { .reason = CRL_NO_REASON };
	size_t i = 0;

	while (!words[i].fits(f))
		i++;
	w.status = words[i].status;
	w.rule = words[i].rule;
	if (w.status != OCSP_REVOKED)
		return w;
	w.revoked_at = f->at_ms;
	if (f->reason != REASON_UNSPECIFIED && reason_name(f->reason)[0] != 0)
		w.reason = (int)f->reason;
	return w;
}

bool
responder_is_due(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms)
{
	return now_ms < not_before_ms || now_ms >= not_before_ms + (not_after_ms - not_before_ms) / 3 * 2;
}

/* ---- an officer's act ---- */

typedef enum rc activation_fn(struct arena *a, const struct activation_facts *f, struct err *e);

static enum rc
rule_answered(struct arena *a, const struct activation_facts *f, struct err *e)
{
	NEED(body_true(f->status.authority->body, "ocsp"), e, CHY_OCSP_OFF, NULL,
	     "authority \"%.*s\" does not answer OCSP", BYTES_FMT(f->status.authority->name));
	return RC_OK;
}

static enum rc
rule_state(struct arena *a, const struct activation_facts *f, struct err *e)
{
	NEED(f->status.state != CERT_REVOKED, e, CHY_STATUS_NOT_CANDIDATE, NULL, "it is revoked");
	return RC_OK;
}

static enum rc
rule_once(struct arena *a, const struct activation_facts *f, struct err *e)
{
	NEED(!f->activated, e, CHY_OCSP_ACTIVATED, NULL, "it is activated for OCSP already");
	return RC_OK;
}

#define RULES(X) \
	X("answers-ocsp", rule_answered) \
	X("state", rule_state) \
	X("not-activated", rule_once)

RULE_TABLE(activation_fn, RULES);

enum rc
decide_activation(struct arena *a, const struct activation_facts *f, struct err *e)
{
	TRY(may_act_upon(a, &f->status, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ACTIVATE_OCSP), e));
	RULES_ASK(a, f, e);
	return RC_OK;
}
