/* selection: certificates gathered for one act, which is then submitted for all of them. */
#include "base/base.h"
#include "cli/certid.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/publication.h"
#include "cli/rest.h"
#include "cli/search.h"
#include "cli/status.h"
#include "model/status.h"

static const char *const acts[] = { "publish",   "unpublish",     "revoke", "hold",
				    "reinstate", "activate-ocsp", "remove", NULL };

static const char *
path(struct cli *c, const char *tail)
{
	const char *p = arena_printf(c->a, "/api/v1/selections/%lld%s",
				     (long long)args_int(&c->args, "ID", 0), tail);

	return p ? p : "";
}

/* ---- gathering ---- */

static enum rc
certificates(struct cli *c, struct json **ret, struct err *e)
{
	struct json *list = json_array(c->a);
	int64_t id;

	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	for (const struct arg *x = NULL; (x = args_next(&c->args, "CERTIFICATE", x)) != NULL;) {
		TRY_AT(cert_id(c, x->value, &id, e), e, "%.60s", x->value);
		json_add(list, json_int(c->a, id));
	}
	*ret = list;
	return RC_OK;
}

/* Those that were not taken, and why. By their numbers somebody wanted just them; of a search some are always none. */
static enum rc
show_taken(struct cli *c, const struct json *answer, bool searched, struct err *e)
{
	static const char *const heads[] = { "NOT TAKEN", "CODE", "WHY", NULL };
	const struct json *refused = json_get(answer, "refused"), *next = json_get(answer, "next"),
			  *full = json_get(answer, "full");
	struct out_table t;

	if (c->out.json) {
		out_json(&c->out, answer);
	} else {
		out_line(&c->out, "Selection %.*s: %.*s selected\n",
			 BYTES_FMT(json_line(c->a, json_get(answer, "id"))),
			 BYTES_FMT(json_line(c->a, json_get(answer, "selected"))));
		out_table_start(&t, &c->out, c->a, heads);
		JSON_EACH(x, refused)
		{
			const struct json *problem = json_get(x, "problem");
			struct bytes cells[] = { json_line(c->a, json_get(x, "certificate")),
						 json_line(c->a, json_get(problem, "code")),
						 json_line(c->a, json_get(problem, "detail")) };

			out_table_row(&t, cells);
		}
		if (refused != NULL && refused->count > 0)
			out_table_end(&t);
	}
	if (full != NULL && full->boolean)
		out_note(&c->out, "It is full: not all that was found is in it.\n");
	if (next != NULL && next->type == JSON_STR)
		out_note(&c->out, "There may be others: go on with --after %.*s\n", BYTES_FMT(next->str));
	NEED(searched || refused == NULL || refused->count == 0, e, CHY_CLI_SOME_FAILED, NULL,
	     "%zu certificates were not taken", refused->count);
	return RC_OK;
}

static void
put_text(struct cli *c, struct json *body, const char *option, const char *member)
{
	if (args_has(&c->args, option))
		json_set(body, member, json_str(c->a, bytes_str(args_text(&c->args, option))));
}

static enum rc
run_create(struct cli *c, struct err *e)
{
	struct json *in = json_object(c->a), *body = json_object(c->a), *list, *answer;
	const char *act = arena_printf(c->a, "certificate.%s", args_text(&c->args, "ACT"));
	struct rest *r;

	NEED(in != NULL && body != NULL && act != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	if (args_has(&c->args, "procedure"))
		json_set(body, "publication_procedure",
			 publication_named(c, args_text(&c->args, "procedure")));
	put_text(c, body, "at", "publish_at");
	put_text(c, body, "reason", "reason");
	put_text(c, body, "because", "reason");
	put_text(c, body, "invalid-at", "invalid_at");
	put_text(c, body, "cause", "cause");
	TRY(certificates(c, &list, e));
	json_set(in, "act", json_str(c->a, bytes_str(act)));
	json_set(in, "body", body);
	json_set(in, "certificates", list);
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/selections", in, &answer, e));
	return show_taken(c, answer, false, e);
}

static enum rc
change(struct cli *c, const struct json *in, bool searched, struct err *e)
{
	struct json *answer;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, path(c, "/certificates"), in, &answer, e));
	return show_taken(c, answer, searched, e);
}

