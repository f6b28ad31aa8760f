#include "base/base.h"
#include "factory/list_wish.h"

#include "store/read.h"

enum { NAME_MAX_LEN = 64 };

static const char *
setting_name(char name[NAME_MAX_LEN], enum kind_id kind, struct doc_id procedure, bool delta)
{
	snprintf(name, NAME_MAX_LEN, "%s-wanted-%lld%s", kind == KIND_CRL_PROCEDURE ? "crl" : "cil",
		 (long long)procedure.v, delta ? "-delta" : "");
	return name;
}

void
list_wish_put(struct factory *f, struct change *c, enum kind_id kind, struct doc_id procedure, bool delta)
{
	char name[NAME_MAX_LEN], text[24];

	snprintf(text, sizeof(text), "%lld", (long long)factory_new_id(f));
	change_set_setting(c, setting_name(name, kind, procedure, delta), bytes_str(text));
}

enum rc
list_wish_of(struct factory *f, struct arena *a, enum kind_id kind, struct doc_id procedure, bool delta,
	     int64_t *ret, struct err *e)
{
	char name[NAME_MAX_LEN];
	struct bytes text;
	struct err why = { 0 };

	*ret = 0;
	if (store_setting(f->store, a, setting_name(name, kind, procedure, delta), &text, &why) != RC_OK) {
		NEED(why.rc == RC_NOT_FOUND, e, why.code, NULL, "%s", why.text);
		return RC_OK;
	}
	return int_parse(text, 0, INT64_MAX, ret, e);
}
