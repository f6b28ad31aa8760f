/* Policy tried before it is signed: policy simulate, token-procedure preview. */
#include "base/base.h"
#include "base/file.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/policy_file.h"
#include "cli/rest.h"

/* ---- what is tried ---- */

static enum rc
put_text(struct cli *c, struct json *body, const char *name, const char *text, struct err *e)
{
	struct json *v = json_str(c->a, bytes_str(text));

	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "body");
	json_set(body, name, v);
	return RC_OK;
}

static enum rc
put_document(struct cli *c, const struct kind *kind, struct json *body, struct err *e)
{
	const char *file = args_text(&c->args, "file"), *object = args_text(&c->args, "object");
	struct json *v;

	if (args_has(&c->args, "from-draft"))
		json_set(body, "draft", json_int(c->a, args_int(&c->args, "from-draft", 0)));
	if (file != NULL) {
		TRY(policy_file_read(c->a, file, kind, &v, e));
		json_set(body, "body", v);
	}
	return object ? put_text(c, body, "object", object, e) : RC_OK;
}

/* ---- simulate ---- */

static void
show_change(struct cli *c, const struct json *item)
{
	struct bytes then = json_line(c->a, json_get(json_get(item, "then"), "detail"));

	out_text(&c->out, json_line(c->a, json_get(item, "outcome")));
	out_line(&c->out, "  ");
	out_text(&c->out, json_line(c->a, json_get(item, "at")));
	out_line(&c->out, "  ");
	out_text(&c->out, json_line(c->a, json_get(item, "subject")));
	if (then.n > 0) {
		out_line(&c->out, "\n  ");
		out_text(&c->out, then);
	}
	out_line(&c->out, "\n");
	flow_show_difference(c, item);
}

/* Which document it would be. */
static void
show_tried(struct cli *c, const struct json *d)
{
	struct bytes path = json_line(c->a, json_get(d, "path")),
		     version = json_line(c->a, json_get(d, "version"));
	const char *text = bytes_is(version, "1")
	    ? arena_printf(c->a, "%.*s, a new one", BYTES_FMT(path))
	    : arena_printf(c->a, "%.*s, as version %.*s", BYTES_FMT(path), BYTES_FMT(version));

	if (text != NULL && path.n > 0)
		out_field(&c->out, "document", bytes_str(text));
}

static void
show_simulation(struct cli *c, const struct json *v)
{
	static const char *const names[] = { "tried",   "same",     "different",
					     "refused", "accepted", "refused_otherwise",
					     "oldest",  "unusable" };

	show_tried(c, json_get(v, "document"));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (json_line(c->a, json_get(v, names[i])).n > 0)
			out_field(&c->out, names[i], json_line(c->a, json_get(v, names[i])));
	JSON_EACH(item, json_get(v, "items"))
	show_change(c, item);
}

static enum rc
run_simulate(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a), *answer;
	struct rest *r;

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "body");
	NEED(args_has(&c->args, "from-draft") != args_has(&c->args, "file"), e, CHY_CLI_USAGE, NULL,
	     "what is tried? give --from-draft ID or --file FILE");
	TRY(put_text(c, body, "kind", args_text(&c->args, "KIND"), e));
	TRY(put_document(c, kind_named(bytes_str(args_text(&c->args, "KIND"))), body, e));
	if (args_has(&c->args, "since"))
		TRY(put_text(c, body, "since", args_text(&c->args, "since"), e));
	if (args_has(&c->args, "last"))
		json_set(body, "last", json_int(c->a, args_int(&c->args, "last", 0)));
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/policy/simulation", body, &answer, e));
	out_json(&c->out, answer);
	if (!c->out.json)
		show_simulation(c, answer);
	return RC_OK;
}

/* ---- preview ---- */

/* "digitalSignature,keyEncipherment": one key; "": one without usages. */
static enum rc
add_usages(struct cli *c, struct json *keys, const char *text, struct err *e)
{
	struct json *key = json_object(c->a), *list = json_array(c->a);
	struct bytes rest = bytes_str(text);

	NEED(key != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "keys");
	while (rest.n > 0)
		json_add(list, json_str(c->a, text_trim(text_cut(rest, ',', &rest))));
	json_set(key, "key_usage", list);
	json_add(keys, key);
	return RC_OK;
}

