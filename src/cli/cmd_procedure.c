/* token-procedure: what is more than a document; and where documents are used. */
#include "base/base.h"
#include "cli/cli.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/rest.h"

static enum rc
get(struct cli *c, const char *path, struct json **ret, struct err *e)
{
	struct rest *r;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "path");
	TRY(cli_rest(c, &r, e));
	return rest_json(r, c->a, path, NULL, ret, e);
}

static void
cells_of(struct cli *c, const struct json *item, const char *const *names, size_t n, struct bytes *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = json_line(c->a, json_get(item, names[i]));
}

/* ---- where used ---- */

static void
use_row(struct cli *c, struct out_table *t, const struct json *item)
{
	static const char *const names[] = { "kind", "id", "name", "state", "field" };
	struct bytes cells[ARRAY_LEN(names)];

	cells_of(c, item, names, ARRAY_LEN(names), cells);
	out_table_row(t, cells);
}

enum rc
kind_where_used(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "KIND", "ID", "NAME", "STATE", "FIELD", NULL };
	static const char *const filters[] = { NULL };
	const char *kind = c->args.command->kind->name, *path;
	int64_t id;

	TRY(document_id(c, kind, args_text(&c->args, "NAME|ID"), &id, e));
	path = arena_printf(c->a, "/api/v1/documents/%s/%lld/references", kind, (long long)id);
	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "path");
	return list_run(c, &(struct list){ .path = path, .filters = filters, .heads = heads, .row = use_row },
			e);
}

/* ---- ranges ---- */

static void
range_row(struct cli *c, struct out_table *t, const struct json *item)
{
	static const char *const names[] = { "from", "to", "next", "left", "name", "state" };
	struct bytes cells[ARRAY_LEN(names)];

	cells_of(c, item, names, ARRAY_LEN(names), cells);
	out_table_row(t, cells);
}

static enum rc
run_ranges(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "FROM", "TO", "NEXT", "LEFT", "TOKEN PROCEDURE", "STATE", NULL };
	static const char *const filters[] = { NULL };

	return list_run(
	    c,
	    &(struct list){
		.path = "/api/v1/card-serial-ranges", .filters = filters, .heads = heads, .row = range_row },
	    e);
}

/* ---- what is filled in ---- */

static void
show_procedures(struct cli *c, const struct json *list)
{
	JSON_EACH(p, list)
	{
		struct bytes usage = json_line(c->a, json_get(p, "key_usage")),
			     qc = json_line(c->a, json_get(p, "qc_statements"));

		out_line(&c->out, "Certificate procedure ");
		out_text(&c->out, json_line(c->a, json_get(p, "name")));
		out_line(&c->out, ": key usage ");
		out_text(&c->out, usage);
		if (qc.n > 0) {
			out_line(&c->out, ", QC statements ");
			out_text(&c->out, qc);
		}
		out_line(&c->out, "\n");
	}
}

static enum rc
run_input(struct cli *c, struct err *e)
{
	struct json *d;
	int64_t id;

	TRY(document_id(c, "token-procedure", args_text(&c->args, "NAME|ID"), &id, e));
	TRY(get(c, arena_printf(c->a, "/api/v1/token-procedures/%lld/input", (long long)id), &d, e));
	out_json(&c->out, d);
	out_field(&c->out, "Input view", json_line(c->a, json_get(d, "name")));
	JSON_EACH(f, json_get(d, "fields"))
	{
		const struct json *must = json_get(f, "mandatory");
		char name[80];

		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(json_line(c->a, json_get(f, "input"))));
		out_field(
		    &c->out, name,
		    bytes_str(arena_printf(c->a, "%.*s%s", BYTES_FMT(json_line(c->a, json_get(f, "label"))),
					   must && must->boolean ? " (mandatory)" : "")));
	}
	show_procedures(c, json_get(d, "certificate_procedures"));
	return RC_OK;
}

/* ---- move ---- */

/* The list with the item at `from` at `to`. */
static enum rc
moved(struct cli *c, const struct json *list, size_t from, size_t to, struct json **ret, struct err *e)
{
	const struct json **items = arena_array(c->a, list->count, sizeof(struct json *)), *item;
	size_t n = 0;

	*ret = json_array(c->a);
	NEED(items != NULL && *ret != NULL, e, CHY_NO_MEMORY, NULL, "list");
	JSON_EACH(x, list)
	items[n++] = x;
	item = items[from];
	if (from < to)
		memmove(&items[from], &items[from + 1], (to - from) * sizeof(struct json *));
	else
		memmove(&items[to + 1], &items[to], (from - to) * sizeof(struct json *));
	items[to] = item;
	for (size_t i = 0; i < n; i++)
		json_add(*ret, json_copy(c->a, items[i]));
	return RC_OK;
}

