/* request: what officers have asked for and what waits for a second one. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/rest.h"
#include "model/request.h"

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	const char *const names[] = { "id", "act", "state", "prepared_by", "prepared_at" };
	struct bytes cells[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cells[i] = json_line(c->a, json_get(item, names[i]));
	out_table_row(t, cells);
}

static enum rc
run_list(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID", "ACT", "STATE", "PREPARED BY", "PREPARED AT", NULL };
	static const char *const filters[] = { "state", NULL };

	return list_run(c, &(struct list){ "/api/v1/requests", filters, heads, row }, e);
}

static enum rc
fetch(struct cli *c, int64_t *ret_id, struct json **ret, struct err *e)
{
	const char *path;
	struct rest *r;

	*ret_id = args_int(&c->args, "ID", 0);
	path = arena_printf(c->a, "/api/v1/requests/%lld", (long long)*ret_id);
	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "request");
	TRY(cli_rest(c, &r, e));
	return rest_json(r, c->a, path, NULL, ret, e);
}

/* The bytes to sign, parsed; they are what counts, not what stands around them. */
static enum rc
document_of(struct cli *c, const struct json *request, struct bytes *ret_bytes, struct json **ret,
	    struct err *e)
{
	struct bytes text;

	TRY_AT(json_need_str(request, "to_sign", &text, e), e, "the server's answer");
	TRY(base64_parse(c->a, text, ret_bytes, e));
	return json_parse(c->a, *ret_bytes, ret, e);
}

static void
show_signature(struct cli *c, const struct json *s)
{
	struct bytes name = json_line(c->a, json_get(s, "name")), at = json_line(c->a, json_get(s, "at"));
	struct bytes officer = json_line(c->a, json_get(s, "officer"));
	const char *text = arena_printf(c->a, "%.*s (officer %.*s) at %.*s", BYTES_FMT(name),
					BYTES_FMT(officer), BYTES_FMT(at));

	out_field(&c->out, "signed by", bytes_str(text));
}

static void
show(struct cli *c, const struct json *request, const struct json *document)
{
	const char *const names[] = { "id",          "act",        "state", "prepared_by",
				      "prepared_at", "expires_at", "reason" };
	const struct json *signatures = json_get(request, "signatures");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *v = json_get(request, names[i]);

		if (v == NULL)
			v = json_get(document, names[i]);
		if (v)
			out_field(&c->out, names[i], json_line(c->a, v));
	}
	JSON_EACH(s, signatures && signatures->type == JSON_ARRAY ? signatures : NULL)
	show_signature(c, s);
	JSON_EACH(member, json_get(document, "body"))
	{
		char name[64];

		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(member->name));
		out_field(&c->out, name, json_line(c->a, member));
	}
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	struct json *request, *document;
	struct bytes bytes;
	int64_t id;

	TRY(fetch(c, &id, &request, e));
	out_json(&c->out, request);
	if (c->out.json)
		return RC_OK;
	TRY(document_of(c, request, &bytes, &document, e));
	show(c, request, document);
	out_line(&c->out, "\nWhat it changes:\n");
	flow_show_difference(c, request);
	return RC_OK;
}

static enum rc
run_sign(struct cli *c, struct err *e)
{
	struct json *request, *document, *answer;
	struct bytes bytes;
	int64_t id, inside;

	TRY(fetch(c, &id, &request, e));
	TRY(document_of(c, request, &bytes, &document, e));
	TRY(json_need_int(document, "request", 1, JSON_INT_MAX, &inside, e));
	NEED(inside == id, e, CHY_CLI_ALTERED, NULL, "the bytes are of request %lld", (long long)inside);
	if (!args_has(&c->args, "yes")) {
		show(c, request, document);
		out_line(&c->out, "\nWhat it changes:\n");
		flow_show_difference(c, request);
	}
	TRY(cli_confirm(c, "Sign this request?", e));
	TRY(flow_sign(c, id, bytes, &answer, e));
	flow_show_outcome(c, answer);
	return RC_OK;
}

static const char *const states[] = {
#define X(e, name, final, label) name,
	REQUEST_STATES(X)
#undef X
	    NULL
};
static const struct opt list_options[] = {
	{ "state", "STATE", OPT_CHOICE, 0, "only those in this state", states },
	OPTIONS_PAGE,
	{ 0 },
};
static const struct opt sign_options[] = { OPTIONS_CO_OFFICER, { 0 } };
static const struct operand one[] = { { "ID", OPT_INT, OPT_MUST, "the request's id" }, { 0 } };

const struct command commands_request[] = {
	{ "request", "list", "list requests", NULL, list_options, NULL,
	  "chancery request list --state waiting", run_list },
	{ "request", "show", "show a request, what it changes and who has signed it", NULL, NULL, one, NULL,
	  run_show },
	{ "request", "sign", "sign a request that waits for its second officer",
	  "Shows what would be signed, taken from the very bytes, and asks. What waits becomes void when "
	  "what it changes "
	  "has changed meanwhile.",
	  sign_options, one, "chancery request sign --officer bert.p12 210453397760", run_sign },
	{ 0 },
};