static enum rc
add_request(struct cli *c, struct json *keys, const char *file, struct err *e)
{
	struct json *key = json_object(c->a), *text;
	OWN_BUF struct buf b = buf_max(4 * LIMIT_CSR);
	struct bytes csr;

	TRY(file_read(c->a, file, 2 * LIMIT_CSR, &csr, e));
	if (bytes_starts(csr, "-----"))
		buf_put(&b, csr);
	else
		base64_put(&b, csr);
	text = json_buf(c->a, &b);
	NEED(key != NULL && text != NULL, e, CHY_NO_MEMORY, NULL, "keys");
	json_set(key, "name", json_str(c->a, bytes_str(file)));
	json_set(key, "request", text);
	json_add(keys, key);
	return RC_OK;
}

static enum rc
put_keys(struct cli *c, struct json *body, struct err *e)
{
	struct json *keys = json_array(c->a);

	NEED(keys != NULL, e, CHY_NO_MEMORY, NULL, "keys");
	for (const struct arg *x = args_next(&c->args, "key-usage", NULL); x;
	     x = args_next(&c->args, "key-usage", x))
		TRY(add_usages(c, keys, x->value, e));
	for (const struct arg *x = args_next(&c->args, "request", NULL); x;
	     x = args_next(&c->args, "request", x))
		TRY(add_request(c, keys, x->value, e));
	if (keys->count > 0)
		json_set(body, "keys", keys);
	return RC_OK;
}

static void
show_considered(struct cli *c, const struct json *x)
{
	struct bytes unusable = json_line(c->a, json_get(x, "unusable"));
	const struct json *chosen = json_get(x, "chosen");

	out_line(&c->out, "%s", chosen && chosen->boolean ? "  * " : "    ");
	out_text(&c->out, json_line(c->a, json_get(x, "name")));
	out_line(&c->out, ": ");
	out_text(&c->out, json_line(c->a, json_get(x, "text")));
	if (unusable.n > 0) {
		out_line(&c->out, "; cannot issue: ");
		out_text(&c->out, unusable);
	}
	out_line(&c->out, "\n");
}

static void
show_key(struct cli *c, const struct json *key)
{
	struct bytes problem = json_line(c->a, json_get(json_get(key, "problem"), "detail"));

	out_text(&c->out, json_line(c->a, json_get(key, "name")));
	out_line(&c->out, " ");
	out_text(&c->out, json_line(c->a, json_get(key, "key_usage")));
	out_line(&c->out, ": ");
	out_text(&c->out, problem.n ? problem : json_line(c->a, json_get(json_get(key, "chosen"), "name")));
	out_line(&c->out, "\n");
	JSON_EACH(x, json_get(key, "considered"))
	show_considered(c, x);
}

/* "Web server: by Issuing CA for P1Y, digitalSignature, format Server" and what is to be known of it. */
static void
show_certificate(struct cli *c, const struct json *x)
{
	const struct json *archived = json_get(x, "archived");
	struct bytes key = json_line(c->a, json_get(x, "key")),
		     unusable = json_line(c->a, json_get(x, "unusable")),
		     warning = json_line(c->a, json_get(x, "warning"));

	out_line(&c->out, "Certificate ");
	out_text(&c->out, json_line(c->a, json_get(x, "name")));
	out_line(&c->out, "\n");
	out_field(&c->out, "  Authority", json_line(c->a, json_get(json_get(x, "authority"), "name")));
	out_field(&c->out, "  Format", json_line(c->a, json_get(json_get(x, "format"), "name")));
	out_field(&c->out, "  Validity", json_line(c->a, json_get(x, "validity")));
	JSON_EACH(usage, json_get(x, "key_usage"))
	out_field(&c->out, usage == json_get(x, "key_usage")->first ? "  Key usage" : "",
		  json_line(c->a, usage));
	if (key.n > 0)
		out_field(&c->out, "  Key",
			  bytes_str(arena_printf(c->a, "%.*s, made here%s", BYTES_FMT(key),
						 archived && archived->boolean ? ", archived" : "")));
	if (unusable.n > 0)
		out_field(&c->out, "  Cannot issue", unusable);
	if (warning.n > 0)
		out_field(&c->out, "  Warning", warning);
}

