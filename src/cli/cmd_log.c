/* log: who asked for what, and what came of it. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/list.h"
#include "cli/options.h"
#include "model/log.h"

static struct bytes
officers(struct cli *c, const struct json *item)
{
	const struct json *list = json_get(item, "officers");
	const char *text = "";

	JSON_EACH(o, list && list->type == JSON_ARRAY ? list : NULL)
	{
		struct bytes name = json_line(c->a, json_get(o, "name"));

		if (name.n == 0)
			name = json_line(c->a, json_get(o, "id"));
		text = arena_printf(c->a, "%s%s%.*s", text, *text ? ", " : "", BYTES_FMT(name));
		if (text == NULL)
			return BYTES_NONE;
	}
	return bytes_str(text);
}

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	struct bytes cells[] = {
		json_line(c->a, json_get(item, "at")),      json_line(c->a, json_get(item, "category")),
		json_line(c->a, json_get(item, "outcome")), officers(c, item),
		json_line(c->a, json_get(item, "object")),  json_line(c->a, json_get(item, "event"))
	};

	out_table_row(t, cells);
}

static enum rc
run_log(struct cli *c, struct err *e)
{
	static const char *const heads[] = {
		"AT", "CATEGORY", "OUTCOME", "OFFICERS", "OBJECT", "EVENT", NULL
	};
	static const char *const filters[] = { "category", "failed", "by=officer", "domain",
					       "object",   "from",   "to",         NULL };

	return list_run(c, &(struct list){ "/api/v1/log", filters, heads, row }, e);
}

static const char *const categories[] = {
#define X(e, number, name, label) name,
	LOG_GROUPS(X)
#undef X
#define X(e, number, name) name,
	    LOG_CATEGORIES(X)
#undef X
		"certificates.refused",
	NULL
};

static const struct opt options[] = {
	{ "category", "CATEGORY", OPT_CHOICE, 0, "only this group or category", categories },
	{ "failed", NULL, OPT_FLAG, 0, "only what failed" },
	{ "by", "NAME|ID", OPT_TEXT, 0, "only what this officer signed or asked for" },
	{ "domain", "NAME|ID", OPT_TEXT, 0, "only this domain, your own or below, and those below it" },
	{ "object", "ID", OPT_INT, 0, "everything about a document, certificate, request or session" },
	{ "from", "TIME", OPT_TIME, 0, "at this time or later" },
	{ "to", "TIME", OPT_TIME, 0, "before this time" },
	OPTIONS_PAGE,
	{ 0 },
};

const struct command commands_log[] = {
	{ "log", NULL, "show the request log, newest first",
	  "Every request and event of the journal, failures too. OBJECT is what it is about, as --object "
	  "takes it. Filters combine. Needs the role Audit "
	  "tasks; of a domain's officer it shows what is about that domain and those below it.",
	  options, NULL, "chancery log --category administration --failed --by \"Anna Andersson\"", run_log },
	{ 0 },
};