/* Where it goes, from 0, by --up, --down or --to N. */
static enum rc
target(struct cli *c, size_t from, size_t n, size_t *ret, struct err *e)
{
	bool up = args_has(&c->args, "up"), down = args_has(&c->args, "down"), to = args_has(&c->args, "to");
	int64_t place = args_int(&c->args, "to", 0);

	NEED(up + down + to == 1, e, CHY_CLI_USAGE, NULL, "one of --up, --down and --to N");
	NEED(!up || from > 0, e, CHY_CLI_USAGE, NULL, "it is the first already");
	NEED(!down || from + 1 < n, e, CHY_CLI_USAGE, NULL, "it is the last already");
	NEED(!to || (place >= 1 && place <= (int64_t)n && place != (int64_t)from + 1), e, CHY_CLI_USAGE, NULL,
	     "--to: 1 to %zu, and not its place now", n);
	*ret = up ? from - 1 : down ? from + 1 : (size_t)place - 1;
	return RC_OK;
}

static enum rc
place_of(struct cli *c, const struct json *list, size_t *ret, struct err *e)
{
	const char *which = args_text(&c->args, "certificate-procedure");
	int64_t id;

	*ret = 0;
	TRY(document_id(c, "certificate-procedure", which, &id, e));
	JSON_EACH(x, list)
	{
		if (x->type == JSON_INT && x->integer == id)
			return RC_OK;
		(*ret)++;
	}
	FAIL(e, CHY_CLI_NOT_FOUND, NULL, "\"%s\" is not in the list of certificate procedures", which);
}

static enum rc
run_move(struct cli *c, struct err *e)
{
	struct json *d, *body, *list, *answer;
	struct asked asked = { "token-procedure.modify", kind_of(KIND_TOKEN_PROCEDURE), 0, NULL };
	size_t from, to;

	TRY(document_id(c, "token-procedure", args_text(&c->args, "NAME|ID"), &asked.object, e));
	TRY(get(c, arena_printf(c->a, "/api/v1/documents/token-procedure/%lld", (long long)asked.object), &d,
		e));
	TRY_AT(json_need_object(d, "body", &body, e), e, "the server's answer");
	TRY_AT(json_need_array(body, "certificate_procedures", &list, e), e, "the token procedure");
	TRY(place_of(c, list, &from, e));
	TRY(target(c, from, list->count, &to, e));
	TRY(moved(c, list, from, to, &list, e));
	json_set(body, "certificate_procedures", list);
	asked.body = body;
	return flow_run(c, &asked, &answer, e);
}

static const struct operand one[] = { { "NAME|ID", OPT_TEXT, OPT_MUST, "which one, by its name, path or id" },
				      { 0 } };
static const struct opt move_options[] = {
	OPTIONS_CO_OFFICER,
	{ "certificate-procedure", "NAME|ID", OPT_TEXT, OPT_MUST, "the one that moves" },
	{ "up", NULL, OPT_FLAG, 0, "one place towards the first" },
	{ "down", NULL, OPT_FLAG, 0, "one place towards the last" },
	{ "to", "N", OPT_INT, 0, "to this place, counted from 1" },
	{ 0 },
};

const struct command commands_procedure[] = {
	{ "token-procedure", "move", "move a certificate procedure within the list of a token procedure",
	  "The order decides which one makes a key's certificate: the first that matches the key's usage. It "
	  "is a "
	  "modification like any other, signed by two officers.",
	  move_options, one,
	  "chancery token-procedure move --officer anna.p12 \"Employee card\" --certificate-procedure "
	  "\"Signature\" --up",
	  run_move },
	{ "token-procedure", "serial-ranges", "list the ranges of card serial numbers that are in use", NULL,
	  NULL, NULL, NULL, run_ranges },
	{ "token-procedure", "input", "show what is filled in to use the token procedure",
	  "The fields of its input view, or of the default view: all that its formats take from a request. "
	  "Shows the "
	  "certificate procedures with their QC statements too.",
	  NULL, one, NULL, run_input },
	{ 0 },
};