static void
show_names(struct cli *c, const char *what, const struct json *list)
{
	JSON_EACH(x, list)
	{
		out_field(&c->out, what, json_line(c->a, json_get(x, "name")));
		what = "";
	}
}

static enum rc
run_preview(struct cli *c, struct err *e)
{
	const char *name = args_text(&c->args, "NAME|ID");
	struct json *body = json_object(c->a), *answer;
	struct rest *r;
	int given;

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "body");
	given = (name != NULL) + args_has(&c->args, "from-draft") + args_has(&c->args, "file");
	NEED(given > 0, e, CHY_CLI_USAGE, NULL,
	     "which token procedure? give its name, --from-draft ID or --file FILE");
	NEED(given == 1, e, CHY_CLI_USAGE, NULL,
	     "one of them is enough: its name for what is in force, --from-draft ID or --file FILE for what "
	     "would be");
	if (name != NULL)
		TRY(put_text(c, body, "token_procedure", name, e));
	TRY(put_document(c, kind_of(KIND_TOKEN_PROCEDURE), body, e));
	TRY(put_keys(c, body, e));
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/policy/preview", body, &answer, e));
	out_json(&c->out, answer);
	if (c->out.json)
		return RC_OK;
	JSON_EACH(key, json_get(answer, "keys"))
	show_key(c, key);
	JSON_EACH(x, json_get(answer, "certificates"))
	show_certificate(c, x);
	show_names(c, "Attribute certificates", json_get(answer, "attribute_certificates"));
	show_names(c, "Keys out of the archive", json_get(answer, "recovers"));
	return RC_OK;
}

/* ---- the table ---- */

static const char *const kinds[] = {
#define X(e, name) name,
	KIND_TABLE(X)
#undef X
	    NULL
};
static const struct operand of_kind[] = { { "KIND", OPT_CHOICE, OPT_MUST, "the kind of document", kinds },
					  { 0 } };
static const struct operand procedure[] = { { "NAME|ID", OPT_TEXT, 0, "the token procedure" }, { 0 } };

static const struct opt simulate_options[] = {
	{ "from-draft", "ID", OPT_INT, 0, "the draft that is tried" },
	{ "file", "FILE", OPT_FILE, 0, "the document that is tried: a JSON body" },
	{ "object", "NAME|ID", OPT_TEXT, 0,
	  "what it changes; none: the document of its name, else a new one" },
	{ "since", "TIME", OPT_TIME, 0, "only requests at this time or later" },
	{ "last", "N", OPT_INT, 0, "the newest N requests; 100 without it, at most 1000" },
	{ 0 },
};
static const struct opt preview_options[] = {
	{ "from-draft", "ID", OPT_INT, 0, "a draft in place of a procedure in force" },
	{ "file", "FILE", OPT_FILE, 0, "a JSON body in place of a procedure in force" },
	{ "key-usage", "USAGES", OPT_TEXT, OPT_MANY,
	  "a key with these usages, by commas; repeat it for more keys" },
	{ "request", "FILE", OPT_FILE, OPT_MANY, "a key with the usages that this certificate request asks" },
	{ 0 },
};

const struct command commands_try[] = {
	{ "policy", "simulate", "try a changed document on past requests, before it is signed",
	  "Each request is decided twice, by the policy in force and with the change in it. Shown is what "
	  "would be refused, "
	  "accepted, or come out different, and how. Nothing is signed and nothing is stored. Tried are "
	  "requests that officers "
	  "signed, for certificates, soft tokens and attribute certificates, and the newest ones of issuing "
	  "sessions, which are remembered for this.",
	  simulate_options, of_kind,
	  "chancery policy simulate certificate-procedure --file tls.json --last 1000", run_simulate },
	{ "token-procedure", "preview",
	  "show what a token procedure makes: each key, each certificate, and why",
	  "Without --key-usage and --request all its keys, or what a request of each sort would get.",
	  preview_options, procedure,
	  "chancery token-procedure preview \"Employee card\" --key-usage digitalSignature --key-usage "
	  "keyEncipherment",
	  run_preview },
	{ 0 },
};
