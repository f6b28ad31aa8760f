/* request: what officers have asked for and what waits for a second one. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "cli/rest.h"
#include "model/request.h"

/* "2nd of 2: policy-tasks, use-awb": whose signature is missing; or what else it waits for. */
static struct bytes
waits_for(struct cli *c, const struct json *item)
{
	const struct json *needed = json_get(item, "signatures_needed"), *by = json_get(item, "signed_by"),
			  *list = json_get(item, "roles");
	struct bytes state = json_line(c->a, json_get(item, "state"));
	OWN_BUF struct buf names = buf_max(1024);

	if (bytes_is(state, "prepared"))
		return BYTES("the signature of who prepared it");
	if (bytes_is(state, "signed"))
		return BYTES("its effect");
	if (!bytes_is(state, "waiting") || needed == NULL || by == NULL)
		return BYTES_NONE;
	JSON_EACH(r, list)
	buf_printf(&names, "%s%.*s", names.n ? ", " : "", BYTES_FMT(json_line(c->a, r)));
	return bytes_str(arena_printf(c->a, "signature %zu of %lld: %.*s", by->count + 1,
				      (long long)needed->integer, BYTES_FMT(buf_bytes(&names))));
}

/* Until when it can be signed; nothing once that is over. */
static struct bytes
until(struct cli *c, const struct json *item)
{
	struct bytes state = json_line(c->a, json_get(item, "state"));

	return bytes_is(state, "prepared") || bytes_is(state, "waiting")
	    ? json_line(c->a, json_get(item, "expires_at"))
	    : BYTES_NONE;
}

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	const char *const names[] = { "id", "prepared_at", "prepared_by_name", "act", "about", "state" };
	struct bytes cells[ARRAY_LEN(names) + 2];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cells[i] = json_line(c->a, json_get(item, names[i]));
	cells[ARRAY_LEN(names)] = until(c, item);
	cells[ARRAY_LEN(names) + 1] = waits_for(c, item);
	out_table_row(t, cells);
}

static const char *const heads[] = {
	"ID", "SINCE", "BY", "ACT", "ABOUT", "STATE", "UNTIL", "WAITS FOR", NULL
};

/* The newest first: what was done long ago is seldom looked for. */
static enum rc
run_list(struct cli *c, struct err *e)
{
	static const char *const filters[] = { "state", NULL };

	return list_run(c, &(struct list){ "/api/v1/requests?newest=true", filters, heads, row }, e);
}

/* The oldest first: what others may be waiting for. */
static enum rc
run_inbox(struct cli *c, struct err *e)
{
	static const char *const filters[] = { NULL };

	return list_run(c, &(struct list){ "/api/v1/requests?inbox=true", filters, heads, row }, e);
}

static enum rc
fetch(struct cli *c, int64_t id, struct json **ret, struct err *e)
{
	const char *path = arena_printf(c->a, "/api/v1/requests/%lld", (long long)id);
	struct rest *r;

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

/* The body with names in place of ids; as it stands where there are none. */
static const struct json *
body_by_name(struct cli *c, const struct json *request, const struct json *document)
{
	struct bytes rest, act = json_line(c->a, json_get(document, "act"));
	const struct kind *kind = kind_named(text_cut(act, '.', &rest));
	const struct json *body = json_get(document, "body");
	struct json *named;

	if (kind == NULL ||
	    refs_by_name(c->a, kind->fields, body, json_get(request, "names"), &named, NULL) != RC_OK)
		return body;
	return named;
}

/* "rejected by  bert at ..., because: ..."; what failed by itself has its code. */
static void
show_end(struct cli *c, const struct json *request)
{
	const struct json *end = json_get(request, "ended"), *problem = json_get(end, "problem");
	const char *state = arena_str(c->a, json_line(c->a, json_get(request, "state")));
	struct bytes by = json_line(c->a, json_get(end, "by_name")),
		     at = json_line(c->a, json_get(end, "at")),
		     why = json_line(c->a, json_get(end, "reason"));

	if (end == NULL || state == NULL)
		return;
	if (by.n > 0)
		out_field(&c->out, arena_printf(c->a, "%s by", state), by);
	if (at.n > 0)
		out_field(&c->out, arena_printf(c->a, "%s at", state), at);
	if (problem != NULL)
		why = bytes_str(arena_printf(c->a, "%.*s (%.*s)", BYTES_FMT(why),
					     BYTES_FMT(json_line(c->a, json_get(problem, "code")))));
	out_field(&c->out, "because", why);
}

static void
show(struct cli *c, const struct json *request, const struct json *document)
{
	const char *const names[] = { "id", "act", "about", "state", "prepared_by_name", "prepared_at" };
	const struct json *signatures = json_get(request, "signatures");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *v = json_get(request, names[i]);

		if (v == NULL)
			v = json_get(document, names[i]);
		if (v)
			out_field(&c->out, names[i], json_line(c->a, v));
	}
	if (until(c, request).n > 0)
		out_field(&c->out, "expires_at", until(c, request));
	JSON_EACH(s, signatures && signatures->type == JSON_ARRAY ? signatures : NULL)
	show_signature(c, s);
	show_end(c, request);
	JSON_EACH(member, body_by_name(c, request, document))
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

	TRY(fetch(c, args_int(&c->args, "ID", 0), &request, e));
	out_json(&c->out, request);
	if (c->out.json)
		return RC_OK;
	TRY(document_of(c, request, &bytes, &document, e));
	show(c, request, document);
	out_line(&c->out, "\nWhat it changes:\n");
	flow_show_difference(c, request);
	return RC_OK;
}

