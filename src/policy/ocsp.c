#include "base/base.h"
#include "policy/ocsp.h"

#include "model/choices.h"
#include "policy/body.h"

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
