/* draft: unfinished documents, not part of policy. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/rest.h"

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	struct bytes cells[4] = { json_line(c->a, json_get(item, "id")),
				  json_line(c->a, json_get(item, "kind")),
				  json_line(c->a, json_get(json_get(item, "body"), "name")),
				  json_line(c->a, json_get(item, "at")) };

	if (cells[2].n == 0)
		cells[2] = json_line(c->a, json_get(item, "name"));
	out_table_row(t, cells);
}

static const char *
path(struct cli *c)
{
	const char *p = args_has(&c->args, "ID")
	    ? arena_printf(c->a, "/api/v1/drafts/%s/%s", args_text(&c->args, "KIND"),
			   args_text(&c->args, "ID"))
	    : args_has(&c->args, "KIND")
	    ? arena_printf(c->a, "/api/v1/drafts/%s", args_text(&c->args, "KIND"))
	    : "/api/v1/drafts";

	return p ? p : "";
}

static enum rc
run_list(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID", "KIND", "NAME", "CHANGED", NULL };
	static const char *const filters[] = { NULL };

	return list_run(c, &(struct list){ path(c), filters, heads, row }, e);
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	struct json *d;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, path(c), NULL, &d, e));
	out_json(&c->out, d);
	JSON_EACH(member, json_get(d, "body"))
	{
		char name[64];

		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(member->name));
		out_field(&c->out, name, json_line(c->a, member));
	}
	return RC_OK;
}

static enum rc
run_delete(struct cli *c, struct err *e)
{
	struct rest_call call = { .method = "DELETE", .path = path(c) };
	struct rest_answer answer;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	out_note(&c->out, "Draft %s is deleted.\n", args_text(&c->args, "ID"));
	return RC_OK;
}

static const char *const kinds[] = {
#define X(e, name) name,
	KIND_TABLE(X)
#undef X
	    NULL
};
static const struct opt list_options[] = { OPTIONS_PAGE, { 0 } };
static const struct operand of_kind[] = {
	{ "KIND", OPT_CHOICE, 0, "only of this kind of document; all if not given", kinds }, { 0 }
};
static const struct operand one[] = {
	{ "KIND", OPT_CHOICE, OPT_MUST, "the kind of document", kinds },
	{ "ID", OPT_INT, OPT_MUST, "the draft's id" },
	{ 0 },
};

const struct command commands_draft[] = {
	{ "draft", "list", "list drafts", NULL, list_options, of_kind, "chancery draft list token-procedure",
	  run_list },
	{ "draft", "show", "show a draft", NULL, NULL, one, NULL, run_show },
	{ "draft", "delete", "delete a draft", NULL, NULL, one, NULL, run_delete },
	{ 0 },
};
