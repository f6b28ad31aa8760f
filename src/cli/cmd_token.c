/* token: soft tokens, PKCS#12 files whose keys the server makes. */
#include "base/base.h"
#include "base/file.h"
#include "cli/choice.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/input.h"
#include "cli/kindcmd.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/pin.h"
#include "cli/rest.h"
#include "pki/name.h"

#include <unistd.h>

/* ---- what is asked ---- */

static enum rc
make_input(struct cli *c, const struct cli_choice *choice, struct json **ret, struct err *e)
{
	static const char *const times[][2] = { { "not-before", "validity.not_before" },
						{ "not-after", "validity.not_after" } };
	struct json *input;

	TRY(input_read(c, &input, e));
	if (input == NULL)
		NEED((input = json_object(c->a)) != NULL, e, CHY_NO_MEMORY, NULL, "request");
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (args_has(&c->args, times[i][0]))
			json_set(input, times[i][1],
				 json_str(c->a, bytes_str(args_text(&c->args, times[i][0]))));
	if (choice->publication)
		json_set(input, "publication", choice->publication);
	*ret = input;
	return RC_OK;
}

/* Who chooses the PIN says the token procedure's PIN procedure. */
static enum rc
pin_is_entered(struct cli *c, int64_t procedure, bool *ret, struct err *e)
{
	struct bytes method = BYTES_NONE;
	struct json *view;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a,
		      arena_printf(c->a, "/api/v1/token-procedures/%lld/input", (long long)procedure), NULL,
		      &view, e));
	TRY(json_opt_str(json_get(view, "pin"), "method", &method, e));
	*ret = bytes_is(method, "entered");
	return RC_OK;
}

static enum rc
add_pin(struct cli *c, int64_t procedure, struct json *secrets, struct err *e)
{
	const struct pin_source from = { args_text(&c->args, "new-pin-file"),
					 (int)args_int(&c->args, "new-pin-fd", -1), "PIN of the new token" };
	bool given = from.file != NULL || from.fd >= 0, entered;
	OWN(secret_free)
	struct secret *pin = NULL;
	struct json *v;

	TRY(pin_is_entered(c, procedure, &entered, e));
	if (!entered) {
		NEED(!given, e, CHY_TOKEN_PIN_UNWANTED, NULL, "the server makes the PIN");
		return RC_OK;
	}
	TRY(pin_new(&from, &pin, e));
	v = json_str(c->a, secret_bytes(pin));
	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "a PIN");
	json_set(secrets, "pin", v);
	return RC_OK;
}

/* As the server writes it, too: what is signed is compared with it. */
static enum rc
add_holder(struct cli *c, struct json *body, struct err *e)
{
	const char *text = args_text(&c->args, "holder");
	OWN_BUF struct buf normal = buf_max(8 << 10);
	struct name name;

	if (text == NULL)
		return RC_OK;
	TRY_AT(name_from_text(c->a, bytes_str(text), &name, e), e, "holder");
	name_put_text(&normal, &name);
	json_set(body, "holder", json_str(c->a, buf_bytes(&normal)));
	return RC_OK;
}

static enum rc
ask_server(struct cli *c, struct json **ret_result, struct err *e)
{
	struct json *body = json_object(c->a), *secrets = json_object(c->a), *input, *answer;
	struct cli_choice choice;
	struct bytes state;
	int64_t procedure;

	NEED(body && secrets, e, CHY_NO_MEMORY, NULL, "request");
	TRY(document_id(c, "token-procedure", args_text(&c->args, "procedure"), &procedure, e));
	TRY(cli_choice(c, &choice, e));
	TRY(make_input(c, &choice, &input, e));
	json_set(body, "token_procedure", json_int(c->a, procedure));
	json_set(body, "input", input);
	TRY(add_holder(c, body, e));
	if (choice.form) {
		json_set(body, "revocation_password_sha256", choice.sha256);
		json_set(secrets, "revocation_password", choice.form);
	}
	TRY(add_pin(c, procedure, secrets, e));
	TRY(flow_with_secrets(c, &(struct asked){ "token.issue", NULL, 0, body }, secrets, &answer, e));
	state = json_line(c->a, json_get(answer, "state"));
	NEED(bytes_is(state, "done"), e, CHY_CLI_ANSWER, NULL,
	     "the request %.*s is in state %.*s; see it with \"chancery request show\"",
	     BYTES_FMT(json_line(c->a, json_get(answer, "id"))), BYTES_FMT(state));
	return json_need_object(answer, "result", ret_result, e);
}

/* ---- files ---- */

