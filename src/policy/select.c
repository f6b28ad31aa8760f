#include "base/base.h"
#include "model/choices.h"
#include "policy/select.h"

static const struct {
	const char *name, *text;
} reasons[SELECT_REASON_COUNT] = {
	[SELECT_FIRST] = { "first-in-list", "the request has no key usage: the first in the list is taken" },
	[SELECT_NO_USAGE] = { "no-usage-set", "no key usage is set: it matches every request" },
	[SELECT_ALL_USAGES] = { "all-usages-set", "every key usage is set: it matches every request" },
	[SELECT_SUBSET] = { "usage-matches", "it has every key usage that the request asks" },
	[SELECT_NOT_ASKED] = { "behind-chosen", "it matches too, but stands behind the chosen one" },
	[SELECT_LATER] = { "not-first", "the request has no key usage, and it is not the first in the list" },
	[SELECT_LACKS] = { "usage-lacks", "it lacks a key usage that the request asks" },
};

const char *
select_reason_name(enum select_reason r)
{
	return (unsigned)r < SELECT_REASON_COUNT ? reasons[r].name : "";
}

const char *
select_reason_text(enum select_reason r)
{
	return (unsigned)r < SELECT_REASON_COUNT ? reasons[r].text : "";
}

char *
key_usage_text(char *dst, uint16_t usages)
{
	size_t n = 0;

	dst[0] = 0;
	for (int bit = 0; key_usage_choices[bit].name != NULL; bit++)
		if (usages & 1u << bit)
			n += (size_t)snprintf(dst + n, KEY_USAGE_TEXT_MAX - n, "%s%s", n ? ", " : "",
					      key_usage_choices[bit].name);
	return dst;
}

int
key_usage_bit(struct bytes name)
{
	return choice_index(key_usage_choices, name);
}

/* What one procedure says to a request with key usages. */
static enum select_reason
match(uint16_t procedure, uint16_t usages)
{
	if (procedure == 0)
		return SELECT_NO_USAGE;
	if (procedure == KEY_USAGE_ALL)
		return SELECT_ALL_USAGES;
	return (usages & ~procedure) == 0 ? SELECT_SUBSET : SELECT_LACKS;
}

enum rc
select_procedure(struct arena *a, const uint16_t *procedure_usages, size_t n, bool has_usage, uint16_t usages,
		 const char *key, struct selection *ret, struct err *e)
{
	char text[KEY_USAGE_TEXT_MAX];

	*ret = (struct selection){ .n = n, .chosen = -1 };
	ret->reasons = arena_array(a, n, sizeof(*ret->reasons));
	ret->lacks = arena_array(a, n, sizeof(*ret->lacks));
	NEED(ret->reasons != NULL && ret->lacks != NULL, e, CHY_NO_MEMORY, NULL, "selection");
	NEED(n > 0, e, CHY_SELECT_EMPTY, NULL, "%s: the list of certificate procedures is empty", key);
	has_usage = has_usage && usages != 0;
	for (size_t i = 0; i < n; i++) {
		enum select_reason r = has_usage ? match(procedure_usages[i], usages)
		    : i == 0                     ? SELECT_FIRST
						 : SELECT_LATER;

		if (r == SELECT_LACKS)
			ret->lacks[i] = (uint16_t)(usages & ~procedure_usages[i]);
		else if (ret->chosen < 0)
			ret->chosen = (int)i;
		else if (has_usage)
			r = SELECT_NOT_ASKED;
		ret->reasons[i] = r;
	}
	NEED(ret->chosen >= 0, e, CHY_SELECT_NONE, NULL, "%s: no certificate procedure has the key usage %s",
	     key, key_usage_text(text, usages));
	return RC_OK;
}
