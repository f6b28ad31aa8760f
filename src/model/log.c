#include "base/base.h"
#include "model/log.h"

#include "model/field.h"

static const struct {
	int64_t number;
	const char *name;
} categories[] = {
#define X(e, number, name) { number, name },
	LOG_CATEGORIES(X)
#undef X
};

static const struct {
	int64_t number;
	const char *name, *label;
} groups[] = {
#define X(e, number, name, label) { number, name, label },
	LOG_GROUPS(X)
#undef X
};

const char *
log_category_name(int64_t category)
{
	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		if (categories[i].number == category)
			return categories[i].name;
	return "";
}

const char *
log_group_label(int64_t category)
{
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (groups[i].number == category / 100)
			return groups[i].label;
	return "";
}

bool
log_range_of(struct bytes name, struct log_range *ret)
{
	*ret = (struct log_range){ .failed = bytes_is(name, "certificates.refused") };
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (bytes_is(name, groups[i].name) || (ret->failed && groups[i].number == LOG_ISSUED / 100)) {
			ret->group = groups[i].number;
			ret->from = groups[i].number * 100;
			ret->to = ret->from + 99;
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		if (bytes_is(name, categories[i].name)) {
			ret->category = ret->from = ret->to = categories[i].number;
			return true;
		}
	return false;
}

/* The first beginning that fits. */
static const struct {
	const char *begin;
	enum log_category category;
} acts[] = {
	{ "certificate.revoke", LOG_REVOKED },
	{ "certificate.hold", LOG_REVOKED },
	{ "certificate.reinstate", LOG_REVOKED },
	{ "certificate.publish", LOG_PUBLISHED },
	{ "certificate.unpublish", LOG_PUBLISHED },
	{ "attribute-certificate.revoke", LOG_REVOKED },
	{ "certificate.", LOG_ISSUED },
	{ "attribute-certificate.", LOG_ISSUED },
	{ "issuing-session.", LOG_SESSION },
	{ "key.recover", LOG_RECOVERED },
	{ "token.recover", LOG_RECOVERED },
	{ "key.archive", LOG_ARCHIVED },
	{ "token.", LOG_ISSUED },
	{ "order.", LOG_ORDER },
	{ "batch.", LOG_BATCH },
	{ "ca-key.", LOG_KEY },
	{ "authority.", LOG_CA },
	{ "officer.", LOG_OFFICER },
	{ "officer-profile.", LOG_OFFICER },
	{ "domain.", LOG_DOMAIN },
};

enum log_category
log_category_of_act(struct bytes act)
{
	struct bytes verb;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (bytes_starts(act, acts[i].begin))
			return acts[i].category;
	return kind_id_of(text_cut(act, '.', &verb)) != KIND_NONE ? LOG_POLICY : LOG_SYSTEM;
}

static const struct {
	const char *begin;
	enum log_category category;
} leaves[] = {
	{ "certificate-state", LOG_REVOKED },
	{ "certificate", LOG_ISSUED },
	{ "attribute-certificate", LOG_ISSUED },
	{ "adopted", LOG_ISSUED },
	{ "disagreement", LOG_ISSUED },
	{ "revocation", LOG_REVOKED },
	{ "publication", LOG_PUBLISHED },
	{ "session", LOG_SESSION },
	{ "ca-certificate", LOG_CA },
	{ "cross-certificate", LOG_CA },
	{ "key-archive", LOG_ARCHIVED },
	{ "archive", LOG_ARCHIVED },
	{ "key-recover", LOG_RECOVERED },
	{ "recover", LOG_RECOVERED },
	{ "order", LOG_ORDER },
	{ "batch", LOG_BATCH },
};

enum log_category
log_category_of_leaf(struct bytes kind)
{
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
		if (bytes_starts(kind, leaves[i].begin))
			return leaves[i].category;
	return LOG_SYSTEM;
}
