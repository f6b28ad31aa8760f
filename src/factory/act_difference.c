#include "base/base.h"
#include "factory/act_difference.h"

#include "policy/body.h"

enum { SUBJECT_SHOWN = 300 };

static struct json *
text_or_null(struct arena *a, struct bytes text)
{
	return text.p != NULL ? json_str(a, text) : json_null(a);
}

void
act_difference(struct arena *a, struct json *list, const char *field, struct bytes label, struct bytes was,
	       struct bytes will)
{
	struct json *o = json_object(a);

	json_set(o, "field", json_str(a, bytes_str(field)));
	json_set(o, "label", json_str(a, label));
	json_set(o, "old", text_or_null(a, was));
	json_set(o, "new", text_or_null(a, will));
	json_add(list, o);
}

struct bytes
act_certificate_label(struct arena *a, const struct certificate_row *row)
{
	return bytes_str(arena_printf(a, "Certificate %lld, %.*s", (long long)row->id,
				      BYTES_FMT(bytes_part(row->subject, 0, SUBJECT_SHOWN))));
}

static bool
is_listed(const struct json *list, int64_t id)
{
	JSON_EACH(item, list)
	if (body_int(item, "id", 0) == id)
		return true;
	return false;
}

void
act_affects(struct arena *a, const struct officer *o, struct json *affected)
{
	struct json *item;

	if (is_listed(affected, o->id.v))
		return;
	item = json_object(a);
	json_set(item, "id", json_int(a, o->id.v));
	json_set(item, "name", json_str(a, o->name));
	json_set(item, "active", json_bool(a, o->active));
	json_add(affected, item);
}