/* Nothing is overwritten that nobody said may be, and nothing made that could not be kept. */
static enum rc
may_write(struct cli *c, const char *path, struct err *e)
{
	if (path == NULL)
		return RC_OK;
	TRY(file_may_write(path, e));
	if (access(path, F_OK) != 0 || args_has(&c->args, "force"))
		return RC_OK;
	return cli_confirm(c, arena_printf(c->a, "%s is there already. Overwrite it?", path), e);
}

static enum rc
may_write_all(struct cli *c, struct err *e)
{
	const char *out = args_text(&c->args, "out"), *pin = args_text(&c->args, "pin-out");

	NEED(pin == NULL || strcmp(out, pin) != 0, e, CHY_CLI_USAGE, NULL,
	     "--out and --pin-out are the same file");
	TRY_AT(may_write(c, out, e), e, "out");
	TRY_AT(may_write(c, pin, e), e, "pin-out");
	return RC_OK;
}

static enum rc
write_pin(struct cli *c, const struct json *file, struct json *told, struct err *e)
{
	const char *path = args_text(&c->args, "pin-out");
	struct bytes pin = BYTES_NONE;

	TRY(json_opt_str(file, "pin", &pin, e));
	if (pin.n == 0)
		return RC_OK; /* who chose it knows it */
	if (path == NULL) {
		json_set(told, "pin", json_str(c->a, pin));
		return RC_OK;
	}
	json_set(told, "pin_file", json_str(c->a, bytes_str(path)));
	return file_write(path, bytes_str(arena_printf(c->a, "%.*s\n", BYTES_FMT(pin))), 0600, e);
}

/* The file, and the PIN where the server made it, each durable before anybody is told so. */
static enum rc
bring(struct cli *c, int64_t token, struct json *told, struct err *e)
{
	const char *out = args_text(&c->args, "out");
	struct bytes text, der;
	struct json *file;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, arena_printf(c->a, "/api/v1/tokens/%lld/file", (long long)token), NULL, &file,
		      e));
	TRY_AT(json_need_str(file, "file", &text, e), e, "the server's answer");
	TRY(base64_parse(c->a, text, &der, e));
	TRY(write_pin(c, file, told, e));
	TRY(file_write(out, der, 0600, e));
	json_set(told, "token", json_int(c->a, token));
	json_set(told, "holder", json_copy(c->a, json_get(file, "holder")));
	json_set(told, "file", json_str(c->a, bytes_str(out)));
	json_set(told, "state", json_copy(c->a, json_get(file, "state")));
	return RC_OK;
}

static enum rc
confirm(struct cli *c, int64_t token, struct json **ret, struct err *e)
{
	struct rest_call call = { .method = "DELETE",
				  .path = arena_printf(c->a, "/api/v1/tokens/%lld/file", (long long)token) };
	struct rest_answer answer;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	NEED(answer.json != NULL, e, CHY_CLI_ANSWER, NULL, "the server answered with no JSON");
	*ret = answer.json;
	return RC_OK;
}

static enum rc
bring_and_tell(struct cli *c, int64_t token, struct json *told, struct err *e)
{
	bool erase = args_has(&c->args, "confirm");
	struct json *after;

	TRY(bring(c, token, told, e));
	if (erase) {
		TRY(confirm(c, token, &after, e));
		json_set(told, "state", json_copy(c->a, json_get(after, "state")));
	}
	if (c->out.json) {
		out_json(&c->out, told);
		return RC_OK;
	}
	JSON_EACH(m, told)
	{
		char name[64];

		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(m->name));
		out_field(&c->out, name, json_line(c->a, m));
	}
	if (!erase)
		out_note(
		    &c->out,
		    "When you have it safe: chancery token confirm %lld, which erases it at the server.\n",
		    (long long)token);
	return RC_OK;
}

/* ---- the commands ---- */

static enum rc
run_issue(struct cli *c, struct err *e)
{
	static const char *const lists[] = { "certificates", "archived", "recovered" };
	struct json *result, *told = json_object(c->a);
	int64_t token;

	NEED(told != NULL, e, CHY_NO_MEMORY, NULL, "token");
	TRY(may_write_all(c, e));
	TRY(ask_server(c, &result, e));
	TRY_AT(json_need_int(result, "token", 1, JSON_INT_MAX, &token, e), e, "the server's answer");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		json_set(told, lists[i], json_copy(c->a, json_get(result, lists[i])));
	if (bring_and_tell(c, token, told, e) == RC_OK)
		return RC_OK;
	out_note(&c->out, "The token is made. Bring it with: chancery token fetch %lld\n", (long long)token);
	return e->rc;
}