/* A request on its way to be signed: the bytes, and that they are of this request. */
struct to_sign {
	int64_t id;
	struct bytes bytes;
	struct json *request, *document;
};

static enum rc
fetch_to_sign(struct cli *c, const char *id, struct to_sign *ret, struct err *e)
{
	int64_t inside;

	TRY_AT(int_parse(bytes_str(id), 1, JSON_INT_MAX, &ret->id, e), e, "ID");
	TRY(fetch(c, ret->id, &ret->request, e));
	TRY(document_of(c, ret->request, &ret->bytes, &ret->document, e));
	TRY(json_need_int(ret->document, "request", 1, JSON_INT_MAX, &inside, e));
	NEED(inside == ret->id, e, CHY_CLI_ALTERED, NULL, "the bytes are of request %lld", (long long)inside);
	return RC_OK;
}

static void
show_to_sign(struct cli *c, const struct to_sign *x)
{
	show(c, x->request, x->document);
	out_line(&c->out, "\nWhat it changes:\n");
	flow_show_difference(c, x->request);
	out_line(&c->out, "\n");
}

/* All are shown before the one question; each has a signature of its own. The first that fails ends it, those before it
   are signed. */
static enum rc
run_sign(struct cli *c, struct err *e)
{
	size_t n = args_count(&c->args, "ID"), i = 0;
	struct to_sign *all = arena_array(c->a, n, sizeof(*all));
	struct json *answer;

	NEED(all != NULL, e, CHY_NO_MEMORY, NULL, "requests");
	for (const struct arg *x = NULL; (x = args_next(&c->args, "ID", x)) != NULL; i++) {
		TRY(fetch_to_sign(c, x->value, &all[i], e));
		if (!args_has(&c->args, "yes"))
			show_to_sign(c, &all[i]);
	}
	TRY(cli_confirm(c, n == 1 ? "Sign this request?" : "Sign all these requests?", e));
	for (i = 0; i < n; i++) {
		TRY_AT(flow_sign(c, all[i].id, all[i].bytes, NULL, &answer, e), e, "request %lld",
		       (long long)all[i].id);
		flow_show_outcome(c, answer);
	}
	return RC_OK;
}

static enum rc
end_request(struct cli *c, const char *act, struct err *e)
{
	struct json *body = json_object(c->a), *answer;

	json_set(body, "request", json_int(c->a, args_int(&c->args, "ID", 0)));
	json_set(body, "reason", json_str(c->a, bytes_str(args_text(&c->args, "reason"))));
	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "request");
	return flow_run(c, &(struct asked){ act, NULL, 0, body }, &answer, e);
}

static enum rc
run_withdraw(struct cli *c, struct err *e)
{
	return end_request(c, "request.withdraw", e);
}

static enum rc
run_reject(struct cli *c, struct err *e)
{
	return end_request(c, "request.reject", e);
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
static const struct opt inbox_options[] = { OPTIONS_PAGE, { 0 } };
static const struct opt end_options[] = {
	{ "reason", "TEXT", OPT_TEXT, OPT_MUST, "why; it stands in the journal" },
	{ 0 },
};
static const struct operand one[] = { { "ID", OPT_INT, OPT_MUST, "the request's id" }, { 0 } };
static const struct operand some[] = { { "ID", OPT_INT, OPT_MUST | OPT_MANY, "ids of the requests" }, { 0 } };

const struct command commands_request[] = {
	{ "request", "list", "list requests, the newest first", NULL, list_options, NULL,
	  "chancery request list --state waiting", run_list },
	{ "request", "inbox", "list requests that wait for a signature that you could give", NULL,
	  inbox_options, NULL, "chancery request inbox --officer bert.p12", run_inbox },
	{ "request", "show", "show a request, what it changes and who has signed it", NULL, NULL, one, NULL,
	  run_show },
	{ "request", "sign", "sign requests that wait for their second officer",
	  "Shows what would be signed, taken from the very bytes, and asks once. What waits becomes void "
	  "when "
	  "what it changes "
	  "has changed meanwhile.",
	  sign_options, some, "chancery request sign --officer bert.p12 210453397760", run_sign },
	{ "request", "withdraw", "take back a request that you have prepared and that waits",
	  "Signed like every act: who took it back, and why, can be verified later.", end_options, one,
	  "chancery request withdraw --officer anna.p12 210453397760 --reason \"wrong domain\"",
	  run_withdraw },
	{ "request", "reject", "end a request that waits for your signature, with a reason",
	  "For whoever could have signed it. Signed like every act.", end_options, one,
	  "chancery request reject --officer bert.p12 210453397760 --reason \"no such department\"",
	  run_reject },
	{ 0 },
};
