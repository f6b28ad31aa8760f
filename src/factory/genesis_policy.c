#include "base/base.h"
#include "factory/genesis_policy.h"

bool
genesis_makes(const struct starter_document *d)
{
	return strcmp(d->case_, "setup") == 0 || d->kind == KIND_FORMAT || d->kind == KIND_INPUT_VIEW;
}

/* The organisation as ",O=..." of RFC 4514; nothing when it is empty. */
static void
put_organisation(struct buf *dn, struct bytes organisation)
{
	if (organisation.n == 0)
		return;
	buf_str(dn, ",O=");
	for (size_t i = 0; i < organisation.n; i++) {
		if (strchr("\"+,;<>\\#= ", organisation.p[i]) != NULL)
			buf_u8(dn, '\\');
		buf_u8(dn, organisation.p[i]);
	}
}

static enum rc
complete_system(struct arena *a, struct bytes organisation, int64_t years, struct json *body, struct err *e)
{
	OWN_BUF struct buf dn = buf_max(2048);
	struct bytes name;

	TRY(json_need_str(body, "subject", &name, e));
	buf_put(&dn, name);
	put_organisation(&dn, organisation);
	NEED(buf_ok(&dn), e, CHY_LIMIT, NULL, "the organisation's name is too long");
	json_set(body, "subject", json_str(a, buf_bytes(&dn)));
	json_set(body, "validity", json_str(a, bytes_str(arena_printf(a, "P%lldY", (long long)years))));
	return RC_OK;
}

enum rc
genesis_body(struct arena *a, const struct starter_document *d, struct bytes organisation, int64_t years,
	     struct json **ret, struct err *e)
{
	TRY(json_parse(a, bytes_str(d->text), ret, e));
	return d->kind == KIND_AUTHORITY ? complete_system(a, organisation, years, *ret, e) : RC_OK;
}