static enum rc
run_add(struct cli *c, struct err *e)
{
	struct json *in = json_object(c->a), *list, *query;

	NEED(in != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	TRY(certificates(c, &list, e));
	TRY(search_query(c, &query, e));
	NEED(list->count + query->count > 0, e, CHY_CLI_USAGE, NULL,
	     "which certificates? Name them, or say what they are searched by");
	if (query->count > 0) {
		put_text(c, query, "after", "after");
		json_set(in, "search", query);
	}
	json_set(in, "add", list);
	return change(c, in, query->count > 0, e);
}

static enum rc
run_remove(struct cli *c, struct err *e)
{
	struct json *in = json_object(c->a), *list;

	NEED(in != NULL, e, CHY_NO_MEMORY, NULL, "a selection");
	TRY(certificates(c, &list, e));
	json_set(in, "remove", list);
	return change(c, in, false, e);
}

/* ---- looking ---- */

static void
show_one(struct cli *c, struct out_table *t, const struct json *x)
{
	struct bytes cells[] = { json_line(c->a, json_get(x, "id")), json_line(c->a, json_get(x, "subject")),
				 json_line(c->a, json_get(x, "serial")),
				 json_line(c->a, json_get(x, "not_after")),
				 json_line(c->a, json_get(json_get(x, "problem"), "detail")) };

	out_table_row(t, cells);
}

static void
show_head(struct cli *c, const struct json *s)
{
	out_field(&c->out, "Act", json_line(c->a, json_get(s, "act")));
	JSON_EACH(m, json_get(s, "body"))
	{
		const char *name = arena_str(c->a, m->name);

		out_field(&c->out, name ? name : "", json_line(c->a, m));
	}
	out_field(&c->out, "Kept until", json_line(c->a, json_get(s, "expires_at")));
	if (json_get(s, "problem") != NULL)
		out_field(&c->out, "Cannot be done",
			  json_line(c->a, json_get(json_get(s, "problem"), "detail")));
}

static enum rc
load(struct cli *c, struct json **ret, struct err *e)
{
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	return rest_json(r, c->a, path(c, ""), NULL, ret, e);
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID", "SUBJECT", "SERIAL", "VALID TO", "NO CANDIDATE", NULL };
	struct out_table t;
	struct json *s;

	TRY(load(c, &s, e));
	if (c->out.json) {
		out_json(&c->out, s);
		return RC_OK;
	}
	show_head(c, s);
	out_table_start(&t, &c->out, c->a, heads);
	JSON_EACH(x, json_get(s, "certificates"))
	show_one(c, &t, x);
	out_table_end(&t);
	return RC_OK;
}

static void
row(struct cli *c, struct out_table *t, const struct json *x)
{
	struct bytes cells[] = { json_line(c->a, json_get(x, "id")), json_line(c->a, json_get(x, "act")),
				 json_line(c->a, json_get(x, "selected")), json_line(c->a, json_get(x, "at")),
				 json_line(c->a, json_get(x, "expires_at")) };

	out_table_row(t, cells);
}

static enum rc
run_list(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID", "ACT", "SELECTED", "CHANGED", "KEPT UNTIL", NULL };
	static const char *const filters[] = { NULL };

	return list_run(c, &(struct list){ "/api/v1/selections", filters, heads, row }, e);
}

static enum rc
run_drop(struct cli *c, struct err *e)
{
	struct rest_call call = { .method = "DELETE", .path = path(c, "") };
	struct rest_answer answer;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	out_note(&c->out, "Selection %s is dropped.\n", args_text(&c->args, "ID"));
	return RC_OK;
}

/* ---- submitting ---- */

static bool
is_of(const struct json *selection, const char *act)
{
	const struct json *v = json_get(selection, "act");

	return v != NULL && v->type == JSON_STR && bytes_is(v->str, act);
}

static bool
publishes(const struct json *s)
{
	return is_of(s, "certificate.publish") || is_of(s, "certificate.unpublish");
}

/* What is signed must be what the selection shows: the same members, and these certificates in this order. */
static enum rc
expected(struct cli *c, const struct json *s, const struct json *more, struct json **ret, struct err *e)
{
	struct json *body = json_copy(c->a, json_get(s, "body")), *list = json_array(c->a);

	NEED(body != NULL && body->type == JSON_OBJECT && list != NULL, e, CHY_CLI_ANSWER, NULL,
	     "the server's selection has no body");
	JSON_EACH(m, more)
	{
		const char *name = arena_str(c->a, m->name);

		NEED(name != NULL, e, CHY_NO_MEMORY, NULL, "a request");
		json_set(body, name, json_copy(c->a, m));
	}
	JSON_EACH(x, json_get(s, "certificates"))
	{
		struct json *id = json_copy(c->a, json_get(x, "id")), *o = id;

		if (!publishes(s)) {
			o = json_object(c->a);
			json_set(o, "certificate", id);
		}
		json_add(list, o);
	}
	json_set(body, "certificates", list);
	*ret = body;
	return RC_OK;
}

static enum rc
choices(struct cli *c, const struct json *s, struct json *more, struct json *secrets, struct err *e)
{
	struct cli_choice choice;
	size_t before = more->count;

	TRY(cli_choice(c, &choice, e));
	TRY(publication_password(c, more, &choice, e));
	NEED(more->count == before || is_of(s, "certificate.publish"), e, CHY_CLI_USAGE, NULL,
	     "revocation passwords are chosen when certificates are published");
	if (choice.form != NULL)
		json_set(secrets, "revocation_password", choice.form);
	return publishes(s) ? RC_OK : status_verification(c, more, secrets, e);
}

static const char *
question_of(const struct json *s)
{
	return is_of(s, "certificate.revoke") ? "Revoke for good?"
	    : is_of(s, "certificate.remove")  ? "Remove for good?"
					      : NULL;
}

static enum rc
run_submit(struct cli *c, struct err *e)
{
	struct json *more = json_object(c->a), *secrets = json_object(c->a), *in = json_object(c->a), *s,
		    *body, *answer;
	const char *act;

	NEED(more != NULL && secrets != NULL && in != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(load(c, &s, e));
	TRY(choices(c, s, more, secrets, e));
	TRY(expected(c, s, more, &body, e));
	json_set(in, "body", more);
	act = arena_str(c->a, json_line(c->a, json_get(s, "act")));
	NEED(act != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(flow_with_secrets(c,
			      &(struct asked){ .act = act,
					       .body = body,
					       .question = question_of(s),
					       .path = path(c, "/submit"),
					       .more = in },
			      secrets, &answer, e));
	if (!publishes(s))
		return status_outcome(c, answer, e);
	flow_show_outcome(c, answer);
	return publication_tell(
	    c, answer, is_of(s, "certificate.publish") ? "is queued" : "is queued to be taken back", e);
}

/* ---- the commands ---- */

static const struct opt create_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, 0, "the publication procedure: of publish and unpublish" },
	{ "at", "TIME", OPT_TIME, 0, "of publish: when it is to go out; at once if not given" },
	{ "reason", "REASON", OPT_CHOICE, 0, "of revoke: why, for all of them", revoke_reasons },
	{ "invalid-at", "TIME", OPT_TIME, 0, "of revoke: since when the keys may have been out" },
	{ "cause", "TEXT", OPT_TEXT, 0, "of hold and reinstate: what they are held for" },
	{ "because", "TEXT", OPT_TEXT, 0, "of remove: why; the journal keeps it" },
	{ 0 },
};
static const struct opt add_options[] = {
	{ "text", "TEXT", OPT_TEXT, 0, "words that stand anywhere in subject or alternative names" },
	SEARCH_OPTIONS,
	{ "after", "CURSOR", OPT_TEXT, 0, "go on with the search where an earlier command ended" },
	{ 0 },
};
static const struct opt submit_options[] = {
	OPTIONS_PUBLICATION_PASSWORD,
	OPTIONS_VERIFICATION,
	OPTIONS_CO_OFFICER,
	{ 0 },
};
static const struct opt list_options[] = { OPTIONS_PAGE, { 0 } };
static const struct operand begun[] = {
	{ "ACT", OPT_CHOICE, OPT_MUST, "what is to be done with them", acts },
	{ "CERTIFICATE", OPT_FILE, OPT_MANY, "a file that holds it, its serial number, or its id" },
	{ 0 },
};
static const struct operand some[] = {
	{ "ID", OPT_INT, OPT_MUST, "the selection" },
	{ "CERTIFICATE", OPT_FILE, OPT_MANY, "a file that holds it, its serial number, or its id" },
	{ 0 },
};
static const struct operand these[] = {
	{ "ID", OPT_INT, OPT_MUST, "the selection" },
	{ "CERTIFICATE", OPT_FILE, OPT_MUST | OPT_MANY,
	  "a file that holds it, its serial number, or its id" },
	{ 0 },
};
static const struct operand one[] = { { "ID", OPT_INT, OPT_MUST, "the selection" }, { 0 } };

const struct command commands_selection[] = {
	{ "selection", "create", "begin to gather certificates for one act",
	  "One act, one procedure, one reason for all of them. A selection is yours alone, is kept on the "
	  "server, and is "
	  "forgotten a day after it was changed last.",
	  create_options, begun,
	  "chancery selection create --officer rosa.p12 publish --procedure Web 210453", run_create },
	{ "selection", "add", "take certificates into a selection",
	  "Named, or searched for as by \"certificate search\". Only those that the act can be done with are "
	  "taken; of "
	  "the others it is told why not.",
	  add_options, some,
	  "chancery selection add --officer rosa.p12 210800 --common-name \"*.example.org\"", run_add },
	{ "selection", "remove", "take certificates out of a selection", NULL, NULL, these,
	  "chancery selection remove --officer rosa.p12 210800 210454", run_remove },
	{ "selection", "show", "show what is selected, and what is no candidate any more", NULL, NULL, one,
	  NULL, run_show },
	{ "selection", "list", "list your selections", NULL, list_options, NULL, NULL, run_list },
	{ "selection", "submit", "sign the act for all that is selected",
	  "The selection is gone then: what was signed is a request as any other.", submit_options, one,
	  "chancery selection submit --officer rosa.p12 210800", run_submit },
	{ "selection", "drop", "throw a selection away", NULL, NULL, one, NULL, run_drop },
	{ 0 },
};
