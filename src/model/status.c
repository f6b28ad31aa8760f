#include "base/base.h"
#include "model/status.h"

static const struct {
	const char *name, *label;
} states[] = {
#define X(e, name, label) { name, label },
	CERT_STATES(X)
#undef X
};

const char *
cert_state_name(int64_t state)
{
	return state >= 0 && state < CERT_STATE_COUNT ? states[state].name : "";
}

const char *
cert_state_label(int64_t state)
{
	return state >= 0 && state < CERT_STATE_COUNT ? states[state].label : "";
}

static const struct {
	enum reason code;
	const char *name, *label;
} reasons[] = {
#define X(e, code, name, label, help) { REASON_##e, name, label },
	REASONS(X)
#undef X
	    { REASON_REMOVED, "remove-from-crl", "Reinstated" },
};

/* What officers cannot give is no reason of theirs. */
enum reason
reason_of(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].code != REASON_REMOVED && bytes_is(name, reasons[i].name))
			return reasons[i].code;
	return REASON_NONE;
}

const char *
reason_name(int64_t reason)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].code == reason)
			return reasons[i].name;
	return "";
}

const char *
reason_label(int64_t reason)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].code == reason)
			return reasons[i].label;
	return "";
}

static const char *const verifications[] = { "", "password", "manual" };

enum verification
verification_of(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(verifications); i++)
		if (bytes_is(name, verifications[i]))
			return (enum verification)i;
	return VERIFICATION_NONE;
}

const char *
verification_name(enum verification v)
{
	return v >= 0 && v < (int)ARRAY_LEN(verifications) ? verifications[v] : "";
}

const char *
status_verb_name(enum status_verb v)
{
	static const char *const names[] = { "revoke", "hold", "reinstate" };

	return v >= 0 && v < (int)ARRAY_LEN(names) ? names[v] : "";
}

/* Revoked is final. A hold of what is on hold adds a cause. */
static const unsigned may[CERT_STATE_COUNT] = {
	[CERT_VALID] = 1u << STATUS_REVOKE | 1u << STATUS_HOLD,
	[CERT_HELD] = 1u << STATUS_REVOKE | 1u << STATUS_HOLD | 1u << STATUS_REINSTATE,
	[CERT_REVOKED] = 0,
};

bool
status_may(enum cert_state from, enum status_verb v)
{
	return from >= 0 && from < CERT_STATE_COUNT && (may[from] & 1u << v) != 0;
}

enum cert_state
status_after(enum cert_state from, enum status_verb v, size_t held_for)
{
	if (!status_may(from, v))
		return from;
	if (v == STATUS_REVOKE)
		return CERT_REVOKED;
	return held_for > 0 ? CERT_HELD : CERT_VALID;
}