static enum rc
run_fetch(struct cli *c, struct err *e)
{
	struct json *told = json_object(c->a);

	NEED(told != NULL, e, CHY_NO_MEMORY, NULL, "token");
	TRY(may_write_all(c, e));
	return bring_and_tell(c, args_int(&c->args, "ID", 0), told, e);
}

static enum rc
run_confirm(struct cli *c, struct err *e)
{
	struct json *after;
	int64_t id = args_int(&c->args, "ID", 0);

	TRY(confirm(c, id, &after, e));
	out_json(&c->out, after);
	out_line(&c->out, "Token %lld: %.*s\n", (long long)id,
		 BYTES_FMT(json_line(c->a, json_get(after, "state"))));
	return RC_OK;
}

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	const char *const names[] = { "id", "holder", "state", "token_procedure_path", "at", "expires_at" };
	struct bytes cells[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cells[i] = json_line(c->a, json_get(item, names[i]));
	out_table_row(t, cells);
}

static enum rc
run_list(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID",      "HOLDER",     "STATE", "PROCEDURE",
					     "MADE AT", "KEPT UNTIL", NULL };
	static const char *const filters[] = { NULL };

	return list_run(c, &(struct list){ "/api/v1/tokens", filters, heads, row }, e);
}

#define OPTIONS_FILE \
	{ "out", "FILE", OPT_FILE, OPT_MUST, "where the PKCS#12 file goes, readable by its owner alone" }, \
	    { "pin-out", "FILE", OPT_FILE, 0, \
	      "where a PIN that the server made goes, in place of being shown" }, \
	    { "force", NULL, OPT_FLAG, 0, "overwrite files that are there" }, \
	{ \
		"confirm", NULL, OPT_FLAG, 0, "erase it at the server once it is written" \
	}

static const struct opt issue_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, OPT_MUST, "the token procedure, of storage profile pkcs12" },
	{ "input", "NAME=VALUE", OPT_TEXT, OPT_MANY,
	  "what the procedure asks for: subject.common-name=Anna, san.email=anna@example.org" },
	{ "holder", "SUBJECT", OPT_TEXT, 0,
	  "whose archived keys are recovered, by the whole subject of their certificates "
	  "(CN=Anna,O=Example): where "
	  "what is filled in is the name of several" },
	{ "not-before", "TIME", OPT_TIME, 0, "a later begin of validity than the procedures'" },
	{ "not-after", "TIME", OPT_TIME, 0, "an earlier end of validity than the procedures'" },
	{ "new-pin-file", "FILE", OPT_FILE, 0,
	  "the PIN, where the officer chooses it; asked for if not given" },
	{ "new-pin-fd", "N", OPT_INT, 0, "the same from a descriptor" },
	OPTIONS_CHOICE,
	OPTIONS_FILE,
	{ 0 },
};
static const struct opt fetch_options[] = { OPTIONS_FILE, { 0 } };
static const struct opt list_options[] = { OPTIONS_PAGE, { 0 } };
static const struct operand one[] = { { "ID", OPT_INT, OPT_MUST, "the token's id" }, { 0 } };

const struct command commands_token[] = {
	{ "token", "issue", "make a soft token: keys, certificates, and a PKCS#12 file with them",
	  "The server makes the keys that the token procedure's certificate procedures ask for, or takes "
	  "archived "
	  "ones out, and puts them into a file under a PIN. Who chooses the PIN says the PIN procedure: the "
	  "server, "
	  "then it is shown or written to --pin-out; or the officer, then it is asked for or read from "
	  "--new-pin-file or --new-pin-fd. The server keeps the file until it is confirmed, for seven days "
	  "at most.",
	  issue_options, NULL,
	  "chancery token issue --officer rosa.p12 --procedure \"Mail\" --input subject.common-name=Anna "
	  "--input "
	  "san.email=anna@example.org --out anna.p12 --pin-out anna.pin",
	  run_issue },
	{ "token", "list", "list the soft tokens that you had made", NULL, list_options, NULL,
	  "chancery token list", run_list },
	{ "token", "fetch", "bring a soft token's file again, until it is confirmed", NULL, fetch_options,
	  one, "chancery token fetch 210453397760 --out anna.p12 --pin-out anna.pin", run_fetch },
	{ "token", "confirm", "say that the file has come: it and its PIN are erased at the server", NULL,
	  NULL, one, "chancery token confirm 210453397760", run_confirm },
	{ 0 },
};
