#include "base/base.h"
#include "model/log.h"

#include "model/request.h"

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

static enum log_category
category_of_kind(enum kind_id kind)
{
	switch (kind) {
	case KIND_DOMAIN:
		return LOG_DOMAIN;
	case KIND_OFFICER_PROFILE:
	case KIND_OFFICER:
		return LOG_OFFICER;
	case KIND_CA_KEY:
		return LOG_KEY;
	case KIND_AUTHORITY:
	case KIND_STATUS_NODE:
		return LOG_CA;
	case KIND_FORMAT:
	case KIND_CERTIFICATE_PROCEDURE:
	case KIND_TOKEN_PROCEDURE:
	case KIND_KEY_PROCEDURE:
	case KIND_PIN_PROCEDURE:
	case KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE:
	case KIND_PUBLICATION_PROCEDURE:
	case KIND_CRL_PROCEDURE:
	case KIND_DISTRIBUTION_RULE:
	case KIND_INPUT_VIEW:
	case KIND_REVOCATION_POLICY:
	case KIND_CIL_PROCEDURE:
		return LOG_POLICY;
	case KIND_COUNT:
	case KIND_NONE:
		break;
	}
	return LOG_NONE;
}

/* Without a default, so that the compiler names an act that was forgotten here. */
enum log_category
log_category_of_act(struct bytes name)
{
	struct act act = act_of(name);

	switch (act.verb) {
	case ACT_CREATE:
	case ACT_MODIFY:
		return category_of_kind(act.kind);
	case ACT_RENEW:
	case ACT_CA_REQUEST:
	case ACT_CRL_BUILD:
	case ACT_CIL_BUILD:
		return LOG_CA;
	case ACT_ISSUE:
	case ACT_OFFICER_RENEW:
	case ACT_ISSUE_ATTRIBUTE:
	case ACT_TOKEN_ISSUE:
		return LOG_ISSUED;
	case ACT_REVOKE:
	case ACT_HOLD:
	case ACT_REINSTATE:
	case ACT_CA_REVOKE:
	case ACT_REMOVE:
		return LOG_REVOKED;
	case ACT_PUBLISH:
	case ACT_UNPUBLISH:
	case ACT_DELIVERY_RETRY:
	case ACT_DELIVERY_DROP:
		return LOG_PUBLISHED;
	case ACT_ACTIVATE_OCSP:
		return LOG_PUBLISHED;
	case ACT_IMPORT:
	case ACT_IMPORT_CRL:
		return LOG_IMPORTED;
	case ACT_SESSION_OPEN:
	case ACT_SESSION_CLOSE:
		return LOG_SESSION;
	case ACT_WITHDRAW:
	case ACT_REJECT:
		return LOG_SYSTEM;
	case ACT_VERB_COUNT:
	case ACT_NONE:
		break;
	}
	return LOG_NONE;
}

static const struct {
	const char *name;
	enum log_category category;
} leaves[] = {
#define X(e, name, category) { name, category },
	LEAF_KINDS(X)
#undef X
};

const char *
leaf_kind_name(enum leaf_kind kind)
{
	return kind >= 0 && kind < LEAF_KIND_COUNT ? leaves[kind].name : "";
}

enum log_category
log_category_of_leaf(struct bytes kind)
{
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
		if (bytes_is(kind, leaves[i].name))
			return leaves[i].category;
	return LOG_SYSTEM;
}
